"""This package, the way models are read and tested: the same calls make Pyomo objects, compiled by Pyomo."""

from benchmarks.build.chains import SMALL, figures
from benchmarks.build.stated import YEAR, digest, hand_over, state

KIND, LIBRARY = "peer", "nbb-opt"
__all__ = ["digest"]


def start(case, options):
    from nbb_opt.model.pyomo_assembly import PyomoAssembly, pause_gc

    def run(d):
        with pause_gc():
            return hand_over(state(PyomoAssembly("build", [YEAR]), d))

    run(figures(SMALL, 0))
    data = figures(case["columns"], case["seed"])
    return lambda: run(data)


def suits(case):
    return "pyomo_templatized" not in case["left_out"]
