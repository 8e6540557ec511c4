"""Cooperative games with transferable utility: Shapley value, core, least core, nucleolus.

A game of n players is an array of 2**n values, one for each coalition, in the order of its bits: coalition S is the
sum of 2**i over its players i, and the empty one is worth nothing. Written from G. Owen, Game Theory (1995), chapters
X to XIII; the nucleolus by the linear programs of Maschler, Peleg and Shapley (1979).
"""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog

from nbb_opt.errors import SolveError

Floats = npt.NDArray[np.float64]
TIGHT = 1e-9  # of the largest value: a dual price or an excess below this is none


class LeastCore(NamedTuple):
    """Least `epsilon` and an allocation that gives every coalition at least its value less epsilon.

    The core is empty where epsilon is above 0; where it is below, every coalition gains so much by staying.
    """

    epsilon: float
    allocation: Floats


def members(players: int) -> npt.NDArray[np.bool_]:
    """Who is in each coalition: shape (2**players, players).

    >>> members(2).tolist()
    [[False, False], [True, False], [False, True], [True, True]]
    """
    return (np.arange(2**players)[:, None] >> np.arange(players) & 1).astype(bool)


def shapley_weights(players: int) -> Floats:
    """The Shapley value is this matrix, shape (players, 2**players), times the values of the coalitions.

    Row i holds (s-1)! (n-s)! / n! for coalitions of s players with i, and -s! (n-s-1)! / n! for those without.
    """
    inside = members(players).T
    size = inside.sum(axis=0)
    joining = np.array([1.0 / (players * comb(players - 1, int(s) - 1)) if s else 0.0 for s in size])
    leaving = np.array([1.0 / (players * comb(players - 1, int(s))) if s < players else 0.0 for s in size])
    return np.where(inside, joining, -leaving)


def shapley(value: Floats) -> Floats:
    """What each player adds on average over all orders in which they may come together.

    >>> shapley(np.array([0.0, 0, 0, 6, 0, 6, 0, 6])).tolist()  # a glove market: player 0 has the only left glove
    [4.0, 1.0, 1.0]
    """
    return np.asarray(shapley_weights(_players(value)) @ value)


def excess(value: Floats, allocation: Floats) -> Floats:
    """By how much each coalition gets less than its value."""
    return np.asarray(value - members(_players(value)) @ allocation)


def least_core(value: Floats) -> LeastCore:
    """The least core. Raises SolveError where the linear program has no answer.

    >>> least_core(np.array([0.0, 0, 0, 6, 0, 6, 0, 6]))
    LeastCore(epsilon=0.0, allocation=array([6., 0., 0.]))
    """
    free = _proper(_players(value))
    found = _least_excess(value, free, np.array([], np.int64), np.array([]))
    return LeastCore(float(found.epsilon) + 0.0, found.allocation)


def nucleolus(value: Floats) -> Floats:
    """The allocation whose greatest excess is least, then the next greatest, and so on: there is exactly one.

    In each round the greatest excess of the coalitions still free is made least; those with a dual price have that
    excess in every optimal allocation and are held there, until one allocation is left.

    Single players count as coalitions, so that in a superadditive game nobody gets less than alone.

    >>> (nucleolus(np.array([0.0, 0, 0, 6, 0, 6, 0, 6])).round(9) + 0.0).tolist()
    [6.0, 0.0, 0.0]
    """
    n = _players(value)
    free, held, at = _proper(n), np.array([], np.int64), np.array([])
    rows = members(n).astype(float)
    rank = 1  # all players together
    while rank < n:
        found = _least_excess(value, free, held, at)
        tight = free[found.priced]
        held = np.concatenate([held, tight])
        at = np.concatenate([at, np.full(len(tight), found.epsilon)])
        rank = np.linalg.matrix_rank(np.vstack([np.ones(n), rows[held]]))
        # what is a combination of those held can move no more
        free = np.array(
            [s for s in free if np.linalg.matrix_rank(np.vstack([np.ones(n), rows[held], rows[s]])) > rank], np.int64
        )
    rows, sides = np.vstack([np.ones(n), rows[held]]), np.concatenate([value[-1:], value[held] - at])
    return np.asarray(np.linalg.lstsq(rows, sides, rcond=None)[0])


def disjoint_pairs(players: int) -> list[tuple[int, int]]:
    """Pairs of coalitions that share nobody: a game is superadditive if none of them loses by joining.

    >>> disjoint_pairs(2)
    [(1, 2)]
    """
    return [(s, t) for s, t in combinations(range(1, 2**players), 2) if not s & t]


class _Round(NamedTuple):
    epsilon: float
    allocation: Floats
    priced: npt.NDArray[np.bool_]


def _least_excess(value: Floats, free: npt.NDArray[np.int64], held: npt.NDArray[np.int64], at: Floats) -> _Round:
    """Make the greatest excess of `free` least, that of `held` as it is, all shared out; which rows have a price."""
    n, scale = _players(value), float(np.abs(value).max()) or 1.0
    rows = members(n).astype(float)
    answer = linprog(
        np.append(np.zeros(n), 1.0), bounds=(None, None), method="highs",
        A_ub=np.column_stack([-rows[free], -np.ones(len(free))]), b_ub=-value[free] / scale,
        A_eq=np.column_stack([np.vstack([rows[-1], rows[held]]), np.zeros(1 + len(held))]),
        b_eq=np.append(value[-1], value[held] - at) / scale,
    )  # fmt: skip
    if answer.status != 0 or answer.x is None:
        raise SolveError(f"a linear program of the least core ended without an answer: {answer.message}")
    return _Round(scale * answer.x[-1], scale * answer.x[:-1] + 0.0, -answer.ineqlin.marginals > TIGHT)


def _proper(players: int) -> npt.NDArray[np.int64]:
    return np.arange(1, 2**players - 1)


def _players(value: Floats) -> int:
    return len(value).bit_length() - 1
