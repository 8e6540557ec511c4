"""Candidate chains: what the search finds for every bundle, and which of it is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance import Instance
from nbb_opt.instance.schema import MODES
from nbb_opt.network.graph import ROAD, Graph
from nbb_opt.network.runs import general_weights, make_classes, make_runs
from nbb_opt.network.search import Found, search_class
from nbb_opt.network.steps import kernels
from nbb_opt.network.weights import Amounts

SHOWN = 20  # flows named in an error
CHAINS_AT_ONCE = 20_000


@dataclass(frozen=True)
class Candidates:
    """Chains as numbers. `code` (steps,): an arc, or -1 - row of transfers.csv; chain c has first[c]..first[c + 1].

    `bundle`, `kind` (sequence of travelled modes as a number), `project_set` (index into `project_sets`) are per chain,
    `weights` (chains, 2 x weights) its cost by period, WTW kg by period and hours, as runs.general_weights orders them,
    first with today's trucks, then with clean ones.
    """

    code: np.ndarray
    first: np.ndarray
    bundle: np.ndarray
    kind: np.ndarray
    project_set: np.ndarray
    project_sets: tuple[tuple[int, ...], ...]
    weights: np.ndarray

    @property
    def chain(self) -> np.ndarray:
        """Chain of every step."""
        return np.repeat(np.arange(self.bundle.size), np.diff(self.first))


Choose = Callable[[Candidates], np.ndarray]


def find_chains(
    instance: Instance, graph: Graph, amounts: Amounts, *, bundles: pd.DataFrame, choose: Choose | None = None
) -> Candidates:
    """Search every class in every run; the chains are sorted by bundle.

    A chain that comes back to a place on the same side is no candidate: the chain without the round trip needs no other
    transfer and is found as well. `choose` is given all chains of some bundles at a time and says which of them to
    keep, so that memory holds little more than what is kept; two threads call it.
    Raises InstanceError naming the bundles that cannot be carried today.
    """
    classes = make_classes(instance)
    class_of = {name: i for i, cls in enumerate(classes) for name in cls.commodities}
    node = pd.Series(graph.node_index)
    origin = bundles["origin"].map(node).to_numpy(dtype=np.int64)
    destination = bundles["destination"].map(node).to_numpy(dtype=np.int64)
    bundle_class = bundles["commodity"].map(class_of).to_numpy(dtype=np.int64)
    used = [i for i in range(len(classes)) if (bundle_class == i).any()]

    def search(i: int) -> list[tuple[Candidates, np.ndarray, np.ndarray]]:
        mine = np.flatnonzero(bundle_class == i)
        runs = make_runs(instance, graph, amounts, cls=classes[i])
        found = search_class(
            graph, classes[i], runs, origin=origin[mine], destination=destination[mine],
            max_main_legs=instance.meta.max_main_legs,
        )  # fmt: skip
        tables = [general_weights(graph, amounts, classes[i], clean_trucks=clean) for clean in (False, True)]
        links, transfers = (np.ascontiguousarray(np.vstack(pair).T) for pair in zip(*tables, strict=True))
        lengths = found.lengths()
        parts = []
        for chains in _slices(found.bundle):
            part = _describe(graph, found, chains, lengths[chains], bundle=mine[found.bundle[chains]],
                             origin=origin, links=links, transfers=transfers)  # fmt: skip
            some = np.unique(part.bundle)
            needs_none = np.array([not one for one in part.project_sets], dtype=bool)
            today = np.unique(part.bundle[needs_none[part.project_set]])
            parts.append((take(part, choose(part)) if choose else part, some, today))
        return parts

    with ThreadPoolExecutor(2) as pool:  # kernels release the lock; the results stand in the order of the classes
        parts = [part for found in pool.map(search, used) for part in found]
    _check_all_carried(instance, bundles, [part[1] for part in parts], [part[2] for part in parts])
    return _joined([part[0] for part in parts])


def _slices(bundle: np.ndarray) -> Iterator[np.ndarray]:
    """Numbers of the chains, sorted by bundle, about CHAINS_AT_ONCE at a time and never half a bundle."""
    order = np.argsort(bundle, kind="stable")
    ordered = bundle[order]
    begin = 0
    while begin < order.size:
        last = ordered[min(begin + CHAINS_AT_ONCE, order.size) - 1]
        end = int(np.searchsorted(ordered, last, side="right"))
        yield order[begin:end]
        begin = end


def _describe(
    graph: Graph, found: Found, chains: np.ndarray, lengths: np.ndarray, *, bundle: np.ndarray, origin: np.ndarray,
    links: np.ndarray, transfers: np.ndarray,
) -> Candidates:  # fmt: skip
    """The given chains of a class without those that come back; `bundle` (chains given,) owns each."""
    code, first = found.steps(chains, lengths)
    again = kernels.comes_back(
        code, first, origin[bundle], graph.arc_to, graph.arc_layer, graph.transfer_node, graph.nodes.size,
        graph.layer_mode.size,
    )  # fmt: skip
    weights = np.empty((chains.size, links.shape[1]))
    kernels.add_up(code, first, graph.arc_link, links, transfers, weights)
    kind = kernels.kinds(code, first, graph.arc_layer, graph.layer_mode)
    sets, project_set = _project_sets(graph, code, first)
    every = Candidates(code, first, bundle, kind, project_set, sets, weights)
    return take(every, np.flatnonzero(~again))


def _joined(parts: Sequence[Candidates]) -> Candidates:
    """All parts as one, sorted by bundle."""
    index: dict[tuple[int, ...], int] = {}
    sets = [
        np.array([index.setdefault(one, len(index)) for one in part.project_sets], dtype=np.int64)[part.project_set]
        for part in parts
    ]
    length = np.concatenate([np.diff(part.first) for part in parts])
    bundle = np.concatenate([part.bundle for part in parts])
    every = Candidates(
        np.concatenate([part.code for part in parts]), np.append(0, np.cumsum(length)), bundle,
        np.concatenate([part.kind for part in parts]), np.concatenate(sets), tuple(index),
        np.vstack([part.weights for part in parts]),
    )  # fmt: skip
    return take(every, np.argsort(bundle, kind="stable"))


def keep_best(candidates: Candidates, *, alternatives: int, n_periods: int) -> np.ndarray:
    """Numbers of the chains kept, sorted by bundle: the `alternatives` best of every bundle, kind and set of projects.

    They are taken in turn by mean cost, mean emissions, cost of the last and of the first period, and time; then the
    second best of each, and so on.
    """
    w = candidates.weights
    criteria = [
        w[:, :n_periods].mean(axis=1),
        w[:, n_periods : 2 * n_periods].mean(axis=1),
        w[:, n_periods - 1],
        w[:, 0],
    ]
    criteria.append(w[:, 2 * n_periods])
    kind = np.unique(candidates.kind, return_inverse=True)[1]
    key = (candidates.bundle * (kind.max(initial=0) + 1) + kind) * len(candidates.project_sets) + candidates.project_set
    group = np.unique(key, return_inverse=True)[1]
    turn = np.full(key.size, np.iinfo(np.int64).max)
    for number, values in enumerate(criteria):
        turn = np.minimum(turn, _rank_within(group, values) * len(criteria) + number)
    kept = np.flatnonzero(_rank_within(group, turn) < alternatives)
    return kept[np.argsort(candidates.bundle[kept], kind="stable")]


def take(candidates: Candidates, chains: np.ndarray) -> Candidates:
    """The given chains only, in the given order."""
    length = np.diff(candidates.first)[chains]
    first = np.append(0, np.cumsum(length))
    steps = np.arange(first[-1]) - np.repeat(first[:-1] - candidates.first[:-1][chains], length)
    return Candidates(
        candidates.code[steps], first, candidates.bundle[chains], candidates.kind[chains],
        candidates.project_set[chains], candidates.project_sets, candidates.weights[chains],
    )  # fmt: skip


def kind_name(kind: int) -> str:
    """Modes travelled, joined by `-`.

    >>> kind_name(1 + 5 * 2)
    'road-rail'
    """
    words = []
    while kind:
        kind, digit = divmod(kind, 5)
        words.append(MODES[digit - 1])
    return "-".join(words)


def number_legs(graph: Graph, found: Candidates, handling: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number of the leg that every step starts (else -1), and the step where every leg first starts and its links.

    Legs are numbered as they first occur; `handling` (chains,): only chains of equal handling share legs.
    """
    n_legs = int(leg_starts(found.code, found.first).sum())
    table = np.full(1 << max(4, (2 * n_legs).bit_length()), -1, dtype=np.int64)
    number = np.empty(found.code.size, dtype=np.int64)
    start, size = np.empty(n_legs, dtype=np.int64), np.empty(n_legs, dtype=np.int64)
    n = kernels.number_legs(found.code, found.first, handling, table, number, start, size)
    return number, start[:n], size[:n]


