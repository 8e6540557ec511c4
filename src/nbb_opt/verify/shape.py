"""The shape of a run's record: which keys there are and what may stand at them. A record of another shape is refused.

What of it is right is worked out elsewhere; what nothing can work out is the word of the run (`WORD`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from nbb_opt.errors import NbbError

Fits = Callable[[Any], bool]


def text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def words(value: Any) -> bool:
    return isinstance(value, str)


def whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def figure(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and not math.isnan(value)


def amount(value: Any) -> bool:
    return figure(value) and 0 <= value < math.inf


def share(value: Any) -> bool:
    return figure(value) and 0 <= value <= 1


def flag(value: Any) -> bool:
    return isinstance(value, bool)


def texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(text, value))


def keyed(fits: Fits) -> Fits:
    """A table of names and values that fit."""
    return lambda value: isinstance(value, Mapping) and all(map(fits, value.values()))


def one_of(*words: Any) -> Fits:
    return lambda value: value in words


def blank_or(fits: Fits) -> Fits:
    return lambda value: value is None or fits(value)


def anything(value: Any) -> bool:
    return True


def shaped(fields: Mapping[str, Any]) -> Fits:
    """A table of these names."""
    return lambda value: not any(shape_faults(value, fields, {}))


def rows_of(fields: Mapping[str, Any]) -> Fits:
    """A list of such tables."""
    return lambda value: isinstance(value, list) and all(map(shaped(fields), value))


SIZES = dict.fromkeys(("rows", "columns", "nonzeros", "integers"), whole)
EFFORT = dict.fromkeys(("nodes", "iterations"), whole)
CLAIMS: Mapping[str, Any] = {"cost_eur": figure, "bound": figure, "gap": figure, "emissions_t_co2e": keyed(figure)}
PLAN: Mapping[str, Any] = {"model": text, "blocks": texts, "status": text, **CLAIMS, **SIZES, **EFFORT}
MADE: Mapping[str, Any] = {
    "instance": text, "instance_source": text, "instance_digest": text, "model": text, "status": text, "gap": figure,
    "seed": whole, "threads": whole, "versions": keyed(text), "verified": flag, "checks": whole,
    "seconds": keyed(amount), **EFFORT,
}  # fmt: skip
OPTIONS: Mapping[str, Any] = {
    "technologies": text, "projects": text, "flows": text, "gap": blank_or(share), "decision_gap": blank_or(share),
    "time_limit_s": amount, "method": one_of("auto", "monolith", "decompose"),
    "statement": one_of("auto", "pyomo", "arrays"), "presolve": one_of("choose", "on", "off"), "prune": flag,
    "too_large": flag, "solver": blank_or(text), "reference": flag,
}  # fmt: skip
RUN: Mapping[str, Any] = {
    **MADE,
    **PLAN,
    "options": OPTIONS,
    "bars": ({**PLAN, "technologies": text, "projects": text, "checks": whole},),
}
CELL = {"table": text, "row": text, "column": text, "before": anything, "after": anything}
WHAT_IF = {
    "base_digest": text, "scenarios": texts, "changes": texts, "changed_cells": whole, "cells": rows_of(CELL),
    "outside_plausible": texts,
}  # fmt: skip
OWN = {"name": text, "doc": words, "recomputed": flag}
LIMITS = dict.fromkeys(("at_least", "at_most"), blank_or(figure))
EXTENSION = {
    "source": words, "sha256": words, "objective_eur": figure, "new_variables": texts,
    "costs": rows_of({**OWN, "eur": figure}),
    "rules": rows_of({**OWN, **LIMITS, "value": figure, "slack": figure}),
}  # fmt: skip
MAY_BE = {
    "what_if": shaped(WHAT_IF), "extension": shaped(EXTENSION), "taken_from": text,
    "next_tonne_eur_per_t": keyed(figure), "caps_t_co2e": keyed(figure),
    "battery_trucks_between": shaped({"low": amount, "high": amount}),
}  # fmt: skip
WORD = ("instance_source", "options", "seed", "threads", "nodes", "iterations", "seconds", "versions", "paths",
        "strong_rows", "next_tonne_eur_per_t", "battery_trucks_between", "front.csv", "bounds.csv",
        "solver.log")  # fmt: skip

STATED = {"statement": one_of("pyomo", "arrays"), "time_limit_s": amount, "gap": share}
DESIGN_RUN: Mapping[str, Any] = {
    **MADE, "problem": text, "options": STATED, "cost_eur": figure, "bound": figure,
    **dict.fromkeys(("opened", "paths", "strong_rows"), whole),
}  # fmt: skip
ALONE = {"cost_nok": figure, "bound_nok": figure, "first_emissions_t": blank_or(amount)}
STRAM_RUN: Mapping[str, Any] = {
    **MADE, "problem": text, **SIZES, **ALONE, "first_year": blank_or(shaped(ALONE)),
    "options": {**STATED, "years": text, "scenarios": text, "emission_cap": flag, "first_stage_cost": text},
    "component_nok": keyed(keyed(figure)), "investments": texts,
    **dict.fromkeys(("emissions_t_co2", "excess_t_co2"), keyed(figure)),
    **dict.fromkeys(("emissions_t_co2_by_scenario", "tkm", "mode_share", "fuel_share"), keyed(keyed(figure))),
}  # fmt: skip


def word_line(held: Iterable[str], more: Iterable[str] = ()) -> str:
    """What a run says (keys of its record, files beside it) that nothing works out, `more` beside WORD, in a line.

    >>> word_line(["seed", "cost_eur", "solver.log", "rows"], ["rows"])
    'the word of the run, which nothing shows: seed, solver.log, rows'
    """
    names = set(held)
    return f"the word of the run, which nothing shows: {', '.join(key for key in (*WORD, *more) if key in names)}"


def same(said: Any, true: Any) -> bool:
    """Whether figures by name are the same but for rounding.

    >>> same({"a": {"b": 0.1 + 0.2}}, {"a": {"b": 0.3}}), same({"a": 1.0}, {"a": 1.0, "b": 0.0}), same(["x"], [])
    (True, False, False)
    """
    if isinstance(true, Mapping):
        return isinstance(said, Mapping) and set(said) == set(true) and all(same(said[k], true[k]) for k in true)
    if figure(said) and figure(true):
        return math.isclose(said, true, rel_tol=1e-9, abs_tol=1e-9)
    return said == true


def shape_faults(
    record: Any, fields: Mapping[str, Any] = RUN, may_be: Mapping[str, Fits] = MAY_BE, inside: str = ""
) -> Iterator[str]:
    """Keys that are missing or unknown, and values of the wrong kind.

    >>> list(shape_faults({"gap": "x", "size": 1}, {"gap": share, "seed": whole}, {}))
    ["gap: 'x' cannot stand here", 'seed: is missing', 'size: is unknown']
    """
    if not isinstance(record, Mapping):
        yield f"{inside or 'record'}: is no table of names and values"
        return
    for key, fits in fields.items():
        name = f"{inside}{key}"
        if key not in record:
            yield f"{name}: is missing"
        elif isinstance(fits, Mapping):
            yield from shape_faults(record[key], fits, {}, f"{name}, ")
        elif isinstance(fits, tuple):  # the fields of each part
            parts = record[key].items() if isinstance(record[key], Mapping) else [("", None)]
            for part, value in parts:
                yield from shape_faults(value, fits[0], {}, f"{name}, {str(part)[:40]}, ")
        elif not fits(record[key]):
            yield f"{name}: {str(record[key])[:40]!r} cannot stand here"
    for key in record:
        if key not in fields and key not in may_be:
            yield f"{inside}{str(key)[:40]}: is unknown"
        elif key in may_be and not may_be[key](record[key]):
            yield f"{inside}{key}: {str(record[key])[:40]!r} cannot stand here"


def refuse_other_shapes(
    record: Any, path: Path, fields: Mapping[str, Any] = RUN, may_be: Mapping[str, Fits] = MAY_BE
) -> None:
    """Raise NbbError if the record of the run at `path` has another shape."""
    if faults := list(shape_faults(record, fields, may_be)):
        more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
        raise NbbError(f"{path / 'run.json'}: is no record of a run of this version ({'; '.join(faults[:3])}{more})")
