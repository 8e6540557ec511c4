"""What differs between plans: inputs, decisions by name, key figures, and whether a difference of cost is proven."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from nbb_opt.api.plans import LOG, Result, solve
from nbb_opt.arguments import checked
from nbb_opt.errors import NbbError
from nbb_opt.instance.what_if import input_differences
from nbb_opt.report.comparison import comparison_sections, decisions, what_differs
from nbb_opt.report.study import Answer, whole
from nbb_opt.report.what_if import what_if_name

LEAST_GAP = 1e-9  # of a pair solve
ROUNDS = 3
INPUTS_SHOWN, FREIGHT_SHOWN = 20, 15


@dataclass(frozen=True)
class CostDifference:
    """Cost of a plan less that of the first, and between what the difference of their optima must lie, EUR.

    `decided`: both ends have the same sign, so that no better search can turn the difference round, or the plans are
    `identical`: the same plan of the same model on the same data.
    """

    plan: str
    difference_eur: float
    at_least_eur: float
    at_most_eur: float
    identical: bool = False

    @property
    def decided(self) -> bool:
        """Whether which of the two costs less is proven."""
        return self.identical or self.at_least_eur > 0 or self.at_most_eur < 0

    def line(self, first: str) -> str:
        """In words.

        >>> CostDifference("b", 2e6, -1e6, 5e6).line("a")
        'b against a: 2.000 MEUR more; undecided: the optima may differ by -1.000 to +5.000 MEUR'
        """
        if self.identical:
            return f"{self.plan} against {first}: identical, the same plan of the same model on the same data"
        way = "more" if self.difference_eur >= 0 else "less"
        said = f"{self.plan} against {first}: {abs(self.difference_eur) / 1e6:,.3f} MEUR {way}; "
        said += "proven: the optima differ by" if self.decided else "undecided: the optima may differ by"
        return f"{said} {self.at_least_eur / 1e6:+,.3f} to {self.at_most_eur / 1e6:+,.3f} MEUR"


@dataclass(frozen=True, kw_only=True)
class Comparison(Answer):
    """Plans side by side: table `key_figures`, the cells of the data that differ (`inputs`) and `decisions` that do.

    Names and places of the page are those of the first plan.

    >>> from nbb_opt import examples
    >>> plan = solve(examples.tiny())
    >>> found = compare(plan, plan.reference)
    >>> found.decisions.query("kind == 'project'")[["what", "joint"]].values.tolist()[0]
    ['Railway to the mine', 1.0]
    """

    plans: tuple[Result, ...]
    names: tuple[str, ...]
    costs: tuple[CostDifference, ...]

    @classmethod
    def of(cls, plans: Sequence[Result], names: Sequence[str], costs: Sequence[CostDifference]) -> Comparison:
        """The answer; `costs` are those of every plan but the first, against it."""
        first = plans[0].instance
        cells = [
            {"plan": name, **vars(cell)}
            for name, plan in zip(names[1:], plans[1:], strict=True)
            for cell in input_differences(first, plan.instance)
        ]
        inputs = pd.DataFrame(cells, columns=["plan", "table", "row", "column", "before", "after"])
        differs = what_differs({
            name: decisions(plan.instance, plan.run.tables) for name, plan in zip(names, plans, strict=True)
        })  # fmt: skip
        undecided = [each.plan for each in costs if not each.decided]
        projects, freight = (differs[(differs["kind"] == "freight") == kind] for kind in (False, True))
        more = [f"  and {len(inputs) - INPUTS_SHOWN} more"] if len(inputs) > INPUTS_SHOWN else []
        figures = _key_figures(plans, names, costs)
        tables = {"key_figures": figures, "inputs": inputs, "decisions": differs}
        titles = [
            f"{name} ({scenario})" if (scenario := what_if_name(plan.run)) else name
            for name, plan in zip(names, plans, strict=True)
        ]
        return cls(
            instance=first, name="comparison", title=" against ".join(titles), plans=tuple(plans), names=tuple(names),
            costs=tuple(costs), tables=tables,
            description="Cost is proven between the bound and the cost of each plan; other figures are those of the "
            "plans found, and another plan of nearly the same cost may have others.",
            sentences=[f"{each.line(names[0])}." for each in costs],
            about={
                "plans": list(names), "runs": [str(plan.run.path) for plan in plans],
                "costs": [{**vars(each), "decided": each.decided} for each in costs],
            },
            shown=[
                *([f"{', '.join(undecided)}: solving both to a smaller gap decides: give decide_s=300"]
                  if undecided else []),
                "", f"inputs: {len(inputs)} cells differ",
                whole(inputs.head(INPUTS_SHOWN), index=False, na_rep="blank", line_width=None) if len(inputs) else "",
                *more,
                "", "decisions that differ (units; freight: t a year, the greatest)",
                whole(pd.concat([projects, freight.head(FREIGHT_SHOWN)]), index=False, float_format="{:,.0f}".format,
                      line_width=None),
                figures.set_index(["figure", "unit"]),
            ],
            sections=lambda _answer: comparison_sections(
                {name: (plan.instance, plan.run) for name, plan in zip(names, plans, strict=True)}, **tables
            ),
        )  # fmt: skip


@checked
def compare(*plans: Result, names: Sequence[str] = (), decide_s: float = 0.0) -> Comparison:
    """Key figures side by side, a row for each, and the differences to the first plan.

    The column `undecided` says of the costs whether a better search could turn the difference round: the optima lie
    between bound and objective (costs of your own included), and these ranges overlap. Other figures have no bound;
    there it is blank. With `decide_s` a pair that is undecided is solved again, each plan in at most so many seconds,
    to a gap smaller than the difference. Inputs and decisions that differ are tables of the answer too. Plans read from
    folders are verified first. Raises NbbError, before any of that, for plans of different bases.

    >>> from nbb_opt import examples
    >>> plan = solve(examples.tiny())
    >>> found = compare(plan, plan.reference)
    >>> found.table.columns.tolist()
    ['figure', 'unit', 'joint', 'reference', 'reference - joint', 'reference undecided']
    >>> found["figure"][0], bool(found["reference undecided"][0])
    ('system cost, net present value', False)
    """
    if not plans:
        raise NbbError("compare: give at least one plan")
    if len(of := {plan.instance.meta.name for plan in plans}) > 1:
        raise NbbError(f"compare: plans of one base are set side by side, not of {' and '.join(sorted(of))}")
    if not decide_s >= 0:
        raise NbbError(f"compare: decide_s={decide_s}: give seconds, not less than 0")
    labels, given = _labels(plans, names), [plan._accepted(again_s=0.0) for plan in plans]
    ranges = [(plan.objective_eur, plan.bound_eur) for plan in given]
    same = [_identical(given[0], plan) for plan in given]
    for k in range(1, len(given)):
        for _ in range(ROUNDS if decide_s > 0 else 0):  # the difference is another one once both are better
            if same[k] or _difference(labels[k], ranges[0], ranges[k]).decided:
                break
            apart = abs(ranges[k][0] - ranges[0][0])
            for i in (0, k):
                given[i], ranges[i] = _closer(given[i], ranges[i], apart, decide_s)
    costs = tuple(
        CostDifference(labels[k], 0.0, 0.0, 0.0, identical=True) if same[k]
        else _difference(labels[k], ranges[0], ranges[k])
        for k in range(1, len(given))
    )  # fmt: skip
    return Comparison.of(given, labels, costs)


def _identical(first: Result, other: Result) -> bool:
    """Whether both are one plan: tables, model, rules of your own and data."""
    keys = ("model", "blocks", "instance_digest", "extension", "cost_eur")
    return all(first.record.get(key) == other.record.get(key) for key in keys) and all(
        table.equals(other.run.tables[name]) for name, table in first.run.tables.items()
    )


def _difference(name: str, first: tuple[float, float], other: tuple[float, float]) -> CostDifference:
    """Of two plans given as (objective, bound): the optimum of each lies between."""
    return CostDifference(name, other[0] - first[0], other[1] - first[0], other[0] - first[1])


def _closer(
    plan: Result, known: tuple[float, float], difference_eur: float, limit_s: float
) -> tuple[Result, tuple[float, float]]:
    """The plan solved again to a gap smaller than the difference; the better plan, the best cost and bound."""
    if "extension" in plan.record:
        raise NbbError("compare: a plan with rules of your own is not solved again; solve it to a smaller gap yourself")
    gap = max(difference_eur / 4 / max(abs(known[0]), 1.0), LEAST_GAP)
    if (known[0] - known[1]) <= gap * abs(known[0]):
        return plan, known
    model = str(plan.record["model"])
    LOG.info("pair solve: %s to a gap of %.2g %%", model, 100 * gap)
    found = solve(plan.instance, model, gap=gap, time_limit_s=limit_s)
    assert isinstance(found, Result)
    best = found if found.objective_eur <= known[0] else plan
    return best, (min(found.objective_eur, known[0]), max(found.bound_eur, known[1]))


def _labels(plans: Sequence[Result], names: Sequence[str]) -> list[str]:
    if names and len(names) != len(plans):
        raise NbbError(f"compare: {len(plans)} plans and {len(names)} names; give one for each")
    given = list(names) or [str(plan.record["model"]) for plan in plans]
    return [name if given.count(name) == 1 else f"{name} {number}" for number, name in enumerate(given, 1)]


def _key_figures(plans: Sequence[Result], names: Sequence[str], costs: Sequence[CostDifference]) -> pd.DataFrame:
    """Columns figure, unit, each plan; of all but the first its difference, and whether that is undecided."""
    table = pd.DataFrame({name: _figures(plan) for name, plan in zip(names, plans, strict=True)})
    table = table.rename_axis(["figure", "unit"]).reset_index()
    for each in costs:
        table[f"{each.plan} - {names[0]}"] = table[each.plan] - table[names[0]]
        blank = [pd.NA] * (len(table) - 1)
        table[f"{each.plan} undecided"] = pd.array([not each.decided, *blank], dtype="boolean")
    return table


def _figures(plan: Result) -> Mapping[tuple[str, str], float]:
    found, periods = plan.figures, plan.instance.periods
    emitted, money, last = found["emissions_t_co2e"], found["investments_eur"], periods[-1].year
    return {
        ("system cost, net present value", "MEUR"): found["cost_eur"] / 1e6,
        **{(f"emissions {p.year}", "kt CO2e per year, WTW"): emitted[p.year] / 1e3 for p in periods},
        ("emissions, all years", "kt CO2e, WTW"): sum(emitted[p.year] * p.years for p in periods) / 1e3,
        (f"road to rail, sea and ferry {last}", "kt per year"): found["shifted_t"].get(last, 0.0) / 1e3,
        (f"battery trucks {last}", "trucks"): float(found["battery_trucks"][last]),
        ("projects built", "projects"): float(len({project for project, _, _ in found["projects_built"]})),
        ("investments in projects", "MEUR"): money["projects"] / 1e6,
        ("investments in chargers", "MEUR"): money["chargers"] / 1e6,
        ("investments in vehicles", "MEUR"): money["vehicles"] / 1e6,
        ("gap", "%"): 100 * plan.gap,
    }
