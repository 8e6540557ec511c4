"""Candidate chains as numbers, and what is read off them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nbb_opt.instance import Instance
from nbb_opt.instance.schema import MODES
from nbb_opt.network.graph import ROAD, Graph
from nbb_opt.network.kernels import look_at_steps


@dataclass(frozen=True, kw_only=True)
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


def take(candidates: Candidates, chains: np.ndarray) -> Candidates:
    """The given chains only, in the given order."""
    length = np.diff(candidates.first)[chains]
    first = np.append(0, np.cumsum(length))
    steps = np.arange(first[-1]) - np.repeat(first[:-1] - candidates.first[:-1][chains], length)
    return Candidates(
        code=candidates.code[steps], first=first, bundle=candidates.bundle[chains], kind=candidates.kind[chains],
        project_set=candidates.project_set[chains], project_sets=candidates.project_sets,
        weights=candidates.weights[chains],
    )  # fmt: skip


def keep_best(candidates: Candidates, *, alternatives: int, n_periods: int, states: Sequence[np.ndarray]) -> np.ndarray:
    """Numbers of the chains kept, sorted by bundle: the `alternatives` best of every bundle, kind and set of projects,
    and the cheapest and the cleanest of every period and the quickest of every bundle in every state of the projects.

    The best are taken in turn by mean cost, mean emissions, cost of the last and of the first period, and time; then
    the second best of each, and so on. `states` are those of runs.project_states.
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
    best = _best_in_states(candidates, w[:, : 2 * n_periods + 1], states)
    kept = np.union1d(np.flatnonzero(_rank_within(group, turn) < alternatives), best)
    return kept[np.argsort(candidates.bundle[kept], kind="stable")]


def _best_in_states(candidates: Candidates, weights: np.ndarray, states: Sequence[np.ndarray]) -> np.ndarray:
    """Numbers of the chains that are least in some column of `weights` (chains, columns) in some state."""
    bundle = np.unique(candidates.bundle, return_inverse=True)[1]
    least_today = np.full((bundle.max(initial=-1) + 1, weights.shape[1]), np.inf)
    found = [np.empty(0, dtype=np.int64)]
    for state, built in enumerate(states):
        possible = np.array([built[list(one)].all() and (not one) == (state == 0) for one in candidates.project_sets])
        mine = np.flatnonzero(possible[candidates.project_set])
        owner = bundle[mine]
        for column, values in enumerate(weights[mine].T):
            order = np.lexsort((mine, values, owner))
            first = order[np.append(True, np.diff(owner[order]) > 0)[: order.size]]
            first = first[values[first] < least_today[owner[first], column]]
            if state == 0:
                least_today[owner[first], column] = values[first]
            found.append(mine[first])
    return np.unique(np.concatenate(found))


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


def number_legs(graph: Graph, found: Candidates, cargo_type: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number of the leg that every step starts (else -1), and the step where every leg first starts and its links.

    Legs are numbered as they first occur; `cargo_type` (chains,): only chains of equal cargo type share legs.
    """
    n_legs = int(leg_starts(found.code, found.first).sum())
    table = np.full(1 << max(4, (2 * n_legs).bit_length()), -1, dtype=np.int64)
    number = np.empty(found.code.size, dtype=np.int32)
    start, size = np.empty(n_legs, dtype=np.int64), np.empty(n_legs, dtype=np.int64)
    n = look_at_steps.number_legs(found.code, found.first, cargo_type, table, number, start, size)
    return number, start[:n], size[:n]


def main_mode(instance: Instance, graph: Graph, found: Candidates) -> np.ndarray:
    """Mode with most km (to the millimetre) of every chain, as in schema.MODES; of equals the first."""
    arc = found.code >= 0
    link = graph.arc_link[found.code[arc]]
    km = instance["links"]["distance_km"].to_numpy()[link]
    at = found.chain[arc] * len(MODES) + graph.link_mode[link]
    n = found.bundle.size
    sums = np.bincount(at, weights=km, minlength=n * len(MODES)).reshape(n, len(MODES))
    return sums.round(6).argmax(axis=1)  # sums that differ by rounding only are equal


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
