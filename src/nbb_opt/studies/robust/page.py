"""The page of a study of futures: the regret of plans in one picture, and the tables behind it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nbb_opt.instance import Instance
from nbb_opt.report.charts.charts import heat_map
from nbb_opt.report.decisions import names_of
from nbb_opt.report.grid import Column, Grid, Section, Style, each, known
from nbb_opt.report.study import Answer

KEYS = {"built": ["project"], "bought": ["fleet_region", "vehicle"], "installed": ["charge_area", "charger"]}


def sections(found: Answer) -> list[Section]:
    """The sections of the page."""
    regret, distinct = found.regret, found.plans.loc[found.plans["same_as"] == "", "plan"]
    futures = list(dict.fromkeys(regret["future"]))
    table = regret.pivot(index="plan", columns="future", values="regret_eur").loc[distinct, futures] / 1e6
    drawing = heat_map(
        distinct.tolist(), futures, table.fillna(np.inf).to_numpy().tolist(), unit="MEUR", key="regret",
        title="Regret of each plan in each future",
    )  # fmt: skip
    money: tuple[Style, str] = ("meur", "MEUR")
    plans = Grid(
        "Plans",
        [Column("Plan"), Column("Expected cost", *money), Column("Dearest futures", *money),
         Column("Greatest regret", *money), Column("At least", *money), Column("At most", *money), Column("Same as")],
        [[row.plan, *(_scaled(eur) for eur in (row.expected_eur, row.tail_mean_eur, row.greatest_regret_eur,
          row.greatest_regret_low_eur, row.greatest_regret_high_eur)), row.same_as] for row in each(found.plans)],
        note=f"Dearest futures: mean cost of the dearest {found.about['question']['tail']:.0%}.",
    )  # fmt: skip
    projects = Grid(
        "What each project is worth",
        [Column("Project"), Column("Year", "year"), Column("Cost of a unit", *money), Column("Paid by"),
         Column("Saves alone", *money), Column("Saves in the plan", *money), Column("At least", *money),
         Column("Share of futures", "percent", "%"), Column("No regret"), Column("Requires"), Column("Excludes")],
        [[row.name, known(row.year), row.capex_eur_per_unit / 1e6,
          row.paid_by, _scaled(row.value_alone_eur), _scaled(row.value_in_plan_eur), _scaled(row.value_in_plan_low_eur),
          known(row.share_of_futures), known(row.no_regret), row.requires, row.excludes]
         for row in each(found.projects)],
    )  # fmt: skip
    in_words = _wording(found.instance)
    first = Grid(
        "First decisions", [Column("Plan"), Column("Decision"), Column("Number", "decimal")],
        [[row.plan, in_words(row.decision), row.number] for row in each(found.first_decisions)],
    )  # fmt: skip
    years = ", ".join(map(str, found.about["years"]))
    text = (
        f"Decisions of {years} are fixed as in the plan, all later ones are the best for the future; regret is what "
        "that costs more than the best plan of the future."
    )
    return [
        Section("Regret", text, [plans], drawing),
        Section("Projects", "", [projects] if projects.rows else []),
        Section("What is decided first", "", [first]),
    ]


def _wording(instance: Instance) -> Callable[[str], str]:
    """Writes a variable with the names that its key stands for: "Battery truck, Umeå, 2030" for bought[UMEA,B,2030]."""
    names = {kind: [names_of(instance, f"{key}s", key) for key in keys] for kind, keys in KEYS.items()}

    def in_words(variable: str) -> str:
        kind, inside = variable.rstrip("]").split("[")
        *keys, year = inside.split(",")
        return ", ".join([*(known.get(key, key) for known, key in zip(names[kind], keys, strict=True))][::-1] + [year])

    return in_words


def _scaled(eur: float | None) -> float | None:
    return None if eur is None or not np.isfinite(eur) else eur / 1e6
