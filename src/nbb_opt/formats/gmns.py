"""A road network in GMNS as the start of an instance: all tables but the demand, which is the user's own.

GMNS is node.csv and link.csv, as osm2gmns writes them of OpenStreetMap; or two such layers of a GeoPackage.
"""

from __future__ import annotations

import csv
import shutil
import struct
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.formats.table import MOST_BYTES_WHOLE, check_size
from nbb_opt.instance.cells import clashes, name_fault
from nbb_opt.instance.schema import BY_NAME
from nbb_opt.instance.synthetic.region import Row, air_km
from nbb_opt.instance.synthetic.write import TAKEN_OVER, new_folder, settings, shipped_rows, write_rows
from nbb_opt.instance.tables.csv_file import text_batches
from nbb_opt.instance.wording import listed, number, shown
from nbb_opt.shipped import shipped

LAYERS = ("node", "link")
NEEDED = {"node": ("node_id", "x_coord", "y_coord"), "link": ("from_node_id", "to_node_id", "length", "free_speed")}
TRUCK_USES = {"", "auto", "truck", "all", "car", "drive", "freight", "hgv"}
FASTEST_KM_PER_H = 80.0  # of heavy trucks in most of Europe
LEAST_KM, LEAST_H = 0.01, 0.001  # of a link of an instance
GROSS_T = {"NO": 60, "SE": 74, "FI": 76, "NL": 50}  # else 40 t, directive 96/53/EC
_TRUE, _FALSE = {"1", "true", "yes", "t"}, {"0", "false", "no", "f"}


def is_gmns(source: Path) -> bool:
    return source.suffix.lower() == ".gpkg" or all((source / f"{layer}.csv").is_file() for layer in LAYERS)


