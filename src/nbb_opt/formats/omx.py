"""OMX (Open Matrix): an HDF5 file of square matrices. Needs h5py: pip install 'nbb-opt[formats]'.

Written matrices are named `COMMODITY YEAR` and carry both as attributes; `/lookup/zone` holds the zones. In a file of
another tool each matrix is a commodity of the year asked for.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np

from nbb_opt.demand.source import damage_refused
from nbb_opt.errors import InstanceError, Problem
from nbb_opt.formats.table import OdTable
from nbb_opt.output import appearing

MAX_CELLS = 100_000_000


def _h5py() -> ModuleType:
    try:
        import h5py
    except ImportError as error:
        raise InstanceError([Problem("OMX", "needs h5py", "pip install 'nbb-opt[formats]'")]) from error
    return h5py


def read_omx(path: Path, *, year: int | None, lookup: str | None) -> tuple[OdTable, list[str]]:
    """Cells above zero as rows. Zones are named by `lookup` (default: the only one; without any, 1, 2, ...)."""
    h5py = _h5py()
    with damage_refused(path.name), h5py.File(path, "r") as file:
        if "data" not in file or "OMX_VERSION" not in file.attrs:
            raise InstanceError([Problem(path.name, "is HDF5 but not OMX", "it must have OMX_VERSION and /data")])
        shape = tuple(int(n) for n in file.attrs["SHAPE"])
        if len(shape) != 2 or shape[0] != shape[1] or shape[0] ** 2 > MAX_CELLS:
            raise InstanceError([Problem(path.name, f"has shape {shape}", f"square, at most {MAX_CELLS} cells")])
        zones = _zones(file, path.name, shape[0], lookup)
        commodities: list[str] = []
        parts: list[tuple[np.ndarray, ...]] = []
        for name, matrix in file["data"].items():
            if not isinstance(matrix, h5py.Dataset):
                what, hint = "is a group, not a matrix", "OMX holds matrices directly in /data: move them there"
                raise InstanceError([Problem(f"{path.name} /data/{name}", what, hint)])
            if matrix.dtype.kind not in "iuf":
                what, hint = f"holds {matrix.dtype}, no real numbers", "write real numbers"
                raise InstanceError([Problem(f"{path.name} /data/{name}", what, hint)])
            if tuple(matrix.shape) != shape:
                raise InstanceError([Problem(f"{path.name} {name}", f"has shape {matrix.shape}", f"expected {shape}")])
            own_year = _year(matrix.attrs.get("year"), f"{path.name} /data/{name}")
            if year is not None and own_year not in (None, year):
                what = f"says that it is of {own_year}, but year={year} is given"
                raise InstanceError(
                    [Problem(f"{path.name} /data/{name}", what, "leave out year=, or correct the file")]
                )
            in_year = own_year or year or 0
            if not 1950 <= in_year <= 2120:
                raise InstanceError([Problem(f"{path.name} {name}", "has no year", "give year=")])
            commodity = _text(matrix.attrs.get("commodity", name))
            if commodity not in commodities:
                commodities.append(commodity)
            given = matrix[()]
            tonnes = np.asarray(given, dtype=np.float64)
            if given.dtype.kind in "iu" and (np.abs(tonnes) >= 2.0**53).any():
                raise InstanceError(
                    [Problem(f"{path.name} /data/{name}", "has whole numbers beyond 2^53", "correct them")]
                )
            bad = ~np.isfinite(tonnes) | (tonnes < 0)
            if bad.any():
                at = [f"{zones[o]} to {zones[d]}" for o, d in np.argwhere(bad)[:3].tolist()]
                what = f"{int(bad.sum())} cells refused, not finite or negative: {', '.join(at)}"
                raise InstanceError([Problem(f"{path.name} {name}", what, "correct them")])
            o, d = np.nonzero(tonnes)
            k = np.full(o.size, commodities.index(commodity))
            parts.append((o, d, k, np.full(o.size, in_year), tonnes[o, d]))
    if not parts:
        raise InstanceError([Problem(path.name, "holds no matrix", "give at least one")])
    origin, destination, which, years, tonnes = (np.concatenate(column) for column in zip(*parts, strict=True))
    table = OdTable(
        zones=zones, commodities=tuple(commodities), origin=origin, destination=destination, commodity=which,
        year=years, tonnes=tonnes,
    )  # fmt: skip
    lines = [f"{len(parts)} matrices of {len(zones)} zones read; {table.tonnes.size:,} cells above zero are rows"]
    return table, lines


def _year(value: object, where: str) -> int | None:
    """The attribute `year` of a matrix; None if it has none."""
    if value is None:
        return None
    try:
        number = float(_text(value))
    except ValueError:
        number = float("nan")
    if not np.isfinite(number) or number != int(number):
        raise InstanceError([Problem(where, f"has the year {_text(value)!r}", "write a whole number")])
    return int(number)


def _text(value: object) -> str:
    one = value.item() if isinstance(value, np.ndarray) and value.size == 1 else value
    return one.decode() if isinstance(one, bytes) else str(one)


def _zones(file: object, name: str, size: int, lookup: str | None) -> tuple[str, ...]:
    found = dict(file.get("lookup", {}).items())  # type: ignore[attr-defined]
    if lookup is None and len(found) > 1:
        raise InstanceError([Problem(name, f"has lookups {', '.join(found)}", "choose one with lookup=")])
    if lookup is not None and lookup not in found:
        raise InstanceError([Problem(name, f"has no lookup {lookup!r}", f"it has {', '.join(found) or 'none'}")])
    if not found:
        return tuple(str(i + 1) for i in range(size))
    held = found[lookup or next(iter(found))]
    if getattr(held, "shape", None) != (size,) or held.dtype.kind not in "iuSUO":
        what = f"is no list of {size} whole numbers or texts"
        raise InstanceError([Problem(f"{name} lookup", what, f"{size} different names")])
    cells = held[()]
    zones = tuple(cell.decode() if isinstance(cell, bytes) else str(cell) for cell in cells.tolist())
    if len(zones) != size or len(set(zones)) != size:
        raise InstanceError([Problem(f"{name} lookup", "does not name every zone once", f"{size} different names")])
    return zones


def write_omx(table: OdTable, path: Path) -> list[str]:
    """Write a matrix for every commodity and year. A flow that stands twice is refused: a cell holds one number."""
    h5py = _h5py()
    n = len(table.zones)
    if n * n > MAX_CELLS:
        raise InstanceError([Problem(path.name, f"would have {n} zones", f"at most {MAX_CELLS} cells a matrix")])
    many = 0
    with appearing(path) as work, h5py.File(work, "w") as file:
        file.attrs["OMX_VERSION"] = np.bytes_("0.2")
        file.attrs["SHAPE"] = np.array([n, n], dtype=np.int32)
        file.create_group("lookup").create_dataset("zone", data=np.array([z.encode() for z in table.zones]))
        data = file.create_group("data")
        for year in np.unique(table.year).tolist():
            for k, commodity in enumerate(table.commodities):
                rows = np.flatnonzero((table.year == year) & (table.commodity == k))
                if not rows.size:
                    continue
                cell = table.origin[rows].astype(np.int64) * n + table.destination[rows]
                if np.unique(cell).size != cell.size:
                    what = f"{cell.size - np.unique(cell).size} rows of {commodity} {year} stand twice"
                    raise InstanceError([Problem(path.name, what, "add the rows up: duplicates='add'")])
                matrix = np.zeros(n * n)
                matrix[cell] = table.tonnes[rows]
                name = f"{commodity} {year}"
                held = data.create_dataset(name, data=matrix.reshape(n, n), compression="gzip", compression_opts=1)
                held.attrs["commodity"], held.attrs["year"] = commodity, year
                many += 1
    return [f"{many} matrices of {n} zones written; a flow of zero tonnes and no flow look the same in a matrix"]
