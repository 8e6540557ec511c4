"""Candidate chains: what the search finds for every bundle, and which of it is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import numpy as np
import pandas as pd

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance import Instance
from nbb_opt.network.candidates import Candidates
from nbb_opt.network.graph import Graph
from nbb_opt.network.kernels import look_at_steps
from nbb_opt.network.kernels.keep_chains import DOMINATED, RETURNS
from nbb_opt.network.prune import limited_uses, make_measures
from nbb_opt.network.runs import ChainClass, make_classes, make_runs, priced_run
from nbb_opt.network.search import MOST_LABELS_IN_ALL, Found, search_class
from nbb_opt.network.weights import Amounts

SHOWN = 20  # flows named in an error
BUNDLES_AT_ONCE = 50_000
Kept = TypeVar("Kept")


def find_chains(
    instance: Instance,
    graph: Graph,
    amounts: Amounts,
    *,
    bundles: pd.DataFrame,
    use: Callable[[Iterator[tuple[Candidates, Found]], ChainClass], Kept],
    every: bool = False,
) -> list[Kept]:
    """Search every class in every run; what `use` makes of the chains of some 50,000 bundles of one class at a time.

    `use` gets them batch by batch, as they were described and as they were found, and the class. A chain that comes
    back to a place on the same side is no candidate.
    Unless `every` chain is asked for, one that another of its bundle dominates is none either (see keep_chains). Two
    threads search and call `use`; what they give stands in an order that does not depend on them, so that memory holds
    little more than what `use` keeps.
    Raises InstanceError naming the bundles that cannot be carried today.
    """
    classes = make_classes(instance)
    origin, destination, bundle_class = _ends(graph, classes, bundles)
    carried, today = np.zeros(len(bundles), dtype=bool), np.zeros(len(bundles), dtype=bool)
    things = limited_uses(instance, graph)

    def candidates(cls: ChainClass, mine: np.ndarray) -> Iterator[tuple[Candidates, Found]]:
        for found in search_class(
            graph, cls, make_runs(instance, graph, amounts, cls=cls),
            measures=make_measures(graph, amounts, cls, things=things), origin=origin[mine],
            destination=destination[mine], max_main_legs=instance.meta.max_main_legs,
            leave_out=RETURNS if every else DOMINATED,
            labels_per_flow=MOST_LABELS_IN_ALL // max(1, len(bundles)),
        ):  # fmt: skip
            part = _described(graph, found, mine[found.bundle])
            carried[part.bundle] = True
            needs_none = np.array([not one for one in part.project_sets], dtype=bool)
            today[part.bundle[needs_none[part.project_set]]] = True
            yield part, found

    kinds = np.unique(bundle_class).tolist()
    tasks = [(i, mine) for i in kinds for mine in _blocks(np.flatnonzero(bundle_class == i), origin)]
    with ThreadPoolExecutor(2) as pool:  # kernels release the lock; the results stand in the order of the tasks
        found = list(pool.map(lambda task: use(candidates(classes[task[0]], task[1]), classes[task[0]]), tasks))
    _check_all_carried(instance, bundles, carried, today)
    return found


def cheapest_chains(
    instance: Instance, graph: Graph, amounts: Amounts, *, bundles: pd.DataFrame, some: np.ndarray,
    prices: tuple[np.ndarray, np.ndarray], built: bool,
) -> Iterator[tuple[ChainClass, Candidates]]:  # fmt: skip
    """The cheapest chains of every sequence of main legs of `some` bundles, by prices of links and of transfers, with
    nothing or everything built; class by class."""
    classes, things = make_classes(instance), limited_uses(instance, graph)
    origin, destination, bundle_class = _ends(graph, classes, bundles)
    for i in np.unique(bundle_class[some]).tolist():
        cls, mine = classes[i], some[bundle_class[some] == i]
        for found in search_class(
            graph, cls, priced_run(instance, graph, amounts, cls=cls, prices=prices, built=built),
            measures=make_measures(graph, amounts, cls, things=things), origin=origin[mine],
            destination=destination[mine], max_main_legs=instance.meta.max_main_legs, leave_out=RETURNS,
        ):  # fmt: skip
            yield cls, _described(graph, found, mine[found.bundle])


def _ends(graph: Graph, classes: list[ChainClass], bundles: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nodes where the bundles begin and end, and their classes."""
    class_of = {name: i for i, cls in enumerate(classes) for name in cls.commodities}
    node = pd.Series(graph.node_index)
    origin, destination = (bundles[name].map(node).to_numpy(dtype=np.int64) for name in ("origin", "destination"))
    return origin, destination, bundles["commodity"].map(class_of).to_numpy(dtype=np.int64)


def _blocks(mine: np.ndarray, origin: np.ndarray) -> Iterator[np.ndarray]:
    """The given bundles, about BUNDLES_AT_ONCE at a time, those of one origin together; each block rising."""
    ordered = mine[np.argsort(origin[mine], kind="stable")]
    starts = origin[ordered]
    begin = 0
    while begin < ordered.size:
        last = starts[min(begin + BUNDLES_AT_ONCE, ordered.size) - 1]
        end = int(np.searchsorted(starts, last, side="right"))
        yield np.sort(ordered[begin:end])
        begin = end


def _described(graph: Graph, found: Found, bundle: np.ndarray) -> Candidates:
    """The chains found with their kinds and projects; `bundle` (chains,) owns each."""
    kind = look_at_steps.kinds(found.code, found.first, graph.arc_layer, graph.layer_mode)
    project_set = np.empty(bundle.size, dtype=np.int64)
    start, cells = look_at_steps.number_project_sets(
        found.code, found.first, graph.arc_link, graph.link_project, graph.transfer_project, project_set
    )
    sets = tuple(tuple(cells[a:b].tolist()) for a, b in pairwise(start.tolist()))
    return Candidates(
        code=found.code, first=found.first, bundle=bundle, kind=kind, project_set=project_set, project_sets=sets,
        weights=found.sums,
    )  # fmt: skip


def _check_all_carried(instance: Instance, bundles: pd.DataFrame, any_way: np.ndarray, free: np.ndarray) -> None:
    """Whether every bundle has some chain (`any_way`), and one that needs no project (`free`)."""
    lost = np.flatnonzero(~free)
    problems = []
    for b in lost[:SHOWN]:
        row = bundles.iloc[int(b)]
        what = "can be carried only if a project is built" if any_way[b] else "cannot be carried by any chain"
        hint = "add links or transfers that exist today, modes of the commodity, vehicle_loads or handling_costs rows"
        where = f"{instance.od_path.name}, {row['origin']} -> {row['destination']}, {row['commodity']}"
        problems.append(Problem(where, what, hint))
    if lost.size > SHOWN:
        problems.append(Problem(instance.od_path.name, f"{lost.size - SHOWN} more flows cannot be carried today"))
    if problems:
        raise InstanceError(problems)