def convert_gmns(
    source: Path, target: Path, *, country: str, km_per_length: float | None, km_per_h_per_speed: float | None
) -> list[str]:
    """Write an instance without demand to the new folder `target`: prices and vehicles are those of `nbb`.

    Zones are the nodes with a `zone_id`; roads without a way back to the rest are left out. Raises InstanceError with
    the rows that cannot be read.
    """
    nodes, links = (_layer(source, layer) for layer in LAYERS)
    problems: list[Problem] = []
    places = _numbers(nodes, ("x_coord", "y_coord"), "node", problems)
    sizes = _numbers(links, ("length", "free_speed"), "link", problems)
    names = nodes["node_id"].tolist()
    row_of = {name: i for i, name in enumerate(names)}
    for i in np.flatnonzero(nodes["node_id"].duplicated()).tolist():
        problems.append(Problem(f"node row {i + 2}, node_id {shown(names[i])}", "is given twice", "keep one"))
    for i, name in enumerate(names):
        if fault := name_fault(name) or ("is blank", "") * (not name):
            problems.append(Problem(f"node row {i + 2}, node_id {shown(name)}", *fault))
    for name, what in clashes(names):
        problems.append(Problem(f"node row {row_of[name] + 2}, node_id {shown(name)}", what, "give it another name"))
    outside = (np.abs(places["x_coord"]) > 180) | (np.abs(places["y_coord"]) > 90)
    for i in np.flatnonzero(outside).tolist()[:5]:
        what = f"{number(places['x_coord'][i])}, {number(places['y_coord'][i])} are no longitude and latitude"
        problems.append(Problem(f"node row {i + 2}", what, "give x_coord and y_coord in degrees (EPSG:4326)"))
    ends = np.array([[row_of.get(a, -1), row_of.get(b, -1)] for a, b in zip(*_ends(links), strict=True)]).reshape(-1, 2)
    for i in np.flatnonzero((ends < 0).any(axis=1)).tolist()[:20]:
        what = f"joins {shown(links['from_node_id'][i])} and {shown(links['to_node_id'][i])}"
        problems.append(Problem(f"link row {i + 2}", f"{what}, not both of which are nodes", "correct it"))
    for column in ("length", "free_speed"):
        for i in np.flatnonzero(sizes[column] <= 0).tolist()[:5]:
            problems.append(Problem(f"link row {i + 2}, column {column}", "is not above 0", "correct it"))
    if not (len(country) == 2 and country.isalpha() and country.isupper()):
        problems.append(Problem(f"country={country!r}", "is no country", "give its two letters, such as AT"))
    if not problems and len(links):
        problems += _units(places, ends, sizes["length"], km_per_length, km_per_h_per_speed)
    if problems:
        raise InstanceError(problems)
    assert km_per_length is not None
    assert km_per_h_per_speed is not None
    lines: list[str] = [f"{len(nodes):,} nodes and {len(links):,} links read"]
    uses = links.get("allowed_uses", pd.Series("", index=links.index)).str.lower()
    road = uses.map(lambda text: bool({use.strip() for use in text.replace(",", ";").split(";")} & TRUCK_USES))
    road &= ends[:, 0] != ends[:, 1]
    if left := int((~road).sum()):
        lines.append(f"{left:,} links that no truck may use, or from a node to itself, are left out")
    both_ways = _both_ways(links)
    inside = _strong(ends, road.to_numpy(), both_ways, len(nodes))
    keep = road.to_numpy() & inside[ends].all(axis=1)
    if left := int((road & ~keep).sum()):
        lines.append(f"{left:,} roads are left out: from them no roads lead back to the rest")
    zone_ids = nodes.get("zone_id", pd.Series("", index=nodes.index)).str.strip()
    is_zone = ((zone_ids != "") & inside).to_numpy()
    if not is_zone.any():
        hint = "fill in zone_id in the nodes where freight starts or ends"
        raise InstanceError([Problem(f"{source.name}, node", "no node that roads lead to and from is a zone", hint)])
    km, speed = sizes["length"] * km_per_length, sizes["free_speed"] * km_per_h_per_speed
    if fast := int((speed[keep] > FASTEST_KM_PER_H).sum()):
        lines.append(f"{fast:,} roads are faster than {FASTEST_KM_PER_H:g} km/h, which is taken as the speed of trucks")
    hours = km / np.minimum(speed, FASTEST_KM_PER_H)
    if short := int(((km < LEAST_KM) | (hours < LEAST_H))[keep].sum()):
        lines.append(f"{short:,} roads are shorter than {LEAST_KM * 1000:g} m or {LEAST_H * 3600:g} s: taken as that")
    roads = pd.DataFrame({
        "link": links.get("link_id", pd.Series(np.arange(1, len(links) + 1).astype(str))),
        "a": ends[:, 0], "b": ends[:, 1], "km": np.maximum(km, LEAST_KM), "h": np.maximum(hours, LEAST_H),
        "both": both_ways,
    })[keep]  # fmt: skip
    roads = _joined(roads)
    gross = GROSS_T.get(country, 40)
    lines.append(f"roads carry trucks of {gross} t, as is usual in {country}: put it right where it is not so")
    _write(target, source, country, gross, names, nodes, places, inside, is_zone, roads)
    lines.append(
        f"{len(roads):,} roads between {int(inside.sum()):,} nodes, {int(is_zone.sum()):,} of them zones, written"
    )
    known = {row["country"] for row in shipped_rows("countries")}
    if country not in known:
        lines.append(f"countries, country_years, energy and chargers are those of nbb: add the rows of {country}")
    lines.append(f"next: write {target / 'od.csv'} (the demand between zones), then nbb-opt check {target}")
    return lines


def _ends(links: pd.DataFrame) -> tuple[list[str], list[str]]:
    return links["from_node_id"].tolist(), links["to_node_id"].tolist()


def _layer(source: Path, layer: str) -> pd.DataFrame:
    """A layer as text."""
    check_size(source / f"{layer}.csv" if source.is_dir() else source, MOST_BYTES_WHOLE)
    try:
        if source.is_dir():
            found = _from_csv(source / f"{layer}.csv")
        else:
            found = _from_geopackage(source, layer)
    except (ValueError, OSError) as error:
        what = f"cannot be read: {str(error).strip().splitlines()[0][:200]}"
        raise InstanceError([Problem(f"{source.name}, {layer}", what, "write it as CSV, UTF-8 with commas")]) from error
    if missing := [name for name in NEEDED[layer] if name not in found.columns]:
        hint = f"GMNS has them; there are {listed(found.columns, 30)}"
        raise InstanceError([Problem(f"{source.name}, {layer}", f"has no column {', '.join(missing)}", hint)])
    if found.empty:
        raise InstanceError([Problem(f"{source.name}, {layer}", "has no rows", "give nodes and links")])
    return found


