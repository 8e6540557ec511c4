"""How many columns, rows and nonzeros each block will have, from who may drive and go where; no figure is made.

Sizes are arrays (columns, rows, nonzeros).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbb_opt.instance import Instance
from nbb_opt.milp.flows import ready_sets
from nbb_opt.milp.items import links_of_lanes, links_of_services
from nbb_opt.milp.lanes import RANGE_SLACK_KM, Lanes
from nbb_opt.milp.periods import Floats, Ints, Names, Time, entries
from nbb_opt.milp.trucks import Trucks
from nbb_opt.milp.world import World

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
    instance: Instance, prepared: Prepared, world: World, time: Time, lanes: Lanes, *, projects: bool
) -> FlowCounts:
    """Chains that may carry something, and the rows they stand in."""
    table, chains, items = instance["projects"], prepared.rows, prepared.items
    bundle = chains.bundle.astype(np.int64)
    earliest = dict(zip(table["project"].tolist(), table["earliest_year"].tolist(), strict=True))
    ready = ready_sets(instance, prepared, time, earliest if projects else None)[chains.project_set]
    exists: Bools = np.greater(prepared.demand_t[bundle], 0.0) & ready
    on_lane = np.flatnonzero(chains.item < items.n_lanes)
    by, on = chains.owner[on_lane], chains.item[on_lane]
    stuck: Bools = ~np.asarray(lanes.usable.any(axis=(1, 2)))
    exists[by[stuck[on]]] = False
    active = exists.sum(axis=1)
    in_use = np.zeros((items.n_lanes, time.size), bool)
    np.logical_or.at(in_use, on, exists[by])
    needs = np.array([len(one) for one in chains.project_sets], np.int64)[chains.project_set]
    served = np.zeros(prepared.demand_t.shape, bool)
    np.logical_or.at(served, bundle, exists)
    columns = float(active.sum())
    rows = float(served.sum() + in_use.sum() + (needs * active).sum())
    nonzeros = columns + 2.0 * (needs * active).sum() + _pairs(by, on, active)
    for chain, what in _limited(instance, prepared, world):
        rows += len(np.unique(what)) * time.size
        nonzeros += _pairs(chain, what, active)
    if projects:
        steps_of = sum(max(0, int((time.years >= year).sum())) for year in earliest.values())
        columns, rows, nonzeros = columns + steps_of, rows + steps_of, nonzeros + 4.0 * steps_of
    return FlowCounts(np.array([columns, rows, nonzeros]), exists.sum(axis=0), in_use)


def _pairs(chain: Ints, what: Ints, active: Ints) -> float:
    """Nonzeros of chains in rows by period: each (chain, what) once in every period in which the chain may carry."""
    if not len(chain):
        return 0.0
    distinct = np.unique(chain * (int(what.max()) + 1) + what) // (int(what.max()) + 1)
    return float(active[distinct].sum())


def _limited(instance: Instance, prepared: Prepared, world: World) -> list[tuple[Ints, Ints]]:
    """(chain, capacity group) of links with a limit, and (chain, terminal) of terminals with one."""
    items, rows = prepared.items, prepared.rows
    limited = np.isfinite(world.link_capacity_t[world.link_group])
    owner, link = links_of_services(prepared)
    on_lanes, lane_link = links_of_lanes(prepared, limited)
    owner, link = np.concatenate([on_lanes, owner[limited[link]]]), np.concatenate([lane_link, link[limited[link]]])
    group, start = world.link_group[link], np.searchsorted(owner, np.arange(len(items) + 1))
    entry, many = entries(start, rows.item)
    held = instance["terminals"].loc[instance["terminals"]["capacity_t_per_year"].notna(), "terminal"]
    terminal = np.append(Names(held).of(instance["transfers"]["terminal"]), -1)[items.transfer]
    moved = np.flatnonzero(terminal[rows.item] >= 0)
    by = rows.owner.astype(np.int64)
    return [(np.repeat(by, many), group[entry]), (by[moved], terminal[rows.item[moved]])]


def fleet_counts(
    instance: Instance, world: World, time: Time, trucks: Trucks, lanes: Lanes, used: Bools, distances: pd.DataFrame
) -> FleetCounts:
    """Trucks on the lanes `used` (G, V, T), their empty trips between the regions of `distances`, and their stock."""
    regions, vehicles = len(world.regions), len(trucks.names)
    g, v, t = np.nonzero(used)
    far = ~lanes.local[g]
    shape = (vehicles, len(world.handlings), time.size, regions)
    starts, ends = np.zeros(shape, bool), np.zeros(shape, bool)
    starts[v[far], lanes.handling[g[far]], t[far], lanes.region[g[far]]] = True
    ends[v[far], lanes.handling[g[far]], t[far], lanes.arrival[g[far]]] = True
    places = float((starts | ends).sum()) if len(distances) else 0.0
    ends &= ~trucks.battery[:, None, None, None] | (world.region_area >= 0)[None, None, None, :]
    km = np.full((regions, regions), np.inf)
    km[world.regions.of(distances["from_region"]), world.regions.of(distances["to_region"])] = distances["distance_km"]
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
    instance: Instance, world: World, time: Time, trucks: Trucks, lanes: Lanes, used: Bools, fleet: FleetCounts
) -> Floats:
    """Chargers and the rows of energy, power on the way and grid, in areas where a truck may draw."""
    stops = lanes.stops.groupby("lane").size().reindex(np.arange(len(lanes.local)), fill_value=0).to_numpy()
    home, way = used & lanes.at_home[:, :, None], used & lanes.on_the_way[:, :, None]
    drawn = [world.region_area[lanes.region[home.any(axis=(1, 2))]]]
    on_way = np.flatnonzero(way.any(axis=(1, 2)))
    drawn.append(lanes.stops.loc[lanes.stops["lane"].isin(on_way), "area"].to_numpy(np.int64))
    areas = len(np.unique(np.concatenate(drawn)))
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
    nonzeros = energy + counted + areas * serving * (2.0 + strong)
    return np.array([areas * new, areas * time.size * (2.0 + len(levels)), nonzeros])


def policy_size(
    instance: Instance, world: World, time: Time, flows: FlowCounts, fleet: FleetCounts, *, inertia: bool
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
        elif kind == "keep_mode_share_per_year" and inertia:
            later = np.flatnonzero(holds & (np.arange(time.size) > 0))
            nonzeros += float((flows.per_period[later] + flows.per_period[later - 1]).sum())
            rows += 2.0 * len(later) * len(instance["commodities"])
        else:
            rows += float(holds.sum())
    limited = ~np.isnan(world.driver_limit_h)
    nonzeros += float((limited.mean(axis=0) * fleet.per_period).sum()) if limited.size else 0.0
    return np.array([0.0, rows + float(limited.sum()), nonzeros])
