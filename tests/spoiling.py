"""One slip in a copy of tiny, the rule it breaks, and how it is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from instance_copies import Copy
from nbb_opt.instance.schema import BY_NAME


@dataclass(frozen=True)
class Spoiling:
    """What is done to a copy, the rule it breaks, and words of the place and of the fix."""

    rule: str
    spoil: Callable[[Copy], object]
    place: str
    fix: str


def setting(table: str, key: dict[str, str], /, **cells: str) -> Callable[[Copy], object]:
    return lambda copy: copy.set(table, key, **cells)


def adding(table: str, /, **cells: str) -> Callable[[Copy], object]:
    return lambda copy: copy.add(table, **cells)


def creating(table: str, /, **cells: str) -> Callable[[Copy], object]:
    """A file of its own for a table that tiny leaves out, with one row."""
    return writing(table, cells)


def writing(table: str, /, *rows: dict[str, str]) -> Callable[[Copy], object]:
    """A file of its own for a table that tiny leaves out."""
    header = [column.name for column in BY_NAME[table].columns]
    return lambda copy: copy.write(table, header, [{name: row.get(name, "") for name in header} for row in rows])


def dropping(table: str, /, **key: str) -> Callable[[Copy], object]:
    return lambda copy: copy.drop(table, **key)


def steps(*changes: Callable[[Copy], object]) -> Callable[[Copy], object]:
    return lambda copy: [step(copy) for step in changes]


def link(name: str, /, **cells: str) -> Callable[[Copy], object]:
    road = {
        "from_node": "MINE",
        "to_node": "WEST",
        "two_way": "true",
        "mode": "road",
        "country": "SE",
        "distance_km": "60",
        "time_h": "1",
        "max_gross_t": "64",
        "toll_eur_per_vkm": "0",
        "charge_eur_per_t": "0",
    }
    return adding("links", link=name, **(road | cells))


def project(name: str, /, **cells: str) -> Callable[[Copy], object]:
    figures = {
        "kind": "grid",
        "capex_eur": "200000",
        "fixed_eur_per_year": "1000",
        "earliest_year": "2025",
        "lifetime_years": "40",
        "max_units": "1",
    }
    effect = adding("project_effects", project=name, table="charge_areas", row="CE", column="grid_mw", adds="1")
    return steps(adding("projects", project=name, name=name, **(figures | cells)), effect)
