"""Sentences that know the phrase they were made of, so that a page can say them in another language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any


class Said(str):
    """A sentence in English: a phrase with what was filled in, which may be phrases again, or several of them.

    >>> said("{what} short: {which} more would do", what=said("trucks"), which="2 DIESEL")
    'trucks short: 2 DIESEL more would do'
    """

    phrase: str
    given: Mapping[str, Any]

    @property
    def record(self) -> dict[str, Any]:
        """Phrase and parts as plain values, for `in_words`."""
        return {"phrase": self.phrase, "given": {name: _plain(part) for name, part in self.given.items()}}


def said(phrase: str, **given: str | Sequence[str]) -> Said:
    """A phrase with its parts filled in; several parts are joined by semicolons."""
    parts = {name: part if isinstance(part, str) else "; ".join(part) for name, part in given.items()}
    made = Said(phrase.format(**parts))
    made.phrase, made.given = phrase, given
    return made


def in_words(record: Any, words: Callable[[str], str]) -> str:
    """What was said, in a language; `words` gives a phrase in it.

    >>> in_words(said("{why}!", why=said("chargers")).record, {"{why}!": "{why}!", "chargers": "laddare"}.__getitem__)
    'laddare!'
    """
    if isinstance(record, Mapping):
        given = {name: in_words(part, words) for name, part in record["given"].items()}
        return words(record["phrase"]).format(**given)
    return record if isinstance(record, str) else "; ".join(in_words(part, words) for part in record)


def _plain(part: Any) -> Any:
    if isinstance(part, Said):
        return part.record
    return str(part) if isinstance(part, str) else [_plain(each) for each in part]
