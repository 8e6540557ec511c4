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
from nbb_opt.report.charts.charts import line_chart
from nbb_opt.report.grid import Cell, Column, Grid, Section
from nbb_opt.report.study import Answer
from nbb_opt.studies.audit.fleet_model import FleetModel, state_fleet_model
from nbb_opt.studies.audit.improve import per_tkm, prices_at_which_both_cost_the_same
from nbb_opt.studies.audit.money import MONTHS, Finance
from nbb_opt.studies.audit.orders import why_not
from nbb_opt.studies.audit.ownership import COMPONENTS, lane_costs

SWING = 0.2  # how far each price is moved
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
    battery_eur_per_kwh: float | None = None,
) -> Instance:
    """The instance with other prices; a subsidy is paid for each battery or hydrogen truck, and a battery at another
    price (`battery_price`) changes what each truck with one costs. Raises NbbError for a truck that is not there and
    for figures below zero."""
    changed = ("energy", "vehicles", "vehicle_loads", "vehicle_years")
    energy, vehicles, loads, years = (instance[name].copy() for name in changed)
    wanted = {
        "electricity": electricity_eur_per_kwh,
        "diesel": diesel_eur_per_l,
        "km": km_per_year,
        "battery": battery_eur_per_kwh,
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
    if battery_eur_per_kwh is not None:
        more_eur_per_kwh = battery_eur_per_kwh - battery_price(instance)
        for name, kwh in battery_kwh(instance).items():
            years.loc[years["vehicle"] == name, "capex_eur"] += more_eur_per_kwh * kwh
    for name, eur in (purchase_eur or {}).items():
        if name not in set(years["vehicle"]):
            known = vehicles.loc[vehicles["mode"] == "road", "vehicle"].tolist()
            hint = did_you_mean(name, known) or f"one of {listed(known, 99)}"
            raise NbbError(f"truck_cost: {name!r} is no truck ({hint})")
        years.loc[years["vehicle"] == name, "capex_eur"] = float(eur)
    years.loc[years["vehicle"].isin(_subsidised(instance)), "capex_eur"] -= subsidy_eur
    if (years["capex_eur"] < 0).any():
        raise NbbError("truck_cost: a truck would cost less than nothing; give less subsidy or a dearer battery")
    return varied(instance, dict(zip(changed, (energy, vehicles, loads, years), strict=True)))


def _subsidised(instance: Instance) -> list[str]:
    vehicles = instance["vehicles"]
    return vehicles.loc[vehicles["technology"].isin(ZERO_EMISSION), "vehicle"].tolist()


def battery_kwh(instance: Instance) -> dict[str, float]:
    """Usable kWh of each battery truck when new: its range times the mean of what it takes full and empty at first."""
    vehicles = instance["vehicles"]
    mine = vehicles[vehicles["charge_kw"].notna() & (vehicles["mode"] == "road")]
    first = instance["vehicle_years"].sort_values("year").groupby("vehicle").first()
    kwh = first[["empty_kwh_per_vkm", "full_kwh_per_vkm"]].mean(axis=1)
    return {name: km * float(kwh[name]) for name, km in zip(mine["vehicle"], mine["range_km"], strict=True)}


def battery_price(instance: Instance) -> float:
    """EUR per usable kWh in the first period: what the truck of the greatest battery costs more than that of the
    smallest, over the kWh it has more. Raises NbbError where there are no two battery trucks to tell it."""
    kwh = battery_kwh(instance)
    if len(set(kwh.values())) < 2:
        raise NbbError("truck_cost: no two battery trucks tell what a kWh of battery costs; give their purchase prices")
    price = instance["vehicle_years"].sort_values("year").groupby("vehicle")["capex_eur"].first()
    small, great = min(kwh, key=kwh.__getitem__), max(kwh, key=kwh.__getitem__)
    return float((price[great] - price[small]) / (kwh[great] - kwh[small]))


def truck_cost(
    instance: Instance, *, against: str = "DIESEL", subsidy_eur: float = 0.0, battery_eur_per_kwh: float | None = None,
    finance: Finance | None = None,
) -> Answer:  # fmt: skip
    """What each kind of truck costs on the first lane of the instance in its first period, and when it breaks even.

    `instance` is as of `one_lane` and `with_prices`; `subsidy_eur` is what its prices were lowered by, and
    `battery_eur_per_kwh` the price of a battery in them. Tables: `trucks` (EUR a km driven by component, and in all),
    `break_even` (against the truck named), `sensitivity` (each price a fifth lower and higher), `cash` (by year of a
    truck's life, paid as `finance` says) and `cannot` (trucks that cannot drive there, and why). Raises NbbError if the
    truck to compare with cannot drive there, or a truck is leased that is not there.
    """
    finance = finance or Finance()
    battery_eur_per_kwh = battery_price(instance) if battery_eur_per_kwh is None else battery_eur_per_kwh
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
    finance.check_names(fleet_model.built.data.trucks.names.ids)
    even = _break_even(fleet_model, costs, here, against, subsidy_eur)
    kwh = even["vehicle"].map(battery_kwh(instance))
    battery = battery_eur_per_kwh - (even.pop("free_eur") - even["purchase_eur"]) / kwh
    even["battery_eur_per_kwh"] = battery.where(battery >= 0)
    cash = life_cash(fleet_model, trucks, finance)
    swings = sensitivity(fleet_model, trucks, battery_eur_per_kwh)
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
        *_swing_words(swings, str(first["vehicle"])),
        *_cash_words(cash, trucks.assign(t=trucks["load_t"] * trucks["vkm_a_year"]).set_index("vehicle")["t"],
                     str(first["vehicle"]), against, finance),
        *(f"{row['vehicle']} cannot drive there: {row['reason']}." for row in cannot.to_dict("records")),
    ]  # fmt: skip
    return Answer(
        instance=instance, name="truck_cost", title="What a truck costs",
        description="Total cost of ownership of one truck on one lane, by fuel.", sentences=sentences,
        tables={"trucks": table, "break_even": even, "sensitivity": swings, "cash": cash, "cannot": cannot},
        figures={"against": against, "finance": finance.text, "battery_eur_per_kwh": battery_eur_per_kwh},
        shown=[table[list(TABLE_COLUMNS)]], sections=_sections,
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
            "subsidy_eur": max(0.0, free_eur - prices["purchase_eur"]), "free_eur": float(load["capex"]),
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
            ("battery_eur_per_kwh", "a battery costs {:,.0f} EUR/kWh"),
            ("subsidy_eur", "a subsidy of {:,.0f} EUR is paid"),
        )
        if row[name] == row[name] and not (name == "subsidy_eur" and row[name] == 0)
    ]
    now = "less" if row["cheaper"] else "more"
    return f"{row['vehicle']} costs {now} than {against} now; the same if {', or '.join(parts) or 'nothing alone'}."


