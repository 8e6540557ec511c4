"""Ways over water for the map: sea links are straight lines in the data, but ships do not cross land."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence

import numpy as np

from nbb_opt.report.map.outlines import Floats, land_mask

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
        self.cost: list[list[float]] = np.where(mask, LAND_COST, 1.0).tolist()
        self.shape = (rows, columns)

    def at(self, point: Floats) -> Cell:
        """Give the (row, column) of a point."""
        return int((point[1] - self.top) / self.cell), int((point[0] - self.left) / self.cell)

    def ways(self, start: Floats, ends: Sequence[Floats]) -> list[list[Cell]]:
        """Give the cheapest way from start to each end, as cells with start and end."""
        origin, targets = self.at(start), [self.at(end) for end in ends]
        rows, columns = self.shape
        far = {origin: 0.0}
        came: dict[Cell, Cell] = {}
        todo: list[tuple[float, Cell]] = [(0.0, origin)]
        missing, done = set(targets) - {origin}, set()
        steps = [(r, c, math.hypot(r, c)) for r in (-1, 0, 1) for c in (-1, 0, 1) if r or c]
        while todo and missing:
            so_far, here = heapq.heappop(todo)
            if here in done:
                continue
            done.add(here)
            missing.discard(here)
            row, column = here
            for r, c, length in steps:
                y, x = row + r, column + c
                if not (0 <= y < rows and 0 <= x < columns):
                    continue
                there = (y, x)
                then = so_far + length * self.cost[y][x]
                if then < far.get(there, math.inf):
                    far[there] = then
                    came[there] = here
                    heapq.heappush(todo, (then, there))
        found = []
        for target in targets:
            way = [target]
            while way[-1] != origin:
                way.append(came[way[-1]])
            found.append(way[::-1])
        for way in found:
            for row, column in way:
                self.cost[row][column] = min(self.cost[row][column], SHARED_COST)
        return found

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
