"""The nearest plan that works, single changes that close the distance to the best plan, and break-even prices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nbb_opt.errors import Infeasible, NoPlan
from nbb_opt.solve import Solution
from nbb_opt.studies.audit.fleet_model import FleetModel, Key, numbers_of
from nbb_opt.studies.audit.form_edit import FormEdit
from nbb_opt.studies.audit.orders import set_orders
from nbb_opt.studies.audit.plan import CHARGER, PROJECT, TRUCK, FleetPlan

COST_GAP = 1e-4
WHOLE = 1e-6  # a count may miss a whole number by this


@dataclass(frozen=True)
class Repair:
    """The repaired plan: trucks changed (a swap counts once per period), what else changed, its solution.

    `changes` has columns what, place, type, year, planned, repaired; orders with the share of the vehicle that is lost.
    """

    trucks_changed: int
    others_changed: float
    changes: pd.DataFrame
    solution: Solution


def repair(fleet_model: FleetModel, plan: FleetPlan) -> Repair:
    """Find the repair in three solves, each keeping what the one before proved.

    In a depot and period the trucks changed are those that come or those that go, whichever are more. Raises Infeasible
    if no plan at all obeys the instance.
    """
    edit = FormEdit(fleet_model.form)
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
    third = solved(COST_GAP)
    return Repair(trucks, second.objective, changes_of(fleet_model, plan, third, missed), third)


def cheapest_repair(fleet_model: FleetModel, plan: FleetPlan) -> Repair:
    """The repair that costs least among those with the fewest other trucks; another fuel in a truck is no other truck.

    Trucks that differ in their energy carrier alone (`fuelled_alike`) count as one kind. Orders are given up as little
    as possible before cost counts; chargers and projects follow. `others_changed` is the orders given up.
    """
    alike = fuelled_alike(fleet_model)
    edit = FormEdit(fleet_model.form)
    changed = _count_trucks(fleet_model, edit, numbers_of(plan.trucks), alike)
    missed = set_orders(fleet_model, edit, plan, price=True)
    edit.price(dict.fromkeys(changed, 1.0))
    trucks = round(fleet_model.solve(edit, gap=1e-9).objective)
    edit.row("trucks_changed", changed, [1.0] * len(changed), up=trucks + WHOLE)
    orders = 0.0
    if missed:
        edit.price(dict.fromkeys(missed.values(), 1.0))
        orders = fleet_model.solve(edit, gap=1e-6).objective
        edit.row("orders_missed", list(missed.values()), [1.0] * len(missed), up=orders + WHOLE)
    edit.price_as_stated()
    solution = fleet_model.solve(edit, gap=COST_GAP)
    return Repair(trucks, orders, changes_of(fleet_model, plan, solution, missed), solution)


def fuelled_alike(fleet_model: FleetModel) -> dict[str, str]:
    """For each truck the first one that differs from it in nothing but what it is fuelled with."""
    trucks, first = fleet_model.built.data.trucks, dict[tuple[object, ...], str]()
    return {
        name: name if trucks.battery[v] else first.setdefault(
            (float(trucks.gross_t[v]), float(trucks.kerb_t[v]), float(trucks.usable_km[v]), float(trucks.annual_km[v])),
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


def changes_of(fleet_model: FleetModel, plan: FleetPlan, solution: Solution, missed: Mapping[str, int]) -> pd.DataFrame:
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
    for name, column in missed.items():
        order, vehicle, t = name.rsplit(" ", 2)
        share = float(solution.values[column])
        if share > WHOLE:
            before_share = planned_share(plan, order, vehicle, int(t))
            rows.append(("order", order, vehicle, years[int(t)], before_share, before_share - share))
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
    per_tkm = _per_tkm(fleet_model, costs).assign(done=z * d.load_t)
    work = per_tkm.groupby(["lane", "t"])["done"].sum()
    per_tkm = per_tkm.assign(work=work.reindex(pd.MultiIndex.from_frame(per_tkm[["lane", "t"]])).to_numpy())
    rows = []
    for place, here in per_tkm.groupby(["region", "t"]):
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
            row = _prices(mean)
            rows.append({
                "fleet_region": base.regions[region], "year": int(data.time.years[t]),
                "vehicle": trucks.names[v], "other": trucks.names[main],
                "work_share": float(both["work"].sum()) / total, "cost_eur_per_tkm": mean["cost"],
                "other_eur_per_tkm": mean["cost_other"], **row,
            })  # fmt: skip
    return pd.DataFrame(rows)


def _per_tkm(fleet_model: FleetModel, costs: pd.DataFrame) -> pd.DataFrame:
    """Cost, energy, carbon and capital per tonne-km of every lane, truck and period."""
    data = fleet_model.built.data
    d, base, trucks = data.driving, data.base, data.trucks
    load = d.load_t
    energy = costs["road_energy"].to_numpy() / load
    kwh = costs["kwh_per_vkm"].to_numpy() / load
    counted = fleet_model.instance.meta.carbon_base
    taxed = d.ledger.ttw_kg + (d.ledger.wtt_kg if counted == "WTW" else 0.0)
    kg = np.bincount(d.ledger.col, taxed, minlength=len(load)) / load
    capital = costs["recovery"].to_numpy() / costs["vkm_a_year"].to_numpy() / load
    return pd.DataFrame({
        "lane": d.lane, "region": d.region, "v": d.vehicle, "t": d.t,
        "cost": costs["tco_eur_per_vkm"].to_numpy() / load, "energy": energy, "kwh": kwh,
        "carbon": costs["carbon"].to_numpy() / load, "kg": kg, "capital_share": capital,
        "capex": trucks.capex_eur[d.vehicle, d.t],
        "carbon_price": base.carbon_price[base.region_country[d.region], d.t],
    })  # fmt: skip


def _prices(mean: dict[str, float]) -> dict[str, float]:
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
WORTH_EUR = 1.0  # a change that saves less is no change


@dataclass(frozen=True)
class Change:
    """One change: the numbers it sets free (keys of trucks; none: chargers and projects only) and what it brings, EUR.

    `alone_eur` is saved by this change alone, `together_eur` by it and all before it, `closed_share` is the share of
    the distance to the best plan that is then closed. `text` says what becomes of the numbers.
    """

    keys: tuple[Key, ...]
    text: str
    alone_eur: float
    together_eur: float
    closed_share: float
    emissions_t_per_year: Mapping[int, float]


def improve(
    fleet_model: FleetModel,
    start: Solution,
    best: Solution,
    *,
    most: int = 8,
    time_limit_s: float = 20.0,
    say: Callable[[str], None] = lambda line: None,
) -> list[Change]:
    """Order single changes by what each adds, always taking the one that saves most on top of those before it.

    Candidates are swaps of one kind of truck for another (or for none) at one depot from one period on in which the
    best plan differs from `start`, and the chargers and projects that suit the trucks. Every value is that of a
    re-optimised plan with all other numbers held, chargers and projects following the trucks.
    """
    numbers, goal = numbers_in(fleet_model, start), numbers_in(fleet_model, best)
    gap_eur = start.objective - best.objective
    candidates: list[tuple[Key, ...]] = [(), *_swaps(numbers[TRUCK], goal[TRUCK])]
    done: list[Change] = []
    free: set[Key] = set()
    last = start
    alone: dict[tuple[Key, ...], float] = {}
    while candidates and len(done) < most and gap_eur > WORTH_EUR:
        tried = {}
        for keys in candidates:
            found = _with_free(fleet_model, numbers, free | set(keys), time_limit_s)
            if found is not None:
                tried[keys] = found
            if not done:
                alone[keys] = start.objective - (found.objective if found is not None else start.objective)
        winner = min(tried, key=lambda keys: (tried[keys].objective, keys), default=None)
        if winner is None or last.objective - tried[winner].objective < WORTH_EUR:
            break
        free |= set(winner)
        text = _in_words(fleet_model, last, tried[winner])
        last = tried[winner]
        saved = start.objective - last.objective
        done.append(Change(winner, text, alone[winner], saved, saved / gap_eur, fleet_model.emissions_t(last)))
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


def _with_free(
    fleet_model: FleetModel, numbers: Mapping[str, Mapping[Key, int]], free: set[Key], time_limit_s: float
) -> Solution | None:
    """The best plan with every truck number held but the free ones; None if none was found in time."""
    edit = FormEdit(fleet_model.form)
    for key, columns in fleet_model.trucks.items():
        if key not in free:
            value = float(numbers[TRUCK][key])
            edit.row(f"hold{list(key)}", columns, [1.0] * len(columns), low=value, up=value)
    try:
        return fleet_model.solve(edit, time_limit_s=time_limit_s, gap=GAP)
    except NoPlan:
        return None


def _in_words(fleet_model: FleetModel, before: Solution, after: Solution) -> str:
    """What became of the numbers, as `Umeå depot 2030: 6 BAT400 become 2, 6 DIESEL become 10`."""
    one, two = numbers_in(fleet_model, before), numbers_in(fleet_model, after)
    years = [period.year for period in fleet_model.instance.periods]
    names = dict(
        zip(
            fleet_model.instance["fleet_regions"]["fleet_region"],
            fleet_model.instance["fleet_regions"]["name"],
            strict=True,
        )
    )
    names |= dict(
        zip(
            fleet_model.instance["charge_areas"]["charge_area"],
            fleet_model.instance["charge_areas"]["name"],
            strict=True,
        )
    )
    groups: dict[tuple[str, int], list[str]] = {}
    for what, numbers in two.items():
        for key, number in sorted(numbers.items()):
            if number != one[what][key]:
                words = f"{one[what][key]} {key[1]} become {number}"
                groups.setdefault((names.get(key[0], key[0] or "projects"), years[key[2]]), []).append(words)
    return "; ".join(f"{place} {year}: {', '.join(words)}" for (place, year), words in groups.items()) or "other routes"
