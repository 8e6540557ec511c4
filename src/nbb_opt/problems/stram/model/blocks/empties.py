r"""Bring empty vehicles back: per node, fuel and vehicle, as much capacity leaves as arrives.

$v$ is a vehicle of the mode, $P_v$ the products it carries there, $K_m$ the paths of one mode only, on which empties
travel. $\epsilon$ and $\epsilon'$ are the tolerances of linking and balance, slack is 0 to twice them. An empty vehicle
costs and emits $\phi$ times what a reference product $\pi$ does.
"""

from __future__ import annotations

import pyomo.environ as pyo


def declare(m) -> None:
    m.ARC_FUEL_VEHICLES = pyo.Set(
        initialize=[(e, i, f, v) for e, i, f in m.ARC_FUELS for v in m.vehicles_of[m.mode[e]]], dimen=4
    )
    m.PATH_VEHICLES = pyo.Set(
        initialize=[(k, v) for k, mode in m.single_mode_paths for v in m.vehicles_of[mode]], dimen=2
    )
    m.ARC_VEHICLES = pyo.Set(initialize=[(e, i, v) for e, i in m.arcs for v in m.vehicles_of[m.mode[e]]], dimen=3)
    m.NODE_FUEL_VEHICLES = pyo.Set(
        initialize=[
            (i, mode, f, v) for i in m.nodes for mode, f in m.fuels if (i, mode) in m.arcs_from
            for v in m.vehicles_of[mode]
        ], dimen=4,
    )  # fmt: skip
    m.empty_t = pyo.Var(
        m.STATES, m.ARC_FUEL_VEHICLES, bounds=while_in_use,
        doc=r"$b_{nafv} \ge 0$, empty capacity on arc $a$ [t/year]",
    )  # fmt: skip
    m.empty_path_t = pyo.Var(
        m.STATES, m.PATH_VEHICLES, domain=pyo.NonNegativeReals,
        doc=r"$w_{nkv} \ge 0$, empty capacity on path $k \in K_m$ [t/year]",
    )  # fmt: skip
    m.empty_slack_t = pyo.Var(
        m.STATES, m.ARC_VEHICLES, bounds=(0, 2 * m.link_tolerance_t),
        doc=r"$0 \le \sigma_{nav} \le 2\epsilon$, slack of the link [t/year]",
    )  # fmt: skip
    m.balance_slack_t = pyo.Var(
        m.STATES, m.NODE_FUEL_VEHICLES, bounds=(0, 2 * m.balance_tolerance_t),
        doc=r"$0 \le \tau_{nifv} \le 2\epsilon'$, slack of the balance [t/year]",
    )  # fmt: skip
    m.link_empties = pyo.Constraint(m.STATES, m.ARC_VEHICLES, rule=link_empties)
    m.balance_vehicles = pyo.Constraint(m.STATES, m.NODE_FUEL_VEHICLES, rule=balance_vehicles)
    m.empty_co2 = pyo.Expression(m.STATES, rule=empty_co2)


def while_in_use(m, s, y, e, i, f, v):
    """From zero up until the fuel is phased out, zero from then on."""
    return 0, 0 if y >= m.phase_out_year.get((m.mode[e], f), y + 1) else None


def link_empties(m, s, y, e, i, v):
    r"""$\sum_f b_{nafv} - \sum_{k \ni a} w_{nkv} + \sigma_{nav} = \epsilon$ $\forall n,a,v$"""
    moved = sum(m.empty_t[s, y, e, i, f, v] for f in m.fuels_of[m.mode[e]])
    brought = sum(m.empty_path_t[s, y, k, v] for k in m.paths_over[e, i] if (k, v) in m.PATH_VEHICLES)
    return moved - brought + m.empty_slack_t[s, y, e, i, v] == m.link_tolerance_t


def balance_vehicles(m, s, y, i, mode, f, v):
    r"""$\sum_{a \to i} (\sum_{p \in P_v} x_{nafp} + b_{nafv}) - \sum_{i \to a} (\sum_{p \in P_v} x_{nafp} + b_{nafv})
    + \tau_{nifv} = \epsilon'$ $\forall n,i,f,v$"""

    def capacity(arcs):
        loaded = sum(m.moved_t[s, y, e, j, f, p] for e, j in arcs for p in m.products_in[mode, v])
        return loaded + sum(m.empty_t[s, y, e, j, f, v] for e, j in arcs)

    arriving, leaving = capacity(m.arcs_to[i, mode]), capacity(m.arcs_from[i, mode])
    return arriving - leaving + m.balance_slack_t[s, y, i, mode, f, v] == m.balance_tolerance_t


def empty_co2(m, s, y):
    r"""$\phi \sum_{afv} c^{CO2}_{f\pi(f,v),t}\, \delta_a\, b_{nafv}$"""
    return on_empty_tkm(m, m.co2_nok_per_tkm, s, y)


def on_empty_tkm(m, per_tkm, s, y):
    r"""$\phi \sum_{afv} c_{f\pi(f,v),t}\, \delta_a\, b_{nafv}$ at figures $c$ per tonne-km of the reference product"""
    return m.empty_factor * sum(
        per_tkm[m.mode[e], f, m.like_product[m.mode[e], f, v, y], y] * m.km[e] * m.empty_t[s, y, e, i, f, v]
        for e, i, f, v in m.ARC_FUEL_VEHICLES
    )
