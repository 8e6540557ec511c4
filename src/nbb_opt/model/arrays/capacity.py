"""Rows of the kind: tonnes through something stay within its capacity and what projects add to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from nbb_opt.model.arrays.assembly import Assembly
from nbb_opt.model.arrays.keys import Keys
from nbb_opt.model.arrays.share import added_by_projects
from nbb_opt.model.arrays.terms import Terms
from nbb_opt.model.data.model_data import ModelData
from nbb_opt.model.data.periods import Floats, Ints, Names


class Started(Protocol):
    """Knows where each kind of column begins."""

    @property
    def start(self) -> Mapping[str, int]: ...


def add_capacity_rows(
    a: Assembly,
    data: ModelData,
    name: str,
    *,
    uses: tuple[Ints, Ints, Floats],
    capacity_t: Floats,
    limited: np.ndarray,
    names: Names,
    table: str,
) -> None:
    """One row per limited thing and period in which some chain may use it."""
    flows, time = data.flows, data.time
    used_by, what, times = uses
    keep = limited[what]
    used_by, what, times = used_by[keep], what[keep], times[keep]
    code, row = np.unique(what * time.size + flows.t[used_by], return_inverse=True)
    thing, t = code // time.size, code % time.size
    terms = Terms(len(code)).add(row, a.start["carried_t"] + used_by, times)
    place = {(int(i), int(s)): r for r, (i, s) in enumerate(zip(thing, t, strict=True))}
    built = columns_of_built(a, data)
    for i, s, column, amount in added_by_projects(data, built, table):
        if (i, s) in place:
            terms.add(np.array([place[i, s]]), np.array([column]), -amount)
    a.add_rows(name, Keys((names, thing), time.years[t]), terms, sense="<=", side=capacity_t[thing])


def columns_of_built(a: Started, data: ModelData) -> Ints:
    """Positions of the columns of `built`; there are none in a model without projects."""
    return a.start.get("built", 0) + np.arange(len(data.projects.project))