def life_cash(fleet_model: FleetModel, trucks: pd.DataFrame, finance: Finance) -> pd.DataFrame:
    """What one truck pays through its life on the lane; what is paid yearly is paid at the end of the year, as in the
    yearly cost: at the discount rate the present value times the recovery factor is the cost of a year.

    Columns vehicle, after_years, bought_eur (purchase less grants, or loan or lease), running_eur (all else), eur,
    cumulative_eur, value_eur (what the truck would bring then).
    """
    data, rows = fleet_model.built.data.trucks, []
    for row in trucks.to_dict("records"):
        name, v = row["vehicle"], int(data.names.of([row["vehicle"]])[0])
        life, fixed = int(data.lifetime[v]), float(data.fixed_eur_per_year[v, 0])
        owning = row["truck"] * row["vkm_a_year"]
        running = row["tco_eur_per_vkm"] * row["vkm_a_year"] - (owning - fixed)
        price = (owning - fixed) / row["recovery"]
        lease = finance.lease_eur_per_month.get(name)
        bought = {0: price} if lease is None else dict.fromkeys(range(1, life + 1), MONTHS * lease)
        if lease is None and finance.loan_rate is not None:
            bought = dict(finance.paid_back(price, 0, life))
        for k in range(life + 1):
            value = float(data.resale_share[v] * data.capex_eur[v, 0]) * (life - k) / life if lease is None else 0.0
            rows.append((name, k, bought.get(k, 0.0), running if k else 0.0, value))
    table = pd.DataFrame(rows, columns=["vehicle", "after_years", "bought_eur", "running_eur", "value_eur"])
    table.insert(4, "eur", table["bought_eur"] + table["running_eur"])
    table.insert(5, "cumulative_eur", table.groupby("vehicle")["eur"].cumsum())
    return table