def main_mode(instance: Instance, graph: Graph, found: Candidates) -> np.ndarray:
    """Mode with most km of every chain, as in schema.MODES."""
    arc = found.code >= 0
    link = graph.arc_link[found.code[arc]]
    km = instance["links"]["distance_km"].to_numpy()[link]
    at = found.chain[arc] * len(MODES) + graph.link_mode[link]
    n = found.bundle.size
    return np.bincount(at, weights=km, minlength=n * len(MODES)).reshape(n, len(MODES)).argmax(axis=1)


def _rank_within(group: np.ndarray, values: np.ndarray) -> np.ndarray:
    order = np.lexsort((np.arange(group.size), values, group))
    start = np.searchsorted(group[order], group[order])
    rank = np.empty(group.size, dtype=np.int64)
    rank[order] = np.arange(group.size) - start
    return rank


def leg_starts(code: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Whether a step is the first arc of a leg."""
    after = np.ones(code.size, dtype=bool)
    after[1:] = code[:-1] < 0
    after[first[:-1]] = True
    return (code >= 0) & after


def sides(graph: Graph, code: np.ndarray, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Layer before and after every step: an arc stays in its own; a transfer has the road where no leg adjoins it."""
    arc = code >= 0
    layer = np.full(code.size, ROAD)
    layer[arc] = graph.arc_layer[code[arc]]
    begins, ends = np.zeros(code.size, dtype=bool), np.zeros(code.size, dtype=bool)
    begins[first[:-1]], ends[first[1:] - 1] = True, True
    before = np.where(arc, layer, np.where(begins, ROAD, np.roll(layer, 1)))
    after = np.where(arc, layer, np.where(ends, ROAD, np.roll(layer, -1)))
    return before, after


def step_projects(graph: Graph, code: np.ndarray) -> np.ndarray:
    """Project every step needs, -1 for none."""
    arc = code >= 0
    project = np.empty(code.size, dtype=np.int64)
    project[arc] = graph.link_project[graph.arc_link[code[arc]]]
    project[~arc] = graph.transfer_project[-1 - code[~arc]]
    return project


def _project_sets(graph: Graph, code: np.ndarray, first: np.ndarray) -> tuple[tuple[tuple[int, ...], ...], np.ndarray]:
    """The sets of projects that occur, each rising, and the set of every chain."""
    n_chains = first.size - 1
    listed = np.full((n_chains, graph.projects.size), -1, dtype=np.int16)
    size = np.zeros(n_chains, dtype=np.int64)
    kernels.list_projects(code, first, graph.arc_link, graph.link_project, graph.transfer_project, listed, size)
    needs = np.flatnonzero(size)
    index: dict[tuple[int, ...], int] = {(): 0}
    numbers = np.zeros(n_chains, dtype=np.int64)
    rows = (tuple(row[:n]) for row, n in zip(listed[needs].tolist(), size[needs].tolist(), strict=True))
    numbers[needs] = [index.setdefault(row, len(index)) for row in rows]
    return tuple(index), numbers


def _check_all_carried(
    instance: Instance, bundles: pd.DataFrame, some: list[np.ndarray], today: list[np.ndarray]
) -> None:
    """Whether every bundle has some chain, and one that needs no project."""
    any_way, free = np.zeros(len(bundles), dtype=bool), np.zeros(len(bundles), dtype=bool)
    for found, mask in ((some, any_way), (today, free)):
        for numbers in found:
            mask[numbers] = True
    lost = np.flatnonzero(~free)
    problems = []
    for b in lost[:SHOWN]:
        row = bundles.iloc[int(b)]
        what = "can be carried only if a project is built" if any_way[b] else "cannot be carried by any chain"
        hint = "add links or transfers that exist today, modes of the commodity, vehicle_loads or handling_costs rows"
        where = f"{instance.od_path.name}, {row['origin']} -> {row['destination']}, {row['commodity']}"
        problems.append(Problem(where, what, hint))
    if lost.size > SHOWN:
        problems.append(Problem(instance.od_path.name, f"{lost.size - SHOWN} more flows cannot be carried today"))
    if problems:
        raise InstanceError(problems)
