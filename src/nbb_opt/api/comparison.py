"""What differs between plans: inputs, decisions by name, key figures, and whether a difference of cost is proven."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from nbb_opt.api.arguments import checked, named
from nbb_opt.api.plans import LOG, Result, solve
from nbb_opt.errors import NbbError
from nbb_opt.instance.what_if import input_differences
from nbb_opt.output import check_file, write_file
from nbb_opt.report.comparison import comparison_page, decisions, what_differs
from nbb_opt.report.study import WholeTable

LEAST_GAP = 1e-9  # of a pair solve
ROUNDS = 3


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


class Comparison(WholeTable):
    """The key figures of plans side by side, as a table that prints whole, and all else that differs.

    >>> from nbb_opt import examples
    >>> plan = solve(examples.tiny())
    >>> found = compare(plan, plan.reference)
    >>> found.decisions.query("kind == 'project'")[["what", "joint"]].values.tolist()[0]
    ['Railway to the mine', 1.0]
    """

    plans: tuple[Result, ...] = ()
    names: tuple[str, ...] = ()
    costs: tuple[CostDifference, ...] = ()

    @property
    def inputs(self) -> pd.DataFrame:
        """The cells in which the data of each plan differ from those of the first: plan, table, row, column, ..."""
        first = self.plans[0].instance
        rows = [
            {"plan": name, **vars(cell)}
            for name, plan in zip(self.names[1:], self.plans[1:], strict=True)
            for cell in input_differences(first, plan.instance)
        ]
        return pd.DataFrame(rows, columns=["plan", "table", "row", "column", "before", "after"])

    @property
    def decisions(self) -> pd.DataFrame:
        """Projects, trucks and chargers in service and freight by mode, by name and year, where plans differ."""
        return what_differs(
            {name: decisions(plan.instance, plan.run.tables) for name, plan in zip(self.names, self.plans, strict=True)}
        )

    @property
    def lines(self) -> tuple[str, ...]:
        """The comparison for people: cost and what is proven of it, inputs, decisions, figures."""
        inputs, differs = self.inputs, self.decisions
        undecided = [each.plan for each in self.costs if not each.decided]
        shown = inputs.head(20).to_string(index=False, na_rep="blank").splitlines() if len(inputs) else []
        more = f"  and {len(inputs) - 20} more" if len(inputs) > 20 else ""
        projects = differs[differs["kind"] != "freight"]
        freight = differs[differs["kind"] == "freight"].head(15)
        parts = [
            *(each.line(self.names[0]) for each in self.costs),
            *([f"{', '.join(undecided)}: solving both to a smaller gap decides: compare(..., decide_s=300)"]
              if undecided else []),
            "", f"inputs: {len(inputs)} cells differ", *(f"  {line}" for line in shown), *filter(None, [more]),
            "", "decisions that differ (units; freight: t a year, the greatest)",
            *pd.concat([projects, freight]).to_string(index=False, float_format="{:,.0f}".format).splitlines(),
            "", *str(self).splitlines(),
        ]  # fmt: skip
        return tuple(parts)

    @property
    def record(self) -> dict[str, Any]:
        """All of it as plain values."""
        figures = self.reset_index().astype(object)
        return {
            "plans": list(self.names),
            "runs": [str(plan.run.path) for plan in self.plans],
            "costs": [{**vars(each), "decided": each.decided} for each in self.costs],
            "inputs": _rows(self.inputs), "decisions": _rows(self.decisions), "figures": _rows(figures),
        }  # fmt: skip

    def to_html(self, path: Path | str, *_given: Any, **_named: Any) -> Path:  # type: ignore[override]
        """Write the comparison as a page, with a map of what moves."""
        check_file(named(path, ".html", ".htm", what="page"))
        page = comparison_page(
            {name: (plan.instance, plan.run) for name, plan in zip(self.names, self.plans, strict=True)},
            sentences=[each.line(self.names[0]) + "." for each in self.costs], figures=pd.DataFrame(self),
            inputs=self.inputs, differs=self.decisions,
        )  # fmt: skip
        return write_file(Path(path), page)


@checked
def compare(*plans: Result, names: Sequence[str] = (), decide_s: float = 0.0) -> Comparison:
    """Key figures side by side, a row for each, and the differences to the first plan; printed whole.

    The column `undecided` says of the costs whether a better search could turn the difference round: the optima lie
    between bound and objective (costs of your own included), and these ranges overlap. Other figures have no bound;
    there it is blank. With `decide_s` a pair that is undecided is solved again, each plan in at most so many seconds,
    to a gap smaller than the difference. Inputs and decisions that differ, and a page, are in what is given back.

    >>> from nbb_opt import examples
    >>> plan = solve(examples.tiny())
    >>> table = compare(plan, plan.reference)
    >>> table.columns.tolist()
    ['joint', 'reference', 'reference - joint', 'reference undecided']
    >>> bool(table.loc[("system cost, net present value", "MEUR"), "reference undecided"])
    False
    """
    if not plans:
        raise NbbError("compare: give at least one plan")
    if len(of := {plan.instance.meta.name for plan in plans}) > 1:
        raise NbbError(f"compare: plans of one base are set side by side, not of {' and '.join(sorted(of))}")
    if not decide_s >= 0:
        raise NbbError(f"compare: decide_s={decide_s}: give seconds, not less than 0")
    labels, given = _labels(plans, names), list(plans)
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
    table = Comparison({label: _key_figures(plan) for label, plan in zip(labels, given, strict=True)})
    table.index = pd.MultiIndex.from_tuples(table.index, names=["figure", "unit"])
    for each in costs:
        table[f"{each.plan} - {labels[0]}"] = table[each.plan] - table[labels[0]]
        blank = [pd.NA] * (len(table) - 1)
        table[f"{each.plan} undecided"] = pd.array([not each.decided, *blank], dtype="boolean")
    table.plans, table.names, table.costs = tuple(given), tuple(labels), costs
    return table


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


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain values, None for what is blank."""
    plain = frame.astype(object).where(frame.notna(), None)
    return [{str(key): value for key, value in row.items()} for row in plain.to_dict("records")]


def _labels(plans: Sequence[Result], names: Sequence[str]) -> list[str]:
    if names and len(names) != len(plans):
        raise NbbError(f"compare: {len(plans)} plans and {len(names)} names; give one for each")
    given = list(names) or [str(plan.record["model"]) for plan in plans]
    return [name if given.count(name) == 1 else f"{name} {number}" for number, name in enumerate(given, 1)]


def _key_figures(plan: Result) -> Mapping[tuple[str, str], float]:
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
