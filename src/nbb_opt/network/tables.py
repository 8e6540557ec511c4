"""Rows of items written as result tables, for all chains or some of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray

from nbb_opt.instance import Instance
from nbb_opt.instance.schema import HANDLINGS, MODES
from nbb_opt.network.compact import LANE, SERVICE, TRANSFER, ChainRows, Items, set_names, spread
from nbb_opt.result import as_table


def chains_table(instance: Instance, rows: ChainRows, items: Items, *, chains: np.ndarray) -> pd.DataFrame:
    """Table `chains` (result.TABLES) of the given chains."""
    links = instance["links"]
    link_mode = _numbers(links["mode"], MODES)
    entry, size = spread(rows.item_start, chains)
    owner, item = np.repeat(np.arange(chains.size), size), rows.item[entry]
    at, n_links = spread(items.link_start, item)
    link, by = items.link[at], np.repeat(owner, n_links)
    km = np.bincount(
        by * len(MODES) + link_mode[link], weights=links["distance_km"].to_numpy()[link],
        minlength=chains.size * len(MODES),
    ).reshape(chains.size, len(MODES))  # fmt: skip
    hours = np.bincount(by, weights=links["time_h"].to_numpy()[link], minlength=chains.size)
    moved = items.kind[item] == TRANSFER
    hours += np.bincount(owner[moved], weights=items.time_h[item[moved]], minlength=chains.size)
    sets = set_names(rows, instance["projects"]["project"].tolist())
    return as_table(
        "chains",
        pd.DataFrame(
            {
                "chain": chains,
                "bundle": rows.bundle[chains],
                "kind": _words(rows.kinds, rows.kind[chains]),
                "main_mode": _words(MODES, rows.main_mode[chains]),
                "distance_km": km.sum(axis=1),
                "time_h": hours,
                "projects": _words(sets, rows.project_set[chains]),
            }
        ),
    )


def steps_table(instance: Instance, rows: ChainRows, items: Items, *, chains: np.ndarray) -> pd.DataFrame:
    """Table `chain_steps` (result.TABLES) of the given chains: a service is one step per link."""
    links, terminals, nodes = instance["links"], instance["transfers"]["terminal"], instance["nodes"]["node"]
    entry, n_items = spread(rows.item_start, chains)
    item = rows.item[entry]
    size = np.where(items.kind[item] == SERVICE, np.diff(items.link_start)[item], 1)
    number = np.repeat(np.repeat(np.arange(chains.size), n_items), size)
    of_chain = np.bincount(number, minlength=chains.size)
    within = np.arange(number.size) - np.repeat(np.cumsum(size) - size, size)
    item = np.repeat(item, size)
    kind = items.kind[item]
    served = kind == SERVICE
    at = (items.link_start[item] + within)[served]
    link, start, end = np.full(item.size, -1), items.from_node[item], items.to_node[item]
    link[served] = items.link[at]
    start[served], end[served] = _ends(instance, items, at)
    texts, of_link, of_item = _projects(instance, items)
    terminal = ["", *dict.fromkeys(name for name in terminals.tolist() if name)]
    return as_table(
        "chain_steps",
        pd.DataFrame(
            {
                "chain": chains[number],
                "step": np.arange(number.size) - (np.cumsum(of_chain) - of_chain)[number],
                "kind": _words(("lane", "link", "transfer"), kind),
                "lane": np.where(kind == LANE, item, -1),
                "link": _words(["", *links["link"].tolist()], link + 1),
                "from_node": _words(nodes.tolist(), start),
                "to_node": _words(nodes.tolist(), end),
                "mode_a": _words(MODES, items.mode_a[item]),
                "mode_b": _words((*MODES, ""), np.where(kind == TRANSFER, items.mode_b[item], len(MODES))),
                "terminal": _words(terminal, np.append(_numbers(terminals, terminal), 0)[items.transfer[item]]),
                "project": _words(texts, np.where(served, np.append(of_link, 0)[link], of_item[item])),
            }
        ),
    )


def lanes_table(instance: Instance, items: Items, *, lanes: np.ndarray) -> pd.DataFrame:
    """Table `lanes` (result.TABLES) of the given lanes."""
    nodes = instance["nodes"]["node"].tolist()
    at, size = spread(items.link_start, lanes)
    gross = instance["links"]["max_gross_t"].fillna(np.inf).to_numpy()[items.link[at]]
    return as_table(
        "lanes",
        pd.DataFrame(
            {
                "lane": lanes,
                "from_node": _words(nodes, items.from_node[lanes]),
                "to_node": _words(nodes, items.to_node[lanes]),
                "handling": _words(HANDLINGS, items.handling[lanes]),
                "distance_km": items.distance_km[lanes],
                "time_h": items.time_h[lanes],
                "gross_limit_t": np.minimum.reduceat(gross, np.cumsum(size) - size) if size.size else np.zeros(0),
            }
        ),
    )


def lane_links_table(instance: Instance, items: Items, *, lanes: np.ndarray) -> pd.DataFrame:
    """Table `lane_links` (result.TABLES) of the given lanes."""
    nodes = instance["nodes"]["node"].tolist()
    at, size = spread(items.link_start, lanes)
    start, end = _ends(instance, items, at)
    return as_table(
        "lane_links",
        pd.DataFrame(
            {
                "lane": np.repeat(lanes, size),
                "step": np.arange(at.size) - np.repeat(np.cumsum(size) - size, size),
                "link": _words(instance["links"]["link"].tolist(), items.link[at]),
                "from_node": _words(nodes, start),
                "to_node": _words(nodes, end),
            }
        ),
    )


def _ends(instance: Instance, items: Items, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of nodes.csv where the entries `at` of items.link begin and end."""
    links, nodes = instance["links"], instance["nodes"]["node"].tolist()
    one, other = (_numbers(links[name], nodes)[items.link[at]] for name in ("from_node", "to_node"))
    back = items.backwards[at]
    return np.where(back, other, one), np.where(back, one, other)


def _projects(instance: Instance, items: Items) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Texts of the column `project`; the number of the text of every link, and of every lane and transfer."""
    texts = ["", *instance["projects"]["project"].tolist()]
    of_link, of_transfer = (_numbers(instance[table]["project"], texts) for table in ("links", "transfers"))
    of_item = np.append(of_transfer, 0)[items.transfer]
    entries = np.flatnonzero(of_link[items.link])
    lane = np.searchsorted(items.link_start, entries, side="right") - 1
    needed: dict[int, set[str]] = {}
    for one, text in zip(lane.tolist(), of_link[items.link[entries]].tolist(), strict=True):
        if items.kind[one] == LANE:
            needed.setdefault(one, set()).add(texts[text])
    known = {text: number for number, text in enumerate(texts)}
    for one, names in needed.items():
        of_item[one] = known.setdefault(";".join(sorted(names)), len(known))
    return list(known), of_link, of_item


def _numbers(column: pd.Series, names: Sequence[str]) -> np.ndarray:
    """Position of every value of a column in `names`."""
    return pd.Index(list(names), dtype=object).get_indexer(pd.Index(column, dtype=object))


def _words(names: Sequence[str], number: np.ndarray) -> ExtensionArray:
    """names[number] as a column of strings."""
    return pd.array(list(names), dtype="str").take(number)
