"""Doubly constrained gravity model (Furness): flows that fit masses, distances and control totals.

For a block (a commodity from one group of zones to another) the total is a control total. Within it the rows share
it by their outgoing mass, the columns by their incoming mass, and distance decides who trades with whom.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from distances import effective_km
from store import YEARS, Row, raw

# Mean length of the exponential deterrence (km); smallest flow kept (t/year in 2025), or this share of a small block.
SCALE_KM = {"general_cargo": 260.0, "overseas_cargo": 600.0, "food_fish": 260.0, "timber": 90.0, "sawn_wood": 600.0}
SMALLEST_T = {
    "general_cargo": 7000.0,
    "overseas_cargo": 7000.0,
    "food_fish": 7000.0,
    "timber": 20000.0,
    "sawn_wood": 10000.0,
}
SMALLEST_SHARE = 0.03
ROUNDS = 200
Flow = tuple[str, str, str]


@dataclass(frozen=True)
class Block:
    """One control total: what the model was told, what came out, and what was too small and given to the others."""

    commodity: str
    name: str
    year: int
    target_t: float
    met_t: float
    dropped_t: float
    source: str
    note: str


def furness(rows: list[float], columns: list[float], weight: list[list[float]]) -> list[list[float]]:
    """Scales weights so that row and column sums agree with the margins; the margins must have one total."""
    cells = [list(line) for line in weight]
    for _ in range(ROUNDS):
        for i, want in enumerate(rows):
            have = sum(cells[i])
            cells[i] = [c * want / have if have else 0.0 for c in cells[i]]
        for j, want in enumerate(columns):
            have = sum(line[j] for line in cells)
            for line in cells:
                line[j] = line[j] * want / have if have else 0.0
    return cells


def gravity_flows(links: list[Row]) -> tuple[dict[Flow, dict[int, float]], list[Block]]:
    """Tonnes by (origin, destination, commodity) and year, and the control totals with what was met."""
    groups = {r["group"]: r["zones"].split() for r in raw("groups")}
    km = {zone: effective_km(links, zone) for zones in groups.values() for zone in zones}
    flows: dict[Flow, dict[int, float]] = {}
    blocks: list[Block] = []
    for r in raw("blocks"):
        totals = {year: float(r[f"t{year}"]) for year in YEARS}
        shape, dropped = _shape(r["commodity"], groups[r["from_group"]], groups[r["to_group"]], totals[YEARS[0]], km)
        for (origin, destination), share in shape.items():
            entry = flows.setdefault((origin, destination, r["commodity"]), dict.fromkeys(YEARS, 0.0))
            for year in YEARS:
                entry[year] += float(round(share * totals[year], -2))
        for year in YEARS:
            met = sum(float(round(share * totals[year], -2)) for share in shape.values())
            name = f"{r['from_group']} to {r['to_group']}"
            blocks.append(
                Block(r["commodity"], name, year, totals[year], met, dropped * totals[year], r["source"], r["note"])
            )
    return flows, blocks


def _shape(
    commodity: str, origins: list[str], destinations: list[str], total: float, km: dict[str, dict[str, float]]
) -> tuple[dict[tuple[str, str], float], float]:
    """Shares of a block's total by pair, and the share of the pairs too small to keep (given to the others)."""
    out = [_mass(zone, commodity, "out") for zone in origins]
    into = [_mass(zone, commodity, "in") for zone in destinations]
    if sum(out) == 0 or sum(into) == 0:
        raise ValueError(f"{commodity}: no mass from {origins} to {destinations}")
    out = [total * m / sum(out) for m in out]
    into = [total * m / sum(into) for m in into]
    weight = [[_deterrence(commodity, a, b, km) for b in destinations] for a in origins]
    cells = furness(out, into, weight)
    pairs = {(a, b): cells[i][j] for i, a in enumerate(origins) for j, b in enumerate(destinations)}
    smallest = min(SMALLEST_T[commodity], SMALLEST_SHARE * total)
    kept = {pair: t for pair, t in pairs.items() if t >= smallest}
    whole, left = sum(pairs.values()), sum(kept.values())
    return {pair: t / left for pair, t in sorted(kept.items())}, 1.0 - left / whole


def _deterrence(commodity: str, a: str, b: str, km: dict[str, dict[str, float]]) -> float:
    if a == b or ({a, b} in ({"UME", "HOL"}, {"OUL", "RAA"}) and commodity != "timber"):
        return 0.0
    return math.exp(-km[a][b] / SCALE_KM[commodity])


def _mass(zone: str, commodity: str, side: str) -> float:
    people = {r["zone"]: r for r in raw("zones")}
    gates = {r["gate"]: r for r in raw("gates")}
    if commodity in ("timber", "sawn_wood"):
        row = people.get(zone)
        return float(row[f"{commodity.removesuffix('_wood')}_{side}"]) if row else 0.0
    if zone in gates and commodity != "timber":
        return float(gates[zone][f"{'food' if commodity == 'food_fish' else 'general'}_{side}"])
    return float(people[zone]["people_k"])
