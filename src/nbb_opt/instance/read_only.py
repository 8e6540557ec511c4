"""Tables that cannot be edited in place: what is taken out of them (copies, selections, sums) is an ordinary table."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from nbb_opt.errors import NbbError

ADVICE = (
    "tables of an instance are read-only, so that its digest stays true; make another instance: "
    "region.with_table('links', lambda t: t.assign(capacity_t_per_year=2 * t.capacity_t_per_year))"
)
METADATA = ("attrs", "flags", "name")


class ReadOnlyError(NbbError):
    """An edit in place of a table of an instance.

    >>> issubclass(ReadOnlyError, NbbError)
    True
    """


def _refuse(*_given: Any, **_named: Any) -> NoReturn:
    raise ReadOnlyError(ADVICE)


class _Indexer:
    """`loc`, `iloc`, `at` or `iat` to read with."""

    def __init__(self, indexer: Any) -> None:
        self._indexer = indexer

    def __getitem__(self, key: Any) -> Any:
        return self._indexer[key]

    def __call__(self, *given: Any, **named: Any) -> _Indexer:
        return _Indexer(self._indexer(*given, **named))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._indexer, name)

    __setitem__ = _refuse


class _Plain(type):
    """Of classes whose objects are taken for ordinary ones: any table counts as of their kind, as where two are held
    against each other (`pd.testing.assert_frame_equal`)."""

    def __instancecheck__(cls, other: object) -> bool:
        return isinstance(other, cls.__mro__[2])


class _ReadOnly(metaclass=_Plain):
    """Refuses every way in which pandas changes an object in place."""

    __setitem__ = __delitem__ = _refuse
    pop = update = _update_inplace = _inplace_method = _refuse

    @property
    def loc(self) -> Any:
        """By label, to read."""
        return _Indexer(super().loc)  # type: ignore[misc]

    @property
    def iloc(self) -> Any:
        """By position, to read."""
        return _Indexer(super().iloc)  # type: ignore[misc]

    @property
    def at(self) -> Any:
        """One cell by label, to read."""
        return _Indexer(super().at)  # type: ignore[misc]

    @property
    def iat(self) -> Any:
        """One cell by position, to read."""
        return _Indexer(super().iat)  # type: ignore[misc]

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and name not in METADATA:
            _refuse()
        super().__setattr__(name, value)


def _never_inplace(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def guarded(self: Any, *given: Any, **named: Any) -> Any:
        if named.get("inplace"):
            _refuse()
        return method(self, *given, **named)

    return guarded


class ReadOnlyColumn(_ReadOnly, pd.Series):  # type: ignore[misc]
    """A column of a read-only table."""

    @property
    def _constructor(self) -> type[pd.Series]:
        return pd.Series


def read_only(frame: pd.DataFrame) -> ReadOnlyTable:
    """The table, which cannot be edited in place; nor can the arrays of its texts, which pandas hands out as they are.

    >>> read_only(pd.DataFrame({"link": pd.array(["A"], "string[python]")}))["link"].to_numpy()[0] = "B"
    Traceback (most recent call last):
    ValueError: assignment destination is read-only
    """
    for _name, column in frame.items():
        if isinstance(texts := getattr(column.array, "_ndarray", None), np.ndarray):
            texts.flags.writeable = False
    return ReadOnlyTable(frame, copy=False)


class ReadOnlyTable(_ReadOnly, pd.DataFrame):  # type: ignore[misc]
    """A table that refuses edits in place with what to do instead.

    >>> table = ReadOnlyTable({"link": ["A"], "distance_km": [3.0]})
    >>> table["distance_km"] *= 2
    Traceback (most recent call last):
    nbb_opt.instance.read_only.ReadOnlyError: tables of an instance are read-only, ...
    >>> table.assign(distance_km=2 * table.distance_km)["distance_km"].tolist(), table["distance_km"].tolist()
    ([6.0], [3.0])
    """

    insert = isetitem = _refuse

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return ReadOnlyColumn(found, copy=False) if isinstance(found, pd.Series) else found


for _kind in (ReadOnlyColumn, ReadOnlyTable):
    for _name, _method in inspect.getmembers(_kind, inspect.isfunction):
        if not _name.startswith("_") and "inplace" in inspect.signature(_method).parameters:
            setattr(_kind, _name, _never_inplace(_method))
