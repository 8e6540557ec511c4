"""The command line: the only place that prints. Heavy libraries are imported inside the commands: `--help` is quick."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import typer
from typer.core import TyperGroup

from nbb_opt import __version__
from nbb_opt.cli import app as app_command
from nbb_opt.cli import audit, bench, data, fleet, region, runs, studies
from nbb_opt.cli.console import How, ProgressLine, shown, write_line
from nbb_opt.cli.options import (
    DEFAULT_THREADS,
    DEFAULT_TIME_LIMIT_S,
    AsJson,
    Builds,
    Closes,
    ExtendBy,
    Forbids,
    HighsPresolve,
    InstancePath,
    Scenarios,
    Seed,
    Sets,
    StatedIn,
    Threads,
    TimeLimit,
    in_options,
    in_what_if,
    of_today,
)
from nbb_opt.cli.runs import show
from nbb_opt.errors import InstanceError, NbbError, Stopped, VerifyFailed
from nbb_opt.first_use import announce
from nbb_opt.renames import is_now

EXIT_CODES = (
    "Exit codes: 0 fine, 1 bad input, 2 usage, 3 infeasible, 4 no plan in time, 5 a check failed, "
    "6 a benchmark got worse, 70 a fault in nbb-opt itself, 130 stopped (Ctrl-C) before there was a plan. "
    "Anywhere in a line: --quiet shows no progress, --log-json shows it as one JSON object a line, --debug shows the "
    "traceback of any error; with --json an error is a JSON object too."
)
DEBUG = "--debug"
PROGRESS: dict[str, How] = {"--quiet": "quiet", "--log-json": "json"}


class Commands(TyperGroup):
    """The commands; an old name of one or of its options is refused by the new name."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As its parent does, after a look at what was renamed."""
        command = next((word for word in args if not word.startswith("-")), "")
        if now := is_now("command", command):
            ctx.fail(f"'{command}' {now}")
        for word in args:
            option = word.partition("=")[0]
            if now := is_now("option", option, command):
                ctx.fail(f"{option} {now}")
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """As its parent does; an error names options, not the parameters of the Python interface.

        Ctrl-C, where a command keeps nothing on it, is an error in a line.
        """
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Stopped("stopped before the end") from None
        except NbbError as error:
            if command := self.commands.get(ctx.invoked_subcommand):
                error.args = (in_options(str(error), command),)
            raise


