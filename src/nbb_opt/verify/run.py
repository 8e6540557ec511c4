"""Accept or refuse a whole run folder: the plan, the do-nothing plan beside it, and what the record says of both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from nbb_opt.errors import VerifyFailed
from nbb_opt.instance import Instance
from nbb_opt.recompute import join
from nbb_opt.result import OWN_RULES, Run
from nbb_opt.verify.claims import REFERENCE, Rules, check_claims, mapping, number, rules_of
from nbb_opt.verify.plan import verify_plan
from nbb_opt.verify.verdict import Checks, Verdict, names

ALONE = "do nothing: "
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


def keep_flows(run: Run, checks: Checks) -> None:
    """`keep_flows`: a model with the flows of the do-nothing plan has these flows."""
    both = run.tables["flows"].pipe(
        join, run.baseline["flows"], on=["chain", "year"], how="outer", suffixes=("", "_base")
    )
    both = both.fillna({"tonnes": 0.0, "tonnes_base": 0.0})
    where = names(both, "chain {} {}", ["chain", "year"])
    checks.compare("keep_flows", both["tonnes"], "==", both["tonnes_base"], where=where, unit="t")
