"""Finished points on disk: one small file each, complete or not there, found again by a hash of what was asked."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nbb_opt.output import write_file

FOLDER = "points"
RECORD = "sweep.json"


@dataclass(frozen=True, kw_only=True)
class Point:
    """One solved point.

    `value` is the factor, or the cap in t CO2e over the horizon. Costs and bounds in EUR, emissions WTW in t CO2e over
    the horizon and per year by period; `eur_per_t` is the slope of the optimal cost in the cap (linear programs only).
    `verified`: the independent verifier accepted the plan; None for relaxed points, whose fractions are no plan.
    `built` are the projects of the plan. A point without a plan ("infeasible", "time_limit", "not_proven") has
    None for figures.
    """

    value: float
    status: str
    cost_eur: float | None = None
    bound_eur: float | None = None
    gap: float | None = None
    emissions_t: float | None = None
    eur_per_t: float | None = None
    verified: bool | None = None
    emissions_t_per_year: Mapping[str, float] = field(default_factory=dict)
    built: tuple[str, ...] = ()
    iterations: int = 0
    nodes: int = 0
    seconds: float = 0.0


class Store:
    """A folder of points. `asked` is everything that the answer depends on besides the value."""

    def __init__(self, folder: Path | None, asked: Mapping[str, Any]) -> None:
        self.folder, self.asked = folder, asked

    def _path(self, name: str) -> Path | None:
        if self.folder is None:
            return None
        text = json.dumps([self.asked, name], sort_keys=True)
        return self.folder / FOLDER / f"{hashlib.sha256(text.encode()).hexdigest()[:24]}.json"

    def find(self, name: str) -> Point | None:
        """The point of that name if it was finished; what cannot be read counts as not finished."""
        path = self._path(name)
        if path is None or not path.exists():
            return None
        try:
            record = json.loads(path.read_bytes())
            return Point(**{**record, "built": tuple(record["built"])})
        except (ValueError, TypeError, KeyError):
            return None

    def keep(self, name: str, point: Point) -> None:
        """Write a finished point; it appears complete or not at all."""
        path = self._path(name)
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with part.open("w", encoding="utf-8") as file:
            json.dump(asdict(point), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)


def csv_text(points: Sequence[Point]) -> str:
    """The points as a table: one row each, emissions per year in a column per period."""
    years = sorted({year for point in points for year in point.emissions_t_per_year})
    plain = [name for name in Point.__dataclass_fields__ if name not in ("emissions_t_per_year", "built")]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*plain, *(f"emissions_t_per_year_{year}" for year in years), "built"])
    for point in points:
        cells = ["" if getattr(point, name) is None else getattr(point, name) for name in plain]
        writer.writerow([*cells, *(point.emissions_t_per_year.get(year, "") for year in years), ";".join(point.built)])
    return out.getvalue()


def write_tables(folder: Path, record: Mapping[str, Any], points: Sequence[Point]) -> None:
    """Write sweep.csv, a row for each point, and the record as sweep.json."""
    write_file(folder / "sweep.csv", csv_text(points))
    write_file(folder / RECORD, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
