"""Control totals of the finished demand: what was to be met, what came out."""

from __future__ import annotations

from collections.abc import Mapping

from gravity import Block, Flow
from store import YEARS, raw


def block_table(blocks: list[Block], year: int) -> list[tuple[str, str, float, float, float, float]]:
    """Commodity, block, target, met, difference and what was too small to keep, in kt of one year."""
    return [
        (b.commodity, b.name, b.target_t / 1e3, b.met_t / 1e3, (b.met_t - b.target_t) / 1e3, b.dropped_t / 1e3)
        for b in blocks
        if b.year == year
    ]


def outside_table(
    flows: Mapping[Flow, Mapping[int, float]], ocean: Mapping[Flow, Mapping[int, float]]
) -> list[tuple[str, str, float, float, str, str]]:
    """Observed totals that no row was fitted to: name, year, observed kt, demand kt of 2025, source, remark."""
    rows = []
    for r in raw("controls"):
        names = set(r["from"].split())
        others = set(r["to"].split())
        goods = set(r["commodities"].split())
        total = 0.0
        for (origin, destination, commodity), by_year in (*flows.items(), *ocean.items()):
            if goods and commodity not in goods:
                continue
            there = origin in names and (not others or destination in others) and destination not in names
            back = (
                r["both_ways"] == "true"
                and destination in names
                and (not others or origin in others)
                and origin not in names
            )
            if there or back:
                total += by_year[YEARS[0]]
        rows.append((r["name"], r["year"], float(r["observed_t"]) / 1e3, total / 1e3, r["source"], r["note"]))
    return rows


def by_commodity(flows: Mapping[Flow, Mapping[int, float]]) -> dict[str, dict[int, float]]:
    """Mt by commodity and year."""
    totals: dict[str, dict[int, float]] = {}
    for (_, _, commodity), by_year in flows.items():
        entry = totals.setdefault(commodity, dict.fromkeys(YEARS, 0.0))
        for year, tonnes in by_year.items():
            entry[year] += tonnes / 1e6
    return dict(sorted(totals.items()))
