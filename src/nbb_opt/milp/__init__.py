"""The model: its description, its coefficients, its blocks in Pyomo, its arrays and its tables."""

from nbb_opt.milp.build import Built, build
from nbb_opt.milp.extract import extract
from nbb_opt.milp.form import StandardForm, standard_form
from nbb_opt.milp.spec import ModelSpec, read_model

__all__ = ["Built", "ModelSpec", "StandardForm", "build", "extract", "read_model", "standard_form"]
