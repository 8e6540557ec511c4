"""What limits flows: edges, terminals, charging, and what is built there."""

from __future__ import annotations

import numpy as np

from nbb_opt.model.arrays.assembly import Assembly
from nbb_opt.model.arrays.terms import Terms
from nbb_opt.model.data.periods import Floats, Ints
from nbb_opt.problems.stram.model.arrays.data import StramData
from nbb_opt.problems.stram.model.arrays.flows import TYPICAL_T, arc_parts
from nbb_opt.problems.stram.model.arrays.states import repeat


def add_capacity(a: Assembly, data: StramData) -> None:
    """Columns and rows of the topic `capacity` of models/stram.md."""
    edges, terminals, states = data.case["edges"], data.case["terminals"], data.states
    net = data.network
    open_edges = np.flatnonzero(edges["increment_t_per_year"].fillna(0.0).to_numpy() > 0)
    lead = edges["expansion_lead_years"].to_numpy(float)
    firsts = np.flatnonzero(states.first)
    built = _investments(a, data, "built", net.edges, open_edges, lead, firsts, whole=True)
    upgradable = np.flatnonzero(edges["upgrade_fuel"].to_numpy() != "")
    upgrade_lead = edges["upgrade_lead_years"].to_numpy(float)
    upgraded = _investments(
        a, data, "upgraded", net.edges, upgradable, upgrade_lead, firsts, whole=True
    )  # fmt: skip
    _limit_edges(a, data, built)
    _use_upgrades(a, data, upgraded)
    rows = [edge for edge in open_edges.tolist() if any((edge, n) in built for n in firsts.tolist())]
    once = Terms(len(rows))
    for r, edge in enumerate(rows):
        columns = [column for (e, _), column in built.items() if e == edge]
        once.add(np.full(len(columns), r), np.array(columns), 1.0)
    a.add_rows("expand_edges_once", [net.edges[edge] for edge in rows], once, sense="<=", side=1.0)
    _terminals(a, data, np.flatnonzero(terminals["increment_t_per_year"].fillna(0.0).to_numpy() > 0))
    for name, table, what, cost in (
        ("edges_nok", edges, built, "expansion_nok"), ("upgrades_nok", edges, upgraded, "upgrade_nok"),
    ):  # fmt: skip
        _pay(a, data, name, what, table[cost].to_numpy(float))


Made = dict[tuple[int, int], int]  # (position in its table, state) -> column


def _investments(
    a: Assembly, data: StramData, name: str, names: object, which: Ints, lead: Floats, at: Ints, *,
    whole: bool, parts: object = None,
) -> Made:  # fmt: skip
    """Columns of investments that serve before the last year; in a one-year model there are none."""
    states, end = data.states, int(data.states.year.max())
    pairs = [(i, n) for n in at.tolist() for i in which.tolist() if states.year[n] + lead[i] <= end]
    thing, state = (np.array([pair[k] for pair in pairs], np.int64) for k in range(2))
    key = ((names, thing),) if parts is None else parts(thing)  # type: ignore[operator]
    columns = a.add_variables(name, states.keys(state, *key), whole=whole, up=1.0)
    return dict(zip(pairs, columns.tolist(), strict=True))


def _serving(data: StramData, made: Made, thing: int, n: int, lead: float) -> Ints:
    """Columns of the investments in `thing` that serve in state n."""
    states = data.states
    return np.array(
        [made[thing, m] for m in states.way(n) if (thing, m) in made and states.year[m] + lead <= states.year[n]],
        np.int64,
    )


def _limit_edges(a: Assembly, data: StramData, built: Made) -> None:
    net, states, edges = data.network, data.states, data.case["edges"]
    limited = np.flatnonzero(edges["limited"].to_numpy(bool)[net.edge])
    capacity = edges["capacity_t_per_year"].to_numpy(float)[net.edge]
    increment = edges["increment_t_per_year"].fillna(0.0).to_numpy()[net.edge]
    share = data.rules.direction_share
    size, rows = states.size, len(limited)
    place = np.full(len(net.edge), -1, np.int64)
    place[limited] = np.arange(rows)
    terms = Terms(size * rows)
    _load(a, data, terms, place[net.af_arc], rows, empties=True)
    lead = edges["expansion_lead_years"].to_numpy(float)
    for n in range(size):
        for r, arc in enumerate(limited.tolist()):
            columns = _serving(data, built, int(net.edge[arc]), n, lead[net.edge[arc]])
            terms.add(np.full(len(columns), n * rows + r), columns, -share * increment[arc])
    state, at_row = np.divmod(np.arange(size * rows), max(rows, 1))
    a.add_rows("limit_edges", states.keys(state, *arc_parts(data, limited[at_row])), terms, sense="<=",
               side=share * capacity[limited][at_row])  # fmt: skip


def _load(a: Assembly, data: StramData, terms: Terms, row_of_af: Ints, rows: int, *, empties: bool) -> None:
    """Add loaded (and empty) tonnes of arc-fuels to their rows; arc-fuels of row -1 count nowhere."""
    net, size, count = data.network, data.states.size, len(data.network.products)
    af = np.flatnonzero(row_of_af >= 0)
    wide, p = np.repeat(af, count), np.tile(np.arange(count), len(af))
    repeat(terms, size, row=row_of_af[wide], rows=rows, column=wide * count + p, columns=len(net.af_arc) * count,
           start=a.start["moved_t"], value=1.0)  # fmt: skip
    if empties:
        av = np.flatnonzero(row_of_af[net.av_af] >= 0)
        repeat(terms, size, row=row_of_af[net.av_af[av]], rows=rows, column=av, columns=len(net.av_af),
               start=a.start["empty_t"], value=1.0)  # fmt: skip


