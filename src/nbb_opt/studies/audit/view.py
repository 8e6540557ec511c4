"""What the page of an audit says, in the words of a manager."""

from __future__ import annotations

from nbb_opt.report.charts.charts import waterfall
from nbb_opt.report.grid import Cell, Column, Grid, Section
from nbb_opt.report.headline import Tile
from nbb_opt.report.study import render_audit
from nbb_opt.report.text import meur, number
from nbb_opt.studies.audit.audit import Audit

MOST_BREAK_EVEN = 12
_MONEY = [Column("Costs", "number", "kEUR"), Column("Saves", "number", "kEUR")]


def page_of(found: Audit) -> str:
    """The HTML page."""
    return render_audit(
        found.instance, found.plan_name, sentences=found.sentences(), tiles=_tiles(found), faults=_faults(found),
        sections=sections(found),
    )  # fmt: skip


def sections(found: Audit) -> list[Section]:
    """What was found, in the order of the page."""
    return [_repair(found), _improve(found), _idle(found), _ownership(found), _break_even(found), _scenarios(found)]


def _tiles(found: Audit) -> list[Tile]:
    mended, best = found.repair.solution, found.best
    last = max(found.best_emissions_t_per_year)
    return [
        Tile("Faults", str(len(found.faults)), "things the plan cannot do"),
        Tile("Trucks to change", str(found.repair.trucks_changed), "fewest that make it work"),
        Tile("Cost above the best plan", meur(mended.objective - best.objective), "net present value, repaired plan"),
        Tile(
            f"Emissions {last}", f"{number(found.repaired_emissions_t_per_year[last])} t",
            f"CO2e, best plan {number(found.best_emissions_t_per_year[last])} t",
        ),
    ]  # fmt: skip


def _faults(found: Audit) -> Grid:
    rows = [(fault.where, fault.year, fault.text) for fault in found.faults]
    return Grid("What the plan cannot do", [Column("Where"), Column("From", "year"), Column("What is wrong")], rows)


def _repair(found: Audit) -> Section:
    changes = found.repair.changes
    columns = [
        Column("What"), Column("Where"), Column("Type"), Column("From", "year"), Column("Planned", "decimal"),
        Column("Repaired", "decimal"),
    ]  # fmt: skip
    text = (
        "The fewest trucks are changed first; among those repairs the fewest orders, chargers and projects; among "
        "those the cheapest. repaired_plan.csv holds the result. A step costs and saves against the plan before it, "
        "as if what is still short were there; present value."
    )
    grids = [Grid("The repair", columns, [tuple(row) for row in changes.itertuples(index=False)])]
    if found.repair_steps:
        grids.append(Grid(
            "The repair in steps",
            [Column("", "count"), Column("Step"), *_MONEY, Column("Faults left", "count")],
            [
                (n, step.text, step.costs_eur / 1e3, step.saves_eur / 1e3, step.faults_left)
                for n, step in enumerate(found.repair_steps, start=1)
            ],
        ))  # fmt: skip
    if found.cheapest is not None:
        rows = [tuple(row) for row in found.cheapest.changes.itertuples(index=False)]
        grids.append(Grid(f"The cheapest repair: {found.cheapest.text}", columns, rows))
    return Section("The smallest repair", text, grids)


def _improve(found: Audit) -> Section:
    rows = [
        (
            n,
            change.text,
            change.costs_eur / 1e3,
            change.saves_eur / 1e3,
            change.alone_eur / 1e3,
            change.together_eur / 1e3,
            change.closed_share,
        )
        for n, change in enumerate(found.changes, start=1)
    ]
    columns = [
        Column("", "count"), Column("Change"), *_MONEY, Column("Less cost alone", "number", "kEUR"),
        Column("With those before it", "number", "kEUR"), Column("Distance closed", "percent", "%"),
    ]  # fmt: skip
    bars = [
        (f"{n}", (change.together_eur - (found.changes[n - 2].together_eur if n > 1 else 0.0)) / 1e3)
        for n, change in enumerate(found.changes, start=1)
    ]
    drawing = None
    if bars:
        drawing = waterfall(
            bars, unit="kEUR", key="improve", title="What each change adds", note="saved on top of the changes before"
        )
    text = (
        "Each change is re-optimised with all other trucks held and chargers following; money saved over all periods."
    )
    grids = [Grid("Changes in the order of what they add", columns, rows)]
    heading = "The few changes that matter most"
    return Section(heading, text, grids, drawing) if bars else Section(heading, "No single change saves anything.", [])


