r"""Open arcs and carry every commodity over open arcs, at least cost.

Flows may be split. $D = \sum_k d_k$; the limit $\min(u_a, D)$ of an arc and $\min(d_k, u_a)$ of a commodity on it are
the least that no plan needs to exceed, and both come from the data. The strong rows follow from the others where
`opened` is whole, and lift the relaxation; a solver may add only those it finds broken.
"""

from __future__ import annotations

from statistics import median

import pyomo.environ as pyo

from nbb_opt.problems.network_design import DesignInstance
from nbb_opt.problems.network_design.model.arrays import DesignSpec


def design_model(instance: DesignInstance, spec: DesignSpec) -> pyo.ConcreteModel:
    """State the model: tonnes and EUR."""
    m = begin(instance, spec)
    declare(m)
    m.usual_size, m.decide_order = pyo.Suffix(), pyo.Suffix()
    m.usual_size[m.carried_t] = median(m.demand_t.values())
    m.decide_order[m.opened] = 0
    return m


def begin(instance: DesignInstance, spec: DesignSpec) -> pyo.ConcreteModel:
    """A model that has its figures and sets, and nothing else yet."""
    m = pyo.ConcreteModel(name=spec.name)
    m.spec = spec
    arcs, commodities = instance.tables["arcs"].set_index("arc"), instance.tables["commodities"].set_index("commodity")
    m.NODES = pyo.Set(initialize=instance.tables["nodes"]["node"].tolist())
    m.ARCS = pyo.Set(initialize=arcs.index.tolist())
    m.COMMODITIES = pyo.Set(initialize=commodities.index.tolist())
    m.cost_eur_per_t = pyo.Param(m.ARCS, initialize=arcs["cost_eur_per_t"].to_dict(), mutable=True)
    m.fixed_eur = pyo.Param(m.ARCS, initialize=arcs["fixed_eur"].to_dict(), mutable=True)
    m.capacity_t = arcs["capacity_t"].to_dict()
    m.origin, m.destination = commodities["origin"].to_dict(), commodities["destination"].to_dict()
    m.demand_t = commodities["demand_t"].to_dict()
    m.total_demand_t = sum(m.demand_t.values())
    m.leaving = {node: arcs.index[arcs["from_node"] == node].tolist() for node in m.NODES}
    m.arriving = {node: arcs.index[arcs["to_node"] == node].tolist() for node in m.NODES}
    return m


def declare(m) -> None:
    m.opened = pyo.Var(m.ARCS, domain=pyo.Binary, doc=r"$y_a \in \{0, 1\}$, whether arc $a$ is open")
    m.carried_t = pyo.Var(
        m.COMMODITIES, m.ARCS, bounds=lambda m, k, a: (0, most_t(m, k, a)),
        doc=r"$0 \le x_{ka} \le \min(d_k, u_a)$, tonnes of commodity $k$ on arc $a$ [t]",
    )  # fmt: skip
    m.balance_nodes = pyo.Constraint(m.COMMODITIES, m.NODES, rule=balance_nodes)
    m.respect_capacity = pyo.Constraint(m.ARCS, rule=respect_capacity)
    if m.spec.strong_rows == "all":
        m.open_what_is_used = pyo.Constraint(m.COMMODITIES, m.ARCS, rule=open_what_is_used)
    m.open_eur = pyo.Expression(m.ARCS, rule=open_eur)
    m.carry_eur = pyo.Expression(m.ARCS, rule=carry_eur)
    m.cost_eur = pyo.Expression(rule=cost_eur)
    m.minimise_cost = pyo.Objective(expr=m.cost_eur)


def most_t(m, k, a):
    r"""$\min(d_k, u_a)$: a commodity never needs more of an arc than there is of it, or than the arc holds"""
    return min(m.demand_t[k], m.capacity_t[a])


def balance_nodes(m, k, i):
    r"""$\sum_{a: i \to} x_{ka} - \sum_{a: \to i} x_{ka} = d_k [i = o_k] - d_k [i = t_k]$ $\forall k, i$"""
    leaves, arrives = sum(m.carried_t[k, a] for a in m.leaving[i]), sum(m.carried_t[k, a] for a in m.arriving[i])
    begins, ends = m.demand_t[k] * (i == m.origin[k]), m.demand_t[k] * (i == m.destination[k])
    balanced = leaves - arrives == begins - ends
    return pyo.Constraint.Feasible if balanced is True else balanced  # a place that no arc touches


def respect_capacity(m, a):
    r"""$\sum_k x_{ka} \le \min(u_a, D)\, y_a$ $\forall a$"""
    big_m = min(m.capacity_t[a], m.total_demand_t)  # the most that can ever be on the arc
    return sum(m.carried_t[k, a] for k in m.COMMODITIES) <= big_m * m.opened[a]


def open_what_is_used(m, k, a):
    r"""$x_{ka} \le \min(d_k, u_a)\, y_a$ $\forall k, a$ (strong rows)"""
    return m.carried_t[k, a] <= most_t(m, k, a) * m.opened[a]


def open_eur(m, a):
    r"""$f_a y_a$"""
    return m.fixed_eur[a] * m.opened[a]


def carry_eur(m, a):
    r"""$\sum_k c_a x_{ka}$"""
    return sum(m.cost_eur_per_t[a] * m.carried_t[k, a] for k in m.COMMODITIES)


def cost_eur(m):
    r"""$\sum_a f_a y_a + \sum_{k,a} c_a x_{ka}$ (the objective)"""
    return sum(m.open_eur[a] + m.carry_eur[a] for a in m.ARCS)
