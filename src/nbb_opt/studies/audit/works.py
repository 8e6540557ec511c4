"""A plan, or its smallest repair where it cannot work: in a year, or by the hour of its days."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from nbb_opt.errors import Infeasible, NoPlan
from nbb_opt.solve import Solution
from nbb_opt.studies.audit.faults import Assessment, Fault, judge
from nbb_opt.studies.audit.fleet_model import FleetModel
from nbb_opt.studies.audit.hours import Hours
from nbb_opt.studies.audit.improve import Repair, cheapest_repair, repair, repair_of
from nbb_opt.studies.audit.plan import FleetPlan, changed


@dataclass
class Works:
    """What is found of a plan, each when it is asked for."""

    fleet_model: FleetModel
    given: FleetPlan
    hours: Hours

    @cached_property
    def judged(self) -> Assessment:
        """The plan in the year."""
        return judge(self.fleet_model, self.given)

    @cached_property
    def faults(self) -> list[Fault]:
        """What it lacks in a year; else what its days lack."""
        return self.judged.faults or self.hours.faults(self.judged.solution)

    @cached_property
    def repair(self) -> Repair:
        """The smallest repair; one that changes nothing where nothing is lacking. Where none was found that works by
        the hour, that of the year (`fits` is False)."""
        if not self.faults:
            return repair_of(self.fleet_model, self.given, self.judged.solution)
        try:
            return repair(self.fleet_model, self.given, self.hours)
        except (Infeasible, NoPlan):
            if not self.hours.cuts:
                raise
        return replace(repair(self.fleet_model, self.given), fits=False)

    @cached_property
    def cheapest(self) -> Repair | None:
        """The cheapest repair with the fewest other trucks, where there is something to repair and it was found."""
        try:
            return cheapest_repair(self.fleet_model, self.given, self.hours) if self.faults else None
        except (Infeasible, NoPlan):
            return None

    @property
    def solution(self) -> Solution:
        """The plan at its least cost, repaired if need be."""
        return self.repair.solution if self.faults else self.judged.solution

    @property
    def plan(self) -> FleetPlan:
        """The plan, repaired if need be."""
        years = [period.year for period in self.fleet_model.instance.periods]
        return changed(self.given, self.repair.changes, years) if self.faults else self.given

    def verified(self) -> Solution:
        """The solution, accepted by the verifier. Raises VerifyFailed otherwise."""
        self.fleet_model.verified(self.solution, "repaired plan" if self.faults else "plan")
        return self.solution
