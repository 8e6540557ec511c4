"""This package: reading, the first year alone, the plan, both verified from their tables; all within the clock."""

KIND, LIBRARY = "ours", "nbb-opt"


def start(case, options):
    from nbb_opt.options import SolveOptions
    from nbb_opt.pipeline import Steps
    from nbb_opt.problems.stram import read_stram
    from nbb_opt.problems.stram.model import read_stram_model
    from nbb_opt.problems.stram.plan import plan_stram
    from nbb_opt.shipped import shipped

    spec = read_stram_model(case["model"])
    asked = {"gap": options.gap, "threads": options.threads, "seed": options.seed}

    def solve(path, limit_s):
        steps = Steps(SolveOptions(**asked, time_limit_s=limit_s))
        instance = read_stram(path)
        return instance, *plan_stram(instance, spec, steps), steps.seconds

    solve(shipped("instances") / "stram_tiny", 60.0)  # loaded
    return lambda: solve(case["path"], options.time_limit_s)


def outcome(case, result):
    from benchmarks.harness import of_solution
    from nbb_opt.problems.stram.words import figures_of

    instance, plan, first, seconds = result
    found, alone = figures_of(instance, plan.tables), figures_of(instance, first.tables)
    shares = {
        f"{mode}_share_of_tkm": {year: share[mode] for year, share in found["mode_share"].items()}
        for mode in instance["modes"]["mode"]
    }
    return {
        **of_solution(plan.solution),
        "verified": plan.verdict.ok and first.verdict.ok,
        "phases": seconds,
        "figures": {
            "t_co2": found["emissions_t_co2"],
            "t_co2_above_the_cap": found["excess_t_co2"],
            **shares,
            "first_year_alone_t_co2": alone["emissions_t_co2"],
            "first_year_alone_nok": {year: sum(by.values()) for year, by in alone["component_nok"].items()},
        },
    }
