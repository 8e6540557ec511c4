"""A map on which links and places are marked: each in a colour and a size, with a tooltip, and a key of the colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from nbb_opt.instance import Instance
from nbb_opt.report.charts.svg import drawing, path_data, tag, text_width, words
from nbb_opt.report.map.draw import FreeSpace, clipped, ground_again, haloed, network_layer, scale_bar
from nbb_opt.report.map.frame import make_frame
from nbb_opt.report.text import cut

WIDTH_PX = 800.0
NAME_PX = 12.5


@dataclass(frozen=True)
class Mark:
    """A colour, a width of a line or radius of a dot in px, a tooltip, and whether the place's name is written."""

    colour: str
    px: float
    tooltip: str = ""
    named: bool = False


def draw_marked(
    instance: Instance, *, links: Mapping[str, Mark] | None = None, nodes: Mapping[str, Mark] | None = None,
    legend: Sequence[tuple[str, str]] = (), key: str, title: str, desc: str, base: str = "",
    width: float = WIDTH_PX,
) -> Markup:  # fmt: skip
    """Draw marked links (in their order, the last on top) and nodes; `legend` are colours and what they mean.

    Names are written where there is room, those of marks that come first before others. On a page with another map of
    the instance, `base` is the key of that map, whose ground is used again.
    """
    lines, dots = dict(links or {}), dict(nodes or {})
    frame = make_frame(instance, set(lines), width=width)
    known, of_link = instance["nodes"].set_index("node")["name"], instance["links"].set_index("link")
    room, drawn = FreeSpace(frame.width, frame.height), []
    wide = max((text_width(word, NAME_PX) for _, word in legend), default=0) + 50
    room.take((0.0, 0.0, wide, 22.0 * len(legend) + 16))
    for link, mark in lines.items():
        row = of_link.loc[link]
        a, b = (frame.xy[str(row[end])] for end in ("from_node", "to_node"))
        drawn.append(tag(
            "path", tag("title", mark.tooltip), d=path_data([(float(a[0]), float(a[1])), (float(b[0]), float(b[1]))]),
            fill="none", stroke=mark.colour, stroke_width=mark.px, stroke_linecap="round", stroke_opacity=0.85,
            stroke_dasharray="7 5" if row["mode"] in ("sea", "ferry") else None,
        ))  # fmt: skip
    shown = {node: mark for node, mark in dots.items() if node not in frame.far and frame.inside(frame.xy[node])}
    for node, mark in reversed(shown.items()):
        x, y = (float(part) for part in frame.xy[node])
        drawn.append(tag("circle", tag("title", mark.tooltip), cx=x, cy=y, r=mark.px, fill=mark.colour,
                         stroke="#ffffff", stroke_width=1.2))  # fmt: skip
        room.dot(x, y, mark.px)
    named = [node for node, mark in shown.items() if mark.named]
    for link, mark in reversed(lines.items()):
        ends = [str(of_link.at[link, end]) for end in ("from_node", "to_node")]
        named += [node for node in ends if mark.named and node not in frame.far and frame.inside(frame.xy[node])]
    names = [room.name(cut(str(known[node]), 26), frame.xy[node], size=NAME_PX) for node in dict.fromkeys(named)]
    meant = [
        tag("line", x1=14, x2=34, y1=20.0 + 22 * i, y2=20.0 + 22 * i, stroke=colour, stroke_width=7)
        + haloed(word, 42, 24.0 + 22 * i, NAME_PX)
        for i, (colour, word) in enumerate(legend)
    ]
    far = [words(f"outside the map: {', '.join(sorted(str(known[node]) for node in dots if node in frame.far))}",
                 12, frame.height - 10, size=11)] if frame.far & set(dots) else []  # fmt: skip
    return drawing(
        clipped(frame, key, ground_again(base) if base else frame.base + network_layer(instance, frame), *drawn),
        *names, *meant, *far, scale_bar(frame), width=frame.width, height=frame.height, key=key, title=title,
        desc=desc, css="map",
    )  # fmt: skip
