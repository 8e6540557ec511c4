"""Where freight goes, on what fuel, and what comes back empty."""

from __future__ import annotations

import numpy as np

from nbb_opt.model.arrays.assembly import Assembly
from nbb_opt.model.arrays.terms import Terms
from nbb_opt.model.data.periods import Floats, Ints
from nbb_opt.problems.stram.model.arrays.data import StramData
from nbb_opt.problems.stram.model.arrays.states import grid, repeat

TYPICAL_T = 2.0**6


def add_flows(a: Assembly, data: StramData) -> None:
    """Columns and rows of the topic `flows` of models/stram.md."""
    net, paths, states = data.network, data.paths, data.states
    size, count = states.size, len(net.products)
    n, k, p = grid(size, len(paths.number), count)
    a.add_variables("carried_t", states.keys(n, paths.number[k], (net.products, p)), typical=TYPICAL_T)  # fmt: skip
    n, af, p = grid(size, len(net.af_arc), count)
    a.add_variables("moved_t", states.keys(n, *arc_parts(data, net.af_arc[af]),
                    (net.fuels, net.fuel_name[net.af_fuel[af]]), (net.products, p)), typical=TYPICAL_T,
                    up=np.where(phased_out(data)[n, net.af_fuel[af]], 0.0, np.inf))  # fmt: skip
    arcs = len(net.edge)
    n, arc, p = grid(size, arcs, count)
    keys = states.keys(n, *arc_parts(data, arc), (net.products, p))
    tolerance = data.rules.link_tolerance_t
    a.add_variables("link_slack_t", keys, up=2 * tolerance, typical=TYPICAL_T)
    _serve_demand(a, data)
    rows, paths_of_state = arcs * count, len(paths.number) * count
    terms = Terms(size * rows)
    af, p = grid(len(net.af_arc), count)
    repeat(terms, size, row=net.af_arc[af] * count + p, rows=rows, column=af * count + p,
           columns=len(net.af_arc) * count, start=a.start["moved_t"], value=1.0)  # fmt: skip
    leg, p = grid(len(paths.leg_path), count)
    repeat(terms, size, row=paths.leg_arc[leg] * count + p, rows=rows, column=paths.leg_path[leg] * count + p,
           columns=paths_of_state, start=a.start["carried_t"], value=-1.0)  # fmt: skip
    every = np.arange(rows)
    repeat(terms, size, row=every, rows=rows, column=every, columns=rows, start=a.start["link_slack_t"], value=1.0)
    a.add_rows("link_paths", keys, terms, sense="==", side=tolerance)


def _serve_demand(a: Assembly, data: StramData) -> None:
    """One row per state and flow with demand in its year."""
    net, paths, states = data.network, data.paths, data.states
    demand = data.case["demand"]
    demand = demand[demand["t_per_year"] > 0]
    years, nodes = demand["year"].to_numpy(), len(net.nodes)
    origin, destination = net.nodes.of(demand["origin"]), net.nodes.of(demand["destination"])
    product, pair = net.products.of(demand["product"]), origin * nodes + destination
    offered = paths.ends[:, 0] * nodes + paths.ends[:, 1]
    order = np.argsort(offered, kind="stable")
    low, high = (np.searchsorted(offered[order], pair, side=side) for side in ("left", "right"))
    state, flow = np.nonzero(states.year[:, None] == years)
    times = (high - low)[flow]
    row = np.repeat(np.arange(len(flow)), times)
    within = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
    path = order[low[flow][row] + within]
    column = (state[row] * len(paths.number) + path) * len(net.products) + product[flow][row]
    terms = Terms(len(flow)).add(row, a.start["carried_t"] + column, 1.0)
    names = ((net.nodes, origin[flow]), (net.nodes, destination[flow]), (net.products, product[flow]))
    a.add_rows("serve_demand", states.keys(state, *names), terms, sense=">=",
               side=demand["t_per_year"].to_numpy(float)[flow])  # fmt: skip


