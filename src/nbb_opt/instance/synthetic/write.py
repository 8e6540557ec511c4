"""Writes an invented instance: its own places, links, means and demand; prices and vehicles of the instance `nbb`."""

from __future__ import annotations

import csv
import math
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance.schema import BY_NAME
from nbb_opt.instance.synthetic.region import (
    SMALLEST,
    Ints,
    Places,
    Row,
    at_ends,
    charge_areas,
    ferry,
    fleet,
    kinds,
    make_flows,
    make_places,
    most_flows,
    projects,
    railways,
    region_id,
    roads,
    sea_routes,
    terminals,
    transfers,
    write_flows,
)
from nbb_opt.shipped import shipped

TAKEN_OVER = (
    "countries", "country_years", "handling_costs", "commodities", "vehicles", "vehicle_loads", "vehicle_years",
    "factors", "energy", "chargers",
)  # fmt: skip
YEARS = (2025, 2030, 2035, 2040)
MOST_ZONES, MOST_BUNDLES = 2000, 10_000_000
NOTE = "invented by seed; describes no real place, firm or plan"


@dataclass(frozen=True)
class Shape:
    """What to invent: how many flows, from which seed, between how many towns (None: grows with the flows)."""

    bundles: int
    seed: int = 0
    zones: int | None = None

    def towns(self) -> int:
        """How many towns there are."""
        return self.zones or min(800, max(SMALLEST, math.ceil((self.bundles / 2) ** 0.5)))


