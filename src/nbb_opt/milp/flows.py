"""What a tonne on a chain costs, emits and uses: the data of `carried_t`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nbb_opt.errors import ModelError
from nbb_opt.instance import Instance
from nbb_opt.instance.schema import MODES
from nbb_opt.milp.chain_costs import step_costs
from nbb_opt.milp.lanes import Lanes
from nbb_opt.milp.ledger import Ledger
from nbb_opt.milp.periods import Floats, Ints, Names, Time
from nbb_opt.milp.world import World

if TYPE_CHECKING:
    from nbb_opt.network import Prepared

COMPONENTS = ("service", "handling", "cargo_time")
FLOW_DUST = 1e-9  # a fixed flow below this share of its bundle's demand is no flow


@dataclass(frozen=True)
class Flows:
    """Columns of `carried_t`: chain and period of each, cost per tonne, and how often a tonne uses what.

    `mode_class` is commodity times the number of modes plus main mode; of it the rows that compare modes count `now`
    times the tonnes and `grows` times those of the period before. `usual_t` is a usual flow. Where `pieces` is set,
    the columns are pieces of chains (see pieces.py): rows that belong to whole chains have no columns to stand on.
    `uses_*` are sparse (column, what, times); in `uses_group`, road links without a limit are left out (their use
    follows from the lanes); `fixed_t` holds the flow where flows are given, else it is empty.
    """

    chain: Ints
    t: Ints
    bundle: Ints
    demand_t: Floats
    mode_class: Ints
    now: Floats
    grows: Floats
    usual_t: float
    fixed_t: Floats
    cost_eur: dict[str, Floats]
    ledger: Ledger
    uses_lane: tuple[Ints, Ints, Floats]
    uses_group: tuple[Ints, Ints, Floats]
    uses_terminal: tuple[Ints, Ints, Floats]
    needs: tuple[Ints, Ints]
    pieces: bool = False


def flows_of(
    instance: Instance,
    prepared: Prepared,
    world: World,
    time: Time,
    *,
    lanes: Lanes,
    services: pd.DataFrame,
    earliest: dict[str, int] | None,
    fixed_flows_t: Floats | None,
) -> Flows:
    """Choose the columns and add up the steps of their chains.

    A column exists where the bundle has demand, every lane of the chain has a truck that may drive it, and every
    project the chain needs can be in service (`earliest` gives their years; None: no project may be built). Where
    flows are given, columns exist for the given flows only.
    """
    chains, steps = prepared.chains, prepared.steps
    bundle = chains["bundle"].to_numpy(np.int64)
    ready = _ready(chains["projects"].tolist(), time, earliest)
    lane_steps = steps[steps["kind"] == "lane"]
    driven, on = lane_steps["chain"].to_numpy(np.int64), lane_steps["lane"].to_numpy(np.int64)
    walkable = np.ones((len(chains), time.size))
    drivable = np.asarray(lanes.usable.any(axis=1), float)
    np.minimum.at(walkable, driven, drivable[on])
    wanted: np.ndarray = np.greater(prepared.demand_t[bundle], 0)
    exists: np.ndarray = wanted & ready & (walkable > 0)
    if fixed_flows_t is not None:
        given = given_flows(instance, prepared, bundle, fixed_flows_t, exists)
        exists = given > 0
    served = np.zeros(prepared.demand_t.shape, bool)
    np.logical_or.at(served, bundle, exists)
    complain(prepared, time, (prepared.demand_t > 0) & ~served)
    chain, t = np.nonzero(exists)
    column = np.full(exists.shape, -1, np.int64)
    column[chain, t] = np.arange(len(chain))
    fixed = given[chain, t] if fixed_flows_t is not None else np.zeros(0)
    goods = goods_of(instance, prepared, world)
    handling = goods.handling[bundle]
    cost, ledger, hours = step_costs(
        instance, world, time, steps, handling=handling, column=column, lanes=lanes, services=services
    )
    cost["cargo_time"] = (hours * goods.hour_eur[bundle])[chain]
    groups, terminals = uses_of(instance, prepared, world, steps)
    demand_t, (now, grows) = prepared.demand_t[bundle[chain], t], compared(prepared.demand_t)
    return Flows(
        chain, t, bundle[chain], demand_t, (goods.commodity[bundle] * len(MODES) + main_modes(prepared))[chain],
        now[bundle[chain], t], grows[bundle[chain], t], float(np.median(demand_t)), fixed, cost, ledger,
        spread(driven, on, column), spread(*groups, column), spread(*terminals, column),
        _needs(instance, chains["projects"].tolist(), column),
    )  # fmt: skip


@dataclass(frozen=True)
class Goods:
    """By bundle: commodity, handling, value of time in EUR per tonne and hour."""

    commodity: Ints
    handling: Ints
    hour_eur: Floats


def goods_of(instance: Instance, prepared: Prepared, world: World) -> Goods:
    """What each bundle carries."""
    table = instance["commodities"]
    commodity = Names(table["commodity"]).of(prepared.bundles["commodity"])
    handling = world.handlings.of(table["handling"])[commodity]
    return Goods(commodity, handling, table["value_of_time_eur_per_t_h"].to_numpy(float)[commodity])


def main_modes(prepared: Prepared) -> Ints:
    """Main mode of every chain, as in schema.MODES."""
    return Names(MODES).of(prepared.chains["main_mode"])


def compared(demand_t: Floats) -> tuple[Floats, Floats]:
    """Of bundles and periods: 1 where there was demand one period before as well, and by how much demand will grow.

    0 where either has no demand.
    """
    both = (demand_t[:, 1:] > 0) & (demand_t[:, :-1] > 0)
    now, grows = np.zeros(demand_t.shape), np.zeros(demand_t.shape)
    now[:, 1:] = both
    np.divide(demand_t[:, 1:], demand_t[:, :-1], out=grows[:, :-1], where=both)
    return now, grows


def _ready(projects: list[str], time: Time, earliest: dict[str, int] | None) -> np.ndarray:
    ready = np.ones((len(projects), time.size), bool)
    for c, needed in enumerate(projects):
        if needed:
            year = np.inf if earliest is None else max(earliest[project] for project in needed.split(";"))
            ready[c] = time.years >= year
    return ready


def given_flows(
    instance: Instance, prepared: Prepared, bundle: Ints, fixed_flows_t: Floats, exists: np.ndarray
) -> Floats:
    """Given flows (chains, periods) without dust, scaled in their last digits so that each demand is met exactly.

    Raises ModelError where they do not meet the demand, or need a chain that does not exist.
    """
    demand = prepared.demand_t
    if fixed_flows_t.shape != (len(bundle), demand.shape[1]) or not np.isfinite(fixed_flows_t).all():
        raise ModelError(f"fixed_flows_t must be finite and of shape {(len(bundle), demand.shape[1])}")
    flows = np.where(fixed_flows_t > FLOW_DUST * demand[bundle], fixed_flows_t, 0.0)
    total = np.zeros(demand.shape)
    np.add.at(total, bundle, flows)
    wrong = np.abs(total - demand) > 1e-6 * demand
    for b, t in np.argwhere(wrong)[:1].tolist():
        raise ModelError(f"given flows of bundle {b} carry {total[b, t]:.6g} t in period {t}, not {demand[b, t]:.6g} t")
    _refuse(instance, prepared, (flows > 0) & ~exists, "carries a given flow but cannot be used")
    return flows * np.divide(demand, total, out=np.zeros_like(total), where=total > 0)[bundle]


def _refuse(instance: Instance, prepared: Prepared, wrong: np.ndarray, why: str) -> None:
    for c, t in np.argwhere(wrong)[:1].tolist():
        raise ModelError(f"chain {c} {why} in {instance.periods[t].year}: {_bundle(prepared, c)}")


def _bundle(prepared: Prepared, chain: int) -> str:
    row = prepared.bundles.iloc[int(prepared.chains["bundle"].iloc[chain])]
    return f"{row['commodity']} from {row['origin']} to {row['destination']}"


def complain(prepared: Prepared, time: Time, unserved: np.ndarray) -> None:
    """Raise ModelError naming flows (bundles, periods) that no chain serves."""
    if not unserved.any():
        return
    lines = []
    for b, t in np.argwhere(unserved)[:10].tolist():
        row = prepared.bundles.iloc[b]
        lines.append(f"{row['commodity']} from {row['origin']} to {row['destination']} in {time.years[t]}")
    raise ModelError(
        f"{int(unserved.sum())} flows have no usable chain (no truck may drive their lanes, or they need a project "
        "that is not allowed or not ready): " + "; ".join(lines) + ". Add a vehicle, a link or an earlier project."
    )


def spread(chain: Ints, what: Ints, column: Ints) -> tuple[Ints, Ints, Floats]:
    """Uses per chain turned into uses per column: (column, what, times)."""
    at = column[chain]  # (n, T)
    row, t = np.nonzero(at >= 0)
    most = int(what.max(initial=0)) + 1
    code, times = np.unique(at[row, t] * most + what[row], return_counts=True)
    return code // most, code % most, times.astype(float)


def uses_of(
    instance: Instance, prepared: Prepared, world: World, steps: pd.DataFrame
) -> tuple[tuple[Ints, Ints], tuple[Ints, Ints]]:
    """(chain, capacity group) of the links of chains, of lanes the limited ones; (chain, terminal) of transfers."""
    direct = steps[steps["kind"] == "link"]
    lane, road = links_of_lanes(prepared, world)
    limited = np.isfinite(world.link_capacity_t[world.link_group[road]])
    few = pd.DataFrame({"lane": lane[limited], "link": road[limited]})
    on_lanes = steps.loc[steps["kind"] == "lane", ["chain", "lane"]].merge(few)
    chain = np.concatenate([direct["chain"].to_numpy(np.int64), on_lanes["chain"].to_numpy(np.int64)])
    link = np.concatenate([world.links.of(direct["link"]), on_lanes["link"].to_numpy(np.int64)])
    at = steps[(steps["kind"] == "transfer") & (steps["terminal"] != "")]
    terminal = Names(instance["terminals"]["terminal"]).of(at["terminal"])
    return (chain, world.link_group[link]), (at["chain"].to_numpy(np.int64), terminal)


def links_of_lanes(prepared: Prepared, world: World) -> tuple[Ints, Ints]:
    """(lane, link) of every link of every lane."""
    return prepared.lane_links["lane"].to_numpy(np.int64), world.links.of(prepared.lane_links["link"])


def _needs(instance: Instance, projects: list[str], column: Ints) -> tuple[Ints, Ints]:
    names = Names(instance["projects"]["project"])
    pairs = [(c, p) for c, needed in enumerate(projects) if needed for p in needed.split(";")]
    chain, what = np.array([c for c, _ in pairs], np.int64), names.of([p for _, p in pairs])
    col, project, _ = spread(chain, what, column)
    return col, project
