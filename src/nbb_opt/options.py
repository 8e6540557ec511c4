"""How to solve: the one set of options that commands, studies and the Python interface share."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

from nbb_opt.arguments import checked
from nbb_opt.errors import ModelError

Method = Literal["auto", "monolith", "decompose"]
Presolve = Literal["choose", "on", "off"]
Statement = Literal["auto", "pyomo", "arrays"]
DEFAULT_GAP = 1e-3
DEFAULT_DECISION_GAP = 0.05
DEFAULT_TIME_LIMIT_S = 120.0
DEFAULT_THREADS = 2
DEFAULT_AGAIN_S = 20.0  # to solve the models of a finished run again, against false bounds
MOST_THREADS = 1024  # beyond what a machine can start HiGHS ends the whole process


@checked
@dataclass(frozen=True, kw_only=True)
class SolveOptions:
    """How to solve, the same for every command and study.

    `gap` is the relative MIP gap at which to stop: |cost - bound| over |cost|. `decision_gap` is the same as a share of
    what can be decided: (cost - bound) / (cost of the reference - bound), since most of the cost is paid whatever is
    decided. One that is given counts alone; of both, and by default, both have to be reached: 0.1 % of the whole, far
    below what is known of prices and demand, and 5 % of the decision, for which no less than a tenth of `gap` is asked
    (where nothing can be decided, nothing is left open). Take a smaller one where two plans differ by less than it.
    Where there is no reference, as for the reference itself and in studies, `mip_gap` counts. `time_limit_s` is for
    the whole job, or for each point of a sweep. `threads` and `seed` are those of the solver. `method`: "monolith"
    (one mixed-integer program), "decompose" (column generation) or "auto" (by the size forecast). `statement`:
    build the monolith from the "pyomo" model or from the "arrays", the statement for scale; "auto" by the size
    forecast. `presolve` is HiGHS' option, of the monolith. `prune` False keeps chains that another one replaces in
    every plan. `too_large` solves even if the forecast exceeds the memory. `reference` False leaves out the
    reference: the plan is compared with the frozen one only, and the time of a third solve is saved. `solver` is
    another solver that Pyomo reaches (scip, cbc, gurobi, ...); None is our own search with HiGHS.

    >>> SolveOptions(gap=0.01).time_limit_s
    120.0
    >>> SolveOptions(gap=-1)
    Traceback (most recent call last):
    nbb_opt.errors.ModelError: gap = -1: give a relative gap between 0 and 1, as 0.001 for 0.1 %
    """

    gap: float | None = None
    decision_gap: float | None = None
    time_limit_s: float = DEFAULT_TIME_LIMIT_S
    threads: int = DEFAULT_THREADS
    seed: int = 0
    method: Method = "auto"
    statement: Statement = "auto"
    presolve: Presolve = "choose"
    prune: bool = True
    too_large: bool = False
    reference: bool = True
    solver: str | None = None

    def __post_init__(self) -> None:
        for name, fine, hint in (
            ("gap", self.gap is None or 0 <= self.gap <= 1, "give a relative gap between 0 and 1, as 0.001 for 0.1 %"),
            (
                "decision_gap",
                self.decision_gap is None or 0 < self.decision_gap <= 1,
                "give a share above 0, at most 1, as 0.05 for 5 %",
            ),
            ("time_limit_s", self.time_limit_s >= 0, "give seconds, not less than 0"),
            ("threads", 1 <= self.threads <= MOST_THREADS, f"give a number between 1 and {MOST_THREADS}"),
            ("seed", 0 <= self.seed < 2**31, "give a number between 0 and 2147483647"),
            ("method", self.method in ("auto", "monolith", "decompose"), "give auto, monolith or decompose"),
            ("statement", self.statement in ("auto", "pyomo", "arrays"), "give auto, pyomo or arrays"),
            ("presolve", self.presolve in ("choose", "on", "off"), "give choose, on or off"),
        ):
            if not fine:
                raise ModelError(f"{name} = {getattr(self, name)}: {hint}")

    @property
    def mip_gap(self) -> float:
        """The relative gap at which to stop where nothing is known of what can be decided."""
        return DEFAULT_GAP if self.gap is None else self.gap

    def gaps(self) -> tuple[float | None, float | None]:
        """The relative gap and the decision gap that a plan with a reference has to reach; None: does not count.

        >>> SolveOptions().gaps(), SolveOptions(gap=0.01).gaps(), SolveOptions(decision_gap=0.2).gaps()
        ((0.001, 0.05), (0.01, None), (None, 0.2))
        """
        if self.gap is None and self.decision_gap is None:
            return DEFAULT_GAP, DEFAULT_DECISION_GAP
        return self.gap, self.decision_gap

    def changed(self) -> dict[str, Any]:
        """The options that are not the default, by name.

        >>> SolveOptions(gap=0.01, seed=3).changed()
        {'gap': 0.01, 'seed': 3}
        """
        return {
            each.name: getattr(self, each.name) for each in fields(self) if getattr(self, each.name) != each.default
        }
