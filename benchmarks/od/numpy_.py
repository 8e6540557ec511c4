"""numpy: read everything, one number per cell, bincount. It cannot tell a flow of zero tonnes from no flow."""

import numpy as np

from benchmarks.od.suite import keyed, maps

KIND, LIBRARY = "peer", "numpy"


def start(case, options):
    import pyarrow.parquet as pq

    zone, group = maps(case)

    def run(path):
        rows = pq.read_table(path)
        o, d, k, y = (rows[name].to_numpy() for name in ("origin", "destination", "commodity", "year"))
        low, high = int(y.min()), int(y.max())
        cell = ((zone[o] * 500 + zone[d]) * 10 + group[k]) * (high - low + 1) + (y - low)
        cells = np.bincount(cell, weights=rows["tonnes"].to_numpy(), minlength=2_500_000 * (high - low + 1))
        return cells, low, high

    run(case["small"])
    return lambda: run(case["path"])


def digest(case, found):
    cells, low, high = found
    some = np.flatnonzero(cells)
    flow, year = some // (high - low + 1), some % (high - low + 1) + low
    return keyed(case, flow // 5000, flow // 10 % 500, flow % 10, year, cells[some])
