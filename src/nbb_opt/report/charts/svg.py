"""Small helpers for drawing closed, static SVG; every attribute and text is escaped here and nowhere else."""

from __future__ import annotations

import math
from collections.abc import Iterable

from markupsafe import Markup, escape

from nbb_opt.report.text import number

FONT = "font-family: Helvetica, Arial, sans-serif; background: #fff"  # of a drawing that stands alone
INK, MUTED, RULE = "#1c2733", "#51606f", "#d5dbe1"
MODE_COLOURS = {"road": "#d55e00", "rail": "#0b3c5d", "sea": "#3f9bd1", "ferry": "#8e4b9e"}
TECHNOLOGY_COLOURS = {
    "diesel": "#6f7680",
    "hvo": "#e0a100",
    "biogas": "#7fb5a0",
    "battery": "#00805e",
    "hydrogen": "#56b4e9",
    "electric": "#0b3c5d",
}
PALETTE = (
    "#0b3c5d", "#d55e00", "#3f9bd1", "#00805e", "#e0a100", "#8e4b9e", "#6f7680",
    "#1c2733", "#b98a6a", "#7fb5a0", "#b3123f", "#c3cc2e", "#5a3a1f", "#f2a6c4",
)  # fmt: skip


def tag(name: str, *inner: str | Markup, **attributes: str | float | None) -> Markup:
    """Write one element. Attribute names use `_` for `-`; plain strings inside are escaped.

    >>> str(tag("text", "<b>", x=1.50, font_size=12, class_="n"))
    '<text x="1.5" font-size="12" class="n">&lt;b&gt;</text>'
    """
    written = []
    for key, value in attributes.items():
        if value is None:
            continue
        plain = f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
        written.append(f' {key.rstrip("_").replace("_", "-")}="{escape(plain)}"')
    content = "".join(str(escape(part)) for part in inner)
    return Markup(f"<{name}{''.join(written)}>{content}</{name}>" if content else f"<{name}{''.join(written)}/>")


def drawing(*parts: Markup, width: float, height: float, key: str, title: str, desc: str, css: str = "") -> Markup:
    """Wrap parts as one SVG image with a title and a description for those who cannot see it."""
    return tag(
        "svg",
        tag("title", title, id=f"{key}-t"),
        tag("desc", desc, id=f"{key}-d"),
        *parts,
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        role="img",
        aria_labelledby=f"{key}-t {key}-d",
        class_=f"drawing {css}".strip(),
    )


def words(
    content: str, x: float, y: float, *, size: float = 12, anchor: str = "start", fill: str = INK, weight: str = ""
) -> Markup:
    """Write one line of text."""
    return tag(
        "text",
        content,
        x=float(x),
        y=float(y),
        font_size=float(size),
        text_anchor=None if anchor == "start" else anchor,
        fill=fill,
        font_weight=weight or None,
    )


_NARROW, _WIDE = frozenset("iljIJtfr.,:;'|/ -()\u202f"), frozenset("mwMW%@æÆ−+&")


def text_width(content: str, size: float, *, bold: bool = False) -> float:
    """Guess how wide a line will be, px: no less than in DejaVu Sans, the widest of the fonts that pages ask for.

    >>> text_width("Umeå", 10) < text_width("Umeå", 10, bold=True) < 34
    True
    """
    ems = sum(0.35 if c in _NARROW else 0.95 if c in _WIDE else 0.76 if c.isupper() else 0.63 for c in content)
    return ems * size * (1.12 if bold else 1.0)


def ticks(low: float, high: float, *, about: int = 5) -> list[float]:
    """Give round numbers that span low to high.

    >>> ticks(0, 93)
    [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]
    """
    span = high - low
    if span <= 0 or not math.isfinite(span):
        return [0.0, 1.0]
    rough = span / about
    base = 10 ** math.floor(math.log10(rough))
    step = next(base * m for m in (1, 2, 2.5, 5, 10) if base * m >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [i * step + 0.0 for i in range(first, last + 1)]


def tick_words(values: list[float]) -> list[str]:
    """Write ticks with the decimals they need, all the same.

    >>> tick_words([0.0, 2.5, 5.0]), tick_words([0.0, 50.0])
    (['0.0', '2.5', '5.0'], ['0', '50'])
    """
    decimals = next((d for d in range(9) if all(abs(round(v, d) - v) < 1e-9 * max(abs(v), 1e-9) for v in values)), 9)
    return [number(value, decimals) for value in values]


def path_data(points: Iterable[tuple[float, float]], *, close: bool = False) -> str:
    """Write points as SVG path data with one decimal, relative to the point before."""
    parts: list[str] = []
    at_x = at_y = 0
    for x, y in points:
        new_x, new_y = round(x * 10), round(y * 10)
        if not parts:
            parts.append(f"M{new_x / 10:g} {new_y / 10:g}")
        elif (new_x, new_y) != (at_x, at_y):
            parts.append(f"l{(new_x - at_x) / 10:g} {(new_y - at_y) / 10:g}")
        at_x, at_y = new_x, new_y
    return "".join(parts) + ("z" if close else "")


def axis(values: list[float], *, left: float, right: float, scale: tuple[float, float], unit: str) -> list[Markup]:
    """Draw horizontal grid lines with numbers at the left; `scale` maps value v to y = a + b v."""
    a, b = scale
    parts = []
    for value, written in zip(values, tick_words(values), strict=True):
        y = a + b * value
        stroke = MUTED if value == 0 else RULE
        parts.append(tag("line", x1=left, x2=right, y1=float(y), y2=float(y), stroke=stroke, stroke_width=1))
        parts.append(words(written, left - 8, y + 4, size=11, anchor="end", fill=MUTED))
    parts.append(words(unit, 0, a + b * values[-1] - 14, size=11, fill=MUTED))
    return parts
