"""Accept or refuse a whole run folder: the plan, the do-nothing plan beside it, and what the record says of both."""

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
from nbb_opt.recompute import join
from nbb_opt.result import OWN_RULES, Run
from nbb_opt.verify.claims import REFERENCE, Rules, check_claims, mapping, number, rules_of
from nbb_opt.verify.plan import verify_plan
from nbb_opt.verify.verdict import Checks, Verdict, names

ALONE = "do nothing: "
CELLS_LISTED = 1000  # of a what-if
LEAST_GAP = 1e-6  # relative gap below which no decision gap asks for more


def verify_run(run: Run, instance: Instance, *, model_file: Path | None = None) -> Verdict:
    """The verdict on the plan, with the faults of the do-nothing plan added (their `where` starts with `do nothing:`).

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
    rules, reference = rules_of(record.get("model"), model_file), rules_of(REFERENCE)
    options, said = mapping(record.get("options")), mapping(record.get("baseline"))
    checks = Checks()
    for name in run.altered:
        checks.fail("keep_files", f"{name}: was altered after the run")
    _check_record(record, rules, reference, instance, checks)
    _check_changes(mapping(record.get("what_if")), instance, checks)
    model = {key: value for key, value in options.items() if key in ("technologies", "projects")}
    check_claims({**record, **model}, rules, _gap_asked(record), checks)
    if rules.flows == REFERENCE:
        keep_flows(run, checks)
    beside = Checks()
    check_claims(said, reference, options.get("gap"), beside)
    plan = _add(verify_plan(instance, run.tables, blocks=rules.blocks, technologies=rules.technologies,
                            projects=rules.projects, reported=record, own_terms=_own_terms(run)), checks)  # fmt: skip
    baseline = _add(verify_plan(instance, run.baseline, blocks=reference.blocks, technologies=reference.technologies,
                                projects=reference.projects, reported=said), beside)  # fmt: skip
    found = baseline.checks.assign(where=ALONE + baseline.checks["where"].astype(str))
    both = pd.concat([plan.checks, found], ignore_index=True)
    return replace(plan, ok=plan.ok and baseline.ok, checks=both)


def _own_terms(run: Run) -> Mapping[str, Any]:
    """Rules of the user's own as the run writes them out; empty where there are none, or nothing that can be read."""
    try:
        return mapping(json.loads(run.beside.get(OWN_RULES, "{}")))
    except ValueError:
        return {}


def _gap_asked(record: Mapping[str, Any]) -> Any:
    """The relative gap at which the solver could stop; of a decision gap, that of the same money."""
    options, said = mapping(record.get("options")), mapping(record.get("baseline"))
    if options.get("decision_gap") is None or record.get("model") == REFERENCE:
        return options.get("gap")
    bound = number(record.get("bound"))
    allowed = number(options["decision_gap"]) * (number(said.get("cost_eur")) - bound)
    return max(allowed / max(abs(number(record.get("cost_eur"))), 1.0), LEAST_GAP)


def _add(verdict: Verdict, checks: Checks) -> Verdict:
    frames = [verdict.checks, checks.frame()]
    return replace(verdict, ok=verdict.ok and not checks.failed, checks=pd.concat(frames, ignore_index=True))


def _check_record(
    record: Mapping[str, Any], rules: Rules, reference: Rules, instance: Instance, checks: Checks
) -> None:
    """What holds for a run as a whole: `claim_everything`, `keep_model`."""
    options, said = mapping(record.get("options")), mapping(record.get("baseline"))
    found = (
        (record.get("verified") is True, "verified: the run does not say that it was verified when it was written"),
        (record.get("instance") == instance.meta.name, f"instance: the name is {instance.meta.name!r}"),
        (0.0 <= number(options.get("gap")) <= 1.0, "options, gap: is no share"),
        (bool(said), "baseline: is missing"),
    )
    checks.hold("claim_everything", [fine for fine, _ in found], where=lambda i: found[i][1])
    same = options.get("flows") == rules.flows and said.get("model") == reference.name
    checks.hold("keep_model", same, where=lambda _: f"flows must be {rules.flows!r}, the reference {reference.name!r}")


def _check_changes(said: Mapping[str, Any], instance: Instance, checks: Checks) -> None:
    """`state_changes`: the cells that a what-if says it changed are those in which it differs from its base."""
    if instance.what_if is None:
        where = "what_if: what was changed cannot be checked without the base; give the base with --instance"
        checks.hold("state_changes", not said, where=lambda _: where)
        return
    base, listed = instance.what_if.base, said.get("cells")
    listed = listed if isinstance(listed, list) else []
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
    """`keep_flows`: a model with the flows of the do-nothing plan has these flows."""
    both = run.tables["flows"].pipe(
        join, run.baseline["flows"], on=["chain", "year"], how="outer", suffixes=("", "_base")
    )
    both = both.fillna({"tonnes": 0.0, "tonnes_base": 0.0})
    where = names(both, "chain {} {}", ["chain", "year"])
    checks.compare("keep_flows", both["tonnes"], "==", both["tonnes_base"], where=where, unit="t")
