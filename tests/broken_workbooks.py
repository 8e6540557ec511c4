"""Workbooks with one fault each: what is done to a sound one, and the place and words of what must be said."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass

from workbook_drafts import Draft, Formula, Pattern

Spoil = Callable[[Draft], object]


@dataclass(frozen=True)
class Broken:
    """A fault: how it is made, where it is to be named, and words of what is wrong and of the fix."""

    spoil: Spoil
    where: str
    what: str
    fix: str


def put(cell: str, value: object) -> Spoil:
    return lambda draft: draft.put(cell, value)


def after(sheet: str, method: str, *given: object) -> Spoil:
    return lambda draft: draft.after.append((sheet, lambda worksheet: getattr(worksheet, method)(*given)))


def both(*spoils: Spoil) -> Spoil:
    return lambda draft: [spoil(draft) for spoil in spoils]


def in_xml(sheet: str, old: bytes, new: bytes) -> Spoil:
    return lambda draft: draft.parts.append((draft.part_of(sheet), lambda data: data.replace(old, new, 1)))


def error_cell(cell: str, error: str) -> Spoil:
    """A cell that holds an error and no formula."""
    sheet, _, place = cell.partition("!")
    old = f'<c r="{place}"><v>987654</v></c>'.encode()
    new = f'<c r="{place}" t="e"><v>{error}</v></c>'.encode()
    return both(put(cell, 987654), in_xml(sheet, old, new))


def rows_of(sheet: str, change: Callable[[list[list[object]]], object]) -> Spoil:
    return lambda draft: change(draft.sheets[sheet])


def renamed(old: str, new: str) -> Spoil:
    def spoil(draft: Draft) -> None:
        draft.sheets = {new if name == old else name: rows for name, rows in draft.sheets.items()}

    return spoil


DAY = datetime.date(2025, 5, 1)
NOT_A_TABLE: dict[str, Broken] = {
    "date for a number": Broken(put("links!G3", DAY), "links!G3", "is a date", "format the cell as Number"),
    "date for a year": Broken(put("fleet!C3", DAY), "fleet!C3", "is a date", "format the cell as Number"),
    "date for a text": Broken(put("sources!E3", DAY), "sources!E3", "is a date", "format the cell as Text"),
    "time of day": Broken(put("links!H3", Pattern(0.5, "hh:mm")), "links!H3", "date or a time", "as Number"),
    "elapsed time": Broken(put("links!H3", Pattern(1.5, "[h]:mm")), "links!H3", "date or a time", "as Number"),
    "formula for a number": Broken(put("links!G4", Formula("=G3*2", 100)), "links!G4", "'=G3*2'", "value only"),
    "formula for a text": Broken(put("nodes!B3", Formula('=A3&"x"', "x")), "nodes!B3", "holds the formula", "value"),
    "formula for a key": Broken(put("nodes!A3", Formula('="MINE"', "MINE")), "nodes!A3", "formula", "value only"),
    "formula in the header": Broken(put("links!G1", Formula("=1", "distance_km")), "links!G1", "formula", "name"),
    "formula in the units": Broken(put("links!G2", Formula("=1", "km")), "links!G2", "is not the unit", "km"),
    "formula in demand": Broken(put("od!E3", Formula("=2*20000", 40000)), "od!E3", "formula", "value only"),
    "formula in settings": Broken(put("settings!B9", Formula("=0", 0)), "settings!B9", "formula", "value only"),
    "error for a number": Broken(error_cell("links!G3", "#REF!"), "links!G3", "error #REF!", "write the value"),
    "error for a text": Broken(error_cell("nodes!B3", "#N/A"), "nodes!B3", "error #N/A", "write the value"),
    "formula with an error": Broken(put("links!G3", Formula("=1/0", "#DIV/0!")), "links!G3", "formula", "value"),
    "merged cells": Broken(after("links", "merge_range", "E5:E6", "road"), "links!E5", "merged", "unmerge"),
    "merged header": Broken(after("links", "merge_range", "S1:T1", "source"), "links!S1", "merged", "unmerge"),
    "hidden sheet": Broken(after("links", "hide"), "sheet 'links'", "is hidden", "show it"),
    "very hidden sheet": Broken(after("vehicles", "very_hidden"), "sheet 'vehicles'", "is hidden", "show it"),
    "hidden README": Broken(
        both(after("settings", "set_first_sheet"), after("settings", "activate"), after("README", "hide")),
        "sheet 'README'", "is hidden", "show it",
    ),
    "hidden row": Broken(after("links", "set_row", 4, None, None, {"hidden": True}), "links row 5", "hidden", "filter"),
    "hidden column": Broken(
        after("links", "set_column", "G:G", None, None, {"hidden": True}), "links!G1", "hidden column", "show it"
    ),
    "unknown sheet": Broken(
        lambda draft: draft.sheets.update(Sheet1=[["x"]]), "sheet 'Sheet1'", "not a sheet", "another workbook"
    ),
    "misspelt sheet": Broken(renamed("links", "Links"), "sheet 'Links'", "not a sheet", "rename it to 'links'"),
    "missing sheet": Broken(lambda draft: draft.sheets.pop("nodes"), "sheet 'nodes'", "is missing", "a place"),
    "empty sheet": Broken(rows_of("nodes", lambda rows: rows.clear()), "nodes", "is empty", "fleet_region"),
    "misspelt column": Broken(put("links!G1", "distnace_km"), "links!G1", "is not a column", "'distance_km'"),
    "extra column": Broken(put("links!U1", "remarks"), "links!U1", "is not a column", "columns are"),
    "column given twice": Broken(put("links!U1", "link"), "links!U1", "given twice", "keep one"),
    "missing column": Broken(
        rows_of("commodities", lambda rows: [row.pop(4) for row in rows]), "commodities!A1", "value_of_time", "add it"
    ),
    "column without header": Broken(put("links!V5", "x"), "links!V5", "outside the table", "no header"),
    "no row of units": Broken(rows_of("links", lambda rows: rows.pop(1)), "links!A2", "row of units", "EUR/vkm"),
    "other unit": Broken(put("links!G2", "m"), "links!G2", "is not the unit", "give the figures in km"),
    "blank unit": Broken(put("links!G2", None), "links!G2", "is blank instead", "km"),
    "words in the units": Broken(put("links!D2", "yes/no"), "links!D2", "under this header", "TRUE or FALSE"),
    "text under the table": Broken(put("links!A14", "as of May"), "links!A14", "only cell", "under a table"),
    "text further down": Broken(put("links!B16", "as of May"), "links!B16", "only cell", "under a table"),
    "text far down": Broken(put("links!B900", "as of May"), "links!B900", "886 empty rows", "delete"),
    "blank row": Broken(rows_of("links", lambda rows: rows.insert(5, [])), "links row 6", "is blank", "delete"),
    "TRUE for a number": Broken(put("links!G3", True), "links!G3", "is TRUE", "a number"),
    "TRUE for a text": Broken(put("nodes!B3", True), "nodes!B3", "is TRUE", "a text"),
}  # fmt: skip

NOT_A_VALUE: dict[str, Broken] = {
    "decimal comma": Broken(put("links!G3", "12,5"), "links!G3", "decimal comma", "12.5"),
    "decimal comma in demand": Broken(put("od!E3", "12,5"), "od!E3", "decimal comma", "12.5"),
    "thousands separator": Broken(put("od!E3", "40,000"), "od!E3", "thousands", "40000"),
    "unit in the cell": Broken(put("links!G3", "50 km"), "links!G3", "units and words", "did you mean 50"),
    "space behind a number": Broken(put("links!G3", "50 "), "links!G3", "as written", "did you mean 50"),
    "n/a": Broken(put("links!G3", "n/a"), "links!G3", "not a finite number", "give the figure"),
    "too large": Broken(put("links!G3", "1e400"), "links!G3", "too large", "allowed are"),
    "blank cell": Broken(put("links!G3", None), "links!G3", "is blank", "length in km"),
    "negative": Broken(put("links!G3", -50), "links!G3", "is below 0.01 km", "did you mean 50 km"),
    "wrong unit": Broken(put("vehicles!K4", 400000), "vehicles!K4", "not plausible", "did you mean 400 km"),
    "per cent": Broken(put("countries!C3", 40), "countries!C3", "is above 1", "did you mean 0.4"),
    "half a year": Broken(put("vehicles!P3", 10.5), "vehicles!P3", "not a whole number", ""),
    "yes": Broken(put("links!D3", "yes"), "links!D3", "not true or false", "did you mean true"),
    "one for true": Broken(put("links!D3", 1), "links!D3", "not true or false", "did you mean true"),
    "misspelt choice": Broken(put("links!E3", "raod"), "links!E3", "not one of the choices", "'road'"),
    "list with commas": Broken(put("commodities!F3", "road, rail"), "commodities!F3", "choices", "road;rail"),
    "misspelt reference": Broken(put("links!B3", "MIEN"), "links!B3", "not in nodes.node", "'MINE'"),
    "number for a name": Broken(put("links!B3", 5), "links!B3", "not in nodes.node", "nodes has"),
    "same key twice": Broken(put("links!A4", "ROAD_MINE_WEST"), "links!A4", "same key as row 3", "rename"),
    "names differ by case": Broken(put("links!A4", "Road_Mine_West"), "links!A4", "upper and lower case", "name"),
    "name like a formula": Broken(
        both(put("sources!A5", "=cmd|x"), put("sources!B5", "x")), "sources!A5", "may not", "did you mean"
    ),
    "space before a name": Broken(put("nodes!B3", " Mine"), "nodes!B3", "space at its start", "'Mine'"),
    "line break": Broken(put("nodes!B3", "Old\nmine"), "nodes!B3", "control", "did you mean"),
    "invisible character": Broken(put("nodes!B3", "Mi\u200bne"), "nodes!B3", "invisible", "'Mine'"),
    "unknown commodity in demand": Broken(put("od!C3", "OER"), "od!C3", "not in commodities", "'ORE'"),
    "flow given twice": Broken(put("od!D4", 2025), "od!A4", "same key as row 3", "add the two up"),
    "negative demand": Broken(put("od!E3", -1), "od!E3", "is below 0", "did you mean 1"),
    "rule across sheets": Broken(put("vehicles!G3", 70), "vehicles!G3", "not less than gross_t", "swapped"),
    "unknown setting": Broken(put("settings!A9", "discount"), "settings!A9", "is not known", "'discount_rate'"),
    "missing setting": Broken(
        rows_of("settings", lambda rows: rows.pop(8)), "sheet 'settings', key discount_rate", "is missing", "share"
    ),
    "setting given twice": Broken(put("settings!A4", "name"), "settings!A4", "same key as row 3", "remove one"),
    "blank setting": Broken(put("settings!B4", None), "settings!B4", "is blank", "give title"),
    "rate in per cent": Broken(put("settings!B9", 4), "settings!B9", "not between 0 and 0.3", "did you mean 0.04"),
    "rate with a comma": Broken(put("settings!B9", "0,04"), "settings!B9", "not a number", "0.04"),
    "capitals in the short name": Broken(put("settings!B3", "My Case"), "settings!B3", "short name", "'my-case'"),
    "gap between periods": Broken(put("periods!A4", 2031), "periods!A4", "does not begin where", "2030"),
    "period of no length": Broken(put("periods!B3", 0), "periods!B3", "is below 1", "allowed are"),
    "period as text": Broken(put("periods!A3", "soon"), "periods!A3", "not a whole number", "digits"),
}

BROKEN = NOT_A_TABLE | NOT_A_VALUE
