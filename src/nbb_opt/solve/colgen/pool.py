"""The columns of the restricted master, and the master itself with slack."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array, csr_array, hstack, vstack

from nbb_opt.model.data.periods import Floats, Ints
from nbb_opt.solve.colgen.bound import Bounds
from nbb_opt.solve.colgen.oracle import Priced

if TYPE_CHECKING:
    from nbb_opt.model import Split, StandardForm


SLACK_DEAR = 3.0  # times what usually does a unit
SLACK_SHARE = 0.05  # of the whole cost for a row missed by its usual size, where nothing is known of it
MOST_HAULS = 200_000  # looked at to find out what usually does a unit
DUST = 1e-11  # of a row's usual size: less than this is no use of it


@dataclass(frozen=True)
class ColumnPool:
    """One entry per column: the state and oracle call it came from, or the haul of a trip without freight (else -1).

    `matrix` (CSC) has the master's rows, then one row per group, then one per tie.
    """

    state: Ints
    call: Ints
    haul: Ints
    cost: Floats
    matrix: Any

    def __len__(self) -> int:
        return len(self.cost)

    def take(self, which: Ints) -> ColumnPool:
        """Some of the columns."""
        return ColumnPool(
            self.state[which], self.call[which], self.haul[which], self.cost[which], self.matrix[:, which]
        )

    def unit(self, vkm: float) -> Floats:
        """A usual value of each column: a share of one, or `vkm`."""
        return np.where(self.haul < 0, 1.0, vkm)


@dataclass(frozen=True)
class Slack:
    """Columns of slack, the row of each, and 1 where it makes up for what the row lacks, -1 for what is too much."""

    column: Ints
    row: Ints
    sign: Floats


def nothing(bounds: Bounds) -> ColumnPool:
    """No columns yet."""
    rows = len(bounds.split.master.row_low) + bounds.groups.size + len(bounds.tie_column)
    none = np.zeros(0, np.int64)
    return ColumnPool(none, none, none, np.zeros(0), csc_array((rows, 0)))


def joined(old: ColumnPool, new: ColumnPool) -> ColumnPool:
    """Both, one after the other."""
    return ColumnPool(
        np.concatenate([old.state, new.state]),
        np.concatenate([old.call, new.call]),
        np.concatenate([old.haul, new.haul]),
        np.concatenate([old.cost, new.cost]),
        hstack([old.matrix, new.matrix], format="csc"),
    )


def columns_of(bounds: Bounds, priced: Priced, states: Ints, *, call: int, dust: Floats) -> ColumnPool:
    """Columns of an oracle's answer for some states; a state that cannot serve its items has none."""
    states = states[np.isfinite(priced.value[states])]
    count = len(states)
    use = priced.use[states]
    use.data[np.abs(use.data) < dust[use.indices]] = 0.0
    use.eliminate_zeros()
    group = csr_array(
        (np.ones(count), bounds.state_group[states], np.arange(count + 1)), shape=(count, bounds.groups.size)
    )
    place = np.full(len(bounds.groups.states), -1, np.int64)
    place[states] = np.arange(count)
    mine = place[bounds.member_state] >= 0
    ties = csr_array(
        (np.ones(int(mine.sum())), (place[bounds.member_state[mine]], bounds.member_tie[mine])),
        shape=(count, len(bounds.tie_column)),
    )
    matrix = hstack([use, group, ties], format="csr").T.tocsc()
    return ColumnPool(states, np.full(count, call), np.full(count, -1), priced.cost[states], matrix)


def trips(bounds: Bounds, hauls: Ints) -> ColumnPool:
    """Columns of loaded trips without freight."""
    made, none = bounds.split.columns_of(hauls), np.full(len(hauls), -1)
    rows = len(bounds.split.master.row_low) + bounds.groups.size + len(bounds.tie_column)
    matrix = csc_array((made.value, made.row, made.indptr), shape=(rows, len(hauls)))
    return ColumnPool(none, none, hauls, made.cost, matrix)


