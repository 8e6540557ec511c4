"""What the kernels look into, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from nbb_opt.instance.schema import MODES
from nbb_opt.solve.colgen.groups import Groups

if TYPE_CHECKING:
    from nbb_opt.model import Split

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Small = npt.NDArray[np.int32]


class ChainArrays(NamedTuple):
    """Fields of `Chains`, and the number of modes."""

    start: Ints
    piece: Small
    first: Ints
    main_mode: npt.NDArray[np.int8]
    project_set: Small
    commodity: Ints
    hour_eur: Floats
    hours: Floats
    demand_t: Floats
    now: Floats
    grows: Floats
    at: Small
    waiting_at: Small
    now_at: Small
    then_at: Small
    modes: int

    @classmethod
    def of(cls, split: Split) -> ChainArrays:
        """Those of a model; the arrays are the same, not copies."""
        return cls(**{name: getattr(split.chains, name) for name in cls._fields[:-1]}, modes=len(MODES))


class GroupArrays(NamedTuple):
    """Fields of `Groups`, and the group of every cluster and period, -1 where there is none."""

    start: Ints
    bundles: Ints
    of_cluster: Ints
    state_start: Ints
    states: Ints
    set_bits: Ints
    most_states: int

    @classmethod
    def of(cls, groups: Groups, periods: int) -> GroupArrays:
        """Those of some groups."""
        of_cluster = np.full((len(groups.start) - 1, periods), -1, np.int64)
        of_cluster[groups.cluster, groups.t] = np.arange(groups.size)
        most = int(np.diff(groups.state_start).max(initial=1))
        return cls(groups.start, groups.bundles, of_cluster, groups.state_start, groups.states, groups.set_bits, most)


class PieceColumns(NamedTuple):
    """Columns of pieces; `row_at` says where each of the master's rows is among those in which pieces stand."""

    cost: Floats
    indptr: Ints
    row: Small
    value: Floats
    row_at: Ints

    @classmethod
    def of(cls, split: Split) -> tuple[PieceColumns, Ints]:
        """Those of a model, and the rows in which they stand."""
        p, rows = split.pieces, np.unique(split.pieces.row).astype(np.int64)
        row_at = np.full(len(split.master.row_low), -1, np.int64)
        row_at[rows] = np.arange(len(rows))
        return cls(p.cost, p.indptr, p.row, p.value, row_at), rows


class Prices(NamedTuple):
    """EUR per tonne: `table` of pieces by period (infinite without a column), `waiting` per EUR of waiting (periods),
    `now` and `then` by class of modes and period, `adder` by group and project set.
    """

    table: Floats
    waiting: Floats
    now: Floats
    then: Floats
    adder: Floats
