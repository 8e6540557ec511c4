"""Commands for a haulier: an instance from one sheet, and what a truck costs. Registered by the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from nbb_opt.cli.console import logged
from nbb_opt.cli.options import (
    DEFAULT_GAP,
    DEFAULT_TIME_LIMIT_S,
    AsJson,
    Gap,
    InstancePath,
    TimeLimit,
    pairs,
)  # fmt: skip
from nbb_opt.cli.runs import show
from nbb_opt.errors import NbbError

Sheet = Annotated[Path, typer.Argument(help="The sheet: .xlsx or .csv.")]
LoanRate = Annotated[float | None, typer.Option(min=0.0, max=0.99, help="Share a year, 0.05 [default: own money].")]
LoanYears = Annotated[int, typer.Option(min=1, max=50, help="Years to pay a loan back.")]
Lease = Annotated[list[str] | None, typer.Option(help="TRUCK=EUR a month, not bought; may be given again.")]
Out = Annotated[Path | None, typer.Option(help="Folder for page and tables [default: none is written].")]
Price = Annotated[float | None, typer.Option(min=0.0, help="EUR/kWh [default: the shipped price].")]


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    fleet = typer.Typer(
        name="fleet", no_args_is_help=True, rich_markup_mode=None,
        help="For a haulier: a fleet from one sheet or from trips, what a truck costs, money, charging by the hour.",
        epilog="Example: nbb-opt fleet sheet mine.xlsx; nbb-opt fleet new mine --sheet mine.xlsx; nbb-opt solve mine",
    )  # fmt: skip
    fleet.command(epilog="Example: nbb-opt fleet sheet mine.xlsx")(sheet)
    fleet.command(epilog="Example: nbb-opt fleet new mine --sheet mine.xlsx")(new)
    fleet.command(epilog="Example: nbb-opt fleet cost Umeå Skellefteå --electricity 0.10 --diesel 1.60")(cost)
    fleet.command(epilog="Example: nbb-opt fleet money instances/haulier --plan plan.csv --loan-rate 0.05 --out money")(
        money
    )
    fleet.command(
        epilog="Example: nbb-opt fleet trips export.csv --to mine.xlsx; nbb-opt fleet new mine --sheet mine.xlsx"
    )(trips)
    fleet.command(epilog="Example: nbb-opt fleet day instances/haulier --plan plan.csv --out day")(day)
    app.add_typer(fleet)


def sheet(path: Sheet) -> None:
    """Write a sheet of depots, trucks and lanes to type over."""
    import nbb_opt as nbb

    nbb.fleet_sheet(path)
    print(f"{path} has some rows as examples. Type yours over them, then: nbb-opt fleet new mine --sheet {path}")


def new(
    target: Annotated[Path, typer.Argument(metavar="DIR", help="The new folder.")],
    sheet: Annotated[Path, typer.Option(help="The sheet of the fleet: .xlsx or .csv (see `fleet sheet`).")],
) -> None:
    """Make an instance of a sheet of depots, trucks and lanes; all else are the shipped figures."""
    import nbb_opt as nbb

    with logged(sys.stderr):
        region = nbb.new_fleet(sheet, target)
    trucks = float(region["fleet"]["vehicles"].sum())
    print(f"{target}: {len(region['fleet_regions'])} depots, {trucks:g} trucks, {len(region['links'])} roads")
    print(
        f"Next: nbb-opt solve {target} finds the best plan; nbb-opt audit {target} --template plan.csv begins your own"
    )


def cost(
    origin: Annotated[str, typer.Argument(help="Where the truck loads; its depot is there.")],
    destination: Annotated[str, typer.Argument(help="Where it unloads.")],
    km: Annotated[float | None, typer.Option(min=0.1, help="One way [default: by road between known places].")] = None,
    goods: Annotated[str, typer.Option(help="general, timber, sawn, ore or conc.")] = "general",
    against: Annotated[str, typer.Option(help="Truck to compare with.")] = "DIESEL",
    electricity: Price = None,
    diesel: Annotated[float | None, typer.Option(min=0.0, help="EUR/l [default: the shipped price].")] = None,
    km_per_year: Annotated[float | None, typer.Option("--km-per-year", min=1.0, help="Km a truck can drive.")] = None,
    subsidy: Annotated[float, typer.Option(min=0.0, help="EUR for each battery or hydrogen truck.")] = 0.0,
    purchase: Annotated[list[str] | None, typer.Option(help="TRUCK=EUR; may be given again.")] = None,
    battery: Annotated[
        float | None, typer.Option(min=0.0, help="EUR per usable kWh of battery [default: of the shipped prices].")
    ] = None,
    loan_rate: LoanRate = None,
    loan_years: LoanYears = 5,
    lease: Lease = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """What each kind of truck costs to own on one lane, and when two cost the same."""
    import nbb_opt as nbb

    found = nbb.truck_cost(
        origin, destination, km=km, goods=goods, against=against, electricity_eur_per_kwh=electricity,
        diesel_eur_per_l=diesel, km_per_year=km_per_year, subsidy_eur=subsidy,
        purchase_eur=_prices(purchase, "--purchase"), battery_eur_per_kwh=battery, loan_rate=loan_rate,
        loan_years=loan_years, lease_eur_per_month=_prices(lease, "--lease"), out=out,
    )  # fmt: skip
    show(found, as_json)


def trips(
    export: Annotated[Path, typer.Argument(help="The export: .csv or .xlsx with vehicle, start, end, km, from, to.")],
    to: Annotated[Path | None, typer.Option(help="Write a fleet sheet of it: .xlsx or .csv.")] = None,
    goods: Annotated[str, typer.Option(help="What trips carry if the file does not tell.")] = "general",
    loaded: Annotated[
        Literal["out", "back", "all"],
        typer.Option(help="If the file does not tell: all but trips home, or all but away."),
    ] = "out",
    range_km: Annotated[
        float | None, typer.Option(help="Usable km of a battery [default: the shipped trucks].")
    ] = None,
    depot_kw: Annotated[float, typer.Option(help="Charging power at the depot.")] = 75.0,
    break_h: Annotated[float, typer.Option(help="Shortest stop with a fast charger.")] = 0.75,
    most_lanes: Annotated[int, typer.Option(help="Lanes in the sheet, those with most trips.")] = 60,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Read trips of a tachograph or telematics export: lanes, duty cycles, each day of each vehicle with a battery."""
    import nbb_opt as nbb

    with logged(sys.stderr):
        found = nbb.fleet_trips(
            export, to, goods=goods, loaded=loaded, range_km=range_km, depot_kw=depot_kw, break_h=break_h,
            most_lanes=most_lanes, out=out,
        )  # fmt: skip
    show(found, as_json)
    if to is not None and not as_json:
        print(f"{to} is the fleet as a sheet. Look it over, then: nbb-opt fleet new mine --sheet {to}")


