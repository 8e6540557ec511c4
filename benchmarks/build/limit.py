"""The limit: numpy writes the matrix column by column, HiGHS takes it; nothing is checked."""

import numpy as np

from benchmarks.build.chains import CAPACITIES, SMALL, digest_of, figures, read_back

KIND, LIBRARY = "limit", "highspy"


def start(case, options):
    import highspy

    def run(d):
        columns, bundles = len(d["bundle"]), len(d["demand_t"])
        index, value = np.empty((columns, 3), np.int32), np.ones((columns, 3))
        index[:, 0], index[:, 1], index[:, 2] = d["bundle"], d["first"], d["second"]
        index[:, 1:] += bundles
        value[:, 1] = d["uses"]
        up = np.concatenate([d["demand_t"], d["limit_t"]])
        low = np.concatenate([d["demand_t"], np.full(CAPACITIES, -np.inf)])
        highs = highspy.Highs()
        highs.setOptionValue("output_flag", False)
        highs.passModel(
            columns, len(up), 3 * columns, int(highspy.MatrixFormat.kColwise), int(highspy.ObjSense.kMinimize), 0.0,
            d["eur"], np.zeros(columns), np.full(columns, np.inf), low, up,
            np.arange(0, 3 * columns + 1, 3, dtype=np.int32), index.ravel(), value.ravel(),
            np.zeros(columns, np.int32),
        )  # fmt: skip
        return highs

    run(figures(SMALL, 0))
    data = figures(case["columns"], case["seed"])
    return lambda: run(data)


def digest(case, highs):
    return digest_of(read_back(highs))
