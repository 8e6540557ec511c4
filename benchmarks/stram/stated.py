"""The problem of a case with all scenarios in one form, as the peers get it; the clock does not run yet."""


def stated(case, options):
    from nbb_opt.options import SolveOptions
    from nbb_opt.pipeline import Steps
    from nbb_opt.problems.stram import read_stram
    from nbb_opt.problems.stram.model import build_stram, read_stram_model
    from nbb_opt.problems.stram.plan import FIRST_YEAR, plan_stram

    instance = read_stram(case["path"])
    wanted = SolveOptions(gap=options.gap, threads=options.threads, seed=options.seed, time_limit_s=600.0)
    alone, _ = plan_stram(instance, read_stram_model(FIRST_YEAR), Steps(wanted))
    emissions_t = float(alone.tables["emissions"]["t_co2"].iloc[0])
    spec = read_stram_model(case["model"])
    return build_stram(instance, spec, first_emissions_t=emissions_t, statement="arrays").form()
