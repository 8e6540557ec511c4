"""Make ``outlines.json`` from Natural Earth (public domain), as packed in the npm package `world-atlas` 2.0.2.

Run once, by hand, when the outlines should change::

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    python -m nbb_opt.report.map.make_outlines package/countries-10m.json src/nbb_opt/report/map/outlines.json
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

from nbb_opt.report.map.coast import Point, clip_ring

WINDOW = (-12.0, 44.0, 46.0, 72.5)  # west, south, east, north, degrees
TOLERANCE_DEGREES = 0.01
STEP_DEGREES = 0.005  # of the stored whole numbers
SMALLEST_RING_DEGREES = 0.05  # islands narrower and lower than this are left out


def decode_arcs(topology: dict[str, Any]) -> list[list[Point]]:
    """Give every arc of a TopoJSON topology as (lon, lat) points."""
    (scale_x, scale_y), (move_x, move_y) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for coded in topology["arcs"]:
        x = y = 0
        points = []
        for step_x, step_y in coded:
            x, y = x + step_x, y + step_y
            points.append((x * scale_x + move_x, y * scale_y + move_y))
        arcs.append(points)
    return arcs


def simplify(points: list[Point], *, tolerance: float) -> list[Point]:
    """Drop points that lie within `tolerance` degrees (longitude halved) of the line kept (Douglas and Peucker)."""
    keep = {0, len(points) - 1}
    todo = [(0, len(points) - 1)]
    while todo:
        first, last = todo.pop()
        (x0, y0), (x1, y1) = points[first], points[last]
        dx, dy = (x1 - x0) / 2, y1 - y0
        length = (dx * dx + dy * dy) ** 0.5
        worst, at = 0.0, -1
        for i in range(first + 1, last):
            px, py = (points[i][0] - x0) / 2, points[i][1] - y0
            away = abs(px * dy - py * dx) / length if length > 1e-9 else (px * px + py * py) ** 0.5
            if away > worst:
                worst, at = away, i
        if worst > tolerance:
            keep.add(at)
            todo += [(first, at), (at, last)]
    return [points[i] for i in sorted(keep)]


def unwrap(points: list[Point]) -> list[Point]:
    """Let longitudes run on past 180 degrees where a ring crosses the date line."""
    turn, before, unwrapped = 0.0, points[0][0], []
    for lon, lat in points:
        turn += 360.0 if lon - before < -180 else -360.0 if lon - before > 180 else 0.0
        unwrapped.append((lon + turn, lat))
        before = lon
    return unwrapped


def polygons(geometry: dict[str, Any]) -> Iterable[list[list[int]]]:
    """Give the polygons of a geometry, each a list of rings of arc numbers."""
    if geometry["type"] == "GeometryCollection":
        return chain.from_iterable(polygons(part) for part in geometry["geometries"])
    if geometry["type"] == "Polygon":
        return [geometry["arcs"]]
    return list(geometry["arcs"]) if geometry["type"] == "MultiPolygon" else []


def code(points: list[Point]) -> list[int]:
    """Write points as whole steps from the point before: [x, y, dx, dy, ...]."""
    coded: list[int] = []
    x = y = 0
    for lon, lat in points:
        step_x, step_y = round(lon / STEP_DEGREES) - x, round(lat / STEP_DEGREES) - y
        if coded and step_x == 0 and step_y == 0:
            continue
        coded += [step_x, step_y]
        x, y = x + step_x, y + step_y
    return coded


def make(topology: dict[str, Any]) -> dict[str, Any]:
    """Give land rings and country borders within the window."""
    arcs = [simplify(points, tolerance=TOLERANCE_DEGREES) for points in decode_arcs(topology)]
    land = []
    for polygon in polygons(topology["objects"]["land"]):
        for ring in polygon:
            parts = [arcs[a] if a >= 0 else arcs[~a][::-1] for a in ring]
            points = clip_ring(unwrap([point for part in parts for point in part[:-1]]), window=WINDOW)
            if len(points) < 4:
                continue
            lon, lat = zip(*points, strict=True)
            if max((max(lon) - min(lon)) / 2, max(lat) - min(lat)) >= SMALLEST_RING_DEGREES:
                land.append(code(points))
    uses = Counter(
        a if a >= 0 else ~a
        for country in topology["objects"]["countries"]["geometries"]
        for polygon in polygons(country)
        for ring in polygon
        for a in ring
    )
    west, south, east, north = WINDOW
    borders = [
        code(arcs[a])
        for a, times in sorted(uses.items())
        if times > 1 and all(west <= lon <= east and south <= lat <= north for lon, lat in arcs[a])
    ]
    return {
        "source": "Natural Earth 1:10m, public domain, naturalearthdata.com; by way of npm world-atlas 2.0.2",
        "window": list(WINDOW),
        "step_degrees": STEP_DEGREES,
        "land": land,
        "borders": borders,
    }


if __name__ == "__main__":
    result = make(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    Path(sys.argv[2]).write_text(json.dumps(result, separators=(",", ":")) + "\n", encoding="utf-8")
