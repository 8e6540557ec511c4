"""Accept or refuse a whole run folder: the plan, the do-nothing plan beside it, and what the record says of both."""

from __future__ import annotations

import pandas as pd

from nbb_opt.errors import VerifyFailed
from nbb_opt.instance import Instance
from nbb_opt.recompute.verdict import Checks, Verdict, names
from nbb_opt.recompute.world import join
from nbb_opt.result import Run
from nbb_opt.verify.plan import verify_plan


def verify_run(run: Run, instance: Instance) -> Verdict:
    """The verdict on the plan, with the faults of the do-nothing plan added (their `where` starts with `do nothing:`).

    Raises VerifyFailed if the run was made from another instance.
    """
    record = run.record
    if record.get("instance_digest") != instance.digest:
        raise VerifyFailed(
            f"{run.path}: the run was made from other data than {instance.path} (digest "
            f"{str(record.get('instance_digest'))[:12]} against {instance.digest[:12]}); "
            "give the instance it was made from"
        )
    options = record["options"]
    plan = verify_plan(
        instance,
        run.tables,
        blocks=record["blocks"],
        technologies=options["technologies"],
        projects=options["projects"],
        reported=record,
    )
    said = record["baseline"]
    blocks = said.get(
        "blocks", [block for block in record["blocks"] if block not in {"projects", "policy", "mode_shift"}]
    )
    baseline = verify_plan(instance, run.baseline, blocks=blocks, technologies="today", projects="none", reported=said)
    checks = Checks()
    for name in run.altered:
        checks.fail("keep_files", f"{name}: was altered after the run")
    if options.get("flows") == "do_nothing":
        keep_flows(run, checks)
    frames = [plan.checks, baseline.checks.assign(where="do nothing: " + baseline.checks["where"].astype(str))]
    frames += [checks.frame()] if checks.rows else []
    return Verdict(
        plan.ok and baseline.ok and not checks.failed,
        pd.concat(frames, ignore_index=True),
        plan.cost_eur,
        plan.emissions_t_co2e,
        plan.costs,
        plan.emissions,
    )


def keep_flows(run: Run, checks: Checks) -> None:
    """`keep_flows`: a model with the flows of the do-nothing plan has these flows."""
    both = run.tables["flows"].pipe(
        join, run.baseline["flows"], on=["chain", "year"], how="outer", suffixes=("", "_base")
    )
    both = both.fillna({"tonnes": 0.0, "tonnes_base": 0.0})
    where = names(both, "chain {} {}", ["chain", "year"])
    checks.compare("keep_flows", both["tonnes"], "==", both["tonnes_base"], where=where, unit="t")
