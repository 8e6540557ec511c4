"""The tonnes of every bundle by shipper: how the emissions of a chain are split over those whose goods it carries."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from nbb_opt.recompute.demand import FLOW, SHIPPER, demand_of
from nbb_opt.recompute.world import World, join

UNNAMED = "(unnamed)"  # written where a shipper has no name


def shipper_shares(world: World, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Columns bundle, year, shipper, share: parts of a bundle's tonnes in a period, which add up to 1.

    Demand without shippers is that of one shipper without a name, "". Memory grows with the rows of distinct flow and
    shipper, not with batches; each is in the file once, so that their order does not matter.
    """
    pairs = tables["demand"][["bundle", "year"]]
    if not any(world.instance.shippers):
        return pairs.assign(shipper="", share=1.0).astype({SHIPPER: "str"})
    tonnes = demand_of(world, shippers=True).pipe(join, tables["bundles"], on=FLOW)
    tonnes = tonnes.sort_values(["bundle", "year", SHIPPER], kind="stable").reset_index(drop=True)
    whole = tonnes.groupby(["bundle", "year"])["tonnes"].transform("sum")
    return tonnes.assign(share=tonnes["tonnes"] / whole)[["bundle", "year", SHIPPER, "share"]]


def shown(shipper: str) -> str:
    """The name of a shipper as reports write it.

    >>> shown("LKAB"), shown("")
    ('LKAB', '(unnamed)')
    """
    return shipper or UNNAMED
