"""What a bug report needs: versions, processor, memory, whether the solver solves, which promises hold here."""

from __future__ import annotations

import os
import platform
import socket
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from nbb_opt import __version__
from nbb_opt.arguments import checked
from nbb_opt.errors import NbbError


@checked
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
    return facts | promises(facts)


def promises(facts: dict[str, Any]) -> dict[str, str]:
    """The seven promises of SECURITY.md: "kept" on this machine, or what keeps it from that.

    >>> promises({"solver": "OK", "memory_gb": 8.0})["P1 verified"]
    'kept'
    """
    posix = os.name == "posix"
    known = "memory_gb" in facts
    return {
        "P1 verified": "kept" if facts["solver"] == "OK" else "not kept: the solver self-test failed",
        "P2 reproducible": "kept for this processor and these versions",
        "P3 whole or absent": _whole_or_absent(),
        "P4 bad input refused": "kept" if posix else "kept, but not where a library aborts for want of memory",
        "P5 nothing leaves": _loopback(),
        "P6 results run no code": "kept",
        "P7 limits": "kept" if posix and known else "time is kept; memory is not known here, nothing is refused for it"
        if posix else "time is kept; a request to stop is Ctrl-C only",
    }  # fmt: skip


def _whole_or_absent() -> str:
    from nbb_opt.run_folder import is_run, write_folder

    try:
        with tempfile.TemporaryDirectory(dir=".", prefix=".doctor-") as here:
            target = Path(here, "run")
            for text in (b"{}\n", b"[]\n"):
                write_folder(target, {"run.json": text}, replace=True)
            return "kept in this folder" if is_run(target) else "not kept: a run written here is not complete"
    except (OSError, NbbError) as fault:
        return f"not kept in this folder: {fault}"


def _loopback() -> str:
    try:
        with socket.socket() as door:
            door.bind(("127.0.0.1", 0))
    except OSError as fault:
        return f"kept; the app cannot run: {fault}"
    return "kept; the app listens on 127.0.0.1 only"


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
