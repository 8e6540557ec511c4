"""Recipes and suppliers: plants that make something, inputs that somebody sells, contracts that demand holds."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pandas as pd

from nbb_opt.errors import Problem
from nbb_opt.instance.rules.registry import Row, RuleContext, rule
from nbb_opt.instance.schema import BY_NAME
from nbb_opt.instance.wording import did_you_mean
from nbb_opt.instance.years import at_years

SLACK = 1e-6  # of an amount: what is written with fewer digits


@rule("recipes", uses=("sites",))
def recipes_are_of_plants_that_make_something(context: RuleContext) -> Iterator[Problem]:
    """A plant with a recipe has rows in `sites` of what it produces."""
    makers = {row["site"] for row in context.each("sites") if row["direction"] == "produces"}
    for i, row in context.rows("recipes"):
        if row["site"] not in makers:
            hint = "say in sites what it produces, or leave the recipe out"
            yield context.fault("recipes", i, "site", row["site"], "produces nothing", hint)


@rule("recipes", uses=("suppliers",))
def inputs_have_a_supplier(context: RuleContext) -> Iterator[Problem]:
    """Somebody else than the plant itself offers every input of a recipe."""
    offers = {(row["input"], row["site"]) for row in context.each("suppliers")}
    for i, row in context.rows("recipes"):
        others = {name for name, site in offers if site != row["site"]}
        if row["input"] not in others:
            hint = did_you_mean(row["input"], others) or "add a row to suppliers"
            yield context.fault("recipes", i, "input", row["input"], "is offered by nobody", hint)


@rule("suppliers", uses=("recipes", "nodes", "sites"))
def suppliers_sell_what_a_recipe_needs(context: RuleContext) -> Iterator[Problem]:
    """Some recipe needs the input of a supplier, its node is a zone, and that of the plant that makes it; what a plant
    sells to others has a limit."""
    needed = {row["input"] for row in context.each("recipes")}
    zones = [row["node"] for row in context.each("nodes") if row["is_zone"]]
    places = {row["site"]: row["node"] for row in context.each("sites")}
    for i, row in context.rows("suppliers"):
        if row["input"] not in needed:
            hint = did_you_mean(row["input"], needed) or "leave the row out"
            yield context.fault("suppliers", i, "input", row["input"], "is in no recipe", hint)
        if row["node"] not in zones:
            hint = did_you_mean(row["node"], zones) or f"set is_zone of {row['node']} to true"
            yield context.fault("suppliers", i, "node", row["node"], "is not a zone", hint)
        elif places.get(row["site"], row["node"]) != row["node"]:
            what = f"is not where {row['site']} is"
            yield context.fault("suppliers", i, "node", row["node"], what, f"give {places[row['site']]}")
        if row["site"] and math.isnan(row["capacity_t_per_year"]):
            what = f"is blank, and {row['site']} is a plant"
            yield context.fault("suppliers", i, "capacity_t_per_year", None, what, "say how much it can sell")


@rule("supply_contracts", uses=("recipes", "suppliers"))
def contracts_are_of_offers(context: RuleContext) -> Iterator[Problem]:
    """A contract is about an input that its supplier offers by then and a recipe of its plant needs."""
    offers = {(row["supplier"], row["input"]): row for row in context.each("suppliers")}
    needs = {(row["site"], row["input"]) for row in context.each("recipes")}
    for i, row in context.rows("supply_contracts"):
        offer = offers.get((row["supplier"], row["input"]))
        if offer is None:
            known = sorted(name for name, of in offers if of == row["input"])
            hint = did_you_mean(row["supplier"], known) or "add the offer to suppliers"
            yield context.fault("supply_contracts", i, "supplier", row["supplier"], "does not offer the input", hint)
        elif (row["site"], row["input"]) not in needs or offer["site"] == row["site"]:
            what = f"needs no {row['input']} from it"
            yield context.fault("supply_contracts", i, "site", row["site"], what, "add it to recipes, or leave it out")
        elif row["amount_t_per_year"] > 0 and row["year"] < offer["first_year"]:
            what = f"is before {row['supplier']} can sell ({offer['first_year']})"
            yield context.fault("supply_contracts", i, "year", row["year"], what, "correct one of the two")


@rule(uses=("supply_contracts", "recipes", "suppliers", "sites", "od", "meta"))
def demand_holds_the_contracts(context: RuleContext) -> Iterator[Problem]:
    """In every period the flow from a supplier to a plant is at least what their contracts say, and a plant makes at
    least what it has sold by contract."""
    rows, flows = _in_periods(context, "supply_contracts"), context.flows
    if not rows:
        return
    assert flows is not None
    years = [period.year for period in context.periods]
    place = {row["site"]: row["node"] for row in context.each("sites")}
    goods = {(row["site"], row["input"]): row["commodity"] for row in context.each("recipes")}
    offers = {(row["supplier"], row["input"]): row for row in context.each("suppliers")}
    held: dict[Any, float] = defaultdict(float)
    for row in rows:
        offer, good = offers.get((row["supplier"], row["input"])), goods.get((row["site"], row["input"]))
        if offer and good and offer["node"] != place[row["site"]]:
            held[offer["node"], place[row["site"]], good, row["year"]] += row["amount_t_per_year"]
        if offer and offer["site"]:
            held[offer["site"], row["year"]] += row["amount_t_per_year"]
    wanted = {key[:3] for key in held if len(key) == 4}
    has = _made(context)
    for flow, tonnes in zip(*(part.tolist() for part in flows.tonnes_in(years)), strict=True):
        if (name := flows.names(flow)) in wanted:
            has |= {(*name, year): t for year, t in zip(years, tonnes, strict=True)}
    for key, tonnes in held.items():
        if tonnes > has.get(key, 0.0) * (1 + SLACK):
            what = f"{'/'.join(map(str, key))} has {has.get(key, 0.0):g} t, and contracts of {tonnes:g} t"
            yield Problem(context.file("supply_contracts"), what, "lower the contracts, or correct the flow or plant")


@rule(uses=("recipes", "suppliers", "sites", "meta"))
def inputs_can_be_had(context: RuleContext) -> Iterator[Problem]:
    """In every period the suppliers of an input can sell what plants need for what `sites` say they make."""
    made = _made(context)
    needed: dict[tuple[str, int], float] = defaultdict(float)
    for row in context.each("recipes"):
        for period in context.periods:
            needed[row["input"], period.year] += row["t_per_t"] * made.get((row["site"], period.year), 0.0)
    for (name, year), tonnes in needed.items():
        offers = [row for row in context.each("suppliers") if row["input"] == name and row["first_year"] <= year]
        most = sum(math.inf if math.isnan(o["capacity_t_per_year"]) else o["capacity_t_per_year"] for o in offers)
        if offers and tonnes > most * (1 + SLACK):
            what = f"plants need {tonnes:g} t of {name} in {year}, suppliers can sell {most:g} t"
            yield Problem(context.file("suppliers"), what, "add a supplier, or raise a capacity")


def _in_periods(context: RuleContext, table: str) -> list[Row]:
    """Rows of a by-year table at the periods; none of keys whose years do not enclose them."""
    found: list[Row] = []
    frame = pd.DataFrame(list(context.each(table)), columns=list(context.frames[table].columns))
    for _, rows in frame.groupby([name for name in BY_NAME[table].key if name != "year"], sort=False):
        years = [p.year for p in context.periods if rows["year"].min() <= p.year <= rows["year"].max()]
        if years:
            each = at_years(rows, BY_NAME[table], years)
            names = list(each.columns)
            found += [dict(zip(names, row, strict=True)) for row in each.itertuples(index=False, name=None)]
    return found


def _made(context: RuleContext) -> dict[Any, float]:
    """What each plant produces in each period, t/year."""
    made: dict[Any, float] = defaultdict(float)
    for row in _in_periods(context, "sites"):
        made[row["site"], row["year"]] += row["amount_t_per_year"] if row["direction"] == "produces" else 0.0
    return made
