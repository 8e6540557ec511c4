"""Rules and costs of a user's own: recomputed from the tables by the names of variables, as far as these are there.

What holds a variable of the user's own, or one that the tables do not show, cannot be recomputed: it is the word of the
run, and said to be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from nbb_opt.verify.claims import listed, mapping, number
from nbb_opt.verify.verdict import Checks, Sense

Tables = Mapping[str, pd.DataFrame]
Amounts = dict[tuple[Any, ...], float]
SHAPE = "a constant and terms of variable, key and coefficient must be there"


def check_own(said: Mapping[str, Any], terms: Mapping[str, Any] | None, tables: Tables, checks: Checks) -> None:
    """`keep_own_rule`, `agree_own_rule`, `agree_own_cost`, `trust_own_rule` for the extension of a record.

    `terms` are the rules and costs written out by the names of variables.
    """
    extension, written = mapping(said.get("extension")), mapping(terms)
    if not extension:
        checks.hold("keep_own_rule", not written, where=lambda _: "own_rules.json: the record names no rules of it")
        return
    plan = _Plan(tables)
    trusted: list[str] = []
    for kind, amount, rule in (("rules", "value", "agree_own_rule"), ("costs", "eur", "agree_own_cost")):
        claims = [mapping(each) for each in listed(extension, kind)]
        formulas = [mapping(each) for each in listed(written, kind)]
        same = [each.get("name") for each in claims] == [each.get("name") for each in formulas]
        checks.hold(rule, same, where=_words(f"{kind}: own_rules.json has others than run.json"))
        for claim, formula in zip(claims, formulas, strict=False):
            name, value = str(claim.get("name")), number(claim.get(amount))
            if not checks.hold(rule, _readable(formula), where=_words(f"{name}: own_rules.json: {SHAPE}")):
                continue
            found, size = plan.amount(formula)
            checks.hold(rule, claim.get("recomputed") is bool(np.isfinite(found)), where=_words(f"{name}: recomputed"))
            if np.isnan(found):
                trusted.append(name)
            else:
                checks.compare(rule, value, "==", found, where=_words(name), unit="own", scale=size)
                value = found
            if kind == "rules":
                _check_sides(name, claim, formula, value, size, checks)
    checks.hold(
        "trust_own_rule", [True] * len(trusted),
        where=lambda i: f"{trusted[i]}: holds what the tables do not show; the word of the run",
    )  # fmt: skip


def not_shown(terms: Mapping[str, Any], tables: Tables) -> set[str]:
    """Rules and costs that cannot be recomputed from the tables."""
    plan = _Plan(tables)
    both = [*listed(terms, "rules"), *listed(terms, "costs")]
    return {str(each["name"]) for each in both if np.isnan(plan.amount(each)[0])}


def _check_sides(
    name: str, claim: Mapping[str, Any], formula: Mapping[str, Any], value: float, size: float, checks: Checks
) -> None:
    slack = np.inf
    for side in ("at_least", "at_most"):
        limit = formula.get(side)
        checks.hold("agree_own_rule", claim.get(side) == limit, where=_words(f"{name}: {side}"))
        if limit is not None:
            sense: Sense = ">=" if side == "at_least" else "<="
            checks.compare("keep_own_rule", value, sense, number(limit), where=_words(name), unit="own", scale=size)
            slack = min(slack, value - number(limit) if side == "at_least" else number(limit) - value)
    said, scale = number(claim.get("slack")), size + abs(value)
    checks.compare("agree_own_rule", said, "==", slack, where=_words(f"{name}: slack"), unit="own", scale=scale)


def _readable(formula: Mapping[str, Any]) -> bool:
    """Whether it is a linear expression that can be read: terms and figures are what they should be."""
    terms = formula.get("terms")
    return isinstance(terms, list) and all(map(_is_term, terms)) and bool(np.isfinite(number(formula.get("constant"))))


def _is_term(term: Any) -> bool:
    if not (isinstance(term, list) and len(term) == 3 and isinstance(term[0], str) and isinstance(term[1], list)):
        return False
    named = all(part is None or isinstance(part, (str, int, float)) for part in term[1])
    return named and bool(np.isfinite(number(term[2])))


def _words(text: str) -> Callable[[int], str]:
    return lambda _: text


class _Plan:
    """Amounts of the variables of the model, by kind and key, read from the tables."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.known: dict[str, Amounts | None] = {}

    def amount(self, formula: Mapping[str, Any]) -> tuple[float, float]:
        """Value of a linear expression and the size of its terms; the value NaN where a variable is not shown."""
        value = number(formula.get("constant", 0.0))
        size = abs(value)
        for kind, key, coefficient in listed(formula, "terms"):
            amounts = self._of(kind)
            if amounts is None:
                return float("nan"), size
            term = number(coefficient) * amounts.get(tuple(key), 0.0)
            value, size = value + term, size + abs(term)
        return value, size

    def _of(self, kind: Any) -> Amounts | None:
        if kind not in self.known:
            self.known[kind] = KINDS[kind](self.tables) if kind in KINDS else None
        return self.known[kind]


