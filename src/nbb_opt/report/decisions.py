"""What the plan decides and where it strains: projects, vehicles, chargers, shifts, full capacities, policies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from nbb_opt.instance import Instance, by_period
from nbb_opt.instance.schema import BY_NAME, EFFECT_COLUMNS, ZERO_EMISSION
from nbb_opt.report.grid import Cell, Column, Grid, amounts, each
from nbb_opt.report.kpis import charging_mw, projects_built, shift_effect, shifts
from nbb_opt.report.movements import over_quays
from nbb_opt.report.text import MODE_WORDS, NO_BREAK, TECHNOLOGY_WORDS, listed, plain
from nbb_opt.result import Run, emissions_t

FULL_SHARE = 0.98
PROJECT_WORDS = {
    "new_link": "new link",
    "capacity": "more capacity",
    "electrify": "electrification",
    "terminal": "terminal",
    "grid": "grid connection",
    "charging_hub": "charging hub",
    "speed": "higher speed",
    "customs": "customs",
}
Tables = Mapping[str, pd.DataFrame]


def names_of(instance: Instance, table: str, key: str) -> dict[str, str]:
    """Give the name of every row of a table that has names."""
    frame = instance[table]
    return dict(zip(frame[key], frame["name"], strict=True))


def project_grid(instance: Instance, run: Run) -> Grid:
    """List the projects built, numbered as on the map."""
    projects = instance["projects"].set_index("project")
    funding = instance["project_funding"]
    rows: list[list[str | float | int | None]] = []
    for i, built in enumerate(each(projects_built(instance, run.tables)), start=1):
        project = projects.loc[built.project]
        shares = funding[funding["project"] == built.project]
        payers = ", ".join(f"{row.country} {row.share * 100:.0f} %".replace(" ", NO_BREAK) for row in each(shares))
        kind = PROJECT_WORDS.get(str(project["kind"]), str(project["kind"]))
        where = where_of_project(instance, str(built.project))
        capex = float(project["capex_eur"]) * int(built.units) / 1e6
        rows.append([i, str(built.name), kind, where, int(built.year), int(built.units), capex, payers or "not stated"])
    columns = (
        Column("No.", "count"),
        Column("Project"),
        Column("What"),
        Column("Where"),
        Column("In service from", "year"),
        Column("Units", "count"),
        Column("Investment", "meur", "MEUR"),
        Column("Who pays"),
    )
    return Grid("Projects built", columns, rows, first=40, name="Projects built")


def where_of_project(instance: Instance, project: str) -> str:
    """Say in words where a project is."""
    node_names = names_of(instance, "nodes", "node")
    node = instance["projects"].set_index("project").at[project, "node"]
    if node:
        return node_names[str(node)]
    links = instance["links"]
    own = links[links["project"] == project]
    effects = instance["project_effects"]
    changed = effects[effects["project"] == project]
    if own.empty:
        own = links[links["link"].isin(changed.loc[changed["table"] == "links", "row"])]
    if len(own):
        return f"{node_names[str(own.iloc[0]['from_node'])]} – {node_names[str(own.iloc[-1]['to_node'])]}"
    return ", ".join(sorted({name_of_row(instance, row) for row in changed["row"]}))


def vehicle_grid(instance: Instance, run: Run) -> Grid:
    """List the trucks bought by region, type and period."""
    fleet = run.tables["fleet"]
    bought = fleet[(fleet["bought"] > 0) & (fleet["vintage_year"] == fleet["year"])]
    price = by_period(instance, "vehicle_years").set_index(["vehicle", "year"])["capex_eur"]
    vehicles = instance["vehicles"].set_index("vehicle")
    regions = names_of(instance, "fleet_regions", "fleet_region")
    rows: list[list[str | float | int | None]] = []
    for row in each(bought.sort_values(["year", "fleet_region", "vehicle"])):
        vehicle = vehicles.loc[row.vehicle]
        technology = TECHNOLOGY_WORDS.get(str(vehicle["technology"]), str(vehicle["technology"]))
        cost = float(price.loc[(row.vehicle, row.year)]) * int(row.bought) / 1e6
        region = regions[str(row.fleet_region)]
        rows.append([int(row.year), region, str(vehicle["name"]), technology, int(row.bought), cost])
    columns = (
        Column("Period from", "year"),
        Column("Fleet region"),
        Column("Truck"),
        Column("Technology"),
        Column("Bought", "count"),
        Column("Purchase", "meur", "MEUR"),
    )
    return Grid("Trucks bought", columns, rows, name="Trucks bought")


def fuel_grid(instance: Instance, run: Run) -> Grid:
    """List the fuels taken in instead of the vehicles' own, with what that costs and spares."""
    rules = {row.substitute: row for row in each(instance["fuel_substitutes"])}
    figures = {(row.energy_carrier, row.country, row.year): row for row in each(by_period(instance, "energy"))}
    countries = names_of(instance, "countries", "country")
    rows: list[list[str | float | int | None]] = []
    for row in each(run.tables["fuels"].sort_values(["substitute", "country", "year"])):
        rule, kwh = rules[row.substitute], float(row.replaced_kwh)
        own, other = (figures[carrier, row.country, row.year] for carrier in (rule.replaces, rule.energy_carrier))
        eur = kwh * (rule.kwh_per_kwh * other.price_eur_per_kwh - own.price_eur_per_kwh)
        kg = kwh * (own.ttw_kg_co2e_per_kwh + own.wtt_kg_co2e_per_kwh)
        kg -= kwh * rule.kwh_per_kwh * (other.ttw_kg_co2e_per_kwh + other.wtt_kg_co2e_per_kwh)
        each_t = 1000 * eur / kg if kg > 0 else None
        fuels = [plain(str(rule.energy_carrier)), plain(str(rule.replaces))]
        where: list[str | int] = [MODE_WORDS[rule.mode], countries[row.country], int(row.year)]
        rows.append([*fuels, *where, kwh / 1e6, eur / 1e6, kg / 1e6, each_t])
    columns = (
        Column("Fuel"),
        Column("Instead of"),
        Column("By"),
        Column("Where"),
        Column("Period from", "year"),
        Column("Replaced", "decimal", "GWh a year"),
        Column("Dearer by", "meur", "MEUR a year"),
        Column("CO2e less", "kt", "kt a year"),
        Column("Without carbon price", "number", "EUR per t"),
    )
    return Grid("Fuels taken in instead of the vehicles' own", columns, rows, name="Other fuels")


