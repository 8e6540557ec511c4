"""Parquet as pandas, polars, Spark and Dask write it: read right, or refused with what is missing."""

from __future__ import annotations

import decimal
import shutil
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from instance_copies import TINY
from nbb_opt.cli.main import app
from nbb_opt.errors import InstanceError
from nbb_opt.formats import Choices, Dialect, convert
from nbb_opt.instance import read_instance

COLUMNS = ["origin", "destination", "commodity", "year", "tonnes"]
ROWS = [("007", "12", "ORE", 2025, 1000.5), ("12", "007", "ORE", 2030, 0.1)]
FRAME = pd.DataFrame(ROWS, columns=COLUMNS)


def rows_of(source: Path, **dialect: object) -> tuple[list, str]:
    target = source.parent / "out.csv"
    report = convert(source, target, choices=Choices(dialect=Dialect(**dialect)))
    back = pd.read_csv(target, dtype={"origin": str, "destination": str})
    return sorted(back.itertuples(index=False, name=None)), "\n".join(report.lines)


KINDS = {
    "large text": FRAME.assign(origin=pd.array(FRAME["origin"], pd.ArrowDtype(pa.large_string()))),
    "text views": FRAME.assign(origin=pd.array(FRAME["origin"], pd.ArrowDtype(pa.string_view()))),
    "categories": FRAME.astype({"origin": "category", "destination": "category", "commodity": "category"}),
    "year as a float": FRAME.astype({"year": "float64"}),
    "year as text": FRAME.astype({"year": "str"}),
    "year as uint64": FRAME.astype({"year": "uint64"}),
    "tonnes as decimals": FRAME.assign(tonnes=[decimal.Decimal("1000.5"), decimal.Decimal("0.1")]),
    "tonnes as text": FRAME.assign(tonnes=["1000.5", "0.1"]),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ending", [".parquet", ".pq"])
def test_columns_of_any_fitting_type_are_read(tmp_path: Path, kind: str, ending: str) -> None:
    source = tmp_path / f"a{ending}"
    KINDS[kind].to_parquet(source)
    assert rows_of(source)[0] == ROWS


def test_ids_that_are_whole_numbers_in_a_dictionary_are_their_digits(tmp_path: Path) -> None:
    table = pa.table(
        {**{name: FRAME[name].tolist() for name in COLUMNS}, "origin": pa.array([7, 12]).dictionary_encode()}
    )
    pq.write_table(table, tmp_path / "a.parquet")
    assert [row[0] for row in rows_of(tmp_path / "a.parquet")[0]] == ["12", "7"]


@pytest.mark.parametrize("engine", ["pandas", "polars"])
def test_what_data_frames_write_is_read(tmp_path: Path, engine: str) -> None:
    source = tmp_path / "a.parquet"
    if engine == "polars":
        polars = pytest.importorskip("polars")
        polars.DataFrame(FRAME.to_dict("list")).with_columns(
            polars.col("origin").cast(polars.Categorical)
        ).write_parquet(source)
        assert rows_of(source)[0] == ROWS
        return
    pd.concat([FRAME, FRAME]).iloc[[2, 1]].to_parquet(source)  # an index with gaps is written as a column
    rows, said = rows_of(source)
    assert rows == ROWS
    assert "an index that pandas wrote is left out" in said


@pytest.mark.parametrize("by", [["origin"], ["year"], ["commodity", "year"], ["tonnes"], ["origin", "destination"]])
def test_folders_named_by_any_columns_are_read_and_ids_keep_their_zeros(tmp_path: Path, by: list[str]) -> None:
    FRAME.to_parquet(tmp_path / "od", partition_cols=by)
    (tmp_path / "od" / "_SUCCESS").touch()
    (tmp_path / "od" / "._SUCCESS.crc").touch()
    shutil.copytree(next((tmp_path / "od").glob("*=*")), tmp_path / "od" / "_temporary" / "0")
    assert rows_of(tmp_path / "od")[0] == ROWS


def test_a_folder_column_that_is_no_column_is_left_out_when_asked(tmp_path: Path) -> None:
    FRAME.assign(batch=[1, 2]).to_parquet(tmp_path / "od", partition_cols=["batch"])
    with pytest.raises(InstanceError, match=r"column 'batch': is not a column .*columns={'old': 'new', 'other': ''}"):
        rows_of(tmp_path / "od")
    assert rows_of(tmp_path / "od", columns={"batch": ""})[0] == ROWS


def test_files_of_different_columns_and_a_column_in_two_places_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "od"
    folder.mkdir()
    FRAME.to_parquet(folder / "a.parquet", index=False)
    FRAME.drop(columns="tonnes").to_parquet(folder / "b.parquet", index=False)
    with pytest.raises(
        InstanceError, match=r"od/b\.parquet: has the columns origin, destination, commodity, year, a\.pa"
    ):
        rows_of(folder)
    shutil.rmtree(folder)
    (folder / "year=2025").mkdir(parents=True)
    FRAME.to_parquet(folder / "year=2025" / "a.parquet", index=False)
    with pytest.raises(InstanceError, match="names year in its folders and in its columns"):
        rows_of(folder)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (FRAME.drop(columns="tonnes"), "column tonnes is missing"),
        (FRAME.rename(columns={"origin": "from"}), r"column origin is missing"),
        (FRAME.assign(tonnes=[b"a", b"b"]), "column tonnes: is of type binary"),
        (FRAME.assign(year=pd.to_datetime(["2025-01-01", "2026-01-01"])), "column year: is of type timestamp"),
        (FRAME.assign(origin=[1.5, 2.5]), "column origin: holds names that are no whole numbers"),
        (FRAME.assign(origin=[2.0**60, 2.5]), "column origin: holds names that are no whole numbers"),
        (FRAME.assign(year=[2025.5, 2030]), r"year 2025\.5"),
        (FRAME.assign(tonnes=[None, 1.0]), "row 1: tonnes"),
        (FRAME.assign(tonnes=[1e300, 1.0]), "row 1: tonnes"),
        (FRAME.assign(tonnes=[2**53 + 1, 1]), "row 1: tonnes"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, frame: pd.DataFrame, words: str) -> None:
    frame.to_parquet(tmp_path / "a.parquet")
    with pytest.raises(InstanceError, match=words):
        rows_of(tmp_path / "a.parquet")


def test_an_instance_with_parquet_of_pandas_is_refused_with_a_command_that_works(tmp_path: Path) -> None:
    case = tmp_path / "case"
    shutil.copytree(TINY, case)
    for name in ("od", "links", "nodes"):
        table = pd.read_csv(case / f"{name}.csv")
        (case / f"{name}.csv").unlink()
        table.to_parquet(case / f"{name}.parquet")
    done = CliRunner().invoke(app, ["check", str(case)])
    said = f"{done.output}{done.exception}"
    assert "has no page checksums" in said
    assert f"nbb-opt convert {case} {case}-tidy" in said
    done = CliRunner().invoke(app, ["convert", str(case), f"{case}-tidy"])
    assert done.exit_code == 0, done.output
    assert read_instance(tmp_path / "case-tidy").digest == read_instance(TINY).digest


@pytest.mark.parametrize("name", ["od.pq", "od"])
def test_demand_under_another_name_is_refused_with_a_command_that_works(tmp_path: Path, name: str) -> None:
    case = tmp_path / "case"
    shutil.copytree(TINY, case)
    table = pd.read_csv(case / "od.csv")
    (case / "od.csv").unlink()
    table.to_parquet(case / name, partition_cols=None if "." in name else ["year"])
    with pytest.raises(InstanceError, match=rf"{name}: .*nbb-opt convert {name} od\.parquet"):
        read_instance(case)
    convert(case / name, case / "od.parquet")
    (shutil.rmtree if name == "od" else Path.unlink)(case / name)
    assert read_instance(case).digest == read_instance(TINY).digest
