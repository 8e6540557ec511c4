"""Plain HiGHS on the compact statement without strong rows (stated in full they slow it down: see README.md)."""

from benchmarks.plain_highs import minimise, outcome

KIND, LIBRARY = "peer", "highspy"
__all__ = ["KIND", "LIBRARY", "outcome", "start"]


def start(case, options):
    from nbb_opt.problems.network_design import read_design
    from nbb_opt.problems.network_design.model import design_form

    return minimise(design_form(read_design(case["path"]).network(), strong=False), options)
