"""The built model as arrays: one sparse matrix, sides, bounds, and which columns are integer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nbb_opt.errors import ModelError
from nbb_opt.model.data.periods import Floats


@dataclass(frozen=True, kw_only=True)
class StandardForm:
    """Minimise cost.x + cost_offset with row_low <= A x <= row_up, col_low <= x <= col_up; A by columns (CSC).

    `col_unit_scale` is a usual size of each column in its own unit, a power of two; 1 for integers. `fix_order` says in
    which order whole numbers are best decided (0 projects, 1 chargers, 2 trucks); -1 for columns that are not integer.
    Names may be made only when they are read.
    """

    cost: Floats
    cost_offset: float
    a_indptr: npt.NDArray[np.integer]
    a_indices: npt.NDArray[np.integer]
    a_values: Floats
    row_low: Floats
    row_up: Floats
    col_low: Floats
    col_up: Floats
    integer: npt.NDArray[np.bool_]
    col_names: Sequence[str]
    row_names: Sequence[str]
    col_unit_scale: Floats
    fix_order: npt.NDArray[np.int8]


INFINITE = 1e20  # what solvers take for infinite


def checked(form: StandardForm) -> StandardForm:
    """The form; raises ModelError where a number is not finite."""
    for name in ("cost", "a_values"):
        if not np.isfinite(getattr(form, name)).all():
            raise ModelError(f"the compiled model has a number in {name} that is not finite")
    for at in np.flatnonzero(~(form.col_low < np.inf) | ~(form.col_up > -np.inf))[:1].tolist():
        raise ModelError(f"{form.col_names[at]} has bounds {form.col_low[at]} to {form.col_up[at]}")
    if not np.isfinite(form.cost_offset):
        raise ModelError("the compiled model has an offset that is not finite")
    for at in np.flatnonzero(~(np.isfinite(form.row_low) | np.isfinite(form.row_up)))[:1].tolist():
        raise ModelError(f"{form.row_names[at]} has sides {form.row_low[at]} and {form.row_up[at]}; give a finite one")
    for names, low, up in ((form.row_names, form.row_low, form.row_up), (form.col_names, form.col_low, form.col_up)):
        for at in np.flatnonzero((low >= INFINITE) | (up <= -INFINITE))[:1].tolist():
            raise ModelError(
                f"{names[at]} must be from {low[at]:g} to {up[at]:g}, and solvers take {INFINITE:g} for infinite; "
                "choose another unit"
            )
    return form
