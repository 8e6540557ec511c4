"""Accounting choices: each changes what it says and nothing else, and the study tells plan, cost and flips apart."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from command_line import nbb_opt
from milp_case import TINY, tiny
from nbb_opt.emissions.factors import Factor, Registry, factor_by_id, joined, read_factors
from nbb_opt.errors import NbbError
from nbb_opt.instance import read_instance
from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import solve_instance
from nbb_opt.result import Run
from nbb_opt.studies.accounting.choices import (
    ASSUMED_LOAD,
    Choice,
    NotApplicable,
    accounting_choices,
    chosen,
    freight_shares,
)
from nbb_opt.studies.accounting.study import (
    Row,
    accounting_study,
    main_mode_by_bundle,
    may_be_chance,
    mode_flips,
    same_plan_t,
    sensitivity_answer,
)
from nbb_opt.studies.units import StudyOptions

OPTIONS = SolveOptions(time_limit_s=180, gap=1e-6, threads=1)  # the first job on a machine also compiles kernels
NBB = TINY.parent / "nbb"


@cache
def run() -> Run:
    return solve_instance(TINY, options=OPTIONS)


def choice(name: str, registry: Registry | None = None) -> Choice:
    (found,) = chosen(accounting_choices(registry or read_factors()), [name])
    return found


def test_the_nordic_battery_belt_has_at_least_eight_choices():
    instance, applied = read_instance(NBB), []
    for each in accounting_choices(read_factors()):
        try:
            applied.append(each.change(instance))
        except NotApplicable:
            continue
    assert len(applied) >= 8
    assert len({other.digest for other in applied}) == len(applied)  # one of them is the instance, solved again


def test_the_same_plan_under_its_own_accounting_is_what_the_run_says():
    found = same_plan_t(tiny(), tiny(), run().tables)
    said = {int(year): value for year, value in run().record["emissions_t_co2e"].items()}
    assert found == pytest.approx(said, rel=1e-9)


def test_the_same_plan_counted_ttw_is_its_ttw_emissions():
    found = same_plan_t(tiny(), choice("boundary_ttw").change(tiny()), run().tables)
    ttw = run().tables["emissions"].groupby("year")["ttw_kg"].sum() / 1000
    assert found == pytest.approx(ttw.to_dict(), rel=1e-9)


def test_a_grid_choice_changes_grid_power_alone_and_names_its_factor():
    changed = choice("grid_production").change(tiny())
    before, after = tiny()["energy"], changed["energy"]
    other = before["energy_carrier"] != "electricity"
    assert after[other].equals(before[other])
    finland = after[(after["energy_carrier"] == "electricity") & (after["country"] == "FI")]
    assert finland["wtt_kg_co2e_per_kwh"].iloc[0] == pytest.approx(0.079158)
    assert set(finland["factors"]) == {"grid-fi-ember-2023"}
    assert "grid-fi-ember-2023" in set(changed["factors"]["factor"])
    assert changed.meta.grid_method == "location_production_lifecycle"
    assert "registry_grid-fi-ember-2023" in set(changed["sources"]["source"])


def test_a_ferry_choice_scales_ferries_alone():
    shares = freight_shares(ASSUMED_LOAD)
    changed = choice("ferry_lane_metre").change(tiny())
    found = same_plan_t(tiny(), changed, run().tables)
    emissions = run().tables["emissions"]
    kg = emissions["ttw_kg"] + emissions["wtt_kg"]
    factor = np.where(emissions["mode"] == "ferry", shares["lane_metre"] / shares["mass"], 1.0)
    assert found == pytest.approx(((kg * factor).groupby(emissions["year"]).sum() / 1000).to_dict(), rel=1e-9)
    assert (emissions["mode"] == "ferry").any()


def test_passengers_and_freight_bear_the_whole_ferry():
    assert all(0 < share <= 1 for share in freight_shares(ASSUMED_LOAD).values())
    no_passengers = replace(ASSUMED_LOAD, cars=0, passengers=0)
    assert set(freight_shares(no_passengers).values()) == {1.0}


def test_a_market_method_needs_a_table_of_ones_own():
    with pytest.raises(NotApplicable, match=r"factors=; nearest: grid-.*grid_method 'location_") as caught:
        choice("grid_market_residual").change(tiny())
    assert "grid_market_residual: no factor per kWh" in str(caught.value)
    changed = choice("grid_market_residual", with_own(residual())).change(tiny())
    power = changed["energy"].query("energy_carrier == 'electricity' and year == 2025")
    np.testing.assert_allclose(power["wtt_kg_co2e_per_kwh"], 0.46764)
    assert set(power["factors"]) == {"mine"}
    assert changed.meta.grid_method == "market_residual"


def residual(**changes) -> Factor:
    nordic = factor_by_id(read_factors(), "grid-nordic-ivl-2021-2023")
    return replace(nordic, **{"factor": "mine", "grid_method": "market_residual", "value": 467.64, **changes})


def with_own(*own: Factor) -> Registry:
    return joined(read_factors(), Registry(Path("mine.csv"), {factor.factor: factor for factor in own}))


def test_a_market_factor_of_one_country_leaves_the_others_and_says_so():
    changed = choice("grid_market_residual", with_own(residual(region="FI", unit="g_co2e_per_mj"))).change(tiny())
    power = changed["energy"].query("energy_carrier == 'electricity' and year == 2025").set_index("country")
    assert power["wtt_kg_co2e_per_kwh"].to_dict() == pytest.approx({"SE": 0.02, "FI": 467.64 * 3.6e-3})
    assert changed.meta.grid_method == "market_residual; in SE as the instance states"


def test_two_market_factors_for_one_country_are_refused_and_named():
    both = with_own(residual(region="SE;FI"), residual(factor="other", region="FI"))
    with pytest.raises(NotApplicable, match=r"FI has several factors \(mine, other\)"):
        choice("grid_market_residual", both).change(tiny())


def test_an_own_factor_replaces_none_of_the_shipped():
    shipped = factor_by_id(read_factors(), "grid-nordic-ivl-2021-2023")
    with pytest.raises(NbbError, match=r"has the id of a factor of factors\.csv"):
        with_own(replace(shipped, value=1.0))
    with pytest.raises(NbbError, match="has the key of 'grid-nordic-ivl-2021-2023'"):
        with_own(replace(shipped, factor="mine"))


def test_a_registry_without_a_factor_of_a_choice_is_an_error():
    registry = read_factors()
    less = {key: factor for key, factor in registry.factors.items() if key != "grid-se-ember-2023"}
    with pytest.raises(NbbError, match="'grid-se-ember-2023', and no other is used"):
        accounting_choices(Registry(registry.path, less))


@pytest.mark.parametrize("share", [("mass", "x"), ("mass", 0), ("mass", 1.2), ("weight", 0.5), ("mass", -1)])
def test_a_share_that_makes_no_sense_is_refused(share):
    with pytest.raises(NbbError, match="give a share above 0"):
        accounting_choices(read_factors(), dict([share]))


def test_the_study_tells_a_choice_left_out_from_one_that_was_solved(tmp_path: Path):
    names = ["solved_again", "carbon_base", "hvo_agency"]
    said: list[str] = []
    how = StudyOptions(options=OPTIONS, out=tmp_path / "study", say=said.append)
    ways = chosen(accounting_choices(read_factors()), names)
    study, rows = accounting_study(tiny(), run(), ways, how)
    assert (
        said[0]
        .replace("\N{NO-BREAK SPACE}", " ")
        .startswith("2 ways to count, each solved as the run was, with 2 bars (frozen and reference): about ")
    )
    again, same = accounting_study(tiny(), run(), ways, how)  # what is finished is not solved again
    assert same == rows
    assert "2 of 2 were finished before" in said
    assert again.records == study.records
    assert [row.choice for row in rows] == ["as_stated", *names]
    assert rows[1].cost_eur == pytest.approx(rows[0].cost_eur, rel=1e-6)
    assert [row.flipped_bundles for row in rows[:2]] == [0, 0]
    assert rows[2].cost_eur > rows[0].cost_eur
    assert rows[2].same_plan_t == pytest.approx(dict(rows[0].same_plan_t))
    assert rows[3].status.startswith("left out: hvo_agency: no vehicle")
    assert rows[3].cost_eur is None
    record = json.loads(json.dumps(sensitivity_answer(tiny(), rows).record))
    assert [row["cost_eur"] for row in record["sensitivity"]] == pytest.approx([row.cost_eur for row in rows])


def test_a_flip_names_the_bundle_and_both_modes():
    tables = dict(run().tables)
    modes = main_mode_by_bundle(tables)
    assert not mode_flips(modes, modes)
    chains = tables["chains"].copy()
    first = tables["flows"]["chain"].iloc[0]
    bundle = chains.set_index("chain")["bundle"][first]
    chains.loc[chains["bundle"] == bundle, "main_mode"] = "sea"
    flips = mode_flips(modes, main_mode_by_bundle({**tables, "chains": chains}))
    assert {flip["to_mode"] for flip in flips} == {"sea"}
    assert len(flips) == len(modes.merge(tables["bundles"].query("bundle == @bundle", local_dict={"bundle": bundle})))


def test_the_command_prints_a_table_and_refuses_an_unknown_choice(tmp_path: Path):
    words = ("sensitivity", TINY, "--accounting", "--out", tmp_path / "out", "--choice")
    done = nbb_opt(*words, "grid_earlier", "--gap", "1e-4", check=0)
    assert "grid: Nordic consumption 2016-2019" in done.stdout
    assert "1\N{NO-BREAK SPACE}way to count, each solved as the run was" in done.stderr  # before it is solved
    assert "1 of 1: grid: Nordic consumption 2016-2019, life cycle" in done.stderr
    wrong = nbb_opt(*words, "grid_moon", check=1)
    assert "one of solved_again, boundary_ttw" in wrong.stderr


def test_the_table_names_the_first_flips():
    flip = {
        "origin": "A",
        "destination": "B",
        "commodity": "WOOD",
        "year": 2025,
        "from_mode": "road",
        "to_mode": "rail",
    }
    row = Row(
        choice="x", title="other", factors=(), status="optimal", same_plan_t={2025: 1.0, 2030: 1.0}, cost_eur=1e6,
        emissions_t={2025: 1.0, 2030: 1.0}, gap=0.0, flips=(flip,) * 7,
    )  # fmt: skip
    text = str(sensitivity_answer(tiny(), [row]))
    assert "other (may be chance: cost differs by less than the gap):" in text
    assert not may_be_chance(replace(row, cost_eur=1.1e6, gap=0.01), row)
    assert may_be_chance(replace(row, cost_eur=1.001e6, gap=0.01), row)
    assert row.flipped_bundles == 1
    assert text.count("A to B, WOOD, 2025: road to rail") == 5
    assert "and 2 more" in text
