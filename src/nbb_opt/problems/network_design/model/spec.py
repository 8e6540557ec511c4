"""Reads a network design model of `models/` strictly."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass

from nbb_opt.errors import ModelError
from nbb_opt.problems.network_design.instance import Network
from nbb_opt.shipped import shipped

STRONG_ROWS = ("all", "none")
KEYS = ("problem", "title", "strong_rows")


@dataclass(frozen=True)
class DesignSpec:
    """A model of the problem: its title, and whether the strong rows are stated (they follow from whole numbers)."""

    name: str
    title: str
    strong_rows: str


def read_design_model(name: str = "network_design") -> DesignSpec:
    """The model of that name in `models/`. Raises ModelError with every fault of the file."""
    path = shipped("models") / f"{name}.toml"
    if not path.is_file():
        raise ModelError(f"model '{name}': there is no file {path.name}; network_design is the model of this problem")
    table = tomllib.loads(path.read_text(encoding="utf-8")).get("model", {})
    faults = [f"unknown key '{key}' (known: {', '.join(KEYS)})" for key in table if key not in KEYS]
    faults += [f"key '{key}' is missing" for key in KEYS if key not in table]
    if table.get("problem") not in (None, "network_design"):
        faults.append(f"problem = {table['problem']!r} is another problem than network_design")
    if "strong_rows" in table and table["strong_rows"] not in STRONG_ROWS:
        faults.append(f"strong_rows = {table['strong_rows']!r} is not one of {', '.join(STRONG_ROWS)}")
    if faults:
        raise ModelError("\n".join(f"{path.name}: {fault}" for fault in faults))
    return DesignSpec(name, table["title"], table["strong_rows"])


def entries(network: Network, spec: DesignSpec) -> int:
    """How many coefficients the rows have: of a flow two balances and a capacity, and two in its strong row."""
    return network.arcs + (5 if spec.strong_rows == "all" else 3) * network.arcs * network.commodities
