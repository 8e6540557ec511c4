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

import plain_network as reference
from nbb_opt.instance import Instance
from nbb_opt.network.graph import Graph, make_graph, pattern_tree
from nbb_opt.network.kernels import dominance
from nbb_opt.network.kernels import join_legs as joining
from nbb_opt.network.kernels.find_legs import (
    ARC,
    HOW_MANY_USES,
    N_ROWS,
    N_USES,
    SHORTER,
    GraphArrays,
    Legs,
    fill_tables,
    forget_legs,
    no_legs,
)
from nbb_opt.network.kernels.keep_chains import DOMINATED, RETURNS
from nbb_opt.network.prune import Measures, limited_uses, make_measures
from nbb_opt.network.runs import Runs, make_classes, make_runs
from nbb_opt.network.search import Found, search_class
from nbb_opt.network.weights import make_amounts
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


def measures_of(instance: Instance, graph: Graph) -> Measures:
    """Those of the last class."""
    amounts, things = make_amounts(instance, graph), limited_uses(instance, graph)
    return make_measures(graph, amounts, make_classes(instance)[-1], things=things)


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
    measures = measures_of(instance, graph)
    (found,) = search_class(
        graph, cls, runs, measures=measures, origin=origin, destination=destination, max_main_legs=legs, want_costs=True
    )
    parent, leg = (part.tolist() for part in pattern_tree(graph, np.array(cls.modes), legs))
    finite = 0
    for run in range(0, runs.base.size, 3):
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


def sequences(graph: Graph, found: Found) -> list[tuple[int, ...]]:
    """Layers of the main legs of every chain."""
    layer = [[graph.arc_layer[s] if s >= 0 else -1 for s in row] for row in np.split(found.code, found.first[1:-1])]
    return [
        tuple(int(a) for a, b in zip(row, [-1, *row], strict=False) if a > 0 and b != a) if row else () for row in layer
    ]


@pytest.mark.promise(12, 12, 300)
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("n_wanted", [1, 2])
def test_the_chains_of_every_sequence_are_the_cheapest_of_all_that_come_back_to_no_place(
    tmp_path: Path, n_wanted: int, cases: int
) -> None:
    """Each chain found is added up step by step, so that a chain written wrongly shows as well."""
    compared = not_the_walk = 0
    for seed in range(cases):
        legs = 3 if seed % 6 == 5 else 2
        instance = random_world(
            tmp_path / str(seed), seed=seed, n_nodes=6 + seed % 3, n_flows=4, n_projects=1, max_main_legs=legs
        )
        graph, cls = make_graph(instance), make_classes(instance)[-1]
        runs = make_runs(instance, graph, make_amounts(instance, graph), cls=cls)
        run = int(np.flatnonzero(runs.n_wanted)[seed % 2])
        one = Runs(runs.link_weight[[run]], runs.transfer_weight[[run]], np.array([n_wanted]), np.array([-1]))
        ends = np.array([(a, b) for a in (0, 3) for b in range(6) if a != b])
        (found,) = search_class(
            graph, cls, one, measures=measures_of(instance, graph), origin=ends[:, 0], destination=ends[:, 1],
            max_main_legs=legs, leave_out=RETURNS, want_costs=True,
        )  # fmt: skip
        assert found.n_given_up == 0
        arc, transfer = np.maximum(found.code, 0), np.maximum(-1 - found.code, 0)
        on_arc, on_transfer = one.link_weight[0, graph.arc_link[arc]], one.transfer_weight[0, transfer]
        cost = np.add.reduceat(np.where(found.code >= 0, on_arc, on_transfer), found.first[:-1])
        mine: dict[tuple[int, tuple[int, ...]], list[float]] = {}
        for b, sequence, total in zip(found.bundle.tolist(), sequences(graph, found), cost.tolist(), strict=True):
            mine.setdefault((b, sequence), []).append(total)
        arcs, switches = as_lists(graph, one, 0)
        for start in (0, 3):
            every = reference.simple_chains(arcs, switches, origin=start, max_main_legs=legs)
            for b in np.flatnonzero(ends[:, 0] == start).tolist():
                wanted = {
                    (b, sequence): sorted(total for total, _ in chains)[:n_wanted]
                    for (node, sequence), chains in every.items()
                    if node == ends[b, 1]
                }
                assert {key for key in mine if key[0] == b} == set(wanted)
                for key, best in wanted.items():
                    np.testing.assert_allclose(sorted(mine[key]), best, rtol=1e-12)
                    compared += 1
                not_the_walk += int(np.isfinite(found.costs[0, b]).sum()) - len(wanted)
    assert compared > 20 * cases
    assert not_the_walk > cases


