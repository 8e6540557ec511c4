"""Availability: figures of pairs equal a slow recomputation in plain Python; goods out are those of the plan."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import nbb_opt as nbb
from nbb_opt.errors import NbbError
from nbb_opt.instance.schema import CARGO_TYPES
from nbb_opt.network.graph import make_graph, pattern_tree
from nbb_opt.network.weights import make_amounts
from nbb_opt.report.study import Answer, read_section
from nbb_opt.studies.availability import cargo_classes, gateways
from plain_network import pattern_costs

PAIRS = 20


@pytest.fixture(scope="module")
def region() -> nbb.Instance:
    return nbb.examples.tiny()


@pytest.fixture(scope="module")
def plan(region: nbb.Instance) -> nbb.Result:
    return nbb.solve(region, gap=1e-6)


@pytest.fixture(scope="module")
def found(region: nbb.Instance, plan: nbb.Result) -> Answer:
    return nbb.availability(region, plan)


def test_twenty_pairs_equal_a_slow_recomputation(found: Answer, region: nbb.Instance, plan: nbb.Result) -> None:
    graph = make_graph(region)
    amounts = make_amounts(region, graph)
    classes = {CARGO_TYPES[cls.cargo_type]: cls for cls in cargo_classes(region)}
    rows = plan.run.tables["projects"].query("in_service > 0")
    built = set(zip(rows["project"], rows["year"], strict=True))
    compared = found.pairs.iloc[np.linspace(0, len(found.pairs) - 1, PAIRS).astype(int)]
    assert compared["zone"].nunique() > 3
    for row in compared.itertuples():
        cls, t = classes[row.cargo_type], [p.year for p in region.periods].index(row.year)
        h, value = cls.cargo_type, cls.value_of_time_eur_per_t_h
        there = [-1 if name == "" else int((name, row.year) in built and row.state == "plan") for name in
                 region["links"]["project"]]  # fmt: skip
        cost = amounts.link_cost[h, t] + amounts.link_carbon_cost[h, t] + value * amounts.link_time
        cost = np.where(np.array(there) == 0, np.inf, cost)
        cost = np.where(np.array(cls.modes)[graph.link_mode], cost, np.inf)
        arcs: dict[int, list[tuple[int, int, float]]] = {}
        for layer, a, b, link in zip(graph.arc_layer, graph.arc_from, graph.arc_to, graph.arc_link, strict=True):
            if np.isfinite(cost[link]):
                arcs.setdefault(int(layer), []).append((int(a), int(b), float(cost[link])))
        handled = amounts.transfer_cost[h] + amounts.transfer_carbon_cost[h, t] + value * amounts.transfer_time[h]
        needs = [graph.projects[p] if p >= 0 else "" for p in graph.transfer_project]
        changes = zip(graph.switch_node, graph.switch_from, graph.switch_to, graph.switch_transfer, strict=True)
        switches = [
            (int(n), int(a), int(b), float(handled[r]))
            for n, a, b, r in changes
            if needs[r] == "" or ((needs[r], row.year) in built and row.state == "plan")
        ]  # fmt: skip
        parent, leg = pattern_tree(graph, np.array(cls.modes), region.meta.max_main_legs)
        best = pattern_costs(arcs, switches, parent.tolist(), leg.tolist(), origin=graph.node_index[row.zone])
        end = graph.node_index[row.gateway]
        slow = min(eur for (node, _), eur in best.items() if node == end)
        assert row.generalised_eur_per_t == pytest.approx(slow, abs=1e-9)
        assert row.cost_eur_per_t + value * row.time_h == pytest.approx(slow, abs=1e-9)


def test_a_plan_makes_no_pair_worse_than_todays_network_in_the_same_year(found: Answer) -> None:
    wide = found.pairs.pivot_table(index=["zone", "gateway", "cargo_type", "year"], columns="state",
                                   values="generalised_eur_per_t")  # fmt: skip
    assert (wide["plan"] <= wide["today"] + 1e-9).all()
    assert (wide["plan"] < wide["today"] - 1).any()  # the railway to the mine


def test_gateways_are_ports_and_without_them_terminals(region: nbb.Instance) -> None:
    assert gateways(region) == ["PORTE", "PORTW"]
    inland = region.with_table("transfers", lambda t: t[~t["mode_b"].isin(["sea", "ferry"])])
    assert gateways(inland) == [n for n in region["nodes"]["node"] if n in set(inland["transfers"]["node"])]


def test_goods_out_are_the_tonnes_of_the_plan_that_end_at_a_gateway(region: nbb.Instance, tmp_path: Path) -> None:
    abroad = region.with_table("nodes", lambda t: t.assign(kind=t["kind"].where(t["node"] != "PORTW", "gateway")))
    harbour = {"node": "PORTE", "draught_m": 9.5, "largest_ship_dwt": None, "ice_months": 0.0}
    abroad = abroad.with_table("ports", pd.DataFrame([harbour | {"source": "made_up", "note": ""}]).astype(
        {"largest_ship_dwt": float}))  # fmt: skip
    plan = nbb.solve(abroad, gap=1e-6)
    found = nbb.availability(abroad, plan, out=tmp_path)
    moved = (
        plan.run.tables["flows"]
        .merge(plan.run.tables["chains"], on="chain")
        .merge(plan.run.tables["bundles"], on="bundle")
    )
    ends = moved[(moved["destination"] == "PORTW")].groupby("year")["tonnes"].sum()
    assert found.goods_out.groupby("year")["tonnes"].sum().to_dict() == pytest.approx(ends.to_dict())
    at_sea = found.goods_out[found.goods_out["modes"].str.contains("sea")]
    assert set(at_sea["port"]) == {"PORTE"}
    assert (at_sea["sea_km"] == 100).all()
    page = (tmp_path / "availability.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 2
    assert "draught 9.5 m, no ice" in page


def test_the_report_of_a_plan_shows_a_study_with_its_picture_and_refuses_that_of_another_instance(
    found: Answer, region: nbb.Instance, plan: nbb.Result, tmp_path: Path
) -> None:
    found.save(tmp_path / "ways")
    nbb.report(plan, tmp_path / "report.html", studies=[tmp_path / "ways"])
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    begun = page.index('<h2 id="studies">')
    shown = page[begun : page.index('<h2 id="basis">')]
    assert found.sentences[0] in shown
    assert 'src="data:image/svg+xml;base64,' in shown
    assert found.sections(found)[0].grids[0].caption in shown
    assert "another version" not in shown
    dearer = region.with_table("links", region["links"].assign(distance_km=region["links"]["distance_km"] * 2))
    assert "another version" in read_section(tmp_path / "ways", dearer).text
    with pytest.raises(NbbError, match=r"is of instance tiny, the runs are of haulier"):
        read_section(tmp_path / "ways", nbb.examples.haulier())
    with pytest.raises(NbbError, match="holds no answer of a study"):
        nbb.report(plan, tmp_path / "report.html", studies=[tmp_path])
