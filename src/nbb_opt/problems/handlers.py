"""The handlers of a problem other than freight: what a command calls, and what it gets back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbb_opt.model import StandardForm
    from nbb_opt.model.data.periods import Floats
    from nbb_opt.options import SolveOptions
    from nbb_opt.solve import Stop
    from nbb_opt.solve.stop import Listener


@dataclass(frozen=True)
class Response:
    """What a command gives back: a record for machines (one JSON object), and lines for people."""

    record: dict[str, Any]
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SolveRequest:
    """What to solve and how. `model` and `out` are None where the user names none; the deadline is in `stop`."""

    instance: Path
    options: SolveOptions
    stop: Stop
    model: str | None = None
    out: Path | None = None
    listen: Listener | None = None


@dataclass(frozen=True)
class Stated:
    """A model on an instance, for solvers elsewhere: `accept` checks the values that one gives to its columns.

    It raises VerifyFailed where the verifier refuses them.
    """

    model: str
    title: str
    form: StandardForm
    accept: Callable[[Floats], Response]


@dataclass(frozen=True)
class Handlers:
    """The functions of one problem; each raises the NbbError that the freight problem would raise.

    `check(instance)` raises InstanceError with every fault. `solve(request)` writes a run folder whose `run.json` has
    the key `problem`, verified; VerifyFailed and nothing written if the verifier refuses. `verify(run, instance)`
    raises VerifyFailed; instance None stands for the one the run was made from. `report(runs, out, instance)` writes a
    page. `state(instance, model, options)` is the model itself; None stands for the usual one.
    """

    check: Callable[[Path], Response]
    solve: Callable[[SolveRequest], Response]
    verify: Callable[[Path, Path | None], Response]
    report: Callable[[Sequence[Path], Path, Path | None], Response]
    state: Callable[[Path, str | None, SolveOptions], Stated]
