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


def test_an_assumption_may_differ_but_not_by_a_mistaken_unit(tmp_path) -> None:
    for figure, fault in (("0.30", False), ("0.00025", True)):
        own = {"ttw_kg_co2e_per_kwh": figure, "note": "worse engines", "source": "assumption"}
        folder = edited(tmp_path / figure, "energy", own, "diesel")
        said = ""
        try:
            read_instance(folder)
        except InstanceError as error:
            said = str(error)
        assert ("is not what it cites" in said) == fault


def test_units_of_mass_per_energy_are_read_in_their_usual_spellings() -> None:
    assert kg_per_kwh(59, "g_co2e_per_kwh")[0] == pytest.approx(0.059)
    assert kg_per_kwh(16.445, "g_co2e_per_mj")[0] == pytest.approx(0.059202)
    assert kg_per_kwh(0.25, "t CO2e/MWh")[0] == pytest.approx(0.25)
    assert kg_per_kwh(0.6, "kg_co2e_per_l") is None
