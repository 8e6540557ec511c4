"""Key figures of a run and the comparisons with its bars that the report is built from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from nbb_opt.emissions.outside import outside_freight
from nbb_opt.instance import Instance
from nbb_opt.report.grid import amounts, each
from nbb_opt.result import Run, emissions_t

FLOW = ["origin", "destination", "commodity"]
SHIFT_BOUND_SHARE = 0.036
SHIFT_BOUND_SOURCE = "Pinchasik, Hovi et al. 2020, Sustainability 12(3) 894"

# components of the cost that are no cash, and what is left at the horizon
NO_CASH = {
    "cargo_time": "time of the goods", "mode_constant": "mode constants", "carbon": "carbon payments",
    "added_carbon_price": "carbon payments", "emission_weight": "weight on emissions",
}  # fmt: skip
COST_PARTS = ("cash", *dict.fromkeys(NO_CASH.values()), "residual value")

Tables = Mapping[str, pd.DataFrame]


def key_figures(instance: Instance, run: Run) -> dict[str, Any]:
    """Give the figures of the headline: plain numbers, years as keys, EUR, t CO2e per year, tonnes per year.

    Keys: ``cost_eur``, ``cost_baseline_eur``, ``emissions_t_co2e``, ``emissions_baseline_t_co2e``, ``shifted_t``,
    ``shifted_back_t``, ``battery_trucks``, ``trucks``, ``investments_eur`` (undiscounted; projects, chargers,
    vehicles), ``projects_built`` [(project, name, year)], ``chargers_installed``, ``modal_split_tkm``,
    ``modal_split_baseline_tkm``, ``gap``, ``bound_eur``, ``verified``, ``cost_parts_eur`` (see `cost_parts_eur`), and
    ``bars`` {name: {``cost_eur``, ``cost_parts_eur``, ``emissions_t_co2e``, ``battery_trucks``,
    ``projects_eur``, ``gap``}} of the frozen plan and the reference. Figures of the
    baseline, the last of the bars, are ``None`` or empty where there is none.
    """
    years = [period.year for period in instance.periods]
    record, tables, baseline = run.record, run.tables, run.baseline
    moved = shifts(run, by=["main_mode"])
    from_road = moved[(moved["from_main_mode"] == "road") & (moved["to_main_mode"] != "road")]
    to_road = moved[(moved["from_main_mode"] != "road") & (moved["to_main_mode"] == "road")]
    trucks = trucks_by_technology(instance, tables)
    return {
        "cost_eur": float(record["cost_eur"]),
        "cost_baseline_eur": float(run.said_of(run.against)["cost_eur"]) if run.against else None,
        "emissions_t_co2e": _by_year(emissions_t(tables), years),
        "emissions_baseline_t_co2e": _by_year(emissions_t(baseline), years) if baseline else {},
        "shifted_t": _by_year(from_road.groupby("year")["tonnes"].sum(), years) if baseline else {},
        "shifted_back_t": _by_year(to_road.groupby("year")["tonnes"].sum(), years) if baseline else {},
        "battery_trucks": {year: int(trucks[year].get("battery", 0)) for year in years},
        "trucks": trucks,
        "investments_eur": investments_eur(tables),
        "projects_built": [(row.project, row.name, row.year) for row in each(projects_built(instance, tables))],
        "chargers_installed": int(tables["chargers"]["installed"].sum()),
        "modal_split_tkm": _nested(tkm_by_mode(instance, tables), years),
        "modal_split_baseline_tkm": _nested(tkm_by_mode(instance, baseline), years) if baseline else {},
        "gap": record.get("gap"),
        "bound_eur": record.get("bound"),
        "verified": bool(record.get("verified", False)),
        "cost_parts_eur": cost_parts_eur(instance, tables),
        "bars": {
            bar: {
                "cost_eur": float(run.said_of(bar)["cost_eur"]),
                "cost_parts_eur": cost_parts_eur(instance, of_bar),
                "emissions_t_co2e": _by_year(emissions_t(of_bar), years),
                "battery_trucks": {
                    year: kinds.get("battery", 0) for year, kinds in trucks_by_technology(instance, of_bar).items()
                },
                "gap": run.said_of(bar).get("gap"),
                "projects_eur": _projects_eur(of_bar),
            }
            for bar, of_bar in run.bars.items()
        },
    }


def _projects_eur(tables: Tables) -> float:
    """Give the present value of what projects cost, less what is left of them at the horizon."""
    rows = tables["costs"]
    return float(rows.loc[rows["component"].str.startswith("project_"), "discounted_eur"].sum())


def cost_parts_eur(instance: Instance, tables: Tables) -> dict[str, float]:
    """Give the present value of COST_PARTS: what is paid in cash, what is no cash, and what is left at the horizon
    (negative); together they are the system cost.
    """
    rows, last = tables["costs"], instance.periods[-1]
    part = rows["component"].map(NO_CASH).astype("object")
    part = part.fillna("cash").mask(rows["year"] == last.year + last.years, "residual value")
    found = rows["discounted_eur"].groupby(part).sum()
    return {name: float(found.get(name, 0.0)) for name in COST_PARTS}


def outside(instance: Instance, year: int) -> tuple[float, float]:
    """Give t per year, and WTW t CO2e per year, of freight without a choice of mode in the period of `year`."""
    rows = outside_freight(instance).query("year == @year")
    return float(rows["tonnes"].sum()), float((rows["ttw_kg"] + rows["wtt_kg"]).sum()) / 1e3


def with_outside(instance: Instance, run: Run) -> Run:
    """Give the run with freight without a choice of mode counted in its emissions and in those of its bars.

    For a report whose percentages count it; such a run is no plan to verify. Tonne-km and costs stay without it.
    """
    rows = outside_freight(instance)

    def more(tables: Tables) -> dict[str, pd.DataFrame]:
        own = tables["emissions"]
        added = rows.assign(energy_carrier="")[list(own.columns)]
        return {**tables, "emissions": pd.concat([own, added], ignore_index=True)}

    bars = {bar: more(tables) for bar, tables in run.bars.items()}
    return replace(run, record={**run.record, "outside": True}, tables=more(run.tables), bars=bars)


def investments_eur(tables: Tables) -> dict[str, float]:
    """Give what is invested over all periods, EUR, undiscounted."""
    paid = tables["costs"].groupby("component")["amount_eur"].sum()
    names = {"projects": "project_purchase", "chargers": "charger_purchase", "vehicles": "fleet_purchase"}
    return {word: float(paid.get(component, 0.0)) for word, component in names.items()}


def chain_km(instance: Instance, tables: Tables) -> pd.DataFrame:
    """Give km of every chain by mode: chain, mode, km."""
    steps = tables["chain_steps"]
    lanes = steps[steps["kind"] == "lane"]
    lane_km = lanes["lane"].map(tables["lanes"].set_index("lane")["distance_km"]).astype("float64")
    links = steps[steps["kind"] == "link"]
    link_km = links["link"].map(instance["links"].set_index("link")["distance_km"]).astype("float64")
    both = pd.concat(
        [
            pd.DataFrame({"chain": lanes["chain"], "mode": "road", "km": lane_km}),
            pd.DataFrame({"chain": links["chain"], "mode": links["mode_a"], "km": link_km}),
        ]
    )
    return both.groupby(["chain", "mode"])["km"].sum().reset_index()


def tkm_by_flow(instance: Instance, tables: Tables) -> pd.DataFrame:
    """Give tonne-km by origin, destination, commodity, year and mode."""
    km = chain_km(instance, tables)
    keyed = tables["chains"][["chain", "bundle"]].merge(tables["bundles"], on="bundle")
    rows = tables["flows"].merge(km, on="chain").merge(keyed, on="chain")
    rows = rows.assign(tkm=rows["tonnes"] * rows["km"])
    return rows.groupby([*FLOW, "year", "mode"])["tkm"].sum().reset_index()


def tkm_by_mode(instance: Instance, tables: Tables) -> pd.Series:
    """Give tonne-km per year by (year, mode)."""
    rows = tables["flows"].merge(chain_km(instance, tables), on="chain")
    return (rows["tonnes"] * rows["km"]).groupby([rows["year"], rows["mode"]]).sum()


def tonnes_by_chain_kind(tables: Tables, by: list[str]) -> pd.Series:
    """Give tonnes per year by origin, destination, commodity, year and the columns `by` of chains."""
    keyed = tables["chains"][["chain", "bundle", *by]].merge(tables["bundles"], on="bundle")
    return tables["flows"].merge(keyed, on="chain").groupby([*FLOW, "year", *by])["tonnes"].sum()


def shifts(run: Run, *, by: list[str]) -> pd.DataFrame:
    """Give what moved between the baseline and the plan: flow, year, from_..., to_..., tonnes.

    What a flow loses on its old ways is spread over its new ways in proportion. No rows without a baseline.
    """
    columns = [*FLOW, "year", *(f"from_{c}" for c in by), *(f"to_{c}" for c in by), "tonnes"]
    if not run.baseline:
        return pd.DataFrame({c: pd.Series(dtype="float64" if c in ("year", "tonnes") else "str") for c in columns})
    change = tonnes_by_chain_kind(run.tables, by).sub(tonnes_by_chain_kind(run.baseline, by), fill_value=0.0)
    rows = change.rename("tonnes").reset_index()
    rows.loc[rows["tonnes"].abs() < 1e-6, "tonnes"] = 0.0
    key = [*FLOW, "year"]
    more, less = rows[rows["tonnes"] > 0], rows[rows["tonnes"] < 0]
    gained = more.assign(share=more["tonnes"] / more.groupby(key)["tonnes"].transform("sum")).drop(columns="tonnes")
    gained = gained.rename(columns={c: f"to_{c}" for c in by})
    lost = less.assign(tonnes=-less["tonnes"]).rename(columns={c: f"from_{c}" for c in by})
    pairs = lost.merge(gained, on=key)
    pairs["tonnes"] = pairs["tonnes"] * pairs.pop("share")
    return pairs[columns].sort_values("tonnes", ascending=False, ignore_index=True)


def trucks_by_technology(instance: Instance, tables: Tables) -> dict[int, dict[str, int]]:
    """Give trucks in service by year and technology."""
    vehicles = instance["vehicles"]
    technology = vehicles[vehicles["mode"] == "road"].set_index("vehicle")["technology"]
    fleet = tables["fleet"]
    count = fleet["kept"].groupby([fleet["year"], fleet["vehicle"].map(technology)]).sum()
    found: dict[int, dict[str, int]] = {period.year: {} for period in instance.periods}
    for (year, name), kept in amounts(count):
        if kept:
            found[int(year)][str(name)] = int(kept)
    return found


def projects_built(instance: Instance, tables: Tables) -> pd.DataFrame:
    """Give the projects built: project, name, year, units, in order of year."""
    built = tables["projects"][tables["projects"]["newly_built"] > 0]
    name = instance["projects"].set_index("project")["name"]
    rows = pd.DataFrame(
        {
            "project": built["project"],
            "name": built["project"].map(name).astype("str"),
            "year": built["year"],
            "units": built["newly_built"],
        }
    )
    return rows.sort_values(["year", "project"], ignore_index=True)


def ideas_built(instance: Instance, run: Run) -> dict[str, float]:
    """Give what the plan builds beyond what is committed: EUR by name of the project, the dearest first."""
    table = instance["projects"].set_index("project")
    built = projects_built(instance, run.tables)
    built = built[built["project"].map(table["status"]).isin(["", "idea"])]
    eur = built["units"] * built["project"].map(table["capex_eur"])
    return dict(amounts(eur.groupby(built["name"]).sum().sort_values(ascending=False)))


def shift_effect(instance: Instance, run: Run) -> tuple[dict[int, float], pd.DataFrame]:
    """Estimate what changing modes alone saves: share of the baseline's emissions by year, and kg by flow and year.

    Each flow's change in tonne-km by mode is multiplied by that mode's mean emissions per tonne-km in the
    baseline (in the plan, for a mode that the baseline does not use). Cleaner vehicles therefore do not count.
    """
    empty = pd.DataFrame({**{c: pd.Series(dtype="str") for c in FLOW}, "year": [], "saved_kg": []})
    if not run.baseline:
        return {}, empty
    before, after = tkm_by_flow(instance, run.baseline), tkm_by_flow(instance, run.tables)
    key = [*FLOW, "year", "mode"]
    change = after.set_index(key)["tkm"].sub(before.set_index(key)["tkm"], fill_value=0.0).rename("tkm").reset_index()
    per_tkm = _kg_per_tkm(run.baseline, before).combine_first(_kg_per_tkm(run.tables, after)).rename("kg_per_tkm")
    rows = change.merge(per_tkm.reset_index(), on=["year", "mode"], how="left")
    rows["saved_kg"] = -rows["tkm"] * rows["kg_per_tkm"].fillna(0.0)
    by_flow = rows.groupby([*FLOW, "year"])["saved_kg"].sum().reset_index()
    total_kg = emissions_t(run.baseline) * 1e3
    share = by_flow.groupby("year")["saved_kg"].sum() / total_kg
    return {int(year): float(part) for year, part in amounts(share) if np.isfinite(part)}, by_flow


def drawn_tonnes(instance: Instance, tables: Tables, year: int) -> pd.Series:
    """Give the same as `link_tonnes` with freight without a choice of mode."""
    beside = outside_freight(instance).query("year == @year").groupby("link")["tonnes"].sum()
    both = link_tonnes(tables, year).add(beside, fill_value=0.0)
    return both[both > 0]


def link_tonnes(tables: Tables, year: int) -> pd.Series:
    """Give tonnes per year on every link used in a period, both ways together; index `link`."""
    flows = tables["flows"]
    steps = tables["chain_steps"].merge(flows.loc[flows["year"] == year, ["chain", "tonnes"]], on="chain")
    links = steps[steps["kind"] == "link"][["link", "tonnes"]]
    lanes = steps[steps["kind"] == "lane"][["lane", "tonnes"]].merge(tables["lane_links"][["lane", "link"]], on="lane")
    total = pd.concat([links, lanes[["link", "tonnes"]]]).groupby("link")["tonnes"].sum()
    return total[total > 0]


def charging_mw(instance: Instance, tables: Tables, year: int) -> pd.Series:
    """Give MW of chargers in service by charging area."""
    rows = tables["chargers"][tables["chargers"]["year"] == year]
    kw = rows["charger"].map(instance["chargers"].set_index("charger")["kw"]).astype("float64")
    return (kw * rows["in_service"] / 1e3).groupby(rows["charge_area"]).sum()


def _kg_per_tkm(tables: Tables, tkm: pd.DataFrame) -> pd.Series:
    rows = tables["emissions"]
    emitted_kg = (rows["ttw_kg"] + rows["wtt_kg"]).groupby([rows["year"], rows["mode"]]).sum()
    moved = tkm.groupby(["year", "mode"])["tkm"].sum()
    return (emitted_kg / moved[moved > 0]).dropna()


def _by_year(series: pd.Series, years: list[int]) -> dict[int, float]:
    return {year: float(series.get(year, 0.0)) for year in years}


def _nested(series: pd.Series, years: list[int]) -> dict[int, dict[str, float]]:
    found: dict[int, dict[str, float]] = {year: {} for year in years}
    for (year, mode), value in amounts(series):
        found[int(year)][str(mode)] = float(value)
    return found
