"""One truck on one lane: what each kind of truck costs to own there, and the prices at which two cost the same."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance
from nbb_opt.instance.fleet_sheet import DEPOT, FLEET, LANE, TRUCK, fleet_instance
from nbb_opt.instance.read import varied
from nbb_opt.instance.schema import ZERO_EMISSION
from nbb_opt.instance.tables.csv_file import csv_bytes
from nbb_opt.instance.wording import did_you_mean, listed
from nbb_opt.report.grid import Cell, Column, Grid, Section
from nbb_opt.report.study import Answer
from nbb_opt.studies.audit.fleet_model import FleetModel, state_fleet_model
from nbb_opt.studies.audit.improve import per_tkm, prices_at_which_both_cost_the_same
from nbb_opt.studies.audit.orders import why_not
from nbb_opt.studies.audit.ownership import COMPONENTS, lane_costs

KWH_PER_LITRE = 9.8  # diesel; HVO holds a little less
PARTS = (*COMPONENTS, "truck", "chargers")
TABLE_COLUMNS = ("vehicle", "eur_per_km", "eur_per_t", "eur_per_year", "km_per_year", "kg_co2e_per_km")


def one_lane(origin: str, destination: str, *, km: float | None, goods: str) -> Instance:
    """An instance of one depot with one diesel truck and one lane of one trip a week, with the shipped figures.

    Raises InstanceError for unknown goods, and for places that are not known where no km are given.
    """
    blank = float("nan")
    rows = [
        (DEPOT, origin, "", "", blank, "", blank, blank, ""),
        (TRUCK, origin, "", "", 1.0, "", blank, blank, ""),
        (LANE, origin, destination, goods, 1.0, "", blank if km is None else km, blank, ""),
    ]
    with tempfile.TemporaryDirectory() as folder:
        sheet = Path(folder, "lane.csv")
        sheet.write_bytes(csv_bytes(pd.DataFrame(rows, columns=[column.name for column in FLEET.columns]), FLEET))
        return varied(fleet_instance(sheet, Path(folder, "lane")), {}, title=f"{origin} to {destination}")


def with_prices(
    instance: Instance,
    *,
    electricity_eur_per_kwh: float | None = None,
    diesel_eur_per_l: float | None = None,
    km_per_year: float | None = None,
    subsidy_eur: float = 0.0,
    purchase_eur: Mapping[str, float] | None = None,
) -> Instance:
    """The instance with other prices; a subsidy is paid for each battery or hydrogen truck. Raises NbbError for a truck
    that is not there and for figures below zero."""
    changed = ("energy", "vehicles", "vehicle_loads", "vehicle_years")
    energy, vehicles, loads, years = (instance[name].copy() for name in changed)
    wanted = {
        "electricity": electricity_eur_per_kwh,
        "diesel": diesel_eur_per_l,
        "km": km_per_year,
        **(purchase_eur or {}),
    }
    if wrong := [
        name for name, value in [*wanted.items(), ("subsidy", subsidy_eur)] if value is not None and value < 0
    ]:
        raise NbbError(f"truck_cost: {listed(wrong, 9)} is below zero; give a figure of zero or more")
    if electricity_eur_per_kwh is not None:
        energy.loc[energy["energy_carrier"] == "electricity", "price_eur_per_kwh"] = electricity_eur_per_kwh
    if diesel_eur_per_l is not None:
        energy.loc[energy["energy_carrier"] == "diesel", "price_eur_per_kwh"] = diesel_eur_per_l / KWH_PER_LITRE
    if km_per_year is not None:
        vehicles.loc[vehicles["mode"] == "road", "annual_km"] = float(km_per_year)
        loads["annual_km"] = np.nan
    for name, eur in (purchase_eur or {}).items():
        if name not in set(years["vehicle"]):
            known = vehicles.loc[vehicles["mode"] == "road", "vehicle"].tolist()
            hint = did_you_mean(name, known) or f"one of {listed(known, 99)}"
            raise NbbError(f"truck_cost: {name!r} is no truck ({hint})")
        years.loc[years["vehicle"] == name, "capex_eur"] = float(eur)
    years.loc[years["vehicle"].isin(_subsidised(instance)), "capex_eur"] -= subsidy_eur
    if (years["capex_eur"] < 0).any():
        raise NbbError("truck_cost: the subsidy is more than a truck costs; give less")
    return varied(instance, dict(zip(changed, (energy, vehicles, loads, years), strict=True)))


def _subsidised(instance: Instance) -> list[str]:
    vehicles = instance["vehicles"]
    return vehicles.loc[vehicles["technology"].isin(ZERO_EMISSION), "vehicle"].tolist()


def truck_cost(instance: Instance, *, against: str = "DIESEL", subsidy_eur: float = 0.0) -> Answer:
    """What each kind of truck costs on the first lane of the instance in its first period, and when it breaks even.

    `instance` is as of `one_lane` and `with_prices`; `subsidy_eur` is what its prices were lowered by. Tables: `trucks`
    (EUR a km driven by component, and in all), `break_even` (against the truck named) and `cannot` (trucks that cannot
    drive there, and why). Raises NbbError if the truck to compare with cannot drive there.
    """
    fleet_model = state_fleet_model(instance)
    year = instance.periods[0].year
    costs = lane_costs(fleet_model)
    lane = int(fleet_model.prepared.lanes.index[fleet_model.prepared.lanes["distance_km"] > 0][0])
    here = (costs["lane"] == lane) & (costs["year"] == year)
    trucks = costs[here].reset_index(drop=True)
    if against not in set(trucks["vehicle"]):
        can = listed(trucks["vehicle"].tolist(), 99)
        raise NbbError(f"truck_cost: {against!r} cannot drive this lane; compare with one of {can}")
    per_km = {name: trucks[name] / trucks["km_per_vkm"] for name in PARTS}
    km_a_year = trucks["vkm_a_year"] * trucks["km_per_vkm"]
    table = pd.DataFrame({
        "vehicle": trucks["vehicle"], "eur_per_km": trucks["tco_eur_per_km"], "eur_per_t": trucks["tco_eur_per_t"],
        "eur_per_year": trucks["tco_eur_per_km"] * km_a_year, "km_per_year": km_a_year,
        "kg_co2e_per_km": trucks["wtw_kg_per_vkm"] / trucks["km_per_vkm"],
        **{f"{name}_eur_per_km": values for name, values in per_km.items()},
    })  # fmt: skip
    table = table.sort_values("eur_per_t", ignore_index=True)
    even = _break_even(fleet_model, costs, here, against, subsidy_eur)
    cannot = _cannot(fleet_model, lane, set(trucks["vehicle"]))
    km = float(trucks["distance_km"].iloc[0])
    names = [str(trucks[end].iloc[0]) for end in ("from_node", "to_node")]
    first, other = table.iloc[0], table[table["vehicle"] == against].iloc[0]
    sentences = [
        f"{names[0]} to {names[1]}, {km:g} km, {trucks['cargo_type'].iloc[0]}, {year}: {first['vehicle']} costs least: "
        f"{first['eur_per_t']:.2f} EUR a tonne, {first['eur_per_km']:.3f} EUR a km.",
        *([f"That is {other['eur_per_t'] - first['eur_per_t']:.2f} EUR a tonne less than {against}."]
          if first["vehicle"] != against else []),
        *(_even_words(dict(row), against) for row in even.to_dict("records")),
        *(f"{row['vehicle']} cannot drive there: {row['reason']}." for row in cannot.to_dict("records")),
    ]  # fmt: skip
    return Answer(
        instance=instance, name="truck_cost", title="What a truck costs",
        description="Total cost of ownership of one truck on one lane, by fuel.", sentences=sentences,
        tables={"trucks": table, "break_even": even, "cannot": cannot}, shown=[table[list(TABLE_COLUMNS)]],
        sections=_sections,
    )  # fmt: skip


def _break_even(
    fleet_model: FleetModel, costs: pd.DataFrame, here: pd.Series, against: str, subsidy_eur: float
) -> pd.DataFrame:
    """Prices, km a year and subsidy at which each truck costs what the truck `against` does; NaN where none does it."""
    per_load = per_tkm(fleet_model, costs)[here.to_numpy()].to_dict("records")
    pairs = list(zip(costs[here].to_dict("records"), per_load, strict=True))
    other, other_load = next(pair for pair in pairs if pair[0]["vehicle"] == against)
    clean, found = _subsidised(fleet_model.instance), []
    for row, load in pairs:
        if row["vehicle"] == against:
            continue
        means = {str(name): float(value) for name, value in load.items()}
        means |= {f"{name}_other": float(value) for name, value in other_load.items()}
        prices = prices_at_which_both_cost_the_same(means)
        owning, moving = (
            [of(each) / each["load_t"] for each in (row, other)]
            for of in (
                lambda each: each["truck"] * each["vkm_a_year"],
                lambda each: each["tco_eur_per_vkm"] - each["truck"],
            )
        )
        vkm = (owning[0] - owning[1]) / (moving[1] - moving[0]) if moving[0] != moving[1] else np.nan
        free_eur = float(load["capex"]) + (subsidy_eur if row["vehicle"] in clean else 0.0)
        found.append({
            "vehicle": row["vehicle"], "against": against, "cheaper": bool(means["cost"] < means["cost_other"]),
            "its_energy_eur_per_kwh": prices["energy_eur_per_kwh"],
            "other_energy_eur_per_kwh": prices["other_energy_eur_per_kwh"],
            "carbon_eur_per_t": prices["carbon_eur_per_t"], "purchase_eur": prices["purchase_eur"],
            "subsidy_eur": max(0.0, free_eur - prices["purchase_eur"]),
            "km_per_year": vkm * float(row["km_per_vkm"]) if vkm > 0 else np.nan,
        })  # fmt: skip
    return pd.DataFrame(found)


def _even_words(row: Mapping, against: str) -> str:
    """When a truck costs what the other does, in a sentence."""
    parts = [
        words.format(row[name])
        for name, words in (
            ("its_energy_eur_per_kwh", "its energy costs {:.3f} EUR/kWh"),
            ("other_energy_eur_per_kwh", f"the energy of {against} costs {{:.3f}} EUR/kWh"),
            ("km_per_year", "they drive {:,.0f} km a year"),
            ("purchase_eur", "it costs {:,.0f} EUR to buy"),
            ("subsidy_eur", "a subsidy of {:,.0f} EUR is paid"),
        )
        if row[name] == row[name] and not (name == "subsidy_eur" and row[name] == 0)
    ]
    now = "less" if row["cheaper"] else "more"
    return f"{row['vehicle']} costs {now} than {against} now; the same if {', or '.join(parts) or 'nothing alone'}."


def _cannot(fleet_model: FleetModel, lane: int, can: set[str]) -> pd.DataFrame:
    names = fleet_model.built.data.trucks.names
    rows = [(name, why_not(fleet_model, lane, v, 0)[0]) for v, name in enumerate(names.ids) if name not in can]
    return pd.DataFrame(rows, columns=["vehicle", "reason"])


def _in_cents(even: pd.DataFrame) -> pd.DataFrame:
    prices = [name for name in even.columns if name.endswith("_eur_per_kwh")]
    return even.assign(**{name: 100 * even[name] for name in prices})


def _sections(found: Answer) -> list[Section]:
    words = {"road_energy": "Energy", "road_running": "Running", "drivers": "Driver", "carbon": "Carbon",
             "truck": "Truck", "chargers": "Chargers"}  # fmt: skip
    columns = [
        Column("Truck"), Column("Cost", "decimal", "EUR/km"), Column("Cost", "decimal", "EUR/t"),
        Column("Cost", "number", "EUR a year"), Column("Drives", "number", "km a year"),
        Column("WTW CO2e", "decimal", "kg/km"), *(Column(words[name], "decimal", "EUR/km") for name in PARTS),
    ]  # fmt: skip
    rows = [tuple(row) for row in found.trucks.itertuples(index=False)]
    even = [
        Column("Truck"), Column("Against"), Column("Its energy", "decimal", "cent/kWh"),
        Column("Other energy", "decimal", "cent/kWh"), Column("Carbon", "number", "EUR/t"),
        Column("Its purchase", "number", "EUR"), Column("Subsidy", "number", "EUR"),
        Column("Both drive", "number", "km a year"),
    ]  # fmt: skip
    lines: list[list[Cell]] = [
        [None if cell != cell else cell for cell in row]
        for row in _in_cents(found.break_even.drop(columns="cheaper")).itertuples(index=False)
    ]
    text = "Purchase paid back over its life, fixed and running costs, energy, driver, carbon, chargers; km driven."
    return [
        Section("What each truck costs", text, [Grid("Trucks", columns, rows)]),
        Section(
            "When both cost the same", "Each price alone; a dash: no price does.", [Grid("Break-even", even, lines)]
        ),
    ]
