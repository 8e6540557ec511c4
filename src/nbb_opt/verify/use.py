"""The plan's own table of how full links, terminals, chargers and grid connections are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nbb_opt.recompute.verdict import Checks, names
from nbb_opt.recompute.world import join

UNITS = {"link": "t", "terminal": "t", "charge_area": "kWh", "grid": "kW", "public_charging": "kWh"}


def check_use(said: pd.DataFrame, true: Mapping[str, pd.DataFrame], checks: Checks) -> None:
    """`agree_use`: each row says what was recomputed, and no row with a limit is left out.

    `true` gives for each kind columns row, year, used, limit (infinite if there is none).
    """
    unknown = said[~said["kind"].isin(list(true))]
    checks.hold(
        "agree_use", [False] * len(unknown), where=names(unknown, "use of {} {}: unknown kind", ["kind", "row"])
    )
    for kind, rows in true.items():
        both = rows.pipe(join, said[said["kind"] == kind], on=["row", "year"], how="outer", suffixes=("", "_said"))
        stated = both["unit"].notna()
        needed = np.isfinite(both["limit"]) & (both["used"] > 1e-3)
        where = names(both, "use of " + kind + " {} {}", ["row", "year"])
        checks.hold("agree_use", (stated | ~needed).to_numpy(), where=where)
        both = both[stated].reset_index(drop=True)
        where = names(both, "use of " + kind + " {} {}", ["row", "year"])
        checks.compare("agree_use", both["used_said"], "==", both["used"].fillna(0.0), where=where, unit=UNITS[kind])
        limit, said_limit = both["limit"].to_numpy(dtype=float), both["limit_said"].to_numpy(dtype=float)
        finite = np.isfinite(limit) & np.isfinite(said_limit)
        mine, said_one = np.where(finite, limit, 0.0), np.where(finite, said_limit, 0.0)
        close = np.abs(mine - said_one) <= 1e-9 * np.abs(mine)
        checks.hold("agree_use", np.where(finite, close, limit == said_limit), where=where)
        checks.hold("agree_use", (both["unit"] == UNITS[kind]).to_numpy(), where=where)
