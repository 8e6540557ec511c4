"""Memory that nobody uses any more, given back to the system."""

from __future__ import annotations

import ctypes
import sys


def give_back() -> bool:
    """Give back what the C library keeps for later of what was freed; false where it does so by itself or cannot.

    glibc keeps pieces below 32 MB: of a million flows about half a gigabyte when they are solved.

    >>> give_back() in (True, False)
    True
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    return bool(trim(0)) if trim is not None else False
