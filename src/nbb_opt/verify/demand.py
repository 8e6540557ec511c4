"""Demand read from the instance's own file, batch by batch, and every tonne of it served."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from nbb_opt.instance import open_od
from nbb_opt.verify.verdict import Checks, names
from nbb_opt.verify.world import World, join

FLOW = ["origin", "destination", "commodity"]
SHIPPER = "shipper"
BATCH_ROWS = 262_144


def demand_of(world: World, *, shippers: bool = False) -> pd.DataFrame:
    """Columns origin, destination, commodity, year, tonnes: demand above zero in each period; with `shippers` by these.

    Where the file has no column `shipper` all of it is that of the shipper "".
    """
    flow = [*FLOW, SHIPPER] if shippers else FLOW
    partial = [
        batch.groupby([*flow, "year"], sort=False, observed=True)["tonnes"].sum().reset_index()
        for batch in _batches(world, [*flow, "year", "tonnes"])
    ]
    given = pd.concat(partial, ignore_index=True)
    wide = given.pivot_table(index=flow, columns="year", values="tonnes", aggfunc="sum", observed=True).fillna(0.0)
    file_years = wide.columns.to_numpy(dtype=int)
    amounts = wide.to_numpy(dtype=float)
    frames = []
    for year in world.years:
        place = int(np.searchsorted(file_years, year))
        if place < len(file_years) and file_years[place] == year:
            tonnes = amounts[:, place]
        elif 0 < place < len(file_years):
            part = (year - file_years[place - 1]) / (file_years[place] - file_years[place - 1])
            tonnes = amounts[:, place - 1] * (1 - part) + amounts[:, place] * part
        else:
            tonnes = np.full(len(amounts), np.nan)  # the file says nothing about this year: nothing can agree with it
        frame = wide.index.to_frame(index=False)
        frames.append(frame.assign(year=year, tonnes=tonnes))
    demand = pd.concat(frames, ignore_index=True)
    return demand[demand["tonnes"] != 0.0].astype(dict.fromkeys(flow, "str")).reset_index(drop=True)


def _batches(world: World, wanted: Sequence[str]) -> Iterator[pd.DataFrame]:
    blank = [SHIPPER] if SHIPPER in wanted and not world.instance.shippers else []
    columns = [name for name in wanted if name not in blank]
    with open_od(world.instance) as stream:
        if world.instance.od_path.suffix == ".parquet":
            with pq.ParquetFile(stream, page_checksum_verification=True) as file:
                for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=columns):
                    yield _with_shipper(batch.to_pandas(), wanted)
            return
        dtypes = {**dict.fromkeys((*FLOW, SHIPPER), "str"), "year": "int64", "tonnes": "float64"}
        with pd.read_csv(stream, usecols=columns, dtype=dtypes, keep_default_na=False, chunksize=BATCH_ROWS) as reader:
            for rows in reader:
                yield _with_shipper(rows, wanted)


def _with_shipper(rows: pd.DataFrame, wanted: Sequence[str]) -> pd.DataFrame:
    if SHIPPER not in wanted:
        return rows
    named = rows[SHIPPER].astype("str").fillna("") if SHIPPER in rows.columns else ""
    return rows.assign(**{SHIPPER: named})


def check_demand(world: World, tables: Mapping[str, pd.DataFrame], checks: Checks) -> None:
    """`agree_demand`: the plan's demand is the instance's. `serve_demand`: the chains of a bundle carry all of it."""
    true = demand_of(world)
    said = tables["demand"].pipe(join, tables["bundles"], on="bundle", how="left")
    both = true.pipe(join, said, on=[*FLOW, "year"], how="outer", suffixes=("", "_said")).fillna(
        {"tonnes": 0.0, "tonnes_said": 0.0}
    )
    checks.compare(
        "agree_demand",
        both["tonnes_said"],
        "==",
        both["tonnes"],
        where=names(both, "{} to {} of {} {}", [*FLOW, "year"]),
        unit="t",
    )
    flows = tables["flows"].pipe(join, tables["chains"][["chain", "bundle"]], on="chain", how="left")
    carried = flows.groupby(["bundle", "year"])["tonnes"].sum().rename("carried").reset_index()
    carried = carried.pipe(join, tables["bundles"], on="bundle", how="left")
    served = true.pipe(join, carried, on=[*FLOW, "year"], how="outer").fillna({"tonnes": 0.0, "carried": 0.0})
    checks.compare(
        "serve_demand",
        served["carried"],
        "==",
        served["tonnes"],
        where=names(served, "{} to {} of {} {}", [*FLOW, "year"]),
        unit="t",
    )
