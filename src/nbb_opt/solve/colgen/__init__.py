"""Column generation: flows and lanes never become columns of a linear program; a proven bound all the same."""

from nbb_opt.solve.colgen.search import solve_split

__all__ = ["solve_split"]
