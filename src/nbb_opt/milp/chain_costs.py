"""What a tonne pays and emits on the steps of chains: services, transfers, and the charges of roads."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nbb_opt.errors import ModelError
from nbb_opt.instance import Instance
from nbb_opt.instance.schema import MODES
from nbb_opt.milp.lanes import Lanes
from nbb_opt.milp.ledger import Ledger, ledger_of
from nbb_opt.milp.periods import Floats, Ints, Names, Time, sum_by
from nbb_opt.milp.world import World

TRANSFER = len(MODES)  # `mode` of a transfer in a ledger


def step_costs(
    instance: Instance,
    world: World,
    time: Time,
    steps: pd.DataFrame,
    *,
    handling: Ints,
    column: Ints,
    lanes: Lanes,
    services: pd.DataFrame,
) -> tuple[dict[str, Floats], Ledger, Floats]:
    """Cost of each column by component, its ledger, and hours by chain; `column` (chains, periods), -1 for none.

    `handling` is that of each chain. What the hours cost depends on the goods; it is not in the costs.
    """
    count, size = int(column.max(initial=-1)) + 1, len(column)
    lane = steps[steps["kind"] == "lane"]
    on, by = lane["lane"].to_numpy(np.int64), lane["chain"].to_numpy(np.int64)
    hours = sum_by(by, lanes.time_h[on], size=size)
    due = sum_by(by, lanes.charge_eur_per_t[on], size=size)

    direct = steps[steps["kind"] == "link"]
    by, link = direct["chain"].to_numpy(np.int64), world.links.of(direct["link"])
    hours += sum_by(by, world.link_h[link], size=size)
    service, on_links = _service(world, time, services, by=by, link=link, handling=handling, column=column)

    moves, h_moves = _transfers(instance, world, steps, handling)
    by = moves["chain"].to_numpy(np.int64)
    hours += sum_by(by, h_moves["time_h"], size=size)
    lift = sum_by(by, h_moves["cost_eur_per_t"], size=size)
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
        "carbon": ledger.carbon_eur(count, price_eur_per_t=world.carbon_price, base=instance.meta.carbon_base),
    }
    return cost, ledger, hours


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
