"""Which plan holds in every future: regret, two-stage plans, what knowing the future is worth, no-regret projects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from nbb_opt.errors import Infeasible, NbbError, NoPlan, Stopped
from nbb_opt.instance import Instance
from nbb_opt.instance.cells import split_list
from nbb_opt.instance.wording import listed
from nbb_opt.report.grid import each
from nbb_opt.report.study import Answer
from nbb_opt.studies.robust.futures import BASE, MEAN, FutureWork, mean_of
from nbb_opt.studies.robust.page import sections
from nbb_opt.studies.units import Record, Study, StudyOptions, Unit

STOCHASTIC, CAUTIOUS, REGRET = "two stages", "two stages, mean and tail", "least greatest regret"
METHODS = ("auto", "extensive", "decompose")
LARGEST_TOGETHER = 400_000  # nonzeros of the extensive form that "auto" states
First = dict[str, float]
Floats = np.ndarray


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked of a study besides the futures.

    Decisions of the first `first_periods` periods are the same in all futures. `risk` is the weight of the mean of the
    dearest share `tail` of futures in the cautious plan. `method`: "extensive" (all futures in one model), "decompose"
    (future by future, at most `rounds` of prices), or "auto" by the size. A project is in every near-optimal plan
    where every plan without it costs more than `near` above the best.
    """

    first_periods: int = 1
    risk: float = 0.5
    tail: float = 0.2
    method: str = "auto"
    rounds: int = 10
    near: float = 1e-3
    projects: bool = True

    def check(self, periods: int) -> None:
        """Raises NbbError with all that cannot be asked of an instance with so many periods."""
        wrong = [
            f"{name}={getattr(self, name)!r}: {what}"
            for name, good, what in (
                ("first_periods", 1 <= self.first_periods < periods,
                 f"give 1 to {periods - 1}: the last period knows its future"),
                ("risk", 0 <= self.risk <= 1, "give a share, 0 to 1"),
                ("tail", 0 < self.tail <= 1, "give a share above 0, at most 1"),
                ("method", self.method in METHODS, f"is one of {', '.join(METHODS)}"),
                ("rounds", self.rounds >= 0, "give 0 or more"),
                ("near", self.near >= 0, "give 0 or more"),
            )
            if not good
        ]  # fmt: skip
        if wrong:
            raise NbbError(f"robust: {'; '.join(wrong)}")


def tail_mean(values: Floats, weight: Floats, tail: float) -> float:
    """Mean of the dearest share `tail` of outcomes: conditional value at risk of a discrete distribution.

    >>> tail_mean(np.array([1.0, 2.0, 10.0]), np.array([0.5, 0.3, 0.2]), 0.4)
    6.0
    """
    return float(values @ tail_weights(values, weight, tail))


def tail_weights(values: Floats, weight: Floats, tail: float) -> Floats:
    """How outcomes weigh in the mean of the dearest share `tail`; they add up to 1."""
    found, left = np.zeros(len(values)), tail
    for at in np.argsort(-values, kind="stable"):
        found[at] = min(weight[at], left) / tail
        left -= found[at] * tail
    return found


@dataclass
class _Tried:
    """Costs and bounds of plans by future, in their order; an impossible plan costs inf."""

    cost: dict[str, Floats] = field(default_factory=dict)
    bound: dict[str, Floats] = field(default_factory=dict)
    first: dict[str, First] = field(default_factory=dict)
    same_as: dict[str, str] = field(default_factory=dict)


