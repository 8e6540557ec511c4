"""Rules and costs of a user's own are solved, verified and reported as such; what is faulty is named with its line."""

from __future__ import annotations

import importlib
import io
import json
import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pyomo.environ as pyo
import pytest
from typer.testing import CliRunner

import nbb_opt as nbb
from nbb_opt.cli.main import app
from nbb_opt.errors import ModelError, NbbError
from nbb_opt.model.snapshot import Snapshot
from nbb_opt.shipped import shipped

TINY = shipped("instances") / "tiny"
GAP = 1e-6


def half_of_the_ore_by_rail(m: Any) -> None:
    ore = [c for c in m.chains_in[2030] if c.commodity == "ORE"]
    by_rail = sum(m.carried_t[*c, 2030] for c in ore if m.main_mode[c] == "rail")
    m.ore_by_rail = pyo.Constraint(expr=by_rail <= 0.5 * sum(m.carried_t[*c, 2030] for c in ore), doc="half of it")


def tyres(m: Any, eur_per_km: float = 0.5) -> None:
    def eur(m: Any, year: int) -> Any:
        return sum(eur_per_km * m.driven_vkm[*lane, truck, year] for lane, truck in m.drives_in[year])

    nbb.add_cost(m, "tyres", eur, paid="yearly")


@cache
def plain() -> nbb.Result:
    return nbb.solve(nbb.examples.tiny(), gap=GAP)


@cache
def extended() -> nbb.Result:
    """Ore at most half by rail, a cost of tyres, no larger grid in the west, a variable of the user's own."""
    m = nbb.build(nbb.examples.tiny())
    half_of_the_ore_by_rail(m)
    tyres(m)
    m.built["GRID_W", 2030].fix(0)
    m.spare = pyo.Var(bounds=(1, 2))
    m.more_than_spare = pyo.Constraint(expr=sum(m.bought[key] for key in m.bought) >= m.spare)
    m.minimise_cost.expr += 1000 * m.spare
    return nbb.solve(m, gap=GAP)


def rules_file(folder: Path, text: str) -> Path:
    path = folder / "rules.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_rules_change_the_plan_and_are_listed_with_their_slack() -> None:
    plan = extended()
    said = plan.record["extension"]
    rules = {rule["name"]: rule for rule in said["rules"]}
    assert plan.verified
    assert plan.cost_eur > plain().cost_eur
    assert list(rules) == ["ore_by_rail", "more_than_spare", "bounds of built[GRID_W,2030]"]
    assert (rules["ore_by_rail"]["slack"], rules["ore_by_rail"]["doc"]) == (pytest.approx(0, abs=1e-6), "half of it")
    assert [rules[name]["recomputed"] for name in rules] == [True, False, True]
    assert said["new_variables"] == ["spare"]
    ore = plan.flows[(plan.flows["commodity"] == "ORE") & (plan.flows["year"] == 2030)]
    assert ore.loc[ore["main_mode"] == "rail", "flow_t_per_year"].sum() <= 0.5 * ore["flow_t_per_year"].sum() + 1e-6


def test_a_cost_of_ones_own_is_apart_from_the_system_cost_and_minimised_with_it() -> None:
    plan = extended()
    costs = {cost["name"]: cost for cost in plan.record["extension"]["costs"]}
    years = {period.year: period.years for period in plan.instance.periods}
    km = plan.run.tables["driven"].groupby("year")["loaded_vkm"].sum()
    assert set(costs) == {"tyres", "further terms of the objective"}
    assert plan.instance.meta.discount_rate == 0
    assert costs["tyres"]["eur"] == pytest.approx(sum(0.5 * km[year] * years[year] for year in years))
    assert costs["further terms of the objective"]["eur"] == pytest.approx(1000.0)
    assert not costs["further terms of the objective"]["recomputed"]
    assert plan.objective_eur == pytest.approx(plan.cost_eur + costs["tyres"]["eur"] + 1000.0)
    assert plan.cost_eur == pytest.approx(plan.costs["discounted_eur"].sum())
    assert "tyres" not in set(plan.costs["component"])
    assert plan.bound_eur == pytest.approx(plan.objective_eur, rel=2 * GAP)


