"""How large a model will be, from the prepared counts, before anything of it exists."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nbb_opt.errors import ModelError
from nbb_opt.instance import Instance
from nbb_opt.instance.schema import HANDLINGS
from nbb_opt.milp.periods import Floats, Ints, Names, sum_by
from nbb_opt.milp.spec import ModelSpec

if TYPE_CHECKING:
    from nbb_opt.network import Prepared

# Measured on the shipped and synthetic instances, generously: libraries and tables, then per nonzero with its share of
# the figures behind it, of the form and of what HiGHS keeps before it starts.
BYTES_ALWAYS, BYTES_PER_NONZERO, BYTES_PER_COLUMN = 400e6, 350.0, 400.0
SECONDS_ALWAYS, SECONDS_PER_NONZERO = 0.3, 2e-6


@dataclass(frozen=True)
class Forecast:
    """Upper estimates of a model: counts, memory and time to state it and hand it over (not to solve it)."""

    rows: int
    columns: int
    nonzeros: int
    memory_mb: int
    seconds: float

    def line(self) -> str:
        """One line for people."""
        return (
            f"size: at most {self.columns} columns, {self.rows} rows, {self.nonzeros} nonzeros; "
            f"about {self.memory_mb} MB and {self.seconds:.1f} s to state"
        )


def forecast(instance: Instance, prepared: Prepared, spec: ModelSpec) -> Forecast:
    """Count columns, rows and nonzeros of `spec` from above.

    Flows and their rows are exact up to chains nobody may use; trucks on lanes are counted as if range forbade none.
    """
    years = np.array([period.year for period in instance.periods])
    periods = len(years)
    demand = prepared.demand_t > 0
    bundle = prepared.chains["bundle"].to_numpy(np.int64)
    active = demand[bundle].sum(axis=1)  # periods in which a chain may carry
    steps = prepared.steps
    per_chain = np.bincount(steps["chain"].to_numpy(np.int64), minlength=len(bundle))
    needs = np.array([len(cell.split(";")) if cell else 0 for cell in prepared.chains["projects"].tolist()], np.int64)
    if "projects" not in spec.blocks:
        active = np.where(needs > 0, 0, active)
        needs = np.zeros_like(needs)
    in_use = np.zeros(len(prepared.lanes), np.int64)
    on_lane = (steps["kind"] == "lane").to_numpy()
    lane, by = steps["lane"].to_numpy(np.int64)[on_lane], steps["chain"].to_numpy(np.int64)[on_lane]
    np.maximum.at(in_use, lane, active[by])
    links_of_lane = np.bincount(prepared.lane_links["lane"].to_numpy(np.int64), minlength=len(in_use))
    on_lanes = sum_by(by, links_of_lane[lane].astype(float), size=len(bundle))

    trucks, fitting = _trucks(instance, prepared, years, today=spec.technologies == "today")
    driven = int(fitting[in_use > 0].sum())
    regions = len(instance["fleet_regions"])
    pairs = regions * trucks
    doing = len(instance["vehicle_loads"])
    empties = regions * (regions - 1) * doing * periods if "rebalance" in spec.blocks else 0
    bought, kept = pairs * periods, pairs * periods * (periods - 1) // 2 + len(instance["fleet"]) * periods
    areas = len(instance["charge_areas"]) if "charging" in spec.blocks else 0
    installed = areas * len(instance["chargers"]) * periods
    levels = instance["vehicles"]["charge_kw"].dropna().nunique()
    projects = len(instance["projects"]) * periods if "projects" in spec.blocks else 0
    limited = int(instance["links"]["capacity_t_per_year"].notna().sum()) + len(instance["terminals"])

    columns = int(active.sum()) + driven + empties + bought + kept + installed + projects
    rules = (len(instance["policies"]) + len(instance["countries"])) * periods
    rows = int(demand.sum() + (needs * active).sum() + in_use.sum())
    rows += limited * periods + 3 * projects + regions * doing * periods + 2 * pairs * periods + kept
    rows += areas * periods * (2 + levels) + rules * 20
    stops = 2 + float(links_of_lane[in_use > 0].mean()) if in_use.any() else 2.0
    of_flow = float(((1 + per_chain + on_lanes + 2 * needs) * active).sum())
    of_trucks = driven * (5 + (stops if areas else 0)) + empties * 6
    of_stock = 2.0 * (bought + kept) * periods + installed * periods * (2 + levels) + projects * 8
    nonzeros = int(of_flow + of_trucks + of_stock) + rules * 200
    return Forecast(
        rows, columns, nonzeros,
        int((BYTES_ALWAYS + BYTES_PER_NONZERO * nonzeros + BYTES_PER_COLUMN * columns) / 1e6),
        round(SECONDS_ALWAYS + SECONDS_PER_NONZERO * nonzeros, 1),
    )  # fmt: skip


def _trucks(instance: Instance, prepared: Prepared, years: Ints, *, today: bool) -> tuple[int, Floats]:
    """How many kinds of truck there are, and for every lane how many (truck, period) may be had and carry its goods."""
    vehicles, loads = instance["vehicles"], instance["vehicle_loads"]
    road = vehicles[vehicles["mode"] == "road"]
    if today:
        owned = road["vehicle"].isin(instance["fleet"]["vehicle"])
        road = road[road["technology"].isin(set(road["technology"][owned]))]
    ready = (road["available_from"].to_numpy()[:, None] <= years[None, :]).sum(axis=1)
    names = Names(road["vehicle"])
    mine = loads[loads["vehicle"].isin(names.ids)]
    kinds = Names(HANDLINGS)
    per_handling = sum_by(
        kinds.of(mine["handling"]), ready[names.of(mine["vehicle"])].astype(float), size=len(HANDLINGS)
    )
    return len(road), per_handling[kinds.of(prepared.lanes["handling"])]


def memory_mb() -> int | None:
    """Memory of this machine; None where the system does not say."""
    try:
        return int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e6)
    except (AttributeError, ValueError, OSError):
        return None


def refuse_too_large(expected: Forecast, *, available_mb: int | None) -> None:
    """Raise ModelError with advice if the model will not fit; where the system does not say, nothing is refused."""
    if available_mb is not None and expected.memory_mb > available_mb:
        raise ModelError(
            f"the model will not fit: {expected.line()}, but this machine has {available_mb} MB. Ask for fewer "
            "alternatives in instance.toml ([chains] alternatives), fewer periods or fewer small flows, take a machine "
            "with more memory, or go on all the same with --too-large"
        )
