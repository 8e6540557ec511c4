"""The command that runs benchmarks. Registered by the command line."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from nbb_opt.cli_data import whole_number


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(epilog="Example: nbb-opt bench od --json od.json --rows 1e7")(bench)


def whole_numbers(text: str) -> tuple[int, ...]:
    """Sizes, joined by commas: 1e5,1e6."""
    return tuple(whole_number(part) for part in text.split(","))


def words(text: str) -> list[str]:
    """Names, joined by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


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
    seeds: Annotated[int, typer.Option(min=1, help="Run every case with so many seeds, from --seed on.")] = 1,
    threads: Annotated[int, typer.Option(min=1, max=256, help="Threads of every subject.")] = 2,
    rounds: Annotated[
        int | None, typer.Option(min=1, help="Times that all subjects run in turn [the suite's].")
    ] = None,
    only: Annotated[str, typer.Option(help="Only these subjects, joined by commas.")] = "",
    case: Annotated[str, typer.Option(help="Only these cases, joined by commas; * stands for anything.")] = "",
    work: Annotated[
        Path | None, typer.Option(help="Keep what the suite writes here [default: a folder removed after].")
    ] = None,
) -> None:
    """Run a benchmark: ours, the limit of the machine and other libraries on the same work, side by side."""
    from nbb_opt.bench import list_tasks, load_suite, run_suite
    from nbb_opt.bench.registry import BenchError
    from nbb_opt.bench.show import table_of

    found = load_suite(suite)
    options = found.options(
        seed=seed, threads=threads, rows=rows, sizes=whole_numbers(sizes) if sizes else None,
        time_limit_s=time_limit, gap=gap, data=data,
    )  # fmt: skip
    tasks = list_tasks(found, options, seeds=seeds, cases=words(case))
    with tempfile.TemporaryDirectory() as scratch:
        record = run_suite(
            found, work or Path(scratch), tasks, rounds=rounds, only=words(only),
            say=lambda line: print(line, file=sys.stderr),
        )  # fmt: skip
    if out is not None:
        out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(table_of(record))
    if record["faults"]:
        raise BenchError("\n".join(record["faults"]))
