"""The limits of the network and of what is owned: capacities, work, km, hours, energy, grid; and how full they are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nbb_opt.recompute import PLACE, Network, Supplies, World, find, in_blocks, keyed, look_up, pick, total
from nbb_opt.verify.verdict import Checks, names

UNITS = {"link": "t", "terminal": "t", "charge_area": "kWh", "grid": "kW", "public_charging": "kWh"}


def check_use(said: pd.DataFrame, true: Mapping[str, pd.DataFrame], checks: Checks) -> None:
    """`agree_use`: each row says what was recomputed, and no row with a limit is left out.

    `true` gives for each kind columns row, year, used, limit (infinite if there is none).
    """
    unknown = said[~said["kind"].isin(list(true))]
    checks.hold(
        "agree_use", [False] * len(unknown), where=names(unknown, "use of {} {}: unknown kind", ["kind", "row"])
    )
    for kind, rows in true.items():
        both = rows.merge(said[said["kind"] == kind], on=["row", "year"], how="outer", suffixes=("", "_said"))
        stated = both["unit"].notna()
        needed = np.isfinite(both["limit"]) & (both["used"] > 1e-3)
        where = names(both, "use of " + kind + " {} {}", ["row", "year"])
        checks.hold("agree_use", (stated | ~needed).to_numpy(), where=where)
        both = both[stated].reset_index(drop=True)
        where = names(both, "use of " + kind + " {} {}", ["row", "year"])
        checks.compare("agree_use", both["used_said"], "==", both["used"].fillna(0.0), where=where, unit=UNITS[kind])
        limit, said_limit = both["limit"].to_numpy(dtype=float), both["limit_said"].to_numpy(dtype=float)
        finite = np.isfinite(limit) & np.isfinite(said_limit)
        mine, said_one = np.where(finite, limit, 0.0), np.where(finite, said_limit, 0.0)
        close = np.abs(mine - said_one) <= 1e-9 * np.abs(mine)
        checks.hold("agree_use", np.where(finite, close, limit == said_limit), where=where)
        checks.hold("agree_use", (both["unit"] == UNITS[kind]).to_numpy(), where=where)


def added(world: World, projects: pd.DataFrame, table: str, column: str) -> pd.DataFrame:
    """Columns row, year, adds: what projects in service add to `column` of `table`."""
    effects = world.table("project_effects")
    effects = effects[(effects["table"] == table) & (effects["column"] == column)][["project", "row", "adds"]]
    rows = effects.merge(projects[["project", "year", "built"]], on="project")
    rows = rows.assign(adds=rows["adds"] * rows["built"])
    return total(rows, ["row", "year"], "adds")


def with_limits(rows: pd.DataFrame, limits: pd.Series, extra: pd.DataFrame) -> pd.DataFrame:
    """Add `limit` (infinite where blank) to rows with columns row, year, used; only rows with a limit remain finite."""
    plus = look_up(keyed(extra, ["row", "year"], "adds"), rows["row"], rows["year"])
    own = limits.reindex(rows["row"]).fillna(np.inf).to_numpy(dtype=float)
    return rows.assign(limit=own + np.nan_to_num(plus))


def link_use(
    world: World, network: Network, tables: Mapping[str, pd.DataFrame], served: pd.DataFrame, lane_t: np.ndarray
) -> pd.DataFrame:
    """Columns row (capacity group), year, used (t): tonnes times the links of the group a chain uses.

    `served` has link, year, tonnes of rail, sea and ferry; `lane_t` (lanes, periods) is that of Freight.
    """
    links = world.table("links")
    group = pd.Series(
        np.where(links["capacity_link"] == "", links["link"], links["capacity_link"]), index=links["link"]
    )
    columns = ["row", "year", "tonnes"]
    parts = [served.assign(row=served["link"].map(group))[columns]]
    for block in in_blocks(tables, "lane", ["lane_links"]):
        at = find(network.lanes.index, block["lane_links"]["lane"])
        link, name = pd.factorize(block["lane_links"]["link"])
        row = group.reindex(name).to_numpy()
        for t, year in enumerate(world.years):
            tonnes = pick(lane_t[:, t], at, np.nan)
            said = ~np.isnan(tonnes)
            used = np.bincount(link[said], tonnes[said], minlength=len(row))
            some = np.unique(link[said])
            parts.append(pd.DataFrame({"row": row[some], "year": year, "tonnes": used[some]})[columns])
    rows = pd.concat(parts, ignore_index=True).astype({"row": "str", "year": "int64"})
    return total(rows.rename(columns={"tonnes": "used"}), ["row", "year"], "used")


def check_capacities(link_rows: pd.DataFrame, terminal_rows: pd.DataFrame, blocks: set[str], checks: Checks) -> None:
    """`respect_link_capacity`, `respect_terminal_capacity`; rows as from `with_limits`."""
    for block, rule, word, rows in (
        ("links", "respect_link_capacity", "link", link_rows),
        ("terminals", "respect_terminal_capacity", "terminal", terminal_rows),
    ):
        if block in blocks:
            limited = rows[np.isfinite(rows["limit"])]
            where = names(limited, word + " {} {}", ["row", "year"])
            checks.compare(rule, limited["used"], "<=", limited["limit"], where=where, unit="t")


def check_built(flows: pd.DataFrame, needed: pd.DataFrame, built: pd.Series) -> Checks:
    """`use_only_built`: what a chain carries is at most its bundle's demand times the units in service.

    `flows` has the `demand` (t) of the bundle, `needed` chain and project, `built` the index project, year.
    """
    checks = Checks()
    rows = flows[["chain", "year", "tonnes", "demand"]].merge(needed, on="chain")
    limit = rows["demand"] * look_up(built, rows["project"], rows["year"])
    where = names(rows, "chain {} needs {} {}", ["chain", "project", "year"])
    checks.compare("use_only_built", rows["tonnes"], "<=", limit, where=where, unit="t", scale=0.0)
    return checks


def check_work(
    world: World, network: Network, lane_t: np.ndarray, facts: pd.DataFrame, done: pd.DataFrame, checks: Checks
) -> None:
    """`cover_work`: loads times loaded vkm on a lane carry its tonne-km.

    `lane_t` (lanes, periods) is that of Freight, `facts` (km by lane) and `done` (lane, year, tkm) those of Roads.
    """
    lanes, years = network.lanes.index, pd.Index(world.years)
    have = np.zeros(lane_t.shape)
    have[find(lanes, done["lane"]), find(years, done["year"])] = np.nan_to_num(done["tkm"])
    need = lane_t * facts["km"].reindex(lanes).to_numpy(dtype=float)[:, None]
    row, t = np.nonzero(~np.isnan(lane_t))
    checks.compare(
        "cover_work", have[row, t], ">=", need[row, t],
        where=lambda i: f"lane {lanes[row[i]]} {years[t[i]]}", unit="tkm",
    )  # fmt: skip


def check_fleet(stock: pd.DataFrame, work: pd.DataFrame, empties: pd.DataFrame, checks: Checks) -> None:
    """`cover_km`, `cover_hours`: what the vehicles of a region drive and work is at most what they can."""
    for rule, annual, unit, loaded, empty in (
        ("cover_km", "annual_km", "vkm", work["used_km"], empties["used_share"].fillna(1.0)),
        ("cover_hours", "annual_h", "h", work["hours_worked"], empties["hours_per_vkm"]),
    ):
        parts = [
            work[["vehicle", "year", "region"]].assign(amount=loaded),
            empties[["vehicle", "year"]].assign(region=empties["from_region"], amount=empties["empty_vkm"] * empty),
        ]
        used = pd.concat(parts, ignore_index=True)
        used = total(used, ["region", "vehicle", "year"], "amount")
        able = stock.assign(able=stock["kept"] * stock[annual])
        most = able.groupby(["fleet_region", "vehicle", "year"])["able"].sum(skipna=False)
        limit = most.reindex(pd.MultiIndex.from_frame(used[["region", "vehicle", "year"]])).fillna(0.0).to_numpy()
        where = names(used, "{} {} {}", ["region", "vehicle", "year"])
        checks.compare(rule, used["amount"], "<=", limit, where=where, unit=unit)


def check_opening(stock: pd.DataFrame, work: pd.DataFrame, checks: Checks) -> None:
    """`fit_opening_hours`: trucks do the work for places open up to W hours a week within W hours each."""
    keys = ["region", "vehicle", "year"]
    kept = stock.groupby(["fleet_region", "vehicle", "year"])["kept"].sum()
    for open_h in sorted(set(work["open_h"]) - {np.inf}):
        used = total(work[work["open_h"] <= open_h], keys, "hours_worked")
        trucks = kept.reindex(pd.MultiIndex.from_frame(used[keys])).fillna(0.0).to_numpy()
        where = names(used, f"{{}} {{}}, places open {open_h:g} h a week, {{}}", keys)
        limit = 52.0 * open_h * trucks
        checks.compare("fit_opening_hours", used["hours_worked"], "<=", limit, where=where, unit="h")


def check_balance(work: pd.DataFrame, empties: pd.DataFrame, checks: Checks) -> None:
    """`return_empties`: trips of a vehicle with a cargo type that leave a region equal those that arrive."""
    away = work[~work["local"].astype(bool)]
    loaded = away.rename(columns={"region": "from_region", "region_to": "to_region"})
    empty = empties.assign(trips=empties["empty_vkm"] / empties["km"])
    columns = ["from_region", "to_region", "vehicle", "cargo_type", "year", "trips"]
    trips = pd.concat([loaded[columns], empty[columns]], ignore_index=True)
    keys = ["vehicle", "cargo_type", "year"]
    out = trips.groupby(["from_region", *keys])["trips"].sum().rename_axis(["region", *keys])
    into = trips.groupby(["to_region", *keys])["trips"].sum().rename_axis(["region", *keys])
    both = pd.concat({"out": out, "into": into}, axis=1).fillna(0.0).reset_index()
    both = both[both["region"] != ""].reset_index(drop=True)
    where = names(both, "{} {} for {} {}", ["region", *keys])
    checks.compare("return_empties", both["out"], "==", both["into"], where=where, unit="trips")


def area_use(
    world: World, energy: pd.DataFrame, chargers: pd.DataFrame, projects: pd.DataFrame, public: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(kWh drawn, kW installed) per charging area and period, each with columns row, year, used, limit.

    What is bought at others' points (`public`, see `public_use`) counts as delivered.
    """
    drawn = total(energy[energy["charge_area"] != ""], ["charge_area", "year"], "kwh")
    drawn = drawn.rename(columns={"charge_area": "row", "kwh": "used"})
    can = chargers.assign(
        kwh=8760.0 * chargers["kw"] * chargers["utilisation_share"] * chargers["in_service"],
        power=chargers["kw"] * chargers["in_service"],
    )
    can = total(can, ["charge_area", "year"], "kwh", "power")
    can = can[can["power"] > 0].rename(columns={"charge_area": "row"})
    bought = public[["row", "year", "used"]].rename(columns={"used": "kwh"})
    delivered = total(pd.concat([can[["row", "year", "kwh"]], bought], ignore_index=True), ["row", "year"], "kwh")
    sold = drawn.merge(delivered, on=["row", "year"], how="outer")
    sold = sold.fillna({"used": 0.0, "kwh": 0.0}).rename(columns={"kwh": "limit"})
    power = can[["row", "year", "power"]].rename(columns={"power": "used"}).reset_index(drop=True)
    grid = world.indexed("charge_areas")["grid_mw"]
    power = with_limits(power, grid, added(world, projects, "charge_areas", "grid_mw"))
    return sold, power.assign(limit=1000.0 * power["limit"])


