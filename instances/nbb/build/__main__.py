"""Builds the tables of the Nordic Battery Belt instance: ``python instances/nbb/build [--out FOLDER]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import charging
import demand
import energy
import goods
import meta
import network
import places
import projects
import readme
import rules
import services
import trucks
from od_file import write_od
from store import Tables, raw, write_tables


def build(folder: Path) -> list[str]:
    """Writes every file of the instance into ``folder``; returns what was met of the control totals, line by line."""
    links = network.links()
    flows, blocks = demand.demand(links)
    tables: Tables = {
        "sources": [dict(r) for r in raw("sources")],
        "countries": places.countries(),
        "country_years": places.country_years(),
        "charge_areas": places.charge_areas(),
        "fleet_regions": places.fleet_regions(),
        "nodes": places.nodes(),
        "projects": projects.projects(),
        "project_effects": projects.project_effects(),
        "project_funding": projects.project_funding(),
        "links": links,
        "terminals": network.terminals(demand.ocean_freight()),
        "ports": network.ports(),
        "transfers": network.transfers(),
        "handling_costs": goods.handling_costs(),
        "commodities": goods.commodities(),
        "vehicles": trucks.vehicles() + services.vehicles(),
        "vehicle_loads": trucks.vehicle_loads() + services.vehicle_loads(),
        "vehicle_years": trucks.vehicle_years() + services.vehicle_years(),
        "factors": energy.factors(),
        "energy": energy.energy(),
        "fuel_substitutes": energy.substitutes(),
        "fleet": trucks.fleet(),
        "chargers": charging.chargers(),
        "public_charging": charging.public_charging(),
        "battery_wear": charging.battery_wear(),
        "driving_rules": charging.driving_rules(),
        "gradients": charging.gradients(),
        "subsidies": charging.subsidies(),
        "occupations": trucks.occupations(),
        "labour": trucks.labour(),
        "site_power": charging.site_power(),
        "sites": demand.sites(),
        "recipes": demand.recipes(),
        "suppliers": demand.suppliers(),
        "supply_contracts": demand.supply_contracts(flows),
        "policies": rules.policies(),
        "outside_flows": demand.outside_flows(links),
        "mode_constants": rules.mode_constants(),
        "ranges": rules.ranges(),
        "control_totals": demand.control_totals(),
    }
    write_tables(tables, folder)
    write_od(demand.od_rows(flows), folder / "od.parquet")
    (folder / "instance.toml").write_text(meta.instance_toml(), encoding="utf-8")
    ocean = demand.ocean_freight()
    (folder / "README.md").write_text(readme.page(tables, flows, blocks, ocean), encoding="utf-8")
    return readme.control_lines(flows, blocks, ocean)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent.parent, help="folder to write to")
    folder: Path = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    print("\n".join(build(folder)))


main()
