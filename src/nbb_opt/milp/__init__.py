"""The model: its description, its coefficients, its blocks in Pyomo, its arrays and its tables."""

from nbb_opt.milp.build import Built, build
from nbb_opt.milp.compile import standard_form
from nbb_opt.milp.extract import extract
from nbb_opt.milp.forecast import Forecast, forecast, memory_mb, refuse_too_large
from nbb_opt.milp.form import StandardForm
from nbb_opt.milp.spec import ModelSpec, read_model
from nbb_opt.milp.split import Split, split
from nbb_opt.milp.statement import render, render_all

__all__ = [
    "Built",
    "Forecast",
    "ModelSpec",
    "Split",
    "StandardForm",
    "build",
    "extract",
    "forecast",
    "memory_mb",
    "read_model",
    "refuse_too_large",
    "render",
    "render_all",
    "split",
    "standard_form",
]
