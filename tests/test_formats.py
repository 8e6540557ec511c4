"""Conversion keeps every tonne, says what it did, and refuses files that are damaged or cut off."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from typer.testing import CliRunner

from nbb_opt.cli.main import app
from nbb_opt.demand import RowRules, Target, aggregate, open_source
from nbb_opt.errors import InstanceError
from nbb_opt.formats import Choices, convert
from nbb_opt.formats import __file__ as formats_file
from nbb_opt.instance import read_instance
from nbb_opt.network import prepare

SHARED = Path(os.environ.get("NBB_OPT_SHARED") or Path(__file__).parents[2] / "shared")
NGM = SHARED / "data" / "ngm"
COLUMNS = ["origin", "destination", "commodity", "year", "tonnes"]
ROWS = pd.DataFrame(
    [
        ("Oulu", "Luleå", "ORE", 2025, 100.5),
        ("Luleå", "Oulu", "BOX", 2035, 0.125),
        ("Kemi, port", "Oulu", "ORE", 2025, 3.0),
    ],
    columns=COLUMNS,
)
TRIPS = """<NUMBER OF ZONES> 3
<TOTAL OD FLOW> 160.5
<END OF METADATA>

~ a comment
Origin 1
    1 :    0.0;     2 :  100.0;     3 :   50.0;
Origin  3
    1 :   10.5;
