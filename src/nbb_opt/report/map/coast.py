"""Coastlines and borders around the places of an instance, their projection, and ways of ships over water only."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

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


LAND_COST = 40.0
SHARED_COST = 0.8  # a cell another route uses is preferred a little, so that routes join
CELLS_ACROSS, CELLS_AROUND = 120, 48
Cell = tuple[int, int]


class Water:
    """A grid of water and land in the map's plane on which ways between ports are found."""

    def __init__(self, rings: Sequence[Floats], points: Floats) -> None:
        low, high = points.min(axis=0), points.max(axis=0)
        self.cell = max(float((high - low).max()), 50.0) / CELLS_ACROSS
        self.left, self.top = (float(v) for v in low - CELLS_AROUND * self.cell)
        columns, rows = (int(v) + 2 * CELLS_AROUND + 1 for v in (high - low) / self.cell)
        mask = land_mask(list(rings), left=self.left, top=self.top, cell=self.cell, shape=(rows, columns))
        self.cost = np.where(mask, LAND_COST, 1.0)
        self.shape = (rows, columns)

    def at(self, point: Floats) -> Cell:
        """Give the (row, column) of a point."""
        return int((point[1] - self.top) / self.cell), int((point[0] - self.left) / self.cell)

    def ways(self, start: Floats, ends: Sequence[Floats]) -> list[list[Cell]]:
        """Give the cheapest way from start to each end, as cells with start and end."""
        columns = self.shape[1]
        origin, *targets = (row * columns + column for row, column in map(self.at, [start, *ends]))
        came = dijkstra(self._steps(), indices=origin, return_predecessors=True)[1]  # type: ignore[call-overload]
        found: list[list[Cell]] = []
        for target in targets:
            way = [target]
            while way[-1] != origin:
                way.append(int(came[way[-1]]))
            found.append([divmod(cell, columns) for cell in reversed(way)])
        for cells in found:
            rows, across = np.transpose(cells)
            self.cost[rows, across] = np.minimum(self.cost[rows, across], SHARED_COST)
        return found

    def _steps(self) -> csr_array:
        """The cost of a step from each cell to its eight neighbours: what the cell that is entered costs."""
        cells, parts = np.arange(self.cost.size).reshape(self.shape), []
        for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
            one = cells[: self.shape[0] - down, max(-right, 0) : self.shape[1] - max(right, 0)].ravel()
            other = one + down * self.shape[1] + right
            for here, there in ((one, other), (other, one)):
                parts.append((here, there, math.hypot(down, right) * self.cost.ravel()[there]))
        here, there, cost = map(np.concatenate, zip(*parts, strict=True))
        return csr_array((cost, (here, there)), shape=(cells.size, cells.size))

    def points(self, way: Sequence[Cell]) -> Floats:
        """Give the centres of cells in the map's plane, (n, 2)."""
        cells = np.array(way, dtype=np.float64).reshape(-1, 2)
        return np.column_stack(
            [self.left + (cells[:, 1] + 0.5) * self.cell, self.top + (cells[:, 0] + 0.5) * self.cell]
        )


def smooth(points: Floats, *, rounds: int = 2) -> Floats:
    """Round the corners of a line by cutting them (Chaikin), ends kept.

    >>> smooth(np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0]]), rounds=1).tolist()
    [[0.0, 0.0], [3.0, 0.0], [4.0, 1.0], [4.0, 4.0]]
    """
    for _ in range(rounds):
        if len(points) < 3:
            return points
        a, b = points[:-1], points[1:]
        cut = np.stack([0.75 * a + 0.25 * b, 0.25 * a + 0.75 * b], axis=1).reshape(-1, 2)
        points = np.concatenate([points[:1], cut[1:-1], points[-1:]])
    return points


def thin(points: Floats, *, tolerance: float) -> Floats:
    """Drop points that lie on the line between their neighbours kept.

    >>> thin(np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]]), tolerance=0.1).tolist()
    [[0.0, 0.0], [2.0, 0.0]]
    """
    keep, todo = {0, len(points) - 1}, [(0, len(points) - 1)]
    while todo:
        first, last = todo.pop()
        if last - first < 2:
            continue
        line = points[last] - points[first]
        between = points[first + 1 : last] - points[first]
        length = float(np.hypot(*line))
        away = np.abs(between[:, 0] * line[1] - between[:, 1] * line[0]) / length if length else np.hypot(*between.T)
        worst = int(np.argmax(away))
        if away[worst] > tolerance:
            keep.add(first + 1 + worst)
            todo += [(first, first + 1 + worst), (first + 1 + worst, last)]
    return points[sorted(keep)]
