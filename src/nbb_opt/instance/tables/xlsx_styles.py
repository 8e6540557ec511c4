"""Which cell styles of a workbook show a number as a date or a time."""

from __future__ import annotations

import re

_BUILT_IN_DATES = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])
_NOT_PATTERN = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]|general', re.IGNORECASE)


class StyleHandler:
    """Collects number formats and cell styles while the styles part is parsed."""

    def __init__(self) -> None:
        self.codes: dict[str, str] = {}
        self.formats: list[str] = []
        self.inside = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "numFmt":
            self.codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            self.inside = True
        elif name == "xf" and self.inside:
            self.formats.append(attributes.get("numFmtId", "0"))

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self.inside = False

    def dates(self) -> frozenset[str]:
        """Numbers (as text) of the cell styles that are dates or times."""
        return frozenset(str(i) for i, key in enumerate(self.formats) if self._is_date(key))

    def _is_date(self, key: str) -> bool:
        if key in self.codes:
            return is_date_code(self.codes[key])
        return key.isdecimal() and int(key) in _BUILT_IN_DATES


def is_date_code(code: str) -> bool:
    """Whether a number format shows a date or a time.

    >>> is_date_code("yyyy-mm-dd"), is_date_code('#,##0.00 "days"'), is_date_code("[h]:mm"), is_date_code("General")
    (True, False, True, False)
    """
    return re.search("[dmyhs]", _NOT_PATTERN.sub("", code), re.IGNORECASE) is not None
