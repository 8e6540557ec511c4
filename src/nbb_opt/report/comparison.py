"""What differs between plans, by name, and the sections of a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from nbb_opt.instance import Instance
from nbb_opt.report.decisions import names_of
from nbb_opt.report.grid import Cell, Column, Grid, Section
from nbb_opt.report.kpis import Tables, tonnes_by_chain_kind
from nbb_opt.report.map.difference import draw_difference, link_difference
from nbb_opt.report.text import MODE_WORDS
from nbb_opt.result import Run

KEY = ["kind", "what", "year"]
LEAST = {"freight": 1.0, "project": 0.5, "trucks": 0.5, "chargers": 0.5}  # t a year; units
UNITS = {"project": "units", "trucks": "trucks", "chargers": "chargers", "freight": "t per year"}  # in this order
ROWS_ON_PAGE = 200
NAMED = 4  # decisions named in words


def decisions(instance: Instance, tables: Tables) -> pd.Series:
    """What a plan decides, by kind, name and year: projects, trucks and chargers in service, freight by mode."""

    def named(rows: pd.DataFrame, parts: Mapping[str, tuple[str, str] | None], value: str, kind: str) -> pd.Series:
        words = {
            column: (rows[column].map(names_of(instance, *home)) if home else rows[column]).astype("str")
            for column, home in parts.items()
        }
        what = pd.Series([", ".join(names) for names in zip(*words.values(), strict=True)], rows.index, dtype="str")
        frame = pd.DataFrame({"kind": kind, "what": what, "year": rows["year"], "value": rows[value].astype(float)})
        return frame.groupby(KEY)["value"].sum()

    flows = tonnes_by_chain_kind(tables, ["main_mode"]).rename("value").reset_index()
    nodes, goods = names_of(instance, "nodes", "node"), names_of(instance, "commodities", "commodity")
    what = (
        flows["origin"].map(nodes) + " – " + flows["destination"].map(nodes) + ", " + flows["commodity"].map(goods)
        + ", by " + flows["main_mode"].map(lambda mode: MODE_WORDS.get(mode, mode)).str.lower()
    )  # fmt: skip
    return pd.concat([
        named(tables["projects"], {"project": ("projects", "project")}, "in_service", "project"),
        named(tables["fleet"], {"fleet_region": ("fleet_regions", "fleet_region"), "vehicle": ("vehicles", "vehicle")},
              "kept", "trucks"),
        named(tables["chargers"], {"charge_area": ("charge_areas", "charge_area"), "charger": None}, "in_service",
              "chargers"),
        flows.assign(kind="freight", what=what).groupby(KEY)["value"].sum(),
    ])  # fmt: skip


def what_differs(plans: Mapping[str, pd.Series]) -> pd.DataFrame:
    """The decisions of plans (see `decisions`) that are not the same in all: kind, what, year, unit and each plan.

    In the order of kinds, those that differ most first.
    """
    table = pd.DataFrame(dict(plans)).fillna(0.0)
    span = table.max(axis=1) - table.min(axis=1)
    kind = table.index.get_level_values("kind")
    kept = span.to_numpy() >= kind.map(LEAST).to_numpy(float)
    rows = table[kept].reset_index()
    rows.insert(3, "unit", rows["kind"].map(UNITS))
    rank = {name: i for i, name in enumerate(UNITS)}
    rows = rows.assign(rank=rows["kind"].map(rank), span=-span[kept].to_numpy())
    return rows.sort_values(["rank", "span", "what", "year"], ignore_index=True).drop(columns=["rank", "span"])


def as_decisions(rows: Sequence[Sequence[Any]]) -> pd.Series:
    """Decisions (see `decisions`) from rows of kind, what, year and value."""
    return pd.DataFrame(list(rows), columns=[*KEY, "value"]).set_index(KEY)["value"].astype(float)


def in_words(differs: pd.DataFrame, *, more: bool) -> str:
    """The greatest decisions that `after` has more (or less) of than `before`: projects, trucks, chargers, freight.

    >>> row = {"kind": "trucks", "what": "West, Battery truck", "year": 2030, "before": 0.0, "after": 2.0}
    >>> in_words(pd.DataFrame([row]), more=True), in_words(pd.DataFrame([row]), more=False)
    ('West, Battery truck: 2 (2030)', '')
    """
    change = differs["after"] - differs["before"]
    rows = differs.assign(change=change)[change > 0 if more else change < 0]
    rows = rows.loc[rows["change"].abs().groupby([rows["kind"], rows["what"]]).idxmax()] if len(rows) else rows
    parts = []
    for kind in UNITS:
        some = rows[rows["kind"] == kind].sort_values("change", key=lambda each: -each.abs()).head(NAMED)
        for what, year, by in some[["what", "year", "change"]].to_numpy().tolist():
            amount = f": {abs(by):,.0f}{' t a year' if kind == 'freight' else ''}" if kind != "project" else ""
            parts.append(f"{what}{amount} ({year})")
    return "; ".join(parts[:NAMED])


def comparison_sections(
    plans: Mapping[str, tuple[Instance, Run]], *, key_figures: pd.DataFrame, inputs: pd.DataFrame,
    decisions: pd.DataFrame,
) -> list[Section]:  # fmt: skip
    """The sections of the page, with a map of what moves. Names and places are those of the first plan."""
    (first, (instance, run)), *others = plans.items()
    year = instance.periods[-1].year
    sections = [_inputs(inputs), _figures(key_figures), *_decisions(decisions, list(plans))]
    for i, (name, (_, other)) in enumerate(others, 1):
        change = link_difference(run.tables, other.tables, year)
        drawing = draw_difference(
            instance, change[change.index.isin(instance["links"]["link"])], year=year, key=f"d{i}"
        )
        text = f"Freight that {name} carries more or less than {first} in {year}, link by link."
        sections.append(Section(f"What moves: {name} against {first}", text, [], drawing))
    return sections


def _inputs(inputs: pd.DataFrame) -> Section:
    columns = [Column(title) for title in ("Plan", "Table", "Row", "Column", "First", "This one")]
    rows: list[list[Cell]] = [
        ["" if pd.isna(cell) else cell if isinstance(cell, str) else f"{cell:g}" for cell in row]
        for row in inputs.head(ROWS_ON_PAGE).itertuples(index=False, name=None)
    ]
    text = f"{len(inputs)} cells differ" + (
        f", the first {ROWS_ON_PAGE} are shown." if len(inputs) > len(rows) else "."
    )
    return Section("What was assumed differently", text, [Grid("Changed cells", columns, rows)] if rows else [])


def _figures(figures: pd.DataFrame) -> Section:
    kept = figures[[name for name, kind in figures.dtypes.items() if kind != "boolean"]]
    columns = [Column("Figure"), Column("Unit"), *(Column(str(name), "decimal") for name in kept.columns[2:])]
    return Section("Key figures", "", [Grid("Key figures", columns, kept.to_numpy(object).tolist(), first=40)])


def _decisions(differs: pd.DataFrame, names: Sequence[str]) -> list[Section]:
    grids = []
    for kind, title in (("project", "Projects in service"), ("trucks", "Trucks in service"),
                        ("chargers", "Chargers in service"), ("freight", "Freight by mode")):  # fmt: skip
        rows = differs[differs["kind"] == kind].head(ROWS_ON_PAGE)
        columns = [Column("What"), Column("Year", "year"), *(Column(name, "count", UNITS[kind]) for name in names)]
        if len(rows):
            grids.append(Grid(title, columns, rows[["what", "year", *names]].to_numpy(object).tolist()))
    text = "By name and year, what differs most first." if grids else "Nothing: the plans decide the same."
    return [Section("What is decided differently", text, grids)]
