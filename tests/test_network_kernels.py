"""The kernels of the chain search agree with plain Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbb_opt.instance import Instance
from nbb_opt.network import kernels, reference
from nbb_opt.network.graph import Graph, make_graph, pattern_tree
from nbb_opt.network.legs.kernels import leg_search
from nbb_opt.network.runs import Runs, make_classes, make_runs
from nbb_opt.network.search import search_class
from nbb_opt.network.weights import make_amounts
from nbb_opt.network.writing.kernels import write_leg
from network_worlds import random_world

Arcs = dict[int, list[tuple[int, int, float]]]
Switches = list[tuple[int, int, int, float]]


def as_lists(graph: Graph, runs: Runs, run: int) -> tuple[Arcs, Switches]:
    """Arcs by layer and the cheapest switches of a run, for the reference."""
    arcs = {
        layer: [
            (int(graph.arc_from[a]), int(graph.arc_to[a]), float(runs.link_weight[run, graph.arc_link[a]]))
            for a in range(graph.first_arc[layer, 0], graph.first_arc[layer, -1])
        ]
        for layer in range(graph.layer_mode.size)
    }
    cheapest: dict[tuple[int, int, int], float] = {}
    for n, a, b, t in zip(graph.switch_node, graph.switch_from, graph.switch_to, graph.switch_transfer, strict=True):
        place, cost = (int(n), int(a), int(b)), float(runs.transfer_weight[run, t])
        cheapest[place] = min(cost, cheapest.get(place, cost))
    return arcs, [(*place, cost) for place, cost in cheapest.items()]


def compare_with_reference(instance: Instance) -> int:
    """Cost of every (run, flow, pattern) of the last class against the reference; the number of finite ones."""
    graph = make_graph(instance)
    amounts = make_amounts(instance, graph)
    cls = make_classes(instance)[-1]
    runs = make_runs(instance, graph, amounts, cls=cls)
    rng = np.random.default_rng(0)
    origin = rng.integers(0, graph.nodes.size, 6)
    destination = (origin + rng.integers(1, graph.nodes.size, 6)) % graph.nodes.size
    legs = instance.meta.max_main_legs
    found = search_class(graph, cls, runs, origin=origin, destination=destination, max_main_legs=legs, want_costs=True)
    parent, leg = (part.tolist() for part in pattern_tree(graph, np.array(cls.modes), legs))
    finite = 0
    for run in range(0, runs.ranks.size, 3):
        arcs, switches = as_lists(graph, runs, run)
        for flow in range(6):
            wanted = reference.pattern_costs(arcs, switches, parent, leg, origin=int(origin[flow]))
            for pattern in range(len(parent)):
                expected = wanted.get((int(destination[flow]), pattern), np.inf)
                assert found.costs[run, flow, pattern] == pytest.approx(expected, rel=1e-12)
                finite += np.isfinite(expected)
    return finite


@pytest.mark.parametrize("seed", range(3))
def test_the_cheapest_chain_of_every_pattern_is_that_of_a_plain_dijkstra(tmp_path: Path, seed: int) -> None:
    instance = random_world(tmp_path, seed=seed, n_nodes=10, n_flows=4, n_projects=1, max_main_legs=2)
    assert compare_with_reference(instance) > 100


def test_three_main_legs_agree_too(tmp_path: Path) -> None:
    instance = random_world(tmp_path, seed=1, n_nodes=9, n_flows=4, max_main_legs=3, alternatives=1)
    assert compare_with_reference(instance) > 50


@pytest.mark.parametrize(("seed", "max_main_legs", "n_ranks"), [(0, 1, 4), (1, 2, 3), (2, 2, 2), (3, 3, 2)])
def test_the_alternatives_of_whole_chains_are_the_cheapest_of_all_chains_there_are(
    tmp_path: Path, seed: int, max_main_legs: int, n_ranks: int
) -> None:
    """Each chain found is added up step by step, so that a chain written wrongly shows as well."""
    instance = random_world(tmp_path, seed=seed, n_nodes=7, n_flows=4, n_projects=1, max_main_legs=max_main_legs)
    graph = make_graph(instance)
    cls = make_classes(instance)[-1]
    runs = make_runs(instance, graph, make_amounts(instance, graph), cls=cls)
    parent, leg = (part.tolist() for part in pattern_tree(graph, np.array(cls.modes), max_main_legs))
    origin = np.array([0] * 4 + [3] * 4)
    destination = np.array([1, 2, 3, 4, 0, 1, 2, 4])
    beyond_the_best = 0
    for run in (0, int(runs.ranks.size) - 1):
        one = Runs(runs.link_weight[[run]], runs.transfer_weight[[run]], np.array([n_ranks]))
        found = search_class(graph, cls, one, origin=origin, destination=destination, max_main_legs=max_main_legs)
        code, first = found.steps(np.arange(found.bundle.size), found.lengths())
        arc, transfer = np.maximum(code, 0), np.maximum(-1 - code, 0)
        on_arc, on_transfer = one.link_weight[0, graph.arc_link[arc]], one.transfer_weight[0, transfer]
        step = np.where(code >= 0, on_arc, on_transfer)
        cost = np.add.reduceat(step, first[:-1])
        arcs, switches = as_lists(graph, one, 0)
        for start in np.unique(origin).tolist():
            wanted = reference.ranked_chains(arcs, switches, parent, leg, origin=start, n_ranks=n_ranks)
            for b in np.flatnonzero(origin == start).tolist():
                mine = [costs for (node, _), costs in wanted.items() if node == destination[b]]
                every = sorted(one for costs in mine for one in costs)
                np.testing.assert_allclose(np.sort(cost[found.bundle == b]), every, rtol=1e-12)
                beyond_the_best += len(every) - len(mine)
    assert beyond_the_best > 10


def test_no_kernel_reads_out_of_bounds(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[1])\n"
        "from network_worlds import random_world\nfrom nbb_opt.network import prepare\n"
        "world = random_world(pathlib.Path(sys.argv[2]), seed=3, n_nodes=12, n_flows=30, n_projects=2)\n"
        "print(len(prepare(world).chains))\n"
    )
    environment = os.environ | {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent), str(tmp_path / "w")],
        env=environment, capture_output=True, text=True, timeout=500, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 30


def _layer(rng: np.random.Generator, n_nodes: int, n_arcs: int) -> tuple[np.ndarray, ...]:
    start = np.sort(rng.integers(0, n_nodes, n_arcs))
    end = (start + rng.integers(1, n_nodes, n_arcs)) % n_nodes
    first = np.searchsorted(start, np.arange(n_nodes + 1))
    weight = rng.random(n_arcs) + 0.01
    weight[rng.random(n_arcs) < 0.15] = np.inf
    return first, start, end, weight


@pytest.mark.parametrize("seed", range(20))
def test_the_paths_of_a_leg_are_simple_distinct_and_the_first_is_the_shortest(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_nodes, n_ranks = 6, 3
    first, start, end, weight = _layer(rng, n_nodes, 14)
    dist = np.empty((n_nodes, n_ranks))
    arc, rank = np.empty((n_nodes, n_ranks), dtype=np.int32), np.empty((n_nodes, n_ranks), dtype=np.int32)
    leg_search(first, start, end, weight, 0, n_ranks, dist, arc, rank)
    arcs = [(int(a), int(b), float(w)) for a, b, w in zip(start, end, weight, strict=True)]
    out = np.empty(50, dtype=np.int64)
    for node in range(1, n_nodes):
        every = reference.simple_paths(arcs, source=0, to=node)
        found = dist[node][np.isfinite(dist[node])]
        assert found.size <= len(every)
        assert (np.diff(found) >= 0).all()
        if every:
            assert found[0] == pytest.approx(every[0])
        paths = set()
        for r in range(found.size):
            size = write_leg(start, arc, rank, node, r, out, 0)
            path = tuple(out[:size][::-1].tolist())
            paths.add(path)
            visited = [0] + [int(end[a]) for a in path]
            assert visited[-1] == node
            assert len(set(visited)) == len(visited)
            assert weight[list(path)].sum() == pytest.approx(found[r])
        assert len(paths) == found.size


@given(data=st.data(), n_ranks=st.integers(1, 4))
@settings(max_examples=80, deadline=None)
def test_the_alternatives_of_a_leg_cost_what_a_plain_search_finds(data: st.DataObject, n_ranks: int) -> None:
    n_nodes = data.draw(st.integers(2, 7))
    node = st.integers(0, n_nodes - 1)
    lengths = st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.5, np.inf])
    ends = data.draw(st.lists(st.tuples(node, node, lengths), max_size=20))
    arcs = sorted((a, b, w) for a, b, w in ends if a != b)
    start, end = (np.array([arc[i] for arc in arcs], dtype=np.int64) for i in (0, 1))
    weight = np.array([arc[2] for arc in arcs], dtype=float)
    first = np.searchsorted(start, np.arange(n_nodes + 1))
    dist = np.empty((n_nodes, n_ranks))
    arc, rank = np.empty((n_nodes, n_ranks), dtype=np.int32), np.empty((n_nodes, n_ranks), dtype=np.int32)
    leg_search(first, start, end, weight, 0, n_ranks, dist, arc, rank)
    wanted = reference.ranked_paths(arcs, source=0, n_ranks=n_ranks)
    best = reference.distances(arcs, source=0)
    for to in range(n_nodes):
        every = wanted.get(to, [])
        assert dist[to].tolist() == every + [np.inf] * (n_ranks - len(every))
        assert dist[to, 0] == best.get(to, np.inf)


@pytest.mark.parametrize("seed", range(12))
def test_the_best_of_every_pattern_is_joined_as_the_first_of_several_ranks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parent, leg = np.array([-1, 0, 0, 1, 1, 2, 2]), np.array([0, 1, 2, 1, 2, 1, 2])
    n_places, n_switch, n_layers = 9, 6, 3
    dist = rng.integers(1, 9, (n_layers, n_places, n_places, 1)).astype(float)
    dist[rng.random(dist.shape) < 0.2] = np.inf
    for layer in range(n_layers):
        np.fill_diagonal(dist[layer, :, :, 0], 0.0)
    switch = rng.integers(0, 3, (n_places, n_layers, n_layers)).astype(float)
    switch[rng.random(switch.shape) < 0.3] = np.inf
    switch[n_switch:] = np.inf
    layer_places = np.tile(np.arange(n_places), (n_layers, 1))
    n_places_of = np.full(n_layers, n_switch)
    goals = np.array([1, 7, 8])
    wanted = np.isin(np.arange(n_places), goals)
    shape = (3, parent.size, n_places, 1)
    slow, fast = np.empty(shape), np.full(shape, np.inf)
    back, other = (np.zeros((3, parent.size, 3, n_places, 1), dtype=np.int64) for _ in range(2))
    kernels.join_legs(parent, leg, 1, 7, wanted, layer_places, n_places_of, dist, switch, slow, back)
    between, near = dist[:, :n_switch, :n_switch, 0].copy(), np.empty((n_switch, n_places))
    kernels.join_best(parent, leg, 7, goals, layer_places, n_places_of, dist, between, near, switch, fast, other)
    np.testing.assert_array_equal(fast[0][:, goals], slow[0][:, goals])
    np.testing.assert_array_equal(fast[1:, :, :n_switch], slow[1:, :, :n_switch])
    for side, places in ((0, goals), (1, np.arange(n_switch)), (2, np.arange(n_switch))):
        finite = np.isfinite(slow[side][:, places, 0])
        np.testing.assert_array_equal(
            other[side][:, :2, places, 0].transpose(0, 2, 1)[finite],
            back[side][:, :2, places, 0].transpose(0, 2, 1)[finite],
        )
    assert np.isfinite(slow[0][:, goals]).sum() > 10


@pytest.mark.parametrize("seed", range(30))
def test_dominated_chains_are_those_of_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 12
    amounts, uses = rng.integers(0, 3, (n, 3)).astype(float), rng.integers(0, 2, (n, 2)).astype(np.int16)
    order, first = np.arange(n), np.array([0, 5, n])
    groups = [range(0, 5), range(5, n)]
    gone = kernels.dominated(order, first, amounts, uses)
    assert gone.tolist() == reference.dominated(groups, amounts.tolist(), uses.tolist())
    assert not gone.all()
