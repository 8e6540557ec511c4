"""Pages of the app: templates filled in on the server, in the language that was chosen."""

from __future__ import annotations

import time
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from nbb_opt.app.languages import COOKIE, LANGUAGES, chosen_language, figure_name, translator
from nbb_opt.report.text import cut, meur, number, percent, short


def day(seconds: float) -> str:
    """A time of the clock of this machine, from seconds since 1970."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


ENVIRONMENT = Environment(
    loader=ChoiceLoader([PackageLoader("nbb_opt.app"), PackageLoader("nbb_opt.report")]), autoescape=True,
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
)  # fmt: skip
ENVIRONMENT.globals |= {
    "cut": cut, "day": day, "meur": meur, "number": number, "percent": percent, "short": short, "languages": LANGUAGES,
    "cookie": COOKIE,
}  # fmt: skip


def language_of(request: Request) -> str:
    """The language that was chosen, or that the browser asks for."""
    return chosen_language(request.cookies.get(COOKIE), request.headers.get("accept-language", ""))


def render(template: str, request: Request, *, status: int = 200, **given: Any) -> HTMLResponse:
    """A page in the language of the request."""
    language = language_of(request)
    text = ENVIRONMENT.get_template(template).render(
        _=translator(language), named=lambda name: figure_name(language, name), language=language, **given
    )
    return HTMLResponse(text, status)
