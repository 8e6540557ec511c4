"""The stram model: its description, its coefficients, its blocks, its arrays and its tables."""

from nbb_opt.milp.stram.build import RISK, SHARED, StramBuilt, build_stram
from nbb_opt.milp.stram.spec import StramSpec, read_stram_model, stram_models
from nbb_opt.milp.stram.statement import render_stram, render_stram_models, stram_topics

__all__ = [
    "RISK",
    "SHARED",
    "StramBuilt",
    "StramSpec",
    "build_stram",
    "read_stram_model",
    "render_stram",
    "render_stram_models",
    "stram_models",
    "stram_topics",
]
