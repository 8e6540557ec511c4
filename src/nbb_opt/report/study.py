"""What a study gives: lines for people, tidy tables, plain values for machines, and a page."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from nbb_opt import __version__
from nbb_opt.instance import Instance
from nbb_opt.output import check_folder, write_file
from nbb_opt.report.grid import Grid, Section
from nbb_opt.report.headline import Tile

ENVIRONMENT = Environment(
    loader=PackageLoader("nbb_opt.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


class Findings(ABC):
    """A study of an instance; each kind says what it found, and all are written alike."""

    instance: Instance
    name: str  # of the page's file
    title: str
    description: str

    @property
    @abstractmethod
    def lines(self) -> tuple[str, ...]:
        """For people, the answer first."""

    @property
    def sentences(self) -> Sequence[str]:
        """The answer at the top of the page."""
        return self.lines

    @property
    @abstractmethod
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """Tidy tables by name."""

    @abstractmethod
    def sections(self) -> Sequence[Section]:
        """The sections of the page."""

    @property
    def record(self) -> dict[str, Any]:
        """Lines and tables as plain values; blank and infinite figures are None."""
        return {"lines": list(self.lines), **{name: _plain(frame) for name, frame in self.tables.items()}}

    def page(self) -> str:
        """The page as HTML text."""
        return render_study(
            self.instance, f"{self.instance.meta.title}: {self.title}", description=self.description,
            sentences=self.sentences, sections=self.sections(),
        )  # fmt: skip

    def save(self, folder: Path | str) -> Path:
        """Write the page and a CSV file of each table to a folder; gives the page.

        Raises NbbError for a folder that holds something else.
        """
        target = Path(folder)
        check_folder(target, f"{self.name}.html")
        for name, frame in self.tables.items():
            write_file(target / f"{name}.csv", frame.to_csv(index=False))
        return write_file(target / f"{self.name}.html", self.page())


def _plain(frame: pd.DataFrame) -> list[dict[str, Any]]:
    plain = frame.astype(object).where(frame.notna(), None).replace({math.inf: None})
    return [{str(key): value for key, value in row.items()} for row in plain.to_dict("records")]


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
    return _render(
        "audit.html.j2", instance, title=instance.meta.title, description=instance.meta.description,
        plan_name=plan_name, sentences=sentences, tiles=tiles, faults=faults, sections=sections,
    )  # fmt: skip


def render_study(
    instance: Instance, title: str, *, description: str, sentences: Sequence[str], sections: Sequence[Section]
) -> str:
    """The page of a study as HTML text: what it answers in sentences, then its sections; all text is escaped."""
    return _render(
        "study.html.j2", instance, title=title, description=description, sentences=sentences, sections=sections
    )


def _render(template: str, instance: Instance, **given: Any) -> str:
    return ENVIRONMENT.get_template(template).render(**given, version=__version__, price_year=instance.meta.price_year)
