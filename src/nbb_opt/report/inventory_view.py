"""The inventory as pages show it: bottlenecks with a map, countries side by side, borders, people, every object."""

from __future__ import annotations

from dataclasses import replace
from math import isnan
from typing import Any

import pandas as pd
from markupsafe import Markup

from nbb_opt.report.basis import assumption_counts
from nbb_opt.report.decisions import FULL_SHARE
from nbb_opt.report.grid import Cell, Column, Grid, Section, each, known
from nbb_opt.report.inventory import BELT, DRIVER_H_PER_YEAR, KINDS, InventoryTables, in_words
from nbb_opt.report.map.marked import Mark, draw_marked
from nbb_opt.report.study import Answer
from nbb_opt.report.text import MODE_WORDS, listed, number, percent, short

TIGHT_SHARE = 0.8
FULL, TIGHT, ROOM, NO_LIMIT = "#c1440e", "#e0a100", "#00805e", "#9aa5ae"
LEGEND = [
    (FULL, f"full: more than {FULL_SHARE:.0%} used"), (TIGHT, f"more than {TIGHT_SHARE:.0%} used"),
    (ROOM, "room left"), (NO_LIMIT, "used, no limit stated"),
]  # fmt: skip
WORST = 3


def inventory_answer(found: InventoryTables) -> Answer:
    """The inventory of a plan with its page; table `full` has the objects that are full in some period."""
    rows = found.cross_border[found.cross_border["year"] == found.years[-1]]
    over = rows[rows["from_country"] != rows["to_country"]][["tonnes", "given"]].to_numpy().sum()
    text = "Lines are road, rail and ferry; dots are ports, terminals and charging areas, each where it is fullest."

    def sections(_answer: Answer) -> list[Section]:
        first, *rest = inventory_sections(found, key="inventory")
        return [replace(first, text=text), *rest]

    return Answer(
        instance=found.instance, name="inventory", title="inventory", tables=found.tables, sections=sections,
        description="What exists, what uses it, when it runs full, and what is decided. Figures of the first period "
        "are those of the frozen plan.",
        sentences=(
            bottleneck_words(found),
            f"{number(len(found.objects))} objects, {len(found.limited)} with a limit, {len(found.full)} full in some "
            "period.",
            f"Over a border in {found.years[-1]}: {short(over / 1e6)} Mt a year.",
            f"{percent(float(found.objects['assumed'].mean()), 0)} of the objects rest on an assumption, wholly or in "
            "part.",
            *filter(None, [people_words(found)]),
            found.left_out,
        ),
        shown=[f"{KINDS[row.kind]:15} {in_words(row)}" for row in each(found.full.head(20))],
    )  # fmt: skip


def inventory_sections(found: InventoryTables, *, key: str, base: str = "") -> list[Section]:
    """The sections; the first two are those of a plan's report."""
    return [
        Section("Where it runs full", bottleneck_words(found), [bottleneck_grid(found)], load_map(found, key, base)),
        Section("Countries side by side", found.left_out, [country_grid(found)]),
        Section("Over the borders", "By the countries where freight starts and ends, and its main mode.",
                [border_grid(found)]),
        Section("Power", "Chargers and the grid that is free for trucks, beside what plants at the same grid take and "
                "wait for: a queue is no limit of the plan.", [power_grid(found)]),
        Section("People", f"{people_words(found)} Hours at the wheel, of breaks, loading and waiting at chargers; a "
                f"driver works {number(DRIVER_H_PER_YEAR)} h a year (CNR 2021, Sweden), an assumption elsewhere."
                .lstrip(),
                [people_grid(found), *([staff_grid(found)] if len(found.staff) else [])]),
        Section("Every object", "What is missing is what the tables do not state, and what is full while nothing is "
                "decided.", [object_grid(found)]),
        Section("How sure it is", "Rows of the instance whose source is an assumption.",
                [assumption_counts(found.instance)]),
    ]  # fmt: skip


def bottleneck_words(found: InventoryTables) -> str:
    """The worst bottlenecks in a sentence."""
    if found.full.empty:
        return f"None of the {len(found.limited)} objects with a limit is full in any period."
    worst = [in_words(row) for row in each(found.full.head(WORST))]
    return f"{len(found.full)} of {len(found.limited)} objects with a limit are full in some period. " + " ".join(
        f"{i}. {words}." for i, words in enumerate(worst, 1)
    )


