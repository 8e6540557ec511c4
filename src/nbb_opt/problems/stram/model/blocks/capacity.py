r"""Keep within the capacity of edges and terminals; expand them, upgrade edges for a fuel.

$\mathcal{A}(n)$ are the state and those before it; what is built in $n'$ serves in $n$ if $t(n') + L \le t(n)$. An
investment exists only where it would serve before the last year; those in edges are decided in stage 1. The capacity
of an edge counts both directions, $\theta$ of it is that of each. Loaded flow of a fuel that needs an upgrade is at
most $\mu$ times capacity and increment once it is upgraded, and zero before; empties are free of it.
"""

from __future__ import annotations

import pyomo.environ as pyo


def declare(m) -> None:
    end = m.years[-1]
    m.STATE_EXPANSIONS = pyo.Set(
        initialize=[(s, y, e) for s, y in m.stage_1 for e in m.edge_increment_t if y + m.edge_lead_years[e] <= end],
        dimen=3,
    )
    m.STATE_UPGRADES = pyo.Set(
        initialize=[(s, y, e) for s, y in m.stage_1 for e in m.upgrade_fuel if y + m.upgrade_lead_years[e] <= end],
        dimen=3,
    )
    m.STATE_TERMINALS = pyo.Set(
        initialize=[
            (s, y, *at) for s, y in m.states for at in m.terminal_increment_t if y + m.terminal_lead_years[at] <= end
        ], dimen=4,
    )  # fmt: skip
    m.built = pyo.Var(
        m.STATE_EXPANSIONS, domain=pyo.Binary, doc=r"$\beta_{ne} \in \{0, 1\}$, edge $e$ is expanded in $n$ [units]"
    )
    m.upgraded = pyo.Var(
        m.STATE_UPGRADES, domain=pyo.Binary,
        doc=r"$\upsilon_{ne} \in \{0, 1\}$, edge $e$ is upgraded for its fuel in $n$ [units]",
    )  # fmt: skip
    m.terminal_share = pyo.Var(
        m.STATE_TERMINALS, bounds=(0, 1),
        doc=r"$0 \le \nu_{nim} \le 1$, share of the expansion of a terminal built in $n$ [share]",
    )  # fmt: skip
    m.LIMITED_ARCS = pyo.Set(initialize=[arc for e in m.limited_edges for arc in m.arcs_on[e]], dimen=2)
    m.LIMITED_TERMINALS = pyo.Set(initialize=m.limited_terminals, dimen=2)
    m.limit_edges = pyo.Constraint(m.STATES, m.LIMITED_ARCS, rule=limit_edges)
    m.expand_edges_once = pyo.Constraint(unique(e for _, _, e in m.STATE_EXPANSIONS), rule=expand_edges_once)
    m.use_upgrades = pyo.Constraint(m.STATES, list(m.upgrade_fuel), rule=use_upgrades)
    m.limit_terminals = pyo.Constraint(m.STATES, m.LIMITED_TERMINALS, rule=limit_terminals)
    m.expand_terminals_once = pyo.Constraint(
        [(s, y) for s, y in m.states if y == end], unique((i, mode) for _, _, i, mode in m.STATE_TERMINALS),
        rule=expand_terminals_once,
    )  # fmt: skip
    m.edges_nok = pyo.Expression(m.STATES, rule=edges_nok)
    m.upgrades_nok = pyo.Expression(m.STATES, rule=upgrades_nok)
    m.terminals_nok = pyo.Expression(m.STATES, rule=terminals_nok)


def unique(names):
    return list(dict.fromkeys(names))


def serving(m, decided, lead_years, s, y, *what):
    r"""$\sum_{n' \in \mathcal{A}(n)}$ of what was decided so early that it serves in $n$"""
    return sum(decided[r, t, *what] for r, t in m.way[s, y] if (r, t, *what) in decided and t + lead_years <= y)


