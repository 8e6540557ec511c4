"""From an assembly to its standard form."""

from __future__ import annotations

from nbb_opt.model.arrays.array_assembly import ArrayAssembly
from nbb_opt.model.form import StandardForm


def form_of(a: ArrayAssembly) -> StandardForm:
    """The arrays of the model; rows and columns in the order of its assembly, columns in no row included.

    Raises ModelError if a number is not finite.
    """
    return a.form()