def _from_csv(path: Path) -> pd.DataFrame:
    """As pandas would read it, but that a line with a cell too many or too few is refused, not shifted."""
    problems: list[Problem] = []
    with path.open("rb") as stream:
        batches = list(text_batches(stream, path.name, problems))
    header = batches[0].schema.names
    if len(set(header)) < len(header):
        problems.append(Problem(f"{path.name} row 1", "names a column twice", "keep one of the two"))
    if problems:
        raise InstanceError(problems)
    return pa.Table.from_batches(batches).to_pandas().astype("str")


def _from_geopackage(source: Path, layer: str) -> pd.DataFrame:
    """A layer named node(s) or link(s), the coordinates of points as x_coord and y_coord."""
    try:
        import pyogrio
    except ImportError as error:
        raise InstanceError([Problem("GeoPackage", "needs pyogrio", "pip install 'nbb-opt[formats]'")]) from error
    there = [str(name) for name, _ in pyogrio.list_layers(source)]
    name = next((found for found in there if found.lower() in (layer, f"{layer}s")), None)
    if name is None:
        raise InstanceError([Problem(source.name, f"has no layer {layer!r}", f"it has {listed(there)}")])
    meta, table = pyogrio.read_arrow(source, layer=name)
    frame = pd.DataFrame({
        column: ["" if cell is None else str(cell) for cell in table.column(column).to_pylist()]
        for column in table.column_names
        if column != meta["geometry_name"]
    })  # fmt: skip
    if layer == "node" and "x_coord" not in frame:
        if meta["crs"] not in ("EPSG:4326", "OGC:CRS84"):
            hint = "reproject it to EPSG:4326 (longitude and latitude)"
            raise InstanceError([Problem(f"{source.name}, {name}", f"is in {meta['crs']}", hint)])
        points = [_point(cell) for cell in table.column(meta["geometry_name"] or "wkb_geometry").to_pylist()]
        frame["x_coord"], frame["y_coord"] = ([str(point[axis]) for point in points] for axis in (0, 1))
    return frame


def _point(wkb: bytes | None) -> tuple[float, float]:
    """The place of a point in well-known binary.

    >>> _point(struct.pack("<BIdd", 1, 1, 20.3, 63.8))
    (20.3, 63.8)
    """
    order = "<" if wkb and wkb[0] == 1 else ">"
    if not wkb or len(wkb) < 21 or struct.unpack_from(f"{order}I", wkb, 1)[0] % 1000 != 1:
        raise ValueError("a geometry of the nodes is not a point")
    x, y = struct.unpack_from(f"{order}dd", wkb, 5)
    return x, y


def _numbers(
    frame: pd.DataFrame, columns: tuple[str, ...], layer: str, problems: list[Problem]
) -> dict[str, np.ndarray]:
    found = {}
    for column in columns:
        values = pd.to_numeric(frame[column], errors="coerce").to_numpy(float)
        for i in np.flatnonzero(~np.isfinite(values)).tolist()[:5]:
            where = f"{layer} row {i + 2}, column {column}, value {shown(frame[column][i])}"
            problems.append(Problem(where, "is not a finite number", "correct it"))
        found[column] = values
    return found


def _units(
    places: dict[str, np.ndarray], ends: np.ndarray, length: np.ndarray, km: float | None, speed: float | None
) -> list[Problem]:
    """GMNS files name no units: they are asked for, and lengths must then fit the coordinates."""
    lat, lon = places["y_coord"], places["x_coord"]
    air = air_km(lat[ends[:, 0]], lon[ends[:, 0]], lat[ends[:, 1]], lon[ends[:, 1]])
    far = air > 0.05
    ratio = float(np.median(length[far] / air[far])) if far.any() else float("nan")
    problems = []
    if not km or not speed:
        seen = f"; a link is {ratio:.4g} long for each km of air line" if far.any() else ""
        hint = "give km_per_length= (0.001 for m, 1.609344 for miles) and km_per_h_per_speed= (1, or 1.609344 for mph)"
        problems.append(Problem("link", f"does not say its units of length and speed{seen}", hint))
    elif far.any() and not 0.9 <= ratio * km <= 3:
        what = f"a link would be {ratio * km:.3g} km long for each km of air line"
        problems.append(Problem("km_per_length=", what, "look at the units of length and of the coordinates"))
    return problems


def _both_ways(links: pd.DataFrame) -> np.ndarray:
    """Whether each link may be used in both directions: `directed` is false."""
    if "directed" not in links:
        return np.zeros(len(links), dtype=bool)
    words = links["directed"].str.strip().str.lower()
    strange = sorted(set(words) - _TRUE - _FALSE)
    if strange:
        raise InstanceError([Problem("link, column directed", f"holds {listed(strange)}", "true or false")])
    return words.isin(list(_FALSE)).to_numpy()