def public_use(world: World, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Columns row, year, used, limit, kw, price_add_eur_per_kwh: energy the plan says it buys at others' points."""
    said = tables["use"]
    rows = said.loc[said["kind"] == "public_charging", ["row", "year", "used"]]
    offers = world.public.rename(columns={"charge_area": "row", "kwh_per_year": "limit"})
    rows = rows.merge(offers, on=["row", "year"], how="left")
    return rows.fillna({"limit": 0.0, "kw": 0.0})


def public_costs(public: pd.DataFrame) -> pd.DataFrame:
    """Columns component, year, amount_eur: what others' points ask above the price of electricity."""
    eur = public["used"] * public["price_add_eur_per_kwh"]
    return pd.DataFrame({"component": "public_charging", "year": public["year"], "amount_eur": eur})


def check_charging(sold: pd.DataFrame, power: pd.DataFrame, public: pd.DataFrame, checks: Checks) -> None:
    """`deliver_energy`, `respect_grid`, `respect_public_charging`."""
    where = names(public, "others' points in charging area {} {}", ["row", "year"])
    checks.compare("respect_public_charging", public["used"], "<=", public["limit"], where=where, unit="kWh")
    where = names(sold, "charging area {} {}", ["row", "year"])
    checks.compare("deliver_energy", sold["used"], "<=", sold["limit"], where=where, unit="kWh")
    where = names(power, "charging area {} {}", ["row", "year"])
    checks.compare("respect_grid", power["used"], "<=", power["limit"], where=where, unit="kW")


def check_fuels(
    world: World, replaced: pd.DataFrame, energy: pd.DataFrame, projects: pd.DataFrame, checks: Checks
) -> None:
    """`replace_at_most`, `replace_once`, `respect_fuel_supply`, of `energy` as it would be with own carriers only."""
    rows = replaced.rename(columns={"own": "energy_carrier"})
    rows = rows.merge(total(energy, PLACE, "kwh"), on=PLACE, how="left").fillna({"kwh": 0.0})
    most = rows["max_share"] * rows["kwh"]
    where = names(rows, "{} in {} {}", ["substitute", "country", "year"])
    ready = ((rows["replaced_kwh"] >= 0) & (rows["available_from"] <= rows["year"])).to_numpy()
    checks.hold("replace_at_most", ready, where=where)
    checks.compare("replace_at_most", rows["replaced_kwh"], "<=", most, where=where, unit="kWh")
    both = rows.groupby(PLACE).agg(replaced=("replaced_kwh", "sum"), kwh=("kwh", "first")).reset_index()
    where = names(both, "{} {} in {} {}", PLACE)
    checks.compare("replace_once", both["replaced"], "<=", both["kwh"], where=where, unit="kWh")
    taken = rows.assign(used=rows["replaced_kwh"] * rows["kwh_per_kwh"], row=rows["substitute"])
    taken = with_limits(
        total(taken, ["row", "year"], "used"), world.indexed("fuel_substitutes")["kwh_per_year"],
        added(world, projects, "fuel_substitutes", "kwh_per_year"),
    )  # fmt: skip
    taken = taken[np.isfinite(taken["limit"])]
    where = names(taken, "supply of {} {}", ["row", "year"])
    checks.compare("respect_fuel_supply", taken["used"], "<=", taken["limit"], where=where, unit="kWh")


def check_sourcing(supplies: Supplies, checks: Checks) -> None:
    """`offer_supply`, `meet_recipe`, `respect_supplier_capacity`, `keep_region_share`."""
    rows, needs = supplies.rows, supplies.needs
    where = names(rows, "{} of {} to {} {}", ["supplier", "input", "site", "year"])
    checks.hold("offer_supply", rows["offered"].to_numpy(bool), where=where)
    where = names(needs, "{} for {} {}", ["input", "site", "year"])
    checks.compare("meet_recipe", needs["supplied"], "==", needs["needed"], where=where, unit="t")
    offers = supplies.offers[supplies.offers["capacity"].notna()]
    where = names(offers, "{} of {} {}", ["input", "supplier", "year"])
    checks.compare("respect_supplier_capacity", offers["sold"], "<=", offers["capacity"], where=where, unit="t")
    aims = needs[needs["region_share"].notna()]
    where = names(aims, "{} for {} {} from the region", ["input", "site", "year"])
    least = aims["region_share"] * aims["supplied"]
    checks.compare("keep_region_share", aims["regional"], ">=", least, where=where, unit="t")


def check_way(way: pd.DataFrame, chargers: pd.DataFrame, public: pd.DataFrame, checks: Checks) -> None:
    """`deliver_on_the_way`: energy drawn on the way at some power comes from chargers at least that strong."""
    for power in sorted(way["charge_kw"].unique()):
        drawn = total(way[way["charge_kw"] >= power], ["charge_area", "year"], "kwh")
        strong = chargers[chargers["kw"] >= power]
        kwh = 8760.0 * strong["kw"] * strong["utilisation_share"] * strong["in_service"]
        others = public[public["kw"] >= power]
        able = (
            pd.concat([kwh, others["used"]])
            .groupby([pd.concat([strong["charge_area"], others["row"]]), pd.concat([strong["year"], others["year"]])])
            .sum()
        )
        limit = able.reindex(pd.MultiIndex.from_frame(drawn[["charge_area", "year"]])).fillna(0.0).to_numpy()
        where = names(drawn, f"charging area {{}} {{}}, {power:g} kW and more", ["charge_area", "year"])
        checks.compare("deliver_on_the_way", drawn["kwh"], "<=", limit, where=where, unit="kWh")
