"""Chains as short lists of pieces: a lane, a link or a transfer of one handling, each stated once for all chains.

Nearly every figure of a chain is the sum of those of its steps. So where there are too many chains for a column each,
the blocks state columns for *pieces* instead: the tonnes that go through one piece in one period, by whatever chains.
What a column of the whole model would cost and use is the sum over the pieces of its chain, and over three things that
differ between the bundles that share a piece, each a piece of its own that a tonne uses a number of times:

- *waiting* (one per period): costs 1 EUR per year; a tonne uses hours of its chain times its value of time;
- *now* and *then* (one per commodity, main mode and period, where an instance compares modes): stand in the rows of
  `keep_mode`; used once by what is compared with the period before, and as often as demand will grow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbb_opt.instance import Instance
from nbb_opt.instance.schema import MODES
from nbb_opt.milp.chain_costs import step_costs
from nbb_opt.milp.flows import Flows, compared, complain, given_flows, goods_of, main_modes, spread, uses_of
from nbb_opt.milp.lanes import Lanes
from nbb_opt.milp.ledger import Ledger
from nbb_opt.milp.periods import Floats, Ints, Names, Time
from nbb_opt.milp.world import World

if TYPE_CHECKING:
    from nbb_opt.network import Prepared

Small = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Chains:
    """Chain c of `bundle[c]` uses pieces `piece[start[c]:start[c+1]]`, and per tonne `waiting_eur[c]` of waiting.

    Chains are sorted by bundle. Per bundle and period: `demand_t` in tonnes, `now` and `grows` (see Flows). `needs[s]`
    lists the projects of set s, `project_set[c]` is the set of a chain, `ready` (sets, periods) says when all of a set
    can be in service. `at` (pieces, periods) is the position of a piece's column among those of `carried_t`, -1 where
    it cannot be used; so are `waiting_at` (periods), `now_at` and `then_at` (mode classes, periods), -1 for all where
    modes are not compared.
    """

    start: Ints
    piece: Small
    bundle: Ints
    waiting_eur: Floats
    mode_class: Ints
    project_set: Ints
    needs: tuple[tuple[int, ...], ...]
    ready: np.ndarray
    demand_t: Floats
    now: Floats
    grows: Floats
    at: Small
    waiting_at: Small
    now_at: Small
    then_at: Small


def pieces_of(
    instance: Instance,
    prepared: Prepared,
    world: World,
    time: Time,
    *,
    lanes: Lanes,
    services: pd.DataFrame,
    earliest: dict[str, int] | None,
    fixed_flows_t: Floats | None,
) -> tuple[Flows, Chains]:
    """The columns of pieces and the chains made of them; arguments as in `flows_of`.

    Where flows are given, every chain with a flow counts as a bundle of its own, with that demand.
    """
    goods = goods_of(instance, prepared, world)
    bundle = prepared.chains["bundle"].to_numpy(np.int64)
    start, piece, steps, handling = _listed(prepared, world, goods.handling[bundle])
    count = len(handling)
    sets, project_set = _sets(instance, prepared)
    ready = _ready(sets, instance, time, earliest)
    lane = steps["kind"] == "lane"
    usable = np.ones((count, time.size), bool)
    on = steps.loc[lane, "lane"].to_numpy(np.int64)
    usable[steps.loc[lane, "chain"].to_numpy(np.int64)] = lanes.usable.any(axis=1)[on]
    can = ready[project_set]
    np.logical_and.at(can, np.repeat(np.arange(len(bundle)), np.diff(start)), usable[piece])
    exists = can & (prepared.demand_t[bundle] > 0)
    demand_t, owner = prepared.demand_t, bundle
    (now, grows), sizes = compared(demand_t), demand_t[bundle][exists]
    if fixed_flows_t is not None:
        given = given_flows(instance, prepared, bundle, fixed_flows_t, exists)
        now, grows = now[bundle], grows[bundle]
        demand_t, owner, exists = given, np.arange(len(bundle)), given > 0
    else:
        served = np.zeros(demand_t.shape, bool)
        np.logical_or.at(served, bundle, exists)
        complain(prepared, time, (demand_t > 0) & ~served)
    used = np.zeros((count, time.size), bool)
    for t in range(time.size):
        used[piece[np.repeat(exists[:, t], np.diff(start))], t] = True
    mode_class = goods.commodity[bundle] * len(MODES) + main_modes(prepared)
    classes = _classes(instance, mode_class, exists, now[owner], grows[owner])
    every = np.concatenate([used, np.ones((1, time.size), bool), classes[0], classes[1]])
    at = np.full(every.shape, -1, np.int32)
    row, t = np.nonzero(every)
    at[row, t] = np.arange(len(row))
    cost, ledger, hours = step_costs(
        instance, world, time, steps, handling=handling, column=at[:count].astype(np.int64), lanes=lanes,
        services=services,
    )  # fmt: skip
    flows = _flows(
        instance, prepared, world, time, steps=steps, at=at, count=count, classes=len(classes[0]), cost=cost,
        ledger=ledger, usual_t=float(np.median(sizes)),
    )  # fmt: skip
    starts = start[:-1][np.diff(start) > 0]
    of_chain = np.zeros(len(bundle))
    of_chain[np.diff(start) > 0] = np.add.reduceat(hours[piece], starts) if len(starts) else 0.0
    k = len(classes[0])
    return flows, Chains(
        start, piece, owner, of_chain * goods.hour_eur[bundle], mode_class, project_set, sets, ready, demand_t, now,
        grows, at[:count], at[count], at[count + 1 : count + 1 + k], at[count + 1 + k :],
    )  # fmt: skip


def _listed(prepared: Prepared, world: World, handling: Ints) -> tuple[Ints, Small, pd.DataFrame, Ints]:
    """Where each chain's pieces start, the pieces, the steps of every piece (`chain` is the piece) and its handling."""
    steps = prepared.steps
    chain = steps["chain"].to_numpy(np.int64)
    start = np.searchsorted(chain, np.arange(len(prepared.chains) + 1)).astype(np.int64)
    lane = steps["lane"].to_numpy(np.int64)
    places, modes = Names(world.nodes.ids), Names([*MODES, ""])
    terminals = pd.factorize(steps["terminal"])[0].astype(np.int64)
    code = np.where(lane >= 0, lane, -1)
    for part, size in (
        (world.links.of(steps["link"]) + 1, len(world.links) + 1), (places.of(steps["from_node"]), len(places)),
        (modes.of(steps["mode_a"]), len(modes)), (modes.of(steps["mode_b"]), len(modes)),
        (terminals, int(terminals.max(initial=0)) + 1), (handling[chain], len(world.handlings)),
    ):  # fmt: skip
        code = np.where(lane >= 0, code, (np.where(code < 0, 0, code) * size) + part)
    _, first, piece = np.unique(np.where(lane >= 0, 2 * code, 2 * code + 1), return_index=True, return_inverse=True)
    table = steps.iloc[first].reset_index(drop=True)
    table["chain"] = np.arange(len(table))
    return start, piece.astype(np.int32), table, handling[chain[first]]