def _strong(ends: np.ndarray, road: np.ndarray, both: np.ndarray, n: int) -> np.ndarray:
    """Whether each node belongs to the largest part in which roads lead from every node to every other."""
    a = np.concatenate([ends[road, 0], ends[road & both, 1]])
    b = np.concatenate([ends[road, 1], ends[road & both, 0]])
    _, part = connected_components(coo_array((np.ones(a.size), (a, b)), shape=(n, n)), connection="strong")
    return part == np.bincount(part).argmax() if n else np.zeros(0, dtype=bool)


def _joined(roads: pd.DataFrame) -> pd.DataFrame:
    """Pairs of one-way links there and back, of one length and time, become one road both ways."""
    one_way = roads[~roads["both"]]
    low, high = np.minimum(one_way["a"], one_way["b"]), np.maximum(one_way["a"], one_way["b"])
    keys = [low, high, one_way["km"].round(6), one_way["h"].round(9)]
    forward = one_way["a"] < one_way["b"]
    rank = one_way.groupby([*keys, forward]).cumcount()
    size = one_way.groupby([*keys, rank])["link"].transform("size")
    first = one_way[forward & (size == 2)].assign(both=True)
    return pd.concat([roads[roads["both"]], first, one_way[size != 2]]).sort_index()


def _write(
    target: Path, source: Path, country: str, gross: int, names: list[str], nodes: pd.DataFrame,
    places: dict[str, np.ndarray], inside: np.ndarray, is_zone: np.ndarray, roads: pd.DataFrame,
) -> None:  # fmt: skip
    degree = np.bincount(np.concatenate([roads["a"], roads["b"]]).astype(np.int64), minlength=len(names))
    hub = names[int(np.argmax(np.where(is_zone, degree, -1)))]
    own = {
        "source": "network",
        "title": f"Network {source.name}",
        "licence": "as its source states (OpenStreetMap: ODbL)",
    }
    titles = nodes.get("name", pd.Series("", index=nodes.index)).tolist()
    node_rows: list[Row] = [
        {
            "node": names[i], "name": " ".join(titles[i].split()) or f"Node {names[i]}", "country": country,
            "lat": float(places["y_coord"][i]), "lon": float(places["x_coord"][i]),
            "kind": "town" if is_zone[i] else "junction", "is_zone": bool(is_zone[i]), "fleet_region": "ALL",
            "note": "plausible: as in the network",
        }
        for i in np.flatnonzero(inside).tolist()
    ]  # fmt: skip
    link_rows: list[Row] = [
        {
            "link": f"ROAD_{link}", "from_node": names[a], "to_node": names[b], "two_way": both, "mode": "road",
            "country": country, "distance_km": km, "time_h": hours, "max_gross_t": gross, "toll_eur_per_vkm": 0,
            "charge_eur_per_t": 0, "note": "plausible: as in the network",
        }
        for link, a, b, km, hours, both in roads[["link", "a", "b", "km", "h", "both"]].to_numpy(object).tolist()
    ]  # fmt: skip
    tables: dict[str, list[Row]] = {
        "sources": [*shipped_rows("sources"), dict(own)],
        "ranges": [row for row in shipped_rows("ranges") if row["table"] in TAKEN_OVER],
        "nodes": node_rows, "links": link_rows, "charge_areas": [], "fleet": [],
        "fleet_regions": [{"fleet_region": "ALL", "name": "All trucks", "country": country, "hub_node": hub}],
    }  # fmt: skip
    with new_folder(target) as folder:
        for name in TAKEN_OVER:
            shutil.copyfile(shipped("instances") / "nbb" / f"{name}.csv", folder / f"{name}.csv")
        for name, rows in tables.items():
            write_rows(folder / f"{name}.csv", name, rows, source="network")
        with (folder / "od.csv").open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerow(c.name for c in BY_NAME["od"].columns if not c.optional)
        said = {
            "title": f"Region of {source.name}", "licence": "the user's own",
            "description": f"Roads of {source.name}; prices and vehicles of nbb; demand is to be given",
        }  # fmt: skip
        (folder / "instance.toml").write_text(settings(target, "region", said), encoding="utf-8", newline="")
