"""What a tonne on a chain costs, emits and uses: the data of `carried_t`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nbb_opt.errors import ModelError
from nbb_opt.instance import Instance
from nbb_opt.instance.schema import MODES
from nbb_opt.milp.lanes import Lanes
from nbb_opt.milp.ledger import Ledger, ledger_of
from nbb_opt.milp.periods import Floats, Ints, Names, Time, sum_by
from nbb_opt.milp.world import World

if TYPE_CHECKING:
    from nbb_opt.network import Prepared

TRANSFER = len(MODES)  # `mode` of a transfer in a ledger
COMPONENTS = ("service", "handling", "cargo_time")
FLOW_DUST = 1e-9  # a fixed flow below this share of its bundle's demand is no flow


@dataclass(frozen=True)
class Flows:
    """Columns of `carried_t`: chain and period of each, cost per tonne, and how often a tonne uses what.

    `uses_*` are sparse (column, what, times); in `uses_group`, road links without a limit are left out (their use
    follows from the lanes); `fixed_t` holds the flow where flows are given, else it is empty.
    """

    chain: Ints
    t: Ints
    bundle: Ints
    demand_t: Floats
    commodity: Ints
    main_mode: Ints
    fixed_t: Floats
    cost_eur: dict[str, Floats]
    ledger: Ledger
    uses_lane: tuple[Ints, Ints, Floats]
    uses_group: tuple[Ints, Ints, Floats]
    uses_terminal: tuple[Ints, Ints, Floats]
    needs: tuple[Ints, Ints]


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
        given = _given(prepared, bundle, fixed_flows_t)
        _refuse(instance, prepared, (given > 0) & ~exists, "carries a given flow but cannot be used")
        exists = given > 0
    served = np.zeros(prepared.demand_t.shape, bool)
    np.logical_or.at(served, bundle, exists)
    _complain(prepared, time, (prepared.demand_t > 0) & ~served)
    chain, t = np.nonzero(exists)
    column = np.full(exists.shape, -1, np.int64)
    column[chain, t] = np.arange(len(chain))
    fixed = given[chain, t] if fixed_flows_t is not None else np.zeros(0)
    commodities = Names(instance["commodities"]["commodity"])
    of_bundle = commodities.of(prepared.bundles["commodity"])
    cost, ledger = _costs(instance, prepared, world, time, column=column, lanes=lanes, services=services)
    groups, terminals = _uses(instance, prepared, world)
    return Flows(
        chain, t, bundle[chain], prepared.demand_t[bundle[chain], t], of_bundle[bundle[chain]],
        Names(MODES).of(chains["main_mode"])[chain], fixed, cost, ledger,
        _spread(driven, on, column), _spread(*groups, column), _spread(*terminals, column),
        _needs(instance, chains["projects"].tolist(), column),
    )  # fmt: skip


def _ready(projects: list[str], time: Time, earliest: dict[str, int] | None) -> np.ndarray:
    ready = np.ones((len(projects), time.size), bool)
    for c, needed in enumerate(projects):
        if needed:
            year = np.inf if earliest is None else max(earliest[project] for project in needed.split(";"))
            ready[c] = time.years >= year
    return ready


def _given(prepared: Prepared, bundle: Ints, fixed_flows_t: Floats) -> Floats:
    """Given flows without dust, scaled in their last digits so that each bundle's demand is met exactly."""
    demand = prepared.demand_t
    if fixed_flows_t.shape != (len(bundle), demand.shape[1]) or not np.isfinite(fixed_flows_t).all():
        raise ModelError(f"fixed_flows_t must be finite and of shape {(len(bundle), demand.shape[1])}")
    flows = np.where(fixed_flows_t > FLOW_DUST * demand[bundle], fixed_flows_t, 0.0)
    total = np.zeros(demand.shape)
    np.add.at(total, bundle, flows)
    wrong = np.abs(total - demand) > 1e-6 * demand
    for b, t in np.argwhere(wrong)[:1].tolist():
        raise ModelError(f"given flows of bundle {b} carry {total[b, t]:.6g} t in period {t}, not {demand[b, t]:.6g} t")
    return flows * np.divide(demand, total, out=np.zeros_like(total), where=total > 0)[bundle]


