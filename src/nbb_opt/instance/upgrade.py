"""An instance with old names as one of today's format: names of tables, columns and choices change, nothing else."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import tempfile
import zipfile
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance.package import MANIFEST_FILE, META_FILE, open_package
from nbb_opt.instance.read import write_manifest
from nbb_opt.instance.schema import BY_NAME
from nbb_opt.instance.tables.xlsx_file import SheetCell, read_book
from nbb_opt.instance.wording import column_letters
from nbb_opt.instance.workbook.read import is_spreadsheet
from nbb_opt.instance.workbook.sheets import README, SHEET_NAMES
from nbb_opt.renames import RENAMES, new_names

_FIELD = re.compile(r'("(?:[^"]|"")*"|[^,\r\n]*)(,|\r?\n|\r|$)')
_CELL = re.compile(r"<((?:\w+:)?)c\b([^>]*?)(?:/>|>.*?</\1c>)", re.DOTALL)
_TIP = re.compile(r"<(?:\w+:)?dataValidation\b[^>]*>")
_FORMULA = re.compile(r"(<(?:\w+:)?(?:formula1|formula2|definedName|f)\b[^>]*>)([^<]*)(<)")
_TABLE_NAMES = new_names("table")


def upgrade(old: Path | str, new: Path | str) -> list[str]:
    """Write the instance `old` (folder, .zip or workbook) to `new` with the names of today; what was renamed, in lines.

    Every other file and byte is copied; a checksum manifest is checked first and written anew. Raises InstanceError if
    `new` exists or is of another kind than `old`, if `old` is none of the three, or if a table is there under both
    names.
    """
    old, new = Path(old), Path(new)
    if new.exists() or new.is_symlink():
        raise InstanceError([Problem(str(new), "exists", "choose another name", "upgrade")])
    if not old.is_dir() and old.suffix.lower() != new.suffix.lower():
        hint = f"give it the ending {old.suffix} too; `nbb-opt convert` changes the kind afterwards"
        raise InstanceError([Problem(str(new), f"is not named like {old.name}", hint, "upgrade")])
    new.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=new.parent, prefix=".upgrade-") as temporary:
        target = Path(temporary) / new.name
        if is_spreadsheet(old):
            lines = _workbook(old, target)
        else:
            package = open_package(old)
            if META_FILE not in package:
                raise InstanceError([Problem(str(old), f"has no {META_FILE}", "give an instance", "upgrade")])
            lines = _zip(old, target) if package.zipped else _folder(old, target)
        os.replace(target, new)
    return lines


def _folder(old: Path, target: Path) -> list[str]:
    checksummed = (old / MANIFEST_FILE).is_file()
    if checksummed:
        _check_manifest(old)
    shutil.copytree(old, target, symlinks=True)
    lines = []
    for path in sorted(target.iterdir()):
        if path.is_file() and _may_change(path.name):
            name, data, said = _file(path.name, path.read_bytes())
            if said:
                if name != path.name and (target / name).exists():
                    raise InstanceError([_both(path.name, name)])
                path.unlink()
                (target / name).write_bytes(data)
            lines += said
    if checksummed and lines:
        (target / MANIFEST_FILE).unlink()
        write_manifest(target)
        lines.append(f"{MANIFEST_FILE}: written anew")
    return lines


def _zip(old: Path, target: Path) -> list[str]:
    lines = []
    with zipfile.ZipFile(old) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as written:
        names = source.namelist()
        if any(PurePosixPath(name).name == MANIFEST_FILE for name in names):
            hint = "unpack it and upgrade the folder"
            raise InstanceError(
                [Problem(old.name, f"holds a {MANIFEST_FILE}, which has to be written anew", hint, "manifest")]
            )
        for info in source.infolist():
            data = source.read(info)
            place = PurePosixPath(info.filename)
            if _may_change(place.name):
                name, data, said = _file(place.name, data)
                if name != place.name and str(place.with_name(name)) in names:
                    raise InstanceError([_both(place.name, name)])
                info.filename = str(place.with_name(name))
                lines += said
            written.writestr(info, data, compress_type=info.compress_type)
    return lines


def _both(old: str, new: str) -> Problem:
    return Problem(old, f"is now called {new}, which is there too", "keep one of them", "two_files")


def _check_manifest(folder: Path) -> None:
    """Raises InstanceError for a file that is not the one its checksum was written for."""
    problems = []
    try:
        listed = json.loads((folder / MANIFEST_FILE).read_text("utf-8"))["resources"]
        hashes = {str(entry["path"]): entry["hash"] for entry in listed}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        what = "is not a list of resources with path and hash"
        raise InstanceError(
            [Problem(MANIFEST_FILE, what, "fetch the instance again, or remove it", "manifest")]
        ) from error
    for name, hashed in hashes.items():
        path = folder / name
        data = path.read_bytes() if path.parent == folder and path.is_file() else b""
        if f"sha256:{hashlib.sha256(data).hexdigest()}" != hashed:
            what = f"is not the file {MANIFEST_FILE} was written for"
            problems.append(Problem(name, what, f"fetch it again, or remove {MANIFEST_FILE}", "manifest"))
    if problems:
        raise InstanceError(problems)


def _table(name: str) -> str:
    """The table of today that a file or sheet holds, or ""."""
    new = _TABLE_NAMES.get(name, name)
    return new if new in BY_NAME else ""


def _choices(table: str) -> dict[str, dict[str, str]]:
    """Column -> old choice -> new choice."""
    columns = {each.within.partition(".")[2] for each in RENAMES if each.within.startswith(f"{table}.")}
    return {column: new_names("choice", f"{table}.{column}") for column in columns}


def _may_change(file: str) -> bool:
    stem, _, ending = file.rpartition(".")
    table = _table(stem)
    return ending in ("csv", "parquet") and bool(
        table and (stem in _TABLE_NAMES or new_names("column", table) or _choices(table))
    )


def _file(file: str, data: bytes) -> tuple[str, bytes, list[str]]:
    """New name and bytes of a file of a table, and what was renamed."""
    stem, _, ending = file.rpartition(".")
    table = _table(stem)
    data, lines = (_csv if ending == "csv" else _parquet)(data, table)
    lines = [f"{file}: {line}" for line in lines]
    if table != stem:
        lines.insert(0, f"{file}: is now {table}.{ending}")
    return f"{table}.{ending}", data, lines


def _csv(data: bytes, table: str) -> tuple[bytes, list[str]]:
    """Cells of the header and choices are exchanged where they stand; every other byte stays."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return data, []
    columns, choices = new_names("column", table), _choices(table)
    lines: dict[str, None] = {}
    out: list[str] = ["\ufeff"] if text.startswith("\ufeff") else []
    header: list[str] = []
    row = place = 0
    for match in _FIELD.finditer(text, len(out)):
        cell, end = match.groups()
        if not match.group() and match.start() == len(text):
            break
        word = cell[1:-1].replace('""', '"') if cell.startswith('"') else cell
        if row == 0:
            header.append(word)
            now = columns.get(word)
            said = f"column {word} is now {now}"
        else:
            column = header[place] if place < len(header) else ""
            now = choices.get(columns.get(column, column), {}).get(word)
            said = f"{word} is now {now}"
        if now is not None:
            lines[said] = None
            cell = f'"{now}"' if cell.startswith('"') else now
        out += (cell, end)
        row, place = (row, place + 1) if end == "," else (row + 1, 0)
    return "".join(out).encode("utf-8"), list(lines)


