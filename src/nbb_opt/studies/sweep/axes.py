"""What a sweep varies: how the instance changes, and which numbers of the stated model that changes.

Right-hand sides (demand, capacities, limits of rules) change a few numbers of the form, known by their rows. Prices
change costs, and may change which train or ship is cheapest and so coefficients: the parameters of the model are given
the figures of the varied instance, on the same chains, and it is compiled again; it is built anew only where more than
parameters is different.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance
from nbb_opt.instance.read import varied, with_demand
from nbb_opt.model import Built, StandardForm

AXES = ("demand", "carbon_price", "energy_price", "energy_price:CARRIER", "capacity:LINK or TERMINAL", "rule:POLICY")
CAPACITY_ROWS = {"links": "respect_link_capacity", "terminals": "respect_terminal_capacity"}
RULE_ROWS = {
    "cap_emissions_t_per_year": "cap_emissions",
    "limit_budget_eur": "spend_within_budget",
    "limit_mode_shift_share_per_year": "limit_mode_shift",
}

Vary = Callable[[Instance, float], Instance]
Form = Callable[[Built, StandardForm, float], StandardForm]


@dataclass(frozen=True)
class Axis:
    """One thing that is multiplied: `vary` gives the instance with it times a factor.

    `form` gives the standard form with it times a factor from that of the base; None: compile it again.
    """

    name: str
    title: str
    vary: Vary
    form: Form | None


def axis_of(name: str, instance: Instance) -> Axis:
    """The axis of a name as in `AXES`. Raises NbbError where the instance has no such thing.

    >>> from nbb_opt.instance import read_instance
    >>> from nbb_opt.shipped import shipped
    >>> axis_of("demand", read_instance(shipped("instances") / "tiny")).title
    'demand of every flow'
    """
    kind, _, key = name.partition(":")
    if name == "demand":
        return Axis(name, "demand of every flow", with_demand, _demand_form)
    if name == "carbon_price":
        return Axis(name, "carbon price of every country", _price("country_years", "carbon_price_eur_per_t"), None)
    if kind == "energy_price":
        carriers = sorted(set(instance["energy"]["energy_carrier"]))
        if key and key not in carriers:
            raise NbbError(f"vary={name!r}: energy.csv has no carrier '{key}'; it has {', '.join(carriers)}")
        vary = _price("energy", "price_eur_per_kwh", column="energy_carrier", key=key)
        return Axis(name, f"price of {key or 'all energy'}", vary, None)
    if kind == "capacity" and key:
        return _capacity(name, key, instance)
    if kind == "rule" and key:
        return _rule(name, key, instance)
    raise NbbError(f"vary={name!r}: is not known; write one of {', '.join(AXES)}")


def _times(table: str, column: str, rows: Callable[[pd.DataFrame], pd.Series]) -> Vary:
    def vary(instance: Instance, factor: float) -> Instance:
        frame = instance[table]
        new = frame[column].where(~rows(frame), frame[column] * factor)
        return varied(instance, {table: frame.assign(**{column: new})})

    return vary


def _price(table: str, price: str, *, column: str = "", key: str = "") -> Vary:
    return _times(table, price, _having(column, key))


def _having(column: str, key: str) -> Callable[[pd.DataFrame], pd.Series]:
    """Tells which rows have `key` in a column; every row where there is no key."""
    return lambda frame: frame[column] == key if key else pd.Series(True, index=frame.index)


def _capacity(name: str, key: str, instance: Instance) -> Axis:
    for table, constraint in CAPACITY_ROWS.items():
        frame = instance[table]
        found = frame[frame[table[:-1]] == key]
        if len(found):
            if found["capacity_t_per_year"].isna().all():
                raise NbbError(f"vary={name!r}: {key} has no capacity_t_per_year in {table}.csv; fill it in")
            vary = _times(table, "capacity_t_per_year", _having(table[:-1], key))
            return Axis(name, f"capacity of {key}", vary, _sides(constraint, key))
    raise NbbError(f"vary={name!r}: neither links.csv nor terminals.csv has '{key}'")


def _rule(name: str, key: str, instance: Instance) -> Axis:
    found = instance["policies"][instance["policies"]["policy"] == key]
    if not len(found):
        known = ", ".join(instance["policies"]["policy"]) or "none"
        raise NbbError(f"vary={name!r}: policies.csv has no policy '{key}'; it has {known}")
    kind = str(found["kind"].iloc[0])
    if kind not in RULE_ROWS:
        raise NbbError(f"vary={name!r}: a {kind} is no limit that can be moved; those are {', '.join(RULE_ROWS)}")
    vary = _times("policies", "value", _having("policy", key))
    return Axis(name, f"limit of rule {key}", vary, _sides(RULE_ROWS[kind], key))


def rows_of(built: Built, constraint: str, key: str | None = None) -> np.ndarray:
    """Positions of the rows of a constraint among all rows, those whose key starts with `key` if it is given."""
    rows = built.stated.families().get(constraint, [])
    return np.array([row for names, row in rows if key is None or names[0] == key], np.int64)


def _sides(constraint: str, key: str) -> Form:
    def form(built: Built, base: StandardForm, factor: float) -> StandardForm:
        up = base.row_up.copy()
        up[rows_of(built, constraint, key)] *= factor
        return replace(base, row_up=up)

    return form


def _demand_form(built: Built, base: StandardForm, factor: float) -> StandardForm:
    """Demand stands on the right of serve_demand and limit_mode_shift, and before `built` in use_only_built."""
    low, up, values = base.row_low.copy(), base.row_up.copy(), base.a_values.copy()
    served, kept = rows_of(built, "serve_demand"), rows_of(built, "limit_mode_shift")
    low[served] *= factor
    up[served] *= factor
    up[kept] *= factor
    of_project = np.zeros(len(low), bool)
    of_project[rows_of(built, "use_only_built")] = True
    values[of_project[base.a_indices] & (values < 0)] *= factor
    return replace(base, row_low=low, row_up=up, a_values=values)
