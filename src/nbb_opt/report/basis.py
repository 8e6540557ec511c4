"""What the figures rest on: method, assumptions, ranges, sources, every emission factor, and the rows of the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import pandas as pd

from nbb_opt.emissions.factors import Registry
from nbb_opt.emissions.intensities import own_intensities
from nbb_opt.emissions.ledger import BIOGENIC, HUB, KG, Ledger, by_shipper, shown
from nbb_opt.emissions.outside import outside_freight
from nbb_opt.emissions.reconcile import factors_used, reconcile, traced_totals
from nbb_opt.instance import Instance, split_refs
from nbb_opt.instance.schema import BY_NAME
from nbb_opt.recompute import total
from nbb_opt.report.decisions import names_of
from nbb_opt.report.grid import Column, Grid, each
from nbb_opt.report.text import cut, number, percent, plain
from nbb_opt.result import Run

ASSUMPTION = "assumption"
BOUNDARY_WORDS = {"WTW": "well to wheel: operation (TTW) and provision of energy (WTT), ISO 14083 terms"}
FERRY_WORDS = {
    "mass": "by mass of goods and passengers",
    "lane_metre": "by lane metres",
    "area": "by deck area",
    "freight_only": "all to freight",
    "user_share": "by share of users",
}
NOTE_LENGTH = 220


def method(instance: Instance) -> list[tuple[str, str]]:
    """State how costs and emissions are counted."""
    meta = instance.meta
    periods = ", ".join(f"{p.year} ({p.years} years)" for p in instance.periods)
    return [
        ("Boundary of emissions", BOUNDARY_WORDS.get(meta.boundary, meta.boundary)),
        ("Global warming potentials", meta.gwp_set),
        ("Grid electricity", meta.grid_method),
        ("Ferries", f"emissions {FERRY_WORDS.get(meta.ferry_allocation, meta.ferry_allocation)}"),
        ("Carbon price paid on", f"{meta.carbon_base} emissions"),
        ("Prices", f"EUR of {meta.price_year}, without value added tax"),
        ("Discount rate", f"{percent(meta.discount_rate)} a year, real"),
        ("Periods", periods),
        (
            "Ways considered",
            f"{meta.alternatives} per kind of chain, at most {meta.max_main_legs} rail, sea or ferry legs",
        ),
        (
            "System cost",
            "transport services, trucks, energy, drivers, tolls, handling, time of the goods, carbon price, chargers "
            "and projects; what is left of trucks, chargers and projects at the end is counted back",
        ),
        (
            "Frozen plan and reference",
            "frozen: today's kinds of trucks and today's network, no projects, no rules; every flow on its cheapest "
            "way. Reference: trucks that pay by themselves or a rule demands, and projects that are being built or "
            "committed; no ideas, no cap on emissions. Both are solved and checked like the plan",
        ),
        ("Main mode", "the mode with most km of a chain; a flow counts as moved when its main mode is another one"),
        ("Licence of the data", meta.licence),
    ]


def computed(run: Run) -> list[tuple[str, str]]:
    """State model, options, versions and sizes of a run."""
    record = run.record
    sizes = [
        f"{number(record[k])} {k}" for k in ("rows", "columns", "integers", "nonzeros") if record.get(k) is not None
    ]
    facts = [
        ("Model", f"{record.get('model', '')}: {', '.join(record.get('blocks', []))}"),
        ("Status", str(record.get("status", ""))),
        ("Size", ", ".join(sizes)),
        ("Seed, threads", f"{record.get('seed', '')}, {record.get('threads', '')}"),
        ("Options", _pairs(record.get("options", {}))),
        ("Seconds", _pairs(record.get("seconds", {}))),
        ("Versions", _pairs(record.get("versions", {}))),
        ("Digest of the instance", str(record.get("instance_digest", ""))),
    ]
    return [(name, value) for name, value in facts if value]


def _pairs(mapping: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in mapping.items())


def assumption_counts(instance: Instance) -> Grid:
    """Count, by table, the rows that rest on our own reasoning."""
    rows: list[list[Any]] = []
    for name in BY_NAME:
        if name in ("od", "sources") or "source" not in instance[name].columns:
            continue
        source = instance[name]["source"]
        marked = int(source.map(lambda cell: ASSUMPTION in split_refs(cell)).sum()) if len(source) else 0
        if marked:
            rows.append([name.replace("_", " "), len(source), marked, marked / len(source)])
    columns = (
        Column("Table"),
        Column("Rows", "count"),
        Column("Rest on assumptions", "count"),
        Column("Share", "percent", "%"),
    )
    return Grid("Rows that rest on assumptions, wholly or in part", columns, rows, first=40, name="Assumption counts")


def assumption_rows(instance: Instance) -> Grid:
    """List the different assumptions: where, how many rows, and the reasoning given."""
    rows: list[list[Any]] = []
    for name, table in BY_NAME.items():
        if name in ("od", "sources") or "source" not in instance[name].columns:
            continue
        frame = instance[name]
        marked = frame[frame["source"].map(lambda cell: ASSUMPTION in split_refs(cell)).astype(bool)]
        for note, group in marked.groupby("note", sort=False):
            first = group.iloc[0]
            key = "/".join(str(first[column]) for column in table.key)
            more = f" and {number(len(group) - 1)} more" if len(group) > 1 else ""
            rows.append(
                [name.replace("_", " "), cut(key, 60) + more, cut(str(note), NOTE_LENGTH) or "no reasoning given"]
            )
    columns = (Column("Table"), Column("Row"), Column("Reasoning"))
    return Grid("Assumptions", columns, rows, name="Assumptions")


def range_grid(instance: Instance) -> Grid:
    """List how far uncertain figures may be off."""
    rows = []
    for row in each(instance["ranges"]):
        which = "every assumption" if row.row == "*" else row.row
        rows.append([row.table.replace("_", " "), which, row.column, row.low_factor, row.high_factor, row.reason])
    columns = (
        Column("Table"),
        Column("Row"),
        Column("Figure"),
        Column("Low, times", "decimal"),
        Column("High, times", "decimal"),
        Column("Reason"),
    )
    return Grid("Ranges of uncertain figures", columns, rows, name="Ranges")


def range_of(instance: Instance, table: str, column: str, row: str = "") -> tuple[float | None, float | None, str]:
    """Factors and reason of table `ranges` for a row (by the first part of its key), or for all rows of a column."""
    ranges = instance["ranges"]
    mine = ranges[(ranges["table"] == table) & (ranges["column"] == column)]
    own = mine[[bool(row) and name.split("/")[0] == row for name in mine["row"]]]
    found = (own if len(own) else mine[mine["row"] == "*"]).to_dict("records")
    if not found:
        return None, None, ""
    return float(found[0]["low_factor"]), float(found[0]["high_factor"]), str(found[0]["reason"])


def source_rows(instance: Instance) -> list[dict[str, str]]:
    """List the sources; `link` is set only for https addresses without blanks or quotes."""
    rows = []
    for row in each(instance["sources"]):
        url = str(row.url)
        safe = url.lower().startswith("https://") and not any(c.isspace() or c in "\"'<>`" for c in url)
        rows.append(
            {
                "source": row.source,
                "title": row.title,
                "licence": row.licence,
                "year": row.year,
                "url": url,
                "link": url if safe else "",
            }
        )
    return rows


@lru_cache(maxsize=1)
def factor_card(instance: Instance, runs: tuple[Run, ...]) -> Grid:
    """List every emission factor behind the plans, with its source; once for the page and the workbook of them."""
    titles = instance["sources"].set_index("source")["title"]
    rows: list[list[Any]] = []
    for row in factors_used(instance, [run.tables for run in runs]).to_dict("records"):
        source = "; ".join(str(titles[name]) for name in split_refs(row["source"]))
        words = [plain(row["unit"]), *(row[name] for name in ("boundary", "gwp_set", "region", "year", "licence"))]
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
        f"{meta.ferry_allocation}. Empty trips are inside. Biogenic CO2 counts as zero where it is burnt; outside the "
        f"totals stands {_biogenic_words(instance, runs)}. {_making_words(instance)} {_shipper_words(instance)} "
        "Follows the structure of ISO 14083; conformity is not claimed."
    )
    return Grid("Emission factors used", columns, rows, first=15, note=note, name="Factors used")


def trace_grid(instance: Instance, run: Run) -> Grid:
    """Trace the totals by year, country, mode and carrier to factor ids."""
    rows = [
        [r["year"], r["country"], r["mode"], r["energy_carrier"], _or_none(r["kwh"]), _or_none(r["ttw_kg_per_kwh"]),
         _or_none(r["wtt_kg_per_kwh"]), r["ttw_kg"], r["wtt_kg"], _or_none(r[BIOGENIC]), r["factors"], r["rests_on"],
         r["sources"]]
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
        Column("Biogenic CO2, outside", "number", "kg CO2 a year"),
        Column("Factor ids"),
        Column("Rows of the instance"),
        Column("Sources"),
    )
    return Grid("Emissions traced to factors", columns, rows, name="Emission trace")


def _biogenic_words(instance: Instance, runs: Sequence[Run]) -> str:
    """How much biogenic CO2 the plans emit in each period, and which biofuels do not say."""
    texts = []
    for run in runs:
        kg = traced_totals(instance, run.tables).groupby("year")[BIOGENIC].sum()
        texts.append(", ".join(f"{number(kg.get(p.year, 0.0) / 1000)} t in {p.year}" for p in instance.periods))
    hvo = instance["vehicles"].query("technology == 'hvo'")["energy_carrier"]
    rows = instance["energy"][instance["energy"]["energy_carrier"].isin(hvo)]
    bare = sorted(set(rows.loc[rows["biogenic_kg_co2_per_kwh"].isna(), "energy_carrier"]))
    return f"{'; '.join(texts)} a year" + (f" (the instance gives none for {', '.join(bare)})" if bare else "")


def _making_words(instance: Instance) -> str:
    given = instance["vehicles"]["making_kg_co2e"].notna().any()
    if not given:
        return "Making of trucks and batteries is outside, and the instance gives no figures for it."
    return "Making of trucks and batteries is outside; it has a table of its own."


def _shipper_words(instance: Instance) -> str:
    if not any(instance.shippers):
        return "The demand names no shipper: all emissions are those of one unnamed shipper."
    named = sum(1 for name in instance.shippers if name)
    rest = ", the rest is of an unnamed one" if "" in instance.shippers else ""
    return f"Emissions are split over {named} named shippers by their tonnes{rest}."


def shipper_grid(ledger: Ledger) -> Grid:
    """Split the emissions by shipper, period, country and mode."""
    rows = total(by_shipper(ledger), ["shipper", "year", "country", "mode"], "kwh", *KG, BIOGENIC)
    cells = [
        [shown(r["shipper"]), r["year"], r["country"], r["mode"], r["kwh"] or None, r["ttw_kg"], r["wtt_kg"],
         r["ttw_kg"] + r["wtt_kg"], r[BIOGENIC]]
        for r in rows.to_dict("records")
    ]  # fmt: skip
    columns = (
        Column("Shipper"),
        Column("Year", "year"),
        Column("Country"),
        Column("Mode"),
        Column("Energy", "number", "kWh a year"),
        Column("TTW", "number", "kg CO2e a year"),
        Column("WTT", "number", "kg CO2e a year"),
        Column("WTW", "number", "kg CO2e a year"),
        Column("Biogenic CO2, outside", "number", "kg CO2 a year"),
    )
    note = "A chain's emissions belong to the shippers of its flow by their tonnes in that year."
    return Grid("Emissions by shipper", columns, cells, first=24, note=note, name="Emissions by shipper")


def making_grid(instance: Instance, ledger: Ledger) -> Grid:
    """List the making of the trucks and batteries that are bought."""
    trucks = names_of(instance, "vehicles", "vehicle")
    titles = instance["sources"].set_index("source")["title"]
    cells = [
        [r["year"], r["country"], trucks[r["vehicle"]], r["part"], r["bought"], _or_none(r["kg_each"]),
         _or_none(r["kg"]), "; ".join(str(titles[name]) for name in split_refs(r["source"]))]
        for r in ledger.making.to_dict("records")
    ]  # fmt: skip
    columns = (
        Column("Bought in", "year"),
        Column("Country"),
        Column("Vehicle"),
        Column("Part"),
        Column("Bought", "count"),
        Column("Making, each", "number", "kg CO2e"),
        Column("Making", "number", "kg CO2e"),
        Column("Source"),
    )
    note = "Once, at purchase, and in no other total of this report. A dash: the instance gives no figure."
    return Grid("Making of the trucks and batteries bought", columns, cells, note=note, name="Making of trucks")


def reconciliation_grid(instance: Instance, run: Run, ledger: Ledger) -> Grid:
    """Set the accounts of the emissions side by side."""
    found = reconcile(instance, run.tables, ledger)
    many = (found["by"] == "year, category") & found["ok"]
    found = found[~many]
    names = {"elements": "Chain elements", "shippers": "By shipper", "ledger": "Categories",
             "energy": "Energy times factors", "model": "Model"}  # fmt: skip
    cells = [
        [r["by"], r["where"], r["boundary"], *(_or_none(r[f"{name}_kg"]) for name in names), r["relative"],
         "yes" if r["ok"] else "NO"]
        for r in found.to_dict("records")
    ]  # fmt: skip
    columns = (
        Column("By"),
        Column("Where"),
        Column("What"),
        *(Column(word, "number", "kg a year") for word in names.values()),
        Column("Widest difference", "exponent", "relative"),
        Column("Agrees"),
    )
    note = f"Beside these, {int(many.sum())} sums of single categories agree; they have a sheet of their own."
    return Grid("Reconciliation of the emissions", columns, cells, note=note, name="Reconciliation")


def outside_grids(instance: Instance) -> list[Grid]:
    """What freight without a choice of mode moves and emits, by goods and period; none where there is none."""
    rows = outside_freight(instance)
    if rows.empty:
        return []
    rows = rows.assign(kg=rows["ttw_kg"] + rows["wtt_kg"])
    sums = rows.groupby(["commodity", "year"], as_index=False)[["tonnes", "tkm", "kg"]].sum()
    names = instance["commodities"].set_index("commodity")["name"]
    cells = [[names[row.commodity], row.year, row.tonnes / 1e3, row.tkm / 1e6, row.kg / 1e6] for row in each(sums)]
    columns = (
        Column("Goods"), Column("Period from", "year"), Column("Moved", "kt", "kt a year"),
        Column("Work", "number", "Mtkm a year"), Column("CO2e, well to wheel", "kt", "kt a year"),
    )  # fmt: skip
    note = "It stands beside the accounts: no model decides on it, and no total or percentage counts it."
    return [Grid("Freight without a choice of mode", columns, cells, note=note, name="Without a choice")]


def own_grid(instance: Instance, ledger: Ledger, own: Registry) -> Grid:
    """Set intensities of the user's own beside those of the ledger."""
    rows = [list(row) for row in own_intensities(instance, ledger, own).itertuples(index=False, name=None)]
    columns = (
        Column("Own factor"),
        Column("Vehicle"),
        Column("Year", "year"),
        Column("Boundary"),
        Column("As given", "number", "g CO2e/tkm"),
        Column("On which km"),
        Column("On network km", "number", "g CO2e/tkm"),
        Column("Ledger", "number", "g CO2e/tkm"),
        Column("Activity", "number", "tkm a year"),
        Column("By own figure", "number", "kg CO2e a year"),
        Column("By ledger", "number", "kg CO2e a year"),
    )
    note = f"From {own.path.name}; converted once to the km of the network. Plan and totals are those of the ledger."
    return Grid("Own intensities beside the ledger", columns, rows, note=note, name="Own intensities")


