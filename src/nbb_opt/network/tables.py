"""Rows of items written as result tables, for all chains or some of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray

from nbb_opt.instance import Instance
from nbb_opt.instance.schema import CARGO_TYPES, MODES
from nbb_opt.network.compact import LANE, SERVICE, TRANSFER, ChainRows, Items, set_names, spread
from nbb_opt.result import as_table, compact_table

CHAINS_AT_ONCE, LANES_AT_ONCE = 131_072, 16_384


def chains_table(instance: Instance, rows: ChainRows, items: Items, *, chains: np.ndarray) -> pd.DataFrame:
    """Table `chains` (result.TABLES) of the given chains."""
    link_mode = _numbers(instance["links"]["mode"], MODES)
    sets = set_names(rows, instance["projects"]["project"].tolist())
    parts = [as_table("chains")]
    for first in range(0, chains.size, CHAINS_AT_ONCE):
        some = chains[first : first + CHAINS_AT_ONCE]
        km, hours = _km_and_hours(instance, rows, items, chains=some, link_mode=link_mode)
        part = {
            "chain": some, "bundle": rows.bundle[some], "kind": _words(rows.kinds, rows.kind[some]),
            "main_mode": _words(MODES, rows.main_mode[some]), "distance_km": km, "time_h": hours,
            "projects": _words(sets, rows.project_set[some]),
        }  # fmt: skip
        parts.append(as_table("chains", pd.DataFrame(part)))
    return pd.concat(parts, ignore_index=True)


def _km_and_hours(
    instance: Instance, rows: ChainRows, items: Items, *, chains: np.ndarray, link_mode: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(km, hours) of each of `chains`; `link_mode` counts MODES. Km are summed by mode, then over the modes."""
    links = instance["links"]
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
    return km.sum(axis=1), hours


def steps_table(instance: Instance, rows: ChainRows, items: Items, *, chains: np.ndarray) -> pd.DataFrame:
    """Table `chain_steps` (result.TABLES) of the given chains: a service is one step per link."""
    links, terminals, nodes = instance["links"], instance["transfers"]["terminal"], instance["nodes"]["node"]
    texts, of_link, of_item = _projects(instance, items)
    of_link, of_item = np.append(of_link, 0), np.append(of_item, 0)
    terminal = ["", *dict.fromkeys(name for name in terminals.tolist() if name)]
    of_transfer = np.append(_numbers(terminals, terminal), 0)
    words = {
        "kind": _Words(("lane", "link", "transfer")), "link": _Words(["", *links["link"].tolist()]),
        "from_node": _Words(nodes.tolist()), "to_node": _Words(nodes.tolist()), "mode_a": _Words(MODES),
        "mode_b": _Words((*MODES, "")), "terminal": _Words(terminal), "project": _Words(texts),
    }  # fmt: skip
    item_steps = np.where(items.kind == SERVICE, np.diff(items.link_start), 1)
    total = int(item_steps[rows.item[spread(rows.item_start, chains)[0]]].sum())
    ends, rows_of = _link_ends(instance), _Filled(total, ("chain", "step", "lane"), words)
    for first in range(0, chains.size, CHAINS_AT_ONCE):
        some = chains[first : first + CHAINS_AT_ONCE]
        entry, n_items = spread(rows.item_start, some)
        item = rows.item[entry]
        size = item_steps[item]
        number = np.repeat(np.repeat(np.arange(some.size), n_items), size)
        of_chain = np.bincount(number, minlength=some.size)
        within = np.arange(number.size) - np.repeat(np.cumsum(size) - size, size)
        item = np.repeat(item, size)
        kind = items.kind[item]
        served = kind == SERVICE
        at = (items.link_start[item] + within)[served]
        link, start, end = np.full(item.size, -1), items.from_node[item], items.to_node[item]
        link[served] = items.link[at]
        start[served], end[served] = _ends(ends, items, at)
        rows_of.add({
            "chain": some[number], "step": np.arange(number.size) - (np.cumsum(of_chain) - of_chain)[number],
            "lane": np.where(kind == LANE, item, -1), "kind": kind, "link": link + 1, "from_node": start,
            "to_node": end, "mode_a": items.mode_a[item],
            "mode_b": np.where(kind == TRANSFER, items.mode_b[item], len(MODES)),
            "terminal": of_transfer[items.transfer[item]],
            "project": np.where(served, of_link[link], of_item[item]),
        })  # fmt: skip
    return compact_table("chain_steps", rows_of.frame())


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
                "cargo_type": _words(CARGO_TYPES, items.cargo_type[lanes]),
                "distance_km": items.distance_km[lanes],
                "time_h": items.time_h[lanes],
                "gross_limit_t": np.minimum.reduceat(gross, np.cumsum(size) - size) if size.size else np.zeros(0),
            }
        ),
    )


