"""A map of what two plans carry differently: more on a link in one colour, less in another."""

from __future__ import annotations

import pandas as pd
from markupsafe import Markup

from nbb_opt.instance import Instance
from nbb_opt.report.charts.svg import drawing, path_data, tag, words
from nbb_opt.report.grid import amounts
from nbb_opt.report.kpis import Tables, link_tonnes
from nbb_opt.report.map.draw import haloed, line_width_px, network_layer, scale_bar
from nbb_opt.report.map.frame import make_frame
from nbb_opt.report.text import cut, kt

MORE, LESS = "#00805e", "#c1440e"
LEAST_T = 500.0  # drawn from here on
WIDTH_PX = 800.0


def link_difference(before: Tables, after: Tables, year: int) -> pd.Series:
    """Tonnes a year that `after` carries more than `before`, by link; links of project links too."""
    change = link_tonnes(after, year).sub(link_tonnes(before, year), fill_value=0.0)
    return change[change.abs() >= LEAST_T].sort_values(key=abs, ascending=False)


def draw_difference(instance: Instance, change: pd.Series, *, year: int, key: str) -> Markup:
    """Draw tonnes a year by link, more and less; the wider the line, the greater the difference."""
    links = instance["links"].set_index("link")
    frame = make_frame(instance, {str(link) for link in change.index}, width=WIDTH_PX)
    most_t = float(change.abs().max()) if len(change) else 0.0
    lines, places = [], dict.fromkeys(links.loc[change.index, ["from_node", "to_node"]].to_numpy().ravel().tolist())
    for link, tonnes in amounts(change[::-1]):  # the greatest on top
        row = links.loc[link]
        points = [(float(x), float(y)) for x, y in (frame.xy[row["from_node"]], frame.xy[row["to_node"]])]
        tooltip = f"{link}: {kt(abs(tonnes), 1)} a year {'more' if tonnes > 0 else 'less'}"
        lines.append(tag(
            "path", tag("title", tooltip), d=path_data(points), fill="none", stroke=MORE if tonnes > 0 else LESS,
            stroke_width=line_width_px(abs(tonnes), most_t), stroke_linecap="round", stroke_opacity=0.85,
            stroke_dasharray="7 5" if row["mode"] in ("sea", "ferry") else None,
        ))  # fmt: skip
    nodes = instance["nodes"].set_index("node")
    names = [
        haloed(cut(str(nodes.at[node, "name"]), 26), float(frame.xy[node][0]) + 6, float(frame.xy[node][1]) - 4, 11)
        for node in places
        if frame.inside(frame.xy[node]) and nodes.at[node, "is_zone"]
    ]
    legend = [
        tag("line", x1=14, x2=50, y1=y, y2=y, stroke=colour, stroke_width=6) + words(word, 58, y + 4, size=12.5)
        for y, colour, word in ((20.0, MORE, "carries more"), (42.0, LESS, "carries less"))
    ]
    return drawing(
        tag("clipPath", tag("rect", width=frame.width, height=frame.height), id=f"{key}-clip"),
        tag("g", frame.base, network_layer(instance, frame), *lines, clip_path=f"url(#{key}-clip)"),
        *names, *legend, scale_bar(frame), width=frame.width, height=frame.height, key=key,
        title=f"Map of the difference in {year}", css="map",
        desc=f"{len(change)} links carry more or less; the greatest difference is {kt(most_t, 0)} a year.",
    )  # fmt: skip
