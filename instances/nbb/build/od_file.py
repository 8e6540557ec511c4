"""Writes demand as Parquet: zstd, page checksums, the same bytes each time."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def write_od(rows: list[tuple[str, str, str, int, float]], path: Path) -> None:
    """Columns origin, destination, commodity, year, tonnes."""
    origin, destination, commodity, year, tonnes = zip(*rows, strict=True)
    table = pa.table(
        {
            "origin": pa.array(origin, pa.string()),
            "destination": pa.array(destination, pa.string()),
            "commodity": pa.array(commodity, pa.string()),
            "year": pa.array(year, pa.int32()),
            "tonnes": pa.array(tonnes, pa.float64()),
        }
    )
    pq.write_table(table, path, compression="zstd", compression_level=9, write_page_checksum=True)
