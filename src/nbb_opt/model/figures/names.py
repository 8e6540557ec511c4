"""Business names: a chain is (origin, destination, commodity, n), a lane is (from node, to node, cargo type, n); and
mappings from them."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Hashable, Iterable
from functools import cached_property, reduce
from operator import add
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nbb_opt.errors import ModelError
from nbb_opt.model.arrays.keys import Keys
from nbb_opt.model.data.base import chain_parts, lane_parts
from nbb_opt.model.data.model_data import ModelData
from nbb_opt.model.data.periods import Ints, Names


class Figure(dict[Any, float]):
    """One figure by key, all finite; what is not given has no key.

    >>> grid_mw = Figure("grid_mw", ["NORTH", "SOUTH"], np.array([4.0, np.nan]))
    >>> grid_mw["NORTH"], "SOUTH" in grid_mw
    (4.0, False)
    >>> grid_mw["NORHT"]
    Traceback (most recent call last):
    nbb_opt.errors.ModelError: grid_mw has no figure for 'NORHT' (did you mean 'NORTH'?)
    """

    def __init__(self, name: str, keys: Iterable[Hashable], values: npt.ArrayLike) -> None:
        self.name = name
        number = np.asarray(values, float)
        super().__init__(zip(keys, number.tolist(), strict=True))
        if not np.isfinite(number).all():
            for key in [key for key, value in self.items() if math.isnan(value)]:
                del self[key]
            for key in [key for key, value in self.items() if math.isinf(value)][:1]:
                raise ModelError(f"{name}{list(_parts(key))} is {self[key]}; check the figures behind it")

    def __missing__(self, key: Hashable) -> float:
        raise ModelError(f"{self.name} has no figure for {key!r}{meant(key, self)}")


class Members(dict[Any, tuple[Any, ...]]):
    """The members of each group; () for a group without any, of those that exist.

    `parts` says which values each part of a key may have.

    >>> trucks = Members("trucks_on", [("A", 2025), ("A", 2025)], ["DIESEL", "BATTERY"], parts=[["A", "B"], [2025]])
    >>> trucks["A", 2025], trucks["B", 2025]
    (('DIESEL', 'BATTERY'), ())
    >>> trucks["C", 2025]
    Traceback (most recent call last):
    nbb_opt.errors.ModelError: trucks_on: 'C' of ('C', 2025) is not known (known: A, B)
    """

    def __init__(
        self, name: str, keys: Iterable[Hashable], members: Iterable[Any], *, parts: Iterable[Collection[Any]]
    ) -> None:
        self.name, self.parts = name, [frozenset(part) for part in parts]
        found: dict[Any, list[Any]] = {}
        for key, member in zip(keys, members, strict=True):
            found.setdefault(key, []).append(member)
        super().__init__({key: tuple(group) for key, group in found.items()})

    def __missing__(self, key: Any) -> tuple[Any, ...]:
        values = _parts(key)
        if len(values) != len(self.parts):
            raise ModelError(f"{self.name}: {key!r} has {len(values)} parts, not {len(self.parts)}")
        for value, known in zip(values, self.parts, strict=True):
            if value not in known:
                raise ModelError(f"{self.name}: {value!r} of {key!r} is not known{meant(value, known)}")
        return ()


def limits(name: str, keys: Iterable[Hashable], values: npt.ArrayLike) -> Figure:
    """Limits by key; an infinite one is none and has no key."""
    number = np.asarray(values, float)
    return Figure(name, keys, np.where(np.isposinf(number), np.nan, number))


def _parts(key: Any) -> tuple[Any, ...]:
    return tuple(key) if isinstance(key, tuple) else (key,)


def meant(key: Hashable, known: Collection[Any]) -> str:
    """What was probably meant by a key that is not known, in brackets."""
    words = sorted({str(each) for each in known})
    close = difflib.get_close_matches(str(key), words, n=1)
    return f" (did you mean {close[0]!r}?)" if close else f" (known: {', '.join(words[:12])})"


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
        e, base = self.data.empties, self.data.base
        regions = of(base.regions, e.origin), of(base.regions, e.destination)
        goods = of(base.cargo_types, e.cargo_type)
        return [Trip(*key) for key in zip(*regions, of(self.data.trucks.names, e.vehicle), goods, strict=True)]

    @cached_property
    def trucks_driving(self) -> list[str]:
        """Truck of every column of `driving`."""
        return of(self.data.trucks.names, self.data.driving.vehicle)

    def _each(self, kind: Any, number: Ints, parts_of: Any) -> list[Any]:
        """One object for every number, the same for the same number."""
        which, at = np.unique(number, return_inverse=True)
        made = [kind(*key) for key in Keys(*parts_of(self.data.prepared, self.data.base, which))]
        return [made[i] for i in at.tolist()]


def flat(*parts: Iterable[Any]) -> Iterable[tuple[Any, ...]]:
    """Keys from columns, tuples among them spread out.

    >>> list(flat([("A", "B")], [2025]))
    [('A', 'B', 2025)]
    """
    columns = [list(part) for part in parts]
    if len({len(column) for column in columns}) > 1:
        raise ValueError("columns of keys differ in length")
    tuples = (column if column and isinstance(column[0], tuple) else zip(column, strict=True) for column in columns)
    return reduce(lambda before, after: map(add, before, after), tuples)
