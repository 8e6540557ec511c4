"""The candidates against every chain there is: what is cheapest, cleanest and quickest, and what limits allow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

import plain_network as reference
from nbb_opt.instance import Instance
from nbb_opt.network import Prepared, prepare
from nbb_opt.network.candidates import keep_best
from nbb_opt.network.chains import find_chains
from nbb_opt.network.compact import TRANSFER
from nbb_opt.network.graph import Graph, make_graph, pattern_tree
from nbb_opt.network.runs import make_classes, make_runs, project_states
from nbb_opt.network.weights import make_amounts
from network_worlds import random_world, world
from test_network_chains import flow, link
from test_network_kernels import as_lists


def short_of(instance: Instance, chains: list[tuple[int, np.ndarray]], demand: np.ndarray, limit: np.ndarray) -> float:
    """Tonnes left over at best: chains are (flow, how often each link is used)."""
    n = len(chains)
    uses = np.array([on_link for _, on_link in chains]).T[np.isfinite(limit)]
    serve = np.zeros((demand.size, n + demand.size))
    for c, (b, _) in enumerate(chains):
        serve[b, c] = 1
    serve[:, n:] = np.eye(demand.size)
    cost = np.append(np.zeros(n), np.ones(demand.size))
    wide = np.hstack([uses, np.zeros((uses.shape[0], demand.size))])
    return float(linprog(cost, A_ub=wide, b_ub=limit[np.isfinite(limit)], A_eq=serve, b_eq=demand).fun)


def chains_kept(prepared: Prepared) -> list[tuple[int, np.ndarray]]:
    """Those that need no project."""
    rows, items, kept = prepared.rows, prepared.items, []
    for c in range(len(rows)):
        if rows.project_sets[rows.project_set[c]]:
            continue
        on_link = np.zeros(len(prepared.instance["links"]))
        for i in rows.item[rows.item_start[c] : rows.item_start[c + 1]].tolist():
            if items.kind[i] != TRANSFER:
                np.add.at(on_link, items.link[items.link_start[i] : items.link_start[i + 1]], 1)
        kept.append((int(rows.bundle[c]), on_link))
    return kept


def every_chain(instance: Instance, graph: Graph, bundles: pd.DataFrame) -> list[tuple[int, np.ndarray]]:
    """All chains over today's network that come back to no place."""
    amounts, found = make_amounts(instance, graph), []
    for cls in make_classes(instance):
        runs = make_runs(instance, graph, amounts, cls=cls)
        arcs, switches = as_lists(graph, runs, 0)
        for b, row in bundles[bundles["commodity"].isin(cls.commodities)].iterrows():
            start, end = graph.node_index[row["origin"]], graph.node_index[row["destination"]]
            every = reference.simple_chains(arcs, switches, origin=start, max_main_legs=instance.meta.max_main_legs)
            for (node, legs), chains in every.items():
                for _, steps in chains if node == end else ():
                    on_link, layer, done = np.zeros(len(instance["links"])), 0, 0
                    for kind, i in steps:
                        if kind == "arc":
                            on_link[graph.arc_link[graph.first_arc[layer, 0] + i]] += 1
                        else:
                            layer = switches[i][2]
                            done += layer > 0
                    assert done == len(legs)
                    found.append((int(b), on_link))
    return found


def tight_world(folder: Path, seed: int, *, alternatives: int) -> Instance:
    """A random world in which about half of all links have a limit."""
    instance = random_world(folder, seed=seed, n_nodes=6 + seed % 2, n_flows=5, n_projects=1, alternatives=alternatives)
    rng = np.random.default_rng(seed)
    links = instance["links"].copy()
    limited = rng.random(len(links)) < 0.6
    links["capacity_t_per_year"] = np.where(limited, rng.integers(1, 12, len(links)) * 1e4, np.nan)
    return replace(instance, tables=dict(instance.tables) | {"links": links})


@pytest.mark.promise(9, 6, 300)
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("alternatives", [1, 2])
def test_what_all_chains_can_carry_within_the_limits_the_candidates_can(
    tmp_path: Path, alternatives: int, cases: int
) -> None:
    added = impossible = 0
    for seed in range(cases):
        instance = tight_world(tmp_path / str(seed), seed, alternatives=alternatives)
        prepared, graph = prepare(instance), make_graph(instance)
        limit = instance["links"]["capacity_t_per_year"].fillna(np.inf).to_numpy()
        every, kept = every_chain(instance, graph, prepared.bundles), chains_kept(prepared)
        for demand in prepared.demand_t.T:
            best, mine = (short_of(instance, chains, demand, limit) for chains in (every, kept))
            impossible += best > 1
            assert mine <= best + 1e-6 * demand.sum() or best > 1, f"seed {seed}: {mine} t left, {best} at best"
        text = "\n".join(prepared.log)
        added += "chains added so that more is carried within the limits today" in text
        assert ("can be carried by no chains within the limits of links and terminals today" in text) == any(
            short_of(instance, every, demand, limit) > 1 for demand in prepared.demand_t.T
        )
    assert added >= cases // 10
    assert 0 < impossible < 2 * cases


