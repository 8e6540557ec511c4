"""Renders a stram model: `<name>.md` from the docstrings of its blocks, `<name>.lp` on `instances/stram_tiny`."""

from __future__ import annotations

from nbb_opt.model.compile import form_of
from nbb_opt.model.lp_file import lp_text
from nbb_opt.model.topics import Topic, topic_lines, topic_of
from nbb_opt.problems.stram import StramCase, read_stram
from nbb_opt.problems.stram.model.build import BLOCKS, build_stram
from nbb_opt.problems.stram.model.spec import OPTIONS, StramSpec, read_stram_model, stram_models
from nbb_opt.shipped import shipped

FIRST_EMISSIONS_T = 7500.0  # stands in the written problem for what the first year alone emits


def stram_topics() -> tuple[Topic, ...]:
    """The topics of every stram model in building order, read from the docstrings."""
    return tuple(topic_of(block, add.__doc__ or "") for block, add in BLOCKS)


def render_stram(name: str, case: StramCase) -> dict[str, str]:
    """The files `<name>.md` and `<name>.lp` of a model."""
    spec = read_stram_model(name)
    emissions = None if spec.years == "first" else FIRST_EMISSIONS_T
    built = build_stram(case, spec, first_emissions_t=emissions)
    lp = lp_text(form_of(built.assembly), title=f"{spec.title}: the problem on the instance {case.keys['name']}")
    return {f"{name}.md": _markdown(spec, case), f"{name}.lp": lp}


def render_all() -> dict[str, str]:
    """The files of every stram model on `instances/stram_tiny`, by name."""
    case = read_stram(shipped("instances") / "stram_tiny")
    return {name: text for model in stram_models() for name, text in render_stram(model, case).items()}


def _markdown(spec: StramSpec, case: StramCase) -> str:
    lines = [
        f"# {spec.title}", "",
        "Rendered from the code by `nbb-opt models`; do not edit. Rules, sources and what was left open: "
        "[stram_README.md](stram_README.md). The literal problem on "
        f"`instances/{case.path.name}`: [{spec.name}.lp]({spec.name}.lp)"
        + ("." if spec.years == "first" else f"; the first year alone is said to emit {FIRST_EMISSIONS_T:,.0f} t."),
        "", "| option | value | meaning |", "|---|---|---|",
    ]  # fmt: skip
    for option, words in OPTIONS.items():
        value = getattr(spec, option)
        lines.append(f"| {option} | {str(value).lower() if isinstance(value, bool) else value} | {words[value]} |")
    for topic in stram_topics():
        lines += topic_lines(topic)
    return "\n".join(lines) + "\n"
