"""What a job keeps of what it found: the best plan that is there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from milp_case import tiny, without_policies
from nbb_opt.errors import NoPlan
from nbb_opt.instance import Instance
from nbb_opt.model import read_model
from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import GRACE_S, LATE_S, SHARE_OF_TIME, Plan, Steps, solve_instance

BOUND_EUR = 1e6


def search_that_ended_early(instance: Instance) -> tuple[Steps, Plan, dict[str, Plan]]:
    """A dear plan of a search whose time was over, and the frozen plan beside it."""
    steps = Steps(SolveOptions(gap=1e-4))
    prepared = steps.prepare(instance)
    frozen = steps.plan(prepared, read_model("frozen"))
    found = steps.plan(prepared, read_model("joint"))
    dear = replace(found.solution, status="time_limit", objective=2 * frozen.solution.objective)
    return steps, replace(found, solution=dear), {"frozen": frozen}


def test_a_bar_that_is_cheaper_than_what_a_search_found_in_its_time_is_kept() -> None:
    said: list[str] = []
    free = without_policies(tiny())
    steps, found, bars = search_that_ended_early(free)
    kept = steps.cheapest(free, found, bars, said.append)
    assert kept.taken_from == "frozen"
    assert said == ["the frozen plan is cheaper than what the search found: it is kept"]
    assert kept.claims["cost_eur"] == bars["frozen"].solution.objective
    assert kept.solution.gap == pytest.approx(1 - kept.solution.bound / kept.solution.objective)
    proven = replace(found, solution=replace(found.solution, status="optimal"))
    assert steps.cheapest(free, proven, bars) is proven


def test_a_bar_that_breaks_a_rule_of_the_model_is_not_kept() -> None:
    steps, found, bars = search_that_ended_early(tiny())  # the frozen plan emits more than CAP_2025
    assert steps.cheapest(tiny(), found, bars) is found


def test_a_bar_without_a_plan_in_its_share_of_the_time_takes_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    steps, solve, shares = Steps(SolveOptions(gap=1e-4)), Steps.solve, []

    def slow(self: Steps, *given: Any, share: float = 1.0, **other: Any) -> Any:
        shares.append(share)
        if share < 1.0:
            raise NoPlan("no plan found in time")
        return solve(self, *given, share=share, **other)

    monkeypatch.setattr(Steps, "solve", slow)
    prepared = steps.prepare(replace(tiny()))
    assert steps.bar(prepared, "frozen").verdict.ok
    assert shares == [SHARE_OF_TIME["frozen"], 1.0]
    steps.stop.asked.set()
    with pytest.raises(NoPlan):
        steps.bar(prepared, "reference")
    assert shares[2:] == [SHARE_OF_TIME["reference"]]


def test_the_bound_of_a_search_without_a_plan_is_kept_with_the_bar_that_is_a_plan_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unfinished(_steps: Steps, built: Any, *given: Any, **other: Any) -> Any:
        if built.spec.name != "joint":
            return solve(_steps, built, *given, **other)
        end = NoPlan("no plan found in time")
        end.bound_eur = BOUND_EUR
        raise end

    solve = Steps.solve
    monkeypatch.setattr(Steps, "solve", unfinished)
    run = solve_instance(without_policies(tiny()))
    assert (run.record["model"], run.record["verified"]) == ("joint", True)
    assert run.record["taken_from"] in run.bars
    assert run.record["bound"] == BOUND_EUR
    assert run.record["gap"] == pytest.approx(1 - BOUND_EUR / run.record["cost_eur"])
    with pytest.raises(NoPlan):  # no bar obeys the cap of the instance
        solve_instance(tiny(), options=SolveOptions(reference=False))


def test_a_search_leaves_the_time_that_verification_and_report_will_take() -> None:
    steps = Steps(SolveOptions())
    assert steps.kept_back_s(0) == 0.0
    steps.seconds |= {"extract": 1.0, "verify": 2.0, "ledger": 3.0}
    assert steps.kept_back_s(2) == pytest.approx(8 * 3.0 + GRACE_S - LATE_S)


def test_by_default_both_gaps_count_and_one_that_is_given_counts_alone() -> None:
    def asked(**gaps: float) -> Any:
        steps = Steps(SolveOptions(**gaps))
        steps.reference_eur = 100.0
        return steps.target

    assert asked(gap=0.01) == 0.01
    assert asked().relative(60.0) == 1e-3  # 5 % of the decision would be 3.5 % of the whole
    assert asked().relative(99.5) == pytest.approx(0.05 / 0.95 * 0.5 / 99.5)
    assert asked().relative(100.0) == pytest.approx(1e-4)  # nothing can be decided
    assert asked(decision_gap=0.05).relative(60.0) == pytest.approx(0.05 / 0.95 * 40 / 60)
