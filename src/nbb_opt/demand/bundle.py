"""Bundles: the flows of the OD file that carry something in some period, with their tonnes in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nbb_opt.demand import flow_table
from nbb_opt.demand.od import Target, aggregate, open_source
from nbb_opt.demand.od.aggregate import Each
from nbb_opt.demand.od.columns import SHIPPER
from nbb_opt.demand.od.rules import WORDS, Rules
from nbb_opt.demand.rows import Batch, stream_rows
from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance import Instance, open_od
from nbb_opt.result import as_table

_FIRST_TABLE = 1 << 12


@dataclass(frozen=True)
class Demand:
    """`bundles` as in result.TABLES; `demand_t` (bundles, periods) in t/year; `log` says what was read and left out."""

    bundles: pd.DataFrame
    demand_t: np.ndarray
    log: tuple[str, ...]


def read_demand(instance: Instance, *, threads: int = 2, each: Each | None = None) -> Demand:
    """Read the OD file of an instance, with memory bounded by the number of distinct flows.

    A Parquet file is read by `threads` threads, or its parts by `each` (see demand.od.aggregate): the same bits.

    Rows of several shippers are added up; that each stands once was checked when the instance was read.
    Bundles are sorted by the rows of their origin and destination in nodes.csv and of their commodity in
    commodities.csv, whatever the order of the OD rows. Raises InstanceError with the count and first places of every
    kind of fault.
    """
    nodes = {
        name: i if zone else flow_table.NO_ZONE
        for i, (name, zone) in enumerate(zip(instance["nodes"]["node"], instance["nodes"]["is_zone"], strict=True))
    }
    commodities = {name: i for i, name in enumerate(instance["commodities"]["commodity"])}
    if instance.od_path.suffix == ".parquet":
        inside = None if instance.path.is_dir() else instance.path
        target = Target(nodes, commodities, len(nodes), len(commodities))
        source = open_source(instance.od_path, inside=inside, shippers=True)
        rules = Rules(add_duplicates=source.by_shipper or instance.add_duplicates)
        sums = aggregate(source, target, rules=rules, threads=threads, each=each)
        slot = sums.year.astype(np.int64) - flow_table.FIRST_YEAR
        flow, tonnes, n_rows = sums.flow, sums.tonnes, sums.rows
    elif each is not None:
        hint = "convert it: nbb-opt convert od.csv od.parquet"
        raise InstanceError([Problem(instance.od_path.name, "is CSV, only Parquet is read in parts", hint)])
    else:
        key, tonnes, n_rows = _collect(instance, nodes, commodities)
        flow, slot = np.divmod(key, flow_table.YEAR_SLOTS)
    file_years = np.unique(slot) + flow_table.FIRST_YEAR
    left, weight = _between(instance.od_path.name, file_years, [period.year for period in instance.periods])

    flow_key, start = np.unique(flow, return_index=True)
    flow_start = np.append(start, flow.size).astype(np.int64)
    year_index = np.searchsorted(file_years, slot + flow_table.FIRST_YEAR)
    demand_t = flow_table.period_tonnes(flow_start, year_index, tonnes, left, weight, file_years.size)
    moves = demand_t.any(axis=1)
    flow_key, demand_t = flow_key[moves], demand_t[moves]
    if not flow_key.size:
        raise InstanceError(
            [Problem(instance.od_path.name, "holds no flow with tonnes in any period", "give a demand")]
        )

    pair, k = np.divmod(flow_key, len(commodities))
    o, d = np.divmod(pair, len(nodes))
    node_names = instance["nodes"]["node"].to_numpy()
    bundles = as_table(
        "bundles",
        pd.DataFrame(
            {
                "bundle": np.arange(flow_key.size),
                "origin": node_names[o],
                "destination": node_names[d],
                "commodity": instance["commodities"]["commodity"].to_numpy()[k],
            }
        ),
    )
    years = ", ".join(str(year) for year in file_years)
    named = sum(1 for name in instance.shippers if name)
    shippers = f"{named} named shippers" if named else "one shipper, who is not named"
    if named and "" in instance.shippers:
        shippers += " and of others, who are not"
    log = [
        f"demand: {n_rows} rows of {instance.od_path.name} for the years {years} are {moves.size} flows",
        f"demand: {int((~moves).sum())} flows are zero in every period and left out; {moves.sum()} bundles remain",
        f"demand: emissions are those of {shippers}",
    ]
    if instance.add_duplicates:
        twice = n_rows - flow.size
        log.insert(1, f"demand: {twice} rows added to an earlier row of the same flow and year, as asked")
    return Demand(bundles, demand_t, tuple(log))


def _collect(
    instance: Instance, nodes: dict[str, int], commodities: dict[str, int]
) -> tuple[np.ndarray, np.ndarray, int]:
    """Sorted keys, their tonnes, and the number of rows read."""
    keys, values = _table(_FIRST_TABLE)
    counts = np.zeros(flow_table.FAULTS, dtype=np.int64)
    first = np.zeros((flow_table.FAULTS, flow_table.PLACES_KEPT), dtype=np.int64)
    shown: dict[int, list[str]] = {}
    used = n_rows = 0
    file, add_up = instance.od_path.name, instance.add_duplicates
    with open_od(instance) as stream:
        for batch in stream_rows(stream, file, nodes=nodes, commodities=commodities):
            if 2 * (used + batch.tonnes.size) > keys.size:
                size = 1 << int(2 * (used + batch.tonnes.size) - 1).bit_length()
                new_keys, new_values = _table(size)
                flow_table.move_table(keys, values, new_keys, new_values)
                keys, values = new_keys, new_values
            before = np.minimum(counts, flow_table.PLACES_KEPT)
            used += flow_table.add_rows(
                keys, values, batch.origin, batch.destination, batch.commodity, batch.year, batch.tonnes,
                len(nodes), len(commodities), add_up or SHIPPER in batch.raw.schema.names, batch.row_0, counts, first,
            )  # fmt: skip
            for fault in np.nonzero(counts > before)[0]:
                for row in first[fault, before[fault] : counts[fault]]:
                    shown.setdefault(int(fault), []).append(_place(file, batch, int(row), int(fault)))
            n_rows += batch.tonnes.size
    if counts.any():
        raise InstanceError([_problem(file, int(fault), int(counts[fault]), shown) for fault in np.nonzero(counts)[0]])
    full = np.nonzero(keys != flow_table.EMPTY)[0]
    full = full[np.argsort(keys[full])]
    return keys[full], values[full], n_rows


def _table(size: int) -> tuple[np.ndarray, np.ndarray]:
    return np.full(size, flow_table.EMPTY, dtype=np.int64), np.zeros(size)


def _place(file: str, batch: Batch, row: int, fault: int) -> str:
    what, column, _ = WORDS[fault]
    number = row + 2 if file.endswith(".csv") else row + 1
    return f"row {number}: " + what.format(batch.raw.column(column)[row - batch.row_0].as_py())


def _problem(file: str, fault: int, count: int, shown: dict[int, list[str]]) -> Problem:
    places = "; ".join(shown[fault]) + ("; ..." if count > flow_table.PLACES_KEPT else "")
    return Problem(file, f"{count} row{'s' if count > 1 else ''} refused: {places}", WORDS[fault][2])


def _between(file: str, file_years: np.ndarray, years: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """For every period: index of the year of the file at or before it, and how far it is on the way to the next."""
    outside = [year for year in years if not file_years.size or not file_years[0] <= year <= file_years[-1]]
    if outside:
        raise InstanceError(
            [
                Problem(
                    f"{file}, year",
                    f"there is no demand around the period starting in {year}",
                    "give rows for years that enclose every period",
                )
                for year in outside
            ]
        )
    left = np.searchsorted(file_years, years, side="right") - 1
    right = np.minimum(left + 1, file_years.size - 1)
    span = np.maximum(file_years[right] - file_years[left], 1)
    return left.astype(np.int64), (np.asarray(years) - file_years[left]) / span
