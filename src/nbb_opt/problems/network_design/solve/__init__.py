"""Solving network design: column generation over paths, a plan of our own, and a proof."""

from nbb_opt.problems.network_design.solve.small import is_small
from nbb_opt.problems.network_design.solve.solve import Designed, solve_network_design

__all__ = ["Designed", "is_small", "solve_network_design"]
