r"""Build projects, never take them back, and use what needs them only then.

$w_{at}$ exists from the first period that starts in or after `earliest_year`; before, it is zero.
$least_{at}$ is 1 for what is decided, and from `required_from_year` on, else 0.
$\Delta w_{at} = w_{at} - w_{a,t-1}$.
"""

from __future__ import annotations

import pyomo.environ as pyo
from pyomo.environ import quicksum

from nbb_opt.model.blocks import at


def units(m, project, year):
    """Binary where one unit is all there can be."""
    return pyo.Binary if m.max_units[project] == 1 else pyo.NonNegativeIntegers


def in_service(m, project, year):
    """$w_{at}$, zero before its time."""
    return at(m.built, project, year)


def newly_built(m, project, year):
    r"""$\Delta w_{at}$"""
    return in_service(m, project, year) - in_service(m, project, m.previous.get(year))


def added(m, adds, year):
    r"""$\sum_a adds_a w_{at}$"""
    return sum(amount * in_service(m, a, year) for a, amount in adds)


def use_only_built(m, origin, destination, commodity, project, year):
    r"""$\sum_{c \in b_a} x_{ct} \le most_{bt} w_{at} \quad \forall b,a,t$; $b_a$ are the chains of $b$ that need $a$,
    $most_{bt}$ is $q_{bt}$, or what it can be where suppliers are chosen"""
    flow = origin, destination, commodity
    # big-M: the chains of flow b carry the demand of b together
    most = m.demand_t[*flow, year] + at(m.more_t, *flow, year)
    carried = quicksum(m.carried_t[*c, year] for c in m.chains_needing[*flow, project, year])
    return carried <= most * m.built[project, year]


def keep_built(m, project, year):
    r"""$\Delta w_{at} \ge 0 \quad \forall a,t$"""
    return newly_built(m, project, year) >= 0


def require_project(m, project, required, year):
    r"""$w_{at} \le max\_units_a\, w_{bt} \quad \forall a,t$ and $b$ required by $a$"""
    # big-M: there are at most max_units of a
    return m.built[project, year] <= m.max_units[project] * in_service(m, required, year)


def exclude_project(m, project, other, year):
    r"""$w_{at} / max\_units_a + w_{bt} / max\_units_b \le 1 \quad \forall t$ and $a,b$ of which one
    excludes the other"""
    return m.built[project, year] / m.max_units[project] + m.built[other, year] / m.max_units[other] <= 1


def project_fixed(m, year):
    r"""$\sum_a fixed_a w_{at}$"""
    return sum(m.project_fixed_eur[a] * in_service(m, a, year) for a in m.projects)


def project_purchase(m, year):
    r"""$\sum_a capex_a \Delta w_{at}$"""
    return sum(m.project_capex_eur[a] * newly_built(m, a, year) for a in m.projects)


def project_residual(m, year):
    r"""$-\sum_{at} left_{at}\, capex_a \Delta w_{at}$ at the horizon, $left_{at} =
    (1 - (1+\rho)^{-(L_a - y_H + y_t)}) / (1 - (1+\rho)^{-L_a})$ or 0: annuities of the years left over those of all"""
    left, made = m.project_value_left, m.project_years if year == m.horizon else ()
    return -sum(left[a, u] * m.project_capex_eur[a] * newly_built(m, a, u) for a, u in made)
