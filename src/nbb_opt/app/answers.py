"""Answers that carry a file or a page of a result."""

from __future__ import annotations

import re

from fastapi.responses import Response

PAGE_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"


def download(content: bytes, kind: str, name: str) -> Response:
    """A file to be kept, never to be shown."""
    safe = re.sub(r"[^a-z0-9.]", "-", name)
    headers = {"content-disposition": f'attachment; filename="{safe}"', "content-security-policy": PAGE_POLICY}
    return Response(content, media_type=kind, headers=headers)
