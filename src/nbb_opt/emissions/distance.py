"""Distances of transport activity: which one an intensity was built on, and the factor between them, used once."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nbb_opt.errors import NbbError

EARTH_RADIUS_KM = 6371.0088
# From an intensity per actual km to activity on the shortest feasible or great-circle distance; ferries count as sea.
ADJUSTMENTS = {"road": 1.05, "sea": 1.15, "ferry": 1.15, "rail": 1.0}
ACTIVITY_BASES = ("SFD", "GCD")


@dataclass(frozen=True)
class Intensity:
    """kg CO2e per tonne-km, with the distance it was built on: SFD, GCD, actual, planned or none (not stated)."""

    kg_per_tkm: float
    basis: str


def adjusted(intensity: Intensity, mode: str, activity_basis: str) -> Intensity:
    """The intensity for activity on `activity_basis`; its basis is then that one, so a second call changes nothing.

    Raises NbbError where no factor is known: the pair has to be settled by the user.

    >>> once = adjusted(Intensity(0.1, "actual"), "road", "SFD")
    >>> round(once.kg_per_tkm, 6), adjusted(once, "road", "SFD") == once
    (0.105, True)
    """
    if activity_basis not in ACTIVITY_BASES:
        raise NbbError(f"activity on {activity_basis} km: activity is counted on {' or '.join(ACTIVITY_BASES)} km")
    if intensity.basis == activity_basis:
        return intensity
    if intensity.basis == "actual" and mode in ADJUSTMENTS:
        return Intensity(intensity.kg_per_tkm * ADJUSTMENTS[mode], activity_basis)
    raise NbbError(
        f"{mode}: an intensity on {intensity.basis} km cannot be used for activity on {activity_basis} km; "
        f"state the distance it was built on ({activity_basis}, or actual), or convert it yourself"
    )


def great_circle_km(lat_a: float, lon_a: float, lat_b: float, lon_b: float) -> float:
    """Great-circle distance between two points given in degrees.

    >>> round(great_circle_km(0, 0, 0, 180))
    20015
    """
    a, b = math.radians(lat_a), math.radians(lat_b)
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(math.radians(lon_b - lon_a) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(half)))


def activity_tkm(mass_t: float, distance_km: float) -> float:
    """Transport activity.

    >>> activity_tkm(0.230, 700)
    161.0
    """
    return mass_t * distance_km


def container_mass_t(teu: float, *, kind: str = "average") -> float:
    """Mass of goods in containers where it is unknown: 10 t per TEU, 6 t if light, 14.5 t if heavy.

    >>> container_mass_t(2), container_mass_t(1, kind="heavy")
    (20.0, 14.5)
    """
    masses = {"average": 10.0, "light": 6.0, "heavy": 14.5}
    if kind not in masses:
        raise NbbError(f"containers of kind {kind!r}: say {', '.join(masses)}")
    return teu * masses[kind]
