"""The command line: the only place that prints. Heavy libraries are imported inside the commands: `--help` is quick."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from nbb_opt import __version__
from nbb_opt.cli_data import add_commands
from nbb_opt.errors import InstanceError, NbbError, VerifyFailed

EXIT_CODES = (
    "Exit codes: 0 fine, 1 bad input, 2 usage, 3 infeasible, 4 no plan within the limits, 5 a check failed, "
    "6 a benchmark got worse."
)
app = typer.Typer(
    name="nbb-opt",
    help="Plans modal shift and fleet electrification of regional freight.\n\n"
    "Example: nbb-opt new mycase --from haulier; nbb-opt check mycase; nbb-opt solve mycase\n\n" + EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

InstancePath = Annotated[Path, typer.Argument(help="Instance: a folder or a .zip.", metavar="INSTANCE")]
RunPath = Annotated[Path, typer.Argument(help="Run folder written by solve.", metavar="RUN")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]


def main() -> None:
    """Run the command line; errors meant for users end without a traceback."""
    try:
        app()
    except NbbError as error:
        fail(error)
    except KeyboardInterrupt:
        print("stopped before a plan was found", file=sys.stderr)
        sys.exit(4)


def fail(error: NbbError) -> NoReturn:
    """Print an error and leave with its exit code."""
    if isinstance(error, InstanceError):
        many = len(error.problems)
        print(f"{many} problem{'s' if many != 1 else ''} found", file=sys.stderr)
    print(str(error), file=sys.stderr)
    sys.exit(error.exit_code)


def _version(shown: bool) -> None:
    if shown:
        print(f"nbb-opt {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show version.")] = False,
) -> None:
    pass


@app.command(epilog="Example: nbb-opt new mycase --from haulier")
def new(
    target: Annotated[Path, typer.Argument(help="Folder to create.", metavar="DIR")],
    source: Annotated[str, typer.Option("--from", help="Template: tiny, haulier or nbb.")] = "haulier",
) -> None:
    """Copy a template instance into a new folder."""
    from nbb_opt.instance import new_instance

    new_instance(target, source=source)
    print(f"{target} is a copy of {source}. Edit its tables, then: nbb-opt check {target}")


@app.command(epilog="Example: nbb-opt check instances/nbb")
def check(instance: InstancePath, as_json: AsJson = False) -> None:
    """Validate an instance; every problem at once, with place and likely fix."""
    from nbb_opt.instance import read_instance

    try:
        found = read_instance(instance)
    except InstanceError as error:
        if as_json:
            problems = [vars(problem) for problem in error.problems]
            print(json.dumps({"ok": False, "problems": problems}, ensure_ascii=False, indent=1))
            sys.exit(error.exit_code)
        fail(error)
    rows = {name: len(table) for name, table in found.tables.items() if len(table)}
    if as_json:
        print(json.dumps({"ok": True, "name": found.meta.name, "digest": found.digest, "rows": rows}, indent=1))
        return
    print(f"{found.meta.title}: no problems found")
    print("rows: " + ", ".join(f"{name} {count}" for name, count in rows.items()))
    print(f"periods: {', '.join(f'{p.year} ({p.years} years)' for p in found.periods)}; digest {found.digest[:16]}")


@app.command(epilog="Example: nbb-opt seal mycase")
def seal(instance: InstancePath) -> None:
    """Write datapackage.json with the sha256 of every file; from then on changed files are refused."""
    from nbb_opt.instance import seal as seal_instance

    print(f"wrote {seal_instance(instance)}")


@app.command(epilog="Example: nbb-opt prepare instances/nbb")
def prepare(
    instance: InstancePath,
    no_prune: Annotated[bool, typer.Option("--no-prune", help="Keep chains that can never be used.")] = False,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Neither read nor write the cache.")] = False,
    cluster: Annotated[
        str | None, typer.Option(help="Sum the demand on this Dask scheduler, as tcp://host:8786.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Turn OD rows into bundles and candidate chains, and say what was merged and dropped."""
    from nbb_opt.instance import read_instance
    from nbb_opt.network import prepare as prepare_instance

    with ExitStack() as stack:
        each = None
        if cluster is not None:
            from nbb_opt.cluster import connect

            each = stack.enter_context(connect(cluster)).each
        cache_dir = None if no_cache else cache_folder()
        prepared = prepare_instance(read_instance(instance), cache_dir=cache_dir, prune=not no_prune, each=each)
    if as_json:
        kinds = prepared.chains["kind"].value_counts().to_dict()
        counts = {"bundles": len(prepared.bundles), "chains": len(prepared.chains), "lanes": len(prepared.lanes)}
        print(json.dumps({**counts, "kinds": kinds, "log": list(prepared.log)}, ensure_ascii=False, indent=1))
        return
    print("\n".join(prepared.log))