def money(
    instance: InstancePath,
    plan: Annotated[Path, typer.Option(help="The fleet plan: .csv or .xlsx (see `audit`).")],
    loan_rate: LoanRate = None,
    loan_years: LoanYears = 5,
    lease: Lease = None,
    against: Annotated[str, typer.Option(help="The one truck that the fleet beside the plan buys.")] = "DIESEL",
    time_limit_s: TimeLimit = DEFAULT_TIME_LIMIT_S,
    gap: Gap = DEFAULT_GAP,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Money of a fleet plan over time: cash by year, when each truck goes, loan or lease, subsidies, prices a km."""
    import nbb_opt as nbb

    with logged(sys.stderr):
        found = nbb.fleet_money(
            instance, plan, loan_rate=loan_rate, loan_years=loan_years, against=against, out=out, gap=gap,
            lease_eur_per_month=_prices(lease, "--lease"), time_limit_s=time_limit_s,
        )  # fmt: skip
    show(found, as_json)


def day(
    instance: InstancePath,
    plan: Annotated[Path, typer.Option(help="The fleet plan: .csv or .xlsx (see `audit`).")],
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Charging by the hour: who is in, who waits, power against the connection, cost; plain and smart charging."""
    import nbb_opt as nbb

    with logged(sys.stderr):
        found = nbb.charging_day(instance, plan, out=out)
    show(found, as_json)


def _prices(texts: list[str] | None, option: str) -> dict[str, float]:
    try:
        return {name: float(eur) for name, eur in pairs(texts or (), option).items()}
    except ValueError as error:
        raise NbbError(f"{option}: {error}; write TRUCK=EUR, for example BAT400=380000") from error
