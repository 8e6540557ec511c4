"""Invented instances: valid, the same for the same seed, solvable, and with something to decide."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbb_opt.errors import InstanceError
from nbb_opt.instance import read_instance
from nbb_opt.instance.synthetic import Shape, write_synthetic
from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import solve_instance


@pytest.mark.parametrize("shape", [Shape(1), Shape(60, seed=3), Shape(700, seed=4, zones=40), Shape(5000, seed=5)])
def test_an_invented_instance_reads_without_a_problem(shape: Shape, tmp_path: Path) -> None:
    instance = read_instance(write_synthetic(tmp_path / "case", shape))
    assert len(instance["nodes"]) == shape.towns()
    assert {1435, 1524} == set(instance["links"]["gauge_mm"].dropna())
    assert {"road", "rail", "sea", "ferry"} == set(instance["links"]["mode"])
    assert {"new_link", "capacity", "terminal", "grid"} == set(instance["projects"]["kind"])


def test_it_has_as_many_flows_as_asked_for(tmp_path: Path) -> None:
    from nbb_opt.network.bundles import read_demand

    demand = read_demand(read_instance(write_synthetic(tmp_path / "case", Shape(700, seed=4))))
    assert demand.demand_t.shape == (700, 5)
    assert (demand.demand_t > 0).all()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_instance(tmp_path: Path) -> None:
    first, again = (write_synthetic(tmp_path / where / "case", Shape(60, seed=7)) for where in ("a", "b"))
    other = write_synthetic(tmp_path / "c" / "case", Shape(60, seed=8))
    files = sorted(path.name for path in first.iterdir())
    assert files == sorted(path.name for path in again.iterdir())
    assert all((first / name).read_bytes() == (again / name).read_bytes() for name in files)
    assert read_instance(first).digest == read_instance(again).digest != read_instance(other).digest


def test_sixty_flows_are_solved_and_verified_with_something_to_decide(tmp_path: Path) -> None:
    instance = read_instance(write_synthetic(tmp_path / "case", Shape(60, seed=1)))
    run = solve_instance(instance, options=SolveOptions(time_limit_s=60, gap=0.02, threads=1))
    assert run.record["verified"]
    assert run.record["cost_eur"] < run.said_of("reference")["cost_eur"] * 1.05
    assert len(run.tables["projects"])
    assert len(run.tables["chargers"])
    assert len(set(run.tables["chains"]["main_mode"])) > 2


@pytest.mark.parametrize(
    ("shape", "says"),
    [(Shape(0), "between 1 and"), (Shape(60, zones=5), "between 12 and"), (Shape(10**6, zones=20), "or more towns")],
)
def test_impossible_shapes_are_refused(shape: Shape, says: str, tmp_path: Path) -> None:
    with pytest.raises(InstanceError, match=says):
        write_synthetic(tmp_path / "case", shape)
    assert not (tmp_path / "case").exists()


def test_nothing_is_written_into_a_folder_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("x")
    with pytest.raises(InstanceError, match="not an empty folder"):
        write_synthetic(tmp_path, Shape(60))
