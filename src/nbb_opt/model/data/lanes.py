"""Trucks on lanes: load, range, charging of every (lane, truck, period) (models/README.md section 4)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nbb_opt.errors import ModelError
from nbb_opt.model.data.base import BaseData
from nbb_opt.model.data.periods import Floats, Ints, sum_by
from nbb_opt.model.data.trucks import Trucks

if TYPE_CHECKING:
    from nbb_opt.network.compact import Items

LANES_AT_ONCE = 50_000  # their links are many
RANGE_SLACK_KM = 1e-9  # a range that fits on paper also fits in floating point


@dataclass(frozen=True, kw_only=True)
class Lanes:
    """Lanes (G), and what each truck (V) could do on them; `usable` (G, V, T) says which combinations exist.

    `reach_km` is the range a battery needs that is charged on the way, infinite where it cannot be charged.
    `share` (G, N) is the share of km by country, `toll_by_country` (G, N) the toll of the lane by country, EUR/vkm of
    the whole lane; `draw_*` say which share of a truck's energy is drawn in which area,
    for trucks charged at home (one area) and on the way, as rows (lane, area, share).
    """

    distance_km: Floats
    time_h: Floats
    cargo_type: Ints
    region: Ints
    arrival: Ints
    local: np.ndarray
    toll_eur_per_vkm: Floats
    toll_by_country: Floats
    open_h_per_week: Floats
    charge_eur_per_t: Floats
    share: Floats
    load_t: Floats
    omega: Floats
    kappa: Floats
    at_home: np.ndarray
    on_the_way: np.ndarray
    usable: np.ndarray
    stops: pd.DataFrame
    reach_km: Floats


def lanes_of(base: BaseData, items: Items, trucks: Trucks) -> Lanes:
    """Work out everything of section 4 that belongs to the lanes among `items`, some at a time."""
    cuts = [*range(0, items.n_lanes, LANES_AT_ONCE), items.n_lanes] if items.n_lanes else [0, 0]
    parts = [_some_lanes(base, items, trucks, low, up) for low, up in pairwise(cuts)]
    if len(parts) == 1:
        return parts[0]
    joined: dict[str, Any] = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(Lanes)
        if field.name != "stops"
    }
    stops = [part.stops.assign(lane=part.stops["lane"] + low) for part, low in zip(parts, cuts, strict=False)]
    return Lanes(**joined, stops=pd.concat(stops, ignore_index=True))


def _some_lanes(base: BaseData, items: Items, trucks: Trucks, low: int, up: int) -> Lanes:
    """Lanes `low` to `up`; in `stops` they are numbered from 0."""
    count, here = up - low, slice(items.link_start[low], items.link_start[up])
    size = np.diff(items.link_start[low : up + 1])
    g = np.repeat(np.arange(count), size)
    link = items.link[here].astype(np.int64)
    to_node = np.where(items.backwards[here], base.link_from[link], base.link_to[link])
    km = base.link_km[link]
    distance = sum_by(g, km, size=count)
    level_km = km * base.link_energy[link]  # km on the level that take as much energy
    level = sum_by(g, level_km, size=count)
    share = np.zeros((count, len(base.countries)))
    np.add.at(share, (g, base.link_country[link]), km)
    share /= distance[:, None]
    gross = np.full(count, np.inf)
    np.minimum.at(gross, g, base.link_gross_t[link])
    toll = sum_by(g, km * base.link_toll[link], size=count) / distance
    toll_by_country = np.zeros((count, len(base.countries)))
    np.add.at(toll_by_country, (g, base.link_country[link]), km * base.link_toll[link])
    toll_by_country /= distance[:, None]
    first, last = items.from_node[low:up].astype(np.int64), items.to_node[low:up].astype(np.int64)
    region, arrival = base.node_region[first], base.node_region[last]
    for lane in np.flatnonzero((region < 0) | (arrival < 0))[:1].tolist():
        ends = f"from {base.nodes[int(first[lane])]} to {base.nodes[int(last[lane])]}"
        raise ModelError(f"lane {low + lane} {ends}: both ends need a fleet_region in nodes.csv")
    local = region == arrival
    cargo_type = items.cargo_type[low:up].astype(np.int64)
    factor, empty = (
        trucks.load_factor[:, cargo_type].T,
        trucks.empty_share[:, cargo_type].T,
    )  # (G, V), NaN: carries none
    load = (np.minimum(trucks.gross_t[None, :], gross[:, None]) - trucks.kerb_t[None, :]) * factor
    omega = 1 + (share @ base.winter_share)[:, None] * (trucks.winter_factor[None, :] - 1)
    omega *= (level / distance)[:, None]
    kappa = np.where(local[:, None], empty / (1 - empty), 0.0)
    stops, reach = _stops(base, first, to_node, g, level_km, level)
    there_and_back = 2 * level[:, None] <= trucks.usable_km[None, :] + RANGE_SLACK_KM
    has_home = base.region_area[region] >= 0
    at_home = trucks.battery[None, :] & there_and_back & has_home[:, None]
    on_the_way = trucks.battery[None, :] & ~at_home & (reach[:, None] <= trucks.usable_km[None, :] + RANGE_SLACK_KM)
    drivable = (~trucks.battery[None, :] & there_and_back) | at_home | on_the_way
    drivable &= ~np.isnan(factor) & (load > 0)
    usable = drivable[:, :, None] & trucks.available[None, :, :]
    return Lanes(
        distance_km=distance, time_h=sum_by(g, base.link_h[link], size=count), cargo_type=cargo_type, region=region,
        arrival=arrival, local=local, toll_eur_per_vkm=toll, toll_by_country=toll_by_country,
        open_h_per_week=np.minimum(base.open_h_per_week[first], base.open_h_per_week[last]),
        charge_eur_per_t=sum_by(g, base.link_charge[link], size=count), share=share, load_t=load, omega=omega,
        kappa=kappa, at_home=at_home, on_the_way=on_the_way, usable=usable, stops=stops, reach_km=reach,
    )  # fmt: skip


def _stops(
    base: BaseData, first: Ints, to_node: Ints, g: Ints, km: Floats, distance: Floats
) -> tuple[pd.DataFrame, Floats]:
    """Charging on the way: rows (lane, area, share of the energy), and the longest of 2 s0, 2 s1 and the stretches.

    Lane i starts at first[i]; its links g == i end at `to_node`. `km` and `distance` are those on the level that take
    as much energy. A lane without a charging node has reach infinity: no truck can be charged on it.
    """
    start = np.flatnonzero(np.diff(g, prepend=-1) != 0)
    run = np.cumsum(km)
    end_km = run - np.repeat(run[start] - km[start], np.diff(np.append(start, len(g))))
    node = np.concatenate([first, to_node])
    lane, at = np.concatenate([g[start], g]), np.concatenate([np.zeros(len(start)), end_km])
    order = np.lexsort((np.concatenate([np.zeros(len(start)), np.arange(1, len(g) + 1)]), lane))
    lane, at, area = lane[order], at[order], base.node_area[node[order]]
    keep = area >= 0
    lane, at, area = lane[keep], at[keep], area[keep]
    new = np.diff(lane, prepend=-1) != 0
    final = np.diff(lane, append=-1) != 0
    before = np.where(new, 0.0, at - np.concatenate([[0.0], at[:-1]]))  # stretch to the stop before
    after = np.where(final, 0.0, np.concatenate([at[1:], [0.0]]) - at)
    ends = np.where(new, at, 0.0) + np.where(final, distance[lane] - at, 0.0)
    drawn = ends + before / 2 + after / 2
    reach = np.full(len(distance), np.inf)
    reach[lane[new]] = 0.0
    longest = np.maximum(before, np.maximum(np.where(new, 2 * at, 0), np.where(final, 2 * (distance[lane] - at), 0)))
    np.maximum.at(reach, lane, longest)
    stops = pd.DataFrame({"lane": lane, "area": area, "share": drawn / distance[lane]})
    return stops.groupby(["lane", "area"], sort=True)["share"].sum().reset_index(), reach