def _use_upgrades(a: Assembly, data: StramData, upgraded: Made) -> None:
    net, states, edges = data.network, data.states, data.case["edges"]
    which = np.flatnonzero(edges["upgrade_fuel"].to_numpy() != "")
    most = edges["capacity_t_per_year"].to_numpy(float) + edges["increment_t_per_year"].fillna(0.0).to_numpy()
    fuel = net.fuels.of(edges["upgrade_fuel"])
    rows, size = len(which), states.size
    place = np.full(len(edges), -1, np.int64)
    place[which] = np.arange(rows)
    edge = net.edge[net.af_arc]
    row = np.where(fuel[edge] == net.fuel_name[net.af_fuel], place[edge], -1)
    terms = Terms(size * rows)
    _load(a, data, terms, row, rows, empties=False)
    for n in range(size):
        for r, e in enumerate(which.tolist()):
            columns = _serving(data, upgraded, e, n, float(edges["upgrade_lead_years"].iloc[e]))
            terms.add(np.full(len(columns), n * rows + r), columns, -data.rules.upgrade_capacity_factor * most[e])
    state, at_row = np.divmod(np.arange(size * rows), max(rows, 1))
    a.add_rows("use_upgrades", states.keys(state, (net.edges, which[at_row])), terms, sense="<=")


def _terminals(a: Assembly, data: StramData, which: Ints) -> None:
    net, states, paths, table = data.network, data.states, data.paths, data.case["terminals"]
    node, mode = net.nodes.of(table["node"]), net.modes.of(table["mode"])
    lead, size, count = table["expansion_lead_years"].to_numpy(float), states.size, len(net.products)

    def parts(thing: Ints) -> tuple:
        return (net.nodes, node[thing]), (net.modes, mode[thing])

    made = _investments(
        a, data, "terminal_share", None, which, lead, np.arange(size), whole=False, parts=parts
    )  # fmt: skip
    limited = np.flatnonzero(table["limited"].to_numpy(bool))
    rows, terms = len(limited), Terms(size * len(limited))
    place = np.full((len(net.nodes), len(net.modes)), -1, np.int64)
    place[node[limited], mode[limited]] = np.arange(rows)
    row = place[paths.handled_node, paths.handled_mode]
    use = np.flatnonzero(row >= 0)
    wide, p = np.repeat(use, count), np.tile(np.arange(count), len(use))
    repeat(terms, size, row=row[wide], rows=rows, column=paths.handled_path[wide] * count + p,
           columns=len(paths.number) * count, start=a.start["carried_t"], value=paths.handled_times[wide])  # fmt: skip
    increment = table["increment_t_per_year"].to_numpy(float)
    for n in range(size):
        for r, i in enumerate(limited.tolist()):
            columns = _serving(data, made, i, n, lead[i])
            terms.add(np.full(len(columns), n * rows + r), columns, -increment[i])
    state, at_row = np.divmod(np.arange(size * rows), max(rows, 1))
    a.add_rows("limit_terminals", states.keys(state, *parts(limited[at_row])), terms, sense="<=",
               side=table["capacity_t_per_year"].to_numpy(float)[limited[at_row]])  # fmt: skip
    last = np.flatnonzero(states.year == states.year.max())
    pairs = [(i, n) for n in last.tolist() for i in which.tolist() if any((i, m) in made for m in states.way(n))]
    once = Terms(len(pairs))
    for r, (i, n) in enumerate(pairs):
        found = np.array([made[i, m] for m in states.way(n) if (i, m) in made], np.int64)
        once.add(np.full(len(found), r), found, 1.0)
    thing, state = (np.array([pair[k] for pair in pairs], np.int64) for k in range(2))
    a.add_rows("expand_terminals_once", states.keys(state, *parts(thing)), once, sense="<=", side=1.0)
    _pay(a, data, "terminals_nok", made, table["expansion_nok"].to_numpy(float))


def _pay(a: Assembly, data: StramData, name: str, made: Made, cost: Floats) -> None:
    """Share what the investments cost, per state."""
    share = a.share(name, data.states.size)
    for (thing, n), column in made.items():
        share.add(np.array([n]), np.array([column]), cost[thing])


def add_charging(a: Assembly, data: StramData) -> None:
    """Columns and rows of the topic `charging` of models/stram.md."""
    net, states, table = data.network, data.states, data.case["charging"]
    pairs = list(dict.fromkeys(zip(table["edge"], table["fuel"], strict=True)))
    edge, fuel = net.edges.of([pair[0] for pair in pairs]), net.fuels.of([pair[1] for pair in pairs])
    rows, size = len(pairs), states.size
    state, at_row = np.divmod(np.arange(size * rows), max(rows, 1))
    keys = states.keys(state, (net.edges, edge[at_row]), (net.fuels, fuel[at_row]))
    column = a.add_variables("rented_t", keys, typical=TYPICAL_T)
    place = np.full((len(net.edges), len(net.fuels)), -1, np.int64)
    place[edge, fuel] = np.arange(rows)
    terms = Terms(size * rows)
    _load(a, data, terms, place[net.edge[net.af_arc], net.fuel_name[net.af_fuel]], rows, empties=True)
    terms.add(np.arange(size * rows), column, -1.0)
    a.add_rows("charge_flows", keys, terms, sense="<=")
    years = data.case["periods"]["year"].to_numpy()
    rent = np.full((len(years), rows), np.nan)
    at = place[net.edges.of(table["edge"]), net.fuels.of(table["fuel"])]
    rent[np.searchsorted(years, table["year"].to_numpy()), at] = table["rent_nok_per_t"].to_numpy(float)
    a.share("charging", size).add(state, column, rent[states.period[state], at_row])
