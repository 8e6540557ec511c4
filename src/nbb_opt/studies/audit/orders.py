"""Who drives which order: the rows that a plan's orders become, and why a truck cannot drive one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nbb_opt.studies.audit.fleet_model import FleetModel, orders_by_bundle
from nbb_opt.studies.audit.form_edit import FormEdit
from nbb_opt.studies.audit.plan import FleetPlan


@dataclass(frozen=True, kw_only=True)
class Impossible:
    """An order a truck cannot drive, and why; `short_km` is how much its range is short, 0 if that is not why."""

    order: str
    vehicle: str
    t: int
    region: str
    share: float
    reason: str
    short_km: float


def first_lanes(fleet_model: FleetModel) -> dict[int, list[int]]:
    """Lanes that leave the origin, by bundle."""
    steps = fleet_model.prepared.steps
    first = steps[(steps["step"] == 0) & (steps["kind"] == "lane")]
    bundle = fleet_model.prepared.chains["bundle"].to_numpy(np.int64)[first["chain"].to_numpy(np.int64)]
    found: dict[int, list[int]] = {}
    for b, lane in sorted(set(zip(bundle.tolist(), first["lane"].tolist(), strict=True))):
        found.setdefault(b, []).append(lane)
    return found


def set_orders(fleet_model: FleetModel, edit: FormEdit, plan: FleetPlan, *, price: bool = False) -> dict[str, int]:
    """On each lane from the order's origin, the vehicle does at least its share of the order's work.

    Orders that the vehicle cannot drive are left free (`impossible_orders` names them). With `price` each row may be
    missed: gives the columns of the shares missed (0 to the share), by order, vehicle and period.
    """
    data, start = fleet_model.built.data, fleet_model.built.start
    d, flows, lanes = data.driving, data.flows, first_lanes(fleet_model)
    bundles, vehicles = orders_by_bundle(fleet_model), data.trucks.names
    column = {key: i for i, key in enumerate(zip(d.lane.tolist(), d.vehicle.tolist(), d.t.tolist(), strict=True))}
    carried, lane_of, times = data.flows.uses_lane
    missed: dict[str, int] = {}
    for row in orders_with_names(plan):
        b, v, t = bundles[row["name"]], int(vehicles.of([row["vehicle"]])[0]), row["t"]
        usable = [g for g in lanes.get(b, []) if (g, v, t) in column]
        if not usable:
            continue
        demand = float(fleet_model.prepared.demand_t[b, t])
        slack = None
        if price:
            slack = edit.column(f"missed[{row['name']},{row['vehicle']},{t}]", up=row["share"])
            missed[f"{row['name']} {row['vehicle']} {t}"] = slack
        for g in lanes[b]:
            mine = (lane_of == g) & (flows.bundle[carried] == b) & (flows.t[carried] == t)
            if not mine.any():
                continue
            km = float(data.lanes.distance_km[g])
            columns = (start["carried_t"] + carried[mine]).tolist()
            values = (-row["share"] * km * times[mine]).tolist()
            at = column.get((g, v, t))
            if at is not None:
                columns.append(start["driven_vkm"] + at)
                values.append(float(d.load_t[at]))
            if slack is not None:
                columns.append(slack)
                values.append(km * demand)
            edit.row(f"order[{row['name']},{row['vehicle']},{t},{g}]", columns, values, low=0.0)
    return missed


def orders_with_names(plan: FleetPlan) -> list[dict]:
    """Rows of the plan's orders with the name of the order."""
    orders = plan.orders
    names = orders["origin"] + ">" + orders["destination"] + ":" + orders["commodity"]
    return [dict(row) for row in orders.assign(name=names.astype("str")).to_dict("records")]


def impossible_orders(fleet_model: FleetModel, plan: FleetPlan) -> list[Impossible]:
    """Orders of the plan that no lane lets the vehicle drive, each with the reason nearest to being overcome."""
    data, lanes, bundles = fleet_model.built.data, first_lanes(fleet_model), orders_by_bundle(fleet_model)
    found = []
    for row in orders_with_names(plan):
        b, v, t = bundles[row["name"]], int(data.trucks.names.of([row["vehicle"]])[0]), row["t"]
        if fleet_model.prepared.demand_t[b, t] == 0:
            continue
        mine = lanes.get(b, [])
        if any(data.lanes.usable[g, v, t] for g in mine):
            continue
        reasons = sorted((_reason(fleet_model, g, v, t) for g in mine), key=lambda reason: reason[1])
        text, short = reasons[0] if reasons else ("no truck leaves the origin of this order", 0.0)
        region = data.base.regions[int(data.lanes.region[mine[0]])] if mine else ""
        found.append(Impossible(
            order=row["name"], vehicle=row["vehicle"], t=t, region=region, share=row["share"], reason=text,
            short_km=short,
        ))  # fmt: skip
    return found


def _reason(fleet_model: FleetModel, g: int, v: int, t: int) -> tuple[str, float]:
    """Why truck `v` cannot drive lane `g` in period `t`, and by how many km its range is short."""
    data = fleet_model.built.data
    trucks, lanes, name = data.trucks, data.lanes, data.trucks.names[v]
    if not trucks.available[v, t]:
        return f"{name} cannot be had in {int(data.time.years[t])}", np.inf
    cargo_type = data.base.cargo_types[int(lanes.cargo_type[g])]
    if np.isnan(lanes.load_t[g, v]):
        return f"{name} carries no {cargo_type} (vehicle_loads.csv)", np.inf
    if lanes.load_t[g, v] <= 0:
        return f"{name} is too heavy for the road: no load is left under its gross weight limit", np.inf
    usable, both_ways = float(trucks.usable_km[v]), 2 * float(lanes.distance_km[g])
    needs = [both_ways]
    if trucks.battery[v]:
        at_depot = data.base.region_area[lanes.region[g]] >= 0
        needs = ([both_ways] if at_depot else []) + (
            [float(lanes.reach_km[g])] if np.isfinite(lanes.reach_km[g]) else []
        )
    if not needs:
        return f"{name} finds no charger on the way and none at its depot", np.inf
    need = min(needs)
    return (
        f"range short by {need - usable:.0f} km: {usable:.0f} km can be counted on in winter, {need:.0f} km are needed "
        f"between charges",
        need - usable,
    )
