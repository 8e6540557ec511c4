"""Chains, lanes and steps: what is found, and that the tables fit together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbb_opt.errors import InstanceError
from nbb_opt.instance import Instance, split_refs
from nbb_opt.instance.schema import MODES
from nbb_opt.network import Prepared, prepare, services
from nbb_opt.network.candidates import main_mode
from nbb_opt.network.chains import find_chains
from nbb_opt.network.graph import make_graph
from nbb_opt.network.weights import make_amounts
from network_worlds import by_year, default_tables, random_world, world

SMALL = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def flow(origin: str, destination: str, commodity: str = "BOX", tonnes: float = 1000.0) -> list[dict[str, Any]]:
    row = {"origin": origin, "destination": destination, "commodity": commodity, "tonnes": tonnes}
    return [row | {"year": year} for year in (2025, 2035)]


def link(name: str, a: str, b: str, mode: str = "road", km: float = 100.0, **more: Any) -> dict[str, Any]:
    return {"link": name, "from_node": a, "to_node": b, "mode": mode, "distance_km": km} | more


def kinds(prepared: Prepared) -> list[str]:
    return sorted(prepared.chains["kind"])


def best_cost(instance: Instance) -> np.ndarray:
    """Cost of the cheapest chain of every bundle in every period, by today's trucks."""
    graph = make_graph(instance)
    amounts = make_amounts(instance, graph)
    bundles = prepare(instance).bundles
    found = find_chains(instance, graph, amounts, bundles=bundles, use=lambda some, _cls: [part for part, _ in some])
    parts = [part for some in found for part in some]
    bundle = np.concatenate([part.bundle for part in parts])
    cost = np.vstack([part.weights[:, : len(instance.periods)] for part in parts])
    return np.array([cost[bundle == b].min(axis=0) for b in range(len(bundles))])


def with_links(instance: Instance, links: pd.DataFrame) -> Instance:
    return replace(instance, tables=dict(instance.tables) | {"links": links.reset_index(drop=True)})


@pytest.mark.parametrize("seed", range(4))
def test_the_tables_of_a_random_world_fit_together(tmp_path: Path, seed: int) -> None:
    instance = random_world(tmp_path, seed=seed, n_nodes=14, n_flows=25, n_projects=2)
    prepared = prepare(instance)
    bundles, chains, steps = prepared.bundles, prepared.chains, prepared.steps
    links = instance["links"].set_index("link")
    transfers = instance["transfers"]
    hours = default_tables()["handling_costs"][0]["time_h"]
    assert (np.diff(chains["bundle"]) >= 0).all()
    assert set(chains["bundle"]) == set(range(len(bundles)))
    for chain in chains.itertuples():
        mine = steps[steps["chain"] == chain.chain]
        bundle = bundles.iloc[chain.bundle]
        assert mine["step"].tolist() == list(range(len(mine)))
        assert mine["from_node"].iloc[0] == bundle["origin"]
        assert mine["to_node"].iloc[-1] == bundle["destination"]
        assert mine["to_node"].iloc[:-1].tolist() == mine["from_node"].iloc[1:].tolist()
        mode, km, time, travelled, needed = "road", dict.fromkeys(("road", "rail", "sea", "ferry"), 0.0), 0.0, [], set()
        for step in mine.itertuples():
            if step.kind == "transfer":
                assert step.from_node == step.to_node
                assert step.mode_a == mode
                mode = step.mode_b
                here = transfers[transfers["node"] == step.from_node]
                assert {(step.mode_a, step.mode_b), (step.mode_b, step.mode_a)} & set(
                    zip(here["mode_a"], here["mode_b"], strict=True)
                )
                time += hours
                travelled.append("")
                continue
            assert step.mode_a == mode
            if step.kind == "lane":
                lane = prepared.lanes.iloc[step.lane]
                assert (lane["from_node"], lane["to_node"]) == (step.from_node, step.to_node)
                used = prepared.lane_links.loc[prepared.lane_links["lane"] == step.lane, "link"].tolist()
            else:
                used = [step.link]
            for name in used:
                assert links.loc[name, "mode"] == mode
                km[mode] += links.loc[name, "distance_km"]
                time += links.loc[name, "time_h"]
                needed |= set(split_refs(links.loc[name, "project"]))
            if not travelled or travelled[-1] != mode:
                travelled.append(mode)
        assert mode == "road"
        assert chain.kind == "-".join(word for word in travelled if word)
        assert chain.main_mode == max(km, key=lambda m: km[m])
        assert chain.distance_km == pytest.approx(sum(km.values()))
        assert chain.time_h == pytest.approx(time)
        assert split_refs(chain.projects) == sorted(needed)


