"""Solving: one hand-off to HiGHS, limits that are kept, an exact vertex at the end."""

from nbb_opt.solve.exact import Solution, solve_form
from nbb_opt.solve.highs import Presolve
from nbb_opt.solve.progress import Progress, Stop
from nbb_opt.solve.warm import Relaxed, Warm, solve_relaxed

__all__ = ["Presolve", "Progress", "Relaxed", "Solution", "Stop", "Warm", "solve_form", "solve_relaxed"]
