"""Demand in memory: the tonnes of every flow, year and shipper once, and what they are in other years."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from nbb_opt.demand.add_rows import tonnes_in_years
from nbb_opt.demand.aggregate import Sums
from nbb_opt.demand.sums import SHIPPER_BITS


@dataclass(frozen=True, kw_only=True, eq=False)
class Flows:
    """Entries sorted by flow, shipper and year, each once, of `rows` read.

    `flow` (int64) is (origin * nodes + destination) * commodities + commodity, of positions among the sorted names;
    `shipper` (int32) is a position among `shippers`, which is empty if the file has no such column (then 0). `year`
    (int16); `tonnes` (t/year) are summed where rows repeat.
    """

    nodes: tuple[str, ...]
    commodities: tuple[str, ...]
    shippers: tuple[str, ...]
    flow: np.ndarray
    shipper: np.ndarray
    year: np.ndarray
    tonnes: np.ndarray
    rows: int

    @property
    def n_repeated(self) -> int:
        return self.rows - len(self.flow)

    @cached_property
    def series(self) -> np.ndarray:
        """Where the entries of each series, a flow of a shipper, begin; and, last, their number."""
        new = np.ones(len(self.flow) + 1, dtype=bool)
        new[1:-1] = (self.flow[1:] != self.flow[:-1]) | (self.shipper[1:] != self.shipper[:-1])
        return np.flatnonzero(new)

    def ends(self, flow: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Positions of origin, destination and commodity of flow numbers."""
        pair, commodity = np.divmod(flow, len(self.commodities))
        return *np.divmod(pair, len(self.nodes)), commodity

    def names(self, flow: int) -> tuple[str, str, str]:
        """Origin, destination and commodity."""
        origin, destination, commodity = self.ends(np.asarray(flow))
        return self.nodes[origin], self.nodes[destination], self.commodities[commodity]

    def tonnes_in(self, years: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Flow numbers, each once, and their t/year in `years` (rising), (flows, years).

        Linear between the years that a flow of a shipper has rows for, not a number outside these.
        """
        start = self.series
        by_series = tonnes_in_years(start, self.year, self.tonnes, np.asarray(years, dtype=np.int16))
        flow, first = np.unique(self.flow[start[:-1]], return_index=True)
        return flow, by_series if len(flow) == len(by_series) else np.add.reduceat(by_series, first)

    def frame(self) -> pd.DataFrame:
        """Columns origin, destination, commodity, year, shipper (if shippers are named) and tonnes."""
        origin, destination, commodity = self.ends(self.flow)
        columns = {"origin": (self.nodes, origin), "destination": (self.nodes, destination)}
        columns |= {"commodity": (self.commodities, commodity)}
        words = {name: pd.array(list(known), dtype="str").take(at) for name, (known, at) in columns.items()}
        shipper = {"shipper": pd.array(list(self.shippers), dtype="str").take(self.shipper)} if self.shippers else {}
        return pd.DataFrame({**words, "year": self.year.astype(np.int64), **shipper, "tonnes": self.tonnes})


def flows_of(sums: Sums, *, nodes: tuple[str, ...], commodities: tuple[str, ...]) -> Flows:
    """The sums of a target that numbers `nodes` and `commodities` as they come."""
    flow, year, tonnes = sums.flow, sums.year, sums.tonnes
    if sums.shippers is None:
        shipper: np.ndarray = np.zeros(len(flow), dtype=np.int32)
        names: tuple[str, ...] = ()
    else:
        names = tuple(sorted(sums.shippers))
        place = np.argsort(np.argsort(list(sums.shippers))) if names else np.empty(0, dtype=np.int64)
        shipper = place[flow & ((1 << SHIPPER_BITS) - 1)].astype(np.int32)
        flow = flow >> SHIPPER_BITS
        order = np.lexsort((year, shipper, flow))
        flow, shipper, year, tonnes = flow[order], shipper[order], year[order], tonnes[order]
    return Flows(
        nodes=nodes, commodities=commodities, shippers=names, flow=flow, shipper=shipper, year=year, tonnes=tonnes,
        rows=sums.rows,
    )  # fmt: skip
