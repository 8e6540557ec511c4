"""Emission factors that a row cites against the figures it has: value, unit, boundary and warming potentials."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nbb_opt.errors import Problem
from nbb_opt.instance.cells import pieces
from nbb_opt.instance.rules.figures import ASSUMPTION
from nbb_opt.instance.rules.registry import Row, World, rule

UNIT = re.compile(r"(?P<mass>kg|g|t)[ _]?co2(e|eq)?[ _]?(/|per)[ _]?(?P<energy>kwh|mwh|mj|gj)", re.IGNORECASE)
KG = {"g": 1e-3, "kg": 1.0, "t": 1e3}
PER_KWH = {"kwh": 1.0, "mwh": 1e-3, "mj": 3.6, "gj": 3.6e-3}
FIGURES = {
    "TTW": ("ttw_kg_co2e_per_kwh",),
    "WTT": ("wtt_kg_co2e_per_kwh",),
    "WTW": ("ttw_kg_co2e_per_kwh", "wtt_kg_co2e_per_kwh"),
}
CLOSE = 0.01  # figures are written with two or three digits
UNIT_SLIP = 30.0  # an assumption may differ from what it rests on, not by this
NOT_STATED = {"", "unknown", "not stated"}


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


@rule("energy", "factors")
def figures_are_those_of_their_factors(world: World) -> Iterator[Problem]:
    """A row of `energy` has the value of the factors it cites, of their boundary, in kg/kWh, of one set of potentials.

    Of several factors of one boundary a figure lies between them (a mix). A row whose source is `assumption` may
    differ, and mix potentials: its note says how; but not so far that units must have been mistaken.
    """
    factors = {row["factor"]: row for row in world.each("factors")}
    for i, row in world.rows("energy"):
        cited = [factors[name] for name in pieces(row["factors"]) if name in factors]
        assumed = ASSUMPTION in pieces(row["source"])
        for boundary in FIGURES:
            of_it = [factor for factor in cited if factor["boundary"] == boundary]
            yield from _compare(world, i, row, of_it, assumed=assumed)
        sets = {factor["gwp_set"] for factor in cited} - NOT_STATED
        if len(sets) > 1 and not assumed:
            what = f"mixes warming potentials of {' and '.join(sorted(sets))}"
            yield world.fault("energy", i, "factors", row["factors"], what, "cite factors of one set")


def _compare(world: World, i: int, row: Row, cited: list[Row], *, assumed: bool) -> Iterator[Problem]:
    converted = [kg_per_kwh(factor["value"], factor["unit"]) for factor in cited]
    known = [found for found in converted if found is not None]
    for factor, found in zip(cited, converted, strict=True):
        if not row["note"] and (found is None or "=" in found[1]):
            what = f"cites {factor['factor']} in {factor['unit']}, the figures of this table are in kg CO2e/kWh"
            hint = f"{found[1]}; " if found else ""
            hint += "give the factor in kg CO2e/kWh, or show the conversion in the note of the row"
            yield world.fault("energy", i, "factors", factor["factor"], what, hint)
    if not known or len(known) < len(cited):
        return
    columns = FIGURES[cited[0]["boundary"]]
    figure = sum(row[column] for column in columns)
    low, high = min(value for value, _ in known), max(value for value, _ in known)
    wide = UNIT_SLIP if assumed else 1.0 + CLOSE
    if low / wide <= figure <= high * wide or (assumed and figure == 0.0):
        return
    shown = " and ".join(f"{factor['factor']} is {text}" for factor, (_, text) in zip(cited, known, strict=True))
    sums = " + ".join(f"{row[column]:g}" for column in columns)
    sums += f" = {figure:g}" if len(columns) > 1 else ""
    what = f"is not what it cites: {shown} ({cited[0]['boundary']}), the row has {sums} kg CO2e/kWh"
    hint = "take the figure of the factor, or cite another; a figure of your own has the source 'assumption' and a note"
    yield world.fault("energy", i, columns[0], f"{row[columns[0]]:g}", what, hint)
