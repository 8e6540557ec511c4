"""The errors a user can meet. Each says where, what, and what to do; problems are reported all at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One fault in the input.

    >>> print(Problem("links.csv row 3, from_node 'Umeo'", "is not in nodes.node", "did you mean 'Umea'?"))
    links.csv row 3, from_node 'Umeo': is not in nodes.node (did you mean 'Umea'?)
    """

    where: str
    what: str
    hint: str = ""
    rule: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f" ({self.hint})" if self.hint else "")


class NbbError(Exception):
    """Base of every error this package raises on purpose.

    >>> issubclass(InstanceError, NbbError), NbbError.exit_code
    (True, 1)
    """

    exit_code = 1


class InstanceError(NbbError):
    """The input is refused; `problems` holds every fault found.

    >>> InstanceError([Problem("links.csv row 3", "is blank", rule="blank")]).problems[0].rule
    'blank'
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[InstanceError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)  # between processes: the message is no argument


class ModelError(NbbError):
    """A model description, an option or a combination of blocks makes no sense.

    >>> raise ModelError("gap = -1: give a relative gap between 0 and 1")
    Traceback (most recent call last):
    nbb_opt.errors.ModelError: gap = -1: give a relative gap between 0 and 1
    """


class SolveError(NbbError):
    """The solver refused the problem or gave an answer that cannot be used.

    >>> issubclass(Infeasible, SolveError), issubclass(NoPlan, SolveError)
    (True, True)
    """


class Infeasible(SolveError):  # noqa: N818 - a finding, named as the field names it
    """No plan satisfies every constraint.

    >>> Infeasible.exit_code
    3
    """

    exit_code = 3


class NoPlan(SolveError):  # noqa: N818
    """No plan was found within the limits; `bound_eur` is what no plan costs less than, as far as that is proven.

    >>> NoPlan.exit_code
    4
    """

    exit_code = 4
    bound_eur = -math.inf


class Stopped(NoPlan):
    """Somebody asked to stop (Ctrl-C) before there was a plan."""

    exit_code = 130


class VerifyFailed(NbbError):  # noqa: N818
    """The independent check does not accept a result.

    >>> VerifyFailed.exit_code
    5
    """

    exit_code = 5
