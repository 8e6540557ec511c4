"""The languages of the app's pages, from one catalogue: a row for each phrase, by its English text."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files

LANGUAGES = {"en": "English", "sv": "Svenska", "fi": "Suomi", "no": "Norsk"}
COOKIE = "nbb_opt_language"
_ASKED = {"nb": "no", "nn": "no"}  # what browsers call Norwegian
_YEAR = re.compile(r"(.*?)( [0-9]{4})?", re.DOTALL)


@cache
def catalogue(language: str) -> dict[str, str]:
    """The phrases in a language, by their English text.

    >>> catalogue("sv")["Cancel"], catalogue("en")["Cancel"]
    ('Avbryt', 'Cancel')
    """
    text = (files("nbb_opt.app") / "texts.csv").read_text(encoding="utf-8")
    return {row["en"]: row[language] for row in csv.DictReader(text.splitlines(), strict=True)}


def translator(language: str) -> Callable[..., str]:
    """A function that gives a phrase in a language, with `{names}` filled in. Raises KeyError for an unknown phrase.

    >>> translator("fi")("{count} runs", count=3)
    '3 ajoa'
    """
    phrases = catalogue(language)
    return lambda phrase, **given: phrases[phrase].format(**given) if given else phrases[phrase]


def figure_name(language: str, name: str) -> str:
    """The name of a figure, a heading or the like of the report, where the catalogue has it; a year behind it stays.

    >>> figure_name("no", "battery trucks 2030"), figure_name("no", "something else")
    ('batterilastebiler 2030', 'something else')
    """
    found = _YEAR.fullmatch(name)
    assert found is not None
    phrases, phrase = catalogue(language), found[1]
    return phrases[phrase] + (found[2] or "") if phrase in phrases else name


def chosen_language(cookie: str | None, accepted: str) -> str:
    """The language of a page: what was chosen, else the first that the browser asks for and we have, else English.

    >>> chosen_language(None, "nb-NO,nb;q=0.9,en;q=0.8"), chosen_language("fi", "sv"), chosen_language("xx", "de")
    ('no', 'fi', 'en')
    """
    asked = [part.split(";")[0].strip().lower()[:2] for part in accepted.split(",")]
    return next((code for each in (cookie or "", *asked) if (code := _ASKED.get(each, each)) in LANGUAGES), "en")
