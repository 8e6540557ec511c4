"""Solving: one hand-off to HiGHS, limits that are kept, an exact vertex at the end."""

from nbb_opt.solve.exact import Solution, solve_form
from nbb_opt.solve.progress import Progress, Stop

__all__ = ["Progress", "Solution", "Stop", "solve_form"]
