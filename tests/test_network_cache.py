"""Prepared instances on disk: read back equal, made anew if damaged."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nbb_opt.instance import Instance, read_instance
from nbb_opt.network import Prepared, prepare
from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import solve_instance
from network_worlds import random_world

INSTANCES = Path(__file__).resolve().parent.parent / "instances"

TABLES = ("bundles", "chains", "steps", "lanes", "lane_links")


def same(a: Prepared, b: Prepared) -> None:
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(a, name), getattr(b, name))
    np.testing.assert_array_equal(a.demand_t, b.demand_t)
    assert a.log == b.log


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    return random_world(tmp_path / "world", seed=11, n_nodes=10, n_flows=12, n_projects=1)


def test_a_stored_copy_is_read_back_equal(tmp_path: Path, instance: Instance) -> None:
    first = prepare(instance, cache_dir=tmp_path / "cache")
    said: list[str] = []
    second = prepare(instance, cache_dir=tmp_path / "cache", say=said.append)
    same(first, second)
    assert any("read from the cache" in line for line in said)
    assert [path.name for path in (tmp_path / "cache").iterdir() if path.name.startswith(".writing")] == []


def test_another_digest_or_option_is_another_copy(tmp_path: Path, instance: Instance) -> None:
    prepare(instance, cache_dir=tmp_path / "cache")
    prepare(replace(instance, digest="other"), cache_dir=tmp_path / "cache")
    prepare(instance, cache_dir=tmp_path / "cache", prune=False)
    assert len(list((tmp_path / "cache").iterdir())) == 3


@pytest.mark.parametrize("file", ["chains.parquet", "manifest.json", "item_links.parquet"])
@pytest.mark.parametrize("harm", ["flip", "cut", "remove"])
def test_a_damaged_copy_is_made_anew_and_said_so(tmp_path: Path, instance: Instance, file: str, harm: str) -> None:
    first = prepare(instance, cache_dir=tmp_path / "cache")
    path = next((tmp_path / "cache").iterdir()) / file
    content = bytearray(path.read_bytes())
    if harm == "remove":
        path.unlink()
    else:
        content[len(content) // 3] ^= 0x55
        path.write_bytes(content if harm == "flip" else content[: len(content) // 2])
    said: list[str] = []
    second = prepare(instance, cache_dir=tmp_path / "cache", say=said.append)
    same(first, second)
    assert any("damaged" in line for line in said)
    same(first, prepare(instance, cache_dir=tmp_path / "cache"))


def with_rows_in_another_order(source: Path, target: Path) -> Path:
    """A copy of an instance whose CSV tables have their rows backwards, as after sorting them in a spreadsheet."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("build", "docs", "*.py", "*.md", "plan*.csv"))
    for file in target.glob("*.csv"):
        header, *rows = file.read_text(encoding="utf-8").splitlines()
        file.write_text("\n".join([header, *reversed(rows), ""]), encoding="utf-8")
    return target


@pytest.mark.parametrize("name", ["tiny", "haulier", "nbb"])
def test_the_order_of_rows_in_the_files_reaches_nothing(tmp_path: Path, name: str) -> None:
    one = read_instance(INSTANCES / name)
    other = read_instance(with_rows_in_another_order(INSTANCES / name, tmp_path / name))
    assert other.digest == one.digest
    for table, frame in one.tables.items():
        pd.testing.assert_frame_equal(other[table], frame)
    first = prepare(one, cache_dir=tmp_path / "cache")
    same(first, prepare(other))
    same(first, prepare(other, cache_dir=tmp_path / "cache"))


def test_a_stored_copy_of_tiny_serves_it_with_sorted_links_at_the_cost_worked_out_by_hand(tmp_path: Path) -> None:
    options = SolveOptions(time_limit_s=60.0, gap=1e-6)
    for path in (INSTANCES / "tiny", with_rows_in_another_order(INSTANCES / "tiny", tmp_path / "tiny")):
        run = solve_instance(read_instance(path), model="frozen", options=options, cache_dir=tmp_path / "cache")
        assert run.record["cost_eur"] == pytest.approx(20_125_400.0, rel=1e-9)
