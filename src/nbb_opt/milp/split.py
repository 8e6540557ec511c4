"""The stated model cut in two: what is as large as the demand (chains, trucks on lanes), and everything else.

The blocks state a model with columns for pieces of chains (see pieces.py); no chain ever has a column. The rows
`cover_work` tie pieces to their lanes; all other rows and columns are the master: fleet, chargers, projects, empty
trips, capacities, policies. Nothing is stated twice: the parts are slices of the arrays that the blocks made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array

from nbb_opt.errors import ModelError
from nbb_opt.milp.array_assembly import ArrayAssembly
from nbb_opt.milp.build import Built
from nbb_opt.milp.compile import standard_form
from nbb_opt.milp.form import StandardForm
from nbb_opt.milp.keys import Labels
from nbb_opt.milp.periods import Floats, Ints
from nbb_opt.milp.pieces import Chains

WORK = "cover_work"
PIECE, DRIVE = "carried_t", "driven_vkm"


@dataclass(frozen=True)
class Columns:
    """Columns of one kind by master row (CSC): row numbers rise within a column; `cost` in EUR per unit."""

    cost: Floats
    indptr: npt.NDArray[np.int64]
    row: npt.NDArray[np.int32]
    value: Floats


@dataclass(frozen=True)
class Split:
    """A model of `master` columns and rows, `pieces` (tonnes through them), `drives` (loaded vkm of a truck on a lane).

    `chains` says which pieces each chain uses. Per tonne, piece p does `work_tkm[p]` on lane-period `work_lane[p]`
    (-1: none); drive d does `drive_load_t` tkm per vkm on lane-period `drive_lane[d]`. `project_column` (projects,
    periods) is the master column of a project, -1 where there is none. A bundle goes from `origin` to `destination`,
    rows of `place` (degrees north, degrees east). `unit`: usual tonnes and vkm.
    `columns` is the number of columns stated; `master_at`, `piece_at`, `drive_at` say where each kind is among them.
    """

    master: StandardForm
    columns: int
    master_at: Ints
    piece_at: Ints
    drive_at: Ints
    pieces: Columns
    drives: Columns
    chains: Chains
    work_lane: Ints
    work_tkm: Floats
    piece_period: Ints
    drive_lane: Ints
    drive_load_t: Floats
    drive_period: Ints
    project_column: Ints
    origin: Ints
    destination: Ints
    place: Floats
    unit: tuple[float, float]


def split(built: Built) -> Split:
    """Cut a model that was stated with `route="pieces"`. Raises ModelError for one stated otherwise."""
    a, data = built.assembly, built.data
    if not isinstance(a, ArrayAssembly) or data.chains is None:
        raise ModelError(f"model '{built.spec.name}' has a column per chain; state it with route=\"pieces\" to cut it")
    form, flows, drives, chains = standard_form(built), data.flows, data.driving, data.chains
    work = np.repeat([name == WORK for name, _, _ in a.rows], [len(kept) for _, _, kept in a.rows])
    piece_at = a.start[PIECE] + np.arange(len(flows.t))
    drive_at = a.start[DRIVE] + np.arange(len(drives.t))
    rest = np.ones(a.size, bool)
    rest[piece_at] = rest[drive_at] = False
    master_at = np.flatnonzero(rest)
    matrix = csc_array((form.a_values, form.a_indices, form.a_indptr), shape=(a.row_count, a.size))
    number = np.cumsum(~work) - 1

    def part(at: Ints) -> Columns:
        piece = matrix[:, at] if len(at) else csc_array((a.row_count, 0))
        keep = ~work[piece.indices]
        start = np.concatenate([np.zeros(1, np.int64), np.cumsum(keep)])[piece.indptr]
        return Columns(form.cost[at], start, number[piece.indices[keep]].astype(np.int32), piece.data[keep])

    own = part(master_at)
    master = StandardForm(
        own.cost, form.cost_offset, own.indptr.astype(np.int32), own.row, own.value, form.row_low[~work],
        form.row_up[~work], form.col_low[master_at], form.col_up[master_at], form.integer[master_at],
        _some(form.col_names, master_at), _some(form.row_names, np.flatnonzero(~work)),
        form.col_unit_scale[master_at], form.fix_order[master_at],
    )  # fmt: skip
    col, lane, times = flows.uses_lane
    size, p = data.time.size, data.projects
    _, numbered = np.unique(np.concatenate([lane * size + flows.t[col], drives.lane * size + drives.t]),
                                return_inverse=True)  # fmt: skip
    work_lane, work_tkm = np.full(len(flows.t), -1, np.int64), np.zeros(len(flows.t))
    work_lane[col], work_tkm[col] = numbered[: len(col)], times * data.lanes.distance_km[lane]
    built_at = np.full((len(p.names), size), -1, np.int64)
    built_at[p.project, p.t] = np.searchsorted(master_at, a.start.get("built", 0) + np.arange(len(p.project)))
    nodes, ends = data.instance["nodes"], data.prepared.bundles
    of = data.prepared.rows.bundle if len(chains.demand_t) != len(ends) else np.arange(len(ends))
    return Split(
        master, a.size, master_at, piece_at, drive_at, part(piece_at), part(drive_at), chains, work_lane, work_tkm,
        flows.t, numbered[len(col) :], drives.load_t, drives.t, built_at, data.world.nodes.of(ends["origin"])[of],
        data.world.nodes.of(ends["destination"])[of], nodes[["lat", "lon"]].to_numpy(float),
        (a.kinds[PIECE].typical, a.kinds[DRIVE].typical),
    )  # fmt: skip


def _some(names: Sequence[str], at: Ints) -> Labels:
    return Labels(lambda: [names[k] for k in at.tolist()], len(at))


@dataclass(frozen=True)
class Expanded:
    """Columns of whole chains, as the model without pieces states them: chain and period, cost, use of the master's
    rows, and per tonne `work_tkm` on lane-periods (CSR over columns: `work_start`, `work_lane`).
    """

    chain: Ints
    t: Ints
    columns: Columns
    work_start: Ints
    work_lane: Ints
    work_tkm: Floats


def expand(split: Split, chains: Ints) -> Expanded:
    """The columns of some chains (numbers that rise), in every period in which they may carry something."""
    c, rows = split.chains, len(split.master.row_low)
    size = c.demand_t.shape[1]
    count = np.diff(c.start)[chains]
    begins = np.concatenate([np.zeros(1, np.int64), np.cumsum(count)])
    piece = c.piece[np.repeat(c.start[chains] - begins[:-1], count) + np.arange(begins[-1])]
    by = np.repeat(np.arange(len(chains)), count)
    bundle = c.bundle[chains]
    exists = (c.demand_t[bundle] > 0) & c.ready[c.project_set[chains]]
    missing = c.at[piece] < 0
    np.logical_and.at(exists, by, ~missing)
    chain, t = np.nonzero(exists)
    column = np.full(exists.shape, -1, np.int64)
    column[chain, t] = np.arange(len(chain))
    flow, at, times = [], [], []
    for s in range(size):
        here = column[by, s]
        keep = here >= 0
        flow.append(here[keep])
        at.append(c.at[piece[keep], s].astype(np.int64))
        times.append(np.ones(int(keep.sum())))
    mine, every = bundle[chain], np.arange(len(chain))
    extra = [(np.broadcast_to(c.waiting_at[t], t.shape), c.waiting_eur[chains[chain]])]
    if len(c.now_at):
        of = c.mode_class[chains[chain]]
        extra += [(c.now_at[of, t], c.now[mine, t]), (c.then_at[of, t], c.grows[mine, t])]
    for position, number in extra:
        keep = (position >= 0) & (number != 0)
        flow.append(every[keep])
        at.append(position[keep].astype(np.int64))
        times.append(number[keep])
    made = csc_array(
        (np.concatenate(times), (np.concatenate(at), np.concatenate(flow))), shape=(len(split.pieces.cost), len(chain))
    )
    p = split.pieces
    use = (csc_array((p.value, p.row, p.indptr), shape=(rows, len(p.cost))) @ made).tocsc()
    use.sort_indices()
    lanes = int(max(split.work_lane.max(initial=-1), split.drive_lane.max(initial=-1))) + 1
    on = np.flatnonzero(split.work_lane >= 0)
    done = csc_array((split.work_tkm[on], (split.work_lane[on], on)), shape=(lanes, len(p.cost)))
    work = (done @ made).tocsc()
    work.sort_indices()
    return Expanded(
        chains[chain], t,
        Columns(np.asarray(made.T @ p.cost), use.indptr.astype(np.int64), use.indices.astype(np.int32), use.data),
        work.indptr.astype(np.int64), work.indices.astype(np.int64), work.data,
    )  # fmt: skip