def _sets(instance: Instance, prepared: Prepared) -> tuple[tuple[tuple[int, ...], ...], Ints]:
    """The sets of projects that occur, and the set of every chain."""
    number, cells = pd.factorize(prepared.chains["projects"])
    names = Names(instance["projects"]["project"])
    sets = tuple(tuple(names.of(cell.split(";")).tolist()) if cell else () for cell in cells.tolist())
    return sets, number.astype(np.int64)


def _ready(
    sets: tuple[tuple[int, ...], ...], instance: Instance, time: Time, earliest: dict[str, int] | None
) -> np.ndarray:
    ready = np.ones((len(sets), time.size), bool)
    names = instance["projects"]["project"].tolist()
    for s, needed in enumerate(sets):
        if needed:
            year = np.inf if earliest is None else max(earliest[names[project]] for project in needed)
            ready[s] = time.years >= year
    return ready


def _classes(
    instance: Instance, mode_class: Ints, exists: np.ndarray, now: Floats, grows: Floats
) -> tuple[np.ndarray, np.ndarray]:
    """Which classes and periods have something to compare: now, and with the period after. None if nothing compares."""
    size = exists.shape[1]
    if not (instance["policies"]["kind"] == "keep_mode_share_per_year").any():
        return np.zeros((0, size), bool), np.zeros((0, size), bool)
    found = np.zeros((2, len(instance["commodities"]) * len(MODES), size), bool)
    np.logical_or.at(found[0], mode_class, exists & (now > 0))
    np.logical_or.at(found[1], mode_class, exists & (grows > 0))
    return found[0], found[1]


def _flows(
    instance: Instance,
    prepared: Prepared,
    world: World,
    time: Time,
    *,
    steps: pd.DataFrame,
    at: Small,
    count: int,
    classes: int,
    cost: dict[str, Floats],
    ledger: Ledger,
    usual_t: float,
) -> Flows:
    """The columns of all pieces: steps first, then waiting, now and then."""
    row, t = np.nonzero(at >= 0)
    mine, total = int((row < count).sum()), len(row)
    beside = np.zeros(total - mine)
    parts = {name: np.concatenate([values[:mine], beside]) for name, values in cost.items()}
    parts["cargo_time"] = (row == count).astype(float)
    is_now = (row > count) & (row <= count + classes)
    is_then = row > count + classes
    mode_class = np.where(is_now, row - count - 1, np.where(is_then, row - count - 1 - classes, -1))
    lane = steps["kind"] == "lane"
    column = at[:count].astype(np.int64)
    groups, terminals = uses_of(instance, prepared, world, steps)
    none = np.zeros(0, np.int64)
    driven = (steps.loc[lane, "chain"].to_numpy(np.int64), steps.loc[lane, "lane"].to_numpy(np.int64))
    return Flows(
        row.astype(np.int64), t.astype(np.int64), none, np.zeros(0), mode_class.astype(np.int64), is_now.astype(float),
        is_then.astype(float), usual_t, np.zeros(0), parts, ledger, spread(*driven, column), spread(*groups, column),
        spread(*terminals, column), (none, none), pieces=True,
    )  # fmt: skip
