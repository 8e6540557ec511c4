"""Renders what the network design model is: `<name>.md` from its docstrings, `<name>.lp` from an instance."""

from __future__ import annotations

from nbb_opt.model.model_file import lp_text
from nbb_opt.model.pyomo_form import compile_model
from nbb_opt.problems.mathematics import topic_lines, topics_of
from nbb_opt.problems.network_design import DesignInstance, read_design
from nbb_opt.problems.network_design.instance import PROBLEM
from nbb_opt.problems.network_design.model import network_design
from nbb_opt.problems.network_design.model.arrays import read_design_model
from nbb_opt.shipped import shipped, shipped_names

STRONG_WORDS = {"all": "every strong row is stated", "none": "no strong row is stated"}


def render_design(name: str, instance: DesignInstance) -> dict[str, str]:
    """The files `<name>.md` and `<name>.lp` of a model of network design; the LP is that on `instance`."""
    spec = read_design_model(name)
    m = network_design.begin(instance, spec)
    topics = topics_of(m, [network_design])
    where = instance.meta["name"]
    lines = [
        f"# {spec.title}",
        "",
        "Rendered from the code by `nbb-opt models`; do not edit. Data and symbols: [README.md](README.md), section 9. "
        f"The literal problem on `instances/{where}`: [{name}.lp]({name}.lp).",
        "",
        "| option | value | meaning |",
        "|---|---|---|",
        f"| strong_rows | {spec.strong_rows} | {STRONG_WORDS[spec.strong_rows]} |",
        *(line for topic in topics for line in topic_lines(topic)),
    ]
    title = f"{spec.title}: the problem on the instance {where}"
    return {f"{name}.md": "\n".join(lines) + "\n", f"{name}.lp": lp_text(compile_model(m), title=title)}


def render_all() -> dict[str, str]:
    """The files of every model of network design on `instances/design_tiny`, by name."""
    instance = read_design(shipped("instances") / "design_tiny")
    models = shipped_names("models", problem=PROBLEM)
    return {name: text for model in models for name, text in render_design(model, instance).items()}
