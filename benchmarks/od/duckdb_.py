"""duckdb: joins with the tables of places and classes, group by."""

from benchmarks.od.suite import keyed, maps

KIND, LIBRARY = "peer", "duckdb"


def start(case, options):
    import duckdb
    import numpy as np
    import pyarrow as pa

    zone, group = maps(case)
    places = pa.table({"id": np.arange(zone.size, dtype=np.int32), "zone": zone.astype(np.int32)})
    classes = pa.table({"id": np.arange(group.size, dtype=np.int16), "commodity": group.astype(np.int16)})
    session = duckdb.connect()
    session.execute(f"set threads={options.threads}")
    session.register("given_places", places)
    session.register("given_classes", classes)
    session.execute("create table places as select * from given_places")
    session.execute("create table classes as select * from given_classes")

    def run(path):
        return session.execute(
            f"select a.zone o, b.zone d, c.commodity k, year y, sum(tonnes) t from '{path}' r "
            "join places a on r.origin = a.id join places b on r.destination = b.id "
            "join classes c on r.commodity = c.id group by all"
        ).to_arrow_table()

    run(case["small"])
    return lambda: run(case["path"])


def digest(case, found):
    return keyed(case, *(found[name].to_numpy() for name in ("o", "d", "k", "y", "t")))
