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

import numpy as np
import pandas as pd

from nbb_opt.emissions.distance import activity_tkm, great_circle_km
from nbb_opt.emissions.legs import read_legs
from nbb_opt.emissions.making import making
from nbb_opt.emissions.road import road_use
from nbb_opt.emissions.shippers import shipper_shares
from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance
from nbb_opt.recompute.lanes import read_lanes
from nbb_opt.recompute.network import handling_rows
from nbb_opt.recompute.trips import read_empties
from nbb_opt.recompute.trucks import read_driven
from nbb_opt.recompute.world import World, join, read_world, total, values_in_periods

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
    made of. `making`: see `emissions.making`; per purchase, not per year, and in none of the other tables.
    """

    elements: pd.DataFrame
    categories: pd.DataFrame
    lines: pd.DataFrame
    making: pd.DataFrame


def build_ledger(instance: Instance, tables: Mapping[str, pd.DataFrame]) -> Ledger:
    """The ledger of a plan, from the instance and its result tables. Raises NbbError if an amount has no owner."""
    world = read_world(instance)
    flows, steps = _flows_and_steps(world, tables)
    parts = [_road(world, tables, flows, steps), _served(world, flows, steps), _hubs(world, flows, steps)]
    elements = pd.concat([part[0] for part in parts], ignore_index=True)
    categories = pd.concat([part[1] for part in parts], ignore_index=True)
    lines = pd.concat([part[2] for part in parts], ignore_index=True)
    if lines[KG].isna().any(axis=None):
        row = lines[lines[KG].isna().any(axis=1)].iloc[0]
        what = f"carrier {row['energy_carrier']!r} in {row['country']!r}" if row["energy_carrier"] else row["category"]
        raise NbbError(f"{what}, {row['year']}: has no emission factor; add it to energy.csv or handling_costs.csv")
    elements = elements.pipe(join, categories[CATEGORY], on=["category", "year"], how="left")
    elements = _by_shipper(elements, world, tables)
    hub = elements["mode"] == HUB
    elements = elements.assign(sfd_km=elements["distance_km"], unit=elements["mass_t"])
    elements = elements.assign(activity_tkm=activity_tkm(elements["mass_t"], elements["sfd_km"]))
    elements = elements.assign(unit=elements["activity_tkm"].mask(hub, elements["mass_t"]))
    sums = total(elements, ["category"], "mass_t", "activity_tkm", "unit")
    sums = sums.pipe(join, total(lines, ["category"], *AMOUNTS), on="category", how="left")
    categories = categories.pipe(join, sums, on="category", how="left")
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


def _by_shipper(elements: pd.DataFrame, world: World, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The elements with their tonnes shared over the shippers of the bundle.

    What a solver leaves on a bundle without demand in a period is rounding; it has no shipper.
    """
    elements = elements.pipe(join, tables["chains"][["chain", "bundle"]], on="chain", how="left")
    elements = elements.pipe(join, shipper_shares(world, tables), on=["bundle", "year"], how="left")
    elements = elements.fillna({"shipper": "", "share": 1.0})
    return elements.assign(mass_t=elements["mass_t"] * elements["share"])


def by_shipper(ledger: Ledger) -> pd.DataFrame:
    """Columns shipper, year, country, mode, energy_carrier, kwh, ttw_kg, wtt_kg, biogenic_kg.

    Every line of a category belongs to its shippers by their part of its activity (tkm; tonnes of hubs).
    """
    unit = ledger.elements["activity_tkm"].mask(ledger.elements["mode"] == HUB, ledger.elements["mass_t"])
    part = total(ledger.elements.assign(unit=unit), ["category", "shipper"], "unit")
    part = part.assign(share=part["unit"] / part.groupby("category")["unit"].transform("sum"))
    rows = ledger.lines.pipe(join, part[["category", "shipper", "share"]], on="category")
    rows = rows.assign(**{name: rows[name] * rows["share"] for name in AMOUNTS})
    return total(rows, ["shipper", "year", "country", "mode", "energy_carrier"], *AMOUNTS)


