"""The components of the objective, and where each unit of a variable takes in energy and what that emits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nbb_opt.model.data.periods import Floats, Ints, Time, sum_by

YEARLY = (
    "service", "road_energy", "road_running", "drivers", "handling", "cargo_time", "mode_constant", "carbon",
    "added_carbon_price", "emission_weight",
    "inputs", "public_charging", "fuel_substitution", "fleet_fixed", "charger_fixed", "project_fixed",
)  # fmt: skip
ONCE = ("fleet_purchase", "charger_purchase", "project_purchase")
BACK = ("fleet_grant", "fleet_resale", "charger_residual", "project_residual")
ALL = YEARLY + ONCE + BACK
PAID = dict.fromkeys(YEARLY, "yearly") | dict.fromkeys(ONCE, "once") | dict.fromkeys(BACK, "recovered")


def factors(component: str, time: Time, paid: str = "") -> Floats:
    """Discount factor of the component in each period and, last, at the horizon (periods + 1); `paid` as in `PAID`."""
    yearly = (paid or PAID[component]) == "yearly"
    return np.append(time.yearly_factor if yearly else time.once_factor, 0.0 if yearly else time.horizon_factor)


def shared_name(component: str) -> str:
    """Name under which the blocks share the terms of a component; one row per period and one for the horizon."""
    return f"amount_eur {component}"


def in_order(components: Mapping[str, str]) -> dict[str, str]:
    """Components with how they are paid, those of the project first, in its order.

    >>> in_order({"tyres": "yearly", "fleet_grant": "recovered", "service": "yearly"})
    {'service': 'yearly', 'fleet_grant': 'recovered', 'tyres': 'yearly'}
    """
    return {name: components[name] for name in [*ALL, *components] if name in components}


@dataclass(frozen=True, kw_only=True)
class EmissionEntries:
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


def ledger_of(frame: pd.DataFrame) -> EmissionEntries:
    """Add up the rows of one (col, country, mode, carrier, area) and drop those that are zero."""
    key = ["col", "t", "country", "mode", "carrier", "area"]
    total = frame.groupby(key, sort=True)[["kwh", "ttw_kg", "wtt_kg"]].sum().reset_index()
    total = total[(total["kwh"] != 0) | (total["ttw_kg"] != 0) | (total["wtt_kg"] != 0)]
    whole = {name: total[name].to_numpy(np.int64) for name in key}
    return EmissionEntries(**whole, **{name: total[name].to_numpy(float) for name in ("kwh", "ttw_kg", "wtt_kg")})
