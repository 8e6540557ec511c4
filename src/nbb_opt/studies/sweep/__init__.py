"""Sweeps: one model solved at many values of one thing."""

from nbb_opt.studies.sweep.axes import AXES, Axis, axis_of
from nbb_opt.studies.sweep.run import run_sweep

__all__ = ["AXES", "Axis", "axis_of", "run_sweep"]