"""
NETWORK = """<NUMBER OF ZONES> 3
<NUMBER OF LINKS> 2
<END OF METADATA>
~ init term capacity length time b power speed toll type ;
1 2 25900.2 6 6 0.15 4 0 0 1 ;
2 3 23403.4 4 4 0.15 4 0 0 1 ;
"""


def test_csv_and_parquet_convert_into_each_other(tmp_path: Path) -> None:
    ROWS.to_csv(tmp_path / "a.csv", index=False)
    assert "3 rows written" in convert(tmp_path / "a.csv", tmp_path / "b.parquet").lines
    convert(tmp_path / "b.parquet", tmp_path / "c.csv")
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "c.csv"), ROWS)
    target = Target({"Oulu": 0, "Luleå": 1, "Kemi, port": 2}, {"ORE": 0, "BOX": 1}, 3, 2)
    assert aggregate(open_source(tmp_path / "b.parquet"), target).tonnes.sum() == ROWS["tonnes"].sum()


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"tonnes": -1.0}, "1 row refused: row 3: tonnes -1.0 is negative"),
        ({"tonnes": float("inf")}, "1 row refused: row 3: tonnes inf is no finite number"),
        ({"year": 1066}, "1 row refused: row 3: year 1066 is outside 1950 to 2120"),
        ({"origin": ""}, "1 row refused: row 3: origin '' is blank"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_and_nothing_is_written(
    tmp_path: Path, cells: dict[str, float], words: str
) -> None:
    rows = ROWS.astype({"year": object, "tonnes": object})
    for column, value in cells.items():
        rows.loc[1, column] = value
    rows.to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(InstanceError, match=words):
        convert(tmp_path / "a.csv", tmp_path / "b.parquet")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv"]


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".xlsx"])
def test_duplicates_are_refused_with_count_and_places_unless_asked(tmp_path: Path, ending: str) -> None:
    many = pd.concat([ROWS, ROWS.head(1), ROWS], ignore_index=True)
    many.to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(InstanceError) as caught:
        convert(tmp_path / "a.csv", tmp_path / f"b{ending}")
    said = str(caught.value)
    assert "a.csv: 4 rows refused: row 5: origin 'Oulu' stands twice" in said
    assert "; row 6: origin 'Oulu'" in said
    assert "; row 7: origin 'Luleå'" in said
    assert "duplicates='add'" in said
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    report = convert(tmp_path / "a.csv", tmp_path / f"c{ending}", choices=Choices(duplicates="add"))
    assert "4 rows added to an earlier row, as asked: row 5" in report.lines[1]
    convert(tmp_path / f"c{ending}", tmp_path / "c2.csv")
    summed = pd.read_csv(tmp_path / "c2.csv").sort_values(COLUMNS, ignore_index=True)
    expected = many.groupby(COLUMNS[:4], as_index=False)["tonnes"].sum().sort_values(COLUMNS, ignore_index=True)
    pd.testing.assert_frame_equal(summed, expected)
    report = convert(tmp_path / "a.csv", tmp_path / f"d{ending}", choices=Choices(duplicates="keep"))
    assert "4 rows kept beside an earlier row, as asked" in report.lines[1]
    convert(tmp_path / f"d{ending}", tmp_path / "d2.csv", choices=Choices(duplicates="keep"))
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "d2.csv"), many)


def test_duplicates_are_found_among_many_rows_in_many_batches(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    n = 300_000
    table = pd.DataFrame(
        {"origin": rng.integers(0, 300, n), "destination": rng.integers(0, 300, n),
         "commodity": rng.integers(0, 9, n), "year": rng.choice([2025, 2030], n), "tonnes": 1.0}
    )  # fmt: skip
    pq.write_table(
        pa.Table.from_pandas(table, preserve_index=False), tmp_path / "a.parquet",
        row_group_size=70_000, write_page_checksum=True,
    )  # fmt: skip
    again = np.flatnonzero(table.duplicated(COLUMNS[:4]))
    with pytest.raises(InstanceError, match=f"{again.size:,} rows refused: row {again[0] + 1}: ") as caught:
        convert(tmp_path / "a.parquet", tmp_path / "b.parquet")
    assert f"; row {again[2] + 1}: " in str(caught.value)
    convert(tmp_path / "a.parquet", tmp_path / "b.parquet", choices=Choices(duplicates="add"))
    summed = pd.read_parquet(tmp_path / "b.parquet")
    assert (len(summed), summed["tonnes"].sum()) == (n - again.size, n)


DAMAGES = {
    "negative": {"tonnes": -1.0},
    "not-finite": {"tonnes": float("nan")},
    "year": {"year": 1066},
    "within-zone": {"destination": "Oulu", "origin": "Oulu"},
    "unknown-zone": {"origin": "Nowhere"},
    "unknown-commodity": {"commodity": "LOVE"},
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_rows_are_dropped_only_of_the_kind_named_and_counted(tmp_path: Path, kind: str) -> None:
    spoilt = ROWS.astype({"year": object}).iloc[[1]].assign(**DAMAGES[kind])
    for i, rows in enumerate((pd.concat([ROWS, spoilt, spoilt]), ROWS)):
        rows.to_csv(tmp_path / f"{i}.csv", index=False, na_rep="nan")
    case = tmp_path / "case"
    case.mkdir()
    (case / "nodes.csv").write_text(
        "node,name,country,lat,lon,kind,is_zone,fleet_region,charge_area,unlocode,nuts3,source,note\n"
        + "".join(f'"{name}",{name[:4]},FI,65,25,town,true,,,,,s,\n' for name in ("Oulu", "Luleå", "Kemi, port"))
    )
    (case / "commodities.csv").write_text(
        "commodity,name,nst2007,cargo_type,value_of_time_eur_per_t_h,modes,source,note\n"
        "ORE,Ore,,dry_bulk,0.1,road,s,\nBOX,Boxes,,dry_bulk,0.1,road,s,\n"
    )
    out = tmp_path / "out.csv"
    with pytest.raises(InstanceError, match="2 rows refused: row 5: "):
        convert(tmp_path / "0.csv", out, choices=Choices(instance=case))
    report = convert(tmp_path / "0.csv", out, choices=Choices(instance=case, drop=(kind,)))
    assert "2 rows left out, as asked: row 5: " in report.lines[1]
    pd.testing.assert_frame_equal(pd.read_csv(out), ROWS)
    report = convert(tmp_path / "1.csv", out, choices=Choices(instance=case, drop=(kind,)))
    assert len(report.lines) == 2
    pd.concat([spoilt, spoilt]).to_csv(tmp_path / "2.csv", index=False, na_rep="nan")
    with pytest.raises(InstanceError, match="none of its 2 rows is left"):
        convert(tmp_path / "2.csv", out, choices=Choices(instance=case, drop=(kind,)))
    if kind.startswith("unknown"):
        with pytest.raises(InstanceError, match="are known: instance="):
            convert(tmp_path / "0.csv", out, choices=Choices(drop=(kind,)))


def test_maps_give_other_names_and_join_flows(tmp_path: Path) -> None:
    ROWS.to_csv(tmp_path / "a.csv", index=False)
    (tmp_path / "z.csv").write_text('given,becomes\nOulu,FI\n"Kemi, port",FI\nLuleå,SE\n')
    (tmp_path / "k.csv").write_text("given,becomes\nORE,all\nBOX,all\n")
    maps = {"zone_map": tmp_path / "z.csv", "commodity_map": tmp_path / "k.csv"}
    with pytest.raises(InstanceError, match="duplicates='add'"):
        convert(tmp_path / "a.csv", tmp_path / "b.csv", choices=Choices(**maps))
    convert(tmp_path / "a.csv", tmp_path / "b.csv", choices=Choices(**maps, duplicates="add"))
    assert pd.read_csv(tmp_path / "b.csv").to_numpy().tolist() == [
        ["FI", "FI", "all", 2025, 3.0], ["FI", "SE", "all", 2025, 100.5], ["SE", "FI", "all", 2035, 0.125],
    ]  # fmt: skip
    (tmp_path / "z.csv").write_text("given,becomes\nOulu,FI\nLuleå,SE\n")
    with pytest.raises(InstanceError, match=r"1 row refused: row 4: origin 'Kemi, port'"):
        convert(tmp_path / "a.csv", tmp_path / "b.csv", choices=Choices(**maps, duplicates="add"))
    (tmp_path / "z.csv").write_text("given,becomes\nOulu,FI\nOulu,SE\nLuleå\n")
    with pytest.raises(InstanceError, match=r"row 3: 'Oulu' stands twice[\s\S]*row 4: is not two names"):
        convert(tmp_path / "a.csv", tmp_path / "b.csv", choices=Choices(**maps, duplicates="add"))


def test_a_workbook_there_and_back_keeps_every_bit(tmp_path: Path) -> None:
    rows = ROWS.assign(tonnes=[0.1 + 0.2, 1e-5, 1 / 3], origin=["1+1", "007", "Kemi, port"])
    rows.to_csv(tmp_path / "a.csv", index=False)
    convert(tmp_path / "a.csv", tmp_path / "b.xlsx")
    convert(tmp_path / "b.xlsx", tmp_path / "c.csv")
    back = pd.read_csv(tmp_path / "c.csv", dtype={"origin": "str"})
    pd.testing.assert_frame_equal(back, rows, rtol=0, atol=0)


def test_a_sheet_has_an_end_and_cells_that_are_no_values_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ROWS.to_csv(tmp_path / "a.csv", index=False)
    monkeypatch.setattr("nbb_opt.formats.table.MOST_ROWS", 2)
    with pytest.raises(InstanceError, match=r"more than 2 rows; a sheet ends at row 1,048,576 \(write \.parquet or"):
        convert(tmp_path / "a.csv", tmp_path / "b.xlsx")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    with xlsxwriter.Workbook(tmp_path / "c.xlsx") as book:
        sheet = book.add_worksheet("od")
        for i, words in enumerate((COLUMNS, ["name from nodes", "name from nodes", "name from commodities", "year"])):
            sheet.write_row(i, 0, words)
        sheet.write_string(1, 4, "t/year")
        sheet.write_row(2, 0, ["Oulu", "Luleå", "ORE", 2025, "ten"])
        sheet.write_row(3, 0, ["Oulu", "Luleå", "ORE", 2030])
        sheet.write_formula(3, 4, "1+1", value=2)
    with pytest.raises(InstanceError) as caught:
        convert(tmp_path / "c.xlsx", tmp_path / "d.csv")
    assert "od!E4" in str(caught.value)
    assert "formula" in str(caught.value)


def test_omx_there_and_back_keeps_every_flow(tmp_path: Path) -> None:
    pytest.importorskip("h5py", reason="OMX needs the extra [formats]")
    ROWS.to_csv(tmp_path / "a.csv", index=False)
    convert(tmp_path / "a.csv", tmp_path / "b.omx")
    convert(tmp_path / "b.omx", tmp_path / "c.csv")
    back = pd.read_csv(tmp_path / "c.csv").sort_values(COLUMNS, ignore_index=True)
    pd.testing.assert_frame_equal(back, ROWS.sort_values(COLUMNS, ignore_index=True))
    pd.concat([ROWS, ROWS]).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(InstanceError, match="duplicates='add'"):
        convert(tmp_path / "a.csv", tmp_path / "b.omx")


def test_an_omx_of_another_tool_needs_a_year_and_its_lookup_names_the_zones(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="OMX needs the extra [formats]")
    with h5py.File(tmp_path / "a.omx", "w") as file:
        file.attrs["OMX_VERSION"], file.attrs["SHAPE"] = np.bytes_("0.2"), np.array([2, 2])
        file["data/grain"] = np.array([[0.0, 5.0], [7.0, 0.0]])
        file["lookup/taz"] = np.array([101, 205])
    with pytest.raises(InstanceError, match="give year="):
        convert(tmp_path / "a.omx", tmp_path / "a.csv")
    convert(tmp_path / "a.omx", tmp_path / "a.csv", choices=Choices(year=2030))
    assert pd.read_csv(tmp_path / "a.csv").to_numpy().tolist() == [
        [101, 205, "grain", 2030, 5.0], [205, 101, "grain", 2030, 7.0],
    ]  # fmt: skip
    (tmp_path / "b.omx").write_bytes((tmp_path / "a.omx").read_bytes()[:700])
    with pytest.raises(InstanceError, match=r"b\.omx: cannot be read"):
        convert(tmp_path / "b.omx", tmp_path / "b.csv")


def test_tntp_trips_become_rows(tmp_path: Path) -> None:
    (tmp_path / "x_trips.tntp").write_text(TRIPS)
    args = ["convert", str(tmp_path / "x_trips.tntp"), str(tmp_path / "o.csv"), "--year", "2030", "--commodity", "BOX"]
    done = CliRunner().invoke(app, args, catch_exceptions=False)
    assert "3 pairs above zero, 160.5 in all" in done.output
    assert pd.read_csv(tmp_path / "o.csv")["tonnes"].tolist() == [100.0, 50.0, 10.5]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("160.5", "161.5", "its head says 161.5"), ("10.5;", "ten;", "line 9"), ("3 :", "4 :", "outside 1 to 3"),
        ("<END OF METADATA>", "", "no <END OF METADATA>"), ("100.0", "-100.0", "negative"),
    ],
)  # fmt: skip
def test_a_damaged_trip_table_is_refused(tmp_path: Path, old: str, new: str, words: str) -> None:
    (tmp_path / "x.tntp").write_text(TRIPS.replace(old, new))
    with pytest.raises(InstanceError, match=words):
        convert(tmp_path / "x.tntp", tmp_path / "o.csv", choices=Choices(year=2030))


def test_a_tntp_network_becomes_links_and_a_cut_off_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x_net.tntp").write_text(NETWORK)
    choices = Choices(km_per_length=1.609344, h_per_time=1 / 60)
    convert(tmp_path / "x_net.tntp", tmp_path / "links.csv", choices=choices)
    links = pd.read_csv(tmp_path / "links.csv")
    assert links[["from_node", "to_node", "time_h"]].to_numpy().tolist() == [[1, 2, 0.1], [2, 3, 4 / 60]]
    with pytest.raises(InstanceError, match="does not say its units"):
        convert(tmp_path / "x_net.tntp", tmp_path / "links.csv")
    (tmp_path / "x_net.tntp").write_text(NETWORK[:-35])
    with pytest.raises(InstanceError, match=r"head says 2|columns"):
        convert(tmp_path / "x_net.tntp", tmp_path / "links.csv", choices=choices)


def small_ngm(folder: Path) -> Path:
    folder.mkdir()
    rows = pd.DataFrame(
        [(2020, 1, 101, 102, "PC", 5.0), (2020, 1, 101, 102, "WC", 2.0), (2020, 2, 102, 102, "PW", 9.0)],
        columns=["year", "commodity", "from_zone", "to_zone", "chain_type", "tonnes"],
    )
    pq.write_table(pa.Table.from_pandas(rows, preserve_index=False), folder / "od_pwc.parquet")
    pq.write_table(pa.table({"NGM_zone_nr": ["101", "102", "103"]}), folder / "zones.parquet")
    pd.DataFrame({"Comm_nr": [1, 2]}).to_csv(folder / "commodities.csv", index=False)
    return folder


def test_chain_types_of_the_ngm_are_added_up_and_the_report_says_so(tmp_path: Path) -> None:
    report = convert(small_ngm(tmp_path / "ngm"), tmp_path / "od.parquet")
    assert pd.read_parquet(tmp_path / "od.parquet")["tonnes"].tolist() == [7.0]
    assert len(pd.read_csv(tmp_path / "od.zones.csv")) == 3
    text = "\n".join(report.lines)
    assert "1 rows added to another row" in text
    assert "1 sums (9 t) are within a zone: left out" in text
    rows = pd.read_parquet(tmp_path / "ngm" / "od_pwc.parquet")
    rows.loc[1, "from_zone"] = 999
    rows.to_parquet(tmp_path / "ngm" / "od_pwc.parquet")
    with pytest.raises(InstanceError, match=r"1 rows refused .*row 2: from_zone 999"):
        convert(tmp_path / "ngm", tmp_path / "od.parquet")


def test_the_ngm_becomes_an_instance_by_region_that_can_be_prepared(tmp_path: Path) -> None:
    ngm = small_ngm(tmp_path / "ngm")
    zones = {
        "NGM_zone_nr": ["101", "102", "103", "104"],
        "STRAM_zone_name": ["Viken", "Viken", "Troms", "Continental shelf"],
    }
    pq.write_table(pa.table(zones), ngm / "zones.parquet")
    rows = [
        (year, k, a, b, "PC", t * (year - 2000))
        for year in (2020, 2040)
        for k, a, b, t in ((1, 101, 103, 1.0), (1, 102, 103, 2.0), (1, 101, 102, 4.0), (2, 103, 104, 8.0))
    ]
    columns = ["year", "commodity", "from_zone", "to_zone", "chain_type", "tonnes"]
    pd.DataFrame(rows, columns=columns).to_parquet(ngm / "od_pwc.parquet")
    goods = {
        "Comm_nr": [1, 2], "Comm_name": ["Ore ", "Logs"], "Comm_aggr_name": ["Dry bulk", "Timber"],
        "product_class_stram": ["Dry bulk", "Neo bulk"], "product_group_stram": ["Dry bulk", "Neo bulk"],
    }  # fmt: skip
    pd.DataFrame(goods).to_csv(ngm / "commodities.csv", index=False)
    report = convert(ngm, tmp_path / "case")
    text = "\n".join(report.lines)
    assert "2 sums (240 t) are within a region: left out" in text
    assert "2 more sums (480 t) start or end in Continental shelf: left out" in text
    prepared = prepare(read_instance(tmp_path / "case"))
    assert prepared.bundles[["origin", "destination", "commodity"]].to_numpy().tolist() == [["OSL", "TOS", "1"]]
    np.testing.assert_allclose(prepared.demand_t, [[75.0, 84.0, 90.0, 105.0, 120.0]])
    with pytest.raises(InstanceError, match="exists and is not an empty folder"):
        convert(ngm, tmp_path / "case")
    with pytest.raises(InstanceError, match="takes no options"):
        convert(ngm, tmp_path / "other", choices=Choices(duplicates="add"))
    assert not (tmp_path / "other").exists()


def test_every_link_and_region_of_the_ngm_is_joined_to_the_rest() -> None:
    table = pd.read_csv(Path(formats_file).with_name("ngm_regions.csv"), keep_default_na=False)
    links = pd.read_csv(Path(formats_file).with_name("ngm_links.csv"))
    nodes = set(table["node"]) - {""}
    assert set(links["from_node"]) | set(links["to_node"]) == nodes
    for mode, part in links.groupby("mode"):
        ends = set(part["from_node"]) | set(part["to_node"])
        if mode != "road":
            assert ends == set(table.loc[table[mode] == "true", "node"])


@pytest.mark.skipif(not NGM.is_dir(), reason=f"public test data is not at {NGM}; set NBB_OPT_SHARED to its folder")
def test_the_norwegian_matrices_keep_every_tonne(tmp_path: Path) -> None:
    convert(NGM, tmp_path / "od.parquet", choices=Choices(within_zones=True))
    zones = pd.read_csv(tmp_path / "od.zones.csv")["NGM_zone_nr"].astype(str)
    target = Target(
        {zone: i for i, zone in enumerate(zones)}, {str(k): k - 1 for k in range(1, 40)}, len(zones), 39
    )  # fmt: skip
    sums = aggregate(open_source(tmp_path / "od.parquet"), target, rules=RowRules(within=True))
    by_year = {year: round(sums.tonnes[sums.year == year].sum() / 1e6, 2) for year in np.unique(sums.year).tolist()}
    assert by_year == {2018: 471.56, 2020: 462.03, 2025: 506.98, 2030: 560.96, 2040: 552.99, 2050: 589.93}


@pytest.mark.parametrize("name", ["tiny", "haulier", "nbb"])
def test_an_instance_goes_to_a_workbook_and_back_to_a_folder_unchanged(name: str, tmp_path: Path) -> None:
    source = Path(__file__).parents[1] / "instances" / name
    book, folder = tmp_path / "book.xlsx", tmp_path / "folder"
    done = CliRunner().invoke(app, ["convert", str(source), str(book)])
    assert done.exit_code == 0, done.output
    done = CliRunner().invoke(app, ["convert", str(book), str(folder)])
    assert done.exit_code == 0, done.output
    assert read_instance(folder).digest == read_instance(book).digest == read_instance(source).digest
    with pytest.raises(InstanceError, match="is there already"):
        convert(book, folder)
    with pytest.raises(InstanceError, match="takes no options"):
        convert(book, tmp_path / "other", choices=Choices(year=2030))


def test_a_count_in_a_tntp_head_is_the_number_it_begins_with_and_a_wrong_total_is_refused(tmp_path: Path) -> None:
    choices = Choices(km_per_length=1.0, h_per_time=1 / 60)
    (tmp_path / "x_net.tntp").write_text(NETWORK.replace("LINKS> 2", "LINKS> 2 links"))
    convert(tmp_path / "x_net.tntp", tmp_path / "links.csv", choices=choices)
    assert len(pd.read_csv(tmp_path / "links.csv")) == 2
    (tmp_path / "x.tntp").write_text(TRIPS.replace("160.5", "1,160.5"))
    with pytest.raises(InstanceError, match=r"x.tntp, <TOTAL OD FLOW>: its cells sum to 160.5, its head says 1,160.5"):
        convert(tmp_path / "x.tntp", tmp_path / "o.csv", choices=Choices(year=2030))
    (tmp_path / "x.tntp").write_text(TRIPS.replace("ZONES> 3", "ZONES> 300,000,000"))
    with pytest.raises(InstanceError, match="at most 65,536 are read"):
        convert(tmp_path / "x.tntp", tmp_path / "o.csv", choices=Choices(year=2030))
    (tmp_path / "x.tntp").write_text(TRIPS.replace("160.5", "161"))
    assert any("taken as rounded" in line for line in convert(
        tmp_path / "x.tntp", tmp_path / "o.csv", choices=Choices(year=2030)).lines)  # fmt: skip


def test_nodes_that_no_path_may_pass_are_marked_beside_the_links_with_their_places(tmp_path: Path) -> None:
    (tmp_path / "x_net.tntp").write_text("<FIRST THRU NODE> 2\n" + NETWORK)
    (tmp_path / "x_node.tntp").write_text("Node\tX\tY\t;\n1\t10.5\t60\t;\n2\t11\t61\t;\n3\t12\t62\t;\n")
    report = convert(
        tmp_path / "x_net.tntp", tmp_path / "links.csv", choices=Choices(km_per_length=1.0, h_per_time=1.0)
    )
    assert report.files[1].name == "links.nodes.csv"
    assert report.files[1].read_text() == "node,x,y,through\n1,10.5,60.0,false\n2,11.0,61.0,true\n3,12.0,62.0,true\n"
    assert "no chain may pass them" in report.lines[-1]


def test_a_folder_is_read_as_spark_does_without_hidden_and_unfinished_files(tmp_path: Path) -> None:
    table = pa.Table.from_pandas(ROWS.drop(columns="year"), preserve_index=False)
    for place in ("year=2025/part-0.pq", "_temporary/0/part-0.parquet", "year=2025/.part-1.parquet", "_SUCCESS"):
        (tmp_path / "od" / place).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, tmp_path / "od" / place)
    convert(tmp_path / "od", tmp_path / "a.csv")
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "a.csv")[COLUMNS], ROWS.assign(year=2025))
    (tmp_path / "od" / "rest.csv").write_text("x")
    with pytest.raises(InstanceError, match=r"od/rest.csv: is no Parquet file"):
        convert(tmp_path / "od", tmp_path / "b.csv")


def test_an_omx_with_groups_imaginary_parts_or_another_year_is_refused_with_its_place(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    for name, (write, words) in {
        "group": (lambda data: data.create_group("am"), "/data/am: is a group"),
        "imaginary": (lambda data: data.create_dataset("am", data=np.full((2, 2), 1j)), "/data/am: holds complex128"),
        "large": (lambda data: data.create_dataset("am", data=np.full((2, 2), 2**53 + 1)), "beyond 2\\^53"),
        "year": (lambda data: data.create_dataset("am", data=np.ones((2, 2))).attrs.update(year=2040), "of 2040"),
    }.items():
        with h5py.File(tmp_path / f"{name}.omx", "w") as file:
            file.attrs["OMX_VERSION"], file.attrs["SHAPE"] = b"0.2", [2, 2]
            write(file.create_group("data"))
        with pytest.raises(InstanceError, match=words):
            convert(tmp_path / f"{name}.omx", tmp_path / "a.csv", choices=Choices(year=2030))


def test_an_option_that_a_file_has_no_use_for_is_refused(tmp_path: Path) -> None:
    ROWS.to_csv(tmp_path / "a.csv", index=False)
    for choices, option in ((Choices(year=2030), "year="), (Choices(commodity="BOX"), "commodity=")):
        with pytest.raises(InstanceError, match=f"{option}: means nothing for a.csv"):
            convert(tmp_path / "a.csv", tmp_path / "b.parquet", choices=choices)


@pytest.mark.parametrize("tonnes", ["3e-08", "2e8"])
def test_what_check_refuses_convert_refuses_too(tmp_path: Path, tonnes: str) -> None:
    (tmp_path / "a.csv").write_text(f"{','.join(COLUMNS)}\nA,B,x,2025,{tonnes}\nB,A,x,2025,1\n")
    with pytest.raises(InstanceError, match=f"1 row refused: row 2: tonnes {tonnes} is"):
        convert(tmp_path / "a.csv", tmp_path / "b.csv")


@pytest.mark.parametrize("name", ["x/y", "A\u00a0B", "A\u00adB", "\u0410B", "\uff21", "A\u200bB"])
def test_no_name_that_an_instance_refuses_passes(tmp_path: Path, name: str) -> None:
    ROWS.assign(commodity=name).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(InstanceError, match=r"a\.csv, commodity"):
        convert(tmp_path / "a.csv", tmp_path / "b.omx")


def test_a_map_makes_good_names_of_bad_ones_but_no_bad_ones(tmp_path: Path) -> None:
    ROWS.assign(commodity="x/y").to_csv(tmp_path / "a.csv", index=False)
    (tmp_path / "z.csv").write_text('given,becomes\nOulu,FI\n"Kemi, port",FI\nLuleå,SE\n')
    (tmp_path / "k.csv").write_text("given,becomes\nx/y,all\n")
    choices = Choices(zone_map=tmp_path / "z.csv", commodity_map=tmp_path / "k.csv", duplicates="add")
    convert(tmp_path / "a.csv", tmp_path / "b.csv", choices=choices)
    assert set(pd.read_csv(tmp_path / "b.csv")["commodity"]) == {"all"}
    (tmp_path / "k.csv").write_text("given,becomes\nx/y,a*b\n")
    with pytest.raises(InstanceError, match=r"commodity 'a\*b': is a name and may not hold"):
        convert(tmp_path / "a.csv", tmp_path / "b.csv", choices=choices)


def test_a_pipe_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(InstanceError, match="is no regular file"):
        convert(tmp_path / "a.csv", tmp_path / "b.csv")
