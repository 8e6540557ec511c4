"""What is built."""

from __future__ import annotations

import numpy as np

from nbb_opt.model.arrays.assembly import Assembly
from nbb_opt.model.arrays.keys import Keys
from nbb_opt.model.arrays.share import share_costs
from nbb_opt.model.arrays.terms import Terms
from nbb_opt.model.data.base import flow_parts
from nbb_opt.model.data.costs import shared_name
from nbb_opt.model.data.model_data import ModelData
from nbb_opt.model.data.periods import Ints


def add_projects(a: Assembly, data: ModelData) -> None:
    r"""Build projects, never take them back, and use what needs them only then.

    A variable exists from the first period that starts in or after `earliest_year`; before, $w_{at} = 0$.
    $least_{at}$ is 1 for what is decided, and from `required_from_year` on, else 0.
    $\Delta w_{at} = w_{at} - w_{a,t-1}$.

    Variables
        built   $least_{at} \le w_{at} \le max\_units_a$ integer   units in service   [units]

    Constraints
        use_only_built    $\sum_{c \in b_a} x_{ct} \le most_{bt} w_{at}$   $\forall b,a,t$; $b_a$ are the chains of $b$
            that need $a$, $most_{bt}$ is the most that $b$ can be
        keep_built        $w_{at} \ge w_{a,t-1}$   $\forall a,t$
        require_project   $w_{at} \le max\_units_a\, w_{bt}$   $\forall a,t$ and $b$ required by $a$
        exclude_project   $w_{at} / max\_units_a + w_{bt} / max\_units_b \le 1$   $\forall t$ and $a,b$ of which one
            excludes the other

    Contributes
        cost_eur   $\sum_t D_t\, fixed_a w_{at} + d_t\, capex_a \Delta w_{at} - d_H\, capex_a
            left_{at}\, \Delta w_{at}$
    """
    p, time, flows = data.projects, data.time, data.flows
    most = p.max_units[p.project]
    index = Keys((p.names, p.project), time.years[p.t])
    column = a.add_variables("built", index, whole=True, low=p.least, up=most)
    at = np.full((len(p.names), time.size), -1, np.int64)
    at[p.project, p.t] = column

    if not flows.segments:  # segments belong to no flow: what their chains need is kept to where chains are chosen
        col, project = flows.needs
        code = (flows.bundle[col] * len(p.names) + project) * time.size + flows.t[col]
        _, first, row = np.unique(code, return_index=True, return_inverse=True)
        one, of, t = col[first], project[first], flows.t[col[first]]
        terms = Terms(len(first)).add(row, a.start["carried_t"] + col, 1.0)
        terms.add(np.arange(len(first)), at[of, t], -data.sourcing.most_t[flows.bundle[one], t])
        where = Keys(*flow_parts(data.prepared, data.base, flows.bundle[one]), (p.names, of), time.years[t])
        a.add_rows("use_only_built", where, terms, sense="<=")

    before = np.where(p.t > 0, at[p.project, p.t - 1], -1)
    later = np.flatnonzero(before >= 0)
    terms = Terms(len(later)).add(np.arange(len(later)), column[later], 1.0)
    terms.add(np.arange(len(later)), before[later], -1.0)
    a.add_rows("keep_built", index.take(later), terms, sense=">=")

    _add_pairs(a, data, at)
    left = time.value_left(p.lifetime)[p.project, p.t]
    capex = p.capex_eur[p.project]
    share_costs(a, data, column=column, t=p.t, cost_eur={
        "project_fixed": p.fixed_eur_per_year[p.project], "project_purchase": capex,
    })  # fmt: skip
    share_costs(a, data, column=before, t=p.t, cost_eur={"project_purchase": -capex})
    back = a.share(shared_name("project_residual"), time.size + 1)
    horizon = np.full(len(column), time.size)
    back.add(horizon, column, -capex * left).add(horizon, before, capex * left)


def _add_pairs(a: Assembly, data: ModelData, at: Ints) -> None:
    p, years = data.projects, data.time.years.tolist()
    needs = [(i, j, t) for i, j in p.requires for t in range(len(years)) if at[i, t] >= 0]
    row = np.arange(len(needs))
    i, j, t = np.array(needs, np.int64).reshape(-1, 3).T
    terms = Terms(len(needs)).add(row, at[i, t], 1.0).add(row, at[j, t], -p.max_units[i].astype(float))
    index = [(p.names[i], p.names[j], years[t]) for i, j, t in needs]
    a.add_rows("require_project", index, terms, sense="<=")

    rules_out = [(i, j, t) for i, j in p.excludes for t in range(len(years)) if at[i, t] >= 0 and at[j, t] >= 0]
    row = np.arange(len(rules_out))
    i, j, t = np.array(rules_out, np.int64).reshape(-1, 3).T
    terms = Terms(len(rules_out)).add(row, at[i, t], 1 / p.max_units[i]).add(row, at[j, t], 1 / p.max_units[j])
    index = [(p.names[i], p.names[j], years[t]) for i, j, t in rules_out]
    a.add_rows("exclude_project", index, terms, sense="<=", side=1.0)