def load_map(found: InventoryTables, key: str, base: str) -> Markup:
    """A map of how full lines, ports, terminals and charging areas are in the last period."""
    links, nodes = dict[str, Mark](), dict[str, Mark]()
    instance = found.instance
    ends = instance["links"].set_index("link")
    at = {"charge_area": instance["nodes"].query("charge_area != ''").groupby("charge_area")["node"].first(),
          "place": instance["terminals"].set_index("terminal")["node"]}  # fmt: skip
    for row in each(found.objects.iloc[::-1]):  # the worst on top
        if row.used_last <= 0 or row.kind in ("drivers", "zone"):
            continue
        colour, full = _colour(row.share_last), not pd.isna(row.first_full_year)
        tip = f"{row.name}: {in_words(row)}" if row.share_last == row.share_last else row.name
        if row.kind in ("line", "crossing"):
            if ends.at[row.object, "mode"] != "sea":
                links[row.object] = Mark(colour, 6.0 if colour == FULL else 3.5, tip, named=full)
        else:
            place = at["charge_area"].get(row.object) if row.kind == "charge_area" else at["place"].get(
                row.object, row.object)  # fmt: skip
            if place is not None:
                nodes[place] = Mark(colour, 7.0 if colour == FULL else 5.0, tip, named=full)
    year = found.years[-1]
    return draw_marked(
        instance, links=links, nodes=dict(reversed(nodes.items())), legend=LEGEND, key=key, base=base,
        title=f"Map of how full the network is in {year}",
        desc="Lines are road, rail and ferry, dots are ports, terminals and charging areas. The figures stand in the "
        "table below.",
    )  # fmt: skip


def _colour(share: float) -> str:
    if pd.isna(share):
        return NO_LIMIT
    return FULL if share > FULL_SHARE else TIGHT if share > TIGHT_SHARE else ROOM


def bottleneck_grid(found: InventoryTables) -> Grid:
    """Objects with a limit, the worst first."""
    rows: list[list[Cell]] = [
        [KINDS[row.kind], row.name, row.country, row.used_today, row.used_last, row.limit_last, row.unit,
         row.share_last, None if pd.isna(row.first_full_year) else int(row.first_full_year), row.decided or "nothing",
         row.ideas]
        for row in each(found.limited)
    ]  # fmt: skip
    first, last = found.years[0], found.years[-1]
    columns = (
        Column("What"), Column("Name"), Column("Country"), Column(f"Used {first}", "number"),
        Column(f"Used {last}", "number"), Column(f"Limit {last}", "number"), Column("Unit"),
        Column(f"Share {last}", "percent", "%"), Column("Full from", "year"), Column("Decided"), Column("Ideas"),
    )  # fmt: skip
    note = f"Used {first} is that of the frozen plan. A period is named by its first year."
    return Grid("Objects with a limit, the worst first", columns, rows, note=note, name="Bottlenecks")


def country_grid(found: InventoryTables) -> Grid:
    """Measures by country."""
    wide = found.countries.pivot_table(index=["measure", "unit"], columns="country", values="value", sort=False)
    codes = [code for code in wide.columns if code != BELT]
    rows: list[list[Cell]] = [
        [f"{measure}, {unit}" if unit else measure, *values]
        for (measure, unit), values in zip(wide.index, wide[[*codes, BELT]].to_numpy().tolist(), strict=True)
    ]
    columns = [Column("What"), *(Column(code, "number") for code in codes), Column("All together", "number")]
    note = "Kilometres at sea and what lies in no zone's country stand under all together only. Of what is shared each "
    note += "country has its share of the money, and every border crossing counts for both."
    return Grid("Countries side by side", columns, rows, first=40, note=note, name="Countries")


def border_grid(found: InventoryTables) -> Grid:
    """Freight by countries: first and last period."""
    rows = found.cross_border.query("from_country != to_country")
    ends = list(dict.fromkeys((found.years[0], found.years[-1])))
    wide = rows.assign(kt=(rows["tonnes"] + rows["given"]) / 1e3).pivot_table(
        index=["from_country", "to_country", "mode"], columns="year", values="kt", aggfunc="sum", fill_value=0.0
    )
    wide = wide.reindex(columns=ends, fill_value=0.0)
    wide = wide.loc[wide[ends[-1]].sort_values(ascending=False).index]
    cells: list[list[Cell]] = [
        [*ends_of[:2], MODE_WORDS[ends_of[2]], *values]
        for ends_of, values in zip(wide.index, wide.to_numpy().tolist(), strict=True)
    ]
    columns = [Column("From"), Column("To"), Column("Main mode"), *(Column(str(y), "kt", "kt a year") for y in ends)]
    note = "Freight without a choice of mode is in it; the first year is that of the plan, not of the frozen plan."
    return Grid("Freight over borders", columns, cells, note=note, name="Over borders")


