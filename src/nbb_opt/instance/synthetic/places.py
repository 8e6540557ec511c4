"""Invented towns: clustered along corridors of a Nordic-like region on both sides of a gulf."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# corridor: country, (lat, lon) of both ends, share of the towns, whether its towns lie at the sea
CORRIDORS = (
    ("SE", (62.2, 17.4), (65.6, 22.0), 0.27, True),
    ("FI", (62.4, 22.0), (65.7, 25.2), 0.23, True),
    ("SE", (62.3, 14.8), (66.8, 20.0), 0.14, False),
    ("NO", (63.6, 11.2), (67.9, 15.8), 0.14, True),
    ("FI", (62.2, 26.0), (66.6, 27.0), 0.14, False),
    ("SE", (66.0, 15.3), (64.0, 19.6), 0.08, False),
)
SMALLEST = 2 * len(CORRIDORS)
EARTH_KM = 6371.0


@dataclass(frozen=True)
class Places:
    """Towns (Z): id, country, coordinates in degrees, weight (sums to 1), at the sea or not, fleet region.

    `hubs` are the towns that are hubs of the fleet regions.
    """

    ids: tuple[str, ...]
    country: npt.NDArray[np.object_]
    lat: Floats
    lon: Floats
    weight: Floats
    coastal: npt.NDArray[np.bool_]
    hubs: Ints
    region: Ints

    def km(self) -> Floats:
        """Air-line distances (Z, Z)."""
        return air_km(self.lat[:, None], self.lon[:, None], self.lat[None, :], self.lon[None, :])


def air_km(lat_a: Floats, lon_a: Floats, lat_b: Floats, lon_b: Floats) -> Floats:
    """Great-circle distance in km."""
    a, b = np.radians(lat_a), np.radians(lat_b)
    half = np.sin((b - a) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin(np.radians(lon_b - lon_a) / 2) ** 2
    return np.asarray(2 * EARTH_KM * np.arcsin(np.sqrt(half)), np.float64)


def make_places(rng: np.random.Generator, zones: int) -> Places:
    """Draw `zones` towns; every corridor has two at least, sizes follow a rank law."""
    extra = rng.choice(len(CORRIDORS), zones - SMALLEST, p=[corridor[3] for corridor in CORRIDORS])
    corridor = np.concatenate([np.repeat(np.arange(len(CORRIDORS)), 2), np.sort(extra)])
    along = np.where(np.arange(zones) < SMALLEST, np.arange(zones) % 2, rng.uniform(0.03, 0.97, zones))
    ends = np.array([(*c[1], *c[2]) for c in CORRIDORS])[corridor]
    spread = rng.normal(0, 1, (2, zones)) * np.where(np.arange(zones) < SMALLEST, 0.05, 0.16)
    lat = np.round(ends[:, 0] + along * (ends[:, 2] - ends[:, 0]) + spread[0], 4)
    lon = np.round(ends[:, 1] + along * (ends[:, 3] - ends[:, 1]) + spread[1] * 2.0, 4)
    weight = np.asarray((1.0 + rng.permutation(zones)) ** -0.9, np.float64)
    weight = weight / float(weight.sum())
    country = np.array([c[0] for c in CORRIDORS], object)[corridor]
    coastal = np.array([c[4] for c in CORRIDORS])[corridor]
    hubs = _hubs(lat, lon, country, weight)
    far = air_km(lat[:, None], lon[:, None], lat[hubs][None, :], lon[hubs][None, :])
    far[country[:, None] != country[hubs][None, :]] = np.inf
    width = len(str(zones))
    ids = tuple(f"T{i + 1:0{width}d}" for i in range(zones))
    return Places(ids, country, lat, lon, weight, coastal, hubs, np.argmin(far, axis=1))


def _hubs(lat: Floats, lon: Floats, country: npt.NDArray[np.object_], weight: Floats) -> Ints:
    """Large towns far from each other; one in every country at least."""
    wanted = max(3, round(len(lat) ** 0.5 / 1.5))
    found: list[int] = []
    for nation in ("SE", "FI", "NO"):
        mine = np.flatnonzero(country == nation)
        found.append(int(mine[np.argmax(weight[mine])]))
    while len(found) < wanted:
        far = air_km(lat[:, None], lon[:, None], lat[found][None, :], lon[found][None, :]).min(axis=1)
        found.append(int(np.argmax(far * weight**0.3)))
    return np.array(found, np.int64)