def category_grid(ledger: Ledger) -> Grid:
    """List the operation categories (TOC) and hub categories (HOC) with activity and intensity."""
    parts = ledger.lines.assign(part=ledger.lines["energy_carrier"] + " " + ledger.lines["country"])
    carriers = {key: ", ".join(dict.fromkeys(rows)) for key, rows in parts.groupby("category")["part"]}
    rows = [
        [r["category"], "HOC" if r["mode"] == HUB else "TOC", r["year"], r["mode"], r["vehicle"], r["cargo_type"],
         r["mass_t"], r["activity_tkm"], _empty_share(r), r["kwh"], r["ttw_kg"], r["wtt_kg"], r["ttw_kg_per_unit"],
         r["wtt_kg_per_unit"], r[BIOGENIC], carriers[r["category"]].strip()]
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
        Column("Biogenic CO2, outside", "number", "kg CO2 a year"),
        Column("Energy carriers"),
    )
    return Grid("Operation categories", columns, rows, name="TOC and HOC")


def _or_none(value: float) -> float | None:
    return None if pd.isna(value) else float(value)


def _empty_share(row: Mapping[Any, Any]) -> float | None:
    if pd.isna(row["loaded_vkm"]):
        return None
    return float(row["empty_vkm"] / (row["empty_vkm"] + row["loaded_vkm"]))
