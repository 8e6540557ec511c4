"""Total cost of ownership: what a truck costs per km and per tonne, on a lane and in a plan."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nbb_opt.solve import Solution
from nbb_opt.studies.audit.fleet_model import FleetModel

IDLE_KM = 1.0  # a year: less is round-off of the solver
COMPONENTS = ("road_energy", "road_running", "drivers", "carbon")


def yearly_share(rate: float, years: float) -> float:
    """What one EUR costs a year when it is paid back with interest over its life (capital recovery factor).

    >>> round(yearly_share(0.06, 8), 6)
    0.161036
    """
    return rate / (1 - (1 + rate) ** -years) if rate > 0 else 1 / years


def lane_costs(fleet_model: FleetModel) -> pd.DataFrame:
    """One row per lane, truck and period that the truck may drive: what one loaded km takes and costs.

    Columns lane, from_node, to_node, cargo_type, fleet_region, vehicle, year, load_t, km_per_vkm (empty km of local
    lanes included), kwh_per_vkm, hours_per_vkm, cost in EUR per loaded vkm by component (road_energy, road_running,
    drivers, carbon, truck, chargers), tco_eur_per_vkm (per km driven, empty ones included), tco_eur_per_t,
    wtw_kg_per_vkm and the period's prices. `truck` is the yearly cost of owning one (fixed cost, purchase less grants
    paid back over its life) over what it can do in a year, whichever of its km and hours runs out first. `chargers` is
    the cheapest charger, per kWh at its utilisation; on the way the cheapest of the power of the truck. Sources:
    models/README.md section 4.
    """
    data = fleet_model.built.data
    d, trucks, base, lanes = data.driving, data.trucks, data.base, data.lanes
    g, v, t = d.lane, d.vehicle, d.t
    rate = fleet_model.instance.meta.discount_rate
    recovery = np.array([yearly_share(rate, float(life)) for life in trucks.lifetime])
    owning = truck_eur_per_year(fleet_model)[v, base.region_country[d.region], t]
    vkm_a_year = np.minimum(trucks.annual_km[v] / d.used_km_per_vkm, trucks.annual_h[v] / d.hours_per_vkm)
    kwh = np.bincount(d.ledger.col, d.ledger.kwh, minlength=len(g))
    wtw = np.bincount(d.ledger.col, d.ledger.ttw_kg + d.ledger.wtt_kg, minlength=len(g))
    table = pd.DataFrame({
        "lane": g, "from_node": fleet_model.prepared.lanes["from_node"].to_numpy()[g],
        "to_node": fleet_model.prepared.lanes["to_node"].to_numpy()[g],
        "cargo_type": fleet_model.prepared.lanes["cargo_type"].to_numpy()[g],
        "fleet_region": np.array(base.regions.ids)[d.region], "vehicle": np.array(trucks.names.ids)[v],
        "year": data.time.years[t], "distance_km": lanes.distance_km[g], "load_t": d.load_t, "km_per_vkm": d.km_per_vkm,
        "kwh_per_vkm": kwh, "hours_per_vkm": d.hours_per_vkm, **{name: d.cost_eur[name] for name in COMPONENTS},
        "truck": owning / vkm_a_year, "chargers": kwh * _charger_eur_per_kwh(fleet_model),
        "wtw_kg_per_vkm": wtw, "vkm_a_year": vkm_a_year,
        "used_km_per_vkm": d.used_km_per_vkm, "recovery": recovery[v],
    })  # fmt: skip
    total = table[[*COMPONENTS, "truck", "chargers"]].sum(axis=1)
    return table.assign(
        tco_eur_per_km=total / table["km_per_vkm"],
        tco_eur_per_t=total * table["distance_km"] / table["load_t"],
        tco_eur_per_vkm=total,
    )


def truck_eur_per_year(fleet_model: FleetModel) -> np.ndarray:
    """What owning one truck costs a year, by truck, country and period: fixed, and purchase less grants paid back."""
    trucks, rate = fleet_model.built.data.trucks, fleet_model.instance.meta.discount_rate
    recovery = np.array([yearly_share(rate, float(life)) for life in trucks.lifetime])
    price = trucks.capex_eur[:, None, :] - trucks.subsidies.grant_eur
    return trucks.fixed_eur_per_year[:, None, :] + price * recovery[:, None, None]


def charger_eur_per_year(fleet_model: FleetModel) -> np.ndarray:
    """What one charger of each kind costs a year: fixed, and purchase paid back over its life."""
    chargers, rate = fleet_model.built.data.chargers, fleet_model.instance.meta.discount_rate
    recovery = np.array([yearly_share(rate, float(life)) for life in chargers.lifetime])
    return chargers.fixed_eur_per_year + chargers.capex_eur * recovery


def _charger_eur_per_kwh(fleet_model: FleetModel) -> np.ndarray:
    """Cheapest charger by column of `driving`, EUR per kWh it sells; 0 for trucks without a battery.

    A truck that cannot drive there and back between two nights at its depot charges on the way, with its power; where
    no charger has it, at points of others, and the cheapest charger stands for them.
    """
    data = fleet_model.built.data
    d, trucks, chargers = data.driving, data.trucks, data.chargers
    each = charger_eur_per_year(fleet_model) / chargers.kwh_per_year
    any_kw = float(each.min()) if len(each) else 0.0
    enough = [each[chargers.kw >= kw] for kw in trucks.charge_kw]
    fast = np.array([float(prices.min()) if len(prices) else any_kw for prices in enough])
    at_depot = data.base.region_area[d.region] >= 0
    at_night = at_depot & (2 * data.lanes.distance_km[d.lane] <= trucks.usable_km[d.vehicle])
    return np.where(trucks.battery[d.vehicle], np.where(at_night, any_kw, fast[d.vehicle]), 0.0)


def ownership(fleet_model: FleetModel, solution: Solution, costs: pd.DataFrame) -> pd.DataFrame:
    """What each kind of truck of a plan does and costs, by depot and period.

    Columns fleet_region, vehicle, year, trucks, km_per_year, hours_per_year, tonnes_per_year, tco_eur_per_km,
    tco_eur_per_t, wtw_t_per_year, eur_per_year. Trucks that stand idle cost what they cost: km is what is driven, empty
    trips included.
    """
    data, start, x = fleet_model.built.data, fleet_model.built.start, solution.values
    d, e, trucks, base = data.driving, data.empties, data.trucks, data.base
    z = x[start["driven_vkm"] : start["driven_vkm"] + len(d.lane)]
    empty = x[start["empty_vkm"] : start["empty_vkm"] + len(e.origin)] if "empty_vkm" in start else np.zeros(0)
    running = sum(d.cost_eur[name] for name in COMPONENTS) + costs["chargers"].to_numpy()
    back = sum(e.cost_eur[name] for name in COMPONENTS)
    wtw = np.bincount(d.ledger.col, d.ledger.ttw_kg + d.ledger.wtt_kg, minlength=len(z))
    wtw_empty = np.bincount(e.ledger.col, e.ledger.ttw_kg + e.ledger.wtt_kg, minlength=len(empty))
    keys = ["region", "v", "t"]
    work = pd.concat([
        pd.DataFrame({
            "region": d.region, "v": d.vehicle, "t": d.t, "km": z * d.km_per_vkm, "hours": z * d.hours_per_vkm,
            "tonnes": z * d.load_t / data.lanes.distance_km[d.lane], "eur": z * running, "kg": z * wtw,
        }),
        pd.DataFrame({
            "region": e.origin, "v": e.vehicle, "t": e.t, "km": empty, "hours": empty * e.hours_per_vkm, "tonnes": 0.0,
            "eur": empty * back, "kg": empty * wtw_empty,
        }),
    ]).groupby(keys).sum()  # fmt: skip
    done_by = dict(zip(work.index.tolist(), work.to_dict("records"), strict=True))
    nothing = dict.fromkeys(work.columns, 0.0)
    owning, rows = truck_eur_per_year(fleet_model), []
    for (region, vehicle, t), columns in sorted(fleet_model.trucks.items()):
        number = round(float(x[columns].sum()))
        r, v = int(base.regions.of([region])[0]), int(trucks.names.of([vehicle])[0])
        if not number:
            continue
        done = done_by.get((r, v, t), nothing)
        eur, km, tonnes = done["eur"] + number * owning[v, int(base.region_country[r]), t], done["km"], done["tonnes"]
        rows.append((
            region, vehicle, int(data.time.years[t]), number, km, done["hours"], tonnes,
            eur / km if km > IDLE_KM else np.nan, eur / tonnes if km > IDLE_KM and tonnes > 0 else np.nan,
            done["kg"] / 1000, eur,
        ))  # fmt: skip
    names = [
        "fleet_region", "vehicle", "year", "trucks", "km_per_year", "hours_per_year", "tonnes_per_year",
        "tco_eur_per_km", "tco_eur_per_t", "wtw_t_per_year", "eur_per_year",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=names)
