"""Fits the mode constants: ``python instances/nbb/build/calibrate.py`` prints the least EUR/t that does for each.

A constant of ``raw/mode_constants.csv`` does when the control total it names is met within 15 %, or, where it names
none, when no tonne of its flows is left on its mode. The rows are fitted in turn, each with those before it as fitted
and those after it as the list has them. What is printed is put into the list by hand, with its reason.
"""

from __future__ import annotations

from pathlib import Path

from store import raw

import nbb_opt as nbb
from nbb_opt.studies.control_totals import base_year, control_totals

MET, LARGEST_EUR = 0.15, 40
FLAGSHIP = Path(__file__).resolve().parent.parent


def left(region: nbb.Instance, row: dict[str, str]) -> float:
    """How far the base year is from what the row is for: a deviation (absolute), or kt left on its mode."""
    plan = base_year(region)
    if row["total"]:
        return float(control_totals(region, plan).table.set_index("total").loc[row["total"], "deviation"].item())
    tables = plan.tables
    flows = tables["flows"].merge(tables["chains"], on="chain").merge(tables["bundles"], on="bundle")
    flows = flows[flows["main_mode"] == row["mode"]]
    for column, of_flow in (("commodities", "commodity"), ("origins", "origin"), ("destinations", "destination")):
        if row[column]:
            flows = flows[flows[of_flow].isin(row[column].split())]
    return float(flows["tonnes"].sum()) / 1e3


def main() -> None:
    region = nbb.read(FLAGSHIP)
    eur = {row["constant"]: float(row["eur_per_t"]) for row in raw("mode_constants")}

    def tried(name: str, value: float) -> nbb.Instance:
        constants = region["mode_constants"].copy()
        constants["eur_per_t"] = [(eur | {name: value})[each] for each in constants["constant"]]
        return region.with_table("mode_constants", constants)

    for row in raw("mode_constants"):
        name, met = row["constant"], MET if row["total"] else 0.0
        before = left(tried(name, 0), row)
        low, high = -1, LARGEST_EUR  # what does not do, what may
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if abs(left(tried(name, middle), row)) <= met else (middle, high)
        eur[name] = float(high)
        unit = f"off {row['total']}" if row["total"] else f"kt by {row['mode']}"
        after = left(tried(name, high), row)
        print(f"{name:28} {high:3d} EUR/t   before {before:8.2f}   after {after:8.2f} {unit}", flush=True)


main()
