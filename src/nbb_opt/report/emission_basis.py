"""What the emissions rest on: every factor used with its source, totals traced to factors, and the ledger's rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from nbb_opt.emissions.ledger import HUB, Ledger
from nbb_opt.emissions.trace import factors_used, traced_totals
from nbb_opt.instance import Instance, split_refs
from nbb_opt.report.grid import Column, Grid
from nbb_opt.report.text import cut
from nbb_opt.result import Run


def factor_card(instance: Instance, runs: Sequence[Run]) -> Grid:
    """List every emission factor behind the plans, with its source."""
    titles = instance["sources"].set_index("source")["title"]
    rows: list[list[Any]] = []
    for row in factors_used(instance, [run.tables for run in runs]).to_dict("records"):
        source = "; ".join(str(titles[name]) for name in split_refs(row["source"]))
        words = [row[name] for name in ("unit", "boundary", "gwp_set", "region", "year", "licence")]
        rows.append([row["factor"], row["subject"], float(row["value"]), *words, source, cut(row["used_for"], 80)])
    columns = (
        Column("Factor"),
        Column("What it is about"),
        Column("Value", "number"),
        *(Column(word) for word in ("Unit", "Boundary", "GWP set", "Region", "Year", "Licence", "Source", "Used for")),
    )
    meta = instance.meta
    note = (
        f"Boundary {meta.boundary}; GWP set {meta.gwp_set}; grid electricity: {meta.grid_method}; ferries: "
        f"{meta.ferry_allocation}. Empty trips are inside. Biogenic CO2 counts as zero where it is burnt. "
        "Follows the structure of ISO 14083; conformity is not claimed."
    )
    return Grid("Emission factors used", columns, rows, first=15, note=note, name="Factors used")


def trace_grid(instance: Instance, run: Run) -> Grid:
    """Trace the totals by year, country, mode and carrier to factor ids."""
    rows = [
        [r["year"], r["country"], r["mode"], r["energy_carrier"], _or_none(r["kwh"]), _or_none(r["ttw_kg_per_kwh"]),
         _or_none(r["wtt_kg_per_kwh"]), r["ttw_kg"], r["wtt_kg"], r["factors"], r["rests_on"], r["sources"]]
        for r in traced_totals(instance, run.tables).to_dict("records")
    ]  # fmt: skip
    columns = (
        Column("Year", "year"),
        Column("Country"),
        Column("Mode"),
        Column("Energy carrier"),
        Column("Energy", "number", "kWh a year"),
        Column("TTW factor", "number", "kg/kWh"),
        Column("WTT factor", "number", "kg/kWh"),
        Column("TTW", "number", "kg CO2e a year"),
        Column("WTT", "number", "kg CO2e a year"),
        Column("Factor ids"),
        Column("Rows of the instance"),
        Column("Sources"),
    )
    return Grid("Emissions traced to factors", columns, rows, name="Emission trace")


def category_grid(ledger: Ledger) -> Grid:
    """List the operation categories (TOC) and hub categories (HOC) with activity and intensity."""
    parts = ledger.lines.assign(part=ledger.lines["energy_carrier"] + " " + ledger.lines["country"])
    carriers = {key: ", ".join(dict.fromkeys(rows)) for key, rows in parts.groupby("category")["part"]}
    rows = [
        [r["category"], "HOC" if r["mode"] == HUB else "TOC", r["year"], r["mode"], r["vehicle"], r["handling"],
         r["mass_t"], r["activity_tkm"], _empty_share(r), r["kwh"], r["ttw_kg"], r["wtt_kg"], r["ttw_kg_per_unit"],
         r["wtt_kg_per_unit"], carriers[r["category"]].strip()]
        for r in ledger.categories.to_dict("records")
    ]  # fmt: skip
    columns = (
        Column("Category"),
        Column("Kind"),
        Column("Year", "year"),
        Column("Mode"),
        Column("Vehicle"),
        Column("Goods"),
        Column("Mass", "number", "t a year"),
        Column("Activity", "number", "tkm a year"),
        Column("Empty distance share", "percent"),
        Column("Energy", "number", "kWh a year"),
        Column("TTW", "number", "kg CO2e a year"),
        Column("WTT", "number", "kg CO2e a year"),
        Column("TTW intensity", "number", "kg/tkm, hubs kg/t"),
        Column("WTT intensity", "number", "kg/tkm, hubs kg/t"),
        Column("Energy carriers"),
    )
    return Grid("Operation categories", columns, rows, name="TOC and HOC")


def _or_none(value: float) -> float | None:
    return None if pd.isna(value) else float(value)


def _empty_share(row: Mapping[Any, Any]) -> float | None:
    if pd.isna(row["loaded_vkm"]):
        return None
    return float(row["empty_vkm"] / (row["empty_vkm"] + row["loaded_vkm"]))
