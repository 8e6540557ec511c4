"""The chart of a day: power by quarter of an hour against the connection."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from nbb_opt.report.charts.charts import DASH_CAP, WIDTH
from nbb_opt.report.charts.svg import INK, MUTED, PALETTE, axis, drawing, path_data, tag, text_width, tick_words, ticks
from nbb_opt.report.charts.svg import words as line_of_text
from nbb_opt.report.text import number

HOURS = range(0, 25, 3)


def day_chart(
    lines: Sequence[tuple[str, Sequence[float]]],
    limit: tuple[str, Sequence[float]],
    *,
    hours: str,
    key: str,
    title: str,
) -> Markup:
    """Draw each line (name, kW by equal parts of a day) as steps, and the `limit` above them dashed; `hours` names the
    axis below."""
    plot, head, foot = 220.0, 54.0, 42.0
    grid = ticks(0.0, max(max(values) for _, values in [*lines, limit]) * 1.02 or 1.0)
    left = max(text_width(text, 11) for text in tick_words(grid)) + 20
    slope = -plot / grid[-1]
    zero, wide = head + plot, (WIDTH - left - 24) / 24
    parts = axis(grid, left=left, right=WIDTH - 4, scale=(zero, slope), unit="kW")
    for hour in HOURS:
        x = left + 8 + hour * wide
        parts.append(tag("line", x1=x, x2=x, y1=zero, y2=zero + 4, stroke=MUTED, stroke_width=1))
        parts.append(line_of_text(f"{hour}", x, zero + 18, size=11, anchor="middle", fill=MUTED))
    parts.append(line_of_text(hours, WIDTH - 4, zero + 36, size=11, anchor="end", fill=MUTED))
    x = 0.0
    for (name, values), colour, dash in [
        *((line, PALETTE[1 - i % 2], None) for i, line in enumerate(lines)), (limit, INK, DASH_CAP),
    ]:  # fmt: skip
        step_h = 24 / len(values)
        corners = [
            (left + 8 + (i + side) * step_h * wide, zero + slope * value)
            for i, value in enumerate(values) for side in (0, 1)
        ]  # fmt: skip
        style: dict[str, str | float | None] = {"stroke": colour, "stroke_width": 2, "stroke_dasharray": dash}
        tooltip = tag("title", f"{name}: {number(max(values), 0)} kW")
        parts.append(tag("path", tooltip, d=path_data(corners), fill="none", **style))
        parts.append(tag("line", x1=x, x2=x + 20, y1=9.0, y2=9.0, **style))
        parts.append(line_of_text(name, x + 26, 13, size=12))
        x += 26 + text_width(name, 12) + 18
    most = "; ".join(f"{name} {number(max(values), 0)} kW" for name, values in [*lines, limit])
    return drawing(*parts, width=WIDTH, height=zero + foot, key=key, title=title, desc=f"{title}. {most}.")
