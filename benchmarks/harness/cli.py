"""Commands that run benchmarks, compare, merge and keep results; `nbb-opt bench...` forwards to them."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from nbb_opt.cli.data import whole_number

app = typer.Typer(
    name="nbb-opt",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def whole_numbers(text: str) -> tuple[int, ...]:
    """Sizes, joined by commas: 1e5,1e6."""
    return tuple(whole_number(part) for part in text.split(","))


def words(text: str) -> list[str]:
    """Names, joined by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


@app.command("bench", epilog="Example: nbb-opt bench smoke --json smoke.json --against latest")
def bench(
    suite: Annotated[str, typer.Argument(help="A folder of benchmarks/, for example od.", metavar="SUITE")],
    out: Annotated[Path | None, typer.Option("--json", help="Write the whole record to this file.")] = None,
    rows: Annotated[
        int | None, typer.Option(parser=whole_number, metavar="N", help="Rows, for example 1e7 [default: the suite's].")
    ] = None,
    sizes: Annotated[
        str | None, typer.Option(help="Sizes in the unit of the suite, joined by commas [default: the suite's].")
    ] = None,
    time_limit: Annotated[float | None, typer.Option(min=0.0, help="Seconds for one solve [the suite's].")] = None,
    gap: Annotated[float | None, typer.Option(min=0.0, max=1.0, help="Proven gap to stop at [the suite's].")] = None,
    data: Annotated[Path | None, typer.Option(help="Where data lie that the suite does not write itself.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Seed of data and solver.")] = 1,
    seeds: Annotated[
        int | None,
        typer.Option(
            min=1, help="Run every case with so many seeds, from --seed on [the suite's].", show_default=False
        ),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, max=256, help="Threads of every subject.")] = 2,
    rounds: Annotated[
        int | None, typer.Option(min=1, help="Times that all subjects run in turn [the suite's].")
    ] = None,
    only: Annotated[str, typer.Option(help="Only these subjects, joined by commas.")] = "",
    case: Annotated[str, typer.Option(help="Only these cases, joined by commas; * stands for anything.")] = "",
    work: Annotated[
        Path | None, typer.Option(help="Keep what the suite writes here [default: a folder removed after].")
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="Compare with this result file, or with the last kept one: latest.")
    ] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write table and comparison as Markdown to this file.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the result in benchmarks/results, for good.")] = False,
    listing: Annotated[bool, typer.Option("--list", help="Only list the runs, one a line.")] = False,
    run: Annotated[int | None, typer.Option(min=1, help="Only the run of this number in --list.")] = None,
) -> None:
    """Run a benchmark: ours, the limit of the machine and other libraries on the same work, side by side."""
    from benchmarks.harness import list_tasks, load_suite, results, run_suite
    from benchmarks.harness.registry import BenchError
    from benchmarks.harness.show import markdown_of, table_of

    found = load_suite(suite)
    options = found.options(
        seed=seed,
        threads=threads,
        rows=rows,
        sizes=whole_numbers(sizes) if sizes else None,
        time_limit_s=time_limit,
        gap=gap,
        data=data,
    )
    tasks = list_tasks(found, options, seeds=seeds, cases=words(case))
    if listing:
        print("\n".join(task.line() for task in tasks))
        return
    if run is not None and run > len(tasks):
        raise typer.BadParameter(f"--run {run}: there are {len(tasks)} runs; see --list")
    before = results.read_result(results.find_result(against, suite)) if against is not None else None
    with tempfile.TemporaryDirectory() as scratch:
        record = run_suite(
            found,
            work or Path(scratch),
            [tasks[run - 1]] if run is not None else tasks,
            rounds=rounds,
            only=words(only),
            say=lambda line: print(line, file=sys.stderr),
        )
    if out is not None:
        results.write_result(record, out)
    text = [table_of(record)]
    worse: list[Any] = []
    if before is not None and against is not None:
        part = bool(case or only or run is not None)
        worse, lines = _compared(record, before, str(results.find_result(against, suite)), part=part)
        text += ["", *lines]
    print("\n".join(text))
    if markdown is not None:
        compared = ["", "```", *text[1:], "```"] if before is not None else []
        markdown.write_text("\n".join([f"### {suite}", "", *markdown_of(record), *compared]) + "\n", encoding="utf-8")
    if record["faults"]:
        raise BenchError("\n".join(record["faults"]))
    if keep:
        print(f"kept as {results.keep(record)}; rendered {results.write_page()}")
    _end(worse)


