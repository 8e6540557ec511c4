"""The answer in words: the first screen of the report with its tiles, and the lines that end a solve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nbb_opt.instance import Instance
from nbb_opt.report.decisions import names_of
from nbb_opt.report.front import front_grid
from nbb_opt.report.grid import Column, Grid, amounts, each
from nbb_opt.report.kpis import (
    COST_PARTS,
    SHIFT_BOUND_SHARE,
    SHIFT_BOUND_SOURCE,
    ideas_built,
    key_figures,
    outside,
    shift_effect,
)
from nbb_opt.report.own_rules import own_costs, own_lines
from nbb_opt.report.text import NO_BREAK, kt, listed, meur, number, percent, plural
from nbb_opt.report.what_if import what_if_line
from nbb_opt.result import FROZEN, REFERENCE, Run, decision_gap

LARGEST = 3  # projects named in the answer
INVESTED = {"projects": "projects", "chargers": "chargers", "vehicles": "trucks"}


@dataclass(frozen=True)
class Tile:
    """One figure of the first screen."""

    label: str
    figure: str
    note: str


# what the bars are, in a few words
MEANING = {
    FROZEN: "today's kinds of trucks and network, every flow on its cheapest way",
    REFERENCE: "what the market and committed decisions do without a plan",
}


def answer(instance: Instance, run: Run, figures: dict[str, Any]) -> list[str]:
    """Say what can be read out: what to build, what that costs in cash, what it saves, and how sure it is."""
    if not run.against:
        return sentences(instance, run, figures)
    first, last = instance.periods[0], instance.periods[-1]
    anyway = "what happens anyway" if run.against == REFERENCE else f"the {run.against} plan"
    ideas = ideas_built(instance, run)
    money = meur(sum(ideas.values()))
    largest = listed(list(ideas)[:LARGEST])
    build = f"Decide on {plural(len(ideas), 'project', 'projects')}" + (f", for {money}: " if ideas else "")
    build += ("above all " if len(ideas) > LARGEST else "") + largest
    battery, trucks = figures["battery_trucks"][last.year], sum(figures["trucks"][last.year].values())
    cash = figures["cost_parts_eur"]["cash"] - figures["bars"][run.against]["cost_parts_eur"]["cash"]
    less = figures["cost_baseline_eur"] - figures["cost_eur"]
    now, before = figures["emissions_t_co2e"][last.year], figures["emissions_baseline_t_co2e"][last.year]
    saved = f"It emits {_less(before - now, before)} CO2e in {last.year} than {anyway}"
    if run.against == REFERENCE and FROZEN in figures["bars"]:
        today = figures["bars"][FROZEN]["emissions_t_co2e"][first.year]
        saved += f", and {_less(today - now, today)} than freight does today ({first.year})"
    ranged = len(instance["ranges"])
    how = f"{ranged} ranges say how far figures may be off: nbb-opt tornado shows which of them matter"
    return [
        f"{build}.",
        f"{number(battery)} of {number(trucks)} trucks are battery trucks in {last.year}{_between(run)}.",
        f"In cash that is {meur(abs(cash))} {'less' if cash <= 0 else 'more'} than {anyway} (present value, "
        f"{first.year} to {last.year + last.years}); all counted, {meur(abs(less))} {'less' if less >= 0 else 'more'}.",
        f"{saved}.",
        f"How sure: {_sure(run, figures)}" + (f"; {how}." if ranged else "."),
    ]


def _between(run: Run) -> str:
    """The range of battery trucks over that of electricity on the way and the grid, where it was worked out."""
    ends = run.record.get("battery_trucks_between")
    return (
        f", between {number(ends['low'])} and {number(ends['high'])} within the ranges of electricity on the way and "
        "grid"
        if ends
        else ""
    )


def _less(cut: float, before: float) -> str:
    return f"{percent(abs(cut / before) if before else 0.0)} {'less' if cut >= 0 else 'more'}"


def _sure(run: Run, figures: dict[str, Any]) -> str:
    if not figures["verified"]:
        return "not at all, the independent check has not accepted this plan"
    found, bound = f"all {number(run.record['checks'])} checks hold", figures["bound_eur"]
    if bound is None:
        return found
    cost = (run.record.get("extension") or {}).get("objective_eur", figures["cost_eur"])
    return f"{found}, and with these figures no plan is more than {meur(max(cost - bound, 0.0))} cheaper"


def sentences(instance: Instance, run: Run, figures: dict[str, Any]) -> list[str]:
    """Say in plain words, with every figure, what the plan does."""
    first, last = instance.periods[0], instance.periods[-1]
    end = last.year + last.years
    now = figures["emissions_t_co2e"]
    if not run.against:
        frozen = run.record.get("model") == FROZEN
        kind = f"the frozen plan: {MEANING[FROZEN]}" if frozen else "a plan without a reference beside it"
        return [
            f"This is {kind}. It costs {meur(figures['cost_eur'])} from {first.year} to {end} (present value) and "
            f"emits {kt(now[last.year])} CO2e a year in {last.year}."
        ]
    less = figures["cost_baseline_eur"] - figures["cost_eur"]
    before = figures["emissions_baseline_t_co2e"]
    mine = "this reference" if run.record.get("model") == REFERENCE else "this plan"
    cut = (before[last.year] - now[last.year]) / before[last.year] if before[last.year] else 0.0
    said = [
        f"Compared with the {run.against} plan ({MEANING[run.against]}), {mine} costs {meur(abs(less))} "
        f"{'less' if less >= 0 else 'more'} from {first.year} to {end} (present value, "
        f"{percent(abs(less) / abs(figures['cost_baseline_eur']))}) and emits {percent(abs(cut))} "
        f"{'less' if cut >= 0 else 'more'} CO2e in {last.year}."
    ]
    said += _by_itself(figures, last.year)
    trucks = figures["battery_trucks"][last.year]
    said.append(
        f"By then {mine} moves {kt(figures['shifted_t'][last.year], 0)} a year from truck to rail, sea and ferry, and "
        f"{plural(trucks, 'battery truck is', 'battery trucks are')} in service."
    )
    money = figures["investments_eur"]
    parts = [f"{meur(money[key])} in {word}" for key, word in INVESTED.items() if money[key] > 0]
    built = len({project for project, _, _ in figures["projects_built"]})
    if parts:
        said.append(
            f"It invests {listed(parts)}"
            + (f"; {plural(built, 'project is', 'projects are')} built." if built else ".")
        )
    said.append(_in_cash(figures, run.against))
    said += _under_caps(run)
    return said + beside(instance, now[last.year], before[last.year], counted="outside" in run.record)


def beside(instance: Instance, now_t: float, before_t: float, *, counted: bool = False) -> list[str]:
    """Say what freight without a choice of mode is beside the percentages, and what they were with it.

    `now_t`, `before_t`: emissions of the last period, in t CO2e a year, with that freight where it is `counted`.
    """
    year = instance.periods[-1].year
    moved_t, emitted_t = outside(instance, year)
    if not moved_t:
        return []
    if counted:
        return [
            f"Emissions and their percentages count freight without a choice of mode, as over plants' own quays: "
            f"{kt(moved_t, 0)} in {year}, which emit {kt(emitted_t)} CO2e a year in any plan."
        ]
    change = (now_t - before_t) / (before_t + emitted_t)
    return [
        f"No percentage counts freight without a choice of mode, as over plants' own quays: {kt(moved_t, 0)} in "
        f"{year}, which emit {kt(emitted_t)} CO2e a year; with it, emissions change by {percent(change, sign=True)}."
    ]


def _by_itself(figures: dict[str, Any], year: int) -> list[str]:
    """What the reference does by itself, against the frozen plan."""
    if not {FROZEN, REFERENCE} <= figures["bars"].keys():
        return []
    frozen, alone = figures["bars"][FROZEN], figures["bars"][REFERENCE]
    less = frozen["cost_eur"] - alone["cost_eur"]
    before, now = frozen["emissions_t_co2e"][year], alone["emissions_t_co2e"][year]
    cut = (before - now) / before if before else 0.0
    return [
        f"By itself the reference costs {meur(abs(less))} {'less' if less >= 0 else 'more'} than the frozen plan "
        f"({MEANING[FROZEN]}){_committed(alone['projects_eur'] - frozen['projects_eur'])} and emits "
        f"{percent(abs(cut))} {'less' if cut >= 0 else 'more'} in {year}."
    ]


def _committed(eur: float) -> str:
    return f", {meur(eur)} of committed projects among it," if eur else ""


def _under_caps(run: Run) -> list[str]:
    """The caps of the model itself, and what the next tonne costs."""
    caps, prices = run.record.get("caps_t_co2e", {}), run.record.get("next_tonne_eur_per_t", {})
    if not caps:
        return []
    held = listed([f"{kt(float(cap))} in {year}" for year, cap in caps.items()])
    said = [f"Its emissions are capped at {held}."]
    if prices:
        dear = listed([f"{number(float(eur))} EUR in {year}" for year, eur in prices.items()])
        said.append(
            f"With the trucks, chargers and projects of the plan the next tonne costs {dear} (the word of the solver)."
        )
    return said


def _in_cash(figures: dict[str, Any], against: str) -> str:
    """Cash apart from the time of the goods, carbon payments and what is left at the horizon."""
    now, then = figures["cost_parts_eur"], figures["bars"][against]["cost_parts_eur"]
    change = {part: now[part] - then[part] for part in COST_PARTS}
    others = [part for part in COST_PARTS[1:] if now[part] or then[part]]
    more = listed(
        [f"{meur(change['cash'], sign=True)} in cash", *(f"{meur(change[p], sign=True)} {p}" for p in others)]
    )
    whole = listed([f"{meur(now['cash'])} in cash", *(f"{meur(now[part])} {part}" for part in others)])
    return f"The difference is {more}; the whole cost of the plan is {whole}."


def bars_grid(instance: Instance, run: Run, figures: dict[str, Any]) -> Grid:
    """Give the bars and the plan beside each other: cost and its parts, emissions and battery trucks."""
    years, last = [period.year for period in instance.periods], instance.periods[-1].year
    bars = [*figures["bars"].items(), (str(run.record.get("model")), figures)]
    parts = [part for part in COST_PARTS if any(found["cost_parts_eur"][part] for _, found in bars)]
    rows = [
        [
            name,
            found["cost_eur"] / 1e6,
            *(found["cost_parts_eur"][part] / 1e6 for part in parts),
            *(found["emissions_t_co2e"][year] / 1e3 for year in years),
            found["battery_trucks"][last],
        ]
        for name, found in bars
    ]
    columns = (
        Column("Plan"),
        Column("System cost", "meur", "MEUR"),
        *(Column(part.capitalize(), "meur", "MEUR") for part in parts),
        *(Column(f"CO2e in {year}", "kt", "kt a year") for year in years),
        Column(f"Battery trucks in {last}", "count"),
    )
    note = "; ".join(f"{bar}: {meaning}" for bar, meaning in MEANING.items() if bar in figures["bars"])
    return Grid(
        "The plan beside what it is compared with",
        columns,
        rows,
        note=f"Present values. {note}." if note else "",
        name="Bars",
    )


def tiles(instance: Instance, run: Run, figures: dict[str, Any]) -> list[Tile]:
    """Give the figures of the first screen."""
    last = instance.periods[-1]
    now, before = figures["emissions_t_co2e"], figures["emissions_baseline_t_co2e"]
    money, record = figures["investments_eur"], run.record
    compared = bool(run.against)
    found = [Tile("System cost, present value", meur(figures["cost_eur"]), f"prices of {instance.meta.price_year}")]
    emitted = Tile(f"Emissions in {last.year}, well to wheel", f"{kt(now[last.year])} CO2e", "a year")
    if compared:
        less = figures["cost_eur"] - figures["cost_baseline_eur"]
        share = less / abs(figures["cost_baseline_eur"])
        found = [
            Tile(
                f"System cost against the {run.against} plan",
                meur(less, sign=True),
                f"{percent(share, sign=True)} of {meur(figures['cost_baseline_eur'])} (present value)",
            )
        ]
        if before[last.year]:
            change = (now[last.year] - before[last.year]) / before[last.year]
            emitted = Tile(
                f"Emissions in {last.year}, well to wheel",
                percent(change, sign=True),
                f"{kt(now[last.year])} CO2e a year instead of {kt(before[last.year])}",
            )
    found.append(emitted)
    if compared:
        back = figures["shifted_back_t"][last.year]
        note = f"a year in {last.year}" + (f"; {kt(back, 0)} move the other way" if back >= 500 else "")
        found.append(Tile("Moved from road to rail, sea, ferry", kt(figures["shifted_t"][last.year], 0), note))
    total = sum(figures["trucks"][last.year].values())
    battery = figures["battery_trucks"][last.year]
    of_all = f"of {number(total)} trucks in service in {last.year}" if total else f"in service in {last.year}"
    ends = run.record.get("battery_trucks_between")
    of_all += f"; {number(ends['low'])} to {number(ends['high'])} by chargers and grid" if ends else ""
    found.append(Tile("Battery trucks", number(battery), of_all))
    found.append(
        Tile(
            "Investments, not discounted",
            meur(sum(money.values()), 0),
            f"projects {number(money['projects'] / 1e6)}, chargers {number(money['chargers'] / 1e6, 1)}, "
            f"trucks {number(money['vehicles'] / 1e6)} MEUR",
        )
    )
    checks = record.get("checks")
    detail = (
        f"{number(checks)} checks by the built-in independent verifier"
        if checks is not None
        else "by the built-in independent verifier"
    )
    found.append(Tile("Verified", "OK" if figures["verified"] else "not accepted", detail))
    return found


def proof(run: Run, figures: dict[str, Any]) -> str:
    """Say how good the plan is known to be and how long it took."""
    record = run.record
    said = ""
    if figures["gap"] is not None and figures["bound_eur"] is not None:
        cost, extension = figures["cost_eur"], record.get("extension") or {}
        cost = extension.get("objective_eur", cost)
        own = ", rules of your own among them," if extension else ""
        parts = f", costs of your own of {meur(cost - figures['cost_eur'], 2)} among them" if own_costs(run) else ""
        said = (
            f"Proven: no plan under the same rules{own} and figures costs less than {meur(figures['bound_eur'], 2)}; "
            f"this one costs {meur(cost, 2)}{parts} (gap {percent(figures['gap'], 3)}), so the best plan of all "
            f"could be at most {meur(max(cost - figures['bound_eur'], 0.0))} cheaper{_of_the_decision(run, figures)}. "
        )
    for bar, found in figures["bars"].items():
        if said and found["gap"] is not None:
            said += f"The {bar} plan is proven to {percent(found['gap'], 3)}. "
    if record.get("taken_from"):
        said += (
            f"The search found nothing cheaper in its time than the {record['taken_from']} plan: this is that plan. "
        )
    seconds = record.get("seconds") or {}
    if seconds:
        said += f"Computed in {number(sum(seconds.values()), 1)} seconds. "
    if not figures["verified"]:
        said += "The independent check has not accepted this plan: do not use its figures."
    return said.strip()


def period_grid(instance: Instance, run: Run, figures: dict[str, Any]) -> Grid:
    """Give the key figures of every period."""
    compared = bool(run.against)
    before = figures["emissions_baseline_t_co2e"] if compared else {}
    rows: list[list[Any]] = []
    for period in instance.periods:
        year = period.year
        now = figures["emissions_t_co2e"][year]
        then = before.get(year)
        rows.append(
            [
                f"{year}–{year + period.years - 1}",
                then / 1e3 if then is not None else None,
                now / 1e3,
                (now - then) / then if then else None,
                figures["shifted_t"][year] / 1e3 if figures["shifted_t"] and compared else None,
                figures["battery_trucks"][year],
                sum(figures["trucks"][year].values()),
                sum(1 for _, _, built in figures["projects_built"] if built == year),
            ]
        )
    columns = (
        Column("Period"),
        Column(f"CO2e {run.against or 'baseline'}", "kt", "kt a year"),
        Column("CO2e plan", "kt", "kt a year"),
        Column("Change", "percent", "%"),
        Column("Road to rail, sea, ferry", "kt", "kt a year"),
        Column("Battery trucks", "count"),
        Column("All trucks", "count"),
        Column("Projects opened or extended", "count"),
    )
    many = len({key for key, _, _ in figures["projects_built"]})
    note = (
        "Emissions are well to wheel, per year of the period. A project that opens in steps is counted in each: "
        f"{plural(many, 'project is', 'projects are')} built in all."
    )
    return Grid("Key figures by period", columns, rows, note=note, name="By period")


def plausibility(instance: Instance, run: Run) -> tuple[str, Grid | None]:
    """Compare the effect of changing modes alone with what was found elsewhere; name what drives it if it is more."""
    share, flows = shift_effect(instance, run)
    if not share:
        return "", None
    year = max(share, key=lambda y: share[y])
    bound = percent(SHIFT_BOUND_SHARE)
    found = (
        f"Changing modes alone is estimated to save {percent(share[year])} of the emissions of the {run.against} plan "
        f"in {year}"
    )
    found = found if len(share) == 1 else f"{found}, the most of any period"
    if share[year] <= SHIFT_BOUND_SHARE:
        return (
            f"{found}. Strong modal-shift policies in the Nordic countries were found to save at most {bound} "
            f"({SHIFT_BOUND_SOURCE}).",
            None,
        )
    nodes, goods = names_of(instance, "nodes", "node"), names_of(instance, "commodities", "commodity")
    here = flows[flows["year"] == year].sort_values("saved_kg", ascending=False)
    total_kg = float(here["saved_kg"].sum())
    rows = [
        [nodes[row.origin], nodes[row.destination], goods[row.commodity], row.saved_kg / 1e3, row.saved_kg / total_kg]
        for row in each(here.head(10))
        if row.saved_kg > 0
    ]
    columns = (
        Column("From"),
        Column("To"),
        Column("Goods"),
        Column("Saved by the change of mode", "count", "t CO2e a year"),
        Column("Share of the effect", "percent", "%"),
    )
    by_goods = here.groupby("commodity")["saved_kg"].sum().sort_values(ascending=False).head(3)
    most = listed([f"{goods[str(name)]} ({percent(kg / total_kg, 0)})" for name, kg in amounts(by_goods) if kg > 0])
    said = (
        f"{found}. That is more than the {bound} which strong modal-shift policies were found to save in the Nordic "
        f"countries as a whole ({SHIFT_BOUND_SOURCE}): ask which figures do it. Most of it is {most}; the flows "
        f"stand below. The estimate uses mean emissions per tonne-km of each mode in the {run.against} plan."
    )
    return said, Grid(f"What the change of mode saves in {year}", columns, rows, first=5, name="Mode effect")


def closing_block(instance: Instance, run: Run) -> str:
    """Give the lines that end `nbb-opt solve`: cost, emissions, shifts, trucks, investments, gap, verifier, paths."""
    figures, record = key_figures(instance, run), run.record
    years = [period.year for period in instance.periods]
    last = years[-1]
    cost, before = figures["cost_eur"], figures["cost_baseline_eur"]
    now, then = figures["emissions_t_co2e"], figures["emissions_baseline_t_co2e"]
    money, undecided = figures["investments_eur"], _of_the_decision(run, figures).replace(NO_BREAK, "")
    against = f", against the {run.against} plan" if run.against else ""
    lines = [
        f"{instance.meta.title}, model {record['model']}{against}",
        *([f"  {line}"] if (line := what_if_line(run)) else ()),
        *(f"  - {line}".replace(NO_BREAK, " ") for line in (answer(instance, run, figures) if run.against else ())),
        f"  cost          {cost / 1e6:,.1f} MEUR net present value ({_change(cost, before)})",
        "  emissions     "
        + ", ".join(f"{year}: {now[year] / 1e3:,.1f} kt ({_change(now[year], then.get(year))})" for year in years)
        + " CO2e WTW per year",
        *_bars_in_lines(bars_grid(instance, run, figures)),
        *(f"                {line}" for line in beside(instance, now[last], then.get(last, now[last]))),
        *(f"  {line}" for line in _under_caps(run)),
        *_front_in_lines(front_grid(instance, run)),
        "  road to rail, sea, ferry  "
        + ", ".join(f"{year}: {figures['shifted_t'].get(year, 0.0) / 1e3:,.0f} kt" for year in years)
        + "; battery trucks  "
        + ", ".join(f"{year}: {figures['battery_trucks'][year]:,}" for year in years),
        f"  investments   projects {money['projects'] / 1e6:,.1f}, chargers {money['chargers'] / 1e6:,.1f}, "
        f"vehicles {money['vehicles'] / 1e6:,.1f} MEUR until {last}",
        "  built         " + ("; ".join(_with_years(figures["projects_built"])) or "no project"),
        f"  solved        {record['status']}, gap {record['gap']:.4%} proven{undecided}, "
        f"bound {record['bound'] / 1e6:,.1f} MEUR, "
        f"{record['columns']:,} columns, {record['rows']:,} rows, {record['integers']:,} integers",
        *own_lines(run),
        f"  verified: {'OK' if record['verified'] else 'NO'} ({record['checks']} checks from the tables alone)",
    ]
    if run.path.name:
        lines.append(f"  report        {run.path / 'report.html'}  workbook {run.path / 'report.xlsx'}")
    return "\n".join(lines)


def _with_years(built: list[tuple[str, str, int]]) -> list[str]:
    """Projects with the years in which units of them open.

    >>> _with_years([("A", "Quay", 2030), ("B", "Loops", 2030), ("A", "Quay", 2040)])
    ['Quay (2030, 2040)', 'Loops (2030)']
    """
    years: dict[str, list[str]] = {}
    for _key, name, year in built:
        years.setdefault(name, []).append(str(year))
    return [f"{name} ({', '.join(opened)})" for name, opened in years.items()]


def _front_in_lines(grid: Grid | None) -> list[str]:
    """The front, a line for each point."""
    if grid is None:
        return []
    table = [[column.heading for column in grid.columns], *grid.written()]
    wide = [max(map(len, cells)) + 2 for cells in zip(*table, strict=True)]
    lines = ["".join(cell.rjust(width) for cell, width in zip(row, wide, strict=True)) for row in table]
    return [f"  {grid.caption} (linear relaxation)", *(f"  {line}" for line in lines)]


def _bars_in_lines(grid: Grid) -> list[str]:
    """The bars side by side, a line for each figure."""
    figures = list(zip(*grid.written(), strict=True))
    wide = max(12, *(len(name) + 2 for name in figures[0]))
    heads = ["", *(column.heading for column in grid.columns[1:])]
    first = max(map(len, heads)) + 2
    rows = zip(heads, figures, strict=True)
    return ["    " + head.ljust(first) + "".join(cell.rjust(wide) for cell in row) for head, row in rows]


def _of_the_decision(run: Run, figures: dict[str, Any]) -> str:
    """The gap beside what can be decided, where there is something: most of the cost is paid whatever is decided."""
    cost, bound, before = figures["cost_eur"], figures["bound_eur"], figures["cost_baseline_eur"]
    if bound is None or before is None or not before > bound or own_costs(run):
        return ""
    return f", {percent(decision_gap(cost, bound, before), 1)} of what can be decided"


def _change(now: float, before: float | None) -> str:
    return f"{(now - before) / before:+.1%}" if before else "nothing to compare"
