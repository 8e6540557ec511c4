"""The run that is reported: solved once for all subjects and rounds, before any clock starts."""

import tempfile
from pathlib import Path


def solve_once(case, folder, options):
    """The case with the folder of its run, solved if it is not there yet."""
    from nbb_opt.options import SolveOptions
    from nbb_opt.pipeline import solve_instance
    from nbb_opt.shipped import shipped

    run = folder / f"run-{case['instance']}-{options.seed}"
    if not run.exists():
        gap = case.get("gap", options.gap)
        wanted = SolveOptions(time_limit_s=options.time_limit_s, gap=gap, threads=options.threads, seed=options.seed)
        solve_instance(shipped("instances") / case["instance"], options=wanted, out=run)
    return {**case, "folder": str(folder), "run": str(run)}


def solved(case):
    """Instance, run and a place to write to."""
    from nbb_opt.instance import read_instance
    from nbb_opt.result import read_run
    from nbb_opt.shipped import shipped

    place = Path(tempfile.mkdtemp(prefix="report-", dir=case["folder"]))
    return read_instance(shipped("instances") / case["instance"]), read_run(Path(case["run"])), place