def _refuse(instance: Instance, prepared: Prepared, wrong: np.ndarray, why: str) -> None:
    for c, t in np.argwhere(wrong)[:1].tolist():
        raise ModelError(f"chain {c} {why} in {instance.periods[t].year}: {_bundle(prepared, c)}")


def _bundle(prepared: Prepared, chain: int) -> str:
    row = prepared.bundles.iloc[int(prepared.chains["bundle"].iloc[chain])]
    return f"{row['commodity']} from {row['origin']} to {row['destination']}"


def _complain(prepared: Prepared, time: Time, unserved: np.ndarray) -> None:
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


def _spread(chain: Ints, what: Ints, column: Ints) -> tuple[Ints, Ints, Floats]:
    """Uses per chain turned into uses per column: (column, what, times)."""
    at = column[chain]  # (n, T)
    row, t = np.nonzero(at >= 0)
    most = int(what.max(initial=0)) + 1
    code, times = np.unique(at[row, t] * most + what[row], return_counts=True)
    return code // most, code % most, times.astype(float)


def _uses(instance: Instance, prepared: Prepared, world: World) -> tuple[tuple[Ints, Ints], tuple[Ints, Ints]]:
    """(chain, capacity group) of the links of chains, of lanes the limited ones; (chain, terminal) of transfers."""
    steps = prepared.steps
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
    col, project, _ = _spread(chain, what, column)
    return col, project


def _costs(
    instance: Instance,
    prepared: Prepared,
    world: World,
    time: Time,
    *,
    column: Ints,
    lanes: Lanes,
    services: pd.DataFrame,
) -> tuple[dict[str, Floats], Ledger]:
    steps, chains = prepared.steps, prepared.chains
    count = int(column.max(initial=-1)) + 1
    goods = instance["commodities"].set_index("commodity")
    commodity = prepared.bundles["commodity"].iloc[chains["bundle"]].to_numpy()
    handling = world.handlings.of(goods.loc[commodity, "handling"])
    hour_eur = goods.loc[commodity, "value_of_time_eur_per_t_h"].to_numpy(float)

    lane = steps[steps["kind"] == "lane"]
    on, by = lane["lane"].to_numpy(np.int64), lane["chain"].to_numpy(np.int64)
    hours = sum_by(by, lanes.time_h[on], size=len(chains))
    due = sum_by(by, lanes.charge_eur_per_t[on], size=len(chains))

    direct = steps[steps["kind"] == "link"]
    by, link = direct["chain"].to_numpy(np.int64), world.links.of(direct["link"])
    hours += sum_by(by, world.link_h[link], size=len(chains))
    service, on_links = _service(world, time, services, by=by, link=link, handling=handling, column=column)

    moves, h_moves = _transfers(instance, world, steps, handling)
    by = moves["chain"].to_numpy(np.int64)
    hours += sum_by(by, h_moves["time_h"], size=len(chains))
    lift = sum_by(by, h_moves["cost_eur_per_t"], size=len(chains))
    at = column[by]
    row, t = np.nonzero(at >= 0)
    place = world.node_country[world.nodes.of(moves["from_node"])]
    on_nodes = pd.DataFrame({
        "col": at[row, t], "t": t, "country": place[row], "mode": TRANSFER, "carrier": -1, "area": -1, "kwh": 0.0,
        "ttw_kg": h_moves["ttw_kg_co2e_per_t"][row], "wtt_kg": h_moves["wtt_kg_co2e_per_t"][row],
    })  # fmt: skip
    ledger = ledger_of(pd.concat([on_links, on_nodes], ignore_index=True))
    chain, t = np.nonzero(column >= 0)
    cost = {
        "service": due[chain] + service[chain, t],
        "handling": lift[chain],
        "cargo_time": hours[chain] * hour_eur[chain],
        "carbon": ledger.carbon_eur(count, price_eur_per_t=world.carbon_price, base=instance.meta.carbon_base),
    }
    return cost, ledger


