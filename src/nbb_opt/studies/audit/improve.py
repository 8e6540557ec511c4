"""The nearest plan that works, single changes that close the distance to the best plan, and break-even prices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from nbb_opt.errors import Infeasible, NoPlan
from nbb_opt.solve import Solution
from nbb_opt.solve.stop import relative_gap
from nbb_opt.studies.audit.faults import judge
from nbb_opt.studies.audit.fleet_model import FleetModel, Key, numbers_of
from nbb_opt.studies.audit.form_edit import FormEdit
from nbb_opt.studies.audit.hours import Hours
from nbb_opt.studies.audit.orders import impossible_orders, kept_shares, set_orders
from nbb_opt.studies.audit.plan import (
    CHARGER,
    ORDER,
    PROJECT,
    TRUCK,
    FleetPlan,
    changed,
    plan_in_service,
    plan_of,
)

COST_GAP = 1e-4
WHOLE = 1e-6  # a count may miss a whole number by this
SHARE_DIGITS = 4  # of a share of an order: what is less is the tolerance of the solver


@dataclass(frozen=True, kw_only=True)
class Repair:
    """The repaired plan: other trucks (a swap counts once per period), trucks of another fuel, what else changed.

    `changes` has columns what, place, type, year, planned, repaired; orders with the share of the vehicle that is lost.
    `solution` is the least cost of the numbers; its bound is that of the year's problem, which holds for all repairs
    that change as much: infinite where the hours of a day ask for more changes than the year. `proven`: no repair
    changes fewer trucks, not even one that works in a year only. `fits`: it works by the hour too.
    """

    trucks_changed: int
    fuels_changed: int
    others_changed: float
    changes: pd.DataFrame
    solution: Solution
    proven: bool = True
    fits: bool = True

    @property
    def text(self) -> str:
        """What has to be changed, in words; orders that are given up are named."""
        parts = [
            f"{n} {words}{'' if n == 1 else 's'}"
            for n, words in ((self.trucks_changed, "other truck"), (self.fuels_changed, "change of fuel"))
            if n
        ]
        parts = [part.replace("change of fuels", "changes of fuel") for part in parts] or ["no other truck"]
        orders = self.changes[self.changes["what"] == "order"]
        lost = [
            f"{row['planned'] - row['repaired']:.0%} of {row['place']} no longer with {row['type']} from {row['year']}"
            for row in orders.to_dict("records")
        ]
        return ", ".join([*parts, *lost])


def repair(fleet_model: FleetModel, plan: FleetPlan, hours: Hours | None = None) -> Repair:
    """The repair that changes the fewest trucks, among those the fewest orders, chargers and projects, then the
    cheapest; one whose days lack something is cut off, and the three problems are solved again.

    In a depot and period the trucks changed are those that come or those that go, whichever are more. Raises Infeasible
    if no plan at all obeys the instance, NoPlan if none that works by the hour was found.
    """
    hours = hours or Hours(fleet_model)
    return _that_fits(hours, plan, lambda: _smallest(hours, plan))


def _smallest(hours: Hours, plan: FleetPlan) -> tuple[Solution, tuple[float, ...]]:
    """Three solves, each keeping what the one before proved; with what was counted."""
    fleet_model, edit = hours.fleet_model, hours.edit()
    changed = _count_trucks(fleet_model, edit, numbers_of(plan.trucks))
    others = _count_others(fleet_model, edit, plan)
    missed = set_orders(fleet_model, edit, plan, price=True)
    others |= dict.fromkeys(missed.values(), 1.0)

    def solved(gap: float) -> Solution:
        try:
            return fleet_model.solve(edit, gap=gap)
        except Infeasible as error:
            raise Infeasible(f"no fleet of any kind can do this work within the instance's limits\n{error}") from error

    edit.price(dict.fromkeys(changed, 1.0))
    first = solved(1e-9)
    trucks = round(first.objective)
    edit.row("trucks_changed", changed, [1.0] * len(changed), up=trucks + WHOLE)
    edit.price(others)
    second = solved(1e-6)
    edit.row("others_changed", list(others), list(others.values()), up=second.objective * (1 + 1e-6) + WHOLE)
    edit.price_as_stated()
    return solved(COST_GAP), (trucks, round(second.objective, SHARE_DIGITS))


def cheapest_repair(fleet_model: FleetModel, plan: FleetPlan, hours: Hours | None = None) -> Repair:
    """The repair that costs least among those with the fewest other trucks; another fuel in a truck is no other truck.

    Trucks that differ in their energy carrier alone (`fuelled_alike`) count as one kind. Orders are given up as little
    as possible before cost counts; chargers and projects follow. Raises as `repair` does.
    """
    hours = hours or Hours(fleet_model)
    return _that_fits(hours, plan, lambda: _cheapest(hours, plan))


def _cheapest(hours: Hours, plan: FleetPlan) -> tuple[Solution, tuple[float, ...]]:
    """Two or three solves, each keeping what the one before proved; with what was counted."""
    fleet_model, edit, orders = hours.fleet_model, hours.edit(), 0.0
    alike = fuelled_alike(fleet_model)
    changed = _count_trucks(fleet_model, edit, numbers_of(plan.trucks), alike)
    missed = set_orders(fleet_model, edit, plan, price=True)
    edit.price(dict.fromkeys(changed, 1.0))
    trucks = round(fleet_model.solve(edit, gap=1e-9).objective)
    edit.row("trucks_changed", changed, [1.0] * len(changed), up=trucks + WHOLE)
    if missed:
        edit.price(dict.fromkeys(missed.values(), 1.0))
        orders = fleet_model.solve(edit, gap=1e-6).objective
        edit.row("orders_missed", list(missed.values()), [1.0] * len(missed), up=orders + WHOLE)
    edit.price_as_stated()
    return fleet_model.solve(edit, gap=COST_GAP), (trucks, round(orders, SHARE_DIGITS))


def _that_fits(hours: Hours, plan: FleetPlan, find: Callable[[], tuple[Solution, tuple[float, ...]]]) -> Repair:
    """The first repair whose numbers, at their least cost, work by the hour."""
    fleet_model, rounds = hours.fleet_model, list[tuple[Solution, tuple[float, ...]]]()
    years = [period.year for period in fleet_model.instance.periods]

    def tried() -> Repair:
        rounds.append(find())
        mended = repair_of(fleet_model, plan, rounds[-1][0])
        again = judge(fleet_model, changed(plan, mended.changes, years))
        return mended if again.faults else replace(mended, solution=again.solution)

    found = hours.first_that_fits(tried, lambda mended: mended.solution)
    (year, least), (_, counted) = rounds[0], rounds[-1]
    bound = min(year.bound, found.solution.objective) if counted == least else -np.inf
    gap = relative_gap(found.solution.objective, bound)
    return replace(found, solution=replace(found.solution, bound=bound, gap=gap), proven=counted[0] == least[0])


def repair_of(fleet_model: FleetModel, plan: FleetPlan, solution: Solution) -> Repair:
    """What a solution changes of a plan; orders that a truck cannot drive at all are given up."""
    changes = changes_of(fleet_model, plan, solution)
    trucks, same = changes[changes["what"] == TRUCK], fuelled_alike(fleet_model)
    other = trucks_changed(trucks.assign(type=trucks["type"].map(same)))
    apart = changes[~changes["what"].isin((TRUCK, ORDER))]
    others = float((apart["repaired"] - apart["planned"]).abs().sum())
    fuels = trucks_changed(trucks) - other
    return Repair(trucks_changed=other, fuels_changed=fuels, others_changed=others, changes=changes, solution=solution)


def trucks_changed(trucks: pd.DataFrame) -> int:
    """In a depot and period the trucks changed are those that come or those that go, whichever are more.

    >>> columns = ["place", "type", "year", "planned", "repaired"]
    >>> trucks_changed(pd.DataFrame([("A", "DIESEL", 2030, 5, 3), ("A", "BATTERY", 2030, 0, 1)], columns=columns))
    2
    """
    by_kind = trucks.groupby(["place", "year", "type"])[["planned", "repaired"]].sum()
    apart = (by_kind["repaired"] - by_kind["planned"]).groupby(["place", "year"])
    return round(float(apart.apply(lambda n: max(n.clip(lower=0).sum(), -n.clip(upper=0).sum())).sum()))


def fuelled_alike(fleet_model: FleetModel) -> dict[str, str]:
    """For each truck the first one that differs from it in nothing but what it is fuelled with."""
    trucks, first = fleet_model.built.data.trucks, dict[tuple[object, ...], str]()
    return {
        name: name if trucks.battery[v] else first.setdefault(
            (float(trucks.gross_t[v]), float(trucks.kerb_t[v]), float(trucks.usable_km[v]), float(trucks.annual_km[v]),
             *trucks.used_share[v].tolist()),
            name,
        )
        for v, name in enumerate(trucks.names.ids)
    }  # fmt: skip


def _count_trucks(
    fleet_model: FleetModel, edit: FormEdit, planned: Mapping[Key, float], alike: Mapping[str, str] | None = None
) -> list[int]:
    """Columns that count the trucks changed, one per depot and period; those of a kind that are `alike` are one."""
    groups: dict[Key, tuple[list[int], float]] = {}
    for (region, vehicle, t), columns in fleet_model.trucks.items():
        key = (region, alike[vehicle] if alike else vehicle, t)
        before, number = groups.get(key, ([], 0.0))
        groups[key] = ([*before, *columns], number + planned.get((region, vehicle, t), 0.0))
    places = sorted({(region, t) for region, _, t in fleet_model.trucks})
    counted = {place: edit.column(f"changed{list(place)}") for place in places}
    more: dict[tuple[str, int], list[int]] = {place: [] for place in places}
    fewer: dict[tuple[str, int], list[int]] = {place: [] for place in places}
    for key, (columns, value) in groups.items():
        up, down = edit.column(f"more{list(key)}"), edit.column(f"fewer{list(key)}")
        edit.row(f"planned{list(key)}", [*columns, up, down], [1.0] * len(columns) + [-1.0, 1.0], low=value, up=value)
        more[key[0], key[2]].append(up)
        fewer[key[0], key[2]].append(down)
    for place, column in counted.items():
        for name, parts in (("come", more[place]), ("go", fewer[place])):
            edit.row(f"{name}{list(place)}", [column, *parts], [1.0] + [-1.0] * len(parts), low=0.0)
    return list(counted.values())


def _count_others(fleet_model: FleetModel, edit: FormEdit, plan: FleetPlan) -> dict[int, float]:
    """Columns that count chargers and project units more or fewer than planned."""
    found: dict[int, float] = {}
    for said, columns in ((plan.chargers, fleet_model.chargers), (plan.projects, fleet_model.projects)):
        planned = numbers_of(said)
        for key, parts in columns.items():
            value = planned.get(key, 0.0)
            up, down = edit.column(f"more{list(key)}"), edit.column(f"fewer{list(key)}")
            edit.row(f"planned{list(key)}", [*parts, up, down], [1.0] * len(parts) + [-1.0, 1.0], low=value, up=value)
            found |= {up: 1.0, down: 1.0}
    return found


def numbers_in(fleet_model: FleetModel, solution: Solution) -> dict[str, dict[Key, int]]:
    """Trucks, chargers and project units in service in a plan."""
    x = solution.values
    return {
        what: {key: round(float(x[parts].sum())) for key, parts in columns.items()}
        for what, columns in (
            (TRUCK, fleet_model.trucks),
            (CHARGER, fleet_model.chargers),
            (PROJECT, fleet_model.projects),
        )
    }


def changes_of(fleet_model: FleetModel, plan: FleetPlan, solution: Solution) -> pd.DataFrame:
    """What is other than planned: columns what, place, type, year, planned, repaired."""
    years = [period.year for period in fleet_model.instance.periods]
    rows: list[tuple[str, str, str, int, float, float]] = []
    said = {TRUCK: plan.trucks, CHARGER: plan.chargers, PROJECT: plan.projects}
    for what, numbers in numbers_in(fleet_model, solution).items():
        planned = numbers_of(said[what])
        for key in sorted({*numbers, *planned}):
            before, after = planned.get(key, 0.0), float(numbers.get(key, 0))
            if before != after:
                rows.append((what, key[0], key[1], years[key[2]], before, after))
    for (order, vehicle, t), kept in kept_shares(fleet_model, plan, solution.values, digits=SHARE_DIGITS).items():
        share = planned_share(plan, order, vehicle, t)
        if kept < share:
            rows.append((ORDER, order, vehicle, years[t], share, kept))
    beyond = impossible_orders(fleet_model, plan)
    rows += [(ORDER, each.order, each.vehicle, years[each.t], each.share, 0.0) for each in beyond]
    return pd.DataFrame(rows, columns=["what", "place", "type", "year", "planned", "repaired"])


def planned_share(plan: FleetPlan, order: str, vehicle: str, t: int) -> float:
    """Share of an order that the plan gives to a vehicle in a period."""
    orders = plan.orders
    name = orders["origin"] + ">" + orders["destination"] + ":" + orders["commodity"]
    return float(orders.loc[(name == order) & (orders["vehicle"] == vehicle) & (orders["t"] == t), "share"].sum())


def break_even(fleet_model: FleetModel, solution: Solution, costs: pd.DataFrame) -> pd.DataFrame:
    """For each depot, period and pair of technologies: the price of one thing at which both cost the same per tonne-km.

    The work is that of the plan on lanes both may drive, weighted by tonne-km; `costs` as from `lane_costs`. Columns
    fleet_region, year, vehicle, other, work_share (of the depot's tonne-km), cost_eur_per_tkm, other_eur_per_tkm, and
    the break-even prices energy_eur_per_kwh (of the vehicle), other_energy_eur_per_kwh, carbon_eur_per_t, purchase_eur
    (of the vehicle); NaN where no price of zero or more does it. The other is the plan's most used truck of another
    energy carrier.
    """
    data, start = fleet_model.built.data, fleet_model.built.start
    d, trucks, base = data.driving, data.trucks, data.base
    z = solution.values[start["driven_vkm"] : start["driven_vkm"] + len(d.lane)]
    each = per_tkm(fleet_model, costs).assign(done=z * d.load_t)
    work = each.groupby(["lane", "t"])["done"].sum()
    each = each.assign(work=work.reindex(pd.MultiIndex.from_frame(each[["lane", "t"]])).to_numpy())
    rows = []
    for place, here in each.groupby(["region", "t"]):
        region, t = (int(str(part)) for part in place)
        total = float(here["done"].sum())
        if total <= 0:
            continue
        used = here.groupby("v")["done"].sum().sort_values(ascending=False)
        main = int(used.index[0])
        for v in sorted(set(here["v"]) - {main}):
            if trucks.carrier[v] == trucks.carrier[main]:
                continue
            both = here[here["v"] == v].merge(here[here["v"] == main], on="lane", suffixes=("", "_other"))
            both = both[both["work"] > 0]
            if both.empty:
                continue
            weight = both["work"].to_numpy() / float(both["work"].sum())
            mean = {name: float(weight @ both[name].to_numpy()) for name in both.columns if name not in ("lane",)}
            row = prices_at_which_both_cost_the_same(mean)
            rows.append({
                "fleet_region": base.regions[region], "year": int(data.time.years[t]),
                "vehicle": trucks.names[v], "other": trucks.names[main],
                "work_share": float(both["work"].sum()) / total, "cost_eur_per_tkm": mean["cost"],
                "other_eur_per_tkm": mean["cost_other"], **row,
            })  # fmt: skip
    return pd.DataFrame(rows)


def per_tkm(fleet_model: FleetModel, costs: pd.DataFrame) -> pd.DataFrame:
    """Cost, energy, carbon and capital per tonne-km of every lane, truck and period."""
    data = fleet_model.built.data
    d, base, trucks = data.driving, data.base, data.trucks
    load = d.load_t
    energy = costs["road_energy"].to_numpy() / load
    kwh = costs["kwh_per_vkm"].to_numpy() / load
    counted = fleet_model.instance.meta.carbon_base
    taxed = d.ledger.ttw_kg + (d.ledger.wtt_kg if counted == "WTW" else 0.0)
    kg = np.bincount(d.ledger.col, taxed, minlength=len(load)) / load
    paid_share = 1 - trucks.subsidies.grant_share[d.vehicle, base.region_country[d.region], d.t]
    capital = paid_share * costs["recovery"].to_numpy() / costs["vkm_a_year"].to_numpy() / load
    return pd.DataFrame({
        "lane": d.lane, "region": d.region, "v": d.vehicle, "t": d.t,
        "cost": costs["tco_eur_per_vkm"].to_numpy() / load, "energy": energy, "kwh": kwh,
        "carbon": costs["carbon"].to_numpy() / load, "kg": kg, "capital_share": capital,
        "capex": trucks.capex_eur[d.vehicle, d.t],
        "carbon_price": base.carbon_price[base.region_country[d.region], d.t],
    })  # fmt: skip


def prices_at_which_both_cost_the_same(mean: dict[str, float]) -> dict[str, float]:
    """Each price changed alone until both cost the same; every cost is linear in every price."""
    apart = mean["cost"] - mean["cost_other"]

    def at_least_zero(value: float) -> float:
        return value if np.isfinite(value) and value >= 0 else float("nan")

    def solved(now: float, slope: float) -> float:
        return at_least_zero(now - apart / slope) if slope else float("nan")

    return {
        "energy_eur_per_kwh": solved(mean["energy"] / mean["kwh"], mean["kwh"]),
        "other_energy_eur_per_kwh": solved(mean["energy_other"] / mean["kwh_other"], -mean["kwh_other"]),
        "carbon_eur_per_t": solved(mean["carbon_price"], (mean["kg"] - mean["kg_other"]) / 1000),
        "purchase_eur": solved(mean["capex"], mean["capital_share"]),
    }


GAP = 3e-4
TRIES = 8  # times the limit of one solve are for a plan that works by the hour
WORTH_EUR = 1.0  # a change that saves less is no change


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change: the numbers it sets free (keys of trucks; none: chargers and projects only) and what it brings, EUR.

    `alone_eur` is saved by this change alone, `together_eur` by it and all before it, `closed_share` is the share of
    the distance to the best plan that is then closed. `costs_eur` is what is paid more after this step than before it,
    `saves_eur` what is paid less, component by component of the cost. `text` says what becomes of the numbers, and of
    the orders of the plan that are then driven by another truck.
    """

    keys: tuple[Key, ...]
    text: str
    alone_eur: float
    together_eur: float
    closed_share: float
    costs_eur: float
    saves_eur: float
    solution: Solution
    emissions_t_per_year: Mapping[int, float]


@dataclass(frozen=True)
class Step:
    """A part of a repair: what becomes of the numbers, what it costs and saves, and how many faults are then left."""

    text: str
    costs_eur: float
    saves_eur: float
    faults_left: int


def money(fleet_model: FleetModel, before: Solution, after: Solution) -> tuple[float, float]:
    """What is paid more and what is paid less, present value in EUR, component by component of the cost."""
    costs = [
        fleet_model.tables(found)["costs"].groupby("component")["discounted_eur"].sum() for found in (before, after)
    ]
    apart = costs[1].sub(costs[0], fill_value=0.0)
    return float(apart[apart > 0].sum()), float(-apart[apart < 0].sum())


def improve(
    fleet_model: FleetModel,
    start: Solution,
    best: Solution,
    *,
    plan: FleetPlan | None = None,
    hours: Hours | None = None,
    most: int = 8,
    time_limit_s: float = 20.0,
    say: Callable[[str], None] = lambda line: None,
) -> list[Change]:
    """Order single changes by what each adds, always taking the one that saves most on top of those before it.

    Candidates are swaps of one kind of truck for another (or for none) at one depot from one period on in which the
    best plan differs from `start`, and the chargers and projects that suit the trucks. Every value is that of a
    re-optimised plan with all other numbers held, chargers and projects following the trucks; what is taken works by
    the hour too.
    """
    hours = hours or Hours(fleet_model)
    numbers, goal = numbers_in(fleet_model, start), numbers_in(fleet_model, best)
    gap_eur = start.objective - best.objective
    candidates: list[tuple[Key, ...]] = [(), *_swaps(numbers[TRUCK], goal[TRUCK])]
    done: list[Change] = []
    free: set[Key] = set()
    last = start

    def by_the_hour(keys: set[Key]) -> Solution | None:
        """The best plan with these numbers free whose days lack nothing; None if none was found."""
        try:
            return hours.first_that_fits(
                lambda: _with_free(hours, numbers, keys, time_limit_s),
                lambda found: found,
                limit_s=TRIES * time_limit_s,
            )
        except (Infeasible, NoPlan):
            return None

    while candidates and len(done) < most and gap_eur > WORTH_EUR:
        tried = {}
        for keys in candidates:
            with suppress(Infeasible, NoPlan):
                tried[keys] = _with_free(hours, numbers, free | set(keys), time_limit_s)
        while winner := min(tried, key=lambda keys: (tried[keys].objective, keys), default=None):
            if hours.fit(tried[winner]):
                break
            found = by_the_hour(free | set(winner))
            tried = {keys: each for keys, each in (tried | {winner: found}).items() if each is not None}
        if winner is None or last.objective - tried[winner].objective < WORTH_EUR:
            break
        free |= set(winner)
        text = _in_words(fleet_model, _differences(fleet_model, last, tried[winner], plan))
        costs_eur, saves_eur = money(fleet_model, last, tried[winner])
        last = tried[winner]
        saved = start.objective - last.objective
        alone = (by_the_hour(set(winner)) or start) if done else last
        done.append(Change(
            keys=winner, text=text, alone_eur=start.objective - alone.objective, together_eur=saved,
            closed_share=saved / gap_eur, costs_eur=costs_eur, saves_eur=saves_eur, solution=last,
            emissions_t_per_year=fleet_model.emissions_t(last),
        ))  # fmt: skip
        say(f"change {len(done)}: {text}: {saved:,.0f} EUR together, {saved / gap_eur:.0%} of the distance")
        candidates.remove(winner)
    return done


def _swaps(numbers: Mapping[Key, int], goal: Mapping[Key, int]) -> list[tuple[Key, ...]]:
    """Pairs of trucks at one depot and period, one of which the best plan has fewer of and the other more."""
    found: list[tuple[Key, ...]] = []
    for place in sorted({(region, t) for region, _, t in numbers}):
        mine = [key for key in sorted(numbers) if (key[0], key[2]) == place]
        fewer = [key for key in mine if goal[key] < numbers[key]]
        more = [key for key in mine if goal[key] > numbers[key]]
        found += [(out, into) for out in fewer for into in more]
        found += [(key,) for key in fewer + more]
    return found


def _with_free(hours: Hours, numbers: Mapping[str, Mapping[Key, int]], free: set[Key], time_limit_s: float) -> Solution:
    """The best plan with every truck number held but the free ones. Raises NoPlan if none was found in time."""
    fleet_model, edit = hours.fleet_model, hours.edit()
    for key, columns in fleet_model.trucks.items():
        if key not in free:
            value = float(numbers[TRUCK][key])
            edit.row(f"hold{list(key)}", columns, [1.0] * len(columns), low=value, up=value)
    return operated(fleet_model, fleet_model.solve(edit, time_limit_s=time_limit_s, gap=GAP))


def operated(fleet_model: FleetModel, solution: Solution) -> Solution:
    """The numbers of a plan at their least cost, orders left to the trucks: as they are judged if they are a plan."""
    plan = plan_of(plan_in_service(fleet_model.instance, fleet_model.tables(solution)), fleet_model.instance)
    judged = judge(fleet_model, plan)
    gap = relative_gap(judged.solution.objective, solution.bound)
    return solution if judged.faults else replace(judged.solution, bound=solution.bound, gap=gap)


def best_by_the_hour(hours: Hours, best: Solution, *, gap: float, time_limit_s: float) -> Solution | None:
    """The cheapest plan found that works by the hour, with the bound of the year's best plan; None if none was found.

    First with the trucks of the best plan, then, where that misses the gap, with all numbers free.
    """
    fleet_model = hours.fleet_model
    if hours.fit(settled := operated(fleet_model, best)):
        return settled
    trucks, found = numbers_in(fleet_model, best), list[Solution]()
    for free in (set[Key](), set(fleet_model.trucks)):
        if found and relative_gap(found[0].objective, best.bound) <= gap:
            break
        with suppress(Infeasible, NoPlan):
            found.append(hours.first_that_fits(
                partial(_with_free, hours, trucks, free, time_limit_s), lambda found: found,
                limit_s=TRIES * time_limit_s,
            ))  # fmt: skip
    first = min(found, key=lambda solution: solution.objective, default=None)
    if first is None:
        return None
    return replace(first, bound=best.bound, gap=relative_gap(first.objective, best.bound))


def _differences(
    fleet_model: FleetModel, before: Solution, after: Solution, plan: FleetPlan | None
) -> list[tuple[str, str, str, int, float, float]]:
    """Rows of what, place, type, year, before, after: numbers, and shares of the plan's orders that are kept."""
    years = [period.year for period in fleet_model.instance.periods]
    one, two = numbers_in(fleet_model, before), numbers_in(fleet_model, after)
    rows = [
        (what, place, kind, years[t], float(one[what][place, kind, t]), float(number))
        for what, numbers in two.items()
        for (place, kind, t), number in sorted(numbers.items())
        if number != one[what][place, kind, t]
    ]
    if plan is not None:
        kept = [kept_shares(fleet_model, plan, found.values, digits=SHARE_DIGITS) for found in (before, after)]
        rows += [
            (ORDER, order, vehicle, years[t], kept[0][order, vehicle, t], share)
            for (order, vehicle, t), share in kept[1].items()
            if share != kept[0][order, vehicle, t]
        ]
    return rows


def _in_words(fleet_model: FleetModel, rows: Iterable[tuple[str, str, str, int, float, float]]) -> str:
    """What becomes of the numbers, as `Umeå depot 2030: 6 BAT400 become 2, 6 DIESEL become 10`."""
    names = {
        code: name
        for table, key in (("fleet_regions", "fleet_region"), ("charge_areas", "charge_area"))
        for code, name in zip(fleet_model.instance[table][key], fleet_model.instance[table]["name"], strict=True)
    }
    groups: dict[tuple[str, int], list[str]] = {}
    for what, place, kind, year, before, after in rows:
        words = f"{before:g} {kind} become {after:g}"
        if what == ORDER:
            words = f"{kind} drives {after:.0%} of it instead of {before:.0%}"
        where = names.get(place, f"order {place}" if what == ORDER else place or "projects")
        groups.setdefault((where, year), []).append(words)
    return "; ".join(f"{place} {year}: {', '.join(words)}" for (place, year), words in groups.items()) or "other routes"


def steps_of(fleet_model: FleetModel, plan: FleetPlan, mended: Repair, hours: Hours | None = None) -> list[Step]:
    """The repair in steps, one for each place, what changes first before the others.

    Cost and saving are those of the plan after the step against the plan before it, both operated as if what is still
    short were there; the steps together lead from the plan to the repaired plan.
    """
    hours = hours or Hours(fleet_model)
    years = [period.year for period in fleet_model.instance.periods]
    judged, found = judge(fleet_model, plan), []
    groups = sorted(mended.changes.groupby("place"), key=lambda group: (group[1]["year"].min(), str(group[0])))
    for _, group in groups:
        plan = changed(plan, group, years)
        after = judge(fleet_model, plan)
        costs_eur, saves_eur = money(fleet_model, judged.solution, after.solution)
        text = _in_words(fleet_model, group.itertuples(index=False, name=None))
        found.append(Step(text, costs_eur, saves_eur, len(after.faults or hours.faults(after.solution))))
        judged = after
    return found
