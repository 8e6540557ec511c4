"""Who drives which order: the rows that a plan's orders become, and why a truck cannot drive one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nbb_opt.studies.audit.fleet_model import FleetModel, orders_by_bundle
from nbb_opt.studies.audit.form_edit import FormEdit
from nbb_opt.studies.audit.plan import FleetPlan
from nbb_opt.studies.audit.said import Said, said


@dataclass(frozen=True, kw_only=True)
class Impossible:
    """An order a truck cannot drive, and why; `short_km` is how much its range is short, 0 if that is not why."""

    order: str
    vehicle: str
    t: int
    region: str
    share: float
    reason: Said
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


@dataclass(frozen=True, kw_only=True)
class OrderLane:
    """A lane on which an order leaves its origin: the columns of its tonnes, and of what the vehicle drives there.

    `tkm` is the work of a tonne of each carried column, `load_t` the work of a km of the column `driven` (None where
    the vehicle may not drive).
    """

    lane: int
    carried: list[int]
    tkm: np.ndarray
    driven: int | None
    load_t: float


def order_lanes(fleet_model: FleetModel, plan: FleetPlan) -> Iterator[tuple[dict, list[OrderLane]]]:
    """Each order of the plan that its vehicle can drive, with its lanes; `impossible_orders` names the others."""
    data, start = fleet_model.built.data, fleet_model.built.start
    d, flows, lanes = data.driving, data.flows, first_lanes(fleet_model)
    bundles, vehicles = orders_by_bundle(fleet_model), data.trucks.names
    column = {key: i for i, key in enumerate(zip(d.lane.tolist(), d.vehicle.tolist(), d.t.tolist(), strict=True))}
    carried, lane_of, times = flows.uses_lane
    for row in orders_with_names(plan):
        b, v, t = bundles[row["name"]], int(vehicles.of([row["vehicle"]])[0]), row["t"]
        if not any((g, v, t) in column for g in lanes.get(b, [])):
            continue
        found = []
        for g in lanes[b]:
            mine = (lane_of == g) & (flows.bundle[carried] == b) & (flows.t[carried] == t)
            at = column.get((g, v, t))
            if mine.any():
                found.append(OrderLane(
                    lane=g, carried=(start["carried_t"] + carried[mine]).tolist(),
                    tkm=float(data.lanes.distance_km[g]) * times[mine],
                    driven=None if at is None else start["driven_vkm"] + at,
                    load_t=0.0 if at is None else float(d.load_t[at]),
                ))  # fmt: skip
        yield row, found


def set_orders(fleet_model: FleetModel, edit: FormEdit, plan: FleetPlan, *, price: bool = False) -> dict[str, int]:
    """On each lane from the order's origin, the vehicle does at least its share of the order's work.

    Orders that the vehicle cannot drive are left free (`impossible_orders` names them). With `price` each row may be
    missed: gives the columns of the shares missed (0 to the share), by order, vehicle and period.
    """
    missed: dict[str, int] = {}
    bundles = orders_by_bundle(fleet_model)
    for row, lanes in order_lanes(fleet_model, plan):
        name, vehicle, t = row["name"], row["vehicle"], row["t"]
        slack = None
        if price:
            slack = missed[f"{name} {vehicle} {t}"] = edit.column(f"missed[{name},{vehicle},{t}]", up=row["share"])
        for lane in lanes:
            columns, values = list(lane.carried), (-row["share"] * lane.tkm).tolist()
            if lane.driven is not None:
                columns.append(lane.driven)
                values.append(lane.load_t)
            if slack is not None:
                columns.append(slack)
                km = float(fleet_model.built.data.lanes.distance_km[lane.lane])
                values.append(km * float(fleet_model.prepared.demand_t[bundles[name], t]))
            edit.row(f"order[{name},{vehicle},{t},{lane.lane}]", columns, values, low=0.0)
    return missed


def kept_shares(
    fleet_model: FleetModel, plan: FleetPlan, values: np.ndarray, *, digits: int
) -> dict[tuple[str, str, int], float]:
    """The share of each order of the plan, at most the planned one, that its vehicle drives in a solution.

    Rounded to `digits`; an order that the vehicle cannot drive has no share to keep and is left out.
    """
    kept = {}
    for row, lanes in order_lanes(fleet_model, plan):
        done = [
            (float(values[lane.driven]) * lane.load_t if lane.driven is not None else 0.0)
            / float(lane.tkm @ values[lane.carried])
            for lane in lanes
            if float(lane.tkm @ values[lane.carried]) > 1.0
        ]
        kept[row["name"], row["vehicle"], row["t"]] = max(0.0, round(min([row["share"], *done]), digits))
    return kept


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
        if fleet_model.prepared.demand_t[b, t] == 0 or row["share"] == 0:
            continue
        mine = lanes.get(b, [])
        if any(data.lanes.usable[g, v, t] for g in mine):
            continue
        reasons = sorted((why_not(fleet_model, g, v, t) for g in mine), key=lambda reason: reason[1])
        text, short = reasons[0] if reasons else (said("no truck leaves the origin of this order"), 0.0)
        region = data.base.regions[int(data.lanes.region[mine[0]])] if mine else ""
        found.append(Impossible(
            order=row["name"], vehicle=row["vehicle"], t=t, region=region, share=row["share"], reason=text,
            short_km=short,
        ))  # fmt: skip
    return found


def why_not(fleet_model: FleetModel, g: int, v: int, t: int) -> tuple[Said, float]:
    """Why truck `v` cannot drive lane `g` in period `t`, and by how many km its range is short."""
    data = fleet_model.built.data
    trucks, lanes, name = data.trucks, data.lanes, data.trucks.names[v]
    if not trucks.available[v, t]:
        return said("{truck} cannot be had in {year}", truck=name, year=str(int(data.time.years[t]))), np.inf
    cargo_type = data.base.cargo_types[int(lanes.cargo_type[g])]
    if np.isnan(lanes.load_t[g, v]):
        return said("{truck} carries no {goods} (vehicle_loads.csv)", truck=name, goods=cargo_type), np.inf
    if lanes.load_t[g, v] <= 0:
        heavy = "{truck} is too heavy for the road: no load is left under its gross weight limit"
        return said(heavy, truck=name), np.inf
    usable, both_ways = float(trucks.usable_km[v]), 2 * float(lanes.distance_km[g])
    needs = [both_ways]
    if trucks.battery[v]:
        at_depot = data.base.region_area[lanes.region[g]] >= 0
        needs = ([both_ways] if at_depot else []) + (
            [float(lanes.reach_km[g])] if np.isfinite(lanes.reach_km[g]) else []
        )
    if not needs:
        return said("{truck} finds no charger on the way and none at its depot", truck=name), np.inf
    need = min(needs)
    short = "range short by {short} km: {usable} km can be counted on in winter, {need} km are needed between charges"
    km = {"short": need - usable, "usable": usable, "need": need}
    return said(short, **{key: f"{value:.0f}" for key, value in km.items()}), need - usable
