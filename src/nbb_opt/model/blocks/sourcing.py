r"""Choose who supplies what plants need by their recipes, and carry it.

$i$ is a plant, $k$ an input, $s$ a supplier, $y_{sikt}$ exists where $s$ offers $k$ in $t$ and some chain joins it to
$i$, or nothing has to be carried; $\bar y_{sikt}$ is today's contract, which demand $q_{bt}$ holds. Goods bought at the
gate emit upstream of freight: `upstream_kg` is in no total of transport, and no cap or carbon price counts it.
"""

from __future__ import annotations

from pyomo.environ import quicksum

from nbb_opt.model.blocks import if_any


def made_t(m, site, year):
    r"""$made_{it} = amount_{it} + \sum_{s=i,\, i'k} (y_{si'kt} - \bar y_{si'kt})$: what it sells to other plants with
    recipes is part of it"""
    return m.makes_t[site, year] + quicksum(m.supplied_t[*pair, year] for pair in m.sold_by[site, year])


def sourced_t(m, origin, destination, commodity, year):
    r"""$\sum_{sik \in b} (y_{sikt} - \bar y_{sikt})$"""
    flow_year = origin, destination, commodity, year
    supplied = quicksum(m.supplied_t[*pair, year] for pair in m.supplied_on[flow_year])
    return supplied - m.contracted_t.get(flow_year, 0.0)


def meet_recipe(m, site, input, year):
    r"""$\sum_s y_{sikt} = t\_per\_t_{ik}\, made_{it} \quad \forall i,k,t$"""
    supplied = quicksum(m.supplied_t[s, site, input, year] for s in m.suppliers_of[site, input, year])
    return if_any(supplied == m.t_per_t[site, input] * m.made_t[site, year])


def respect_supplier_capacity(m, supplier, input, year):
    r"""$\sum_i y_{sikt} \le capacity_{sk} \quad \forall s,k,t$ with a limit"""
    sold = quicksum(m.supplied_t[supplier, i, input, year] for i in m.sites_served[supplier, input, year])
    return sold <= m.supplier_capacity_t[supplier, input]


def keep_region_share(m, site, input, year):
    r"""$\sum_{s\ \text{in region}} y_{sikt} \ge region\_share_{ik} \sum_s y_{sikt} \quad \forall i,k,t$ with a
    target"""
    share = m.region_share[site, input, year]
    offers = [(s, m.in_region[s, input]) for s in m.suppliers_of[site, input, year]]
    return if_any(quicksum((inside - share) * m.supplied_t[s, site, input, year] for s, inside in offers) >= 0)


def inputs(m, year):
    r"""$\sum_{sik} price_{sk} (y_{sikt} - \bar y_{sikt})$: what inputs cost at the gate above today's contracts"""
    price, supplies = m.input_price_eur_per_t, [supply for supply in m.supplies if supply[-1] == year]
    bought = quicksum(price[s, k] * m.supplied_t[s, i, k, t] for s, i, k, t in supplies)
    return bought - sum(price[s, k] * m.contract_t[s, k, year] for s, k in price)


def upstream_kg(m, year):
    r"""$\sum_{sik} upstream_{sk}\, y_{sikt}$, emitted before inputs leave the gate"""
    return quicksum(m.upstream_kg_per_t[s, k] * m.supplied_t[s, i, k, t] for s, i, k, t in m.supplies if t == year)
