"""What a tonne costs and emits on every link and transfer, by cargo type and period: the weights chains are sought by.

Rail, sea and ferry are exact (the services). The road is priced with the cheapest truck of today's technologies on
each link, purchase included; that only decides which chains are candidates, the model prices lanes itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance import Instance, by_period
from nbb_opt.instance.schema import CARGO_TYPES, MODES
from nbb_opt.network.graph import CARGO_TYPE_INDEX, Graph
from nbb_opt.network.services import options, services


@dataclass(frozen=True, kw_only=True)
class Amounts:
    """EUR and kg CO2e per tonne, by cargo type (first axis, as in schema.CARGO_TYPES) and period (second axis).

    link_cost, link_carbon_cost, link_ttw, link_wtt (cargo types, periods, links); infinite cost where there is no
    service or truck. transfer_cost, transfer_ttw, transfer_wtt (cargo types, transfers), transfer_carbon_cost (cargo
    types, periods, transfers); infinite cost where the cargo type has no row in handling_costs. Times in h: link_time
    (links,), transfer_time (cargo types, transfers). link_replaceable (kinds, cargo types, periods, links) has the kWh
    that other fuels may replace, by what they replace (mode and energy carrier; not of trucks).
    """

    link_cost: np.ndarray
    link_carbon_cost: np.ndarray
    link_ttw: np.ndarray
    link_wtt: np.ndarray
    link_time: np.ndarray
    link_replaceable: np.ndarray
    transfer_cost: np.ndarray
    transfer_carbon_cost: np.ndarray
    transfer_ttw: np.ndarray
    transfer_wtt: np.ndarray
    transfer_time: np.ndarray


def make_amounts(instance: Instance, graph: Graph) -> Amounts:
    """Weights of every link and transfer. Raises InstanceError if a price is missing or a change of mode has two."""
    years = [period.year for period in instance.periods]
    links = instance["links"]
    shape = (len(CARGO_TYPES), len(years), len(links))
    cost, carbon, ttw, wtt = np.full(shape, np.inf), np.zeros(shape), np.zeros(shape), np.zeros(shape)
    link_row = {name: i for i, name in enumerate(links["link"])}
    year_row = {year: i for i, year in enumerate(years)}
    price = _carbon_price(instance)

    served = services(instance)
    taxed = served["ttw_kg_per_t"] + (0 if instance.meta.carbon_base == "TTW" else served["wtt_kg_per_t"])
    served = served.assign(carbon=taxed * _prices(price, served) / 1000)
    totals = served.groupby(["cargo_type", "year", "link"], sort=False)[
        ["cost_eur_per_t", "carbon", "ttw_kg_per_t", "wtt_kg_per_t"]
    ].sum()
    index = totals.index.to_frame(index=False)
    at = (
        index["cargo_type"].map(CARGO_TYPE_INDEX).to_numpy(dtype=np.int64),
        index["year"].map(year_row).to_numpy(dtype=np.int64),
        index["link"].map(link_row).to_numpy(dtype=np.int64),
    )
    for target, column in zip((cost, carbon, ttw, wtt), totals.columns, strict=True):
        target[at] = totals[column].to_numpy()

    modes = served["link"].map(links.set_index("link")["mode"])
    rules = instance["fuel_substitutes"]
    kinds = rules.loc[rules["mode"] != "road", ["mode", "replaces"]].drop_duplicates().to_numpy().tolist()
    replaceable = np.zeros((len(kinds), *shape))
    for target, (mode, carrier) in zip(replaceable, kinds, strict=True):
        mine = (modes == mode) & (served["energy_carrier"] == carrier)
        kwh = served[mine].groupby(["cargo_type", "year", "link"])["kwh_per_t"].sum()
        target[at] = kwh.reindex(totals.index, fill_value=0.0).to_numpy()

    trucks = _road(instance)
    at = (
        trucks["cargo_type_row"].to_numpy(dtype=np.int64),
        trucks["year"].map(year_row).to_numpy(dtype=np.int64),
        trucks["row"].to_numpy(dtype=np.int64),
    )
    km = trucks["distance_km"]
    cost[at] = km * trucks["truck_eur_per_tkm"] + trucks["charge_eur_per_t"]
    carbon[at], ttw[at], wtt[at] = (
        (km * trucks[c]).to_numpy() for c in ("carbon_eur_per_tkm", "ttw_kg_per_tkm", "wtt_kg_per_tkm")
    )
    cost = np.where(np.isfinite(cost).all(axis=1, keepdims=True), cost, np.inf)

    cargo_type = _handling(instance, graph)
    taxed_kg = cargo_type[2] + (0 if instance.meta.carbon_base == "TTW" else cargo_type[3])
    country = instance["nodes"].set_index("node")["country"]
    at_node = np.array(
        [[price.get((c, year), 0.0) for c in instance["transfers"]["node"].map(country)] for year in years]
    )
    return Amounts(
        link_cost=cost, link_carbon_cost=carbon, link_ttw=ttw, link_wtt=wtt, link_time=links["time_h"].to_numpy(),
        link_replaceable=replaceable,
        transfer_cost=cargo_type[0],
        transfer_carbon_cost=taxed_kg[:, None, :] * at_node.reshape(1, len(years), -1) / 1000,
        transfer_ttw=cargo_type[2], transfer_wtt=cargo_type[3], transfer_time=cargo_type[1],
    )  # fmt: skip


def _carbon_price(instance: Instance) -> dict[tuple[str, int], float]:
    rows = by_period(instance, "country_years")
    return dict(
        zip(zip(rows["country"], rows["year"], strict=True), rows["carbon_price_eur_per_t"].to_numpy(), strict=True)
    )


def _prices(price: dict[tuple[str, int], float], rows: pd.DataFrame) -> np.ndarray:
    return np.array([price[key] for key in zip(rows["country"], rows["year"], strict=True)], dtype=float)


def _road(instance: Instance) -> pd.DataFrame:
    """The cheapest truck on every road link by cargo type and period; of today's technologies wherever there is one."""
    links = instance["links"]
    found = options(instance, links.loc[links["mode"] == "road"])
    vehicles = instance["vehicles"]
    today = set(vehicles.loc[vehicles["vehicle"].isin(instance["fleet"]["vehicle"]), "technology"])
    owned = vehicles[["vehicle", "annual_km", "lifetime_years"]].rename(columns={"annual_km": "of_any_cargo_km"})
    years = by_period(instance, "vehicle_years")[["vehicle", "year", "capex_eur", "fixed_eur_per_year"]]
    found = found.merge(owned, on="vehicle").merge(years, on=["vehicle", "year"])
    owning = (found["capex_eur"] / found["lifetime_years"] + found["fixed_eur_per_year"]) / found["annual_km"].fillna(
        found["of_any_cargo_km"]
    )
    driving = found["time_h"] / found["distance_km"] * found["driver_cost_eur_per_h"]
    truck = found["cost_eur_per_tkm"] + found["vkm_per_tkm"] * (driving + owning)
    found = found.assign(
        truck_eur_per_tkm=truck,
        full_cost=truck + found["carbon_eur_per_tkm"],
        new=~found["technology"].isin(today),
    )
    case = ["row", "cargo_type_row", "year"]
    return found.sort_values([*case, "new", "full_cost", "vehicle"], kind="stable").drop_duplicates(case)


