"""Money over time: what a plan pays in each year, when each truck goes, and what a loan or a lease changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from nbb_opt.errors import NbbError
from nbb_opt.instance.wording import did_you_mean, listed
from nbb_opt.model.data.costs import PAID
from nbb_opt.studies.audit.fleet_model import FleetModel
from nbb_opt.studies.audit.ownership import yearly_share

NOT_CASH = ("cargo_time", "mode_constant", "emission_weight")  # counted in the cost of a plan, and paid by nobody
TRUCK_MONEY = {"purchase_eur": "fleet_purchase", "grant_eur": "fleet_grant", "back_eur": "fleet_resale"}
BOUGHT = ("fleet_purchase", "fleet_grant", "charger_purchase", "project_purchase")
MONTHS = 12
CASH = ["year", "component", "eur"]


@dataclass(frozen=True, kw_only=True)
class Finance:
    """How what is bought is paid: at once, or by a loan of so many years at a rate (share a year); and by vehicle the
    lease a month of a truck that is not bought at all. A loan is paid back in equal sums at the end of each year.

    Raises NbbError for figures that cannot be.
    """

    loan_rate: float | None = None
    loan_years: int = 5
    lease_eur_per_month: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.loan_rate is not None and not 0 <= self.loan_rate < 1:
            raise NbbError(f"a loan at {self.loan_rate:g} a year: give the rate as a share, 0.05 for 5 %")
        if self.loan_years < 1:
            raise NbbError(f"a loan of {self.loan_years} years: give 1 or more")
        for vehicle, eur in self.lease_eur_per_month.items():
            if eur < 0:
                raise NbbError(f"a lease of {eur:g} EUR a month for {vehicle!r}: give 0 or more")

    def check_names(self, vehicles: Sequence[str]) -> None:
        """Raise NbbError for a lease of a truck that is not there."""
        for name in self.lease_eur_per_month:
            if name not in vehicles:
                hint = did_you_mean(name, list(vehicles)) or f"one of {listed(list(vehicles), 99)}"
                raise NbbError(f"lease: {name!r} is no truck ({hint})")

    @property
    def text(self) -> str:
        """How it is paid, in words."""
        leased = [f"{name} leased at {eur:,.0f} EUR a month" for name, eur in self.lease_eur_per_month.items()]
        loan = "bought with own money"
        if self.loan_rate is not None:
            loan = f"bought with a loan of {self.loan_years} years at {100 * self.loan_rate:g} %"
        return f"{', '.join([*leased, 'all else'] if leased else ['all'])} {loan}"

    def paid_back(self, eur: float, year: int, end_year: int) -> list[tuple[int, float]]:
        """(year, EUR) of a sum that is lent at the start of a year; what is owed at the end is paid then.

        >>> [(year, round(eur, 2)) for year, eur in Finance(loan_rate=0.1, loan_years=2).paid_back(210, 2026, 2035)]
        [(2027, 121.0), (2028, 121.0)]
        >>> [(year, round(eur, 2)) for year, eur in Finance(loan_rate=0.1, loan_years=2).paid_back(210, 2026, 2027)]
        [(2027, 231.0)]
        """
        rate, each = self.loan_rate or 0.0, eur * yearly_share(self.loan_rate or 0.0, self.loan_years)
        within = min(self.loan_years, end_year - year)
        left = self.loan_years - within
        owed = each * left if rate == 0 else each * (1 - (1 + rate) ** -left) / rate
        if within < 1:
            return [(year, eur)]
        paid = [each] * (within - 1) + [each + owed]
        return [(year + k, amount) for k, amount in enumerate(paid, start=1)]


def cash_flow(fleet_model: FleetModel, costs: pd.DataFrame) -> pd.DataFrame:
    """Every year of a plan by component: columns year, component, eur; what comes back is negative, nothing discounted.

    `costs` is that table of a plan. What is paid once falls at the start of its year; what is paid yearly at the start
    of each year of its period; the last year is the horizon, when what is left has its value. So the present value is
    the cost of the plan.
    """
    paid = PAID | dict(fleet_model.built.components)
    length = {period.year: period.years for period in fleet_model.instance.periods}
    rows = [
        (int(row["year"]) + k, row["component"], row["amount_eur"])
        for row in costs.to_dict("records")
        for k in range(length[row["year"]] if paid[row["component"]] == "yearly" else 1)
    ]
    return pd.DataFrame(rows, columns=CASH)


def present_eur(cash: pd.DataFrame, *, rate: float, year: int) -> float:
    """Value of payments at the start of a year.

    >>> round(present_eur(pd.DataFrame({"year": [2026, 2027], "eur": [100.0, 110.0]}), rate=0.1, year=2026), 9)
    200.0
    """
    return float((cash["eur"] * (1 + rate) ** -(cash["year"] - year).astype(float)).sum())


def truck_lives(fleet_model: FleetModel, fleet: pd.DataFrame) -> pd.DataFrame:
    """A row for trucks of one depot, kind and age that go in the same year; `fleet` is that table of a plan.

    Columns fleet_region, vehicle, vintage_year, trucks, bought_year (blank: owned today), leaves_year,
    end_of_life_year, leaves (sold, end of life, in service at the end), purchase_eur, grant_eur, back_eur (of all
    of them; what they bring when they go, or are worth at the end), replaced_by (what is bought then). A truck
    works through the period in which its life ends.
    """
    data, time = fleet_model.built.data, fleet_model.built.data.time
    trucks, years, end = data.trucks, time.years.tolist(), time.horizon_year
    kept: dict[tuple[str, str, int, int], float] = {}
    begin: dict[tuple[str, str, int], tuple[int, float]] = {}
    for row in fleet_model.instance["fleet"].to_dict("records"):
        begin[row["fleet_region"], row["vehicle"], int(row["vintage_year"])] = (years[0], float(row["vehicles"]))
    bought: dict[tuple[str, int], list[str]] = {}
    for row in fleet.to_dict("records"):
        truck = (row["fleet_region"], row["vehicle"], int(row["vintage_year"]))
        kept[*truck, int(row["year"])] = float(row["kept"])
        if row["bought"] > 0:
            begin[truck] = (int(row["year"]), float(row["bought"]))
            bought.setdefault((row["fleet_region"], int(row["year"])), []).append(f"{row['bought']:g} {row['vehicle']}")
    rows = []
    for (region, vehicle, vintage), (start, number) in sorted(begin.items()):
        v, n = int(trucks.names.of([vehicle])[0]), int(data.base.region_country[data.base.regions.of([region])[0]])
        if v < 0:
            continue
        life, new = int(trucks.lifetime[v]), vintage >= years[0]
        t_price = years.index(max(vintage, years[0])) if max(vintage, years[0]) in years else 0
        price = float(trucks.capex_eur[v, t_price])
        grant = float(trucks.subsidies.grant_eur[v, n, t_price]) if new else 0.0
        for year in [*(y for y in years if y >= start), end]:
            left = kept.get((region, vehicle, vintage, year), 0.0) if year < end else 0.0
            gone, age = number - left, year - vintage
            number = left
            if gone <= 0:
                continue
            back = gone * float(trucks.resale_share[v]) * price * max(life - age, 0) / life
            how = "in service at the end" if year == end else "end of life" if age >= life else "sold"
            rows.append((
                region, vehicle, vintage, gone, vintage if new else None, year, vintage + life, how,
                gone * price if new else 0.0, gone * grant, back, ", ".join(bought.get((region, year), [])),
            ))  # fmt: skip
    names = ["fleet_region", "vehicle", "vintage_year", "trucks", "bought_year", "leaves_year", "end_of_life_year",
             "leaves", *TRUCK_MONEY, "replaced_by"]  # fmt: skip
    return pd.DataFrame(rows, columns=names).astype({"bought_year": "Int64"})


def financed(cash: pd.DataFrame, lives: pd.DataFrame, finance: Finance, *, end_year: int) -> pd.DataFrame:
    """The cash flow with leases and loans in place of what was paid at once; `lives` as of `truck_lives`.

    Leased trucks have no purchase, grant or resale but the lease of every year they are in service. A loan is for what
    is bought less its grant; resale and value at the end stay.
    """
    leased = lives[lives["vehicle"].isin(list(finance.lease_eur_per_month)) & lives["bought_year"].notna()]
    rows: list[tuple[int, str, float]] = []
    for row in leased.to_dict("records"):
        for column, sign, year in (("purchase_eur", -1, "bought_year"), ("grant_eur", 1, "bought_year"),
                                   ("back_eur", 1, "leaves_year")):  # fmt: skip
            rows.append((int(row[year]), TRUCK_MONEY[column], sign * row[column]))
        eur = row["trucks"] * MONTHS * finance.lease_eur_per_month[row["vehicle"]]
        rows += [(year, "lease", eur) for year in range(int(row["bought_year"]), int(row["leaves_year"]))]
    cash = pd.concat([cash, pd.DataFrame(rows, columns=CASH)]) if rows else cash
    cash = cash.groupby(CASH[:2], sort=False)["eur"].sum().reset_index()
    if finance.loan_rate is not None:
        at_once = cash["component"].isin(BOUGHT)
        lent = cash[at_once].groupby("year")["eur"].sum()
        paid = [
            (year, "loan", eur) for begin, sum_eur in lent.items()
            for year, eur in finance.paid_back(float(sum_eur), int(str(begin)), end_year)
        ]  # fmt: skip
        cash = pd.concat([cash[~at_once], pd.DataFrame(paid, columns=CASH)])
    return cash.groupby(CASH[:2], sort=False)["eur"].sum().reset_index()


def cumulative_eur(cash: pd.DataFrame, years: Sequence[int]) -> np.ndarray:
    """What was paid up to and with each year; what nobody pays is left out.

    >>> cumulative_eur(pd.DataFrame([(2026, "lease", 5.0), (2027, "cargo_time", 3.0)], columns=CASH), [2026, 2027])
    array([5., 5.])
    """
    by_year = cash[~cash["component"].isin(NOT_CASH)].groupby("year")["eur"].sum()
    return np.cumsum(by_year.reindex(list(years), fill_value=0.0).to_numpy(float))


def quotes(fleet_model: FleetModel, done: pd.DataFrame) -> pd.DataFrame:
    """The prices the trade quotes, by period and truck, and for all trucks; `done` is `ownership` of the plan.

    Columns year, vehicle, trucks, km_per_year, tonnes_per_year, eur_per_year, eur_per_km, eur_per_t, eur_per_h; NaN for
    trucks that stand still.
    """
    sums = ["trucks", "km_per_year", "tonnes_per_year", "hours_per_year", "eur_per_year"]
    table = pd.concat([done.groupby(["year", "vehicle"])[sums].sum().reset_index(),
                       done.groupby("year")[sums].sum().reset_index().assign(vehicle="all")])  # fmt: skip
    driven = table["km_per_year"] > 1
    for name, per in (("km", "km_per_year"), ("t", "tonnes_per_year"), ("h", "hours_per_year")):
        table[f"eur_per_{name}"] = (table["eur_per_year"] / table[per]).where(driven & (table[per] > 0))
    columns = ["year", "vehicle", *sums, "eur_per_km", "eur_per_t", "eur_per_h"]
    return table[columns].sort_values("year", kind="stable", ignore_index=True)


def energy_clause(
    fleet_model: FleetModel, energy: pd.DataFrame, all_trucks: pd.DataFrame, *, kwh_per_l: float
) -> pd.DataFrame:
    """How much the price per km moves with each energy price: the clause of a haulage contract.

    `energy` is that table of the plan, `all_trucks` the rows of `quotes` for all. Columns year, energy_carrier, kwh,
    eur, share_of_cost (so much of a rise of that price goes into the price per km), eur_per_km_per_10_percent,
    eur_per_km_per_10_cent_a_l (diesel; 0.10 EUR a litre more).
    """
    base, years = fleet_model.built.data.base, fleet_model.built.data.time.years.tolist()
    road = energy[energy["mode"] == "road"].copy()
    at = (base.carriers.of(road["energy_carrier"]), base.countries.of(road["country"]),
          np.array([years.index(int(year)) for year in road["year"]], np.int64))  # fmt: skip
    road["eur"] = road["kwh"].to_numpy(float) * base.energy_price[at]
    table = road.groupby(["year", "energy_carrier"])[["kwh", "eur"]].sum().reset_index()
    total = all_trucks.set_index("year")
    cost, km = (table["year"].map(total[name]) for name in ("eur_per_year", "km_per_year"))
    litres = (table["kwh"] / kwh_per_l).where(table["energy_carrier"] == "diesel")
    return table.assign(
        share_of_cost=table["eur"] / cost, eur_per_km_per_10_percent=0.1 * table["eur"] / km,
        eur_per_km_per_10_cent_a_l=0.1 * litres / km,
    )  # fmt: skip
