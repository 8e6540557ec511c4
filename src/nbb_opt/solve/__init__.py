"""Solving: one hand-off to HiGHS, limits that are kept, an exact vertex at the end."""

from nbb_opt.solve.best import BestKnown, DecisionGap
from nbb_opt.solve.mip.exact import Solution, solve_form
from nbb_opt.solve.mip.warm import Relaxed, Start, Warm, duals_of_plan, solve_relaxed
from nbb_opt.solve.stop import Progress, Stop

__all__ = [
    "BestKnown",
    "DecisionGap",
    "Progress",
    "Relaxed",
    "Solution",
    "Start",
    "Stop",
    "Warm",
    "duals_of_plan",
    "solve_form",
    "solve_relaxed",
]
