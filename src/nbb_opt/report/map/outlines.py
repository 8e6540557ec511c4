"""Coastlines and borders around the places of an instance, and the projection that draws them.

The outlines are Natural Earth 1:10m (public domain), cut and simplified by ``make_outlines.py``; they cover Europe.
Elsewhere the map has no coastline, and says so.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Point = tuple[float, float]
EARTH_KM = 6371.0


@dataclass(frozen=True)
class Outlines:
    """Rings of land and lines of borders as (n, 2) arrays of lon, lat in degrees."""

    land: tuple[Floats, ...]
    borders: tuple[Floats, ...]
    window: tuple[float, float, float, float]
    source: str


@lru_cache(maxsize=1)
def read_outlines() -> Outlines:
    """Read the outlines shipped with the package."""
    stored = json.loads(files("nbb_opt.report.map").joinpath("outlines.json").read_text(encoding="utf-8"))

    def lines(name: str) -> tuple[Floats, ...]:
        step = float(stored["step_degrees"])
        return tuple(np.cumsum(np.array(line, dtype=np.float64).reshape(-1, 2), axis=0) * step for line in stored[name])

    west, south, east, north = stored["window"]
    return Outlines(lines("land"), lines("borders"), (west, south, east, north), stored["source"])


def project_km(lon: Floats, lat: Floats, *, centre: tuple[float, float]) -> Floats:
    """Project degrees to (n, 2) km east and south of `centre` (lon, lat): Lambert azimuthal equal-area.

    >>> project_km(np.array([20.0]), np.array([64.0]), centre=(20.0, 63.0)).round(1).tolist()
    [[0.0, -111.2]]
    """
    lam, phi = np.radians(lon - centre[0]), np.radians(lat)
    phi_0 = np.radians(centre[1])
    toward = 1 + np.sin(phi_0) * np.sin(phi) + np.cos(phi_0) * np.cos(phi) * np.cos(lam)
    k = np.sqrt(2 / np.maximum(toward, 1e-6)) * EARTH_KM
    east = k * np.cos(phi) * np.sin(lam)
    north = k * (np.cos(phi_0) * np.sin(phi) - np.sin(phi_0) * np.cos(phi) * np.cos(lam))
    return np.column_stack([east, -north]) + 0.0


def clip_ring(ring: list[Point], *, window: tuple[float, float, float, float]) -> list[Point]:
    """Cut a closed ring to a box (Sutherland and Hodgman)."""
    west, south, east, north = window
    for axis, bound, sign in ((0, west, 1), (0, east, -1), (1, south, 1), (1, north, -1)):
        kept: list[Point] = []
        for i, here in enumerate(ring):
            before = ring[i - 1]
            inside, was_inside = (here[axis] - bound) * sign >= 0, (before[axis] - bound) * sign >= 0
            if inside != was_inside:
                part = (bound - before[axis]) / (here[axis] - before[axis])
                kept.append((before[0] + part * (here[0] - before[0]), before[1] + part * (here[1] - before[1])))
            if inside:
                kept.append(here)
        ring = kept
    return ring


def land_mask(
    rings: list[Floats], *, left: float, top: float, cell: float, shape: tuple[int, int]
) -> NDArray[np.bool_]:
    """Say which cells of a grid have their centre on land, by the even-odd rule; `rings` in the grid's plane."""
    starts = np.concatenate(rings) if rings else np.zeros((0, 2))
    ends = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings]) if rings else np.zeros((0, 2))
    rows, columns = shape
    centres = left + (np.arange(columns) + 0.5) * cell
    mask = np.zeros(shape, dtype=np.bool_)
    for row in range(rows):
        y = top + (row + 0.5) * cell
        cut = (starts[:, 1] <= y) != (ends[:, 1] <= y)
        a, b = starts[cut], ends[cut]
        crossings = np.sort(a[:, 0] + (y - a[:, 1]) / (b[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0]))
        mask[row] = np.searchsorted(crossings, centres) % 2 == 1
    return mask
