"""Who supplies plants with recipes: how much comes from the region, what it costs and what it emits before the gate."""

from __future__ import annotations

import pandas as pd

from nbb_opt.instance import Instance
from nbb_opt.recompute import read_supplies, read_world
from nbb_opt.report.decisions import names_of
from nbb_opt.report.grid import Column, Grid, each
from nbb_opt.report.text import plain
from nbb_opt.result import Tables

NOTE = (
    "What is emitted upstream, before an input leaves the gate, is in no total of transport, and no cap or carbon "
    "price counts it. Contracts are what the demand holds."
)


def sourcing_table(instance: Instance, tables: Tables) -> pd.DataFrame:
    """One row for each plant, input and period: columns site, input, year, needed_t, regional_t, region_share,
    contract_region_share, above_contracts_eur and upstream_kg, all a year. Shares are NaN where nothing is bought."""
    supplies = read_supplies(read_world(instance), tables)
    pairs, key = supplies.pairs, ["site", "input", "year"]
    inside = pairs["in_region"].astype(float)
    sums = pairs[key].assign(
        supplied=pairs["supplied"], regional_t=pairs["supplied"] * inside, contracted=pairs["contracted"],
        contracted_inside=pairs["contracted"] * inside, upstream_kg=pairs["supplied"] * pairs["upstream_kg_co2e_per_t"],
        above_contracts_eur=(pairs["supplied"] - pairs["contracted"]) * pairs["price_eur_per_t"],
    )  # fmt: skip
    found = sums.groupby(key).sum().reset_index()
    found = found.assign(
        region_share=found["regional_t"] / found["supplied"].where(found["supplied"] > 0),
        contract_region_share=found["contracted_inside"] / found["contracted"].where(found["contracted"] > 0),
    ).rename(columns={"supplied": "needed_t"})
    return found[[*key, "needed_t", "regional_t", "region_share", "contract_region_share", "above_contracts_eur",
                  "upstream_kg"]]  # fmt: skip


def sourcing_grids(instance: Instance, tables: Tables) -> list[Grid]:
    """Inputs by plant and period, and who supplies them; none of a plan that chooses no supplier."""
    if tables["supplied"].empty:
        return []
    sites = names_of(instance, "sites", "site")
    inputs = [
        [sites[row.site], plain(row.input), int(row.year), row.needed_t / 1e3, _known(row.region_share),
         _known(row.contract_region_share), row.above_contracts_eur / 1e6, row.upstream_kg / 1e6]
        for row in each(sourcing_table(instance, tables)) if row.needed_t > 0
    ]  # fmt: skip
    offers = instance["suppliers"].set_index(["supplier", "input"])
    supplied = [
        [plain(row.supplier), "yes" if offers["in_region"][row.supplier, row.input] else "no", plain(row.input),
         sites[row.site], int(row.year), row.tonnes / 1e3]
        for row in each(tables["supplied"].sort_values(["input", "site", "year", "supplier"]))
    ]  # fmt: skip
    both = Column("Plant"), Column("Input"), Column("Period from", "year")
    columns = (
        *both,
        Column("Needed", "kt", "kt a year"),
        Column("From the region", "percent", "%"),
        Column("By contracts", "percent", "%"),
        Column("Above contracts", "meur", "MEUR a year"),
        Column("Upstream CO2e", "kt", "kt a year"),
    )
    by_supplier = (Column("Supplier"), Column("In the region"), both[1], both[0], both[2],
                   Column("Supplied", "kt", "kt a year"))  # fmt: skip
    return [
        Grid("What plants need by their recipes, and how much of it comes from the region", columns, inputs, note=NOTE,
             name="Inputs"),
        Grid("Who supplies it", by_supplier, supplied, name="Suppliers"),
    ]  # fmt: skip


def _known(share: float) -> float | None:
    return None if pd.isna(share) else float(share)
