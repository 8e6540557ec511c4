"""All coefficients of a stram model as arrays, worked out before any variable exists."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbb_opt.model.data.periods import Floats, Ints, Names
from nbb_opt.problems.stram import StramCase
from nbb_opt.problems.stram.model.arrays.states import States, states_of
from nbb_opt.problems.stram.model.spec import StramSpec
from nbb_opt.problems.stram.schema import StramRules


@dataclass(frozen=True, kw_only=True)
class StramNetwork:
    """Arcs (two per edge: a to b, then b to a), fuels of modes, arc-fuels, vehicles; positions in the order of files.

    `fuel_mode` (F) and `vehicle_mode` (V) give the mode. An arc-fuel is an arc with a fuel of its mode, an arc-vehicle
    (of empties) an arc-fuel with a vehicle of its mode. `vehicle_of` (modes, products) is the vehicle of a product.
    """

    nodes: Names
    edges: Names
    modes: Names
    products: Names
    fuels: Names
    vehicles: Names
    edge: Ints
    tail: Ints
    head: Ints
    mode: Ints
    km: Floats
    fuel_mode: Ints
    fuel_name: Ints
    vehicle_mode: Ints
    vehicle_name: Ints
    vehicle_of: Ints
    af_arc: Ints
    af_fuel: Ints
    av_af: Ints
    av_vehicle: Ints


@dataclass(frozen=True, kw_only=True)
class Paths:
    """Candidate paths. `leg_path` and `leg_arc` are parallel; `ends` (K, 2) are origin and destination.

    `transfer_nok` and `transfer_time_nok` are (K, P) per tonne. `handled_*` are parallel: tonnes of a path through a
    terminal count so many times. `empty_path`, `empty_vehicle`: single-mode paths with each vehicle of their mode.
    """

    number: Ints
    leg_path: Ints
    leg_arc: Ints
    ends: Ints
    transfer_nok: Floats
    transfer_time_nok: Floats
    handled_path: Ints
    handled_node: Ints
    handled_mode: Ints
    handled_times: Floats
    empty_path: Ints
    empty_vehicle: Ints


@dataclass(frozen=True, kw_only=True)
class StramData:
    """Everything the blocks read. Unit costs are (scenarios, T, F, P), the others (T, F, P); T counts all periods.

    `reference` (T, F, V) is the product whose figures stand for an empty vehicle. `first_emissions_t` is what the first
    year alone emits (needed where more than that year is planned), else None.
    """

    case: StramCase
    spec: StramSpec
    rules: StramRules
    states: States
    network: StramNetwork
    paths: Paths
    nok_per_tkm: Floats
    t_co2_per_tkm: Floats
    co2_nok_per_tkm: Floats
    time_nok_per_t: Floats
    reference: Ints
    scenario_rows: Ints
    first_emissions_t: float | None


def stram_data(case: StramCase, spec: StramSpec, *, first_emissions_t: float | None) -> StramData:
    """Coefficients of a model on an instance."""
    states, network = states_of(case, spec), network_of(case)
    years = Names(case["periods"]["year"].astype(str))
    nets, pairs = network, _pairs(case)
    shape = (len(years), len(nets.fuel_mode), len(nets.products))

    def fuels(frame: pd.DataFrame) -> Ints:
        return pairs.of(_pair(frame["mode"], frame["fuel"]))

    def spread(frame: pd.DataFrame, column: str) -> Floats:
        found = np.full(shape, np.nan)
        where = (years.of(frame["year"].astype(str)), fuels(frame), nets.products.of(frame["product"]))
        found[where] = frame[column].to_numpy(float)
        return found

    units, all_scenarios = case["unit_costs"], case["scenarios"]["scenario"].tolist()
    cost = np.stack([spread(units[units["scenario"] == name], "nok_per_tkm") for name in all_scenarios])
    emissions = case["unit_emissions"]
    empties = case["empty_products"]
    reference = np.full((len(years), len(nets.fuel_mode), len(nets.vehicle_mode)), -1, np.int64)
    vehicle = _vehicle_pairs(case).of(_pair(empties["mode"], empties["vehicle"]))
    at = (years.of(empties["year"].astype(str)), fuels(empties), vehicle)
    reference[at] = nets.products.of(empties["product"])
    speed = case["modes"]["speed_km_per_h"].to_numpy(float)[nets.mode]
    worth = case["products"]["time_value_nok_per_t_h"].to_numpy(float)
    chosen = all_scenarios if spec.scenarios == "all" else [case.keys["base_scenario"]]
    return StramData(
        case=case, spec=spec, rules=case.rules, states=states, network=network, paths=paths_of(case, network),
        nok_per_tkm=cost, t_co2_per_tkm=spread(emissions, "g_co2_per_tkm") * 1e-6,
        co2_nok_per_tkm=spread(emissions, "co2_nok_per_tkm"), time_nok_per_t=(nets.km / speed)[:, None] * worth,
        reference=reference, scenario_rows=np.array([all_scenarios.index(name) for name in chosen], np.int64),
        first_emissions_t=first_emissions_t,
    )  # fmt: skip


def _pair(one: pd.Series, other: pd.Series) -> npt.NDArray[np.object_]:
    return np.array([f"{a}/{b}" for a, b in zip(one, other, strict=True)], object)  # no name holds a slash


def _pairs(case: StramCase) -> Names:
    return Names(list(_pair(case["technologies"]["mode"], case["technologies"]["fuel"])))


def _vehicle_pairs(case: StramCase) -> Names:
    return Names(list(dict.fromkeys(_pair(case["vehicles"]["mode"], case["vehicles"]["vehicle"]))))


def network_of(case: StramCase) -> StramNetwork:
    """Arcs, fuels and vehicles of the instance."""
    edges, tech, table = case["edges"], case["technologies"], case["vehicles"]
    nodes, modes = Names(case["nodes"]["node"]), Names(case["modes"]["mode"])
    products = Names(case["products"]["product"])
    edge = np.repeat(np.arange(len(edges)), 2)
    a, b = nodes.of(edges["node_a"]), nodes.of(edges["node_b"])
    mode = modes.of(edges["mode"])[edge]
    pairs = _vehicle_pairs(case)
    vehicle_mode = modes.of([name.partition("/")[0] for name in pairs.ids])
    vehicle_names = Names(list(dict.fromkeys(name.partition("/")[2] for name in pairs.ids)))
    vehicle_of = np.full((len(modes), len(products)), -1, np.int64)
    vehicle_of[modes.of(table["mode"]), products.of(table["product"])] = pairs.of(
        _pair(table["mode"], table["vehicle"])
    )
    fuel_mode = modes.of(tech["mode"])
    af_arc, af_fuel = np.nonzero(mode[:, None] == fuel_mode)
    av_af, av_vehicle = np.nonzero(mode[af_arc][:, None] == vehicle_mode)
    fuel_names = Names(list(dict.fromkeys(tech["fuel"])))
    return StramNetwork(
        nodes=nodes, edges=Names(edges["edge"]), modes=modes, products=products, fuels=fuel_names,
        vehicles=vehicle_names, edge=edge, tail=np.column_stack([a, b]).ravel(), head=np.column_stack([b, a]).ravel(),
        mode=mode, km=edges["distance_km"].to_numpy(float)[edge], fuel_mode=fuel_mode,
        fuel_name=fuel_names.of(tech["fuel"]), vehicle_mode=vehicle_mode,
        vehicle_name=vehicle_names.of([name.partition("/")[2] for name in pairs.ids]), vehicle_of=vehicle_of,
        af_arc=af_arc, af_fuel=af_fuel, av_af=av_af, av_vehicle=av_vehicle,
    )  # fmt: skip


def paths_of(case: StramCase, network: StramNetwork) -> Paths:
    """Legs as arcs, transfers and terminals of every candidate path."""
    legs = case["path_legs"].sort_values(["path", "step"], kind="stable")
    number, path = np.unique(legs["path"].to_numpy(), return_inverse=True)
    edge = network.edges.of(legs["edge"])
    arc = 2 * edge + (network.tail[2 * edge] != network.nodes.of(legs["from_node"]))
    begins = np.append(True, path[1:] != path[:-1])
    first, last = np.flatnonzero(begins), np.append(np.flatnonzero(begins)[1:] - 1, len(path) - 1)
    mode, road = network.mode[arc], int(network.modes.of([case.keys["road_mode"]])[0])
    change = np.flatnonzero(~begins[1:] & (mode[1:] != mode[:-1]))  # between leg i and i + 1
    moves = [(path[change], mode[change], mode[change + 1])]
    off, out = first[mode[first] != road], last[mode[last] != road]  # rail and sea begin and end with a transfer
    moves.append((path[off], np.full(len(off), road), mode[off]))
    moves.append((path[out], mode[out], np.full(len(out), road)))
    nok, hours = _transfer_rates(case, network)
    worth = case["products"]["time_value_nok_per_t_h"].to_numpy(float)
    cost, time = np.zeros((len(number), len(worth))), np.zeros((len(number), len(worth)))
    for k, one, other in moves:
        np.add.at(cost, k, nok[one, other])
        np.add.at(time, k, hours[one, other] * worth)
    place = network.head[arc[change]]
    changed = np.concatenate([path[change], path[change]])
    through = [
        (path[first], network.tail[arc[first]], mode[first]),
        (path[last], network.head[arc[last]], mode[last]),
        (changed, np.concatenate([place, place]), np.concatenate([mode[change], mode[change + 1]])),
    ]
    handled = np.column_stack([np.concatenate([part[k] for part in through]) for k in range(3)])
    handled, times = np.unique(handled, axis=0, return_counts=True)
    single = np.ones(len(number), bool)
    single[path[change]] = False
    alone = np.flatnonzero(single)
    at, vehicle = np.nonzero(mode[first][alone][:, None] == network.vehicle_mode)
    ends_of = np.column_stack([network.tail[arc[first]], network.head[arc[last]]])
    return Paths(
        number=number, leg_path=path, leg_arc=arc, ends=ends_of, transfer_nok=cost, transfer_time_nok=time,
        handled_path=handled[:, 0], handled_node=handled[:, 1], handled_mode=handled[:, 2],
        handled_times=times.astype(float), empty_path=alone[at], empty_vehicle=vehicle,
    )  # fmt: skip


def _transfer_rates(case: StramCase, network: StramNetwork) -> tuple[Floats, Floats]:
    table, modes = case["transfers"], network.modes
    shape = (len(modes), len(modes), len(network.products))
    where = (modes.of(table["mode_from"]), modes.of(table["mode_to"]), network.products.of(table["product"]))
    nok, hours = np.full(shape, np.nan), np.full(shape, np.nan)
    nok[where], hours[where] = table["nok_per_t"].to_numpy(float), table["hours"].to_numpy(float)
    return nok, hours
