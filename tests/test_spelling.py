"""The fixed phrases of briefs and of the region view are spelt right in four languages.

A word is right that simplemma's dictionaries know, or that stands in words_of_our_own.csv: there each was read by a
person. A language has few words of its own there, so that a wrong one does not hide among them.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
import simplemma

from nbb_opt.app.languages import LANGUAGES, catalogue
from nbb_opt.studies.locate_view import phrases

OWN = Path(__file__).with_name("words_of_our_own.csv")
DICTIONARIES = {"en": "en", "sv": "sv", "fi": "fi", "no": "nb"}
PLACEHOLDER = re.compile(r"\{[^}]*\}")
WORD = re.compile(r"[^\W\d_]+(?:[-'][^\W\d_]+)*")


def words(texts: list[str]) -> set[str]:
    return {word for text in texts for word in WORD.findall(PLACEHOLDER.sub(" ", text))}


def unknown(found: set[str], language: str) -> set[str]:
    """Words in lower case of which the dictionary has neither this form nor that of a name."""
    of = DICTIONARIES[language]
    known = {word for word in found if any(simplemma.is_known(form, lang=of) for form in (word, word.lower()))}
    return {word.lower() for word in found - known}


@pytest.mark.parametrize("language", LANGUAGES)
def test_fixed_phrases_are_spelt_right(language: str) -> None:
    rows = csv.DictReader(OWN.read_text(encoding="utf-8").splitlines(), strict=True)
    own = {row["word"] for row in rows if row["language"] == language}
    found = words([*phrases()[language].values(), *catalogue(language).values()])
    assert len(found) > 400
    assert unknown(found, language) == own  # neither a word that nobody has read, nor one that is used no more


@pytest.mark.parametrize(("language", "wrong"), [
    ("en", "capcity"), ("sv", "järnvag"), ("sv", "anlägning"), ("fi", "kuljettus"), ("fi", "satamma"),
    ("no", "jernbanne"), ("no", "utslip"),
])  # fmt: skip
def test_a_wrong_letter_is_found(language: str, wrong: str) -> None:
    assert unknown(words([wrong]), language)
