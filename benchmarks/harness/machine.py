"""What times and memory depend on: processor, system, allocator settings, versions."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from nbb_opt import __version__

HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")
STANDS_ON = ("numpy", "numba", "pyarrow", "pandas", "scipy", "highspy", "pyomo")


def machine() -> dict[str, Any]:
    """Processor, cores, system, C library, huge pages and Python of this machine."""
    model = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        named = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = named[0] if named else model
    pages = HUGE_PAGES.read_text().split("[")[1].split("]")[0] if HUGE_PAGES.exists() else ""
    return {
        "processor": model, "cores": os.cpu_count(), "system": f"{platform.system()} {platform.machine()}",
        "libc": " ".join(platform.libc_ver()).strip(), "huge_pages": pages, "python": platform.python_version(),
    }  # fmt: skip


def versions(libraries: Iterable[str]) -> dict[str, str]:
    """This package, what it stands on, and the libraries of the subjects."""
    found = {"nbb-opt": __version__}
    for name in (*STANDS_ON, *libraries):
        if name and name not in found:
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                continue
    return found
