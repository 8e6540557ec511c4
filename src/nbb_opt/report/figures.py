"""The charts of a run with the tables behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup

from nbb_opt.instance import Instance
from nbb_opt.report.charts.charts import Bar, Series, limit_bars, stacked_bars, waterfall
from nbb_opt.report.charts.svg import MODE_COLOURS, PALETTE, TECHNOLOGY_COLOURS
from nbb_opt.report.decisions import charging_grid
from nbb_opt.report.grid import Column, Grid, Style, amounts, each
from nbb_opt.report.text import MODE_WORDS, TECHNOLOGY_WORDS, component_word, plain, short
from nbb_opt.result import Run

COST_GROUPS: dict[str, tuple[str, ...]] = {
    "Rail, sea and ferry services": ("service",),
    "Drivers": ("drivers",),
    "Truck energy": ("road_energy", "public_charging"),
    "Other fuels than the vehicles' own": ("fuel_substitution",),
    "Inputs above today's contracts": ("inputs",),
    "Truck running and tolls": ("road_running",),
    "Trucks (bought, kept, sold)": ("fleet_fixed", "fleet_purchase", "fleet_grant", "fleet_resale"),
    "Handling at terminals": ("handling",),
    "Time of the goods": ("cargo_time",),
    "Mode constants": ("mode_constant",),
    "Carbon price": ("carbon", "added_carbon_price"),
    "Weight on emissions": ("emission_weight",),
    "Chargers and projects": (
        "charger_fixed", "charger_purchase", "charger_residual",
        "project_fixed", "project_purchase", "project_residual",
    ),
}  # fmt: skip
LEAST_KT = 0.001  # of a difference that is shown
Table = Mapping[tuple[int, str], float]


@dataclass(frozen=True)
class Chart:
    """A chart, its short name, its heading, a line of reading help and the figures behind it."""

    name: str
    heading: str
    drawing: Markup
    help: str
    grid: Grid


def all_figures(instance: Instance, run: Run, figures: dict[str, Any], *, key: str) -> list[Chart]:
    """Give every chart of a run that has something to show."""
    found = [
        _modes(instance, run, figures, key),
        _emissions(instance, run, key),
        _fleet(instance, run, figures, key),
        _costs(instance, run, key),
    ]
    found += [_cost_differences(run, key), _emission_differences(instance, run, key)] if _compared(run) else []
    charging = _charging(instance, run, key)
    return [*found, charging] if charging else found


def _compared(run: Run) -> bool:
    return bool(run.against)


def _modes(instance: Instance, run: Run, figures: dict[str, Any], key: str) -> Chart:
    now = {(y, m): v / 1e9 for y, modes in figures["modal_split_tkm"].items() for m, v in modes.items()}
    then = {(y, m): v / 1e9 for y, modes in figures["modal_split_baseline_tkm"].items() for m, v in modes.items()}
    series = [Series(mode, MODE_WORDS[mode], colour) for mode, colour in MODE_COLOURS.items()]
    bars = _bars(instance, run, now, then)
    drawing = stacked_bars(
        bars, series, unit="billion tkm", key=f"{key}-modes", title="Transport work by mode", shares=True
    )
    grid = _grid(
        instance, run, series, now, then, caption="Transport work by mode", unit="billion tkm a year", style="decimal"
    )
    return Chart(
        "modes",
        "Transport work by mode",
        drawing,
        "Tonne-kilometres a year; every leg of a chain counts for its own mode.",
        grid,
    )


def _emissions(instance: Instance, run: Run, key: str) -> Chart:
    def by_mode(tables: Mapping[str, pd.DataFrame]) -> Table:
        rows = tables["emissions"]
        total = ((rows["ttw_kg"] + rows["wtt_kg"]) / 1e6).groupby([rows["year"], rows["mode"]]).sum()
        return {(int(year), str(mode)): float(value) for (year, mode), value in amounts(total)}

    now, then = by_mode(run.tables), by_mode(run.baseline) if run.baseline else {}
    colours = {**MODE_COLOURS, "transfer": "#8a8f96"}
    others = sorted({mode for _, mode in [*now, *then]} - set(colours))
    series = [Series(m, {**MODE_WORDS, "transfer": "Terminals"}.get(m, m), c) for m, c in colours.items()]
    series += [Series(mode, mode, PALETTE[-1]) for mode in others]
    counted = "outside" in run.record  # no cap counts freight without a choice of mode
    caps = emission_caps(instance) if "caps" in run.record.get("blocks", ()) and not counted else {}
    for year, cap in run.record.get("caps_t_co2e", {}).items() if not counted else ():
        caps[int(year)] = min(float(cap), caps.get(int(year), float(cap)))
    drawing = stacked_bars(
        _bars(instance, run, now, then),
        series,
        unit="kt CO2e",
        key=f"{key}-emissions",
        title="Emissions by mode",
        caps={str(year): cap / 1e3 for year, cap in caps.items()},
    )
    grid = _grid(
        instance,
        run,
        series,
        now,
        then,
        caption="Emissions by mode, well to wheel",
        unit="kt CO2e a year",
        style="decimal",
    )
    capped = " The dashed line is the cap for all countries together." if caps else ""
    return Chart("emissions", "Emissions by mode", drawing, f"Well to wheel, a year.{capped}", grid)


def emission_caps(instance: Instance) -> dict[int, float]:
    """Give the lowest cap on the emissions of all countries together by period, t CO2e per year."""
    rules = instance["policies"]
    rules = rules[(rules["kind"] == "cap_emissions_t_per_year") & (rules["country"] == "")]
    found: dict[int, float] = {}
    for period in instance.periods:
        here = rules[rules["year"].isna() | (rules["year"] == period.year)]
        if len(here):
            found[period.year] = float(here["value"].min())
    return found


def _fleet(instance: Instance, run: Run, figures: dict[str, Any], key: str) -> Chart:
    from nbb_opt.report.kpis import trucks_by_technology

    now = {(y, t): float(n) for y, kinds in figures["trucks"].items() for t, n in kinds.items()}
    before = trucks_by_technology(instance, run.baseline) if run.baseline else {}
    then = {(y, t): float(n) for y, kinds in before.items() for t, n in kinds.items()}
    series = [Series(t, TECHNOLOGY_WORDS[t], colour) for t, colour in TECHNOLOGY_COLOURS.items()]
    bars = _bars(instance, run, now, then)
    title = "Trucks in service by technology"
    drawing = stacked_bars(bars, series, unit="trucks", key=f"{key}-fleet", title=title, whole=True)
    grid = _grid(instance, run, series, now, then, caption=title, unit="", style="count")
    return Chart("fleet", title, drawing, "Trucks owned in each period, all fleet regions.", grid)


def _costs(instance: Instance, run: Run, key: str) -> Chart:
    now, then = _cost_groups(run.tables), _cost_groups(run.baseline) if run.baseline else {}
    named = [*COST_GROUPS, *sorted({name for _, name in [*now, *then]} - set(COST_GROUPS))]
    series = [Series(name, name, PALETTE[i % len(PALETTE)]) for i, name in enumerate(named)]
    bars = _bars(instance, run, now, then)
    drawing = stacked_bars(bars, series, unit="MEUR", key=f"{key}-costs", title="Cost by component")
    grid = _grid(
        instance, run, series, now, then, caption="Cost by component, present value", unit="MEUR", style="meur"
    )
    rate = instance.meta.discount_rate * 100
    horizon = instance.periods[-1].year + instance.periods[-1].years
    help_ = f"Present value at {rate:g} % a year. {horizon}: what trucks, chargers and projects are still worth."
    return Chart("costs", "Cost by component", drawing, help_, grid)


def _cost_groups(tables: Mapping[str, pd.DataFrame]) -> dict[tuple[int, str], float]:
    group_of = {component: group for group, components in COST_GROUPS.items() for component in components}
    found: dict[tuple[int, str], float] = {}
    for row in each(tables["costs"]):
        spot = (int(row.year), group_of.get(row.component, component_word(row.component)))
        found[spot] = found.get(spot, 0.0) + row.discounted_eur / 1e6
    return found


def _cost_differences(run: Run, key: str) -> Chart:
    def total(tables: Mapping[str, pd.DataFrame]) -> pd.Series:
        return tables["costs"].groupby("component")["discounted_eur"].sum() / 1e6

    change = total(run.tables).sub(total(run.baseline), fill_value=0.0)
    rows = [(component_word(str(name)), float(value)) for name, value in amounts(change) if abs(value) >= 0.005]
    rows.sort(key=lambda row: row[1])
    both = [*rows, ("Total", float(change.sum()))]
    drawing = waterfall(
        both,
        unit="MEUR",
        key=f"{key}-difference",
        title=f"Cost against the {run.against} plan by component",
        note=f"from the {run.against} plan (line) to this one, step by step",
    )
    columns = (Column("Component"), Column(f"Plan less {run.against}", "meur", "MEUR"))
    grid = Grid(
        f"Cost against the {run.against} plan, present value",
        columns,
        both,
        first=30,
        name="Cost difference",
        total_row=True,
    )
    return Chart(
        "difference",
        f"Cost against the {run.against} plan",
        drawing,
        "Where the plan spends less and where it spends more; present value.",
        grid,
    )


def _emission_differences(instance: Instance, run: Run, key: str) -> Chart:
    year = instance.periods[-1].year

    def total(tables: Mapping[str, pd.DataFrame]) -> pd.Series:
        rows = tables["emissions"][tables["emissions"]["year"] == year]
        return ((rows["ttw_kg"] + rows["wtt_kg"]) / 1e6).groupby([rows["mode"], rows["energy_carrier"]]).sum()

    change = total(run.tables).sub(total(run.baseline), fill_value=0.0)
    words_of = {**MODE_WORDS, "transfer": "Terminals"}
    rows = [
        (", ".join(filter(None, [words_of.get(mode, mode), plain(carrier)])), float(kt))
        for (mode, carrier), kt in amounts(change) if abs(kt) >= LEAST_KT
    ]  # fmt: skip
    rows.sort(key=lambda row: row[1])
    both = [*rows, ("Total", float(change.sum()))]
    title = f"CO2e in {year} against the {run.against} plan"
    drawing = waterfall(
        both, unit="kt CO2e", key=f"{key}-co2e-difference", title=title,
        note=f"from the {run.against} plan (line) to this one, step by step",
    )  # fmt: skip
    columns = (Column("Mode and energy"), Column(f"Plan less {run.against}", "decimal", "kt CO2e a year"))
    grid = Grid(title, columns, both, first=30, name="CO2e difference", total_row=True)
    help_ = "Where the plan emits less and where more, by mode and energy; well to wheel, a year."
    return Chart("co2e_difference", title, drawing, help_, grid)


def _charging(instance: Instance, run: Run, key: str) -> Chart | None:
    grid = charging_grid(instance, run)
    year = instance.periods[-1].year
    last = sorted((row for row in grid.rows if row[1] == year), key=lambda row: -float(row[3] or 0))
    if not last:
        return None
    shown = []
    for name, _, gwh, mw, limit, _ in last[:14]:
        power, bound = float(mw or 0), float(limit or 0)
        note = f"{short(power)} of {short(bound)} MW, {short(float(gwh or 0))} GWh"
        shown.append((str(name), power, bound, note))
    drawing = limit_bars(shown, unit="MW", key=f"{key}-charging", title=f"Truck charging by area in {year}")
    rest = f" The {len(shown)} largest areas." if len(last) > len(shown) else ""
    return Chart(
        "charging",
        f"Truck charging by area in {year}",
        drawing,
        f"Power of the chargers against the grid, and energy a year.{rest}",
        grid,
    )


def _years(instance: Instance, now: Table, then: Table) -> list[int]:
    """Give the periods, and the year of the horizon if anything is paid or paid back then."""
    return sorted({period.year for period in instance.periods} | {year for year, _ in [*now, *then]})


def _bars(instance: Instance, run: Run, now: Table, then: Table) -> list[Bar]:
    bars = []
    for year in _years(instance, now, then):
        if _compared(run):
            bars.append(Bar(str(year), run.against, {k: v for (y, k), v in then.items() if y == year}, pale=True))
        bars.append(Bar(str(year), "plan", {k: v for (y, k), v in now.items() if y == year}))
    return bars


def _grid(
    instance: Instance,
    run: Run,
    series: list[Series],
    now: Table,
    then: Table,
    *,
    caption: str,
    unit: str,
    style: Style,
) -> Grid:
    used = [s for s in series if any(k == s.key for _, k in [*now, *then])]
    rows: list[list[Any]] = []
    for year in _years(instance, now, then):
        for label, table in ((run.against.capitalize(), then), ("Plan", now)) if _compared(run) else (("Plan", now),):
            values = [table.get((year, s.key), 0.0) for s in used]
            rows.append([year, label, *values, sum(values)])
    columns = (
        Column("Period from", "year"),
        Column("Plan"),
        *(Column(s.name, style, unit) for s in used),
        Column("Total", style, unit),
    )
    return Grid(caption, columns, rows, first=40, name=caption)
