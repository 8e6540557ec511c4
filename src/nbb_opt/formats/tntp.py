"""TNTP: the text files of the Transportation Networks for Research collection, trip tables and networks."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path

import numpy as np

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.formats.table import MOST_BYTES_WHOLE, OdTable, check_size
from nbb_opt.instance.cells import is_number
from nbb_opt.output import appearing

_COUNT = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?(?![0-9,])|[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?(?![0-9,.])")
_TAG = re.compile(r"<([^>]+)>\s*(.*)")
MOST_ZONES = 1 << 16
LINK_CELLS = 5  # that are read: ends, capacity, length, time
ROUNDED = 1e-4  # how far the total of a head may be from its cells: it is often rounded
NODE_COLUMNS = ("node", "x", "y", "through")
LINK_COLUMNS = ("link", "from_node", "to_node", "distance_km", "time_h", "capacity_per_period")


def is_network(path: Path) -> bool:
    return path.stem.lower().endswith("_net")


def _sections(path: Path) -> tuple[dict[str, str], list[tuple[int, str]]]:
    """Tags of the head, and the lines after it with their numbers; comments (~) are left out."""
    check_size(path, MOST_BYTES_WHOLE)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InstanceError([Problem(path.name, f"cannot be read: {error}", "give a TNTP text file")]) from error
    tags: dict[str, str] = {}
    for number, line in enumerate(lines):
        if found := _TAG.match(line.strip()):
            if found[1].upper() == "END OF METADATA":
                body = [(i + 1, text.split("~")[0].strip()) for i, text in enumerate(lines) if i > number]
                return tags, [(i, text) for i, text in body if text]
            tags[found[1].upper()] = found[2].split("~")[0].strip()
    raise InstanceError([Problem(path.name, "has no <END OF METADATA>", "give a TNTP file")])


def read_trips(path: Path, *, year: int | None, commodity: str) -> tuple[OdTable, list[str]]:
    """A trip table as rows above zero. Its total must be the one of its head, if that gives one."""
    if year is None:
        raise InstanceError([Problem(path.name, "a trip table has no year", "give year=")])
    tags, body = _sections(path)
    problems: list[Problem] = []
    origins: list[int] = []
    destinations: list[int] = []
    tonnes: list[float] = []
    n = int(_stated(path, tags, "NUMBER OF ZONES", needed=True) or 0)
    if not 1 <= n <= MOST_ZONES:
        raise InstanceError(
            [Problem(f"{path.name}, <NUMBER OF ZONES>", f"is {n:,}", f"at most {MOST_ZONES:,} are read")]
        )
    origin = 0
    for number, line in body:
        try:
            if line.lower().startswith("origin"):
                origin = _whole(line.split()[1])
                if not 1 <= origin <= n:
                    raise ValueError(f"origin {origin} is outside 1 to {n}")
                continue
            for piece in line.split(";"):
                if not piece.strip():
                    continue
                to, _, amount = piece.partition(":")
                destination, value = _whole(to), _real(amount)
                if not 1 <= destination <= n or not origin:
                    raise ValueError(f"destination {destination} is outside 1 to {n} or before any origin")
                if not math.isfinite(value) or value < 0:
                    raise ValueError(f"{value} is negative or not finite")
                if value:
                    origins.append(origin - 1)
                    destinations.append(destination - 1)
                    tonnes.append(value)
        except (ValueError, IndexError) as error:
            problems.append(Problem(f"{path.name} line {number}", str(error), "expected: 2 : 100.0; 3 : 50.0;"))
    if problems:
        raise InstanceError(problems)
    total = math.fsum(tonnes)
    stated = _stated(path, tags, "TOTAL OD FLOW")
    if stated is not None and not math.isclose(stated, total, rel_tol=ROUNDED, abs_tol=0.5):
        what = f"its cells sum to {total}, its head says {tags['TOTAL OD FLOW']}"
        raise InstanceError([Problem(f"{path.name}, <TOTAL OD FLOW>", what, "the file may be cut off; correct it")])
    if len(set(zip(origins, destinations, strict=True))) != len(tonnes):
        raise InstanceError([Problem(path.name, "has a pair of zones twice", "remove one of them")])
    zones = tuple(str(i + 1) for i in range(n))
    o, d = np.array(origins, dtype=np.int64), np.array(destinations, dtype=np.int64)
    table = OdTable(
        zones=zones, commodities=(commodity,), origin=o, destination=d, commodity=np.zeros_like(o),
        year=np.full(o.size, year), tonnes=np.array(tonnes, dtype=float),
    )  # fmt: skip
    lines = [f"{n} zones, {o.size:,} pairs above zero, {total:,.1f} in all, taken as t/year of {commodity}"]
    if stated is not None and abs(stated - total) > 1e-6 * total:
        lines.append(f"the head says {tags['TOTAL OD FLOW']} in all: taken as rounded")
    return table, lines


def convert_network(path: Path, target: Path, *, km_per_length: float | None, h_per_time: float | None) -> list[str]:
    """Write the links of a network as CSV with LINK_COLUMNS. TNTP files name no units, so both must be given."""
    if not km_per_length or not h_per_time:
        what = "TNTP does not say its units of length and time"
        raise InstanceError([Problem(path.name, what, "give km_per_length= and h_per_time=")])
    tags, body = _sections(path)
    width = 0
    rows: list[tuple[int, int, int, float, float, float]] = []
    problems: list[Problem] = []
    for number, line in body:
        cells = line.rstrip(";").split()
        try:
            if len(cells) < LINK_CELLS:
                raise ValueError(f"has {len(cells)} columns")
            a, b = _whole(cells[0]), _whole(cells[1])
            capacity, length, time = map(_real, cells[2:5])
            if not all(math.isfinite(x) and x >= 0 for x in (capacity, length, time)):
                raise ValueError("a number is negative or not finite")
            width = max(width, len(cells))
            rows.append((len(rows) + 1, a, b, length * km_per_length, time * h_per_time, capacity))
        except ValueError as error:
            expected = "expected: init_node term_node capacity length free_flow_time ..."
            problems.append(Problem(f"{path.name} line {number}", str(error), expected))
    stated = _stated(path, tags, "NUMBER OF LINKS")
    if stated is not None and not problems and stated != len(rows):
        problems.append(Problem(path.name, f"has {len(rows)} links, its head says {stated:.0f}", "it may be cut off"))
    if problems:
        raise InstanceError(problems)
    nodes = sorted({row[1] for row in rows} | {row[2] for row in rows})
    first_through = int(_stated(path, tags, "FIRST THRU NODE") or 1)
    places = _places(path.with_name(path.name[: -len("net.tntp")] + "node.tntp"))
    with appearing(target) as work, open(work, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(LINK_COLUMNS)
        writer.writerows(rows)
    with appearing(nodes_file(target)) as work, open(work, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(NODE_COLUMNS)
        writer.writerows((node, *places.get(node, ("", "")), str(node >= first_through).lower()) for node in nodes)
    lines = [f"{len(rows):,} links between {len(nodes):,} nodes written; capacity is kept in the units of the file"]
    if width > LINK_CELLS:
        lines.append(f"{width - LINK_CELLS} more columns (b, power, speed, toll, type) are left out")
    if closed := sum(node < first_through for node in nodes):
        lines.append(
            f"{closed} nodes are ends of trips only (first thru node {first_through}): `through` is false in "
            f"{nodes_file(target).name}; no chain may pass them"
        )
    return lines


def _whole(text: str) -> int:
    """
    >>> _whole(" 12 ")
    12
    """
    if not re.fullmatch("[0-9]{1,9}", text.strip()):
        raise ValueError(f"{text.strip()!r} is no whole number")
    return int(text)


def _real(text: str) -> float:
    if not is_number(text.strip()):
        raise ValueError(f"{text.strip()!r} is no number")
    return float(text)


def nodes_file(target: Path) -> Path:
    """Where the nodes of a network go: beside its links."""
    return target.with_suffix(".nodes.csv")


def _places(path: Path) -> dict[int, tuple[float, float]]:
    """Coordinates by node, from a node file; none if there is no such file."""
    if not path.is_file():
        return {}
    found: dict[int, tuple[float, float]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        cells = line.split("~")[0].replace(";", " ").replace(",", " ").split()
        if not cells or cells[0].lower() in ("node", "id"):
            continue
        try:
            found[_whole(cells[0])] = (_real(cells[1]), _real(cells[2]))
        except (ValueError, IndexError):
            raise InstanceError([Problem(f"{path.name} line {number}", "is not node, x, y", "correct it")]) from None
    return found


def _stated(path: Path, tags: dict[str, str], tag: str, *, needed: bool = False) -> float | None:
    """The number that begins a tag of the head (`3 links`, `1,012.0`); None if it is not there."""
    if not tags.get(tag):
        if needed:
            raise InstanceError([Problem(path.name, f"does not say <{tag}>", "add it to the head")])
        return None
    number = _COUNT.match(tags[tag])
    if number is None:
        raise InstanceError([Problem(f"{path.name}, <{tag}>", f"is {tags[tag]!r}", "write it as a number")])
    return float(number[0].replace(",", ""))
