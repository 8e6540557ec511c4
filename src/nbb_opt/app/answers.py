"""Answers that carry a file or a page of a result."""

from __future__ import annotations

import re

from fastapi.responses import Response

PAGE_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"


def download(content: bytes, kind: str, name: str, *, view: bool = False) -> Response:
    """A file to be kept; with `view` a page is shown, without scripts."""
    headers = {"content-security-policy": PAGE_POLICY}
    if not (view and name.endswith(".html")):
        safe = re.sub(r"[^a-z0-9.]", "-", name)
        headers["content-disposition"] = f'attachment; filename="{safe}"'
    return Response(content, media_type=kind, headers=headers)
