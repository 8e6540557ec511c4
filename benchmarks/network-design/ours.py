"""This package: reading, solving, tables; the verifier's word is in the outcome, the plan in a run folder."""

KIND, LIBRARY = "ours", "nbb-opt"


def start(case, options):
    from nbb_opt.options import SolveOptions
    from nbb_opt.pipeline import Steps
    from nbb_opt.problems.network_design import read_design
    from nbb_opt.problems.network_design.handlers import solve_design
    from nbb_opt.problems.network_design.model import read_design_model
    from nbb_opt.shipped import shipped
    from nbb_opt.solve import Stop

    def solve(path, seconds):
        instance = read_design(path)
        wanted = SolveOptions(gap=options.gap, threads=options.threads, seed=options.seed)
        steps = Steps(wanted, stop=Stop(seconds))
        found, tables = solve_design(instance, read_design_model(), steps)
        return instance, steps, found, tables

    solve(shipped("instances") / "design_tiny", 60.0)  # compiled and loaded
    return lambda: solve(case["path"], options.time_limit_s)


def outcome(case, result):
    from nbb_opt.problems.network_design.handlers import verified
    from nbb_opt.problems.network_design.model import read_design_model

    instance, steps, found, tables = result
    plan = verified(instance, read_design_model(), steps, found, tables)
    plan.save(case["run"])
    return {
        "status": found.status,
        "objective": found.cost_eur,
        "bound": found.bound_eur,
        "gap": found.gap,
        "verified": plan.verified,
        "history": [(at, _known(cost), _known(bound)) for at, cost, bound in found.history],
        # no counters: what is met before the time is over, or while another thread improves, depends on the machine
        "figures": {"nodes": found.nodes, "paths": found.paths, "strong_rows": found.strong_rows},
    }


def _known(value):
    """None for what is not known yet."""
    return value if abs(value) < float("inf") else None