def test_a_cost_of_what_is_fixed_and_of_what_lies_outside_the_model_is_whole_under_its_name() -> None:
    m, outside = nbb.build(nbb.examples.tiny()), pyo.ConcreteModel()
    outside.spare = pyo.Var(bounds=(1, 2))
    m.built["GRID_W", 2030].fix(0)
    nbb.add_cost(m, "upkeep", lambda m, y: 10 * m.built["GRID_W", 2030] + 20 * outside.spare, paid="once")
    extension = Snapshot.of(m).extended().extension
    assert extension is not None
    assert [(cost.name, sorted(cost.coefficient)) for cost in extension.costs] == [("upkeep", [20.0, 40.0])]


def test_the_reference_is_what_it_is_without_the_rules() -> None:
    assert extended().reference.cost_eur == pytest.approx(plain().reference.cost_eur, rel=1e-6)
    assert "extension" not in extended().reference.record
    assert nbb.verify(extended().reference).ok


def test_a_model_without_additions_and_its_clone_give_the_plain_plan() -> None:
    m = nbb.build(nbb.examples.tiny())
    both = [nbb.solve(m, gap=GAP), nbb.solve(m.clone(), gap=GAP)]
    assert [plan.cost_eur for plan in both] == pytest.approx([plain().cost_eur] * 2, rel=2 * GAP)
    assert all("extension" not in plan.record for plan in both)
    other = m.clone()
    half_of_the_ore_by_rail(other)
    assert nbb.solve(other, gap=GAP).cost_eur > plain().cost_eur * (1 + 10 * GAP)


def test_a_run_is_verified_again_from_its_tables(tmp_path: Path) -> None:
    verdict = nbb.verify(extended().save(tmp_path / "run"))
    assert verdict.ok
    said = verdict.checks.groupby("rule")["where"].first()
    assert {"keep_own_rule", "agree_own_rule", "agree_own_cost"} <= set(said.index)
    assert "the word of the run" in said["trust_own_rule"]


def _less(key: str, name: str, figure: str) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    def change(record: dict[str, Any], _terms: dict[str, Any]) -> None:
        next(each for each in record["extension"][key] if each["name"] == name)[figure] -= 1000.0

    return change


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (_less("rules", "ore_by_rail", "value"), "agree_own_rule"),
        (_less("rules", "ore_by_rail", "at_most"), "agree_own_rule"),
        (_less("costs", "tyres", "eur"), "agree_own_cost"),
        (lambda record, _terms: record["extension"].update(objective_eur=record["cost_eur"]), "agree_cost_eur"),
        (lambda record, terms: terms["rules"][0].update(at_most=-5000.0), "keep_own_rule"),
        (lambda record, terms: terms["rules"].pop(), "agree_own_rule"),
        (_less("rules", "ore_by_rail", "slack"), "agree_own_rule"),
        (_less("rules", "more_than_spare", "slack"), "agree_own_rule"),
        (lambda record, _terms: record["extension"]["rules"][0].update(recomputed=False), "agree_own_rule"),
        (lambda _record, terms: terms["rules"][0].update(terms=[["", ["a"], 1.0]]), "agree_own_rule"),
        (lambda _record, terms: terms["rules"][0].update(constant="x"), "agree_own_rule"),
        (lambda _record, terms: terms["costs"][0].update(terms=None), "agree_own_cost"),
        *(
            (lambda _record, terms, term=term: terms["rules"][0]["terms"].append(term), "agree_own_rule")
            for term in (
                5,
                ["bought"],
                ["bought", 5, 1.0],
                ["bought", [["a"]], 1.0],
                [["bought"], ["a"], 1.0],
                ["bought", ["a"], "x"],
                ["bought", ["a"], float("nan")],
            )
        ),
        (lambda record, _terms: record.pop("extension"), "keep_own_rule"),
        (lambda record, _terms: record.update(bound=record["extension"]["objective_eur"] * 1.1), "agree_bound"),
    ],
)
def test_a_false_word_about_ones_own_rules_is_seen(
    change: Callable[[dict[str, Any], dict[str, Any]], None], rule: str
) -> None:
    from dataclasses import replace

    from nbb_opt.verify import verify_run

    run = extended().run
    record, terms = json.loads(json.dumps(run.record)), json.loads(str(run.beside["own_rules.json"]))
    change(record, terms)
    forged = replace(run, record=record, beside={**run.beside, "own_rules.json": json.dumps(terms)})
    verdict = verify_run(forged, extended().instance)
    assert rule in set(verdict.failures()["rule"])


