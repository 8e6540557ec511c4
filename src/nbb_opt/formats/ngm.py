"""The PWC matrices of the Norwegian national freight model: a folder of od_pwc.parquet, zones.parquet, commodities.csv.

od_pwc.parquet has a row per year, commodity, pair of zones and chain type (producer to consumer, producer to
wholesaler, wholesaler to consumer), some of them in several rows.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from nbb_opt.formats.table import OdTable

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
        tuple(places),
        tuple(str(number) for number in commodity_ids),
        origin[keep],
        destination[keep],
        commodity[keep],
        year[keep],
        tonnes[keep],
    )
    return od, zones.drop_duplicates("NGM_zone_nr"), lines


def _refused(table: pa.Table, fault: int, count: int, first: np.ndarray) -> Problem:
    what, column, hint = WORDS[fault]
    given = {new: old for old, new in COLUMN_NAMES.items()}.get(column, column)
    cells = [
        f"row {i + 1}: {given} {table.column(given)[i].as_py()!r}" for i in first[: min(count, first.size)].tolist()
    ]
    kind = what.split("{!r} ")[-1].replace("nodes.node", ZONES_FILE).replace("commodities.commodity", COMMODITIES_FILE)
    return Problem(OD_FILE, f"{count} rows refused ({kind}): " + "; ".join(cells), hint)
