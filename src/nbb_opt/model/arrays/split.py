"""The stated model cut in two: what is as large as the demand (chains, trucks on lanes), and everything else.

The blocks state a model with columns for segments of chains (see segments.py) and for resources of trucks on lanes (see
hauls.py); no chain and no truck on a lane ever has a column. All other columns, and all rows, are the master: fleet,
chargers, projects, empty trips, capacities, policies. Nothing is stated twice: the parts are slices of the arrays that
the blocks made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array

from nbb_opt.errors import ModelError
from nbb_opt.model.arrays.keys import LazyLabels
from nbb_opt.model.build import Built, standard_form
from nbb_opt.model.data.periods import Floats, Ints, entries, sum_by
from nbb_opt.model.form import StandardForm

if TYPE_CHECKING:
    from nbb_opt.model.data.hauls import Hauls
    from nbb_opt.model.data.segments import ChainSegments

SEGMENT, RESOURCE = "carried_t", "driven_vkm"


@dataclass(frozen=True)
class SparseColumns:
    """Columns of one kind by master row (CSC): row numbers rise within a column; `cost` in EUR per unit."""

    cost: Floats
    indptr: npt.NDArray[np.int64]
    row: npt.NDArray[np.int32]
    value: Floats


@dataclass(frozen=True, kw_only=True)
class Split:
    """A model of `master` columns and rows, `segments` (tonnes through them) and `resources` (of driving loaded vkm).

    `chains` says which segments each chain uses, `hauls` which resources a truck on a lane takes; of the segments those
    below the number of lanes are lanes. `project_column` (projects, periods) is the master column of a project, -1
    where there is none. A bundle goes from `origin` to `destination`, rows of `place` (degrees north, degrees east).
    `unit`: usual tonnes and vkm. `columns` is the number of columns stated; `master_at`, `segment_at`, `resource_at`
    say where each kind is among them.
    """

    master: StandardForm
    columns: int
    master_at: Ints
    segment_at: slice
    resource_at: slice
    segments: SparseColumns
    resources: SparseColumns
    chains: ChainSegments
    hauls: Hauls
    project_column: Ints
    origin: Ints
    destination: Ints
    place: Floats
    unit: tuple[float, float]

    @property
    def periods(self) -> int:
        """How many periods."""
        return int(self.chains.demand_t.shape[1])

    @property
    def nonzeros(self) -> int:
        """Entries in memory of all columns."""
        return len(self.master.a_values) + len(self.segments.value) + len(self.resources.value)

    def cost_at(self, values: Floats) -> float:
        """Cost in EUR of values of all columns stated."""
        parts = ((self.master_at, self.master), (self.segment_at, self.segments), (self.resource_at, self.resources))
        return float(sum(part.cost @ values[at] for at, part in parts)) + self.master.cost_offset

    def columns_of(self, hauls: Ints) -> SparseColumns:
        """The columns of some hauls, as the model without resources states them."""
        made, e = self.hauls.resources(hauls), self.resources
        own = csc_array((e.value, e.row, e.indptr), shape=(len(self.master.row_low), len(e.cost)))
        use = (own @ made).tocsc()
        use.sort_indices()
        return SparseColumns(
            np.asarray(made.T @ e.cost), use.indptr.astype(np.int64), use.indices.astype(np.int32), use.data
        )


def split(built: Built) -> Split:
    """Cut a model that was stated with `route="segments"`. Raises ModelError for one stated otherwise."""
    a, data = built.assembly, built.data
    if data.chains is None or data.hauls is None:
        raise ModelError(
            f"model '{built.spec.name}' has a column per chain; state it with route=\"segments\" to cut it"
        )
    form, chains, size, p = standard_form(built), data.chains, data.time.size, data.projects
    segment_at = slice(a.start[SEGMENT], a.start[SEGMENT] + len(data.flows.t))
    resource_at = slice(a.start[RESOURCE], a.start[RESOURCE] + len(data.driving.t))
    rest = np.ones(a.size, bool)
    rest[segment_at] = rest[resource_at] = False
    master_at = np.flatnonzero(rest)
    matrix = csc_array((form.a_values, form.a_indices, form.a_indptr), shape=(a.row_count, a.size))

    def part(at: slice) -> SparseColumns:
        start = matrix.indptr[at.start : at.stop + 1].astype(np.int64)
        here = slice(start[0], start[-1])
        return SparseColumns(form.cost[at], start - start[0], matrix.indices[here], matrix.data[here])

    entry, count = entries(matrix.indptr, master_at)
    indptr = np.concatenate([np.zeros(1, np.int32), np.cumsum(count, dtype=np.int32)])
    master = StandardForm(
        cost=form.cost[master_at], cost_offset=form.cost_offset, a_indptr=indptr, a_indices=matrix.indices[entry],
        a_values=matrix.data[entry], row_low=form.row_low, row_up=form.row_up, col_low=form.col_low[master_at],
        col_up=form.col_up[master_at], integer=form.integer[master_at], col_names=_some(form.col_names, master_at),
        row_names=form.row_names, col_unit_scale=form.col_unit_scale[master_at], fix_order=form.fix_order[master_at],
    )  # fmt: skip
    built_at = np.full((len(p.names), size), -1, np.int64)
    built_at[p.project, p.t] = np.searchsorted(master_at, a.start.get("built", 0) + np.arange(len(p.project)))
    nodes, ends = data.instance["nodes"], data.prepared.bundles
    of = data.prepared.rows.bundle if len(chains.demand_t) != len(ends) else slice(None)
    return Split(
        master=master, columns=a.size, master_at=master_at, segment_at=segment_at, resource_at=resource_at,
        segments=part(segment_at), resources=part(resource_at), chains=chains, hauls=data.hauls,
        project_column=built_at, origin=data.base.nodes.of(ends["origin"])[of],
        destination=data.base.nodes.of(ends["destination"])[of],
        place=nodes[["lat", "lon"]].to_numpy(float), unit=(a.kinds[SEGMENT].typical, a.kinds[RESOURCE].typical),
    )  # fmt: skip


def _some(names: Sequence[str], at: Ints) -> LazyLabels:
    return LazyLabels(lambda: [names[k] for k in at.tolist()], len(at))


@dataclass(frozen=True)
class Expanded:
    """Columns of whole chains, as the model without segments states them: chain and period, cost, use of the master's
    rows, and per tonne `work_tkm` on `work_lane`, lane times periods plus period (CSR over columns: `work_start`).
    """

    chain: Ints
    t: Ints
    columns: SparseColumns
    work_start: Ints
    work_lane: Ints
    work_tkm: Floats


def expand(split: Split, chains: Ints) -> Expanded:
    """The columns of some chains (numbers that rise), in every period in which they may carry something."""
    c, rows, lanes, size = split.chains, len(split.master.row_low), len(split.hauls.distance_km), split.periods
    entry, count = entries(c.start, chains)
    segment, by = c.segment[entry], np.repeat(np.arange(len(chains)), count)
    bundle = c.bundle_of(chains)
    waiting = sum_by(by, c.hours[segment], size=len(chains)) * c.hour_eur[bundle]
    exists = (c.demand_t[bundle] > 0) & c.ready[c.project_set[chains]]
    np.logical_and.at(exists, by, c.at[segment] >= 0)
    chain, t = np.nonzero(exists)
    column = np.full(exists.shape, -1, np.int64)
    column[chain, t] = np.arange(len(chain))
    flow, at, times, work = [], [], [], []
    for s in range(size):
        here = column[by, s]
        keep = here >= 0
        flow.append(here[keep])
        at.append(c.at[segment[keep], s].astype(np.int64))
        times.append(np.ones(int(keep.sum())))
        driven = keep & (segment < lanes)
        work.append((segment[driven] * size + s, here[driven], split.hauls.distance_km[segment[driven]]))
    mine, every = bundle[chain], np.arange(len(chain))
    constant = c.constant_eur[bundle, c.main_mode[chains]]
    extra: list[tuple[npt.NDArray[np.int32], Floats]] = [
        (c.waiting_at[t], waiting[chain]), (c.choosing_at[t], constant[chain])
    ]  # fmt: skip
    if len(c.now_at):
        of = c.class_of(chains[chain])
        extra += [(c.now_at[of, t], c.now[mine, t]), (c.then_at[of, t], c.grows[mine, t])]
    for position, number in extra:
        keep = (position >= 0) & (number != 0)
        flow.append(every[keep])
        at.append(position[keep].astype(np.int64))
        times.append(number[keep])
    made = csc_array(
        (np.concatenate(times), (np.concatenate(at), np.concatenate(flow))),
        shape=(len(split.segments.cost), len(chain)),
    )
    p = split.segments
    use = (csc_array((p.value, p.row, p.indptr), shape=(rows, len(p.cost))) @ made).tocsc()
    use.sort_indices()
    lane, driven_by, tkm = (np.concatenate([one[k] for one in work]) for k in range(3))
    done = csc_array((tkm, (lane, driven_by)), shape=(lanes * size, len(chain)))
    done.sort_indices()
    return Expanded(
        chains[chain], t,
        SparseColumns(np.asarray(made.T @ p.cost), use.indptr.astype(np.int64), use.indices.astype(np.int32), use.data),
        done.indptr.astype(np.int64), done.indices.astype(np.int64), done.data,
    )  # fmt: skip
