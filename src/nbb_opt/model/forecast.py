"""How large a model will be, from who may drive and go where, before any figure of it exists.

Sizes are arrays (columns, rows, nonzeros).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbb_opt.errors import ModelError
from nbb_opt.instance import Instance
from nbb_opt.instance.schema import MODES
from nbb_opt.model.data.assets import earliest_years
from nbb_opt.model.data.base import BaseData, base_data
from nbb_opt.model.data.flows import needs_of, ready_sets
from nbb_opt.model.data.fuels import Fuels, fuels_of
from nbb_opt.model.data.items import links_of_lanes, links_of_services
from nbb_opt.model.data.lanes import RANGE_SLACK_KM, Lanes, lanes_of
from nbb_opt.model.data.periods import Floats, Ints, Names, Time, time_of
from nbb_opt.model.data.trucks import Trucks, trucks_of
from nbb_opt.model.spec import ModelSpec

if TYPE_CHECKING:
    from nbb_opt.network import Prepared


Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class FlowCounts:
    """Size of flow, projects, links and terminals; chains by period (T); lanes in use (G, T)."""

    size: Floats
    per_period: Ints
    in_use: Bools


@dataclass(frozen=True)
class FleetCounts:
    """Size of fleet and rebalance; driven and empty columns by period (T); empty trips with a battery, by period."""

    size: Floats
    per_period: Ints
    battery_empties: Ints


def flow_counts(
    instance: Instance, prepared: Prepared, base: BaseData, time: Time, lanes: Lanes, *, projects: str
) -> FlowCounts:
    """Chains that may carry something, and the rows they stand in."""
    from nbb_opt.model.data.count_uses import count_rows, may_carry, used_by

    table, chains, items = instance["projects"], prepared.rows, prepared.items
    earliest = earliest_years(instance, projects)
    ready = ready_sets(instance, prepared, time, earliest)
    usable = np.ones((len(items), time.size), bool)
    usable[: items.n_lanes] = np.asarray(lanes.usable.any(axis=(1, 2)))[:, None]
    wanted, exists = prepared.demand_t > 0, np.empty((len(chains), time.size), bool)
    may_carry(chains.item_start, chains.item, chains.bundle, chains.project_set, ready, wanted, usable, exists)
    used, served, none = np.zeros(usable.shape, bool), np.zeros(wanted.shape, bool), np.zeros((2, 0, time.size), bool)
    no_class, nothing = np.zeros(0, np.int64), np.zeros((0, time.size))
    used_by(exists, chains.item_start, chains.item, chains.bundle, no_class, nothing, nothing, used, served, none)
    chain, project = needs_of(prepared, np.arange(len(chains)))
    _, first, flow = np.unique(
        chains.bundle[chain].astype(np.int64) * len(table) + project, return_index=True, return_inverse=True
    )
    needed = np.zeros((len(first), time.size), bool)  # by flow and project
    np.logical_or.at(needed, flow, exists[chain])
    columns, in_use = float(exists.sum()), used[: items.n_lanes]
    rows = float(served.sum() + in_use.sum() + needed.sum())
    nonzeros = columns + float(exists[chain].sum() + needed.sum())
    lane = np.minimum(np.arange(len(items) + 1), items.n_lanes)
    for start, what in ((lane, np.arange(items.n_lanes)), *_limited(instance, prepared, base)):
        seen = np.zeros(int(what.max(initial=-1)) + 1, np.int64)
        nonzeros += float(count_rows(exists, chains.item_start, chains.item, start, what, seen))
        rows += float(np.count_nonzero(seen)) * time.size if start is not lane else 0.0
    steps_of = sum(int((time.years >= year).sum()) for year in earliest.values())
    columns, rows, nonzeros = columns + steps_of, rows + steps_of, nonzeros + 4.0 * steps_of
    return FlowCounts(np.array([columns, rows, nonzeros]), exists.sum(axis=0), in_use)


def _limited(instance: Instance, prepared: Prepared, base: BaseData) -> list[tuple[Ints, Ints]]:
    """By item (where each begins, and what): the capacity groups of links with a limit; terminals with one."""
    items, limited = prepared.items, np.isfinite(base.link_capacity_t[base.link_group])
    owner, link = links_of_services(prepared)
    on_lanes, lane_link = links_of_lanes(prepared, limited)
    owner, link = np.concatenate([on_lanes, owner[limited[link]]]), np.concatenate([lane_link, link[limited[link]]])
    held = instance["terminals"].loc[instance["terminals"]["capacity_t_per_year"].notna(), "terminal"]
    terminal = np.append(Names(held).of(instance["transfers"]["terminal"]), -1)[items.transfer]
    moved, every = np.flatnonzero(terminal >= 0), np.arange(len(items) + 1)
    return [
        (np.searchsorted(owner, every), base.link_group[link]),
        (np.searchsorted(moved, every), terminal[moved]),
    ]


def fleet_counts(
    instance: Instance, base: BaseData, time: Time, trucks: Trucks, lanes: Lanes, used: Bools, distances: pd.DataFrame
) -> FleetCounts:
    """Trucks on the lanes `used` (G, V, T), their empty trips between the regions of `distances`, and their stock."""
    regions, vehicles = len(base.regions), len(trucks.names)
    g, v, t = np.nonzero(used)
    far = ~lanes.local[g]
    shape = (vehicles, len(base.cargo_types), time.size, regions)
    starts, ends = np.zeros(shape, bool), np.zeros(shape, bool)
    starts[v[far], lanes.cargo_type[g[far]], t[far], lanes.region[g[far]]] = True
    ends[v[far], lanes.cargo_type[g[far]], t[far], lanes.arrival[g[far]]] = True
    places = float((starts | ends).sum()) if len(distances) else 0.0
    ends &= ~trucks.battery[:, None, None, None] | (base.region_area >= 0)[None, None, None, :]
    km = np.full((regions, regions), np.inf)
    km[base.regions.of(distances["from_region"]), base.regions.of(distances["to_region"])] = distances["distance_km"]
    np.fill_diagonal(km, np.inf)
    finite = np.where(np.isinf(km), np.nan, km)
    within = finite[None] <= trucks.usable_km[:, None, None] + RANGE_SLACK_KM  # (V, R, R)
    trips = np.einsum("vhta,vhtb,vab->vt", ends.astype(float), starts.astype(float), within.astype(float))
    empty = trips.sum(axis=0).astype(np.int64)
    driven = used.sum(axis=(0, 1)).astype(np.int64)

    works = np.zeros((regions, vehicles), bool)
    works[lanes.region[g], v] = True
    bought = kept = 0
    for _region, truck in np.argwhere(works).tolist():
        for year in time.years[trucks.available[truck]].tolist():
            bought += 1
            kept += int(((time.years > year) & (time.years - year < trucks.lifetime[truck])).sum())
    fleet = instance["fleet"]
    owned = trucks.names.of(fleet["vehicle"])
    for truck, year in zip(owned.tolist(), fleet["vintage_year"].astype(int).tolist(), strict=True):
        kept += int((time.years - year < trucks.lifetime[truck]).sum()) if truck >= 0 else 0
    busy = float(works.sum() * time.size)
    work = float(driven.sum() + empty.sum())
    columns = work + bought + kept
    rows = 2.0 * busy + kept + places
    nonzeros = driven.sum() + 2.0 * work + 2.0 * (bought + kept) + 2.0 * kept
    if len(distances):
        nonzeros += 2.0 * (far.sum() + empty.sum())
    battery = trips[trucks.battery].sum(axis=0).astype(np.int64)
    return FleetCounts(np.array([columns, rows, nonzeros]), driven + empty, battery)


def charging_size(
    instance: Instance, base: BaseData, time: Time, trucks: Trucks, lanes: Lanes, used: Bools, fleet: FleetCounts
) -> Floats:
    """Chargers, energy on sale, and the rows of energy, power on the way and grid, where a truck may draw."""
    stops = lanes.stops.groupby("lane").size().reindex(np.arange(len(lanes.local)), fill_value=0).to_numpy()
    home, way = used & lanes.at_home[:, :, None], used & lanes.on_the_way[:, :, None]
    drawn = [base.region_area[lanes.region[home.any(axis=(1, 2))]]]
    on_way = np.flatnonzero(way.any(axis=(1, 2)))
    drawn.append(lanes.stops.loc[lanes.stops["lane"].isin(on_way), "area"].to_numpy(np.int64))
    where = np.unique(np.concatenate(drawn))
    areas, sold = len(where), float((base.public.kwh_per_year[where] > 0).sum())
    table = instance["chargers"]
    new = serving = 0
    for ready, life in zip(table["available_from"].tolist(), table["lifetime_years"].tolist(), strict=True):
        for year in time.years[time.years >= ready].tolist():
            new += 1
            serving += int(((time.years >= year) & (time.years - year < life)).sum())
    per_truck = (way * stops[:, None, None]).sum(axis=(0, 2)).astype(float)  # (V)
    levels = np.unique(trucks.charge_kw[trucks.battery & (per_truck > 0)])
    counted = sum(float(per_truck[trucks.charge_kw >= level].sum()) for level in levels.tolist())
    strong = sum(float((table["kw"] >= level).mean()) for level in levels.tolist()) if len(table) else 0.0
    energy = float(home.sum() + per_truck.sum() + fleet.battery_empties.sum())
    nonzeros = energy + counted + areas * serving * (2.0 + strong) + sold * 2.0
    return np.array([areas * new + sold, areas * time.size * (2.0 + len(levels)), nonzeros])


def fuel_size(prepared: Prepared, fuels: Fuels, trucks: Trucks, lanes: Lanes, used: Bools, flows: FlowCounts) -> Floats:
    """Fuels that replace others: every truck on a lane and chain whose energy they may replace stands in a row of it.

    A truck counts once for each country of its lane, a chain by its main mode and once.
    """
    columns, nonzeros = float(len(fuels.t)), 2.0 * len(fuels.t)
    countries, main_mode = (lanes.share > 0).sum(axis=1), prepared.rows.main_mode
    for mode, carrier in zip(fuels.mode.tolist(), fuels.replaces.tolist(), strict=True):
        if MODES[mode] == "road":
            nonzeros += float((used[:, trucks.carrier == carrier] * countries[:, None, None]).sum())
        else:
            nonzeros += float((main_mode == mode).mean() * flows.per_period.sum()) if len(main_mode) else 0.0
    limited = np.isfinite(fuels.kwh_per_year[fuels.fuel])
    rows = columns + len(np.unique(fuels.together())) - 1 + len(np.unique((fuels.fuel * 1000 + fuels.t)[limited]))
    return np.array([columns, max(rows, columns), nonzeros])


def policy_size(
    instance: Instance, base: BaseData, time: Time, flows: FlowCounts, fleet: FleetCounts, *, mode_shift: bool
) -> Floats:
    """Rules, counted as if every column of a period took part in those that look at all of them."""
    rows = nonzeros = 0.0
    for kind, year in zip(instance["policies"]["kind"].tolist(), instance["policies"]["year"].tolist(), strict=True):
        holds = np.ones(time.size, bool)
        if not np.isnan(year):
            holds = (time.years <= year) & (year < time.years + time.lengths)
        if kind == "cap_emissions_t_per_year":
            nonzeros += float((flows.per_period + fleet.per_period)[holds].sum())
            rows += float(holds.sum())
        elif kind == "cap_technology_share":
            nonzeros += float(fleet.per_period[holds].sum())
            rows += float(holds.sum())
        elif kind == "limit_mode_shift_share_per_year" and mode_shift:
            later = np.flatnonzero(holds & (np.arange(time.size) > 0))
            nonzeros += float((flows.per_period[later] + flows.per_period[later - 1]).sum())
            rows += 2.0 * len(later) * len(instance["commodities"])
        else:
            rows += float(holds.sum())
    limited = ~np.isnan(base.driver_limit_h)
    nonzeros += float((limited.mean(axis=0) * fleet.per_period).sum()) if limited.size else 0.0
    return np.array([0.0, rows + float(limited.sum()), nonzeros])


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

    time, base = time_of(instance), base_data(instance)
    trucks = trucks_of(instance, base, time, technologies=spec.technologies)
    lanes = lanes_of(base, prepared.items, trucks)
    flows = flow_counts(instance, prepared, base, time, lanes, projects=spec.projects)
    used = lanes.usable & flows.in_use[:, None, :]
    distances = road_distances(instance)
    if "rebalance" not in spec.blocks:
        distances = distances.iloc[:0]
    fleet = fleet_counts(instance, base, time, trucks, lanes, used, distances)
    counts = flows.size + fleet.size
    if "charging" in spec.blocks:
        counts += charging_size(instance, base, time, trucks, lanes, used, fleet)
    if "fuels" in spec.blocks:
        counts += fuel_size(prepared, fuels_of(instance, base, time, allowed=True), trucks, lanes, used, flows)
    if {"caps", "policy", "mode_shift"} & set(spec.blocks):
        counts += policy_size(instance, base, time, flows, fleet, mode_shift="mode_shift" in spec.blocks)
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


def refuse_too_large(expected: Forecast, *, available_mb: int | None, segments: bool = False) -> None:
    """Raise ModelError with advice if the model will not fit; where the system does not say, nothing is refused.

    `segments`: it is solved by column generation, which never holds a column per chain.
    """
    needed_mb, way = expected.memory_mb, ""
    if segments:
        needed_mb = int((BYTES_ALWAYS_IN_PIECES + BYTES_PER_COLUMN_IN_PIECES * expected.columns) / 1e6)
        way = f"; column generation needs about {needed_mb} MB"
    if available_mb is not None and needed_mb > available_mb:
        way_out = "Ask" if segments else "Take method='decompose', ask"
        raise ModelError(
            f"the model will not fit: {expected.line()}{way}, but this machine has {available_mb} MB. "
            f"{way_out} for fewer "
            "alternatives in instance.toml ([chains] alternatives), fewer periods or fewer small flows, take a machine "
            "with more memory, or solve all the same with too_large=True"
        )
