"""How kernels are compiled, and where they are kept once they are.

numba keys what it keeps by the age of a kernel's own file: a change of a kernel that is called from another file would
go unseen, and a renamed record could not be read back. Here the key is what all files with kernels hold.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit
from numba.core.caching import CacheImpl, _CacheLocator

from nbb_opt.first_use import tell

PACKAGE = Path(__file__).parent
HOLDERS = (
    "compiling.py",
    "demand/add_rows.py",
    "model/data/count_uses.py",
    "network/kernels/*.py",
    "problems/network_design/solve/cheapest_paths.py",
    "solve/colgen/move_columns.py",
)


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function on first use; it runs without the lock of Python."""
    return njit(cache=True, nogil=True)(function)


def parallel_kernel(function: Callable[..., Any]) -> Any:
    """Compile a function whose loops over prange run in threads."""
    return njit(cache=True, nogil=True, parallel=True)(function)


def lean_kernel(function: Callable[..., Any]) -> Any:
    """Compile a function that makes no array: those it is given are then not counted at every call.

    numba counts the references to each array of each tuple passed on, which took nine tenths of the search. Names that
    begin with _ are called by kernels only: no way in from Python is compiled for them.
    """
    inner = function.__name__.startswith("_")
    return njit(cache=True, nogil=True, _nrt=False, no_cpython_wrapper=inner, no_cfunc_wrapper=True)(function)  # type: ignore[call-overload]


@cache
def digest() -> str:
    """Of all files with kernels."""
    files = sorted(file for pattern in HOLDERS for file in PACKAGE.glob(pattern))
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:16]


@cache
def place() -> Path:
    """The folder of compiled kernels: in $NUMBA_CACHE_DIR, beside the package, in the user's cache folder, or, where
    none of these can be written to, in a temporary one, which is said."""
    named = os.environ.get("NUMBA_CACHE_DIR")
    user = Path(os.path.expanduser(os.environ.get("XDG_CACHE_HOME") or "~/.cache"))
    homes = [Path(named)] if named else [PACKAGE / "__pycache__", *([user / "nbb_opt"] if user.is_absolute() else [])]
    for home in homes:
        folder = home / f"kernels-{digest()}"
        if writable(folder):
            for other in home.glob("kernels-*") if home == PACKAGE / "__pycache__" else ():
                if other != folder:
                    shutil.rmtree(other, ignore_errors=True)
            return folder
    folder = Path(tempfile.gettempdir(), f"nbb-opt-kernels-{digest()}-{_user()}")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        mine = not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()
    except OSError:
        mine = False
    if not (mine and writable(folder)):
        folder = Path(tempfile.mkdtemp(prefix="nbb-opt-kernels-"))
    tell(f"compiled kernels are kept in {folder}: none of {', '.join(map(str, homes))} can be written to")
    return folder


def _user() -> object:
    return os.getuid() if hasattr(os, "getuid") else "user"


def writable(folder: Path) -> bool:
    """Whether a file can be made in a folder (which is made where it is missing), tried as numba tries it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


class ByContents(_CacheLocator):
    """Where numba keeps a function of this package, and what makes it compile that function again."""

    def __init__(self, module: str, first_line: int) -> None:
        self._of = f"{module}-{first_line}"

    def get_cache_path(self) -> str:
        return str(place())

    def get_source_stamp(self) -> str:
        return digest()

    def get_disambiguator(self) -> str:
        return self._of

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> ByContents | None:
        """None for functions of others, which numba then keeps as ever."""
        if not py_func.__module__.startswith("nbb_opt."):
            return None
        return cls(py_func.__module__, py_func.__code__.co_firstlineno)


CacheImpl._locator_classes.insert(0, ByContents)