def _parquet(data: bytes, table: str) -> tuple[bytes, list[str]]:
    content = pq.read_table(io.BytesIO(data))
    columns = new_names("column", table)
    lines = [f"column {name} is now {columns[name]}" for name in content.column_names if name in columns]
    content = content.rename_columns([columns.get(name, name) for name in content.column_names])
    for column, words in _choices(table).items():
        if column not in content.column_names:
            continue
        place = content.column_names.index(column)
        cells = content.column(place)
        for old, new in words.items():
            there = pc.equal(cells.cast(pa.string()), old)
            if pc.any(there).as_py():
                cells = pc.if_else(there, new, cells.cast(pa.string()))
                lines.append(f"{old} is now {new}")
        content = content.set_column(place, column, cells)
    if not lines:
        return data, []
    written = io.BytesIO()
    pq.write_table(content, written, write_page_checksum=True)
    return written.getvalue(), lines


def _workbook(old: Path, target: Path) -> list[str]:
    """Cells, names of sheets and what points at them are exchanged in the XML; styles, comments and all else stay."""
    book = read_book(old, [*SHEET_NAMES, *_TABLE_NAMES, README])
    lines: list[str] = []
    for name, new in _TABLE_NAMES.items():
        if name in book.names:
            if new in book.names:
                raise InstanceError([_both(name, new)])
            lines.append(f"sheet {name}: is now {new}")
    changes = {name: found for name in book.grids if (found := _cells(book.grids[name].rows, name, lines))}
    with zipfile.ZipFile(old) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as written:
        parts = _parts(source)
        sheet_of = {part: name for name, part in parts.items()}
        notes = {part: name for name in parts for part in _related(source, parts[name], "comments").values()}
        for info in source.infolist():
            data = source.read(info)
            name = info.filename
            if name.endswith(".xml") and (name in sheet_of or name in notes or name == "docProps/app.xml"):
                data = _part(data.decode("utf-8"), sheet_of.get(name, ""), notes.get(name, ""), changes).encode()
            elif name == _main(source):
                data = _names(data.decode("utf-8")).encode()
            written.writestr(info, data, compress_type=info.compress_type)
    return lines


