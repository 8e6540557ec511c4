"""Commands about a region: what it has and what runs full. Registered by the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from nbb_opt.cli.console import logged
from nbb_opt.cli.options import AsJson, InstancePath
from nbb_opt.cli.runs import show

RunFolder = Annotated[
    Path | None,
    typer.Option("--run", help="Run folder of the instance [default: the first period, or what is decided]."),
]
OutFolder = Annotated[Path | None, typer.Option(help="Folder for page and tables [default: none is written].")]


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(epilog="Example: nbb-opt inventory instances/nbb --run runs/nbb-joint --out atlas")(inventory)
    app.command(epilog="Example: nbb-opt availability instances/nbb --run runs/nbb-joint --out ways")(availability)
    app.command(epilog="Example: nbb-opt locate instances/nbb --plant instances/nbb/plant_cathode_30kt.csv --exact 3")(
        locate
    )
    app.command(epilog="Example: nbb-opt strategy instances/nbb --run runs/nbb-joint --study robust --out strategy")(
        strategy
    )


def inventory(instance: InstancePath, run: RunFolder = None, out: OutFolder = None, as_json: AsJson = False) -> None:
    """What exists, what uses it and when it runs full: zones, ports, terminals, lines, crossings, power, drivers."""
    import nbb_opt as nbb

    with logged(sys.stderr):
        found = nbb.inventory(instance, run, out=out)
    _show(found, out, as_json)


def availability(instance: InstancePath, run: RunFolder = None, out: OutFolder = None, as_json: AsJson = False) -> None:
    """The best way from every zone to every gateway, today and with a plan; what projects would do; goods out."""
    import nbb_opt as nbb

    with logged(sys.stderr):
        found = nbb.availability(instance, run, out=out)
    _show(found, out, as_json)


def locate(
    instance: InstancePath,
    plant: Annotated[Path, typer.Option(help="The plant: a .csv with what it needs and makes, from and to whom.")],
    run: Annotated[
        Path | None, typer.Option("--run", help="Run folder of the instance [default: it is solved].")
    ] = None,
    places: Annotated[
        list[str] | None,
        typer.Option("--place", help="A zone to compare; may be given again [default: towns, ports and plants]."),
    ] = None,
    exact: Annotated[int, typer.Option(min=0, help="So many of the cheapest places are solved too.")] = 0,
    out: OutFolder = None,
    as_json: AsJson = False,
) -> None:
    """Where a plant would be best off: freight cost, hours, emissions, first bottleneck; a brief in four languages."""
    import nbb_opt as nbb

    with logged(sys.stderr):
        found = nbb.locate(instance, plant, run, places=places or (), exact=exact, out=out)
    _show(found, out, as_json)


def strategy(
    instance: InstancePath,
    run: Annotated[Path, typer.Option("--run", help="Run folder of the instance.")],
    study: Annotated[
        list[Path] | None,
        typer.Option("--study", help="Folder that robust or cooperate wrote; may be given again."),
    ] = None,
    out: OutFolder = None,
    as_json: AsJson = False,
) -> None:
    """What to decide first: projects by theme, worth and who pays, for all together and for each country."""
    import nbb_opt as nbb

    with logged(sys.stderr):
        found = nbb.strategy(instance, run, studies=study or (), out=out)
    _show(found, out, as_json)


def _show(found: Any, out: Path | None, as_json: bool) -> None:
    show(found, as_json)
    if out is not None and not as_json:
        print(f"wrote {out / found.name}.html and its tables")
