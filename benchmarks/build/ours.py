"""This package, the way every solve takes: blocks to arrays to HiGHS, with all checks and the scaling."""

from benchmarks.build.chains import SMALL, figures
from benchmarks.build.stated import digest, hand_over, state

KIND, LIBRARY = "ours", "nbb-opt"
__all__ = ["digest"]


def start(case, options):
    from nbb_opt.model.arrays.assembly import Assembly

    def run(d):
        return hand_over(state(Assembly("build"), d))

    run(figures(SMALL, 0))
    data = figures(case["columns"], case["seed"])
    return lambda: run(data)
