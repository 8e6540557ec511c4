"""PyOptInterface: variables and rows one by one, straight into the HiGHS library that highspy brings."""

import tempfile
from pathlib import Path

from benchmarks.build.chains import CAPACITIES, SMALL, digest_of, figures, read_back

KIND, LIBRARY = "peer", "pyoptinterface"


def start(case, options):
    import highspy
    import pyoptinterface as poi
    from pyoptinterface import highs

    if not highs.is_library_loaded():
        found = sorted(Path(highspy.__file__).parent.glob("libhighs.*"))
        if not found or not highs.load_library(str(found[0])):
            raise RuntimeError("the HiGHS library of highspy was not found")

    def run(d):
        model = highs.Model()
        x = [model.add_variable(lb=0.0) for _ in range(len(d["bundle"]))]
        served = [poi.ExprBuilder() for _ in range(len(d["demand_t"]))]
        used = [poi.ExprBuilder() for _ in range(CAPACITIES)]
        cost = poi.ExprBuilder()
        columns = (d[name].tolist() for name in ("bundle", "first", "second", "uses", "eur"))
        for one, bundle, first, second, uses, eur in zip(x, *columns, strict=True):
            served[bundle].add_affine_term(one, 1.0)
            used[first].add_affine_term(one, uses)
            used[second].add_affine_term(one, 1.0)
            cost.add_affine_term(one, eur)
        for row, side in zip(served, d["demand_t"].tolist(), strict=True):
            model.add_linear_constraint(row, poi.Eq, side)
        for row, side in zip(used, d["limit_t"].tolist(), strict=True):
            model.add_linear_constraint(row, poi.Leq, side)
        model.set_objective(cost, poi.ObjectiveSense.Minimize)
        return model

    run(figures(SMALL, 0))
    data = figures(case["columns"], case["seed"])
    return lambda: run(data)


def digest(case, model):
    import highspy

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.mps")
        model.write(str(path))
        highs = highspy.Highs()
        highs.setOptionValue("output_flag", False)
        highs.readModel(str(path))
        return digest_of(read_back(highs))
