"""The stram model: its description, its statement in Pyomo and the one in arrays for scale, and its tables."""

from nbb_opt.problems.stram.model.built import RISK, SHARED, StramBuilt, build_stram, chosen_statement
from nbb_opt.problems.stram.model.spec import StramSpec, read_stram_model, stram_models

__all__ = [
    "RISK",
    "SHARED",
    "StramBuilt",
    "StramSpec",
    "build_stram",
    "chosen_statement",
    "read_stram_model",
    "stram_models",
]
