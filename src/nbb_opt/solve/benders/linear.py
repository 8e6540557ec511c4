"""What a decomposition needs of a linear program inside HiGHS, in business units: sides, rays, bases, new rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
import numpy.typing as npt

from nbb_opt.errors import SolveError
from nbb_opt.solve.highs import Floats, Solver
from nbb_opt.solve.scaling import power_of_two

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Basis:
    """Which columns and rows are basic, and at which bound the others are."""

    columns: tuple[Any, ...]
    rows: tuple[Any, ...]

    def part(self, columns: Ints, rows: Ints) -> Basis:
        """The basis of some columns and rows."""
        return Basis(tuple(self.columns[j] for j in columns.tolist()), tuple(self.rows[i] for i in rows.tolist()))


def basis_of(solver: Solver) -> Basis:
    """The basis of the last run."""
    found = solver.highs.getBasis()
    return Basis(tuple(found.col_status), tuple(found.row_status))


def give_basis(solver: Solver, basis: Basis) -> None:
    """Start the next run from a basis; one that does not fit exactly is mended by HiGHS."""
    given = highspy.HighsBasis()
    given.col_status, given.row_status = list(basis.columns), list(basis.rows)
    given.valid = given.alien = True
    solver._ok(solver.highs.setBasis(given), "basis")


def set_sides(solver: Solver, rows: Ints, low: Floats, up: Floats) -> None:
    """Give some rows other sides."""
    scale, index = solver.scaling.row[rows], rows.astype(np.int32)
    status = solver.highs.changeRowsBounds(len(index), index, low * scale, up * scale)  # type: ignore[attr-defined]
    solver._ok(status, "row sides")


def dual_ray(solver: Solver) -> Floats | None:
    """Weights of rows that prove infeasibility, after an infeasible run; their sign is open. None if there are none."""
    status, has, ray = solver.highs.getDualRay()  # type: ignore[attr-defined]
    if status == highspy.HighsStatus.kError or not has or ray is None:
        return None
    return np.asarray(ray, dtype=np.float64)[: len(solver.scaling.row)] * solver.scaling.row


def add_row(solver: Solver, columns: Ints, values: Floats, *, low: float) -> None:
    """Add the row `values . x >= low`."""
    scaled = values * solver.scaling.column[columns]
    factor = 1.0 / float(power_of_two(np.array([np.abs(scaled).max()]))[0])
    status = solver.highs.addRow(
        low * factor, np.inf, len(columns), columns.astype(np.int32), (scaled * factor).astype(np.float64)
    )
    if status == highspy.HighsStatus.kError:
        raise SolveError("HiGHS refused a row")
