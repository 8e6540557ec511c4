"""Linear terms as arrays of (row, column, coefficient), and the checks that no coefficient gets lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from nbb_opt.errors import ModelError
from nbb_opt.milp.periods import Floats, Ints, sum_by

SMALLEST, LARGEST = 1e-9, 1e15  # solvers drop coefficients outside without a word

Index = Sequence[Any]


class Terms:
    """Linear terms by row: a list of (row, column, coefficient) triples, and a constant per row."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.constant: Floats = np.zeros(rows)
        self._parts: list[tuple[Ints, Ints, Floats]] = []
        self._merged = False

    def add(self, row: Ints, column: Ints, coefficient: Floats | float) -> Terms:
        """Add terms; columns that do not exist (-1) stand for a variable that is zero."""
        row, column = np.asarray(row, np.int64), np.asarray(column, np.int64)
        value = np.broadcast_to(np.asarray(coefficient, float), column.shape)
        keep = (column >= 0) & (value != 0)
        if not keep.all():
            row, column, value = row[keep], column[keep], value[keep]
        self._parts.append((row, column, value))
        self._merged = False
        return self

    def merged(self) -> tuple[Ints, Ints, Floats]:
        """The terms sorted by row, those of one row and column added up."""
        if not self._merged:
            self._parts, self._merged = [_merge(self._parts, self.rows)], True
        return self._parts[0]

    def amounts(self, values: Floats) -> Floats:
        """The value of every row at the given values of all columns."""
        row, column, coefficient = self.merged()
        return self.constant + sum_by(row, coefficient * values[column], size=self.rows)


def _merge(parts: list[tuple[Ints, Ints, Floats]], rows: int) -> tuple[Ints, Ints, Floats]:
    if not parts:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    row, column, value = (np.concatenate([part[k] for part in parts]) for k in range(3))
    later, same = row[1:] > row[:-1], row[1:] == row[:-1]
    if not (later | (same & (column[1:] > column[:-1]))).all():
        order = stable_order(column, int(column.max()) + 1)
        order = order[stable_order(row[order], rows)]
        row, column, value = row[order], column[order], value[order]
        first = np.ones(len(row), bool)
        first[1:] = (row[1:] != row[:-1]) | (column[1:] != column[:-1])
        if not first.all():
            value = np.add.reduceat(value, np.flatnonzero(first))
            row, column = row[first], column[first]
    keep = value != 0
    return (row, column, value) if keep.all() else (row[keep], column[keep], value[keep])


def stable_order(key: Ints, size: int) -> Ints:
    """The stable sorting order of whole numbers below `size`, by counting: a matrix with one entry a row is transposed.

    >>> stable_order(np.array([2, 0, 2, 1]), 3).tolist()
    [1, 3, 0, 2]
    """
    count = len(key)
    where: Any = np.arange(count + 1, dtype=np.int32 if max(count, size) < 2**31 else np.int64)
    one_a_row = csr_array((where[:-1], key.astype(where.dtype), where), shape=(count, size))
    return np.asarray(one_a_row.tocsc().data)


@dataclass(frozen=True)
class Rows:
    """Checked rows of one constraint: those kept, their terms (row counts kept rows only) and sides."""

    kept: Ints
    row: Ints
    column: Ints
    value: Floats
    low: Floats
    up: Floats
    constant: Floats


def checked_rows(name: str, index: Index, terms: Terms, *, sense: str, side: Floats | float) -> Rows:
    """The rows `terms <= side`, `>=` or `==`; a row without a variable is left out if it holds.

    Raises ModelError for a row without a variable that does not hold, a side that is not finite, or a coefficient that
    a solver would drop.
    """
    if len(index) != terms.rows:
        raise ModelError(f"{name}: {terms.rows} rows of terms for {len(index)} keys")
    row, column, value = terms.merged()
    check_coefficients(name, row, value, index)
    sides = np.broadcast_to(np.asarray(side, float), (terms.rows,))
    for at in np.flatnonzero(~np.isfinite(sides))[:1].tolist():
        raise ModelError(f"{name}{list(index[at])}: its limit is {sides[at]}; give a finite number")
    if not np.isfinite(terms.constant).all():
        raise ModelError(f"{name}: a constant is not finite; check the figures behind it")
    used = np.zeros(terms.rows, bool)
    used[row] = True
    constant = terms.constant
    holds = {"<=": constant <= sides, ">=": constant >= sides, "==": constant == sides}[sense]
    for at in np.flatnonzero(~used & ~holds)[:1].tolist():
        raise ModelError(f"{name}{list(index[at])}: no variable can make {constant[at]:g} {sense} {sides[at]:g}")
    kept = np.flatnonzero(used)
    if len(kept) < terms.rows:
        row = (np.cumsum(used) - 1)[row]
    edge = sides[kept]
    low = edge if sense != "<=" else np.full(len(kept), -np.inf)
    up = edge if sense != ">=" else np.full(len(kept), np.inf)
    return Rows(kept, row, column, value, low, up, constant[kept])


def check_coefficients(name: str, row: Ints, value: Floats, index: Index | None) -> None:
    """Raise ModelError where a coefficient is not finite, or so large or small that a solver would drop it."""
    size = np.abs(value)
    for at in np.flatnonzero(~((size < LARGEST) & (size > SMALLEST)))[:1].tolist():
        where = f"{name}{list(index[row[at]])}" if index is not None else name
        raise ModelError(
            f"{where}: coefficient {value[at]} is not between {SMALLEST} and {LARGEST}; check the figures behind it"
        )
