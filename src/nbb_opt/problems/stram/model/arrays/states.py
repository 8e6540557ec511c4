"""The tree of states: a year before the scenario is known, or a year in a scenario."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nbb_opt.model.arrays.keys import Keys
from nbb_opt.model.arrays.terms import Terms
from nbb_opt.model.data.periods import Floats, Ints, Names
from nbb_opt.problems.stram import StramCase
from nbb_opt.problems.stram.model.spec import StramSpec


@dataclass(frozen=True, kw_only=True)
class States:
    """All states in order, the shared ones first.

    `scenario` counts from 1 in `names`; 0 is the blank name of a state that all scenarios share. `previous` is -1 for
    the first year. `first` tells which states belong to stage 1. `probability` has one entry per scenario that is told
    apart; it is empty in a deterministic model.
    """

    year: Ints
    scenario: Ints
    previous: Ints
    first: npt.NDArray[np.bool_]
    period: Ints
    yearly_factor: Floats
    investment_factor: Floats
    cap_share: Floats
    names: Names
    probability: Floats

    @property
    def size(self) -> int:
        """How many states."""
        return len(self.year)

    def way(self, state: int) -> list[int]:
        """The state and all before it, latest first."""
        found = [state]
        while self.previous[found[-1]] >= 0:
            found.append(int(self.previous[found[-1]]))
        return found

    def keys(self, states: Ints, *parts: npt.NDArray | tuple[Names, npt.NDArray[np.integer]]) -> Keys:
        """Keys (scenario, year, ...) of rows or columns at the given states."""
        return Keys((self.names, self.scenario[states]), self.year[states], *parts)


def states_of(case: StramCase, spec: StramSpec) -> States:
    """The tree for `spec`: one branch per scenario from the first year of stage 2 on."""
    periods = case["periods"]
    if spec.years == "first":
        periods = periods.iloc[:1]
    scenarios = case["scenarios"] if spec.scenarios == "all" else case["scenarios"].iloc[:0]
    branches = max(len(scenarios), 1)
    rows: list[tuple[int, int, int]] = []  # period, scenario, previous
    last = [-1] * branches
    for t, stage in enumerate(periods["stage"].tolist()):
        if stage == 1 or not len(scenarios):
            rows.append((t, 0, last[0]))
            last = [len(rows) - 1] * branches
        else:
            for s in range(branches):
                rows.append((t, s + 1, last[s]))
                last[s] = len(rows) - 1
    period, scenario, previous = (np.array([row[k] for row in rows], np.int64) for k in range(3))

    def of(column: str) -> npt.NDArray:
        return periods[column].to_numpy()[period]

    return States(
        year=of("year").astype(np.int64), scenario=scenario, previous=previous, first=of("stage") == 1, period=period,
        yearly_factor=of("yearly_factor").astype(float), investment_factor=of("investment_factor").astype(float),
        cap_share=of("emission_cap_share").astype(float), names=Names(["", *scenarios["scenario"].tolist()]),
        probability=scenarios["probability"].to_numpy(float),
    )  # fmt: skip


def repeat(
    terms: Terms, states: int, *, row: Ints, rows: int, column: Ints, columns: int, start: int, value: Floats | float
) -> Terms:
    """Add the pattern (row, column, value) of one state in all states.

    State n has rows `n * rows ...` and columns `start + n * columns ...`. `value` is one number, one per term, or one
    row of numbers per state.
    """
    n = np.arange(states)[:, None]
    shape = (states, len(row))
    return terms.add(
        np.broadcast_to(row + n * rows, shape).ravel(), np.broadcast_to(start + column + n * columns, shape).ravel(),
        np.broadcast_to(np.asarray(value, float), shape).ravel(),
    )  # fmt: skip


def grid(*sizes: int) -> list[Ints]:
    """All positions of an array of that shape, as one flat index per dimension.

    >>> [part.tolist() for part in grid(2, 2)]
    [[0, 0, 1, 1], [0, 1, 0, 1]]
    """
    return [part.ravel() for part in np.indices(sizes)]
