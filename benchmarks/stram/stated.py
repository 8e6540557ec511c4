"""The problem of a case with all scenarios in one form, as the peers get it; the clock does not run yet."""


def stated(case, options):
    from nbb_opt.model.compile import form_of
    from nbb_opt.problems.stram import read_stram
    from nbb_opt.problems.stram.model import build_stram, read_stram_model
    from nbb_opt.problems.stram.plan import FIRST_YEAR, plan_stram
    from nbb_opt.solve import Stop

    instance = read_stram(case["path"])
    alone, _ = plan_stram(instance, read_stram_model(FIRST_YEAR), gap=options.gap, threads=options.threads,
                          seed=options.seed, stop=Stop(600.0), seconds={})  # fmt: skip
    emissions_t = float(alone.tables["emissions"]["t_co2"].iloc[0])
    spec = read_stram_model(case["model"])
    return form_of(build_stram(instance, spec, first_emissions_t=emissions_t).assembly)