class _Asker:
    """Asks for solves, in an order in which each begins where the last one of its future ended."""

    def __init__(self, work: FutureWork, study: Study, question: Question, weight: Floats) -> None:
        self.work, self.study, self.question, self.p = work, study, question, weight
        self.names = list(work.futures)
        self.tried = _Tried()
        self.shared: list[str] = []

    def run(self, units: Iterable[Unit]) -> dict[str, Record]:
        found = self.study.run(units)
        if self.study.stopped:
            raise Stopped("stopped before every solve was made; the same study goes on where it was")
        return found

    def best_of_each(self) -> dict[str, Record]:
        """The best plan of each future by itself, and of their mean."""
        units = [Unit(f"best of {name}", {"future": name}) for name in (*self.names, MEAN)]
        found = {name.removeprefix("best of "): record for name, record in self.run(units).items()}
        for name, record in found.items():
            if record["status"] == "infeasible":
                raise Infeasible(f"future '{name}' has no plan: {record.get('note', '')}")
            if "cost_eur" not in record:
                raise NoPlan(f"future '{name}' has no plan within its time ({record['status']}); give more time")
        self.shared = self.work.shared()
        return found

    def try_plan(self, plan: str, first: Mapping[str, float]) -> None:
        """What first decisions cost in every future."""
        mine = {i: value for i, value in first.items() if i in set(self.shared)}
        tried = self.tried
        tried.first[plan] = mine
        same = next((other for other, known in tried.first.items() if other in tried.cost and known == mine), "")
        if same:
            tried.cost[plan], tried.bound[plan], tried.same_as[plan] = tried.cost[same], tried.bound[same], same
            return
        asked = {"fixed": mine, "shared": self.shared}
        units = [Unit(f"{plan} in {name}", {"future": name, **asked}, after=f"best of {name}") for name in self.names]
        records = list(self.run(units).values())
        tried.cost[plan] = np.array([record.get("cost_eur", np.inf) for record in records])
        tried.bound[plan] = np.array([record.get("bound_eur", np.inf if record["status"] == "infeasible" else -np.inf)
                                      for record in records])  # fmt: skip

    def measure(self, cost: Floats, risk: float) -> float:
        """Mean cost, and with share `risk` the mean of the tail."""
        if not np.isfinite(cost).all():
            return float("inf")
        return (1 - risk) * float(self.p @ cost) + risk * tail_mean(cost, self.p, self.question.tail)

    def best(self, risk: float) -> str:
        """The plan tried that measures least."""
        return min(self.tried.cost, key=lambda plan: self.measure(self.tried.cost[plan], risk))

    def together(self, plan: str, **aim: Any) -> float:
        """Try the plan of the extensive form; gives its bound."""
        record = self.run([Unit(plan, {"together": aim})])[plan]
        if record["status"] == "infeasible":
            raise Infeasible(f"no first decisions are possible in every future: {record.get('note', '')}")
        if "first" not in record:
            raise NoPlan(f"the model of all futures has no plan within its time ({record['status']})")
        self.try_plan(plan, record["first"])
        return float(record["objective_bound_eur"])

    def by_rounds(self, plan: str, best: Mapping[str, Record], risk: float, gap: float) -> float:
        """Dual decomposition: futures by themselves, at prices that draw their first decisions together.

        In every round the plan of each future is tried in all. With weights $r$ of the futures (their probabilities,
        shifted to the tail of the best plan where there is risk) and prices $w_s$ with $\\sum_s r_s w_s=0$,
        $\\sum_s r_s\\min(c_s+w_s x_s)$ is a bound. Source: C. C. Carøe, R. Schultz, Dual decomposition in stochastic
        integer programming, Operations Research Letters 24 (1999). Gives the bound.
        """
        tail = self.question.tail
        worst = tail_weights(self.tried.cost[self.best(risk)], self.p, tail)
        r = (1 - risk) * self.p + risk * worst
        place = {i: k for k, i in enumerate(self.shared)}
        price = np.zeros((len(self.names), len(place)))
        records, bound = [best[name] for name in self.names], -np.inf
        for number in range(self.question.rounds + 1):
            if number:
                units = [
                    Unit(f"{plan}, round {number} in {name}",
                         {"future": name, "prices": dict(zip(self.shared, price[s].round(6).tolist(), strict=True))},
                         after=f"best of {name}")
                    for s, name in enumerate(self.names) if r[s] > 0
                ]  # fmt: skip
                solved = self.run(units)
                records = [solved.get(f"{plan}, round {number} in {name}", best[name]) for name in self.names]
                if any("objective_bound_eur" not in record for record in records):
                    break
            bound = max(bound, float(r @ [record["objective_bound_eur"] for record in records]))
            x = np.array([[record["first"].get(i, 0.0) for i in place] for record in records])
            mean = r @ x
            if number:
                for name, record in zip(self.names, records, strict=True):
                    self.try_plan(f"{plan}, round {number}, {name}", record["first"])
            middle = mean if self.work.relax else np.rint(mean)
            self.try_plan(f"{plan}, round {number}, mean", {i: float(middle[k]) for i, k in place.items() if middle[k]})
            least = self.measure(self.tried.cost[self.best(risk)], risk)
            apart = float(r @ ((x - mean) ** 2).sum(axis=1))
            if apart < 1e-9 or least - bound <= gap * abs(least):
                break
            price += (least - bound) / apart * (x - mean)
            price -= r @ price / r.sum()
        self.tried.first[plan] = self.tried.first[self.best(risk)]
        self.try_plan(plan, self.tried.first.pop(plan))
        return bound


