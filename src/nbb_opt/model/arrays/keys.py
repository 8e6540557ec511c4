"""Keys of rows and columns, written out only when somebody asks for them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from nbb_opt.model.data.periods import Names

# what makes Pyomo write a text in quotes: its own marks, or looking like a number
MARKS = re.compile(r"""[()\[\],.'":\\]""")
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|-?inf|nan", re.ASCII)

Part = npt.NDArray[Any] | tuple[Names, npt.NDArray[np.integer]]


class Keys(Sequence[tuple[Any, ...]]):
    """One tuple per row or column; each part is an array of numbers, or names with an array of positions among them.

    >>> list(Keys((Names(["DE", "SE"]), np.array([1, 0])), np.array([2025, 2030])))
    [('SE', 2025), ('DE', 2030)]
    """

    def __init__(self, *parts: Part) -> None:
        self.parts = parts
        self._size = len(parts[0][1] if isinstance(parts[0], tuple) else parts[0])

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return zip(*(_written(part) for part in self.parts), strict=True)

    @overload
    def __getitem__(self, at: int) -> tuple[Any, ...]: ...
    @overload
    def __getitem__(self, at: slice) -> Keys: ...
    def __getitem__(self, at: int | slice) -> tuple[Any, ...] | Keys:
        if isinstance(at, slice):
            return self.take(np.arange(self._size)[at])
        return next(iter(self.take(np.array([range(self._size)[at]]))))

    def take(self, which: npt.NDArray[np.integer]) -> Keys:
        """The keys at some positions."""
        return Keys(*((part[0], part[1][which]) if isinstance(part, tuple) else part[which] for part in self.parts))


class LazyLabels(Sequence[str]):
    """Names of all rows or all columns; they are made the first time one is read.

    >>> names = LazyLabels(lambda: ["a", "b"], 2)
    >>> names[1], len(names)
    ('b', 2)
    """

    def __init__(self, make: Callable[[], list[str]], size: int) -> None:
        self._make, self._size = make, size
        self._names: list[str] | None = None

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        if self._names is None:
            self._names = self._make()
        return self._names[at]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


def label(component: str, key: object) -> str:
    """The name of one row or column, as Pyomo writes it.

    >>> label("bought", ("EAST", "BAT.400", 2025))
    "bought[EAST,'BAT.400',2025]"
    >>> label("risk_nok", None)
    'risk_nok'
    """
    if key is None:
        return component
    words = [_word(part) for part in key] if isinstance(key, tuple) else [_word(key)]
    text = ",".join(words)
    return f"{component}[({text},)]" if isinstance(key, tuple) and len(key) == 1 else f"{component}[{text}]"


def _word(part: object) -> str:
    if not isinstance(part, str):
        return repr(part)
    quoted = repr(part)
    bare = quoted[1:-1]
    return quoted if MARKS.search(bare) or NUMBER.fullmatch(bare) or bare.startswith("|") else bare


def _written(part: Part) -> list[Any]:
    if isinstance(part, tuple):
        ids = part[0].ids
        return [ids[position] for position in part[1].tolist()]
    return list(part.tolist())
