"""This package from a Pyomo model, as every solve of ordinary size: compiled with all checks, and the scaling."""

from benchmarks.build.chains import SMALL, figures
from benchmarks.build.pyomo_rules import model_of
from benchmarks.build.stated import digest

KIND, LIBRARY = "peer", "nbb-opt"
__all__ = ["digest"]


def start(case, options):
    from nbb_opt.model.pyomo_form import compile_model
    from nbb_opt.solve.highs import Solver

    def run(d):
        return Solver(compile_model(model_of(d, templatized=False)), threads=1, seed=0, log=[])

    run(figures(SMALL, 0))
    data = figures(case["columns"], case["seed"])
    return lambda: run(data)


def suits(case):
    return "pyomo_templatized" not in case["left_out"]
