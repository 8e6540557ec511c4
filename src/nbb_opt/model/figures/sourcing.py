"""Plants with recipes, and who may supply what they need."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbb_opt.model.data.model_data import ModelData
from nbb_opt.model.data.sourcing import FLOW, NEED, OFFER, PAIR
from nbb_opt.model.figures.names import Figure, Members, Named, limits


def sourcing_figures(data: ModelData, named: Named) -> dict[str, Any]:
    """Everything of `supplied_t`."""
    s, years = data.sourcing, named.years
    year = named.year(s.t)
    pairs, needs, offers = (
        list(table[names].itertuples(index=False, name=None))
        for table, names in ((s.pairs, PAIR), (s.recipes, NEED), (s.suppliers, OFFER))
    )
    column = [pairs[p] for p in s.pair.tolist()]
    supplies = [(*pair, t) for pair, t in zip(column, year, strict=True)]
    flows = list(s.pairs[FLOW].itertuples(index=False, name=None))
    maker = s.of_pair("made_by")
    need_years = [
        (k, t, (*needs[k], years[t])) for k, t in zip(*(x.tolist() for x in np.nonzero(s.needed)), strict=True)
    ]
    target = [(key, s.region_share[k, t]) for k, t, key in need_years if s.region_share[k, t] > 0]
    names = [sorted({pair[i] for pair in pairs}) for i in range(3)]
    chosen = np.flatnonzero(s.chosen)
    chosen_flows = list(data.prepared.bundles[FLOW].iloc[chosen].itertuples(index=False, name=None))
    by_flow = [(*flow, y) for flow in chosen_flows for y in years]
    ends = [sorted({flow[i] for flow in [*flows, *chosen_flows]}) for i in range(3)]
    supplied_on = Members(
        "supplied_on",
        [(*flows[p], y) for p, y in zip(s.pair.tolist(), year, strict=True)],
        column,
        parts=[*ends, years],
    )
    made = np.flatnonzero(maker >= 0).tolist()
    return {
        "supplies": supplies,
        "supplied_on": supplied_on,
        "suppliers_of": Members(
            "suppliers_of", [(i, k, y) for _, i, k, y in supplies], [pair[0] for pair in column],
            parts=[sorted({site for site, _ in needs}), sorted({k for _, k in needs}), years],
        ),
        "sites_served": Members(
            "sites_served", [(p, k, y) for p, _, k, y in supplies], [pair[1] for pair in column],
            parts=[names[0], names[2], years],
        ),
        "sold_by": Members(
            "sold_by", [(s.sites[maker[c]], year[c]) for c in made], [column[c] for c in made],
            parts=[s.sites.ids, years],
        ),
        "need_years": [key for _, _, key in need_years],
        "t_per_t": Figure("t_per_t", needs, s.recipes["t_per_t"]),
        "makes_t": Figure("makes_t", [(i, y) for i in s.sites.ids for y in years], s.makes_t.ravel()),
        "supplier_capacity_t": limits("supplier_capacity_t", offers, s.suppliers["capacity_t_per_year"]),
        "input_price_eur_per_t": Figure("input_price_eur_per_t", offers, s.suppliers["price_eur_per_t"]),
        "upstream_kg_per_t": Figure("upstream_kg_per_t", offers, s.suppliers["upstream_kg_co2e_per_t"]),
        "in_region": Figure("in_region", offers, s.suppliers["in_region"].astype(float)),
        "region_share": Figure("region_share", [key for key, _ in target], [share for _, share in target]),
        "contract_t": Figure("contract_t", [(*offer, y) for offer in offers for y in years], s.contract_t.ravel()),
        "contracted_t": Figure("contracted_t", by_flow, (data.prepared.demand_t - s.fixed_t)[chosen].ravel()),
        "more_t": Figure("more_t", by_flow, (s.most_t - data.prepared.demand_t)[chosen].ravel()),
        "usual_supply_t": s.usual_t,
    }  # fmt: skip
