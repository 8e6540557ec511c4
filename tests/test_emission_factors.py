"""The registry of emission factors: what may be shipped, what a table must say, and that nothing stands in."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from instance_copies import copy_tiny
from nbb_opt.emissions.factors import COLUMNS, SHIPPED, factor_by_id, kg_per_kwh, read_factors
from nbb_opt.emissions.intensities import Intensity, on_network
from nbb_opt.emissions.ledger import activity_tkm
from nbb_opt.errors import InstanceError, NbbError
from nbb_opt.instance import read_instance

MAY_BE_SHIPPED = (
    "OGL v3.0", "EU law", "CC BY 4.0", "MIT", "public agency figure, no licence stated; cite",
    "published research figure, no licence stated; cite",
)  # fmt: skip
FORBIDDING = ("smart freight", "glec", "by-sa", "share-alike", "proprietary", "no redistribution", "press", "unknown")


def table(path: Path, **changes: str) -> Path:
    """A table of one factor, with some cells changed."""
    with SHIPPED.open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file)) | changes
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerow(row)
    return path


def test_the_shipped_registry_holds_no_value_whose_licence_forbids_shipping():
    with SHIPPED.open(encoding="utf-8", newline="") as file:
        licences = [row["licence"] for row in csv.DictReader(file)]
    assert len(licences) == 155
    for licence in licences:
        assert licence.startswith(MAY_BE_SHIPPED), licence
        assert not any(word in licence.lower() for word in FORBIDDING), licence
    assert "glec" not in SHIPPED.read_text(encoding="utf-8").lower()


def test_every_shipped_factor_says_boundary_basis_quality_and_source():
    for factor in read_factors():
        assert factor.source_title
        assert factor.licence
        assert (factor.subject == "grid") == bool(factor.grid_method)


def test_a_missing_factor_lists_the_nearest_and_nothing_stands_in():
    registry = read_factors()
    with pytest.raises(NbbError, match=r"no other is used.*fuel-hvo-wtt-mj-defra-2025"):
        factor_by_id(registry, "fuel-hvo-wtt-mj-defra-2026")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"value": ""}, "value: is blank"),
        ({"value": "1,5"}, "decimal point"),
        ({"value": "-1"}, "from 0 up"),
        ({"value": "nan"}, "finite"),
        ({"boundary": "ttw"}, "is not one of TTW"),
        ({"licence": " "}, "licence: is blank"),
        ({"subject": "grid", "grid_method": ""}, "grid_method: is blank"),
        ({"extra": "x"}, "extra"),
    ],
)
def test_a_faulty_table_of_ones_own_is_refused(tmp_path, changes, says):
    with pytest.raises(NbbError, match=says):
        read_factors(table(tmp_path / "mine.csv", **changes))


def test_a_good_table_of_ones_own_is_read(tmp_path):
    registry = read_factors(table(tmp_path / "mine.csv", factor="mine", value="12.5", data_quality="primary"))
    assert factor_by_id(registry, "mine").value == 12.5
    assert set(vars(factor_by_id(registry, "mine"))) == set(COLUMNS)


def test_only_factors_per_unit_of_energy_become_kg_per_kwh():
    registry = read_factors()
    assert kg_per_kwh(factor_by_id(registry, "grid-nordic-ivl-2021-2023")) == pytest.approx(0.059)
    with pytest.raises(NbbError, match="not per MJ or kWh"):
        kg_per_kwh(factor_by_id(registry, "fuel-hvo-wtt-l-defra-2025"))


def test_distance_is_adjusted_exactly_once():
    for mode, factor in (("road", 1.05), ("sea", 1.15), ("ferry", 1.15), ("rail", 1.0)):
        for basis, step in (("actual", factor), ("GCD", 0.8), ("SFD", 1.0)):
            once = on_network(Intensity(0.1, basis), mode, gcd_share=0.8)
            assert once == Intensity(pytest.approx(0.1 * step), "SFD")
            assert on_network(once, mode, gcd_share=0.8) == once


@pytest.mark.parametrize("basis", ["planned", "none"])
def test_a_basis_without_a_known_step_to_the_activity_is_refused(basis):
    with pytest.raises(NbbError, match="state the distance"):
        on_network(Intensity(0.1, basis), "road", gcd_share=1.0)


def test_the_worked_example_of_the_standard_holds():
    assert activity_tkm(0.230, 700.0) == 161.0


def test_deleting_one_factor_of_an_instance_names_it_and_its_nearest(tmp_path):
    copy = copy_tiny(tmp_path / "case")
    rows = [row for row in copy.rows("factors") if row["factor"] != "diesel_wtt"]
    copy.write("factors", copy.header("factors"), rows)
    with pytest.raises(InstanceError) as caught:
        read_instance(copy.path)
    said = str(caught.value)
    assert "energy.csv row 2" in said
    assert "'diesel_wtt'" in said
    assert "did you mean 'diesel_ttw'?" in said


def test_a_deleted_factor_without_a_likely_slip_lists_the_nearest_first(tmp_path):
    copy = copy_tiny(tmp_path / "case")
    rows = [row | {"factor": f"{row['factor']}_of_another_kind"} for row in copy.rows("factors")]
    copy.write("factors", copy.header("factors"), rows)
    with pytest.raises(InstanceError, match=r"'diesel_wtt'.*factors has diesel_wtt_of_another_kind, diesel_ttw_of"):
        read_instance(copy.path)
