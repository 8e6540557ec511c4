"""A plant as a small table: what it needs and makes, from and to whom, when it starts, its power and people."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance import Instance
from nbb_opt.instance.schema import Column, Table
from nbb_opt.instance.tables.one_table import read_one_table
from nbb_opt.instance.wording import TableFile, did_you_mean, listed
from nbb_opt.report.basis import ASSUMPTION

NEEDS, MAKES, NAME = "needs", "produces", "plant"
FACTS = ("start_year", "power_mw", "people")
PLANT = Table(
    "plant",
    "what a plant needs or makes, or a fact of it",
    ("what", "commodity", "partner"),
    (
        Column("what", "choice", "what the row says; the note of `plant` is its name",
               options=(NAME, *FACTS, NEEDS, MAKES)),
        Column("commodity", "text", "commodity of a flow", blank="not a flow"),
        Column("partner", "text", "zone from which it comes or to which it goes", blank="not a flow"),
        Column("amount", "number", "t/year of a flow; year, MW or people", low=0, high=1e10, blank="row `plant`"),
        Column("low_factor", "number", "amount times this is the low end", low=0, high=1, blank="no range"),
        Column("high_factor", "number", "amount times this is the high end", low=1, high=100, blank="no range"),
        Column("source", "text", "where the figure is from, or `assumption`", blank="row `plant`"),
        Column("note", "text", "how it was derived", blank="nothing to add"),
    ),
)  # fmt: skip
UNITS = {NEEDS: "t a year", MAKES: "t a year", "start_year": "", "power_mw": "MW", "people": "people"}


@dataclass(frozen=True)
class Plant:
    """`flows`: what (NEEDS or MAKES), commodity, partner (a zone), amount in t/year; and all rows as they were given.

    `power_mw` and `people` are blank (NaN) where the table does not say.
    """

    name: str
    rows: pd.DataFrame
    start_year: int
    power_mw: float
    people: float

    @property
    def flows(self) -> pd.DataFrame:
        """The rows of flows."""
        return self.rows[self.rows["what"].isin((NEEDS, MAKES))]

    @property
    def product(self) -> str:
        """The commodity that the figures are per tonne of: the first that it makes."""
        return str(self.flows.loc[self.flows["what"] == MAKES, "commodity"].iloc[0])

    @property
    def product_t(self) -> float:
        """Tonnes a year of the product."""
        made = (self.flows["what"] == MAKES) & (self.flows["commodity"] == self.product)
        return float(self.flows.loc[made, "amount"].sum())


def read_plant(path: Path, instance: Instance) -> Plant:
    """A plant from a CSV file, or from the sheet `plant` of a workbook.

    Raises InstanceError with every fault: unknown goods and zones, amounts that are missing, assumptions without range.
    """
    rows, file = read_one_table(path, PLANT)
    problems = list(_problems(rows, file, instance))
    if problems:
        raise InstanceError(problems)
    facts = rows[rows["what"].isin(FACTS)].set_index("what")["amount"]
    named = rows.loc[rows["what"] == NAME, "note"].tolist()
    power, people = (float(facts.get(name, math.nan)) for name in FACTS[1:])
    return Plant(named[0] if named else path.stem, rows, int(facts["start_year"]), power, people)


def _problems(rows: pd.DataFrame, file: TableFile, instance: Instance) -> Iterator[Problem]:
    nodes = instance["nodes"]
    known = {"commodity": instance["commodities"]["commodity"].tolist(),
             "partner": nodes.loc[nodes["is_zone"].astype(bool), "node"].tolist()}  # fmt: skip
    for i, row in enumerate(rows.to_dict("records")):
        if row["what"] == NAME:
            continue
        for column, words in known.items():
            word = row[column]
            if (row["what"] in (NEEDS, MAKES)) != (word in words):
                hint = did_you_mean(word, words) or f"a flow has one of {listed(words, 20)}, a fact has none"
                yield Problem(file.place(i, column, word), "is not in the instance", hint)
        if not row["amount"] > 0:
            yield Problem(file.place(i, "amount"), "is not above 0", "give the amount, or leave the row out")
        unsure = row["source"] == ASSUMPTION and (pd.isna(row["low_factor"]) or pd.isna(row["high_factor"]))
        if row["what"] != "start_year" and (not row["source"] or unsure):
            hint = "give a source, or assumption with low_factor and high_factor"
            yield Problem(file.place(i, "source", row["source"]), "says not how sure the figure is", hint)
    starts = rows.loc[rows["what"] == "start_year", "amount"].tolist()
    if len(starts) != 1 or MAKES not in set(rows["what"]):
        yield Problem(file.file, "needs a row start_year and at least one row produces", "add them")
    elif starts[0] > (last := instance.periods[-1].year):
        yield Problem(file.file, f"starts after the last period, {last}", "let it start earlier")
