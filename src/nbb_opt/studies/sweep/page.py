"""A sweep as one closed page: a chart of cost against emissions or against the factor, and the table of points."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from nbb_opt.output import GENERATOR, write_file
from nbb_opt.report.charts.svg import (
    INK,
    MUTED,
    PALETTE,
    axis,
    drawing,
    path_data,
    tag,
    text_width,
    tick_words,
    ticks,
    words,
)
from nbb_opt.report.text import number
from nbb_opt.studies.sweep.store import Point

WIDTH, PLOT, HEAD, FOOT = 640.0, 260.0, 34.0, 46.0
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;color:#1c2733;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "svg{width:100%;height:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    "td,th{padding:.2rem .7rem;text-align:right;border-bottom:1px solid #d5dbe1}th{font-weight:600}"
)
Read = Callable[[Point], float | None]


def write_page(path: Path, about: Mapping[str, Any], points: Sequence[Point], *, status: str) -> None:
    """Write the page; all text is escaped, nothing is fetched and nothing runs."""
    on_front = about["axis"] == "emissions"
    title = f"{about['instance']}: " + ("cost against emissions" if on_front else str(about["title"]))
    kind = "relaxation: whole numbers may be fractions, so each cost is a lower bound and no plan"
    if not about["relaxed"]:
        kind = (
            f"each plan proven to a gap of {100 * about['gap']:g} % or as the table says, and accepted by the verifier"
        )
    if about.get("extended_by"):
        kind += f"; with rules and costs of your own from {about['extended_by']}, costs with yours"
    told = f"Model {about['model']}; {kind}. Candidate chains are those of the instance as it is, at every point."
    if status != "done":
        told += " The sweep was stopped: these are the points that were finished."
    page = tag(
        "html",
        tag(
            "head",
            tag("meta", charset="utf-8"),
            Markup(GENERATOR),
            tag("meta", http_equiv="Content-Security-Policy", content="default-src 'none'; style-src 'unsafe-inline'"),
            tag("title", title),
            tag("style", Markup(STYLE)),
        ),
        tag("body", tag("h1", title), tag("p", told), *curves(about, points), _table(points, on_front=on_front)),
        lang="en",
    )
    write_file(path, f"<!doctype html>\n{page}\n")


def curves(about: Mapping[str, Any], points: Sequence[Point]) -> list[Markup]:
    """Cost against emissions along a front; cost and emissions against the factor of an axis."""
    if about["axis"] == "emissions":
        return [_line(points, _kt, _meur, across="kt CO2e over the horizon, WTW", up="MEUR", key="front")]
    across = f"{about['title']}, times today's"
    return [
        _line(points, lambda point: point.value, read, across=across, up=up, key=key)
        for read, up, key in ((_meur, "MEUR", "cost"), (_kt, "kt CO2e over the horizon, WTW", "emissions"))
    ]


def _meur(point: Point) -> float | None:
    return None if point.cost_eur is None else point.cost_eur / 1e6


def _kt(point: Point) -> float | None:
    return None if point.emissions_t is None else point.emissions_t / 1e3


def _line(points: Sequence[Point], x_of: Read, y_of: Read, *, across: str, up: str, key: str) -> Markup:
    """A line through the points in the order of x, each with its figures as a tooltip."""
    pairs = ((x_of(point), y_of(point)) for point in points)
    found = sorted((x, y) for x, y in pairs if x is not None and y is not None)
    if not found:
        return tag("p", "No point has a plan.")
    xs, ys = ticks(found[0][0], found[-1][0]), ticks(min(y for _, y in found), max(y for _, y in found))
    left = max(text_width(text, 11) for text in tick_words(ys)) + 20
    slope = -PLOT / (ys[-1] - ys[0])
    zero = HEAD + PLOT - slope * ys[0]
    wide = (WIDTH - left - 24) / (xs[-1] - xs[0])

    def at(x: float, y: float) -> tuple[float, float]:
        return left + 8 + (x - xs[0]) * wide, zero + slope * y

    parts = axis(ys, left=left, right=WIDTH - 4, scale=(zero, slope), unit=up)
    for value, text in zip(xs, tick_words(xs), strict=True):
        parts.append(words(text, at(value, 0)[0], HEAD + PLOT + 18, size=11, anchor="middle", fill=MUTED))
    parts.append(words(across, WIDTH - 4, HEAD + PLOT + 38, size=11, anchor="end", fill=MUTED))
    parts.append(tag("path", d=path_data(at(*pair) for pair in found), fill="none", stroke=PALETTE[0], stroke_width=2))
    for x, y in found:
        cx, cy = at(x, y)
        told = tag("title", f"{number(x, 3)} {across}: {number(y, 3)} {up}")
        parts.append(tag("circle", told, cx=cx, cy=cy, r=3.5, fill=PALETTE[0], stroke=INK, stroke_width=0.5))
    desc = f"{len(found)} points; {up} from {number(found[0][1], 3)} to {number(found[-1][1], 3)}"
    height = HEAD + PLOT + FOOT
    return drawing(*parts, width=WIDTH, height=height, key=key, title=f"{up} by {across}", desc=desc)


def _table(points: Sequence[Point], *, on_front: bool) -> Markup:
    years = sorted({year for point in points for year in point.emissions_t_per_year})
    heads = [
        "cap, t CO2e" if on_front else "factor", "status", "MEUR", "gap %", "t CO2e over the horizon", "EUR/t",
        *(f"t CO2e in {year}" for year in years), "verified", "projects", "s",
    ]  # fmt: skip
    rows = [tag("tr", *(tag("th", head) for head in heads))]
    for point in points:
        gap = None if point.gap is None else 100 * point.gap
        cells = [
            number(point.value, 0) if on_front else f"{point.value:g}", point.status, _cell(_meur(point), 3),
            _cell(gap, 3), _cell(point.emissions_t, 0), _cell(point.eur_per_t, 1),
            *(_cell(point.emissions_t_per_year.get(year), 0) for year in years),
            {True: "yes", False: "no", None: ""}[point.verified], ", ".join(point.built), f"{point.seconds:.2f}",
        ]  # fmt: skip
        rows.append(tag("tr", *(tag("td", cell) for cell in cells)))
    return tag("table", *rows)


def _cell(value: float | None, decimals: int) -> str:
    return "" if value is None else number(value, decimals)
