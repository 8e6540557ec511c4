"""The model: its description, its coefficients, its blocks in Pyomo, its arrays and its tables."""

from nbb_opt.model.arrays.split import Split, split
from nbb_opt.model.build import Built, build, standard_form, statement_for
from nbb_opt.model.extract import extract
from nbb_opt.model.forecast import Forecast, forecast, memory_mb, refuse_too_large
from nbb_opt.model.form import StandardForm
from nbb_opt.model.spec import ModelSpec, read_model
from nbb_opt.model.statement import render

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
    "split",
    "standard_form",
    "statement_for",
]
