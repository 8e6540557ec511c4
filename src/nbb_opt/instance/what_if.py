"""What-ifs: a base instance with some cells changed, by statements in one small grammar.

A statement names a column of a table, rows of it, and what becomes of their cells::

    country_years.carbon_price_eur_per_t[year>=2030] = 200
    od.tonnes[origin=BOD|LUL, commodity=steel] *= 2
    links.capacity_t_per_year[link=HOL-VSK-FERRY] = 0

Conditions are joined by commas and all hold; `=` and `!=` take several values joined by `|`, numbers know `<`, `<=`,
`>`, `>=` too; a list has the names that it holds. `=` sets a cell (`blank` empties it), `*=` multiplies and `+=` adds
where there is a figure; whole numbers stay whole. A name that holds one of the signs is put in quotation marks.
A named scenario is a file `scenarios/NAME.toml` of the instance, or the rows of that name in the table `scenarios`.
"""

from __future__ import annotations

import operator
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any, Protocol

import numpy as np
import pandas as pd

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance.cells import split_list
from nbb_opt.instance.meta import Period
from nbb_opt.instance.package import SCENARIOS
from nbb_opt.instance.schema import BY_NAME, Column, Table
from nbb_opt.instance.wording import did_you_mean, listed, nearest_first, shown

CELLS_LISTED = 1000
NEVER = 2120  # a year beyond every horizon
_STATEMENT = re.compile(r"\s*(\w+)\.(\w+)\s*(?:\[(.*)\])?\s*(\*=|\+=|=)\s*(.*?)\s*", re.DOTALL)
_CONDITION = re.compile(r"\s*(\w+)\s*(<=|>=|!=|=|<|>)\s*(.*?)\s*", re.DOTALL)
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_BLANK = "blank"
_NUMERIC = ("number", "integer", "year")
_KEYS = {"title", "reason", "source", "changes"}
HOW = "write TABLE.COLUMN[CONDITION, ...] = VALUE, as in country_years.carbon_price_eur_per_t[year>=2030] = 200"


class Base(Protocol):
    """What a what-if needs of an instance."""

    @property
    def digest(self) -> str:
        """Sha256 of what it says."""

    @property
    def periods(self) -> Sequence[Period]:
        """The periods."""

    def __getitem__(self, table: str) -> pd.DataFrame:
        """A table."""


class Tabled(Protocol):
    """An instance as something with tables."""

    @property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """Every table but `od`."""

    def __getitem__(self, table: str) -> pd.DataFrame:
        """A table."""


