"""Charts as closed SVG: stacked bars, waterfalls, ends of ranges, limits, and a heat map."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from markupsafe import Markup

from nbb_opt.report.charts.svg import (
    INK,
    MUTED,
    PALETTE,
    RULE,
    axis,
    drawing,
    path_data,
    tag,
    text_width,
    tick_words,
    ticks,
    words,
)
from nbb_opt.report.text import cut, number, short, with_unit

WIDTH = 560.0
DASH_CAP = "7 4"
LONGEST = 38  # letters of a name beside a bar
SMALL = 10.5  # px of what stands under a bar


@dataclass(frozen=True)
class Series:
    """One layer of a stack: key in the data, name, colour."""

    key: str
    name: str
    colour: str


@dataclass(frozen=True)
class Bar:
    """One stacked bar: the group it stands in (a year), its own label (Plan) and a value per series."""

    group: str
    label: str
    values: Mapping[str, float]
    pale: bool = False


def stacked_bars(
    bars: Sequence[Bar],
    series: Sequence[Series],
    *,
    unit: str,
    key: str,
    title: str,
    caps: Mapping[str, float] | None = None,
    shares: bool = False,
    whole: bool = False,
) -> Markup:
    """Draw stacked bars in groups; `caps` draws a dashed line over a group; `shares` writes % into the layers,
    `whole` is for things that are counted.
    """
    used = [s for s in series if any(bar.values.get(s.key, 0.0) for bar in bars)]
    groups = list(dict.fromkeys(bar.group for bar in bars))
    tops = [sum(max(v, 0.0) for v in bar.values.values()) for bar in bars] + list((caps or {}).values())
    lows = [sum(min(v, 0.0) for v in bar.values.values()) for bar in bars]
    grid = ticks(min([*lows, 0.0]), max([*tops, 4.0 if whole else 0.0]) * 1.02)
    write = number if whole else short
    left = max(text_width(v, 11) for v in tick_words(grid)) + 20
    rows = _legend_rows(used, WIDTH - 8)
    head = 26.0 + 20 * len(rows)
    room = (WIDTH - left - 10) / max(len(groups), 1)
    gap, widest = 6.0, max((sum(bar.group == group for bar in bars) for group in groups), default=1)
    wide = min(74.0, (room - 18 - gap * (widest - 1)) / widest)
    labels = max((text_width(bar.label, SMALL) for bar in bars), default=0.0)
    upright = labels > wide + gap - 2  # labels that would touch are turned
    under = labels - 4 if upright else 6.0
    plot, foot = 220.0, 38.0 + under + (16.0 if caps else 0.0)
    slope = -plot / (grid[-1] - grid[0])
    zero = head + plot - slope * grid[0]
    totals = max((text_width(write(sum(bar.values.values())), 11, bold=True) for bar in bars), default=1.0)
    figure = min(11.0, 11.0 * (wide + gap - 1) / totals)
    parts = axis(grid, left=left, right=WIDTH - 4, scale=(zero, slope), unit=unit)
    parts += _legend(rows)
    for g, group in enumerate(groups):
        here = [bar for bar in bars if bar.group == group]
        start = left + 6 + room * g + (room - wide * len(here) - gap * (len(here) - 1)) / 2
        line = zero + slope * caps[group] if caps and group in caps else None
        for b, bar in enumerate(here):
            x = start + b * (wide + gap)
            parts += _one_bar(bar, used, _Stack(
                x=x, wide=wide, zero=zero, slope=slope, shares=shares, write=write, line=line, figure=figure
            ))  # fmt: skip
            parts.append(_under(bar.label, x + wide / 2, head + plot, upright=upright))
        middle = left + 6 + room * (g + 0.5)
        parts.append(words(group, middle, head + plot + 29 + under, size=12.5, anchor="middle", weight="600"))
        if caps and line is not None:
            x1, x2 = left + 6 + room * g + 4, left + 6 + room * (g + 1) - 4
            parts.append(
                tag("line", x1=x1, x2=x2, y1=line, y2=line, stroke=INK, stroke_width=2, stroke_dasharray=DASH_CAP)
            )
            cap = words(f"cap {write(caps[group])}", middle, head + plot + 46 + under, size=11, anchor="middle")
            parts.append(cap)
    said = "; ".join(f"{bar.group} {bar.label}: {with_unit(sum(bar.values.values()), unit)}" for bar in bars)
    return drawing(
        *parts, width=WIDTH, height=head + plot + foot, key=key, title=title, desc=f"Stacked bars. Totals: {said}."
    )


def _under(label: str, x: float, y: float, *, upright: bool) -> Markup:
    """The label of a bar below the plot that ends at `y`: centred, or turned where it has no room."""
    if not upright:
        return words(label, x, y + 16, size=SMALL, anchor="middle", fill=MUTED)
    written = words(label, x, y + 6, size=SMALL, anchor="end", fill=MUTED)
    return tag("g", written, transform=f"rotate(-90 {x:.1f} {y + 6:.1f}) translate(0 4)")


@dataclass(frozen=True, kw_only=True)
class _Stack:
    """Where a stack stands: left edge, width, y of zero, px per unit (negative), how its layers are labelled, the size
    of its total, and the y of a line that goes over it.
    """

    x: float
    wide: float
    zero: float
    slope: float
    shares: bool
    write: Callable[[float], str]
    figure: float
    line: float | None = None


def _one_bar(bar: Bar, used: Sequence[Series], at: _Stack) -> list[Markup]:
    x, wide, zero, write = at.x, at.wide, at.zero, at.write
    parts = []
    up = down = zero
    total = sum(bar.values.values())
    for layer in used:
        value = bar.values.get(layer.key, 0.0)
        tall = abs(value * at.slope)
        if tall == 0:
            continue
        y = up - tall if value > 0 else down
        up, down = (up - tall, down) if value > 0 else (up, down + tall)
        name = tag("title", f"{bar.group} {bar.label}, {layer.name}: {write(value)}")
        parts.append(
            tag(
                "rect", name, x=x, y=y, width=wide, height=tall, fill=_pale(layer.colour) if bar.pale else layer.colour,
                stroke="#ffffff", stroke_width=0.8,
            )
        )  # fmt: skip
        label = f"{value / total * 100:.0f} %" if at.shares and total > 0 else write(value)
        top, room = _room_beside(at.line, y, tall)
        if room >= 15 and text_width(label, 10.5) <= wide - 4:
            fill = INK if bar.pale or _is_light(layer.colour) else "#ffffff"
            parts.append(words(label, x + wide / 2, top + room / 2 + 4, size=10.5, anchor="middle", fill=fill))
    foot = up - 5
    if at.line is not None and foot - 11 < at.line < foot + 3:  # no line goes through the figure
        foot = at.line - 4
    parts.append(words(write(total), x + wide / 2, foot, size=at.figure, anchor="middle", weight="600"))
    return parts


def _room_beside(line: float | None, y: float, tall: float) -> tuple[float, float]:
    """Where a layer has room for its figure, top and height: all of it, or the larger side of a line through it.

    >>> _room_beside(None, 10.0, 40.0), _room_beside(20.0, 10.0, 40.0), _room_beside(90.0, 10.0, 40.0)
    ((10.0, 40.0), (22.0, 28.0), (10.0, 40.0))
    """
    if line is None or not y < line < y + tall:
        return y, tall
    above, below = line - y - 2, y + tall - line - 2
    return (y, above) if above >= below else (line + 2, below)


def waterfall(rows: Sequence[tuple[str, float]], *, unit: str, key: str, title: str, note: str) -> Markup:
    """Draw a step per row to the left (less) or right (more), each from where the last one ended, and their sum from
    zero as the bar "Total"; `note` stands below.
    """
    steps = [row for row in rows if row[0] != "Total"]
    ends = list(accumulate((value for _, value in steps), initial=0.0))
    low, high = min(ends), max(ends)
    names = max([text_width(name, 12, bold=True) for name, _ in rows] + [60.0]) + 14
    reserve = 62.0
    across = (WIDTH - names - 2 * reserve) / ((high - low) or 1.0)
    drawn = [(name, start, start + value) for (name, value), start in zip(steps, ends, strict=False)]
    drawn += [("Total", 0.0, ends[-1])] if len(steps) < len(rows) else []

    def at(value: float) -> float:
        return names + reserve + (value - low) * across

    parts: list[Markup] = []
    for i, (name, start, end) in enumerate(drawn):
        y, total, less = 12.0 + 25 * i, name == "Total", end < start
        if total:
            parts.append(tag("line", x1=0, x2=WIDTH, y1=y - 3, y2=y - 3, stroke=MUTED))
        parts.append(words(name, names - 10, y + 14, size=12, anchor="end", weight="600" if total else ""))
        if i + 1 < len(drawn):
            parts.append(tag("line", x1=at(end), x2=at(end), y1=y + 2, y2=y + 43, stroke=MUTED, stroke_width=0.8))
        colour = INK if total else "#0b3c5d" if less else "#d55e00"
        parts.append(
            tag("rect", x=at(min(start, end)), y=y + 2, width=abs(end - start) * across, height=16, fill=colour)
        )
        value = short(end - start, sign=True)
        beyond, anchor = (at(end) - 5, "end") if less else (at(end) + 5, "start")
        wide = text_width(value, 11.5, bold=True)
        if not less and beyond - 3 < at(0.0) < beyond + wide + 3:  # no line goes through the figure
            beyond = at(0.0) + 5
        elif less and beyond - wide - 3 < at(0.0) < beyond + 3:
            beyond = at(0.0) - 5
        parts.append(words(value, beyond, y + 14, size=11.5, anchor=anchor, weight="600"))
    bottom = 16.0 + 25 * len(drawn)
    parts.append(tag("line", x1=at(0.0), x2=at(0.0), y1=8, y2=bottom, stroke=MUTED, stroke_width=1))
    parts.append(words(f"{unit}; {note}", WIDTH - 4, bottom + 16, size=11, anchor="end", fill=MUTED))
    said = "; ".join(f"{name} {with_unit(value, unit, sign=True)}" for name, value in rows)
    return drawing(*parts, width=WIDTH, height=bottom + 22, key=key, title=title, desc=f"Steps: {said}.")


def tornado_bars(rows: Sequence[tuple[str, Mapping[str, float]]], *, unit: str, key: str, title: str) -> Markup:
    """Draw for each row its low and its high end from a common zero line: (name, {"low": value, "high": value})."""
    values = [0.0, *(value for _, ends in rows for value in ends.values())]
    low, high = min(values), max(values)
    names = max(text_width(name, 12) for name, _ in rows) + 14
    reserve = 62.0
    room = WIDTH - names - 2 * reserve - 6
    zero = names + reserve + room * (-low / ((high - low) or 1.0))
    colours = {"low": "#0b3c5d", "high": "#d55e00"}
    parts: list[Markup] = []
    for i, (name, ends) in enumerate(rows):
        y = 12.0 + 25 * i
        parts.append(words(name, names - 10, y + 14, size=12, anchor="end"))
        for end, value in sorted(ends.items(), key=lambda item: -abs(item[1])):
            size = abs(value) / ((high - low) or 1.0) * room
            tooltip = tag("title", f"{name}, {end} end: {with_unit(value, unit, sign=True)}")
            left = zero - size if value < 0 else zero
            parts.append(tag("rect", tooltip, x=left, y=y + 2, width=size, height=16, fill=colours[end]))
        for value in {min(ends.values()), max(ends.values())}:
            beyond = zero + value / ((high - low) or 1.0) * room + (-5 if value < 0 else 5)
            anchor = "end" if value < 0 else "start"
            parts.append(words(short(value, sign=True), beyond, y + 14, size=11, anchor=anchor, weight="600"))
    bottom = 16.0 + 25 * len(rows)
    parts.append(tag("line", x1=zero, x2=zero, y1=8, y2=bottom, stroke=MUTED, stroke_width=1))
    note = f"{unit}; blue: low end of the range, orange: high end"
    parts.append(words(note, WIDTH - 4, bottom + 16, size=11, anchor="end", fill=MUTED))
    said = "; ".join(f"{name} {min(e.values()):+.3g} to {max(e.values()):+.3g} {unit}" for name, e in rows)
    return drawing(*parts, width=WIDTH, height=bottom + 22, key=key, title=title, desc=f"Bars: {said}.")


def stacked_rows(
    rows: Sequence[tuple[str, Mapping[str, float]]], series: Sequence[Series], *, unit: str, key: str, title: str
) -> Markup:
    """Draw a horizontal stack for each (name, value per series), its sum beside it; what is below zero goes left."""
    used = [layer for layer in series if any(values.get(layer.key, 0.0) for _, values in rows)]
    legend = _legend_rows(used, WIDTH - 8) if len(used) > 1 else []
    low = min([0.0, *(sum(min(v, 0.0) for v in values.values()) for _, values in rows)])
    high = max([1e-9, *(sum(max(v, 0.0) for v in values.values()) for _, values in rows)])
    names = max(text_width(cut(name, LONGEST), 12) for name, _ in rows) + 14
    reserve, head = 62.0, 8.0 + 20 * len(legend)
    scale = (WIDTH - names - reserve * (2 if low < 0 else 1)) / (high - low)
    zero = names + (reserve if low < 0 else 0.0) - low * scale
    parts = _legend(legend)
    for i, (name, values) in enumerate(rows):
        y, left, right = head + 25 * i, zero, zero
        parts.append(words(cut(name, LONGEST), names - 10, y + 14, size=12, anchor="end"))
        for layer in used:
            value = values.get(layer.key, 0.0)
            wide = abs(value) * scale
            left, right, x = (left - wide, right, left - wide) if value < 0 else (left, right + wide, right)
            tooltip = tag("title", f"{name}: {layer.name} {with_unit(value, unit)}")
            parts.append(tag("rect", tooltip, x=x, y=y + 2, width=wide, height=16, fill=layer.colour))
        beyond, anchor = (right + 5, "start") if right > zero or left == zero else (left - 5, "end")
        parts.append(words(short(sum(values.values())), beyond, y + 14, size=11, anchor=anchor, weight="600"))
    bottom = head + 4 + 25 * len(rows)
    parts.append(tag("line", x1=zero, x2=zero, y1=head, y2=bottom, stroke=MUTED, stroke_width=1))
    parts.append(words(unit, WIDTH - 4, bottom + 14, size=11, anchor="end", fill=MUTED))
    told = "; ".join(f"{name}: {with_unit(sum(values.values()), unit)}" for name, values in rows)
    return drawing(*parts, width=WIDTH, height=bottom + 20, key=key, title=title, desc=f"Bars. Totals: {told}.")


CHOSEN = "#d55e00"  # a point apart from the line


def line_chart(
    points: Sequence[tuple[float, float]], *, across: str, up: str, key: str,
    chosen: tuple[str, float, float] | None = None, name: str = "",
    others: Mapping[str, Sequence[tuple[float, float]]] | None = None,
) -> Markup:  # fmt: skip
    """Draw a line through points (x, y) in the order of x, each with its figures as a tooltip; `chosen` is a point of
    its own (name, x, y). `others` are more lines by name, the first line is then `name`; `across` "year" makes x years.
    """
    lines = {name: sorted(points), **{other: sorted(pairs) for other, pairs in (others or {}).items()}}
    series = [Series(line, line, PALETTE[i % len(PALETTE)]) for i, line in enumerate(lines)]
    legend = _legend_rows(series, WIDTH) if others else []
    plot, head, foot = 260.0, 34.0 + 20 * len(legend), 46.0
    shown = [*(pair for pairs in lines.values() for pair in pairs), *([chosen[1:]] if chosen else [])]
    xs, ys = (ticks(min(values), max(values)) for values in zip(*shown, strict=True))
    left = max(text_width(text, 11) for text in tick_words(ys)) + 20
    slope = -plot / (ys[-1] - ys[0])
    zero = head + plot - slope * ys[0]
    wide = (WIDTH - left - 8 - _half(xs)) / (xs[-1] - xs[0])

    def at(x: float, y: float) -> tuple[float, float]:
        return left + 8 + (x - xs[0]) * wide, zero + slope * y

    parts = [*_legend(legend), *axis(ys, left=left, right=WIDTH - 4, scale=(zero, slope), unit=up)]
    for value, text in zip(xs, [f"{x:g}" for x in xs] if across == "year" else tick_words(xs), strict=True):
        parts.append(words(text, at(value, 0)[0], head + plot + 18, size=11, anchor="middle", fill=MUTED))
    parts.append(words(across, WIDTH - 4, head + plot + 38, size=11, anchor="end", fill=MUTED))
    for each, pairs in zip(series, lines.values(), strict=True):
        line = path_data(at(*pair) for pair in pairs)
        parts.append(tag("path", d=line, fill="none", stroke=each.colour, stroke_width=2))
        for x, y in pairs:
            cx, cy = at(x, y)
            place = f"{each.name} {x:g}".strip() if across == "year" else f"{number(x, 3)} {across}"
            tooltip = tag("title", f"{place}: {number(y, 3)} {up}")
            parts.append(tag("circle", tooltip, cx=cx, cy=cy, r=3.5, fill=each.colour, stroke=INK, stroke_width=0.5))
    if chosen:
        point, x, y = chosen
        cx, cy = at(x, y)
        tooltip = tag("title", f"{point}: {number(x, 3)} {across}: {number(y, 3)} {up}")
        parts.append(tag("circle", tooltip, cx=cx, cy=cy, r=6, fill=CHOSEN, stroke=INK, stroke_width=1))
        room = cx + 12 + text_width(point, 12, bold=True) < WIDTH
        side = {"anchor": "start"} if room else {"anchor": "end"}
        parts.append(words(point, cx + (10 if room else -10), cy + 4, size=12, weight="600", **side))
    desc = "; ".join(
        f"{line}{': ' if line else ''}{len(pairs)} points; {up} from {number(pairs[0][1], 3)} to "
        f"{number(pairs[-1][1], 3)}" for line, pairs in lines.items()
    )  # fmt: skip
    height = head + plot + foot
    return drawing(*parts, width=WIDTH, height=height, key=key, title=f"{up} by {across}", desc=desc)


def _half(xs: list[float]) -> float:
    """Room that the last figure under an axis needs to the right of its place, px."""
    return max(16.0, text_width(tick_words(xs)[-1], 11) / 2 + 2)


def cost_curve(rows: Sequence[tuple[str, float, float]], *, across: str, up: str, key: str) -> Markup:
    """Draw a block for each (name, width, height) side by side, the name of the wide ones on them."""
    plot, head, foot = 260.0, 34.0, 46.0
    xs = ticks(0.0, sum(width for _, width, _ in rows) or 1.0)
    ys = ticks(min([0.0, *(height for *_, height in rows)]), max([0.0, *(height for *_, height in rows)]))
    left = max(text_width(text, 11) for text in tick_words(ys)) + 20
    slope = -plot / (ys[-1] - ys[0])
    zero = head + plot - slope * ys[0]
    wide = (WIDTH - left - 8 - _half(xs)) / xs[-1]
    parts = axis(ys, left=left, right=WIDTH - 4, scale=(zero, slope), unit=up)
    for value, text in zip(xs, tick_words(xs), strict=True):
        parts.append(words(text, left + 8 + value * wide, head + plot + 18, size=11, anchor="middle", fill=MUTED))
    parts.append(words(across, WIDTH - 4, head + plot + 38, size=11, anchor="end", fill=MUTED))
    x = left + 8
    for i, (name, width, height) in enumerate(rows):
        tooltip = tag("title", f"{name}: {number(width, 1)} {across} at {number(height, 0)} {up}")
        top, tall = min(zero, zero + slope * height), abs(slope * height)
        fill = PALETTE[i % len(PALETTE)]
        parts.append(
            tag("rect", tooltip, x=x, y=top, width=width * wide, height=max(tall, 1.0), fill=fill, stroke=INK,
                stroke_width=0.5)
        )  # fmt: skip
        label = cut(name, max(int(width * wide / 6), 1))
        if width * wide > 60:
            y = top - 4 if height >= 0 else top + tall + 12
            parts.append(words(label, x + width * wide / 2, y, size=10, anchor="middle"))
        x += width * wide
    said = "; ".join(f"{name} {number(width, 1)} at {number(height, 0)}" for name, width, height in rows)
    height = head + plot + foot
    return drawing(*parts, width=WIDTH, height=height, key=key, title=f"{up} by {across}", desc=f"Blocks: {said}.")


def heat_map(
    rows: Sequence[str], columns: Sequence[str], values: Sequence[Sequence[float]], *, unit: str, key: str, title: str
) -> Markup:
    """Draw a table of amounts from 0 up, the greater the darker; what is not finite is crossed out."""
    most = max([value for row in values for value in row if math.isfinite(value)] + [1e-9])
    names = min(250.0, max(text_width(name, 12) for name in rows) + 14)
    beyond = max(text_width(cut(name, 24), 11) * 0.8 for name in columns[-1:])  # the last head leans over the edge
    wide = min((WIDTH - names - 4) / len(columns), (WIDTH - names - beyond) / (len(columns) - 0.5))
    head = min(120.0, max(text_width(name, 11) for name in columns) * 0.75 + 14)
    parts: list[Markup] = []
    for j, name in enumerate(columns):
        x = names + wide * (j + 0.5)
        label = words(cut(name, 24), x, head - 8, size=11)
        parts.append(tag("g", label, transform=f"rotate(-38 {x:.1f} {head - 8:.1f})"))
    for i, (name, row) in enumerate(zip(rows, values, strict=True)):
        y = head + 26 * i
        parts.append(words(cut(name, 36), names - 10, y + 17, size=12, anchor="end"))
        for j, value in enumerate(row):
            known = math.isfinite(value)
            share = max(value, 0.0) / most if known else 0.0
            red, green, blue = (round(255 + (c - 255) * share) for c in (176, 58, 0))
            said = with_unit(value, unit) if known else "impossible"
            cell = tag(
                "rect", tag("title", f"{name}, {columns[j]}: {said}"), x=names + wide * j, y=y, width=wide - 2,
                height=24, fill=f"#{red:02x}{green:02x}{blue:02x}" if known else "#d5dbe1", stroke=RULE,
            )  # fmt: skip
            ink = "#ffffff" if share > 0.6 else INK
            text = "×" if not known else short(value) if value == 0 or value >= most / 1000 else "≈0"
            parts += [cell, words(text, names + wide * (j + 0.5) - 1, y + 16, size=10.5, anchor="middle", fill=ink)]
    bottom = head + 26 * len(rows)
    parts.append(words(f"{unit}; × impossible", WIDTH - 4, bottom + 14, size=11, anchor="end", fill=MUTED))
    told = "; ".join(
        f"{name}: {', '.join(short(v) if math.isfinite(v) else 'impossible' for v in row)}"
        for name, row in zip(rows, values, strict=True)
    )
    desc = f"A table of {', '.join(columns)}. {told}."
    return drawing(*parts, width=WIDTH, height=bottom + 20, key=key, title=title, desc=desc)


def limit_bars(rows: Sequence[tuple[str, float, float, str]], *, unit: str, key: str, title: str) -> Markup:
    """Draw used against limit: rows of (name, used, limit, note)."""
    most = max([max(used, limit) for _, used, limit, _ in rows if limit != float("inf")] + [1e-9])
    names = min(190.0, max([text_width(cut(name, 26), 12) for name, *_ in rows] + [60.0]) + 14)
    notes = max([text_width(note, 11) for *_, note in rows] + [40.0]) + 12
    room = WIDTH - names - notes
    parts: list[Markup] = []
    for i, (name, used, limit, note) in enumerate(rows):
        y = 8.0 + 26 * i
        parts.append(words(cut(name, 26), names - 10, y + 14, size=12, anchor="end"))
        bound = min(limit, most) / most * room
        parts.append(
            tag("rect", x=names, y=y + 1, width=bound, height=18, fill="#eef1f4", stroke=MUTED, stroke_width=1)
        )
        parts.append(tag("rect", x=names, y=y + 5, width=used / most * room, height=10, fill="#00805e"))
        parts.append(words(note, WIDTH - 4, y + 14, size=11, anchor="end", fill=INK))
    bottom = 8.0 + 26 * len(rows)
    parts.append(tag("rect", x=names, y=bottom + 7, width=12, height=8, fill="#00805e"))
    parts.append(words(f"chargers installed, {unit}", names + 18, bottom + 15, size=11, fill=MUTED))
    parts.append(tag("rect", x=names + 152, y=bottom + 6, width=12, height=10, fill="#eef1f4", stroke=MUTED))
    parts.append(words("grid limit, grid projects included", names + 170, bottom + 15, size=11, fill=MUTED))
    said = "; ".join(f"{name}: {with_unit(used, unit)} of {with_unit(limit, unit)}" for name, used, limit, _ in rows)
    return drawing(*parts, width=WIDTH, height=bottom + 24, key=key, title=title, desc=f"Bars. {said}.")


def _legend_rows(series: Sequence[Series], width: float) -> list[list[tuple[float, Series]]]:
    rows: list[list[tuple[float, Series]]] = [[]]
    x = 0.0
    for layer in series:
        needed = 20 + text_width(layer.name, 12) + 16
        if x + needed > width and rows[-1]:
            rows.append([])
            x = 0.0
        rows[-1].append((x, layer))
        x += needed
    return rows


def _legend(rows: list[list[tuple[float, Series]]]) -> list[Markup]:
    parts = []
    for i, row in enumerate(rows):
        for x, layer in row:
            parts.append(tag("rect", x=x, y=3.0 + 20 * i, width=13, height=13, fill=layer.colour, stroke=RULE))
            parts.append(words(layer.name, x + 19, 14.0 + 20 * i, size=12))
    return parts


def _pale(colour: str) -> str:
    """Mix a colour with white, 55 to 45."""
    return "#" + "".join(f"{(int(colour[i : i + 2], 16) * 11 + 255 * 9) // 20:02x}" for i in (1, 3, 5))


def _is_light(colour: str) -> bool:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue > 135