def _service(
    world: World, time: Time, services: pd.DataFrame, *, by: Ints, link: Ints, handling: Ints, column: Ints
) -> tuple[Floats, pd.DataFrame]:
    """Service cost per tonne (chains, periods), and ledger rows of the link steps."""
    period = {int(year): t for t, year in enumerate(time.years)}
    table = services[services["year"].isin(list(period))]
    l_, h_ = world.links.of(table["link"]), world.handlings.of(table["handling"])
    offers = pd.DataFrame({
        "pair": l_ * len(world.handlings) + h_, "t": [period[int(y)] for y in table["year"]],
        "country": world.countries.of(table["country"]), "carrier": world.carriers.of(table["energy_carrier"]),
        "cost": table["cost_eur_per_t"].to_numpy(float), "kwh": table["kwh_per_t"].to_numpy(float),
        "ttw_kg": table["ttw_kg_per_t"].to_numpy(float), "wtt_kg": table["wtt_kg_per_t"].to_numpy(float),
    })  # fmt: skip
    mode = pd.Series(world.link_mode, name="mode")
    steps = pd.DataFrame(
        {"chain": by, "pair": link * len(world.handlings) + handling[by], "mode": mode[link].to_numpy()}
    )
    times = steps.groupby(["chain", "pair", "mode"], sort=True).size().rename("times").reset_index()
    used = times.merge(offers, on="pair", how="left")
    periods_of = offers.groupby("pair")["t"].nunique()
    served = times["pair"].map(periods_of).fillna(0)
    for pair in times.loc[served < time.size, "pair"].head(1).tolist():
        link_id, h = world.links[pair // len(world.handlings)], world.handlings[pair % len(world.handlings)]
        raise ModelError(
            f"link {link_id} has no service for {h} in every period; add a vehicle that may carry it there"
        )
    cost = np.zeros(column.shape)
    chain, t = used["chain"].to_numpy(np.int64), used["t"].to_numpy(np.int64)
    np.add.at(cost, (chain, t), (used["cost"] * used["times"]).to_numpy(float))
    frame = pd.DataFrame({"col": column[chain, t], "t": t, "country": used["country"], "mode": used["mode"]})
    frame["carrier"], frame["area"] = used["carrier"], -1
    for name in ("kwh", "ttw_kg", "wtt_kg"):
        frame[name] = used[name] * used["times"]
    return cost, frame[frame["col"] >= 0]


def _transfers(
    instance: Instance, world: World, steps: pd.DataFrame, handling: Ints
) -> tuple[pd.DataFrame, dict[str, Floats]]:
    """The transfer steps and, row by row, their figures in `handling_costs` (which holds for both ways)."""
    moves = steps[steps["kind"] == "transfer"].reset_index(drop=True)
    modes, table = Names(MODES), instance["handling_costs"]
    key = _pair(modes.of(table["mode_a"]), modes.of(table["mode_b"])) * 100 + world.handlings.of(table["handling"])
    wanted = _pair(modes.of(moves["mode_a"]), modes.of(moves["mode_b"])) * 100
    wanted = wanted + handling[moves["chain"].to_numpy(np.int64)]
    row = pd.Index(key).get_indexer(pd.Index(wanted))
    for lost in np.flatnonzero(row < 0)[:1].tolist():
        step = moves.iloc[lost]
        h = world.handlings[int(wanted[lost]) % 100]
        raise ModelError(f"handling_costs.csv has no row for {step['mode_a']} to {step['mode_b']} of {h}; add one")
    columns = ("cost_eur_per_t", "time_h", "ttw_kg_co2e_per_t", "wtt_kg_co2e_per_t")
    return moves, {column: table[column].to_numpy(float)[row] for column in columns}


def _pair(a: Ints, b: Ints) -> Ints:
    return np.minimum(a, b) * 10 + np.maximum(a, b)
