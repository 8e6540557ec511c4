"""`check` compares the figures of `energy` with the factors they cite, and shows the conversion."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from nbb_opt.errors import InstanceError
from nbb_opt.instance import read_instance
from nbb_opt.instance.rules.factors import kg_per_kwh
from tiny_plan import TINY


def edited(folder: Path, table: str, change: dict[str, str], key: str) -> Path:
    shutil.copytree(TINY, folder)
    (folder / "datapackage.json").unlink(missing_ok=True)
    return edited_again(folder, table, change, key)


def faults_of(folder: Path) -> str:
    try:
        read_instance(folder)
    except InstanceError as error:
        return str(error)
    return ""


def edited_again(folder: Path, table: str, change: dict[str, str], key: str) -> Path:
    path = folder / f"{table}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if next(iter(row.values())) == key:
            row.update(change)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.mark.parametrize(
    ("table", "key", "change", "figures"),
    [
        ("energy", "diesel", {"ttw_kg_co2e_per_kwh": "0.30"}, ["diesel_ttw is 0.25", "the row has 0.3"]),
        ("energy", "diesel", {"wtt_kg_co2e_per_kwh": "0.06"}, ["diesel_wtt is 0.05", "the row has 0.06"]),
        ("factors", "diesel_ttw", {"boundary": "WTW"}, ["0.25 kg CO2e/kWh (WTW)", "0.25 + 0.05 = 0.3"]),
        ("factors", "diesel_ttw", {"value": "250", "unit": "g CO2e/kWh"}, ["250 g CO2e/kWh x 0.001 = 0.25"]),
        ("factors", "diesel_ttw", {"value": "250"}, ["diesel_ttw is 250", "the row has 0.25"]),
        ("factors", "diesel_ttw", {"unit": "kg CO2e/MJ"}, ["0.25 kg CO2e/MJ x 3.6 = 0.9", "the row has 0.25"]),
        ("factors", "diesel_ttw", {"gwp_set": "AR5"}, ["AR5 and AR6"]),
    ],
)
def test_a_figure_that_is_not_its_factor_is_refused_with_both(tmp_path, table, key, change, figures) -> None:
    with pytest.raises(InstanceError) as refused:
        read_instance(edited(tmp_path / "case", table, change, key))
    for figure in figures:
        assert figure in str(refused.value)


@pytest.mark.parametrize(
    ("ttw", "wtt", "said"),
    [
        ("0.2476", "0.0496", ""), ("0.2524", "0.0504", ""),  # a hundredth is rounding
        ("0.2474", "0.05", "column ttw_kg_co2e_per_kwh, value '0.2474': is not what it cites: diesel_ttw is 0.25 kg "
                           "CO2e/kWh (TTW), the row has 0.2474 kg CO2e/kWh (take"),
        ("0.25", "0.0506", "column wtt_kg_co2e_per_kwh, value '0.0506': is not what it cites: diesel_wtt is 0.05 kg "
                           "CO2e/kWh (WTT), the row has 0.0506 kg CO2e/kWh (take"),
    ],
)  # fmt: skip
def test_a_figure_may_be_a_hundredth_beside_its_factor(tmp_path: Path, ttw: str, wtt: str, said: str) -> None:
    cells = {"ttw_kg_co2e_per_kwh": ttw, "wtt_kg_co2e_per_kwh": wtt}
    found = faults_of(edited(tmp_path / "case", "energy", cells, "diesel"))
    assert said in found
    assert bool(said) == bool(found)


@pytest.mark.parametrize(
    ("figure", "note", "fault"),
    [
        ("0.30", "worse engines", True),
        ("0.00025", "worse engines", True),
        ("0", "counted elsewhere", True),
        ("0.30", "worse engines: diesel_ttw x 1.2, diesel_wtt x 1", False),
        ("0.30", "worse engines: diesel_ttw x 1.3, diesel_wtt x 1", True),
        ("0.30", "a third less, worse engines: diesel_ttw x 0.9 / 0.75, diesel_wtt x 1", False),
    ],
)
def test_an_assumption_too_is_its_factors_times_what_its_note_says(tmp_path, figure, note, fault) -> None:
    own = {"ttw_kg_co2e_per_kwh": figure, "note": note, "source": "assumption"}
    assert ("is not what it cites" in faults_of(edited(tmp_path / "case", "energy", own, "diesel"))) == fault


@pytest.mark.parametrize(("litre_kwh", "fault"), [("", True), ("10", False), ("9", True)])
def test_a_factor_by_the_litre_needs_its_conversion_and_is_compared(tmp_path, litre_kwh, fault) -> None:
    folder = edited(tmp_path / "case", "factors", {"value": "2.5", "unit": "kg CO2e/l"}, "diesel_ttw")
    note = f"diesel_ttw / {litre_kwh} kWh/l" if litre_kwh else "by the litre"
    assert bool(faults_of(edited_again(folder, "energy", {"note": note}, "diesel"))) == fault


@pytest.mark.parametrize(("figure", "fault"), [("0.20", False), ("0.22", False), ("0.25", False), ("0.19", True)])
def test_of_two_factors_of_a_boundary_a_figure_lies_between_them(tmp_path, figure, fault) -> None:
    folder = edited(tmp_path / "case", "factors", {"value": "0.20", "boundary": "TTW"}, "diesel_wtt")
    own = {"ttw_kg_co2e_per_kwh": figure}
    assert ("is not what it cites" in faults_of(edited_again(folder, "energy", own, "diesel"))) == fault


@pytest.mark.parametrize(
    ("boundary", "wtt", "fault"),
    [("WTT", "0.05", ""), ("WTT", "0.052", "(WTT)"), ("WTW", "0.052", ""), ("WTW", "0.1", "(WTW)")],
)
def test_weighed_factors_are_compared_by_boundary_or_in_sum_where_one_is_wtw(tmp_path, boundary, wtt, fault) -> None:
    folder = edited(tmp_path / "case", "factors", {"boundary": boundary}, "diesel_wtt")
    own = {"wtt_kg_co2e_per_kwh": wtt, "note": "diesel_ttw x 1, diesel_wtt x 1"}
    faults = faults_of(edited_again(folder, "energy", own, "diesel"))
    assert fault in faults
    assert bool(fault) == ("is not what it cites" in faults)


def test_a_step_that_divides_by_nothing_is_no_step(tmp_path) -> None:
    own = {"note": "diesel_ttw / 0"}
    assert faults_of(edited(tmp_path / "case", "energy", own, "diesel")) == ""


def test_a_mix_of_factors_may_mix_potentials_where_the_note_names_them(tmp_path) -> None:
    folder = edited(tmp_path / "case", "factors", {"gwp_set": "AR5"}, "diesel_ttw")
    own = {"source": "assumption", "note": "an old and a new table"}
    assert "AR5 and AR6" in faults_of(edited_again(folder, "energy", own, "diesel"))
    own["note"] = "AR5 beside AR6, which differ little"
    assert "AR5 and AR6" not in faults_of(edited_again(folder, "energy", own, "diesel"))


def test_units_of_mass_per_energy_are_read_in_their_usual_spellings() -> None:
    assert kg_per_kwh(59, "g_co2e_per_kwh")[0] == pytest.approx(0.059)
    assert kg_per_kwh(16.445, "g_co2e_per_mj")[0] == pytest.approx(0.059202)
    assert kg_per_kwh(0.25, "t CO2e/MWh")[0] == pytest.approx(0.25)
    assert kg_per_kwh(69.4, "kg CO2eq/GJ")[0] == pytest.approx(0.24984)
    assert kg_per_kwh(0.6, "kg_co2e_per_l") is None
