"""Distances of transport activity: which one an intensity was built on, and the factor between them, used once.

The ledger counts on the km of the network, the shortest feasible distance (SFD).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd

from nbb_opt.errors import NbbError

EARTH_RADIUS_KM = 6371.0088
# From an intensity per actual km to activity on the shortest feasible distance; ferries count as sea.
ADJUSTMENTS = {"road": 1.05, "sea": 1.15, "ferry": 1.15, "rail": 1.0}
Amount = TypeVar("Amount", float, pd.Series)


@dataclass(frozen=True)
class Intensity:
    """kg CO2e per tonne-km, with the distance it was built on: SFD, GCD, actual, planned or none (not stated)."""

    kg_per_tkm: float
    basis: str


def on_network(intensity: Intensity, mode: str, *, gcd_share: float) -> Intensity:
    """The intensity for activity on the network (SFD); its basis is then that one, so a second call changes nothing.

    `gcd_share` is the great-circle distance over that of the network, of the same activity. Raises NbbError where no
    step is known: the user has to settle it.

    >>> once = on_network(Intensity(0.1, "GCD"), "ferry", gcd_share=0.9)
    >>> round(once.kg_per_tkm, 6), on_network(once, "ferry", gcd_share=0.9) == once
    (0.09, True)
    """
    if intensity.basis == "SFD":
        return intensity
    if intensity.basis == "GCD":
        return Intensity(intensity.kg_per_tkm * gcd_share, "SFD")
    if intensity.basis == "actual" and mode in ADJUSTMENTS:
        return Intensity(intensity.kg_per_tkm * ADJUSTMENTS[mode], "SFD")
    raise NbbError(
        f"{mode}: an intensity on {intensity.basis} km cannot be used for activity on the network; state the distance "
        "it was built on (SFD, GCD or actual), or convert it yourself"
    )


def great_circle_km(from_deg: np.ndarray, to_deg: np.ndarray) -> np.ndarray:
    """Great-circle distances between points given as rows of latitude and longitude in degrees.

    >>> great_circle_km(np.array([[0.0, 0.0]]), np.array([[0.0, 180.0]])).round().tolist()
    [20015.0]
    """
    a, b = np.radians(from_deg), np.radians(to_deg)
    half = np.sin((b[:, 0] - a[:, 0]) / 2) ** 2
    half += np.cos(a[:, 0]) * np.cos(b[:, 0]) * np.sin((b[:, 1] - a[:, 1]) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(half, 1.0))))


def activity_tkm(mass_t: Amount, distance_km: Amount) -> Amount:
    """Transport activity.

    >>> activity_tkm(0.230, 700.0)
    161.0
    """
    return mass_t * distance_km
