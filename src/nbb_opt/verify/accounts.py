"""The accounts of a plan: costs by component, emissions by country, energy by charging area."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from nbb_opt.recompute import World, total
from nbb_opt.verify.verdict import Checks, names

YEARLY = (
    "service", "road_energy", "road_running", "drivers", "handling", "cargo_time", "mode_constant", "carbon",
    "added_carbon_price", "emission_weight",
    "inputs", "public_charging", "fuel_substitution", "fleet_fixed", "charger_fixed", "project_fixed",
)  # fmt: skip
Prices = Mapping[str, Sequence[tuple[int, float]]]
TRANSFER_MODE = "transfer"


def energy_table(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """kWh by year, mode, energy_carrier, country, charge_area."""
    keys = ["year", "mode", "energy_carrier", "country", "charge_area"]
    rows = pd.concat([part.assign(charge_area=part.get("charge_area", "")) for part in parts], ignore_index=True)
    return total(rows.astype({"year": "int64"}), keys, "kwh")


def emissions_table(world: World, energy: pd.DataFrame, hub_kg: pd.DataFrame) -> pd.DataFrame:
    """TTW and WTT kg by year, country, mode, energy_carrier; transfers have mode `transfer` and no carrier."""
    rows = energy.merge(world.energy, on=["energy_carrier", "country", "year"], how="left")
    rows = rows.assign(
        ttw_kg=rows["kwh"] * rows["ttw_kg_co2e_per_kwh"], wtt_kg=rows["kwh"] * rows["wtt_kg_co2e_per_kwh"]
    )
    keys = ["year", "country", "mode", "energy_carrier"]
    both = pd.concat(
        [rows[[*keys, "ttw_kg", "wtt_kg"]], hub_kg.assign(mode=TRANSFER_MODE, energy_carrier="")],
        ignore_index=True,
    )
    return total(both.astype({"year": "int64"}), keys, "ttw_kg", "wtt_kg")


def freight_costs(
    world: World,
    *,
    energy: pd.DataFrame,
    services: pd.DataFrame,
    hubs: pd.DataFrame,
    emissions: pd.DataFrame,
    charges: pd.DataFrame,
    cargo: pd.DataFrame,
    constants: pd.DataFrame,
) -> pd.DataFrame:
    """Columns component, year, amount_eur of what depends on tonnes and vkm, drivers and running of trucks apart.

    `hubs` (transfers), `charges`, `cargo` and `constants` (of modes) have columns year, amount_eur.
    """
    road = energy[energy["mode"] == "road"].merge(world.energy, on=["energy_carrier", "country", "year"], how="left")
    carbon = emissions.merge(world.countries, on=["country", "year"], how="left")
    kg = carbon["ttw_kg"] + (carbon["wtt_kg"] if world.instance.meta.carbon_base == "WTW" else 0.0)
    parts = {
        "service": pd.concat([services.rename(columns={"cost_eur": "amount_eur"})[["year", "amount_eur"]], charges]),
        "road_energy": road.assign(amount_eur=road["kwh"] * road["price_eur_per_kwh"]),
        "handling": hubs,
        "cargo_time": cargo,
        "mode_constant": constants,
        "carbon": carbon.assign(amount_eur=kg / 1000.0 * carbon["carbon_price_eur_per_t"]),
    }
    frames = [rows[["year", "amount_eur"]].assign(component=component) for component, rows in parts.items()]
    return pd.concat(frames, ignore_index=True)


def model_prices(world: World, emissions: pd.DataFrame, prices: Prices) -> pd.DataFrame:
    """Columns component, year, amount_eur of what the model puts on emissions, `prices` being EUR/t from a year on."""
    rows = emissions.groupby("year")[["ttw_kg", "wtt_kg"]].sum().reset_index()
    found = [pd.DataFrame({"component": [], "year": [], "amount_eur": []})]
    for component, path in prices.items():
        counted = ["ttw_kg"] if component == "added_carbon_price" and world.instance.meta.carbon_base == "TTW" else [
            "ttw_kg", "wtt_kg"]  # fmt: skip
        eur = [max((each for each in path if each[0] <= year), default=(0, 0.0))[1] for year in rows["year"]]
        amount = rows[counted].sum(axis=1) / 1000.0 * np.asarray(eur, dtype=float)
        found.append(pd.DataFrame({"component": component, "year": rows["year"], "amount_eur": amount}))
    return pd.concat(found, ignore_index=True)


def cost_table(world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """Sum to component and year, and discount: yearly components over the period, the others once."""
    table = total(rows.astype({"year": "int64"}), ["component", "year"], "amount_eur")
    once = {**world.once_weight, world.horizon: world.horizon_weight}
    weight = [
        world.yearly_weight[year] if component in YEARLY else once[year]
        for component, year in zip(table["component"], table["year"], strict=True)
    ]
    return table.assign(discounted_eur=table["amount_eur"] * np.asarray(weight, dtype=float))


def check_table(
    name: str, said: pd.DataFrame, true: pd.DataFrame, keys: Sequence[str], units: Mapping[str, str], checks: Checks
) -> None:
    """`agree_<name>`: the plan's own table says what was recomputed; a row left out means zero."""
    both = true.merge(said, on=list(keys), how="outer", suffixes=("", "_said"))
    for column, unit in units.items():
        found, expected = both[f"{column}_said"], both[column]
        missing = ~both.set_index(list(keys)).index.isin(true.set_index(list(keys)).index)
        checks.compare(
            f"agree_{name}",
            found.fillna(0.0),
            "==",
            expected.mask(missing, 0.0),
            where=names(both, f"{name} " + " ".join("{}" for _ in keys) + f" {column}", list(keys)),
            unit=unit,
        )
