"""instance.toml."""

from __future__ import annotations

# The first five years in two steps: what is bought before 2028 is bought at the prices and subsidies of its time.
PERIODS = ((2025, 3), (2028, 2), (2030, 5), (2035, 5), (2040, 5))
ALTERNATIVES = 1
MAX_MAIN_LEGS = 2

_HEAD = f"""\
name = "nbb"
title = "Nordic Battery Belt"
version = "1.0.0"
licence = "MIT for our own figures and text; figures of others are cited with their source in sources.csv"
description = "Regional freight of northern Norway, Sweden and Finland, 2025 to 2044, from sourced figures"
price_year = 2025
discount_rate = 0.04
boundary = "WTW"
carbon_base = "TTW"
gwp_set = "mixed"
grid_method = "location_consumption_lifecycle"
ferry_allocation = "lane_metre"

[chains]
alternatives = {ALTERNATIVES}
max_main_legs = {MAX_MAIN_LEGS}
"""


def instance_toml() -> str:
    """Text of instance.toml."""
    return _HEAD + "".join(f"\n[[periods]]\nyear = {year}\nyears = {years}\n" for year, years in PERIODS)
