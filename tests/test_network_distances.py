"""Empty trips between fleet regions: the shortest road path between the hubs."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbb_opt.network import road_distances
from network_worlds import world


def test_empty_trips_take_the_shortest_road_that_exists_today(tmp_path: Path) -> None:
    def road(name: str, a: str, b: str, km: float, **more: object) -> dict[str, object]:
        return {"link": name, "from_node": a, "to_node": b, "mode": "road", "distance_km": km} | more

    instance = world(
        tmp_path, nodes=list("ABCD"), transfers=[], od=[],
        links=[
            road("NEW", "A", "B", 10.0, project="P"), road("SLOW", "A", "C", 60.0, time_h=9.0),
            road("FAST", "A", "C", 60.0, time_h=1.0, toll_eur_per_vkm=2.0), road("ON", "C", "B", 40.0, two_way=False),
            {"link": "RAIL", "from_node": "B", "to_node": "A", "mode": "rail", "distance_km": 5.0},
        ],
        projects=[{"project": "P", "kind": "new_link", "max_units": 1}],
        fleet_regions=[
            {"fleet_region": "R", "country": "SE", "hub_node": "A"},
            {"fleet_region": "S", "country": "SE", "hub_node": "B"},
            {"fleet_region": "T", "country": "SE", "hub_node": "A"},
        ],
    )  # fmt: skip
    rows = road_distances(instance).set_index(["from_region", "to_region"])
    assert set(rows.index) == {("R", "S"), ("T", "S")}  # one way only; R and T share their hub
    assert rows.loc[("R", "S"), "distance_km"] == 100.0
    assert rows.loc[("R", "S"), "time_h"] == pytest.approx(1.0 + 40 / 60)
    assert rows.loc[("R", "S"), "toll_eur_per_vkm"] == pytest.approx(60 * 2.0 / 100)
