"""This package: what `nbb-opt solve` does, with every file it writes, on an empty cache of prepared chains."""

from pathlib import Path

KIND, LIBRARY = "ours", "nbb-opt"


def start(case, options):
    from nbb_opt.options import SolveOptions
    from nbb_opt.problems.dispatch import handlers
    from nbb_opt.problems.handlers import SolveRequest
    from nbb_opt.shipped import shipped
    from nbb_opt.solve import Stop

    def solved(place, out, **chosen):
        asked = SolveOptions(threads=options.threads, seed=options.seed, **chosen)
        limit_s = asked.time_limit_s
        return handlers("freight").solve(
            SolveRequest(instance=place, out=out, options=asked, stop=Stop(limit_s), cache=False)
        )

    place = Path(case["path"])
    solved(shipped("instances") / "tiny", place.parent / "warm-up", gap=1e-6, time_limit_s=60.0)  # kernels are loaded

    def work():
        out = place.parent / f"run-{place.name}"
        return solved(place, out, gap=options.gap, time_limit_s=options.time_limit_s), out

    return work


def outcome(case, result):
    from benchmarks.harness import of_record
    from nbb_opt.result import decision_gap

    found, out = result
    record, written_mb = found.record, {}
    for file in sorted(path for path in out.rglob("*") if path.is_file()):
        written_mb[file.suffix] = written_mb.get(file.suffix, 0.0) + file.stat().st_size / 1e6
    undecided = decision_gap(record["cost_eur"], record["bound"], record["bars"]["frozen"]["cost_eur"])
    return {**of_record(record), "figures": {"decision_gap": undecided, "MB written": written_mb}}
