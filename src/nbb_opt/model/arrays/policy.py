"""The rules of the instance."""

from __future__ import annotations

import numpy as np

from nbb_opt.instance.schema import MODES, ZERO_EMISSION
from nbb_opt.model.arrays.assembly import Assembly
from nbb_opt.model.arrays.terms import Terms
from nbb_opt.model.data.assets import Policy
from nbb_opt.model.data.model_data import ModelData
from nbb_opt.model.data.periods import Names


def add_caps(a: Assembly, data: ModelData) -> None:
    r"""Emit no more than allowed in the period that contains the year of a cap, or in every period. Emissions are WTW.

    Constraints
        cap_emissions          $\sum_n (ttw_{nt} + wtt_{nt}) \le 1000\, value$   [kg]
    """
    _cap_emissions(a, data, _rules(data, "cap_emissions_t_per_year"))


def add_policy(a: Assembly, data: ModelData) -> None:
    r"""Obey technology shares, bans, budgets and driver hours.

    A rule holds in the period that contains its year (a ban: in every period that starts in or after it), or in every
    period. $n$ is the country of the rule; without one it holds for all countries together.

    Constraints
        cap_technology         $\sum_{g,\, v \in tech} z_{gvt} \le value \sum_{gv} z_{gvt}$   lanes based in $n$
        ban_purchase           $\sum_{r \in n,\, v \in tech} b_{rvt} \le 0$
        require_zero_emission  $\sum_{r \in n,\, v\ \text{zero-emission}} b_{rvt} \ge value \sum_{r \in n,\, v} b_{rvt}$
        spend_within_budget    $\sum_a share_{an}\, capex_a (w_{at} - w_{a,t-1}) \le value$   ideas $a$
        respect_driver_hours   $driver\_h_{nt} \le driver\_limit\_h_{nt}$   $\forall n,t$ with a limit
    """
    _cap_technology(a, data, _rules(data, "cap_technology_share"))
    _ban_purchase(a, data, _rules(data, "ban_purchase"))
    _require_zero_emission(a, data, _rules(data, "require_zero_emission_share"))
    _limit_budget(a, data, _rules(data, "limit_budget_eur"))
    _limit_driver_hours(a, data)


def add_mode_shift(a: Assembly, data: ModelData) -> None:
    r"""Change modes no faster than the instance says.

    The rows leave out flows that are new in a period. A model whose flows are given leaves out the block.

    Constraints
        limit_mode_shift   $\sum_c x_{ct} \le \sum_c (q_{bt} / q_{b,t-1}) x_{c,t-1} + value\, \ell_{t-1}
            \sum_b q_{bt}$   per commodity and main mode, over bundles with demand in both periods
    """
    _limit_mode_shift(a, data, _rules(data, "limit_mode_shift_share_per_year"))


Rules = list[tuple[Policy, int]]


def _rules(data: ModelData, kind: str) -> Rules:
    return [(policy, t) for policy in data.policies if policy.kind == kind for t in policy.periods]


def _index(data: ModelData, rules: Rules) -> list[tuple[str, int]]:
    return [(policy.name, int(data.time.years[t])) for policy, t in rules]


