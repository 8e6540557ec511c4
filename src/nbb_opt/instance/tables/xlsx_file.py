"""The cells of an .xlsx file, read without trust: sizes limited, no entities, no formula taken for a value.

A workbook is a .zip of XML. It is read as a stream and never unpacked; what Excel shows in other ways than by a plain
value (formulas, dates, merged cells, what is hidden) is kept apart so that it can be refused by name.
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance.package import zip_problems
from nbb_opt.instance.tables.xlsx_sheet import Damaged, Grid, SheetHandler, unescaped
from nbb_opt.instance.tables.xlsx_styles import StyleHandler

MAX_FILE_BYTES = 64 * 2**20
MAX_UNPACKED_BYTES = 256 * 2**20
_CHUNK_BYTES = 2**16
_MAX_STRINGS = 1_000_000
_MAX_SHEETS = 200
_OLE = b"\xd0\xcf\x11\xe0"
_SAVE = "open it in Excel or LibreOffice and save it as an Excel workbook (.xlsx)"
Start = Callable[[str, dict[str, str]], None]


@dataclass(frozen=True)
class Book:
    """Names of all sheets in order, those that are hidden, and the grids of the sheets that were asked for."""

    names: tuple[str, ...]
    hidden: frozenset[str]
    grids: dict[str, Grid]


def read_book(path: Path, wanted: Collection[str]) -> Book:
    """The sheets of a workbook. Raises InstanceError if it is not one, is damaged, or is not safe to read."""

    def refuse(what: str, hint: str, rule: str = "workbook") -> InstanceError:
        return InstanceError([Problem(path.name, what, hint, rule)])

    try:
        size = path.stat().st_size
        with open(path, "rb") as stream:
            start = stream.read(4)
        if size > MAX_FILE_BYTES:
            raise refuse(f"has {size / 2**20:.0f} MiB", f"a workbook has at most {MAX_FILE_BYTES // 2**20} MiB", "size")
        if start == _OLE:
            what = "is protected by a password, or is of the old format of Excel"
            raise refuse(what, f"{_SAVE}, without a password")
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            problems = zip_problems(path.name, entries)
            if problems:
                raise InstanceError(problems)
            total = sum(entry.file_size for entry in entries)
            if total > MAX_UNPACKED_BYTES:
                hint = (
                    f"{MAX_UNPACKED_BYTES // 2**20} MiB are allowed; delete the empty formatted rows under the tables"
                )
                raise refuse(f"unpacks to {total / 2**20:.0f} MiB", hint, "size")
            if any(entry.filename.lower().endswith(("vbaproject.bin", "workbook.bin")) for entry in entries):
                raise refuse("holds macros or is binary", _SAVE)
            return _Reader(archive).book(wanted)
    except Damaged as fault:
        raise refuse(str(fault), fault.hint or _SAVE, fault.rule) from fault
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, expat.ExpatError) as error:
        raise refuse(f"cannot be read as a workbook: {error}", _SAVE) from error
    except (ValueError, LookupError, RuntimeError, OverflowError) as error:
        raise refuse(f"is damaged: {type(error).__name__} {error}", _SAVE) from error


class _Reader:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.members = {info.filename.casefold(): info.filename for info in archive.infolist()}

    def book(self, wanted: Collection[str]) -> Book:
        main = next(iter(self._related("").get("officeDocument", {}).values()), "")
        if not main:
            raise Damaged("is not an Excel workbook")
        sheets: list[tuple[str, str, bool]] = []
        dates_from_1904 = False

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal dates_from_1904
            if name == "sheet":
                key = next((v for k, v in attributes.items() if k.rpartition(":")[2] == "id" and ":" in k), "")
                shown = attributes.get("state", "visible") == "visible"
                sheets.append((unescaped(attributes.get("name", "")), key, shown))
                if len(sheets) > _MAX_SHEETS:
                    raise Damaged(f"has more than {_MAX_SHEETS} sheets")
            elif name == "workbookPr":
                dates_from_1904 = attributes.get("date1904") in ("1", "true")

        self._parse(main, start)
        related = self._related(main)
        strings = self._strings(next(iter(related.get("sharedStrings", {}).values()), ""))
        styles = StyleHandler()
        for style_part in related.get("styles", {}).values():
            self._parse(style_part, styles.start, styles.end)
        names = [name for name, _, _ in sheets]
        if len({name.casefold() for name in names}) < len(names):
            raise Damaged("has two sheets of one name")
        grids = {}
        for name, key, _ in sheets:
            if name in wanted:
                part = related.get("worksheet", {}).get(key, "")
                if not part:
                    raise Damaged(f"has a sheet {name!r} without cells", "it must be a worksheet, not a chart")
                handler = SheetHandler(name, strings, styles.dates(), from_1904=dates_from_1904)
                self._parse(part, handler.start, handler.end, handler.text)
                grids[name] = handler.grid
        return Book(tuple(names), frozenset(name for name, _, shown in sheets if not shown), grids)

    def _related(self, part: str) -> dict[str, dict[str, str]]:
        """Parts a part refers to: kind -> id -> name inside the .zip."""
        folder, _, file = part.rpartition("/")
        found: dict[str, dict[str, str]] = {}

        def start(name: str, attributes: dict[str, str]) -> None:
            if name == "Relationship" and attributes.get("TargetMode") != "External":
                kind = attributes.get("Type", "").rpartition("/")[2]
                target = posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", ""))).lstrip("/")
                found.setdefault(kind, {})[attributes.get("Id", "")] = target

        self._parse(f"{folder}/_rels/{file}.rels".lstrip("/"), start)
        return found

    def _strings(self, part: str) -> list[str]:
        strings: list[str] = []
        pieces: list[str] = []
        keep = False
        phonetic = 0

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal keep, phonetic
            if name == "si":
                pieces.clear()
            elif name == "rPh":
                phonetic += 1
            keep = name == "t" and not phonetic

        def end(name: str) -> None:
            nonlocal keep, phonetic
            keep = False
            if name == "rPh":
                phonetic -= 1
            elif name == "si":
                strings.append(unescaped("".join(pieces)))
                if len(strings) > _MAX_STRINGS:
                    raise Damaged(f"holds more than {_MAX_STRINGS} texts", rule="size")

        def text(data: str) -> None:
            if keep:
                pieces.append(data)

        if part:
            self._parse(part, start, end, text)
        return strings

    def _parse(
        self,
        part: str,
        start: Start,
        end: Callable[[str], None] | None = None,
        text: Callable[[str], None] | None = None,
    ) -> None:
        """Feeds one XML part to handlers; names come without namespace. Document types and entities are refused."""
        member = self.members.get(part.casefold())
        if member is None:
            raise Damaged(f"has no part {part or 'of any kind'}")
        parser = expat.ParserCreate()
        parser.buffer_text = True

        def refuse_doctype(*_: object) -> None:
            raise Damaged("declares a document type, which workbooks do not")

        parser.StartDoctypeDeclHandler = refuse_doctype
        parser.StartElementHandler = lambda name, attributes: start(name.rpartition(":")[2], attributes)
        if end is not None:
            parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
        if text is not None:
            parser.CharacterDataHandler = text
        with self.archive.open(member) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                parser.Parse(chunk, False)
            parser.Parse(b"", True)
