"""Best known objectives, apart from the instances: `benchmarks/best_known/<suite>.csv`."""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields
from pathlib import Path

from nbb_opt.bench.registry import BenchError, suites_folder

STATES = ("proven", "feasible")


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


def _entry(row: dict[str, str]) -> BestKnown:
    if row["state"] not in STATES:
        raise ValueError(f"state {row['state']!r} is none of {', '.join(STATES)}")
    if not row["where"]:
        raise ValueError("where is empty: say who found it and in which work or run")
    return BestKnown(
        row["case"], float(row["objective"]), float(row["bound"]) if row["bound"] else None, row["state"],
        row["whose"], row["where"], row["instance_digest"],
    )  # fmt: skip