def test_lanes_add_up_their_links(tmp_path: Path) -> None:
    instance = random_world(tmp_path, seed=5, n_nodes=14, n_flows=25)
    prepared = prepare(instance)
    joined = prepared.lane_links.merge(instance["links"][["link", "distance_km", "time_h", "two_way"]], on="link")
    sums = joined.groupby("lane")[["distance_km", "time_h"]].sum()
    np.testing.assert_allclose(sums.to_numpy(), prepared.lanes[["distance_km", "time_h"]].to_numpy())
    for _, run in prepared.lane_links.groupby("lane"):
        assert run["step"].tolist() == list(range(len(run)))
        assert run["to_node"].tolist()[:-1] == run["from_node"].tolist()[1:]
    keys = prepared.lane_links.groupby("lane")[["link", "from_node"]].agg(tuple).join(prepared.lanes["cargo_type"])
    assert not keys.duplicated().any()


def test_every_flow_has_a_chain_without_projects_and_by_road_if_it_can(tmp_path: Path) -> None:
    prepared = prepare(random_world(tmp_path, seed=6, n_nodes=14, n_flows=25, n_projects=3))
    today = prepared.chains[prepared.chains["projects"] == ""]
    assert set(today["bundle"]) == set(prepared.bundles["bundle"])
    assert set(today.loc[today["kind"] == "road", "bundle"]) == set(prepared.bundles["bundle"])


def test_a_siding_pays_the_transfer_and_drives_no_lane(tmp_path: Path) -> None:
    instance = world(
        tmp_path, nodes=["A", "B"], links=[link("R", "A", "B", "rail")], od=flow("A", "B"),
        transfers=[{"node": n, "mode_a": "road", "mode_b": "rail"} for n in "AB"],
    )  # fmt: skip
    prepared = prepare(instance)
    assert kinds(prepared) == ["rail"]
    assert prepared.steps["kind"].tolist() == ["transfer", "link", "transfer"]
    assert prepared.lanes.empty
    assert prepared.lane_links.empty


def test_a_gauge_break_is_a_transfer_and_two_legs(tmp_path: Path) -> None:
    links = [link("R1", "A", "B", "rail"), link("R2", "B", "C", "rail", gauge_mm=1524, electrified_share=0.0)]
    ends = [{"node": n, "mode_a": "road", "mode_b": "rail"} for n in "AC"]
    through = [*ends, {"node": "B", "mode_a": "rail", "mode_b": "rail"}]
    instance = world(tmp_path, nodes=list("ABC"), links=links, transfers=through, od=flow("A", "C"))
    assert kinds(prepare(instance)) == ["rail-rail"]
    with pytest.raises(InstanceError, match="A -> C, BOX: cannot be carried"):
        prepare(world(tmp_path, nodes=list("ABC"), links=links, transfers=ends, od=flow("A", "C")))
    with pytest.raises(InstanceError, match="cannot be carried"):
        prepare(replace(instance, meta=replace(instance.meta, max_main_legs=1)))


def test_a_one_way_link_is_not_used_backwards(tmp_path: Path) -> None:
    links = [link("UP", "A", "B", two_way=False), link("LONG", "B", "C", km=300), link("AROUND", "C", "A", km=300)]
    instance = world(tmp_path, nodes=list("ABC"), links=links, transfers=[], od=flow("A", "B") + flow("B", "A"))
    prepared = prepare(instance)
    there = prepared.steps.merge(prepared.chains[["chain", "bundle"]], on="chain")
    lanes = prepared.lane_links.groupby("lane")["link"].agg(list)
    used = [set(lanes[lane]) for lane in there.loc[there["bundle"] == 1, "lane"]]
    assert used == [{"LONG", "AROUND"}]


def test_two_flows_that_cannot_be_carried_are_named_at_once(tmp_path: Path) -> None:
    instance = world(
        tmp_path, nodes=list("ABCD"), links=[link("X", "A", "B"), link("Y", "C", "D")], transfers=[],
        od=flow("A", "B") + flow("A", "C") + flow("D", "B"),
    )  # fmt: skip
    with pytest.raises(InstanceError) as caught:
        prepare(instance)
    assert len(caught.value.problems) == 2


