r"""Rent capacity for charging or filling where a fuel needs it; nothing is carried over to the next period."""

from __future__ import annotations

import pyomo.environ as pyo

from nbb_opt.problems.stram.model.blocks.capacity import load


def declare(m) -> None:
    m.CHARGING = pyo.Set(initialize=list(dict.fromkeys((e, f) for e, f, _ in m.charging_nok_per_t)), dimen=2)
    m.rented_t = pyo.Var(
        m.STATES, m.CHARGING, domain=pyo.NonNegativeReals,
        doc=r"$y_{nef} \ge 0$, tonnes a year that can be charged or filled on edge $e$ [t/year]",
    )  # fmt: skip
    m.charge_flows = pyo.Constraint(m.STATES, m.CHARGING, rule=charge_flows)
    m.charging = pyo.Expression(m.STATES, rule=charging)


def charge_flows(m, s, y, e, f):
    r"""$\sum_{a \in e} (\sum_p x_{nafp} + \sum_v b_{nafv}) \le y_{nef}$ $\forall n,e,f$"""
    return sum(load(m, s, y, e, i, [f]) for e, i in m.arcs_on[e]) <= m.rented_t[s, y, e, f]


def charging(m, s, y):
    r"""$\sum_{ef} r_{ef,t}\, y_{nef}$"""
    return sum(m.charging_nok_per_t[e, f, y] * m.rented_t[s, y, e, f] for e, f in m.CHARGING)
