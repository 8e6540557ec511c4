"""States the network design problem: which arcs to open, and what flows where."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nbb_opt.errors import ModelError
from nbb_opt.model.arrays.array_assembly import ArrayAssembly
from nbb_opt.model.arrays.assembly import Assembly, Weighed
from nbb_opt.model.arrays.keys import Keys
from nbb_opt.model.arrays.terms import Terms
from nbb_opt.model.build import Route
from nbb_opt.model.compile import form_of
from nbb_opt.model.data.periods import Names
from nbb_opt.model.form import StandardForm
from nbb_opt.problems.network_design.network import Network
from nbb_opt.shipped import shipped

Ints = npt.NDArray[np.int64]
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


def add_network_design(
    a: Assembly, network: Network, *, nodes: Names, arcs: Names, commodities: Names, strong: Ints
) -> None:
    r"""Open arcs and carry every commodity over open arcs, at least cost.

    Flows may be split. $D = \sum_k d_k$; the limit $\min(u_a, D)$ of an arc and $\min(d_k, u_a)$ of a commodity on it
    are the least that no plan needs to exceed, and both come from the data. The strong rows follow from the others
    where `opened` is whole, and lift the relaxation; a solver may add only those it finds broken.

    Variables
        opened              $y_a \in \{0, 1\}$   whether arc $a$ is open
        carried_t           $0 \le x_{ka} \le \min(d_k, u_a)$   tonnes of commodity $k$ on arc $a$   [t]

    Constraints
        balance_nodes       $\sum_{a: i \to} x_{ka} - \sum_{a: \to i} x_{ka} = d_k [i = o_k] - d_k [i = t_k]$
                            $\forall k, i$
        respect_capacity    $\sum_k x_{ka} \le \min(u_a, D)\, y_a$   $\forall a$
        open_what_is_used   $x_{ka} \le \min(d_k, u_a)\, y_a$   $\forall k, a$ (strong rows)

    Contributes
        cost_eur            $\sum_a f_a y_a + \sum_{k,a} c_a x_{ka}$
    """
    n = network
    m, k, v = n.arcs, n.commodities, n.nodes
    most_t = np.minimum(n.demand_t[:, None], n.capacity_t[None, :])
    pair = np.arange(k * m)
    of, arc = pair // m, pair % m
    opened = a.add_variables("opened", "ARCS", arcs.ids, whole=True, up=1.0)
    carried = a.add_variables(
        "carried_t", "COMMODITY_ARCS", Keys((commodities, of), (arcs, arc)), up=most_t.ravel(),
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
    row = np.arange(len(strong))
    use = Terms(len(strong)).add(row, carried[strong], 1.0).add(row, opened[strong % m], -most_t.ravel()[strong])
    a.add_rows("open_what_is_used", Keys((commodities, strong // m), (arcs, strong % m)), use, sense="<=")
    a.minimise(
        [
            Weighed("open", arcs.ids, np.ones(m), Terms(m).add(np.arange(m), opened, n.fixed_eur)),
            Weighed("carry", arcs.ids, np.ones(m), Terms(m).add(arc, carried, n.cost_eur_per_t[arc])),
        ]
    )


def design_form(
    network: Network,
    *,
    names: tuple[Sequence[str], Sequence[str], Sequence[str]] | None = None,
    strong: Ints | None = None,
    route: Route = "arrays",
) -> StandardForm:
    """The standard form; columns are the arcs' `opened`, then `carried_t` by commodity * arcs + arc.

    `names` are those of nodes, arcs, commodities (numbers if not given). `strong` holds the strong rows as
    commodity * arcs + arc, all of them if not given. Raises ModelError for a figure that a solver would drop.
    """
    return form_of(design_assembly(network, names=names, strong=strong, route=route))


def design_assembly(
    network: Network,
    *,
    names: tuple[Sequence[str], Sequence[str], Sequence[str]] | None = None,
    strong: Ints | None = None,
    route: Route = "arrays",
) -> Assembly:
    """The model itself, as Pyomo objects or as arrays; arguments as of `design_form`."""
    a: Assembly = ArrayAssembly("network_design")
    if route == "pyomo":
        from nbb_opt.model.pyomo_assembly import PyomoAssembly

        a = PyomoAssembly("network_design", [])
    numbers = tuple([str(i) for i in range(size)] for size in (network.nodes, network.arcs, network.commodities))
    nodes, arcs, commodities = (Names(each) for each in names or numbers)
    pairs = np.arange(network.commodities * network.arcs) if strong is None else strong
    add_network_design(a, network, nodes=nodes, arcs=arcs, commodities=commodities, strong=pairs)
    return a