def run_robust(
    instance: Instance, how: StudyOptions, *, futures: Mapping[str, Instance], weight: Mapping[str, float],
    question: Question,
) -> Answer:  # fmt: skip
    """Try plans in futures. `plans` has a row for each plan, `regret` one for each plan and future, `first_decisions`
    what plans decide first, `projects` the value table; `figures` what knowing the future is worth, with its ends.

    Raises Infeasible where a future has no plan, or no first decisions suit all; NoPlan where the time of a solve was
    too short; Stopped where somebody asked to stop before the end.
    """
    years = [period.year for period in instance.periods[: question.first_periods]]
    work = FutureWork.of(
        instance, how, futures=futures, weight=weight, mean=mean_of(futures, weight), years=years
    )  # fmt: skip
    about = {**work.about(), "futures": {name: [each_.digest, weight[name]] for name, each_ in futures.items()},
             "question": vars(question)}  # fmt: skip
    p = np.array([weight[name] for name in futures])
    with how.study("robust", about, work, solves=(len(futures) + 1) ** 2, at="about") as study:
        asker = _Asker(work, study, question, p)
        best = asker.best_of_each()
        for name in (MEAN, *futures):
            asker.try_plan(f"best of {name}", best[name]["first"])
        bounds = _two_stages(asker, best, how.options.mip_gap)
        values = _values_of_projects(asker, best) if question.projects else {}
    answer = assess(instance, asker, best, bounds, values, about={**about, "weights": dict(weight), "years": years})
    if how.out is not None:
        answer.save(how.out)
    return answer


def _two_stages(asker: _Asker, best: Mapping[str, Record], gap: float) -> dict[str, float]:
    """Try the two-stage plans; their proven bounds."""
    question, work = asker.question, asker.work
    sizes = [len(work.future(name).form.a_values) for name in asker.names]
    extensive = question.method == "extensive" or (question.method == "auto" and sum(sizes) <= LARGEST_TOGETHER)
    alone = np.array([best[name]["bound_eur"] for name in asker.names])
    bounds = {STOCHASTIC: float(asker.p @ alone), CAUTIOUS: asker.measure(alone, question.risk), REGRET: 0.0}
    if not extensive:
        bounds[STOCHASTIC] = max(bounds[STOCHASTIC], asker.by_rounds(STOCHASTIC, best, 0.0, gap))
        bounds[CAUTIOUS] = max(bounds[CAUTIOUS], asker.by_rounds(CAUTIOUS, best, question.risk, gap))
        return bounds
    bounds[STOCHASTIC] = max(bounds[STOCHASTIC], asker.together(STOCHASTIC))
    cautious = asker.together(CAUTIOUS, risk=question.risk, tail=question.tail)
    bounds[CAUTIOUS] = max(bounds[CAUTIOUS], cautious)
    least = {name: float(eur) for name, eur in zip(asker.names, _least(asker, best), strict=True)}
    bounds[REGRET] = max(0.0, asker.together(REGRET, aim="regret", best_eur=least))
    return bounds


