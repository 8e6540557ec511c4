"""What a study answers: lines for people, tidy tables, plain values for machines, and a page."""

from __future__ import annotations

import io
import json
import shutil
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from nbb_opt import __version__
from nbb_opt.arguments import checked
from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance
from nbb_opt.output import check_file, refuse_folder, write_file, write_files
from nbb_opt.report.charts.svg import FONT
from nbb_opt.report.grid import Column, Grid, Section
from nbb_opt.report.headline import Tile

STUDY = "study.json"  # in the folder of a study that keeps its solves
SECTION = "section.json"  # what the report of a plan shows of an answer: its sentences, one picture and one table
ENVIRONMENT = Environment(
    loader=PackageLoader("nbb_opt.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def whole(table: pd.DataFrame, **how: Any) -> str:
    """A table as text, none of it left out: as wide as the terminal, with yes, no and blank for what is decided.

    >>> print(whole(pd.DataFrame({"cost": [1234567.891, 2.5], "undecided": pd.array([True, pd.NA], dtype="boolean")})))
           cost undecided
    0 1,234,568       yes
    1       2.5
    """
    width = shutil.get_terminal_size(fallback=(120, 24)).columns
    text = _in_words(table).to_string(**{"float_format": _figure, "na_rep": "", "line_width": width, **how})
    return "\n".join(line.rstrip() for line in text.splitlines())


def _in_words(table: pd.DataFrame) -> pd.DataFrame:
    flags = table.select_dtypes(["bool", "boolean"])
    return table.assign(**{str(name): flags[name].map({True: "yes", False: "no"}).astype(object) for name in flags})


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1e6 else f"{value:,.6g}"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a study answers: sentences, tables by name, figures, and a page of sections with pictures.

    The first table is `table`, and `answer["column"]` is a column of it; each table is an attribute too
    (`answer.places`). `about` is what was asked, with the `status` "done" or "stopped" of a study that can be stopped.
    `shown` is what is printed below the sentences. `sections` makes the sections of the page from the answer, below
    the `tiles`. Tables of `files_only` are saved, and not in `record`. `records` are those of the units of the study by
    name.
    """

    instance: Instance
    name: str  # of the page's file
    title: str
    description: str
    sentences: Sequence[str]
    tables: Mapping[str, pd.DataFrame]
    sections: Callable[[Any], Sequence[Section]] = field(repr=False)
    shown: Sequence[str | pd.DataFrame] = ()
    tiles: Sequence[Tile] = ()
    about: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)
    records: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    files_only: Sequence[str] = ()

    def __getattr__(self, name: str) -> pd.DataFrame:
        tables = vars(self).get("tables", {})
        if name not in tables:
            raise AttributeError(f"no {name!r}; the tables of this answer are {', '.join(tables)}")
        return tables[name]

    @property
    def table(self) -> pd.DataFrame:
        """The first table."""
        return next(iter(self.tables.values()))

    def __getitem__(self, column: Any) -> Any:
        return self.table[column]

    @property
    def lines(self) -> tuple[str, ...]:
        """For people, the answer first."""
        shown = [line for each in self.shown if len(each) for line in ([each] if isinstance(each, str) else
                 ["", *whole(each).splitlines()])]  # fmt: skip
        return (*self.sentences, *shown)

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def _repr_html_(self) -> str:
        sentences = "".join(f"<p>{escape(each)}</p>" for each in self.sentences)
        return sentences + _in_words(self.table).to_html(float_format=_figure, na_rep="")

    @property
    def record(self) -> dict[str, Any]:
        """All of it as plain values; blank and infinite figures are None."""
        rows = {
            name: json.loads(table.to_json(orient="records", double_precision=15))
            for name, table in self.tables.items() if name not in self.files_only
        }  # fmt: skip
        return {**self.about, "sentences": list(self.sentences), **self.figures, **rows}

    def page(self) -> str:
        """The page as HTML text."""
        return ENVIRONMENT.get_template("study.html.j2").render(
            title=f"{self.instance.meta.title}: {self.title}", description=self.description, sentences=self.sentences,
            tiles=self.tiles, sections=self.sections(self), version=__version__,
            price_year=self.instance.meta.price_year,
        )  # fmt: skip

    @checked
    def to_html(self, path: Path | str) -> Path:
        """Write the page alone. Raises NbbError for a file that is not a page of ours."""
        check_file(Path(path))
        return write_file(Path(path), self.page())

    @checked
    def save(self, folder: Path | str) -> Path:
        """Write page, record (.json) and each table (.csv for people, .parquet for programs) to a folder; gives the
        page. Raises NbbError for a folder that holds something else.
        """
        page = f"{self.name}.html"
        refuse_folder(Path(folder), page, STUDY)
        return write_files(Path(folder), {**self._files(), page: self.page()}) / page

    def _section(self) -> str:
        sections = self.sections(self)
        grid = next((grid for section in sections for grid in section.grids), None)
        picture = next((str(section.drawing) for section in sections if section.drawing is not None), "")
        shown = {
            "title": self.title, "page": f"{self.name}.html", "instance": self.instance.meta.name,
            "instance_digest": self.instance.digest, "sentences": list(self.sentences), "picture": picture,
            "grid": None if grid is None else asdict(grid),
        }  # fmt: skip
        return json.dumps(shown, ensure_ascii=False, default=lambda figure: figure.item())  # of numpy

    def _files(self) -> dict[str, bytes | str]:
        """What is saved beside the page."""
        files: dict[str, bytes | str] = {
            f"{self.name}.json": json.dumps(self.record, ensure_ascii=False, indent=1), SECTION: self._section(),
        }  # fmt: skip
        for name, table in self.tables.items():
            files[f"{name}.csv"] = table.to_csv(index=False, lineterminator="\n")
            content = io.BytesIO()
            mixed = [
                name for name, kind in table.dtypes.items() if str(kind) == "object"
            ]  # words and numbers in one column
            table.astype(dict.fromkeys(mixed, "str")).to_parquet(content, index=False)
            files[f"{name}.parquet"] = content.getvalue()
        return files


def read_section(folder: Path, instance: Instance) -> Section:
    """What the report of a plan of an instance shows of a study, from the folder that the study wrote.

    The picture is an image of its own: no script runs in it, and its ids are not those of the page.
    Raises NbbError for a folder without one, or of another instance; one of another version says so.
    """
    try:
        found = json.loads((folder / SECTION).read_text(encoding="utf-8"))
        grid, picture = found["grid"], str(found["picture"])
        heading, sentences = str(found["title"]), [str(each) for each in found["sentences"]]
        grids = [] if grid is None else [Grid(**{**grid, "columns": [Column(**each) for each in grid["columns"]]})]
    except (OSError, ValueError, KeyError, TypeError):
        raise NbbError(f"{folder}: holds no answer of a study; give the one that its command wrote") from None
    if found["instance"] != instance.meta.name:
        raise NbbError(f"{folder}: is of instance {found['instance']}, the runs are of {instance.meta.name}")
    if found["instance_digest"] != instance.digest:
        sentences.append(
            "The study was made of another version of the instance, or under another what-if, than the plan."
        )
    svg = picture.replace("<svg ", f'<svg xmlns="http://www.w3.org/2000/svg" style="{FONT}" ', 1)
    image = Markup('<img class="drawing" alt="{}" src="data:image/svg+xml;base64,{}">').format(
        heading, b64encode(svg.encode()).decode()
    )
    return Section(heading[:1].upper() + heading[1:], " ".join(sentences), grids, image if picture else None)