@app.command(epilog="Example: nbb-opt solve instances/nbb --model joint --time-limit 120 --out runs/nbb-joint")
def solve(
    instance: InstancePath,
    model: Annotated[str, typer.Option(help="A model of models/, or a path to a .toml.")] = "joint",
    out: Annotated[
        Path | None, typer.Option(help="Run folder [default: runs/NAME-MODEL]; an earlier run there is replaced.")
    ] = None,
    time_limit: Annotated[float, typer.Option(min=0.0, help="Seconds for the whole job.")] = 120.0,
    gap: Annotated[float, typer.Option(min=0.0, max=1.0, help="Proven relative gap to stop at.")] = 1e-4,
    threads: Annotated[int, typer.Option(min=1, max=256, help="Threads of the solver.")] = 2,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Random seed of the solver.")] = 0,
    no_prune: Annotated[bool, typer.Option("--no-prune", help="Keep chains that can never be used.")] = False,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Neither read nor write the cache.")] = False,
    as_json: AsJson = False,
) -> None:
    """Solve an instance, verify the plan, write run folder, report and workbook. Ctrl-C keeps the best plan found."""
    from nbb_opt.instance import read_instance
    from nbb_opt.job import Options, solve_instance
    from nbb_opt.solve import Stop
    from nbb_opt.terminal import ProgressLine

    stop = Stop(time_limit)
    found = read_instance(instance)
    target = out or Path("runs") / f"{found.meta.name}-{Path(model).stem}"
    with ProgressLine(sys.stderr) as line:
        run = solve_instance(
            found,
            out=target,
            model=model,
            options=Options(time_limit_s=time_limit, gap=gap, threads=threads, seed=seed, prune=not no_prune),
            cache_dir=None if no_cache else cache_folder(),
            listen=line,
            stop=stop,
        )
    if as_json:
        print(json.dumps(run.record, ensure_ascii=False, indent=1))
    else:
        from nbb_opt.report.closing import closing_block

        print(closing_block(found, run))


@app.command(epilog="Example: nbb-opt verify runs/nbb-joint")
def verify(
    run: RunPath,
    instance: Annotated[Path | None, typer.Option(help="Instance, if it was moved since.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check a finished run again, from its tables alone."""
    from nbb_opt.instance import read_instance
    from nbb_opt.result import read_run
    from nbb_opt.verify import verify_run

    found = read_run(run, refuse_altered=False)
    verdict = verify_run(found, read_instance(instance or Path(found.record["instance_source"])))
    if as_json:
        print(json.dumps(verdict.as_json(), ensure_ascii=False, indent=1))
    elif verdict.ok:
        print(f"verified: OK, {len(verdict.checks)} checks, cost {verdict.cost_eur:,.0f} EUR")
    if not verdict.ok:
        raise VerifyFailed(f"{run} is not accepted:\n" + verdict.failures().to_string(index=False))


@app.command(epilog="Example: nbb-opt report runs/nbb-joint runs/nbb-shift_only --out comparison.html")
def report(
    runs: Annotated[list[Path], typer.Argument(help="One or more run folders of one instance.", metavar="RUN...")],
    out: Annotated[Path, typer.Option(help="HTML file; the workbook is written beside it.")] = Path("report.html"),
    instance: Annotated[Path | None, typer.Option(help="Instance, if it was moved since.")] = None,
) -> None:
    """Write one HTML report and one workbook; several runs are set side by side."""
    from nbb_opt.instance import read_instance
    from nbb_opt.report import write_html, write_workbook
    from nbb_opt.result import read_run

    found = [read_run(path) for path in runs]
    digests = {run.record["instance_digest"] for run in found}
    source = read_instance(instance or Path(found[0].record["instance_source"]))
    if digests != {source.digest}:
        raise VerifyFailed("the runs and the instance do not belong together: their digests differ")
    write_html(source, found, out)
    write_workbook(source, found, out.with_suffix(".xlsx"))
    print(f"wrote {out} and {out.with_suffix('.xlsx')}")


@app.command(epilog="Example: nbb-opt models --check")
def models(
    checking: Annotated[bool, typer.Option("--check", help="Only compare with the committed statements.")] = False,
) -> None:
    """Render the statement of every model (equations and literal LP) beside its .toml."""
    from nbb_opt.milp import render_all

    stale = render_all(write=not checking)
    if checking and stale:
        raise VerifyFailed("out of date: " + ", ".join(stale) + "; run: nbb-opt models")
    print("up to date" if not stale else "rendered " + ", ".join(stale))


add_commands(app)


@app.command(epilog="Example: nbb-opt doctor")
def doctor(as_json: AsJson = False) -> None:
    """Show versions, processor and memory, and try the solver."""
    from nbb_opt.doctor import examine

    facts: dict[str, Any] = examine()
    if as_json:
        print(json.dumps(facts, indent=1))
    else:
        print("\n".join(f"{name}: {value}" for name, value in facts.items()))
    if facts["solver"] != "OK":
        raise VerifyFailed(f"the solver self-test failed: {facts['solver']}")


def cache_folder() -> Path:
    """Where prepared chains are kept: $NBB_OPT_CACHE, else a folder in the user's cache directory."""
    import os

    named = os.environ.get("NBB_OPT_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "nbb-opt"
