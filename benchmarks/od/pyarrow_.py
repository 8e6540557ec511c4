"""pyarrow alone: take, group_by."""

from benchmarks.od.suite import keyed, maps

KIND, LIBRARY = "peer", "pyarrow"


def start(case, options):
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    pa.set_cpu_count(options.threads)
    pa.set_io_thread_count(options.threads)
    zone, group = (pa.array(values) for values in maps(case))

    def run(path):
        rows = pq.read_table(path)
        columns = {
            "o": pc.take(zone, rows["origin"]), "d": pc.take(zone, rows["destination"]),
            "k": pc.take(group, rows["commodity"]), "y": rows["year"], "tonnes": rows["tonnes"],
        }  # fmt: skip
        return pa.table(columns).group_by(["o", "d", "k", "y"]).aggregate([("tonnes", "sum")])

    run(case["small"])
    return lambda: run(case["path"])


def digest(case, found):
    return keyed(case, *(found[name].to_numpy() for name in ("o", "d", "k", "y", "tonnes_sum")))
