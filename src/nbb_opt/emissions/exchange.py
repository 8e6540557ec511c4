"""Exchange of a ledger: iLEAP 1.0 shipment footprints, TOC and HOC data, and tables for a sustainability report.

Every decimal is a string with a point, as the specification wants it, written in full: read back it is the amount of
the ledger. A shipment is what one chain carries for one shipper in a year of the period; freight without a choice of
mode (plants' own quays) is among them, as chains called outside-..., and not `counted` in the tables, as in no total of
the plan. A ferry is written as Sea.
Handling at hubs is known as emissions per tonne, not as energy: which carrier hubs use is a setting, with its factors
of that place. Biogenic CO2 has no field there; it stands in the table for a sustainability report.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pandas as pd

from nbb_opt.emissions.ledger import BIOGENIC, HUB, KG, Ledger, by_shipper, outside_ledger, shown
from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance, by_period
from nbb_opt.output import check_place, write_files
from nbb_opt.recompute import total

MODES = {"road": "Road", "rail": "Rail", "sea": "Sea", "ferry": "Sea"}
ENERGY_CARRIERS = (
    "Diesel", "HVO", "Petrol", "CNG", "LNG", "LPG", "HFO", "MGO", "Aviation fuel", "Hydrogen", "Methanol", "Electric",
)  # fmt: skip
# Carriers of the shipped instances. The specification has no biogas and no mix: the description says what it is.
KNOWN_CARRIERS = {"diesel": "Diesel", "hvo": "HVO", "electricity": "Electric", "hydrogen": "Hydrogen",
                  "marine_fuel": "MGO", "kvarken_ferry_mix": "LNG", "biogas": "LNG", "marine_biogas": "LNG",
                  "marine_bio": "HVO", "shore_power": "Electric"}  # fmt: skip
FILES = ("shipments.json", "tocs.json", "hocs.json", "ledger.csv", "sustainability.csv", "making.csv")


def decimal(value: float) -> str:
    """A number as a decimal string without exponent, exact when read back.

    >>> decimal(161.0), decimal(1e-07), decimal(0.1)
    ('161', '0.0000001', '0.1')
    """
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return format(Decimal(repr(float(value))), "f")


def locations(instance: Instance) -> dict[str, dict[str, str]]:
    """The iLEAP location of every node."""
    return {
        row["node"]: {"city": row["name"], "country": row["country"], "lat": decimal(row["lat"]),
                      "lng": decimal(row["lon"])} | ({"locode": row["unlocode"]} if row["unlocode"] else {})
        for row in instance["nodes"].to_dict("records")
    }  # fmt: skip


def shipments(ledger: Ledger, places: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    """One ShipmentFootprint per chain, shipper and period, its elements in order.

    Two kinds of trucks on a lane run side by side: both precede the next step. Two kinds of trains on a leg follow each
    other, each with its part of the km.
    """
    key = ["chain", "year", "shipper"]
    ordered = ledger.elements.sort_values([*key, "step", "category"], kind="stable").to_dict("records")
    return [
        _shipment(f"{year}-chain-{chain}" + (f"-{shipper}" if shipper else ""), list(rows), places)
        for (chain, year, shipper), rows in groupby(ordered, key=itemgetter(*key))
    ]


def _shipment(name: str, rows: Sequence[Mapping[Any, Any]], places: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    tces: list[dict[str, Any]] = []
    before: list[str] = []
    mass_t = 0.0
    for step, grouped in groupby(rows, key=itemgetter("step")):
        parts = list(grouped)
        beside = parts[0]["mode"] == "road"
        if not tces:
            mass_t = sum(part["mass_t"] for part in parts) if beside else parts[0]["mass_t"]
        ids = [f"{name}-step-{step}-{i}" for i in range(len(parts))]
        for tce, part in zip(ids, parts, strict=True):
            tces.append(_tce(tce, name, before, part, places))
            before = before if beside else [tce]
        before = ids if beside else before
    return {"shipmentId": name, "mass": decimal(mass_t * 1000.0), "tces": tces}


def _tce(
    name: str, shipment: str, before: list[str], row: Mapping[Any, Any], places: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    category = {"hocId" if row["mode"] == HUB else "tocId": row["category"]}
    return {
        "tceId": name,
        "prevTceIds": before,
        "shipmentId": shipment,
        **category,
        "mass": decimal(row["mass_t"] * 1000.0),
        "distance": {"sfd": decimal(row["sfd_km"]), "gcd": decimal(row["gcd_km"])},
        "origin": dict(places[row["from_node"]]),
        "destination": dict(places[row["to_node"]]),
        "transportActivity": decimal(row["activity_tkm"]),
        "co2eWTW": decimal(row["ttw_kg"] + row["wtt_kg"]),
        "co2eTTW": decimal(row["ttw_kg"]),
    }


def transport_categories(ledger: Ledger, carriers: Mapping[str, str]) -> list[dict[str, Any]]:
    """The TOC data. `carriers` gives the iLEAP energy carrier of each carrier of the instance.

    Raises NbbError for a carrier without one, or with a word the specification does not have.
    """
    lines = total(ledger.lines, ["category", "energy_carrier"], "kwh", *KG).to_dict("records")
    by_category = {key: list(rows) for key, rows in groupby(lines, key=itemgetter("category"))}
    found = []
    for row in ledger.categories[ledger.categories["mode"] != HUB].to_dict("records"):
        words = [row["mode"], row["vehicle"], row["cargo_type"], f"{row['from_node']} to {row['to_node']}"]
        own = [part["energy_carrier"] for part in by_category[row["category"]]]
        entry = {
            "tocId": row["category"],
            "description": f"{', '.join(words)}; energy: {', '.join(own)}",
            "mode": MODES[row["mode"]],
            "energyCarriers": [_carrier(part, carriers) for part in by_category[row["category"]]],
            "co2eIntensityWTW": decimal(row["ttw_kg_per_unit"] + row["wtt_kg_per_unit"]),
            "co2eIntensityTTW": decimal(row["ttw_kg_per_unit"]),
            "transportActivityUnit": "tkm",
        }
        if row["mode"] == "road":
            entry["emptyDistanceFactor"] = decimal(row["empty_vkm"] / (row["empty_vkm"] + row["loaded_vkm"]))
        found.append(entry)
    return found


def _carrier(part: Mapping[Any, Any], carriers: Mapping[str, str]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "energyCarrier": _word(part["energy_carrier"], carriers),
        "relativeShare": "1",  # a category is one kind of vehicle with one carrier
        "energyConsumption": decimal(part["kwh"]),
        "energyConsumptionUnit": "kWh",
        "emissionFactorWTW": decimal((part["ttw_kg"] + part["wtt_kg"]) / part["kwh"]),
        "emissionFactorTTW": decimal(part["ttw_kg"] / part["kwh"]),
    }
    if entry["energyCarrier"] == "Electric":
        entry["feedstocks"] = [{"feedstock": "Grid"}]
    return entry


def _word(own: str, carriers: Mapping[str, str]) -> str:
    word = carriers.get(own, "")
    if word not in ENERGY_CARRIERS:
        said = f"is written as {word!r}, which iLEAP does not have" if word else "has no iLEAP energy carrier"
        raise NbbError(
            f"energy carrier {own!r}: {said}; give it with carriers={{{own!r}: 'WORD'}} ({', '.join(ENERGY_CARRIERS)})"
        )
    return word


def hub_categories(
    instance: Instance, ledger: Ledger, carriers: Mapping[str, str], *, hub_carrier: str
) -> list[dict[str, Any]]:
    """The HOC data. `hub_carrier` is the carrier of the instance that cranes and loaders use.

    Raises NbbError if it has no emission factor where a hub is.
    """
    energy = by_period(instance, "energy")
    energy = energy[energy["energy_carrier"] == hub_carrier].set_index(["country", "year"])
    factors = energy[["ttw_kg_co2e_per_kwh", "wtt_kg_co2e_per_kwh"]].astype(float).T.to_dict("list")
    countries = instance["nodes"].set_index("node")["country"]
    places = locations(instance)
    found = []
    for row in ledger.categories[ledger.categories["mode"] == HUB].to_dict("records"):
        place = (countries[row["from_node"]], row["year"])
        if place not in factors:
            raise NbbError(
                f"hub {row['from_node']!r}: {hub_carrier!r} has no row in energy.csv for {place[0]}, {place[1]}; "
                "name the carrier of the hubs with hub_carrier="
            )
        ttw, wtt = factors[place]
        carrier = {
            "energyCarrier": _word(hub_carrier, carriers),
            "relativeShare": "1",
            "emissionFactorWTW": decimal(ttw + wtt),
            "emissionFactorTTW": decimal(ttw),
        }
        found.append(
            {
                "hocId": row["category"],
                "hubType": "Transshipment",
                "hubLocation": dict(places[row["from_node"]]),
                "inboundTransportMode": MODES[row["mode_a"]],
                "outboundTransportMode": MODES[row["mode_b"]],
                "energyCarriers": [carrier],
                "co2eIntensityWTW": decimal(row["ttw_kg_per_unit"] + row["wtt_kg_per_unit"]),
                "co2eIntensityTTW": decimal(row["ttw_kg_per_unit"]),
                "hubActivityUnit": "tonnes",
            }
        )
    return found


def sustainability_table(instance: Instance, ledger: Ledger) -> pd.DataFrame:
    """Emissions by year, shipper, mode and energy carrier for a sustainability report, with how they were counted.

    Columns: year, shipper, mode, energy_carrier, country, energy_kwh, ttw_t_co2e, wtt_t_co2e, wtw_t_co2e,
    biogenic_t_co2 (outside the ones before), mode_activity_tkm (of the shipper by that mode in that year), boundary,
    gwp_set, grid_method, ferry_allocation.
    """
    rows = by_shipper(ledger)
    activity = total(ledger.elements, ["year", "shipper", "mode"], "activity_tkm")
    rows = rows.merge(activity, on=["year", "shipper", "mode"], how="left")
    rows = rows.sort_values(["year", "shipper", "mode", "energy_carrier", "country"], kind="stable")
    rows = rows.assign(
        shipper=rows["shipper"].map(shown), biogenic_t_co2=rows[BIOGENIC] / 1000,
        ttw_t_co2e=rows["ttw_kg"] / 1000, wtt_t_co2e=rows["wtt_kg"] / 1000,
        wtw_t_co2e=(rows["ttw_kg"] + rows["wtt_kg"]) / 1000, boundary=instance.meta.boundary,
        gwp_set=instance.meta.gwp_set, grid_method=instance.meta.grid_method,
        ferry_allocation=instance.meta.ferry_allocation,
    )  # fmt: skip
    rows = rows.rename(columns={"kwh": "energy_kwh", "activity_tkm": "mode_activity_tkm"})
    order = ["year", "shipper", "mode", "energy_carrier", "country", "energy_kwh", "ttw_t_co2e", "wtt_t_co2e",
             "wtw_t_co2e", "biogenic_t_co2", "mode_activity_tkm", "boundary", "gwp_set", "grid_method",
             "ferry_allocation"]  # fmt: skip
    return rows[order].reset_index(drop=True)


def _together(plan: pd.DataFrame, beside: pd.DataFrame) -> pd.DataFrame:
    """Rows of the plan, counted in its totals, and of freight without a choice of mode, which is not."""
    parts = [rows.assign(counted=word) for rows, word in ((plan, "yes"), (beside, "no")) if len(rows)]
    return pd.concat(parts, ignore_index=True) if parts else plan.assign(counted="yes")


def write_exchange(
    instance: Instance,
    ledger: Ledger,
    folder: Path,
    *,
    carriers: Mapping[str, str] | None = None,
    hub_carrier: str = "diesel",
) -> list[Path]:
    """Write FILES into `folder`, which must be new, empty, or hold these files only; gives their paths.

    `carriers` adds to KNOWN_CARRIERS or replaces some of them.
    """
    foreign = sorted({path.name for path in folder.iterdir()} - set(FILES)) if folder.is_dir() else []
    if foreign or (folder.exists() and not folder.is_dir()):
        raise NbbError(f"{folder}: holds {', '.join(foreign) or 'no folder'}; give a new folder")
    check_place(folder)
    words, places, beside = {**KNOWN_CARRIERS, **(carriers or {})}, locations(instance), outside_ledger(instance)
    documents = {
        "shipments.json": shipments(ledger, places) + shipments(beside, places),
        "tocs.json": transport_categories(ledger, words) + transport_categories(beside, words),
        "hocs.json": hub_categories(instance, ledger, words, hub_carrier=hub_carrier),
    }
    files = {name: json.dumps(document, ensure_ascii=False, indent=1) + "\n" for name, document in documents.items()}
    rows = {
        "ledger": _together(ledger.elements, beside.elements),
        "sustainability": _together(sustainability_table(instance, ledger), sustainability_table(instance, beside)),
        "making": ledger.making,
    }
    files |= {f"{name}.csv": table.to_csv(index=False, lineterminator="\n") for name, table in rows.items()}
    write_files(folder, files)
    return [folder / name for name in FILES]
