"""What a plan uses of every limit: links, terminals, chargers, grid connections."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nbb_opt.model.arrays.capacity import columns_of_built
from nbb_opt.model.arrays.share import added_by_projects
from nbb_opt.model.build import Built
from nbb_opt.model.data.lanes import LANES_AT_ONCE
from nbb_opt.model.data.periods import Floats, Ints, Names, sum_by


def use_rows(built: Built, x: Floats) -> pd.DataFrame:
    """Rows of the table `use`; limit is infinite where there is none, and includes what projects and chargers add."""
    data, start = built.data, built.start
    world, size = data.world, data.time.size
    terminal = data.instance["terminals"]
    capacity = terminal["capacity_t_per_year"].fillna(np.inf).to_numpy(float)
    frames = [
        _tonnes(built, x, data.flows.uses_group, world.links, world.link_capacity_t, "link", "links"),
        _tonnes(built, x, data.flows.uses_terminal, Names(terminal["terminal"]), capacity, "terminal", "terminals"),
    ]
    if "installed" in start:
        c = data.chargers
        kwh = built.terms("energy_kwh").amounts(x).reshape(-1, size)
        age = data.time.years[None, :] - data.time.years[c.t][:, None]
        new, t = np.nonzero((age >= 0) & (age < c.lifetime[c.kind][:, None]))
        serving, kind = x[start["installed"] + new], c.kind[new]
        sold, power = np.zeros(kwh.shape), np.zeros(kwh.shape)
        np.add.at(sold, (c.area[new], t), serving * c.kwh_per_year[kind])
        np.add.at(power, (c.area[new], t), serving * c.kw[kind])
        grid = _with_projects(built, x, 1000.0 * world.area_grid_mw, "charge_areas", 1000.0)
        bought = _bought_from_others(built, x)
        frames.append(_frame(built, "charge_area", world.areas, kwh, sold + bought, "kWh"))
        frames.append(_frame(built, "grid", world.areas, power, grid, "kW"))
        frames.append(_frame(built, "public_charging", world.areas, bought, world.public.kwh_per_year, "kWh"))
    return pd.concat(frames, ignore_index=True)


def _bought_from_others(built: Built, x: Floats) -> Floats:
    """kWh bought at others' points, by area and period."""
    sold, here = built.data.world.public.kwh_per_year, built.data.chargers.areas
    kwh, offered = np.zeros(sold.shape), np.zeros(sold.shape, bool)
    offered[here] = sold[here] > 0
    first = built.start.get("public_kwh", 0)
    kwh[offered] = x[first : first + np.count_nonzero(offered)]
    return kwh


def _tonnes(
    built: Built, x: Floats, uses: tuple[Ints, Ints, Floats], names: Names, capacity_t: Floats, kind: str, table: str
) -> pd.DataFrame:
    column, what, times = uses
    used = np.zeros((len(names), built.data.time.size))
    np.add.at(used, (what, built.data.flows.t[column]), times * x[built.start["carried_t"] + column])
    if kind == "link":
        used += _on_free_roads(built, x)
    return _frame(built, kind, names, used, _with_projects(built, x, capacity_t, table, 1.0), "t")


def _on_free_roads(built: Built, x: Floats) -> Floats:
    """Tonnes (capacity groups, periods) that lanes bring to road links without a limit."""
    data, size = built.data, built.data.time.size
    column, lane, times = data.flows.uses_lane
    on_lane = np.zeros((data.prepared.items.n_lanes, size))
    np.add.at(on_lane, (lane, data.flows.t[column]), times * x[built.start["carried_t"] + column])
    items, used = data.prepared.items, np.zeros((len(data.world.links), size))
    for low in range(0, len(on_lane), LANES_AT_ONCE):
        some = on_lane[low : low + LANES_AT_ONCE]
        start = items.link_start[low : low + len(some) + 1]
        group = data.world.link_group[items.link[start[0] : start[-1]]]
        by = np.repeat(np.arange(len(some)), np.diff(start))
        for t in range(size):
            used[:, t] += sum_by(group, some[by, t], size=len(used))
    used[np.isfinite(data.world.link_capacity_t)] = 0.0
    return used


def _with_projects(built: Built, x: Floats, limit: Floats, table: str, per_unit: float) -> Floats:
    total = np.repeat(limit[:, None], built.data.time.size, axis=1)
    columns = columns_of_built(built, built.data)
    for row, t, column, amount in added_by_projects(built.data, columns, table):
        total[row, t] += per_unit * amount * x[column]
    return total


def _frame(built: Built, kind: str, names: Names, used: Floats, limit: Floats, unit: str) -> pd.DataFrame:
    row, t = np.nonzero(used > 0)
    return pd.DataFrame({
        "kind": kind, "row": np.array(names.ids, object)[row], "year": built.data.time.years[t],
        "used": used[row, t], "limit": limit[row, t], "unit": unit,
    })  # fmt: skip
