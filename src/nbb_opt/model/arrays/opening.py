"""Places that are not always open: enough trucks to do the work for them in their hours."""

from __future__ import annotations

import numpy as np

from nbb_opt.model.arrays.assembly import Assembly
from nbb_opt.model.arrays.keys import Keys
from nbb_opt.model.arrays.terms import Terms
from nbb_opt.model.data.haulage import WEEKS_PER_YEAR
from nbb_opt.model.data.model_data import ModelData
from nbb_opt.model.data.periods import Ints


def fit_opening_hours(a: Assembly, data: ModelData, *, bought: Ints, kept: Ints) -> None:
    r"""State the rows of `fit_opening_hours` (see `add_fleet`): a row per region, truck, opening hours and period.

    $W_g$ is the shorter of the weekly opening hours at both ends of the lane. Hours that allow a truck's `annual_h` are
    no limit: such a row would repeat `cover_hours`.
    """
    s, d, trucks, time = data.stock, data.driving, data.trucks, data.time
    open_h, vehicles = d.open_h_per_week, len(trucks.names)
    pair = np.searchsorted(s.region * vehicles + s.vehicle, d.region * vehicles + d.vehicle)
    index: list[Keys] = []
    pieces: list[Terms] = []
    for hours in np.unique(open_h[np.isfinite(open_h)]).tolist():
        mine = np.flatnonzero((open_h <= hours) & (WEEKS_PER_YEAR * hours < trucks.annual_h[d.vehicle]))
        code, row = np.unique(pair[mine] * time.size + d.t[mine], return_inverse=True)
        terms = Terms(len(code)).add(row, a.start["driven_vkm"] + mine, d.hours_per_vkm[mine])
        place = np.full(len(s.region) * time.size, -1, np.int64)
        place[code] = np.arange(len(code))
        for of_pair, t, column in ((s.bought_pair, s.bought_t, bought), (s.kept_pair, s.kept_t, kept)):
            at = place[of_pair * time.size + t]
            terms.add(at[at >= 0], column[at >= 0], -WEEKS_PER_YEAR * hours)
        of = code // time.size
        keys = Keys(
            (data.world.regions, s.region[of]), (trucks.names, s.vehicle[of]), np.full(len(of), hours),
            time.years[code % time.size],
        )  # fmt: skip
        index.append(keys)
        pieces.append(terms)
    rows = Terms(sum(part.rows for part in pieces))
    start = 0
    for part in pieces:
        row, column, value = part.merged()
        rows.add(start + row, column, value)
        start += part.rows
    a.add_rows("fit_opening_hours", [key for keys in index for key in keys], rows, sense="<=")
