"""From a built model to its standard form, by the route on which it was stated."""

from __future__ import annotations

import numpy as np

from nbb_opt.errors import ModelError
from nbb_opt.model.arrays.array_assembly import ArrayAssembly
from nbb_opt.model.arrays.assembly import Assembly
from nbb_opt.model.arrays.keys import Labels
from nbb_opt.model.build import Built
from nbb_opt.model.form import StandardForm


def standard_form(built: Built) -> StandardForm:
    """The arrays of the model; rows and columns in the order of its assembly, columns in no row included.

    A model stated in Pyomo is compiled by Pyomo, one stated as arrays is put together from them: the same form, entry
    by entry. Raises ModelError if a row or column was lost, or a number is not finite.
    """
    return form_of(built.assembly)


def form_of(a: Assembly) -> StandardForm:
    """The same of an assembly alone."""
    if isinstance(a, ArrayAssembly):
        form = _of_arrays(a)
    else:
        from nbb_opt.model.pyomo_form import compiled

        form = compiled(a)
    for name in ("cost", "a_values", "col_low"):
        if not np.isfinite(getattr(form, name)).all():
            raise ModelError(f"the compiled model has a number in {name} that is not finite")
    if not (np.isfinite(form.cost_offset) and (np.isfinite(form.row_low) | np.isfinite(form.row_up)).all()):
        raise ModelError("the compiled model has an offset or a side that is not finite")
    return form


def _of_arrays(a: ArrayAssembly) -> StandardForm:
    matrix = a.matrix()
    low, up = a.sides()
    return StandardForm(
        a.cost, a.cost_offset, matrix.indptr, matrix.indices, matrix.data, low, up,
        a.per_column("low"), a.per_column("up"), a.per_column("whole").astype(bool),
        Labels(a.column_names, a.size), Labels(a.row_names, a.row_count),
        a.per_column("typical"), a.per_column("fix_order").astype(np.int8),
    )  # fmt: skip
