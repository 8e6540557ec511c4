"""Solving network design: column generation over paths, a plan of our own, and a proof."""

from nbb_opt.solve.network_design.solve import Designed, solve_network_design

__all__ = ["Designed", "solve_network_design"]