def _idle(found: Audit) -> Section:
    columns = [Column("Where"), Column("From", "year"), Column("Without work"), Column("Cost", "number", "EUR a year")]
    many = {"truck": "trucks", "charger": "chargers"}
    rows = [
        (each.place, each.year, f"{each.number} {each.type} {each.what if each.number == 1 else many[each.what]}",
         each.eur_per_year) for each in found.idle
    ]  # fmt: skip
    text = "What could be left out while all else works as it does; the cost is that of owning it."
    heading = "Trucks and chargers without work"
    return Section(heading, text, [Grid("Idle", columns, rows)]) if rows else Section(heading, "There are none.", [])


def _ownership(found: Audit) -> Section:
    columns = [
        Column("Depot"), Column("Truck"), Column("Period", "year"), Column("Trucks", "count"),
        Column("km a year", "number"),
        Column("Hours a year", "number"), Column("Tonnes a year", "number"), Column("Cost", "decimal", "EUR/km"),
        Column("Cost", "decimal", "EUR/t"), Column("WTW CO2e", "number", "t a year"),
        Column("Cost", "number", "EUR a year"),
    ]  # fmt: skip
    rows = [tuple(None if cell != cell else cell for cell in row) for row in found.ownership.itertuples(index=False)]
    text = (
        "Total cost of ownership: purchase paid back over its life, fixed and running costs, energy, drivers, carbon."
    )
    return Section("What each kind of truck costs in this plan", text, [Grid("Trucks of the plan", columns, rows)])


def _break_even(found: Audit) -> Section:
    columns = [
        Column("Depot"), Column("Period", "year"), Column("Truck against the most used one"),
        Column("Share of the work", "percent", "%"), Column("Costs", "decimal", "cent/tkm"),
        Column("Other costs", "decimal", "cent/tkm"), Column("Its energy", "decimal", "EUR/kWh"),
        Column("Other energy", "decimal", "EUR/kWh"), Column("Carbon", "number", "EUR/t"),
        Column("Its purchase", "number", "EUR"),
    ]  # fmt: skip
    rows: list[list[Cell]] = []
    for row in found.break_even.to_dict("records"):
        prices = (
            row["energy_eur_per_kwh"],
            row["other_energy_eur_per_kwh"],
            row["carbon_eur_per_t"],
            row["purchase_eur"],
        )
        rows.append([
            row["fleet_region"], row["year"], f"{row['vehicle']} against {row['other']}", row["work_share"],
            100 * row["cost_eur_per_tkm"], 100 * row["other_eur_per_tkm"],
            *(None if price != price else price for price in prices),
        ])  # fmt: skip
    text = "The price at which both trucks cost the same on the depot's work, each alone; a dash: no price does."
    grid = Grid("Break-even prices", columns, rows, first=MOST_BREAK_EVEN)
    return Section("When another truck would pay", text, [grid])


def _scenarios(found: Audit) -> Section:
    columns = [
        Column("Scenario"), Column("Plan", "meur", "MEUR"), Column("Best plan found", "meur", "MEUR"),
        Column("Regret at least", "number", "kEUR"), Column("Regret at most", "number", "kEUR"), Column("What fails"),
    ]  # fmt: skip
    rows = [
        (
            each.scenario, each.cost_eur / 1e6, each.best_eur / 1e6, each.at_least_eur / 1e3, each.at_most_eur / 1e3,
            "; ".join(each.faults) or "nothing",
        )
        for each in found.regrets
    ]  # fmt: skip
    text = (
        "The repaired plan in each scenario of scenarios.csv, operated at least cost, against the best plan for that "
        "scenario."
    )
    return Section("What it regrets if the world turns out otherwise", text, [Grid("Scenarios", columns, rows)])
