"""A network of OpenStreetMap or of a GIS becomes an instance that lacks only its demand."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from nbb_opt.cli.main import app
from nbb_opt.errors import InstanceError
from nbb_opt.formats import Choices, convert
from nbb_opt.instance import read_instance
from nbb_opt.network import prepare

# A town in the west (1), a junction (2), a town in the east (3), a dead end (4): about 50 km per degree of longitude.
NODES = pd.DataFrame({
    "name": ["West", "", "East", "End"], "node_id": [1, 2, 3, 4], "zone_id": ["7", "", "9", ""],
    "x_coord": [20.0, 20.5, 21.0, 21.5], "y_coord": [63.0, 63.0, 63.0, 63.0],
})  # fmt: skip
LINKS = pd.DataFrame(
    [
        (1, 1, 2, 26_000.0, 60, "auto;bike"), (2, 2, 1, 26_000.0, 60, "auto"), (3, 2, 3, 26_000.0, 120, "auto"),
        (4, 3, 2, 27_000.0, 60, ""), (5, 3, 4, 26_000.0, 60, "auto"), (6, 1, 3, 51_000.0, 15, "bike;walk"),
    ],
    columns=["link_id", "from_node_id", "to_node_id", "length", "free_speed", "allowed_uses"],
)  # fmt: skip
UNITS = Choices(country="SE", km_per_length=0.001, km_per_h_per_speed=1.0)


def written(folder: Path, nodes: pd.DataFrame = NODES, links: pd.DataFrame = LINKS) -> Path:
    folder.mkdir()
    nodes.to_csv(folder / "node.csv", index=False)
    links.to_csv(folder / "link.csv", index=False)
    return folder


def test_a_network_of_openstreetmap_becomes_an_instance_for_ones_own_demand(tmp_path: Path) -> None:
    source, target = written(tmp_path / "osm"), tmp_path / "region"
    args = ["convert", str(source), str(target), "--country", "SE", "--km-per-length", "0.001"]
    done = CliRunner().invoke(app, [*args, "--km-per-h-per-speed", "1"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    for words in (
        "1 links that no truck may use", "1 roads are left out: from them no roads lead back",
        "1 roads are faster than 80 km/h", "3 roads between 3 nodes, 2 of them zones, written",
    ):  # fmt: skip
        assert words in done.output
    links = pd.read_csv(target / "links.csv").set_index("link")
    assert links["two_way"].to_dict() == {"ROAD_1": True, "ROAD_3": False, "ROAD_4": False}
    assert links["distance_km"].to_dict() == {"ROAD_1": 26.0, "ROAD_3": 26.0, "ROAD_4": 27.0}
    assert links["time_h"].round(4).to_dict() == {"ROAD_1": 0.4333, "ROAD_3": 0.325, "ROAD_4": 0.45}
    with pytest.raises(InstanceError, match=r"od\.csv: has no rows"):
        read_instance(target)
    rows = "origin,destination,commodity,year,tonnes\n" + "".join(
        f"1,3,TIMBER,{year},1000\n3,1,TIMBER,{year},500\n" for year in (2025, 2040)
    )
    commodity = pd.read_csv(target / "commodities.csv")["commodity"][0]
    (target / "od.csv").write_text(rows.replace("TIMBER", commodity))
    prepared = prepare(read_instance(target))
    assert sorted(prepared.bundles[["origin", "destination"]].to_numpy().tolist()) == [["1", "3"], ["3", "1"]]


def test_links_without_a_direction_are_roads_both_ways(tmp_path: Path) -> None:
    source = written(tmp_path / "osm", links=LINKS.iloc[[0, 2]].assign(directed="false"))
    convert(source, tmp_path / "region", choices=UNITS)
    assert pd.read_csv(tmp_path / "region" / "links.csv")["two_way"].tolist() == [True, True]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda n, k: (n.assign(x_coord=["20", "x", "21", "22"]), k), r"node row 3, column x_coord, value 'x'"),
        (lambda n, k: (n.assign(x_coord=n["x_coord"] * 1e4), k), "are no longitude and latitude"),
        (lambda n, k: (n.assign(node_id=[1, 1, 3, 4]), k), r"node row 3, node_id '1': is given twice"),
        (lambda n, k: (n.assign(node_id=[1, "a/b", 3, 4]), k), "is a name and may not hold"),
        (lambda n, k: (n.assign(zone_id=""), k), "fill in zone_id"),
        (lambda n, k: (n, k.assign(to_node_id=99)), "joins '1' and '99', not both of which are nodes"),
        (lambda n, k: (n, k.assign(length=0)), "link row 2, column length: is not above 0"),
        (lambda n, k: (n, k.assign(length=k["length"] / 1000)), "would be 0.001.* km long for each km of air line"),
        (lambda n, k: (n, k.drop(columns="free_speed")), "has no column free_speed"),
        (lambda n, k: (n, k.assign(directed="maybe")), "column directed: holds maybe"),
    ],
)
def test_a_network_at_fault_is_refused_with_its_place(tmp_path: Path, spoil: object, words: str) -> None:
    source = written(tmp_path / "osm", *spoil(NODES, LINKS))  # type: ignore[operator]
    with pytest.raises(InstanceError, match=words):
        convert(source, tmp_path / "region", choices=UNITS)
    assert not (tmp_path / "region").exists()


def test_a_line_with_a_cell_too_many_is_refused_and_not_shifted(tmp_path: Path) -> None:
    source = written(tmp_path / "osm")
    text = (source / "node.csv").read_text()
    (source / "node.csv").write_text(text.replace("East,", "East, of it,"))
    with pytest.raises(InstanceError, match=r"node\.csv row 4: has 6 cells, the header has 5"):
        convert(source, tmp_path / "region", choices=UNITS)
    (source / "node.csv").write_text(text.partition("\n")[0] + "\n")
    with pytest.raises(InstanceError, match="node: has no rows"):
        convert(source, tmp_path / "region", choices=UNITS)


def test_units_are_asked_for_with_what_the_coordinates_show(tmp_path: Path) -> None:
    with pytest.raises(InstanceError, match=r"a link is 10\d\d long for each km of air line .*0\.001 for m"):
        convert(written(tmp_path / "osm"), tmp_path / "region", choices=Choices(country="SE"))
    with pytest.raises(InstanceError, match="country='': is no country"):
        convert(tmp_path / "osm", tmp_path / "region", choices=Choices(km_per_length=0.001, km_per_h_per_speed=1.0))


def test_two_layers_of_a_geopackage_are_such_a_network(tmp_path: Path) -> None:
    pyogrio = pytest.importorskip("pyogrio", reason="GeoPackage needs the extra [formats]")
    import struct

    import numpy as np

    def layer(name: str, frame: pd.DataFrame, geometry: list[bytes | None], kind: str, crs: str = "EPSG:4326") -> None:
        fields = [frame[column].astype(object).to_numpy() for column in frame.columns]
        fields = [f.astype(float) if not isinstance(f[0], str) else f for f in fields]
        pyogrio.raw.write(
            tmp_path / "a.gpkg", geometry=np.array(geometry, dtype=object), field_data=fields,
            fields=list(frame.columns), layer=name, geometry_type=kind, crs=crs, append=(tmp_path / "a.gpkg").exists(),
        )  # fmt: skip

    points = [struct.pack("<BIdd", 1, 1, x, y) for x, y in zip(NODES["x_coord"], NODES["y_coord"], strict=True)]
    nodes = NODES.drop(columns=["x_coord", "y_coord"]).astype({"node_id": str})
    links = LINKS.astype({"link_id": str, "from_node_id": str, "to_node_id": str})
    layer("nodes", nodes, points, "Point")
    layer("links", links, [None] * len(links), "LineString")
    convert(tmp_path / "a.gpkg", tmp_path / "region", choices=UNITS)
    convert(written(tmp_path / "osm"), tmp_path / "same", choices=UNITS)
    for name in ("nodes.csv", "links.csv"):
        assert (tmp_path / "region" / name).read_text() == (tmp_path / "same" / name).read_text()
