"""What to do first: projects of a plan and of the studies about it in one order, by theme and by who pays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance
from nbb_opt.output import write_file
from nbb_opt.report.charts.charts import Series, stacked_rows
from nbb_opt.report.charts.svg import PALETTE
from nbb_opt.report.decisions import where_of_project
from nbb_opt.report.grid import Cell, Column, Grid, Section, each, known
from nbb_opt.report.inventory import InventoryTables
from nbb_opt.report.study import Answer
from nbb_opt.report.text import NO_BREAK, listed, meur, number
from nbb_opt.result import Run

THEMES = {
    "new_link": "infrastructure", "capacity": "infrastructure", "terminal": "infrastructure",
    "electrify": "energy", "grid": "energy", "charging_hub": "energy",
    "speed": "availability", "customs": "availability",
}  # fmt: skip
HEADINGS = {"infrastructure": "Infrastructure", "energy": "Energy supply", "availability": "Availability"}
# study -> a column that only its table `projects` has, what it says here, and what is not known without it
STUDIES = {
    "robust": ("no_regret", ["value_alone_eur", "value_in_plan_eur", "share_of_futures", "no_regret"],
               "what a project is worth, alone and in the plan, and whether it is right in every future"),
    "cooperate": ("only_jointly", ["only_jointly"], "what is built only jointly"),
}  # fmt: skip
COLUMNS = [column for _, columns, _ in STUDIES.values() for column in columns]
SURE = ("yes", "undecided", "no")
DECIDED = {"idea": "not yet", "market": "by the market"}
MOST_BARS = 20


def strategy_answer(instance: Instance, run: Run, folders: Sequence[Path] = ()) -> Answer:
    """The priority list of a plan and of studies of the same instance, each a folder that its command wrote.

    Table `measures`: rank, theme, project, name, where, status, in_plan, year (of the plan), units, capex_eur (of these
    units; else of one), paid_by, value_alone_eur, value_in_plan_eur, share_of_futures, no_regret, only_jointly: blank
    where no study says. What is decided is in no list. First comes what is right in every future, then what is in the
    plan, by share of futures, worth and year. Table `people`: occupation, country, needed in the first and last period,
    to be had in the last with its range (NaN: not stated).
    Raises NbbError for a folder without such a table, twice the same study, or a project that the instance lacks.
    """
    found = {name: table for folder in folders for name, table in [_study(folder, instance)]}
    if len(found) < len(folders):
        raise NbbError("strategy: two folders are of the same study; give one of each")
    missing = [f"{STUDIES[name][2]} (nbb-opt {name} ... --out FOLDER)" for name in STUDIES if name not in found]
    inventory = InventoryTables(instance, run)
    measures, people = _measures(instance, run, found), _people(inventory)
    chosen = measures[measures["in_plan"]]
    to_decide = chosen[chosen["status"] == "idea"]
    first = to_decide.head(3)["name"].tolist()
    sentences = [
        f"{number(len(to_decide))} of {number(int((measures['status'] == 'idea').sum()))} projects that are to be "
        f"decided are in the plan, for {meur(float(to_decide['capex_eur'].sum()), 1)}"
        + (f"; first {listed(first)}." if first else "."),
        *(
            [
                f"The market is to build {number(len(chosen) - len(to_decide))} more, for "
                f"{meur(float(chosen['capex_eur'].sum() - to_decide['capex_eur'].sum()), 1)}."
            ]
            if len(chosen) > len(to_decide)
            else []
        ),
        *([f"Not known here: {'; '.join(missing)}."] if missing else []),
        *([] if len(people) else ["No people are counted: the table occupations has no rows."]),
    ]
    return Answer(
        instance=instance, name="strategy", title="strategy", sentences=sentences,
        description="What to decide first: projects of the plan and of studies about it, by theme.",
        tables={"measures": measures, "people": people}, sections=_sections,
        shown=[_line(row) for row in each(measures.head(20))],
    )  # fmt: skip


def _line(row: Any) -> str:
    when = f"from {row.year}" if row.in_plan else "not in the plan"
    when += ", by the market" if row.status == "market" else ""
    return f"{row.rank:>3}. {row.name}, {HEADINGS[row.theme].lower()}, {when}, {number(row.capex_eur / 1e6, 1)} MEUR"


def country_pages(found: Answer) -> dict[str, Answer]:
    """The answer for each country that pays for a measure or needs people: its own part, ranks as of all together."""
    measures, people = found.tables["measures"], found.tables["people"]
    names = found.instance["countries"].set_index("country")["name"]
    pages = {}
    for country in names.index:
        mine = measures[[country in {part.split(" ")[0] for part in paid.split("; ")} for paid in measures["paid_by"]]]
        here = people[people["country"] == country]
        if len(mine) or len(here):
            pages[str(country)] = replace(
                found, name=f"strategy_{country}", title=f"strategy, {names[country]}", shown=(),
                tables={"measures": mine.reset_index(drop=True), "people": here.reset_index(drop=True)},
                sentences=[f"{number(len(mine))} measures that {names[country]} pays for, at least in part; ranks are "
                           "those of all countries together.", *found.sentences[1:]],
            )  # fmt: skip
    return pages


def save_strategy(found: Answer, folder: Path) -> Path:
    """Page and tables of all together, and a page for each country."""
    page = found.save(folder)
    for each_page in country_pages(found).values():
        write_file(folder / f"{each_page.name}.html", each_page.page())
    return page


def _study(folder: Path, instance: Instance) -> tuple[str, pd.DataFrame]:
    file = folder / "projects.parquet"
    table = pd.read_parquet(file) if file.is_file() else pd.DataFrame()
    name = next((name for name, (mark, _, _) in STUDIES.items() if mark in table.columns), "")
    if not name:
        raise NbbError(f"{folder}: holds no table of projects; give the folder that nbb-opt robust or cooperate wrote")
    unknown = sorted(set(table["project"]) - set(instance["projects"]["project"]))
    if unknown:
        raise NbbError(f"{folder}: is of another instance, which has the project {unknown[0]}; run {name} again")
    return name, table[["project", *STUDIES[name][1]]]


def _measures(instance: Instance, run: Run, found: dict[str, pd.DataFrame]) -> pd.DataFrame:
    projects = instance["projects"]
    projects = projects[projects["status"].isin(("", "idea", "market"))]
    built = run.tables["projects"].sort_values("year").groupby("project")
    units, year = built["in_service"].max(), built["year"].min()
    shares = instance["project_funding"].sort_values(["project", "share"], ascending=[True, False])
    paid = shares["country"] + " " + (shares["share"] * 100).round().astype(int).astype("str") + " %"
    paid_by = paid.groupby(shares["project"]).agg("; ".join)
    rows = pd.DataFrame({
        "theme": projects["kind"].map(THEMES), "project": projects["project"], "name": projects["name"],
        "where": [where_of_project(instance, name) for name in projects["project"]],
        "status": projects["status"].replace("", "idea"), "in_plan": projects["project"].isin(units.index),
        "year": projects["project"].map(year).astype("Int64"),
        "units": projects["project"].map(units).astype("Int64"),
        "capex_eur": projects["capex_eur"] * projects["project"].map(units).fillna(1).astype(float),
        "paid_by": projects["project"].map(paid_by).fillna("not stated"),
    })  # fmt: skip
    for table in found.values():
        rows = rows.merge(table, on="project", how="left")
    rows = rows.reindex(columns=list(dict.fromkeys([*rows.columns, *COLUMNS])))
    sure = rows["no_regret"].map({word: i for i, word in enumerate(SURE)}).astype("Float64").fillna(1.0)
    order = pd.DataFrame({
        "sure": sure.mask(sure != 0, 1), "plan": ~rows["in_plan"],
        "futures": -pd.to_numeric(rows["share_of_futures"]).fillna(0.0),
        "worth": -pd.to_numeric(rows["value_in_plan_eur"]).fillna(0.0),
        "year": rows["year"].astype(float).fillna(9999.0), "project": rows["project"],
    })  # fmt: skip
    rows = rows.loc[order.sort_values(list(order.columns)).index].reset_index(drop=True)
    rows.insert(0, "rank", range(1, len(rows) + 1))
    return rows


def _people(inventory: InventoryTables) -> pd.DataFrame:
    regions = inventory.instance["fleet_regions"].set_index("fleet_region")["country"]
    jobs = inventory.instance["occupations"].set_index("occupation")["name"]
    staff = inventory.staff.assign(country=inventory.staff["fleet_region"].map(regions))
    ends, key = (inventory.years[0], inventory.years[-1]), ["occupation", "country"]
    first, last = (staff[staff["year"] == year] for year in ends)
    before = first.groupby(key)["needed"].sum().rename("needed_first")
    figures = {"needed": "needed_last", **{name: name for name in ("people", "people_low", "people_high")}}
    # not stated for a region: nor for its country
    after = last.rename(columns=figures).groupby(key)[list(figures.values())].sum(skipna=False)
    rows = pd.concat([before, after], axis=1).fillna({"needed_first": 0.0, "needed_last": 0.0}).reset_index()
    return rows.assign(occupation=rows["occupation"].map(jobs))


def _sections(answer: Answer) -> list[Section]:
    measures, sections = answer.tables["measures"], list[Section]()
    given = {column for column in COLUMNS if measures[column].notna().any()}
    for theme, heading in HEADINGS.items():
        rows = measures[measures["theme"] == theme]
        if len(rows):
            drawing = None if sections else _drawing(measures)  # one for all themes
            sections.append(Section(heading, "", [_grid(heading, rows, given)], drawing))
    people = answer.tables["people"]
    if len(people):
        cells = [list(map(known, row)) for row in people.itertuples(index=False)]
        columns = [Column("Occupation"), Column("Country"), *(Column(name, "count") for name in (
            "Needed, first period", "Needed, last period", "To be had, last period", "Low", "High"))]  # fmt: skip
        sections.append(Section("People", "", [Grid("People needed, full-time", columns, cells, first=30)]))
    return sections


def _drawing(measures: pd.DataFrame) -> Markup | None:
    """What the projects of the plan cost, in their order; None where it has none."""
    chosen = measures[measures["in_plan"]].head(MOST_BARS)
    bars = [
        (f"{row.rank}. {row.name}, {row.year}", {f"{row.theme}, {row.status}": row.capex_eur / 1e6})
        for row in each(chosen)
    ]  # fmt: skip
    series = [
        Series(f"{theme}, {status}", f"{heading}, {by}", PALETTE[2 * i + j])
        for i, (theme, heading) in enumerate(HEADINGS.items()) for j, (status, by) in enumerate(DECIDED.items())
    ]  # fmt: skip
    title = "Investment of the plan, the first to decide first"
    return stacked_rows(bars, series, unit="MEUR", key="strategy", title=title) if bars else None


def _grid(heading: str, rows: pd.DataFrame, given: set[str]) -> Grid:
    """The measures of a theme; the columns of a study stand only where it was given."""
    columns = [
        Column("No.", "count"), Column("Project"), Column("Where"), Column("Decided"),
        Column("In the plan from", "year"),
        Column("Investment", "meur", "MEUR"), Column("Who pays"),
    ]  # fmt: skip
    cells: list[list[Cell]] = [
        [row.rank, row.name, row.where, DECIDED[row.status], known(row.year), row.capex_eur / 1e6,
         "; ".join(part.replace(" ", NO_BREAK) for part in row.paid_by.split("; "))]
        for row in each(rows)
    ]  # fmt: skip
    of_studies: list[tuple[str, Column, list[Cell]]] = [
        ("value_alone_eur", Column("Worth alone", "meur", "MEUR"), [known(v, 1e6) for v in rows["value_alone_eur"]]),
        ("value_in_plan_eur", Column("Worth in the plan", "meur", "MEUR"),
         [known(v, 1e6) for v in rows["value_in_plan_eur"]]),
        ("no_regret", Column("Right in every future"), [_said(v) for v in rows["no_regret"]]),
        ("only_jointly", Column("Only jointly"), [_said(v) for v in rows["only_jointly"]]),
    ]  # fmt: skip
    for name, column, values in of_studies:
        if name in given:
            columns.append(column)
            cells = [[*row, value] for row, value in zip(cells, values, strict=True)]
    note = "A dash: it is not in the plan" + (", or no study says so." if given else ".")
    return Grid(f"{heading}: what to decide first", columns, cells, first=15, note=note)


def _said(value: Any) -> str:
    return "–" if pd.isna(value) else {True: "yes", False: "no"}.get(value, str(value))
