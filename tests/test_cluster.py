"""A Dask cluster gives the same bits as this machine, whatever happens to its workers."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nbb_opt.demand import RowRules, Target, aggregate, open_source
from nbb_opt.errors import InstanceError
from nbb_opt.instance import read_instance
from nbb_opt.network import prepare

distributed = pytest.importorskip("distributed", reason="needs the extra [cluster]")
cloudpickle = pytest.importorskip("cloudpickle", reason="needs the extra [cluster]")

RULES = RowRules(add_duplicates=True, within=True)
TARGET = Target({i: i for i in range(9)}, {0: 0, 1: 1}, 9, 2)


@dataclass(frozen=True)
class Poison:
    """Work that ends its worker at one of the numbers, every time."""

    at: int

    def __call__(self, number: int) -> int:
        if number == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        return 2 * number


@dataclass(frozen=True)
class DyingOnce:
    """The work, but the first worker to do it is killed."""

    work: Any
    marker: str

    def __call__(self, item: Any) -> Any:
        try:
            os.close(os.open(self.marker, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return self.work(item)
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None, "host": "127.0.0.1"}
    with distributed.LocalCluster(**options, silence_logs=50) as cluster:
        yield cluster.scheduler_address


def rows_of(path: Path) -> Path:
    rng = np.random.default_rng(5)
    n = 40_000
    columns = {
        "origin": rng.integers(0, 9, n), "destination": rng.integers(0, 9, n), "commodity": rng.integers(0, 2, n),
        "year": rng.choice([2025, 2030], n), "tonnes": (0.01 + rng.random(n)) * 10.0 ** rng.integers(-2, 7, n),
    }  # fmt: skip
    pq.write_table(pa.table(columns), path, write_page_checksum=True, row_group_size=1700)
    return path


@pytest.mark.promise(20)
def test_a_cluster_gives_the_same_bits_even_if_a_worker_is_killed_midway(tmp_path: Path, address: str) -> None:
    from nbb_opt.cluster import connect

    source = open_source(rows_of(tmp_path / "od.parquet"))
    here = aggregate(source, TARGET, rules=RULES, part_rows=4000)
    marker = tmp_path / "killed"
    with connect(address) as cluster:
        there = aggregate(source, TARGET, rules=RULES, part_rows=4000, each=cluster.each)
        killed = aggregate(
            source, TARGET, rules=RULES, part_rows=4000,
            each=lambda work, parts: cluster.each(DyingOnce(work, str(marker)), parts),
        )  # fmt: skip
    assert marker.exists()
    for other in (there, killed):
        assert here.flow.tobytes() == other.flow.tobytes()
        assert here.tonnes.tobytes() == other.tonnes.tobytes()
        assert here.log == other.log


def test_the_flagship_is_prepared_into_the_same_files_on_a_cluster_even_if_a_worker_is_killed_midway(
    tmp_path: Path, address: str
) -> None:
    from nbb_opt.cluster import connect

    nbb = Path(__file__).parents[1] / "instances" / "nbb"
    marker = tmp_path / "killed"
    prepare(read_instance(nbb), cache_dir=tmp_path / "here")
    with connect(address) as cluster:
        prepare(read_instance(nbb, each=cluster.each), cache_dir=tmp_path / "there")
        dying = read_instance(nbb, each=lambda work, parts: cluster.each(DyingOnce(work, str(marker)), parts))
        prepare(dying, cache_dir=tmp_path / "again")
    assert marker.exists()
    here, there, again = (
        {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*.*")}
        for folder in (tmp_path / "here", tmp_path / "there", tmp_path / "again")
    )
    assert len(here) >= 7
    assert here == there == again


def test_what_a_worker_finds_wrong_in_the_data_is_said_as_on_this_machine(tmp_path: Path, address: str) -> None:
    from nbb_opt.cluster import connect

    path = rows_of(tmp_path / "od.parquet")
    source = open_source(path)
    with connect(address) as cluster:
        table = pd.read_parquet(path)
        table.loc[30_000, "tonnes"] = -1.0
        pq.write_table(pa.Table.from_pandas(table), tmp_path / "bad.parquet", row_group_size=1700)
        bad = open_source(tmp_path / "bad.parquet")
        messages = []
        for each in (None, cluster.each):
            with pytest.raises(InstanceError, match=r"1 row refused: row 30001: tonnes -1\.0 is negative") as caught:
                aggregate(bad, TARGET, rules=RULES, part_rows=4000, each=each)
            messages.append(str(caught.value))
        assert messages[0] == messages[1]
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 16
        path.write_bytes(content)
        with pytest.raises(InstanceError, match="cannot be read"):
            aggregate(source, TARGET, rules=RULES, part_rows=4000, each=cluster.each)


def test_a_scheduler_that_does_not_answer_and_a_csv_are_refused(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nbb_opt.cluster import ClusterError, connect

    monkeypatch.setattr("nbb_opt.cluster.CONNECT_S", 1)
    with pytest.raises(ClusterError, match="no Dask scheduler answers"), connect("tcp://127.0.0.1:9"):
        pass
    tiny = Path(__file__).parents[1] / "instances" / "tiny"
    with connect(address) as cluster, pytest.raises(InstanceError, match=r"od\.csv: is no Parquet"):
        read_instance(tiny, each=cluster.each)


@pytest.mark.promise(20)
@pytest.mark.hard
def test_a_part_that_ends_every_worker_is_named_and_all_others_are_done(address: str) -> None:
    from nbb_opt.cluster import ClusterError, connect

    numbers = range(60)
    with connect(address) as cluster:
        answers = cluster.each(Poison(59), numbers)
        assert [next(answers) for _ in range(59)] == [2 * number for number in range(59)]
        with pytest.raises(ClusterError, match="part 59 ended several workers"):
            next(answers)
        assert list(cluster.each(Poison(-1), numbers)) == [2 * number for number in numbers]


@pytest.mark.promise(20)
@pytest.mark.hard
def test_shards_answer_as_the_whole_bit_for_bit_even_if_a_worker_is_killed(tmp_path: Path, address: str) -> None:
    from nbb_opt.cluster import connect
    from nbb_opt.instance.synthetic import Shape, write_synthetic
    from nbb_opt.model import build, read_model, split
    from nbb_opt.solve.colgen.groups import make_groups, with_group_rows
    from nbb_opt.solve.colgen.oracle import Oracle
    from nbb_opt.solve.colgen.shards import sharded

    write_synthetic(tmp_path / "s", Shape(400, 2))
    instance = read_instance(tmp_path / "s")
    model = split(build(instance, prepare(instance), read_model("joint"), route="segments"))
    groups = make_groups(model)
    model = with_group_rows(model, groups)
    whole = Oracle(model, groups, threads=1)
    rng = np.random.default_rng(3)
    share = rng.random(len(groups.states))
    prices = [np.where(np.isfinite(model.master.row_up), -size * rng.random(whole.rows), 0.0) for size in (0, 1e-3, 1)]
    with connect(address) as cluster, sharded(model, groups, threads=1, cluster=cluster) as parts:
        assert len(parts.shards) > 1
        for k, price in enumerate(prices):
            here, there = whole(price), parts(price)
            assert here.value.tobytes() == there.value.tobytes()
            assert here.cost.tobytes() == there.cost.tobytes()
            assert np.array_equal(here.use.toarray(), there.use.toarray())
            one, other = whole.disaggregate(price, share), parts.disaggregate(price, share)
            order, again = np.lexsort((one.t, one.chain, one.tonnes)), np.lexsort((other.t, other.chain, other.tonnes))
            for name in ("chain", "t", "tonnes"):
                assert np.array_equal(getattr(one, name)[order], getattr(other, name)[again])
            np.testing.assert_allclose(one.vkm, other.vkm, rtol=1e-12)
            if k == 0:
                assert list(cluster.each(DyingOnce(str, str(tmp_path / "killed")), [1])) == ["1"]
    assert (tmp_path / "killed").exists()


@pytest.mark.hard
def test_a_plan_with_the_chains_on_a_cluster_is_verified(tmp_path: Path, address: str) -> None:
    from nbb_opt.cluster import connect
    from nbb_opt.errors import ModelError
    from nbb_opt.instance.synthetic import Shape, write_synthetic
    from nbb_opt.options import SolveOptions
    from nbb_opt.pipeline import solve_instance

    write_synthetic(tmp_path / "s", Shape(60, 2))
    place = tmp_path / "s"
    with connect(address) as cluster:
        run = solve_instance(
            place, options=SolveOptions(time_limit_s=60.0, gap=5e-3, method="decompose"), cluster=cluster
        )
        assert run.record["verified"]
        with pytest.raises(ModelError, match="method='decompose'"):
            solve_instance(place, options=SolveOptions(time_limit_s=60.0, gap=5e-3), cluster=cluster)
    alone = solve_instance(place, options=SolveOptions(time_limit_s=60.0, gap=5e-3, method="decompose"))
    assert run.record["cost_eur"] == alone.record["cost_eur"]
