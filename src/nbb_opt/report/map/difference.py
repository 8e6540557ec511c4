"""Maps of what two plans carry differently: more on a link in one colour, less in another."""

from __future__ import annotations

import pandas as pd
from markupsafe import Markup

from nbb_opt.instance import Instance
from nbb_opt.report.charts.svg import drawing, tag, words
from nbb_opt.report.kpis import Tables, link_tonnes
from nbb_opt.report.map.draw import (
    LEAST_T,
    LESS,
    MORE,
    FreeSpace,
    clipped,
    dot_layer,
    flow_layer,
    ground_again,
    name_layer,
    network_layer,
    node_tonnes,
    scale_bar,
)
from nbb_opt.report.map.frame import Frame, make_frame
from nbb_opt.report.text import kt

WIDTH_PX = 800.0
LEGEND_PX = (132.0, 56.0)


def link_difference(before: Tables, after: Tables, year: int, year_before: int | None = None) -> pd.Series:
    """Tonnes a year that `after` carries more than `before` (in `year_before`, if that is another year), by link."""
    change = link_tonnes(after, year).sub(link_tonnes(before, year_before or year), fill_value=0.0)
    return change[change.abs() >= LEAST_T].sort_values(key=abs, ascending=False)


def draw_difference(
    instance: Instance, change: pd.Series, *, year: int, key: str, frame: Frame | None = None, base: str = ""
) -> Markup:
    """Draw tonnes a year by link, more and less; the wider the line, the greater the difference.

    On a page with another map of the same `frame`, `base` is the key of that map, whose ground is used again.
    """
    frame = frame or make_frame(instance, {str(link) for link in change.index}, width=WIDTH_PX)
    most_t = float(change.abs().max()) if len(change) else 0.0
    room = FreeSpace(frame.width, frame.height)
    room.take((0.0, 0.0, *LEGEND_PX))
    shown = node_tonnes(instance, change.abs())
    dots = dot_layer(instance, frame, shown, room)
    legend = tag("rect", width=LEGEND_PX[0], height=LEGEND_PX[1], fill="#ffffff", fill_opacity=0.85)
    for y, colour, word in ((18.0, MORE, "carries more"), (40.0, LESS, "carries less")):
        legend += tag("line", x1=10, x2=40, y1=y, y2=y, stroke=colour, stroke_width=6)
        legend += words(word, 48, y + 4, size=12)
    ground = ground_again(base) if base else frame.base + network_layer(instance, frame)
    lines = flow_layer(instance, frame, change, most_t=most_t, signed=True)
    return drawing(
        clipped(frame, key, ground, lines, *dots), legend, *name_layer(instance, frame, shown, room), scale_bar(frame),
        width=frame.width, height=frame.height, key=key, title=f"Map of the difference in {year}", css="map",
        desc=f"{len(change)} links carry more or less; the greatest difference is {kt(most_t, 0)} a year.",
    )  # fmt: skip


def draw_small_difference(
    instance: Instance, frame: Frame, change: pd.Series, *, label: str, most_t: float, key: str, base: str
) -> Markup:
    """Draw a difference small, lines only, on the ground of the map `base`; `most_t` is the greatest of all."""
    lines = flow_layer(instance, frame, change, most_t=most_t, thicker=1.6, signed=True)
    return drawing(
        clipped(frame, key, ground_again(base), lines), width=frame.width, height=frame.height, key=key,
        title=f"Map of the difference: {label}", desc="Lines as on the large map, without names.", css="map small",
    )  # fmt: skip
