"""The network design model as arrays: the statement for scale, checked against the Pyomo one."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nbb_opt.errors import ModelError
from nbb_opt.model.arrays.assembly import Assembly, Weighed
from nbb_opt.model.arrays.keys import Keys
from nbb_opt.model.arrays.terms import Terms
from nbb_opt.model.data.periods import Names
from nbb_opt.model.form import StandardForm
from nbb_opt.problems.network_design.instance import DesignNetwork
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


def entries(network: DesignNetwork, spec: DesignSpec) -> int:
    """How many coefficients the rows have: of a flow two balances and a capacity, and two in its strong row."""
    return network.arcs + (5 if spec.strong_rows == "all" else 3) * network.arcs * network.commodities


NamesOf = tuple[Sequence[str], Sequence[str], Sequence[str]]


def add_network_design(
    a: Assembly, network: DesignNetwork, *, nodes: Names, arcs: Names, commodities: Names, strong: bool
) -> None:
    """Columns, rows and objective of models/network_design.md."""
    n = network
    m, k, v = n.arcs, n.commodities, n.nodes
    most_t = np.minimum(n.demand_t[:, None], n.capacity_t[None, :])
    pair = np.arange(k * m)
    of, arc = pair // m, pair % m
    opened = a.add_variables("opened", arcs.ids, whole=True, up=1.0)
    carried = a.add_variables(
        "carried_t", Keys((commodities, of), (arcs, arc)), up=most_t.ravel(),
        typical=float(np.median(n.demand_t)),
    )  # fmt: skip
    side = np.zeros((k, v))
    np.add.at(side, (np.arange(k), n.origin), n.demand_t)
    np.add.at(side, (np.arange(k), n.destination), -n.demand_t)
    at = np.arange(k * v)
    balance = Terms(k * v).add(of * v + n.tail[arc], carried, 1.0).add(of * v + n.head[arc], carried, -1.0)
    a.add_rows("balance_nodes", Keys((commodities, at // v), (nodes, at % v)), balance, sense="==", side=side.ravel())
    capacity = Terms(m).add(arc, carried, 1.0).add(np.arange(m), opened, -n.largest_use_t())
    a.add_rows("respect_capacity", arcs.ids, capacity, sense="<=")
    if strong:
        use = Terms(k * m).add(pair, carried, 1.0).add(pair, opened[arc], -most_t.ravel())
        a.add_rows("open_what_is_used", Keys((commodities, of), (arcs, arc)), use, sense="<=")
    opening = a.share("open_eur", m).add(np.arange(m), opened, n.fixed_eur)
    carrying = a.share("carry_eur", m).add(arc, carried, n.cost_eur_per_t[arc])
    a.minimise([Weighed(name, np.ones(m), each) for name, each in (("open", opening), ("carry", carrying))])


def design_form(network: DesignNetwork, *, names: NamesOf | None = None, strong: bool = True) -> StandardForm:
    """The standard form; columns are the arcs' `opened`, then `carried_t` by commodity * arcs + arc.

    `names` are those of nodes, arcs, commodities (numbers if not given); `strong`: whether strong rows are stated.
    Raises ModelError for a figure that a solver would drop.
    """
    return design_assembly(network, names=names, strong=strong).form()


def design_assembly(network: DesignNetwork, *, names: NamesOf | None = None, strong: bool = True) -> Assembly:
    """The model itself as arrays; arguments as of `design_form`."""
    a = Assembly("network_design")
    numbers = tuple([str(i) for i in range(size)] for size in (network.nodes, network.arcs, network.commodities))
    nodes, arcs, commodities = (Names(each) for each in names or numbers)
    add_network_design(a, network, nodes=nodes, arcs=arcs, commodities=commodities, strong=strong)
    return a