def test_a_flow_that_needs_a_project_is_refused(tmp_path: Path) -> None:
    instance = world(
        tmp_path, nodes=list("AB"), links=[link("X", "A", "B", project="P")], transfers=[], od=flow("A", "B"),
        projects=[{"project": "P", "kind": "new_link", "max_units": 1}],
    )  # fmt: skip
    with pytest.raises(InstanceError, match="only if a project is built"):
        prepare(instance)


@pytest.mark.parametrize(
    ("change", "usable"),
    [({}, True), ({"axle_load_t": 19.0}, False), ({"max_gross_t": 599.0}, False), ({"gauge_mm": 1000}, True)],
)
def test_axle_load_and_weight_limits_close_a_railway(tmp_path: Path, change: dict[str, Any], usable: bool) -> None:
    instance = world(
        tmp_path, nodes=["A", "B"], od=flow("A", "B"),
        links=[link("X", "A", "B", km=200), link("R", "A", "B", "rail", **change)],
        transfers=[{"node": n, "mode_a": "road", "mode_b": "rail"} for n in "AB"],
    )  # fmt: skip
    assert kinds(prepare(instance)) == (["rail", "road"] if usable else ["road"])
    assert services(instance).empty != usable


def test_a_weight_limit_of_a_road_is_the_limit_of_its_lanes(tmp_path: Path) -> None:
    links = [link("X", "A", "B", max_gross_t=50.0), link("Y", "B", "C", max_gross_t=44.0), link("Z", "C", "D")]
    instance = world(
        tmp_path, nodes=list("ABCD"), links=links, transfers=[], od=flow("A", "B") + flow("A", "D") + flow("C", "D")
    )
    assert sorted(prepare(instance).lanes["gross_limit_t"]) == [44.0, 50.0, np.inf]


@pytest.fixture(scope="module")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Instance, np.ndarray]:
    """Ten places at random, and the cost of every flow's cheapest chain."""
    instance = random_world(tmp_path_factory.mktemp("small"), seed=8, n_nodes=10, n_flows=10)
    return instance, best_cost(instance)


@given(row=st.integers(0, 30), factor=st.floats(1.0, 5.0), one_way=st.booleans())
@SMALL
def test_a_link_that_another_beats_changes_the_cost_of_no_chain(
    small_world: tuple[Instance, np.ndarray], row: int, factor: float, one_way: bool
) -> None:
    instance, cost = small_world
    links = instance["links"]
    worse = links.iloc[[min(row, len(links) - 1)]]
    longer = {name: worse[name] * factor for name in ("distance_km", "time_h")}
    worse = worse.assign(link="WORSE", two_way=worse["two_way"] & (not one_way), **longer)
    np.testing.assert_array_equal(cost, best_cost(with_links(instance, pd.concat([links, worse]))))


def test_three_main_legs_are_found_where_no_fewer_will_do(tmp_path: Path) -> None:
    sea = [link("S1", "A", "B", "sea"), link("S2", "C", "D", "sea")]
    rail = [link("R", "B", "C", "rail")]
    ports = [{"node": n, "mode_a": "road", "mode_b": "sea"} for n in "AD"]
    quays = [{"node": n, "mode_a": "rail", "mode_b": "sea"} for n in "BC"]
    case = {"nodes": list("ABCD"), "links": [*sea, *rail], "transfers": [*ports, *quays], "od": flow("A", "D")}
    assert kinds(prepare(world(tmp_path, max_main_legs=3, **case))) == ["sea-rail-sea"]
    with pytest.raises(InstanceError, match="cannot be carried by any chain"):
        prepare(world(tmp_path, max_main_legs=2, **case))


@given(row=st.integers(0, 30), factor=st.floats(0.1, 1.0))
@SMALL
def test_a_shorter_link_never_makes_a_flow_dearer(
    small_world: tuple[Instance, np.ndarray], row: int, factor: float
) -> None:
    instance, cost = small_world
    links = instance["links"].copy()
    row = min(row, len(links) - 1)
    for column in ("distance_km", "time_h"):
        links.loc[row, column] *= factor
    assert (best_cost(with_links(instance, links)) <= cost * (1 + 1e-12)).all()


