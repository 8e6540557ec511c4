"""Marks and names on the map: projects, ways out of the frame, the scale."""

from __future__ import annotations

import math

import pandas as pd
from markupsafe import Markup

from nbb_opt.instance import Instance
from nbb_opt.report.charts.svg import INK, tag, text_width, words
from nbb_opt.report.map.frame import Frame
from nbb_opt.report.map.labels import Room
from nbb_opt.report.map.layers import place_of_project
from nbb_opt.report.map.outlines import Floats
from nbb_opt.report.rows import amounts
from nbb_opt.report.text import cut, kt

PROJECT_FILL = "#1c2733"


def node_tonnes(instance: Instance, tonnes: pd.Series) -> dict[str, float]:
    links = instance["links"].set_index("link").loc[tonnes.index]
    ends = pd.concat([tonnes.groupby(links["from_node"]).sum(), tonnes.groupby(links["to_node"]).sum()])
    return {str(node): float(amount) for node, amount in amounts(ends.groupby(level=0).sum())}


def haloed(content: str, x: float, y: float, size: float) -> Markup:
    return tag(
        "text", content, x=x, y=y, font_size=size, fill=INK, stroke="#ffffff", stroke_width=3, stroke_linejoin="round",
        paint_order="stroke",
    )  # fmt: skip


def badge(x: float, y: float, label: str) -> Markup:
    wide = max(18.0, text_width(label, 11) + 10)
    box = tag("rect", x=x - wide / 2, y=y - 9, width=wide, height=18, rx=3, fill=PROJECT_FILL, stroke="#ffffff")
    return box + words(label, x, y + 4, size=11, anchor="middle", fill="#ffffff", weight="600")


def badges(instance: Instance, frame: Frame, projects: list[tuple[int, str]], room: Room) -> list[Markup]:
    parts = []
    for count, project in projects:
        at = place_of_project(instance, frame, project)
        if at is None or not frame.inside(at):
            continue
        box = room.place(float(at[0]), float(at[1]), width=20, height=20, gaps=(7, 14, 22, 32))
        if box is None:
            continue
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        parts.append(tag("line", x1=float(at[0]), y1=float(at[1]), x2=x, y2=y, stroke=PROJECT_FILL, stroke_width=1))
        parts.append(badge(x, y, str(count)))
    return parts


def exits(instance: Instance, frame: Frame, tonnes: pd.Series, room: Room) -> list[Markup]:
    """Mark where flows leave the frame for places far outside, with their names and tonnes."""
    links = instance["links"].set_index("link")
    names = instance["nodes"].set_index("node")["name"]
    out: dict[str, tuple[float, float, Floats, Floats]] = {}
    for link, amount in amounts(tonnes):
        ends = str(links.at[link, "from_node"]), str(links.at[link, "to_node"])
        far = [node for node in ends if node in frame.far]
        if len(far) != 1:
            continue
        way = frame.sea_ways.get(str(link), list(ends))
        line = [frame.at[key] for key in (way if way[0] != far[0] else way[::-1])]
        leaving = next((i for i, p in enumerate(line) if not frame.inside(p)), None)
        if not leaving:
            continue
        total, most = out.get(far[0], (0.0, 0.0))[:2]
        if amount > most:
            out[far[0]] = (total + amount, amount, line[leaving - 1], line[leaving])
        else:
            out[far[0]] = (total + amount, *out[far[0]][1:])
    parts = []
    for node, (total, _, inner, outer) in sorted(out.items(), key=lambda item: -item[1][0]):
        edge = _to_edge(inner, outer, frame)
        angle = math.degrees(math.atan2(float(outer[1] - inner[1]), float(outer[0] - inner[0])))
        turn = f"translate({edge[0]:.1f} {edge[1]:.1f}) rotate({angle:.0f})"
        parts.append(tag("path", d="M-9 -7L3 0L-9 7z", fill=INK, stroke="#ffffff", transform=turn))
        label = f"to and from {cut(str(names[node]), 24)}, {kt(total, 0)}"
        box = room.place_words(label, float(edge[0]), float(edge[1]), size=12, gaps=(10, 18, 28, 40, 54, 70, 90))
        if box is not None:
            parts.append(haloed(label, box[0] + 2, box[3] - 4, 12))
    return parts


def _to_edge(inner: Floats, outer: Floats, frame: Frame) -> Floats:
    part = 1.0
    for i, size in enumerate((frame.width, frame.height)):
        step = float(outer[i] - inner[i])
        for bound in (4.0, size - 4.0):
            if (
                abs(step) > 1e-9
                and 0 <= (bound - inner[i]) / step < part
                and (outer[i] - bound) * (inner[i] - bound) <= 0
            ):
                part = float((bound - inner[i]) / step)
    return inner + part * (outer - inner)


def scale_bar(frame: Frame) -> Markup:
    km = next(k for k in (1000, 500, 200, 100, 50, 20, 10, 5, 2, 1, 0.5) if k / frame.km_per_px < frame.width / 4)
    x, y = frame.width - km / frame.km_per_px - 14, frame.height - 14
    bar = tag("path", d=f"M{x:.1f} {y - 5:.1f}v5h{km / frame.km_per_px:.1f}v-5", fill="none", stroke=INK)
    return bar + haloed(f"{km:g} km", x + 4, y - 5, 11)
