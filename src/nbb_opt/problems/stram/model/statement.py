"""Renders a stram model: `<name>.md` from the docstrings of its rules, `<name>.lp` on `instances/stram_tiny`."""

from __future__ import annotations

from nbb_opt.model.model_file import lp_text
from nbb_opt.model.pyomo_form import compile_model
from nbb_opt.problems.mathematics import topic_lines, topics_of
from nbb_opt.problems.stram import StramCase, read_stram
from nbb_opt.problems.stram.model.build import BLOCKS, begin
from nbb_opt.problems.stram.model.spec import OPTIONS, read_stram_model, stram_models
from nbb_opt.shipped import shipped

FIRST_EMISSIONS_T = 7500.0  # in the written problem, what the first year alone emits


def render_stram(name: str, case: StramCase) -> dict[str, str]:
    """The files `<name>.md` and `<name>.lp` of a model."""
    spec = read_stram_model(name)
    emissions = None if spec.years == "first" else FIRST_EMISSIONS_T
    m = begin(case, spec, first_emissions_t=emissions)
    topics = topics_of(m, BLOCKS)
    lines = [
        f"# {spec.title}", "",
        "Rendered from the code by `nbb-opt models`; do not edit. Rules, sources and what was left open: "
        "[stram_README.md](stram_README.md). The literal problem on "
        f"`instances/{case.path.name}`: [{name}.lp]({name}.lp)"
        + ("." if emissions is None else f"; there the first year alone emits {emissions:,.0f} t."),
        "", "| option | value | meaning |", "|---|---|---|",
    ]  # fmt: skip
    for option, words in OPTIONS.items():
        value = getattr(spec, option)
        lines.append(f"| {option} | {str(value).lower() if isinstance(value, bool) else value} | {words[value]} |")
    lines += [line for topic in topics for line in topic_lines(topic)]
    lp = lp_text(compile_model(m), title=f"{spec.title}: the problem on the instance {case.keys['name']}")
    return {f"{name}.md": "\n".join(lines) + "\n", f"{name}.lp": lp}


def render_all() -> dict[str, str]:
    """The files of every stram model on `instances/stram_tiny`, by name."""
    case = read_stram(shipped("instances") / "stram_tiny")
    return {name: text for model in stram_models() for name, text in render_stram(model, case).items()}
