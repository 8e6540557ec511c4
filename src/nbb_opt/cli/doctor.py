"""What a bug report needs: versions, processor, memory, and whether the solver solves."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from typing import Any

import numpy as np

from nbb_opt import __version__
from nbb_opt.errors import NbbError


def doctor() -> dict[str, Any]:
    """Versions and the machine; `solver` is "OK" or what went wrong.

    >>> doctor()["solver"]
    'OK'
    """
    libraries = ("pyomo", "highspy", "pandas", "numba", "pyarrow", "numpy", "scipy")
    facts: dict[str, Any] = {
        "nbb-opt": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
    }
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        facts["memory_gb"] = round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1)
    facts |= {library: version(library) for library in libraries}
    facts["solver"] = solver_self_test()
    return facts


def solver_self_test() -> str:
    """Four trucks of 30 t for 100 t at 100 EUR each: 400 EUR.

    >>> solver_self_test()
    'OK'
    """
    from nbb_opt.model import StandardForm
    from nbb_opt.solve import solve_form

    form = StandardForm(
        cost=np.array([100.0]),
        cost_offset=0.0,
        a_indptr=np.array([0, 1], dtype=np.int32),
        a_indices=np.array([0], dtype=np.int32),
        a_values=np.array([30.0]),
        row_low=np.array([100.0]),
        row_up=np.array([np.inf]),
        col_low=np.array([0.0]),
        col_up=np.array([np.inf]),
        integer=np.array([True]),
        col_names=["trucks"],
        row_names=["carry"],
        col_unit_scale=np.array([1.0]),
        fix_order=np.array([0]),
    )
    try:
        found = solve_form(form, gap=0.0).objective
    except NbbError as error:
        return f"{type(error).__name__}: {error}"
    return "OK" if found == 400.0 else f"expected 400, got {found!r}"