def test_variables_of_ones_own_may_have_keys_of_any_kind(tmp_path: Path) -> None:
    import datetime

    import numpy as np

    m = nbb.build(nbb.examples.tiny())
    m.spare = pyo.Var([np.int64(3), datetime.date(2030, 1, 1)], bounds=(0, 2), dense=True)
    m.few = pyo.Constraint(expr=sum(m.spare.values()) <= 3, doc=7)
    run = nbb.solve(m, gap=GAP).save(tmp_path / "run")
    assert nbb.verify(run).ok
    assert json.loads((run / "own_rules.json").read_text(encoding="utf-8"))["rules"][0]["terms"][0][0] == ""


def test_report_workbook_and_closing_lines_name_them_as_the_users_own(tmp_path: Path) -> None:
    plan = extended()
    page = plan.to_html(tmp_path / "report.html").read_text(encoding="utf-8")
    for words in ("Rules of your own", "ore_by_rail", "Costs of your own", "tyres", "They bind this plan only",
                  "as the run says", "costs of your own of"):  # fmt: skip
        assert words in page
    assert "Rules of your own" not in plain().to_html(tmp_path / "plain.html").read_text(encoding="utf-8")
    assert "1 binding" in str(plan) or "2 binding" in str(plan)
    assert "tyres" in str(plan)
    import openpyxl

    book = openpyxl.load_workbook(plan.to_excel(tmp_path / "report.xlsx"), read_only=True)
    assert {"Own rules", "Own costs"} <= set(book.sheetnames)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda m: m.serve_demand.deactivate(), "row serve_demand.* was taken away"),
        (lambda m: m.del_component("respect_grid"), "row respect_grid.* was taken away"),
        (
            lambda m: m.policy_value.__setitem__(next(iter(m.policy_value)), 0.5),
            r"policy_value\['BUDGET_SE'\] is a parameter of the model and was changed from 2500000.0 to 0.5",
        ),
        (lambda m: m.carbon_price_eur_per_t.__setitem__(("FI", 2025), 500), "carbon_price_eur_per_t.* was changed"),
        (
            lambda m: m.cover_km["W", "DIESEL", 2025].set_value(m.bought["W", "DIESEL", 2025] >= 0),
            r"cover_km\[W,DIESEL,2025\] is a rule of the model and was changed",
        ),
        (
            lambda m: m.amount_eur["service", 2030].set_value(1.1 * m.amount_eur["service", 2030].expr),
            r"the model itself pays for carried_t\[.*was changed",
        ),
        (
            lambda m: m.amount_eur["service", 2030].set_value(7 + m.amount_eur["service", 2030].expr),
            "the model itself pays, was changed",
        ),
        (lambda m: m.amount_eur.__setitem__(("mine", 2030), m.bought["W", "DIESEL", 2025]), "'mine' is in no cost"),
        (lambda m: m.carried_t.__delitem__(next(iter(m.carried_t))), r"variable carried_t\[.*was taken away"),
        (
            lambda m: setattr(m, "few", pyo.Constraint(expr=m.clone().bought["W", "DIESEL", 2025] <= 1)),
            r"bought\[W,DIESEL,2025\] in your rules or costs is of another model",
        ),
        (lambda m: m.minimise_cost.deactivate(), "minimise_cost was taken away"),
        (lambda m: m.minimise_cost.set_value(sum(m.bought.values())), "minimise_cost has lost its cost of"),
        (lambda m: m.cost_components.pop("service"), "the cost service of the model was taken away"),
        (lambda m: setattr(m.built["RAIL_MINE", 2030], "domain", pyo.Reals), r"built\[RAIL_MINE,2030\] is a variable"),
        (
            lambda m: m.built["RAIL_MINE", 2030].setlb(0.5) or m.built["RAIL_MINE", 2030].setub(0.7),
            r"built\[RAIL_MINE,2030\] is a whole number, and none is from 0.5 to 0.7",
        ),
        (lambda m: m.built["RAIL_MINE", 2030].fix(7), r"built\[RAIL_MINE,2030\] is fixed at 7, outside"),
        (lambda m: nbb.add_cost(m, "service", lambda m, y: 0, paid="yearly"), "'service' is there already"),
        (lambda m: nbb.add_cost(m, " ", lambda m, y: 0, paid="yearly"), "give it a name in words"),
    ],
)
def test_a_change_of_the_models_own_rules_is_refused_by_name(change: Callable[[Any], None], what: str) -> None:
    m = nbb.build(nbb.examples.tiny())

    def changed_and_solved() -> None:
        change(m)
        nbb.solve(m)

    with pytest.raises(ModelError, match=what):
        changed_and_solved()


