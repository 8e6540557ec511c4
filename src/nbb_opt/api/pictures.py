"""Pictures: the map and the charts of reports, one at a time, as a notebook shows them."""

from __future__ import annotations

import importlib
import re
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nbb_opt.api.plans import Result
from nbb_opt.arguments import checked, named
from nbb_opt.errors import NbbError
from nbb_opt.output import COMMENT, check_file, write_file
from nbb_opt.report.charts.svg import FONT

if TYPE_CHECKING:
    from nbb_opt.report.study import Answer

WIDTH_PX = 1600  # of a .png


class Picture(str):
    """A drawing as SVG text, which a notebook shows.

    >>> from nbb_opt import examples, solve
    >>> draw(solve(examples.tiny()), "costs")
    <Picture: Cost by component>
    """

    def __repr__(self) -> str:
        title = re.search(r"<title[^>]*>([^<]*)", self)
        return f"<Picture: {title[1] if title else ''}>"

    def _repr_svg_(self) -> str:
        return str(self)

    @checked
    def save(self, path: Path | str) -> Path:
        """Write the drawing to an .svg file, or to a .png file `WIDTH_PX` wide (needs nbb-opt[pictures]).

        Raises NbbError as `check_picture` does.
        """
        target = check_picture(path)
        return write_file(target, f"<!-- {COMMENT} -->\n{self}\n" if target.suffix.lower() == ".svg" else self._png())

    def _png(self) -> bytes:
        try:
            font_roboto, resvg = importlib.import_module("font_roboto"), importlib.import_module("resvg_py")
        except ImportError as missing:
            raise NbbError(
                f".png pictures need {missing.name}; pip install 'nbb-opt[pictures]', or save as .svg"
            ) from None
        fonts = [
            str(Path(str(font_roboto.__file__)).parent / "files" / f"Roboto-{each}.ttf") for each in ("Regular", "Bold")
        ]
        drawn = resvg.svg_to_bytes(
            svg_string=str(self), width=WIDTH_PX, background="white", skip_system_fonts=True, font_files=fonts,
            font_family="Roboto", sans_serif_family="Roboto",
        )  # fmt: skip
        said = b"tEXtSoftware\0" + COMMENT.encode()  # by which it is known to be ours; after the head of 33 bytes
        chunk = struct.pack(">I", len(said) - 4) + said + struct.pack(">I", zlib.crc32(said))
        return bytes(drawn[:33]) + chunk + bytes(drawn[33:])


def check_picture(path: Path | str) -> Path:
    """The path, before the work: ends in .svg or .png, can be written, and holds nothing or a picture of ours.

    >>> check_picture("map.gif")
    Traceback (most recent call last):
    nbb_opt.errors.NbbError: map.gif: cannot be a picture by its name; end it in .svg or .png
    """
    target = named(path, ".svg", ".png", what="picture")
    check_file(target)
    return target


@checked
def draw(of: Result | Answer, name: str = "map") -> Picture:
    """A picture of a plan (map, change, or a chart by name), or of a study (those of its page).

    >>> from nbb_opt import examples, solve
    >>> draw(solve(examples.tiny()), "x")
    Traceback (most recent call last):
    nbb_opt.errors.NbbError: picture 'x': none; take map, change, modes, emissions, fleet, costs, difference, ...
    """
    if isinstance(of, Result):
        return _of_plan(of._accepted(again_s=0.0), name)
    drawings = [each.drawing for each in of.sections(of) if each.drawing]
    if not drawings:
        raise NbbError("nothing was found that could be drawn: no plan, no change that saves anything")
    return _below_each_other(drawings)


def _of_plan(plan: Result, name: str) -> Picture:
    from nbb_opt.report.figures import all_figures
    from nbb_opt.report.map.difference import draw_difference
    from nbb_opt.report.page import changes, draw_maps

    if name == "map":
        maps = draw_maps(plan.instance, plan.run, "plan")
        return _below_each_other([maps["big_map"], maps["legend"]])
    if name == "change":
        year = plan.instance.periods[-1].year
        change = changes(plan.instance, plan.run)[1][-1][1]
        return _below_each_other([draw_difference(plan.instance, change, year=year, key="plan")])
    charts = {each.name: each.drawing for each in all_figures(plan.instance, plan.run, plan.figures, key="plan")}
    if name not in charts:
        raise NbbError(f"picture {name!r}: none; take map, change, {', '.join(charts)}")
    return _below_each_other([charts[name]])


def _below_each_other(drawings: Sequence[str]) -> Picture:
    """One image of several; each begins with its viewBox."""
    sizes = [tuple(map(float, re.search(r'viewBox="0 0 (\S+) (\S+)"', each).groups())) for each in drawings]  # type: ignore[union-attr]
    width, y, parts = max(w for w, _ in sizes), 0.0, []
    for each, (w, h) in zip(drawings, sizes, strict=True):
        parts.append(str(each).replace("<svg ", f'<svg y="{y:g}" width="{w:g}" height="{h:g}" ', 1))  # markup escapes
        y += h
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {y:g}" style="{FONT}">'
    return Picture(f"{head}{''.join(parts)}</svg>")
