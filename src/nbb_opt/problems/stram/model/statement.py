"""Renders the stram models: `<name>.md` from the docstrings of the rules, `<name>.lp` on `instances/stram_tiny`."""

from __future__ import annotations

from nbb_opt.problems.mathematics import statement_files
from nbb_opt.problems.stram import read_stram
from nbb_opt.problems.stram.model.build import BLOCKS, begin
from nbb_opt.problems.stram.model.spec import OPTIONS, read_stram_model, stram_models
from nbb_opt.shipped import shipped

FIRST_EMISSIONS_T = 7500.0  # in the written problem, what the first year alone emits


def render_all() -> dict[str, str]:
    """The files of every stram model, by name."""
    case = read_stram(shipped("instances") / "stram_tiny")
    files: dict[str, str] = {}
    for spec in map(read_stram_model, stram_models()):
        emissions_t = None if spec.years == "first" else FIRST_EMISSIONS_T
        files |= statement_files(
            begin(case, spec, first_emissions_t=emissions_t), BLOCKS, title=spec.title, instance=case.path.name,
            see="Rules, sources and what was left open: [stram_README.md](stram_README.md).",
            note=f"; there the first year alone emits {emissions_t:,.0f} t" if emissions_t else "",
            options=[(name, getattr(spec, name), words[getattr(spec, name)]) for name, words in OPTIONS.items()],
        )  # fmt: skip
    return files