INFEASIBLE = {
    "a rule alone": (
        lambda m: setattr(m, "many", pyo.Constraint(expr=sum(m.built.values()) >= 100)),
        ("This cannot be kept", "your own rule many: 9", "short, in its own unit"),
    ),
    "a rule against a cap": (
        lambda m: setattr(m, "dirty", pyo.Constraint(
            expr=sum(m.emissions_ttw_kg[n, 2025] + m.emissions_wtt_kg[n, 2025] for n in m.countries) >= 5e6
        )),
        ("These cannot all be kept", "your own rule dirty", "emission cap CAP_2025 in 2025 (policies or model)"),
    ),
    "a fixed variable against a rule": (
        lambda m: (m.built["RAIL_MINE", 2030].fix(0),
                   setattr(m, "rail", pyo.Constraint(expr=m.built["RAIL_MINE", 2030] >= 1))),
        ("your own rule bounds of built[RAIL_MINE,2030]: 1 short", "your own rule rail: 1 short"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", INFEASIBLE)
def test_a_rule_that_leaves_no_plan_is_named_as_the_users_own(case: str) -> None:
    m = nbb.build(nbb.examples.tiny())
    change, words = INFEASIBLE[case]
    change(m)
    with pytest.raises(nbb.Infeasible) as found:
        nbb.solve(m)
    for each in words:
        assert each in str(found.value)


def test_a_model_of_another_origin_is_refused() -> None:
    with pytest.raises(ModelError, match=r"no model of nbb\.build"):
        nbb.solve(pyo.ConcreteModel())


RULES = """import pyomo.environ as pyo

def extend(model, data):
    trucks = [key for key in model.bought]
    assert len(data["vehicles"])
    model.few_trucks = pyo.Constraint(expr=sum(model.bought[key] for key in trucks) <= 1000)
"""


def test_the_command_line_takes_a_file_of_rules_and_keeps_its_digest(tmp_path: Path) -> None:
    import hashlib

    path = rules_file(tmp_path, RULES)
    said = CliRunner().invoke(app, ["solve", str(TINY), "--extend", str(path), "--out", str(tmp_path / "run")])
    assert said.exit_code == 0, said.output
    assert "1\N{NO-BREAK SPACE}rule" in said.output
    record = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert record["extension"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert record["extension"]["rules"][0]["at_most"] == 1000.0
    again = CliRunner().invoke(app, ["verify", str(tmp_path / "run")])
    assert again.exit_code == 0, again.output
    assert "rules of the user's own are not solved again" in again.output


def test_what_a_file_of_rules_prints_is_no_part_of_the_answer_for_machines(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = rules_file(tmp_path, RULES.replace("    assert", "    print('a word')\n    assert"))
    given = ["solve", str(TINY), "--extend", str(path), "--out", str(tmp_path / "run"), "--json"]
    said = CliRunner().invoke(app, given)
    assert json.loads(said.stdout)["verified"]
    assert f"{path}: a word" in caplog.text


def test_an_error_in_a_rule_is_said_once_and_not_by_pyomo_beside_us(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = io.StringIO()
    monkeypatch.setattr(logging.getLogger("pyomo"), "handlers", [logging.StreamHandler(printed)])
    built = nbb.build(nbb.examples.tiny())
    broken = "model.mine = pyo.Constraint(model.bought.index_set(), rule=lambda m, *key: m.bought[key] / 0 <= 1)"
    with pytest.raises(ZeroDivisionError):
        exec(broken, {"pyo": pyo, "model": built})
    assert "Rule failed" in printed.getvalue()  # what Pyomo prints where nobody keeps it from that
    printed.seek(0)
    printed.truncate()
    path = rules_file(tmp_path, f"import pyomo.environ as pyo\n\ndef extend(model, data):\n    {broken}\n")
    said = CliRunner().invoke(app, ["solve", str(TINY), "--extend", str(path), "--out", str(tmp_path / "run")])
    assert isinstance(said.exception, ModelError)
    assert "rules.py line 4: ZeroDivisionError" in str(said.exception)
    assert "Rule failed" not in printed.getvalue()


HEAD = "import pyomo.environ as pyo\nfrom nbb_opt import add_cost\n"


def rules(*lines: str) -> str:
    """A file whose function has these lines, the first of them line 4."""
    return HEAD + "\n    ".join(["def extend(model, data):", *lines]) + "\n"


FAULTY = {
    "no_function": (HEAD, r"rules.py: has no function extend\(model, data\)"),
    "no_python": ("def extend(model, data)\n", "rules.py line 1: expected ':'"),
    "no_text": ("\0", "rules.py: source code"),
    "never_runs": (HEAD + "async def extend(model, data):\n    pass\n", "rules.py line 3: .*a plain function"),
    "yields": (rules("yield"), "rules.py line 3: .*a plain function"),
    "endless_side": (rules("x = model.bought", "model.odd = pyo.Constraint(expr=sum(x[k] for k in x) >= 1e20)"),
                     r"rules.py line 5: odd must be from 1e\+20"),
    "endless_bound": (rules("model.y = pyo.Var(bounds=(1e21, None))", "model.odd = pyo.Constraint(expr=model.y >= 0)"),
                      r"rules.py line 4: y must be from 1e\+21"),
    "raises": (rules("model.x = 1 / 0"), "rules.py line 4: ZeroDivisionError"),
    "raises_on_import": (HEAD + "raise SystemExit('no')\n", "rules.py line 3: SystemExit: no"),
    "other_arguments": (HEAD + "def extend(data, model):\n    pass\n", r"line 3: extend\(data, model\) must be"),
    "adds_nothing": (rules("pass"), "rules.py line 3: .* adds no rule and no cost"),
    "only_a_variable": (rules("model.y = pyo.Var()"), "adds no rule and no cost"),
    "misspelt": (rules("model.r = pyo.Constraint(expr=model.truck_km['W', 'X', 2025] <= 1)"), "line 4: KeyError: .*X"),
    "misspelt_key": (rules("model.r = pyo.Constraint(expr=model.built['RAIL_MIN', 2030] <= 1)"),
                     r"line 4: KeyError: .*did you mean \"\('RAIL_MINE', 2030\)\""),
    "misspelt_name": (rules("model.r = pyo.Constraint(expr=model.carriedt['X'] <= 1)"),
                      "line 4: AttributeError: .*did you mean 'carried_t'"),
    "nonlinear": (rules("x = model.bought", "model.square = pyo.Constraint(expr=sum(x[k] ** 2 for k in x) <= 1)"),
                  "rules.py line 5: .*square"),
    "nan": (rules("x = model.bought", "model.odd = pyo.Constraint(expr=sum(float('nan') * x[k] for k in x) <= 1)"),
            "rules.py line 5: .*odd"),
    "nan_side": (rules("x = model.bought", "model.odd = pyo.Constraint(expr=sum(x[k] for k in x) <= float('nan'))"),
                 "rules.py line 5: .*odd"),
    "nan_cost": (rules("nan, x = float('nan'), model.bought",
                       "add_cost(model, 'odd', lambda m, y: nan * sum(x[k] for k in x), paid='yearly')"),
                 "rules.py.*: .*the objective"),
    "too_large": (rules("x = model.bought", "model.large = pyo.Constraint(expr=1e16 * sum(x[k] for k in x) <= 1)"),
                  "rules.py line 5: .*large.* coefficient 1e"),
    "returns_nothing": (rules("add_cost(model, 'none', lambda m, y: None, paid='yearly')"), "line 4: .*'none'"),
    "never_holds": (rules("x = model.bought; k = next(iter(x))", "model.never = pyo.Constraint(expr=0 * x[k] >= 1)"),
                    "rules.py line 5: .*never"),
}  # fmt: skip


@pytest.mark.parametrize("case", FAULTY)
def test_a_faulty_file_ends_in_one_line_with_file_and_line(tmp_path: Path, case: str) -> None:
    text, what = FAULTY[case]
    path = rules_file(tmp_path, text)
    with pytest.raises(ModelError, match=what) as found:
        nbb.solve(nbb.examples.tiny(), extend=path)
    assert len(str(found.value).splitlines()) == 1
    assert str(found.value).startswith(str(path))


TONNES = "tonnes = sum(model.carried_t[k] for k in model.carried_t)"
KM = "km = sum(model.driven_vkm[k] for k in model.driven_vkm)"
SCALES = {
    "a whole number of 1e9": rules(
        "model.n = pyo.Var(domain=pyo.NonNegativeIntegers, bounds=(0, 2e9))",
        "model.large = pyo.Constraint(expr=model.n >= 1e9 + 0.5 * sum(model.bought[k] for k in model.bought))",
        "model.minimise_cost.expr += 0.001 * model.n",
    ),
    "coefficients of 1e9": rules(TONNES, "model.large = pyo.Constraint(expr=1e9 * tonnes <= 1e15)"),
    "coefficients of 1e9 beside 1e-6": rules(
        TONNES, KM, "model.large = pyo.Constraint(expr=1e9 * tonnes + 1e-6 * km <= 1e15)"
    ),
    "a cost of 1e9 a km": rules(KM, "add_cost(model, 'large', lambda m, y: 1e9 * km, paid='yearly')"),
    "all scales 1": rules(
        "model.usual_size.clear()", "model.decide_order.clear()", TONNES,
        "model.large = pyo.Constraint(expr=1e6 * tonnes <= 1e12)",
    ),
    "no bound at all": rules(
        "model.n = pyo.Var()", "model.r = pyo.Constraint(expr=model.n <= 5)", "model.minimise_cost.expr += model.n"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SCALES)
def test_foreign_scales_end_in_a_plan_or_a_named_error(tmp_path: Path, case: str) -> None:
    path = rules_file(tmp_path, SCALES[case])
    named = {
        "no bound at all": "earns without end",
        "coefficients of 1e9 beside 1e-6": "large: its coefficients are too far apart",
    }
    if case in named:
        with pytest.raises(NbbError, match=named[case]):
            nbb.solve(nbb.examples.tiny(), extend=path)
        return
    plan = nbb.solve(nbb.examples.tiny(), extend=path, gap=1e-3, time_limit_s=10)  # one is not proven in minutes
    assert plan.verified
    assert plan.cost_eur == pytest.approx(plain().cost_eur, rel=0.3)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"method": "decompose"}, "column generation knows no rules of your own"),
        ({"statement": "arrays"}, "stated in Pyomo, not in arrays"),
        ({"decision_gap": 0.05}, "decision gap"),
    ],
)
def test_what_cannot_keep_ones_own_rules_is_refused(tmp_path: Path, options: dict[str, Any], what: str) -> None:
    tyre_file = rules(KM, "add_cost(model, 'tyres', lambda m, y: km, paid='yearly')")
    with pytest.raises(ModelError, match=what):
        nbb.solve(nbb.examples.tiny(), extend=rules_file(tmp_path, tyre_file), options=nbb.SolveOptions(**options))


def test_a_size_that_needs_arrays_is_refused_with_that_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.import_module("nbb_opt.model.build"), "LARGEST_IN_PYOMO", 10)
    with pytest.raises(ModelError, match=r"a model of [\d,]+ nonzeros needs the arrays"):
        nbb.solve(nbb.examples.tiny(), extend=rules_file(tmp_path, RULES))


PAGE = shipped("models") / "EXTENDING.md"
EXAMPLES = {
    "1. A share of a commodity by rail": ["boxes_by_rail"],
    "2. A limit on one corridor": ["west_to_plant[2030]"],
    "3. A new cost": ["noise"],
}


@pytest.mark.parametrize("title", EXAMPLES)
def test_the_examples_of_the_page_run_as_they_are(tmp_path: Path, title: str) -> None:
    part = PAGE.read_text(encoding="utf-8").split(f"## {title}\n")[1].split("\n## ")[0]
    code = part.split("```python\n")[1].split("```")[0]
    plan = nbb.solve(nbb.examples.tiny(), extend=rules_file(tmp_path, code), gap=GAP)
    said = plan.record["extension"]
    assert plan.verified
    assert [each["name"] for each in (*said["rules"], *said["costs"])] == EXAMPLES[title]
    assert all(each["recomputed"] for each in (*said["rules"], *said["costs"]))
    assert plan.objective_eur > plain().objective_eur * (1 + 10 * GAP)  # each of them bites


def test_the_page_has_no_other_examples() -> None:
    assert PAGE.read_text(encoding="utf-8").count("```python") == len(EXAMPLES)


def test_a_sweep_keeps_ones_own_rules_at_every_point(tmp_path: Path) -> None:
    path = rules_file(tmp_path, rules("model.none = pyo.Constraint(expr=model.built['RAIL_MINE', 2030] <= 0)",
                                      KM, "add_cost(model, 'own', lambda m, y: 0.1 * km, paid='yearly')"))  # fmt: skip
    given: dict[str, Any] = {"points": 3, "model": "joint", "options": nbb.SolveOptions(gap=GAP)}
    free = nbb.pareto(nbb.examples.tiny(), **given)
    bound = nbb.pareto(nbb.examples.tiny(), extend=path, out=tmp_path / "front", **given)
    assert any("RAIL_MINE" in built for built in free["projects"])
    assert not any("RAIL_MINE" in built for built in bound["projects"])
    assert bound["verified"].all()
    assert bound["cost_eur"].min() > free["cost_eur"].min()
    assert "rules and costs of your own" in (tmp_path / "front" / "pareto.html").read_text(encoding="utf-8")
    relaxed = nbb.sweep(nbb.examples.tiny(), vary="demand", values=(1.0,), relax=True, extend=path)
    assert relaxed["cost_eur"].iloc[0] <= bound["cost_eur"].min() * (1 + GAP)
