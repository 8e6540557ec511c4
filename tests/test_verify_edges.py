"""What the verifier's parts say of a figure, a word or a row by itself: tolerances, records, claims, own rules."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from milp_case import tiny
from nbb_opt.result import Run
from nbb_opt.verify import run as of_run
from nbb_opt.verify import shape, sound, verdict
from nbb_opt.verify.claims import (
    ModelRules,
    check_claims,
    check_reported,
    claim_faults,
    listed,
    mapping,
    number,
    own_cost_eur,
    rules_of,
)
from nbb_opt.verify.own_rules import check_own, not_shown
from nbb_opt.verify.verdict import Checks, Verdict

NAN, INF = float("nan"), float("inf")
LEAST = {"t": 1e-3, "vkm": 1, "tkm": 1, "h": 0.1, "kWh": 1, "kg": 1, "EUR": 0.01, "t_co2e": 1e-3, "trips": 1e-3,
         "kW": 1e-3, "km": 1e-6, "count": 1e-9, "share": 1e-9, "own": 1e-9}  # fmt: skip


def kept(found: Any, sense: Any, limit: Any, unit: str = "kW", **how: Any) -> bool:
    return Checks().compare("rule", found, sense, limit, where=str, unit=unit, **how)


def rows(checks: Checks, *columns: str) -> list[list[Any]]:
    return checks.frame()[list(columns)].to_numpy().tolist()


@pytest.mark.parametrize("unit", list(LEAST))
def test_a_miss_by_the_least_amount_of_a_unit_is_none_and_a_thousandth_more_is_one(unit: str) -> None:
    least = LEAST[unit]
    for sense, side in (("<=", 1), (">=", -1), ("==", 1), ("==", -1)):
        assert kept(0.999 * side * least, sense, 0.0, unit)
        assert not kept(1.001 * side * least, sense, 0.0, unit)


def test_of_large_amounts_a_millionth_is_rounding() -> None:
    assert verdict.FLOORS == LEAST
    for found, sense, limit, fine in (
        (1e6 + 0.999, "<=", 1e6, True), (1e6 + 1.002, "<=", 1e6, False), (1e6 - 0.999, ">=", 1e6, True),
        (-1e6 - 1.002, ">=", -1e6, False), (1e6 - 1.002, "==", 1e6, False), (5.0, "<=", 4.0, False),
        (INF, "<=", 5.0, False), (INF, ">=", 5.0, True), (5.0, "<=", INF, True), (5.0, ">=", INF, False),
        (INF, "<=", INF, False), (NAN, "<=", 5.0, False), (5.0, "==", NAN, False), (NAN, ">=", 0.0, False),
    ):  # fmt: skip
        assert kept(found, sense, limit) is fine, (found, sense, limit)
    assert kept(1.9, "==", 1.0, scale=1e6)
    assert not kept(2.1, "==", 1.0, scale=-1e6)
    assert kept(1.9, "==", 1.0, scale=1e9, relative=1e-9)
    assert not kept(1.9, "==", 1.0, scale=1e9, relative=1e-10)
    assert kept([1.0, 2.1], "==", [1.0, 1.0], scale=[0.0, 2e6])
    assert not kept([1.0, 2.1], "==", [1.0, 1.0], scale=[2e6, 0.0])


@pytest.mark.parametrize("at_once", [2, 100])
def test_a_comparison_keeps_its_broken_rows_or_the_tightest(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdict, "COMPARED_AT_ONCE", at_once)
    checks = Checks()
    assert checks.compare("z", [1.0, 2.0, 9.0, 8.0, 0.0], "<=", 10.0, where=str, unit="kW")
    assert not checks.failed
    assert not checks.compare("b", [1.0, 12.0, 9.0, 13.0, NAN], "<=", 10.0, where=str, unit="kW")
    assert checks.failed
    assert checks.compare("b", [1.0], "<=", 10.0, where=lambda i: "kept", unit="kW")
    assert checks.compare("c", [], "<=", 1.0, where=str, unit="kW")
    assert checks.compare("d", [1e9 - 500.0, 9.0], "<=", [1e9, 10.0], where=str, unit="kW")  # half its tolerance away
    assert rows(checks, "rule", "where", "found", "limit", "ok")[:2] == [
        ["b", "1", 12.0, 10.0, False], ["b", "3", 13.0, 10.0, False],
    ]  # fmt: skip
    assert rows(checks, "rule", "where", "slack", "ok")[3:] == [["z", "2", 1.0, True], ["d", "0", 500.0, True]]
    assert [row["where"] for row in checks.rows] == ["2", "1", "3", "4", "kept", "0"]


def test_a_rule_of_yes_or_no_counts_a_fault_as_one() -> None:
    checks = Checks()
    assert checks.hold("a", [], where=str)
    assert checks.frame().empty
    assert checks.hold("a", [True, True], where=str)
    assert not checks.failed
    assert not checks.hold("b", [True, False, True, False], where=str)
    checks.fail("c", "here")
    every = ("rule", "where", "found", "limit", "slack", "ok")
    assert rows(checks, *every) == [
        ["b", "1", 1.0, 0.0, -1.0, False], ["b", "3", 1.0, 0.0, -1.0, False], ["c", "here", 1.0, 0.0, -1.0, False],
        ["a", "0", 0.0, 0.0, 0.0, True],
    ]  # fmt: skip
    alone = Checks()
    alone.fail("c", "here")
    assert alone.failed


def test_of_several_comparisons_of_a_rule_the_tightest_is_shown_and_parts_are_taken_as_one() -> None:
    parts = []
    for offset in (3.0, 1.0, 2.0):
        part = Checks()
        part.compare("a", 10.0 - offset, "<=", 10.0, where=lambda i, offset=offset: f"{offset}", unit="kW")
        part.hold("b", offset != 2.0, where=lambda i, offset=offset: f"{offset}")
        parts.append(part)
    checks = Checks()
    checks.gather(parts)
    assert rows(checks, "rule", "where", "slack") == [["b", "2.0", -1.0], ["a", "1.0", 1.0]]
    assert len(checks.calls) == 2
    two = Checks()
    two.compare("a", 9.0, "<=", 10.0, where=lambda i: "first", unit="kW")
    two.compare("a", 9.5, "<=", 10.0, where=lambda i: "second", unit="kW")
    assert rows(two, "where") == [["second"]]


def test_a_verdict_is_told_in_a_line_and_in_plain_values() -> None:
    checks = Checks()
    checks.compare("a", 1.0, "<=", INF, where=lambda i: "Luleå", unit="kW")
    bare = pd.DataFrame()
    found = Verdict(ok=True, checks=checks.frame(), cost_eur=NAN, emissions_t_co2e={2025: 1.5, 2030: INF}, costs=bare,
                    emissions=bare, bounds=("bound",))  # fmt: skip
    assert found.lines == ("verified: OK, 1 checks, cost nan EUR", "bound")
    assert replace(found, ok=False, cost_eur=1234567.8).lines[0] == "verified: refused, 1 checks, cost 1,234,568 EUR"
    assert json.loads(found.as_json()) == {
        "ok": True, "cost_eur": None, "emissions_t_co2e": {"2025": 1.5, "2030": None},
        "checks": [{"rule": "a", "where": "Luleå", "found": 1.0, "limit": None, "slack": None, "ok": True}],
    }  # fmt: skip
    assert "Luleå" in found.as_json()
    assert found.failures().empty


# what a value of a record may be -> values that fit, values that do not
VALUES: list[tuple[Any, list[Any], list[Any]]] = [
    (shape.text, ["a"], ["", 1, None, ["a"]]),
    (shape.words, ["a", ""], [1, None]),
    (shape.whole, [0, 1, 7], [-1, 0.5, 1.0, True, False, "1", None]),
    (shape.figure, [0, -1, 0.5, INF, -INF], [NAN, True, "1", None]),
    (shape.amount, [0, 0.5, 7], [-1e-9, INF, NAN, True, "1"]),
    (shape.share, [0, 0.5, 1, 1.0], [-1e-9, 1 + 1e-9, 2, NAN, True, "0"]),
    (shape.flag, [True, False], [0, 1, None, "True"]),
    (shape.texts, [[], ["a", "b"]], [["a", ""], ["a", 1], "ab", ("a",), None]),
    (shape.keyed(shape.share), [{}, {"a": 0.5, "b": 1}], [{"a": 0.5, "b": 2}, [0.5], None]),
    (shape.one_of("a", "b"), ["a", "b"], ["c", None, ""]),
    (shape.blank_or(shape.share), [None, 0.5], [2, "", False]),
    (shape.anything, [None, NAN, {}], []),
    (shape.shaped({"a": shape.share}), [{"a": 1}], [{"a": 2}, {}, {"a": 1, "b": 1}, [], None]),
    (shape.rows_of({"a": shape.share}), [[], [{"a": 1}, {"a": 0}]], [[{"a": 1}, {"a": 2}], {"a": 1}, None]),
]


@pytest.mark.parametrize("case", range(len(VALUES)))
def test_a_record_holds_values_of_the_right_kind(case: int) -> None:
    fits, good, bad = VALUES[case]
    assert [value for value in good if not fits(value)] == []
    assert [value for value in bad if fits(value)] == []


def test_faults_of_a_record_are_named_by_their_place() -> None:
    fields = {"seed": shape.whole, "plan": {"gap": shape.share}, "bars": ({"gap": shape.share},)}
    may_be = {"cap": shape.share}
    good = {"seed": 1, "plan": {"gap": 0.1}, "bars": {"a": {"gap": 0.2}}, "cap": 1}
    assert list(shape.shape_faults(good, fields, may_be)) == []
    assert list(shape.shape_faults([], fields)) == ["record: is no table of names and values"]
    for changed, said in (
        ({"seed": -1}, ["seed: '-1' cannot stand here"]),
        ({"plan": 5}, ["plan, : is no table of names and values"]),
        ({"plan": {"gap": 3, "x" * 50: 1}}, ["plan, gap: '3' cannot stand here", f"plan, {'x' * 40}: is unknown"]),
        ({"bars": {"a": {"gap": 3}, "b": {}}}, ["bars, a, gap: '3' cannot stand here", "bars, b, gap: is missing"]),
        ({"bars": 5}, ["bars, , : is no table of names and values"]),
        ({"cap": 2}, ["cap: '2' cannot stand here"]),
        ({"odd": "y" * 50}, ["odd: is unknown"]),
        ({"seed": "y" * 50}, [f"seed: {'y' * 40!r} cannot stand here"]),
    ):  # fmt: skip
        assert list(shape.shape_faults({**good, **changed}, fields, may_be)) == said
    assert list(shape.shape_faults({"plan": {"gap": 0}, "bars": {}}, fields)) == ["seed: is missing"]


def test_a_record_with_many_faults_names_three_and_counts_the_rest(tmp_path: Path) -> None:
    fields = dict.fromkeys("abcd", shape.whole)
    shape.refuse_other_shapes(dict.fromkeys("abcd", 1), tmp_path, fields)
    for n, more in ((3, r"c: is missing\)"), (4, r"c: is missing and 1 more\)")):
        with pytest.raises(shape.NbbError, match=more):
            shape.refuse_other_shapes({}, tmp_path, dict(list(fields.items())[:n]))


def test_of_many_unknown_words_twenty_are_named() -> None:
    checks = Checks()
    sound._report(checks, "table flows, column chain", list(range(25)), "the plan's chains")
    assert [row["where"] for row in checks.rows] == [
        f"table flows, column chain: {i} is not in the plan's chains" for i in range(20)
    ]


def test_figures_are_the_same_but_for_rounding() -> None:
    for said, true, same in (
        ({"a": {"b": 1.0}}, {"a": {"b": 1.0 + 1e-10}}, True), ({"a": 1.0}, {"a": 1.0 + 3e-9}, False),
        (0.0, 9e-10, True), (0.0, 2e-9, False), (1e6, 1e6 + 1e-4, True), (1e6, 1e6 + 3e-3, False), ("a", "a", True),
        ({"a": 1}, {}, False), (None, {}, False), (["x"], ["x"], True), (1, "1", False),
    ):  # fmt: skip
        assert shape.same(said, true) is same, (said, true)


def test_parts_of_a_record_that_are_something_else_are_empty() -> None:
    assert [mapping(value) for value in ({"a": 1}, [], None)] == [{"a": 1}, {}, {}]
    assert [number(value) for value in (2, 0.5, -INF)] == [2.0, 0.5, -INF]
    assert all(math.isnan(number(value)) for value in (True, "2", None, [1]))
    assert [listed({"a": value}, "a") for value in ([1], {}, None)] == [[1], [], []]
    assert own_cost_eur({"costs": [{"eur": 2}, {"eur": 0.5}]}) == 2.5
    assert math.isnan(own_cost_eur({"costs": [{"eur": 2}, 3]}))


MODEL = ModelRules(name="m", blocks=("flow", "fleet"), technologies="all", projects="none", flows="free")
CLAIMED = {"cost_eur": 1, "bound": 1, "gap": 0.01, "emissions_t_co2e": {}, "status": "optimal",
           "blocks": ["fleet", "flow"], "technologies": "all", "projects": "none"}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "asked", "said"),
    [
        ({}, 0.01, []),
        ({}, 0.01 - 0.9e-9, []),
        ({}, 0.01 - 1e-7, ["status optimal: the gap is wider than the one asked for"]),
        ({}, None, ["status optimal: the gap is wider than the one asked for"]),
        ({"status": "time_limit"}, None, []),
        ({"status": "stopped"}, 0, []),
        ({"status": "not_proven"}, 0, []),
        ({"status": "fine"}, 1, ["status: is none of optimal, time_limit, stopped, not_proven"]),
        ({"blocks": ["flow"]}, 1, ["blocks: models/m.toml has flow, fleet"]),
        ({"blocks": ["flow", "fleet", 3]}, 1, ["blocks: models/m.toml has flow, fleet"]),
        ({"blocks": None}, 1, ["blocks: models/m.toml has flow, fleet"]),
        ({"technologies": "today"}, 1, ["technologies: the model says 'all'"]),
        ({"projects": "all"}, 1, ["projects: the model says 'none'"]),
    ],
)
def test_claims_of_a_plan_fit_its_model(change: dict[str, Any], asked: Any, said: list[str]) -> None:
    checks = Checks()
    check_claims({**CLAIMED, **change}, MODEL, asked, checks)
    assert [row["where"] for row in checks.rows if not row["ok"]] == said


def test_every_claim_is_asked_for() -> None:
    for key in CLAIMED:
        checks = Checks()
        check_claims({name: value for name, value in CLAIMED.items() if name != key}, MODEL, 1, checks)
        assert f"{key} of the plan" in checks.frame().query("not ok")["where"].tolist()


def test_faults_of_another_problems_claims_are_named() -> None:
    good = {"cost": 100.0, "bound": 99.0, "gap": 0.01, "status": "optimal", "verified": True, "options": {"gap": 0.01}}
    for change, said in (
        ({}, []),
        ({"gap": 0.01 + 0.9e-9}, []),
        ({"bound": 98.0}, ["gap: is 0.02, not 0.01"]),
        ({"cost": -100.0, "bound": -101.0}, []),
        ({"cost": 0.0, "bound": 0.0, "gap": 0.0}, []),
        ({"bound": -INF, "gap": INF, "status": "time_limit"}, []),
        ({"cost": "x", "bound": None}, ["cost: is no number", "bound: is no number"]),
        ({"status": "good"}, ["status: is none of optimal, time_limit, stopped, not_proven"]),
        ({"options": {"gap": 0.009}}, ["status optimal: the gap is wider than the one asked for"]),
        ({"options": None}, ["status optimal: the gap is wider than the one asked for"]),
        ({"options": {"gap": 0.009}, "status": "stopped"}, []),
        ({"verified": 1}, ["verified: the run does not say that it was verified when it was written"]),
    ):
        assert claim_faults({**good, **change}, "cost", "bound") == said, change


def reported_faults(said: dict[str, Any], *, cost: float = 1e6, size: float = 1e6) -> set[str]:
    costs = pd.DataFrame({"discounted_eur": [(size + cost) / 2, (cost - size) / 2]})
    checks = Checks()
    check_reported(said, costs, cost, {2025: 5.0, 2030: 7.0}, checks)
    return {row["where"].removeprefix("reported ") for row in checks.rows if not row["ok"]}


def test_reported_figures_agree_to_the_last_digits() -> None:
    own = {"costs": [{"eur": 2e5}]}
    for said, wrong in (
        ({}, set()),
        ({"cost_eur": 1e6 + 0.0099}, set()),
        ({"cost_eur": 1e6 + 0.0111}, {"cost_eur"}),
        ({"emissions_t_co2e": {"2025": 5.0, "2030": 7.0}}, set()),
        ({"emissions_t_co2e": {"2025": 5.0009, "2030": 7.0011}}, {"emissions 2030"}),
        ({"emissions_t_co2e": {"2025": 5.0}}, {"emissions 2030"}),
        ({"emissions_t_co2e": {"2025": 5.0, "2030": 7.0, "2035": 0.0}}, {"emissions 2035"}),
        ({"bound": 1e6 + 0.9}, set()),
        ({"bound": 1e6 + 1.1}, {"bound"}),
        ({"bound": 9e5, "gap": 0.1}, set()),
        ({"bound": 9e5, "gap": 0.1 + 0.9e-7}, set()),
        ({"bound": 9e5, "gap": 0.1 + 1.1e-7}, {"gap"}),
        ({"bound": 1.1e6, "gap": 0.1}, {"bound"}),
        ({"gap": INF}, set()),
        ({"gap": 0.0}, {"gap"}),
        ({"extension": {**own, "objective_eur": 1.2e6}, "bound": 1.2e6, "gap": 0.0}, set()),
        ({"extension": {**own, "objective_eur": 1e6}}, {"objective_eur: cost_eur and costs of the user's own"}),
        ({"extension": 3, "bound": 1e6}, {"objective_eur: cost_eur and costs of the user's own"}),
    ):
        assert reported_faults(said) == wrong, said
    assert reported_faults({"cost_eur": 1e6 + 0.9}, size=1e9) == set()  # of costs and revenues in the billions
    assert reported_faults({"cost_eur": 1e6 + 1.1}, size=1e9) == {"cost_eur"}
    assert reported_faults({"bound": 1e6, "gap": 1.9e-6}, size=1e9) == set()
    assert reported_faults({"bound": 1e6, "gap": 2.1e-6}, size=1e9) == {"gap"}
    assert reported_faults({"bound": 0.0, "gap": 0.0}, cost=0.0, size=0.0) == set()


OWN_TABLES = {
    "chains": pd.DataFrame({"chain": [1, 0, 2], "bundle": [0, 0, 1]}),
    "bundles": pd.DataFrame({"bundle": [0, 1], "origin": ["A", "B"], "destination": ["B", "A"], "commodity": "X"}),
    "flows": pd.DataFrame({"chain": [0, 1, 2], "year": [2025, 2025, 2030], "tonnes": [1.0, 2.0, 4.0]}),
    "lanes": pd.DataFrame({"lane": [0, 1], "from_node": ["A", "A"], "to_node": ["B", "B"], "cargo_type": ["c", "c"]}),
    "driven": pd.DataFrame({"lane": [1], "vehicle": ["V"], "year": [2025], "loaded_vkm": [8.0]}),
    "empties": pd.DataFrame({"from_region": ["E"], "to_region": ["W"], "vehicle": ["V"], "cargo_type": ["c"],
                             "year": [2025], "empty_vkm": [16.0]}),
    "fleet": pd.DataFrame({"fleet_region": ["E", "E"], "vehicle": ["V", "V"], "vintage_year": [2025, 2025],
                           "year": [2025, 2030], "bought": [3, 0], "kept": [3, 2]}),
    "chargers": pd.DataFrame({"charge_area": ["C"], "charger": ["D"], "year": [2025], "installed": [5]}),
    "projects": pd.DataFrame({"project": ["P"], "year": [2030], "in_service": [1]}),
    "use": pd.DataFrame({"kind": ["link", "public_charging"], "row": ["C", "C"], "year": [2025, 2025],
                         "used": [1.0, 32.0]}),
    "fuels": pd.DataFrame({"substitute": ["S"], "country": ["SE"], "year": [2030], "replaced_kwh": [64.0]}),
}  # fmt: skip
SHOWN: list[tuple[str, list[Any], float]] = [
    ("carried_t", ["A", "B", "X", 1, 2025], 1.0), ("carried_t", ["A", "B", "X", 2, 2025], 2.0),
    ("carried_t", ["B", "A", "X", 1, 2030], 4.0), ("carried_t", ["B", "A", "X", 2, 2030], 0.0),
    ("driven_vkm", ["A", "B", "c", 2, "V", 2025], 8.0), ("driven_vkm", ["A", "B", "c", 1, "V", 2025], 0.0),
    ("empty_vkm", ["E", "W", "V", "c", 2025], 16.0), ("installed", ["C", "D", 2025], 5.0),
    ("bought", ["E", "V", 2025], 3.0), ("bought", ["E", "V", 2030], 0.0),
    ("kept", ["E", "V", 2025, 2030], 2.0), ("kept", ["E", "V", 2025, 2025], 0.0),
    ("built", ["P", 2030], 1.0), ("public_kwh", ["C", 2025], 32.0), ("replaced_kwh", ["S", "SE", 2030], 64.0),
]  # fmt: skip


def own_faults(claim: dict[str, Any], formula: dict[str, Any], tables: Any = None, kind: str = "rules") -> list[str]:
    checks = Checks()
    said = {"extension": {kind: [{"name": "r", "recomputed": True, **claim}]}}
    check_own(said, {kind: [{"name": "r", "constant": 0.0, **formula}]}, tables or OWN_TABLES, checks)
    return [f"{row['rule']}: {row['where']}" for row in checks.rows if not row["ok"] or row["rule"] == "trust_own_rule"]


@pytest.mark.parametrize("case", range(len(SHOWN)))
def test_amounts_of_variables_are_those_of_the_tables(case: int) -> None:
    kind, key, amount = SHOWN[case]
    terms = {"terms": [[kind, key, 2.0]], "constant": 3.0}
    assert own_faults({"eur": 3.0 + 2.0 * amount}, terms, kind="costs") == []
    assert own_faults({"eur": 3.1 + 2.0 * amount}, terms, kind="costs") == ["agree_own_cost: r"]


def test_sides_and_slacks_of_own_rules_are_those_of_their_formulas() -> None:
    terms = [["bought", ["E", "V", 2025], 1.0], ["kept", ["E", "V", 2025, 2030], -1.0]]  # 3 - 2
    for claim, formula, said in (
        ({"value": 1.0, "slack": INF}, {}, ["agree_own_rule: r: slack"]),  # a rule has a side
        ({"value": 1.0, "at_most": 4.0, "slack": 3.0}, {"at_most": 4.0}, []),
        ({"value": 1.0, "at_least": -1.0, "slack": 2.0}, {"at_least": -1.0}, []),
        ({"value": 1.0, "at_least": -1.0, "at_most": 4.0, "slack": 2.0}, {"at_least": -1.0, "at_most": 4.0}, []),
        ({"value": 1.0, "at_least": -3.0, "at_most": 4.0, "slack": 3.0}, {"at_least": -3.0, "at_most": 4.0}, []),
        ({"value": 1.0, "at_most": 0.5, "slack": -0.5}, {"at_most": 0.5}, ["keep_own_rule: r"]),
        ({"value": 1.0, "at_least": 1.5, "slack": -0.5}, {"at_least": 1.5}, ["keep_own_rule: r"]),
        ({"value": 1.0, "at_most": 5.0, "slack": 3.0}, {"at_most": 4.0}, ["agree_own_rule: r: at_most"]),
        ({"value": 1.0, "slack": 3.0}, {"at_most": 4.0}, ["agree_own_rule: r: at_most"]),
        ({"value": 2.0, "at_most": 4.0, "slack": 3.0}, {"at_most": 4.0}, ["agree_own_rule: r"]),
        ({"value": 1.0, "at_most": 4.0, "slack": 2.9}, {"at_most": 4.0}, ["agree_own_rule: r: slack"]),
        ({"value": 1.0, "at_most": 4.0, "slack": 3.0, "recomputed": False}, {"at_most": 4.0},
         ["agree_own_rule: r: recomputed"]),
        ({"value": 1.0, "at_most": 4.0, "slack": 3.0, "name": "s"}, {"at_most": 4.0},
         ["agree_own_rule: rules: own_rules.json has others than run.json"]),
    ):  # fmt: skip
        assert own_faults(claim, {"terms": terms, **formula}) == said, (claim, formula)


def test_what_the_tables_do_not_show_is_the_word_of_the_run() -> None:
    word = ["trust_own_rule: r: holds what the tables do not show; the word of the run"]
    claim = {"value": 7.0, "at_most": 9.0, "slack": 2.0, "recomputed": False}
    for kind, key, tables in (
        ("mine", ["a"], OWN_TABLES),
        ("carried_t", ["A"], {**OWN_TABLES, "chains": OWN_TABLES["chains"].query("chain != 0")}),
        ("driven_vkm", ["A"], {**OWN_TABLES, "lanes": OWN_TABLES["lanes"].query("lane == 1")}),
    ):  # fmt: skip
        formula = {"terms": [[kind, key, 1.0]], "at_most": 9.0}
        assert own_faults(claim, formula, tables) == word
        assert own_faults({**claim, "value": 8.0}, formula, tables) == ["agree_own_rule: r: slack", *word]
        assert not_shown({"rules": [{"name": "r", **formula}], "costs": []}, tables) == {"r"}
        assert not_shown({"costs": [{"name": "r", **formula}]}, tables) == {"r"}
    assert not_shown({"rules": [{"name": "r", "terms": [["built", ["P", 2030], 1.0]]}]}, OWN_TABLES) == set()


def test_formulas_that_cannot_be_read_and_rules_that_nothing_names_are_refused() -> None:
    read = "agree_own_rule: r: own_rules.json: a constant and terms of variable, key and coefficient must be there"
    for formula in (
        {"terms": None}, {"terms": [5]}, {"terms": [["bought"]]}, {"terms": [["bought", 5, 1.0]]},
        {"terms": [["bought", [["a"]], 1.0]]}, {"terms": [[3, ["a"], 1.0]]}, {"terms": [["bought", ["a"], "x"]]},
        {"terms": [["bought", ["a"], INF]]}, {"terms": [], "constant": INF}, {"terms": [], "constant": None},
        {"terms": [["bought", ["a"], 1.0, 1.0]]},
    ):  # fmt: skip
        assert own_faults({"value": 0.0, "at_most": 1.0, "slack": 1.0}, formula) == [read], formula
    fine = {"terms": [["bought", [None, 1, 0.5, "a"], 1.0]], "at_most": 1.0}
    assert own_faults({"value": 0.0, "at_most": 1.0, "slack": 1.0}, fine) == []
    checks = Checks()
    check_own({}, {}, {}, checks)
    check_own({}, None, {}, checks)
    assert not checks.failed
    check_own({}, {"rules": []}, {}, checks)
    assert checks.rows[-1]["where"] == "own_rules.json: the record names no rules of it"


def run_of(record: dict[str, Any], bars: tuple[str, ...] = ()) -> Run:
    return Run(Path(), record, {}, {bar: {} for bar in bars})


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ({"gap": 0.01}, 0.01),
        ({"gap": 0.01, "decision_gap": 0.05}, 0.002),  # a twentieth of the 40 saved, of 1000
        ({"gap": 0.001, "decision_gap": 0.05}, 0.001),
        ({"gap": 0.05, "decision_gap": 0.05}, 0.005),  # not below a tenth of the gap beside it
        ({"gap": None, "decision_gap": 0.05}, 0.002),
        ({"decision_gap": 1e-9}, 1e-6),
    ],
)
def test_the_gap_asked_for_is_that_of_the_options_or_of_what_is_saved(options: dict[str, Any], asked: float) -> None:
    record = {"options": options, "cost_eur": 1000.0, "bound": 990.0, "bars": {"reference": {"cost_eur": 1030.0}}}
    assert of_run._gap_asked(run_of(record, ("frozen", "reference"))) == pytest.approx(asked)
    assert of_run._gap_asked(run_of({**record, "bars": {}}, ("frozen",))) == options.get("gap")


@pytest.mark.parametrize(
    ("name", "options", "own", "bars"),
    [
        ("joint", {}, False, ["frozen", "reference"]),
        ("joint", {"reference": False}, False, ["frozen"]),
        ("joint", {"reference": None}, False, ["frozen", "reference"]),
        ("reference", {}, False, ["frozen"]),
        ("reference", {"reference": False}, False, ["frozen"]),
        ("frozen", {}, False, []),
        ("frozen", {}, True, ["frozen"]),
        ("reference", {}, True, ["frozen", "reference"]),
        ("reference", {"reference": False}, True, ["frozen", "reference"]),
    ],
)
def test_a_run_has_the_bars_before_its_model(name: str, options: dict[str, Any], own: bool, bars: list[str]) -> None:
    assert of_run._bars_needed(replace(MODEL, name=name), options, own=own) == bars


def test_caps_of_a_model_are_shares_of_what_the_frozen_plan_emits_first() -> None:
    bare = pd.DataFrame()
    frozen, plan = (
        Verdict(ok=True, checks=bare, cost_eur=0.0, emissions_t_co2e=emitted, costs=bare, emissions=bare)
        for emitted in ({2025: 100.0, 2030: 400.0}, {2025: 150.0, 2030: 80.0, 2035: 50.0})
    )
    rules = replace(MODEL, cuts=((2030, 0.2), (2035, 0.5)))
    for caps, said in (
        ({"2030": 80.0, "2035": 50.0}, []),
        ({"2030": 80.0, "2035": 60.0}, ["cap of the model m 2035"]),
        ({"2030": 80.0}, ["caps_t_co2e: the years are [2030, 2035]", "cap of the model m 2035"]),
    ):
        checks = of_run._own_caps(rules, frozen, plan, {"caps_t_co2e": caps})
        assert [row["where"] for row in checks.rows if not row["ok"]] == said
    tight = replace(rules, cuts=((2030, 0.21),))
    checks = of_run._own_caps(tight, frozen, plan, {"caps_t_co2e": {"2030": 79.0, "2035": 79.0}})
    assert [(row["rule"], row["where"]) for row in checks.rows if not row["ok"]] == [
        ("cap_emissions", "cap of the model m 2030")
    ]


def test_cells_that_differ_are_found_by_table_and_column() -> None:
    before = pd.DataFrame({"key": ["a", "b", "c"], "x": [1.0, NAN, 3.0], "word": ["p", "", "r"]})
    after = before.assign(x=[1.0, 2.0, NAN], word=["p", "q", ""])
    assert of_run._differences("t", before, before.copy()) == []
    found = of_run._differences("t", before, after)
    assert [(each["table"], each["column"], each["before"], each["after"]) for each in found] == [
        ("t", "x", None, 2.0), ("t", "x", 3.0, None), ("t", "word", None, "q"), ("t", "word", "r", None),
    ]  # fmt: skip
    assert found[0]["cells"] == {"b", "nan", ""}


def test_rules_of_a_model_are_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        '[model]\nblocks = ["flow"]\ntechnologies = "all"\nprojects = "none"\nflows = "free"\n'
        '[caps.cut]\n2040 = 0.9\n2030 = 0.5\n[emissions]\nweight_eur_per_t = {2030 = 20, 2025 = 10}\n', "utf-8"
    )  # fmt: skip
    found = rules_of("mine", path)
    assert found.cuts == ((2030, 0.5), (2040, 0.9))
    assert found.prices == {"emission_weight": ((2025, 10.0), (2030, 20.0))}
    assert (found.name, found.blocks, found.technologies, found.projects) == ("mine", ("flow",), "all", "none")
    for name, file, what in (
        ("mine", None, "give its file"), ("other", path, "not 'mine'"), ("joint", path, "not 'mine'"),
    ):  # fmt: skip
        with pytest.raises(of_run.VerifyFailed, match=what):
            rules_of(name, file)
    path.write_text("[model]\n", "utf-8")
    with pytest.raises(of_run.VerifyFailed, match="is no model"):
        rules_of("mine", path)


def flat(fits: Any) -> Any:
    """A value of the shape of a record."""
    if isinstance(fits, tuple):
        return {"frozen": flat(fits[0]), "reference": flat(fits[0])}
    if isinstance(fits, dict):
        return {key: flat(value) for key, value in fits.items()}
    return next(each for each in ("auto", "pyomo", "choose", 0.0, 0, True, [], {}) if fits(each))


def sound_run() -> Run:
    """A run whose record has the right shape, of a model of this file, of `tiny`."""
    record = flat(dict(shape.RUN))
    record |= {"verified": True, "instance": "tiny", "instance_digest": tiny().digest, "model": "m"}
    record["options"] |= {"flows": "free", "reference": True}
    for bar, said in record["bars"].items():
        said["model"] = bar
    flows = pd.DataFrame({"chain": [0, 1], "year": [2025, 2025], "tonnes": [1.0, 2.0]})
    return Run(Path(), record, {"flows": flows}, {"frozen": {"flows": flows}, "reference": {"flows": flows}})


SHOWS = "verified: the run does not say that it was verified when it was written"
BARS_OF = "flows must be 'free', the bars frozen, reference"


def test_a_record_fits_its_model_and_instance_in_every_part() -> None:
    def at(*path: str, to: Any) -> Any:
        def change(record: dict[str, Any]) -> None:
            for key in path[:-1]:
                record = record[key]
            record[path[-1]] = to

        return change

    def faults(run: Run, rules: ModelRules = MODEL) -> list[str]:
        checks = Checks()
        of_run._check_record(run, rules, tiny(), checks)
        return [row["where"] for row in checks.rows if not row["ok"]]

    assert faults(sound_run()) == []
    for change, said in (
        (at("verified", to=False), [SHOWS]),
        (at("instance", to="other"), ["instance: the name is 'tiny'"]),
        (at("seed", to=-1), ["seed: '-1' cannot stand here"]),
        (at("options", "flows", to="frozen"), [BARS_OF]),
        (at("bars", "frozen", "model", to="reference"), [BARS_OF]),
        (at("caps_t_co2e", to={"2030": 5.0}), [BARS_OF]),
        (at("next_tonne_eur_per_t", to={"2030": 5.0}), [BARS_OF]),
        (lambda record: record["bars"].pop("frozen"), ["bars, frozen: is missing", BARS_OF]),
        (lambda record: record["bars"].update(more=record["bars"]["frozen"]), [BARS_OF]),
        (at("options", "reference", to=False), ["flows must be 'free', the bars frozen"]),
        (at("taken_from", to="reference"), []),
        (at("taken_from", to="joint"), ["taken_from: the plan is not that of joint"]),
    ):
        run = sound_run()
        change(run.record)
        assert faults(run) == said
    less = replace(sound_run(), bars={"frozen": sound_run().tables})
    assert faults(less) == ["bars, reference: is missing", BARS_OF]
    cut, run = replace(MODEL, cuts=((2030, 0.5),)), sound_run()
    assert faults(run, cut) == [BARS_OF]
    run.record.update(caps_t_co2e={"2030": 5.0}, next_tonne_eur_per_t={"2030": 5.0})
    assert faults(run, cut) == []
    taken = sound_run()
    taken.record["taken_from"] = "reference"
    taken.tables["flows"] = taken.tables["flows"].assign(tonnes=3.0)
    assert faults(taken) == ["taken_from: the plan is not that of reference"]


def test_flows_of_the_frozen_plan_are_kept_to_the_kilogram() -> None:
    flows = sound_run().tables["flows"]
    for own, said in (
        (flows, []),
        (flows.assign(tonnes=[1.0009, 2.0]), []),
        (flows.assign(tonnes=[1.0, 2.0011]), ["chain 1 2025"]),
        (flows.head(1), ["chain 1 2025"]),
        (pd.concat([flows, flows.head(1).assign(chain=2)]), ["chain 2 2025"]),
    ):
        checks = Checks()
        of_run.keep_flows(replace(sound_run(), tables={"flows": own}), checks)
        assert [row["where"] for row in checks.rows if not row["ok"]] == said


def test_what_a_what_if_changed_is_told_cell_by_cell() -> None:
    carbon = "country_years.carbon_price_eur_per_t[country=SE, year>=2030] = 200"
    other = tiny().with_changes(carbon, "projects.earliest_year[project=RAIL_MINE] += 1")
    assert other.what_if is not None
    true = json.loads(json.dumps(other.what_if.record))

    def faults(said: dict[str, Any], instance: Any = other) -> list[str]:
        checks = Checks()
        of_run._check_changes(said, instance, checks)
        return [row["where"].removeprefix("what_if") for row in checks.rows if not row["ok"]]

    def cell(i: int, **new: Any) -> dict[str, Any]:
        return {"cells": [{**each, **(new if i == j else {})} for j, each in enumerate(true["cells"])]}

    assert faults(true) == []
    for change, said in (
        ({"changes": []}, [": changes are others"]),
        ({"scenarios": ["a"]}, [": scenarios are others"]),
        ({"outside_plausible": ["a"]}, [": outside_plausible are others"]),
        ({"base_digest": "0"}, [": is of another base"]),
        ({"changed_cells": 1}, [": 2 cells differ from the base"]),
        ({"cells": true["cells"][:1]}, [": 2 cells differ from the base"]),
        ({"cells": None}, [": 2 cells differ from the base"]),
        (cell(0, before=1.0), [", cell 1: country_years says another thing"]),
        (cell(0, after=1.0), [", cell 1: country_years says another thing"]),
        (cell(1, column="x"), [", cell 2: projects says another thing"]),
        (cell(1, table="x"), [", cell 2: projects says another thing"]),
        (cell(0, row="FI/2035"), [", cell 1: country_years says another thing"]),
    ):
        assert faults({**true, **change}) == said, change
    base = ": what was changed cannot be checked without the base; give the base as instance="
    assert faults({}, tiny()) == []
    assert faults(true, tiny()) == [base]
