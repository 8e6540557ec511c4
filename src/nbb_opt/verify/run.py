"""Accept or refuse a whole run folder: the plan, the bars that it is compared with, and what the record says of all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nbb_opt.errors import VerifyFailed
from nbb_opt.instance import Instance
from nbb_opt.result import OWN_RULES, Run
from nbb_opt.verify.claims import BARS, FROZEN, REFERENCE, ModelRules, check_claims, mapping, number, rules_of
from nbb_opt.verify.plan import verify_plan
from nbb_opt.verify.shape import shape_faults
from nbb_opt.verify.verdict import Checks, Verdict, names

CELLS_LISTED = 1000  # of a what-if
LEAST_GAP = 1e-6  # relative gap below which no decision gap asks for more
LEAST_SHARE = 0.1  # of the relative gap asked for beside it, below which none does either
USUAL_GAP = 1e-3  # of bars, where a run asked for a decision gap alone


def verify_run(run: Run, instance: Instance, *, model_file: Path | None = None) -> Verdict:
    """The verdict on the plan, with the faults of its bars added (their `where` starts with the name of the bar).

    The rules are those of the model that the record names, read from `models/` or, for a model of the user's own, from
    `model_file`; what the record says of them is checked, not believed. A bound is checked against the cost only: that
    no plan costs less is the word of the solver.

    Raises VerifyFailed if the run was made from another instance, or names a model that there is not.
    """
    record = run.record
    if record.get("instance_digest") != instance.digest:
        raise VerifyFailed(
            f"{run.path}: the run was made from other data than {instance.path} (digest "
            f"{str(record.get('instance_digest'))[:12]} against {instance.digest[:12]}); "
            "give the instance it was made from"
        )
    rules, options = rules_of(record.get("model"), model_file), mapping(record.get("options"))
    checks = Checks()
    for name in run.altered:
        checks.fail("keep_files", f"{name}: was altered after the run")
    _check_record(run, rules, instance, checks)
    _check_changes(mapping(record.get("what_if")), instance, checks)
    model = {key: value for key, value in options.items() if key in ("technologies", "projects")}
    check_claims({**record, **model}, rules, _gap_asked(run), checks)
    if rules.flows == FROZEN and FROZEN in run.bars:
        keep_flows(run, checks)
    plan = verify_plan(
        instance, run.tables, blocks=rules.blocks, technologies=rules.technologies, projects=rules.projects,
        reported=record, own_terms=_own_terms(run), prices=rules.prices,
    )  # fmt: skip
    _agree_checks(record, plan, checks)
    plan = _add(plan, checks)
    for name, tables in run.bars.items():
        bar, said, beside = rules_of(name), run.said_of(name), Checks()
        check_claims(said, bar, USUAL_GAP if options.get("gap") is None else options["gap"], beside)
        found = verify_plan(
            instance, tables, blocks=bar.blocks, technologies=bar.technologies, projects=bar.projects, reported=said
        )
        _agree_checks(said, found, beside)
        found = _add(found, beside)
        if name == FROZEN and rules.cuts:
            plan = _add(plan, _own_caps(rules, found, plan, record))
        named = found.checks.assign(where=f"{name}: " + found.checks["where"].astype(str))
        plan = replace(plan, ok=plan.ok and found.ok, checks=pd.concat([plan.checks, named], ignore_index=True))
    return plan


def _agree_checks(said: Mapping[str, Any], plan: Verdict, checks: Checks) -> None:
    """The record counts the checks of a plan that are there."""
    if plan.ok:
        many = len(plan.checks)
        checks.hold("agree_checks", said.get("checks") == many, where=lambda _: f"checks: there are {many}")


def _own_caps(rules: ModelRules, frozen: Verdict, plan: Verdict, record: Mapping[str, Any]) -> Checks:
    """`cap_emissions`: in no period does the plan emit more than the model's own caps, shares of the frozen plan."""
    checks, base_t = Checks(), next(iter(frozen.emissions_t_co2e.values()), 0.0)
    said = mapping(record.get("caps_t_co2e"))
    cut = {
        year: next((share for since, share in reversed(rules.cuts) if since <= year), None)
        for year in plan.emissions_t_co2e
    }
    held_t = {year: base_t * (1 - share) for year, share in cut.items() if share is not None}
    years, caps_t = list(held_t), list(held_t.values())

    def where(i: int) -> str:
        return f"cap of the model {rules.name} {years[i]}"

    emitted = [plan.emissions_t_co2e[year] for year in years]
    checks.compare("cap_emissions", emitted, "<=", caps_t, where=where, unit="t_co2e")
    checks.hold("agree_caps", set(said) == {*map(str, years)}, where=lambda _: f"caps_t_co2e: the years are {years}")
    claimed = [number(said.get(str(year))) for year in years]
    checks.compare("agree_caps", claimed, "==", caps_t, where=where, unit="t_co2e")
    return checks


def _own_terms(run: Run) -> Mapping[str, Any]:
    """Rules of the user's own as the run writes them out; empty where there are none, or nothing that can be read."""
    try:
        return mapping(json.loads(run.beside.get(OWN_RULES, "{}")))
    except ValueError:
        return {}


def _gap_asked(run: Run) -> Any:
    """The relative gap at which the solver could stop; of a decision gap, that of the same money."""
    record, options, said = run.record, mapping(run.record.get("options")), run.said_of(run.against)
    gap = options.get("gap")
    if options.get("decision_gap") is None or not said:
        return gap
    bound = number(record.get("bound"))
    allowed = number(options["decision_gap"]) * (number(said.get("cost_eur")) - bound)
    allowed /= max(abs(number(record.get("cost_eur"))), 1.0)
    return max(allowed, LEAST_GAP) if gap is None else min(max(allowed, LEAST_SHARE * number(gap)), number(gap))


