"""Small network design problems for tests, and the slow reference: the compact statement solved by HiGHS alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from nbb_opt.problems.network_design import DesignInstance, DesignNetwork
from nbb_opt.problems.network_design.model import design_form
from nbb_opt.solve import Solution, solve_form


def network(
    nodes: int, arcs: list[tuple[int, int, float, float, float]], commodities: list[tuple[int, int, float]]
) -> DesignNetwork:
    """Arcs as (tail, head, cost, capacity, fixed), commodities as (origin, destination, demand)."""
    a, k = np.array(arcs, float), np.array(commodities, float)
    ends = a[:, :2].astype(np.int64), k[:, :2].astype(np.int64)
    return DesignNetwork(
        nodes=nodes, tail=ends[0][:, 0], head=ends[0][:, 1], cost_eur_per_t=a[:, 2], capacity_t=a[:, 3],
        fixed_eur=a[:, 4], origin=ends[1][:, 0], destination=ends[1][:, 1], demand_t=k[:, 2],
    )  # fmt: skip


def made_up(seed: int, *, nodes: int = 6, arcs: int = 18, commodities: int = 5, tight: float = 2.0) -> DesignNetwork:
    """Random arcs (parallel ones too), some without cost or fixed cost; `tight` is capacity over mean demand."""
    chance = np.random.default_rng(seed)
    ring = [(i, (i + 1) % nodes) for i in range(nodes)]
    ends = ring + [tuple(chance.choice(nodes, 2, replace=False).tolist()) for _ in range(arcs - nodes)]
    demand = chance.integers(1, 20, commodities).astype(float)
    capacity = np.ceil(chance.uniform(0.5, 1.5, arcs) * demand.mean() * tight)
    capacity[:nodes] += np.ceil(demand.sum() * chance.choice([0.2, 1.0]))
    cost = chance.integers(0, 10, arcs)
    fixed = chance.integers(0, 60, arcs) * chance.integers(0, 2, arcs)
    pairs = [tuple(chance.choice(nodes, 2, replace=False).tolist()) for _ in range(commodities)]
    return network(
        nodes,
        [(*ends[i], float(cost[i]), float(capacity[i]), float(fixed[i])) for i in range(arcs)],
        [(*pair, float(d)) for pair, d in zip(pairs, demand, strict=True)],
    )


def reference(problem: DesignNetwork, *, strong: bool = True) -> Solution:
    """The optimum of the compact statement; raises Infeasible."""
    return solve_form(design_form(problem, strong=strong), gap=1e-9, time_limit_s=60.0)


def instance_of(problem: DesignNetwork) -> DesignInstance:
    """The instance whose arrays are `problem`, with made-up names."""
    nodes, arcs, commodities = (
        [f"{word} {i}" for i in range(size)]
        for word, size in (("place", problem.nodes), ("arc", problem.arcs), ("load", problem.commodities))
    )
    tables = {
        "nodes": pd.DataFrame({"node": nodes}),
        "arcs": pd.DataFrame({
            "arc": arcs, "from_node": [nodes[i] for i in problem.tail], "to_node": [nodes[i] for i in problem.head],
            "cost_eur_per_t": problem.cost_eur_per_t, "capacity_t": problem.capacity_t, "fixed_eur": problem.fixed_eur,
        }),
        "commodities": pd.DataFrame({
            "commodity": commodities, "origin": [nodes[i] for i in problem.origin],
            "destination": [nodes[i] for i in problem.destination], "demand_t": problem.demand_t,
        }),
    }  # fmt: skip
    return DesignInstance(Path("made_up"), {"name": "made_up", "title": "made up"}, tables, "")
