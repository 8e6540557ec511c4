"""The instance as the verifier sees it: periods, discounting, values by year, lookups by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pandas as pd

from nbb_opt.instance import Instance


@dataclass(frozen=True, kw_only=True)
class World:
    """Time and the by-year tables, one row per key and period (`year` = start year)."""

    instance: Instance
    years: tuple[int, ...]
    lengths: Mapping[int, int]
    yearly_weight: Mapping[int, float]
    once_weight: Mapping[int, float]
    horizon: int
    horizon_weight: float
    countries: pd.DataFrame
    vehicle_years: pd.DataFrame
    energy: pd.DataFrame
    public: pd.DataFrame
    _indexed: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False, compare=False)

    def table(self, name: str) -> pd.DataFrame:
        """A table of the instance."""
        return self.instance[name]

    def indexed(self, name: str) -> pd.DataFrame:
        """A table of the instance with its first column as index."""
        if name not in self._indexed:
            table = self.instance[name]
            self._indexed[name] = table.set_index(table.columns[0])
        return self._indexed[name]

    def energy_factor(self, links: pd.Series) -> np.ndarray:
        """Energy use over that on the level, of each link."""
        return links.map(self.indexed("gradients")["energy_factor"]).astype(float).fillna(1.0).to_numpy()

    def range_left(self, vehicles: pd.Series) -> np.ndarray:
        """Share of the range left at the end of life, of each vehicle."""
        return 1.0 - vehicles.map(self.indexed("battery_wear")["range_loss_share"]).astype(float).fillna(0.0).to_numpy()

    def break_per_drive_h(self, countries: pd.Series | np.ndarray) -> np.ndarray:
        """Hours of break per hour at the wheel, of each country."""
        rules = self.indexed("driving_rules")
        share = (rules["break_h"] / rules["drive_h"]).astype(float)
        return pd.Series(np.asarray(countries)).map(share).astype(float).fillna(0.0).to_numpy()

    def before(self, year: int) -> int | None:
        """Start year of the period before."""
        at = self.years.index(year)
        return self.years[at - 1] if at else None

    def period_of(self, year: float) -> int | None:
        """Start year of the period that contains calendar `year`."""
        return next((y for y in self.years if y <= year < y + self.lengths[y]), None)


@lru_cache(maxsize=1)  # a plan, its bars and their ledgers are all of one instance, which nobody can edit
def read_world(instance: Instance) -> World:
    """Work out weights and by-year values."""
    years = tuple(int(period.year) for period in instance.periods)
    lengths = {int(period.year): int(period.years) for period in instance.periods}
    first, rate = years[0], 1.0 + float(instance.meta.discount_rate)
    horizon = years[-1] + lengths[years[-1]]
    return World(
        instance=instance,
        years=years,
        lengths=lengths,
        yearly_weight={y: sum(rate ** -(y - first + k) for k in range(lengths[y])) for y in years},
        once_weight={y: rate ** -(y - first) for y in years},
        horizon=horizon,
        horizon_weight=rate ** -(horizon - first),
        countries=values_in_periods(
            instance["country_years"],
            ["country"],
            ["driver_cost_eur_per_h", "carbon_price_eur_per_t", "driver_limit_h_per_year"],
            years,
        ),
        vehicle_years=values_in_periods(
            instance["vehicle_years"],
            ["vehicle"],
            ["capex_eur", "fixed_eur_per_year", "running_eur_per_vkm", "empty_kwh_per_vkm", "full_kwh_per_vkm"],
            years,
        ),
        energy=values_in_periods(
            instance["energy"],
            ["energy_carrier", "country"],
            ["price_eur_per_kwh", "ttw_kg_co2e_per_kwh", "wtt_kg_co2e_per_kwh"],
            years,
        ),
        public=values_in_periods(
            instance["public_charging"],
            ["charge_area"],
            ["kwh_per_year", "kw", "price_add_eur_per_kwh"],
            years,
        ),
    )


def values_in_periods(
    table: pd.DataFrame, keys: Sequence[str], columns: Sequence[str], years: Sequence[int]
) -> pd.DataFrame:
    """Rows of `keys` x `years`; `columns` linear between the given years, no row outside them.

    >>> given = pd.DataFrame({"v": ["a", "a"], "year": [2020, 2030], "x": [1.0, 3.0]})
    >>> values_in_periods(given, ["v"], ["x"], [2025, 2030, 2035]).values.tolist()
    [['a', 2025, 2.0], ['a', 2030, 3.0]]
    """
    ordered = table.sort_values([*keys, "year"], kind="stable")
    given = ordered["year"].to_numpy()
    numbers = ordered[list(columns)].to_numpy(dtype=float)
    groups = ordered.groupby(list(keys), sort=False).indices
    rows: list[tuple[object, ...]] = []
    for key, at in groups.items():
        parts = key if isinstance(key, tuple) else (key,)
        for year in years:
            place = int(np.searchsorted(given[at], year))
            if place < len(at) and given[at[place]] == year:
                values = numbers[at[place]]
            elif 0 < place < len(at):
                low, high = at[place - 1], at[place]
                part = (year - given[low]) / (given[high] - given[low])
                values = numbers[low] * (1.0 - part) + numbers[high] * part
            else:
                continue
            rows.append((*parts, year, *values.tolist()))
    dtypes = {**dict.fromkeys(keys, "str"), "year": "int64", **dict.fromkeys(columns, "float64")}
    cells = zip(*rows, strict=True) if rows else ([] for _ in dtypes)
    return pd.DataFrame({name: pd.Series(of, dtype=dtypes[name]) for name, of in zip(dtypes, cells, strict=True)})
