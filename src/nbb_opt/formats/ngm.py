"""The PWC matrices of the Norwegian freight model: read as OD rows, or written as an instance by region."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nbb_opt.demand.rules import WORDS
from nbb_opt.demand.source import damage_refused
from nbb_opt.demand.sums import Accumulator
from nbb_opt.demand.target import Target
from nbb_opt.errors import InstanceError, Problem
from nbb_opt.formats.table import OdTable, write_parquet
from nbb_opt.instance.synthetic.region import RAIL_WINDS, ROAD_WINDS, SEA_WINDS, Row, air_km
from nbb_opt.instance.synthetic.write import TAKEN_OVER, new_folder, settings, shipped_rows, write_rows
from nbb_opt.shipped import shipped

OD_FILE, ZONES_FILE, COMMODITIES_FILE = "od_pwc.parquet", "zones.parquet", "commodities.csv"
CHAIN_TYPES = {"PC", "WC", "PW"}
COLUMN_NAMES = {"from_zone": "origin", "to_zone": "destination"}
BUDGET_BYTES = 1 << 28


def is_ngm(path: Path) -> bool:
    return (path / OD_FILE).is_file()


def read_ngm(
    folder: Path, *, within: bool, regions: Sequence[str] | None = None, apart: Sequence[str] = ()
) -> tuple[OdTable, pd.DataFrame, list[str]]:
    """Flows summed over chain types, the table of zones, and lines that say what was kept and why.

    With `regions` (names of STRAM_zone_name) the flows are between these and no longer between zones;
    those from or to the regions `apart` are left out. Rows within a
    zone (region) are left out unless `within`. Raises InstanceError if a row has an unknown zone, commodity or
    chain type, or tonnes that are negative or not finite.
    """
    with damage_refused(str(folder)):
        table = pq.read_table(folder / OD_FILE, page_checksum_verification=True, memory_map=False)
        zones = pq.read_table(folder / ZONES_FILE, page_checksum_verification=True).to_pandas()
        commodities = pd.read_csv(folder / COMMODITIES_FILE)
        zone_ids = [int(text) for text in zones["NGM_zone_nr"]]
        places = [str(zone) for zone in dict.fromkeys(zone_ids)] if regions is None else list(regions)
        of_zone = zones["NGM_zone_nr"] if regions is None else zones["STRAM_zone_name"]
        commodity_ids = [int(number) for number in commodities["Comm_nr"]]
        missing = {"year", "commodity", "from_zone", "to_zone", "chain_type", "tonnes"} - set(table.column_names)
        if missing:
            raise ValueError(f"{OD_FILE} has no column {', '.join(sorted(missing))}")
        kinds = set(table.column("chain_type").unique().to_pylist())
    if not kinds <= CHAIN_TYPES:
        strange = sorted(map(str, kinds - CHAIN_TYPES))
        raise InstanceError([Problem(OD_FILE, f"has chain types {strange}", f"known are {sorted(CHAIN_TYPES)}")])
    number = {place: i for i, place in enumerate(places)}
    if strange := sorted(set(map(str, of_zone)) - set(number)):
        raise InstanceError([Problem(ZONES_FILE, f"has regions {strange}", f"known are {', '.join(places)}")])
    zone_of: dict[int, int] = {}
    for zone, place in zip(zone_ids, of_zone, strict=True):
        if zone_of.setdefault(zone, number[str(place)]) != number[str(place)]:
            raise InstanceError([Problem(ZONES_FILE, f"zone {zone} stands in two regions", "keep one of them")])
    target = Target(zone_of, {k: i for i, k in enumerate(commodity_ids)}, len(places), len(commodity_ids))
    sums = Accumulator(target, within=True, budget_bytes=BUDGET_BYTES, bounds=(0.0, np.inf))  # rows are pieces of flows
    row = 0
    for batch in table.rename_columns([COLUMN_NAMES.get(name, name) for name in table.column_names]).to_batches():
        sums.add(batch, row)
        row += batch.num_rows
    if sums.counts.any():
        raise InstanceError(
            [_refused(table, int(f), int(sums.counts[f]), sums.first[f]) for f in np.flatnonzero(sums.counts)]
        )
    flow, year, tonnes = sums.packed().parts()
    origin, destination, commodity = target.names(flow)
    inside = origin == destination
    far = np.isin(origin, [number[name] for name in apart]) | np.isin(destination, [number[name] for name in apart])
    keep = (np.ones(flow.size, dtype=bool) if within else ~inside) & ~far
    unit = "zone" if regions is None else "region"
    lines = [
        f"{row:,} rows of {OD_FILE} read: {len(zone_of)} zones, {len(commodity_ids)} commodities",
        f"{row - flow.size:,} rows added to another row of the same flow and year: chain types "
        f"{', '.join(sorted(CHAIN_TYPES))} are one flow, and some rows are given in pieces",
        f"{int(inside.sum()):,} sums ({tonnes[inside].sum():,.0f} t) are within a {unit}: "
        + ("kept, as asked" if within else f"left out, traffic within a {unit} uses no link"),
        *(
            [
                f"{int((far & ~inside).sum()):,} more sums ({tonnes[far & ~inside].sum():,.0f} t) start or end in "
                f"{', '.join(apart)}: left out, no road or rail reaches it"
            ]
            if apart
            else []
        ),
        f"{int(keep.sum()):,} rows kept",
    ]
    for y in np.unique(year).tolist():
        of_year = year == y
        lines.append(
            f"{y}: {tonnes[of_year].sum() / 1e6:,.2f} million t read, {tonnes[of_year & keep].sum() / 1e6:,.2f} kept"
        )
    used = np.union1d(origin, destination)
    lines.append(f"{len(places) - used.size} {unit}s have no flow")
    od = OdTable(
        zones=tuple(places), commodities=tuple(str(number) for number in commodity_ids), origin=origin[keep],
        destination=destination[keep], commodity=commodity[keep], year=year[keep], tonnes=tonnes[keep],
    )  # fmt: skip
    return od, zones.drop_duplicates("NGM_zone_nr"), lines


def _refused(table: pa.Table, fault: int, count: int, first: np.ndarray) -> Problem:
    what, column, hint = WORDS[fault]
    given = {new: old for old, new in COLUMN_NAMES.items()}.get(column, column)
    cells = [
        f"row {i + 1}: {given} {table.column(given)[i].as_py()!r}" for i in first[: min(count, first.size)].tolist()
    ]
    kind = what.split("{!r} ")[-1].replace("nodes.node", ZONES_FILE).replace("commodities.commodity", COMMODITIES_FILE)
    return Problem(OD_FILE, f"{count} rows refused ({kind}): " + "; ".join(cells), hint)


SPEED_KM_PER_H = {"road": 66.0, "rail": 50.0, "sea": 22.0}
WINDS = {"road": ROAD_WINDS, "rail": RAIL_WINDS, "sea": SEA_WINDS}
GROSS_T = {"NO": 60, "SE": 74, "DE": 40, "NL": 50}
GRID_MW = 10
ASSUMED = (
    ("links", "distance_km", 0.85, 1.3, "roads and lines wind more in the fjords than inland"),
    ("links", "time_h", 0.8, 1.4, "speed and stops differ between ways of one kind"),
    ("charge_areas", "grid_mw", 0.1, 10, "no figure is known for a whole region"),
)
# EUR per tonne and hour by product_group_stram: STraM's time values (products), 10 NOK/EUR; liquid bulk as in `nbb`
TIME_VALUES = {
    "Dry bulk": 0.139, "Liquid bulk": 0.1905, "Neo bulk": 1.242, "Container (fast)": 9.472, "Container (slow)": 0.703,
    "Break bulk (fast)": 3.079, "Break bulk (slow)": 0.502,
}  # fmt: skip
SOURCE = {
    "source": "ngm", "title": "PWC matrices of the Norwegian national freight model, as published with STraM",
    "url": "https://github.com/SteffenBakker/STraM_ntnu_development", "licence": "terms of the matrices not stated",
    "year": "2023",
}  # fmt: skip


def write_ngm_instance(source: Path, target: Path) -> list[str]:
    """Write the matrices in the folder `source` as an instance in the new folder `target`; what was kept and why.

    Raises InstanceError if the matrices are damaged or not those of the model, or `target` holds something.
    """
    every = _rows("ngm_regions.csv")
    regions = [row for row in every if row["node"]]
    apart = [row["region"] for row in every if not row["node"]]
    with new_folder(target) as folder:
        table, zones, lines = read_ngm(source, within=False, regions=[row["region"] for row in every], apart=apart)
        for name in TAKEN_OVER:
            if name != "commodities":
                shutil.copyfile(shipped("instances") / "nbb" / f"{name}.csv", folder / f"{name}.csv")
        goods = pd.read_csv(source / COMMODITIES_FILE)
        for name, rows in (_tables(regions) | {"commodities": _goods(goods)}).items():
            write_rows(folder / f"{name}.csv", name, rows, source="general_knowledge")
        nodes = tuple(row["node"] or row["region"] for row in every)
        write_parquet(replace(table, zones=nodes).batches(), folder / "od.parquet")
        said = {
            "title": "Norwegian national freight model, by region", "licence": "the user's own copy; not for others",
            "description": "PWC matrices summed to 17 regions; prices and vehicles of nbb; distances are estimates",
        }  # fmt: skip
        (folder / "instance.toml").write_text(settings(target, "ngm", said), encoding="utf-8", newline="")
        (folder / "README.md").write_text(_readme(lines), encoding="utf-8", newline="")
    said_last = f"{len(zones)} zones of {ZONES_FILE} are {len(every)} regions, {len(regions)} of them places"
    return [*lines, f"{said_last}; next: nbb-opt prepare {target}"]


def _tables(regions: list[dict[str, str]]) -> dict[str, list[Row]]:
    links = _links(regions, _rows("ngm_links.csv"))
    areas = {row["node"]: f"C_{row['node']}" for row in regions}
    trucks = {row["node"]: f"R_{row['node']}" for row in regions}
    nodes: list[Row] = [
        {
            "node": row["node"], "name": row["name"], "country": row["country"], "lat": row["lat"], "lon": row["lon"],
            "kind": "town", "is_zone": True,
            "fleet_region": trucks[row["node"]], "charge_area": areas[row["node"]],
            "note": "; ".join(filter(None, [f"region {row['region']}", row["note"]])),
        }
        for row in regions
    ]  # fmt: skip
    return {
        "sources": [*shipped_rows("sources"), dict(SOURCE)],
        "ranges": [
            *(row for row in shipped_rows("ranges") if row["table"] in TAKEN_OVER and row["table"] != "commodities"),
            *(
                {"table": of, "row": "*", "column": column, "low_factor": low, "high_factor": high, "reason": reason}
                for of, column, low, high, reason in ASSUMED
            ),
        ],
        "nodes": nodes,
        "charge_areas": [
            {"charge_area": areas[row["node"]], "name": row["name"], "country": row["country"], "grid_mw": GRID_MW,
             "source": "assumption", "note": "no figure is known for a whole region"}
            for row in regions
        ],
        "fleet_regions": [
            {
                "fleet_region": trucks[row["node"]], "name": f"Trucks of {row['name']}", "country": row["country"],
                "hub_node": row["node"], "charge_area": areas[row["node"]],
            }
            for row in regions
        ],
        "links": links,
        "terminals": [
            {"terminal": f"{kind}_{row['node']}", "name": f"{row['name']} {kind}", "node": row["node"]}
            for row in regions
            for kind in ("rail", "sea")
            if row[kind] == "true"
        ],
        "transfers": [
            {"node": row["node"], "mode_a": "road", "mode_b": kind, "terminal": f"{kind}_{row['node']}"}
            for row in regions
            for kind in ("rail", "sea")
            if row[kind] == "true"
        ],
    }  # fmt: skip


def _links(regions: list[dict[str, str]], pairs: list[dict[str, str]]) -> list[Row]:
    at = {row["node"]: (float(row["lat"]), float(row["lon"]), row["country"]) for row in regions}
    links: list[Row] = []
    for pair in pairs:
        mode, a, b = pair["mode"], at[pair["from_node"]], at[pair["to_node"]]
        lats = np.array([a[0], b[0]]), np.array([a[1], b[1]])
        air = float(air_km(lats[0][:1], lats[1][:1], lats[0][1:], lats[1][1:])[0])
        km = round(air * WINDS[mode] + (20 if mode == "sea" else 0), 1)
        means: dict[str, Row] = {
            "road": {"max_gross_t": min(GROSS_T[a[2]], GROSS_T[b[2]]) if mode == "road" else None},
            "rail": {
                "gauge_mm": 1435, "electrified_share": 1, "axle_load_t": 22.5, "max_gross_t": 1600,
                "toll_eur_per_vkm": 1.4,
            },
            "sea": {"charge_eur_per_t": 1.2},
        }  # fmt: skip
        links.append(
            {
                "link": f"{mode}_{pair['from_node']}_{pair['to_node']}", "from_node": pair["from_node"],
                "to_node": pair["to_node"], "two_way": True, "mode": mode, "country": "XX" if mode == "sea" else a[2],
                "distance_km": km, "time_h": round(km / SPEED_KM_PER_H[mode] + (0 if mode == "road" else 1), 2),
                "toll_eur_per_vkm": 0, "charge_eur_per_t": 0, "source": "general_knowledge;assumption",
                "note": f"air-line distance x {WINDS[mode]}{' + 20 km' if mode == 'sea' else ''}", **means[mode],
            }
        )  # fmt: skip
    return links


def _goods(given: pd.DataFrame) -> list[Row]:
    """The commodities of the model; how they are handled follows their class in STraM (timber is timber)."""
    columns = ("Comm_nr", "Comm_name", "Comm_aggr_name", "product_class_stram", "product_group_stram")
    if missing := [name for name in columns if name not in given.columns]:
        hint = "give the file as published with STraM"
        raise InstanceError([Problem(COMMODITIES_FILE, f"has no column {', '.join(missing)}", hint)])
    if strange := sorted(set(given["product_group_stram"]) - set(TIME_VALUES)):
        hint = f"known are {', '.join(TIME_VALUES)}"
        raise InstanceError([Problem(f"{COMMODITIES_FILE}, product_group_stram", f"has {strange}", hint)])
    rows = zip(*(given[name].tolist() for name in columns), strict=True)
    return [
        {
            "commodity": str(number), "name": name.strip(),
            "cargo_type": "timber" if kind == "Timber" else _cargo_type(group),
            "value_of_time_eur_per_t_h": TIME_VALUES[product], "modes": "road;rail;sea", "source": "ngm;stram",
            "note": f"{product} in STraM, whose time value at 10 NOK/EUR is taken; plausible: as published",
        }
        for number, name, kind, group, product in rows
    ]  # fmt: skip


def _cargo_type(product_class: str) -> str:
    """
    >>> _cargo_type("Dry bulk")
    'dry_bulk'
    """
    return product_class.lower().replace(" ", "_")


def _rows(file: str) -> list[dict[str, str]]:
    with (Path(__file__).parent / file).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _readme(lines: list[str]) -> str:
    said = "\n".join(f"- {line}" for line in lines)
    return (
        "# The Norwegian national freight model, by region\n\nWritten by `nbb-opt convert NGM_FOLDER FOLDER`. Demand: "
        "the PWC matrices, summed to the regions of STraM. Regions stand at their main town; which are neighbours is "
        "public knowledge, distances are air-line distances times a factor (note of each link), nothing has a limited "
        "capacity, no project is given and no truck of today: good for a first look, not for a plan. Vehicles, "
        "prices, emission factors and handling costs are those of the instance `nbb`, with their sources. The terms "
        f"of the matrices are not stated: do not pass them on.\n\n{said}\n"
    )
