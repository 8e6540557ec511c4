"""Change single numbers and words of a good plan: at least 999 of 1,000 changes must be found.

A change is left out where the changed plan is just as true: `chains.kind` is a label for reports; a run number of a
chain, bundle or lane may be any number as long as it is used throughout; `lane` of a step that is no lane is -1.
"""

from __future__ import annotations

import random

import pandas as pd
import pytest

from nbb_opt.result import TABLES
from tiny_plan import blocks_of, reported, tiny, verdict_on, whole

INSTANCE = tiny()
LABELS = {("chains", "kind")}
PLANS = ("joint", "electrify_only")
WHAT_IS_CHECKED = [  # fuels and supplies, of which the plan on paper has none, are spoiled in test_fuels, test_sourcing
    (table, column)
    for table, columns in TABLES.items()
    for column in columns
    if (table, column) not in LABELS and table not in ("fuels", "supplied")
]


def mutate(tables: dict[str, pd.DataFrame], table: str, column: str, rng: random.Random) -> str:
    """Change one cell of `column`; says what was done, or nothing if the column offers no change."""
    frame = tables[table].copy()
    values = frame[column]
    row = rng.randrange(len(frame))
    old = values.iloc[row]
    others = [value for value in values.unique() if value != old]
    if TABLES[table][column] == "str":
        choices = [*others, "", f"{old}X"]
        new = rng.choice([value for value in choices if value != old])
    elif TABLES[table][column] == "int64":
        new = rng.choice([old + 1, old - 1, old + 5, *others])
    else:
        factor = rng.choice([0.0, 0.5, 0.99, 1.01, 2.0, -1.0, 1e3])
        new = rng.choice([old * factor if old else 1.0, *others])
        if new == old or (new != new and old != old):
            return ""
    frame[column] = [new if i == row else value for i, value in enumerate(values.tolist())]
    tables[table] = frame
    return f"{table} row {row} {column}: {old!r} -> {new!r}"


@pytest.mark.promise(8, 60, 2000)
def test_nearly_every_change_of_a_cell_is_found_and_named(cases: int) -> None:
    assert all(verdict_on(INSTANCE, whole(name), reported=reported(name)).ok for name in PLANS)
    missed, tried = [], 0
    for number in range(cases):
        rng = random.Random(number)
        table, column = WHAT_IS_CHECKED[number % len(WHAT_IS_CHECKED)]
        name = rng.choice(PLANS)
        tables = dict(whole(name))
        change = mutate(tables, table, column, rng)
        if not change:
            continue
        tried += 1
        verdict = verdict_on(INSTANCE, tables, blocks=blocks_of(name), reported=reported(name))
        if verdict.ok or not verdict.failures()["rule"].all():
            missed.append(change)
    assert tried >= 0.9 * cases
    assert len(missed) <= 0.001 * tried, "\n".join(missed)


def test_a_truck_swapped_for_another_is_found() -> None:
    plan = whole()
    for row in range(len(plan["driven"])):
        tables = dict(plan)
        driven = plan["driven"].copy()
        swapped = {"DIESEL": "BATTERY", "BATTERY": "DIESEL"}
        driven.loc[row, "vehicle"] = swapped[str(driven.loc[row, "vehicle"])]
        tables["driven"] = driven
        assert not verdict_on(INSTANCE, tables).ok, driven.loc[row].to_dict()
