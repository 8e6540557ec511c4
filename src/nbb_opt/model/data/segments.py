"""Chains as short lists of segments: lanes, services and transfers of one cargo type, each stated once for all chains.

Nearly every figure of a chain is the sum of those of its items (network/compact.py). So where there are too many chains
for a column each, the blocks state columns for *segments* instead: the tonnes that go through one segment in one
period, by whatever chains.
What a column of the whole model would cost and use is the sum over the segments of its chain, and over four things
that differ between the bundles that share a segment, each a segment of its own that a tonne uses a number of times:

- *waiting* (one per period): costs 1 EUR per year; a tonne uses hours of its chain times its value of time;
- *choosing* (one per period, where an instance has mode constants): costs 1 EUR per year; a tonne uses the constant of
  the main mode of its chain;
- *now* and *then* (one per commodity, main mode and period, where an instance compares modes): stand in the rows of
  `limit_mode_shift`; used once by what is compared with the period before, and as often as demand will grow.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from nbb_opt.instance import Instance
from nbb_opt.instance.schema import MODES
from nbb_opt.model.data.base import BaseData
from nbb_opt.model.data.costs import EmissionEntries
from nbb_opt.model.data.flows import FlowColumns, compared, complain, given_flows, goods_of, mode_classes, ready_sets
from nbb_opt.model.data.items import ItemFigures
from nbb_opt.model.data.periods import Floats, Ints, Time, entries

if TYPE_CHECKING:
    from nbb_opt.network import Prepared

BESIDE = 2  # rows of waiting and choosing, after those of items
Small = npt.NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class ChainSegments:
    """Chain c uses segments `segment[start[c]:start[c+1]]`; bundle b has chains `first[b]` to `first[b + 1]`.

    Per tonne a chain takes the sum of the `hours` of its segments; an hour costs `hour_eur` by bundle, a main mode
    `constant_eur` (bundles, modes). Per bundle and period: `demand_t` in tonnes, `now` and `grows` (see FlowColumns).
    `needs[s]` lists the projects of set s, `project_set[c]` is the set of a chain, `ready` (sets, periods) says when
    all of a set can be in service. `at` (segments, periods) is the position of a segment's column among those of
    `carried_t`, -1 where it cannot be used; so are `waiting_at` and `choosing_at` (periods), the latter -1 where no
    mode has a constant, `now_at` and `then_at` (mode classes, periods), -1 for all where modes are not compared.
    The class of a chain is the commodity of its bundle times the number of modes plus its `main_mode`.
    """

    start: Ints
    segment: Small
    first: Ints
    main_mode: npt.NDArray[np.int8]
    project_set: Small
    commodity: Ints
    hour_eur: Floats
    constant_eur: Floats
    hours: Floats
    needs: tuple[tuple[int, ...], ...]
    ready: np.ndarray
    demand_t: Floats
    now: Floats
    grows: Floats
    at: Small
    waiting_at: Small
    choosing_at: Small
    now_at: Small
    then_at: Small

    def __len__(self) -> int:
        return len(self.project_set)

    def bundle_of(self, chains: Ints) -> Ints:
        """Bundle of some chains."""
        return np.searchsorted(self.first, chains, side="right") - 1

    def class_of(self, chains: Ints) -> Ints:
        """Class of some chains in the rows that compare modes."""
        return self.commodity[self.bundle_of(chains)] * len(MODES) + self.main_mode[chains]


def segments_of(
    instance: Instance,
    prepared: Prepared,
    base: BaseData,
    time: Time,
    *,
    items: ItemFigures,
    earliest: dict[str, float],
    fixed_flows_t: Floats | None,
    constant_eur: Floats,
) -> tuple[FlowColumns, ChainSegments]:
    """The columns of segments and the chains made of them; arguments as in `flows_of`.

    Where flows are given, every chain counts as a bundle of its own, with its flow as demand.
    """
    from nbb_opt.model.data.count_uses import may_carry, used_by

    goods, rows, count, size = goods_of(instance, prepared), prepared.rows, len(prepared.items), time.size
    ready = ready_sets(instance, prepared, time, earliest)
    demand_t, exists = prepared.demand_t, np.empty((len(rows), size), bool)
    may_carry(rows.item_start, rows.item, rows.bundle, rows.project_set, ready, demand_t > 0, items.open, exists)
    now, grows = compared(demand_t)
    compares = bool((instance["policies"]["kind"] == "limit_mode_shift_share_per_year").any())
    mode_class = mode_classes(prepared, goods) if compares else np.zeros(0, np.int64)
    used, served = np.zeros((count, size), bool), np.zeros(demand_t.shape, bool)
    classes = np.zeros((2, len(instance["commodities"]) * len(MODES) if compares else 0, size), bool)
    if fixed_flows_t is not None:
        given = given_flows(instance, prepared, rows.bundle, fixed_flows_t, exists)
        exists = given > 0
    used_by(exists, rows.item_start, rows.item, rows.bundle, mode_class, now, grows, used, served, classes)
    complain(prepared, time, (demand_t > 0) & ~served)
    first = np.searchsorted(rows.bundle, np.arange(len(demand_t) + 1)).astype(np.int64)
    of_bundle: Ints | slice = slice(None)
    if fixed_flows_t is not None:
        demand_t, first, of_bundle = given, np.arange(len(rows) + 1), rows.bundle.astype(np.int64)
    at = np.full((count + BESIDE + 2 * classes.shape[1], size), -1, np.int32)
    beside = np.array([[True] * size, [bool(constant_eur.any())] * size])
    place = np.nonzero(np.concatenate([used, beside, *classes]))
    at[place] = np.arange(len(place[0]))
    usual_t = float(np.median(demand_t[demand_t > 0]))
    flows = _flows(instance, base, items, at, classes=classes.shape[1], usual_t=usual_t)
    k = count + BESIDE + classes.shape[1]
    return flows, ChainSegments(
        start=rows.item_start, segment=rows.item, first=first, main_mode=rows.main_mode, project_set=rows.project_set,
        commodity=goods.commodity[of_bundle], hour_eur=goods.hour_eur[of_bundle],
        constant_eur=constant_eur[of_bundle], hours=items.hours,
        needs=rows.project_sets, ready=ready, demand_t=demand_t, now=now[of_bundle], grows=grows[of_bundle],
        at=at[:count], waiting_at=at[count], choosing_at=at[count + 1], now_at=at[count + BESIDE : k], then_at=at[k:],
    )  # fmt: skip


def _flows(
    instance: Instance, base: BaseData, items: ItemFigures, at: Small, *, classes: int, usual_t: float
) -> FlowColumns:
    """The columns of all segments: items first, then waiting, choosing, now and then."""
    row, t = np.nonzero(at >= 0)
    count, total = len(items.hours), len(row)
    item = row[row < count]
    beside = np.zeros(total - len(item))
    has = at[items.ledger.col, items.ledger.t]
    ledger = EmissionEntries(
        **{field.name: getattr(items.ledger, field.name)[has >= 0] for field in fields(EmissionEntries)}
    )
    ledger = replace(ledger, col=has[has >= 0].astype(np.int64))
    carbon = ledger.carbon_eur(total, price_eur_per_t=base.carbon_price, base=instance.meta.carbon_base)
    cost = {
        "service": np.concatenate([items.service_eur[item, t[: len(item)]], beside]),
        "handling": np.concatenate([items.handling_eur[item], beside]),
        "cargo_time": (row == count).astype(float),
        "mode_constant": (row == count + 1).astype(float),
        "carbon": carbon,
    }
    of_class = row - count - BESIDE
    is_now, is_then = (of_class >= 0) & (of_class < classes), of_class >= classes
    mode_class = np.where(is_then, of_class - classes, np.where(is_now, of_class, -1))
    none = np.zeros(0, np.int64)
    return FlowColumns(
        chain=row, t=t, bundle=none, demand_t=np.zeros(0), mode_class=mode_class, now=is_now.astype(float),
        grows=is_then.astype(float), usual_t=usual_t, fixed_t=np.zeros(0), cost_eur=cost, ledger=ledger,
        uses_lane=_uses(items.uses_lane, item), uses_group=_uses(items.uses_group, item),
        uses_terminal=_uses(items.uses_terminal, item), needs=(none, none), segments=True,
    )  # fmt: skip


def _uses(uses: csr_array, item: Ints) -> tuple[Ints, Ints, Floats]:
    """What the items of columns use: (column, what, times), sorted."""
    entry, size = entries(uses.indptr, item)
    return np.repeat(np.arange(len(item)), size), uses.indices[entry].astype(np.int64), uses.data[entry]
