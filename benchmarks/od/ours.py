"""This package."""

from pathlib import Path

from od.suite import keyed, maps

KIND, LIBRARY = "ours", "nbb-opt"


def start(case, threads):
    from nbb_opt.demand.od import Rules, Target, aggregate, open_source

    zone, group = maps(case)
    target = Target(dict(enumerate(zone.tolist())), dict(enumerate(group.tolist())), 500, 10)
    rules = Rules(add_duplicates=True, within=True)

    def run(path):
        return aggregate(open_source(Path(path)), target, rules=rules, threads=threads)

    run(case["small"])
    return lambda: run(case["path"])


def count(sums):
    return {"rows": sums.rows, "rows_kept": sums.kept, "flows": int(sums.flow.size)}


def digest(case, sums):
    pair, group = sums.flow // 10, sums.flow % 10
    return keyed(case, pair // 500, pair % 500, group, sums.year, sums.tonnes)
