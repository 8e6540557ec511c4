"""Commands about data: conversion, made-up OD files. Registered by the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nbb_opt.cli.options import pairs
from nbb_opt.cli.runs import show


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(epilog="Example: nbb-opt convert trips.tntp od.parquet --year 2030 --commodity BOX")(convert)
    app.command("synthesize-od", epilog="Example: nbb-opt synthesize-od od.parquet --rows 1e7 --seed 1")(synthesize_od)


def whole_number(text: str) -> int:
    """A number of rows: 1000000 or 1e6."""
    try:
        value = float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a number") from None
    if value != int(value) or value < 1:
        raise typer.BadParameter(f"{text!r} is not a whole number of at least 1")
    return int(value)


Rows = Annotated[int, typer.Option(parser=whole_number, metavar="N", help="Rows, for example 1e7.")]
Seed = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="The same seed writes the same file.")]


def convert(
    source: Annotated[
        Path,
        typer.Argument(
            help=".csv, .parquet, .xlsx, .omx, .tntp, or a folder (Parquet, NGM); `canad` or `stram` and two paths."
        ),
    ],
    target: Annotated[
        Path, typer.Argument(help=".csv, .parquet, .xlsx or .omx to write; NGM: or a folder.", metavar="TO")
    ],
    folder: Annotated[
        Path | None, typer.Argument(help="After `canad` or `stram`: the instance folder (or folder of them) to write.")
    ] = None,
    year: Annotated[int | None, typer.Option(help="Year of a file that names none (OMX, TNTP).")] = None,
    commodity: Annotated[str, typer.Option(help="Commodity of a TNTP trip table.")] = "trips",
    lookup: Annotated[str | None, typer.Option(help="OMX lookup that names the zones.")] = None,
    km_per_length: Annotated[float | None, typer.Option(help="TNTP or GMNS network: km per unit of length.")] = None,
    h_per_time: Annotated[
        float | None, typer.Option("--hours-per-time", help="TNTP network: hours per unit of time.")
    ] = None,
    km_per_h_per_speed: Annotated[
        float | None, typer.Option("--km-per-h-per-speed", help="GMNS network: km/h per unit of speed.")
    ] = None,
    country: Annotated[str, typer.Option(help="GMNS network: two letters of its country.")] = "",
    within_zones: Annotated[bool, typer.Option("--within-zones", help="NGM: keep flows within a zone.")] = False,
    drop: Annotated[
        list[str] | None,
        typer.Option(
            help="Leave out and count rows of this kind instead of refusing the file; may be given several times: "
            "not-finite, negative, year, within-zone, and with --for unknown-zone, no-zone, unknown-commodity."
        ),
    ] = None,
    duplicates: Annotated[str, typer.Option(help="Rows of one flow and year: refuse, add or keep.")] = "refuse",
    instance: Annotated[
        Path | None, typer.Option("--for", help="Instance whose zones and commodities the rows must have.")
    ] = None,
    zone_map: Annotated[Path | None, typer.Option(help="CSV given,becomes: other names for the zones.")] = None,
    commodity_map: Annotated[Path | None, typer.Option(help="CSV given,becomes: for commodities.")] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            help="Names of columns, old=new joined by commas; old= leaves one out. May be given several times."
        ),
    ] = None,
    sep: Annotated[str, typer.Option(help="Separator of a text file, if it is not seen: , ; | or \\t.")] = "",
    decimal: Annotated[str, typer.Option(help="Decimal sign of a text file, if its cells do not show it: . or ,")] = "",
    unit: Annotated[str, typer.Option(help="Unit of the tonnes: t, kt, Mt or kg.")] = "t",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")] = False,
) -> None:
    """Convert OD matrices, tables and networks of other tools; says what was assumed, kept, added up and left out.

    CSV with semicolons, decimal commas or spaces in thousands, Windows-1252 or UTF-16, TRUE for true, 1435.0 for 1435,
    lists in .xlsx, and Parquet of pandas, polars and Spark are read. A cell that may mean two numbers is refused.

    A whole instance too: `nbb-opt convert mine.xlsx mine` makes a folder of a workbook, the other way round a
    workbook of a folder; `nbb-opt convert mine tidy` one of a folder whose tables are written as above. One table:
    `nbb-opt convert links.csv tidy/links.csv`.

    A road network too: `nbb-opt convert osm region --country AT --km-per-length 0.001 --km-per-h-per-speed 1` makes an
    instance without demand of node.csv and link.csv (GMNS, as osm2gmns writes them) or of a GeoPackage.

    `nbb-opt convert canad PATH TARGET` makes network design instances of a .dow file or of a folder of them.
    """
    import nbb_opt as nbb
    from nbb_opt.formats import Choices, Dialect
    from nbb_opt.problems.dispatch import CONVERTERS

    if folder is not None:
        if str(source) not in CONVERTERS:
            raise typer.BadParameter(f"three paths: the first must be one of {', '.join(sorted(CONVERTERS))}")
        show(nbb.convert(target, folder, form=str(source)), as_json)
        return
    new_names = pairs(columns or [], "--columns", joined=True)
    choices = Choices(
        year=year, commodity=commodity, lookup=lookup, km_per_length=km_per_length, h_per_time=h_per_time,
        within_zones=within_zones, drop=tuple(drop or ()), duplicates=duplicates, instance=instance, zone_map=zone_map,
        commodity_map=commodity_map, dialect=Dialect(new_names, sep.replace("\\t", "\t"), decimal, unit),
        country=country, km_per_h_per_speed=km_per_h_per_speed,
    )  # fmt: skip
    show(nbb.convert(source, target, choices=choices), as_json)


def synthesize_od(
    target: Annotated[Path, typer.Argument(help="Parquet file to write.", metavar="OUT")],
    rows: Rows,
    zones: Annotated[int, typer.Option(min=2, help="Zones.")] = 500,
    commodities: Annotated[int, typer.Option(min=1, help="Commodities.")] = 10,
    years: Annotated[str, typer.Option(help="Years, joined by commas; each row is of one of them.")] = "2030",
    seed: Seed = 1,
    in_order: Annotated[bool, typer.Option("--sorted", help="Sort by origin and destination.")] = False,
) -> None:
    """Write a made-up OD file of any size (Zipf: few zones carry most rows), a row group at a time."""
    import nbb_opt as nbb
    from nbb_opt.demand.synthetic import Synthetic

    try:
        in_years = tuple(int(year) for year in years.split(","))
    except ValueError:
        raise typer.BadParameter(f"{years!r} is not a list of years") from None
    spec = Synthetic(
        rows, places=zones, zones=zones, classes=commodities, commodities=commodities, years=in_years, seed=seed,
        in_order=in_order, text=True,
    )  # fmt: skip
    nbb.synthesize_od(target, spec)
    print(f"wrote {rows:,} rows between {zones} zones to {target} ({target.stat().st_size / 1e6:,.1f} MB)")