@pytest.mark.promise(12)
@pytest.mark.hard
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


def one_layer(first: np.ndarray, start: np.ndarray, end: np.ndarray) -> GraphArrays:
    """A network of one layer; every arc counts as one, and every second one uses a thing."""
    n = start.size
    things = np.full((n, 2), -1)
    things[1::2, 0] = np.arange(1, n, 2)
    back = np.argsort(end, kind="stable")
    return GraphArrays(
        first_arc=first[None], arc_from=start, arc_to=end, arc_link=np.arange(n), arc_layer=np.zeros(n, dtype=np.int64),
        first_back=np.searchsorted(end[back], np.arange(first.size))[None], back_arc=back,
        transfer_node=np.zeros(0, dtype=np.int64), link_sums=np.ones((n, 1)), transfer_sums=np.ones((0, 1)),
        link_things=things, transfer_things=np.zeros((0, 2), dtype=np.int64), first_project=n, n_things=n,
    )  # fmt: skip


def arcs_of(legs: Legs, leg: int) -> list[int]:
    """The arcs of a leg in driving order."""
    arcs = []
    while leg > 0:
        arcs.append(int(legs.row[leg, ARC]))
        leg = int(legs.row[leg, SHORTER])
    return arcs[::-1]


def legs_from_the_first(network: GraphArrays, legs: Legs, weight: np.ndarray) -> tuple[Legs, np.ndarray, np.ndarray]:
    """The cheapest legs from node 0 to every node: legs, costs and numbers."""
    n_nodes = network.first_arc.shape[1] - 1
    dist, number = np.empty((1, 1, n_nodes)), np.empty((1, 1, n_nodes), np.int32)
    legs = fill_tables(network, legs, 0, weight[None], np.array([[0, 0]]), np.arange(n_nodes), dist, number)
    return legs, dist[0, 0], number[0, 0]


@pytest.mark.promise(12, 20, 500)
def test_the_path_of_a_leg_is_the_shortest_and_adds_up(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, start, end, weight = _layer(rng, 6, 14)
    arcs = [(int(a), int(b), float(w)) for a, b, w in zip(start, end, weight, strict=True)]
    network = one_layer(first, start, end)
    legs, dist, number = legs_from_the_first(network, no_legs(1), weight)
    for node in range(1, 6):
        every = reference.simple_paths(arcs, source=0, to=node)
        assert dist[node] == pytest.approx(every[0] if every else np.inf)
        if not every:
            assert number[node] == -1
            continue
        path = arcs_of(legs, number[node])
        visited = [0] + [int(end[a]) for a in path]
        assert visited[-1] == node
        assert len(set(visited)) == len(visited)
        assert weight[path].sum() == pytest.approx(dist[node])
        assert legs.sums[number[node], 0] == len(path)
        assert legs.row[number[node], HOW_MANY_USES] == sum(a % 2 for a in path)


def test_legs_that_are_forgotten_leave_the_others_where_they_were() -> None:
    rng = np.random.default_rng(0)
    first, start, end, weight = _layer(rng, 40, 160)
    network = one_layer(first, start, end)
    legs, _, number = legs_from_the_first(network, no_legs(1), weight)
    before = legs.size[[N_ROWS, N_USES]].tolist()
    paths = [arcs_of(legs, leg) for leg in number.tolist() if leg >= 0]
    other = rng.permutation(weight)
    more, _, _ = legs_from_the_first(network, legs, other)
    assert more.size[N_ROWS] > before[0]
    forget_legs(more, *before)
    assert more.size[[N_ROWS, N_USES]].tolist() == before
    again, _, same = legs_from_the_first(network, more, weight)
    assert again.size[[N_ROWS, N_USES]].tolist() == before
    assert [arcs_of(again, leg) for leg in same.tolist() if leg >= 0] == paths


@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_a_leg_costs_what_a_plain_search_finds(data: st.DataObject) -> None:
    n_nodes = data.draw(st.integers(2, 7))
    node = st.integers(0, n_nodes - 1)
    lengths = st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.5, np.inf])
    ends = data.draw(st.lists(st.tuples(node, node, lengths), max_size=20))
    arcs = sorted((a, b, w) for a, b, w in ends if a != b)
    start, end = (np.array([arc[i] for arc in arcs], dtype=np.int64) for i in (0, 1))
    weight = np.array([arc[2] for arc in arcs], dtype=float)
    network = one_layer(np.searchsorted(start, np.arange(n_nodes + 1)), start, end)
    _, dist, _ = legs_from_the_first(network, no_legs(1), weight)
    best = reference.distances(arcs, source=0)
    assert dist.tolist() == [best.get(to, np.inf) for to in range(n_nodes)]


