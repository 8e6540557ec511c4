"""Plans that several files of tests read, solved once a session. They are shared: change a copy, never the plan."""

from __future__ import annotations

from functools import cache

from nbb_opt.instance import Instance, read_instance
from nbb_opt.options import SolveOptions, Statement
from nbb_opt.pipeline import solve_instance
from nbb_opt.result import Run
from nbb_opt.shipped import shipped


@cache
def read(instance: str) -> Instance:
    """A shipped instance, one object a session: its bars are solved once, whatever model is."""
    return read_instance(shipped("instances") / instance)


@cache
def solved(instance: str = "tiny", model: str = "joint", statement: Statement = "auto") -> Run:
    """The plan of a shipped instance at a gap at which that of `tiny` is the only one (EXPECTED.md)."""
    options = SolveOptions(gap=1e-6, statement=statement)
    return solve_instance(read(instance), model=model, options=options)