@dataclass(frozen=True)
class ChangedCell:
    """One changed cell; `row` is its key, parts joined by `/`, and a blank cell is None."""

    table: str
    row: str
    column: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Scenario:
    """A named scenario: what it changes, why, and where its figures come from (rows of `sources`)."""

    name: str
    title: str
    reason: str
    source: tuple[str, ...]
    changes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class WhatIf:
    """What makes an instance a what-if of `base`: scenarios, statements in their order, and the cells that differ.

    `outside` are the cells that leave the range in which such figures usually lie, in words.
    """

    base: Any = field(repr=False)  # an Instance
    scenarios: tuple[str, ...]
    changes: tuple[str, ...]
    cells: tuple[ChangedCell, ...] = field(repr=False)
    outside: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The scenarios joined by `-`, "what-if" where cells were changed without one."""
        return "-".join(self.scenarios) or "what-if"

    @property
    def record(self) -> dict[str, Any]:
        """As plain values, for the record of a run: the first `CELLS_LISTED` cells, and how many there are."""
        return {
            "base_digest": self.base.digest, "scenarios": list(self.scenarios), "changes": list(self.changes),
            "changed_cells": len(self.cells), "cells": [vars(cell) for cell in self.cells[:CELLS_LISTED]],
            "outside_plausible": list(self.outside),
        }  # fmt: skip


def changed(tables: Callable[[str], pd.DataFrame], statements: Iterable[str]) -> dict[str, pd.DataFrame]:
    """The tables that the statements change, changed; each statement sees what those before it did.

    Raises InstanceError with every statement that cannot be read, matches no row or changes nothing.

    >>> energy = pd.DataFrame({"energy_carrier": ["diesel"], "country": "SE", "year": 2030, "price_eur_per_kwh": 0.1})
    >>> changed({"energy": energy}.__getitem__, ["energy.price_eur_per_kwh *= 2"])["energy"]["price_eur_per_kwh"][0]
    np.float64(0.2)
    """
    found: dict[str, pd.DataFrame] = {}
    problems: list[Problem] = []
    for text in statements:
        try:
            name, frame = _change(text, lambda table: found[table] if table in found else tables(table))
        except InstanceError as error:
            problems.extend(error.problems)
        else:
            found[name] = frame
    if problems:
        raise InstanceError(problems)
    return found


def differing(name: str, before: pd.DataFrame, after: pd.DataFrame) -> list[ChangedCell]:
    """The cells in which two versions of a table differ; they have the same rows in the same order."""
    keys = _row_names(BY_NAME[name], before)
    cells = []
    for column in BY_NAME[name].columns:
        old, new = _cells(before, column), _cells(after, column)
        for i in np.flatnonzero(~_same(old, new)).tolist():
            cells.append(ChangedCell(name, keys[i], column.name, _plain(old.iloc[i]), _plain(new.iloc[i])))
    return cells


def input_differences(first: Tabled, other: Tabled) -> list[ChangedCell]:
    """The cells in which two instances differ; a row that only one of them has is one cell of column `(row)`."""
    found = []
    for name in sorted({"od", *first.tables}):
        one, two = first[name], other[name]
        keys = [_row_names(BY_NAME[name], frame) for frame in (one, two)]
        if keys[0] == keys[1]:
            found.extend(differing(name, one, two))
            continue
        known = [set(names) for names in keys]
        both = known[0] & known[1]
        for lines, mine in ((keys[0], ("there", None)), (keys[1], (None, "there"))):
            found.extend(ChangedCell(name, row, "(row)", *mine) for row in lines if row not in both)
        kept = [frame[[row in both for row in names]] for frame, names in zip((one, two), keys, strict=True)]
        found.extend(differing(name, *(frame.reset_index(drop=True) for frame in kept)))
    return found


def on_row(table: str, row: str, column: str, effect: str) -> str:
    """A statement for a row as tables `ranges` and `scenarios` name it: parts of its key joined by `/`, `*` for all.

    >>> on_row("energy", "diesel/SE", "price_eur_per_kwh", "*= 1.4")
    'energy.price_eur_per_kwh[energy_carrier=diesel, country=SE] *= 1.4'
    """
    if row == "*" or table not in BY_NAME:
        return f"{table}.{column} {effect}"
    where = ", ".join(f"{key}={quoted(part)}" for key, part in zip(BY_NAME[table].key, row.split("/"), strict=False))
    return f"{table}.{column}[{where}] {effect}"


def quoted(name: str) -> str:
    """A name as a statement writes it: in quotation marks where it holds a sign of the grammar."""
    return f'"{name}"' if re.search(r"[\[\],|=<>!*+]|^\s|\s$|^blank$|^$", name) else name


def in_words(
    instance: Base, *, close: Sequence[str] | str, build: Sequence[str] | str, forbid: Sequence[str] | str
) -> tuple[str, ...]:
    """Statements that close links, and that build projects as soon as they can be, or forbid them.

    Raises InstanceError for a name that is not there.
    """
    close, build, forbid = ([names] if isinstance(names, str) else names for names in (close, build, forbid))
    earliest = dict(zip(instance["projects"]["project"], instance["projects"]["earliest_year"].tolist(), strict=True))
    for option, names, known in (
        ("close", close, instance["links"]["link"].tolist()), ("build", build, earliest), ("forbid", forbid, earliest),
    ):  # fmt: skip
        for name in names:
            if name not in known:
                kind = "link" if option == "close" else "project"
                hint = did_you_mean(str(name), known) or f"{kind}s are {listed(nearest_first(str(name), known))}"
                raise InstanceError([Problem(f"{option} {shown(name)}", f"is no {kind}", hint, "what_if")])
    if both := sorted({*build} & {*forbid}):
        raise InstanceError([Problem(f"build {shown(both[0])}", "is forbidden too", "leave one out", "what_if")])
    years = [period.year for period in instance.periods]
    first = {name: min((year for year in years if year >= earliest[name]), default=earliest[name]) for name in build}
    return (
        *(f"links.capacity_t_per_year[link={quoted(name)}] = 0" for name in close),
        *(f"projects.required_from_year[project={quoted(name)}] = {first[name]}" for name in build),
        *(f"projects.earliest_year[project={quoted(name)}] = {NEVER}" for name in forbid),
    )


def read_scenario(name: str, content: bytes) -> Scenario:
    """A scenario file. Raises InstanceError with what is wrong with it."""
    file = f"{SCENARIOS}/{name}.toml"

    def refuse(what: str, hint: str = "") -> InstanceError:
        return InstanceError([Problem(file, what, hint, "what_if")])

    try:
        keys = tomllib.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as fault:
        raise refuse(f"cannot be read: {fault}", "write TOML: title, reason, source, changes") from None
    if unknown := sorted(set(keys) - _KEYS):
        raise refuse(f"key {unknown[0]!r} is not known", did_you_mean(unknown[0], _KEYS) or "keys: title, reason, ...")
    texts = {key: keys.get(key, "") for key in ("title", "reason")}
    if missing := [key for key, text in texts.items() if not isinstance(text, str) or not text.strip()]:
        raise refuse(f"has no {missing[0]}", "say in a line what is assumed, and why")
    lists = {key: keys.get(key, []) for key in ("source", "changes")}
    for key, words in lists.items():
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise refuse(f"{key} is not a list of texts")
    if not lists["changes"]:
        raise refuse("changes nothing", f"changes is a list: {HOW}")
    return Scenario(name, texts["title"], texts["reason"], tuple(lists["source"]), tuple(lists["changes"]))


def scenarios_of(instance: Base, files: Mapping[str, bytes]) -> dict[str, Scenario]:
    """The scenarios of an instance by name: of its files, and of its table `scenarios`."""
    found = {name: read_scenario(name, content) for name, content in sorted(files.items())}
    known = set(instance["sources"]["source"])
    for scenario in found.values():
        for source in scenario.source:
            if source not in known:
                hint = did_you_mean(source, known) or "add it to sources"
                where = f"{SCENARIOS}/{scenario.name}.toml, source {shown(source)}"
                raise InstanceError([Problem(where, "is not in sources.source", hint, "what_if")])
    lines = instance["scenarios"]
    for name in sorted(set(lines["scenario"].tolist())):
        rows = lines[lines["scenario"] == name]
        if name in found:
            what = "is named by the table scenarios and by a file"
            raise InstanceError([Problem(f"{SCENARIOS}/{name}.toml", what, "rename one of them", "what_if")])
        changes = tuple(
            on_row(line["table"], line["row"], line["column"], f"*= {line['factor']!r}")
            for line in rows.to_dict("records")
        )
        notes = "; ".join(dict.fromkeys(filter(None, rows["note"])))
        found[name] = Scenario(name, name, notes, tuple(dict.fromkeys(rows["source"])), changes)
    return found


def chosen_scenario(found: Mapping[str, Scenario], name: str) -> Scenario:
    """The scenario of a name, or that of a .toml file. Raises InstanceError if there is none."""
    path = Path(name)
    if path.suffix == ".toml" and path.is_file():
        chosen = read_scenario(path.stem, path.read_bytes())
        if chosen.name in found and found[chosen.name].changes != chosen.changes:
            what = "is another scenario than that of the instance by this name"
            raise InstanceError([Problem(name, what, "rename the file", "what_if")])
        return chosen
    if name in found:
        return found[name]
    hint = did_you_mean(name, found) or (f"scenarios are {listed(found, 99)}" if found else "it has no scenarios")
    raise InstanceError([Problem(f"scenario {shown(name)}", "is not one of the instance", hint, "what_if")])


def file_name(path: str) -> str:
    """The scenario that a file of an instance is about, "" if it is about none.

    >>> file_name("scenarios/ferry_closed.toml"), file_name("links.csv")
    ('ferry_closed', '')
    """
    parts = PurePath(path).parts
    return PurePath(path).stem if len(parts) == 2 and parts[0] == SCENARIOS and path.endswith(".toml") else ""


def _change(text: str, tables: Callable[[str], pd.DataFrame]) -> tuple[str, pd.DataFrame]:
    """The table that a statement changes, and how it is then."""

    def refuse(what: str, hint: str = HOW) -> InstanceError:
        return InstanceError([Problem(f"change {shown(text)}", what, hint, "what_if")])

    match = _STATEMENT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise refuse("cannot be read")
    name, column_name, conditions, effect, value = match.groups()
    if name not in BY_NAME:
        raise refuse(f"{name} is not a table", did_you_mean(name, BY_NAME) or f"tables are {listed(BY_NAME, 99)}")
    table, frame = BY_NAME[name], tables(name)
    column = _column(table, column_name, refuse)
    if column_name in table.key:
        raise refuse(f"{column_name} names the rows of {name}", "change another column")
    frame = frame.assign(**{column_name: _cells(frame, column)})
    rows = np.ones(len(frame), bool)
    for condition in [] if conditions is None else _parts(conditions, ",", refuse):
        rows &= _holds(condition, table, frame, refuse)
    if not rows.any():
        keys = [key for key in ("year", *table.key) if key in table.key]
        there = f"{keys[0]} is one of {listed(map(str, dict.fromkeys(frame[keys[0]])), 12)}" if len(frame) else ""
        raise refuse(f"no row of {name} is meant", there or f"{name} has no rows")
    old = frame[column_name]
    new = _values(old[rows], column, effect, value, refuse)
    after = old.astype(float) if column.kind in _NUMERIC else old.copy()
    after[rows] = new
    if column.kind in ("integer", "year") and column.blank is None:
        after = after.astype(np.int64)
    if _same(old, after).all():
        raise refuse("changes nothing: the cells hold that already", "leave it out, or say something else")
    return name, frame.assign(**{column_name: after})


def _column(table: Table, name: str, refuse: Callable[..., InstanceError]) -> Column:
    columns = {column.name: column for column in table.columns}
    if name not in columns:
        raise refuse(
            f"{table.name} has no column {name}", did_you_mean(name, columns) or f"columns are {listed(columns, 99)}"
        )
    return columns[name]


def _parts(text: str, sign: str, refuse: Callable[..., InstanceError]) -> list[str]:
    """What stands between the signs, but for those in quotation marks; nothing may be blank or left over."""
    parts = re.findall(rf'(?:[^{sign}"]|"[^"]*")+', text)
    if sign.join(parts) != text or not all(part.strip() for part in parts) or not parts:
        raise refuse(f"{shown(text)} cannot be read: something is missing, or a quotation mark is not closed")
    return [part.strip() for part in parts]


def _holds(text: str, table: Table, frame: pd.DataFrame, refuse: Callable[..., InstanceError]) -> np.ndarray:
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise refuse(f"condition {shown(text.strip())} cannot be read")
    name, sign, values = match.groups()
    column = _column(table, name, refuse)
    words = _parts(values, "|", refuse)
    cells = _cells(frame, column)
    if sign in _COMPARE:
        if column.kind not in _NUMERIC:
            raise refuse(f"{name} holds no numbers: {sign} does not apply", f"write {name}=VALUE")
        if len(words) != 1:
            raise refuse(f"condition {shown(text.strip())} cannot be read")
        return np.asarray(_COMPARE[sign](cells.astype(float), _number(words[0], refuse)))
    given = [_value(word, column, refuse) for word in words]
    mine = np.zeros(len(frame), bool)
    for word, value in zip(words, given, strict=True):
        if column.kind in ("refs", "choices") and value:  # a list holds the name
            same = np.array([value in split_list(cell) for cell in cells.tolist()], bool)
        else:
            same = _same(cells, pd.Series([value] * len(cells), index=cells.index))
        if not same.any() and column.kind not in _NUMERIC:
            known = list(dict.fromkeys(str(cell) for cell in cells))
            hint = did_you_mean(word, known) or f"{name} is one of {listed(nearest_first(word, known))}"
            raise refuse(f"no row of {table.name} has {name}={word}", hint)
        mine |= same
    return mine if sign == "=" else ~mine


def _values(old: pd.Series, column: Column, effect: str, word: str, refuse: Callable[..., InstanceError]) -> Any:
    """What becomes of some cells of a column."""
    if effect == "=":
        return _value(word, column, refuse)
    if column.kind not in _NUMERIC:
        raise refuse(f"{column.name} holds no numbers: {effect} does not apply", f"write {column.name} = VALUE")
    amount, figures = _number(word, refuse), old.astype(float)
    if figures.isna().all():
        raise refuse(f"{column.name} is blank there ({column.blank}): {effect} has no figure", "set one with =")
    changed_to = figures * amount if effect == "*=" else figures + amount
    return np.rint(changed_to) if column.kind in ("integer", "year") else changed_to


def _value(word: str, column: Column, refuse: Callable[..., InstanceError]) -> Any:
    if word == _BLANK:
        return np.nan if column.kind in _NUMERIC else ""
    if column.kind in _NUMERIC:
        return _number(word, refuse)
    if column.kind == "bool":
        if word not in ("true", "false"):
            raise refuse(f"{column.name} is true or false, not {shown(word)}", "write true or false")
        return word == "true"
    if not word:
        raise refuse("has no value", f"{HOW}; blank empties a cell")
    return word[1:-1] if len(word) > 1 and word[0] == word[-1] == '"' else word


def _number(word: str, refuse: Callable[..., InstanceError]) -> float:
    value = float(word) if _NUMBER.fullmatch(word) else np.inf
    if not np.isfinite(value):
        raise refuse(f"{shown(word)} is not a number", "digits with a decimal point")
    return value


def _cells(frame: pd.DataFrame, column: Column) -> pd.Series:
    """A column of a table, blank where it is an optional one that was left out."""
    if column.name in frame:
        return frame[column.name]
    return pd.Series(np.nan if column.kind in _NUMERIC else "", index=frame.index)


def _same(one: pd.Series, other: pd.Series) -> np.ndarray:
    """Whether cells hold the same, blanks too."""
    left, right = one.to_numpy(object), other.to_numpy(object)
    return np.asarray((left == right) | (pd.isna(left) & pd.isna(right)), bool)


def _row_names(table: Table, frame: pd.DataFrame) -> list[str]:
    return [
        "/".join(map(str, parts))
        for parts in zip(*(frame[key].tolist() for key in table.key if key in frame), strict=True)
    ]


def _plain(value: Any) -> Any:
    """A cell as JSON holds it, None for a blank."""
    if isinstance(value, str):
        return value or None
    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value
