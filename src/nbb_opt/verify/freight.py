"""Chains and what they carry, read in blocks of chains; kept are sums, and tonnes of every bundle and lane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nbb_opt.recompute import (
    FLOW,
    MODE_ORDER,
    Chains,
    Demand,
    Network,
    Words,
    World,
    find,
    in_blocks,
    pick,
    read_chains,
    total,
)
from nbb_opt.verify import limits, paths
from nbb_opt.verify.verdict import Checks

SERVED = ["link", "cargo_type", "year"]
FLOWS_AT_ONCE = 262_144
KEPT = ["before", "year", "commodity", "main_mode"]


@dataclass(frozen=True, kw_only=True)
class Freight:
    """`bundle_t`, `lane_t`: t by row of Network.bundles or Network.lanes and period, NaN where nothing is said.

    `served`: link, cargo_type, year, tonnes. `terminals`: row, year, used (t). `hub_eur`: year, amount_eur and
    `hub_kg`: year, country, ttw_kg, wtt_kg of transfers. `fares`, `cargo`, `constants`: year, amount_eur of charges of
    links, of cargo time and of mode constants. `kept`: before, year, commodity, main_mode, now (t), then (t of the
    period before times the growth of the bundle) of bundles with demand in both. `chain_checks`, `built_checks`: one
    for every block.
    """

    bundle_t: np.ndarray
    lane_t: np.ndarray
    served: pd.DataFrame
    terminals: pd.DataFrame
    hub_eur: pd.DataFrame
    hub_kg: pd.DataFrame
    fares: pd.DataFrame
    cargo: pd.DataFrame
    constants: pd.DataFrame
    kept: pd.DataFrame
    chain_checks: list[Checks]
    built_checks: list[Checks]


def read_freight(
    world: World,
    network: Network,
    tables: Mapping[str, pd.DataFrame],
    *,
    demand_t: np.ndarray,
    compared_t: np.ndarray,
    lane_charge: pd.Series,
    built: pd.Series,
    constant_eur: np.ndarray,
) -> Freight:
    """Read and check `chains`, `chain_steps` and `flows`.

    `demand_t` (bundles, periods) is what has to be carried, `compared_t` that which rows of modes compare;
    `lane_charge` EUR/t has index lane; `built` has index project, year. `constant_eur` (bundles, modes) is counted per
    tonne, modes as MODE_ORDER.
    """
    years = pd.Index(world.years)
    charge = lane_charge.reindex(network.lanes.index).to_numpy(dtype=float)
    bundle_t, lane_t = (np.full((len(frame), len(years)), np.nan) for frame in (network.bundles, network.lanes))
    parts: dict[str, list[pd.DataFrame]] = {}
    chain_checks, built_checks = [], []
    for block in in_blocks(tables, "chain", ["chains", "chain_steps", "flows"]):
        chains = read_chains(network, block)
        checks = Checks()
        paths.check_chains(network, chains, checks)
        chain_checks.append(checks)
        owner = find(pd.Index(chains.table["chain"]), block["flows"]["chain"])
        flows = block["flows"].assign(owner=owner, t=find(years, block["flows"]["year"]))
        flows = flows[owner >= 0].reset_index(drop=True)
        bundle_at = pick(chains.table["bundle_at"], flows["owner"].to_numpy())
        _add(bundle_t, bundle_at, flows)
        needed = paths.needed_projects(network, chains)
        limit_t = demand_t[bundle_at, flows["t"]]
        built_checks.append(limits.check_built(flows.assign(demand=limit_t), needed, built))
        on_lane = chains.steps.loc[chains.steps["is_lane"], ["owner", "lane_at"]].merge(flows, on="owner")
        _add(lane_t, on_lane["lane_at"].to_numpy(), on_lane)
        for name, part in _sums(world, network, chains, flows, charge).items():
            parts.setdefault(name, []).append(part)
        mode = find(pd.Index(MODE_ORDER), paths.main_modes(network, chains))[flows["owner"]]
        counted = flows["tonnes"] * constant_eur[bundle_at, mode]
        parts.setdefault("constants", []).append(flows[["year"]].assign(amount_eur=counted))
        parts.setdefault("kept", []).append(_kept(world, network, chains, flows, compared_t[bundle_at]))
    keys = {"served": SERVED, "terminals": ["row", "year"], "hub_eur": ["year"], "hub_kg": ["year", "country"],
            "fares": ["year"], "cargo": ["year"], "constants": ["year"], "kept": KEPT}  # fmt: skip
    sums = {name: pd.concat(parts[name], ignore_index=True) for name in keys}
    sums = {
        name: total(rows, keys[name], *rows.columns.difference(keys[name], sort=False)) for name, rows in sums.items()
    }
    return Freight(bundle_t=bundle_t, lane_t=lane_t, **sums, chain_checks=chain_checks, built_checks=built_checks)


def _add(sums: np.ndarray, row: np.ndarray, flows: pd.DataFrame) -> None:
    """Add `tonnes` to (row, t) of `sums`."""
    place, inverse = np.unique(row.astype(np.int64) * sums.shape[1] + flows["t"].to_numpy(), return_inverse=True)
    added = np.bincount(inverse, flows["tonnes"].to_numpy(), minlength=place.size)
    sums.flat[place] = np.nan_to_num(sums.flat[place]) + added


def _sums(
    world: World, network: Network, chains: Chains, flows: pd.DataFrame, lane_charge: np.ndarray
) -> dict[str, pd.DataFrame]:
    """The frames of Freight but `kept`, of some chains."""
    words, steps = network.words, chains.steps
    carried = flows[["owner", "year", "tonnes"]]
    on_link = steps.loc[steps["is_link"], ["owner", "link", "cargo_type"]].merge(carried, on="owner")
    at_terminal = steps.loc[steps["terminal"] != words.number(""), ["owner", "terminal"]].merge(carried, on="owner")
    terminals = total(at_terminal.rename(columns={"terminal": "row", "tonnes": "used"}), ["row", "year"], "used")
    hubs = steps.loc[steps["is_transfer"], ["owner", "from_node", "handled_at"]].merge(carried, on="owner")
    rate = {
        name: pick(network.handling[name].astype(float), hubs["handled_at"].to_numpy(), np.nan)
        for name in ("cost_eur_per_t", "ttw_kg_co2e_per_t", "wtt_kg_co2e_per_t")
    }
    country = world.indexed("nodes")["country"]
    hubs = hubs.assign(
        country=_text(words, hubs["from_node"]).map(country).to_numpy(),
        amount_eur=hubs["tonnes"] * rate["cost_eur_per_t"],
        ttw_kg=hubs["tonnes"] * rate["ttw_kg_co2e_per_t"],
        wtt_kg=hubs["tonnes"] * rate["wtt_kg_co2e_per_t"],
    )
    fare = np.select(
        [steps["is_lane"], steps["is_link"]],
        [pick(lane_charge, steps["lane_at"].to_numpy(), np.nan),
         pick(network.links["charge_eur_per_t"].astype(float), steps["link_at"].to_numpy(), np.nan)],
        0.0,
    )  # fmt: skip
    own = steps["owner"].to_numpy() >= 0
    per_t = [
        np.bincount(steps["owner"].to_numpy()[own], amount[own], minlength=len(chains.table))
        for amount in (fare, steps["true_h"].to_numpy())
    ]
    goods = find(network.commodities.index, chains.table["commodity"])
    hour = pick(network.commodities["value_of_time_eur_per_t_h"].astype(float), goods, np.nan)
    of = flows["owner"].to_numpy()
    fares = flows[["year"]].assign(amount_eur=flows["tonnes"] * per_t[0][of])
    cargo = flows[["year"]].assign(amount_eur=flows["tonnes"] * per_t[1][of] * hour[of])
    served = total(on_link, SERVED, "tonnes")
    return {
        "served": served.assign(link=_text(words, served["link"]), cargo_type=_text(words, served["cargo_type"])),
        "terminals": terminals.assign(row=_text(words, terminals["row"])),
        "hub_eur": total(hubs, ["year"], "amount_eur"),
        "hub_kg": total(hubs, ["year", "country"], "ttw_kg", "wtt_kg"),
        "fares": total(fares, ["year"], "amount_eur"),
        "cargo": total(cargo, ["year"], "amount_eur"),
    }


def _text(words: Words, numbers: pd.Series) -> pd.Series:
    return words.texts(numbers.to_numpy())


def _kept(world: World, network: Network, chains: Chains, flows: pd.DataFrame, demand_t: np.ndarray) -> pd.DataFrame:
    """Frame `kept` of Freight for some flows; `demand_t` (flows, periods) is that of their bundles."""
    of = flows["owner"].to_numpy()
    rows = flows[["year", "tonnes"]].assign(
        commodity=_text(network.words, chains.table["commodity"]).to_numpy()[of],
        main_mode=paths.main_modes(network, chains)[of],
    )
    parts = []
    for t, (before, year) in enumerate(zip(world.years, world.years[1:], strict=False)):
        both = (demand_t[:, t] > 0) & (demand_t[:, t + 1] > 0)
        some = rows[both]
        growth = demand_t[both, t + 1] / demand_t[both, t]
        now = np.where(some["year"] == year, some["tonnes"], 0.0)
        then = np.where(some["year"] == before, some["tonnes"] * growth, 0.0)
        parts.append(some[["commodity", "main_mode"]].assign(before=before, year=year, now=now, then=then))
    empty = pd.DataFrame({name: rows[name][:0] if name in rows else [] for name in [*KEPT, "now", "then"]})
    return total(pd.concat([empty, *parts], ignore_index=True), KEPT, "now", "then")


def check_demand(
    world: World,
    demand: Demand,
    bundles: pd.DataFrame,
    *,
    said_t: np.ndarray,
    carried_t: np.ndarray,
    sourced_t: np.ndarray,
    checks: Checks,
) -> None:
    """`agree_demand`: the plan's demand is the instance's. `serve_demand`: the chains of a bundle carry all of it.

    `said_t`, `carried_t` (bundles, periods) are NaN where the plan says nothing; `sourced_t` is what suppliers add.
    """
    words = pd.Index(sorted({*demand.words, *(word for name in FLOW for word in bundles[name].unique())}))
    own, theirs = np.zeros(len(demand.flows), np.int64), np.zeros(len(bundles), np.int64)
    for name in FLOW:
        own = own * len(words) + find(words, demand.words)[demand.flows[name]]
        code, texts = pd.factorize(bundles[name])
        theirs = theirs * len(words) + find(words, texts)[code]
    keys = np.union1d(own, theirs)
    rows = [np.full(keys.size, -1) for _ in range(2)]
    for row, mine in zip(rows, (own, theirs), strict=True):
        row[np.searchsorted(keys, mine)] = np.arange(mine.size)
    checks.gather(
        _compare(demand.tonnes, said_t, carried_t, sourced_t, at=[row[start : start + FLOWS_AT_ONCE] for row in rows],
                 keys=keys[start : start + FLOWS_AT_ONCE], words=words, years=world.years)
        for start in range(0, keys.size, FLOWS_AT_ONCE)
    )  # fmt: skip


def _compare(
    true_t: np.ndarray, said_t: np.ndarray, carried_t: np.ndarray, sourced_t: np.ndarray,
    *, at: Sequence[np.ndarray], keys: np.ndarray, words: pd.Index, years: Sequence[int],
) -> Checks:  # fmt: skip
    """Some flows, in rows `at[0]` of the instance's demand and `at[1]` of the plan's bundles; -1: none."""
    checks = Checks()
    true = np.where((at[0] >= 0)[:, None], true_t[at[0]], 0.0) if len(true_t) else np.zeros((keys.size, len(years)))
    sourced = np.where((at[1] >= 0)[:, None], sourced_t[at[1]], 0.0) if len(sourced_t) else np.zeros(true.shape)
    for rule, tonnes, wanted in (("agree_demand", said_t, true), ("serve_demand", carried_t, true + sourced)):
        found = np.where((at[1] >= 0)[:, None], tonnes[at[1]], np.nan) if len(tonnes) else np.full(true.shape, np.nan)
        row, t = np.nonzero((wanted != 0.0) | ~np.isnan(found))

        def where(i: int, row: np.ndarray = row, t: np.ndarray = t) -> str:
            rest, commodity = divmod(int(keys[row[i]]), len(words))
            origin, destination = divmod(rest, len(words))
            return f"{words[origin]} to {words[destination]} of {words[commodity]} {years[t[i]]}"

        checks.compare(rule, np.nan_to_num(found[row, t]), "==", wanted[row, t], where=where, unit="t")
    return checks
