"""Emission factors that a row cites against the figures it has: value, unit, boundary and warming potentials."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from nbb_opt.errors import Problem
from nbb_opt.instance.cells import split_list
from nbb_opt.instance.rules.figures import ASSUMPTION
from nbb_opt.instance.rules.registry import Row, RuleContext, rule

UNIT = re.compile(r"(?P<mass>kg|g|t)[ _]?co2(e|eq)?[ _]?(/|per)[ _]?(?P<energy>kwh|mwh|mj|gj)", re.IGNORECASE)
KG = {"g": 1e-3, "kg": 1.0, "t": 1e3}
PER_KWH = {"kwh": 1.0, "mwh": 1e-3, "mj": 3.6, "gj": 3.6e-3}
FIGURES = {
    "TTW": ("ttw_kg_co2e_per_kwh",),
    "WTT": ("wtt_kg_co2e_per_kwh",),
    "WTW": ("ttw_kg_co2e_per_kwh", "wtt_kg_co2e_per_kwh"),
}
CLOSE = 0.01  # figures are written with two or three digits
NOT_STATED = {"", "unknown", "not stated"}
STEP = re.compile(r"\s*([x/])\s*(\d+(?:\.\d+)?)")


def kg_per_kwh(value: float, unit: str) -> tuple[float, str] | None:
    """A factor in kg CO2e/kWh and the conversion as text, None if the unit is no mass per energy.

    >>> kg_per_kwh(95.1, "g_co2e_per_mj")
    (0.34236, '95.1 g_co2e_per_mj x 0.001 x 3.6 = 0.34236 kg CO2e/kWh')
    >>> kg_per_kwh(0.25, "kg CO2e/kWh")
    (0.25, '0.25 kg CO2e/kWh')
    """
    found = UNIT.fullmatch(unit.strip())
    if found is None:
        return None
    steps = [KG[found["mass"].lower()], PER_KWH[found["energy"].lower()]]
    result = float(f"{value * steps[0] * steps[1]:.10g}")
    shown = "".join(f" x {step:g}" for step in steps if step != 1.0)
    return result, f"{value:g} {unit}{shown}" + (f" = {result:g} kg CO2e/kWh" if shown else "")


def steps_in(note: str, factor: str) -> tuple[float, list[str]]:
    """What a note does with a factor, as a number and in steps.

    >>> steps_in("two thirds by 2040, electrolysis: grid x 0.66 / 0.6", "grid")
    (1.1, ['x 0.66', '/ 0.6'])
    """
    named = re.search(rf"(?<![\w-]){re.escape(factor)}((?:{STEP.pattern})+)", note)
    steps = STEP.findall(named[1]) if named else []
    if ("/", 0.0) in [(by, float(number)) for by, number in steps]:
        return 1.0, []
    result = math.prod(float(number) if by == "x" else 1.0 / float(number) for by, number in steps)
    return result, [f"{by} {number}" for by, number in steps]


@dataclass(frozen=True)
class _Cited:
    """A factor that a row cites: what it comes to in kg CO2e/kWh, how, and whether the note of the row weighs it."""

    factor: Row
    kg_per_kwh: float
    shown: str
    weighed: bool


@rule("energy", "factors")
def figures_are_those_of_their_factors(context: RuleContext) -> Iterator[Problem]:
    """A row of `energy` has the value of the factors it cites, of their boundary, in kg/kWh, of one set of potentials.

    Of several factors of one boundary a figure lies between them. A figure that is derived from factors shows it in
    its note, `FACTOR x 0.35` or `FACTOR x 0.76 / 0.62` for each of them: then TTW is the sum of the TTW factors, WTT
    that of the WTT factors, or, where a WTW factor is among them, TTW + WTT the sum of all. That holds for rows whose
    source is `assumption` too; these may mix potentials if the note names the sets.
    """
    factors = {row["factor"]: row for row in context.each("factors")}
    for i, row in context.rows("energy"):
        named = [factors[name] for name in split_list(row["factors"]) if name in factors]
        cited = []
        for factor in named:
            found = _convert(factor, row["note"])
            if found is None or (not row["note"] and "=" in found.shown):
                what = f"cites {factor['factor']} in {factor['unit']}, the figures of this table are in kg CO2e/kWh"
                hint = f"{found.shown}; " if found else ""
                hint += f"give the factor in kg CO2e/kWh, or the conversion in the note: {factor['factor']} x ..."
                yield context.fault("energy", i, "factors", factor["factor"], what, hint)
            if found is not None:
                cited.append(found)
        if len(cited) == len(named):
            yield from _compare(context, i, row, cited)
        sets = {factor["gwp_set"] for factor in named} - NOT_STATED
        explained = ASSUMPTION in split_list(row["source"]) and all(name in row["note"] for name in sets)
        if len(sets) > 1 and not explained:
            what = f"mixes warming potentials of {' and '.join(sorted(sets))}"
            hint = "cite factors of one set; an assumption (source) may mix them where its note names the sets"
            yield context.fault("energy", i, "factors", row["factors"], what, hint)


def _convert(factor: Row, note: str) -> _Cited | None:
    """A factor in kg CO2e/kWh by its unit and the steps of the note; None if its unit needs a step and there is none.

    Of a unit that is no mass per energy (kg CO2e/l) the first step is the conversion, and no weight.
    """
    found, (times, steps) = kg_per_kwh(factor["value"], factor["unit"]), steps_in(note, factor["factor"])
    if not steps:
        return None if found is None else _Cited(factor, *found, weighed=False)
    value, shown = found or (factor["value"], f"{factor['value']:g} {factor['unit']}")
    shown = f"{shown} {' '.join(steps)} = {value * times:.5g} kg CO2e/kWh"
    return _Cited(factor, value * times, shown, weighed=len(steps) > (found is None))


def _compare(context: RuleContext, i: int, row: Row, cited: list[_Cited]) -> Iterator[Problem]:
    by_boundary = {b: some for b in FIGURES if (some := [one for one in cited if one.factor["boundary"] == b])}
    weighed = any(one.weighed for one in cited)
    if weighed and "WTW" in by_boundary:
        by_boundary = {b: cited if b == "WTW" else some for b, some in by_boundary.items() if b != "WTT"}
    for boundary, some in by_boundary.items():
        values = [one.kg_per_kwh for one in some]
        low, high = (sum(values), sum(values)) if weighed else (min(values), max(values))
        yield from _fault(context, i, row, some, boundary, low, high)


def _fault(
    context: RuleContext, i: int, row: Row, cited: list[_Cited], boundary: str, low: float, high: float
) -> Iterator[Problem]:
    columns = FIGURES[boundary]
    figure = sum(row[column] for column in columns)
    if low * (1 - CLOSE) <= figure <= high * (1 + CLOSE):
        return
    shown = " and ".join(f"{one.factor['factor']} is {one.shown}" for one in cited)
    sums = " + ".join(f"{row[column]:g}" for column in columns)
    sums += f" = {figure:g}" if len(columns) > 1 else ""
    what = f"is not what it cites: {shown} ({boundary}), the row has {sums} kg CO2e/kWh"
    hint = f"take the figure of the factor, show in the note how it follows ({cited[0].factor['factor']} x 0.9), "
    hint += "or cite another; a figure of your own cites none and has the source 'assumption'"
    yield context.fault("energy", i, columns[0], f"{row[columns[0]]:g}", what, hint)