def _cap_emissions(a: Assembly, data: ModelData, rules: Rules) -> None:
    size = data.time.size
    terms = Terms(len(rules))
    for shared in ("emissions_ttw_kg", "emissions_wtt_kg") if rules else ():
        place, column, kg = a.share(shared, len(data.base.countries) * size).merged()
        for row, (policy, t) in enumerate(rules):
            mine = (place % size == t) & ((policy.country < 0) | (place // size == policy.country))
            terms.add(np.full(int(mine.sum()), row), column[mine], kg[mine])
    side = np.array([1000.0 * policy.value for policy, _ in rules])
    a.add_rows("cap_emissions", _index(data, rules), terms, sense="<=", side=side)


def _cap_technology(a: Assembly, data: ModelData, rules: Rules) -> None:
    d = data.driving
    technology = np.array(data.trucks.technology, object)[d.vehicle]
    country = data.base.region_country[d.region]
    column = a.start["driven_vkm"] + np.arange(len(d.lane))
    terms = Terms(len(rules))
    for row, (policy, t) in enumerate(rules):
        mine = (d.t == t) & ((policy.country < 0) | (country == policy.country))
        part = d.loaded_vkm[mine] * (np.where(technology[mine] == policy.technology, 1.0, 0.0) - policy.value)
        terms.add(np.full(int(mine.sum()), row), column[mine], part)
    a.add_rows("cap_technology", _index(data, rules), terms, sense="<=")


def _ban_purchase(a: Assembly, data: ModelData, rules: Rules) -> None:
    s = data.stock
    technology = np.array(data.trucks.technology, object)[s.vehicle[s.bought_pair]]
    country = data.base.region_country[s.region[s.bought_pair]]
    column = a.start["bought"] + np.arange(len(s.bought_t))
    terms = Terms(len(rules))
    for row, (policy, t) in enumerate(rules):
        mine = (s.bought_t == t) & ((policy.country < 0) | (country == policy.country))
        mine &= technology == policy.technology
        terms.add(np.full(int(mine.sum()), row), column[mine], 1.0)
    a.add_rows("ban_purchase", _index(data, rules), terms, sense="<=")


def _require_zero_emission(a: Assembly, data: ModelData, rules: Rules) -> None:
    s = data.stock
    clean = np.isin(np.array(data.trucks.technology, str), ZERO_EMISSION)[s.vehicle[s.bought_pair]]
    country = data.base.region_country[s.region[s.bought_pair]]
    column = a.start["bought"] + np.arange(len(s.bought_t))
    terms = Terms(len(rules))
    for row, (policy, t) in enumerate(rules):
        mine = (s.bought_t == t) & ((policy.country < 0) | (country == policy.country))
        terms.add(np.full(int(mine.sum()), row), column[mine], np.where(clean[mine], 1.0, 0.0) - policy.value)
    a.add_rows("require_zero_emission", _index(data, rules), terms, sense=">=")


def _limit_budget(a: Assembly, data: ModelData, rules: Rules) -> None:
    p = data.projects
    at = np.full((len(p.names), data.time.size), -1, np.int64)
    at[p.project, p.t] = a.start.get("built", 0) + np.arange(len(p.project))
    terms = Terms(len(rules))
    ideas = np.flatnonzero(p.ideas)
    for row, (policy, t) in enumerate(rules):
        eur = p.capex_eur[ideas] * (p.funding[ideas, policy.country] if policy.country >= 0 else 1.0)
        terms.add(np.full(len(eur), row), at[ideas, t], eur)
        if t:
            terms.add(np.full(len(eur), row), at[ideas, t - 1], -eur)
    side = np.array([policy.value for policy, _ in rules])
    a.add_rows("spend_within_budget", _index(data, rules), terms, sense="<=", side=side)


def _limit_driver_hours(a: Assembly, data: ModelData) -> None:
    size, limit = data.time.size, data.base.driver_limit_h
    country, t = np.nonzero(~np.isnan(limit))
    place = np.full(limit.shape, -1, np.int64)
    place[country, t] = np.arange(len(country))
    row, column, hours = a.share("driver_h", limit.size).merged()
    row = place[row // size, row % size]
    limited = row >= 0
    terms = Terms(len(country)).add(row[limited], column[limited], hours[limited])
    years = data.time.years[t].tolist()
    index = [(data.base.countries[n], year) for n, year in zip(country.tolist(), years, strict=True)]
    a.add_rows("respect_driver_hours", index, terms, sense="<=", side=limit[country, t])


def _limit_mode_shift(a: Assembly, data: ModelData, rules: Rules) -> None:
    flows, demand = data.flows, data.prepared.demand_t
    commodities = data.instance["commodities"]["commodity"].tolist()
    of_bundle = Names(commodities).of(data.prepared.bundles["commodity"])
    column = a.start["carried_t"] + np.arange(len(flows.t))
    index: list[tuple[str, str, str, int]] = []
    side: list[float] = []
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for policy, t in (rule for rule in rules if rule[1] > 0):
        both = (demand[:, t] > 0) & (demand[:, t - 1] > 0) & ~data.sourcing.chosen
        now, then = (flows.t == t) & (flows.now > 0), (flows.t == t - 1) & (flows.grows > 0)
        for of_class in np.unique(flows.mode_class[now]).tolist():
            k, m = divmod(of_class, len(MODES))
            same = flows.mode_class == of_class
            here, past = np.flatnonzero(now & same), np.flatnonzero(then & same)
            found.append((np.full(len(here), len(index)), column[here], flows.now[here]))
            found.append((np.full(len(past), len(index)), column[past], -flows.grows[past]))
            total = float(demand[both & (of_bundle == k), t].sum())
            index.append((policy.name, commodities[k], MODES[m], int(data.time.years[t])))
            side.append(policy.value * float(data.time.lengths[t - 1]) * total)
    terms = Terms(len(index))
    for row, col, value in found:
        terms.add(row, col, value)
    a.add_rows("limit_mode_shift", index, terms, sense="<=", side=np.array(side))
