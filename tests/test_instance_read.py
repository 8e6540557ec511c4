"""Reading tiny: types, periods, digests, Parquet, .zip, manifest, template and the rendered schema page."""

from __future__ import annotations

import dataclasses
import json
import random
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import nbb_opt
from instance_copies import TINY, Copy, copy_tiny, copy_with_every_table, problems_of
from nbb_opt.errors import InstanceError
from nbb_opt.instance import by_period, describe, new_instance, open_od, read_instance, split_refs, write_manifest
from nbb_opt.instance.schema import BY_NAME, TABLES
from nbb_opt.shipped import shipped, shipped_names


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return copy_tiny(tmp_path / "copy")


def test_tiny_is_accepted_and_every_column_has_its_type() -> None:
    instance = read_instance(TINY)
    assert set(instance.tables) == set(BY_NAME) - {"od"}
    for table in TABLES:
        if table.name == "od":
            continue
        frame = instance[table.name]
        assert list(frame.columns) == [column.name for column in table.columns]
        for column in table.columns:
            whole = column.kind in ("integer", "year") and column.blank is None
            number = {"number": "float64", "integer": "float64", "year": "float64", "bool": "bool"}
            expected = "int64" if whole else number.get(column.kind, "str")
            assert str(frame[column.name].dtype) == expected, (table.name, column.name)


def test_an_instance_is_frozen() -> None:
    instance = read_instance(TINY)
    with pytest.raises(dataclasses.FrozenInstanceError):
        instance.digest = ""  # type: ignore[misc]
    with pytest.raises(TypeError):
        instance.tables["links"] = instance["nodes"]  # type: ignore[index]


def test_optional_tables_may_be_left_out(copy: Copy) -> None:
    for table in ("policies", "sites", "ranges", "fleet", "chargers"):
        (copy.path / f"{table}.csv").unlink()
    instance = read_instance(copy.path)
    assert instance["fleet"].empty
    assert list(instance["fleet"].columns) == [column.name for column in BY_NAME["fleet"].columns]
    assert str(instance["fleet"]["vehicles"].dtype) == "int64"


def test_values_between_given_years_are_interpolated_linearly() -> None:
    instance = read_instance(TINY)
    wages = by_period(instance, "country_years").set_index(["country", "year"])
    given = instance["country_years"].set_index(["country", "year"])
    assert len(wages) == 2 * given.index.get_level_values(0).nunique()
    middle = (given.loc[("SE", 2025), "carbon_price_eur_per_t"] + given.loc[("SE", 2035), "carbon_price_eur_per_t"]) / 2
    assert wages.loc[("SE", 2030), "carbon_price_eur_per_t"] == middle
    assert wages.loc[("SE", 2025), "carbon_price_eur_per_t"] == given.loc[("SE", 2025), "carbon_price_eur_per_t"]
    assert np.isnan(wages.loc[("SE", 2030), "driver_limit_h_per_year"])


def test_a_limit_may_begin_in_a_period_that_has_a_row(copy: Copy) -> None:
    copy.set("country_years", {"country": "SE", "year": "2035"}, year="2030", driver_limit_h_per_year="1000")
    wages = by_period(read_instance(copy.path), "country_years").set_index(["country", "year"])
    limits = wages["driver_limit_h_per_year"]
    assert np.isnan(limits[("SE", 2025)])
    assert limits[("SE", 2030)] == 1000


def test_by_period_refuses_a_table_without_years() -> None:
    with pytest.raises(ValueError, match="not a table by year"):
        by_period(read_instance(TINY), "links")


def test_split_refs_of_a_blank_is_empty() -> None:
    assert split_refs("") == []
    assert split_refs("A;B") == ["A", "B"]


@pytest.mark.parametrize("table", [table.name for table in TABLES])
def test_csv_and_parquet_of_the_same_data_are_the_same_instance(tmp_path: Path, table: str) -> None:
    copy = copy_with_every_table(tmp_path / "whole")
    before = read_instance(copy.path)
    copy.as_parquet(table)
    after = read_instance(copy.path)
    assert after.digest == before.digest
    for name, frame in before.tables.items():
        pd.testing.assert_frame_equal(after[name], frame)


def test_the_digest_depends_on_content_only(tmp_path: Path) -> None:
    copy = copy_with_every_table(tmp_path / "whole")
    digest = read_instance(copy.path).digest
    shuffle = random.Random(7)
    for table in TABLES:
        rows = copy.rows(table.name)
        shuffle.shuffle(rows)
        header = copy.header(table.name)
        shuffle.shuffle(header)
        copy.write(table.name, header, rows)
    copy.edit("instance.toml", lambda content: b"# a remark\n" + content)
    moved = copy.path.rename(tmp_path / "elsewhere")
    assert read_instance(moved).digest == digest


@pytest.mark.parametrize(
    ("table", "key", "cells"),
    [
        ("links", {"link": "ROAD_MINE_WEST"}, {"distance_km": "50.000001"}),
        ("links", {"link": "ROAD_MINE_WEST"}, {"corridor": "E12"}),
        ("nodes", {"node": "GAP"}, {"note": "x"}),
        ("od", {"origin": "EAST"}, {"tonnes": "20000.5"}),
        ("od", {"origin": "EAST", "year": "2035"}, {"year": "2036"}),
        ("od", {"origin": "EAST", "year": "2035"}, {"tonnes": "0"}),
    ],
)
def test_any_change_of_content_changes_the_digest(copy: Copy, table: str, key, cells) -> None:
    before = read_instance(copy.path).digest
    copy.set(table, key, **cells)
    assert read_instance(copy.path).digest != before


