"""Plants with recipes and who may supply them: the data of `supplied_t`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nbb_opt.errors import ModelError
from nbb_opt.instance import Instance, by_period, supplies_of
from nbb_opt.model.data.periods import Floats, Ints, Names, Time

if TYPE_CHECKING:
    from nbb_opt.network import Prepared

FLOW = ["origin", "destination", "commodity"]
NEED, OFFER, PAIR = ["site", "input"], ["supplier", "input"], ["supplier", "site", "input"]


@dataclass(frozen=True, kw_only=True)
class Sourcing:
    """Columns of `supplied_t`: `pair` (a row of `pairs`) and period `t`.

    `pairs` are those of `supplies_of` with positions: `bundle` that carries it (-1 within a place), `need` (a row of
    `recipes`), `offer` (of `suppliers`), `made_by` (of `sites`; -1: a plant without recipes, or none). By plant and
    period, `makes_t` is what it makes beside what it sells to plants with recipes. By need and period, `needed` says
    whether the plant makes something or may, `region_share` is the target (NaN: none). By bundle and period, `fixed_t`
    is demand without its contracts and `more_t` the most that suppliers may add to it; `chosen` are the bundles that
    suppliers may use at all. `contract_t` (offers, periods) is what contracts hold.
    """

    pairs: pd.DataFrame
    recipes: pd.DataFrame
    suppliers: pd.DataFrame
    sites: Names
    pair: Ints
    t: Ints
    makes_t: Floats
    needed: np.ndarray
    region_share: Floats
    fixed_t: Floats
    more_t: Floats
    chosen: np.ndarray
    contract_t: Floats

    def of_pair(self, column: str) -> np.ndarray:
        """A column of `pairs` for every column of `supplied_t`."""
        found: np.ndarray = self.pairs[column].to_numpy()[self.pair]
        return found

    @property
    def most_t(self) -> Floats:
        """The most a flow can be, by bundle and period."""
        most: Floats = self.fixed_t + self.more_t
        return most

    @property
    def usual_t(self) -> float:
        """A usual amount of one."""
        amounts = self.more_t[self.more_t > 0]
        return float(np.median(amounts)) if amounts.size else 1.0

    def carried(self, by_bundle: Ints, by_t: Ints) -> Sourcing:
        """Without the columns that no chain carries; chains there are for the given bundles and periods.

        Raises ModelError where nobody can deliver what a plant needs.
        """
        bundle, ways = self.of_pair("bundle"), np.zeros(self.more_t.shape, bool)
        ways[by_bundle, by_t] = True
        keep = (bundle < 0) | ways[bundle, self.t]
        found = replace(self, pair=self.pair[keep], t=self.t[keep])
        makes_t = self.makes_t[self.sites.of(self.recipes["site"])]
        lacking = (makes_t > 0) & (self.recipes["t_per_t"].to_numpy(float)[:, None] > 0)
        lacking[found.of_pair("need"), found.t] = False
        for k, t in np.argwhere(lacking)[:1].tolist():
            need = self.recipes.iloc[k]
            raise ModelError(
                f"{need['site']} needs {need['input']} in period {t + 1}, and nobody who sells it then can deliver it; "
                "add a supplier, or a way"
            )
        return found


def sourcing_of(instance: Instance, prepared: Prepared, time: Time, *, allowed: bool) -> Sourcing:
    """A column wherever a supplier offers what a plant needs, from `first_year` on; `allowed` False: none."""
    recipes, suppliers = instance["recipes"], instance["suppliers"]
    pairs, demand_t = supplies_of(instance), prepared.demand_t
    if not allowed:
        recipes, suppliers, pairs = (table.iloc[:0] for table in (recipes, suppliers, pairs))
    sites = Names(recipes["site"].drop_duplicates())
    bundles = prepared.bundles[FLOW].astype("str").reset_index(names="bundle")
    pairs = pairs.merge(bundles if len(pairs) else bundles.iloc[:0], on=FLOW, how="left")
    pairs = pairs.assign(
        bundle=pairs["bundle"].fillna(-1).astype(np.int64), made_by=sites.of(pairs["maker"]),
        need=pd.MultiIndex.from_frame(recipes[NEED]).get_indexer(pd.MultiIndex.from_frame(pairs[NEED])),
        offer=pd.MultiIndex.from_frame(suppliers[OFFER]).get_indexer(pd.MultiIndex.from_frame(pairs[OFFER])),
    )  # fmt: skip
    period = {year: t for t, year in enumerate(time.years.tolist())}

    makes_t = np.zeros((len(sites), time.size))
    made = by_period(instance, "sites") if len(sites) else instance["sites"].iloc[:0]
    made = made[(made["direction"] == "produces") & made["site"].isin(sites.ids)]
    np.add.at(makes_t, (sites.of(made["site"]), made["year"].map(period)), made["amount_t_per_year"])
    contract_t = np.zeros((len(pairs), time.size))
    held = by_period(instance, "supply_contracts") if len(pairs) else instance["supply_contracts"].iloc[:0]
    at = pd.MultiIndex.from_frame(pairs[PAIR]).get_indexer(pd.MultiIndex.from_frame(held[PAIR]))
    contract_t[at, held["year"].map(period).astype(np.int64)] = held["amount_t_per_year"]

    maker, bundle = pairs["made_by"].to_numpy(), pairs["bundle"].to_numpy()
    np.subtract.at(makes_t, maker[maker >= 0], contract_t[maker >= 0])
    most = makes_t.copy()
    sells = sites.of(suppliers["site"])
    np.add.at(most, sells[sells >= 0], suppliers["capacity_t_per_year"].to_numpy(float)[sells >= 0][:, None])
    needed_t = recipes["t_per_t"].to_numpy(float)[:, None] * most[sites.of(recipes["site"])]
    share, since = (recipes[name].to_numpy(float)[:, None] for name in ("region_share", "region_share_from_year"))

    capacity = pairs["capacity_t_per_year"].fillna(np.inf).to_numpy(float)[:, None]
    offered = pairs["first_year"].to_numpy(float)[:, None] <= time.years
    most_t = np.where(offered, np.minimum(capacity, needed_t[pairs["need"]]), 0.0)
    more_t, fixed_t = np.zeros(demand_t.shape), demand_t.copy()
    np.add.at(more_t, bundle[bundle >= 0], most_t[bundle >= 0])
    np.subtract.at(fixed_t, bundle[bundle >= 0], contract_t[bundle >= 0])
    held_t = np.zeros((len(suppliers), time.size))
    np.add.at(held_t, pairs["offer"].to_numpy(), contract_t)
    pair, t = np.nonzero(most_t > 0)
    return Sourcing(
        pairs=pairs, recipes=recipes, suppliers=suppliers, sites=sites, pair=pair, t=t, makes_t=makes_t,
        needed=needed_t > 0, region_share=np.where(np.nan_to_num(since, nan=-np.inf) <= time.years, share, np.nan),
        fixed_t=np.maximum(fixed_t, 0.0), more_t=more_t, chosen=np.isin(np.arange(len(demand_t)), bundle),
        contract_t=held_t,
    )  # fmt: skip
