"""How large a model will be, from the prepared counts, before anything of it exists."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbb_opt.errors import ModelError
from nbb_opt.instance import Instance
from nbb_opt.model.data.counts import charging_size, fleet_counts, flow_counts, policy_size
from nbb_opt.model.data.lanes import lanes_of
from nbb_opt.model.data.periods import time_of
from nbb_opt.model.data.trucks import trucks_of
from nbb_opt.model.data.world import world_of
from nbb_opt.model.spec import ModelSpec

if TYPE_CHECKING:
    from nbb_opt.network import Prepared

# Peak measured against forecast when a model is stated and handed over: nbb 293 of 349 MB, 10,000 invented flows 451 of
# 566 MB: libraries and tables, then per nonzero with its share of the figures behind it, of the form and of HiGHS.
BYTES_ALWAYS, BYTES_PER_NONZERO, BYTES_PER_COLUMN = 260e6, 250.0, 300.0
# Column generation states no chain: 100,000 invented flows (2.8 million columns if it did) take 790 to 880 MB with
# search and verifier, 1,000,000 (49 million) 3,560 to 3,700 MB. Ledger and report of a plan come later and take more:
# 2,020 MB at 100,000 flows.
BYTES_ALWAYS_IN_PIECES, BYTES_PER_COLUMN_IN_PIECES = 750e6, 65.0
SECONDS_ALWAYS, SECONDS_PER_NONZERO = 0.3, 2e-6


@dataclass(frozen=True)
class Forecast:
    """Estimates of a model: counts within a fifth, memory and time to state it and hand it over (not to solve it)."""

    rows: int
    columns: int
    nonzeros: int
    memory_mb: int
    seconds: float

    def line(self) -> str:
        """One line for people."""
        return (
            f"size: about {self.columns} columns, {self.rows} rows, {self.nonzeros} nonzeros; "
            f"about {self.memory_mb} MB and {self.seconds:.1f} s to state"
        )


def forecast(instance: Instance, prepared: Prepared, spec: ModelSpec) -> Forecast:
    """Count columns, rows and nonzeros of `spec`: what of them grows with the instance exactly, rules about.

    Uses who may drive which lane, but no figure of any chain: nothing is made that is as large as the model.
    """
    from nbb_opt.network import road_distances

    time, world = time_of(instance), world_of(instance)
    trucks = trucks_of(instance, world, time, technologies=spec.technologies)
    lanes = lanes_of(world, prepared.items, trucks)
    flows = flow_counts(instance, prepared, world, time, lanes, projects="projects" in spec.blocks)
    used = lanes.usable & flows.in_use[:, None, :]
    distances = road_distances(instance)
    if "rebalance" not in spec.blocks:
        distances = distances.iloc[:0]
    fleet = fleet_counts(instance, world, time, trucks, lanes, used, distances)
    counts = flows.size + fleet.size
    if "charging" in spec.blocks:
        counts += charging_size(instance, world, time, trucks, lanes, used, fleet)
    if {"policy", "mode_shift"} & set(spec.blocks):
        counts += policy_size(instance, world, time, flows, fleet, mode_shift="mode_shift" in spec.blocks)
    columns, rows, nonzeros = (round(float(part)) for part in counts)
    return Forecast(
        rows, columns, nonzeros,
        int((BYTES_ALWAYS + BYTES_PER_NONZERO * nonzeros + BYTES_PER_COLUMN * columns) / 1e6),
        round(SECONDS_ALWAYS + SECONDS_PER_NONZERO * nonzeros, 1),
    )  # fmt: skip


def memory_mb() -> int | None:
    """Memory of this machine; None where the system does not say."""
    try:
        return int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e6)
    except (AttributeError, ValueError, OSError):
        return None


def refuse_too_large(expected: Forecast, *, available_mb: int | None, pieces: bool = False) -> None:
    """Raise ModelError with advice if the model will not fit; where the system does not say, nothing is refused.

    `pieces`: it is solved by column generation, which never holds a column per chain.
    """
    needed_mb, way = expected.memory_mb, ""
    if pieces:
        needed_mb = int((BYTES_ALWAYS_IN_PIECES + BYTES_PER_COLUMN_IN_PIECES * expected.columns) / 1e6)
        way = f"; column generation needs about {needed_mb} MB"
    if available_mb is not None and needed_mb > available_mb:
        raise ModelError(
            f"the model will not fit: {expected.line()}{way}, but this machine has {available_mb} MB. "
            f"{'Ask' if pieces else 'Take --method decompose, ask'} for fewer "
            "alternatives in instance.toml ([chains] alternatives), fewer periods or fewer small flows, take a machine "
            "with more memory, or solve all the same with --ignore-memory-forecast"
        )
