"""What a tonne costs, emits and uses on every lane, service and transfer: figures that chains only add up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from nbb_opt.errors import ModelError
from nbb_opt.instance import Instance
from nbb_opt.instance.schema import MODES
from nbb_opt.model.data.base import BaseData
from nbb_opt.model.data.costs import EmissionEntries, ledger_of
from nbb_opt.model.data.lanes import Lanes
from nbb_opt.model.data.periods import Floats, Ints, Names, Time, sum_by

if TYPE_CHECKING:
    from nbb_opt.network import Prepared

TRANSFER = len(MODES)  # `mode` of a transfer in a ledger


@dataclass(frozen=True, kw_only=True)
class ItemFigures:
    """Per tonne on an item (I) of `Prepared.items`: EUR, hours, emissions and energy, and what of limits it uses.

    `open` (I, T): whether it can be used (a lane by some truck). `service_eur` (I, T) has the services and the charges
    of links, `handling_eur` (I,) transfers. `ledger` has the item as `col`; trucks are not in it, nor in any cost.
    `uses_lane` (I, lanes), `uses_group` (I, capacity groups: of lanes the limited links only), `uses_terminal` (I,
    terminals) say how often.
    """

    open: np.ndarray
    hours: Floats
    service_eur: Floats
    handling_eur: Floats
    ledger: EmissionEntries
    uses_lane: csr_array
    uses_group: csr_array
    uses_terminal: csr_array


def item_figures(
    instance: Instance, prepared: Prepared, base: BaseData, time: Time, *, lanes: Lanes, services: pd.DataFrame
) -> ItemFigures:
    """Add up the links of every item; models/README.md sections 3 and 5.

    Raises ModelError where a link has no service in some period or `handling_costs` lacks a row.
    """
    items = prepared.items
    size, n_lanes = len(items), items.n_lanes
    usable = np.ones((size, time.size), bool)
    usable[:n_lanes] = lanes.usable.any(axis=1)
    service, on_links = _services(prepared, base, time, services)
    service[:n_lanes] += lanes.charge_eur_per_t[:, None]
    hours, lift, on_nodes = _transfers(instance, prepared, base, time)
    hours[:n_lanes] += lanes.time_h
    owner, link = links_of_services(prepared)
    hours += sum_by(owner, base.link_h[link], size=size)
    on_lanes, lane_link = links_of_lanes(prepared, np.isfinite(base.link_capacity_t[base.link_group]))
    owner, group = np.concatenate([on_lanes, owner]), base.link_group[np.concatenate([lane_link, link])]
    held = Names(instance["terminals"]["terminal"])
    moved = np.flatnonzero(items.transfer >= 0)
    terminal = held.of(instance["transfers"]["terminal"])[items.transfer[moved]]
    return ItemFigures(
        open=usable, hours=hours, service_eur=service, handling_eur=lift,
        ledger=ledger_of(pd.concat([on_links, on_nodes], ignore_index=True)),
        uses_lane=_counts(np.arange(n_lanes), np.arange(n_lanes), (size, n_lanes)),
        uses_group=_counts(owner, group, (size, len(base.links))),
        uses_terminal=_counts(moved[terminal >= 0], terminal[terminal >= 0], (size, len(held))),
    )  # fmt: skip


def links_of_services(prepared: Prepared) -> tuple[Ints, Ints]:
    """(item, row of links.csv) of every link of every service."""
    items = prepared.items
    start = items.link_start[items.n_lanes :]
    owner = np.repeat(np.arange(items.n_lanes, len(items)), np.diff(start))
    return owner, items.link[start[0] :].astype(np.int64)


def links_of_lanes(prepared: Prepared, some: np.ndarray) -> tuple[Ints, Ints]:
    """(lane, row of links.csv) of every link of every lane that is one of `some` (rows of links.csv)."""
    items = prepared.items
    entry = np.flatnonzero(some[items.link[: items.link_start[items.n_lanes]]])
    lane = np.searchsorted(items.link_start, entry, side="right") - 1
    return lane, items.link[entry].astype(np.int64)


def chain_items(prepared: Prepared) -> csr_array:
    """How often every chain has every item, (chains, items)."""
    rows = prepared.rows
    shape = (len(rows), len(prepared.items))
    found = csr_array((np.ones(rows.item.size), rows.item.copy(), rows.item_start.copy()), shape=shape)
    found.sum_duplicates()
    return found


def _counts(row: Ints, column: Ints, shape: tuple[int, int]) -> csr_array:
    found = csr_array((np.ones(len(row)), (row, column)), shape=shape)
    found.sum_duplicates()
    return found


def _services(prepared: Prepared, base: BaseData, time: Time, services: pd.DataFrame) -> tuple[Floats, pd.DataFrame]:
    """EUR per tonne (items, periods), and ledger rows of every service."""
    period = {int(year): t for t, year in enumerate(time.years)}
    table = services[services["year"].isin(list(period))]
    l_, h_ = base.links.of(table["link"]), base.cargo_types.of(table["cargo_type"])
    offers = pd.DataFrame({
        "pair": l_ * len(base.cargo_types) + h_, "t": [period[int(y)] for y in table["year"]],
        "country": base.countries.of(table["country"]), "carrier": base.carriers.of(table["energy_carrier"]),
        "cost": table["cost_eur_per_t"].to_numpy(float), "kwh": table["kwh_per_t"].to_numpy(float),
        "ttw_kg": table["ttw_kg_per_t"].to_numpy(float), "wtt_kg": table["wtt_kg_per_t"].to_numpy(float),
    })  # fmt: skip
    items = prepared.items
    owner, link = links_of_services(prepared)
    wanted = pd.DataFrame({
        "col": owner, "pair": link * len(base.cargo_types) + items.cargo_type[owner], "mode": base.link_mode[link],
    })  # fmt: skip
    periods_of = offers.groupby("pair")["t"].nunique()
    for pair in np.setdiff1d(wanted["pair"], periods_of.index[periods_of == time.size])[:1].tolist():
        link_id, h = base.links[pair // len(base.cargo_types)], base.cargo_types[pair % len(base.cargo_types)]
        raise ModelError(
            f"link {link_id} has no service for {h} in every period; add a vehicle that may carry it there"
        )
    used = wanted.merge(offers, on="pair", how="left")
    at = used["col"].to_numpy(np.int64) * time.size + used["t"].to_numpy(np.int64)
    cost = sum_by(at, used["cost"].to_numpy(float), size=len(items) * time.size)
    return cost.reshape(len(items), time.size), used.assign(area=-1)


def _transfers(
    instance: Instance, prepared: Prepared, base: BaseData, time: Time
) -> tuple[Floats, Floats, pd.DataFrame]:
    """Hours and EUR per tonne (items,), and ledger rows of every transfer; `handling_costs` holds for both ways."""
    items, table, modes = prepared.items, instance["handling_costs"], Names(MODES)
    moved = np.flatnonzero(items.transfer >= 0)
    key = _pair(modes.of(table["mode_a"]), modes.of(table["mode_b"])) * 100 + base.cargo_types.of(table["cargo_type"])
    before, after = items.mode_a[moved].astype(np.int64), items.mode_b[moved].astype(np.int64)
    row = pd.Index(key).get_indexer(pd.Index(_pair(before, after) * 100 + items.cargo_type[moved]))
    for lost in np.flatnonzero(row < 0)[:1].tolist():
        h, a, b = base.cargo_types[int(items.cargo_type[moved[lost]])], MODES[before[lost]], MODES[after[lost]]
        raise ModelError(f"handling_costs.csv has no row for {a} to {b} of {h}; add one")
    hours, cost = np.zeros(len(items)), np.zeros(len(items))
    hours[moved], cost[moved] = table["time_h"].to_numpy(float)[row], table["cost_eur_per_t"].to_numpy(float)[row]
    each, t = np.repeat(np.arange(len(moved)), time.size), np.tile(np.arange(time.size), len(moved))
    on_nodes = pd.DataFrame({
        "col": moved[each], "t": t, "country": base.node_country[items.from_node[moved]][each], "mode": TRANSFER,
        "carrier": -1, "area": -1, "kwh": 0.0, "ttw_kg": table["ttw_kg_co2e_per_t"].to_numpy(float)[row][each],
        "wtt_kg": table["wtt_kg_co2e_per_t"].to_numpy(float)[row][each],
    })  # fmt: skip
    return hours, cost, on_nodes


def _pair(a: Ints, b: Ints) -> Ints:
    return np.minimum(a, b) * 10 + np.maximum(a, b)
