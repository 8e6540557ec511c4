"""The flagship instance: it can be rebuilt, it reads, and it says what it claims."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from nbb_opt.instance import Instance, read_instance
from nbb_opt.instance.schema import BY_NAME
from nbb_opt.network import Prepared, prepare

FOLDER = Path(__file__).parent.parent / "instances" / "nbb"
COUNTRIES = {"NO", "SE", "FI"}


@pytest.fixture(scope="module")
def nbb() -> Instance:
    return read_instance(FOLDER)


@pytest.fixture(scope="module")
def od(nbb: Instance) -> pd.DataFrame:
    return pd.read_parquet(nbb.od_path)


@pytest.fixture(scope="module")
def prepared(nbb: Instance) -> Prepared:
    return prepare(nbb)


def tonnes(od: pd.DataFrame, origin: str, destination: str, commodity: str, year: int = 2025) -> float:
    rows = od[(od.origin == origin) & (od.destination == destination) & (od.commodity == commodity) & (od.year == year)]
    return float(rows.tonnes.sum())


def test_building_again_gives_the_same_bytes(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(FOLDER / "build"), "--out", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    built = sorted(path.name for path in tmp_path.iterdir())
    beside = ("datapackage.json", "plant_")  # plants to place, written by hand
    names = [path.name for path in FOLDER.iterdir() if path.is_file()]
    assert built == sorted(name for name in names if not name.startswith(beside))
    changed = [name for name in built if (tmp_path / name).read_bytes() != (FOLDER / name).read_bytes()]
    assert changed == [], "run `python instances/nbb/build` and commit what it writes"


def test_the_builder_prints_the_control_totals(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(FOLDER / "build"), "--out", str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert "general_cargo SE_KVARKEN to FI_KVARKEN: target 115 kt" in done.stdout
    assert "Luleå to Rana scrap: observed 127 kt" in done.stdout


def test_files_of_the_builder_are_short() -> None:
    long = [path.name for path in (FOLDER / "build").glob("*.py") if len(path.read_text("utf-8").splitlines()) > 300]
    assert long == []


def test_it_has_the_five_periods_and_the_size_of_the_region(nbb: Instance, od: pd.DataFrame) -> None:
    assert [(period.year, period.years) for period in nbb.periods] == [
        (2025, 3), (2028, 2), (2030, 5), (2035, 5), (2040, 5)
    ]  # fmt: skip
    assert 500 <= len(od.groupby(["origin", "destination", "commodity"])) <= 820
    assert len(nbb["commodities"]) >= 10
    assert len(nbb["projects"]) >= 15
    assert 28 <= int(nbb["nodes"].is_zone.sum()) <= 55


def test_every_flow_starts_and_ends_at_a_zone(nbb: Instance, od: pd.DataFrame) -> None:
    zones = set(nbb["nodes"].node[nbb["nodes"].is_zone])
    assert set(od.origin) | set(od.destination) <= zones
    assert (od.origin != od.destination).all()


@pytest.mark.parametrize(
    ("origin", "destination", "commodity", "quoted"),
    [
        ("ORT", "GUL", "iron_ore", 4_840_000),
        ("NAO", "LUL", "minerals", 520_000),
        ("NAO", "KIR", "ore_concentrate", 549_000),
        ("LUL", "MOI", "scrap", 127_000),
        ("MOI", "HEL", "steel", 136_000),
        ("NAR", "OSL", "food_fish", 210_000),
        ("PAJ", "NAO", "iron_ore", 2_000_000),
    ],
)
def test_a_flow_that_was_observed_is_met_within_one_per_cent(
    od: pd.DataFrame, origin: str, destination: str, commodity: str, quoted: float
) -> None:
    assert math.isclose(tonnes(od, origin, destination, commodity), quoted, rel_tol=0.01)


def test_ore_over_the_quays_of_lulea_is_what_was_observed_with_the_pellets_of_raahe(od: pd.DataFrame) -> None:
    over_lulea = tonnes(od, "GAL", "LUO", "iron_ore") + tonnes(od, "GAL", "RAA", "iron_ore")
    assert math.isclose(over_lulea, 5_620_000, rel_tol=0.01)


def test_keliber_trucks_its_concentrate_to_kokkola_in_full_from_2030(od: pd.DataFrame) -> None:
    assert tonnes(od, "KAU", "KOK", "ore_concentrate", 2030) == 200_000


def test_freight_near_the_kvarken_ferry_is_what_it_carried(od: pd.DataFrame) -> None:
    west, east = (
        {"STM", "LYC", "UME", "HOL", "SKE", "ORN", "SUN", "OST", "MOI", "MOS"},
        {"VAA", "SEI", "KAS", "PIE", "KOK"},
    )
    across = (od.origin.isin(west) & od.destination.isin(east)) | (od.origin.isin(east) & od.destination.isin(west))
    unit_loads = od.commodity.isin(["general_cargo", "food_fish", "steel", "sawn_wood"])
    assert math.isclose(od.tonnes[across & unit_loads & (od.year == 2025)].sum(), 21_250 * 14, rel_tol=0.15)


def test_general_cargo_meets_its_control_totals(od: pd.DataFrame) -> None:
    blocks = pd.read_csv(FOLDER / "build" / "raw" / "blocks.csv")
    plants = pd.read_csv(FOLDER / "build" / "raw" / "plant_flows.csv")
    for commodity in blocks.commodity.unique():
        rows = plants[(plants.commodity == commodity) & plants.in_model]
        for year in (2025, 2030, 2035, 2040):
            told = (
                blocks.t2025.dtype.type(blocks[f"t{year}"][blocks.commodity == commodity].sum())
                + rows[f"t{year}"].sum()
            )
            met = od.tonnes[(od.commodity == commodity) & (od.year == year)].sum()
            assert math.isclose(met, told, rel_tol=0.002), (commodity, year)


def test_plants_that_were_stopped_make_nothing(nbb: Instance) -> None:
    sites = nbb["sites"]
    for site in ("FREYR", "GIGAVAASA", "CNGR"):
        assert (sites.amount_t_per_year[sites.site == site] == 0).all()


def test_skelleftea_grows_by_the_scenario_of_2_8_16_30_gwh(nbb: Instance) -> None:
    sites = nbb["sites"]
    cells = sites[(sites.site == "LYTEN") & (sites.commodity == "battery_cells")].sort_values("year")
    assert (cells.amount_t_per_year / 4000).tolist() == [1, 8, 16, 30]


def test_cells_shipped_are_the_cells_made(nbb: Instance, od: pd.DataFrame) -> None:
    sites = nbb["sites"]
    made = sites[(sites.site == "LYTEN") & (sites.commodity == "battery_cells")].set_index("year").amount_t_per_year
    sent = od[(od.origin == "SKE") & (od.commodity == "battery_cells")].groupby("year").tonnes.sum()
    assert sent.to_dict() == pytest.approx(made.to_dict(), rel=0.02)


def test_stegra_ships_the_steel_it_makes(nbb: Instance, od: pd.DataFrame) -> None:
    sites = nbb["sites"]
    made = sites[(sites.site == "STEGRA") & (sites.direction == "produces")].set_index("year").amount_t_per_year
    sent = od[(od.origin == "BOD") & (od.commodity == "steel")].groupby("year").tonnes.sum()
    assert sent.to_dict() == pytest.approx(made.to_dict(), rel=0.02)


def test_no_link_of_land_crosses_a_border_unnoticed(nbb: Instance) -> None:
    country = nbb["nodes"].set_index("node").country
    kind = nbb["nodes"].set_index("node").kind
    links = nbb["links"][nbb["links"]["mode"].isin(["road", "rail"])]
    for link in links.itertuples():
        ends = {country[link.from_node], country[link.to_node]}
        touches_border = "border" in (kind[link.from_node], kind[link.to_node]) or "HAP" in (
            link.from_node,
            link.to_node,
        )
        assert len(ends) == 1 or touches_border or link.country in {"DE", "NL"}, link.link
        assert link.country in ends, link.link


def test_a_truck_may_weigh_what_its_country_allows(nbb: Instance) -> None:
    road = nbb["links"][nbb["links"]["mode"] == "road"]
    limit = {"NO": 60, "SE": 76, "FI": 76, "DE": 40, "NL": 50}
    today = road[road.project == ""]
    assert all(row.max_gross_t <= limit[row.country] for row in today.itertuples())


def test_the_gauges_meet_only_through_the_terminal_that_may_be_built(nbb: Instance) -> None:
    links, transfers = nbb["links"], nbb["transfers"]
    gauges = links[links["mode"] == "rail"]
    met = {}
    for row in gauges.itertuples():
        for node in (row.from_node, row.to_node):
            met.setdefault(node, set()).add(row.gauge_mm)
    both = {node for node, found in met.items() if len(found) > 1}
    assert both == {"TOR"}
    between = transfers[(transfers.mode_a == "rail") & (transfers.mode_b == "rail")]
    assert between.node.tolist() == ["TOR"]
    assert between.project.tolist() == ["GAUGE_TERMINAL"]


def test_only_factors_that_may_be_passed_on_are_shipped(nbb: Instance) -> None:
    factors = nbb["factors"]
    assert (factors.licence != "").all()
    text = " ".join(factors.factor) + " ".join(factors.licence) + " ".join(nbb["sources"].title)
    assert "glec" not in text.lower()
    assert "smart freight" not in text.lower()


def test_electricity_has_no_emissions_where_it_is_used_and_diesel_has(nbb: Instance) -> None:
    energy = nbb["energy"]
    assert (energy.ttw_kg_co2e_per_kwh[energy.energy_carrier == "electricity"] == 0).all()
    diesel = energy[energy.energy_carrier == "diesel"]
    assert diesel.ttw_kg_co2e_per_kwh.between(0.18, 0.28).all()  # with the biofuel that the law asks for
    hvo = energy[energy.energy_carrier == "hvo"].set_index(["country", "year"])
    per_kwh = diesel.set_index(["country", "year"])
    assert (hvo.price_eur_per_kwh > per_kwh.price_eur_per_kwh).all()
    assert (hvo.wtt_kg_co2e_per_kwh < 0.3 * (per_kwh.ttw_kg_co2e_per_kwh + per_kwh.wtt_kg_co2e_per_kwh)).all()
    assert (diesel.ttw_kg_co2e_per_kwh + diesel.wtt_kg_co2e_per_kwh).between(0.24, 0.33).all()


def test_every_assumption_says_why(nbb: Instance) -> None:
    for name, table in nbb.tables.items():
        if "source" in table and "note" in table:
            assumed = table[table.source.str.split(";").apply(lambda names: "assumption" in names).astype(bool)]
            assert (assumed.note.str.len() > 5).all(), name


def test_every_row_has_a_source_and_every_assumption_a_range(nbb: Instance) -> None:
    ranges = nbb["ranges"].groupby("table")["row"].agg(set)
    for name, table in nbb.tables.items():
        if name == "sources" or "source" not in table:
            continue
        assert (table.source != "").all(), name
        assumed = table[table.source.str.split(";").apply(lambda names: "assumption" in names).astype(bool)]
        counted = any(column.kind == "number" for column in BY_NAME[name].columns)
        if counted and "*" not in ranges.get(name, set()):
            assert set(assumed.iloc[:, 0].astype(str)) <= ranges.get(name, set()), name


def test_only_diesel_trucks_are_owned_today_so_that_the_frozen_plan_is_diesel(nbb: Instance) -> None:
    assert set(nbb["fleet"].vehicle) == {"truck_diesel"}


def test_shares_of_a_project_add_up(nbb: Instance) -> None:
    shares = nbb["project_funding"].groupby("project").share.sum()
    assert set(shares.index) == set(nbb["projects"].project)
    assert shares.tolist() == pytest.approx([1.0] * len(shares))


def test_every_flow_can_be_carried_today(nbb: Instance, prepared: Prepared) -> None:
    today = prepared.chains[prepared.chains.projects == ""]
    assert set(today.bundle) == set(prepared.bundles.bundle)


def test_chains_use_road_rail_sea_and_the_ferry(prepared: Prepared) -> None:
    kinds = set(prepared.chains.kind)
    assert {"road", "rail", "road-ferry-road"} <= kinds
    assert any("sea" in kind for kind in kinds)
    assert any(kind.startswith("rail-rail") for kind in kinds), "across the gauge break"


def test_ore_can_go_by_rail_all_the_way_and_truck_ore_by_truck_and_rail(prepared: Prepared) -> None:
    chains = prepared.chains.merge(prepared.bundles, on="bundle")
    kiruna = chains[(chains.origin == "KIR") & (chains.destination == "NAO")]
    assert "rail" in set(kiruna.kind)
    kaunis = chains[(chains.origin == "PAJ") & (chains.destination == "NAO") & (chains.projects == "")]
    assert "road-rail" in set(kaunis.kind)


def test_prepared_chains_stay_few_enough_to_solve(prepared: Prepared) -> None:
    assert len(prepared.chains) < 12_000
    assert len(prepared.lanes) < 2_500
