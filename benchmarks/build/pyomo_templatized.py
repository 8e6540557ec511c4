"""Pyomo, templatized rules and its standard form compiler."""

from benchmarks.build.chains import suits as takes_part
from benchmarks.build.pyomo_rules import compiled, digest, starting

KIND, LIBRARY = "peer", "pyomo"
__all__ = ["digest"]


def start(case, options):
    return starting(case, templatized=True, hand_over=compiled)


def suits(case):
    return takes_part("pyomo_templatized", case)
