"""`instance.toml`: what the instance is, its periods, and how chains are sought."""

from __future__ import annotations

import itertools
import json
import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from nbb_opt.errors import Problem
from nbb_opt.instance.cells import has_control
from nbb_opt.instance.schema import CARBON_BASES, FERRY_ALLOCATIONS, META_KEYS
from nbb_opt.instance.tables.csv_file import decode
from nbb_opt.instance.wording import did_you_mean, listed, shown

GWP_SETS = ("AR5", "AR6", "mixed")
BOUNDARIES = ("WTW",)
FILE = "instance.toml"


@dataclass(frozen=True)
class Period:
    """A stretch of years that is planned as one; amounts per year are those of `year`."""

    year: int
    years: int


@dataclass(frozen=True, kw_only=True)
class Meta:
    """The keys of `instance.toml` but for the periods; `discount_rate` is a share per year."""

    name: str
    title: str
    version: str
    licence: str
    description: str
    price_year: int
    discount_rate: float
    boundary: str
    carbon_base: str
    gwp_set: str
    grid_method: str
    ferry_allocation: str
    alternatives: int
    max_main_legs: int


def read_meta(data: bytes, problems: list[Problem]) -> tuple[Meta | None, tuple[Period, ...]]:
    """Meta and periods; None and no periods (and problems) where a key is at fault."""
    text = decode(data, FILE, problems)
    if text is None:
        return None, ()
    try:
        keys = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        place = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        where = f"{FILE} row {place.group(1)}, character {place.group(2)}" if place else FILE
        what = f"is not TOML: {str(error).partition(' (at ')[0]}"
        problems.append(Problem(where, what, 'texts stand in "quotation marks", numbers do not', "toml"))
        return None, ()
    return check_meta(keys, problems)


def check_meta(keys: dict[str, Any], problems: list[Problem]) -> tuple[Meta | None, tuple[Period, ...]]:
    """Meta and periods from the keys of `instance.toml`; None and no periods (and problems) where a key is at fault."""
    before = len(problems)
    _check_names(keys, tuple(META_KEYS), "key", problems)
    periods = _periods(keys.get("periods"), problems) if "periods" in keys else ()
    chains = keys.get("chains", {})
    if not isinstance(chains, dict):
        problems.append(Problem(f"{FILE}, key chains", "is not a table", "write [chains] and its two keys", "meta"))
        chains = {}
    elif "chains" in keys:
        _check_names(chains, ("alternatives", "max_main_legs"), "key chains.", problems)
    given = [name for name in _CHECKS if name in keys]
    values = {name: _value(keys[name], f"{FILE}, key {name}", _CHECKS[name], problems) for name in given}
    for name in ("alternatives", "max_main_legs"):
        if name in chains:
            values[name] = _value(chains[name], f"{FILE}, key chains.{name}", _whole(1, 20), problems)
    if len(problems) > before:
        return None, periods
    values["discount_rate"] = float(values["discount_rate"])
    return Meta(**values), periods


def meta_text(meta: Meta, periods: Sequence[Period]) -> str:
    """The text of `instance.toml`; a JSON text or number is one of TOML too."""
    keys = dict(vars(meta))
    chains = [f"{key} = {keys.pop(key)}" for key in ("alternatives", "max_main_legs")]
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in keys.items()]
    for period in periods:
        lines += ["", "[[periods]]", f"year = {period.year}", f"years = {period.years}"]
    return "\n".join([*lines, "", "[chains]", *chains, ""])


Check = Callable[[Any], tuple[str, str] | None]


def _value(value: Any, where: str, check: Check, problems: list[Problem]) -> Any:
    fault = check(value)
    if fault:
        problems.append(Problem(f"{where}, value {shown(value)}", *fault, "meta"))
    return value


