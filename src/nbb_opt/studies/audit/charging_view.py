"""Charging by the hour as an answer: what each day needs and costs, its chart, and what it adds up to in a year."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from nbb_opt.instance import Instance
from nbb_opt.pipeline import Steps
from nbb_opt.report.charts.day import day_chart
from nbb_opt.report.grid import Column, Grid, Section, each
from nbb_opt.report.study import Answer
from nbb_opt.report.text import meur
from nbb_opt.solve import Solution
from nbb_opt.studies.audit.charging_day import PLAIN, QUARTER_H, QUARTERS, SMART
from nbb_opt.studies.audit.charging_help import (
    WAYS,
    AreaDays,
    areas_by_the_hour,
    clock,
    hour_faults,
    short_kwh,
)
from nbb_opt.studies.audit.faults import Fault
from nbb_opt.studies.audit.fleet_model import FleetModel, state_fleet_model
from nbb_opt.studies.audit.hours import Hours
from nbb_opt.studies.audit.improve import WORTH_EUR
from nbb_opt.studies.audit.ownership import charger_eur_per_year
from nbb_opt.studies.audit.plan import read_plan
from nbb_opt.studies.audit.works import Works
from nbb_opt.verify.charging_day import check_charging_days

CHART_WORDS = {
    PLAIN: "plain charging", SMART: "smart charging", "limit": "grid connection", "hours": "hour of the day",
}  # fmt: skip
SENTENCE = (
    "{place} {year}: plain charging takes {plain:,.0f} kW at {at}, smart charging {smart:,.0f} kW, of "
    "{connection:,.0f} kW; energy and power cost {plain_eur:,.0f} and {smart_eur:,.0f} EUR a year."
)


def plan_by_the_hour(
    instance: Instance, plan_file: Path, *, steps: Steps | None = None, cache_dir: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Answer:  # fmt: skip
    """Charging by the hour of a plan in a file; one that cannot work in a year is repaired first, and that is said.

    Raises InstanceError for a plan file with problems, NbbError where the instance says nothing of shifts.
    """
    fleet_model = state_fleet_model(instance, steps=steps, cache_dir=cache_dir)
    plan = read_plan(plan_file, instance, fleet_model.prepared.bundles)
    works = Works(fleet_model, plan, Hours(fleet_model, PLAIN))
    if not works.judged.faults:
        return day_answer(fleet_model, works.judged.solution, plan_name=plan_file.name)
    say(f"{len(works.faults)} faults in a year; the smallest repair first")
    return day_answer(
        fleet_model, works.solution, plan_name=plan_file.name,
        first=[
            f"{plan_file.name} cannot work in a year; these are the days of its smallest repair: {works.repair.text}."
        ],
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ByTheHour:
    """The usual days of a plan, or of its smallest repair (`repaired`), and what they lack; `year` is of `annual`.

    `in_a_year` is the best plan where no day counts.
    """

    areas: list[AreaDays]
    repaired: bool
    faults: list[Fault]
    year: pd.DataFrame
    in_a_year: Solution

    def sentences(self, best: Solution) -> list[str]:
        """What was found, in words."""
        who = "The plan with the smallest repair" if self.repaired else "The plan"
        said = [f"{who} also works by the hour, on usual days."]
        if self.faults:
            where = "; ".join(f"{fault.where} from {fault.year}" for fault in self.faults)
            said = [f"{who} fits on average over the year, but not by the hour: {where}."]
        if (more := best.objective - self.in_a_year.objective) > WORTH_EUR:
            said.append(
                f"Plans are compared by the hour: the best one costs {meur(more)} more than if only the year counted; "
                "its distance from the least possible is proven for the year."
            )
        return said

    @property
    def record(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "repaired": self.repaired, "faults": [asdict(fault) for fault in self.faults],
            "year": self.year.to_dict("records"),
            "best_in_a_year_eur": self.in_a_year.objective,
        }  # fmt: skip


def by_the_hour(
    fleet_model: FleetModel, solution: Solution, how: str, *, repaired: bool, in_a_year: Solution
) -> ByTheHour:
    """Charging by the hour of a plan. Raises VerifyFailed where the verifier's own loops differ."""
    areas = areas_by_the_hour(fleet_model, solution)
    check_days(fleet_model, solution, areas)
    return ByTheHour(
        areas=areas,
        repaired=repaired,
        faults=hour_faults(fleet_model, areas, how),
        year=annual(fleet_model, solution, areas),
        in_a_year=in_a_year,
    )