class Joined:
    """A made-up network of switch places and goals, and the cheapest labels from one origin."""

    parent, leg = np.array([-1, 0, 0, 1, 1, 2, 2]), np.array([0, 1, 2, 1, 2, 1, 2])
    n_switch, n_goals = 6, 3
    layer_places, n_places_of = np.tile(np.arange(6), (3, 1)), np.full(3, 6)

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        n = self.n_switch
        self.first = rng.integers(1, 9, n + self.n_goals).astype(float)
        self.road, self.main = (rng.integers(1, 9, (some, n, n)).astype(float) for some in (1, 3))
        self.near = rng.integers(1, 9, (n, self.n_goals)).astype(float)
        self.switch = rng.integers(0, 3, (n, 3, 3)).astype(float)
        for lengths, share in ((self.main, 0.3), (self.near, 0.2), (self.switch, 0.3)):
            lengths[rng.random(lengths.shape) < share] = np.inf
        self.table_of = np.array([-1, 1, 2])

    def best(self) -> joining.Labels:
        labels = joining.new_labels(self.parent.size, self.n_switch, self.n_goals)
        joining.join_best(
            self.parent, self.leg, np.isin(np.arange(self.parent.size), self.parent), self.layer_places,
            self.n_places_of, self.first, self.road[0], self.near, self.main, self.table_of, self.switch, labels,
        )  # fmt: skip
        return labels


@pytest.mark.promise(12, 40, 500)
def test_what_a_few_new_legs_change_is_what_joining_anew_finds(seed: int) -> None:
    """Cost and origin of every label agree, ties included (lengths are small whole numbers)."""
    case, rng = Joined(seed), np.random.default_rng(seed)
    labels, before = case.best(), case.best()
    layer = 1 + seed % 2
    changed = rng.random((case.n_switch, case.n_switch)) < 0.15
    main = case.main.copy()
    cheaper = np.minimum(main[layer], rng.integers(1, 9, changed.shape).astype(float))
    main[layer][changed] = cheaper[changed]
    case.main = main
    after = case.best()
    first = np.zeros((3, case.n_switch + 1), dtype=np.int64)
    first[layer, 1:] = np.cumsum((changed & np.isfinite(main[layer])).sum(axis=1))
    changes = joining.no_changes(case.parent.size, case.n_switch, case.n_goals)
    joining.join_changes(
        case.parent, case.leg, np.isin(np.arange(case.parent.size), case.parent), case.layer_places, case.n_places_of,
        case.road[0], case.near, case.main, case.table_of, case.switch, first,
        np.nonzero(changed & np.isfinite(main[layer]))[1], labels, changes,
    )  # fmt: skip
    for name in ("end", "goal", "start"):
        np.testing.assert_array_equal(getattr(labels, name), getattr(after, name))
    for came, of in (("goal_from", "goal"), ("end_from", "end"), ("side", "start")):
        mine, theirs, cost = getattr(labels, came), getattr(after, came), getattr(after, of)
        np.testing.assert_array_equal(mine[np.isfinite(cost)], theirs[np.isfinite(cost)])
    better = after.goal < before.goal
    assert (changes.looked_at[:, None] & changes.goal)[better].all()