def test_where_the_cheapest_walk_comes_back_the_next_best_carries_what_the_first_cannot(tmp_path: Path) -> None:
    """By rail over X there is room for 20,000 t; unloading and loading again at X hid the way O-B, road, C-D."""
    rails = [link("R1", "O", "X", "rail", km=60), link("R2", "X", "D", "rail", km=60, capacity_t_per_year=20000.0)]
    rails += [link("R3", "O", "B", "rail", km=70), link("R4", "C", "D", "rail", km=70)]
    roads = [link("ROAD", "B", "C", km=50), link("ROADX", "X", "B", km=60)]
    for name in ("shadow", "one road fewer"):
        more = name == "shadow"
        instance = world(
            tmp_path / name, nodes=list("OXBCD"), links=rails + roads[: 1 + more], od=flow("O", "D", tonnes=50000.0),
            transfers=[{"node": n, "mode_a": "road", "mode_b": "rail"} for n in ("OBCDX" if more else "OBCD")],
            alternatives=1,
        )  # fmt: skip
        kept = chains_kept(prepare(instance))
        limit = instance["links"]["capacity_t_per_year"].fillna(np.inf).to_numpy()
        assert short_of(instance, kept, np.array([50000.0]), limit) == pytest.approx(0)


def test_the_cheapest_cleanest_and_quickest_chain_of_every_state_stay(tmp_path: Path) -> None:
    missed_by_the_best_of_each_kind = 0
    for seed in range(4, 7):
        instance = random_world(tmp_path / str(seed), seed=seed, n_nodes=14, n_flows=25, n_projects=3, alternatives=1)
        graph, n_periods = make_graph(instance), len(instance.periods)
        amounts, bundles = make_amounts(instance, graph), prepare(instance).bundles
        states = project_states(instance, graph)
        found = find_chains(
            instance, graph, amounts, bundles=bundles, use=lambda some, _cls: [part for part, _ in some], every=True
        )
        for part in (part for some in found for part in some):
            # other weights than those of the world, where what is cheap is clean and quick as well
            part = replace(part, weights=np.random.default_rng(seed).random(part.weights.shape))
            kept = keep_best(part, alternatives=1, n_periods=n_periods, states=states)
            first_of_kind = keep_best(part, alternatives=1, n_periods=n_periods, states=[])
            weights = part.weights[:, : 2 * n_periods + 1]
            for built in states:
                possible = np.array([built[list(one)].all() for one in part.project_sets])[part.project_set]
                for b in np.unique(part.bundle):
                    mine = np.flatnonzero(possible & (part.bundle == b))
                    least = weights[mine].min(axis=0)
                    np.testing.assert_array_equal(weights[np.intersect1d(kept, mine)].min(axis=0), least)
                    few = weights[np.intersect1d(first_of_kind, mine)].min(axis=0)
                    missed_by_the_best_of_each_kind += (few > least).any()
    assert missed_by_the_best_of_each_kind > 0


def test_the_cheapest_of_all_sequences_comes_back_to_no_place(tmp_path: Path) -> None:
    """So that the runs that take the cheapest walk of every sequence find the cheapest chain."""
    instance = random_world(tmp_path, seed=3, n_nodes=8, n_flows=4, n_projects=1)
    graph, amounts = make_graph(instance), make_amounts(instance, make_graph(instance))
    cls = make_classes(instance)[-1]
    runs = make_runs(instance, graph, amounts, cls=cls)
    parent, leg = (part.tolist() for part in pattern_tree(graph, np.array(cls.modes), 2))
    for run in range(0, runs.base.size, 2):
        arcs, switches = as_lists(graph, runs, run)
        walks = reference.pattern_costs(arcs, switches, parent, leg, origin=0)
        every = reference.simple_chains(arcs, switches, origin=0, max_main_legs=2)
        for node in range(1, graph.nodes.size):
            walk = min(cost for (at, _), cost in walks.items() if at == node)
            chain = min(cost for (at, _), chains in every.items() if at == node for cost, _ in chains)
            assert chain == pytest.approx(walk, rel=1e-12)
