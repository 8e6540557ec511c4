"""Chains as result tables: chains, their steps, and the lanes trucks drive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nbb_opt.instance import Instance
from nbb_opt.instance.schema import HANDLINGS, MODES
from nbb_opt.network.chains import Candidates, kind_name, leg_starts, sides, step_projects
from nbb_opt.network.graph import HANDLING_INDEX, ROAD, Graph
from nbb_opt.network.steps import kernels
from nbb_opt.network.weights import Amounts
from nbb_opt.result import as_table


@dataclass(frozen=True)
class ChainTables:
    """The tables of these names in result.TABLES; `steps` is its chain_steps."""

    chains: pd.DataFrame
    steps: pd.DataFrame
    lanes: pd.DataFrame
    lane_links: pd.DataFrame


def make_tables(
    instance: Instance, graph: Graph, found: Candidates, *, amounts: Amounts, bundles: pd.DataFrame
) -> ChainTables:
    """Write `found` as tables. Lanes are numbered as they first occur; chains of one handling share them."""
    links, transfers = instance["links"], instance["transfers"]
    handling_of = instance["commodities"].set_index("commodity")["handling"].map(HANDLING_INDEX)
    handling_index = bundles["commodity"].map(handling_of).to_numpy(dtype=np.int64)
    code, chain = found.code, found.chain
    arc = code >= 0
    road = np.zeros(code.size, dtype=bool)
    road[arc] = graph.arc_layer[code[arc]] == ROAD
    lane_of_step, lane_first, lane_size = number_lanes(graph, found, handling_index[found.bundle])
    lane_start = lane_of_step >= 0
    lanes = [
        (code[s : s + n], HANDLINGS[h])
        for s, n, h in zip(
            lane_first.tolist(),
            lane_size.tolist(),
            handling_index[found.bundle[chain[lane_first]]].tolist(),
            strict=True,
        )
    ]

    hours = links["time_h"].to_numpy()
    lane_rows = _lane_tables(instance, graph, lanes)

    item = ~road | lane_start
    kind = np.where(~arc, "transfer", np.where(road, "lane", "link"))[item]
    owner = chain[item]
    a = np.where(arc, code, 0)[item]
    t = np.where(arc, 0, -1 - code)[item]
    is_transfer = kind == "transfer"
    is_lane = kind == "lane"
    lane = np.where(is_lane, lane_of_step[item], -1)
    nodes = graph.nodes
    at_node = _pick(graph.transfer_node, t)
    lane_to = np.array([graph.arc_to[arcs[-1]] for arcs, _ in lanes], dtype=np.int64)
    start = np.where(is_transfer, at_node, graph.arc_from[a])
    end = np.where(is_transfer, at_node, np.where(is_lane, _pick(lane_to, lane), graph.arc_to[a]))
    before_layer, after_layer = sides(graph, code, found.first)
    names = np.array(MODES, dtype=object)
    before = names[graph.layer_mode[before_layer[item]]]
    after = np.where(is_transfer, names[graph.layer_mode[after_layer[item]]], "")
    project_names = np.append(graph.projects, "").astype(object)
    lane_projects = np.array([_join(graph, arcs) for arcs, _ in lanes], dtype=object)
    project = np.where(is_lane, _pick(lane_projects, lane), project_names[step_projects(graph, code)[item]])
    steps = as_table(
        "chain_steps",
        pd.DataFrame(
            {
                "chain": owner,
                "step": np.arange(owner.size) - np.searchsorted(owner, owner),
                "kind": kind,
                "lane": lane,
                "link": np.where(kind == "link", links["link"].to_numpy()[graph.arc_link[a]], ""),
                "from_node": nodes[start],
                "to_node": nodes[end],
                "mode_a": before,
                "mode_b": after,
                "terminal": np.where(is_transfer, _pick(transfers["terminal"].to_numpy().astype(object), t), ""),
                "project": project,
            }
        ),
    )

    n_chains = found.bundle.size
    arc_link = graph.arc_link[code[arc]]
    mode_km = _mode_km(instance, graph, found)
    time_h = np.bincount(chain[arc], weights=hours[arc_link], minlength=n_chains)
    time_h += np.bincount(
        chain[~arc],
        weights=amounts.transfer_time[handling_index[found.bundle[chain[~arc]]], -1 - code[~arc]],
        minlength=n_chains,
    )  # fmt: skip
    sets = [";".join(sorted(graph.projects[p] for p in one)) for one in found.project_sets]
    kinds = {kind: kind_name(kind) for kind in np.unique(found.kind).tolist()}
    chains = as_table(
        "chains",
        pd.DataFrame(
            {
                "chain": np.arange(n_chains),
                "bundle": found.bundle,
                "kind": [kinds[kind] for kind in found.kind.tolist()],
                "main_mode": np.array(MODES)[mode_km.argmax(axis=1)],
                "distance_km": mode_km.sum(axis=1),
                "time_h": time_h,
                "projects": [sets[i] for i in found.project_set.tolist()],
            }
        ),
    )
    return ChainTables(chains, steps, *lane_rows)


def number_lanes(graph: Graph, found: Candidates, handling: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lane of every step that starts one (else -1), and the step where every lane first starts and its links.

    `handling` (chains,): only chains of equal handling share lanes.
    """
    n_legs = int(leg_starts(found.code, found.first).sum())
    table = np.full(1 << max(4, (2 * n_legs).bit_length()), -1, dtype=np.int64)
    number = np.empty(found.code.size, dtype=np.int64)
    start, size = np.empty(n_legs, dtype=np.int64), np.empty(n_legs, dtype=np.int64)
    n = kernels.number_legs(found.code, found.first, graph.arc_layer, handling, ROAD, table, number, start, size)
    return number, start[:n], size[:n]


