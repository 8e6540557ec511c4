"""Distances by a contraction hierarchy are those of a plain Dijkstra, on any network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

import plain_network as reference
from benchmarks.paths.hierarchy import make_hierarchy, skims
from benchmarks.paths.hierarchy_kernels import BLOCK, LANES, contract
from nbb_opt.instance import read_instance
from nbb_opt.network.graph import make_graph
from nbb_opt.network.runs import make_classes, make_runs
from nbb_opt.network.weights import make_amounts

LENGTHS = st.sampled_from([0.0, 0.1, 0.25, 1.0, 1.5, 2.0, 7.0, np.inf])


@st.composite
def networks(draw: st.DrawFn) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """Few nodes, any arcs: one-way, parallel, loops, without length, closed, and nodes that nothing joins."""
    n = draw(st.integers(1, 9))
    node = st.integers(0, n - 1)
    arcs = draw(st.lists(st.tuples(node, node), max_size=30))
    ends = np.array(arcs, dtype=np.int64).reshape(-1, 2)
    lengths = draw(st.lists(st.lists(LENGTHS, min_size=len(arcs), max_size=len(arcs)), min_size=1, max_size=3))
    return n, ends[:, 0], ends[:, 1], np.array(lengths, dtype=float).reshape(len(lengths), len(arcs))


@given(network=networks())
@settings(max_examples=150, deadline=None)
def test_distances_are_those_of_a_plain_dijkstra(network: tuple[int, np.ndarray, np.ndarray, np.ndarray]) -> None:
    n, tail, head, weights = network
    every = np.arange(n)
    found = skims(make_hierarchy(n, tail, head), weights, sources=every, targets=every)
    for lane, weight in zip(found, weights, strict=True):
        arcs = list(zip(tail.tolist(), head.tolist(), weight.tolist(), strict=True))
        for source in range(n):
            best = reference.distances(arcs, source=source)
            assert lane[source].tolist() == pytest.approx([best.get(to, np.inf) for to in range(n)], rel=1e-12)


@given(network=networks(), factor=st.sampled_from([0.0, 0.5, 0.99]), data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_shorter_arc_never_makes_a_distance_longer(
    network: tuple[int, np.ndarray, np.ndarray, np.ndarray], factor: float, data: st.DataObject
) -> None:
    n, tail, head, weights = network
    every, hierarchy = np.arange(n), make_hierarchy(n, tail, head)
    shorter = weights.copy()
    if tail.size:
        arc = data.draw(st.integers(0, tail.size - 1))
        shorter[:, arc] = np.where(np.isfinite(weights[:, arc]), weights[:, arc], 2.0) * factor
    before, after = (skims(hierarchy, w, sources=every, targets=every) for w in (weights, shorter))
    assert (after <= before).all()


def random_network(seed: int, n: int, n_metrics: int) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """Points in a square joined to near ones, some closed; large enough for several blocks and groups of lanes."""
    rng = np.random.default_rng(seed)
    xy = rng.random((n, 2))
    near = np.argsort(((xy[:, None] - xy[None]) ** 2).sum(axis=2), axis=1)[:, 1:5]
    tail, head = np.repeat(np.arange(n), 4), near.ravel()
    weights = rng.random((n_metrics, tail.size)) + 0.01
    weights[rng.random(weights.shape) < 0.05] = np.inf
    return n, tail, head, weights


def by_scipy(n: int, tail: np.ndarray, head: np.ndarray, weight: np.ndarray, places: np.ndarray) -> np.ndarray:
    open_ = np.isfinite(weight)
    return dijkstra(csr_array((weight[open_], (tail[open_], head[open_])), shape=(n, n)), indices=places)[:, places]


def test_many_metrics_and_sources_agree_with_scipy_for_any_number_of_threads() -> None:
    n, tail, head, weights = random_network(3, 400, LANES + 3)
    places = np.arange(0, n, 5)
    assert places.size > BLOCK
    hierarchy = make_hierarchy(n, tail, head)
    one, two = (skims(hierarchy, weights, sources=places, targets=places, threads=t) for t in (1, 2))
    assert one.tobytes() == two.tobytes()
    for found, weight in zip(one, weights, strict=True):
        np.testing.assert_allclose(found, by_scipy(n, tail, head, weight, places), rtol=1e-12)


def test_targets_may_be_others_than_the_sources_and_none() -> None:
    n, tail, head, weights = random_network(4, 60, 2)
    hierarchy = make_hierarchy(n, tail, head)
    every = skims(hierarchy, weights, sources=np.arange(n), targets=np.arange(n))
    some = skims(hierarchy, weights, sources=np.array([5, 3]), targets=np.array([3, 9, 9]))
    np.testing.assert_array_equal(some, every[:, [5, 3]][:, :, [3, 9, 9]])
    assert skims(hierarchy, weights, sources=np.array([], int), targets=np.array([1])).shape == (2, 0, 1)


def test_every_skim_of_the_flagship_agrees_with_scipy_to_1e_9() -> None:
    instance = read_instance(Path(__file__).parents[1] / "instances" / "nbb")
    graph = make_graph(instance)
    amounts = make_amounts(instance, graph)
    n = graph.nodes.size
    size = n * graph.layer_mode.size
    tail = np.concatenate([graph.arc_layer * n + graph.arc_from, graph.switch_from * n + graph.switch_node])
    head = np.concatenate([graph.arc_layer * n + graph.arc_to, graph.switch_to * n + graph.switch_node])
    hierarchy, zones = make_hierarchy(size, tail, head), np.arange(n)
    pair, arc = np.unique(tail * size + head, return_inverse=True)  # scipy adds up parallel arcs
    for cls in make_classes(instance):
        runs = make_runs(instance, graph, amounts, cls=cls)
        weights = np.hstack([runs.link_weight[:, graph.arc_link], runs.transfer_weight[:, graph.switch_transfer]])
        found = skims(hierarchy, weights, sources=zones, targets=zones)
        assert np.isfinite(found).any(axis=(1, 2)).all()
        for skim, weight in zip(found[::9], weights[::9], strict=True):
            least = np.full(pair.size, np.inf)
            np.minimum.at(least, arc, weight)
            wanted = by_scipy(size, *np.divmod(pair, size), least, zones)
            np.testing.assert_allclose(skim, wanted, rtol=1e-9, atol=1e-12)


def test_the_order_joins_the_neighbours_of_every_node_that_goes() -> None:
    first = np.array([0, 2, 4, 6, 8])  # a ring of four
    to = np.array([1, 3, 0, 2, 1, 3, 0, 2], dtype=np.int32)
    order, cells, start, size = contract(first, to)
    assert sorted(order.tolist()) == [0, 1, 2, 3]
    gone = [cells[start[v] : start[v] + size[v]].tolist() for v in order]
    assert [len(neighbours) for neighbours in gone] == [2, 2, 1, 0]
    assert set(gone[0]) == set(range(4)) - {int(order[0]), (int(order[0]) + 2) % 4}
