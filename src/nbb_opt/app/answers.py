"""Answers that carry a file or a page of a result, and studies kept as plain values for the page."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from fastapi.responses import Response
from markupsafe import Markup

from nbb_opt.report.grid import Column, Grid, Section
from nbb_opt.report.study import Answer

PAGE_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"


def download(content: bytes, kind: str, name: str, *, view: bool = False) -> Response:
    """A file to be kept; with `view` a page is shown, without scripts."""
    headers = {"content-security-policy": PAGE_POLICY}
    if not (view and name.endswith(".html")):
        safe = re.sub(r"[^a-z0-9.]", "-", name)
        headers["content-disposition"] = f'attachment; filename="{safe}"'
    return Response(content, media_type=kind, headers=headers)


def as_plain(found: Answer) -> dict[str, Any]:
    """What the page shows of a study, as plain values."""
    sections = [asdict(section) | {"drawing": section.drawing} for section in found.sections(found)]
    plain: dict[str, Any] = json.loads(
        json.dumps({"title": found.title, "sentences": list(found.sentences), "sections": sections}, default=float)
    )
    return plain


def sections_of(plain: Mapping[str, Any]) -> list[Section]:
    """The sections of a study that was kept with `as_plain`; its drawings are our own."""
    return [
        Section(
            each["heading"], each["text"],
            [Grid(**{**grid, "columns": [Column(**column) for column in grid["columns"]]}) for grid in each["grids"]],
            None if each["drawing"] is None else Markup(each["drawing"]),
        )
        for each in plain["sections"]
    ]  # fmt: skip
