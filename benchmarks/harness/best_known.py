"""Best known objectives, apart from the instances: `benchmarks/best_known/<suite>.csv`."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import Any

from benchmarks.harness.plans import check_plan, run_name
from benchmarks.harness.registry import BenchError, suites_folder

STATES = ("proven", "feasible")
PROVEN = 1e-6  # relative distance of objective and bound that counts as none


@dataclass(frozen=True)
class BestKnown:
    """The best objective that anybody found for a case, smaller is better.

    `state` is "proven" (nothing better exists, up to `bound`) or "feasible"; `whose` is "ours" or "published"; `where`
    says in which work or run. `instance_digest` may be empty: then the name of the case alone says which data.
    """

    case: str
    objective: float
    bound: float | None
    state: str
    whose: str
    where: str
    instance_digest: str = ""

    def fits(self, instance_digest: str | None) -> bool:
        """False if the value is of other data than the digest given."""
        return not self.instance_digest or not instance_digest or self.instance_digest == instance_digest


COLUMNS = [field.name for field in fields(BestKnown)]


def gap_to(objective: float, best: float) -> float:
    """How far above the best known, relative to it; negative if better.

    >>> gap_to(110.0, 100.0)
    0.1
    """
    return (objective - best) / max(abs(best), 1e-12)


def best_known_path(suite: str) -> Path:
    """Where the values of a suite stand."""
    return suites_folder() / "best_known" / f"{suite}.csv"


def read_best_known(suite: str) -> dict[str, BestKnown]:
    """The values by case; empty if the suite has none. Raises BenchError for a file that cannot be read."""
    path = best_known_path(suite)
    if not path.exists():
        return {}
    found: dict[str, BestKnown] = {}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != COLUMNS:
            raise BenchError(f"{path}: the columns must be {', '.join(COLUMNS)}")
        for number, row in enumerate(reader, start=2):
            try:
                entry = _entry(row)
            except ValueError as fault:
                raise BenchError(f"{path} row {number}: {fault}") from None
            if entry.case in found:
                raise BenchError(f"{path} row {number}: {entry.case} stands there twice")
            found[entry.case] = entry
    return found


def update(record: Mapping[str, Any], *, where: str, runs: Path | None = None) -> list[str]:
    """Take what is better in a result into the file of its suite; a sentence for every one of our subjects.

    Only verified objectives of our own subjects on the same data are taken, and only if they are lower, or as low and
    newly proven. Nothing is written if one of them is below a proven bound: then one of the two is wrong. The word of
    the result is taken for it that a plan was verified, unless `runs` holds the plans: then each that would be taken
    is verified again from its tables (`plans.check_plan`), and `where` says so.
    """
    suite = record["suite"]
    known = read_best_known(suite)
    lines: list[str] = []
    for entry in record["cases"]:
        for name, row in entry["subjects"].items():
            if row["kind"] == "ours" and row.get("objective") is not None:
                line, better = _weighed(entry, name, row, known.get(entry["case"]), f"{name}, {where}")
                if better is not None and runs is not None:
                    line, better = _again(entry, better, line, runs)
                lines.append(line)
                if better is not None:
                    known[entry["case"]] = better
    if not lines:
        raise BenchError("the result holds no objective of ours")
    _write(best_known_path(suite), known)
    return lines


def _again(entry: Mapping[str, Any], better: BestKnown, line: str, runs: Path) -> tuple[str, BestKnown | None]:
    """What would be taken, if the plan behind it stands up to the verifier once more."""
    try:
        check_plan(
            runs / run_name(entry["case"], entry["seed"]),
            objective=better.objective,
            instance_digest=better.instance_digest,
        )
    except BenchError as fault:
        return f"{line.partition(' taken: ')[0]} refused: {fault}", None
    return f"{line}; verified again", replace(better, where=f"{better.where}, verified again")


def _weighed(
    entry: Mapping[str, Any], name: str, row: Mapping[str, Any], old: BestKnown | None, where: str
) -> tuple[str, BestKnown | None]:
    case, objective, bound = entry["case"], float(row["objective"]), row.get("bound")
    digest = row.get("instance_digest", entry.get("instance_digest")) or ""
    title = f"{case} {name}: {objective:,.6f}"
    if row.get("verified") is not True:
        return f"{title} refused: it is not verified", None
    if old is not None and not old.fits(digest):
        return f"{title} refused: the best known value is of other data (digest {old.instance_digest[:12]})", None
    scale = max(abs(objective), 1e-12)
    proven = bound is not None and abs(objective - bound) <= PROVEN * scale
    if old is not None and old.bound is not None and old.bound - objective > PROVEN * scale:
        raise BenchError(f"{title} is below the proven bound {old.bound:,.6f} of {old.where}: one of the two is wrong")
    found = BestKnown(case, objective, bound, "proven" if proven else "feasible", "ours", where, digest)
    if old is None:
        return f"{title} taken: the first", found
    if objective < old.objective - PROVEN * scale:
        return f"{title} taken: {old.objective:,.6f} before", found
    if proven and old.state != "proven" and abs(objective - old.objective) <= PROVEN * scale:
        return f"{title} taken: now proven", found
    return f"{title} refused: not better than {old.objective:,.6f}", None


def _write(path: Path, known: Mapping[str, BestKnown]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for entry in sorted(known.values(), key=lambda entry: entry.case):
            writer.writerow(["" if value is None else _cell(value) for value in astuple(entry)])


def _cell(value: Any) -> str:
    """Numbers in full; whole ones without a point."""
    if isinstance(value, float):
        return str(int(value)) if value == int(value) else repr(value)
    return str(value)


def _entry(row: dict[str, str]) -> BestKnown:
    if row["state"] not in STATES:
        raise ValueError(f"state {row['state']!r} is none of {', '.join(STATES)}")
    if not row["where"]:
        raise ValueError("where is empty: say who found it and in which work or run")
    return BestKnown(
        row["case"], float(row["objective"]), float(row["bound"]) if row["bound"] else None, row["state"],
        row["whose"], row["where"], row["instance_digest"],
    )  # fmt: skip
