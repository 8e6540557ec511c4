"""Renders the network design model: `<name>.md` from its docstrings, `<name>.lp` on `instances/design_tiny`."""

from __future__ import annotations

from nbb_opt.problems.mathematics import statement_files
from nbb_opt.problems.network_design import read_design
from nbb_opt.problems.network_design.instance import PROBLEM
from nbb_opt.problems.network_design.model import network_design
from nbb_opt.problems.network_design.model.arrays import read_design_model
from nbb_opt.shipped import shipped, shipped_names

STRONG_WORDS = {"all": "every strong row is stated", "none": "no strong row is stated"}


def render_all() -> dict[str, str]:
    """The files of every model of network design, by name."""
    instance = read_design(shipped("instances") / "design_tiny")
    files: dict[str, str] = {}
    for spec in map(read_design_model, shipped_names("models", problem=PROBLEM)):
        files |= statement_files(
            network_design.begin(instance, spec), [network_design], title=spec.title, instance=instance.meta["name"],
            see="Data and symbols: [README.md](README.md), section 10.",
            options=[("strong_rows", spec.strong_rows, STRONG_WORDS[spec.strong_rows])],
        )  # fmt: skip
    return files
