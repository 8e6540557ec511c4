"""What is shown of the places for a plant: lines, tables, a page, and a brief of one page in four languages."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import pandas as pd
from markupsafe import Markup

from nbb_opt import __version__
from nbb_opt.errors import NbbError
from nbb_opt.report.decisions import names_of
from nbb_opt.report.grid import Cell, Column, Grid, Section, each, known, write
from nbb_opt.report.map.marked import WIDTH_PX, Mark, draw_marked
from nbb_opt.report.study import ENVIRONMENT, Answer
from nbb_opt.report.text import MODE_WORDS, meur, number, percent, short, with_unit
from nbb_opt.studies.locate import Located
from nbb_opt.studies.plant import NEEDS, UNITS, Plant

FIRST = 3
BRIEF_PX = 520.0
LANGUAGES = ("en", "sv", "fi", "no")
# whole sentences below the table of places
RANKED = (
    "The cheapest over all periods with the time of goods first, so that a place may stand above one with less EUR/t "
    "in this period."
)
DRIVERS = "Drivers free: those to be had in the region over those whom the plan needs."
SOLVED = "Solved: net present value over all periods, of the places that were solved one by one."
BEST, OTHER, PARTNER = "#00805e", "#9aa5ae", "#0b3c5d"


@cache
def phrases() -> dict[str, dict[str, str]]:
    """The fixed phrases of briefs by language."""
    text = (files("nbb_opt.report") / "templates" / "phrases.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    return {language: {row["phrase"]: row[language] for row in rows} for language in LANGUAGES}


@dataclass(frozen=True, kw_only=True)
class Sites(Answer):
    """Places for a plant, ranked; figures are of the period `year`. `brief` is a page to hand to a company."""

    plant: Plant
    year: int

    @classmethod
    def of(cls, found: Located) -> Sites:
        """The answer of what was located; table `plant` is the one that was given, as it was read."""
        best = [
            f"{i}. {row.name} ({row.country}): {short(row.eur_per_t_product)} EUR and "
            f"{short(row.co2e_kg_per_t_product)} kg CO2e per tonne of product, {short(row.time_in_h)} h in, "
            f"{short(row.time_out_h)} h out; "
            + (f"first full: {row.first_bottleneck}, {int(row.full_year)}" if row.first_bottleneck else "nothing full")
            + ("" if math.isnan(row.exact_eur) else f"; solved: {meur(row.exact_eur, 1)}, of it on others "
               f"{meur(row.others_eur, 1, sign=True)}")
            for i, row in enumerate(each(found.places), 1)
        ]  # fmt: skip
        plant, first, order = found.plant, found.places.iloc[0], _order(found.places)
        return cls(
            instance=found.instance, plant=plant, year=found.year, name="locate", title="places for a plant",
            description="What the freight of a plant costs at each place: a tonne more at the prices of the plan "
            "(duals), scarcity in it, with the projects of the plan; trucks and chargers as are needed.",
            tables={"places": found.places, "flows": found.flows, "plant": plant.rows}, sections=_sections,
            sentences=(
                f"{plant.name}: best of {len(found.places)} places in {found.year} is {first['name']}.",
                *best[:FIRST],
                f"{percent(float(first['region_share']), 0)} of the inputs come from the region; the plant needs "
                f"{short(plant.power_mw)} MW and {number(plant.people)} people.",
                *([order] if order else []),
                "Not here: power free for industry and people for plants have no table; free MW are those for trucks.",
            ),
            shown=best[FIRST:],
        )  # fmt: skip

    def brief(self, language: str = "en", place: str | None = None) -> str:
        """A page of a place (the best if none is given) as HTML text. Raises NbbError for an unknown one."""
        if language not in LANGUAGES:
            raise NbbError(f"language={language}: take {', '.join(LANGUAGES)}")
        wanted = place or str(self.places["place"].iloc[0])
        if wanted not in set(self.places["place"]):
            raise NbbError(f"place={wanted}: was not compared; take {', '.join(self.places['place'])}")
        say, rank = phrases()[language], self.places["place"].tolist().index(wanted) + 1
        row = self.places.iloc[rank - 1]
        full = f"{row['first_bottleneck']}, {row['full_year']:.0f}" if row["first_bottleneck"] else say["none"]
        solved = not math.isnan(row["exact_eur"])
        cost, into, outof = (
            with_unit(float(row[f"{part}eur_per_t_product"]), "EUR/t") for part in ("", "inputs_", "outputs_")
        )
        facts = [
            (say["rank"], f"{rank} / {len(self.places)}"),
            (say["cost"], f"{cost} ({say['inputs'].lower()} {into}, {say['outputs'].lower()} {outof})"),
            (say["hours_in"], with_unit(float(row["time_in_h"]), "h")),
            (say["hours_out"], with_unit(float(row["time_out_h"]), "h")),
            (say["emissions"], with_unit(float(row["co2e_kg_per_t_product"]), "kg CO2e/t")),
            (say["region_share"], percent(float(row["region_share"]), 0)),
            (say["power"], with_unit(self.plant.power_mw, "MW")),
            (say["free_power"], with_unit(float(row["free_mw"]), "MW")),
            (say["people"], number(self.plant.people)), (say["drivers"], number(float(row["drivers"]), 1)),
            (say["bottleneck"], full), (say["build"], row["could_be_built"] or say["none"]),
            (say["others"], meur(float(row["others_eur"]), 1, sign=True) if solved else say["not_solved"]),
        ]  # fmt: skip
        nodes, goods = names_of(self.instance, "nodes", "node"), names_of(self.instance, "commodities", "commodity")
        what = self.plant.rows["what"]
        flows = [
            (goods[flow.commodity], nodes[flow.origin if what[flow.row] == NEEDS else flow.destination],
             number(flow.tonnes), say[flow.main_mode], short(flow.eur_per_t), short(flow.time_h))
            for flow in each(self.flows[self.flows["place"] == wanted])
        ]  # fmt: skip
        return ENVIRONMENT.get_template("brief.html.j2").render(
            language=language, say=say, place=row["name"], plant=self.plant.name, year=self.year, facts=facts,
            flows=flows, drawing=_map(self, wanted, say["map"]), version=__version__,
        )  # fmt: skip

    def _files(self) -> dict[str, bytes | str]:
        """As of every answer, and the brief of the best place in every language."""
        return {**super()._files(), **{f"brief-{language}.html": self.brief(language) for language in LANGUAGES}}


def _order(places: pd.DataFrame) -> str:
    """Whether the places that were solved keep their order; blank where fewer than two were."""
    solved = places[places["exact_eur"].notna()]
    if len(solved) < 2:
        return ""
    many = min(FIRST, len(solved))
    exact = solved.sort_values("exact_eur")["place"].head(many).tolist()
    same = exact == solved["place"].head(many).tolist()
    return f"Solved one by one ({len(solved)} places), the first {many} are " + (
        "the same." if same else f"{', '.join(exact)}."
    )


def _sections(found: Sites) -> list[Section]:
    text = f"Figures of the period from {found.year}; the first bottleneck is what has no room for the plant first."
    return [
        Section("Places", text, [_place_grid(found)], _map(found, None, "")),
        Section("Freight at the best place", "", [_flow_grid(found)]),
        Section("The plant", "Every figure with its source, or an assumption with its range.", [_plant_grid(found)]),
    ]


def _place_grid(found: Sites) -> Grid:
    solved = bool(found.places["exact_eur"].notna().any())
    rows: list[list[Cell]] = [
        [f"{row.name} ({row.country})", row.eur_per_t_product, row.time_in_h, row.time_out_h, row.co2e_kg_per_t_product,
         known(row.free_mw), row.drivers, known(row.free_drivers),
         f"{row.first_bottleneck}, {row.full_year:.0f}" if row.first_bottleneck else "none",
         row.could_be_built or ("nothing known" if row.first_bottleneck else ""),
         *([known(row.exact_eur, 1e6), known(row.others_eur, 1e6)] if solved else [])]
        for row in each(found.places)
    ]  # fmt: skip
    of_solved = (Column("Solved: all pay more", "meur", "MEUR"), Column("Of it others", "meur", "MEUR"))
    columns = (
        Column("Place"), Column("Freight", "decimal", "EUR/t product"), Column("In", "number", "h"),
        Column("Out", "number", "h"), Column("Emissions", "number", "kg CO2e/t product"),
        Column("Free for trucks", "decimal", "MW"), Column("Drivers", "decimal"), Column("Drivers free", "count"),
        Column("First bottleneck"), Column("Could be built"), *(of_solved if solved else ()),
    )  # fmt: skip
    note = " ".join([RANKED, DRIVERS, *([SOLVED] if solved else [])])
    return Grid("Places, the cheapest first", columns, rows, first=40, note=note, name="Places")


def _flow_grid(found: Sites) -> Grid:
    nodes, goods = (names_of(found.instance, *each_of) for each_of in (("nodes", "node"), ("commodities", "commodity")))
    mine = found.flows[found.flows["place"] == found.places["place"].iloc[0]]
    rows: list[list[Cell]] = [
        [goods[row.commodity], nodes[row.origin], nodes[row.destination], row.tonnes / 1e3, MODE_WORDS[row.main_mode],
         row.eur_per_t, row.time_h, row.co2e_wtw_kg_per_t]
        for row in each(mine)
    ]  # fmt: skip
    columns = (
        Column("Goods"), Column("From"), Column("To"), Column("Freight", "kt", "kt a year"), Column("Main mode"),
        Column("Cost", "decimal", "EUR/t"), Column("Time", "number", "h"), Column("Emissions", "number", "kg CO2e/t"),
    )  # fmt: skip
    return Grid("Freight of the plant", columns, rows, name="Freight")


def _plant_grid(found: Sites) -> Grid:
    nodes = names_of(found.instance, "nodes", "node")
    goods = names_of(found.instance, "commodities", "commodity")
    rows: list[list[Cell]] = [
        [row.what.replace("_mw", "").replace("_", " "), goods.get(row.commodity, ""), nodes.get(row.partner, ""),
         str(int(row.amount)) if row.what == "start_year" else write(row.amount, Column("", "number")), UNITS[row.what],
         known(row.low_factor), known(row.high_factor), row.source, row.note]
        for row in each(found.plant.rows[found.plant.rows["what"] != "plant"])
    ]  # fmt: skip
    columns = (
        Column("What"), Column("Goods"), Column("Partner"), Column("Amount"),
        Column("Unit"), Column("Low, times", "decimal"), Column("High, times", "decimal"), Column("Source"),
        Column("Note"),
    )  # fmt: skip
    return Grid(found.plant.name, columns, rows, first=30, name="Plant")


def _map(found: Sites, place: str | None, title: str) -> Markup:
    """The places compared, or one place with its partners."""
    partners = dict.fromkeys(found.plant.flows["partner"])
    names = names_of(found.instance, "nodes", "node")
    nodes: dict[str, Mark] = {}
    for i, row in enumerate(each(found.places)):
        if place in (None, row.place):
            tip = f"{row.name}: {short(row.eur_per_t_product)} EUR/t"
            best = place is not None or i < FIRST
            nodes[row.place] = Mark(BEST if best else OTHER, 11.0 if best else 6.0, tip, named=best)
    for partner in partners:
        nodes.setdefault(partner, Mark(PARTNER, 6.0, names[partner], named=True))
    legend = [] if place else [(BEST, "the three cheapest places"), (OTHER, "other places"), (PARTNER, "partners")]
    return draw_marked(
        found.instance, nodes=nodes, legend=legend, key=f"places{place or ''}", title=title or "Map of the places",
        width=BRIEF_PX if place else WIDTH_PX,
        desc=", ".join(names[str(node)] for node in nodes),
    )  # fmt: skip
