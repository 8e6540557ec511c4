"""A plant as a small table: what it needs and makes, from and to whom, when it starts, its power and people."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance import Instance
from nbb_opt.instance.wording import did_you_mean, listed
from nbb_opt.report.basis import ASSUMPTION

COLUMNS = ("what", "commodity", "partner", "amount", "low_factor", "high_factor", "source", "note")
NEEDS, MAKES = "needs", "produces"
FACTS = ("start_year", "power_mw", "people")
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
    """Read and check a plant. Raises InstanceError with every fault: row, column, value, what to do."""
    try:
        rows = pd.read_csv(path, dtype="str", keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InstanceError([Problem(str(path), f"cannot be read as a CSV table ({error})", "give a plant")]) from error
    if missing := [name for name in COLUMNS if name not in rows.columns]:
        what = f"lacks the columns {', '.join(missing)}"
        raise InstanceError([Problem(path.name, what, f"a plant has the columns {', '.join(COLUMNS)}")])
    nodes = instance["nodes"]
    known = {"commodity": instance["commodities"]["commodity"].tolist(),
             "partner": nodes.loc[nodes["is_zone"].astype(bool), "node"].tolist()}  # fmt: skip
    problems = []

    def fault(row: int, column: str, what: str, hint: str) -> None:
        problems.append(Problem(f"{path.name} row {row + 2}, column {column}", what, hint))

    for name in ("amount", "low_factor", "high_factor"):
        numbers = pd.to_numeric(rows[name], errors="coerce")
        blank = (rows[name] == "") if name != "amount" else (rows["what"] == "plant")
        for i in rows.index[~(numbers >= 0) & ~blank]:
            fault(i, name, f"{rows.at[i, name]!r} is not a number from 0 on", "give a number")
        rows[name] = numbers
    for i, row in rows.iterrows():
        if row["what"] not in (NEEDS, MAKES, "plant", *FACTS):
            fault(
                int(str(i)), "what", f"{row['what']!r} is not known", f"give plant, needs, produces, {', '.join(FACTS)}"
            )
            continue
        for column in ("commodity", "partner") if row["what"] in (NEEDS, MAKES) else ():
            if (word := row[column]) not in known[column]:
                hint = did_you_mean(word, known[column]) or f"there are {listed(known[column], 20)}"
                fault(int(str(i)), column, f"{word!r} is not in the instance", hint)
        ranged = row["low_factor"] <= 1 <= row["high_factor"]
        if row["what"] not in ("plant", "start_year") and (
            not row["source"] or (row["source"] == ASSUMPTION and not ranged)
        ):
            hint = "give a source, or assumption with low_factor and high_factor around 1"
            fault(int(str(i)), "source", f"{row['source']!r} says not how sure the figure is", hint)
    counted = rows["what"].value_counts()
    if counted.get(MAKES, 0) == 0 or counted.get("start_year", 0) != 1:
        problems.append(Problem(path.name, "needs a row start_year and at least one row produces", "add them"))
    if problems:
        raise InstanceError(problems)
    facts = rows.set_index("what")["amount"]
    start, last = int(facts["start_year"]), instance.periods[-1].year
    if start > last:
        raise InstanceError([Problem(path.name, f"starts in {start}, after the last period ({last})", "start earlier")])
    named = rows.loc[rows["what"] == "plant", "note"].tolist()
    single = {name: float(facts.get(name, float("nan"))) for name in ("power_mw", "people")}
    return Plant(named[0] if named else path.stem, rows, start, single["power_mw"], single["people"])
