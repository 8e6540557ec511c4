"""This package: the public `solve_instance`, which also solves the bars and verifies all."""

from pathlib import Path

KIND, LIBRARY = "ours", "nbb-opt"


def start(case, options):
    from nbb_opt.options import SolveOptions
    from nbb_opt.pipeline import solve_instance
    from nbb_opt.shipped import shipped

    solve_instance(shipped("instances") / "tiny", model="frozen", options=SolveOptions(gap=1e-6))  # compiled and loaded
    wanted = SolveOptions(
        time_limit_s=options.time_limit_s, gap=case.get("gap", options.gap), threads=options.threads, seed=options.seed
    )
    place = Path(case["path"]) if "path" in case else shipped("instances") / case["instance"]

    def work():
        history = []

        def callback(progress):
            if not progress.phase.startswith(("frozen", "reference")):
                history.append((progress.elapsed_s, progress.incumbent, progress.bound))

        return solve_instance(place, model=case["model"], options=wanted, callback=callback), history

    return work


def outcome(case, result):
    from benchmarks.harness import of_record

    run, history = result
    last = (sum(run.record["seconds"].values()), run.record["cost_eur"], run.record["bound"])
    found = of_record(run.record)
    found["figures"] = {"checks": run.record["checks"]}
    return {**found, "history": [(at, *map(_known, figures)) for at, *figures in [*history, last]]}


def _known(value):
    """None for what is not known yet."""
    return value if abs(value) < float("inf") else None