def _least(asker: _Asker, best: Mapping[str, Record]) -> Floats:
    """The least cost known of each future."""
    alone = np.array([best[name]["cost_eur"] for name in asker.names])
    return np.asarray(np.min([alone, *asker.tried.cost.values()], axis=0))


def _values_of_projects(asker: _Asker, best: Mapping[str, Record]) -> dict[str, dict[str, Record]]:
    """Solves that value projects: without each in every future where all build it, with each alone in the first one."""
    instance, names = asker.work.instance, asker.names
    projects = instance["projects"]
    ideas = projects.loc[projects["status"].isin(["", "idea"]), "project"].tolist()
    needs = {row.project: split_list(row.requires) for row in each(projects)}
    home = BASE if BASE in names else names[0]
    units = []
    for project in ideas:
        everywhere = all(project in best[name]["units"] for name in names)
        for name in names if everywhere else [home] if project in best[home]["units"] else []:
            asked = {"future": name, "without": [project]}
            units.append(Unit(f"{name} without {project}", asked, after=f"best of {name}"))
    units.append(Unit(f"{home} without projects", {"future": home, "without": ideas}, after=f"best of {home}"))
    for project in ideas:
        with_it = _all_needed(project, needs)
        asked = {"future": home, "without": [other for other in ideas if other not in with_it]}
        units.append(Unit(f"{home} with {project} alone", asked, after=f"{home} without projects"))
    return asker.run(units)


def _all_needed(project: str, needs: Mapping[str, Sequence[str]]) -> set[str]:
    found, ahead = {project}, [project]
    while ahead:
        for other in needs[ahead.pop()]:
            if other not in found:
                found.add(other)
                ahead.append(other)
    return found


