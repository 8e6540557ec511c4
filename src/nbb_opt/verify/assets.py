"""What is owned and built: vehicles by vintage, chargers, projects; and that they come and go by the rules."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nbb_opt.recompute import Where, World, grants_eur, keyed, look_up, total
from nbb_opt.verify.verdict import Checks, names

STOCK = ["fleet_region", "vehicle", "vintage_year"]


def read_stock(world: World, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per region, vehicle, vintage and period: bought, kept, kept before, age and rules of the vehicle."""
    said = total(tables["fleet"], [*STOCK, "year"], "bought", "kept")
    owned = world.table("fleet")[[*STOCK, "vehicles"]]
    owned = owned[owned["vehicles"] > 0]
    keys = pd.concat([said[STOCK], owned[STOCK]]).drop_duplicates()
    rows = keys.merge(pd.DataFrame({"year": list(world.years)}), how="cross")
    rows = rows.merge(said, on=[*STOCK, "year"], how="left").merge(owned, on=STOCK, how="left")
    rows = rows.fillna({"bought": 0.0, "kept": 0.0, "vehicles": 0.0})
    facts = ["mode", "technology", "annual_km", "annual_h", "lifetime_years", "resale_share", "available_from"]
    rows = rows.merge(world.table("vehicles")[["vehicle", *facts]], on="vehicle", how="left")
    rows = rows.sort_values([*STOCK, "year"], kind="stable").reset_index(drop=True)
    first = rows["year"] == world.years[0]
    before = np.where(first, rows["vehicles"], rows["kept"].shift(fill_value=0.0))
    age = rows["year"] - rows["vintage_year"]
    return rows.assign(first=first, before=before, age=age, alive=age < rows["lifetime_years"])


def check_stock(world: World, stock: pd.DataFrame, checks: Checks) -> None:
    """`balance_stock`: bought in its own year only, never more kept than before, none past its lifetime."""
    where = names(stock, "{} {} of {} in {}", [*STOCK, "year"])
    new = stock["vintage_year"] == stock["year"]
    kept, bought = stock["kept"], stock["bought"]
    checks.compare("balance_stock", bought.where(~new, 0.0), "==", 0.0, where=where, unit="count")
    checks.compare("balance_stock", kept, "<=", stock["before"] + bought, where=where, unit="count")
    checks.compare("balance_stock", kept[new], ">=", bought[new], where=_subset(stock, new, where), unit="count")
    late = ~stock["alive"]
    checks.compare("balance_stock", kept[late], "<=", 0.0, where=_subset(stock, late, where), unit="count")
    early = stock["year"] < stock["available_from"]
    checks.compare("balance_stock", bought[early], "<=", 0.0, where=_subset(stock, early, where), unit="count")
    roads = (stock["mode"] == "road").to_numpy()
    checks.hold("balance_stock", roads, where=where)


def _subset(frame: pd.DataFrame, mask: pd.Series, where: Where) -> Where:
    places = np.flatnonzero(mask.to_numpy())
    return lambda i: where(int(places[i]))


def fleet_costs(world: World, stock: pd.DataFrame) -> pd.DataFrame:
    """Columns component, year, amount_eur: purchases, yearly costs and resale (income is negative)."""
    capex = keyed(world.vehicle_years, ["vehicle", "year"], "capex_eur")
    fixed = keyed(world.vehicle_years, ["vehicle", "year"], "fixed_eur_per_year")
    value_year = stock["vintage_year"].clip(lower=world.years[0])
    new_price = look_up(capex, stock["vehicle"], value_year)
    life = stock["lifetime_years"]
    sold = np.where(stock["alive"], stock["before"] + stock["bought"] - stock["kept"], 0.0)
    worth = stock["resale_share"] * new_price * (life - stock["age"]) / life
    at_end = world.horizon - stock["vintage_year"]
    alive_at_end = (stock["year"] == world.years[-1]) & (at_end < life) & (stock["kept"] > 0)
    end_worth = stock["resale_share"] * new_price * (life - at_end) / life
    price_now = look_up(capex, stock["vehicle"], stock["year"])
    yearly = look_up(fixed, stock["vehicle"], stock["year"])
    return pd.concat(
        [
            _rows("fleet_purchase", stock["year"], _times(stock["bought"], price_now)),
            _rows("fleet_grant", stock["year"], -_times(stock["bought"], grants_eur(world, stock, price_now))),
            _rows("fleet_fixed", stock["year"], _times(stock["kept"], yearly)),
            _rows("fleet_resale", stock["year"], -_times(sold, worth)),
            _rows("fleet_resale", world.horizon, -_times(stock["kept"][alive_at_end], end_worth[alive_at_end])),
        ],
        ignore_index=True,
    )