def charger_grid(instance: Instance, run: Run) -> Grid:
    """List the chargers installed by charging area, type and period."""
    kinds = instance["chargers"].set_index("charger")
    areas = names_of(instance, "charge_areas", "charge_area")
    installed = run.tables["chargers"][run.tables["chargers"]["installed"] > 0]
    rows: list[list[str | float | int | None]] = []
    for row in each(installed.sort_values(["year", "charge_area", "charger"])):
        kind = kinds.loc[row.charger]
        count = int(row.installed)
        rows.append(
            [
                int(row.year),
                areas[str(row.charge_area)],
                str(kind["name"]),
                count,
                count * float(kind["kw"]) / 1e3,
                count * float(kind["capex_eur"]) / 1e6,
            ]
        )
    columns = (
        Column("Period from", "year"),
        Column("Charging area"),
        Column("Charger"),
        Column("Installed", "count"),
        Column("Power", "decimal", "MW"),
        Column("Investment", "meur", "MEUR"),
    )
    return Grid("Chargers installed", columns, rows, name="Chargers installed")


def shift_grid(instance: Instance, run: Run, *, most: int = 60) -> Grid:
    """List the largest changes of transport chain against the baseline in the last period."""
    year = instance.periods[-1].year
    moved = shifts(run, by=["main_mode", "kind"])
    moved = moved[(moved["year"] == year) & (moved["from_main_mode"] != moved["to_main_mode"])].head(most)
    nodes = names_of(instance, "nodes", "node")
    goods = names_of(instance, "commodities", "commodity")
    rows = [
        [
            nodes[row.origin],
            nodes[row.destination],
            goods[row.commodity],
            _chain_words(row.from_main_mode, row.from_kind),
            _chain_words(row.to_main_mode, row.to_kind),
            row.tonnes / 1e3,
        ]
        for row in each(moved)
    ]
    columns = (
        Column("From"),
        Column("To"),
        Column("Goods"),
        Column(run.against.capitalize() or "Baseline"),
        Column("Plan"),
        Column("Moved", "kt", "kt a year"),
    )
    return Grid(f"Largest changes of mode in {year}", columns, rows, name="Mode changes")