def assess(
    instance: Instance, asker: _Asker, best: Mapping[str, Record], bounds: Mapping[str, float],
    values: Mapping[str, Record], about: Mapping[str, Any],
) -> Answer:  # fmt: skip
    """Tables, figures and sentences of what was solved."""
    tried, p, question, names = asker.tried, asker.p, asker.question, asker.names
    least = _least(asker, best)
    alone = np.array([min(best[name]["bound_eur"], eur) for name, eur in zip(names, least, strict=True)])
    shown = [plan for plan in tried.cost if ", round " not in plan]
    rows, regrets = [], []
    for plan in shown:
        cost, bound = tried.cost[plan], np.maximum(tried.bound[plan], alone)
        regret = cost - least
        rows.append({
            "plan": plan, "expected_eur": asker.measure(cost, 0.0), "expected_low_eur": float(p @ bound),
            "tail_mean_eur": asker.measure(cost, 1.0), "greatest_regret_eur": float(regret.max()),
            "greatest_regret_low_eur": float(np.maximum(bound - least, 0.0).max()),
            "greatest_regret_high_eur": float((cost - alone).max()),
            "possible_in_all": bool(np.isfinite(cost).all()), "same_as": tried.same_as.get(plan, ""),
        })  # fmt: skip
        for s, name in enumerate(names):
            regrets.append({
                "plan": plan, "future": name, "cost_eur": cost[s], "bound_eur": bound[s], "regret_eur": regret[s],
                "regret_low_eur": max(bound[s] - least[s], 0.0), "regret_high_eur": cost[s] - alone[s],
            })  # fmt: skip
    plans = pd.DataFrame(rows).replace(np.inf, np.nan)
    two, mean = asker.best(0.0), f"best of {MEAN}"
    expected, eev = asker.measure(tried.cost[two], 0.0), asker.measure(tried.cost[mean], 0.0)
    low_of_mean = float(p @ np.maximum(tried.bound[mean], alone))
    known = float(p @ least)
    cautious = asker.best(question.risk)
    regret_plan = min(shown, key=lambda plan: (tried.cost[plan] - least).max())
    figures: dict[str, Any] = {
        "expected_of_best_plan_eur": expected, "bound_of_best_plan_eur": min(bounds[STOCHASTIC], expected),
        "best_plan": _shown(two, tried), "cautious_plan": _shown(cautious, tried),
        "least_greatest_regret_plan": _shown(regret_plan, tried),
        "expected_of_mean_plan_eur": eev if np.isfinite(eev) else None, "expected_if_known_eur": known,
        "value_of_stochastic_solution_eur": eev - expected if np.isfinite(eev) else None,
        "value_of_stochastic_solution_low_eur": max(low_of_mean - expected, 0.0) if np.isfinite(eev) else None,
        "value_of_stochastic_solution_high_eur": eev - min(bounds[STOCHASTIC], expected) if np.isfinite(eev) else None,
        "value_of_perfect_information_eur": expected - known,
        "value_of_perfect_information_low_eur": max(bounds[STOCHASTIC] - known, 0.0),
        "value_of_perfect_information_high_eur": expected - float(p @ alone),
        "tail_mean_of_best_plan_eur": asker.measure(tried.cost[two], 1.0),
        "tail_mean_of_cautious_plan_eur": asker.measure(tried.cost[cautious], 1.0),
        "shared_first_decisions": len(asker.shared),
    }  # fmt: skip
    first = [(plan, i, value) for plan in shown if plan not in tried.same_as
             for i, value in sorted(tried.first[plan].items())]  # fmt: skip
    projects = value_table(instance, asker, best, values)
    shares = ", ".join(f"{name} {share:.0%}" for name, share in about["weights"].items())
    return Answer(
        instance=instance, name="robust", title="which plan holds in every future?", about=about, figures=figures,
        description=f"Model {about['model']}; futures {shares}.", sections=sections,
        tables={"plans": plans, "regret": pd.DataFrame(regrets).replace(np.inf, np.nan),
                "first_decisions": pd.DataFrame(first, columns=["plan", "decision", "number"]), "projects": projects},
        sentences=sentences(figures, plans, projects, question, relaxed=about["relaxed"]),
        shown=[plans.drop(columns="same_as"), projects.loc[projects["no_regret"] == "yes", ["project", "name"]]],
    )  # fmt: skip


def _shown(plan: str, tried: _Tried) -> str:
    """The plan under a name that is shown: a plan of a round is that of the two stages."""
    if ", round " not in plan:
        return plan
    same = [other for other, first in tried.first.items() if first == tried.first[plan] and ", round " not in other]
    return same[0] if same else plan


def value_table(
    instance: Instance, asker: _Asker, best: Mapping[str, Record], values: Mapping[str, Record]
) -> pd.DataFrame:
    """A row for each project that is an idea: year, cost, who pays, value alone and in the plan, in how many futures.

    Values are savings in the future `base` (else the first). `no_regret` is "yes" where every plan without it is proven
    to cost more than `near` above the best plan found, in every future; "no" where some future's plan found is as good
    without it; else "undecided".
    """
    names, near = asker.names, asker.question.near
    home = BASE if BASE in names else names[0]
    paid: dict[str, list[str]] = {}
    for row in each(instance["project_funding"]):
        paid.setdefault(row.project, []).append(f"{row.country} {row.share:.0%}")
    rows = []
    for row in each(instance["projects"]):
        if row.status not in ("", "idea"):
            continue
        built = [name for name in names if row.project in best[name]["units"]]
        year = best[home]["units"].get(row.project, [None])[0]
        without, alone = values.get(f"{home} without {row.project}"), values.get(f"{home} with {row.project} alone")
        nothing = values.get(f"{home} without projects")
        rows.append({
            "project": row.project, "name": row.name, "year": None if year is None else int(year),
            "capex_eur_per_unit": float(row.capex_eur), "paid_by": "; ".join(paid.get(row.project, [])),
            "value_alone_eur": _saving(nothing, alone), "value_in_plan_eur": _saving(without, best[home]),
            "value_in_plan_low_eur": _at_least(without, best[home]),
            "share_of_futures": float(sum(asker.p[names.index(name)] for name in built)),
            "no_regret": _no_regret(row.project, names, best, values, near), "requires": row.requires,
            "excludes": row.excludes,
        })  # fmt: skip
    columns = ["project", "name", "year", "capex_eur_per_unit", "paid_by", "value_alone_eur", "value_in_plan_eur",
               "value_in_plan_low_eur", "share_of_futures", "no_regret", "requires", "excludes"]  # fmt: skip
    table = pd.DataFrame(rows, columns=columns).astype({"year": "Int64"})
    return table.sort_values(["share_of_futures", "value_in_plan_eur"], ascending=False, ignore_index=True)


