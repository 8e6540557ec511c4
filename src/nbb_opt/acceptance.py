"""Is a finished run to be believed: verified from its tables, its ledger added up, its bounds held against a new solve.

The verifier recomputes everything but a bound: that no plan costs less is the word of a solver, written in a file. Here
every model of a run is solved again for a while. A plan cheaper than a bound refutes it, and with it a model under
another's name, or a plan called optimal that is not. Bars are what savings are counted from: where the gap of one is
wider than the one asked for that is said, and a plan cheaper than it by more refutes the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nbb_opt.emissions.reconcile import check_run
from nbb_opt.errors import Infeasible, NoPlan, VerifyFailed
from nbb_opt.instance import Instance
from nbb_opt.model.method import chosen_method
from nbb_opt.network import prepare
from nbb_opt.options import DEFAULT_AGAIN_S
from nbb_opt.result import FROZEN, Run
from nbb_opt.solve import Progress, Stop, solve_form
from nbb_opt.verify import verify_run
from nbb_opt.verify.shape import SIZES, word_line
from nbb_opt.verify.verdict import Checks, Verdict

if TYPE_CHECKING:
    from nbb_opt.model import StandardForm

LARGEST_FLOWS = 20_000  # from here to prepare and state the model alone takes longer than that
SAME = 1e-6  # relative; two solves of one model differ by less


def accept_run(
    run: Run,
    instance: Instance,
    *,
    model_file: Path | None = None,
    again_s: float = DEFAULT_AGAIN_S,
    cache_dir: Path | None = None,
) -> Verdict:
    """Verify a run, add up its ledgers, and solve its models again for up to `again_s` seconds.

    The verdict has a line for each bound: confirmed, or still the word of the solver.

    `model_file` is needed for a run of a model that is none of `models/`. Raises VerifyFailed with every failed check.
    """
    verdict = verify_run(run, instance, model_file=model_file)
    if verdict.ok:
        check_run(instance, run)
        checks = Checks()
        lines = _solve_again(run, instance, model_file, again_s, cache_dir, checks)
        held = sum(row["rule"] == "agree_sizes" for row in checks.rows) > len(run.bars)  # of the plan and every bar
        lines += [*_wide_bars(run), word_line([*run.record, *run.beside], () if held else SIZES)]
        rows = pd.concat([verdict.checks, checks.frame()], ignore_index=True) if checks.rows else verdict.checks
        verdict = replace(verdict, ok=not checks.failed, checks=rows, bounds=tuple(lines))
    if not verdict.ok:
        raise VerifyFailed(f"{run.path} is not accepted:\n" + verdict.failures().to_string(index=False))
    return verdict


def _solve_again(
    run: Run, instance: Instance, model_file: Path | None, again_s: float, cache_dir: Path | None, checks: Checks
) -> list[str]:
    """`keep_bound`: no plan is cheaper than a bound. One line for each model."""
    from nbb_opt.model import build, read_model, standard_form

    if "extension" in run.record:
        return ["bounds are the word of the solver: rules of the user's own are not solved again"]
    if again_s <= 0 or len(run.tables["bundles"]) > LARGEST_FLOWS:
        why = "was not asked for" if again_s <= 0 else f"takes too long above {LARGEST_FLOWS} flows"
        return [f"bounds are the word of the solver: solving again {why}"]
    prepared = prepare(instance, cache_dir=cache_dir, prune=run.record["options"].get("prune") is not False)
    lines, stop = [], Stop(again_s)
    asked: list[tuple[Any, Mapping[str, Any], float]] = [
        (read_model(bar), run.said_of(bar), _least_eur(run, bar)) for bar in run.bars
    ]
    asked.append((read_model(model_file or run.record["model"]), run.record, -np.inf))
    for left, (spec, said, least) in zip(range(len(asked), 0, -1), asked, strict=True):
        fixed = None
        if spec.flows == FROZEN:
            flows = run.bars[FROZEN]["flows"]
            if flows["chain"].max() >= len(prepared.rows):
                raise VerifyFailed(f"{run.path}: its chains are not those of this version; solve again")
            fixed = prepared.flows_t(flows)
        if spec.cuts:
            spec = spec.with_caps(run.frozen_t(instance.periods[0].year))
        form = standard_form(build(instance, prepared, spec, fixed_flows_t=fixed, route="arrays"))
        _hold_sizes(form, spec.name, run.record, said, checks)
        lines.append(hold_bound(form, spec.name, float(said["bound"]), stop.part(1 / left), checks, least))
    return lines


def _least_eur(run: Run, bar: str) -> float:
    """What a bar may cost less by another solve: its cost less the gap asked for."""
    cost = float(run.said_of(bar)["cost_eur"])
    return cost - (float(run.record["options"]["gap"]) + SAME) * max(abs(cost), 1.0)


def _wide_bars(run: Run) -> list[str]:
    """A sentence for each bar that is not proven to the gap asked for."""
    lines = []
    for bar in run.bars:
        said = run.said_of(bar)
        if float(said["bound"]) < _least_eur(run, bar):
            eur = float(said["cost_eur"]) - float(said["bound"])
            shown = f"the {bar} plan is proven to {said['gap']:.2%} only"
            lines.append(f"{shown}: what is saved against it may be {eur:,.0f} EUR less")
    return lines


def _hold_sizes(form: Any, name: str, record: Mapping[str, Any], said: Mapping[str, Any], checks: Checks) -> None:
    """`agree_sizes`: rows, columns, nonzeros and integers are those of the model, unless columns were generated."""
    if chosen_method(record["options"]["method"], len(form.a_values)) == "decompose":
        return
    true = {
        "rows": len(form.row_low), "columns": len(form.cost), "nonzeros": len(form.a_values),
        "integers": int(form.integer.sum()),
    }  # fmt: skip
    checks.hold(
        "agree_sizes", [said[size] == true[size] for size in SIZES],
        where=lambda i: f"{name}: {list(SIZES)[i]} are {true[list(SIZES)[i]]}",
    )  # fmt: skip


def hold_bound(
    form: StandardForm, name: str, bound: float, stop: Stop, checks: Checks, least: float = -np.inf, money: str = "EUR"
) -> str:
    """`keep_bound`: solve until the claimed bound (and `least`) is reached from below, or a plan is cheaper, or time is
    over. The line says whether the bound is confirmed.
    """
    reached = -np.inf
    slack = SAME * max(abs(bound), 1.0)
    lowest = max(bound - slack, least)

    def callback(progress: Progress) -> None:
        nonlocal reached
        reached = np.fmax(reached, progress.bound)
        if reached >= lowest or progress.incumbent < lowest:
            part.asked.set()

    part = Stop(stop.left_s())  # its own: what is decided here does not stop the other
    try:
        found = solve_form(form, gap=0.0, stop=part, callback=callback)
    except (NoPlan, Infeasible):
        cheapest = np.inf
    else:
        cheapest, reached = found.objective, max(reached, found.bound)
    checks.compare(
        "keep_bound", max(cheapest, bound) if cheapest >= bound - slack else cheapest, ">=", bound, unit="EUR",
        where=lambda _: f"{name}: a plan of {cheapest:,.0f} {money} is cheaper than the bound",
    )  # fmt: skip
    if np.isfinite(least):
        checks.compare(
            "waste_nothing", min(cheapest, least), ">=", least, unit="EUR",
            where=lambda _: f"{name}: a plan of {cheapest:,.0f} {money} is cheaper by more than the gap asked for",
        )  # fmt: skip
    if reached >= bound - slack:
        return f"bound of {name}: confirmed by solving again"
    return f"bound of {name}: the word of the solver ({reached:,.0f} of {bound:,.0f} {money} reached by solving again)"
