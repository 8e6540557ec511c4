"""The map as closed SVG: flows by mode, today's network, charging areas, projects, and names that do not overlap."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from markupsafe import Markup

from nbb_opt.instance import Instance
from nbb_opt.report.charts.svg import INK, MODE_COLOURS, MUTED, drawing, path_data, tag, text_width, words
from nbb_opt.report.grid import amounts, each
from nbb_opt.report.kpis import charging_mw, drawn_tonnes
from nbb_opt.report.map.coast import Floats
from nbb_opt.report.map.frame import Frame, merge_ways
from nbb_opt.report.text import MODE_WORDS, cut, kt, plural, short, with_unit

Box = tuple[float, float, float, float]  # left, top, right, bottom
NAME_GAPS_PX = (6, 10, 15, 20, 27)
LEADER_FROM_PX = 14.0
CLEARANCE_PX = 3.0
SAME_PLACE_PX = 18.0  # a town and its port: either may be meant


@dataclass
class FreeSpace:
    """The room of a drawing that is already taken."""

    width: float
    height: float
    cells: dict[tuple[int, int], list[Box]] = field(default_factory=dict)  # boxes by the squares they touch
    dots: dict[tuple[int, int], list[tuple[float, float]]] = field(default_factory=dict)  # places by their square

    def free(self, box: Box) -> bool:
        """Say whether a box lies in the drawing and touches nothing."""
        left, top, right, bottom = box
        if left < 2 or top < 2 or right > self.width - 2 or bottom > self.height - 2:
            return False
        near = (b for cell in _cells(box) for b in self.cells.get(cell, ()))
        return not any(left < b[2] and right > b[0] and top < b[3] and bottom > b[1] for b in near)

    def take(self, box: Box) -> None:
        """Take the room of a box."""
        for cell in _cells(box):
            self.cells.setdefault(cell, []).append(box)

    def block(self, x: float, y: float, radius: float) -> None:
        """Take the room of a symbol."""
        self.take((x - radius, y - radius, x + radius, y + radius))

    def dot(self, x: float, y: float, radius: float) -> None:
        """Take the room of a place, so that no name beside it is another's."""
        self.block(x, y, radius)
        for cell in _cells((x, y, x, y)):
            self.dots.setdefault(cell, []).append((x, y))

    def beside_no_other(self, box: Box, x: float, y: float) -> bool:
        """Say whether no other place is as near to a box as the place (x, y) whose name it holds."""
        reach = _distance(box, x, y) + CLEARANCE_PX
        around = (box[0] - reach, box[1] - reach, box[2] + reach, box[3] + reach)
        near = (dot for cell in _cells(around) for dot in self.dots.get(cell, ()))
        return not any(math.dist(dot, (x, y)) > SAME_PLACE_PX and _distance(box, *dot) < reach for dot in near)

    def place(
        self, x: float, y: float, *, width: float, height: float, gaps: Iterable[float], own: bool = False
    ) -> Box | None:
        """Take room for a box beside a point, as near as can be; None if there is none.

        With `own` the box is a name: it lies nearer to its point than to the dot of any other place.
        """
        for gap in gaps:
            slant = gap * 0.75
            middle_x = max(min(x - width / 2, self.width - width - 3.0), 3.0)  # over or under, but in the drawing
            middle_y = y - height / 2
            for left, top in (
                (x + gap, middle_y),
                (x - gap - width, middle_y),
                (middle_x, y - gap - height),
                (middle_x, y + gap),
                (x + slant, y - slant - height),
                (x + slant, y + slant),
                (x - slant - width, y - slant - height),
                (x - slant - width, y + slant),
            ):
                box = (left, top, left + width, top + height)
                if self.free(box) and (not own or self.beside_no_other(box, x, y)):
                    self.take(box)
                    return box
        return None

    def place_words(
        self, content: str, x: float, y: float, *, size: float, gaps: Iterable[float], own: bool = False
    ) -> Box | None:
        """Take room for a line of text beside a point."""
        return self.place(x, y, width=text_width(content, size) + 4, height=size * 1.15, gaps=gaps, own=own)

    def name(self, content: str, at: Floats, *, size: float) -> Markup:
        """Write a place's name beside its dot, with a thin line to it where it is far; nothing if there is no room."""
        x, y = float(at[0]), float(at[1])
        box = self.place_words(content, x, y, size=size, gaps=NAME_GAPS_PX, own=True)
        if box is None:
            return Markup("")
        label = haloed(content, box[0] + 2, box[3] - 4, size)
        if (away := _distance(box, x, y)) < LEADER_FROM_PX:
            return label
        end_x, end_y = min(max(x, box[0]), box[2]), min(max(y, box[1]), box[3])
        part = 4.0 / away
        return label + tag(
            "line", x1=x + part * (end_x - x), y1=y + part * (end_y - y), x2=end_x, y2=end_y, stroke=INK,
            stroke_width=0.6,
        )  # fmt: skip


