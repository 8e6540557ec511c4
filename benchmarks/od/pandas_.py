"""pandas: read, map with arrays, group."""

from benchmarks.od.suite import keyed, maps

KIND, LIBRARY = "peer", "pandas"


def start(case, options):
    import pandas as pd

    zone, group = maps(case)

    def run(path):
        rows = pd.read_parquet(path)
        rows["origin"], rows["destination"] = zone[rows["origin"]], zone[rows["destination"]]
        rows["commodity"] = group[rows["commodity"]]
        return rows.groupby(["origin", "destination", "commodity", "year"], sort=False)["tonnes"].sum().reset_index()

    run(case["small"])
    return lambda: run(case["path"])


def digest(case, found):
    return keyed(case, *(found[name] for name in ("origin", "destination", "commodity", "year", "tonnes")))
