"""Shippers: a column of the demand that splits every gram of the ledger, exactly, and changes nothing else."""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from instance_copies import Copy, copy_tiny, problems_of
from milp_case import solve, tiny
from nbb_opt.emissions.exchange import sustainability_table, write_exchange
from nbb_opt.emissions.ledger import HUB, KG, Ledger, build_ledger, by_shipper
from nbb_opt.emissions.reconcile import check_ledger
from nbb_opt.errors import InstanceError
from nbb_opt.formats import convert
from nbb_opt.instance import Instance, read_instance, write_workbook
from nbb_opt.network.bundles import read_demand
from nbb_opt.report.basis import factor_card, shipper_grid
from nbb_opt.result import Run

PARTS = {
    "North Mines": (0.25, 0.5),
    "Sawmill": (0.75, 0.0),
    "": (0.0, 0.5),
}  # of every flow, in its first and last year


def split(copy: Copy) -> Copy:
    """The same demand, of three shippers."""
    rows = []
    for row in copy.rows("od"):
        for shipper, parts in PARTS.items():
            share = parts[0 if row["year"] == "2025" else 1]
            rows.append(row | {"shipper": shipper, "tonnes": repr(float(row["tonnes"]) * share)})
    random.Random(1).shuffle(rows)
    copy.write("od", [*copy.header("od"), "shipper"], rows)
    return copy


@cache
def shared() -> Instance:
    return read_instance(split(copy_tiny(Path(mkdtemp()) / "case")).path)


@cache
def both() -> tuple[dict[str, pd.DataFrame], Ledger, Ledger]:
    """One plan, its ledger by shipper, and that of one unnamed shipper."""
    tables = solve(tiny()).tables
    return tables, build_ledger(shared(), tables), build_ledger(tiny(), tables)


def test_shippers_change_no_bundle_and_no_tonne():
    assert shared().shippers == ("", "North Mines", "Sawmill")
    plain, own = read_demand(tiny()), read_demand(shared())
    pd.testing.assert_frame_equal(plain.bundles, own.bundles)
    np.testing.assert_allclose(own.demand_t, plain.demand_t, rtol=1e-12)
    assert "2 named shippers and of others" in own.log[-1]
    assert "one shipper, who is not named" in plain.log[-1]


def test_each_shipper_bears_its_part_of_the_tonnes_of_every_flow():
    tables, ledger, whole = both()
    own = ledger.elements.groupby(["chain", "year", "shipper"])[["mass_t", *KG]].sum().reset_index()
    of_all = whole.elements.groupby(["chain", "year"])[["mass_t", *KG]].sum()
    years = sorted(set(own["year"]))
    demand = pd.read_csv(Path(tiny().od_path))
    last = demand["year"].max()
    for row in own.to_dict("records"):
        bundle = tables["chains"].set_index("chain")["bundle"][row["chain"]]
        flow = tables["bundles"].set_index("bundle").loc[bundle]
        given = demand.merge(flow.to_frame().T).set_index("year")["tonnes"].reindex([2025, last], fill_value=0.0)
        late = (row["year"] - 2025) / (last - 2025)
        first, end = PARTS[row["shipper"]]
        tonnes = given[2025] * first * (1 - late) + given[last] * end * late
        share = tonnes / (given[2025] * (1 - late) + given[last] * late)
        for name in ("mass_t", *KG):
            assert row[name] == pytest.approx(of_all.loc[(row["chain"], row["year"]), name] * share, rel=1e-9)
    assert len(years) > 1


def test_the_split_adds_up_to_the_ledger_without_shippers():
    tables, ledger, whole = both()
    keys = ["year", "country", "mode", "energy_carrier"]
    split_kg = by_shipper(ledger).groupby(keys)[KG].sum()
    np.testing.assert_allclose(split_kg, whole.lines.groupby(keys)[KG].sum().reindex(split_kg.index), rtol=1e-9)
    found = check_ledger(shared(), tables, ledger)
    assert found["relative"].max() <= 1e-9
    assert set(found.loc[found["by"] == "year, shipper", "where"]) >= {"2025 North Mines", "2025 Sawmill"}
    pd.testing.assert_frame_equal(ledger.categories[["category"]], whole.categories[["category"]])