def _distance(box: Box, x: float, y: float) -> float:
    """How far a point lies from a box; 0 inside."""
    return math.hypot(max(box[0] - x, 0.0, x - box[2]), max(box[1] - y, 0.0, y - box[3]))


def _cells(box: Box, side: float = 40.0) -> Iterable[tuple[int, int]]:
    """The squares of a grid that a box touches."""
    left, top, right, bottom = (math.floor(edge / side) for edge in box)
    return ((column, row) for column in range(left, right + 1) for row in range(top, bottom + 1))


WIDEST_PX, NARROWEST_PX = 13.0, 1.1
CHARGE_FILL, UNUSED = "#00805e", "#c3c8cc"
MORE, LESS = "#1b7837", "#8a3fa0"  # green and purple stay apart for the colour-blind
LEAST_T = 500.0  # a difference is drawn from here on
Tables = Mapping[str, pd.DataFrame]


def line_width_px(tonnes: float, most_t: float) -> float:
    """Give the width of a flow line: it grows with the square root of the tonnes."""
    return max(NARROWEST_PX, WIDEST_PX * math.sqrt(tonnes / most_t)) if most_t > 0 else NARROWEST_PX


def flow_layer(
    instance: Instance, frame: Frame, tonnes: pd.Series, *, most_t: float, thicker: float = 1.0, signed: bool = False
) -> Markup:
    """Draw tonnes a year by link; links side by side where road and rail join the same places.

    With `signed` they are differences: more of any mode in one colour, less in another.
    """
    links = instance["links"].set_index("link").loc[tonnes.index]
    names = instance["nodes"].set_index("node")["name"]
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

    def drawn(points: Floats, mode: str, amount: float, where: str) -> Markup:
        more = f" {'more' if amount > 0 else 'less'}" if signed else ""
        return draw_line(
            points, mode, width_of(amount), colour=(MORE if amount > 0 else LESS) if signed else None,
            tooltip=f"{where}{MODE_WORDS[mode]}: {kt(abs(amount), 1)} a year{more}",
        )  # fmt: skip

    def width_of(amount: float) -> float:
        return line_width_px(abs(amount), most_t) * thicker

    parts: list[Markup] = []
    for mode in ("sea", "ferry"):
        part = shown.loc[shown["mode"] == mode, "tonnes"]
        for points, amount in merge_ways(frame, {str(link): float(t) for link, t in amounts(part)}):
            if abs(amount) >= LEAST_T or not signed:
                parts.append(drawn(points, mode, amount, ""))
    for (start, end), modes in sorted(beside.items()):
        a, b = frame.xy[start], frame.xy[end]
        across = np.array([a[1] - b[1], b[0] - a[0]])
        across = across / max(float(np.hypot(*across)), 1e-9)
        shift = -sum(map(width_of, modes.values())) / 2
        for mode, amount in sorted(modes.items()):
            width = width_of(amount)
            offset = across * (shift + width / 2) if len(modes) > 1 else 0.0
            parts.append(drawn(np.array([a, b]) + offset, mode, amount, f"{names[start]} – {names[end]}, "))
            shift += width
    return Markup("").join(parts)


def network_layer(instance: Instance, frame: Frame) -> Markup:
    """Draw today's roads and railways thin and grey."""
    links = instance["links"]
    today = links[links["mode"].isin(["road", "rail"]) & (links["project"] == "")]
    lines = {tuple(sorted((row.from_node, row.to_node))) for row in each(today)}
    data = "".join(path_data([tuple(frame.xy[a]), tuple(frame.xy[b])]) for a, b in sorted(lines))
    return tag("path", d=data, fill="none", stroke=UNUSED, stroke_width=1)


def charging_layer(instance: Instance, frame: Frame, tables: Tables, year: int, room: FreeSpace | None) -> Markup:
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


