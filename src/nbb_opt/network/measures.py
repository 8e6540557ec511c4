"""What chains of a class are compared by: sums over their steps, limited things they use, projects they need."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nbb_opt.instance import Instance
from nbb_opt.network.graph import Graph
from nbb_opt.network.runs import ChainClass, general_weights
from nbb_opt.network.weights import Amounts


@dataclass(frozen=True)
class Things:
    """What chains use: links (links, 2) and transfers (transfers, 2) give a capacity group or terminal with a limit,
    and a project, -1 where there is none. Of `n` things those from `first_project` on are projects."""

    links: np.ndarray
    transfers: np.ndarray
    first_project: int
    n: int


@dataclass(frozen=True)
class Measures:
    """link_sums (links, weights), transfer_sums (transfers, weights): cost by period, WTW kg by period and hours, as
    runs.general_weights orders them, first with today's trucks, then with clean ones; and the things used."""

    link_sums: np.ndarray
    transfer_sums: np.ndarray
    things: Things


def make_measures(graph: Graph, amounts: Amounts, cls: ChainClass, *, things: Things) -> Measures:
    """The measures of a class."""
    tables = [general_weights(graph, amounts, cls, clean_trucks=clean) for clean in (False, True)]
    links, transfers = (np.ascontiguousarray(np.vstack(pair).T) for pair in zip(*tables, strict=True))
    return Measures(links, transfers, things)


def make_things(instance: Instance, graph: Graph) -> Things:
    """The things of an instance: links of one capacity group are one thing."""
    links, terminals, transfers = instance["links"], instance["terminals"], instance["transfers"]
    row = {name: i for i, name in enumerate(links["link"])}
    group = np.array([row[c] if c else i for i, c in enumerate(links["capacity_link"])], dtype=np.int64)
    link_thing, n_links = _limited(links["capacity_t_per_year"].notna().to_numpy(), group)
    place = {name: i for i, name in enumerate(terminals["terminal"])} | {"": len(terminals)}
    limited = np.append(terminals["capacity_t_per_year"].notna().to_numpy(), False)
    at = np.array([place[name] for name in transfers["terminal"]], dtype=np.int64)
    terminal, n_terminals = _limited(limited, at)
    first = n_links + n_terminals
    return Things(
        np.column_stack([link_thing, _shifted(graph.link_project, first)]),
        np.column_stack([_shifted(terminal, n_links), _shifted(graph.transfer_project, first)]),
        first,
        first + graph.projects.size,
    )


def _limited(limited: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, int]:
    """Number of the limited thing every row belongs to, -1 if it has no limit; and how many there are."""
    number = np.where(limited, np.cumsum(limited) - 1, -1)
    return number[group], int(limited.sum())


def _shifted(number: np.ndarray, by: int) -> np.ndarray:
    return np.where(number >= 0, number + by, -1)
