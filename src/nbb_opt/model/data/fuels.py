"""Fuels that vehicles may take in instead of their own: the data of `replaced_kwh`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nbb_opt.instance import Instance
from nbb_opt.instance.schema import MODES
from nbb_opt.model.data.base import BaseData
from nbb_opt.model.data.costs import EmissionEntries
from nbb_opt.model.data.periods import Floats, Ints, Names, Time

USUAL_KWH = 2.0**20


@dataclass(frozen=True, kw_only=True)
class Fuels:
    """Substitutes (F), and columns of `replaced_kwh` (substitute, country, period) with figures per kWh replaced.

    `mode` and `replaces` (an energy carrier) say whose energy it is. A kWh of it takes `kwh_per_kwh` of `carrier`; at
    most `max_share` of the energy in a country can be replaced, with `kwh_per_year` of the substitute (infinite:
    unlimited) in all countries. `eur`, `ttw_kg`, `wtt_kg` are what a column changes: substitute less own carrier.
    """

    names: Names
    mode: Ints
    replaces: Ints
    carrier: Ints
    kwh_per_kwh: Floats
    max_share: Floats
    kwh_per_year: Floats
    fuel: Ints
    country: Ints
    t: Ints
    eur: Floats
    ttw_kg: Floats
    wtt_kg: Floats

    def together(self) -> Ints:
        """For every column the first of those that replace the same energy; -1 where it is the only one."""
        energy = np.column_stack([self.mode[self.fuel], self.replaces[self.fuel], self.country, self.t])
        _, first, which, count = np.unique(energy, axis=0, return_index=True, return_inverse=True, return_counts=True)
        return np.where(count > 1, first, -1)[which.ravel()]

    def energy_of(self, ledger: EmissionEntries, fuel: int) -> Ints:
        """Entries of a ledger whose energy the substitute may replace."""
        return np.flatnonzero((ledger.mode == self.mode[fuel]) & (ledger.carrier == self.replaces[fuel]))


def fuels_of(instance: Instance, base: BaseData, time: Time, *, allowed: bool) -> Fuels:
    """A column wherever both carriers have a price, from `available_from` on; `allowed` False: none."""
    table = instance["fuel_substitutes"]
    own, other = (base.carriers.of(table[column]) for column in ("replaces", "energy_carrier"))
    ratio, since = table["kwh_per_kwh"].to_numpy(float), table["available_from"].to_numpy(np.int64)

    def change(amount: Floats) -> Floats:
        """(substitutes, countries, periods)."""
        found: Floats = ratio[:, None, None] * amount[other] - amount[own]
        return found

    eur, ttw_kg, wtt_kg = (change(amount) for amount in (base.energy_price, base.energy_ttw, base.energy_wtt))
    exists = ~np.isnan(eur) & (since[:, None, None] <= time.years) & allowed
    return Fuels(
        names=Names(table["substitute"]), mode=Names(MODES).of(table["mode"]), replaces=own, carrier=other,
        kwh_per_kwh=ratio, max_share=table["max_share"].to_numpy(float),
        kwh_per_year=table["kwh_per_year"].fillna(np.inf).to_numpy(float),
        **dict(zip(("fuel", "country", "t"), np.nonzero(exists), strict=True)),
        eur=eur[exists], ttw_kg=ttw_kg[exists], wtt_kg=wtt_kg[exists],
    )  # fmt: skip
