"""Opening an instance for the app: reading it, what may be chosen in its plans, the plans to begin with."""

from __future__ import annotations

import csv
import io
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nbb_opt.app.store import MOST_ROWS, Case, Refused, Store, StoredPlan, good_rows
from nbb_opt.instance import Instance, read_instance
from nbb_opt.network.bundles import read_demand
from nbb_opt.shipped import shipped, shipped_names
from nbb_opt.studies.audit.plan import (
    CHARGER,
    COLUMNS,
    ORDER,
    PROJECT,
    TRUCK,
    CellProblem,
    cells_of,
    order_names,
    read_cells,
    template,
    types_and_places,
)

KEPT_OPEN = 3
TODAY = "Today's fleet"
_NAMED = (
    ("vehicles", "vehicle"), ("fleet_regions", "fleet_region"), ("charge_areas", "charge_area"),
    ("chargers", "charger"), ("projects", "project"), ("countries", "country"),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Opened:
    """An instance as it was read, and the names of its orders."""

    instance: Instance
    orders: list[str]
    stamp: tuple[tuple[str, int, int], ...]


class InstanceCache:
    """The instances read last; one whose files changed is read again."""

    def __init__(self) -> None:
        self._opened: OrderedDict[str, Opened] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, source: Path) -> Opened:
        """Raises InstanceError with every problem of the instance."""
        key = str(source)
        with self._lock:
            found = self._opened.get(key)
            stamp = _stamp(source)
            if found is None or found.stamp != stamp:
                instance = read_instance(source)
                found = Opened(instance, order_names(read_demand(instance).bundles), stamp)
            self._opened[key] = found
            self._opened.move_to_end(key)
            while len(self._opened) > KEPT_OPEN:
                self._opened.popitem(last=False)
            return found


def open_source(store: Store, instances: InstanceCache, source: Path) -> Case:
    """The case of an instance on this machine: the one that is there, or a new one.

    Raises InstanceError for an instance with problems; nothing is kept of it then.
    """
    source = source.resolve()
    opened = instances.open(source)
    for case in store.cases():
        if case.source == str(source):
            return case
    return store.add_case(opened.instance.meta.title, source)


def open_shipped(store: Store, instances: InstanceCache, name: str) -> Case:
    """The case of an instance that comes with the program."""
    if name not in shipped_names("instances"):
        raise Refused("No instance of this name comes with the program.")
    return open_source(store, instances, shipped("instances") / name)


def ready(store: Store, instances: InstanceCache, case: Case) -> tuple[Case, Opened]:
    """A case that is ready to work in: its instance, and the plans to begin with if it has none yet."""
    opened = instances.open(Path(case.source))
    with store.lock:
        case = store.case(case.id)
        if not case.plans_made:
            for file in sorted(Path(case.source).glob("plan*.csv")):
                rows = _rows_of_csv(file)
                if rows is not None:
                    store.add_plan(case.id, "Plan in " + file.name, rows)
            store.add_plan(case.id, TODAY, cells_of(template(opened.instance)))
            case = replace(case, plans_made=True)
            store.save_case(case)
    return case, opened


def problems_of(opened: Opened, plan: StoredPlan) -> list[CellProblem]:
    """What is wrong in the cells of a plan."""
    return read_cells(plan.rows, opened.instance, opened.orders)[1]


def choices(opened: Opened) -> dict[str, Any]:
    """What a plan may hold: types and places by what is planned, the names behind the short ones, the years."""
    instance = opened.instance
    types, places = types_and_places(instance, opened.orders)
    words: dict[str, str] = {}
    for table, column in _NAMED:
        words |= dict(zip(instance[table][column].tolist(), instance[table]["name"].tolist(), strict=True))
    nodes = dict(zip(instance["nodes"]["node"].tolist(), instance["nodes"]["name"].tolist(), strict=True))
    goods = dict(
        zip(instance["commodities"]["commodity"].tolist(), instance["commodities"]["name"].tolist(), strict=True)
    )
    for order in opened.orders:
        origin, _, rest = order.partition(">")
        destination, _, commodity = rest.rpartition(":")
        named = nodes.get(origin, origin), nodes.get(destination, destination), goods.get(commodity, commodity)
        words[order] = f"{named[0]} to {named[1]}, {named[2]}"
    return {
        "columns": list(COLUMNS),
        "what": [TRUCK, CHARGER, PROJECT, ORDER],
        "types": types,
        "places": places,
        "years": [{"year": period.year, "years": period.years} for period in instance.periods],
        "words": words,
        "most": MOST_ROWS,
    }


def _rows_of_csv(file: Path) -> list[list[str]] | None:
    """The cells of a plan file, right or wrong, to be shown in the grid; None if it is no table of a plan."""
    try:
        table = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline=""), strict=True))
        rows = [[row.get(name) or "" for name in COLUMNS] for row in table]
        good_rows(rows)
    except (OSError, ValueError, csv.Error, Refused):
        return None
    return rows if table and set(COLUMNS[:-1]) <= set(table[0]) else None


def _stamp(source: Path) -> tuple[tuple[str, int, int], ...]:
    """Names, sizes and times of the files of an instance."""
    files = [source] if source.is_file() else sorted(path for path in source.glob("*") if path.is_file())
    return tuple((path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in files)
