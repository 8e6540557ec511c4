"""The layers of the map: flows, today's network, charging areas; and the places of what has no place of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from markupsafe import Markup

from nbb_opt.instance import Instance
from nbb_opt.report.charts.svg import MODE_COLOURS, MUTED, path_data, tag
from nbb_opt.report.kpis import charging_mw
from nbb_opt.report.map.frame import Frame, merge_ways
from nbb_opt.report.map.labels import Room
from nbb_opt.report.map.outlines import Floats
from nbb_opt.report.rows import amounts, each
from nbb_opt.report.text import with_unit

WIDEST_PX, NARROWEST_PX = 13.0, 1.1
CHARGE_FILL, UNUSED = "#00805e", "#c3c8cc"
Tables = Mapping[str, pd.DataFrame]


def line_width_px(tonnes: float, most_t: float) -> float:
    """Give the width of a flow line: it grows with the square root of the tonnes."""
    return max(NARROWEST_PX, WIDEST_PX * math.sqrt(tonnes / most_t)) if most_t > 0 else NARROWEST_PX


def flow_layer(instance: Instance, frame: Frame, tonnes: pd.Series, *, most_t: float, thicker: float = 1.0) -> Markup:
    """Draw the flows of a period; links side by side where road and rail join the same places."""
    links = instance["links"].set_index("link").loc[tonnes.index]
    shown = pd.DataFrame(
        {
            "a": links[["from_node", "to_node"]].min(axis=1),
            "b": links[["from_node", "to_node"]].max(axis=1),
            "mode": links["mode"],
            "tonnes": tonnes,
        }
    )
    beside: dict[tuple[str, str], dict[str, float]] = {}
    for row in each(shown[shown["mode"].isin(["road", "rail"])]):
        here = beside.setdefault((row.a, row.b), {})
        here[row.mode] = here.get(row.mode, 0.0) + row.tonnes
    parts: list[Markup] = []
    for mode in ("sea", "ferry"):
        part = shown.loc[shown["mode"] == mode, "tonnes"]
        for points, amount in merge_ways(frame, {str(link): float(t) for link, t in amounts(part)}):
            parts.append(draw_line(points, mode, line_width_px(amount, most_t) * thicker))
    for (start, end), modes in sorted(beside.items()):
        widths = {mode: line_width_px(amount, most_t) * thicker for mode, amount in sorted(modes.items())}
        a, b = frame.xy[start], frame.xy[end]
        across = np.array([a[1] - b[1], b[0] - a[0]])
        across = across / max(float(np.hypot(*across)), 1e-9)
        shift = -sum(widths.values()) / 2
        for mode, width in widths.items():
            offset = across * (shift + width / 2) if len(widths) > 1 else 0.0
            parts.append(draw_line(np.array([a, b]) + offset, mode, width))
            shift += width
    return Markup("").join(parts)


def network_layer(instance: Instance, frame: Frame) -> Markup:
    """Draw today's roads and railways thin and grey."""
    links = instance["links"]
    today = links[links["mode"].isin(["road", "rail"]) & (links["project"] == "")]
    lines = {tuple(sorted((row.from_node, row.to_node))) for row in each(today)}
    data = "".join(path_data([tuple(frame.xy[a]), tuple(frame.xy[b])]) for a, b in sorted(lines))
    return tag("path", d=data, fill="none", stroke=UNUSED, stroke_width=1)


def charging_layer(instance: Instance, frame: Frame, tables: Tables, year: int, room: Room | None) -> Markup:
    """Draw charging areas as circles whose area grows with the MW installed."""
    parts = []
    for area, mw in amounts(charging_mw(instance, tables, year)):
        at = place_of_area(instance, frame, str(area))
        if at is None or mw <= 0:
            continue
        radius = charge_radius_px(float(mw))
        parts.append(
            tag(
                "circle",
                tag("title", f"{area}: {with_unit(float(mw), 'MW')} of chargers"),
                cx=float(at[0]),
                cy=float(at[1]),
                r=radius,
                fill=CHARGE_FILL,
                fill_opacity=0.25,
                stroke=CHARGE_FILL,
                stroke_width=1.6,
            )
        )
        if room is not None:
            room.block(float(at[0]), float(at[1]), min(radius, 18.0))
    return Markup("").join(parts)


def charge_radius_px(mw: float) -> float:
    """Give the radius of a charging area's circle."""
    return 3 + 4.2 * math.sqrt(mw)


def place_of_project(instance: Instance, frame: Frame, project: str) -> Floats | None:
    """Give where a project is drawn: its node, else the middle of its link, else the place of the row it changes."""
    row = instance["projects"].set_index("project").loc[project]
    if row["node"]:
        return frame.xy[str(row["node"])]
    links = instance["links"].set_index("link")
    effects = instance["project_effects"]
    effects = effects[effects["project"] == project]
    names = [*links.index[links["project"] == project], *effects.loc[effects["table"] == "links", "row"]]
    if names:
        middle = links.loc[names[len(names) // 2]]
        return (frame.xy[str(middle["from_node"])] + frame.xy[str(middle["to_node"])]) / 2
    terminals = instance["terminals"].set_index("terminal")["node"]
    for effect in each(effects):
        if effect.table == "terminals":
            return frame.xy[str(terminals[effect.row])]
        return place_of_area(instance, frame, str(effect.row))
    transfers = instance["transfers"]
    at = transfers.loc[transfers["project"] == project, "node"]
    return frame.xy[str(at.iloc[0])] if len(at) else None


def place_of_area(instance: Instance, frame: Frame, area: str) -> Floats | None:
    nodes = instance["nodes"]
    here = nodes.loc[nodes["charge_area"] == area, "node"]
    if len(here):
        return frame.xy[str(here.iloc[0])]
    regions = instance["fleet_regions"]
    hub = regions.loc[regions["charge_area"] == area, "hub_node"]
    return frame.xy[str(hub.iloc[0])] if len(hub) else None


def draw_line(points: Floats, mode: str, width: float) -> Markup:
    data = path_data(map(tuple, points))
    colour = MODE_COLOURS.get(mode, MUTED)
    unit = max(width, 2.0)
    dash = {"sea": f"{3 + 1.6 * unit:.1f} {2 + unit:.1f}", "ferry": f"0.1 {1.7 * unit:.1f}"}.get(mode)
    cap = "round" if mode in ("road", "ferry") else None
    line = tag(
        "path", d=data, fill="none", stroke=colour, stroke_width=width, stroke_dasharray=dash, stroke_linecap=cap,
        stroke_linejoin="round", stroke_opacity=0.88,
    )  # fmt: skip
    if mode == "rail" and width >= 2.4:
        line += tag("path", d=data, fill="none", stroke="#ffffff", stroke_width=width * 0.4, stroke_dasharray="5 7")
    return line