def limit_edges(m, s, y, e, i):
    r"""$\sum_{fp} x_{nafp} + \sum_{fv} b_{nafv} \le \theta (Q_e + \Delta_e \sum_{n' \in \mathcal{A}(n)} \beta_{n'e})$
    $\forall n$, $a$ of limited $e$"""
    capacity = m.edge_capacity_t[e]
    if e in m.edge_increment_t:
        capacity += m.edge_increment_t[e] * serving(m, m.built, m.edge_lead_years[e], s, y, e)
    return load(m, s, y, e, i, m.fuels_of[m.mode[e]]) <= m.direction_share * capacity


def load(m, s, y, e, i, fuels):
    r"""$\sum_p x_{nafp} + \sum_v b_{nafv}$ over some fuels"""
    loaded = sum(m.moved_t[s, y, e, i, f, p] for f in fuels for p in m.products)
    return loaded + sum(m.empty_t[s, y, e, i, f, v] for f in fuels for v in m.vehicles_of[m.mode[e]])


def expand_edges_once(m, e):
    r"""$\sum_n \beta_{ne} \le 1$ $\forall e$"""
    return sum(m.built[s, y, e] for s, y in m.stage_1 if (s, y, e) in m.built) <= 1


def use_upgrades(m, s, y, e):
    r"""$\sum_{a \in e,\, p} x_{nafp} \le \mu (Q_e + \Delta_e) \sum_{n' \in \mathcal{A}(n)} \upsilon_{n'e}$
    $\forall n$, $e$ that needs an upgrade for $f$"""
    loaded = sum(m.moved_t[s, y, e, i, m.upgrade_fuel[e], p] for e, i in m.arcs_on[e] for p in m.products)
    # the most that the edge ever carries of the fuel: both directions, expanded, times what the source allows
    big_m = m.upgrade_capacity_factor * (m.edge_capacity_t[e] + m.edge_increment_t.get(e, 0))
    return loaded <= big_m * serving(m, m.upgraded, m.upgrade_lead_years[e], s, y, e)


def limit_terminals(m, s, y, i, mode):
    r"""tonnes that begin, end or change mode there $\le Q_{im} + \Delta_{im} \sum_{n' \in \mathcal{A}(n)} \nu_{n'im}$
    $\forall n$, limited $i,m$"""
    handled = sum(m.carried_t[s, y, k, p] for k in m.paths_through[i, mode] for p in m.products)
    capacity = m.terminal_capacity_t[i, mode]
    if (i, mode) in m.terminal_increment_t:
        share = serving(m, m.terminal_share, m.terminal_lead_years[i, mode], s, y, i, mode)
        capacity += m.terminal_increment_t[i, mode] * share
    within = handled <= capacity
    return pyo.Constraint.Feasible if within is True else within  # a terminal that no path uses


def expand_terminals_once(m, s, y, i, mode):
    r"""$\sum_{n' \in \mathcal{A}(n)} \nu_{n'im} \le 1$ $\forall i,m$, last states $n$"""
    return sum(m.terminal_share[r, t, i, mode] for r, t in m.way[s, y] if (r, t, i, mode) in m.terminal_share) <= 1


def edges_nok(m, s, y):
    r"""$\sum_e C_e \beta_{ne}$, paid once"""
    return sum(m.edge_expansion_nok[e] * m.built[s, y, e] for e in m.edge_increment_t if (s, y, e) in m.built)


def upgrades_nok(m, s, y):
    r"""$\sum_e C^u_e \upsilon_{ne}$, paid once"""
    return sum(m.upgrade_nok[e] * m.upgraded[s, y, e] for e in m.upgrade_fuel if (s, y, e) in m.upgraded)


def terminals_nok(m, s, y):
    r"""$\sum_{im} C_{im} \nu_{nim}$, paid once"""
    return sum(
        m.terminal_expansion_nok[at] * m.terminal_share[s, y, *at]
        for at in m.terminal_increment_t if (s, y, *at) in m.terminal_share
    )  # fmt: skip
