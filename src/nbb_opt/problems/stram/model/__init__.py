"""The stram model: its description, its coefficients, its blocks, its arrays and its tables."""

from nbb_opt.problems.stram.model.build import RISK, SHARED, StramBuilt, build_stram
from nbb_opt.problems.stram.model.spec import StramSpec, read_stram_model, stram_models
from nbb_opt.problems.stram.model.statement import render_stram, stram_topics

__all__ = [
    "RISK",
    "SHARED",
    "StramBuilt",
    "StramSpec",
    "build_stram",
    "read_stram_model",
    "render_stram",
    "stram_models",
    "stram_topics",
]