def people_grid(found: InventoryTables) -> Grid:
    """Drivers by fleet region and period."""
    wide = found.people.pivot_table(index=["name", "country"], columns="year", values="drivers", fill_value=0.0)
    rows: list[list[Cell]] = [[*k, *v] for k, v in zip(wide.index, wide.to_numpy().tolist(), strict=True)]
    columns = [Column("Fleet region"), Column("Country"), *(Column(str(y), "count", "drivers") for y in wide.columns)]
    return Grid("Truck drivers, full-time", columns, rows, first=20, name="Drivers")


def staff_grid(found: InventoryTables) -> Grid:
    """People needed by occupation, region and period against those to be had, with their range."""
    rows: list[list[Cell]] = [
        [job, region, row.year, row.needed, *map(known, (row.people, row.people_low, row.people_high))]
        for job, region, row in _staff_rows(found)
    ]
    columns = (Column("Occupation"), Column("Fleet region"), Column("Period from", "year"), Column("Needed", "count"),
               Column("To be had", "count"), Column("Low", "count"), Column("High", "count"))  # fmt: skip
    note = "A dash: how many there are is not stated. Full-time people; one does the work that `occupations` says. "
    note += "How many there are is a figure beside the plan, not a limit of it."
    return Grid("People needed and to be had", columns, rows, first=20, note=note, name="People")


def people_words(found: InventoryTables) -> str:
    """Where people are short in the last period; blank where nobody to be had is stated."""
    year = found.years[-1]
    rows = [each_of for each_of in _staff_rows(found) if each_of[2].year == year and not isnan(each_of[2].people)]
    if not rows:
        return ""
    short_of = [row for row in rows if row[2].needed > row[2].people]
    at_best = sum(row.needed > row.people_high for _, _, row in short_of)
    short_of.sort(key=lambda each_of: each_of[2].people - each_of[2].needed)
    worst = [
        f"{job.lower()} of {region} ({number(row.needed)} needed, {number(row.people)} to be had, "
        f"{number(row.people_low)} to {number(row.people_high)})"
        for job, region, row in short_of[:WORST]
    ]
    return f"People in {year}: short in {len(short_of)} of {len(rows)} cases, in {at_best} even at the high end" + (
        f"; worst {listed(worst)}." if worst else "."
    )


def _staff_rows(found: InventoryTables) -> list[tuple[str, str, Any]]:
    """Name of the occupation, name of the fleet region and the row, of what is needed."""
    jobs, regions = (
        found.instance[table].set_index(key)["name"]
        for table, key in (("occupations", "occupation"), ("fleet_regions", "fleet_region"))
    )
    needed = found.staff[found.staff["needed"] > 0]
    return [(jobs[row.occupation], regions[row.fleet_region], row) for row in each(needed)]


def power_grid(found: InventoryTables) -> Grid:
    """Power and energy by charging area in the last period."""
    names = found.instance["charge_areas"].set_index("charge_area")["name"]
    figures = ["trucks_gwh", "chargers_mw", "grid_mw", "plants_mw", "plants_gwh", "queue_mw"]
    rows: list[list[Cell]] = [
        [names[row.charge_area], *(getattr(row, figure) for figure in figures)]
        for row in each(found.power[found.power["year"] == found.years[-1]])
        if row.chargers_mw or row.plants_mw or row.queue_mw
    ]  # fmt: skip
    columns = (
        Column("Charging area"), Column("Trucks", "decimal", "GWh a year"), Column("Chargers", "decimal", "MW"),
        Column("Free for trucks", "decimal", "MW"), Column("Plants", "number", "MW"),
        Column("Plants", "number", "GWh a year"), Column("Plants in the queue", "number", "MW"),
    )  # fmt: skip
    return Grid(f"Power in {found.years[-1]}", columns, rows, first=20, name="Power")


def object_grid(found: InventoryTables) -> Grid:
    """Every object with what exists, uses it, is decided and is missing."""
    rows: list[list[Cell]] = [
        [KINDS[row.kind], row.name, row.country, row.exists, row.used_today, row.used_last, row.given_last, row.unit,
         row.decided, row.missing, "assumption" if row.assumed else "source"]
        for row in each(found.objects)
    ]  # fmt: skip
    first, last = found.years[0], found.years[-1]
    columns = (
        Column("What"), Column("Name"), Column("Country"), Column("What exists"), Column(f"Used {first}", "number"),
        Column(f"Used {last}", "number"), Column(f"Without a choice {last}", "number"), Column("Unit"),
        Column("Decided"), Column("Missing"), Column("Rests on"),
    )  # fmt: skip
    count = found.objects["kind"].value_counts().to_dict()
    kinds = listed([f"{number(many)} {KINDS[str(kind)].lower()}" for kind, many in count.items()])
    return Grid(f"Every object: {kinds}", columns, rows, first=0, name="Inventory")