def lane_links_table(instance: Instance, items: Items, *, lanes: np.ndarray) -> pd.DataFrame:
    """Table `lane_links` (result.TABLES) of the given lanes."""
    nodes, ends = _Words(instance["nodes"]["node"].tolist()), _link_ends(instance)
    words = {"link": _Words(instance["links"]["link"].tolist()), "from_node": nodes, "to_node": nodes}
    total = int((items.link_start[lanes + 1] - items.link_start[lanes]).sum())
    rows_of = _Filled(total, ("lane", "step"), words)
    for first in range(0, lanes.size, LANES_AT_ONCE):
        some = lanes[first : first + LANES_AT_ONCE]
        at, size = spread(items.link_start, some)
        start, end = _ends(ends, items, at)
        step = np.arange(at.size) - np.repeat(np.cumsum(size) - size, size)
        rows_of.add({
            "lane": np.repeat(some, size), "step": step, "link": items.link[at], "from_node": start, "to_node": end,
        })  # fmt: skip
    return compact_table("lane_links", rows_of.frame())


def _link_ends(instance: Instance) -> tuple[np.ndarray, np.ndarray]:
    """Rows of nodes.csv where links begin and end."""
    links, nodes = instance["links"], instance["nodes"]["node"].tolist()
    return _numbers(links["from_node"], nodes), _numbers(links["to_node"], nodes)


def _ends(ends: tuple[np.ndarray, np.ndarray], items: Items, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of nodes.csv where the entries `at` of items.link begin and end, in driving order; `ends` are the links'."""
    one, other = (end[items.link[at]] for end in ends)
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


class _Words:
    """Names as categories in rising order; `codes` turns numbers of the names into numbers of the categories."""

    def __init__(self, names: Sequence[str]) -> None:
        self.categories = sorted(names)
        self.dtype = np.min_scalar_type(-len(self.categories))
        place = {name: code for code, name in enumerate(self.categories)}
        self._code = np.array([place[name] for name in names], self.dtype)

    def codes(self, number: np.ndarray) -> np.ndarray:
        """Category of every name[number]."""
        return self._code[number]

    def column(self, codes: np.ndarray) -> pd.Categorical:
        """A column of categories."""
        return pd.Categorical.from_codes(codes, pd.Index(self.categories, dtype="str"))


class _Filled:
    """A large table, filled some rows at a time: of some columns numbers, of the others words."""

    def __init__(self, size: int, numbers: Sequence[str], words: Mapping[str, _Words]) -> None:
        self.words, self.done = words, 0
        self.columns = {name: np.empty(size, np.int32) for name in numbers}
        self.columns |= {name: np.empty(size, word.dtype) for name, word in words.items()}

    def add(self, rows: Mapping[str, np.ndarray]) -> None:
        """The next rows; of words, the number of each."""
        here = slice(self.done, self.done + len(next(iter(rows.values()))))
        for name, column in self.columns.items():
            column[here] = self.words[name].codes(rows[name]) if name in self.words else rows[name]
        self.done = here.stop

    def frame(self) -> pd.DataFrame:
        """All of it."""
        said = {name: word.column(self.columns[name]) for name, word in self.words.items()}
        return pd.DataFrame(self.columns | said, copy=False)


def _words(names: Sequence[str], number: np.ndarray) -> ExtensionArray:
    """names[number] as a column of strings."""
    return pd.array(list(names), dtype="str").take(number)
