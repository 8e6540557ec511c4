"""The page of an audit: one closed HTML file for a manager."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from nbb_opt import __version__
from nbb_opt.instance import Instance
from nbb_opt.report.headline import Tile
from nbb_opt.report.map.grid import Grid


@dataclass(frozen=True)
class Section:
    """A heading, a sentence, perhaps a drawing, and tables."""

    heading: str
    text: str
    grids: Sequence[Grid]
    drawing: Markup | None = None


def render_audit(
    instance: Instance,
    plan_name: str,
    *,
    sentences: Sequence[str],
    tiles: Sequence[Tile],
    faults: Grid,
    sections: Sequence[Section],
) -> str:
    """Give the page as HTML text; all text is escaped."""
    environment = Environment(
        loader=PackageLoader("nbb_opt.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("audit.html.j2").render(
        title=instance.meta.title, description=instance.meta.description, plan_name=plan_name, sentences=sentences,
        tiles=tiles, faults=faults, sections=sections, version=__version__, price_year=instance.meta.price_year,
    )  # fmt: skip
