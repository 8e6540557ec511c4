"""Mappings from business keys to figures and members that refuse what nobody knows.

A figure that is looked up under a misspelt key is an error, and so are the members of something that does not exist:
a silent zero or an empty sum would be a wrong model.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Hashable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from nbb_opt.errors import ModelError


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
        pairs = list(zip(keys, number.tolist(), strict=True))
        for at in np.flatnonzero(np.isinf(number))[:1].tolist():
            raise ModelError(f"{name}{list(_parts(pairs[at][0]))} is {number[at]}; check the figures behind it")
        super().__init__(pair for pair, absent in zip(pairs, np.isnan(number).tolist(), strict=True) if not absent)

    def __missing__(self, key: Hashable) -> float:
        raise ModelError(f"{self.name} has no figure for {key!r}{_meant(key, self)}")


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
                raise ModelError(f"{self.name}: {value!r} of {key!r} is not known{_meant(value, known)}")
        return ()


def limits(name: str, keys: Iterable[Hashable], values: npt.ArrayLike) -> Figure:
    """Limits by key; an infinite one is none and has no key."""
    number = np.asarray(values, float)
    return Figure(name, keys, np.where(np.isposinf(number), np.nan, number))


def _parts(key: Any) -> tuple[Any, ...]:
    return tuple(key) if isinstance(key, tuple) else (key,)


def _meant(key: Hashable, known: Collection[Any]) -> str:
    words = sorted({str(each) for each in known})
    close = difflib.get_close_matches(str(key), words, n=1)
    return f" (did you mean {close[0]!r}?)" if close else f" (known: {', '.join(words[:12])})"