def main_mode(instance: Instance, graph: Graph, found: Candidates) -> np.ndarray:
    """Mode with most km of every chain, as in schema.MODES."""
    return _mode_km(instance, graph, found).argmax(axis=1)


def _mode_km(instance: Instance, graph: Graph, found: Candidates) -> np.ndarray:
    arc = found.code >= 0
    link = graph.arc_link[found.code[arc]]
    km = instance["links"]["distance_km"].to_numpy()[link]
    at = found.chain[arc] * len(MODES) + graph.link_mode[link]
    n = found.bundle.size
    return np.bincount(at, weights=km, minlength=n * len(MODES)).reshape(n, len(MODES))


def _lane_tables(
    instance: Instance, graph: Graph, lanes: list[tuple[np.ndarray, str]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    links = instance["links"]
    size = np.array([arcs.size for arcs, _ in lanes], dtype=np.int64)
    arc = np.concatenate([arcs for arcs, _ in lanes]) if lanes else np.zeros(0, dtype=np.int64)
    first = np.append(0, np.cumsum(size))[:-1]
    link = graph.arc_link[arc]
    lane = np.repeat(np.arange(size.size), size)
    gross = links["max_gross_t"].fillna(np.inf).to_numpy()[link]
    table = pd.DataFrame(
        {
            "lane": np.arange(size.size),
            "from_node": graph.nodes[graph.arc_from[arc[first]]],
            "to_node": graph.nodes[graph.arc_to[arc[first + size - 1]]],
            "handling": [handling for _, handling in lanes],
            "distance_km": np.bincount(lane, weights=links["distance_km"].to_numpy()[link], minlength=size.size),
            "time_h": np.bincount(lane, weights=links["time_h"].to_numpy()[link], minlength=size.size),
            "gross_limit_t": np.minimum.reduceat(gross, first) if lanes else np.zeros(0),
        }
    )
    lane_links = pd.DataFrame(
        {
            "lane": lane,
            "step": np.arange(arc.size) - np.repeat(first, size),
            "link": links["link"].to_numpy()[link],
            "from_node": graph.nodes[graph.arc_from[arc]],
            "to_node": graph.nodes[graph.arc_to[arc]],
        }
    )
    return as_table("lanes", table), as_table("lane_links", lane_links)


def _join(graph: Graph, arcs: np.ndarray) -> str:
    needed = {int(p) for p in graph.link_project[graph.arc_link[arcs]] if p >= 0}
    return ";".join(sorted(graph.projects[p] for p in needed))


def _pick(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """values[at], anything where `values` is empty (and then not used)."""
    return values[at] if values.size else np.zeros(at.size, dtype=values.dtype)