def draw_line(points: Floats, mode: str, width: float, *, colour: str | None = None, tooltip: str = "") -> Markup:
    data = path_data(map(tuple, points))
    unit = max(width, 2.0)
    dash = {"sea": f"{3 + 1.6 * unit:.1f} {2 + unit:.1f}", "ferry": f"0.1 {1.7 * unit:.1f}"}.get(mode)
    line = tag(
        "path", *([tag("title", tooltip)] if tooltip else []), d=data, fill="none",
        stroke=colour or MODE_COLOURS.get(mode, MUTED), stroke_width=width, stroke_dasharray=dash,
        stroke_linecap="round" if mode in ("road", "ferry") else None, stroke_linejoin="round", stroke_opacity=0.88,
    )  # fmt: skip
    if mode == "rail" and width >= 2.4:
        line += tag("path", d=data, fill="none", stroke="#ffffff", stroke_width=width * 0.4, stroke_dasharray="5 7")
    return line


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


def badges(instance: Instance, frame: Frame, projects: list[tuple[int, str]], room: FreeSpace) -> list[Markup]:
    lines, boxes = [], []
    for count, project in projects:
        at = place_of_project(instance, frame, project)
        if at is None or not frame.inside(at):
            continue
        box = room.place(float(at[0]), float(at[1]), width=20, height=20, gaps=range(7, 120, 5))
        if box is None:
            continue
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        lines.append(tag("line", x1=float(at[0]), y1=float(at[1]), x2=x, y2=y, stroke=PROJECT_FILL, stroke_width=1))
        boxes.append(badge(x, y, str(count)))
    return [*lines, *boxes]


def exits(instance: Instance, frame: Frame, tonnes: pd.Series, room: FreeSpace) -> list[Markup]:
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


def places_shown(instance: Instance, frame: Frame, shown: Mapping[str, float]) -> list[tuple[str, bool, Floats]]:
    """Zones and other nodes that carry something, inside the frame: (node, whether it is a zone, place)."""
    zones = dict(zip(instance["nodes"]["node"], instance["nodes"]["is_zone"].astype(bool), strict=True))
    inside = {node: at for node, at in frame.xy.items() if node not in frame.far and frame.inside(at)}
    return [(node, zones[node], at) for node, at in inside.items() if zones[node] or node in shown]


def dot_layer(instance: Instance, frame: Frame, shown: Mapping[str, float], room: FreeSpace) -> list[Markup]:
    """Draw a dot for each place."""
    dots = []
    for _, zone, at in places_shown(instance, frame, shown):
        x, y = float(at[0]), float(at[1])
        dots.append(tag("circle", cx=x, cy=y, r=3.2 if zone else 2, fill="#ffffff", stroke=INK, stroke_width=1.3))
        room.dot(x, y, 4)
    return dots


def name_layer(instance: Instance, frame: Frame, shown: Mapping[str, float], room: FreeSpace) -> list[Markup]:
    """Write the names of the places for which there is room, those with the most tonnes first."""
    called = instance["nodes"].set_index("node")["name"]
    by_tonnes = sorted(places_shown(instance, frame, shown), key=lambda place: (-shown.get(place[0], 0.0), place[0]))
    return [room.name(cut(str(called[node]), 26), at, size=12) for node, _, at in by_tonnes]


def clipped(frame: Frame, key: str, *layers: Markup) -> Markup:
    """Layers, cut at the edge of the drawing."""
    clip = tag("clipPath", tag("rect", width=frame.width, height=frame.height), id=f"{key}-clip")
    return clip + tag("g", *layers, clip_path=f"url(#{key}-clip)")


def ground_again(key: str) -> Markup:
    """The ground of the map `key` of the same page, with today's network."""
    return tag("use", href=f"#{key}-base")


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
    tonnes = drawn_tonnes(instance, tables, year)
    room = FreeSpace(frame.width, frame.height)
    flows = flow_layer(instance, frame, tonnes, most_t=most_t)
    charging = charging_layer(instance, frame, tables, year, room)
    shown = node_tonnes(instance, tonnes)
    dots = dot_layer(instance, frame, shown, room)
    names = name_layer(instance, frame, shown, room)
    project_badges = badges(
        instance, frame, projects, room
    )  # after the names: a badge may lie farther off, on its line
    ways_out = exits(instance, frame, tonnes, room)
    moved = float(tables["flows"].loc[tables["flows"]["year"] == year, "tonnes"].sum())
    ground = tag("g", frame.base, network_layer(instance, frame), id=f"{key}-base")
    return drawing(
        clipped(frame, key, ground, flows, charging, *dots),
        *project_badges,
        *ways_out,
        *names,
        scale_bar(frame),
        width=frame.width,
        height=frame.height,
        key=key,
        title=f"Map of freight flows in {year}",
        desc=f"{kt(moved, 0)} a year drawn on road, rail, sea and ferry links; the wider the line, the more tonnes. "
        f"{plural(len(projects), 'project is', 'projects are')} marked. The figures stand in the tables below.",
        css="map",
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
