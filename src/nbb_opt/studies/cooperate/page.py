"""The page of a cooperation: who gains, in one picture, and the tables behind it."""

from __future__ import annotations

from nbb_opt.report.charts.charts import Bar, Series, stacked_bars
from nbb_opt.report.decisions import names_of
from nbb_opt.report.grid import Column, Grid, Section, Style, each, known
from nbb_opt.report.study import Answer

COLOURS = ("#0b3c5d", "#d55e00", "#00805e", "#b58900", "#6c4ba0", "#8a1c3b", "#3a7ca5", "#5b5b5b", "#a8a8a8")
WAYS = (("own_gain_eur", "As it falls"), ("shapley_eur", "Shapley value"), ("nucleolus_eur", "Nucleolus"))


def sections(found: Answer) -> list[Section]:
    """The sections of the page."""
    shares = found.shares
    players = shares["player"].tolist()
    bars = [Bar("", title, dict(zip(players, (shares[column] / 1e6).tolist(), strict=True))) for column, title in WAYS]
    series = [Series(name, name, colour) for name, colour in zip(players, COLOURS, strict=False)]
    drawing = stacked_bars(bars, series, unit="MEUR", key="shares", title="Who gains from planning together")
    money: tuple[Style, str] = ("meur", "MEUR")
    kt: tuple[Style, str] = ("kt", "kt")
    names = names_of(found.instance, "projects", "project")

    def in_words(projects: str) -> str:
        return "; ".join(names.get(key, key) for key in projects.split("; "))

    coalitions = Grid(
        "Coalitions",
        [Column("Coalition"), Column("Value", *money), Column("At least", *money), Column("At most", *money),
         Column("Worth something"), Column("CO2e in all years", *kt), Column("Projects in"), Column("Projects out"),
         Column("Checks", "count")],
        [[row.coalition, row.value_eur / 1e6, row.value_low_eur / 1e6, row.value_high_eur / 1e6, row.worth_something,
          row.emissions_difference_t_co2e / 1e3, in_words(row.projects_entering), in_words(row.projects_leaving),
          row.checks]
         for row in each(found.coalitions)],
        note="Value: the cost of everybody alone less that with the coalition; emissions against everybody alone.",
    )  # fmt: skip
    by_player = Grid(
        "Players",
        [Column("Player"), Column("Gains by itself", *money), Column("Shapley value", *money),
         Column("At least", *money), Column("At most", *money), Column("Nucleolus", *money),
         Column("Side payment", *money),
         Column("Invests alone", *money), Column("Invests together", *money), Column("CO2e alone", *kt),
         Column("CO2e together", *kt)],
        [[row.player, *(eur / 1e6 for eur in (row.own_gain_eur, row.shapley_eur, row.shapley_low_eur,
          row.shapley_high_eur, row.nucleolus_eur, row.payment_eur, row.invests_alone_eur, row.invests_together_eur)),
          row.emissions_alone_t_co2e / 1e3, row.emissions_together_t_co2e / 1e3] for row in each(shares)],
        note="Freight is half that of the place where it starts and half that of the one where it ends; trucks are "
        "those of the region where they are based, projects of those that pay. A payment above 0 is received.",
    )  # fmt: skip
    projects = Grid(
        "Projects",
        [Column("Project"), Column("Paid by"), Column("Only jointly"), Column("Units alone", "decimal"),
         Column("Units together", "decimal"), Column("Year", "year"), Column("Built by")],
        [[row.name, row.paid_by, "yes" if row.only_jointly else "", row.units_alone, row.units_together,
          known(row.year_together),
          row.built_by] for row in each(found.projects)],
    )  # fmt: skip
    crossing = Grid(
        "Links between players, greatest use in a year",
        [Column("Link"), Column("Between"), *(Column(title, "kt", "kt") for title in ("Today", "Alone", "Together"))],
        [[row.link, row.between, row.today_t_per_year / 1e3, row.alone_t_per_year / 1e3, row.together_t_per_year / 1e3]
         for row in each(found.borders)],
    )  # fmt: skip
    components = Grid(
        "Cost by component",
        [Column("Component"), *(Column(title, *money) for title in ("Alone", "Together", "Difference"))],
        [[row.component, row.alone_eur / 1e6, row.together_eur / 1e6, row.difference_eur / 1e6]
         for row in each(found.components)],
    )  # fmt: skip
    text = (
        "Within a coalition budgets, terminals, chargers, ferry and rail capacity are shared and rules are the same; "
        "between players that do not plan together links carry at most what they do today."
    )
    drivers = [grid for grid in (projects, crossing, components) if grid.rows]
    return [Section("Who gains", text, [by_player, coalitions], drawing), Section("What drives it", "", drivers)]
