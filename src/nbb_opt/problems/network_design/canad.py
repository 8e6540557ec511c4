"""The text format of the Canad instances (.dow) of Crainic, Gendron and Frangioni, turned into instance folders.

Line 1 is a title, line 2 says how many nodes, arcs and commodities there are; then one line per arc (from, to, cost,
capacity, fixed cost, and two numbers that say nothing more), then one per commodity (origin, destination, demand).
Nodes count from 1. The counts of line 2 are trusted, not the name of the file.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nbb_opt.errors import InstanceError, NbbError, Problem
from nbb_opt.problems.network_design.instance import META, PROBLEM, TABLES, DesignInstance, read_design

ENDING = ".dow"
MOST_BYTES = 64 * 2**20
_ARC = ("from node", "to node", "cost", "capacity", "fixed cost")
_COMMODITY = ("origin", "destination", "demand")


@dataclass(frozen=True)
class Dow:
    """The figures of one file; nodes count from 1."""

    nodes: int
    arcs: tuple[tuple[int, int, float, float, float], ...]
    commodities: tuple[tuple[int, int, float], ...]


def read_dow(path: Path) -> Dow:
    """The figures of a .dow file. Raises InstanceError with every line at fault."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InstanceError([Problem(path.name, f"is larger than {MOST_BYTES >> 20} MiB", "is it a .dow file?")])
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InstanceError([Problem(path.name, f"cannot be read: {error}", "give a .dow text file")]) from error
    problems: list[Problem] = []
    counts = _numbers(lines[1], 3) if len(lines) > 1 else None
    if counts is None or not all(x == int(x) and 0 < x < 1e7 for x in counts):
        what = "does not say how many nodes, arcs and commodities there are"
        raise InstanceError([Problem(f"{path.name} line 2", what, "three whole numbers above 0, such as 20 228 39")])
    nodes, arcs, commodities = (int(x) for x in counts)
    while lines and not lines[-1].strip():
        lines.pop()
    if len(lines) - 2 != arcs + commodities:
        what = f"has {len(lines) - 2} lines after the head, which says {arcs} arcs and {commodities} commodities"
        problems.append(Problem(path.name, what, "the file is cut off, or its head is wrong"))
    found: list[tuple[float, ...]] = []
    for number, line in enumerate(lines[2 : 2 + arcs + commodities], start=3):
        names = _ARC if number < 3 + arcs else _COMMODITY
        values = _numbers(line, len(names))
        what = "" if values is not None else f"does not hold {', '.join(names)}"
        if values is not None:
            what = _fault(values, names, nodes)
            found.append(values)
        if what:
            problems.append(Problem(f"{path.name} line {number}", what, f"found: {line.strip()[:60]!r}"))
    if problems:
        raise InstanceError(problems)
    return Dow(
        nodes,
        tuple((int(a), int(b), *rest) for a, b, *rest in found[:arcs]),  # type: ignore[misc]
        tuple((int(a), int(b), demand) for a, b, demand in found[arcs:]),
    )


def _numbers(line: str, many: int) -> tuple[float, ...] | None:
    """The first `many` numbers of a line; None if there are fewer, or one is none."""
    cells = line.split()[:many]
    try:
        values = tuple(float(cell) for cell in cells)
    except ValueError:
        return None
    return values if len(values) == many and all(math.isfinite(x) for x in values) else None


def _fault(values: Sequence[float], names: Sequence[str], nodes: int) -> str:
    for value, name in zip(values[:2], names[:2], strict=True):
        if value != int(value) or not 1 <= value <= nodes:
            return f"{name} {value:g} is not a node (1 to {nodes})"
    if values[0] == values[1]:
        return f"{names[0]} and {names[1]} are the same node"
    for value, name in zip(values[2:], names[2:], strict=True):
        if value < 0 or (value == 0 and name in ("capacity", "demand")):
            return f"{name} {value:g} is not above zero" if name in ("capacity", "demand") else f"{name} is below zero"
    return ""


def convert_canad(source: Path, target: Path) -> list[DesignInstance]:
    """Write instance folders: of a file to `target`, of a folder of .dow files (at any depth) one each below `target`.

    Raises InstanceError with the faults of every file, and NbbError where a target is there already; then nothing is
    written.
    """
    if not source.exists():
        raise InstanceError([Problem(str(source), "does not exist", "give a .dow file or a folder of them")])
    files = sorted(source.rglob(f"*{ENDING}")) if source.is_dir() else [source]
    if not files:
        raise InstanceError([Problem(str(source), f"holds no {ENDING} file", "give the folder that holds them")])
    read: list[tuple[Path, Dow]] = []
    problems: list[Problem] = []
    for path in files:
        try:
            read.append((target / name_of(path) if source.is_dir() else target, read_dow(path)))
        except InstanceError as error:
            problems.extend(error.problems)
    twice = sorted({str(to) for to, _ in read if sum(to == other for other, _ in read) > 1})
    problems += [Problem(to, "would be written twice", "rename one of the files") for to in twice]
    if problems:
        raise InstanceError(problems)
    for to, _dow in read:
        if to.exists():
            raise NbbError(f"{to}: is there already; name another target")
    return [_write(to, dow, path) for (to, dow), path in zip(read, files, strict=True)]


def name_of(path: Path) -> str:
    """Name of the instance made of a file.

    >>> name_of(Path("CPlus/c25_100_10_F_L_5.dow"))
    'c25_100_10_f_l_5'
    """
    return re.sub(r"[^a-z0-9_-]+", "-", path.stem.lower()).strip("-_")[:64] or "canad"


def _write(target: Path, dow: Dow, source: Path) -> DesignInstance:
    words = {
        "problem": PROBLEM,
        "name": name_of(source),
        "title": f"Canad {source.stem}",
        "version": "1",
        "licence": "not stated",
        "description": f"Converted from {source.name}, a network design instance in the format of Crainic, Gendron and "
        "Frangioni. Its figures have no unit; they stand here as EUR and t.",
    }
    rows: dict[str, list[Sequence[object]]] = {
        "nodes": [(f"n{i}",) for i in range(1, dow.nodes + 1)],
        "arcs": [
            (f"a{i}", f"n{a}", f"n{b}", *map(_plain, (cost, capacity, fixed)))
            for i, (a, b, cost, capacity, fixed) in enumerate(dow.arcs, start=1)
        ],
        "commodities": [
            (f"k{i}", f"n{a}", f"n{b}", _plain(demand)) for i, (a, b, demand) in enumerate(dow.commodities, start=1)
        ],
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
    try:
        text = "".join(f"{key} = {json.dumps(words[key], ensure_ascii=False)}\n" for key in META)
        (work / "instance.toml").write_text(text, encoding="utf-8")
        for table in TABLES:
            sheet = io.StringIO(newline="")
            writer = csv.writer(sheet, lineterminator="\n")
            writer.writerow([column.name for column in table.columns])
            writer.writerows(rows[table.name])
            (work / f"{table.name}.csv").write_text(sheet.getvalue(), encoding="utf-8")
        work.chmod(0o755)
        read_design(work)
        work.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return read_design(target)


def _plain(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
