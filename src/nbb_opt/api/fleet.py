"""For a haulier: an instance from one sheet or from trips, what a truck costs, money and charging of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from nbb_opt.api.data import freight
from nbb_opt.api.plans import LOG, with_changes
from nbb_opt.arguments import checked, folder, named
from nbb_opt.instance import Instance
from nbb_opt.options import SolveOptions
from nbb_opt.output import check_new
from nbb_opt.shipped import cache_folder

if TYPE_CHECKING:
    from nbb_opt.problems.result import ProblemInstance
    from nbb_opt.report.study import Answer


@checked
def fleet_sheet(path: Path | str) -> Path:
    """Write a sheet (.xlsx or .csv) with some depots, trucks and lanes to type over, for `new_fleet`.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     fleet_sheet(Path(place, "mine.csv")).read_text(encoding="utf-8").splitlines()[0]
    'what,place,to,type,number,unit,km,year,note'
    """
    from nbb_opt.instance.fleet_sheet import write_fleet_sheet

    path = named(path, ".csv", ".xlsx", what="fleet sheet")
    check_new(path)
    return write_fleet_sheet(path)


@checked
def new_fleet(sheet: Path | str, target: Path | str) -> Instance:
    """Make an instance of a haulier's sheet (`fleet_sheet`) in a new folder; what it does not give are shipped figures.

    Km between known places are those of the shipped road network. What was assumed or left alone is logged. Raises
    InstanceError with every row at fault.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     region = new_fleet(fleet_sheet(Path(place, "mine.csv")), Path(place, "mine"))
    >>> int(region["fleet"]["vehicles"].sum()), region["links"]["distance_km"].tolist()
    (6, [134.0, 60.0])
    """
    from nbb_opt.instance.fleet_sheet import fleet_instance

    target = folder(target)
    check_new(target)
    return fleet_instance(named(sheet, ".csv", ".xlsx", what="fleet sheet"), target, note=LOG.info)


@checked
def truck_cost(
    origin: str,
    destination: str,
    *,
    km: float | None = None,
    goods: str = "general",
    against: str = "DIESEL",
    electricity_eur_per_kwh: float | None = None,
    diesel_eur_per_l: float | None = None,
    km_per_year: float | None = None,
    subsidy_eur: float = 0.0,
    purchase_eur: Mapping[str, float] | None = None,
    battery_eur_per_kwh: float | None = None,
    loan_rate: float | None = None,
    loan_years: int = 5,
    lease_eur_per_month: Mapping[str, float] | None = None,
    out: Path | str | None = None,
) -> Answer:
    """What each kind of truck costs to own on one lane, and the prices, km and subsidy at which two cost the same.

    Prices that are not given are the shipped ones of the first period; `purchase_eur` is by vehicle, a subsidy is for
    each battery or hydrogen truck, `battery_eur_per_kwh` moves the price of each truck with a battery. `km` may be left
    out between known places. Trucks are paid as in `fleet_money`. Tables of the answer: `trucks`, `break_even`,
    `sensitivity` (each price a fifth lower and higher), `cash` (by year of a truck's life) and `cannot`. With `out`
    page and tables are written to that folder. Raises InstanceError for places and goods that are not known, NbbError
    for a truck that is not there or cannot drive the lane.

    >>> found = truck_cost("Boliden", "Skelleftehamn", km=52, goods="conc", electricity_eur_per_kwh=0.1)
    >>> found.trucks[["vehicle", "eur_per_km"]].round(3).values.tolist()[0]
    ['BAT400', 1.838]
    """
    from nbb_opt.studies.audit.money import Finance
    from nbb_opt.studies.audit.one_truck import battery_price, one_lane, with_prices
    from nbb_opt.studies.audit.one_truck import truck_cost as cost_of

    finance = Finance(loan_rate=loan_rate, loan_years=loan_years, lease_eur_per_month=lease_eur_per_month or {})
    shipped_lane = one_lane(origin, destination, km=km, goods=goods)
    region = with_prices(
        shipped_lane, battery_eur_per_kwh=battery_eur_per_kwh, electricity_eur_per_kwh=electricity_eur_per_kwh,
        diesel_eur_per_l=diesel_eur_per_l, km_per_year=km_per_year, subsidy_eur=subsidy_eur, purchase_eur=purchase_eur,
    )  # fmt: skip
    price = battery_price(shipped_lane) if battery_eur_per_kwh is None else battery_eur_per_kwh
    found = cost_of(region, against=against, subsidy_eur=subsidy_eur, battery_eur_per_kwh=price, finance=finance)
    if out is not None:
        found.save(out)
    return found


@checked
def fleet_trips(
    export: Path | str,
    sheet: Path | str | None = None,
    *,
    goods: str = "general",
    loaded: str = "out",
    range_km: float | None = None,
    depot_kw: float = 75.0,
    break_h: float = 0.75,
    most_lanes: int = 60,
    out: Path | str | None = None,
) -> Answer:
    """Read an export of trips (.csv or .xlsx of a tachograph or telematics system): lanes, duty cycles, and each
    vehicle-day with a battery; with `sheet` a fleet sheet of them is written, for `new_fleet`.

    Columns vehicle, start, end, km, from, to, perhaps date, load and goods, in the usual languages, dates and decimals;
    rows that cannot be right are left out, each with its reason. Where the file does not tell the load, all trips but
    those home to the depot carry `goods` (`loaded`: "out", "back" or "all"). A vehicle's depot is where it stands
    longest; there it charges with `depot_kw`, elsewhere with the power of the truck at stops of `break_h` and more.
    `range_km` puts one usable range in place of those of the shipped battery trucks. Tables of the answer: `days`,
    `duty`, `lanes`, `left_out`. Raises InstanceError for a file without the columns or without a trip.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     file = Path(place, "trips.csv")
    ...     _ = file.write_text("Fordon;Start;Slut;Km;Från;Till\\nABC123;2026-03-02 06:00;2026-03-02 08:00;120,5;A;B")
    ...     found = fleet_trips(file, Path(place, "mine.csv"), range_km=100)
    >>> found.days[["vehicle", "km", "battery 100 km"]].values.tolist()
    [['ABC123', 120.5, 'no']]
    """
    from nbb_opt.studies.audit.vehicle_days import fleet_of_trips

    if sheet is not None:
        sheet = named(sheet, ".csv", ".xlsx", what="fleet sheet")
        check_new(sheet)
    found = fleet_of_trips(
        named(export, ".csv", ".xlsx", ".txt", what="export of trips"), sheet=sheet, goods=goods, loaded=loaded,
        range_km=range_km, depot_kw=depot_kw, break_h=break_h, most_lanes=most_lanes, note=LOG.info,
    )  # fmt: skip
    if out is not None:
        found.save(out)
    return found


@checked
def fleet_money(
    region: Instance | ProblemInstance | Path | str,
    plan: Path | str,
    *,
    loan_rate: float | None = None,
    loan_years: int = 5,
    lease_eur_per_month: Mapping[str, float] | None = None,
    against: str = "DIESEL",
    options: SolveOptions | None = None,
    gap: float | None = None,
    time_limit_s: float | None = None,
    out: Path | str | None = None,
    cache: bool = True,
) -> Answer:
    """Money of a fleet plan over time: cash by year beside a fleet that buys one truck only, when each truck goes,
    what each subsidy is worth, prices a km and a tonne, and the energy clause.

    What is bought is paid at once, or by a loan (`loan_rate` a share a year); trucks of `lease_eur_per_month` are
    leased. A plan that cannot work is repaired first, and that is said. Tables of the answer: `years`, `cash`,
    `trucks`, `subsidies`, `quotes`, `clause`. With `out` page and tables are written to that folder. Raises what
    `audit` raises, and NbbError for a truck that is not there.

    >>> from nbb_opt import examples
    >>> import tempfile
    >>> from nbb_opt.api.studies import fleet_plan
    >>> region = examples.tiny()
    >>> with tempfile.TemporaryDirectory() as place:
    ...     plan = fleet_plan(region, Path(place, "plan.csv"))
    ...     found = fleet_money(region, plan, loan_rate=0.05)
    >>> found.years.columns.tolist()
    ['year', 'plan_eur', 'plan_cumulative_eur', 'other_eur', 'other_cumulative_eur']
    """
    from nbb_opt.studies.audit.money import Finance
    from nbb_opt.studies.audit.money_study import money_over_time

    finance = Finance(loan_rate=loan_rate, loan_years=loan_years, lease_eur_per_month=lease_eur_per_month or {})
    found = money_over_time(
        freight(region, "fleet money"), Path(plan), finance=finance, against=against,
        options=with_changes(options, gap=gap, time_limit_s=time_limit_s),
        cache_dir=cache_folder() if cache else None, say=LOG.info,
    )  # fmt: skip
    if out is not None:
        found.save(out)
    return found


@checked
def charging_day(
    region: Instance | ProblemInstance | Path | str, plan: Path | str, *, out: Path | str | None = None,
    cache: bool = True,
) -> Answer:  # fmt: skip
    """Charging by the hour of a fleet plan: who is in, who waits, power against the connection, what it costs.

    For each charging area, period and usual day (of winter and of the rest of the year) twice: plain charging at full
    power on arrival, and smart charging, which has every truck full when it leaves at the least cost of energy and
    power. A plan that cannot work in a year is repaired first, and that is said. Tables of the answer: `days`, `hours`,
    `annual` (beside the yearly accounts), `short` (what lacks at which hour, and what helps) and `charges`. With `out`
    page and tables are written to that folder. Raises NbbError where the instance has no table shifts, and what `audit`
    raises for the plan.

    >>> from nbb_opt import examples
    >>> region = examples.haulier()
    >>> found = charging_day(region, region.path / "plan.csv")
    >>> areas = found.annual.set_index(["charge_area", "charging"])
    >>> bool(areas.loc[("C_UME", "smart"), "peak_kw"] < areas.loc[("C_UME", "plain"), "peak_kw"])
    True
    """
    from nbb_opt.studies.audit.charging_view import plan_by_the_hour

    found = plan_by_the_hour(
        freight(region, "a charging day"), Path(plan), cache_dir=cache_folder() if cache else None, say=LOG.info
    )
    if out is not None:
        found.save(out)
    return found