def usual_eur(split: Split, size: Floats, eur: float) -> Floats:
    """What usually does a unit of each row, in EUR: the cost of the columns in the row by their use of it.

    `size` is a usual size of each row, `eur` of the whole cost.
    """
    master, rows, count = split.master, len(size), len(split.hauls.t)
    eur_in, use = np.zeros(rows), np.zeros(rows)
    some = split.columns_of(np.arange(0, count, 1 + count // MOST_HAULS))
    for cost, indptr, row, value in (
        (some.cost, some.indptr, some.row, some.value),
        (split.segments.cost, split.segments.indptr, split.segments.row, split.segments.value),
        (np.abs(master.cost), master.a_indptr, master.a_indices, master.a_values),
    ):
        each = np.repeat(cost, np.diff(indptr))
        eur_in += np.bincount(row[each > 0], each[each > 0], rows)
        use += np.bincount(row[each > 0], np.abs(value[each > 0]), rows)
    return np.divide(eur_in, use, out=SLACK_SHARE * eur / size, where=use > 0)


def slack_cost(usual: Floats, prices: Floats | None) -> Floats:
    """What a unit of slack in each row costs at first: more than what usually does that unit, and than first prices.

    Slack far dearer than needed makes prices that prove nothing; where a plan uses slack it gets dearer.
    """
    return SLACK_DEAR * np.maximum(usual, 0.0 if prices is None else np.abs(prices))


def with_slack(split: Split, size: Floats, cost: Floats, *, loose: Ints) -> tuple[StandardForm, Slack]:
    """The master with a slack column on either side of each row in which chains or hauls occur.

    `size` is a usual size of each row, `cost` what a unit of slack costs in EUR, `loose` the
    rows over whole groups.
    """
    master = split.master
    rows, own = len(master.row_low), len(master.cost)
    active = np.union1d(np.union1d(split.segments.row, split.resources.row), loose).astype(np.int64)
    over, under = active[np.isfinite(master.row_up[active])], active[np.isfinite(master.row_low[active])]
    row = np.concatenate([over, under])
    sign = np.concatenate([-np.ones(len(over)), np.ones(len(under))])
    count = len(row)
    matrix: Any = hstack(
        [
            csc_array((master.a_values, master.a_indices, master.a_indptr), shape=(rows, own)),
            csc_array((sign, row, np.arange(count + 1)), shape=(rows, count)),
        ],
        format="csc",
    )
    form = replace(
        master, cost=np.concatenate([master.cost, cost[row]]), a_indptr=matrix.indptr,
        a_indices=matrix.indices, a_values=matrix.data, col_low=np.concatenate([master.col_low, np.zeros(count)]),
        col_up=np.concatenate([master.col_up, np.full(count, np.inf)]),
        integer=np.concatenate([master.integer, np.zeros(count, bool)]), col_names=[], row_names=[],
        col_unit_scale=np.concatenate([master.col_unit_scale, size[row]]),
        fix_order=np.concatenate([master.fix_order, np.full(count, -1)]),
    )  # fmt: skip
    return form, Slack(own + np.arange(count), row, sign)


def restricted_form(bounds: Bounds, form: StandardForm, pool: ColumnPool, *, low: Floats, up: Floats) -> StandardForm:
    """The master `form` within `low` and `up` and all columns of `pool` as one problem; whole numbers stay whole."""
    groups, ties, own, count = bounds.groups.size, bounds.tie_column, len(form.cost), len(pool)
    matrix = csc_array((form.a_values, form.a_indices, form.a_indptr), shape=(len(form.row_low), own))
    tie = csr_array((-np.ones(len(ties)), (np.arange(len(ties)), ties)), shape=(len(ties), own))
    left = vstack([matrix, csr_array((groups, own)), tie], format="csc")
    unit = pool.unit(bounds.split.unit[1])
    whole: Any = hstack([left, _without_dust(pool.matrix, unit, left, form.col_unit_scale)], format="csc")
    return replace(
        form, cost=np.concatenate([form.cost, pool.cost]), a_indptr=whole.indptr, a_indices=whole.indices,
        a_values=whole.data, row_low=np.concatenate([form.row_low, np.ones(groups), np.full(len(ties), -np.inf)]),
        row_up=np.concatenate([form.row_up, np.ones(groups), np.zeros(len(ties))]),
        col_low=np.concatenate([low, np.zeros(count)]), col_up=np.concatenate([up, np.full(count, np.inf)]),
        integer=np.concatenate([form.integer, np.zeros(count, bool)]), col_names=[], row_names=[],
        col_unit_scale=np.concatenate([form.col_unit_scale, unit]),
        fix_order=np.concatenate([form.fix_order, np.full(count, -1)]),
    )  # fmt: skip


def _without_dust(matrix: Any, unit: Floats, own: Any, own_unit: Floats) -> Any:
    """The columns of a pool without what is nothing beside the largest entry of a row, for usual values (`unit`).

    The first columns say what that is only roughly; a solver refuses to tell such entries from 0.
    """
    largest = np.zeros(matrix.shape[0])
    size = np.abs(matrix.data) * np.repeat(unit, np.diff(matrix.indptr))
    for a, each in ((matrix, size), (own, np.abs(own.data) * np.repeat(own_unit, np.diff(own.indptr)))):
        np.maximum.at(largest, a.indices, each)
    if (size >= DUST * largest[matrix.indices]).all():
        return matrix
    kept = matrix.copy()
    kept.data[size < DUST * largest[matrix.indices]] = 0.0
    kept.eliminate_zeros()
    return kept


WIDTH, FLOOR = 0.1, 0.1  # of the best price and, to that, of what usually does a unit
MORE, LESS = 1.5, 0.5  # times as wide


class Box:
    """Boxes around the best known prices of rows, held by what slack costs; `usual` EUR for a unit of each.

    A linear program over few columns gives prices far from those that prove much, and what is found at them is of no
    use. Slack of a row that costs w more than its best price so far (and brings w less on the other side) lets its
    price move by w at most (boxstep, after Marsten, Hogan and Blankenship, 1975; as slack, du Merle et al., 1999). At
    the optimum none is used, so nothing is lost. A box grows where prices go on in the same direction, and shrinks
    where they turn back (as the steps of RPROP do, after Riedmiller and Braun, 1993).

    >>> slack = Slack(np.array([0, 1]), np.array([0, 0]), np.array([1.0, -1.0]))
    >>> box = Box(slack, usual=np.array([10.0]), prices=np.array([20.0]))
    >>> box.cost(np.array([20.0]))  # a price between 17.9 and 22.1
    array([ 22.1, -17.9])
    >>> for price in 22.1, 24.2:
    ...     box.learn(np.array([price]), held=np.array([True]), moved=True)
    >>> box.cost(np.array([24.2]))  # twice in the same direction: wider
    array([ 27.35, -21.05])
    """

    def __init__(self, slack: Slack, *, usual: Floats, prices: Floats | None) -> None:
        self.slack = slack
        self.center = np.zeros(len(usual)) if prices is None else prices
        self.width = usual if prices is None else WIDTH * (np.abs(prices) + FLOOR * usual)
        self.way = np.zeros(len(usual))

    def cost(self, center: Floats) -> Floats:
        """What slack costs while the best prices are `center`."""
        self.center = center
        return np.asarray(self.slack.sign * center[self.slack.row] + self.width[self.slack.row])

    def learn(self, prices: Floats, *, held: npt.NDArray[np.bool_], moved: bool) -> None:
        """Take in the prices found, which of them slack held, and whether the best prices were others before."""
        way = np.where(held, np.sign(prices - self.center), 0.0)
        if moved:
            turn = way * self.way
            self.width = self.width * np.where(turn > 0, MORE, np.where(turn < 0, LESS, 1.0))
        self.way = way
