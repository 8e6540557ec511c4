"""Trucks owned and bought, by vintage: the data of `bought` and `kept`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nbb_opt.errors import ModelError
from nbb_opt.instance import Instance
from nbb_opt.model.data.base import BaseData
from nbb_opt.model.data.driving import Driving, Empties
from nbb_opt.model.data.periods import Floats, Ints, Time
from nbb_opt.model.data.trucks import Trucks


@dataclass(frozen=True, kw_only=True)
class Stock:
    """(region, truck) pairs, columns of `bought` (pair, period) and `kept` (pair, vintage, period), and owned trucks.

    `kept_vintage` is the year a kept truck was new, `kept_since` the period it was bought in, -1 if owned before the
    first, `kept_before` the column of `kept` one period earlier, -1 if there is none. A truck bought
    in a period is in service in it through `bought`; `kept` starts one period later.
    `owned_*` are the trucks of `fleet` that are still within their lifetime in the first period.
    """

    region: Ints
    vehicle: Ints
    bought_pair: Ints
    bought_t: Ints
    kept_pair: Ints
    kept_vintage: Ints
    kept_t: Ints
    kept_since: Ints
    kept_before: Ints
    kept_owned: Ints
    owned_pair: Ints
    owned_vintage: Ints
    owned_vehicles: Ints


def stock_of(
    instance: Instance, base: BaseData, time: Time, trucks: Trucks, driving: Driving, empties: Empties
) -> Stock:
    """List pairs and columns. Pairs without work exist for owned trucks only, so that those can be sold."""
    size = len(trucks.names)
    fleet = instance["fleet"]
    fleet = fleet[trucks.names.of(fleet["vehicle"]) >= 0]
    owned = base.regions.of(fleet["fleet_region"]) * size + trucks.names.of(fleet["vehicle"])
    for row in fleet[fleet["vintage_year"] >= time.years[0]].head(1).itertuples():
        raise ModelError(
            f"fleet.csv: {row.vehicle} of {row.vintage_year} in {row.fleet_region}: a truck owned today must be "
            f"older than the first period ({time.years[0]})"
        )
    based = (driving.region * size + driving.vehicle)[driving.km_per_vkm > 0]
    working = np.unique(np.concatenate([based, empties.origin * size + empties.vehicle]))
    code = np.unique(np.concatenate([working, owned]))
    region, vehicle = code // size, code % size
    works = np.isin(code, working)
    pair, t = np.nonzero(works[:, None] & trucks.available[vehicle])
    order = np.lexsort((fleet["vintage_year"].to_numpy(np.int64), owned))
    own_pair = np.searchsorted(code, owned[order])
    own_year = fleet["vintage_year"].to_numpy(np.int64)[order]
    count = fleet["vehicles"].to_numpy(np.int64)[order]
    young = (time.years[0] - own_year < trucks.lifetime[vehicle[own_pair]]) & (count > 0)
    own_pair, own_year, count = own_pair[young], own_year[young], count[young]
    life = trucks.lifetime[vehicle]
    kept: list[tuple[int, int, int, int, int, int]] = []  # pair, vintage year, t, since, column before, owned row
    for row, (p, year) in enumerate(zip(own_pair.tolist(), own_year.tolist(), strict=True)):
        for s in np.flatnonzero(time.years - year < life[p]).tolist():
            kept.append((p, year, s, -1, len(kept) - 1 if s else -1, row))
    for p, u in zip(pair.tolist(), t.tolist(), strict=True):
        year = int(time.years[u])
        for s in range(u + 1, time.size):
            if time.years[s] - year < life[p]:
                kept.append((p, year, s, u, len(kept) - 1 if s > u + 1 else -1, -1))
    table = np.array(kept, np.int64).reshape(-1, 6)
    return Stock(
        region=region, vehicle=vehicle, bought_pair=pair, bought_t=t, kept_pair=table[:, 0], kept_vintage=table[:, 1],
        kept_t=table[:, 2], kept_since=table[:, 3], kept_before=table[:, 4], kept_owned=table[:, 5],
        owned_pair=own_pair, owned_vintage=own_year, owned_vehicles=count,
    )  # fmt: skip


def resale_eur(trucks: Trucks, time: Time, *, vehicle: Ints, vintage_year: Ints, year: int | Ints) -> Floats:
    """What a truck of that vintage brings when sold in `year`; 0 once its lifetime is over."""
    new_in = np.searchsorted(time.years, np.maximum(vintage_year, time.years[0]))
    life, age = trucks.lifetime[vehicle], np.asarray(year) - vintage_year
    left = np.maximum(0.0, (life - age) / life)
    return trucks.resale_share[vehicle] * trucks.capex_eur[vehicle, new_in] * left
