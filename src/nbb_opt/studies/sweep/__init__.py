"""Sweeps: one model stated once, solved at many values of one thing, each time from where the last solve ended."""

from nbb_opt.studies.sweep.axes import AXES, Axis, axis_of
from nbb_opt.studies.sweep.run import Sweep, run_sweep
from nbb_opt.studies.sweep.store import Point

__all__ = ["AXES", "Axis", "Point", "Sweep", "axis_of", "run_sweep"]
