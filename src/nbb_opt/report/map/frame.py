"""What the map shows: the frame around an instance's places, and the course of every link within it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from markupsafe import Markup

from nbb_opt.instance import Instance
from nbb_opt.report.charts.svg import path_data, tag
from nbb_opt.report.grid import each
from nbb_opt.report.map.coast import Floats, Water, clip_ring, project_km, read_outlines, smooth, thin

FAR_FACTOR, FAR_SHARE = 2.4, 0.2
MARGIN_SHARE = 0.05
TALLEST, FLATTEST = 1.2, 0.6
WATER_FILL, LAND_FILL, COAST, BORDER = "#e6eef4", "#fbfaf6", "#a9b6c1", "#b9aea0"

Key = tuple[str, int, int] | str  # a cell of the water grid, or a node


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Places in px of the drawing; `far` nodes lie outside it. `sea_ways` gives each used sea link as keys of `at`."""

    width: float
    height: float
    km_per_px: float
    xy: Mapping[str, Floats]
    far: frozenset[str]
    base: Markup
    has_coast: bool
    sea_ways: Mapping[str, list[Key]]
    at: Mapping[Key, Floats]

    def inside(self, point: Floats) -> bool:
        """Say whether a point lies in the drawing."""
        return bool(0 <= point[0] <= self.width and 0 <= point[1] <= self.height)


def far_nodes(km: Floats) -> np.ndarray:
    """Mark a few points much farther from the middle than the rest, (n,) bool."""
    away = np.hypot(*(km - np.median(km, axis=0)).T)
    far = away > FAR_FACTOR * np.percentile(away, 75)
    return far if far.mean() <= FAR_SHARE else np.zeros(len(km), dtype=bool)


def make_frame(instance: Instance, used_links: set[str], *, width: float) -> Frame:
    """Fit a frame of `width` px to the instance's nodes and route its used sea and ferry links over water."""
    nodes = instance["nodes"]
    lon, lat = nodes["lon"].to_numpy(dtype=np.float64), nodes["lat"].to_numpy(dtype=np.float64)
    centre = (float(np.median(lon)), float(np.median(lat)))
    km = project_km(lon, lat, centre=centre)
    far = far_nodes(km)
    low, high = km[~far].min(axis=0), km[~far].max(axis=0)
    size = np.maximum(high - low, 20.0)
    margin = MARGIN_SHARE * float(size.max())
    size = size + 2 * margin
    size[1] = max(size[1], FLATTEST * size[0])
    size[0] = max(size[0], size[1] / TALLEST)
    corner = (low + high) / 2 - size / 2
    scale = width / float(size[0])
    height = float(size[1]) * scale

    outlines = read_outlines()
    rings = [project_km(ring[:, 0], ring[:, 1], centre=centre) for ring in outlines.land]
    borders = [project_km(line[:, 0], line[:, 1], centre=centre) for line in outlines.borders]

    def to_px(points: Floats) -> Floats:
        return (points - corner) * scale

    xy = {str(node): point for node, point in zip(nodes["node"], to_px(km), strict=True)}
    coast = _base_paths([to_px(ring) for ring in rings], width, height, close=True)
    lines = _base_paths([to_px(line) for line in borders], width, height, close=False)
    base = tag("rect", width=width, height=height, fill=WATER_FILL if coast else LAND_FILL)
    base += tag("path", d=coast, fill=LAND_FILL, fill_rule="evenodd", stroke=COAST, stroke_width=0.7)
    base += tag("path", d=lines, fill="none", stroke=BORDER, stroke_width=1, stroke_dasharray="6 3 1.5 3")
    ways, at = _sea_ways(instance, used_links, xy, [to_px(ring) for ring in rings])
    return Frame(
        width=width,
        height=height,
        km_per_px=1 / scale,
        xy=xy,
        far=frozenset(nodes.loc[far, "node"]),
        base=base,
        has_coast=bool(coast),
        sea_ways=ways,
        at=at,
    )


def _base_paths(lines: list[Floats], width: float, height: float, *, close: bool) -> str:
    """Write the lines that touch the frame as path data, cut just outside it and thinned to half a pixel."""
    parts = []
    for line in lines:
        low, high = line.min(axis=0), line.max(axis=0)
        if high[0] < 0 or high[1] < 0 or low[0] > width or low[1] > height:
            continue
        if close:
            cut = clip_ring([(float(x), float(y)) for x, y in line], window=(-9.0, -9.0, width + 9.0, height + 9.0))
            line = np.array(cut, dtype=np.float64).reshape(-1, 2)
        if len(line) > 1:
            parts.append(path_data(map(tuple, thin(line, tolerance=0.4)), close=close))
    return "".join(parts)


def _sea_ways(
    instance: Instance, used_links: set[str], xy: Mapping[str, Floats], rings: list[Floats]
) -> tuple[dict[str, list[Key]], dict[Key, Floats]]:
    links = instance["links"]
    used = links[links["mode"].isin(["sea", "ferry"]) & links["link"].isin(used_links)]
    at: dict[Key, Floats] = dict(xy.items())
    ways: dict[str, list[Key]] = {}
    if used.empty:
        return ways, at
    ends = np.array([xy[node] for node in pd.concat([used["from_node"], used["to_node"]])])
    water = Water(rings, ends)
    left = {str(row.link): (str(row.from_node), str(row.to_node)) for row in each(used)}
    while left:  # from the port with most links left, so that the search runs as seldom as can be
        ports = Counter(port for pair in left.values() for port in pair)
        start = min(ports, key=lambda port: (-ports[port], port))
        here = {link: b if a == start else a for link, (a, b) in left.items() if start in (a, b)}
        for (link, end), way in zip(here.items(), water.ways(xy[start], [xy[e] for e in here.values()]), strict=True):
            keys: list[Key] = [("cell", row, column) for row, column in way[1:-1]]
            at.update(zip(keys, water.points(way[1:-1]), strict=True))
            ways[link] = [start, *keys, end]
            del left[link]
    return ways, at


def merge_ways(frame: Frame, tonnes: Mapping[str, float]) -> list[tuple[Floats, float]]:
    """Join the ways of sea links: (points, tonnes) for every stretch over which the tonnes do not change."""
    edges: dict[tuple[Key, Key], float] = {}
    for link, amount in tonnes.items():
        way = frame.sea_ways[link]
        for a, b in pairwise(way):
            pair = (a, b) if str(a) <= str(b) else (b, a)
            edges[pair] = edges.get(pair, 0.0) + amount
    beside: dict[Key, list[tuple[Key, float]]] = {}
    for (a, b), amount in edges.items():
        beside.setdefault(a, []).append((b, amount))
        beside.setdefault(b, []).append((a, amount))

    def through(key: Key) -> bool:
        return len(beside[key]) == 2 and abs(beside[key][0][1] - beside[key][1][1]) < 1e-6 and not isinstance(key, str)

    stretches: list[tuple[Floats, float]] = []
    seen: set[tuple[Key, Key]] = set()
    for start in [key for key in beside if not through(key)]:
        for following, amount in beside[start]:
            before, here, line = start, following, [start]
            while (before, here) not in seen:
                seen |= {(before, here), (here, before)}
                line.append(here)
                if not through(here):
                    break
                before, here = here, next(key for key, _ in beside[here] if key != before)
            if len(line) > 1:
                points = thin(np.array([frame.at[key] for key in line]), tolerance=4.0)
                stretches.append((smooth(points), amount))
    return stretches
