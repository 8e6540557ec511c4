"""What every problem answers: the functions that the interface calls, what they are given and what they give back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbb_opt.acceptance import hold_bound
from nbb_opt.errors import NbbError
from nbb_opt.options import DEFAULT_AGAIN_S
from nbb_opt.output import GENERATOR, write_file
from nbb_opt.problems.result import ProblemResult, Response, refuse_faults
from nbb_opt.run_folder import check_target
from nbb_opt.verify.verdict import Checks

if TYPE_CHECKING:
    from nbb_opt.emissions.ledger import Ledger
    from nbb_opt.instance import Instance
    from nbb_opt.model import StandardForm
    from nbb_opt.model.data.periods import Floats
    from nbb_opt.options import SolveOptions
    from nbb_opt.result import Run
    from nbb_opt.solve import Stop
    from nbb_opt.solve.stop import Callback
    from nbb_opt.verify import Verdict


@dataclass(frozen=True, kw_only=True)
class SolveRequest:
    """What to solve and how. `model` and `out` are None where the user names none; the deadline is in `stop`.

    `write` False leaves the plan in memory, where the problem is not freight.
    `cache`, `cluster` (the address of a scheduler), `extend` (a file of rules of the user's own), `changed` (the
    instance as a what-if) and `front` (points of cost against emissions beside the plan) are of freight.
    """

    instance: Any  # as the problem reads it, or where it is
    options: SolveOptions
    stop: Stop
    model: str | None = None
    out: Path | None = None
    write: bool = True
    callback: Callback | None = None
    cache: bool = True
    cluster: str | None = None
    extend: Path | None = None
    changed: Instance | None = None
    front: int = 0

    def refuse_of_freight(self, problem: str) -> None:
        """Raise NbbError if an option is given that only freight knows."""
        asked = self.options
        where = self.instance if isinstance(self.instance, Path) else self.instance.path
        refuse(where, problem, {
            "decision_gap=": asked.decision_gap is not None, "prune=False": not asked.prune,
            "cache=False": not self.cache, "too_large=True": asked.too_large,
            "method=": asked.method != "auto", "presolve=": asked.presolve != "choose",
            "cluster=": self.cluster is not None, "extend=": self.extend is not None, "front=": self.front > 0,
            "scenario=, sets=, close=, build=, forbid=": self.changed is not None,
        })  # fmt: skip

    def target(self, name: str, model: str) -> Path | None:
        """Where the run is written, None if it is not; refused before the work if it cannot be written there."""
        if not self.write:
            return None
        target = self.out or Path("runs") / f"{name}-{model}"
        check_target(target)
        return target


@dataclass(frozen=True, kw_only=True)
class VerifyRequest:
    """A run to verify, and the instance if it is not where the run says; the rest is of freight."""

    run: Any  # where it is, or a ProblemResult
    instance: Any = None  # as the problem reads it, or where it is
    model: str | None = None
    again_s: float = DEFAULT_AGAIN_S
    cache: bool = True


def bound_line(run: ProblemResult, model: str, form: StandardForm | None, bound: float, again_s: float) -> str:
    """A bound held against a new solve of `form` (None: too large for that) of at most `again_s` seconds, in a line.

    Raises VerifyFailed where a plan is cheaper than the bound.
    """
    from nbb_opt.solve import Stop

    if form is None or again_s <= 0:
        why = "was not asked for" if again_s <= 0 else "takes too long at this size"
        return f"bound of {model}: the word of the solver, solving again {why}"
    checks = Checks()
    line = hold_bound(form, model, float(bound), Stop(again_s), checks, money=run.money)
    refuse_faults(run, [checks.frame().to_string(index=False)] if checks.failed else [])
    return line


@dataclass(frozen=True)
class Believed:
    """A freight plan in memory that was verified, or solved just now."""

    run: Run
    instance: Instance
    ledger: Ledger


@dataclass(frozen=True, kw_only=True)
class ReportRequest:
    """Plans to set side by side on a page at `out`; what comes after `instance` is of freight."""

    plans: Sequence[Path | Believed | ProblemResult]
    out: Path
    instance: Any = None
    model: str | None = None
    again_s: float = DEFAULT_AGAIN_S
    intensities: Path | None = None
    ileap: Path | None = None
    carriers: Mapping[str, str] = field(default_factory=dict)
    hub_carrier: str = "diesel"
    outside: bool = False
    studies: Sequence[Path] = ()


@dataclass(frozen=True)
class StatedModel:
    """A model on an instance, for solvers elsewhere: `accept` checks the values that one gives to its columns.

    It raises VerifyFailed where the verifier refuses them.
    """

    model: str
    title: str
    form: StandardForm
    accept: Callable[[Floats], Response]


@dataclass(frozen=True, kw_only=True)
class Handlers:
    """The functions of one problem.

    `check` and `read` raise InstanceError with every fault. `load(path, instance)` reads a run. `solve`
    writes a run folder whose `run.json` has the key `problem` (without it freight is meant), verified; VerifyFailed and
    nothing written if the verifier refuses. `verify` raises VerifyFailed. `report` verifies and writes a page.
    `state(instance, model, options)` is the model itself; model None stands for the usual one.
    """

    check: Callable[[Path], Response]
    read: Callable[[Path], Any]
    load: Callable[[Path, Any], Any]
    solve: Callable[[SolveRequest], Response]
    verify: Callable[[VerifyRequest], Response | Verdict]
    report: Callable[[ReportRequest], Response]
    state: Callable[[Path, str | None, SolveOptions], StatedModel]


def no_problems(problem: str, name: str, title: str, tables: Mapping[str, Sized], digest: str) -> Response:
    """What is in an instance that has no fault."""
    rows = {table: len(content) for table, content in tables.items()}
    record = {"ok": True, "problem": problem, "name": name, "digest": digest, "rows": rows}
    listed = ", ".join(f"{table} {count}" for table, count in rows.items())
    return Response(record, (f"{title}: no problems found", f"rows: {listed}", f"digest {digest[:16]}"))


def write_page(out: Path, title: str, body: str) -> None:
    """Write a page without maps and charts."""
    style = (
        "body{font:15px sans-serif;margin:2rem}td,th{padding:.3rem .8rem;border-bottom:1px solid #ccc;"
        "text-align:right}td:first-child,th:first-child{text-align:left}"
    )
    head = f'<!doctype html>\n<html lang="en"><meta charset="utf-8">{GENERATOR}'
    head += f"<title>{title}</title>\n<style>{style}</style>\n"
    write_file(out, f"{head}<h1>{title}</h1>\n{body}</html>\n")


def refuse(where: object, problem: str, given: Mapping[str, bool]) -> None:
    """Raise NbbError that names the options that are given, and are of freight."""
    if named := [option for option, on in given.items() if on]:
        raise NbbError(f"{', '.join(named)}: is about freight, {where} is about {problem}; leave it out")