def _compared(now: dict[str, Any], before: dict[str, Any], name: str, *, part: bool) -> tuple[list[Any], list[str]]:
    from benchmarks.harness.against import compare
    from benchmarks.harness.show import comparison_lines

    comparison = compare(now, before, part=part)
    return comparison.worse, comparison_lines(comparison, name=name)


def _end(worse: list[Any]) -> None:
    from benchmarks.harness.registry import BenchWorse

    if worse:
        places = [" ".join(part for part in (each.case, each.subject, each.what) if part) for each in worse]
        raise BenchWorse("worse: " + "; ".join(places))


@app.command("bench-compare", epilog="Example: nbb-opt bench-compare new.json old.json")
def bench_compare(
    now: Annotated[Path, typer.Argument(help="Result file.", metavar="NOW")],
    before: Annotated[Path, typer.Argument(help="Earlier result file.", metavar="BEFORE")],
    part: Annotated[bool, typer.Option("--part", help="NOW holds only some of the cases, on purpose.")] = False,
) -> None:
    """Compare two result files: counters, objectives and memory gate (exit code 6), seconds never do."""
    from benchmarks.harness import results

    worse, lines = _compared(results.read_result(now), results.read_result(before), str(before), part=part)
    print("\n".join(lines))
    _end(worse)


@app.command("bench-merge", epilog="Example: nbb-opt bench-merge parts/*.json --json all.json")
def bench_merge(
    parts: Annotated[list[Path], typer.Argument(help="Result files of one suite.", metavar="FILE...")],
    out: Annotated[Path | None, typer.Option("--json", help="Write the merged result to this file.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the result in benchmarks/results, for good.")] = False,
) -> None:
    """Merge results that were measured apart, as by a job array; gaps are to the best known values of now."""
    from benchmarks.harness import results
    from benchmarks.harness.show import table_of

    record = results.merge([results.read_result(part) for part in parts])
    if out is not None:
        results.write_result(record, out)
    print(table_of(record))
    if keep:
        print(f"kept as {results.keep(record)}; rendered {results.write_page()}")


@app.command("bench-best", epilog="Example: nbb-opt bench-best result.json --runs work/runs")
def bench_best(
    result: Annotated[Path, typer.Argument(help="Result file.", metavar="FILE")],
    where: Annotated[str, typer.Option(help="What to note as the source [default: the file].")] = "",
    runs: Annotated[
        Path | None, typer.Option(help="Folder with the plans, verified again: `runs` in the folder of bench --work.")
    ] = None,
) -> None:
    """Take better verified objectives of a result into the best known values; refuses unverified and worse ones."""
    from benchmarks.harness import results
    from benchmarks.harness.best_known import update

    if runs is not None and not runs.is_dir():
        raise typer.BadParameter(f"--runs {runs}: is no folder")
    print("\n".join(update(results.read_result(result), where=where or result.name, runs=runs)))


@app.command("bench-page", epilog="Example: nbb-opt bench-page --check")
def bench_page(
    checking: Annotated[bool, typer.Option("--check", help="Only compare with the page there is.")] = False,
) -> None:
    """Render benchmarks/RESULTS.md from the kept results."""
    from benchmarks.harness import results
    from benchmarks.harness.registry import BenchError, suites_folder

    if not checking:
        print(f"wrote {results.write_page()}")
        return
    page = suites_folder() / results.PAGE
    if not page.exists() or page.read_text(encoding="utf-8") != results.render_page():
        raise BenchError(f"{page} is out of date; run: nbb-opt bench-page")
    print("up to date")