def sensitivity(fleet_model: FleetModel, trucks: pd.DataFrame, battery_eur_per_kwh: float) -> pd.DataFrame:
    """EUR a km of each truck with each price a fifth lower and a fifth higher, all else as it is.

    Columns lever, vehicle, eur_per_km, low_eur_per_km, high_eur_per_km, and the truck that costs least a tonne at each
    end: cheapest_low, cheapest_high. `trucks` are the rows of `lane_costs` of the lane.
    """
    instance, data = fleet_model.instance, fleet_model.built.data.trucks
    v, vkm = data.names.of(trucks["vehicle"]), trucks["vkm_a_year"].to_numpy(float)
    country = int(fleet_model.built.data.base.region_country[0])
    carrier = instance["vehicles"].set_index("vehicle")["energy_carrier"].reindex(trucks["vehicle"]).to_numpy()
    kwh = trucks["vehicle"].map(battery_kwh(instance)).fillna(0.0).to_numpy(float)
    paid = (
        (1 - data.subsidies.grant_share[v, country, 0]) * trucks["recovery"].to_numpy(float) / vkm
    )  # of 1 EUR a truck
    energy = trucks["road_energy"].to_numpy(float)
    parts: dict[str, np.ndarray] = {f"price of {name}": energy * (carrier == name) for name in dict.fromkeys(carrier)}
    parts |= {
        "price of the battery": battery_eur_per_kwh * kwh * paid, "price of the truck": data.capex_eur[v, 0] * paid,
        "driver": trucks["drivers"].to_numpy(float), "chargers": trucks["chargers"].to_numpy(float),
        "km a year": trucks["truck"].to_numpy(float),
    }  # fmt: skip

    def moved(lever: str, part: np.ndarray, factor: float) -> np.ndarray:
        if lever != "km a year":
            return (factor - 1) * part
        most = [factor * data.annual_km[v] / trucks["used_km_per_vkm"], data.annual_h[v] / trucks["hours_per_vkm"]]
        return part * (vkm / np.minimum(*most).to_numpy(float) - 1)

    total, per_km = trucks["tco_eur_per_vkm"].to_numpy(float), trucks["km_per_vkm"].to_numpy(float)
    frames = []
    for lever, part in parts.items():
        ends = {end: total + moved(lever, part, factor) for end, factor in (("low", 1 - SWING), ("high", 1 + SWING))}
        first = {end: trucks["vehicle"].iloc[int(np.argmin(eur / trucks["load_t"]))] for end, eur in ends.items()}
        frames.append(pd.DataFrame({
            "lever": lever, "vehicle": trucks["vehicle"], "eur_per_km": total / per_km,
            **{f"{end}_eur_per_km": eur / per_km for end, eur in ends.items()},
            **{f"cheapest_{end}": name for end, name in first.items()},
        }))  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def _swing_words(swings: pd.DataFrame, first: str) -> list[str]:
    """Which levers put another truck first."""
    ends = swings.drop_duplicates("lever")
    turned = [
        f"{row['lever']} {SWING:.0%} {word} ({row[f'cheapest_{end}']})"
        for row in ends.to_dict("records") for end, word in (("low", "lower"), ("high", "higher"))
        if row[f"cheapest_{end}"] != first
    ]  # fmt: skip
    if not turned:
        return [f"{first} stays the cheapest with each price {SWING:.0%} lower or higher."]
    return [f"Another truck costs least with {listed(turned, 9)}."]


