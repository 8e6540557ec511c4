"""Freight without a choice of mode: drawn, counted in ports and reported, and in no percentage."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import nbb_opt as nbb
from nbb_opt.emissions.ledger import outside_ledger
from nbb_opt.emissions.outside import COLUMNS, outside_freight
from nbb_opt.instance import Instance
from nbb_opt.report.decisions import port_grid
from nbb_opt.report.headline import beside, sentences
from nbb_opt.report.kpis import drawn_tonnes, key_figures, link_tonnes, outside, with_outside

LINK = "SEA_PORTE_PORTW"
FLOW = {"origin": "PORTE", "destination": "PORTW", "commodity": "PULP", "link": LINK, "source": "made_up", "note": ""}


def with_freight(**cells: object) -> Instance:
    """Tiny with 30 kt of 2025 and 50 kt of 2035 over the sea."""
    rows = [FLOW | cells | {"year": 2025, "tonnes": 3e4}, FLOW | cells | {"year": 2035, "tonnes": 5e4}]
    return nbb.examples.tiny().with_table("outside_flows", pd.DataFrame(rows))


@pytest.fixture(scope="module")
def plans() -> tuple[nbb.Result, nbb.Result]:
    return nbb.solve(nbb.examples.tiny()), nbb.solve(with_freight())


def test_no_plan_changes_by_it(plans: tuple[nbb.Result, nbb.Result]) -> None:
    before, after = plans
    assert after.cost_eur == before.cost_eur
    key = "emissions_t_co2e"
    assert key_figures(after.instance, after.run)[key] == key_figures(before.instance, before.run)[key]


def test_it_is_counted_by_flow_and_period_on_its_link() -> None:
    found = outside_freight(with_freight())
    assert found.columns.tolist() == COLUMNS
    counted = found[["link", "commodity", "year", "mode", "country", "distance_km", "tonnes", "tkm"]]
    assert counted.to_numpy().tolist() == [
        [LINK, "PULP", 2025, "sea", "XX", 100, 3e4, 3e6], [LINK, "PULP", 2030, "sea", "XX", 100, 4e4, 4e6],
    ]  # fmt: skip
    kg = found["ttw_kg"] + found["wtt_kg"]
    assert (kg > 0).all()
    assert kg[1] / kg[0] == pytest.approx(4 / 3)
    assert outside_freight(nbb.examples.tiny()).columns.tolist() == COLUMNS


def test_the_ledger_and_its_exchange_files_have_it_and_no_total_counts_it(
    plans: tuple[nbb.Result, nbb.Result], tmp_path: Path
) -> None:
    before, after = plans
    beside, found, kg = outside_ledger(after.instance), outside_freight(after.instance), ["ttw_kg", "wtt_kg"]
    assert beside.elements[["activity_tkm", *kg]].to_numpy() == pytest.approx(found[["tkm", *kg]].to_numpy())
    assert outside_ledger(before.instance).elements.empty
    assert after.ledger.elements[kg].sum().tolist() == before.ledger.elements[kg].sum().tolist()
    after.to_ileap(tmp_path / "ileap")
    rows = pd.read_csv(tmp_path / "ileap" / "ledger.csv")
    given = rows[rows["counted"] == "no"]
    assert given["chain"].unique().tolist() == [f"outside-PORTE-PORTW-PULP-{LINK}"]
    assert given["mass_t"].tolist() == [3e4, 4e4]
    assert len(rows) - len(given) == len(after.ledger.elements)
    names = [each["shipmentId"] for each in json.loads((tmp_path / "ileap" / "shipments.json").read_text("utf-8"))]
    assert f"2025-chain-{given['chain'].iloc[0]}" in names
    report = pd.read_csv(tmp_path / "ileap" / "sustainability.csv").groupby("counted")["wtw_t_co2e"].sum()
    assert report["no"] == pytest.approx(found[kg].sum().sum() / 1e3)


def test_map_and_ports_have_it(plans: tuple[nbb.Result, nbb.Result]) -> None:
    before, after = plans
    more = drawn_tonnes(after.instance, after.run.tables, 2030) - link_tonnes(after.run.tables, 2030)
    assert more[LINK] == pytest.approx(4e4)
    assert more.drop(LINK).abs().max() == 0
    was, now = ({row[0]: row for row in port_grid(plan.instance, plan.run).rows} for plan in (before, after))
    for name, (_, chosen, given, whole) in now.items():
        assert (given, chosen, whole) == pytest.approx((40, was[name][1], was[name][3] + 40))


def test_the_headline_says_what_it_emits_and_what_a_percentage_were_with_it(
    plans: tuple[nbb.Result, nbb.Result],
) -> None:
    before, after = plans
    moved_t, emitted_t = outside(after.instance, 2030)
    assert moved_t == pytest.approx(4e4)
    (told,) = beside(after.instance, 900.0, 1000.0)
    told = told.translate({0x202F: " ", 0xA0: " "})
    assert "40 kt in 2030" in told
    assert f"{100 / (1000 + emitted_t):.1%}"[:-1] in told
    figures = key_figures(after.instance, after.run)
    assert sum(line.startswith("No percentage") for line in sentences(after.instance, after.run, figures)) == 1
    figures = key_figures(before.instance, before.run)
    assert not any(line.startswith("No percentage") for line in sentences(before.instance, before.run, figures))


def test_a_report_counts_it_in_percentages_where_it_is_asked_to(
    plans: tuple[nbb.Result, nbb.Result], tmp_path: Path
) -> None:
    _, after = plans
    _, emitted_t = outside(after.instance, 2030)
    was, now = (key_figures(after.instance, run) for run in (after.run, with_outside(after.instance, after.run)))
    for key in ("emissions_t_co2e", "emissions_baseline_t_co2e"):
        assert now[key][2030] == pytest.approx(was[key][2030] + emitted_t)
    nbb.report(after, tmp_path / "with.html", outside=True)
    page = (tmp_path / "with.html").read_text(encoding="utf-8")
    assert "Emissions and their percentages count freight without a choice of mode" in page
    assert "No percentage counts" not in page


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ({"destination": "MINE"}, "does not lead from PORTE to MINE"),
        ({"commodity": "ORE"}, "is sea"),
        ({"link": "ROAD_MINE_WEST", "origin": "MINE", "destination": "WEST"}, "is road"),
    ],
)
def test_a_link_that_cannot_carry_it_is_named(cells: dict[str, object], fault: str) -> None:
    with pytest.raises(nbb.NbbError, match=fault):
        with_freight(**cells)
