"""The map: flows by mode, projects, charging areas and names, as closed SVG drawn here."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from markupsafe import Markup

from nbb_opt.instance import Instance
from nbb_opt.report.charts.svg import INK, MODE_COLOURS, MUTED, drawing, tag, words
from nbb_opt.report.kpis import link_tonnes
from nbb_opt.report.map.frame import Frame
from nbb_opt.report.map.labels import Room
from nbb_opt.report.map.layers import (
    CHARGE_FILL,
    UNUSED,
    charge_radius_px,
    charging_layer,
    draw_line,
    flow_layer,
    line_width_px,
    network_layer,
)
from nbb_opt.report.map.marks import badge, badges, exits, haloed, node_tonnes, scale_bar
from nbb_opt.report.text import MODE_WORDS, cut, kt, short

Tables = Mapping[str, pd.DataFrame]


def draw_map(
    instance: Instance,
    frame: Frame,
    tables: Tables,
    *,
    year: int,
    projects: list[tuple[int, str]],
    most_t: float,
    key: str,
) -> Markup:
    """Draw the big map of a period. `projects` gives the numbers of those in service."""
    tonnes = link_tonnes(tables, year)
    room = Room(frame.width, frame.height)
    nodes = instance["nodes"].set_index("node")
    flows = flow_layer(instance, frame, tonnes, most_t=most_t)
    charging = charging_layer(instance, frame, tables, year, room)
    shown = node_tonnes(instance, tonnes)
    dots: list[Markup] = []
    for node, point in frame.xy.items():
        if node in frame.far or not frame.inside(point):
            continue
        zone = bool(nodes.at[node, "is_zone"])
        if not zone and node not in shown:
            continue
        x, y = float(point[0]), float(point[1])
        dots.append(tag("circle", cx=x, cy=y, r=3.2 if zone else 2, fill="#ffffff", stroke=INK, stroke_width=1.3))
        room.block(x, y, 4)
    project_badges = badges(instance, frame, projects, room)
    ways_out = exits(instance, frame, tonnes, room)
    names: list[Markup] = []
    for node in sorted(frame.xy, key=lambda n: (-shown.get(n, 0.0), n)):
        point = frame.xy[node]
        if node in frame.far or not frame.inside(point) or (not nodes.at[node, "is_zone"] and node not in shown):
            continue
        label = cut(str(nodes.at[node, "name"]), 26)
        box = room.place_words(label, float(point[0]), float(point[1]), size=12, gaps=(6, 10, 15, 20, 27))
        if box is not None:
            names.append(haloed(label, box[0] + 2, box[3] - 4, 12))
    clip = tag("clipPath", tag("rect", width=frame.width, height=frame.height), id=f"{key}-clip")
    moved = float(tables["flows"].loc[tables["flows"]["year"] == year, "tonnes"].sum())
    return drawing(
        clip,
        tag(
            "g",
            tag("g", frame.base, network_layer(instance, frame), id=f"{key}-base"),
            flows,
            charging,
            *dots,
            clip_path=f"url(#{key}-clip)",
        ),
        *project_badges,
        *ways_out,
        *names,
        scale_bar(frame),
        width=frame.width,
        height=frame.height,
        key=key,
        title=f"Map of freight flows in {year}",
        desc=f"{kt(moved, 0)} a year drawn on road, rail, sea and ferry links; the wider the line, the more tonnes. "
        f"{len(projects)} projects are marked. The figures stand in the tables below.",
        css="map",
    )


def draw_small_map(
    instance: Instance, frame: Frame, tables: Tables, *, year: int, label: str, most_t: float, key: str, base: str
) -> Markup:
    """Draw a small map of a period on the ground of the big map (`base`), flows and charging only."""
    tonnes = link_tonnes(tables, year)
    return drawing(
        tag("clipPath", tag("rect", width=frame.width, height=frame.height), id=f"{key}-clip"),
        tag(
            "g",
            tag("use", href=f"#{base}-base"),
            flow_layer(instance, frame, tonnes, most_t=most_t, thicker=1.6),
            charging_layer(instance, frame, tables, year, None),
            clip_path=f"url(#{key}-clip)",
        ),
        width=frame.width,
        height=frame.height,
        key=key,
        title=f"Map of freight flows: {label}",
        desc="The same lines as the map above, without names.",
        css="map small",
    )


def draw_legend(most_t: float, *, key: str) -> Markup:
    """Draw the key of the map."""
    parts: list[Markup] = [words("Flows", 0, 14, size=13, weight="600")]
    for i, mode in enumerate(MODE_COLOURS):
        y = 36.0 + 22 * i
        parts.append(draw_line(np.array([[2.0, y - 4], [58.0, y - 4]]), mode, 6))
        parts.append(words(MODE_WORDS[mode], 70, y, size=12.5))
    size = 10 ** math.floor(math.log10(most_t)) if most_t > 0 else 1.0
    for i, amount in enumerate((size / 100, size / 10, size)):
        y = 36.0 + 22 * i
        thick = line_width_px(amount, most_t)
        parts.append(tag("line", x1=138, x2=170, y1=y - 4, y2=y - 4, stroke=MUTED, stroke_width=thick))
        parts.append(words(f"{short(amount / 1e3)} kt a year", 178, y, size=12.5))
    parts.append(tag("line", x1=138, x2=170, y1=98, y2=98, stroke=UNUSED, stroke_width=1.5))
    parts.append(words("not used", 178, 102, size=12.5))
    for i, mw in enumerate((1.0, 5.0)):
        x = 20.0 + 130 * i
        radius = charge_radius_px(mw)
        circle = tag("circle", cx=x, cy=136, r=radius, fill=CHARGE_FILL, fill_opacity=0.25, stroke=CHARGE_FILL)
        parts += [circle, words(f"Chargers {mw:.0f} MW", x + radius + 8, 140, size=12.5)]
    parts += [badge(11, 172, "1"), words("Project built, numbered as in the list", 30, 176, size=12.5)]
    return drawing(
        *parts, width=290, height=188, key=key, title="Key of the map", desc="Line styles and symbols.", css="legend"
    )
