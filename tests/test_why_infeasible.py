"""Planted impossibilities: the rule that was planted is named with place and period, and the set named is minimal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from nbb_opt.errors import Infeasible
from nbb_opt.instance import Instance
from nbb_opt.model import StandardForm, build, read_model, standard_form
from nbb_opt.network import prepare
from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import solve_instance
from nbb_opt.solve import solve_form
from nbb_opt.solve.why_infeasible import RULES, Conflict, conflicts, explain
from test_fuels import with_hvo
from tiny_plan import tiny

FEW = 4  # every so-manieth; all with --hard
Edit = Callable[[Instance], Instance]


def rule(policy: str, kind: str, **cells: object) -> Edit:
    """Add a row to `policies`."""

    def edit(instance: Instance) -> Instance:
        table = instance["policies"]
        blank = {"policy": policy, "kind": kind, "country": "", "technology": "", "year": np.nan, "value": np.nan,
                 "source": "made_up", "note": ""}  # fmt: skip
        row = pd.DataFrame([blank | cells])[list(table.columns)].astype(table.dtypes)
        return instance.with_table("policies", pd.concat([table, row], ignore_index=True))

    return edit


def put(table: str, column: str, value: object, **where: object) -> Edit:
    """Another figure in the rows where the columns have these values."""

    def edit(instance: Instance) -> Instance:
        frame = instance[table].copy()
        fits = np.logical_and.reduce([np.ones(len(frame), bool), *(frame[c] == v for c, v in where.items())])
        assert fits.any()
        frame.loc[fits, column] = value
        return instance.with_table(table, frame)

    return edit


def without(table: str, **where: object) -> Edit:
    def edit(instance: Instance) -> Instance:
        frame = instance[table]
        fits = np.logical_and.reduce([frame[c] == v for c, v in where.items()])
        return instance.with_table(table, frame[~fits].reset_index(drop=True))

    return edit


def cap(tonnes: float, year: int = 2025, country: str = "") -> Edit:
    if year == 2025 and not country:
        return put("policies", "value", tonnes, policy="CAP_2025")
    return rule("TIGHT", "cap_emissions_t_per_year", year=year, country=country, value=tonnes)


def hvo(kwh_per_year: float) -> Edit:
    """Diesel trucks may take in HVO, of which there is so much a year."""

    def edit(instance: Instance) -> Instance:
        more = with_hvo(instance, kwh_per_year=kwh_per_year)
        return instance.with_table("energy", more["energy"]).with_table("fuel_substitutes", more["fuel_substitutes"])

    return edit


NO_DIESEL = rule("NO_DIESEL", "ban_purchase", technology="diesel", year=2025)
NO_BATTERY = rule("NO_BATTERY", "ban_purchase", technology="battery", year=2025)
GRID = ("charge_areas", "grid_mw")
NO_ROAD = without("links", link="ROAD_GAP_EAST")


@dataclass(frozen=True)
class Planted:
    """What was done to tiny, rows of which one at least must be named, and whether only whole numbers conflict."""

    edits: tuple[Edit, ...]
    named: tuple[str, ...]
    whole: bool = False


PLANTED = {
    "cap 1 t": Planted((cap(1),), ("cap_emissions[CAP_2025,2025]",)),
    "cap 200 t": Planted((cap(200),), ("cap_emissions[CAP_2025,2025]",)),
    "cap 340 t": Planted((cap(340),), ("cap_emissions[CAP_2025,2025]",)),
    "cap 0 t": Planted((cap(0),), ("cap_emissions[CAP_2025,2025]",)),
    "cap of 2030": Planted((cap(10, 2030),), ("cap_emissions[TIGHT,2030]",)),
    "cap of Sweden": Planted((cap(1, 2025, "SE"),), ("cap_emissions[TIGHT,2025]",)),
    "cap of Finland in 2030": Planted((cap(1, 2030, "FI"),), ("cap_emissions[TIGHT,2030]",)),
    "few drivers": Planted(
        (put("country_years", "driver_limit_h_per_year", 10.0),),
        ("respect_driver_hours[SE,2025]", "respect_driver_hours[FI,2030]"),
    ),
    "few drivers in Finland": Planted(
        (put("country_years", "driver_limit_h_per_year", 3000.0, country="FI"),), ("respect_driver_hours[FI,2030]",)
    ),
    "few drivers in Sweden": Planted(
        (put("country_years", "driver_limit_h_per_year", 5000.0, country="SE"),), ("respect_driver_hours[SE,2025]",)
    ),
    "no purchases": Planted((NO_DIESEL, NO_BATTERY), ("ban_purchase[NO_DIESEL,2030]", "ban_purchase[NO_BATTERY,2030]")),
    "no purchases in Finland": Planted(
        (
            rule("FI_D", "ban_purchase", technology="diesel", country="FI", year=2025),
            rule("FI_B", "ban_purchase", technology="battery", country="FI", year=2025),
        ),
        ("ban_purchase[FI_D,2030]", "ban_purchase[FI_B,2030]"),
    ),
    "no batteries, no diesel": Planted(
        (put("policies", "value", 0.0, policy="FEW_BATTERIES"), NO_DIESEL),
        ("cap_technology[FEW_BATTERIES,2030]", "ban_purchase[NO_DIESEL,2030]"),
    ),
    "neither may drive": Planted(
        (
            put("policies", "value", 0.0, policy="FEW_BATTERIES"),
            rule("FEW_DIESELS", "cap_technology_share", technology="diesel", year=2030, value=0.0),
        ),
        ("cap_technology[FEW_BATTERIES,2030]", "cap_technology[FEW_DIESELS,2030]"),
    ),
    "shares below one": Planted(
        (
            put("policies", "value", 0.4, policy="FEW_BATTERIES"),
            rule("FEW_DIESELS", "cap_technology_share", technology="diesel", year=2030, value=0.5),
        ),
        ("cap_technology[FEW_BATTERIES,2030]", "cap_technology[FEW_DIESELS,2030]"),
    ),
    "no grid, no diesel": Planted((put(*GRID, 0.0), NO_DIESEL), ("respect_grid[CE,2030]", "respect_grid[CW,2030]")),
    "no grid in the east, no diesel": Planted(
        (put(*GRID, 0.0, charge_area="CE"), NO_DIESEL), ("respect_grid[CE,2030]",)
    ),
    "little grid in the east, no diesel": Planted(
        (put(*GRID, 0.05, charge_area="CE"), NO_DIESEL), ("respect_grid[CE,2030]",)
    ),
    "a grid project that comes too late, no diesel": Planted(
        (put(*GRID, 0.0, charge_area="CW"), put("projects", "earliest_year", 2031, project="GRID_W"), NO_DIESEL),
        ("respect_grid[CW,2030]",),
    ),
    "little HVO under a cap": Planted((cap(340), hvo(1000.0)), ("respect_fuel_supply[HVO,2025]",)),
    "harbour in the west": Planted(
        (NO_ROAD, put("terminals", "capacity_t_per_year", 10_000.0, terminal="HARBOUR_W")),
        ("respect_terminal_capacity[HARBOUR_W,2025]",),
    ),
    "harbour in the east": Planted(
        (
            NO_ROAD,
            put("terminals", "capacity_t_per_year", 60_000.0, terminal="HARBOUR_W"),
            put("terminals", "capacity_t_per_year", 9000.0, terminal="HARBOUR_E"),
        ),
        ("respect_terminal_capacity[HARBOUR_E,2025]",),
    ),
    "narrow sea and few drivers": Planted(
        (
            put("links", "capacity_t_per_year", 10000.0, link="SEA_PORTE_PORTW"),
            put("country_years", "driver_limit_h_per_year", 9000.0, country="SE"),
            cap(822),
        ),
        ("respect_driver_hours[SE,2025]",),
    ),
    "road of 10,000 t to the plant": Planted(
        (put("links", "capacity_t_per_year", 10000.0, link="ROAD_EAST_PLANT"),),
        ("respect_link_capacity[ROAD_EAST_PLANT,2025]",),
    ),
    "no road over the gap": Planted((NO_ROAD,), ("respect_terminal_capacity[HARBOUR_W,2030]",)),
    "no road, narrow rails": Planted(
        (NO_ROAD, put("links", "capacity_t_per_year", 1000.0, link="RAIL_WEST_GAP")),
        ("respect_link_capacity[RAIL_WEST_GAP,2025]",),
    ),
    "one charger and a half, no diesel": Planted(
        (put(*GRID, 0.15, charge_area="CE"), NO_DIESEL), ("respect_grid[CE,2030]",), whole=True
    ),
    "one charger and a fifth, no diesel": Planted(
        (put(*GRID, 0.12, charge_area="CE"), NO_DIESEL), ("respect_grid[CE,2030]",), whole=True
    ),
    "nearly two chargers, no diesel": Planted(
        (put(*GRID, 0.199, charge_area="CE"), NO_DIESEL), ("respect_grid[CE,2030]",), whole=True
    ),
    **{
        f"passing loops cost more than {budget / 1e6:g} MEUR": Planted(
            (
                NO_ROAD,
                put("terminals", "capacity_t_per_year", 60_000.0, terminal="HARBOUR_W"),
                rule("BUDGET", "limit_budget_eur", year=2025, value=budget),
            ),
            ("spend_within_budget[BUDGET,2025]",),
            whole=True,
        )
        for budget in (12e6, 16e6, 19.9e6)
    },
}


@cache
def form_of(name: str) -> StandardForm:
    instance = tiny()
    for edit in PLANTED[name].edits:
        instance = edit(instance)
    return standard_form(build(instance, prepare(instance), read_model("joint"), route="arrays"))


def possible(form: StandardForm, rules: set[str], *, whole: bool) -> bool:
    """Whether a plan exists that keeps these rules, whatever it costs, and none of the others."""
    free = np.array([row.split("[")[0] in RULES and row not in rules for row in form.row_names])
    low, up = np.where(free, -np.inf, form.row_low), np.where(free, np.inf, form.row_up)
    kinds = form.integer if whole else np.zeros(len(form.integer), bool)
    try:
        solve_form(replace(form, row_low=low, row_up=up, integer=kinds, cost=form.cost * 0.0), gap=1.0)
    except Infeasible:
        return False
    return True


def is_minimal(form: StandardForm, conflict: Conflict) -> bool:
    rows = {rule.row for rule in conflict.rules}
    without_one = [rows - {row} for row in rows]
    return not possible(form, rows, whole=conflict.whole) and all(
        possible(form, rest, whole=conflict.whole) for rest in without_one
    )


@pytest.mark.promise(16)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.hard] * bool(i % FEW)) for i, name in enumerate(PLANTED)]
)
def test_the_planted_cause_is_named_and_the_conflict_minimal(name: str) -> None:
    planted, form = PLANTED[name], form_of(name)
    found = conflicts(form)
    assert {row.row for conflict in found for row in conflict.rules} & set(planted.named), explain(form)
    assert all(conflict.whole == planted.whole for conflict in found)
    assert all(conflict.minimal and is_minimal(form, conflict) for conflict in found)


def test_thirty_two_are_planted_six_of_them_with_whole_numbers_only() -> None:
    assert len(PLANTED) == 32
    assert sum(planted.whole for planted in PLANTED.values()) == 6


def test_loosening_one_rule_by_what_is_said_is_enough() -> None:
    form = form_of("cap 200 t")
    short = conflicts(form)[0].rules[0].short
    row = list(form.row_names).index("cap_emissions[CAP_2025,2025]")
    for factor, fine in ((1.0 + 1e-6, True), (0.999, False)):
        up = form.row_up.copy()
        up[row] += factor * short
        assert possible(replace(form, row_up=up), set(form.row_names), whole=False) == fine


def test_solve_says_why_in_words() -> None:
    with pytest.raises(Infeasible, match=r"emission cap CAP_2025 in 2025 \(policies or model\): \d+ t CO2e too low"):
        solve_instance(cap(1)(tiny()))


def test_column_generation_says_why_too() -> None:
    options = SolveOptions(method="decompose")
    with pytest.raises(Infeasible, match=r"emission cap CAP_2025 in 2025 \(policies or model\): \d+ t CO2e too low"):
        solve_instance(cap(1)(tiny()), options=options)