def _add(verdict: Verdict, checks: Checks) -> Verdict:
    frames = [verdict.checks, checks.frame()]
    return replace(verdict, ok=verdict.ok and not checks.failed, checks=pd.concat(frames, ignore_index=True))


def _check_record(run: Run, rules: ModelRules, instance: Instance, checks: Checks) -> None:
    """What holds for a run as a whole: `keep_shape`, `claim_everything`, `keep_model`."""
    record, options = run.record, mapping(run.record.get("options"))
    for fault in shape_faults(record):
        checks.fail("keep_shape", fault)
    said, caps = mapping(record.get("bars")), mapping(record.get("caps_t_co2e"))
    needed = _bars_needed(rules, options, own="extension" in record)
    found = (
        (record.get("verified") is True, "verified: the run does not say that it was verified when it was written"),
        (record.get("instance") == instance.meta.name, f"instance: the name is {instance.meta.name!r}"),
        *((bar in said and bar in run.bars, f"bars, {bar}: is missing") for bar in needed),
    )
    checks.hold("claim_everything", [fine for fine, _ in found], where=lambda i: found[i][1])
    same = options.get("flows") == rules.flows and set(said) == set(run.bars) == set(needed)
    same &= bool(rules.cuts) == ("caps_t_co2e" in record)
    same &= all(run.said_of(bar).get("model") == bar for bar in needed)
    same &= set(mapping(record.get("next_tonne_eur_per_t"))) <= set(caps)
    bars = ", ".join(needed) or "none"
    checks.hold("keep_model", same, where=lambda _: f"flows must be {rules.flows!r}, the bars {bars}")
    taken = record.get("taken_from")
    if taken is not None:
        kept = taken in run.bars and all(run.tables[name].equals(table) for name, table in run.bars[taken].items())
        checks.hold("claim_everything", kept, where=lambda _: f"taken_from: the plan is not that of {str(taken)[:40]}")


def _bars_needed(rules: ModelRules, options: Mapping[str, Any], *, own: bool) -> list[str]:
    """Every bar before the model itself; the reference may have been left out of any other model's run."""
    names = list(BARS)
    if rules.name in names and not own:
        names = names[: names.index(rules.name)]
    elif rules.name == FROZEN:
        names = [FROZEN]
    if options.get("reference") is False and rules.name != REFERENCE:
        names = names[:1]
    return names


def _check_changes(said: Mapping[str, Any], instance: Instance, checks: Checks) -> None:
    """`state_changes`: the cells that a what-if says it changed are those in which it differs from its base."""
    if instance.what_if is None:
        where = "what_if: what was changed cannot be checked without the base; give the base as instance="
        checks.hold("state_changes", not said, where=lambda _: where)
        return
    base, listed = instance.what_if.base, said.get("cells")
    listed = listed if isinstance(listed, list) else []
    true, keys = instance.what_if.record, ("scenarios", "changes", "outside_plausible")
    same = [said.get(key) == true[key] for key in keys]
    checks.hold("state_changes", same, where=lambda i: f"what_if: {keys[i]} are others")
    own = base.scenarios if true["scenarios"] else {}
    named = {text for name in true["scenarios"] if name in own for text in own[name].changes}
    where = "what_if: its scenarios change other things"
    checks.hold("state_changes", named <= set(true["changes"]), where=lambda _: where)
    names = ["od", *(name for name in instance.tables if name != "od")]
    found = [cell for name in sorted(names) for cell in _differences(name, base[name], instance[name])]
    checks.hold("state_changes", said.get("base_digest") == base.digest, where=lambda _: "what_if: is of another base")
    whole = said.get("changed_cells") == len(found) and len(listed) == min(len(found), CELLS_LISTED)
    checks.hold("state_changes", whole, where=lambda _: f"what_if: {len(found)} cells differ from the base")
    fine = [
        (own["table"], own["column"], own["before"], own["after"])
        == tuple(mapping(cell).get(key) for key in ("table", "column", "before", "after"))
        and set(str(mapping(cell).get("row")).split("/")) <= own["cells"]
        for cell, own in zip(listed, found, strict=False)
    ]
    checks.hold("state_changes", fine, where=lambda i: f"what_if, cell {i + 1}: {found[i]['table']} says another thing")


def _differences(name: str, before: pd.DataFrame, after: pd.DataFrame) -> list[dict[str, Any]]:
    """The cells that differ, column by column; `cells` are all of the row as text, its key among them."""
    found = []
    for column in before.columns:
        old, new = before[column].astype(object), after[column].astype(object)
        differs = ~((old == new) | (old.isna() & new.isna()))
        for i in np.flatnonzero(differs.to_numpy(bool)).tolist():
            row = {str(cell) for cell in before.iloc[i].tolist()}
            pair = {key: _blank(cell.iloc[i]) for key, cell in (("before", old), ("after", new))}
            found.append({"table": name, "column": column, **pair, "cells": row})
    return found


def _blank(cell: Any) -> Any:
    """A cell as a record holds it: None for a blank."""
    return None if pd.isna(cell) or cell == "" else cell


def keep_flows(run: Run, checks: Checks) -> None:
    """`keep_flows`: a model with the flows of the frozen plan has these flows."""
    both = run.tables["flows"].merge(
        run.bars[FROZEN]["flows"], on=["chain", "year"], how="outer", suffixes=("", "_base")
    )
    both = both.fillna({"tonnes": 0.0, "tonnes_base": 0.0})
    where = names(both, "chain {} {}", ["chain", "year"])
    checks.compare("keep_flows", both["tonnes"], "==", both["tonnes_base"], where=where, unit="t")
