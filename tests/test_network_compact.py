"""Chains as rows of items: the same chains as the tables, with every lane, service and transfer stored once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nbb_opt.instance.schema import CARGO_TYPES, MODES
from nbb_opt.network import Prepared, prepare
from nbb_opt.network.compact import LANE, SERVICE
from network_worlds import random_world


@pytest.fixture(params=range(3))
def prepared(tmp_path: Path, request: pytest.FixtureRequest) -> Prepared:
    seed = request.param
    return prepare(random_world(tmp_path, seed=seed, n_nodes=13, n_flows=25, n_projects=3, alternatives=1 + seed))


def steps_by_hand(prepared: Prepared, chain: int) -> list[tuple[object, ...]]:
    """(kind, lane, link, from, to, mode before, mode after) of a chain, one item at a time."""
    rows, items, tables = prepared.rows, prepared.items, prepared.instance
    node, links, found = tables["nodes"]["node"], tables["links"], []
    for i in rows.item[rows.item_start[chain] : rows.item_start[chain + 1]].tolist():
        start, end, mode = node[items.from_node[i]], node[items.to_node[i]], MODES[items.mode_a[i]]
        if items.kind[i] == LANE:
            found.append(("lane", i, "", start, end, mode, ""))
        elif items.kind[i] == SERVICE:
            for at in range(items.link_start[i], items.link_start[i + 1]):
                link = links.iloc[items.link[at]]
                ends = [link["from_node"], link["to_node"]]
                here, there = ends[::-1] if items.backwards[at] else ends
                found.append(("link", -1, link["link"], here, there, mode, ""))
        else:
            assert tables["transfers"]["node"][items.transfer[i]] == start == end
            found.append(("transfer", -1, "", start, end, mode, MODES[items.mode_b[i]]))
    return found


def test_the_steps_of_a_chain_are_its_items_written_out(prepared: Prepared) -> None:
    columns = ["kind", "lane", "link", "from_node", "to_node", "mode_a", "mode_b"]
    for chain, steps in prepared.steps.groupby("chain"):
        assert list(steps[columns].itertuples(index=False, name=None)) == steps_by_hand(prepared, chain)
        assert steps["step"].tolist() == list(range(len(steps)))


def test_every_item_is_stored_once_used_and_of_the_handling_of_its_flows(prepared: Prepared) -> None:
    rows, items = prepared.rows, prepared.items
    goods = prepared.instance["commodities"].set_index("commodity")["cargo_type"]
    cargo_type = prepared.bundles["commodity"].map(goods).map(CARGO_TYPES.index).to_numpy()
    np.testing.assert_array_equal(items.cargo_type[rows.item], cargo_type[rows.bundle[rows.owner]])
    assert np.unique(rows.item).size == len(items)
    content = [
        (items.cargo_type[i], items.transfer[i], items.mode_a[i], items.mode_b[i], items.from_node[i],
         *items.link[items.link_start[i] : items.link_start[i + 1]])
        for i in range(len(items))
    ]  # fmt: skip
    assert len(set(content)) == len(items)


def test_some_chains_written_are_those_rows_of_the_whole_tables(prepared: Prepared) -> None:
    chains, lanes = np.arange(len(prepared.rows))[::3], np.array([prepared.items.n_lanes - 1])
    some = prepared.written(chains=chains, lanes=lanes)
    for name, whole in (("chains", prepared.chains), ("chain_steps", prepared.steps)):
        expected = whole[whole["chain"].isin(chains)].reset_index(drop=True)
        pd.testing.assert_frame_equal(some[name], expected)
    driven = set(some["chain_steps"]["lane"]) - {-1} | set(lanes.tolist())
    for name, whole in (("lanes", prepared.lanes), ("lane_links", prepared.lane_links)):
        pd.testing.assert_frame_equal(some[name], whole[whole["lane"].isin(driven)].reset_index(drop=True))


def test_tables_made_in_parts_are_the_same(prepared: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    every = {"chains": np.arange(len(prepared.rows)), "lanes": np.arange(0)}
    whole = prepared.written(**every)
    monkeypatch.setattr("nbb_opt.network.tables.CHAINS_AT_ONCE", 4)
    for name, table in prepared.written(**every).items():
        pd.testing.assert_frame_equal(table, whole[name])