def test_shippers_stand_in_the_tables_for_reports_and_the_shipments(tmp_path):
    tables, ledger, _whole = both()
    table = sustainability_table(shared(), ledger)
    assert set(table["shipper"]) == {"North Mines", "Sawmill", "(unnamed)"}
    assert {row[0] for row in shipper_grid(ledger).rows} == set(table["shipper"])
    wtw = (tables["emissions"]["ttw_kg"] + tables["emissions"]["wtt_kg"]).sum()
    assert table["wtw_t_co2e"].sum() * 1000 == pytest.approx(wtw, rel=1e-9)
    write_exchange(shared(), ledger, tmp_path / "ileap")
    shipments = json.loads((tmp_path / "ileap" / "shipments.json").read_text())
    assert len(shipments) == len(ledger.elements[["chain", "year", "shipper"]].drop_duplicates())
    mine = [s for s in shipments if s["shipmentId"].endswith("-Sawmill")]
    kg = sum(float(tce["co2eTTW"]) for shipment in mine for tce in shipment["tces"])
    assert kg == pytest.approx(ledger.elements.query("shipper == 'Sawmill'")["ttw_kg"].sum(), rel=1e-12)


def test_the_card_says_whose_emissions_they_are():
    tables, _ledger, _whole = both()
    run = Run(Path(), {}, tables, {})
    assert "all emissions are those of one unnamed shipper" in factor_card(tiny(), (run,)).note
    assert (
        "split over 2 named shippers by their tonnes, the rest is of an unnamed one"
        in factor_card(shared(), (run,)).note
    )


def test_a_column_of_blanks_is_the_same_instance_as_no_column(tmp_path):
    copy = copy_tiny(tmp_path / "case")
    copy.write("od", [*copy.header("od"), "shipper"], copy.rows("od"))
    assert read_instance(copy.path).digest == tiny().digest
    assert shared().digest != tiny().digest


def test_csv_parquet_and_workbook_with_shippers_are_the_same_instance(tmp_path):
    copy = split(copy_tiny(tmp_path / "case"))
    book = write_workbook(read_instance(copy.path), tmp_path / "book.xlsx")
    demand = read_demand(read_instance(book))
    copy.as_parquet("od")
    assert read_instance(copy.path).digest == read_instance(book).digest == shared().digest
    np.testing.assert_allclose(read_demand(read_instance(copy.path)).demand_t, demand.demand_t, rtol=1e-12)
    tables = both()[0]
    for path in (copy.path, book):
        pd.testing.assert_frame_equal(
            build_ledger(read_instance(path), tables).elements, both()[1].elements, check_exact=False, rtol=1e-12
        )


def test_a_flow_of_one_shipper_stands_once(tmp_path):
    copy = split(copy_tiny(tmp_path / "case"))
    rows = copy.rows("od")
    copy.write("od", copy.header("od"), [*rows, rows[0]])
    (problem,) = problems_of(copy.path)
    assert "column origin, destination, commodity, year, shipper" in problem.where
    assert "same key as row 2" in problem.what


@pytest.mark.parametrize("name", ["a/b", "=cmd", " LKAB"])
def test_a_name_that_is_none_is_refused(tmp_path, name):
    copy = split(copy_tiny(tmp_path / "case"))
    rows = copy.rows("od")
    copy.write("od", copy.header("od"), [rows[0] | {"shipper": name}, *rows[1:]])
    assert all("column shipper" in problem.where for problem in problems_of(copy.path))
    assert problems_of(copy.path)


def test_conversion_refuses_shippers_instead_of_losing_them(tmp_path):
    rows = {
        "origin": ["A"],
        "destination": ["B"],
        "commodity": ["X"],
        "year": [2030],
        "shipper": ["S"],
        "tonnes": [1.0],
    }
    pq.write_table(pa.table(rows), tmp_path / "od.parquet", write_page_checksum=True)
    with pytest.raises(InstanceError, match="shipper"):
        convert(tmp_path / "od.parquet", tmp_path / "od.csv")


def test_hubs_are_split_too():
    hubs = both()[1].elements.query("mode == @HUB", local_dict={"HUB": HUB})
    assert hubs["shipper"].nunique() > 1