def _times(amount: pd.Series | np.ndarray, price: pd.Series | np.ndarray) -> np.ndarray:
    """Amount times price; nothing costs nothing even where no price is given."""
    amounts, prices = np.asarray(amount, dtype=float), np.asarray(price, dtype=float)
    return np.where(amounts == 0.0, 0.0, amounts * prices)


def _rows(component: str, year: pd.Series | int, amount: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"component": component, "year": year, "amount_eur": amount}, index=range(len(amount)))


def read_chargers(world: World, tables: Mapping[str, pd.DataFrame], checks: Checks) -> pd.DataFrame:
    """One row per area, charger and period: installed, in_service, kw; `balance_chargers` compares in_service."""
    said = tables["chargers"]
    keys = said[["charge_area", "charger"]].drop_duplicates()
    rows = keys.merge(pd.DataFrame({"year": list(world.years)}), how="cross")
    rows = rows.merge(said, on=["charge_area", "charger", "year"], how="left").fillna(
        {"installed": 0.0, "in_service": 0.0}
    )
    rows = rows.merge(world.table("chargers").drop(columns=["name", "source", "note"]), on="charger", how="left")
    true = np.zeros(len(rows))
    at = rows.groupby(["charge_area", "charger"]).indices
    for places in at.values():
        years = rows["year"].to_numpy()[places]
        built = rows["installed"].to_numpy(dtype=float)[places]
        life = rows["lifetime_years"].to_numpy()[places[0]]
        for place, year in zip(places, years, strict=True):
            true[place] = built[(years <= year) & (year - years < life)].sum()
    where = names(rows, "charging area {} {} {}", ["charge_area", "charger", "year"])
    checks.compare("balance_chargers", rows["in_service"], "==", true, where=where, unit="count")
    early = (rows["year"] < rows["available_from"]) & (rows["installed"] > 0)
    checks.hold("balance_chargers", ~early.to_numpy(), where=where)
    return rows.assign(in_service=true)


def value_left(world: World, lifetime_years: pd.Series, built_in: pd.Series) -> np.ndarray:
    """Share of the price that is left at the horizon: annuities of the years of life left, over those of all."""
    life = lifetime_years.to_numpy(dtype=float)
    left = np.maximum(life - (world.horizon - built_in.to_numpy(dtype=float)), 0.0)
    rate = float(world.instance.meta.discount_rate)
    if rate == 0.0:
        return left / life
    return np.asarray(np.expm1(-left * np.log1p(rate)) / np.expm1(-life * np.log1p(rate)))


def charger_costs(world: World, chargers: pd.DataFrame) -> pd.DataFrame:
    """Columns component, year, amount_eur."""
    left = value_left(world, chargers["lifetime_years"], chargers["year"])
    price = chargers["installed"] * chargers["capex_eur"]
    yearly = chargers["in_service"] * chargers["fixed_eur_per_year"]
    return pd.concat(
        [
            _rows("charger_purchase", chargers["year"], price.to_numpy()),
            _rows("charger_fixed", chargers["year"], yearly.to_numpy()),
            _rows("charger_residual", world.horizon, -(price * left).to_numpy()),
        ],
        ignore_index=True,
    )


