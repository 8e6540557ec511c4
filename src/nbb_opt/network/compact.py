"""Chains as short rows of items, what an item is being stored once: no strings, and no links per chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LANE, SERVICE, TRANSFER = 0, 1, 2


@dataclass(frozen=True, eq=False, kw_only=True)
class Items:
    """What chains consist of: first the lanes, numbered as in the table `lanes`, then services, then transfers.

    A lane is a run of road links driven without unloading, a service a rail, sea or ferry leg on one path, a transfer a
    change at a node in one direction. Each belongs to one cargo type, so that what a tonne costs, emits and uses on an
    item depends on the item and the period only; of the chain, only the value of its hours depends on the commodity.

    `kind` (items,) is LANE, SERVICE or TRANSFER; `cargo_type` counts schema.CARGO_TYPES. The links of item i are
    link[link_start[i]] to link[link_start[i + 1]] (rows of links.csv in driving order, none for a transfer),
    `backwards` where one is used from its to_node to its from_node. `from_node`, `to_node` are rows of nodes.csv;
    `transfer` is a row of transfers.csv, -1 for lanes and services; `mode_a`, `mode_b` count schema.MODES: before and
    after a transfer, twice the mode of a lane or service. `distance_km` is 0 and `time_h` that of the handling for
    transfers.
    """

    kind: np.ndarray
    cargo_type: np.ndarray
    link_start: np.ndarray
    link: np.ndarray
    backwards: np.ndarray
    from_node: np.ndarray
    to_node: np.ndarray
    transfer: np.ndarray
    mode_a: np.ndarray
    mode_b: np.ndarray
    distance_km: np.ndarray
    time_h: np.ndarray

    def __len__(self) -> int:
        return int(self.kind.size)

    @property
    def n_lanes(self) -> int:
        """How many items are lanes: those numbered below it."""
        return int(np.searchsorted(self.kind, LANE, side="right"))


@dataclass(frozen=True, eq=False, kw_only=True)
class ChainRows:
    """Chain c of bundle[c] is item[item_start[c]] to item[item_start[c + 1]] in driving order; sorted by bundle.

    item_start (chains + 1,) int64, item int32, bundle (chains,) int32; `kind` indexes `kinds` (modes travelled),
    `main_mode` schema.MODES, `project_set` indexes `project_sets`: rising rows of projects.csv that all are needed.
    """

    item_start: np.ndarray
    item: np.ndarray
    bundle: np.ndarray
    kind: np.ndarray
    kinds: tuple[str, ...]
    main_mode: np.ndarray
    project_set: np.ndarray
    project_sets: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return int(self.bundle.size)

    def by_kind(self) -> dict[str, int]:
        """How many chains of each kind there are, by name."""
        return dict(sorted(zip(self.kinds, np.bincount(self.kind, minlength=len(self.kinds)).tolist(), strict=True)))

    @property
    def owner(self) -> np.ndarray:
        """Chain of every entry of `item`."""
        return np.repeat(np.arange(self.bundle.size, dtype=np.int32), np.diff(self.item_start))


def spread(start: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Entries of the rows `which` of a row list (`start` as in ChainRows.item_start), and how many each row has.

    >>> [part.tolist() for part in spread(np.array([0, 2, 2, 5]), np.array([2, 0]))]
    [[2, 3, 4, 0, 1], [3, 2]]
    """
    size = np.asarray(start)[which + 1] - np.asarray(start)[which]
    ends = np.cumsum(size)
    total = int(ends[-1]) if size.size else 0
    return np.arange(total) + np.repeat(np.asarray(start)[which] - (ends - size), size), size


def set_names(rows: ChainRows, projects: Sequence[str]) -> list[str]:
    """The names of every set of `project_sets`, in rising order, joined by `;`."""
    return [";".join(sorted(projects[p] for p in one)) for one in rows.project_sets]
