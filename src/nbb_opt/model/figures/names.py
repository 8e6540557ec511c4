"""The names of the columns of ModelData, made once: chains, lanes, trips, trucks and years instead of positions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nbb_opt.model.arrays.keys import Keys
from nbb_opt.model.data.model_data import ModelData
from nbb_opt.model.data.names import chain_parts, lane_parts
from nbb_opt.model.data.periods import Ints, Names


class Flow(NamedTuple):
    """What has to go from one node to another."""

    origin: str
    destination: str
    commodity: str


class Chain(NamedTuple):
    """One way for a flow to go; `n` counts the ways of the flow."""

    origin: str
    destination: str
    commodity: str
    n: int

    @property
    def flow(self) -> Flow:
        """The flow it belongs to."""
        return Flow(*self[:3])


class Lane(NamedTuple):
    """A run of road links driven without unloading; `n` counts those between the same nodes."""

    start: str
    end: str
    cargo_type: str
    n: int


class Trip(NamedTuple):
    """An empty trip from one fleet region to another."""

    region: str
    to_region: str
    truck: str
    cargo_type: str


def of(names: Names, at: npt.NDArray[np.integer]) -> list[str]:
    """Names at some positions; "" at -1."""
    ids = np.array([*names.ids, ""], object)
    return list(ids[np.asarray(at)].tolist())


class Named:
    """Names for every column of `flows`, `driving` and `empties`, in their order."""

    def __init__(self, data: ModelData) -> None:
        self.data = data
        self.years: list[int] = data.time.years.tolist()

    def year(self, t: Ints) -> list[int]:
        """First years of some periods."""
        return list(self.data.time.years[t].tolist())

    @cached_property
    def chains(self) -> list[Chain]:
        """Chain of every column of `flows`."""
        return self._each(Chain, self.data.flows.chain, chain_parts)

    @cached_property
    def lanes(self) -> list[Lane]:
        """Lane of every column of `driving`."""
        return self._each(Lane, self.data.driving.lane, lane_parts)

    def lane_at(self, lane: Ints) -> list[Lane]:
        """Some lanes by their number."""
        return self._each(Lane, lane, lane_parts)

    @cached_property
    def trips(self) -> list[Trip]:
        """Empty trip of every column of `empties`."""
        e, world = self.data.empties, self.data.world
        regions = of(world.regions, e.origin), of(world.regions, e.destination)
        goods = of(world.cargo_types, e.cargo_type)
        return [Trip(*key) for key in zip(*regions, of(self.data.trucks.names, e.vehicle), goods, strict=True)]

    @cached_property
    def trucks_driving(self) -> list[str]:
        """Truck of every column of `driving`."""
        return of(self.data.trucks.names, self.data.driving.vehicle)

    def _each(self, kind: Any, number: Ints, parts_of: Any) -> list[Any]:
        """One object for every number, the same for the same number."""
        which, at = np.unique(number, return_inverse=True)
        made = [kind(*key) for key in Keys(*parts_of(self.data.prepared, self.data.world, which))]
        return [made[i] for i in at.tolist()]


def flat(*parts: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    """Keys from columns, tuples among them spread out.

    >>> list(flat([("A", "B")], [2025]))
    [('A', 'B', 2025)]
    """
    for key in zip(*parts, strict=True):
        yield tuple(one for part in key for one in (part if isinstance(part, tuple) else (part,)))