app = typer.Typer(
    name="nbb-opt",
    cls=Commands,
    help="Plans modal shift and fleet electrification of regional freight.\n\n"
    "I plan a region: nbb-opt new region --from nbb; nbb-opt solve region --model cap_path\n\n"
    "I run trucks: nbb-opt fleet cost Umeå Vännäs --km 30; nbb-opt fleet sheet mine.xlsx\n\n"
    "I do research: in Python nbb.solve(nbb.examples.tiny()); nbb-opt new big --synthetic --bundles 1000\n\n"
    "Example: nbb-opt new mycase --from haulier; nbb-opt check mycase; nbb-opt solve mycase\n\n" + EXIT_CODES,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line; errors meant for users end without a traceback, one line and an exit code each."""
    debug = DEBUG in sys.argv[1:]
    shown[:] = [how for flag, how in PROGRESS.items() if flag in sys.argv] or ["lines"]
    sys.argv = [sys.argv[0], *(word for word in sys.argv[1:] if word != DEBUG and word not in PROGRESS)]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that cannot show a name shows its code
    survive_aborts(debug)
    if not debug:
        sys.unraisablehook = unraised
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C
    announce(lambda line: write_line(sys.stderr, line))
    try:
        app()
    except NbbError as error:
        if debug:
            traceback.print_exc()
        fail(error)
    except KeyboardInterrupt:  # before or after a command runs
        fail(Stopped("stopped before the end"))
    except Exception as fault:
        if debug:
            traceback.print_exc()
        code, line = in_a_line(fault)
        _say(code, line)
        if isinstance(fault, BrokenPipeError):  # nor may Python try to flush what nobody reads
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(code)


def unraised(lost: sys.UnraisableHookArgs) -> None:
    """What Python cannot raise where it is: files that cannot be closed, of which there is an error anyway, and a
    Ctrl-C that falls into a callback, as while modules are imported: it is given again."""
    if issubclass(lost.exc_type, KeyboardInterrupt):
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()


def _say(code: int, text: str, problems: Sequence[object] = ()) -> None:
    """Print an error: as lines, or, where --json was asked for, as a JSON object on stdout."""
    with suppress(OSError):
        if "--json" in sys.argv and not sys.argv[1].startswith("bench"):  # whose --json names a file
            found = {"ok": False, "exit_code": code, "error": text}
            found |= {"problems": [vars(problem) for problem in problems]} if problems else {}
            print(json.dumps(found, ensure_ascii=False, indent=1), flush=True)
        else:
            print(text, file=sys.stderr)


def in_a_line(fault: Exception) -> tuple[int, str]:
    """Exit code and line for what is no error of ours.

    >>> in_a_line(FileNotFoundError(2, "No such file or directory", "x.csv"))
    (1, 'x.csv: No such file or directory; nbb-opt --debug shows where')
    >>> in_a_line(MemoryError())[0], in_a_line(KeyError("x"))[0]
    (1, 70)
    """
    more = f"; nbb-opt {DEBUG} shows where"
    if isinstance(fault, BrokenPipeError):
        return 1, "nobody reads the output any more"
    if isinstance(fault, MemoryError) or (memory_limit() is not None and isinstance(fault, CUT_SHORT)):
        return 1, f"the memory is not enough; give more of it, or a smaller instance{more}"
    said = " ".join(str(fault).split())[:300]
    if isinstance(fault, shutil.Error):  # of a folder: each file that was not copied, and why
        return 1, f"{fault.args[0][0][2]}{more}"
    if of_system := next((each for each in (fault, *fault.args) if isinstance(each, OSError)), None):
        place = of_system.filename2 or of_system.filename  # where it was copied or renamed to
        return 1, f"{place}: {of_system.strerror}{more}" if place else f"{of_system.strerror or said}{more}"
    return 70, f"a fault in nbb-opt, not in your data ({type(fault).__name__}: {said}){more}: please report it"


OUT_OF_MEMORY = (
    f"the memory is not enough; give more of it, or a smaller instance; nbb-opt {DEBUG} shows where\n".encode()
)
LIBC_GAVE_UP = 127  # its exit code where a thread gets no memory
CUT_SHORT = (ImportError, RuntimeError, SystemError)  # what libraries raise where memory is refused


def memory_limit() -> int | None:
    """Bytes of address space this process may take (`ulimit -v`), None for no limit."""
    if os.name != "posix":
        return None
    import resource

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if limit == resource.RLIM_INFINITY else limit


def survive_aborts(debug: bool = False) -> None:
    """Under a memory limit (`ulimit -v`), work in a child: libraries abort there where they get none, in C.

    The parent passes on signals and says in a line what ended the child.
    """
    limit = memory_limit()
    if limit is None:
        return
    if (child := os.fork()) == 0:
        if not debug:  # for what Python had no memory to hand to main()
            sys.excepthook = lambda *_: os.write(2, OUT_OF_MEMORY)
        return
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: os.kill(child, number))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code < 0 or code == LIBC_GAVE_UP:
        name = signal.Signals(-code).name if code < 0 else "the C library"
        most = f"most likely the memory limit of {limit / 1e6:,.0f} MB"
        print(f"ended by {name}: {most}; give more, or a smaller instance", file=sys.stderr)
        code = 1
    sys.stdout.flush()
    os._exit(code)


def fail(error: NbbError) -> NoReturn:
    """Print an error and leave with its exit code."""
    problems = error.problems if isinstance(error, InstanceError) else []
    counted = f"{len(problems)} problem{'s' if len(problems) != 1 else ''} found\n" if problems else ""
    _say(error.exit_code, f"{counted}{error}", problems)
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


@app.command(epilog="Example: nbb-opt new mycase --from haulier; as a workbook: nbb-opt new mine.xlsx --from haulier")
def new(
    target: Annotated[Path, typer.Argument(help="Folder to create, or a workbook ending in .xlsx.", metavar="TARGET")],
    template: Annotated[str | None, typer.Option("--from", help="Template: tiny, haulier (default) or nbb.")] = None,
    title: Annotated[str, typer.Option(help="Title of the copy.")] = "",
    synthetic: Annotated[bool, typer.Option("--synthetic", help="Invent one of any size instead.")] = False,
    flows: Annotated[int, typer.Option("--bundles", help="Flows to invent.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Seed; the same seed gives the same files.")] = 0,
    zones: Annotated[int | None, typer.Option(help="Towns to invent [default: grows with the flows].")] = None,
) -> None:
    """Copy a template into a new folder or a new workbook to fill in, or invent a synthetic instance."""
    import nbb_opt as nbb

    if synthetic and template is not None:
        raise typer.BadParameter("--from copies a template, --synthetic invents an instance: give one of them")
    if synthetic and title:
        raise typer.BadParameter("--title is for a copy of a template; edit instance.toml of an invented instance")
    if synthetic and target.suffix.lower() == ".xlsx":
        raise typer.BadParameter("--synthetic writes a folder; give a name without .xlsx")
    if synthetic:
        nbb.synthesize(target, flows=flows, seed=seed, zones=zones)
        print(f"{target}: {flows} invented flows. Next: nbb-opt check {target}")
        return
    template = template or "haulier"
    nbb.new(target, template=template, title=title)
    edit = "Its README sheet says how to fill it in" if target.suffix.lower() == ".xlsx" else "Edit its tables"
    print(f"{target} is a copy of {template}. {edit}, then: nbb-opt check {target}")


@app.command(epilog="Example: nbb-opt check instances/nbb; nbb-opt check mine.xlsx")
def check(instance: InstancePath, as_json: AsJson = False) -> None:
    """Validate an instance; every problem at once, with place and likely fix."""
    import nbb_opt as nbb

    show(nbb.check(instance), as_json)


@app.command(epilog="Example: nbb-opt manifest mycase")
def manifest(instance: InstancePath) -> None:
    """Write datapackage.json, the sha256 checksum of every file; from then on changed files are refused."""
    import nbb_opt as nbb

    print(f"wrote {nbb.manifest(instance)}")


@app.command(epilog="Example: nbb-opt upgrade mycase mycase-now; nbb-opt upgrade mine.xlsx mine-now.xlsx")
def upgrade(
    old: Annotated[Path, typer.Argument(help="Instance with old names: a folder, .zip or workbook.", metavar="OLD")],
    new: Annotated[Path, typer.Argument(help="Where to write it, of the same kind.", metavar="NEW")],
) -> None:
    """Bring an instance of an earlier format to today's names of tables, columns and choices; all else is copied."""
    import nbb_opt as nbb

    lines = nbb.upgrade(old, new)
    print("\n".join(lines or ["nothing in it was renamed since"]))
    print(f"wrote {new}. Next: nbb-opt check {new}")


@app.command(epilog="Example: nbb-opt prepare instances/nbb; nbb-opt prepare mine.xlsx")
def prepare(
    instance: InstancePath,
    no_prune: Annotated[bool, typer.Option("--no-prune", help="Keep chains that can never be used.")] = False,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Neither read nor write the cache.")] = False,
    cluster: Annotated[
        str | None, typer.Option(help="Sum the demand on this Dask scheduler, as tcp://host:8786.")
    ] = None,
    add_duplicates: Annotated[
        bool, typer.Option("--add-duplicates", help="Add up demand rows of one flow and year instead of refusing them.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Turn OD rows into bundles and candidate chains; say what was merged and dropped, and how large the model gets."""
    from dataclasses import asdict

    import nbb_opt as nbb

    with ExitStack() as stack:
        workers = None
        if cluster is not None:
            from nbb_opt.cluster import connect

            workers = stack.enter_context(connect(cluster))
        region = nbb.read(instance, add_duplicates=add_duplicates, cluster=workers)
    prepared = nbb.prepare(region, prune=not no_prune, cache=not no_cache)
    size = nbb.size(prepared)
    if as_json:
        counts = {"bundles": len(prepared.bundles), "chains": len(prepared.rows), "lanes": prepared.items.n_lanes}
        facts = {**counts, "kinds": prepared.rows.by_kind(), "size": asdict(size), "log": list(prepared.log)}
        print(json.dumps(facts, ensure_ascii=False, indent=1))
        return
    print("\n".join([*prepared.log, size.line()]))


@app.command(
    epilog="Example: nbb-opt solve instances/nbb --model joint --time-limit 120 --out runs/nbb-joint; "
    "nbb-opt solve instances/nbb --scenario ferry_closed --forbid NORRBOTNIA_1; nbb-opt solve mycase --extend rules.py"
)
def solve(
    instance: InstancePath,
    model: Annotated[
        str | None,
        typer.Option(callback=of_today, help="A model of models/, or a path to a .toml [default: joint for freight]."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Run folder [default: runs/NAME-MODEL]; an earlier run there is replaced.")
    ] = None,
    time_limit_s: TimeLimit = DEFAULT_TIME_LIMIT_S,
    gap: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Stop at this relative MIP gap, |cost - bound| over cost [default: 0.001, and --decision-gap 0.05].",
        ),
    ] = None,
    decision_gap: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Stop at this share of what can be decided: (cost - bound) / (reference - bound).",
        ),
    ] = None,
    threads: Threads = DEFAULT_THREADS,
    seed: Seed = 0,
    method: Annotated[
        Literal["auto", "monolith", "decompose"],
        typer.Option(
            help="monolith: the whole MIP at once; decompose: column generation; auto: by the size of the model."
        ),
    ] = "auto",
    statement: StatedIn = "auto",
    no_prune: Annotated[bool, typer.Option("--no-prune", help="Keep chains that can never be used.")] = False,
    front: Annotated[
        int, typer.Option(help="Points of a front of cost against emissions, relaxed, beside the plan; 0: none.")
    ] = 0,
    no_reference: Annotated[
        bool, typer.Option("--no-reference", help="Compare with the frozen plan only; saves the time of one solve.")
    ] = False,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Neither read nor write the cache.")] = False,
    too_large: Annotated[
        bool, typer.Option("--ignore-memory-forecast", help="Solve even if the forecast exceeds memory.")
    ] = False,
    presolve: HighsPresolve = "choose",
    cluster: Annotated[
        str | None, typer.Option(help="Dask scheduler whose workers price the chains (column generation).")
    ] = None,
    scenario: Scenarios = None,
    sets: Sets = None,
    close: Closes = None,
    build: Builds = None,
    forbid: Forbids = None,
    extend: ExtendBy = None,
    solver: Annotated[
        str | None,
        typer.Option(help="Another solver that Pyomo reaches: highs, scip, cbc, glpk, gurobi, cplex, xpress, ..."),
    ] = None,
    write: Annotated[
        Path | None, typer.Option(help="Write the model as .lp or .mps for a solver elsewhere, and do not solve it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Solve an instance, verify the plan, write run folder, report and workbook. Ctrl-C keeps the best plan found."""
    from nbb_opt.options import SolveOptions
    from nbb_opt.problems.dispatch import handlers, problem_of, stated_model
    from nbb_opt.problems.handlers import SolveRequest
    from nbb_opt.solve import Stop

    problem = problem_of(instance, "solve")
    changed = in_what_if(instance, scenario, sets, close, build, forbid)
    if changed is not None and write is not None:
        raise NbbError("--write: writes the model of an instance as it is; write the changed one first (nbb.write)")
    if extend is not None and write is not None:
        raise NbbError(
            "--extend: solves here and verifies; to write such a model use nbb.build(...).write(...) in Python"
        )
    options = SolveOptions(
        time_limit_s=time_limit_s, gap=gap, decision_gap=decision_gap, threads=threads, seed=seed,
        prune=not no_prune, too_large=too_large, method=method,
        statement=statement, presolve=presolve, solver=solver, reference=not no_reference,
    )  # fmt: skip
    if write is not None:
        from nbb_opt.model.model_file import write_model
        from nbb_opt.output import check_new

        if named := [option for option, on in (("--out", out), ("--solver", solver), ("--json", as_json)) if on]:
            raise NbbError(f"{', '.join(named)}: --write leaves the model in a file and solves nothing; leave it out")
        check_new(write)
        stated = stated_model(instance, model, options)
        write_model(stated.form, write, title=stated.title, model=stated.model)
        print(f"wrote {write}: {len(stated.form.cost):,} columns, {len(stated.form.row_low):,} rows; check a solution: "
              f"nbb-opt verify {instance} --model {stated.model} --solution FILE.sol")  # fmt: skip
        return
    try:
        with ProgressLine(sys.stderr) as line:
            request = SolveRequest(
                instance=instance, model=model, out=out, options=options, stop=Stop(time_limit_s), callback=line,
                cache=not no_cache, cluster=cluster, extend=extend, changed=changed, front=front,
            )  # fmt: skip
            done = handlers(problem).solve(request)
    except KeyboardInterrupt:
        raise Stopped("stopped before a plan was found; nothing was written") from None
    show(done, as_json)


@app.command(epilog="Example: nbb-opt models --check")
def models(
    checking: Annotated[bool, typer.Option("--check", help="Only compare with the committed statements.")] = False,
) -> None:
    """Render the statement of every model (equations and literal LP) beside its .toml."""
    import nbb_opt as nbb

    stale = nbb.render_models(write=not checking)
    if checking and stale:
        raise VerifyFailed("out of date: " + ", ".join(stale) + "; run: nbb-opt models")
    print("up to date" if not stale else "rendered " + ", ".join(stale))


for _commands in (region, runs, studies, audit, fleet, app_command, data, bench):
    _commands.add_commands(app)


@app.command(epilog="Example: nbb-opt doctor")
def doctor(as_json: AsJson = False) -> None:
    """Show versions, processor and memory, try the solver, and say which promises this machine can keep."""
    from nbb_opt.cli.doctor import doctor as examine

    facts = examine()
    if as_json:
        print(json.dumps(facts, indent=1))
    else:
        print("\n".join(f"{name}: {value}" for name, value in facts.items()))
    if facts["solver"] != "OK":
        raise VerifyFailed(f"the solver self-test failed: {facts['solver']}")
