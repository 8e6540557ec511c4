"""Where each unit of a variable takes in energy and what that emits: one sparse table per kind of variable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nbb_opt.model.data.periods import Floats, Ints, sum_by


@dataclass(frozen=True)
class Ledger:
    """Per unit of column `col`: kWh, TTW and WTT kg of a carrier in a country.

    `carrier` is -1 for a transfer, `area` -1 where no charging area is drawn from;
    `mode` is 0 road, 1 rail, 2 sea, 3 ferry, 4 transfer.
    """

    col: Ints
    t: Ints
    country: Ints
    mode: Ints
    carrier: Ints
    area: Ints
    kwh: Floats
    ttw_kg: Floats
    wtt_kg: Floats

    def carbon_eur(self, columns: int, *, price_eur_per_t: Floats, base: str) -> Floats:
        """Carbon cost per unit of each column; price is (countries, periods), base TTW or WTW."""
        kg = self.ttw_kg if base == "TTW" else self.ttw_kg + self.wtt_kg
        paid = kg / 1000.0 * price_eur_per_t[self.country, self.t]
        return sum_by(self.col, paid, size=columns)


def ledger_of(frame: pd.DataFrame) -> Ledger:
    """Add up the rows of one (col, country, mode, carrier, area) and drop those that are zero."""
    key = ["col", "t", "country", "mode", "carrier", "area"]
    total = frame.groupby(key, sort=True)[["kwh", "ttw_kg", "wtt_kg"]].sum().reset_index()
    total = total[(total["kwh"] != 0) | (total["ttw_kg"] != 0) | (total["wtt_kg"] != 0)]
    whole = [total[name].to_numpy(np.int64) for name in key]
    parts = [total[name].to_numpy(float) for name in ("kwh", "ttw_kg", "wtt_kg")]
    return Ledger(*whole, *parts)