def _handling(instance: Instance, graph: Graph) -> tuple[np.ndarray, ...]:
    """Cost, hours, TTW, WTT kg of a transfer per tonne, (cargo types, transfers); infinite cost where not priced."""
    table = instance["handling_costs"]
    columns = ("cost_eur_per_t", "time_h", "ttw_kg_co2e_per_t", "wtt_kg_co2e_per_t")
    rows: dict[tuple[int, int, int], int] = {}
    problems = []
    mode = {name: i for i, name in enumerate(MODES)}
    for row, (a, b, cargo_type) in enumerate(
        zip(
            table["mode_a"].map(mode), table["mode_b"].map(mode), table["cargo_type"].map(CARGO_TYPE_INDEX), strict=True
        )
    ):
        key = (min(a, b), max(a, b), cargo_type)
        if key in rows:
            what = f"prices the same change of mode as row {rows[key] + 2}, the other way round"
            problems.append(Problem(f"handling_costs.csv row {row + 2}", what, "remove one of them"))
        rows[key] = row
    if problems:
        raise InstanceError(problems)
    n = graph.transfer_mode.shape[0]
    out = tuple(np.full((len(CARGO_TYPES), n), np.inf if i == 0 else 0.0) for i in range(4))
    values = table[list(columns)].to_numpy(dtype=float)
    for transfer, (a, b) in enumerate(graph.transfer_mode):
        for cargo_type in range(len(CARGO_TYPES)):
            found = rows.get((min(a, b), max(a, b), cargo_type))
            if found is not None:
                for i in range(4):
                    out[i][cargo_type, transfer] = values[found, i]
    return out
