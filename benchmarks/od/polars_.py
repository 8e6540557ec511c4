"""polars: lazy scan, gather from the maps, streaming group by."""

from benchmarks.od.suite import keyed, maps

KIND, LIBRARY = "peer", "polars"


def start(case, options):
    import numpy as np
    import polars as pl

    zone, group = maps(case)
    zones, groups = pl.lit(pl.Series(zone.astype(np.int32))), pl.lit(pl.Series(group.astype(np.int16)))

    def run(path):
        return (
            pl.scan_parquet(path)
            .select(
                o=zones.gather(pl.col("origin")),
                d=zones.gather(pl.col("destination")),
                k=groups.gather(pl.col("commodity").cast(pl.Int32)),
                y=pl.col("year"),
                t=pl.col("tonnes"),
            )
            .group_by("o", "d", "k", "y")
            .agg(pl.col("t").sum())
            .collect(engine="streaming")
        )

    run(case["small"])
    return lambda: run(case["path"])


def digest(case, found):
    return keyed(case, *(found[name].to_numpy() for name in ("o", "d", "k", "y", "t")))
