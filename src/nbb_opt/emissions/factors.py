"""The registry of emission factors: the curated one that comes with the package, or a user's own table.

A look-up asks for one factor, by its id or by its full key. It gives that factor or an error that lists the nearest
candidates; no factor ever stands in for another, and no average is taken.
"""

from __future__ import annotations

import csv
import difflib
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from nbb_opt.errors import NbbError

SHIPPED = Path(__file__).with_name("factors.csv")
BOUNDARIES = ("TTW", "WTT", "WTW", "energy")
DISTANCE_BASES = ("SFD", "GCD", "actual", "planned", "none")
EMPTIES = ("yes", "no", "unknown")
QUALITIES = ("primary", "modelled", "default")
CHOICES = {
    "boundary": BOUNDARIES,
    "distance_basis": DISTANCE_BASES,
    "includes_empty": EMPTIES,
    "data_quality": QUALITIES,
}
MAY_BE_BLANK = ("grid_method", "note")
NEAREST = 5


@dataclass(frozen=True, kw_only=True)
class Key:
    """Everything that decides which factor is meant."""

    subject: str
    technology: str
    unit: str
    boundary: str
    distance_basis: str
    gwp_set: str
    grid_method: str
    region: str
    year: str


@dataclass(frozen=True, kw_only=True)
class Factor:
    """One emission factor with its licence and source; `value` is in `unit`."""

    factor: str
    subject: str
    technology: str
    value: float
    unit: str
    boundary: str
    distance_basis: str
    includes_empty: str
    gwp_set: str
    grid_method: str
    region: str
    year: str
    source_title: str
    source_ref: str
    licence: str
    data_quality: str
    note: str

    @property
    def key(self) -> Key:
        """The full key of the factor."""
        return Key(**{field.name: getattr(self, field.name) for field in fields(Key)})


COLUMNS = tuple(field.name for field in fields(Factor))


@dataclass(frozen=True)
class Registry:
    """Factors by id, and where they were read."""

    path: Path
    factors: Mapping[str, Factor]

    def __iter__(self) -> Iterator[Factor]:
        return iter(self.factors.values())

    def __len__(self) -> int:
        return len(self.factors)


def read_factors(path: Path = SHIPPED) -> Registry:
    """Read a table of factors (CSV, comma, UTF-8, the columns of COLUMNS); by default the one of the package.

    Raises NbbError with every fault: unknown or missing columns, blank cells, words that are no choice, values that
    are no finite number, ids or keys that stand twice.

    >>> len(read_factors()) > 100
    True
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise NbbError(f"{path}: cannot be read ({error.strerror}); give the path of a table of factors") from error
    except UnicodeDecodeError as error:
        raise NbbError(f"{path}: is not UTF-8 text; save it as CSV, UTF-8") from error
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=False))
    header = tuple(rows[0]) if rows else ()
    if header != COLUMNS:
        odd = sorted(set(COLUMNS).symmetric_difference(header)) or ["the order of the columns"]
        raise NbbError(
            f"{path} row 1: not the columns of a table of factors ({', '.join(odd)}); give exactly {','.join(COLUMNS)}"
        )
    problems: list[str] = []
    found: dict[str, Factor] = {}
    keys: dict[Key, str] = {}
    for line, cells in enumerate(rows[1:], start=2):
        where = f"{path} row {line}"
        if len(cells) != len(COLUMNS):
            problems.append(f"{where}: has {len(cells)} cells, not {len(COLUMNS)}; put texts with commas in quotes")
            continue
        cell = dict(zip(COLUMNS, cells, strict=True))
        faults = list(_faults(cell))
        problems += [f"{where}, {fault}" for fault in faults]
        if faults:
            continue
        factor = Factor(**{**cell, "value": float(cell["value"])})  # type: ignore[arg-type]
        if factor.factor in found:
            problems.append(f"{where}, column factor: {factor.factor!r} stands twice; rename one")
        elif factor.key in keys:
            problems.append(f"{where}: has the same key as {keys[factor.key]!r}; tell them apart by technology or year")
        found.setdefault(factor.factor, factor)
        keys.setdefault(factor.key, factor.factor)
    if problems:
        raise NbbError("\n".join(problems))
    return Registry(path, found)


def _faults(cell: Mapping[str, str]) -> Iterator[str]:
    for name in COLUMNS:
        if not cell[name].strip() and name not in MAY_BE_BLANK:
            hint = "a factor without a value is no factor: leave the row out" if name == "value" else "say what it is"
            yield f"column {name}: is blank; {hint}"
    for name, words in CHOICES.items():
        if cell[name].strip() and cell[name] not in words:
            yield f"column {name}, value {cell[name]!r}: is not one of {', '.join(words)}; write one of them"
    if cell["subject"] == "grid" and not cell["grid_method"].strip():
        yield "column grid_method: is blank; say how the electricity is accounted for"
    if cell["value"].strip():
        try:
            value = float(cell["value"])
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or value < 0:
            yield f"column value, value {cell['value']!r}: is no finite number from 0 up; write it with a decimal point"


def joined(registry: Registry, own: Registry) -> Registry:
    """Both tables as one. Raises NbbError for an id or key that stands in both: no factor replaces another."""
    keys = {factor.key: factor.factor for factor in registry}
    problems = [
        f"{own.path}: factor {factor.factor!r} has the "
        + ("id" if factor.factor in registry.factors else f"key of {keys[factor.key]!r},")
        + f" of a factor of {registry.path.name}; rename it, or leave it out"
        for factor in own
        if factor.factor in registry.factors or factor.key in keys
    ]
    if problems:
        raise NbbError("\n".join(problems))
    return Registry(own.path, {**registry.factors, **own.factors})


def factor_by_id(registry: Registry, factor: str) -> Factor:
    """The factor of that id. Raises NbbError with the nearest ids.

    >>> factor_by_id(read_factors(), "grid-nordic-ivl-2021-2023").value
    59.0
    """
    if factor in registry.factors:
        return registry.factors[factor]
    near = difflib.get_close_matches(factor, list(registry.factors), n=NEAREST, cutoff=0.0)
    raise NbbError(
        f"{registry.path}: has no factor {factor!r}, and no other is used in its place; nearest: "
        + (", ".join(near) or "none, the table is empty")
        + "; name one of them or add the row"
    )


def nearest(registry: Registry, wanted: Mapping[str, str]) -> list[str]:
    """The factors that agree with most of `wanted` (fields of Key), each with what differs."""

    def nearness(factor: Factor) -> tuple[int, float]:
        have = vars(factor.key)
        equal = sum(have[name] == word for name, word in wanted.items())
        return equal, difflib.SequenceMatcher(None, factor.technology, wanted.get("technology", "")).ratio()

    lines = []
    for factor in sorted(registry, key=nearness, reverse=True)[:NEAREST]:
        apart = [f"{name} {vars(factor.key)[name]!r}" for name in wanted if vars(factor.key)[name] != wanted[name]]
        lines.append(f"{factor.factor} ({', '.join(apart)})")
    return lines


def kg_per_kwh(factor: Factor) -> float:
    """A factor per unit of energy in kg CO2e per kWh. Raises NbbError for any other unit: no unit is guessed.

    >>> round(kg_per_kwh(factor_by_id(read_factors(), "fuel-hvo-wtt-mj-defra-2025")), 6)
    0.059202
    """
    scale = {"g_co2e_per_kwh": 1e-3, "g_co2e_per_mj": 3.6e-3}.get(factor.unit)
    if scale is None:
        raise NbbError(f"factor {factor.factor!r}: is in {factor.unit}, not per MJ or kWh; name one per unit of energy")
    return factor.value * scale
