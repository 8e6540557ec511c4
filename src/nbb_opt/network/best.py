"""The best chain from one place to another: by generalised cost, in a period, with some projects built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nbb_opt.instance import Instance
from nbb_opt.instance.schema import MODES
from nbb_opt.network.graph import Graph
from nbb_opt.network.kernels.keep_chains import RETURNS
from nbb_opt.network.prune import limited_uses, make_measures
from nbb_opt.network.runs import ChainClass, case_runs
from nbb_opt.network.search import search_class
from nbb_opt.network.weights import Amounts


@dataclass(frozen=True, kw_only=True)
class BestChains:
    """Of every case and pair the cheapest chain; all arrays (cases, pairs), NaN where there is none.

    generalised_eur_per_t (time of the goods in it), cost_eur_per_t (without it: service or truck, handling, charges,
    carbon price), time_h, co2e_kg_per_t (WTW), distance_km. `modes` are the modes in turn; `projects` numbers of
    projects that the chain needs.
    """

    generalised_eur_per_t: np.ndarray
    cost_eur_per_t: np.ndarray
    time_h: np.ndarray
    co2e_kg_per_t: np.ndarray
    distance_km: np.ndarray
    modes: list[list[str]]
    projects: list[list[tuple[int, ...]]]


def best_chains(
    instance: Instance, graph: Graph, amounts: Amounts, cls: ChainClass, *, origin: np.ndarray, destination: np.ndarray,
    cases: Sequence[tuple[int, np.ndarray]],
) -> BestChains:  # fmt: skip
    """Search every pair of `origin` and `destination` (node numbers) in every case (see runs.case_runs).

    Capacity is no matter: these are the chains that a tonne more would like to take.
    """
    runs = case_runs(graph, amounts, cls=cls, cases=cases)
    measures = make_measures(graph, amounts, cls, things=limited_uses(instance, graph))
    (found,) = search_class(
        graph, cls, runs, measures=measures, origin=origin, destination=destination,
        max_main_legs=instance.meta.max_main_legs, leave_out=RETURNS, want_costs=True,
    )  # fmt: skip
    shape, h = (len(cases), origin.size), cls.cargo_type
    out = {name: np.full(shape, np.nan) for name in ("generalised", "cost", "time", "kg", "km")}
    modes = [[""] * shape[1] for _ in cases]
    projects: list[list[tuple[int, ...]]] = [[()] * shape[1] for _ in cases]
    arc = found.code >= 0
    link, transfer = graph.arc_link[np.where(arc, found.code, 0)], np.where(arc, 0, -1 - found.code)
    starts = found.first[:-1]

    def summed(of_links: np.ndarray, of_transfers: np.ndarray) -> np.ndarray:
        """Sums of every chain."""
        there = of_transfers[transfer] if of_transfers.size else np.zeros(transfer.size)
        return np.add.reduceat(np.where(arc, of_links[link], there), starts)

    km = summed(instance["links"]["distance_km"].to_numpy(float), np.zeros(len(graph.transfer_node)))
    hours = summed(amounts.link_time, amounts.transfer_time[h])
    for i, (t, _) in enumerate(cases):
        weight = summed(runs.link_weight[i], runs.transfer_weight[i])
        cost = summed(amounts.link_cost[h, t], amounts.transfer_cost[h])
        cost = cost + summed(amounts.link_carbon_cost[h, t], amounts.transfer_carbon_cost[h, t])
        kg = summed((amounts.link_ttw + amounts.link_wtt)[h, t], (amounts.transfer_ttw + amounts.transfer_wtt)[h])
        order = np.lexsort((np.arange(weight.size), weight, found.bundle))
        pairs, at = np.unique(found.bundle[order], return_index=True)
        best = order[at]
        fine = np.isfinite(weight[best])
        pairs, best = pairs[fine], best[fine]
        for name, values in zip(out, (weight, cost, hours, kg, km), strict=True):
            out[name][i, pairs] = values[best]
        for pair, chain in zip(pairs.tolist(), best.tolist(), strict=True):
            steps = slice(found.first[chain], found.first[chain + 1])
            modes[i][pair] = _in_turn(graph.link_mode[link[steps]][arc[steps]])
            needed = np.where(arc[steps], graph.link_project[link[steps]], -1).tolist()
            if graph.transfer_project.size:
                needed += np.where(arc[steps], -1, graph.transfer_project[transfer[steps]]).tolist()
            projects[i][pair] = tuple(sorted({project for project in needed if project >= 0}))
    return BestChains(
        generalised_eur_per_t=out["generalised"], cost_eur_per_t=out["cost"], time_h=out["time"],
        co2e_kg_per_t=out["kg"], distance_km=out["km"], modes=modes, projects=projects,
    )  # fmt: skip


def _in_turn(numbers: np.ndarray) -> str:
    """Modes in turn, each once where it goes on."""
    kept = numbers[np.flatnonzero(np.append(True, numbers[1:] != numbers[:-1]))].tolist()
    return "-".join(MODES[number] for number in kept)
