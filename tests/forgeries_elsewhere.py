"""Runs of other kinds changed consistently: other fuels, what-ifs, caps of a model, constants, the other problems."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any

import pandas as pd

import nbb_opt as nbb
from forgeries import _gone, _set
from milp_case import add_rows, tiny
from nbb_opt.instance import Instance
from nbb_opt.problems.result import ProblemResult
from nbb_opt.result import Run
from nbb_opt.shipped import shipped
from nbb_opt.verify.claims import rules_of
from test_fuels import with_hvo
from tiny_plan import with_accounts

Record = dict[str, Any]
CARBON = "country_years.carbon_price_eur_per_t[country=SE, year>=2030] = "


def _settled(run: Run, instance: Instance, changed: str = "") -> Run:
    """Accounts and claims of the plan, or of the bar `changed`, made to agree with its decisions."""
    record = deepcopy(run.record)
    said = record["bars"][changed] if changed else record
    tables = run.bars[changed] if changed else run.tables
    tables = with_accounts(instance, dict(tables), "", rules_of(said["model"]).blocks)
    kg = (tables["emissions"]["ttw_kg"] + tables["emissions"]["wtt_kg"]).groupby(tables["emissions"]["year"]).sum()
    cost = float(tables["costs"]["discounted_eur"].sum())
    emitted = {str(year): value / 1000.0 for year, value in kg.items()}
    said |= {"cost_eur": cost, "bound": cost, "gap": 0.0, "status": "optimal", "emissions_t_co2e": emitted}
    if changed:
        return replace(run, record=record, bars={**run.bars, changed: tables})
    return replace(run, record=record, tables=tables)


Change = Callable[[Run, Instance], Run]
CASES: dict[str, Callable[[], Instance]] = {
    "fuels": lambda: with_hvo(tiny(), price=0.13, max_share=0.5),
    "what-if": lambda: nbb.examples.tiny().with_changes(CARBON + "200", forbid=["RAIL_MINE"]),
    "base": nbb.examples.tiny,
    "caps": nbb.examples.tiny,
    "constants": lambda: add_rows(tiny(), "mode_constants", [{"constant": "C", "mode": "road", "eur_per_t": 1.0}]),
}
FORGERIES: dict[tuple[str, str], Change] = {}


@cache
def honest(kind: str) -> tuple[Run, Instance]:
    """A solved run of a kind, and its instance."""
    plan = nbb.solve(CASES[kind](), "cap_path" if kind == "caps" else "joint", gap=1e-6, cache=False)
    return plan.run, plan.instance


def forged(kind: str) -> Iterator[tuple[str, Run, Instance]]:
    """Each forgery of a kind by name, with the instance of the run it was made from."""
    run, instance = honest(kind)
    for (of, name), change in FORGERIES.items():
        if of == kind:
            yield name, change(run, instance), instance


def _record(kind: str, name: str, change: Callable[[Record], Any]) -> None:
    """A lie of the record alone."""

    def put(run: Run, _instance: Instance) -> Run:
        record = deepcopy(run.record)
        change(record)
        return replace(run, record=record)

    FORGERIES[kind, name] = put


def _cells(kind: str, name: str, table: str, change: Callable[[pd.DataFrame], pd.DataFrame], *, bar: str = "") -> None:
    """Another decision, told with accounts and claims that fit."""

    def put(run: Run, instance: Instance) -> Run:
        own = run.bars[bar] if bar else run.tables
        own = {**own, table: change(own[table])}
        lie = replace(run, bars={**run.bars, bar: own}) if bar else replace(run, tables=own)
        return _settled(lie, instance, bar)

    FORGERIES[kind, name] = put


def _money(kind: str, component: str, factor: float) -> None:
    """A cost made larger or smaller in the tables, and in what they add up to."""

    def put(run: Run, _instance: Instance) -> Run:
        costs, record = run.tables["costs"].copy(), deepcopy(run.record)
        mine = costs["component"] == component
        assert mine.any(), f"no {component} among {sorted(set(costs['component']))}"
        costs.loc[mine, ["amount_eur", "discounted_eur"]] *= factor
        apart = float(costs["discounted_eur"].sum()) - record["cost_eur"]
        record |= {"cost_eur": record["cost_eur"] + apart, "bound": record["bound"] + apart}
        return replace(run, record=record, tables={**run.tables, "costs": costs})

    FORGERIES[kind, f"{component} times {factor}"] = put


for _factor in (0.0, 0.5, 0.99, 1.5):
    _cells("fuels", f"{_factor} of the fuel", "fuels", lambda t, f=_factor: t.assign(replaced_kwh=f * t.replaced_kwh))
_cells("fuels", "fuel of one year left out", "fuels", lambda t: t[t["year"] != t["year"].max()])
_cells(
    "fuels",
    "fuel burnt in another country",
    "fuels",
    lambda t: t.assign(country="FI" if "SE" in set(t.country) else "SE"),
)
_cells("fuels", "no fuel in the reference", "fuels", lambda t: t.iloc[:0], bar="reference")
_cells(
    "fuels",
    "more fuel in the reference",
    "fuels",
    lambda t: t.assign(replaced_kwh=1.1 * t.replaced_kwh),
    bar="reference",
)
_money("fuels", "fuel_substitution", 2.0)
_money("fuels", "carbon", 0.5)
_money("constants", "mode_constant", 0.0)
_money("constants", "mode_constant", 0.5)
_money("base", "charger_residual", 1.5)
_money("base", "project_residual", 0.0)
_money("base", "fleet_resale", 1.01)

_record("what-if", "told as the base", _gone("what_if"))
for _key in ("base_digest", "scenarios", "changes", "changed_cells", "cells", "outside_plausible"):
    _record("what-if", f"{_key} left out", _gone("what_if", _key))
_record("what-if", "another value", lambda r: r["what_if"]["changes"].__setitem__(0, CARBON + "250"))
_record("what-if", "one change untold", lambda r: r["what_if"]["changes"].pop())
_record("what-if", "one change more", lambda r: r["what_if"]["changes"].append("links.time_h *= 1.1"))
_record("what-if", "named a scenario", _set("what_if", "scenarios", value=["ferry closed"]))
_record("what-if", "another cell", lambda r: r["what_if"]["cells"][0].__setitem__("row", "FI/2035"))
_record("what-if", "a cell with a remark", lambda r: r["what_if"]["cells"][0].__setitem__("why", "the law"))
_record("what-if", "called plausible, or not", _set("what_if", "outside_plausible", value=["links, row 1: is odd"]))
_record("what-if", "another base", _set("what_if", "base_digest", value="0" * 64))
_record(
    "base", "told as a what-if", lambda r: r.__setitem__("what_if", deepcopy(honest("what-if")[0].record["what_if"]))
)


def _of_another(part: str) -> Change:
    """Plan or reference of the what-if in the run of the base."""

    def put(run: Run, _instance: Instance) -> Run:
        other, record = honest("what-if")[0], deepcopy(run.record)
        if part == "reference":
            record["bars"]["reference"] = deepcopy(other.record["bars"]["reference"])
            return replace(run, record=record, bars={**run.bars, "reference": other.bars["reference"]})
        claims = ("cost_eur", "bound", "gap", "emissions_t_co2e", "checks", "rows", "columns", "nonzeros", "integers")
        record |= {key: deepcopy(other.record[key]) for key in claims}
        return replace(run, record=record, tables=other.tables)

    return put


FORGERIES["base", "reference of another instance"] = _of_another("reference")
FORGERIES["base", "plan of another instance"] = _of_another("plan")
FORGERIES["base", "plan of another instance, accounts of this one"] = lambda run, instance: _settled(
    _of_another("plan")(run, instance), instance
)
_record("base", "taken from the reference", _set("taken_from", value="reference"))
_record("base", "taken from nowhere", _set("taken_from", value="the best of all"))
_record("base", "a price of the next tonne", _set("next_tonne_eur_per_t", value={"2030": 12.0}))
_record("base", "caps that it does not have", _set("caps_t_co2e", value={"2030": 1e6}))
_record("base", "a decision gap in words", _set("options", "decision_gap", value="0.1"))
_record(
    "base", "stopped, but proven to less than it says", lambda r: r.update(status="stopped", bound=0.9 * r["cost_eur"])
)
_record("caps", "caps left out", _gone("caps_t_co2e"))
_record("caps", "a wider cap", lambda r: r["caps_t_co2e"].update({"2030": 2.0 * r["caps_t_co2e"]["2030"]}))
_record("caps", "a cap more", lambda r: r["caps_t_co2e"].update({"2025": 1e6}))
_record("caps", "a price of no cap", lambda r: r["next_tonne_eur_per_t"].update({"2025": 1.0}))
_record("caps", "a price in words", lambda r: r["next_tonne_eur_per_t"].update({"2030": "nothing"}))
_record(
    "caps",
    "told as without caps",
    lambda r: (_gone("caps_t_co2e")(r), _gone("next_tonne_eur_per_t")(r), r.update(model="joint")),
)
_record("caps", "another model's name", _set("model", value="least_cost"))


@cache
def honest_result(problem: str) -> ProblemResult:
    """A plan of another problem."""
    return nbb.solve(nbb.read(shipped("instances") / problem))


def forged_results(problem: str) -> Iterator[tuple[str, ProblemResult]]:
    """Each forgery of a plan of network design or of stram, by name."""
    plan = honest_result(problem)
    for (of, name), change in OF_PROBLEMS.items():
        if of == problem:
            record = deepcopy(plan.record)
            yield name, replace(plan, record=record, **(change(record) or {}))


OF_PROBLEMS: dict[tuple[str, str], Callable[[Record], dict[str, Any] | None]] = {}


def _of(problem: str, name: str, change: Callable[[Record], Any]) -> None:
    def put(record: Record) -> dict[str, Any] | None:
        tables = change(record)
        return tables if isinstance(tables, dict) and set(tables) <= {"tables", "first_year"} else None

    OF_PROBLEMS[problem, name] = put


def _everything_open(record: Record) -> dict[str, Any]:
    """A wasteful plan, told as the optimum."""
    plan = honest_result("design_tiny")
    assert plan.instance is not None
    arcs = plan.instance.tables["arcs"]
    more = float(arcs.loc[~arcs["arc"].isin(plan.tables["opened"]["arc"]), "fixed_eur"].sum())
    cost = record["cost_eur"] + more
    record |= {"cost_eur": cost, "bound": cost, "gap": 0.0, "opened": len(arcs)}
    return {"tables": {**plan.tables, "opened": arcs[["arc"]]}}


def _first_year_of_the_plan(record: Record) -> dict[str, Any]:
    """The first year of the whole plan, which costs more, told as the best first year alone."""
    plan = honest_result("stram_tiny")
    year = plan.tables["costs"]["year"].min()
    of_it = {name: table[table["year"] == year] for name, table in plan.tables.items()}
    cost = float(of_it["costs"]["nok"].sum())
    record["first_year"] |= {"cost_nok": cost, "bound_nok": cost}
    record["first_emissions_t"] = float(of_it["emissions"]["t_co2"].sum())
    return {"first_year": of_it}


for _problem, _money_name, _bound in (("design_tiny", "cost_eur", "bound"), ("stram_tiny", "cost_nok", "bound_nok")):
    for _key in (
        "seed",
        "seconds",
        "versions",
        "checks",
        "verified",
        "status",
        "options",
        "model",
        _money_name,
        _bound,
    ):
        _of(_problem, f"{_key} left out", _gone(_key))
        _of(_problem, f"{_key} of another kind", _set(_key, value=["x"]))
    _of(_problem, "a remark", _set("praise", value="the best of all"))
    _of(_problem, "a remark among the options", _set("options", "praise", value="the best of all"))
    _of(_problem, "fewer checks", lambda r: r.update(checks=r["checks"] - 1))
    _of(_problem, "bound -inf, gap 0", lambda r, b=_bound: r.update({b: float("-inf"), "gap": 0.0}))
    _of(
        _problem,
        "a gap of 5 % called optimal",
        lambda r, m=_money_name, b=_bound: r.update({b: 0.95 * r[m], "gap": 0.05}),
    )
    _of(_problem, "a cheaper plan", lambda r, m=_money_name, b=_bound: r.update({m: 0.9 * r[m], b: 0.9 * r[b]}))
    _of(_problem, "seconds in words", _set("seconds", value={"solve": "x"}))
_of("design_tiny", "everything opened", _everything_open)
_of("design_tiny", "one arc less told", lambda r: r.update(opened=r["opened"] - 1))
_of("design_tiny", "paths below none", _set("paths", value=-1))
_of("stram_tiny", "the first year of the plan", _first_year_of_the_plan)
_of("stram_tiny", "no first year", lambda r: (r.update(first_year=None, first_emissions_t=None), {"first_year": {}})[1])
_of("stram_tiny", "more may be emitted", lambda r: r.update(first_emissions_t=2 * r["first_emissions_t"]))
_of("stram_tiny", "another investment", lambda r: r["investments"].append("rail N-S expanded (2023)"))
_of("stram_tiny", "an investment untold", lambda r: r["investments"].pop())
for _key in ("mode_share", "fuel_share", "component_nok", "tkm"):
    _of("stram_tiny", f"another {_key}", lambda r, k=_key: next(iter(r[k].values())).update({"rail": 1.0}))
for _key in ("emissions_t_co2", "excess_t_co2"):
    _of("stram_tiny", f"another {_key}", lambda r, k=_key: r[k].update({"2034": 1.0}))
_of("stram_tiny", "another cap asked for", _set("options", "emission_cap", value=True))
