"""The stated model cut in two: what is as large as the demand (flows, trucks on lanes), and everything else.

The rows `serve_demand`, `cover_work` and `use_only_built` tie each flow to its own lanes and projects; all other rows
and columns are the master: fleet, chargers, projects, empty trips, capacities, policies. Nothing is stated twice: both
parts are slices of the arrays that the blocks made.
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

OD_ROWS = ("serve_demand", "use_only_built", "cover_work")
FLOW, DRIVE = "carried_t", "driven_vkm"


@dataclass(frozen=True)
class Columns:
    """Columns of one kind by master row (CSC): row numbers rise within a column; `cost` in EUR per unit."""

    cost: Floats
    indptr: npt.NDArray[np.int64]
    row: npt.NDArray[np.int32]
    value: Floats


@dataclass(frozen=True)
class Split:
    """A model of `master` columns and rows, `flows` (tonnes) and `drives` (loaded vkm of a truck on a lane).

    A flow f belongs to `item[f]`, a bundle in a period, whose `item_t` tonnes it may carry; per tonne it does
    `work_tkm` on the lane-periods `work_lane[work_start[f]:work_start[f+1]]`.
    Drive d does `drive_load_t` tkm per vkm on lane-period `drive_lane[d]`.
    Flow `need_flow[k]` needs one unit of the master column `need_column[k]`. An item goes from `item_from` to
    `item_to`, rows of `place` (degrees north, degrees east). `form_unit`: usual tonnes and vkm.
    `form` is the whole model; `master_at`, `flow_at`, `drive_at` say where its columns are.
    """

    form: StandardForm
    master: StandardForm
    master_at: Ints
    flow_at: Ints
    drive_at: Ints
    flows: Columns
    drives: Columns
    item: Ints
    item_t: Floats
    item_bundle: Ints
    item_period: Ints
    item_from: Ints
    item_to: Ints
    place: Floats
    work_start: Ints
    work_lane: Ints
    work_tkm: Floats
    drive_lane: Ints
    drive_load_t: Floats
    need_flow: Ints
    need_column: Ints
    form_unit: tuple[float, float]


def split(built: Built) -> Split:
    """Cut a model that was stated as arrays. Where its flows are given, each flow is an item of its own."""
    a, data = built.assembly, built.data
    if not isinstance(a, ArrayAssembly):
        raise ModelError(f"model '{built.spec.name}' was stated in Pyomo; state it as arrays to cut it in two")
    form, flows, drives = standard_form(built), data.flows, data.driving
    tied = np.repeat([name in OD_ROWS for name, _, _ in a.rows], [len(kept) for _, _, kept in a.rows])
    flow_at = a.start[FLOW] + np.arange(len(flows.t))
    drive_at = a.start[DRIVE] + np.arange(len(drives.t))
    rest = np.ones(a.size, bool)
    rest[flow_at] = rest[drive_at] = False
    master_at = np.flatnonzero(rest)
    matrix = csc_array((form.a_values, form.a_indices, form.a_indptr), shape=(a.row_count, a.size))
    number = np.cumsum(~tied) - 1

    def part(at: Ints) -> Columns:
        piece = matrix[:, at] if len(at) else csc_array((a.row_count, 0))
        keep = ~tied[piece.indices]
        start = np.concatenate([np.zeros(1, np.int64), np.cumsum(keep)])[piece.indptr]
        return Columns(form.cost[at], start, number[piece.indices[keep]].astype(np.int32), piece.data[keep])

    own = part(master_at)
    master = StandardForm(
        own.cost, form.cost_offset, own.indptr.astype(np.int32), own.row, own.value, form.row_low[~tied],
        form.row_up[~tied], form.col_low[master_at], form.col_up[master_at], form.integer[master_at],
        _some(form.col_names, master_at), _some(form.row_names, np.flatnonzero(~tied)),
        form.col_unit_scale[master_at], form.fix_order[master_at],
    )  # fmt: skip
    size = data.time.size
    code, item = np.unique(flows.bundle * size + flows.t, return_inverse=True)
    bundle, period = code // size, code % size
    item_t = data.prepared.demand_t[bundle, period]
    if len(flows.fixed_t):
        bundle, period, item, item_t = flows.bundle, flows.t, np.arange(len(flows.t)), flows.fixed_t
    col, lane, times = flows.uses_lane
    order = np.argsort(col, kind="stable")
    col, lane, times = col[order], lane[order], times[order]
    _, numbered = np.unique(
        np.concatenate([lane * size + flows.t[col], drives.lane * size + drives.t]), return_inverse=True
    )
    need_flow, project = flows.needs
    p = data.projects
    built_at = np.full((len(p.names), size), -1, np.int64)
    built_at[p.project, p.t] = np.searchsorted(master_at, a.start.get("built", 0) + np.arange(len(p.project)))
    nodes, ends = data.instance["nodes"], data.prepared.bundles
    return Split(
        form, master, master_at, flow_at, drive_at, part(flow_at), part(drive_at), item, item_t, bundle, period,
        data.world.nodes.of(ends["origin"])[bundle], data.world.nodes.of(ends["destination"])[bundle],
        nodes[["lat", "lon"]].to_numpy(float), np.searchsorted(col, np.arange(len(flows.t) + 1)), numbered[: len(col)],
        times * data.lanes.distance_km[lane], numbered[len(col) :], drives.load_t, need_flow,
        built_at[project, flows.t[need_flow]], (a.kinds[FLOW].typical, a.kinds[DRIVE].typical),
    )  # fmt: skip


def _some(names: Sequence[str], at: Ints) -> Labels:
    return Labels(lambda: [names[k] for k in at.tolist()], len(at))