def _amounts(frame: pd.DataFrame, keys: list[str], amount: str) -> Amounts:
    columns = [frame[key].tolist() for key in keys]
    return dict(zip(zip(*columns, strict=True), frame[amount].astype(float).tolist(), strict=True))


def _numbered(frame: pd.DataFrame, number_of: str, keys: list[str]) -> pd.DataFrame | None:
    """The candidates with `n`, counted from 1 within the same keys; None where the table holds those used only."""
    frame = frame.sort_values(number_of, ignore_index=True)
    if not np.array_equal(frame[number_of].to_numpy(), np.arange(len(frame))):
        return None
    return frame.assign(n=frame.groupby(keys, sort=False, observed=True).cumcount() + 1)


def _carried(tables: Tables) -> Amounts | None:
    chains = _numbered(tables["chains"], "chain", ["bundle"])
    if chains is None:
        return None
    rows = tables["flows"].merge(chains[["chain", "bundle", "n"]], on="chain").merge(tables["bundles"], on="bundle")
    return _amounts(rows, ["origin", "destination", "commodity", "n", "year"], "tonnes")


def _driven(tables: Tables) -> Amounts | None:
    ends = ["from_node", "to_node", "cargo_type"]
    lanes = _numbered(tables["lanes"], "lane", ends)
    if lanes is None:
        return None
    rows = tables["driven"].merge(lanes[["lane", *ends, "n"]], on="lane")
    return _amounts(rows, [*ends, "n", "vehicle", "year"], "loaded_vkm")


def _kept(tables: Tables) -> Amounts:
    fleet = tables["fleet"]
    old = fleet[fleet["vintage_year"] != fleet["year"]]
    return _amounts(old, ["fleet_region", "vehicle", "vintage_year", "year"], "kept")


def _public(tables: Tables) -> Amounts:
    use = tables["use"]
    return _amounts(use[use["kind"] == "public_charging"], ["row", "year"], "used")


KINDS: dict[str, Callable[[Tables], Amounts | None]] = {
    "carried_t": _carried,
    "driven_vkm": _driven,
    "empty_vkm": lambda tables: _amounts(
        tables["empties"], ["from_region", "to_region", "vehicle", "cargo_type", "year"], "empty_vkm"
    ),
    "bought": lambda tables: _amounts(
        tables["fleet"].query("vintage_year == year"), ["fleet_region", "vehicle", "year"], "bought"
    ),
    "kept": _kept,
    "installed": lambda tables: _amounts(tables["chargers"], ["charge_area", "charger", "year"], "installed"),
    "built": lambda tables: _amounts(tables["projects"], ["project", "year"], "in_service"),
    "public_kwh": _public,
    "replaced_kwh": lambda tables: _amounts(tables["fuels"], ["substitute", "country", "year"], "replaced_kwh"),
}