def from_to_grid(instance: Instance, run: Run) -> Grid | None:
    """What moved from which mode to which in the last period with the CO2e that this saves, and what else saves.

    The CO2e of a flow (see `shift_effect`) is spread over its moves by tonnes; the rows add up to the whole difference.
    None where nothing is compared.
    """
    if not run.against:
        return None
    year, flow = instance.periods[-1].year, ["origin", "destination", "commodity"]
    saved = shift_effect(instance, run)[1]
    saved_t = saved[saved["year"] == year].set_index(flow)["saved_kg"] / 1e3
    moved = shifts(run, by=["main_mode"])
    moved = moved[(moved["year"] == year) & (moved["from_main_mode"] != moved["to_main_mode"])]
    share = moved["tonnes"] / moved.groupby(flow)["tonnes"].transform("sum")
    moved = moved.assign(saved_t=share * saved_t.reindex(pd.MultiIndex.from_frame(moved[flow])).fillna(0.0).to_numpy())
    pairs = moved.groupby(["from_main_mode", "to_main_mode"])[["tonnes", "saved_t"]].sum()
    pairs = pairs.sort_values("tonnes", ascending=False)
    cut_t = float(emissions_t(run.baseline)[year] - emissions_t(run.tables)[year])
    in_all, by_moves = float(saved_t.sum()), float(pairs["saved_t"].sum())
    rows: list[list[str | float | int | None]] = [
        [MODE_WORDS.get(before, before), MODE_WORDS.get(after, after), tonnes / 1e3, co2e_t / 1e3]
        for (before, after), tonnes, co2e_t in zip(pairs.index, *pairs.to_numpy().T.tolist(), strict=True)
    ]
    rows += [
        ["Same mode", "another way", None, (in_all - by_moves) / 1e3],
        ["Cleaner trucks, ships, trains and fuels", "", None, (cut_t - in_all) / 1e3],
        ["Total", "", float(pairs["tonnes"].sum()) / 1e3, cut_t / 1e3],
    ]
    columns = (
        Column("From"), Column("To"), Column("Moved", "number", "kt a year"),
        Column("Saves, CO2e", "number", "kt a year"),
    )  # fmt: skip
    note = (
        f"Against the {run.against} plan, by the main mode of each chain. What a change of mode saves is estimated "
        f"with the mean emissions of each mode in the {run.against} plan."
    )
    title = f"From which mode to which in {year}, and what saves CO2e"
    return Grid(title, columns, rows, note=note, total_row=True, name="From mode to mode")


def flow_grid(instance: Instance, run: Run) -> Grid:
    """List what every flow carries by main mode and period, in the plan and in what it is compared with."""
    nodes = names_of(instance, "nodes", "node")
    goods = names_of(instance, "commodities", "commodity")
    keys = ["origin", "destination", "commodity", "main_mode"]
    plans = [("plan", run.tables), ("compared with", run.baseline if run.against else None)]
    years = [period.year for period in instance.periods]
    carried = {}
    for label, tables in plans:
        if tables is None:
            continue
        found = tables["flows"].merge(tables["chains"], on="chain").merge(tables["bundles"], on="bundle")
        carried[label] = found.groupby([*keys, "year"])["tonnes"].sum().unstack("year").reindex(columns=years)
    table = pd.concat(carried, axis=1).fillna(0.0).swaplevel(axis=1)
    table = table.reindex(columns=[(year, label) for year in years for label, _ in plans]).sort_index()
    rows = [
        [nodes[origin], nodes[destination], goods[commodity], MODE_WORDS.get(mode, mode),
         *(None if math.isnan(t) else t / 1e3 for t in tonnes)]
        for (origin, destination, commodity, mode), tonnes in zip(table.index, table.to_numpy().tolist(), strict=True)
    ]  # fmt: skip
    columns = (
        *(Column(word) for word in ("From", "To", "Goods", "Main mode")),
        *(Column(f"{year}, {label}", "kt", "kt a year") for year in years for label, _ in plans),
    )
    return Grid("Flows by main mode", columns, rows, name="Flows by mode")


