"""Which searches are made: by what weight, with which projects built, and how many alternatives each.

A run is sought by the generalised cost (carbon price and cargo time included) of a period, by the WTW emissions of a
period, or by time; with nothing built, with everything built, and with each project (and what it requires) alone.
A project is also sought alone with its own links and transfers at half weight, by the cost of the last period: one that
relieves a bottleneck without being cheaper is a candidate too.

A run finds the cheapest walk of every sequence of main legs; the cheapest of all sequences comes back to no place (what
is left without the round trip is no dearer). Of every single sequence the cheapest chain that comes back to no place is
sought by the cost of the first and of the last period, today and with everything built.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nbb_opt.instance import Instance, split_refs
from nbb_opt.instance.schema import CARGO_TYPES, MODES
from nbb_opt.network.graph import ROAD, Graph
from nbb_opt.network.weights import Amounts

TIE = 1e-6  # of two chains that emit the same or take as long, the cheaper one is found
PRICE_TIE = 1e-8  # of a EUR: of two chains that use as much of what is short, the cheaper one is found
RELIEF = 0.5
CLEAN_COST = 0.5  # of today's trucks: below what any truck of an instance is expected to cost


@dataclass(frozen=True)
class ChainClass:
    """Commodities that share cargo type, modes and value of time: they share every search."""

    cargo_type: int
    modes: tuple[bool, ...]
    value_of_time_eur_per_t_h: float
    commodities: tuple[str, ...]


@dataclass(frozen=True)
class Runs:
    """link_weight (runs, links), transfer_weight (runs, transfers): infinite where not to be used. n_wanted (runs,):
    how many chains that come back to no place are sought of every sequence, 0 if its cheapest walk will do. base
    (runs,): an earlier run in which nothing is cheaper, so that only what differs need be searched; -1: none."""

    link_weight: np.ndarray
    transfer_weight: np.ndarray
    n_wanted: np.ndarray
    base: np.ndarray


def make_classes(instance: Instance) -> list[ChainClass]:
    """Classes of the commodities, in the order of commodities.csv."""
    found: dict[tuple[int, tuple[bool, ...], float], list[str]] = {}
    table = instance["commodities"]
    for name, cargo_type, modes, value in zip(
        table["commodity"], table["cargo_type"], table["modes"], table["value_of_time_eur_per_t_h"], strict=True
    ):
        allowed = split_refs(modes)
        key = (CARGO_TYPES.index(cargo_type), tuple(mode in allowed for mode in MODES), float(value))
        found.setdefault(key, []).append(name)
    return [ChainClass(*key, tuple(names)) for key, names in found.items()]


def general_weights(
    graph: Graph, amounts: Amounts, cls: ChainClass, *, clean_trucks: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """(weights, links) and (weights, transfers): cost by period, WTW kg by period, hours; whatever is built.

    With `clean_trucks` the road emits nothing and costs CLEAN_COST of what today's trucks cost.
    """
    h, value = cls.cargo_type, cls.value_of_time_eur_per_t_h
    cost, carbon = amounts.link_cost[h], amounts.link_carbon_cost[h]
    kg = amounts.link_ttw[h] + amounts.link_wtt[h]
    if clean_trucks:
        road = graph.link_mode == ROAD
        cost, carbon, kg = np.where(road, CLEAN_COST * cost, cost), np.where(road, 0, carbon), np.where(road, 0, kg)
    cost = cost + carbon + value * amounts.link_time
    links = np.vstack([cost, kg + TIE * cost, amounts.link_time + TIE * cost[:1]])
    there = amounts.transfer_cost[h] + amounts.transfer_carbon_cost[h] + value * amounts.transfer_time[h]
    there_kg = amounts.transfer_ttw[h] + amounts.transfer_wtt[h]
    transfers = np.vstack([there, there_kg + TIE * there, amounts.transfer_time[h] + TIE * there[:1]])
    return links, transfers


def make_runs(instance: Instance, graph: Graph, amounts: Amounts, *, cls: ChainClass) -> Runs:
    """The searches of a class; those that cannot differ from an earlier one are left out."""
    links, transfers = _allowed_weights(graph, amounts, cls)
    alternatives, n_periods = instance.meta.alternatives, len(instance.periods)
    states = project_states(instance, graph)
    rows: list[tuple[np.ndarray, np.ndarray, int]] = []
    number: dict[bytes, int] = {}
    bases: list[int] = []

    def add(link_row: np.ndarray, transfer_row: np.ndarray, n_wanted: int, base: int = -1) -> int:
        """Number of the run, a new one unless it cannot differ from an earlier one."""
        mark = link_row.tobytes() + transfer_row.tobytes()
        if mark not in number:
            number[mark] = len(rows)
            rows.append((link_row, transfer_row, n_wanted))
            bases.append(base)
        return number[mark]

    last = n_periods - 1
    weights = dict.fromkeys((0, last, *range(links.shape[0])))  # those that go on to more than walks come first
    unbuilt = {}
    for weight in weights:
        more = weight in (0, last)
        now = _in_state(graph, links[weight], transfers[weight], built=states[0])
        unbuilt[weight] = add(*now, alternatives if more else 0)
        for state, built in enumerate(states[1:]):
            then = _in_state(graph, links[weight], transfers[weight], built=built)
            add(*then, int(more and state == 0), unbuilt[weight])
    for built in states[2:]:
        wanted = _in_state(graph, links[last], transfers[last], built=built)
        cheap = np.where(built[graph.link_project] & (graph.link_project >= 0), RELIEF, 1.0)
        cheap_transfer = np.where(built[graph.transfer_project] & (graph.transfer_project >= 0), RELIEF, 1.0)
        add(wanted[0] * cheap, wanted[1] * cheap_transfer, 0, unbuilt[last])
    return Runs(
        np.array([row[0] for row in rows]),
        np.array([row[1] for row in rows]).reshape(len(rows), -1),
        np.array([row[2] for row in rows], dtype=np.int64),
        np.array(bases, dtype=np.int64),
    )


def priced_run(
    instance: Instance, graph: Graph, amounts: Amounts, *, cls: ChainClass, prices: tuple[np.ndarray, np.ndarray],
    built: bool,
) -> Runs:  # fmt: skip
    """One search by prices of links and of transfers, with everything built or nothing; of equal ones the cheaper."""
    states = project_states(instance, graph)
    weights = _allowed_weights(graph, amounts, cls)
    rows = _in_state(graph, weights[0][0], weights[1][0], built=states[1 if built and len(states) > 1 else 0])
    link, transfer = (price + PRICE_TIE * row for price, row in zip(prices, rows, strict=True))
    return Runs(link[None], transfer[None], np.zeros(1, dtype=np.int64), np.full(1, -1, dtype=np.int64))


def _allowed_weights(graph: Graph, amounts: Amounts, cls: ChainClass) -> tuple[np.ndarray, np.ndarray]:
    """general_weights, infinite for modes that the class may not use."""
    links, transfers = general_weights(graph, amounts, cls)
    links = np.where(np.array(cls.modes)[graph.link_mode], links, np.inf)
    link_modes_ok = np.array(cls.modes) | (np.arange(len(MODES)) == ROAD)  # the road side itself needs no road
    return links, np.where(link_modes_ok[graph.transfer_mode].all(axis=1), transfers, np.inf)


def project_states(instance: Instance, graph: Graph) -> list[np.ndarray]:
    """Which projects are built: none, all, and each that a link or transfer needs, with what it requires.

    Each (projects + 1,); the last entry stands for "needs no project".
    """
    n = graph.projects.size
    index = {name: i for i, name in enumerate(graph.projects)}
    requires = [[index[p] for p in split_refs(refs)] for refs in instance["projects"]["requires"]]
    nothing, everything = np.zeros(n + 1, dtype=bool), np.ones(n + 1, dtype=bool)
    nothing[n] = True
    states = [nothing, everything]
    needed: Sequence[int] = np.union1d(graph.link_project, graph.transfer_project).astype(int).tolist()
    for project in needed:
        if project < 0:
            continue
        built, todo = nothing.copy(), [project]
        while todo:
            one = todo.pop()
            if not built[one]:
                built[one] = True
                todo += requires[one]
        states.append(built)
    return states if len(states) > 2 else states[:1]


def _in_state(
    graph: Graph, links: np.ndarray, transfers: np.ndarray, *, built: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    return (
        np.where(built[graph.link_project], links, np.inf),
        np.where(built[graph.transfer_project], transfers, np.inf),
    )


def case_runs(graph: Graph, amounts: Amounts, *, cls: ChainClass, cases: Sequence[tuple[int, np.ndarray]]) -> Runs:
    """A search by generalised cost for each case: a period (its number) and which projects are built, as one of
    project_states."""
    links, transfers = _allowed_weights(graph, amounts, cls)
    rows = [_in_state(graph, links[t], transfers[t], built=built) for t, built in cases]
    return Runs(
        np.array([row[0] for row in rows]), np.array([row[1] for row in rows]).reshape(len(rows), -1),
        np.zeros(len(rows), dtype=np.int64), np.full(len(rows), -1, dtype=np.int64),
    )  # fmt: skip
