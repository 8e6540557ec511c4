"""The run that is reported, solved once before the clock starts."""

import tempfile
from pathlib import Path


def solved(case, options):
    """Instance, run and a place to write to."""
    from nbb_opt.instance import read_instance
    from nbb_opt.job import Options, solve_instance
    from nbb_opt.shipped import shipped

    gap = case.get("gap", options.gap)
    wanted = Options(time_limit_s=options.time_limit_s, gap=gap, threads=options.threads, seed=options.seed)
    place = Path(tempfile.mkdtemp(prefix="report-", dir=case["folder"]))
    instance = read_instance(shipped("instances") / case["instance"])
    return instance, solve_instance(instance, options=wanted, out=place / "run"), place
