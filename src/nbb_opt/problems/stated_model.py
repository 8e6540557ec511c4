"""A model on an instance of any problem, for solvers elsewhere: its form, and how their values are verified."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nbb_opt.errors import ModelError
from nbb_opt.instance import read_instance
from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import Steps, accept
from nbb_opt.problems.dispatch import FREIGHT, handlers, problem_of_instance
from nbb_opt.problems.handlers import Response, Stated


def stated_model(path: Path, model: str | None, options: SolveOptions | None = None) -> Stated:
    """The model (the usual one of the problem if not given) on the instance at `path`.

    Raises InstanceError, ModelError; of freight, for a model whose flows are those of another plan.
    """
    problem, options = problem_of_instance(path), options or SolveOptions()
    if problem != FREIGHT:
        return handlers(problem).state(path, model, options)
    from nbb_opt.model import extract, read_model, standard_form
    from nbb_opt.verify import verify_plan

    spec, instance = read_model(model or "joint"), read_instance(path)
    if spec.flows != "free":
        raise ModelError(f"model '{spec.name}': its flows are those of another plan, which no solver elsewhere has")
    steps = Steps(options)
    built = steps.build(instance, steps.prepare(instance), spec)
    form = standard_form(built)

    def accept_values(values: np.ndarray) -> Response:
        tables = extract(built, values, None)
        claims = {"cost_eur": float(form.cost @ values) + form.cost_offset}
        verdict = verify_plan(
            instance, tables, blocks=spec.blocks, technologies=spec.technologies, projects=spec.projects,
            reported=claims,
        )  # fmt: skip
        accept(verdict, "solution")
        return Response({"ok": True, "cost_eur": verdict.cost_eur, "checks": len(verdict.checks)}, verdict.lines)

    return Stated(spec.name, f"{spec.title}, {instance.meta.name}", form, accept_values)
