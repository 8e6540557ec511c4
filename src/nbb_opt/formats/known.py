"""What ids stand for: the zones and commodities of an instance, and tables that give other names to them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from nbb_opt.demand.add_rows import NO_ZONE
from nbb_opt.errors import InstanceError, Problem
from nbb_opt.formats.row_filter import KnownIds
from nbb_opt.instance import read_places_and_goods

MAP_COLUMNS = ("given", "becomes")


def known_names(instance: Path | None, zone_map: Path | None, commodity_map: Path | None) -> KnownIds | None:
    """Zones and commodities of `instance`; a map (CSV with the columns `given` and `becomes`) stands before them.

    None if all three are. Without an instance every name of a map is good, and both maps are needed. Raises
    InstanceError if an instance cannot be read or a map leads to a name that it does not have.
    """
    if instance is None and zone_map is None and commodity_map is None:
        return None
    zones: dict[str, int] | None = None
    commodities: dict[str, int] | None = None
    if instance is not None:
        nodes, goods = read_places_and_goods(instance)
        is_zone = zip(nodes["node"], nodes["is_zone"], strict=True)
        zones = {node: i if zone else NO_ZONE for i, (node, zone) in enumerate(is_zone)}
        commodities = {name: i for i, name in enumerate(goods["commodity"])}
    elif zone_map is None or commodity_map is None:
        hint = "give instance=, or both zone_map= and commodity_map="
        raise InstanceError([Problem("maps", "nothing says what the other ids are", hint)])
    zone_of, zone_names = _mapped(zones, zone_map, "a zone")
    commodity_of, commodity_names = _mapped(commodities, commodity_map, "a commodity")
    return KnownIds(zone_of, commodity_of, zone_names, commodity_names, instance is not None)


def _mapped(index: dict[str, int] | None, path: Path | None, what: str) -> tuple[dict[str, int], tuple[str, ...]]:
    """Index of every given name, and the names in the order of their indices."""
    if path is None:
        assert index is not None
        return index, tuple(index)
    becomes = _read_map(path)
    if index is None:
        index = {name: i for i, name in enumerate(dict.fromkeys(becomes.values()))}
    problems = [
        Problem(f"{path.name}, given {given!r}", f"becomes {name!r}, which is not {what} of the instance", "correct it")
        for given, name in becomes.items()
        if index.get(name, NO_ZONE) == NO_ZONE
    ]
    if problems:
        raise InstanceError(problems)
    return {given: index[name] for given, name in becomes.items()}, tuple(index)


def _read_map(path: Path) -> Mapping[str, str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.reader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InstanceError([Problem(str(path), f"cannot be read: {error}", "give a CSV file")]) from error
    if not rows or tuple(rows[0]) != MAP_COLUMNS:
        raise InstanceError([Problem(str(path), "has another header", f"it must be {','.join(MAP_COLUMNS)}")])
    problems = []
    found: dict[str, str] = {}
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != 2 or not all(row):
            problems.append(Problem(f"{path.name} row {number}", "is not two names", "given,becomes"))
        elif row[0] in found:
            problems.append(Problem(f"{path.name} row {number}", f"{row[0]!r} stands twice", "keep one of them"))
        else:
            found[row[0]] = row[1]
    if problems:
        raise InstanceError(problems)
    return found