def day_answer(fleet_model: FleetModel, solution: Solution, *, plan_name: str, first: Sequence[str] = ()) -> Answer:
    """Charging by the hour of a plan that was solved: tables `days`, `hours`, `annual`, `short` and `charges`.

    `first` are sentences that come first. Raises NbbError where the instance says nothing of shifts, and
    VerifyFailed where the verifier's own loops differ.
    """
    areas = areas_by_the_hour(fleet_model, solution)
    check_days(fleet_model, solution, areas)
    faults = {how: hour_faults(fleet_model, areas, how) for how in WAYS}
    tables = {
        "days": _days(areas), "hours": _hours(areas), "annual": annual(fleet_model, solution, areas),
        "short": pd.DataFrame(
            [{"charging": how, **asdict(fault)} for how, found in faults.items() for fault in found],
            columns=["charging", *Fault.__dataclass_fields__],
        ),
        "charges": _charges(areas),
    }  # fmt: skip
    return Answer(
        instance=fleet_model.instance, name="charging_day", title="Charging by the hour",
        description=f"When the trucks of {plan_name} charge on usual days, what the grid gives, what it costs.",
        sentences=[
            *first, *(day_sentence(day_figures(here)) for here in areas),
            *(f"{fault.where} {fault.year}: {fault.text}." for fault in faults[PLAIN]),
        ],
        tables=tables, sections=lambda answer: [*day_sections(areas), annual_section(answer.tables["annual"])],
        shown=[tables["annual"].drop(columns="why")], about={"plan": plan_name},
        figures={"works": {how: not found for how, found in faults.items()}}, files_only=("charges",),
    )  # fmt: skip


def check_days(fleet_model: FleetModel, solution: Solution, areas: Sequence[AreaDays]) -> None:
    """Hold the days of a plan against the verifier's own loops. Raises VerifyFailed where they differ."""
    if areas:
        check_charging_days(fleet_model.instance, fleet_model.tables(solution), _charges(areas))


def day_figures(here: AreaDays) -> dict[str, Any]:
    """What the chart and the sentence of an area and period show: `kw` of the day with the highest peak, the
    connection, peaks and EUR a year."""
    n = int(np.argmax([each.kw.max() for each in here.charged[PLAIN]]))
    found: dict[str, Any] = {
        "place": here.area, "year": here.year, "at": clock(int(here.charged[PLAIN][n].kw.argmax())),
        "connection": float(here.days[n].grid_kw.min()), "grid_kw": here.days[n].grid_kw.tolist(),
    }  # fmt: skip
    for how, charged in here.charged.items():
        pairs = zip(here.days, charged, strict=True)
        found[how] = max(float(each.kw.max()) for each in charged)
        found[f"{how}_kw"] = charged[n].kw.tolist()
        found[f"{how}_eur"] = sum(each.energy_eur(day) + each.power_eur(day) for day, each in pairs)
    return found


def day_sentence(figures: Mapping[str, Any], words: Callable[[str], str] = str) -> str:
    """What plain and smart charging take at an area, and what they cost a year; `words` may translate it."""
    return words(SENTENCE).format(**figures)


def day_drawing(figures: Mapping[str, Any], *, key: str, words: Callable[[str], str] = str) -> Markup:
    """The chart of the day with the highest peak."""
    lines = [(words(CHART_WORDS[how]), figures[f"{how}_kw"]) for how in WAYS]
    limit, hours = (words(CHART_WORDS[name]) for name in ("limit", "hours"))
    title = f"{figures['place']} {figures['year']}"
    return day_chart(lines, (limit, figures["grid_kw"]), hours=hours, key=key, title=title)


def day_sections(areas: Sequence[AreaDays]) -> list[Section]:
    """The chart of each area and period, and the sentence about it."""
    return [
        Section(f"Charging by the hour: {here.name}", day_sentence(figures), [], day_drawing(figures, key=f"day{n}"))
        for n, here in enumerate(areas)
        for figures in [day_figures(here)]
    ]


def _days(areas: Sequence[AreaDays]) -> pd.DataFrame:
    return pd.DataFrame([
        {
            "charge_area": here.area, "year": here.year, "day": day.day, "charging": how, "trucks": len(day.trucks),
            "chargers": len(day.chargers), "kwh": float(charged.kwh.sum()), "peak_kw": float(charged.kw.max()),
            "peak_hour": clock(int(charged.kw.argmax())), "connection_kw": float(day.grid_kw.min()),
            "most_waiting": int(charged.waiting.max()), "waiting_h": float(charged.waiting.sum()) * QUARTER_H,
            "energy_eur_per_year": charged.energy_eur(day), "power_eur_per_year": charged.power_eur(day),
            "short_kwh": short_kwh(charged.short),
        }
        for here in areas for how, each_charged in here.charged.items()
        for day, charged in zip(here.days, each_charged, strict=True)
    ])  # fmt: skip


