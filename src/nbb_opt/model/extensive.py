"""The extensive form of a two-stage plan: one Pyomo model with a block per future, whose first decisions are the same.

Source: J. R. Birge, F. Louveaux, Introduction to Stochastic Programming (2011), section 2; conditional value at risk as
in R. T. Rockafellar, S. Uryasev, Optimization of conditional value-at-risk, Journal of Risk 2 (2000).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pyomo.environ as pyo

from nbb_opt.model.build import Built

Aim = Literal["cost", "regret"]


def first_stage(built: Built, kinds: Sequence[str], years: Sequence[int]) -> dict[str, Any]:
    """Variables of some kinds, for the given periods, by name."""
    found = {}
    for kind in kinds:
        variables = built.model.component(kind)
        for key in variables or ():
            if key[-1] in years:
                found[variables[key].local_name] = variables[key]
    return found


def extensive_form(
    futures: Mapping[str, Built], weight: Mapping[str, float], kinds: Sequence[str], years: Sequence[int], *,
    risk: float = 0.0, tail: float = 0.2, aim: Aim = "cost", best_eur: Mapping[str, float] | None = None,
) -> pyo.ConcreteModel:  # fmt: skip
    r"""One model of all futures $s$ with probabilities $p_s$ (`weight`); it takes the Pyomo models over as its blocks.

    Decisions of some `kinds` for `years` that every future knows are the same in all: $x_{si}=\bar x_i$. With $c_s$
    the cost of future $s$ minimised is $(1-\lambda)\sum_s p_s c_s+\lambda\,(\eta+\frac1\beta\sum_s p_s\delta_s)$,
    $\delta_s\ge c_s-\eta$, $\delta_s\ge0$: the mean, and with share $\lambda$ (`risk`) the mean of the dearest share
    $\beta$ (`tail`). With the aim "regret" it is the greatest $c_s$ less `best_eur`, the least cost of future $s$.
    """
    m = pyo.ConcreteModel(name="two stages")
    m.usual_size, m.decide_order = pyo.Suffix(), pyo.Suffix()
    first = {name: first_stage(built, kinds, years) for name, built in futures.items()}
    shared = sorted(set.intersection(*(set(mine) for mine in first.values())))
    m.FUTURES, m.SHARED = pyo.Set(initialize=list(futures)), pyo.Set(initialize=shared)
    m.chosen = pyo.Var(m.SHARED, domain=pyo.NonNegativeIntegers, doc=r"$\bar x_i$ first decisions, in every future")
    for name, built in futures.items():
        model = built.model
        model.minimise_cost.deactivate()
        for suffix in ("usual_size", "decide_order"):
            getattr(m, suffix).update(getattr(model, suffix))
            model.del_component(suffix)
        m.add_component(f"in_{name}", model)
    m.same = pyo.Constraint(m.FUTURES, m.SHARED, rule=lambda m, s, i: first[s][i] == m.chosen[i])
    cost = {name: built.model.cost_eur for name, built in futures.items()}
    usual_eur = 1e6
    if aim == "regret":
        assert best_eur is not None
        m.most_eur = pyo.Var(doc=r"greatest regret [EUR]")
        m.regret = pyo.Constraint(m.FUTURES, rule=lambda m, s: cost[s] - best_eur[s] <= m.most_eur)
        m.usual_size[m.most_eur] = usual_eur
        m.minimise = pyo.Objective(expr=m.most_eur)
        return m
    mean = sum(weight[s] * cost[s] for s in futures)
    if not risk:
        m.minimise = pyo.Objective(expr=mean)
        return m
    m.at_risk_eur = pyo.Var(doc=r"$\eta$ value at risk [EUR]")
    m.above_eur = pyo.Var(m.FUTURES, domain=pyo.NonNegativeReals, doc=r"$\delta_s$ cost above it [EUR]")
    m.tail_cost = pyo.Constraint(m.FUTURES, rule=lambda m, s: cost[s] - m.at_risk_eur <= m.above_eur[s])
    m.usual_size[m.at_risk_eur], m.usual_size[m.above_eur] = usual_eur, usual_eur
    tail_eur = m.at_risk_eur + sum(weight[s] * m.above_eur[s] for s in futures) / tail
    m.minimise = pyo.Objective(expr=(1 - risk) * mean + risk * tail_eur)
    return m
