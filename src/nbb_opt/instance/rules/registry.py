"""What a rule sees, and the list of all rules."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from nbb_opt.demand import Flows
from nbb_opt.errors import Problem
from nbb_opt.instance.cells import CellFaults
from nbb_opt.instance.meta import Meta, Period

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class RuleContext:
    """The tables read so far. What could not be read is None, or missing from `frames`."""

    meta: Meta | None
    periods: tuple[Period, ...]
    frames: Mapping[str, pd.DataFrame]
    faults: Mapping[str, CellFaults]
    flows: Flows | None = None
    flow_file: str = ""
    _rows: dict[str, list[tuple[int, Row]]] = field(default_factory=dict, repr=False)

    def rows(self, table: str) -> list[tuple[int, Row]]:
        """Index and cells of the rows without a fault: "" or NaN is a blank."""
        if table not in self._rows:
            frame, faults = self.frames[table], self.faults[table]
            names = list(frame.columns)
            cells = zip(*(frame[name].tolist() for name in names), strict=True)
            bad = faults.rows | faults.unusable
            self._rows[table] = [(i, dict(zip(names, row, strict=True))) for i, row in enumerate(cells) if i not in bad]
        return self._rows[table]

    def each(self, table: str) -> Iterator[Row]:
        return (row for _, row in self.rows(table))

    def fault(self, table: str, index: int, column: str, value: object, what: str, hint: str = "") -> Problem:
        """A problem with a cell; the registry adds the name of the rule."""
        return Problem(self.faults[table].file.place(index, column, value), what, hint)

    def file(self, table: str) -> str:
        return self.faults[table].file.file

    @cached_property
    def modes_at(self) -> dict[str, set[str]]:
        """Modes of the links at each node."""
        modes: dict[str, set[str]] = {}
        for row in self.each("links"):
            modes.setdefault(row["from_node"], set()).add(row["mode"])
            modes.setdefault(row["to_node"], set()).add(row["mode"])
        return modes

    def can_run(self, rule: Rule) -> bool:
        for table in rule.reads:
            if table not in self.frames:
                return False
        for table in rule.uses:
            if table == "meta":
                if self.meta is None or not self.periods:
                    return False
            elif table == "od":
                if self.flows is None:
                    return False
            elif table not in self.frames or self.faults[table].rows or self.faults[table].unusable:
                return False
        return True


Check = Callable[[RuleContext], Iterator[Problem]]


@dataclass(frozen=True)
class Rule:
    """A rule: `reads` tables row by row, `uses` others ("meta" and "od" too) only if nothing is wrong with them."""

    name: str
    demands: str
    check: Check
    reads: tuple[str, ...]
    uses: tuple[str, ...]


RULES: dict[str, Rule] = {}


def rule(*reads: str, uses: tuple[str, ...] = ()) -> Callable[[Check], Check]:
    """Registers a rule; its docstring is the sentence shown in SCHEMA.md."""

    def register(check: Check) -> Check:
        assert check.__doc__ is not None
        name = check.__name__
        RULES[name] = Rule(name, " ".join(check.__doc__.split()), check, reads, uses)
        return check

    return register


def checked_on_reading(name: str, demands: str, *uses: str) -> None:
    """Registers a rule that the reader of a table keeps, row by row, for the list in SCHEMA.md."""

    def check(context: RuleContext) -> Iterator[Problem]:
        return iter(())

    check.__name__ = name
    RULES[name] = Rule(name, demands, check, (), uses)


def run_rules(context: RuleContext) -> list[Problem]:
    """Problems of every rule that can run, each carrying the name of its rule."""
    return [
        dataclasses.replace(problem, rule=one.name)
        for one in RULES.values()
        if context.can_run(one)
        for problem in one.check(context)
    ]
