"""instance.toml and README.md of the instance, and the control totals as text."""

from __future__ import annotations

from collections.abc import Mapping

from checks import block_table, by_commodity, outside_table
from gravity import Block, Flow
from store import YEARS, Tables

INSTANCE_TOML = """\
name = "nbb"
title = "Nordic Battery Belt"
version = "1.0.0"
licence = "MIT for our own figures and text; figures of others are cited with their source in sources.csv"
description = "Regional freight of northern Norway, Sweden and Finland from 2025 to 2044: real places, sourced figures, stated assumptions."
price_year = 2025
discount_rate = 0.04
boundary = "WTW"
carbon_base = "TTW"
gwp_set = "mixed"
grid_method = "location_consumption_lifecycle"
ferry_allocation = "lane_metre"

[chains]
alternatives = 2
max_main_legs = 2
"""
for _year in YEARS:
    INSTANCE_TOML += f"\n[[periods]]\nyear = {_year}\nyears = 5\n"


def control_lines(
    flows: Mapping[Flow, Mapping[int, float]], blocks: list[Block], ocean: Mapping[Flow, Mapping[int, float]]
) -> list[str]:
    lines = [f"{len(flows)} flows"]
    for commodity, name, target, met, difference, dropped in block_table(blocks, YEARS[0]):
        lines.append(f"{commodity} {name}: target {target:.0f} kt, met {met:.1f}, off by {difference:+.1f}, too small {dropped:.0f}")
    for name, year, observed, ours, _, _ in outside_table(flows, ocean):
        lines.append(f"{name}: observed {observed:.0f} kt ({year}), demand 2025 {ours:.0f} kt, {ours / observed - 1:+.0%}")
    return lines


def page(tables: Tables, flows: Mapping[Flow, Mapping[int, float]], blocks: list[Block], ocean: Mapping[Flow, Mapping[int, float]]) -> str:
    return "\n".join(control_lines(flows, blocks, ocean)) + "\n"
