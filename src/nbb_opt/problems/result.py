"""What network design and national planning give: a verified plan, the same in memory and in its run folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, NoReturn, Protocol, TypeVar

import pandas as pd

from nbb_opt.arguments import checked
from nbb_opt.errors import NbbError, VerifyFailed
from nbb_opt.run_folder import check_target, write_folder
from nbb_opt.verify.claims import claim_faults
from nbb_opt.verify.shape import shape_faults


class ProblemInstance(Protocol):
    """An instance of a problem other than freight: its `tables` by name, where it is, and a digest of its content.

    >>> import nbb_opt as nbb
    >>> from nbb_opt.shipped import shipped
    >>> region = nbb.read(shipped("instances") / "design_tiny")
    >>> region.problem, list(region.tables)
    ('network_design', ['nodes', 'arcs', 'commodities'])
    """

    problem: ClassVar[str]

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def path(self) -> Path:
        """Its folder."""

    @property
    def digest(self) -> str:
        """A sha256 of the content."""

    @property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """The tables by name."""


class EditedOnDisk:
    """An instance that is edited in its files; what a region of freight does in memory is refused in one line."""

    problem: ClassVar[str]
    path: Path

    def _refuse(self, *_given: Any, **_named: Any) -> NoReturn:
        raise NbbError(
            f"{self.path}: is about {self.problem}; with_table, with_changes, with_settings and scenario are about "
            "freight only: edit its tables on disk and read it again"
        )

    with_table = with_changes = with_settings = scenario = _refuse


@dataclass(frozen=True)
class Response:
    """What a command gives back: a record for machines (one JSON object), and lines for people."""

    record: dict[str, Any]
    lines: tuple[str, ...]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class ProblemResult(Response):
    """A plan of network design or national planning: its `tables` by name, and `record`, what `run.json` holds.

    `first_year` holds the tables of the first year alone, where a national plan spans several. Costs are in `money`.

    >>> import nbb_opt as nbb
    >>> from nbb_opt.shipped import shipped
    >>> plan = nbb.solve(nbb.read(shipped("instances") / "design_tiny"))
    >>> plan  # doctest: +ELLIPSIS
    <ProblemResult network_design on design_tiny: optimal, 85 EUR, gap ... %, verified>
    >>> plan.tables["flows"].columns.tolist(), nbb.verify(plan).record["ok"]
    (['arc', 'commodity', 'carried_t'], True)
    """

    tables: Mapping[str, pd.DataFrame]
    files: Mapping[str, bytes]  # what the run folder holds, contents by name
    first_year: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    instance: ProblemInstance | None = None
    path: Path | None = None
    altered: tuple[str, ...] = ()  # files that are not as they were written

    def __repr__(self) -> str:
        record, accepted = self.record, "verified" if self.verified else "not verified"
        return (
            f"<ProblemResult {record['model']} on {record['instance']}: {self.status}, {self.cost:,.12g} {self.money}, "
            f"gap {100 * self.gap:.2g} %, {accepted}>"
        )

    def __str__(self) -> str:
        return "\n".join(self.lines)

    @property
    def money(self) -> str:
        """EUR or NOK."""
        return "NOK" if "cost_nok" in self.record else "EUR"

    @property
    def status(self) -> str:
        """As `Result.status`."""
        return str(self.record["status"])

    @property
    def cost(self) -> float:
        """What is minimised, in `money`."""
        return float(self.record[f"cost_{self.money.lower()}"])

    @property
    def bound(self) -> float:
        """No plan costs less, in `money`."""
        return float(self.record["bound_nok" if self.money == "NOK" else "bound"])

    @property
    def gap(self) -> float:
        """|cost - bound| over |cost|."""
        return float(self.record["gap"])

    @property
    def verified(self) -> bool:
        """Whether the built-in independent verifier accepted the plan."""
        return bool(self.record["verified"])

    @checked
    def save(self, path: Path | str) -> Path:
        """Write a run folder, as `nbb-opt solve` does; an earlier run there is replaced. `nbb.load` reads it."""
        check_target(Path(path))
        return write_folder(Path(path), self.files, replace=True)


Own = TypeVar("Own", bound=ProblemInstance)


def with_instance(
    run: ProblemResult,
    given: Any,
    read: Callable[[Path], Own],
    closing: Callable[[Own, dict[str, Any]], list[str]] | None = None,
) -> tuple[ProblemResult, Own]:
    """A plan and its instance: the one given, that of the plan, or the one its record names, in this order.

    Raises VerifyFailed if it is not what was solved. With `closing` the plan gets its lines.
    """
    found: Any = given or run.instance or Path(str(run.record.get("instance_source", "")))
    instance: Own = read(found) if isinstance(found, Path) else found
    if run.record.get("instance_digest") != instance.digest:
        raise VerifyFailed(f"{name_of(run)}: was made from other data than {instance.path}; give the instance")
    lines = run.lines if closing is None else tuple(closing(instance, run.record))
    return replace(run, instance=instance, lines=lines), instance


def name_of(run: ProblemResult) -> str:
    """How an error calls a plan."""
    return str(run.path or f"the plan of {run.record.get('instance')}")


def refuse_faults(run: ProblemResult, faults: list[str]) -> None:
    """Raise VerifyFailed if there are any."""
    if faults:
        raise VerifyFailed("\n".join([f"{name_of(run)} is not accepted:", *faults]))


def as_claimed(
    request: Any,
    read_run: Callable[..., ProblemResult],
    read: Callable[[Path], Own],
    shape: Mapping[str, Any],
    cost: str,
    bound: str,
) -> tuple[ProblemResult, Own, list[str]]:
    """The plan of a VerifyRequest, its instance, and what is wrong with files, the shape of the record, and its claims
    (figures `cost` and `bound`).

    Raises NbbError if a model is named: a run says which one it solved.
    """
    given = request.run
    run = given if isinstance(given, ProblemResult) else read_run(given, refuse_altered=False)
    if request.model is not None:
        raise NbbError(f"{name_of(run)}: says which model it solved; leave out model=")
    run, instance = with_instance(run, request.instance, read)
    altered = [f"{name}: was altered after the run" for name in run.altered]
    named = instance.name == run.record.get("instance")
    altered += [] if named else [f"instance: the name is {instance.name!r}"]
    faults = [*altered, *shape_faults(run.record, shape, {}), *claim_faults(run.record, cost, bound)]
    return run, instance, faults