def _flows_and_steps(world: World, tables: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    goods = world.table("commodities")[["commodity", "cargo_type"]]
    chains = tables["chains"][["chain", "bundle"]].pipe(join, tables["bundles"], on="bundle").pipe(join, goods)
    flows = tables["flows"].pipe(join, chains[["chain", "cargo_type"]], on="chain")
    steps = tables["chain_steps"]
    steps = steps[steps["chain"].isin(flows["chain"])].sort_values(["chain", "step"], kind="stable")
    return flows, steps.reset_index(drop=True)


def _energy_kg(world: World, lines: pd.DataFrame) -> pd.DataFrame:
    rows = lines.pipe(join, world.energy, on=["energy_carrier", "country", "year"], how="left")
    rows = rows.pipe(join, biogenic_factors(world), on=["energy_carrier", "country", "year"], how="left")
    rows = rows.assign(**{BIOGENIC: rows["kwh"] * rows["biogenic_kg_co2_per_kwh"]})
    return rows.assign(**{kg: rows["kwh"] * rows[factor] for kg, factor in FACTORS.items()})


def biogenic_factors(world: World) -> pd.DataFrame:
    """Columns energy_carrier, country, year, biogenic_kg_co2_per_kwh; a blank of energy.csv means none."""
    keys, column = ["energy_carrier", "country"], "biogenic_kg_co2_per_kwh"
    return values_in_periods(world.table("energy").fillna({column: 0.0}), keys, [column], world.years)


Part = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]
LINE = ["category", "year", "mode", "country", "energy_carrier", *AMOUNTS]


def _road(world: World, tables: Mapping[str, pd.DataFrame], flows: pd.DataFrame, steps: pd.DataFrame) -> Part:
    lanes = read_lanes(world, tables)
    rows = steps.loc[steps["kind"] == "lane", ["chain", "step", "lane"]].pipe(join, flows, on="chain")
    carried = total(rows, ["lane", "year"], "tonnes")
    driven, empties = read_driven(world, tables, lanes), read_empties(world, tables)
    road = road_use(world, driven, empties, lanes, carried)
    ends = tables["lanes"].set_index("lane")
    work = road.work.assign(mode="road", mode_a="", mode_b="")
    for name in ("from_node", "to_node"):
        work = work.assign(**{name: work["lane"].map(ends[name])})
    work = work.assign(distance_km=work["lane"].map(lanes.facts["km"]), category=_names(work, "lane"))
    elements = rows.drop(columns=["tonnes", "cargo_type"]).assign(mass=rows["tonnes"])
    elements = elements.pipe(join, work[["lane", "year", "category", "share"]], on=["lane", "year"])
    elements = elements.assign(mass_t=elements["mass"] * elements["share"])
    lines = road.lines.pipe(join, work[["lane", "year", "vehicle", "category", "mode"]], on=["lane", "year", "vehicle"])
    return elements[ELEMENT], work[CATEGORIES], _energy_kg(world, lines)[LINE]


def _served(world: World, flows: pd.DataFrame, steps: pd.DataFrame) -> Part:
    legs = read_legs(world, steps, flows)
    facts = legs.legs.rename(columns={"distance_km": "leg_km"})
    use = legs.use.pipe(join, facts, on="leg").assign(mode_a="", mode_b="", loaded_vkm=np.nan, empty_vkm=np.nan)
    use = use.assign(distance_km=use["km"], category=_names(use, "leg"))
    rows = legs.runs.pipe(join, flows, on="chain")
    elements = rows.pipe(join, use[["leg", "cargo_type", "year", "category"]], on=["leg", "cargo_type", "year"])
    elements = elements.assign(mass_t=elements["tonnes"])
    mass = total(elements, ["category"], "mass_t")
    key = ["leg", "cargo_type", "year", "vehicle"]
    lines = legs.lines.pipe(join, use[[*key, "category", "mode"]], on=key).pipe(join, mass, on="category")
    lines = lines.assign(kwh=lines["kwh_per_t"] * lines["mass_t"])
    return elements[ELEMENT], use[CATEGORIES], _energy_kg(world, lines)[LINE]


def _hubs(world: World, flows: pd.DataFrame, steps: pd.DataFrame) -> Part:
    columns = ["chain", "step", "from_node", "mode_a", "mode_b"]
    rows = steps.loc[steps["kind"] == "transfer", columns].pipe(join, flows, on="chain")
    rows = rows.pipe(join, handling_rows(world), on=["mode_a", "mode_b", "cargo_type"], how="left")
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