def test_a_zip_is_the_same_instance_as_its_folder(copy: Copy, tmp_path: Path) -> None:
    plain = shutil.make_archive(str(tmp_path / "plain"), "zip", copy.path)
    nested = shutil.make_archive(str(tmp_path / "nested"), "zip", copy.path.parent, copy.path.name)
    before = sorted(tmp_path.rglob("*"))
    for packed in (plain, nested):
        instance = read_instance(packed)
        assert instance.digest == read_instance(copy.path).digest
        with open_od(instance) as stream:
            assert stream.read() == (copy.path / "od.csv").read_bytes()
    assert sorted(tmp_path.rglob("*")) == before


def test_a_seal_is_stable_and_accepted(copy: Copy) -> None:
    first = write_manifest(copy.path).read_bytes()
    assert read_instance(copy.path).digest == read_instance(TINY).digest
    assert write_manifest(copy.path).read_bytes() == first
    resources = {entry["path"]: entry for entry in json.loads(first)["resources"]}
    assert set(resources) == {path.name for path in copy.path.iterdir()} - {"datapackage.json"}
    assert resources["od.csv"]["rows"] == len(copy.rows("od"))
    assert {source["name"] for source in resources["chargers.csv"]["sources"]} == {"assumption"}


def test_a_changed_file_does_not_match_its_seal(copy: Copy) -> None:
    write_manifest(copy.path)
    copy.edit("nodes.csv", lambda content: content.replace(b"West town", b"Vest town", 1))
    [problem] = problems_of(copy.path)
    assert (problem.where, problem.rule) == ("nodes.csv", "manifest")
    assert "nbb-opt manifest" in problem.hint
    write_manifest(copy.path)
    assert problems_of(copy.path) == ()


def test_a_seal_with_other_row_counts_or_files_is_refused(copy: Copy) -> None:
    path = write_manifest(copy.path)
    content = json.loads(path.read_bytes())
    content["resources"][0]["rows"] += 1
    del content["resources"][1]
    content["resources"].append({"path": "rails.csv", "hash": "sha256:0", "bytes": 1, "rows": 1})
    path.write_text(json.dumps(content), encoding="utf-8")
    assert sorted(problem.what.split(",")[0] for problem in problems_of(copy.path)) == [
        "has 2 rows", "is not in the instance", "is not listed",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"resources": [1]}', "[" * 100_000, '{"resources": {"a": 1}}'])
def test_a_broken_seal_is_refused(copy: Copy, text: str) -> None:
    (copy.path / "datapackage.json").write_text(text, encoding="utf-8")
    found = problems_of(copy.path)
    assert found
    assert all("datapackage.json" in problem.where for problem in found)


def test_a_damaged_parquet_file_is_not_opened_once_it_is_sealed(copy: Copy) -> None:
    path = copy.as_parquet("od")
    write_manifest(copy.path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    [problem] = problems_of(copy.path)
    assert (problem.where, problem.rule) == ("od.parquet", "manifest")


def test_a_new_instance_is_a_copy_that_reads(tmp_path: Path) -> None:
    made = new_instance(tmp_path / "My North", source="tiny")
    assert read_instance(made).meta.name == "my-north"
    assert not {"datapackage.json", "expected.toml", "EXPECTED.md", "build"} & {path.name for path in made.iterdir()}
    (tmp_path / "empty").mkdir()
    assert read_instance(new_instance(tmp_path / "empty", source="tiny")).meta.name == "empty"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["My North", "empty"]


@pytest.mark.parametrize("name", ["mine", "mine.xlsx"])
def test_the_texts_of_a_new_instance_fit_the_copy_and_not_the_template(name: str, tmp_path: Path) -> None:
    template = read_instance(shipped("instances") / "haulier").meta
    plain = read_instance(new_instance(tmp_path / f"a{name}", source="haulier"))
    assert plain.meta.title == "amine, begun as a copy of haulier"
    titled = read_instance(new_instance(tmp_path / name, source="haulier", title='Öst & "Co"'))
    assert titled.meta.title == 'Öst & "Co"'
    assert titled.meta.description.startswith("Begun as a copy of haulier")
    assert (titled.meta.licence, titled.periods) == (template.licence, plain.periods)
    if name == "mine":
        assert (tmp_path / name / "README.md").read_text(encoding="utf-8").startswith('# Öst & "Co"\n')
    with pytest.raises(InstanceError, match=r"title=.* is not a title"):
        new_instance(tmp_path / "other", source="tiny", title="two\nlines")


def test_every_table_is_read() -> None:
    package = Path(nbb_opt.__file__).parent
    apart = ("instance", "formats", "renames.py")
    texts = {
        path.relative_to(package).as_posix(): path.read_text(encoding="utf-8")
        for path in package.rglob("*.py")
        if path.relative_to(package).parts[0] not in apart
    }
    freight = {name: text for name, text in texts.items() if not name.startswith("problems/")}
    readers = {
        table.name: {name for name, text in freight.items() if f'"{table.name}"' in text and name != "report/basis.py"}
        for table in TABLES
    }
    unread = {name for name, found in readers.items() if not found and name != "od"}  # demand is read as flows
    assert not unread


def test_a_new_instance_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x", encoding="utf-8")
    with pytest.raises(InstanceError, match="is not empty"):
        new_instance(tmp_path / "mine", source="tiny")
    with pytest.raises(InstanceError, match="did you mean 'tiny'"):
        new_instance(tmp_path / "other", source="tinny")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_the_schema_page_is_what_the_schema_renders() -> None:
    page = (shipped("instances") / "SCHEMA.md").read_text(encoding="utf-8")
    assert page == describe(), "render it again: nbb_opt.instance.describe()"


def test_shipped_instances_and_models_are_found() -> None:
    assert "tiny" in shipped_names("instances")
    assert "joint" in shipped_names("models")
