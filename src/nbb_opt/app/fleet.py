"""What the app does for a haulier who has no instance yet: what a truck costs on a lane."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance
from nbb_opt.instance.fleet_sheet import Roads
from nbb_opt.report.study import Answer
from nbb_opt.studies.audit.one_truck import KWH_PER_LITRE, battery_price, one_lane, truck_cost, with_prices

GOODS = ("general", "timber", "sawn", "ore", "conc")
# name in the address -> phrase, unit, lowest, highest, step, decimals of the slider
SLIDERS: dict[str, tuple[str, str, float, float, float, int]] = {
    "electricity": ("Price of electricity", "EUR/kWh", 0.02, 0.5, 0.005, 3),
    "diesel": ("Price of diesel", "EUR/l", 0.5, 3.0, 0.01, 2),
    "km_per_year": ("Km a truck drives in a year", "km", 20_000, 250_000, 1_000, 0),
    "battery": ("Price of the battery", "EUR/kWh", 50, 600, 5, 0),
    "subsidy": ("Subsidy for a battery or hydrogen truck", "EUR", 0, 150_000, 1_000, 0),
}  # fmt: skip
FIRST_LANE = {"origin": "Boden", "destination": "Luleå"}
_ONE_AT_A_TIME = threading.Lock()  # compiled kernels share their threads


@cache
def places() -> list[str]:
    """Names of the places that are known, in the order of the alphabet."""
    return sorted(str(name) for name in Roads.read().nodes["name"].unique())


_lane = lru_cache(maxsize=16)(one_lane)


def present(lane: Instance) -> dict[str, float]:
    """Where the sliders stand for the shipped figures of the first period and the country of the depot."""
    year, country = lane.periods[0].year, lane["fleet_regions"]["country"].iloc[0]
    energy = lane["energy"]
    here = energy[(energy["year"] == year) & (energy["country"] == country)]
    price = dict(zip(here["energy_carrier"], here["price_eur_per_kwh"], strict=True))
    km = dict(zip(lane["vehicles"]["vehicle"], lane["vehicles"]["annual_km"], strict=True))
    return {
        "electricity": float(price["electricity"]), "diesel": float(price["diesel"]) * KWH_PER_LITRE,
        "km_per_year": float(km["DIESEL"]), "battery": battery_price(lane), "subsidy": 0.0,
    }  # fmt: skip


def lane_of(origin: str, destination: str, *, km: float | None, goods: str) -> Instance:
    """A lane with the shipped figures. Raises InstanceError for goods and places that are not known."""
    with _ONE_AT_A_TIME:
        return _lane(origin, destination, km=km, goods=goods)


def lane_cost(lane: Instance, *, against: str, moved: Mapping[str, float]) -> Answer:
    """What each kind of truck costs on a lane with the sliders that were moved. Raises NbbError for a truck to compare
    with that cannot drive there, and for prices that cannot be."""
    subsidy_eur, battery = moved.get("subsidy", 0.0), moved.get("battery")
    with _ONE_AT_A_TIME:
        region = with_prices(
            lane, electricity_eur_per_kwh=moved.get("electricity"), diesel_eur_per_l=moved.get("diesel"),
            km_per_year=moved.get("km_per_year"), battery_eur_per_kwh=battery, subsidy_eur=subsidy_eur,
        )  # fmt: skip
        price = battery_price(lane) if battery is None else battery
        return truck_cost(region, against=against, subsidy_eur=subsidy_eur, battery_eur_per_kwh=price)


def trucks_of(instance: Instance) -> list[str]:
    """The trucks of an instance."""
    vehicles = instance["vehicles"]
    return vehicles.loc[vehicles["mode"] == "road", "vehicle"].tolist()


def asked_of(query: Mapping[str, str]) -> dict[str, Any]:
    """What an address asks about a lane; figures with a decimal comma or point. Raises NbbError for what is none."""

    def figure(name: str) -> float | None:
        text = query.get(name, "").strip().replace(",", ".")
        try:
            value = float(text) if text else None
        except ValueError as error:
            raise NbbError(f"{name}: {text[:40]!r} is not a number") from error
        if value is not None and not 0 <= value < 1e9:
            raise NbbError(f"{name}: {text[:40]!r} is below zero or too great")
        return value

    moved = {name: value for name in SLIDERS if (value := figure(name)) is not None}
    ends = {name: query.get(name, "").strip() or first for name, first in FIRST_LANE.items()}
    lane = {**ends, "km": figure("km") or None, "goods": query.get("goods") or GOODS[0]}
    return {"lane": lane, "against": query.get("against") or "DIESEL", "moved": moved}
