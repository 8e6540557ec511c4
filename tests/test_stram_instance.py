"""Reading stram instances: what is right is read the same in any order, what is wrong is named, all of it at once."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from nbb_opt.errors import InstanceError, NbbError
from nbb_opt.problems.dispatch import convert
from nbb_opt.problems.stram import convert_stram, read_stram
from stram_case import SHARED, TINY, copy_of, tiny

needs_data = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the tables of STraM's Norway case are not there (shared/data/stram)"
)


def test_the_order_of_rows_does_not_change_the_digest(tmp_path: Path) -> None:
    copy = copy_of(tmp_path)
    for name in ("demand", "unit_costs", "path_legs"):
        table = pd.read_csv(copy / f"{name}.csv", keep_default_na=False, dtype=str)
        table.iloc[::-1].to_csv(copy / f"{name}.csv", index=False)
    assert read_stram(copy).digest == tiny().digest


FAULTS = {
    "unknown node": ({"demand.csv": ("North,South,bulk,2023", "Nort,South,bulk,2023")}, "did you mean 'North'"),
    "no path": ({"demand.csv": ("North,South,bulk,2023", "North,North,bulk,2023")}, "no path leads there"),
    "broken path": ({"path_legs.csv": ("8,1,road M-S,Mid", "8,1,road M-S,South")}, "is not where the leg before ends"),
    "step left out": ({"path_legs.csv": ("8,1,road M-S,Mid", "8,2,road M-S,Mid")}, "does not follow the step before"),
    "missing cost": ({"unit_costs.csv": ("dear,road,diesel,bulk,2034,1.92\n", "")}, "has no row for scenario dear"),
    "year of no period": ({"charging.csv": ("battery,2023", "battery,2024")}, "is not in periods.year"),
    "probabilities": ({"scenarios.csv": ("dear,0.3", "dear,0.4")}, "adds up to 1.1"),
    "half an expansion": ({"edges.csv": ("60000,8000000,5", "60000,,5")}, "give all or none"),
    "negative demand": ({"demand.csv": ("bulk,2023,150000", "bulk,2023,-5")}, "is below 0"),
    "no number": ({"products.csv": ("parcels,40", "parcels,4O")}, "is not a number"),
    "unknown rule": ({"instance.toml": ("cvar_level", "cvar_levle")}, "did you mean 'cvar_level'"),
    "unknown scenario": ({"instance.toml": ('"base"', '"bas"')}, "is not in scenarios"),
    "stages mixed": (
        {"periods.csv": ("2028,1", "2028,2"), "technologies.csv": ("road,diesel,1", "road,diesel,2")},
        "above",
    ),
    "same key twice": ({"nodes.csv": ("Mid", "North")}, "same key"),
    "wrong fuel": ({"edges.csv": ("catenary", "battery")}, "is no fuel of rail"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named(fault: str, tmp_path: Path) -> None:
    edits, words = FAULTS[fault]
    with pytest.raises(InstanceError, match=words.replace("(", r"\(")):
        read_stram(copy_of(tmp_path, edits))


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    edits = {
        "products.csv": ("parcels,40", "parcels,4O"), "instance.toml": ("cvar_level", "cvar_levle"),
        "demand.csv": ("North,South,bulk,2023", "Nort,South,bulk,2023"),
    }  # fmt: skip
    copy = copy_of(tmp_path, edits)
    (copy / "transfers.csv").unlink()
    (copy / "notes.xyz").write_text("")
    with pytest.raises(InstanceError) as caught:
        read_stram(copy)
    files = {problem.where.split()[0].strip(",") for problem in caught.value.problems}
    assert {"products.csv", "instance.toml", "demand.csv", "transfers.csv", "notes.xyz"} <= files


def test_a_source_without_its_files_is_refused_and_nothing_written(tmp_path: Path) -> None:
    with pytest.raises(InstanceError, match=r"nodes\.parquet"):
        convert_stram(tmp_path, tmp_path / "made")
    assert not (tmp_path / "made").exists()
    with pytest.raises(NbbError, match="is there already"):
        convert_stram(TINY, tmp_path)


@needs_data
def test_the_norway_case_converts_to_an_instance_that_is_read(tmp_path: Path) -> None:
    said = convert("stram", SHARED, tmp_path / "norway")
    case = read_stram(tmp_path / "norway")
    assert len(case["demand"]) == 6384
    assert case["path_legs"]["path"].nunique() == 3486
    assert "1,383 flows" in said.lines[1]
    assert case.keys["base_scenario"] == "BB"
    assert len(case["scenarios"]) == 9
