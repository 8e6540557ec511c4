"""Candidate chains: what the search finds for every bundle, and which of it is kept."""

from __future__ import annotations

from collections.abc import Sequence
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
from nbb_opt.network.weights import Amounts

SHOWN = 20  # flows named in an error


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


def find_chains(instance: Instance, graph: Graph, amounts: Amounts, *, bundles: pd.DataFrame) -> Candidates:
    """Search every class in every run.

    A chain that comes back to a place on the same side is no candidate: the chain without the round trip needs no other
    transfer and is found as well. Raises InstanceError naming the bundles that cannot be carried today.
    """
    classes = make_classes(instance)
    class_of = {name: i for i, cls in enumerate(classes) for name in cls.commodities}
    origin = np.array([graph.node_index[name] for name in bundles["origin"]], dtype=np.int64)
    destination = np.array([graph.node_index[name] for name in bundles["destination"]], dtype=np.int64)
    bundle_class = np.array([class_of[name] for name in bundles["commodity"]], dtype=np.int64)
    used = [i for i in range(len(classes)) if (bundle_class == i).any()]

    def search(i: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        mine = np.flatnonzero(bundle_class == i)
        runs = make_runs(instance, graph, amounts, cls=classes[i])
        found = search_class(
            graph, classes[i], runs, origin=origin[mine], destination=destination[mine],
            max_main_legs=instance.meta.max_main_legs,
        )  # fmt: skip
        totals = [
            _totals(graph, found, *general_weights(graph, amounts, classes[i], clean_trucks=clean))
            for clean in (False, True)
        ]
        return found.code, np.diff(found.first), mine[found.bundle], np.hstack(totals)

    with ThreadPoolExecutor(2) as pool:  # kernels release the lock; the results stand in the order of the classes
        parts = list(pool.map(search, used))
    code = np.concatenate([part[0] for part in parts])
    length = np.concatenate([part[1] for part in parts])
    bundle = np.concatenate([part[2] for part in parts])
    weights = np.concatenate([part[3] for part in parts])
    first = np.append(0, np.cumsum(length))
    kind = _kinds(graph, code, first)
    sets, project_set = _number(_project_sets(graph, code, first))
    found = Candidates(code, first, bundle, kind, project_set, sets, weights)
    found = take(found, np.flatnonzero(~comes_back(graph, code, first, origin=origin[bundle])))
    _check_all_carried(instance, bundles, found)
    return found


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
    chain = np.arange(candidates.bundle.size)
    keys = np.column_stack([candidates.bundle, candidates.kind, candidates.project_set])
    group = np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)
    turn = np.full(chain.size, np.iinfo(np.int64).max)
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


def _rank_within(group: np.ndarray, values: np.ndarray) -> np.ndarray:
    order = np.lexsort((np.arange(group.size), values, group))
    start = np.searchsorted(group[order], group[order])
    rank = np.empty(group.size, dtype=np.int64)
    rank[order] = np.arange(group.size) - start
    return rank


def _totals(graph: Graph, found: Found, links: np.ndarray, transfers: np.ndarray) -> np.ndarray:
    if not found.bundle.size:
        return np.zeros((0, links.shape[0]))
    arc = found.code >= 0
    per_step = np.empty((links.shape[0], found.code.size))
    per_step[:, arc] = links[:, graph.arc_link[found.code[arc]]]
    per_step[:, ~arc] = transfers[:, -1 - found.code[~arc]]
    return np.add.reduceat(per_step, found.first[:-1], axis=1).T


def _kinds(graph: Graph, code: np.ndarray, first: np.ndarray) -> np.ndarray:
    starts_leg = leg_starts(code, first)
    chain = np.repeat(np.arange(first.size - 1), np.diff(first))
    mode = graph.layer_mode[graph.arc_layer[code[starts_leg]]]
    owner = chain[starts_leg]
    place = np.arange(owner.size) - np.searchsorted(owner, owner)
    kind = np.zeros(first.size - 1, dtype=np.int64)
    np.add.at(kind, owner, (mode + 1) * 5**place)
    return kind


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


def comes_back(graph: Graph, code: np.ndarray, first: np.ndarray, *, origin: np.ndarray) -> np.ndarray:
    """Whether a chain is twice at one place on one side (road, rail of one gauge, sea, ferry); `origin` is its node."""
    arc = code >= 0
    chain = np.repeat(np.arange(first.size - 1), np.diff(first))
    node = np.empty(code.size, dtype=np.int64)
    node[arc] = graph.arc_to[code[arc]]
    node[~arc] = graph.transfer_node[-1 - code[~arc]]
    side = sides(graph, code, first)[1]
    n_layers = graph.layer_mode.size
    at = np.concatenate([node * n_layers + side, origin * n_layers + ROAD])
    owner = np.concatenate([chain, np.arange(origin.size)])
    n_states = graph.nodes.size * n_layers
    visits, times = np.unique(owner * n_states + at, return_counts=True)
    again = np.zeros(origin.size, dtype=bool)
    again[visits[times > 1] // n_states] = True
    return again


def step_projects(graph: Graph, code: np.ndarray) -> np.ndarray:
    """Project every step needs, -1 for none."""
    arc = code >= 0
    project = np.empty(code.size, dtype=np.int64)
    project[arc] = graph.link_project[graph.arc_link[code[arc]]]
    project[~arc] = graph.transfer_project[-1 - code[~arc]]
    return project


def _project_sets(graph: Graph, code: np.ndarray, first: np.ndarray) -> list[tuple[int, ...]]:
    project = step_projects(graph, code)
    chain = np.repeat(np.arange(first.size - 1), np.diff(first))
    needs = project >= 0
    n = max(graph.projects.size, 1)
    pairs = np.unique(chain[needs] * n + project[needs])
    sets: list[tuple[int, ...]] = [()] * (first.size - 1)
    for pair in pairs.tolist():
        c, p = divmod(pair, n)
        sets[c] = (*sets[c], p)
    return sets


def _number(sets: Sequence[tuple[int, ...]]) -> tuple[tuple[tuple[int, ...], ...], np.ndarray]:
    index: dict[tuple[int, ...], int] = {}
    numbers = np.array([index.setdefault(one, len(index)) for one in sets], dtype=np.int64)
    return tuple(index), numbers


def _check_all_carried(instance: Instance, bundles: pd.DataFrame, found: Candidates) -> None:
    some, today = np.zeros(len(bundles), dtype=bool), np.zeros(len(bundles), dtype=bool)
    some[found.bundle] = True
    needs_none = np.array([not one for one in found.project_sets], dtype=bool)
    today[found.bundle[needs_none[found.project_set]]] = True
    lost = np.flatnonzero(~today)
    problems = []
    for b in lost[:SHOWN]:
        row = bundles.iloc[int(b)]
        what = "can be carried only if a project is built" if some[b] else "cannot be carried by any chain"
        hint = "add links or transfers that exist today, modes of the commodity, vehicle_loads or handling_costs rows"
        where = f"{instance.od_path.name}, {row['origin']} -> {row['destination']}, {row['commodity']}"
        problems.append(Problem(where, what, hint))
    if lost.size > SHOWN:
        problems.append(Problem(instance.od_path.name, f"{lost.size - SHOWN} more flows cannot be carried today"))
    if problems:
        raise InstanceError(problems)
