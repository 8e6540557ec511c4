"""The money of a fleet plan over time, beside a fleet of one kind of truck, and what it owes to each subsidy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import csc_array

from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance
from nbb_opt.instance.read import varied
from nbb_opt.instance.wording import did_you_mean, listed
from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import Steps
from nbb_opt.report.charts.charts import line_chart
from nbb_opt.report.grid import Cell, Column, Grid, Section, Style
from nbb_opt.report.study import Answer
from nbb_opt.report.text import meur
from nbb_opt.solve import Solution
from nbb_opt.studies.audit.charging_day import PLAIN
from nbb_opt.studies.audit.faults import judge
from nbb_opt.studies.audit.fleet_model import FleetModel, state_fleet_model
from nbb_opt.studies.audit.form_edit import INFINITE, FormEdit
from nbb_opt.studies.audit.hours import Hours
from nbb_opt.studies.audit.money import (
    NOT_CASH,
    Finance,
    cash_flow,
    cumulative_eur,
    energy_clause,
    financed,
    present_eur,
    quotes,
    truck_lives,
)
from nbb_opt.studies.audit.one_truck import KWH_PER_LITRE
from nbb_opt.studies.audit.ownership import lane_costs, ownership
from nbb_opt.studies.audit.plan import FleetPlan, read_plan
from nbb_opt.studies.audit.works import Works

RULES = (
    "cap_emissions",
    "cap_technology",
    "require_zero_emission",
    "ban_purchase",
)  # a fleet to compare with may break
WORDS = {
    "service": "ferries and charges", "road_energy": "energy", "road_running": "tyres, repair, tolls",
    "public_charging": "charging at others'", "fleet_fixed": "insurance and tax of trucks",
    "charger_fixed": "upkeep of chargers", "fleet_purchase": "trucks bought", "fleet_grant": "subsidies",
    "fleet_resale": "trucks sold, and their value at the end", "charger_purchase": "chargers bought",
    "charger_residual": "value of chargers at the end", "project_purchase": "grid and other projects",
    "project_residual": "value of projects at the end", "cargo_time": "time of the goods (paid by nobody)",
}  # fmt: skip


def money_over_time(
    instance: Instance,
    plan_file: Path,
    *,
    finance: Finance,
    against: str = "DIESEL",
    options: SolveOptions | None = None,
    cache_dir: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Answer:
    """Cash by year of a plan, or of its smallest repair if it cannot work, beside a fleet that buys one truck only.

    Tables: `years` (cash and cumulative cash of both), `cash` (by component), `trucks` (when each goes, what it brings,
    what replaces it), `subsidies` (what the plan costs more without each), `quotes`, `clause`. Figures: `cost_eur` is
    that of the plan, `present_eur` of what is paid as financed. Raises what `audit` raises, and NbbError for a truck
    that is not there.
    """
    fleet_model = state_fleet_model(instance, steps=Steps(options or SolveOptions()), cache_dir=cache_dir)
    names = fleet_model.built.data.trucks.names.ids
    finance.check_names(names)
    if against not in names:
        raise NbbError(
            f"against: {against!r} is no truck ({did_you_mean(against, names) or f'one of {listed(names, 99)}'})"
        )
    plan = read_plan(plan_file, instance, fleet_model.prepared.bundles, note=say)
    works = Works(fleet_model, plan, Hours(fleet_model, PLAIN))
    if works.faults:
        say(f"{len(works.faults)} faults; the nearest plan that works")
    solution = works.verified()
    tables = fleet_model.tables(solution)
    say(f"a fleet that buys {against} only")
    other, broken = only(fleet_model, against)
    data, end = fleet_model.built.data, fleet_model.built.data.time.horizon_year
    first, rate = int(data.time.years[0]), instance.meta.discount_rate
    lives = truck_lives(fleet_model, tables["fleet"])
    own = cash_flow(fleet_model, tables["costs"])
    cash = financed(own, lives, finance, end_year=end)
    beside = fleet_model.tables(other)
    lives_beside = truck_lives(fleet_model, beside["fleet"])
    cash_beside = financed(cash_flow(fleet_model, beside["costs"]), lives_beside, finance, end_year=end)
    bought = {
        *lives.loc[lives["bought_year"].notna(), "vehicle"],
        *lives_beside.loc[lives_beside["bought_year"].notna(), "vehicle"],
    }
    leases = finance.lease_eur_per_month
    unused = [name for name in leases if name not in bought]
    finance = replace(finance, lease_eur_per_month={name: eur for name, eur in leases.items() if name in bought})
    span = list(range(first, end + 1))
    years = pd.DataFrame({
        "year": span, **{
            name: values for label, flow in (("plan", cash), ("other", cash_beside))
            for total in [cumulative_eur(flow, span)]
            for name, values in ((f"{label}_eur", np.diff(total, prepend=0.0)), (f"{label}_cumulative_eur", total))
        },
    })  # fmt: skip
    quoted = quotes(fleet_model, ownership(fleet_model, solution, lane_costs(fleet_model)))
    whole = quoted[quoted["vehicle"] == "all"]
    clause = energy_clause(fleet_model, tables["energy"], whole, kwh_per_l=KWH_PER_LITRE)
    subsidies = without_subsidies(instance, works.plan, solution, tables, options=options, say=say)
    cash = cash.assign(
        present_eur=cash["eur"] * (1 + rate) ** -(cash["year"] - first).astype(float),
        paid=~cash["component"].isin(NOT_CASH),
    )
    paid = cash[cash["paid"]]
    figures = {
        "cost_eur": solution.objective, "other_cost_eur": other.objective, "repaired": bool(works.faults),
        "present_eur": present_eur(paid, rate=rate, year=first), "finance": finance.text, "against": against,
        "rules_the_other_breaks": broken, "leases_of_nothing": unused,
    }  # fmt: skip
    return Answer(
        instance=instance, name="money", title="Money over time", description=f"Plan {plan_file.name}, {finance.text}.",
        sentences=_sentences(years, lives, subsidies, quoted, clause, figures, faults=len(works.faults)),
        tables={"years": years, "cash": cash, "trucks": lives, "subsidies": subsidies, "quotes": quoted,
                "clause": clause},
        figures=figures, shown=[years, lives.drop(columns=["purchase_eur", "grant_eur"])], sections=_sections,
    )  # fmt: skip


def only(fleet_model: FleetModel, vehicle: str) -> tuple[Solution, list[str]]:
    """The best plan that buys no truck but one, and the rules on emissions and technologies that it breaks."""
    data, start = fleet_model.built.data, fleet_model.built.start
    edit, v = FormEdit(fleet_model.form), int(data.trucks.names.of([vehicle])[0])
    for i, pair in enumerate(data.stock.bought_pair.tolist()):
        if data.stock.vehicle[pair] != v:
            edit.fix(start["bought"] + i, 0.0)
    rules = [(family, key, row) for family in RULES for key, row in fleet_model.rows.get(family, [])]
    bounds = [(edit.row_low[row], edit.row_up[row]) for _, _, row in rules]
    for _, _, row in rules:
        edit.row_low[row], edit.row_up[row] = -INFINITE, INFINITE
    found, form = fleet_model.solve(edit, label=f"{vehicle} only"), fleet_model.form
    matrix = csc_array((form.a_values, form.a_indices, form.a_indptr), shape=(len(form.row_low), len(form.cost)))
    amounts = np.asarray(matrix @ found.values[: len(form.cost)])
    broken = [
        " ".join(map(str, key))
        for (_, key, row), (low, up) in zip(rules, bounds, strict=True)
        if not low - 1e-6 * max(1, abs(low)) <= amounts[row] <= up + 1e-6 * max(1, abs(up))
    ]
    return found, broken


def without_subsidies(
    instance: Instance, plan: FleetPlan, solution: Solution, tables: Mapping[str, pd.DataFrame], *,
    options: SolveOptions | None, say: Callable[[str], None],
) -> pd.DataFrame:  # fmt: skip
    """What the plan costs more without each subsidy of the instance that it has any of, run at least cost.

    Columns subsidy, kind, country, technology, first_year, last_year, value, more_eur (present value), source.
    """
    frame, rows = instance["subsidies"], []
    kinds = instance["vehicles"].set_index("vehicle")["technology"]
    country = instance["fleet_regions"].set_index("fleet_region")["country"]
    new = tables["fleet"][tables["fleet"]["bought"] > 0]
    new = new.assign(country=new["fleet_region"].map(country), technology=new["vehicle"].map(kinds))
    tolls = instance["links"][(instance["links"]["mode"] == "road") & (instance["links"]["toll_eur_per_vkm"] > 0)]
    driven = {kinds[name] for name in tables["driven"]["vehicle"].unique().tolist()}
    for row in frame.to_dict("records"):
        lasts = new["year"].astype(int).between(row["first_year"], row["last_year"])
        granted = lasts & (new["country"] == row["country"]) & (new["technology"] == row["technology"])
        spared = row["technology"] in driven and row["country"] in set(tolls["country"])
        if not (spared if row["kind"] == "toll_exemption_share" else granted.any()):
            continue
        say(f"the plan without {row['subsidy']}")
        ended = frame.assign(value=frame["value"].mask(frame["subsidy"] == row["subsidy"], 0.0))
        again = state_fleet_model(varied(instance, {"subsidies": ended}), steps=Steps(options or SolveOptions()))
        cost_eur = judge(again, plan).solution.objective
        kept = ("subsidy", "kind", "country", "technology", "first_year", "last_year", "value", "source")
        rows.append({**{name: row[name] for name in kept}, "more_eur": cost_eur - solution.objective})
    columns = ["subsidy", "kind", "country", "technology", "first_year", "last_year", "value", "more_eur", "source"]
    return pd.DataFrame(rows, columns=columns)


def _sentences(
    years: pd.DataFrame, lives: pd.DataFrame, subsidies: pd.DataFrame, quoted: pd.DataFrame, clause: pd.DataFrame,
    figures: dict, *, faults: int,
) -> list[str]:  # fmt: skip
    last, against = years.iloc[-1], figures["against"]
    first = quoted[quoted["vehicle"] == "all"].iloc[0]
    ahead = (years["plan_cumulative_eur"] <= years["other_cumulative_eur"]).to_numpy()
    less_eur = last["other_cumulative_eur"] - last["plan_cumulative_eur"]
    words = [
        f"The plan as written cannot work ({faults} faults, see nbb-opt audit); this is its smallest repair."
    ] if faults else []  # fmt: skip
    words.append(
        f"The plan costs {meur(figures['cost_eur'])}, net present value. Paid by {int(last['year'])}: "
        f"{meur(last['plan_cumulative_eur'])} ({figures['finance']}), {meur(abs(less_eur))} "
        f"{'less' if less_eur >= 0 else 'more'} than by a fleet that buys {against} only."
    )
    if ahead[-1] and not ahead.all():
        since = int(years["year"].iloc[len(ahead) - int(np.argmin(ahead[::-1]))])
        words.append(f"From {since} on it has paid less than that fleet, and stays ahead.")
    if figures["rules_the_other_breaks"]:
        words.append(f"That fleet would break the rule {listed(figures['rules_the_other_breaks'], 3)}.")
    words.append(
        f"In {first['year']} a km costs {first['eur_per_km']:.2f} EUR, a tonne {first['eur_per_t']:.2f} EUR, "
        f"an hour {first['eur_per_h']:.0f} EUR, trucks, drivers and chargers included."
    )
    for row in clause[clause["energy_carrier"] == "diesel"].head(1).to_dict("records"):
        words.append(
            f"Diesel clause {row['year']}: diesel is {100 * row['share_of_cost']:.0f} % of the cost; if it is 10 % "
            f"dearer a km costs {row['eur_per_km_per_10_percent']:.3f} EUR more, 0.10 EUR a litre more is "
            f"{row['eur_per_km_per_10_cent_a_l']:.3f} EUR a km."
        )
    if unused := figures["leases_of_nothing"]:
        words.append(f"The plan buys no {listed(unused, 9)}: nothing of that is leased.")
    for row in subsidies.to_dict("records"):
        words.append(
            f"{row['subsidy']} ({row['country']}, {int(row['first_year'])} to {int(row['last_year'])}) is worth "
            f"{row['more_eur']:,.0f} EUR to the plan: so much more it costs if the subsidy ends before."
        )
    if subsidies.empty:
        words.append("The plan has nothing of any subsidy: none holds where and when its trucks are bought.")
    gone = lives[lives["leaves"] != "in service at the end"]
    if len(gone):
        words.append(
            f"{gone['trucks'].sum():g} trucks go by {int(gone['leaves_year'].max())}; the table trucks has when."
        )
    return words


def _cells(frame: pd.DataFrame) -> list[list[Cell]]:
    return [[None if pd.isna(cell) else cell for cell in row] for row in frame.itertuples(index=False)]


def _columns(*titles: tuple[str, Style, str]) -> list[Column]:
    return [Column(*title) for title in titles]


def _sections(found: Answer) -> list[Section]:
    years, cash, trucks = found.years, found.cash, found.trucks
    against = found.figures["against"]
    lines = {
        name: [(float(x), float(y) / 1e6) for x, y in zip(years["year"], years[f"{name}_cumulative_eur"], strict=True)]
        for name in ("plan", "other")
    }
    drawing = line_chart(
        lines["plan"], across="year", up="MEUR", key="cash", name="The plan", others={f"{against} only": lines["other"]}
    )
    flow = cash[cash["paid"]].pivot_table(index="component", columns="year", values="eur", aggfunc="sum", fill_value=0)
    by_year: list[list[Cell]] = [
        [WORDS.get(str(name), str(name).replace("_", " ")), *(float(eur) / 1e3 for eur in row)]
        for name, row in zip(flow.index, flow.to_numpy(), strict=True)
    ]
    total: list[Cell] = ["all", *(float(eur) / 1e3 for eur in flow.sum())]
    flow_columns = [Column("kEUR"), *(Column(str(year), "number") for year in flow.columns)]
    life = _columns(
        ("Depot", "text", ""), ("Truck", "text", ""), ("New in", "year", ""), ("Trucks", "count", ""),
        ("Bought", "year", ""), ("Goes", "year", ""), ("Life ends", "year", ""), ("How", "text", ""),
        ("Price", "number", "EUR"), ("Subsidy", "number", "EUR"), ("Brings", "number", "EUR"),
        ("The depot buys", "text", ""),
    )  # fmt: skip
    support = _columns(
        ("Subsidy", "text", ""), ("Kind", "text", ""), ("Country", "text", ""), ("For", "text", ""),
        ("From", "year", ""), ("To", "year", ""), ("Share or EUR", "number", ""),
        ("More without it", "number", "EUR"), ("Source", "text", ""),
    )  # fmt: skip
    quote = _columns(
        ("Period", "year", ""), ("Truck", "text", ""), ("Trucks", "count", ""), ("km a year", "number", ""),
        ("Tonnes a year", "number", ""), ("Hours a year", "number", ""), ("EUR a year", "number", ""),
        ("Price", "decimal", "EUR/km"), ("Price", "decimal", "EUR/t"), ("Price", "decimal", "EUR/h"),
    )  # fmt: skip
    clause = _columns(
        ("Period", "year", ""), ("Energy", "text", ""), ("kWh a year", "number", ""), ("EUR a year", "number", ""),
        ("Share of the cost", "percent", "%"), ("A km if it is 10 % dearer", "number", "EUR"),
        ("A km if diesel is 0.10 EUR/l dearer", "number", "EUR"),
    )  # fmt: skip
    return [
        Section(
            "Cash paid so far", "The last point counts what trucks, chargers and projects are worth then; nothing is "
            "discounted.", [Grid("Cash by year", flow_columns, [*by_year, total], first=30, total_row=True)], drawing,
        ),
        Section("When each truck goes", "A truck works through the period in which its life ends; it brings its resale "
                "value, or its value at the end.", [Grid("Trucks", life, _cells(trucks))]),
        Section("Subsidies", "What the plan costs more, in present value, if each is not paid at all.",
                [Grid("Subsidies", support, _cells(found.subsidies))]),
        Section("Prices as the trade quotes them", "Purchase paid back over its life, all that a truck needs included.",
                [Grid("Prices", quote, _cells(found.quotes)), Grid("Energy clause", clause, _cells(found.clause))]),
    ]  # fmt: skip
