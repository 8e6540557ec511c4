"""A plan is read in blocks: their size changes nothing, nor does the form in which a table holds its words."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import numpy as np
import pandas as pd
import pytest

from nbb_opt.recompute import Words, demand_of, in_blocks, read_world
from nbb_opt.result import as_table, compact_table
from nbb_opt.verify.verdict import Checks, Verdict
from test_verify_rules import FAULTS, INSTANCE, Tables
from tiny_plan import reported, verdict_on, whole

SIZES = (
    ("recompute.tables", "BLOCK_ROWS"),
    ("recompute.demand", "BATCH_ROWS"),
    ("verify.verdict", "COMPARED_AT_ONCE"),
    ("verify.freight", "FLOWS_AT_ONCE"),
)


def in_blocks_of(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in SIZES:
        monkeypatch.setattr(import_module(f"nbb_opt.{module}"), name, size)


def assert_same(one: Verdict, other: Verdict) -> None:
    """Rules, order and what is broken to the letter; figures, which are sums of sums, to the last digits."""
    assert one.checks["rule"].tolist() == other.checks["rule"].tolist()
    assert one.failures()["where"].tolist() == other.failures()["where"].tolist()
    for column in ("found", "limit", "slack"):
        np.testing.assert_allclose(other.checks[column], one.checks[column], rtol=1e-12, atol=1e-8)
    np.testing.assert_allclose(other.cost_eur, one.cost_eur, rtol=1e-12)
    pd.testing.assert_frame_equal(one.costs, other.costs, rtol=1e-12)
    pd.testing.assert_frame_equal(one.emissions, other.emissions, rtol=1e-12)


@pytest.mark.parametrize("size", [1, 2, 7])
def test_blocks_of_any_size_give_the_same_verdict(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = verdict_on(INSTANCE, whole(), reported=reported("joint"))
    demand = demand_of(read_world(INSTANCE))
    in_blocks_of(size, monkeypatch)
    assert_same(at_once, verdict_on(INSTANCE, whole(), reported=reported("joint")))
    again = demand_of(read_world(INSTANCE))
    assert again.words == demand.words
    pd.testing.assert_frame_equal(again.flows, demand.flows)
    np.testing.assert_array_equal(again.tonnes, demand.tonnes)


@pytest.mark.parametrize("fault", [fault for faults in FAULTS.values() for fault in faults[:2]], ids=lambda _: "")
def test_blocks_of_any_size_find_the_same_faults(
    fault: Callable[[Tables], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = dict(whole())
    fault(tables)
    at_once = verdict_on(INSTANCE, tables)
    in_blocks_of(3, monkeypatch)
    assert_same(at_once, verdict_on(INSTANCE, tables))


def test_rows_in_any_order_and_words_in_any_form_give_the_same_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = verdict_on(INSTANCE, whole(), reported=reported("joint"))
    compact = {name: compact_table(name, table) for name, table in whole().items()}
    assert_same(plain, verdict_on(INSTANCE, compact, reported=reported("joint")))
    shuffled = {name: table.sample(frac=1.0, random_state=1) for name, table in compact.items()}
    in_blocks_of(2, monkeypatch)
    assert verdict_on(INSTANCE, shuffled, reported=reported("joint")).ok


def test_every_row_is_in_one_block_with_all_rows_of_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nbb_opt.recompute.tables.BLOCK_ROWS", 4)
    rng = np.random.default_rng(1)
    tables = {
        "flows": pd.DataFrame({"chain": rng.integers(0, 9, 30), "row": np.arange(30)}),
        "chains": pd.DataFrame({"chain": rng.permutation(12), "row": np.arange(12)}),
        "chain_steps": as_table("chain_steps"),
    }
    blocks = list(in_blocks(tables, "chain", list(tables)))
    assert len(blocks) > 3
    for name in ("flows", "chains"):
        parts = [block[name] for block in blocks]
        assert sorted(pd.concat(parts)["row"]) == tables[name]["row"].tolist()
        assert all(part["row"].is_monotonic_increasing for part in parts)
        numbers = [set(part["chain"]) for part in parts]
        assert sum(map(len, numbers)) == len(set.union(*numbers))
    tops = [max([*block["flows"]["chain"], *block["chains"]["chain"]]) for block in blocks]
    assert tops == sorted(tops)


def test_comparisons_gathered_from_parts_are_those_of_the_whole() -> None:
    def told(found: list[float]) -> Checks:
        checks = Checks()
        checks.compare("respect_grid", found, "<=", 5.0, where=lambda i: f"area {found[i]:g}", unit="kW")
        checks.hold("be_whole", [x % 1 == 0 for x in found], where=lambda i: f"row {found[i]:g}")
        return checks

    for parts in ([[1.0, 4.0], [], [3.0]], [[1.0, 7.0], [8.5], [2.0]], [[], []]):
        gathered = Checks()
        gathered.gather([told(part) for part in parts])
        whole = told([x for part in parts for x in part])
        assert gathered.rows == whole.rows
        assert gathered.failed == whole.failed


def test_words_have_one_number_wherever_they_stand() -> None:
    words = Words()
    first = words.of(pd.Series(["b", "a", "b"], dtype="category"))
    assert words.of(pd.Series(["c", "a", None], dtype="str")).tolist() == [2, first[1], -1]
    assert words.texts(first).tolist() == ["b", "a", "b"]