def _hours(areas: Sequence[AreaDays]) -> pd.DataFrame:
    rows = []
    for here in areas:
        for how, each_charged in here.charged.items():
            for day, charged in zip(here.days, each_charged, strict=True):
                present = np.zeros(QUARTERS, np.int64)
                for truck in day.trucks:
                    for stay in truck.stays:
                        present[(stay.arrives + np.arange(stay.quarters)) % QUARTERS] += 1
                by_hour = {"trucks_in": present, "waiting": charged.waiting, "kw": charged.kw}
                rows += [
                    {
                        "charge_area": here.area, "year": here.year, "day": day.day, "charging": how, "hour": hour,
                        **{name: values.reshape(24, 4)[hour].max() for name, values in by_hour.items()},
                        "kwh": float(charged.kwh[:, 4 * hour : 4 * hour + 4].sum()),
                        "connection_kw": float(day.grid_kw[4 * hour]), "eur_per_kwh": float(day.eur_per_kwh[4 * hour]),
                    }
                    for hour in range(24)
                ]  # fmt: skip
    return pd.DataFrame(rows)


def _charges(areas: Sequence[AreaDays]) -> pd.DataFrame:
    """kWh of each truck by quarter of an hour."""
    rows = [
        (here.area, here.year, day.day, how, day.trucks[i].name, int(q), float(charged.kwh[i, q]))
        for here in areas for how, each_charged in here.charged.items()
        for day, charged in zip(here.days, each_charged, strict=True)
        for i, q in np.argwhere(charged.kwh > 0).tolist()
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["charge_area", "year", "day", "charging", "truck", "quarter", "kwh"])


def annual(fleet_model: FleetModel, solution: Solution, areas: Sequence[AreaDays]) -> pd.DataFrame:
    """A row for each area, period and way of charging: energy and its cost in the year's accounts and by the hour.

    `kwh_year` and `energy_eur_year` are those of the accounts without what others' points sell; `kwh` and
    `energy_eur` are days times a year's number of them; `power_eur` is the power tariff, `chargers_eur` what own
    chargers cost a year. `why` says what the difference is.
    """
    tables, data = fleet_model.tables(solution), fleet_model.built.data
    kwh_year = tables["energy"].groupby(["charge_area", "year"])["kwh"].sum()
    sold = tables["use"][tables["use"]["kind"] == "public_charging"].set_index(["row", "year"])["used"]
    own = dict(zip(data.chargers.names.ids, charger_eur_per_year(fleet_model).tolist(), strict=True))
    rows = []
    for here in areas:
        t = int(np.searchsorted(data.time.years, here.year))
        country = int(data.base.area_country[data.base.areas.of([here.area])[0]])
        carriers = {int(c) for c in data.trucks.carrier[data.trucks.battery].tolist()}
        price = float(np.mean([data.base.energy_price[carrier, country, t] for carrier in carriers]))
        in_accounts = float(kwh_year[here.area, here.year]) - float(sold.get((here.area, here.year), 0.0))
        for how, each_charged in here.charged.items():
            pairs = list(zip(here.days, each_charged, strict=True))
            kwh = sum(float(c.kwh.sum(axis=1) @ [truck.days for truck in day.trucks]) for day, c in pairs)
            energy = sum(charged.energy_eur(day) for day, charged in pairs)
            power = sum(charged.power_eur(day) for day, charged in pairs)
            why = [f"hours and prices of the day: {energy - kwh * price:+,.0f} EUR", f"power tariff {power:+,.0f} EUR"]
            if abs(kwh - in_accounts) > 1.0:
                why.insert(0, f"{in_accounts - kwh:,.0f} kWh are short: {(kwh - in_accounts) * price:+,.0f} EUR")
            rows.append({
                "charge_area": here.area, "year": here.year, "charging": how, "kwh_year": in_accounts, "kwh": kwh,
                "peak_kw": max(float(charged.kw.max()) for charged in each_charged),
                "energy_eur_year": in_accounts * price, "energy_eur": energy, "power_eur": power,
                "difference_eur": energy + power - in_accounts * price,
                "chargers_eur": sum(own[name] for name, _ in here.days[0].chargers), "why": "; ".join(why),
            })  # fmt: skip
    return pd.DataFrame(rows, columns=[
        "charge_area", "year", "charging", "kwh_year", "kwh", "peak_kw", "energy_eur_year", "energy_eur", "power_eur",
        "difference_eur", "chargers_eur", "why",
    ])  # fmt: skip


def annual_section(table: pd.DataFrame) -> Section:
    """What the days add up to in a year beside the accounts of the year."""
    columns = [
        Column("Charging area"), Column("Period", "year"), Column("Charging"),
        Column("In the accounts", "number", "kWh"),
        Column("By the hour", "number", "kWh"), Column("Peak", "number", "kW"),
        Column("In the accounts", "number", "EUR"), Column("Energy by the hour", "number", "EUR"),
        Column("Power tariff", "number", "EUR"), Column("Difference", "number", "EUR"),
        Column("Own chargers", "number", "EUR"), Column("Why"),
    ]  # fmt: skip
    text = (
        "What the usual days add up to in a year, beside the yearly accounts of the plan, which know one price of "
        "energy. Own chargers: purchase paid back over their life, and yearly cost."
    )
    return Section(
        "A year of such days", text, [Grid("Charging in a year", columns, [tuple(row) for row in each(table)])]
    )