def add_empties(a: Assembly, data: StramData) -> None:
    """Columns and rows of the topic `empties` of models/stram.md."""
    net, paths, states = data.network, data.paths, data.states
    size, vehicles, arcs = states.size, len(net.vehicle_mode), len(net.edge)
    n, av = grid(size, len(net.av_af))
    af = net.av_af[av]
    vehicle = (net.vehicles, net.vehicle_name[net.av_vehicle[av]])
    a.add_variables("empty_t", states.keys(n, *arc_parts(data, net.af_arc[af]),
                    (net.fuels, net.fuel_name[net.af_fuel[af]]), vehicle), typical=TYPICAL_T,
                    up=np.where(phased_out(data)[n, net.af_fuel[af]], 0.0, np.inf))  # fmt: skip
    n, kv = grid(size, len(paths.empty_path))
    a.add_variables("empty_path_t", states.keys(n, paths.number[paths.empty_path[kv]],
                    (net.vehicles, net.vehicle_name[paths.empty_vehicle[kv]])), typical=TYPICAL_T)  # fmt: skip
    arc, v = np.nonzero(net.mode[:, None] == net.vehicle_mode)  # rows of one state
    place = np.full((arcs, vehicles), -1, np.int64)
    place[arc, v] = np.arange(len(arc))
    n, r = grid(size, len(arc))
    keys = states.keys(n, *arc_parts(data, arc[r]), (net.vehicles, net.vehicle_name[v[r]]))
    tolerance = data.rules.link_tolerance_t
    a.add_variables("empty_slack_t", keys, up=2 * tolerance, typical=TYPICAL_T)
    rows, terms = len(arc), Terms(size * len(arc))
    every, av = np.arange(rows), np.arange(len(net.av_af))
    repeat(terms, size, row=place[net.af_arc[net.av_af], net.av_vehicle], rows=rows, column=av, columns=len(av),
           start=a.start["empty_t"], value=1.0)  # fmt: skip
    order = np.argsort(paths.leg_path, kind="stable")
    low, high = (np.searchsorted(paths.leg_path[order], paths.empty_path, side=side) for side in ("left", "right"))
    kv = np.repeat(np.arange(len(low)), high - low)
    leg = order[np.arange(len(kv)) - np.repeat(np.cumsum(high - low) - high, high - low)]
    repeat(terms, size, row=place[paths.leg_arc[leg], paths.empty_vehicle[kv]], rows=rows, column=kv,
           columns=len(low), start=a.start["empty_path_t"], value=-1.0)  # fmt: skip
    repeat(terms, size, row=every, rows=rows, column=every, columns=rows, start=a.start["empty_slack_t"], value=1.0)
    a.add_rows("link_empties", keys, terms, sense="==", side=tolerance)
    _balance(a, data)


def _balance(a: Assembly, data: StramData) -> None:
    net, states = data.network, data.states
    size, count, vehicles = states.size, len(net.products), len(net.vehicle_mode)
    fuels = len(net.fuel_mode)
    served = np.zeros((len(net.nodes), len(net.modes)), bool)
    served[net.tail, net.mode] = True
    node, fuel, v = np.nonzero(served[:, net.fuel_mode][:, :, None] & (net.fuel_mode[:, None] == net.vehicle_mode))
    place = np.full((len(net.nodes), fuels, vehicles), -1, np.int64)
    place[node, fuel, v] = np.arange(len(node))
    n, r = grid(size, len(node))
    keys = states.keys(n, (net.nodes, node[r]), (net.modes, net.fuel_mode[fuel[r]]),
                       (net.fuels, net.fuel_name[fuel[r]]), (net.vehicles, net.vehicle_name[v[r]]))  # fmt: skip
    tolerance = data.rules.balance_tolerance_t
    a.add_variables("balance_slack_t", keys, up=2 * tolerance, typical=TYPICAL_T)
    rows, terms = len(node), Terms(size * len(node))
    af, p = grid(len(net.af_arc), count)
    carrier = net.vehicle_of[net.mode[net.af_arc[af]], p]
    empties = np.arange(len(net.av_af))
    back = net.av_af
    for end, sign in ((net.head, 1.0), (net.tail, -1.0)):
        repeat(terms, size, row=place[end[net.af_arc[af]], net.af_fuel[af], carrier], rows=rows,
               column=af * count + p, columns=len(net.af_arc) * count, start=a.start["moved_t"],
               value=sign)  # fmt: skip
        repeat(terms, size, row=place[end[net.af_arc[back]], net.af_fuel[back], net.av_vehicle], rows=rows,
               column=empties, columns=len(empties), start=a.start["empty_t"], value=sign)  # fmt: skip
    every = np.arange(rows)
    repeat(terms, size, row=every, rows=rows, column=every, columns=rows, start=a.start["balance_slack_t"], value=1.0)
    a.add_rows("balance_vehicles", keys, terms, sense="==", side=tolerance)


def arc_parts(data: StramData, arc: Ints) -> tuple:
    """Name of the edge and of the end where the arc begins, as parts of a key."""
    net = data.network
    return (net.edges, net.edge[arc]), (net.nodes, net.tail[arc])


def phased_out(data: StramData) -> np.ndarray:
    """Whether a fuel may not be used, (states, F)."""
    year: Floats = data.case["technologies"]["phase_out_year"].to_numpy(float)
    return data.states.year[:, None] >= np.where(np.isnan(year), np.inf, year)