def _cells(rows: dict[int, dict[int, SheetCell]], sheet: str, lines: list[str]) -> dict[str, str]:
    """Place of a cell, such as D1 -> its new text."""
    table = _table(sheet)
    texts = {row: {place: cell.text for place, cell in cells.items()} for row, cells in rows.items()}
    found: dict[str, str] = {}
    if sheet == README:
        endings = ("", " (optional)")
        words = {old + end: new + end for old, new in _TABLE_NAMES.items() for end in endings}
        named = {(row, place): words.get(text) for row, cells in texts.items() for place, text in cells.items()}
    else:
        columns, choices = new_names("column", table), _choices(table)
        header = texts.get(0, {})
        named = {(0, place): columns.get(text) for place, text in header.items()}
        lines += [f"sheet {sheet}: column {text} is now {columns[text]}" for text in header.values() if text in columns]
        for place, text in header.items():
            exchanged = choices.get(columns.get(text, text), {})
            seen = [(row, cells[place]) for row, cells in texts.items() if row and cells.get(place) in exchanged]
            named |= {(row, place): exchanged[word] for row, word in seen}
            lines += [f"sheet {sheet}: {word} is now {exchanged[word]}" for word in dict.fromkeys(w for _, w in seen)]
    for (row, place), new in named.items():
        if new is not None:
            found[f"{column_letters(place)}{row + 1}"] = new
    return found


def _part(text: str, sheet: str, notes: str, changes: dict[str, dict[str, str]]) -> str:
    cells = changes.get(sheet, {})

    def cell(match: re.Match[str]) -> str:
        prefix, attributes = match.groups()
        place = re.search(r'\br="([A-Z]+[0-9]+)"', attributes)
        if place is None or place[1] not in cells:
            return match[0]
        kept = re.sub(r'\s*\bt="[^"]*"', "", attributes)
        new = escape(cells[place[1]])
        return f'<{prefix}c{kept} t="inlineStr"><{prefix}is><{prefix}t>{new}</{prefix}t></{prefix}is></{prefix}c>'

    if notes:  # a comment begins with the name of the column it is on
        for old, new in new_names("column", _table(notes)).items():
            text = re.sub(rf">{old}: ", f">{new}: ", text)
        for words in _choices(_table(notes)).values():
            for old, new in words.items():
                text = re.sub(rf"\b{old}\b", new, text)
        return text
    return _names(_CELL.sub(cell, text) if cells else text, sheet)


def _names(text: str, sheet: str = "") -> str:
    """Names of sheets in `<sheet name=...>`, lists of sheets and formulas; choices in the drop-downs of a sheet."""
    words = [pair for choices in _choices(_table(sheet)).values() for pair in choices.items()] if sheet else []

    def formula(match: re.Match[str]) -> str:
        start, inside, end = match.groups()
        for old, new in _TABLE_NAMES.items():
            inside = re.sub(rf"(?<![\w.])('?){old}\1!", rf"\1{new}\1!", inside)
        return start + exchanged(inside) + end

    def exchanged(inside: str) -> str:
        for old, new in words:
            inside = re.sub(rf"\b{old}\b", new, inside)
        return inside

    for old, new in _TABLE_NAMES.items():
        text = re.sub(rf'(<(?:\w+:)?sheet\b[^>]*\bname="){old}(")', rf"\g<1>{new}\2", text)
        text = text.replace(f"<vt:lpstr>{old}</vt:lpstr>", f"<vt:lpstr>{new}</vt:lpstr>")
    return _FORMULA.sub(formula, _TIP.sub(lambda match: exchanged(match[0]), text))


def _main(source: zipfile.ZipFile) -> str:
    return next(iter(_related(source, "", "officeDocument").values()))


def _parts(source: zipfile.ZipFile) -> dict[str, str]:
    """Sheet -> name of its part inside the .zip."""
    main = _main(source)
    parts = _related(source, main, "worksheet")
    found = {}
    for element in ElementTree.fromstring(source.read(main)).iter():
        if element.tag.rpartition("}")[2] == "sheet":
            key = next(value for name, value in element.attrib.items() if name.endswith("}id"))
            found[element.attrib["name"]] = parts[key]
    return found


def _related(source: zipfile.ZipFile, part: str, kind: str) -> dict[str, str]:
    """Id -> name of the parts of a kind that a part refers to."""
    folder, _, file = part.rpartition("/")
    name = f"{folder}/_rels/{file}.rels" if folder else f"_rels/{file}.rels"
    if name not in source.namelist():
        return {}
    found = {}
    for element in ElementTree.fromstring(source.read(name)).iter():
        if element.attrib.get("Type", "").rpartition("/")[2] == kind:
            target = element.attrib["Target"]
            path = target[1:] if target.startswith("/") else os.path.normpath(f"{folder}/{target}").lstrip("/")
            found[element.attrib["Id"]] = path
    return found
