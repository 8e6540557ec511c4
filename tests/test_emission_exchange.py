"""The exchange files: valid against the schema kept here, and every amount that of the ledger."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest

from milp_case import solve, tiny, vary
from nbb_opt.emissions.exchange import FILES, KNOWN_CARRIERS, decimal, write_exchange
from nbb_opt.emissions.ledger import Ledger, build_ledger
from nbb_opt.errors import NbbError
from nbb_opt.shipped import shipped

SCHEMA = json.loads((Path(__file__).parent / "ileap.schema.json").read_text(encoding="utf-8"))
KINDS = {"shipments": "shipmentFootprint", "tocs": "toc", "hocs": "hoc"}


@cache
def ledger() -> Ledger:
    return build_ledger(tiny(), solve(tiny()).tables)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    target = tmp_path_factory.mktemp("exchange") / "ileap"
    assert write_exchange(tiny(), ledger(), target) == [target / name for name in FILES]
    return target


def read(folder: Path, name: str) -> list[dict]:
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_every_document_validates(folder, name, kind):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    validator = jsonschema.Draft202012Validator({"$ref": f"#/$defs/{kind}", "$defs": SCHEMA["$defs"]})
    documents = read(folder, name)
    assert documents
    for document in documents:
        assert [error.message for error in validator.iter_errors(document)] == []


def test_a_number_where_a_decimal_string_belongs_does_not_validate(folder):
    shipment = read(folder, "shipments")[0]
    shipment["mass"] = 1.0
    validator = jsonschema.Draft202012Validator({"$ref": "#/$defs/shipmentFootprint", "$defs": SCHEMA["$defs"]})
    assert not validator.is_valid(shipment)


def test_all_amounts_agree_with_the_ledger(folder):
    elements = ledger().elements
    tces = [tce for shipment in read(folder, "shipments") for tce in shipment["tces"]]
    assert len(tces) == len(elements)
    for said, column in (("co2eTTW", "ttw_kg"), ("transportActivity", "activity_tkm")):
        assert sorted(float(tce[said]) for tce in tces) == sorted(elements[column])
    assert sum(float(tce["co2eWTW"]) for tce in tces) == pytest.approx(
        (elements["ttw_kg"] + elements["wtt_kg"]).sum(), rel=1e-12
    )


def test_the_mass_of_a_shipment_is_its_flow_in_kg(folder):
    flows = solve(tiny()).tables["flows"]
    kg = sorted(1000.0 * flows.loc[flows["tonnes"] > 0, "tonnes"])
    assert sorted(float(shipment["mass"]) for shipment in read(folder, "shipments")) == pytest.approx(kg, rel=1e-9)


def test_an_element_is_activity_times_the_intensity_of_the_category_it_names(folder):
    tocs = {toc["tocId"]: toc for toc in read(folder, "tocs")}
    hocs = {hoc["hocId"]: hoc for hoc in read(folder, "hocs")}
    for shipment in read(folder, "shipments"):
        for tce in shipment["tces"]:
            if "tocId" in tce:
                category, amount = tocs[tce["tocId"]], Decimal(tce["transportActivity"])
                tkm = Decimal(tce["mass"]) / 1000 * Decimal(tce["distance"]["sfd"])
                assert float(tkm) == pytest.approx(float(amount), rel=1e-12)
            else:
                category, amount = hocs[tce["hocId"]], Decimal(tce["mass"]) / 1000
            for said, intensity in (("co2eWTW", "co2eIntensityWTW"), ("co2eTTW", "co2eIntensityTTW")):
                assert float(amount * Decimal(category[intensity])) == pytest.approx(float(tce[said]), rel=1e-12)


def test_the_elements_of_a_shipment_follow_each_other(folder):
    for shipment in read(folder, "shipments"):
        known: set[str] = set()
        for i, tce in enumerate(shipment["tces"]):
            assert tce["shipmentId"] == shipment["shipmentId"]
            assert set(tce["prevTceIds"]) <= known
            assert bool(tce["prevTceIds"]) or i == 0 or "tocId" in tce
            known.add(tce["tceId"])
        assert len(known) == len(shipment["tces"])


def test_decimals_are_written_in_full_and_read_back_exactly():
    for value in (0.0, 161.0, 1e-7, 1 / 3, 123456789.123, 1e15, 2.5e-12):
        written = decimal(value)
        assert "e" not in written.lower()
        assert float(written) == value


def test_the_tables_for_a_sustainability_report_add_up(folder):
    table = pd.read_csv(folder / "sustainability.csv")
    lines = ledger().lines
    np.testing.assert_allclose(table["wtw_t_co2e"].sum() * 1000, lines[["ttw_kg", "wtt_kg"]].sum().sum(), rtol=1e-12)
    assert set(table["grid_method"]) == {tiny().meta.grid_method}
    assert len(pd.read_csv(folder / "ledger.csv")) == len(ledger().elements)


def test_a_carrier_without_an_ileap_word_is_an_error_until_one_is_given(tmp_path):
    other = vary(vary(tiny(), "energy", "energy_carrier", "diesel", energy_carrier="ammonia"), "vehicles",
                 "energy_carrier", "diesel", energy_carrier="ammonia")  # fmt: skip
    mine = build_ledger(other, solve(tiny()).tables)
    with pytest.raises(NbbError, match=r"carriers=\{'ammonia': 'WORD'\}"):
        write_exchange(other, mine, tmp_path / "a", hub_carrier="ammonia")
    with pytest.raises(NbbError, match="hub_carrier="):
        write_exchange(other, mine, tmp_path / "a", carriers={"ammonia": "LNG"})
    assert not (tmp_path / "a").exists()
    write_exchange(other, mine, tmp_path / "a", carriers={"ammonia": "LNG"}, hub_carrier="ammonia")


def test_every_carrier_of_a_shipped_instance_has_an_ileap_word():
    used = {name for file in shipped("instances").glob("*/energy.csv") for name in pd.read_csv(file)["energy_carrier"]}
    assert {"diesel", "marine_biogas"} <= used <= set(KNOWN_CARRIERS)


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "precious.txt").write_text("x")
    with pytest.raises(NbbError, match="precious"):
        write_exchange(tiny(), ledger(), tmp_path)
