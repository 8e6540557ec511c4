"""The builder and the verifier read models/README.md independently: on many random worlds they must agree to the cent.

Each world is `instances/tiny` with every figure moved, winter, tolls, fares, wages, discounting, chargers on the way,
part-electrified rail and blended years added. Solving raises VerifyFailed if the two disagree on anything.
"""

from __future__ import annotations

import csv
import random
import re
import shutil
from pathlib import Path

import pytest

from nbb_opt.errors import Infeasible
from nbb_opt.instance import read_instance
from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import solve_instance
from nbb_opt.verify import verify_run
from tiny_plan import TINY

Rows = list[dict[str, str]]


def read_rows(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_rows(path: Path, rows: Rows) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def move(rows: Rows, rng: random.Random, *columns: str, low: float = 0.8, high: float = 1.25) -> None:
    for row in rows:
        for column in columns:
            if row[column]:
                row[column] = f"{float(row[column]) * rng.uniform(low, high):.6g}"


def random_world(folder: Path, seed: int) -> Path:
    """A copy of tiny in `folder` with other numbers; policies that could make it infeasible are taken out."""
    rng = random.Random(seed)
    shutil.copytree(TINY, folder)
    (folder / "datapackage.json").unlink(missing_ok=True)
    toml = (folder / "instance.toml").read_text(encoding="utf-8")
    toml = re.sub(r"discount_rate = [0-9.]+", f"discount_rate = {rng.choice([0.0, 0.035, 0.07])}", toml)
    toml = re.sub(r'carbon_base = "\w+"', f'carbon_base = "{rng.choice(["TTW", "WTW"])}"', toml)
    (folder / "instance.toml").write_text(toml, encoding="utf-8")
    tables = {path.stem: read_rows(path) for path in folder.glob("*.csv")}
    for row in tables["countries"]:
        row["winter_share"] = f"{rng.uniform(0, 0.5):.3f}"
    move(tables["country_years"], rng, "driver_cost_eur_per_h", "carbon_price_eur_per_t")
    for row in tables["links"]:
        if row["mode"] == "road":
            row["toll_eur_per_vkm"] = f"{rng.uniform(0, 0.3):.4f}"
            row["charge_eur_per_t"] = f"{rng.choice([0, 0.5]):.2f}"
        if row["mode"] == "rail":
            row["electrified_share"] = str(rng.choice([0, 0.3, 1]))
    move(tables["links"], rng, "distance_km", "time_h", low=0.9, high=1.1)
    for row in tables["nodes"]:
        if rng.random() < 0.5:
            row["charge_area"] = rng.choice(["CW", "CE"])
    move(tables["handling_costs"], rng, "cost_eur_per_t", "time_h", "ttw_kg_co2e_per_t", "wtt_kg_co2e_per_t")
    move(tables["commodities"], rng, "value_of_time_eur_per_t_h")
    for row in tables["vehicles"]:
        row["winter_factor"] = f"{rng.uniform(1.0, 1.4):.3f}"
        if row["charge_kw"]:
            row["range_km"] = f"{rng.uniform(150, 700):.0f}"
        if row["mode"] == "road":
            row["resale_share"] = f"{rng.uniform(0.2, 0.8):.3f}"
            row["lifetime_years"] = str(rng.choice([6, 8, 10, 12]))
    move(tables["vehicle_loads"], rng, "load_factor", "empty_share", "turnaround_h")
    columns = ("capex_eur", "fixed_eur_per_year", "running_eur_per_vkm", "empty_kwh_per_vkm")
    move(tables["vehicle_years"], rng, *columns)
    for row in tables["vehicle_years"]:
        row["full_kwh_per_vkm"] = f"{float(row['empty_kwh_per_vkm']) * rng.uniform(1.0, 1.8):.6g}"
    move(tables["energy"], rng, "price_eur_per_kwh", "ttw_kg_co2e_per_kwh", "wtt_kg_co2e_per_kwh")
    for row in tables["energy"]:
        row["factors"] = ""  # figures that are moved are those of no factor
    move(tables["od"], rng, "tonnes", low=0.7, high=1.0)
    for row in tables["chargers"]:
        row["lifetime_years"] = str(rng.choice([4, 8, 15]))
    move(tables["chargers"], rng, "utilisation_share", "capex_eur")
    for row in tables["projects"]:
        row["lifetime_years"] = str(rng.choice([5, 7, 40]))
    move(tables["projects"], rng, "capex_eur", "fixed_eur_per_year", low=0.1, high=1.0)
    for row in tables["policies"]:
        if row["kind"] == "cap_emissions_t_per_year":
            row["value"] = "100000"
    for name, rows in tables.items():
        if rows:
            for row in rows:
                if "note" in row:
                    row["note"] = "plausible: random world"
            write_rows(folder / f"{name}.csv", rows)
    return folder


@pytest.mark.promise(7, 4, 40)
@pytest.mark.parametrize("model", ["joint", "electrify_only"])
def test_builder_and_verifier_agree_on_random_worlds(tmp_path: Path, seed: int, model: str) -> None:
    instance = read_instance(random_world(tmp_path / "world", seed))
    try:
        run = solve_instance(
            instance,
            model=model,
            options=SolveOptions(gap=1e-6, threads=1, time_limit_s=120, reference=model == "joint"),
        )
    except Infeasible:
        pytest.skip("no plan in this world")
    verdict = verify_run(run, instance)
    assert verdict.ok, verdict.failures().to_string()
    assert verdict.cost_eur == pytest.approx(run.record["cost_eur"], rel=1e-9)
