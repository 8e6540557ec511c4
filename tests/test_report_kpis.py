"""The key figures, checked against sums made by hand from the made-up run."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from nbb_opt.report import key_figures
from nbb_opt.report.decisions import policy_grid
from nbb_opt.report.kpis import shift_effect, shifts
from nbb_opt.report.map.coast import Water, land_mask, project_km, read_outlines
from nbb_opt.report.map.frame import far_nodes
from report_case import FLOWS, YEARS, make_instance, make_run


def test_tonnes_shifted_are_what_road_loses() -> None:
    instance = make_instance()
    run = make_run(instance)
    figures = key_figures(instance, run)
    moved = sum(1e3 * kilo for _, _, _, kilo, _, _, mode in FLOWS if mode and kilo <= 850)
    for i, year in enumerate(YEARS):
        assert figures["shifted_t"][year] == pytest.approx(moved * (0.1 + 0.18 * i) * (1 + 0.04 * i))
        assert figures["shifted_back_t"][year] == 0.0


def test_shifts_by_kind_add_up_to_shifts_by_mode() -> None:
    run = make_run(make_instance())
    assert shifts(run, by=["kind"])["tonnes"].sum() == pytest.approx(shifts(run, by=["main_mode"])["tonnes"].sum())


def test_transport_work_does_not_depend_on_how_it_is_summed() -> None:
    instance = make_instance()
    run = make_run(instance)
    chains = run.tables["chains"].set_index("chain")["distance_km"]
    flows = run.tables["flows"]
    total = (flows["tonnes"] * flows["chain"].map(chains)).groupby(flows["year"]).sum()
    for year, modes in key_figures(instance, run)["modal_split_tkm"].items():
        assert sum(modes.values()) == pytest.approx(total[year])


def test_key_figures_can_be_written_as_json() -> None:
    instance = make_instance()
    figures = key_figures(instance, make_run(instance))
    assert json.loads(json.dumps(figures))["battery_trucks"]["2035"] == 280
    assert figures["projects_built"][0] == ("GRID", "Stronger grid at Skellefteå", 2025)
    assert figures["investments_eur"] == pytest.approx({"projects": 9.29e8, "chargers": 0.0, "vehicles": 1.95e8})


def test_the_frozen_plan_shifts_nothing() -> None:
    instance = make_instance()
    run = make_run(instance, model="frozen")
    assert key_figures(instance, run)["shifted_t"] == {}
    itself = type(run)(run.path, make_run(instance).record, run.tables, {"reference": run.tables})
    assert set(key_figures(instance, itself)["shifted_t"].values()) == {0.0}
    assert shift_effect(instance, itself)[0] == dict.fromkeys(YEARS, 0.0)


def test_a_rule_binds_only_where_the_plan_reaches_it() -> None:
    instance = make_instance()
    run = make_run(instance)
    rules = {row[0]: row for row in policy_grid(instance, run).rows}
    assert rules["CAP"][-1] == "no"
    assert rules["BAN"][-1] == "kept"
    policies = instance["policies"].assign(value=[181e3, float("nan")])
    tighter = replace(instance, tables={**instance.tables, "policies": policies})
    assert {row[0]: row[-1] for row in policy_grid(tighter, run).rows}["CAP"] == "2035"


def test_a_few_distant_places_do_not_shrink_the_map() -> None:
    near = np.random.default_rng(1).normal(0, 200, (40, 2))
    points = np.vstack([near, [[0.0, 2500.0], [100.0, 2600.0]]])
    assert far_nodes(points).tolist() == [False] * 40 + [True] * 2
    assert not far_nodes(near[:4]).any()


def test_ships_go_around_land() -> None:
    centre = (20.0, 63.0)
    rings = [project_km(ring[:, 0], ring[:, 1], centre=centre) for ring in read_outlines().land]
    ports = project_km(np.array([22.2, 11.8]), np.array([65.5, 57.6]), centre=centre)  # Luleå, Gothenburg
    water = Water(rings, ports)
    (way,) = water.ways(ports[0], [ports[1]])
    on_land = land_mask(rings, left=water.left, top=water.top, cell=water.cell, shape=water.shape)
    assert sum(bool(on_land[cell]) for cell in way) <= 3


def test_the_outlines_know_land_from_water() -> None:
    rings = list(read_outlines().land)
    mask = land_mask(rings, left=5.0, top=55.0, cell=1.0, shape=(17, 30))

    def at(lon: float, lat: float) -> bool:
        return bool(mask[int(lat - 55.0), int(lon - 5.0)])

    assert at(18.5, 64.5)  # Lycksele
    assert at(25.5, 69.5)  # Karasjok
    assert at(25.5, 63.5)  # Finland
    assert not at(20.5, 62.5)  # Bothnian Sea
    assert not at(6.5, 66.5)  # Norwegian Sea
    assert not at(19.5, 57.0 - 0.5)  # Baltic Sea
