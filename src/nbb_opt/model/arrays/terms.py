"""Linear terms as arrays of (row, column, coefficient), and the checks that no coefficient gets lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csc_array, csr_array

from nbb_opt.errors import ModelError
from nbb_opt.model.data.periods import Floats, Ints, sum_by

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
        row, column = _whole(row), _whole(column)
        value = np.broadcast_to(np.asarray(coefficient, float), column.shape)
        keep = (column >= 0) & (value != 0)
        if not keep.all():
            row, column, value = row[keep], column[keep], value[keep]
        self._parts.append((row, column, value))
        self._merged = False
        return self

    def merged(self) -> tuple[Ints, Ints, Floats]:
        """The terms sorted by row and column, those of one row and column added up."""
        if not self._merged:
            self._parts, self._merged = [_merge(self._parts, self.rows)], True
        return self._parts[0]

    def amounts(self, values: Floats) -> Floats:
        """The value of every row at the given values of all columns."""
        row, column, coefficient = self.merged()
        return self.constant + sum_by(row, coefficient * values[column], size=self.rows)


def _whole(numbers: Ints) -> Ints:
    """Positions as they are, 32 or 64 bits: what is not copied is not paid for."""
    found = np.asarray(numbers)
    return found if found.dtype in (np.int32, np.int64) else found.astype(np.int64)


def _merge(parts: list[tuple[Ints, Ints, Floats]], rows: int) -> tuple[Ints, Ints, Floats]:
    if not parts:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    row, column, value = (
        parts[0] if len(parts) == 1 else (np.concatenate([part[k] for part in parts]) for k in range(3))
    )
    if not _in_order(row, column):
        row, column, value = sorted_terms(row, column, value, rows)
        first = np.ones(len(row), bool)
        first[1:] = (row[1:] != row[:-1]) | (column[1:] != column[:-1])
        if not first.all():
            value = np.add.reduceat(value, np.flatnonzero(first))
            row, column = row[first], column[first]
    keep = value != 0
    return (row, column, value) if keep.all() else (row[keep], column[keep], value[keep])


def _in_order(row: Ints, column: Ints) -> bool:
    """Whether rows rise and columns rise within a row, none twice."""
    rises = row[1:] >= row[:-1]
    if not rises.all():
        return False
    np.greater(column[1:], column[:-1], out=rises)
    rises |= row[1:] > row[:-1]
    return bool(rises.all())


def sorted_terms(row: Ints, column: Ints, value: Floats, rows: int) -> tuple[Any, Any, Floats]:
    """Terms by row, in a row by column, those of one place in the order given: two transpositions, no comparisons.

    >>> [part.tolist() for part in sorted_terms(np.array([1, 0, 1]), np.array([2, 5, 0]), np.array([7.0, 8.0, 9.0]), 2)]
    [[0, 1, 1], [5, 0, 2], [8.0, 9.0, 7.0]]
    """
    count, columns = len(row), int(column.max(initial=-1)) + 1
    small: Any = np.int32 if max(count, columns, rows) < 2**31 else np.int64
    one_a_row = (value, column.astype(small, copy=False), np.arange(count + 1, dtype=small))
    by_column = csr_array(one_a_row, shape=(count, columns)).tocsc()  # its row numbers are the order of the terms
    of_column = (by_column.data, row.astype(small, copy=False)[by_column.indices], by_column.indptr)
    by_row = csc_array(of_column, shape=(rows, columns)).tocsr()
    return np.repeat(np.arange(rows, dtype=small), np.diff(by_row.indptr)), by_row.indices, by_row.data


@dataclass(frozen=True, kw_only=True)
class CheckedRows:
    """Checked rows of one constraint: those kept, their terms (row counts kept rows only) and sides."""

    kept: Ints
    row: Ints
    column: Ints
    value: Floats
    low: Floats
    up: Floats
    constant: Floats


def checked_rows(name: str, index: Index, terms: Terms, *, sense: str, side: Floats | float) -> CheckedRows:
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
    return CheckedRows(kept=kept, row=row, column=column, value=value, low=low, up=up, constant=constant[kept])


def check_coefficients(name: str, row: Ints, value: Floats, index: Index | None) -> None:
    """Raise ModelError where a coefficient is not finite, or so large or small that a solver would drop it."""
    size = np.abs(value)
    for at in np.flatnonzero(~((size < LARGEST) & (size > SMALLEST)))[:1].tolist():
        where = f"{name}{list(index[row[at]])}" if index is not None else name
        raise ModelError(
            f"{where}: coefficient {value[at]} is not between {SMALLEST} and {LARGEST}; check the figures behind it"
        )
