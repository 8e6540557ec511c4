"""Who supplies what plants need by their recipes."""

from __future__ import annotations

import numpy as np

from nbb_opt.model.arrays.assembly import Assembly
from nbb_opt.model.arrays.keys import Keys
from nbb_opt.model.arrays.share import share_costs
from nbb_opt.model.arrays.terms import Terms
from nbb_opt.model.data.costs import shared_name
from nbb_opt.model.data.model_data import ModelData
from nbb_opt.model.data.periods import Ints, Names
from nbb_opt.model.data.sourcing import NEED, OFFER, PAIR


def add_sourcing(a: Assembly, data: ModelData) -> None:
    r"""Choose who supplies what plants need by their recipes; `add_flow` has it carried.

    Variables
        supplied_t   $y_{sikt} \ge 0$   tonnes of input $k$ that supplier $s$ sells to plant $i$   [t/year]

    Constraints
        meet_recipe                 $\sum_s y_{sikt} = t\_per\_t_{ik}\, made_{it}$   $\forall i,k,t$
        respect_supplier_capacity   $\sum_i y_{sikt} \le capacity_{sk}$   $\forall s,k,t$ with a limit
        keep_region_share           $\sum_{s\ \text{in region}} y_{sikt} \ge region\_share_{ik} \sum_s y_{sikt}$

    Contributes
        cost_eur   $\sum_{sik} price_{sk} (y_{sikt} - \bar y_{sikt})$
    """
    s, time, size = data.sourcing, data.time, data.time.size
    years = time.years
    pair = _words(*(s.of_pair(name) for name in PAIR))
    column = a.add_variables("supplied_t", Keys(*pair, years[s.t]), typical=s.usual_t)
    need, offer, maker = (s.of_pair(name) for name in ("need", "offer", "made_by"))

    needs = np.flatnonzero(s.needed.ravel())
    row = np.full(s.needed.size, -1, np.int64)
    row[needs] = np.arange(len(needs))
    terms = Terms(len(needs)).add(row[need * size + s.t], column, 1.0)
    sites = s.sites.of(s.recipes["site"])
    t_per_t = s.recipes["t_per_t"].to_numpy(float)
    for k in range(len(sites)):  # what a plant sells it makes, and needs inputs for
        sold = np.flatnonzero((maker == sites[k]) & s.needed[k, s.t])
        terms.add(row[k * size + s.t[sold]], column[sold], -t_per_t[k])
    where = Keys(*_words(*(s.recipes[name].to_numpy()[needs // size] for name in NEED)), years[needs % size])
    side = (t_per_t[:, None] * s.makes_t[sites]).ravel()[needs]
    a.add_rows("meet_recipe", where, terms, sense="==", side=side)

    capacity = s.suppliers["capacity_t_per_year"].to_numpy(float)
    code = offer * size + s.t
    limited = np.isfinite(capacity[offer])
    rows, row = np.unique(code[limited], return_inverse=True)
    where = Keys(*_words(*(s.suppliers[name].to_numpy()[rows // size] for name in OFFER)), years[rows % size])
    terms = Terms(len(rows)).add(row, column[limited], 1.0)
    a.add_rows("respect_supplier_capacity", where, terms, sense="<=", side=capacity[rows // size])

    code, share = need * size + s.t, s.region_share[need, s.t]
    rows, row = np.unique(code[share > 0], return_inverse=True)
    where = Keys(*_words(*(s.recipes[name].to_numpy()[rows // size] for name in NEED)), years[rows % size])
    counted = s.of_pair("in_region").astype(float) - share
    a.add_rows("keep_region_share", where, Terms(len(rows)).add(row, column[share > 0], counted[share > 0]), sense=">=")

    price = s.suppliers["price_eur_per_t"].to_numpy(float)
    share_costs(a, data, column=column, t=s.t, cost_eur={"inputs": price[offer]})
    a.share(shared_name("inputs"), size + 1).constant[:size] -= price @ s.contract_t


def supplied_on(a: Assembly, data: ModelData, place: Ints, terms: Terms) -> None:
    """Take what is supplied on each flow and period (rows `place` of bundles times periods, -1: none) from its row."""
    s = data.sourcing
    if "supplied_t" not in a.start or not len(s.pair):
        return
    bundle, column = s.of_pair("bundle"), a.start["supplied_t"] + np.arange(len(s.pair))
    carried = bundle >= 0
    terms.add(place[(bundle * data.time.size + s.t)[carried]], column[carried], -1.0)


def _words(*columns: np.ndarray) -> list[tuple[Names, Ints]]:
    """Parts of keys from columns of texts."""
    found = []
    for texts in columns:
        names = Names(sorted(set(texts.tolist())))
        found.append((names, names.of(texts)))
    return found