def _chain_words(mode: str, kind: str) -> str:
    word = MODE_WORDS.get(mode, mode)
    return word if kind in (mode, "") else f"{word} ({kind})"


def full_grid(instance: Instance, run: Run) -> Grid:
    """List every capacity of which more than 98 % is used."""
    use = run.tables["use"]
    full = use[(~use["unit"].str.startswith("kWh")) & (use["limit"] > 0) & (use["used"] > FULL_SHARE * use["limit"])]
    full = full.assign(share=full["used"] / full["limit"]).sort_values(["kind", "row", "year"])
    last = full.groupby(["kind", "row"], as_index=False).last()
    years = full.groupby(["kind", "row"])["year"].agg(list).tolist()  # in the order of `last`
    worst = sorted(zip(each(last), years, strict=True), key=lambda one: (one[0].kind, -len(one[1]), -one[0].share))
    rows: list[list[Cell]] = [
        [row.kind.replace("_", " "), name_of_row(instance, row.row), ", ".join(map(str, periods)), row.used, row.limit,
         row.unit, row.share]
        for row, periods in worst
    ]  # fmt: skip
    columns = (
        Column("Capacity"), Column("Of"), Column("Full in the periods from"), Column("Used", "number"),
        Column("Limit", "number"), Column("Unit"), Column("Share", "percent", "%"),
    )  # fmt: skip
    note = "Each kind with what is full for longest first; use and limit are of the last of the periods named. "
    note += "Capacities without a row here have room left. Chargers are sized to the need and are not listed."
    return Grid("Capacities in full use (more than 98 %)", columns, rows, note=note, name="Full capacities")


def port_grid(instance: Instance, run: Run) -> Grid:
    """List what ships and ferries take and leave at each place in the last period, with freight without a choice."""
    year = instance.periods[-1].year
    both = over_quays(instance, run.tables, year)
    both = both.assign(all=both["chosen"] + both["given"])
    both = both.sort_values(["all", "node"], ascending=[False, True])
    names = names_of(instance, "nodes", "node")
    rows = [[names[row.node], row.chosen / 1e3, row.given / 1e3, row.all / 1e3] for row in each(both)]
    columns = (
        Column("Place"), Column("With a choice of mode", "kt", "kt"), Column("Without", "kt", "kt"),
        Column("All", "kt", "kt"),
    )  # fmt: skip
    note = "Tonnes that a ship or ferry takes or leaves. Freight without a choice of mode is in no percentage."
    return Grid(f"Ports in {year}", columns, rows, note=note, name="Ports")


def name_of_row(instance: Instance, row: str) -> str:
    """Name the link, terminal, charging area, region or country behind a row of `use`."""
    links = instance["links"]
    link = links[links["link"] == row]
    if len(link):
        nodes = names_of(instance, "nodes", "node")
        ends = f"{nodes[str(link.iloc[0]['from_node'])]} – {nodes[str(link.iloc[0]['to_node'])]}"
        return f"{ends}, {MODE_WORDS[str(link.iloc[0]['mode'])].lower()}"
    tables = {
        "terminals": "terminal",
        "charge_areas": "charge_area",
        "fleet_regions": "fleet_region",
        "countries": "country",
        "projects": "project",
    }
    for table, key in tables.items():
        names = names_of(instance, table, key)
        if row in names:
            return names[row]
    return row


