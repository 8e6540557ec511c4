"""The ledger of a plan: every chain as transport chain elements, each with one operation category and its emissions.

Road categories (TOC) are a vehicle on a lane in a period; those of rail, sea and ferry are a vehicle on a leg with a
cargo type; hub categories (HOC) are a change of mode at a node. An element emits its activity times the intensity
of its category. Distances are those of the network (shortest feasible), and intensities are built on the same, so the
distance adjustment is 1. Empty trips are inside the categories. The tonnes of a chain are shared over the shippers of
its bundle. Biogenic CO2 and the making of trucks stand beside the totals, never in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd

from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance
from nbb_opt.recompute import (
    FLOW,
    PLACE,
    SHIPPER,
    LaneFacts,
    World,
    chosen_services,
    demand_by_shipper,
    handling_rows,
    read_driven,
    read_empties,
    read_lanes,
    read_replaced,
    read_world,
    total,
    values_in_periods,
    with_substitutes,
)

Part = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]  # elements, categories, lines
EARTH_RADIUS_KM = 6371.0088
Amount = TypeVar("Amount", float, pd.Series)


def great_circle_km(from_deg: np.ndarray, to_deg: np.ndarray) -> np.ndarray:
    """Great-circle distances between points given as rows of latitude and longitude in degrees.

    >>> great_circle_km(np.array([[0.0, 0.0]]), np.array([[0.0, 180.0]])).round().tolist()
    [20015.0]
    """
    a, b = np.radians(from_deg), np.radians(to_deg)
    half = np.sin((b[:, 0] - a[:, 0]) / 2) ** 2
    half += np.cos(a[:, 0]) * np.cos(b[:, 0]) * np.sin((b[:, 1] - a[:, 1]) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(half, 1.0))))


def activity_tkm(mass_t: Amount, distance_km: Amount) -> Amount:
    """Transport activity.

    >>> activity_tkm(0.230, 700.0)
    161.0
    """
    return mass_t * distance_km


@dataclass(frozen=True)
class LegRuns:
    """`runs`: chain, step, leg. `legs`: leg, mode, from_node, to_node, distance_km.

    `use`: leg, cargo_type, year, vehicle, km (of the leg under that vehicle). `lines`: the same key, country,
    energy_carrier, kwh_per_t.
    """

    runs: pd.DataFrame
    legs: pd.DataFrame
    use: pd.DataFrame
    lines: pd.DataFrame


def read_legs(world: World, steps: pd.DataFrame, flows: pd.DataFrame) -> LegRuns:
    """The legs of the chains in `flows` (chain, cargo_type, year, tonnes) and the services that run them.

    `steps` are the steps of these chains, in order.
    """
    link = steps["kind"] == "link"
    same = (steps["chain"] == steps["chain"].shift()) & link.shift(fill_value=False)
    same &= steps["mode_a"] == steps["mode_a"].shift()
    run = (~(same & link)).cumsum()
    rows = steps[link].assign(run=run[link])
    runs = rows.groupby("run").agg(
        chain=("chain", "first"),
        step=("step", "first"),
        mode=("mode_a", "first"),
        from_node=("from_node", "first"),
        to_node=("to_node", "last"),
        links=("link", ";".join),
    )
    key = ["mode", "from_node", "to_node", "links"]
    legs = runs[key].drop_duplicates().sort_values(key).reset_index(drop=True)
    legs = legs.assign(leg=legs.index).astype({"leg": "int64"})
    runs = runs.merge(legs, on=key)[["chain", "step", "leg"]]
    parts = legs.assign(link=legs["links"].str.split(";")).explode("link")[["leg", "link"]].astype({"link": "str"})
    parts = parts.merge(world.table("links")[["link", "distance_km"]], on="link")
    legs = legs.drop(columns="links").merge(total(parts, ["leg"], "distance_km"), on="leg")
    needed = runs.merge(flows[["chain", "cargo_type", "year"]], on="chain")
    needed = needed[["leg", "cargo_type", "year"]].drop_duplicates()
    used = needed.merge(parts[["leg", "link"]], on="leg")
    chosen = chosen_services(world, used[["link", "cargo_type", "year"]].drop_duplicates())
    columns = ["link", "cargo_type", "year", "vehicle", "country", "energy_carrier", "share", "distance_km"]
    found = used.merge(chosen[[*columns, "kwh_per_tkm"]], on=["link", "cargo_type", "year"])
    km = found["share"] * found["distance_km"]
    found = found.assign(km=km, kwh_per_t=km * found["kwh_per_tkm"])
    key = ["leg", "cargo_type", "year", "vehicle"]
    lines = total(found, [*key, "country", "energy_carrier"], "kwh_per_t")
    return LegRuns(runs, legs, total(found, key, "km"), lines)


LEAST_T = 1e-3  # a flow below is rounding: it may stand on a lane that no truck drives
KEYS = ["year", "vehicle", "cargo_type", "region"]


@dataclass(frozen=True)
class Road:
    """`work`: lane, year, vehicle, cargo_type, region, share (of the lane's tonnes), loaded_vkm, empty_vkm.

    `lines`: lane, year, vehicle, country, energy_carrier, kwh; loaded and empty vkm together.
    """

    work: pd.DataFrame
    lines: pd.DataFrame


def road_use(
    world: World, driven: pd.DataFrame, empties: pd.DataFrame, lanes: LaneFacts, carried: pd.DataFrame
) -> Road:
    """The energy of trucks by lane and vehicle.

    `driven` and `empties` are those of the verifier; `carried` has lane, year, tonnes. The tonnes of a lane are shared
    over its vehicles by the work they do (load times loaded vkm). The empty vkm within a region belong to the lane.
    Those between regions, and trucks on lanes without freight, are shared over the lanes of the same vehicle, cargo
    type, region of departure and year by loaded tkm; if there are none, over all lanes of the vehicle in that year.
    Raises NbbError if freight has no truck, or energy no freight at all.
    """
    lines = _lane_energy(world, driven, lanes)
    work = driven[["lane", "year", "vehicle", "cargo_type", "region", "loaded_vkm"]].assign(
        work_tkm=driven["loaded_vkm"] * driven["load_t"], empty_vkm=driven["loaded_vkm"] * driven["kappa"]
    )
    work = work.merge(carried, on=["lane", "year"], how="left").fillna({"tonnes": 0.0})
    work = work.assign(share=work["work_tkm"] / work.groupby(["lane", "year"])["work_tkm"].transform("sum"))
    work = work.assign(tkm=work["tonnes"] * work["share"] * work["lane"].map(lanes.facts["km"]))
    _check_freight(carried, work)
    used = work["tkm"] > 0
    idle = lines.merge(work.loc[~used, ["lane", "year", "vehicle", "cargo_type", "region"]])
    idle_vkm = work.loc[~used, [*KEYS, "loaded_vkm", "empty_vkm"]]
    idle_vkm = idle_vkm.assign(empty_vkm=idle_vkm["loaded_vkm"] + idle_vkm["empty_vkm"])
    trip_lines = empties.assign(kwh=empties["empty_vkm"] * empties["kwh_per_vkm"], region=empties["from_region"])
    trip_vkm = trip_lines[[*KEYS, "empty_vkm"]]
    work = work[used].reset_index(drop=True)
    columns = [*KEYS, "country", "energy_carrier", "kwh"]
    shared = _shared(pd.concat([trip_lines[columns], idle[columns]], ignore_index=True), work, "kwh")
    vkm = _shared(pd.concat([trip_vkm, idle_vkm[trip_vkm.columns]], ignore_index=True), work, "empty_vkm")
    keys = ["lane", "year", "vehicle", "country", "energy_carrier"]
    own = lines.merge(work[["lane", "year", "vehicle"]])
    lines = total(pd.concat([own[[*keys, "kwh"]], shared[[*keys, "kwh"]]], ignore_index=True), keys, "kwh")
    added = total(vkm, ["lane", "year", "vehicle"], "empty_vkm").rename(columns={"empty_vkm": "added_vkm"})
    work = work.merge(added, on=["lane", "year", "vehicle"], how="left").fillna({"added_vkm": 0.0})
    work = work.assign(empty_vkm=work["empty_vkm"] + work["added_vkm"]).drop(columns=["added_vkm", "work_tkm"])
    return Road(work, lines)


def _lane_energy(world: World, driven: pd.DataFrame, lanes: LaneFacts) -> pd.DataFrame:
    """Columns lane, year, vehicle, country, energy_carrier, kwh: loaded and local empty vkm."""
    keys = ["lane", "year", "vehicle", "country", "energy_carrier"]
    rows = driven.assign(kwh=driven["loaded_vkm"] * driven["kwh_per_vkm"])
    rows = rows[["lane", "year", "vehicle", "energy_carrier", "kwh", "charged", "home_area"]]
    country_of = world.indexed("charge_areas")["country"]
    tank = rows[rows["charged"] == "not"].merge(lanes.countries, on="lane")
    home = rows[rows["charged"] == "home"].assign(share=1.0)
    home = home.assign(country=home["home_area"].map(country_of))
    way = rows[rows["charged"] == "way"].merge(lanes.areas, on="lane")
    way = way.assign(country=way["charge_area"].map(country_of))
    parts = pd.concat([part[[*keys, "kwh", "share"]] for part in (tank, home, way)], ignore_index=True)
    return total(parts.assign(kwh=parts["kwh"] * parts["share"]), keys, "kwh")


def _shared(rows: pd.DataFrame, work: pd.DataFrame, amount: str) -> pd.DataFrame:
    """`rows` (year, vehicle, cargo_type, region, ..., amount) with a lane each, shared by loaded tkm."""
    rows = rows.assign(row=np.arange(len(rows)))
    near = rows.merge(work[[*KEYS, "lane", "tkm"]], on=KEYS)
    rest = rows[~rows["row"].isin(near["row"])]
    wide = rest.merge(work[["year", "vehicle", "lane", "tkm"]], on=["year", "vehicle"])
    lost = rest[~rest["row"].isin(wide["row"])]
    if len(lost) and (lost[amount].abs() > 0).any():
        first = lost.iloc[0]
        raise NbbError(
            f"vehicle {first['vehicle']!r} from {first['region']!r} in {first['year']}: drives without any freight in "
            "that year, so its emissions belong to no chain; verify the run"
        )
    found = pd.concat([near, wide], ignore_index=True)
    weight = found["tkm"] / found.groupby("row")["tkm"].transform("sum")
    return found.assign(**{amount: found[amount] * weight})


def _check_freight(carried: pd.DataFrame, work: pd.DataFrame) -> None:
    both = carried.merge(work[["lane", "year"]].drop_duplicates(), how="left", indicator="found")
    lost = both[(both["found"].astype(str) == "left_only") & (both["tonnes"] > LEAST_T)]
    if len(lost):
        first = lost.iloc[0]
        raise NbbError(
            f"lane {first['lane']} in {first['year']}: carries {first['tonnes']:g} t but no truck drives it; "
            "verify the run"
        )


PARTS = {"truck": "making_kg_co2e", "battery": "battery_making_kg_co2e"}


def making(world: World, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Columns year (of purchase), country, vehicle, part (truck, battery), bought, kg_each, kg, source.

    Bought trucks times the figures of vehicles.csv; `kg_each` and `kg` are NaN where these are not given. Battery rows
    are those of trucks with a battery. Empty if no vehicle of the instance has a figure.
    """
    vehicles = world.table("vehicles")
    columns = ["year", "country", "vehicle", "part", "bought", "kg_each", "kg", "source"]
    bought = tables["fleet"][tables["fleet"]["bought"] > 0]
    if vehicles[list(PARTS.values())].isna().all(axis=None):
        bought = bought.iloc[:0]
    country = world.indexed("fleet_regions")["country"]
    bought = total(bought.assign(country=bought["fleet_region"].map(country)), columns[:3], "bought")
    bought = bought.merge(vehicles[["vehicle", "charge_kw", "making_source", *PARTS.values()]], on="vehicle")
    bought = bought.rename(columns={"making_source": "source"})
    parts = [
        bought.assign(part=part, kg_each=bought[column])[(part == "truck") | bought["charge_kw"].notna()]
        for part, column in PARTS.items()
    ]
    found = pd.concat(parts, ignore_index=True)
    found = found.assign(kg=found["bought"] * found["kg_each"])[columns]
    return found.sort_values(columns[:4], kind="stable").reset_index(drop=True)


UNNAMED = "(unnamed)"  # written where a shipper has no name


def shipper_shares(world: World, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Columns bundle, year, shipper, share: parts of a bundle's tonnes in a period, which add up to 1.

    Demand without shippers is that of one shipper without a name, "". Memory grows with the rows of distinct flow and
    shipper, not with batches; each is in the file once, so that their order does not matter.
    """
    pairs = tables["demand"][["bundle", "year"]]
    if not any(world.instance.shippers):
        return pairs.assign(shipper="", share=1.0).astype({SHIPPER: "str"})
    tonnes = demand_by_shipper(world).table(world.years).merge(tables["bundles"], on=FLOW)
    tonnes = tonnes.sort_values(["bundle", "year", SHIPPER], kind="stable").reset_index(drop=True)
    whole = tonnes.groupby(["bundle", "year"])["tonnes"].transform("sum")
    return tonnes.assign(share=tonnes["tonnes"] / whole)[["bundle", "year", SHIPPER, "share"]]


def shown(shipper: str) -> str:
    """The name of a shipper as reports write it.

    >>> shown("LKAB"), shown("")
    ('LKAB', '(unnamed)')
    """
    return shipper or UNNAMED


HUB = "transfer"  # the mode of hubs, as in the table of emissions
KG = ["ttw_kg", "wtt_kg"]
BIOGENIC = "biogenic_kg"  # CO2 where biofuel is burnt, outside CO2e
AMOUNTS = ["kwh", *KG, BIOGENIC]
FACTORS = {"ttw_kg": "ttw_kg_co2e_per_kwh", "wtt_kg": "wtt_kg_co2e_per_kwh"}
CATEGORY = ["category", "year", "mode", "distance_km", "from_node", "to_node"]
CATEGORIES = [*CATEGORY, "vehicle", "cargo_type", "mode_a", "mode_b", "loaded_vkm", "empty_vkm"]
ELEMENT = ["chain", "year", "step", "category", "mass_t"]


@dataclass(frozen=True)
class Ledger:
    """Four tables, per year of the period that starts in `year`.

    `elements`: chain, bundle, shipper ("" has no name), year, step, category, mode (`transfer` for hubs), from_node,
    to_node, mass_t, sfd_km, gcd_km, activity_tkm, kwh, ttw_kg, wtt_kg, biogenic_kg. Each is of one shipper. A chain on
    one lane with two kinds of trucks has an element for each, with the tonnes it carries; on a leg with two kinds of
    trains, an element for each with its part of the km.
    `categories`: category, year, mode, distance_km, from_node, to_node, vehicle, cargo_type, mode_a, mode_b (of hubs:
    from and to), loaded_vkm, empty_vkm (of trucks), mass_t, activity_tkm, kwh, ttw_kg, wtt_kg, biogenic_kg,
    ttw_kg_per_unit, wtt_kg_per_unit (per tkm; of hubs per tonne).
    `lines`: category, year, mode, country, energy_carrier, kwh, ttw_kg, wtt_kg, biogenic_kg: what the categories are
    made of. `making`: see the function of that name; per purchase, not per year, and in none of the other tables.
    """

    elements: pd.DataFrame
    categories: pd.DataFrame
    lines: pd.DataFrame
    making: pd.DataFrame


def build_ledger(instance: Instance, tables: Mapping[str, pd.DataFrame]) -> Ledger:
    """The ledger of a plan, from the instance and its result tables. Raises NbbError if an amount has no owner."""
    world = read_world(instance)
    flows, steps = _flows_and_steps(world, tables)
    parts = [_road(world, tables, flows, steps), _served(world, tables, flows, steps), _hubs(world, flows, steps)]
    return _added_up(world, tables, parts, shipper_shares(world, tables))


def outside_ledger(instance: Instance) -> Ledger:
    """The ledger of freight without a choice of mode (`outside_flows`), which stands beside that of every plan.

    Each flow is a chain of one element, named outside-ORIGIN-DESTINATION-COMMODITY-LINK, and its own bundle.
    """
    world = read_world(instance)
    rows = values_in_periods(instance["outside_flows"], [*FLOW, "link"], ["tonnes"], world.years)
    rows = rows.assign(chain="outside-" + rows[[*FLOW, "link"]].agg("-".join, axis=1) if len(rows) else "")
    rows = rows.merge(instance["commodities"][["commodity", "cargo_type"]], on="commodity")
    flows = rows[["chain", "cargo_type", "year", "tonnes"]]
    steps = rows.drop_duplicates("chain").assign(step=0, kind="link")
    steps = steps.assign(mode_a=steps["link"].map(world.indexed("links")["mode"]))
    steps = steps.rename(columns={"origin": "from_node", "destination": "to_node"})
    none = {
        "chains": steps[["chain"]].assign(bundle=steps["chain"]),
        "fuels": pd.DataFrame(columns=["substitute", "country", "year", "replaced_kwh"]),
        "fleet": pd.DataFrame(columns=["fleet_region", "vehicle", "year", "bought"]),
    }
    part = _served(world, none, flows, steps.sort_values("chain", kind="stable").reset_index(drop=True))
    shares = flows[["chain", "year"]].rename(columns={"chain": "bundle"}).assign(shipper="", share=1.0)
    return _added_up(world, none, [part], shares)


def _added_up(world: World, tables: Mapping[str, pd.DataFrame], parts: list[Part], shares: pd.DataFrame) -> Ledger:
    """Elements with what their categories emit, and the categories with what they are made of.

    The tonnes of a chain are those of the shippers of its bundle, by `shares`: bundle, year, shipper, share. What a
    solver leaves on a bundle without demand in a period is rounding; it has no shipper.
    """
    elements = pd.concat([part[0] for part in parts], ignore_index=True)
    categories = pd.concat([part[1] for part in parts], ignore_index=True)
    lines = pd.concat([part[2] for part in parts], ignore_index=True)
    if lines[KG].isna().any(axis=None):
        row = lines[lines[KG].isna().any(axis=1)].iloc[0]
        what = f"carrier {row['energy_carrier']!r} in {row['country']!r}" if row["energy_carrier"] else row["category"]
        raise NbbError(f"{what}, {row['year']}: has no emission factor; add it to energy.csv or handling_costs.csv")
    elements = elements.merge(categories[CATEGORY], on=["category", "year"], how="left")
    elements = elements.merge(tables["chains"][["chain", "bundle"]], on="chain", how="left")
    elements = elements.merge(shares, on=["bundle", "year"], how="left")
    elements = elements.fillna({"shipper": "", "share": 1.0})
    elements = elements.assign(mass_t=elements["mass_t"] * elements["share"])
    hub = elements["mode"] == HUB
    elements = elements.assign(sfd_km=elements["distance_km"], unit=elements["mass_t"])
    elements = elements.assign(activity_tkm=activity_tkm(elements["mass_t"], elements["sfd_km"]))
    elements = elements.assign(unit=elements["activity_tkm"].mask(hub, elements["mass_t"]))
    sums = total(elements, ["category"], "mass_t", "activity_tkm", "unit")
    sums = sums.merge(total(lines, ["category"], *AMOUNTS), on="category", how="left")
    categories = categories.merge(sums, on="category", how="left")
    for name in KG:
        categories = categories.assign(**{f"{name}_per_unit": categories[name] / categories["unit"]})
    per_unit = categories.set_index("category")
    for name in AMOUNTS:
        rate = (per_unit[name] / per_unit["unit"]).reindex(elements["category"]).to_numpy()
        elements = elements.assign(**{name: elements["unit"] * rate})
    places = world.indexed("nodes")[["lat", "lon"]]
    ends = [places.reindex(elements[name]).to_numpy(dtype=float) for name in ("from_node", "to_node")]
    elements = elements.assign(gcd_km=great_circle_km(*ends))
    elements = elements.sort_values(["year", "chain", "shipper", "step", "category"], kind="stable")
    order = ["chain", "bundle", "shipper", "year", "step", "category", "mode", "from_node", "to_node", "mass_t",
             "sfd_km", "gcd_km", "activity_tkm", *AMOUNTS]  # fmt: skip
    elements = elements[order].reset_index(drop=True)
    return Ledger(elements, categories.drop(columns="unit"), lines, making(world, tables))


def by_shipper(ledger: Ledger) -> pd.DataFrame:
    """Columns shipper, year, country, mode, energy_carrier, kwh, ttw_kg, wtt_kg, biogenic_kg.

    Every line of a category belongs to its shippers by their part of its activity (tkm; tonnes of hubs).
    """
    unit = ledger.elements["activity_tkm"].mask(ledger.elements["mode"] == HUB, ledger.elements["mass_t"])
    part = total(ledger.elements.assign(unit=unit), ["category", "shipper"], "unit")
    part = part.assign(share=part["unit"] / part.groupby("category")["unit"].transform("sum"))
    rows = ledger.lines.merge(part[["category", "shipper", "share"]], on="category")
    rows = rows.assign(**{name: rows[name] * rows["share"] for name in AMOUNTS})
    return total(rows, ["shipper", "year", "country", "mode", "energy_carrier"], *AMOUNTS)


def _flows_and_steps(world: World, tables: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    goods = world.table("commodities")[["commodity", "cargo_type"]]
    chains = tables["chains"][["chain", "bundle"]].merge(tables["bundles"], on="bundle").merge(goods)
    flows = tables["flows"].merge(chains[["chain", "cargo_type"]], on="chain")
    steps = tables["chain_steps"]
    steps = steps[steps["chain"].isin(flows["chain"])].sort_values(["chain", "step"], kind="stable")
    return flows, steps.reset_index(drop=True)


def _energy_kg(world: World, tables: Mapping[str, pd.DataFrame], lines: pd.DataFrame) -> pd.DataFrame:
    """Lines of categories of some modes, with the fuels that were taken in and their emissions."""
    replaced = read_replaced(world, tables)
    lines = with_substitutes(
        replaced[replaced["mode"].isin(lines["mode"])], lines[["category", *PLACE, "kwh"]], keys=["category"]
    )
    rows = lines.merge(world.energy, on=["energy_carrier", "country", "year"], how="left")
    rows = rows.merge(biogenic_factors(world), on=["energy_carrier", "country", "year"], how="left")
    rows = rows.assign(**{BIOGENIC: rows["kwh"] * rows["biogenic_kg_co2_per_kwh"]})
    return rows.assign(**{kg: rows["kwh"] * rows[factor] for kg, factor in FACTORS.items()})


def biogenic_factors(world: World) -> pd.DataFrame:
    """Columns energy_carrier, country, year, biogenic_kg_co2_per_kwh; a blank of energy.csv means none."""
    keys, column = ["energy_carrier", "country"], "biogenic_kg_co2_per_kwh"
    return values_in_periods(world.table("energy").fillna({column: 0.0}), keys, [column], world.years)


LINE = ["category", "year", "mode", "country", "energy_carrier", *AMOUNTS]


def _road(world: World, tables: Mapping[str, pd.DataFrame], flows: pd.DataFrame, steps: pd.DataFrame) -> Part:
    lanes = read_lanes(world, tables)
    rows = steps.loc[steps["kind"] == "lane", ["chain", "step", "lane"]].merge(flows, on="chain")
    carried = total(rows, ["lane", "year"], "tonnes")
    driven, empties = read_driven(world, tables, lanes), read_empties(world, tables)
    road = road_use(world, driven, empties, lanes, carried)
    ends = tables["lanes"].set_index("lane")
    work = road.work.assign(mode="road", mode_a="", mode_b="")
    for name in ("from_node", "to_node"):
        work = work.assign(**{name: work["lane"].map(ends[name])})
    work = work.assign(distance_km=work["lane"].map(lanes.facts["km"]), category=_names(work, "lane"))
    elements = rows.drop(columns=["tonnes", "cargo_type"]).assign(mass=rows["tonnes"])
    elements = elements.merge(work[["lane", "year", "category", "share"]], on=["lane", "year"])
    elements = elements.assign(mass_t=elements["mass"] * elements["share"])
    lines = road.lines.merge(work[["lane", "year", "vehicle", "category", "mode"]], on=["lane", "year", "vehicle"])
    return elements[ELEMENT], work[CATEGORIES], _energy_kg(world, tables, lines)[LINE]


def _served(world: World, tables: Mapping[str, pd.DataFrame], flows: pd.DataFrame, steps: pd.DataFrame) -> Part:
    legs = read_legs(world, steps, flows)
    facts = legs.legs.rename(columns={"distance_km": "leg_km"})
    use = legs.use.merge(facts, on="leg").assign(mode_a="", mode_b="", loaded_vkm=np.nan, empty_vkm=np.nan)
    use = use.assign(distance_km=use["km"], category=_names(use, "leg"))
    rows = legs.runs.merge(flows, on="chain")
    elements = rows.merge(use[["leg", "cargo_type", "year", "category"]], on=["leg", "cargo_type", "year"])
    elements = elements.assign(mass_t=elements["tonnes"])
    mass = total(elements, ["category"], "mass_t")
    key = ["leg", "cargo_type", "year", "vehicle"]
    lines = legs.lines.merge(use[[*key, "category", "mode"]], on=key).merge(mass, on="category")
    lines = lines.assign(kwh=lines["kwh_per_t"] * lines["mass_t"])
    return elements[ELEMENT], use[CATEGORIES], _energy_kg(world, tables, lines)[LINE]


def _hubs(world: World, flows: pd.DataFrame, steps: pd.DataFrame) -> Part:
    columns = ["chain", "step", "from_node", "mode_a", "mode_b"]
    rows = steps.loc[steps["kind"] == "transfer", columns].merge(flows, on="chain")
    rows = rows.merge(handling_rows(world), on=["mode_a", "mode_b", "cargo_type"], how="left")
    rows = rows.assign(mass_t=rows["tonnes"], country=rows["from_node"].map(world.indexed("nodes")["country"]))
    words = [rows[name].astype(str) for name in ("year", "from_node", "mode_a", "mode_b", "cargo_type")]
    rows = rows.assign(category=words[0] + "/hub/" + words[1] + "/" + words[2] + "-" + words[3] + "/" + words[4])
    rows = rows.assign(
        ttw_kg=rows["tonnes"] * rows["ttw_kg_co2e_per_t"], wtt_kg=rows["tonnes"] * rows["wtt_kg_co2e_per_t"]
    )
    lines = total(rows, ["category", "year", "country"], *KG)
    lines = lines.assign(mode=HUB, energy_carrier="", kwh=0.0, **{BIOGENIC: 0.0})
    first = rows.drop_duplicates("category")
    categories = first.assign(
        mode=HUB,
        vehicle=first["mode_a"],
        to_node=first["from_node"],
        distance_km=0.0,
        loaded_vkm=np.nan,
        empty_vkm=np.nan,
    )
    return rows[ELEMENT], categories[CATEGORIES], lines[LINE]


def _names(rows: pd.DataFrame, path: str) -> pd.Series:
    """Ids such as `2030/road/diesel_60t/timber/Umea-Lycksele/lane12`."""
    text = {
        name: rows[name].astype(str) for name in ("year", "mode", "vehicle", "cargo_type", "from_node", "to_node", path)
    }
    head = text["year"] + "/" + text["mode"] + "/" + text["vehicle"] + "/" + text["cargo_type"]
    return head + "/" + text["from_node"] + "-" + text["to_node"] + "/" + path + text[path]