def rows_of(found: Found) -> dict[int, list[tuple[int, ...]]]:
    """The steps of the chains of every bundle, in the order given."""
    rows: dict[int, list[tuple[int, ...]]] = {}
    for c, b in enumerate(found.bundle.tolist()):
        rows.setdefault(b, []).append(tuple(found.code[found.first[c] : found.first[c + 1]].tolist()))
    return rows


@pytest.mark.parametrize("seed", range(6))
def test_the_chains_kept_are_those_that_no_other_dominates(tmp_path: Path, seed: int) -> None:
    """The search compares as it goes, and most runs by what differs; the reference compares all chains of every run."""
    instance = random_world(tmp_path, seed=seed, n_nodes=12, n_flows=4, n_projects=2, alternatives=1 + seed % 3)
    graph, measures = make_graph(instance), measures_of(instance, make_graph(instance))
    cls = make_classes(instance)[-1]
    runs = make_runs(instance, graph, make_amounts(instance, graph), cls=cls)
    assert (runs.base >= 0).any()
    assert (runs.link_weight[runs.base >= 0] <= runs.link_weight[runs.base[runs.base >= 0]]).all()
    assert (runs.transfer_weight[runs.base >= 0] <= runs.transfer_weight[runs.base[runs.base >= 0]]).all()
    pairs = np.array([(a, b) for a in range(5) for b in range(12) if a != b])
    asked = {"measures": measures, "origin": pairs[:, 0], "destination": pairs[:, 1], "max_main_legs": 2}
    apart = Runs(runs.link_weight, runs.transfer_weight, runs.n_wanted, np.full(runs.base.size, -1))
    (every,) = search_class(graph, cls, apart, **asked, leave_out=RETURNS)
    (kept,) = search_class(graph, cls, runs, **asked, leave_out=DOMINATED)
    assert kept.n_distinct >= every.bundle.size > kept.bundle.size
    amounts, uses = every.sums.tolist(), uses_of(every, graph, measures)
    groups = [np.flatnonzero(every.bundle == b).tolist() for b in range(len(pairs))]
    gone = reference.dominated(groups, amounts, uses)
    rows, left = rows_of(every), rows_of(kept)
    for b, group in enumerate(groups):
        all_by_road = [all(s >= 0 and graph.arc_layer[s] == 0 for s in row) for row in rows[b]]
        stay = [not gone[c] or by_road for c, by_road in zip(group, all_by_road, strict=True)]
        assert left[b] == [row for row, stays in zip(rows[b], stay, strict=True) if stays]


def uses_of(found: Found, graph: Graph, measures: Measures) -> list[list[int]]:
    """How often every chain uses every limited thing, and whether it needs every project."""
    things = measures.things
    uses = []
    for c in range(found.bundle.size):
        mine = [0] * things.n
        for step in found.code[found.first[c] : found.first[c + 1]].tolist():
            for thing in things.links[graph.arc_link[step]] if step >= 0 else things.transfers[-1 - step]:
                if thing >= 0:
                    mine[thing] = mine[thing] + 1 if thing < things.first_project else 1
        uses.append(mine)
    return uses


@pytest.mark.promise(12, 30, 500)
def test_dominated_chains_are_those_of_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 12
    amounts, uses = rng.integers(0, 3, (n, 3)).astype(float), rng.integers(0, 2, (n, 2)).astype(np.int16)
    order, first = np.arange(n), np.array([0, 5, n])
    groups = [range(0, 5), range(5, n)]
    gone = dominance.dominated(order, first, amounts, uses)
    assert gone.tolist() == reference.dominated(groups, amounts.tolist(), uses.tolist())
    assert not gone.all()
