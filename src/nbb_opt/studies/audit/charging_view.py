"""Charging by the hour as an answer: what each day needs and costs, what is short at which hour, and what helps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd
from markupsafe import Markup

from nbb_opt.report.charts.day import day_chart
from nbb_opt.report.grid import Column, Grid, Section, each
from nbb_opt.report.study import Answer
from nbb_opt.solve import Solution
from nbb_opt.studies.audit.charging_day import (
    PLAIN,
    QUARTER_H,
    QUARTERS,
    SMART,
    Charged,
    ChargingDay,
    Short,
    charging_days,
    plain,
    smart,
)
from nbb_opt.studies.audit.faults import Fault, amount_text
from nbb_opt.studies.audit.fleet_model import FleetModel
from nbb_opt.studies.audit.ownership import charger_eur_per_year
from nbb_opt.verify.charging_day import check_charging_days

MORE_CHARGERS = 12  # that are tried of each kind
LATER_H = (1, 2)  # that the last departure is put off
WAYS = {PLAIN: plain, SMART: smart}


@dataclass(frozen=True)
class AreaDays:
    """The usual days of a charging area in a period, as plain and smart charging fill the trucks."""

    area: str
    year: int
    days: tuple[ChargingDay, ...]
    charged: dict[str, tuple[Charged, ...]]

    @property
    def name(self) -> str:
        """Area and year."""
        return f"{self.area} {self.year}"


def areas_by_the_hour(fleet_model: FleetModel, solution: Solution) -> list[AreaDays]:
    """Every charging area and period of a plan. Raises NbbError where the instance says nothing of shifts."""
    found: dict[tuple[str, int], list[ChargingDay]] = {}
    for day in charging_days(fleet_model, solution):
        found.setdefault((day.area, day.year), []).append(day)
    return [
        AreaDays(area, year, tuple(days), {how: tuple(way(day) for day in days) for how, way in WAYS.items()})
        for (area, year), days in found.items()
    ]


def clock(quarter: int) -> str:
    """A quarter of the day as a time.

    >>> clock(0), clock(70)
    ('00:00', '17:30')
    """
    return f"{quarter // 4:02d}:{quarter % 4 * 15:02d}"


def hour_faults(fleet_model: FleetModel, areas: Sequence[AreaDays], how: str) -> list[Fault]:
    """What the days lack, one fault for energy and one for the connection of an area and period, with its hour."""
    faults = []
    for here in areas:
        for kinds, unit in ((("empty", "full"), "kWh"), (("grid",), "kW")):
            worst = max(
                zip(here.days, here.charged[how], strict=True),
                key=lambda pair: sum(short.amount for short in pair[1].short if short.kind in kinds),
            )
            short = [each for each in worst[1].short if each.kind in kinds]
            if short:
                first = _first(worst[0], short)
                help_ = "; ".join(what_helps(fleet_model, here, how)) or "more trucks for the work, or longer stays"
                text = f"{_in_words(worst[0], worst[1], short, how)}. What helps: {help_}"
                amount = max(each.amount for each in short) if unit == "kW" else short_kwh(short)
                where = f"{here.area} {clock(first.quarter)}"
                faults.append(Fault("hour", where, here.year, amount, unit, text))
    return faults


def short_kwh(short: Sequence[Short]) -> float:
    """kWh that are short in a day: of each truck the most at any hour, since what is missing is carried on."""
    trucks = {each.truck for each in short if each.truck >= 0}
    return sum(max(each.amount for each in short if each.truck == truck) for truck in trucks)


def _first(day: ChargingDay, short: Sequence[Short]) -> Short:
    """That of one truck whose turn in its day comes first: it runs empty before it is not full."""

    def turn(each: Short) -> int:
        start = day.trucks[each.truck].stays[-1].departs if each.truck >= 0 else 0
        return (each.quarter - start - 1) % QUARTERS

    return min(short, key=turn)


def _in_words(day: ChargingDay, charged: Charged, short: Sequence[Short], how: str) -> str:
    when = f"with {how} charging on a {day.day} day" if day.day == "winter" else f"with {how} charging"
    first = _first(day, short)
    if first.kind == "grid":
        peak = charged.kw[first.quarter]
        return (
            f"{when} the trucks take {peak:,.0f} kW at {clock(first.quarter)}, {first.amount:,.0f} kW more than the "
            f"connection gives at that hour"
        )
    trucks = {each.truck for each in short}
    what = "run empty before" if first.kind == "empty" else "are not full at"
    said = (
        f"{when} {len(trucks)} of {len(day.trucks)} trucks {what} {clock(first.quarter)} or later: "
        f"{amount_text(short_kwh(short))} kWh are short"
    )
    if charged.waiting.any():
        many = int(charged.waiting.max())
        start = clock(int(charged.waiting.argmax()))
        said += f"; {many} wait{'s' if many == 1 else ''} for a charger at {start}"
    return said


def what_helps(fleet_model: FleetModel, here: AreaDays, how: str) -> list[str]:
    """What alone would do, each tried: smart charging, more chargers of a kind, a larger connection, leaving later."""
    found = []
    if how == PLAIN and not any(charged.short for charged in here.charged[SMART]):
        found.append("smart charging")
    kinds = {each.kind for charged in here.charged[how] for each in charged.short}
    if kinds == {"grid"}:
        most = max(each.amount for charged in here.charged[how] for each in charged.short)
        found.append(f"{amount_text(most)} kW more connection")
    else:
        for way in dict.fromkeys((how, SMART)):
            more = list(_more_chargers(fleet_model, here, way))
            found += [f"{text}{'' if way == how else ' and smart charging'}" for text in more]
            if more:
                break
    for hours in LATER_H:
        later = [_later(day, hours) for day in here.days]
        if all(each is not None and not WAYS[how](each).short for each in later):
            found.append(f"leaving {hours} h later in the morning")
            break
    return found


def _more_chargers(fleet_model: FleetModel, here: AreaDays, how: str) -> Iterator[str]:
    chargers = fleet_model.built.data.chargers
    yearly = charger_eur_per_year(fleet_model)
    table = fleet_model.instance["chargers"].set_index("charger")
    for k in np.argsort(yearly, kind="stable").tolist():
        kind, kw = chargers.names[k], float(chargers.kw[k])
        if int(table.loc[kind, "available_from"]) > here.year:
            continue
        for number in range(1, MORE_CHARGERS + 1):
            more = [replace(day, chargers=tuple(sorted([*day.chargers, *[(kind, kw)] * number], key=lambda c: c[1])))
                    for day in here.days]  # fmt: skip
            if not any(WAYS[how](day).short for day in more):
                over = max(sum(kw for _, kw in day.chargers) - float(day.grid_kw.max()) for day in more)
                grid = f" with {over:,.0f} kW more connection" if over > 0 else ""
                yield f"{number} {kind} more{grid} ({number * yearly[k]:,.0f} EUR a year)"
                break


def _later(day: ChargingDay, hours: int) -> ChargingDay | None:
    """The day with the longest stays so much longer; None if a truck would come home before it left."""
    more, trucks = round(hours / QUARTER_H), []
    for truck in day.trucks:
        last = truck.stays[-1]
        room = (truck.stays[0].arrives - last.departs) % QUARTERS if len(truck.stays) > 1 else QUARTERS - last.quarters
        if np.isfinite(truck.battery_kwh):
            if room <= more:
                return None
            truck = replace(truck, stays=(*truck.stays[:-1], replace(last, quarters=last.quarters + more)))
        trucks.append(truck)
    return replace(day, trucks=tuple(trucks))


def day_answer(fleet_model: FleetModel, solution: Solution, *, plan_name: str) -> Answer:
    """Charging by the hour of a plan that was solved: tables `days`, `hours`, `annual`, `short` and `charges`.

    Raises NbbError where the instance says nothing of shifts, VerifyFailed where the verifier's own loops differ.
    """
    areas = areas_by_the_hour(fleet_model, solution)
    check_charging_days(fleet_model.instance, fleet_model.tables(solution), _charges(areas))
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
        description=f"When the trucks of {plan_name} charge on usual days, what the connection gives, what it costs.",
        sentences=[*(sentence(here) for here in areas), *(f"{f.where} {f.year}: {f.text}." for f in faults[PLAIN])],
        tables=tables, sections=lambda answer: [*day_sections(areas), annual_section(answer.tables["annual"])],
        shown=[tables["annual"].drop(columns="why")], about={"plan": plan_name},
        figures={"works": {how: not found for how, found in faults.items()}}, files_only=("charges",),
    )  # fmt: skip


def sentence(here: AreaDays) -> str:
    """What plain and smart charging take at an area, and what they cost a year."""
    peaks = {how: max(float(each.kw.max()) for each in charged) for how, charged in here.charged.items()}
    worst = int(np.argmax([each.kw.max() for each in here.charged[PLAIN]]))
    at = clock(int(here.charged[PLAIN][worst].kw.argmax()))
    eur = {
        how: sum(c.energy_eur(day) + c.power_eur(day) for day, c in zip(here.days, charged, strict=True))
        for how, charged in here.charged.items()
    }
    connection = min(float(day.grid_kw.min()) for day in here.days)
    return (
        f"{here.name}: plain charging takes {peaks[PLAIN]:,.0f} kW at {at}, smart charging {peaks[SMART]:,.0f} kW, of "
        f"{connection:,.0f} kW; energy and power cost {eur[PLAIN]:,.0f} and {eur[SMART]:,.0f} EUR a year."
    )


def day_sections(areas: Sequence[AreaDays]) -> list[Section]:
    """The chart of the day with the highest peak of each area and period, and the sentence about it."""
    return [
        Section(f"Charging by the hour: {here.name}", sentence(here), [], chart(here, key=f"day{n}"))
        for n, here in enumerate(areas)
    ]


def chart(here: AreaDays, *, key: str, words: Sequence[str] = ("plain charging", "smart charging", "connection",
                                                              "hour of the day")) -> Markup:  # fmt: skip
    """The chart of the day with the highest peak, `words` for its lines and its axis."""
    n = int(np.argmax([each.kw.max() for each in here.charged[PLAIN]]))
    lines = [(name, here.charged[how][n].kw.tolist()) for name, how in zip(words, WAYS, strict=False)]
    return day_chart(lines, (words[2], here.days[n].grid_kw.tolist()), hours=words[3], key=key, title=here.name)


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
    return pd.DataFrame(rows)


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