@given(seed=st.integers(0, 1000))
@SMALL
def test_renaming_the_places_changes_nothing_but_names(tmp_path: Path, seed: int) -> None:
    plain = prepare(random_world(tmp_path / "a", seed=seed, n_nodes=9, n_flows=8, n_projects=1))
    other = prepare(random_world(tmp_path / "b", seed=seed, n_nodes=9, n_flows=8, n_projects=1, name="zz{:03d}y"))
    pd.testing.assert_frame_equal(plain.chains, other.chains)
    renamed = plain.steps["from_node"].str.replace(r"N(\d+)", r"zz\1y", regex=True)
    assert renamed.tolist() == other.steps["from_node"].tolist()
    np.testing.assert_array_equal(plain.demand_t, other.demand_t)


def test_preparing_twice_gives_the_same(tmp_path: Path) -> None:
    instance = random_world(tmp_path, seed=10, n_nodes=14, n_flows=25, n_projects=2)
    first, second = prepare(instance), prepare(instance)
    for name in ("bundles", "chains", "steps", "lanes", "lane_links"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(second, name))


def test_a_partly_electrified_line_needs_both_trains(tmp_path: Path) -> None:
    tables = default_tables()
    only_electric = {
        "vehicle_loads": [row for row in tables["vehicle_loads"] if row["vehicle"] != "TRAIN_D"],
    }
    railway = [link("R", "A", "B", "rail", electrified_share=0.4)]
    ends = [{"node": n, "mode_a": "road", "mode_b": "rail"} for n in "AB"]
    both = services(world(tmp_path, nodes=["A", "B"], links=railway, transfers=ends, od=[]))
    assert both.loc[(both["year"] == 2025) & (both["cargo_type"] == "container"), "share"].tolist() == [0.4, 0.6]
    assert services(world(tmp_path, nodes=["A", "B"], links=railway, transfers=ends, od=[], **only_electric)).empty


def test_a_service_costs_what_the_formulas_say(tmp_path: Path) -> None:
    instance = world(
        tmp_path, nodes=["A", "B"], transfers=[], od=[],
        links=[link("S", "A", "B", "sea", charge_eur_per_t=1.5, toll_eur_per_vkm=2.0, country="XX")],
    )  # fmt: skip
    row = services(instance).iloc[0]
    load, idle = 8000 * 0.5, 0.4 / 0.6
    kwh = 100 * (300 + 300 * 0.5 + 300 * idle) / load
    assert row["kwh_per_t"] == pytest.approx(kwh)
    assert row["cost_eur_per_t"] == pytest.approx(100 * 12.0 / (load * 0.6) + kwh * 0.15 + 1.5)
    assert row["ttw_kg_per_t"] == pytest.approx(kwh * 0.25)


def test_an_energy_carrier_without_a_price_is_named(tmp_path: Path) -> None:
    energy = [row for row in default_tables()["energy"] if row["country"] != "XX"]
    instance = world(
        tmp_path, nodes=["A", "B"], transfers=[], od=[], links=[link("S", "A", "B", "sea", country="XX")], energy=energy
    )
    with pytest.raises(InstanceError, match="'diesel' in country 'XX'"):
        services(instance)


def test_a_new_vehicle_opens_a_line_only_if_it_is_there_from_the_start(tmp_path: Path) -> None:
    tables = default_tables()
    late = [row | ({"available_from": 2030} if row["mode"] == "sea" else {}) for row in tables["vehicles"]]
    instance = world(
        tmp_path, nodes=["A", "B"], transfers=[], od=[], links=[link("S", "A", "B", "sea", country="XX")], vehicles=late
    )
    assert services(instance).empty
    assert by_year([{}])[0]["year"] == 2025


def test_the_main_mode_of_equal_distances_does_not_hang_on_rounding() -> None:
    km = pd.DataFrame({"distance_km": [0.1, 0.2, 0.3]})  # 0.1 + 0.2 is a little more than 0.3
    for road, ferry in (([0, 1], [2]), ([2], [0, 1])):
        link = np.array([*road, *ferry])
        graph = SimpleNamespace(
            arc_link=link, link_mode=np.where(np.isin(np.arange(3), ferry), MODES.index("ferry"), 0)
        )
        found = SimpleNamespace(code=np.arange(3), chain=np.zeros(3, np.int64), bundle=np.zeros(1))
        assert MODES[main_mode({"links": km}, graph, found)[0]] == "road"  # type: ignore[arg-type]
