"""Pyomo, scalar rules, its persistent interface to HiGHS (appsi)."""

from benchmarks.build.chains import suits as takes_part
from benchmarks.build.pyomo_rules import digest, starting

KIND, LIBRARY = "peer", "pyomo"
__all__ = ["digest"]


def persistent(m):
    from pyomo.contrib.appsi.solvers import Highs

    solver = Highs()
    solver.config.stream_solver = False
    solver.set_instance(m)
    return solver._solver_model


def start(case, options):
    return starting(case, templatized=False, hand_over=persistent)


def suits(case):
    return takes_part("pyomo_appsi", case)
