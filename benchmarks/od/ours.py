"""This package."""

from pathlib import Path

from benchmarks.od.suite import keyed, maps

KIND, LIBRARY = "ours", "nbb-opt"


def start(case, options):
    from nbb_opt.demand import RowRules, Target, aggregate, open_source

    zone, group = maps(case)
    target = Target(dict(enumerate(zone.tolist())), dict(enumerate(group.tolist())), 500, 10)
    rules = RowRules(add_duplicates=True, within=True)

    def run(path):
        return aggregate(open_source(Path(path)), target, rules=rules, threads=options.threads)

    run(case["small"])
    return lambda: run(case["path"])


def outcome(case, sums):
    return {"counters": {"rows": sums.rows, "rows_kept": sums.kept, "flows": int(sums.flow.size)}}


def digest(case, sums):
    pair, group = sums.flow // 10, sums.flow % 10
    return keyed(case, pair // 500, pair % 500, group, sums.year, sums.tonnes)