def _check_names(given: dict[str, Any], known: tuple[str, ...], kind: str, problems: list[Problem]) -> None:
    dot = "" if kind.endswith(".") else " "
    for name in given:
        if name not in known:
            hint = did_you_mean(name, [k for k in known if k not in given]) or f"keys are {listed(known, 99)}"
            problems.append(Problem(f"{FILE}, {kind}{dot}{name}", "is not known", hint, "meta_key"))
    for name in known:
        if name not in given:
            hint = META_KEYS.get(name, "a whole number")
            problems.append(Problem(f"{FILE}, {kind}{dot}{name}", "is missing", hint, "meta_key"))


def _periods(given: Any, problems: list[Problem]) -> tuple[Period, ...]:
    where = f"{FILE}, key periods"
    if not isinstance(given, list) or not given or not all(isinstance(entry, dict) for entry in given):
        hint = "write [[periods]] with year and years, once for each period"
        problems.append(Problem(where, "is not a list of periods", hint, "meta"))
        return ()
    before = len(problems)
    periods = []
    for i, entry in enumerate(given, start=1):
        _check_names(entry, ("year", "years"), f"periods entry {i}, key", problems)
        for name, check in (("year", _whole(1950, 2120)), ("years", _whole(1, 50))):
            if name in entry:
                _value(entry[name], f"{FILE}, periods entry {i}, key {name}", check, problems)
        periods.append((entry.get("year"), entry.get("years")))
    if len(problems) > before:
        return ()
    for i, ((year, years), (following, _)) in enumerate(itertools.pairwise(periods), start=2):
        if year + years != following:
            what = f"does not begin where the period before it ends ({year} + {years} years)"
            hint = f"did you mean {year + years}?"
            problems.append(Problem(f"{FILE}, periods entry {i}, key year, value {following}", what, hint, "periods"))
    return () if len(problems) > before else tuple(Period(year, years) for year, years in periods)


def _text(value: Any) -> tuple[str, str] | None:
    if not isinstance(value, str):
        return "is not a text", "write it in quotation marks"
    if not value.strip():
        return "is blank", "give a text"
    if has_control(value.replace("\n", " ")):
        return "holds a control or invisible character", "write it again by hand"
    return None


def _name(value: Any) -> tuple[str, str] | None:
    fault = _text(value)
    if fault:
        return fault
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", value):
        tidy = re.sub(r"[^a-z0-9_-]+", "-", value.lower()).strip("-_")[:64]
        hint = f"did you mean {tidy!r}?" if tidy else "such as 'north-2030'"
        return "is not a short name of small letters, digits, - and _", hint
    return None


def _whole(low: int, high: int) -> Check:
    def check(value: Any) -> tuple[str, str] | None:
        if isinstance(value, bool) or not isinstance(value, int):
            close = isinstance(value, (float, str)) and re.fullmatch(r"\s*(\d+)(\.0*)?\s*", str(value))
            return "is not a whole number", f"did you mean {close.group(1)}?" if close else f"{low} to {high}"
        if not low <= value <= high:
            return f"is not between {low} and {high}", f"give a value of {low} to {high}"
        return None

    return check


def _rate(value: Any) -> tuple[str, str] | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "is not a number", "a share per year such as 0.04"
    if not 0 <= value <= 0.3:
        hint = f"did you mean {value / 100:g}?" if 0 < value <= 30 else "a share per year such as 0.04"
        return "is not between 0 and 0.3", hint
    return None


def _among(options: tuple[str, ...]) -> Check:
    def check(value: Any) -> tuple[str, str] | None:
        if value in options:
            return None
        return "is not one of the choices", (
            did_you_mean(value, options) if isinstance(value, str) else ""
        ) or f"one of {listed(options)}"

    return check


_CHECKS: dict[str, Check] = {
    "name": _name,
    "title": _text,
    "version": _text,
    "licence": _text,
    "description": _text,
    "price_year": _whole(1990, 2060),
    "discount_rate": _rate,
    "boundary": _among(BOUNDARIES),
    "carbon_base": _among(CARBON_BASES),
    "gwp_set": _among(GWP_SETS),
    "grid_method": _text,
    "ferry_allocation": _among(FERRY_ALLOCATIONS),
}
