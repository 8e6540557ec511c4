"""Results: files, kept ones (append-only, `benchmarks/results/`), merging parts, and the page rendered from them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from benchmarks.harness.best_known import read_best_known
from benchmarks.harness.registry import BenchError, load_suite, suites_folder
from benchmarks.harness.runner import FORMAT
from benchmarks.harness.show import markdown_of
from benchmarks.harness.side_by_side import relate

LATEST = "latest"
PAGE = "RESULTS.md"
MADE_BY = "nbb-opt bench-page"


def write_result(record: Mapping[str, Any], path: Path) -> None:
    """Write a result file."""
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def read_result(path: Path) -> dict[str, Any]:
    """Read a result file. Raises BenchError if it is none, or of another format."""
    try:
        record = json.loads(path.read_bytes())
        form = record["format"]
    except OSError as fault:
        raise BenchError(f"{path}: cannot be read ({fault.strerror})") from None
    except (ValueError, KeyError, TypeError):
        raise BenchError(f"{path}: is no result of nbb-opt bench") from None
    if form != FORMAT:
        raise BenchError(f"{path}: has format {form!r}; this version reads {FORMAT!r}: measure again")
    return dict(record)


def results_folder() -> Path:
    """Where kept results lie."""
    return suites_folder() / "results"


def kept(suite: str) -> list[Path]:
    """Kept results of a suite, oldest first: `<suite>-<number>.json`."""
    found = [path for path in results_folder().glob(f"{suite}-*.json") if path.stem[len(suite) + 1 :].isdigit()]
    return sorted(found, key=lambda path: int(path.stem[len(suite) + 1 :]))


def keep(record: Mapping[str, Any]) -> Path:
    """Keep a result under the next number; an earlier one is never replaced. Raises BenchError if it has faults."""
    if record["faults"]:
        raise BenchError("a result with faults is not kept")
    suite = record["suite"]
    earlier = kept(suite)
    number = int(earlier[-1].stem[len(suite) + 1 :]) + 1 if earlier else 1
    path = results_folder() / f"{suite}-{number:03d}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.write(json.dumps(record, indent=1) + "\n")
    return path


def find_result(named: str, suite: str) -> Path:
    """A result file, or the last kept one if `named` is "latest"."""
    if named != LATEST:
        return Path(named)
    found = kept(suite)
    if not found:
        raise BenchError(f"no result of {suite} is kept in {results_folder()} yet; keep one with --keep")
    return found[-1]


def merge(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One result of parts that were measured apart, as by a job array; order does not matter.

    Objectives are related to the best known ones of now, so that all parts are to the same.
    Raises BenchError if the parts do not belong together (suite, protocol, options, versions) or overlap. Parts from
    several machines are merged; `machine` then lists what differed.
    """
    if not records:
        raise BenchError("nothing to merge: give at least one result file")
    first = records[0]
    for name in ("format", "suite", "protocol", "options", "rounds", "repeats", "versions"):
        odd = [record for record in records if record[name] != first[name]]
        if odd:
            raise BenchError(
                f"the parts do not belong together: {name} is {first[name]} in one, {odd[0][name]} in another"
            )
    cases = deepcopy([entry for record in records for entry in record["cases"]])
    keys = [(entry["case"], entry["seed"]) for entry in cases]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise BenchError("measured twice: " + ", ".join(f"{case} seed {seed}" for case, seed in twice))
    machine = {
        name: " | ".join(sorted({str(record["machine"].get(name)) for record in records}))
        if len({str(record["machine"].get(name)) for record in records}) > 1
        else first["machine"].get(name)
        for name in first["machine"]
    }
    known = read_best_known(first["suite"])
    for entry in cases:
        for row in entry["subjects"].values():
            relate(row, known.get(entry["case"]), row.get("instance_digest", entry.get("instance_digest")))
    return {
        **first, "machine": machine, "absent": sorted({name for record in records for name in record["absent"]}),
        "faults": [fault for record in records for fault in record["faults"]],
        "cases": [entry for _key, entry in sorted(zip(keys, cases, strict=True), key=lambda pair: pair[0])],
    }  # fmt: skip


def render_page() -> str:
    """All kept results as Markdown, the last of each suite first; footnotes where the protocol changed."""
    suites = sorted({path.stem.rpartition("-")[0] for path in results_folder().glob("*-*.json")})
    lines = [
        "# Results",
        "",
        f"Rendered by `{MADE_BY}` from `results/`. Seconds depend on the machine; compare ratios.",
    ]
    notes: list[str] = []
    for suite in suites:
        about = load_suite(suite)
        lines += ["", f"## {suite}", "", about.about.splitlines()[0]]
        newest: int | None = None
        for path in reversed(kept(suite)):
            record = read_result(path)
            mark = ""
            if newest is not None and record["protocol"] != newest:
                why = about.protocols.get(newest, "the protocol changed")
                notes.append(f"[^{len(notes) + 1}]: {suite} protocol {newest}: {why}; not comparable with later ones.")
                mark = f"[^{len(notes)}]"
            newest = record["protocol"]
            lines += ["", f"### {path.stem}{mark}", "", *markdown_of(record)]
    return "\n".join([*lines, *([""] if notes else []), *notes]) + "\n"


def write_page() -> Path:
    """Render the page beside the suites."""
    path = suites_folder() / PAGE
    path.write_text(render_page(), encoding="utf-8")
    return path