def _cash_words(cash: pd.DataFrame, freight: pd.Series, first: str, against: str, finance: Finance) -> list[str]:
    """When the cheapest truck has paid less than the one it is compared with, whose freight may be more."""
    lines = {name: group.set_index("after_years")["cumulative_eur"] for name, group in cash.groupby("vehicle")}
    if first == against:
        return []
    ahead = (lines[first] <= lines[against]).to_numpy()
    if not ahead[-1]:
        return []
    since = 0 if ahead.all() else len(ahead) - int(np.argmin(ahead[::-1]))
    when = "from the first day" if since == 0 else f"after {since} years"
    less = lines[against].iloc[-1] - lines[first].iloc[-1]
    share = float(freight[first] / freight[against]) - 1
    carried = f", and carried {abs(share):.1%} {'less' if share < 0 else 'more'} freight" if abs(share) > 5e-4 else ""
    return [f"{first} has paid less than {against} {when}, {less:,.0f} EUR over its life ({finance.text}){carried}."]


def _cannot(fleet_model: FleetModel, lane: int, can: set[str]) -> pd.DataFrame:
    names = fleet_model.built.data.trucks.names
    rows = [(name, why_not(fleet_model, lane, v, 0)[0]) for v, name in enumerate(names.ids) if name not in can]
    return pd.DataFrame(rows, columns=["vehicle", "reason"])


def _in_cents(even: pd.DataFrame) -> pd.DataFrame:
    prices = ["its_energy_eur_per_kwh", "other_energy_eur_per_kwh"]
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
        Column("Both drive", "number", "km a year"), Column("Battery", "number", "EUR/kWh"),
    ]  # fmt: skip
    lines: list[list[Cell]] = [
        [None if cell != cell else cell for cell in row]
        for row in _in_cents(found.break_even.drop(columns="cheaper")).itertuples(index=False)
    ]
    swing = [
        Column("Price"), Column("Truck"), Column("Cost", "decimal", "EUR/km"),
        *(Column(f"{SWING:.0%} {word}", "decimal", "EUR/km") for word in ("lower", "higher")),
        *(Column(f"Cheapest a tonne, {word}") for word in ("lower", "higher")),
    ]  # fmt: skip
    flow = [
        Column("Truck"), Column("After years", "count"), Column("Truck bought", "number", "EUR"),
        Column("All else", "number", "EUR"), Column("Paid", "number", "EUR"), Column("Paid so far", "number", "EUR"),
        Column("It would bring", "number", "EUR"),
    ]  # fmt: skip
    paid = {
        str(name): list(zip(group["after_years"].astype(float), group["cumulative_eur"] / 1e3, strict=True))
        for name, group in found.cash.groupby("vehicle", sort=False)
    }
    against, felt = found.figures["against"], found.sensitivity
    felt = felt[felt["low_eur_per_km"] != felt["high_eur_per_km"]]
    others = {name: points for name, points in paid.items() if name != against}
    drawing = line_chart(paid[against], across="years", up="kEUR", key="cash", name=against, others=others)
    text = "Purchase paid back over its life, fixed and running costs, energy, driver, carbon, chargers; km driven."
    return [
        Section("What each truck costs", text, [Grid("Trucks", columns, rows)]),
        Section(
            "When both cost the same", "Each price alone; a dash: no price does.", [Grid("Break-even", even, lines)]
        ),
        Section(
            "What if a price is wrong",
            f"Each price {SWING:.0%} lower and higher, all else as it is; trucks that it does not touch are left out.",
            [Grid("Sensitivity", swing, [tuple(row) for row in felt.itertuples(index=False)])],
        ),
        Section(
            "Cash paid so far",
            f"One truck through its life, {found.figures['finance']}; where a line is below that of "
            f"{against}, that truck has paid less.",
            [Grid("Cash by year", flow, [tuple(row) for row in found.cash.itertuples(index=False)])],
            drawing,
        ),
    ]