def charging_grid(instance: Instance, run: Run) -> Grid:
    """List energy drawn, power installed and grid limit by charging area and period."""
    energy = run.tables["energy"]
    drawn = energy[energy["charge_area"] != ""].groupby(["year", "charge_area"])["kwh"].sum() / 1e6
    limits = limits_in(instance, run.tables, "charge_areas")
    areas = names_of(instance, "charge_areas", "charge_area")
    rows: list[list[str | float | int | None]] = []
    for period in instance.periods:
        mw = charging_mw(instance, run.tables, period.year)
        for area, name in areas.items():
            gwh, power = float(drawn.get((period.year, area), 0.0)), float(mw.get(area, 0.0))
            if gwh or power:
                limit = limits[(area, period.year)]
                rows.append([name, period.year, gwh, power, limit, power / limit if limit else None])
    rows.sort(key=lambda row: (str(row[0]), row[1]))
    columns = (
        Column("Charging area"),
        Column("Period from", "year"),
        Column("Energy", "decimal", "GWh a year"),
        Column("Chargers", "decimal", "MW"),
        Column("Grid limit", "decimal", "MW"),
        Column("Share of grid", "percent", "%"),
    )
    return Grid("Charging by area", columns, rows, name="Charging by area")


def limits_in(instance: Instance, tables: Tables, table: str) -> dict[tuple[str, int], float]:
    """The limit of every row of `table` (of EFFECT_COLUMNS) in every period, projects in service included.

    In the unit of its column; infinite where it is blank, 0 for a row whose own project is not in service.
    """
    key, column, rows = BY_NAME[table].key[0], EFFECT_COLUMNS[table], instance[table]
    effects = instance["project_effects"]
    built = {(row.project, row.year): row.in_service for row in each(tables["projects"])}
    years = [period.year for period in instance.periods]
    found = {
        (row[key], year): 0.0 if row.get("project") and not built.get((row["project"], year)) else float(row[column])
        for row in rows.fillna({column: math.inf}).to_dict("records")
        for year in years
    }
    for effect in each(effects[effects["table"] == table]):
        for year in years:
            found[effect.row, year] += effect.adds * built.get((effect.project, year), 0)
    return found


BINDING_SHARE = 0.999
POLICY_WORDS = {
    "cap_emissions_t_per_year": "cap on emissions, t CO2e a year",
    "cap_technology_share": "highest share of truck-km by technology",
    "ban_purchase": "no purchase of a technology",
    "require_zero_emission_share": "least share of zero-emission trucks among those bought",
    "limit_budget_eur": "budget for projects, EUR in a period",
    "limit_mode_shift_share_per_year": "slowness of change between modes, share a year",
}


def block_of(kind: str) -> str:
    """Give the block of the model that keeps rules of a kind."""
    blocks = {"limit_mode_shift_share_per_year": "mode_shift", "cap_emissions_t_per_year": "caps"}
    return blocks.get(kind, "policy")


def policy_grid(instance: Instance, run: Run) -> Grid:
    """List the rules, what the plan does against each in the period where it is tightest, and where they bind."""
    blocks = run.record.get("blocks", [])
    rows: list[list[Any]] = []
    for policy in each(instance["policies"]):
        used = {year: amount for year, amount in used_by(instance, run, policy).items() if holds(policy, year)}
        least = policy.kind == "require_zero_emission_share"
        tight = [
            year for year, amount in used.items()
            if (amount < policy.value / BINDING_SHARE if least else amount > BINDING_SHARE * policy.value)
        ]  # fmt: skip
        binds = listed([str(year) for year in tight]) or ("no" if used else "kept")
        rows.append(
            [
                policy.policy,
                POLICY_WORDS.get(policy.kind, policy.kind),
                policy.country or "all together",
                TECHNOLOGY_WORDS.get(policy.technology, policy.technology) or "–",
                _period_words(policy),
                None if pd.isna(policy.value) else float(policy.value),
                (min if least else max)(used.values(), default=None),
                binds if block_of(policy.kind) in blocks else "not part of this model",
            ]
        )
    for row in driver_rows(instance):
        kept = "kept" if "policy" in blocks else "not part of this model"
        limit = float(row.driver_limit_h_per_year)
        rows.append(
            ["driver hours", "driver hours to be had, h a year", row.country, "–", str(row.year), limit, None, kept]
        )
    columns = (
        Column("Rule"),
        Column("Kind"),
        Column("Country"),
        Column("Technology"),
        Column("Period"),
        Column("Value", "number"),
        Column("Tightest in the plan", "number"),
        Column("Binds in"),
    )
    return Grid("Rules the plan keeps", columns, rows, name="Rules")