def read_projects(world: World, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per project and period: built (in service), newly (built minus built before), and its data."""
    data = world.table("projects")
    rows = data[["project"]].merge(pd.DataFrame({"year": list(world.years)}), how="cross")
    rows = rows.merge(tables["projects"], on=["project", "year"], how="left")
    rows = rows.fillna({"newly_built": 0.0, "in_service": 0.0}).rename(columns={"in_service": "built"})
    rows = rows.merge(data.drop(columns=["name", "kind", "source", "note"]), on="project", how="left")
    before = rows.groupby("project")["built"].shift(fill_value=0.0)
    return rows.assign(before=before, newly=rows["built"] - before)


def project_costs(world: World, projects: pd.DataFrame) -> pd.DataFrame:
    """Columns component, year, amount_eur."""
    price = projects["newly"] * projects["capex_eur"]
    left = value_left(world, projects["lifetime_years"], projects["year"])
    return pd.concat(
        [
            _rows("project_purchase", projects["year"], price.to_numpy()),
            _rows("project_fixed", projects["year"], (projects["built"] * projects["fixed_eur_per_year"]).to_numpy()),
            _rows("project_residual", world.horizon, -(price * left).to_numpy()),
        ],
        ignore_index=True,
    )


# the statuses of what a model builds, by its option `projects`; of them, ideas and what the market orders are decisions
BUILT = {
    "none": set[str](),
    "existing": {"existing"},
    "committed": {"existing", "under_construction", "committed", "market"},
    "all": {"existing", "under_construction", "committed", "market", "idea"},
}


def check_status(projects: pd.DataFrame, which: str, checks: Checks) -> None:
    """`respect_options`: only what the model may build is; `keep_built`: what is decided, or required, is."""
    status = projects["status"].replace("", "idea")
    may = status.isin(BUILT[which])
    where = names(projects, "project {} {}: may not be built", ["project", "year"])
    checks.hold("respect_options", (may | (projects["built"] == 0)).to_numpy(), where=where)
    sure = ~status.isin(["idea", "market"]) & (projects["year"] >= projects["earliest_year"])
    due = (may & (sure | (projects["year"] >= projects["required_from_year"]))).astype(float)
    where = names(projects, "{} {}: must be in service", ["project", "year"])
    checks.compare("keep_built", projects["built"], ">=", due, where=where, unit="count")


def check_projects(world: World, projects: pd.DataFrame, checks: Checks) -> None:
    """`keep_built`, `require_project`, `exclude_project`."""
    where = names(projects, "project {} {}", ["project", "year"])
    built = projects["built"]
    checks.compare("keep_built", built, ">=", projects["before"], where=where, unit="count")
    checks.compare("keep_built", projects["newly_built"], "==", projects["newly"], where=where, unit="count")
    early = projects["year"] < projects["earliest_year"]
    checks.compare("keep_built", built, "<=", np.where(early, 0, projects["max_units"]), where=where, unit="count")
    units = keyed(projects, ["project", "year"], "built")
    most = world.indexed("projects")["max_units"].astype(float)
    for column, rule in (("requires", "require_project"), ("excludes", "exclude_project")):
        pairs = projects[projects[column] != ""][["project", "year", "built", "max_units", column]]
        pairs = pairs.assign(other=pairs[column].str.split(";")).explode("other").reset_index(drop=True)
        if pairs.empty:
            continue
        other = look_up(units, pairs["other"], pairs["year"])
        where = names(pairs, "project {} with {} {}", ["project", "other", "year"])
        if column == "requires":
            checks.compare(rule, pairs["built"], "<=", pairs["max_units"] * other, where=where, unit="count")
        else:
            part = pairs["built"] / pairs["max_units"] + other / look_up(most, pairs["other"])
            checks.compare(rule, part, "<=", 1.0, where=where, unit="count")
