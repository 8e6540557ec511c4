"""What the two routes share: read and prepare before the clock starts, then state, solve, extract and verify."""

from pathlib import Path


def started(case, options, method):
    """The timed function: the model `joint` by `method`, verified, and what it would cost without any investment."""
    from nbb_opt.instance import read_instance
    from nbb_opt.model import build, extract, read_model, split, standard_form
    from nbb_opt.network import prepare
    from nbb_opt.solve import Stop, solve_form
    from nbb_opt.solve.colgen import solve_split
    from nbb_opt.verify import verify_plan

    instance = read_instance(Path(case["path"]))
    prepared = prepare(instance, cache_dir=Path(case["path"]).parent / "cache")
    asked = {"gap": options.gap, "threads": options.threads, "seed": options.seed}

    def solved(model, stop):
        spec = read_model(model)
        built = build(instance, prepared, spec, route="segments" if method == "decompose" else "arrays")
        if method == "decompose":
            found = solve_split(split(built), **asked, stop=stop)
        else:
            found = solve_form(standard_form(built), **asked, stop=stop)
        tables = extract(built, found.values, found.carried)
        del built  # as in the job
        verdict = verify_plan(
            instance, tables, blocks=spec.blocks, technologies=spec.technologies, projects=spec.projects,
            reported={"cost_eur": found.objective, "bound": found.bound, "gap": found.gap},
        )  # fmt: skip
        return found, verdict.ok

    def work():
        return (*solved("joint", Stop(options.time_limit_s)), case)

    def without():
        return solved("frozen", Stop(options.time_limit_s))

    return work, without


def outcome_of(result, without):
    """The outcome; `decision_gap` relates the gap to what investments can change: reference minus the bound."""
    from benchmarks.harness import of_solution
    from nbb_opt.result import decision_gap

    found, verified, _ = result
    nothing, accepted = without()
    figures = {
        "without_investment_eur": nothing.objective,
        "decision_gap": decision_gap(found.objective, found.bound, nothing.objective),
    }
    return {**of_solution(found), "verified": verified and accepted, "figures": figures}