def write_synthetic(target: Path | str, shape: Shape) -> Path:
    """Write the instance into the new folder `target`; the same shape gives the same bytes.

    Raises InstanceError if `target` holds something, or the shape is impossible.
    """
    target = Path(target)
    _free(target)
    commodities = [row["commodity"] for row in shipped_rows("commodities")]
    _check(shape, len(commodities))
    rng = np.random.default_rng([shape.seed, shape.bundles, shape.towns()])
    places = make_places(rng, shape.towns())
    flows = make_flows(rng, places, commodities=commodities, years=list(YEARS), bundles=shape.bundles)
    first_t = float(flows.loc[flows["year"] == YEARS[0], "tonnes"].sum())
    trucks = fleet(places, flows, places.km(), first_year=YEARS[0])
    tables = _tables(rng, places, first_t=first_t, trucks=trucks)
    with new_folder(target) as folder:
        for name in TAKEN_OVER:
            shutil.copyfile(shipped("instances") / "nbb" / f"{name}.csv", folder / f"{name}.csv")
        for name, rows in tables.items():
            write_rows(folder / f"{name}.csv", name, rows, source="synthetic")
        write_flows(folder / "od.parquet", flows)
        said = {
            "title": f"Invented instance: {shape.bundles} flows, seed {shape.seed}", "licence": "CC0-1.0",
            "description": f"{shape.bundles} flows between {shape.towns()} towns; prices and vehicles of nbb; {NOTE}",
        }  # fmt: skip
        (folder / "instance.toml").write_text(settings(target, "synthetic", said), encoding="utf-8", newline="")
        (folder / "README.md").write_text(_readme(shape), encoding="utf-8", newline="")
    return target


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder to fill, which becomes `target` if all goes well. Raises InstanceError if `target` holds something."""
    _free(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as temporary:
        folder = Path(temporary) / "instance"
        folder.mkdir()
        yield folder
        if target.is_dir():
            target.rmdir()
        os.replace(folder, target)


def _free(target: Path) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise _fault(str(target), "exists and is not an empty folder", "choose another name")


def _check(shape: Shape, commodities: int) -> None:
    zones = shape.towns()
    if not SMALLEST <= zones <= MOST_ZONES:
        raise _fault("zones=", f"{zones} towns", f"between {SMALLEST} and {MOST_ZONES}")
    most = min(MOST_BUNDLES, most_flows(zones, commodities) // 2)
    if not 1 <= shape.bundles <= most:
        raise _fault("flows=", f"{shape.bundles} flows between {zones} towns", f"between 1 and {most}, or more towns")


def _tables(rng: np.random.Generator, places: Places, *, first_t: float, trucks: list[Row]) -> dict[str, list[Row]]:
    km, zones = places.km(), len(places.ids)
    yards, ports = _yards(places, max(6, zones // 12)), _ports(places, max(4, zones // 25))
    capacity_t = max(first_t * 0.5 / len(yards), 20_000.0)
    rail, later, gauges = railways(rng, places, km, terminals=yards, capacity_t=capacity_t)
    sea, boat = sea_routes(places, km, ports), ferry(places, km, ports)
    public = np.setdiff1d(np.arange(0, zones, 4), places.hubs)
    areas = charge_areas(rng, places, public, grid_mw=max(0.5, first_t / 3e6 / len(places.hubs)))
    stops = terminals(places, at_ends(rail), ports, capacity_t=capacity_t)
    ways = transfers(at_ends(rail), at_ends(sea), at_ends([boat]), gauges)
    made, effects, funding = projects(places, later, rail, stops, areas)
    charging = {area["charge_area"] for area in areas}
    nodes = [
        {
            "node": t, "name": f"Town {t[1:]}", "country": places.country[z], "lat": float(places.lat[z]),
            "lon": float(places.lon[z]), "kind": kind, "is_zone": True,
            "fleet_region": region_id(places, int(places.region[z])),
            "charge_area": f"C_{t}" if f"C_{t}" in charging else "",
        }
        for z, (t, kind) in enumerate(zip(places.ids, kinds(places, rail, sea), strict=True))
    ]  # fmt: skip
    regions = [
        {
            "fleet_region": region_id(places, r), "name": f"Trucks around {places.ids[h]}",
            "country": places.country[h], "hub_node": places.ids[h], "charge_area": f"C_{places.ids[h]}",
        }
        for r, h in enumerate(places.hubs.tolist())
    ]  # fmt: skip
    source = {"source": "synthetic", "title": f"An invented instance: {NOTE}", "licence": "CC0-1.0", "year": "2026"}
    return {
        "sources": [*shipped_rows("sources"), source],
        "ranges": [row for row in shipped_rows("ranges") if row["table"] in TAKEN_OVER],
        "charge_areas": areas, "fleet_regions": regions, "nodes": nodes, "projects": made, "project_effects": effects,
        "project_funding": funding, "links": [*roads(places, km), *rail, *later, *sea, boat], "terminals": stops,
        "transfers": ways, "fleet": trucks,
    }  # fmt: skip


def _yards(places: Places, wanted: int) -> Ints:
    """Rail terminals: the largest towns, two at least on either side of the gulf."""
    order = np.argsort(-places.weight, kind="stable")
    finnish = places.country[order] == "FI"
    share = max(2, round(wanted * 0.35))
    return np.sort(np.concatenate([order[finnish][:share], order[~finnish][: max(3, wanted - share)]]))


def _ports(places: Places, wanted: int) -> Ints:
    """Ports: the largest towns at the sea, one at least in every country."""
    order = np.argsort(-places.weight, kind="stable")
    found = [
        order[places.coastal[order] & (places.country[order] == n)][: max(1, wanted // 3)] for n in ("SE", "FI", "NO")
    ]
    return np.sort(np.concatenate(found))


def shipped_rows(table: str) -> list[Row]:
    """The rows of a table of the instance `nbb`."""
    path = shipped("instances") / "nbb" / f"{table}.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def write_rows(path: Path, table: str, rows: Iterable[Mapping[str, Any]], *, source: str) -> None:
    """Write the rows of a table; columns that a row lacks are blank, its source is `source`."""
    columns = [column.name for column in BY_NAME[table].columns]
    invented = {"source": source} if table not in ("sources", "ranges") else {}
    with path.open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream, lineterminator="\n")
        out.writerow(columns)
        for row in rows:
            out.writerow([_cell({**invented, **row}.get(name)) for name in columns])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def settings(target: Path, fallback: str, said: Mapping[str, str]) -> str:
    """instance.toml of `nbb` under the name of the folder `target`, with other words for the keys in `said`."""
    name = re.sub(r"[^a-z0-9_-]+", "-", target.resolve().name.lower()).strip("-_")[:64] or fallback
    text = (shipped("instances") / "nbb" / "instance.toml").read_text(encoding="utf-8")
    for key, value in {"name": name, **said}.items():
        text = re.sub(rf'^{key} = "[^"]*"', f'{key} = "{value}"', text, count=1, flags=re.MULTILINE)
    return text


def _readme(shape: Shape) -> str:
    zones = f" --zones {shape.zones}" if shape.zones else ""
    return (
        f"# An invented instance\n\nWritten by `nbb-opt new DIR --synthetic --bundles {shape.bundles} --seed "
        f"{shape.seed}{zones}`: {shape.bundles} flows between {shape.towns()} towns.\n\nPlaces, links, capacities, "
        "projects, trucks of today and demand are drawn by seed (source `synthetic`) and describe nothing real: they "
        "are for tests of size and speed. Vehicles, prices, emission factors and handling costs are those of the "
        "instance `nbb`, with their sources.\n"
    )


def _fault(where: str, what: str, hint: str) -> InstanceError:
    return InstanceError([Problem(where, what, hint, "synthetic")])
