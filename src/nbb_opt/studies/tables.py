"""What a study gives: its table, the message in a sentence, and both as files."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from nbb_opt.output import write_file
from nbb_opt.studies.units import Record, Study


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The table of a study (a row for each observation) and `more` of them by name, the message, and what was asked.

    `about` has the `status` "done", or "stopped" if somebody asked to stop; `records` are those of the units by name.
    """

    name: str
    table: pd.DataFrame
    sentence: str
    about: Mapping[str, Any]
    more: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    records: Mapping[str, Record] = field(default_factory=dict)

    @classmethod
    def of(cls, study: Study, table: pd.DataFrame, sentence: str, **more: pd.DataFrame) -> Answer:
        """The answer of a study that has ended."""
        about = {**study.about, "status": "stopped" if study.stopped else "done"}
        return cls(
            name=str(about["study"]), table=table, sentence=sentence, about=about, more=more,
            records=dict(study.records),
        )  # fmt: skip

    @property
    def sentences(self) -> list[str]:
        """The message, and that the study was stopped if it was."""
        stopped = "The study was stopped: this is what was finished; the same command goes on."
        return [self.sentence, *([stopped] if self.about["status"] == "stopped" else [])]

    @property
    def kind(self) -> str:
        """Of which model the solves are, and what is proven of them, in words."""
        about = self.about
        kind = (
            "LP relaxations: lower bounds and no plans"
            if about["relaxed"]
            else (f"plans that the verifier accepts, searched to a gap of {100 * about['gap']:g} %")
        )
        if about.get("extended_by"):
            kind += f"; with rules and costs of your own from {about['extended_by']}, costs with yours"
        return f"Model {about['model']}; {kind}."

    def write(self, folder: Path | None, page: str) -> Answer:
        """Write page and tables (NAME.csv for people, NAME.parquet for programs) to a folder, if there is one."""
        if folder is not None:
            for name, table in {self.name: self.table, **self.more}.items():
                write_file(folder / f"{name}.csv", table.to_csv(index=False, lineterminator="\n"))
                content = io.BytesIO()
                table.to_parquet(content, index=False)
                write_file(folder / f"{name}.parquet", content.getvalue())
            write_file(folder / f"{self.name}.html", page)
        return self