def _saving(without: Record | None, with_it: Record | None) -> float | None:
    if without is None or with_it is None or "cost_eur" not in with_it:
        return None
    return float("inf") if without["status"] == "infeasible" else without.get("cost_eur", np.nan) - with_it["cost_eur"]


def _at_least(without: Record | None, with_it: Record) -> float | None:
    if without is None or without.get("bound_eur") is None:
        return None
    return float(max(without["bound_eur"] - with_it["cost_eur"], 0.0))


def _no_regret(
    project: str, names: Sequence[str], best: Mapping[str, Record], values: Mapping[str, Record], near: float
) -> str:
    if any(project not in best[name]["units"] for name in names):
        return "no"
    proven = True
    for name in names:
        without = values.get(f"{name} without {project}")
        if without is None or ("bound_eur" not in without and without["status"] != "infeasible"):
            return "undecided"
        limit = best[name]["cost_eur"] * (1 + near)
        if without["status"] != "infeasible":
            if without["cost_eur"] <= limit:
                return "no"
            proven &= without["bound_eur"] > limit
    return "yes" if proven else "undecided"


def sentences(
    figures: Mapping[str, Any], plans: pd.DataFrame, projects: pd.DataFrame, question: Question, *, relaxed: bool
) -> tuple[str, ...]:
    """What the study found, in words; ends are said where the gaps leave something open."""
    lines = []
    vss = figures["value_of_stochastic_solution_eur"]
    if vss is None:
        lines.append("The plan for the mean of the futures is impossible in some of them; a plan for all is not.")
    else:
        lines.append(
            f"Planning for all futures instead of their mean saves {_meur(vss)} "
            f"({_ends(figures, 'value_of_stochastic_solution')})."
        )
    lines.append(
        f"Knowing the future would save {_meur(figures['value_of_perfect_information_eur'])} "
        f"({_ends(figures, 'value_of_perfect_information')})."
    )
    worst = plans.set_index("plan")["greatest_regret_eur"]
    least = figures["least_greatest_regret_plan"]
    lines.append(f"The plan '{least}' regrets least: at most {_meur(worst[least])} in any future.")
    saved = figures["tail_mean_of_best_plan_eur"] - figures["tail_mean_of_cautious_plan_eur"]
    lines.append(
        f"The cautious plan makes the dearest {question.tail:.0%} of futures {_meur(saved)} cheaper on average."
    )
    sure = projects.loc[projects["no_regret"] == "yes", "project"].tolist()
    if question.projects:
        how = f"in every plan within {question.near:.2%} of the best, in every future"
        open_ = int((projects["no_regret"] == "undecided").sum())
        more = f"; of {open_} more it is undecided" if open_ else ""
        lines.append(
            f"No-regret projects ({how}): {listed(sure, 99)}{more}." if sure else f"No project is {how}{more}."
        )
    if relaxed:
        lines.append("All of it is of LP relaxations: fractions of trucks and projects, and no plans.")
    return tuple(lines)


def _ends(figures: Mapping[str, Any], name: str) -> str:
    return f"proven: {_meur(figures[f'{name}_low_eur'])} to {_meur(figures[f'{name}_high_eur'])}"


def _meur(eur: float) -> str:
    return f"{eur / 1e6 + 0.0:,.2f} MEUR"