def holds(policy: Any, year: int) -> bool:
    """Say whether a rule holds in a period: a blank year means every period, a ban holds from its year on."""
    if pd.isna(policy.year):
        return True
    return year >= policy.year if policy.kind == "ban_purchase" else year == policy.year


def used_by(instance: Instance, run: Run, policy: Any) -> dict[int, float]:
    """Give what the plan has of the amount a rule limits, by period; empty for rules without one amount."""
    measures = {
        "cap_emissions_t_per_year": emitted_t,
        "cap_technology_share": technology_share,
        "require_zero_emission_share": zero_emission_share,
        "limit_budget_eur": spent_eur,
    }
    measure = measures.get(policy.kind)
    return measure(instance, run, policy) if measure else {}


def emitted_t(instance: Instance, run: Run, policy: Any) -> dict[int, float]:
    """Give WTW t CO2e per year of the rule's country, or of all."""
    rows = run.tables["emissions"]
    rows = rows[(rows["energy_carrier"] != "") | (rows["mode"] == "transfer")]  # no freight without a choice of mode
    rows = rows[rows["country"] == policy.country] if policy.country else rows
    total = ((rows["ttw_kg"] + rows["wtt_kg"]) / 1e3).groupby(rows["year"]).sum()
    return {period.year: float(total.get(period.year, 0.0)) for period in instance.periods}


def technology_share(instance: Instance, run: Run, policy: Any) -> dict[int, float]:
    """Give the share of a technology in the loaded truck-km of lanes based in the rule's country, or of all."""
    driven, nodes = run.tables["driven"], instance["nodes"].set_index("node")
    start = driven["lane"].map(run.tables["lanes"].set_index("lane")["from_node"])
    region = start.map(nodes["fleet_region"])
    country = region.map(instance["fleet_regions"].set_index("fleet_region")["country"])
    technology = driven["vehicle"].map(instance["vehicles"].set_index("vehicle")["technology"])
    rows = driven[country == policy.country] if policy.country else driven
    total = rows.groupby("year")["loaded_vkm"].sum()
    own = rows[technology.loc[rows.index] == policy.technology].groupby("year")["loaded_vkm"].sum()
    return {int(year): float(own.get(year, 0.0)) / float(km) for year, km in amounts(total) if km > 0}


def zero_emission_share(instance: Instance, run: Run, policy: Any) -> dict[int, float]:
    """Give the share of zero-emission trucks among those bought for the rule's country, or for all."""
    fleet = run.tables["fleet"]
    home = fleet["fleet_region"].map(instance["fleet_regions"].set_index("fleet_region")["country"])
    rows = fleet[home == policy.country] if policy.country else fleet
    clean = rows["vehicle"].map(instance["vehicles"].set_index("vehicle")["technology"]).isin(ZERO_EMISSION)
    all_bought, own = (each["bought"].groupby(each["year"]).sum() for each in (rows, rows[clean]))
    return {int(year): float(own.get(year, 0.0)) / float(many) for year, many in amounts(all_bought) if many > 0}


def spent_eur(instance: Instance, run: Run, policy: Any) -> dict[int, float]:
    """Give what a country (or all together) spends on projects in each period, EUR, undiscounted."""
    funding = instance["project_funding"]
    capex_eur = dict(amounts(instance["projects"].set_index("project")["capex_eur"]))
    share = funding[funding["country"] == policy.country].set_index("project")["share"]
    spent = {period.year: 0.0 for period in instance.periods}
    for row in each(run.tables["projects"]):
        part = float(share.get(row.project, 0.0)) if policy.country else 1.0
        spent[row.year] += part * capex_eur[row.project] * row.newly_built
    return spent


def driver_rows(instance: Instance) -> list[Any]:
    """List the limits of driver hours by country and period: rows of `country_years`."""
    rows = by_period(instance, "country_years")
    return list(each(rows[rows["driver_limit_h_per_year"].notna()]))


def _period_words(policy: Any) -> str:
    if pd.isna(policy.year):
        return "every period"
    return f"from {int(policy.year)}" if policy.kind == "ban_purchase" else str(int(policy.year))
