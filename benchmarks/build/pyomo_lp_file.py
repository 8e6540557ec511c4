"""Pyomo, scalar rules, an LP file that HiGHS reads."""

import tempfile
from pathlib import Path

from benchmarks.build.chains import suits as takes_part
from benchmarks.build.pyomo_rules import digest, starting

KIND, LIBRARY = "peer", "pyomo"
__all__ = ["digest"]


def through_file(m):
    import highspy

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.lp")
        m.write(str(path))
        highs = highspy.Highs()
        highs.setOptionValue("output_flag", False)
        highs.readModel(str(path))
    return highs


def start(case, options):
    return starting(case, templatized=False, hand_over=through_file)


def suits(case):
    return takes_part("pyomo_lp_file", case)
