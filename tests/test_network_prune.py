"""Chains that are dropped are never missed: the model's optimum stays where it was."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from milp_case import add_rows, tiny
from nbb_opt.instance import Instance
from nbb_opt.model import build, read_model, standard_form
from nbb_opt.network import Prepared, prepare
from nbb_opt.network.chains import find_chains
from nbb_opt.solve import solve_form
from network_worlds import random_world

PREPARE = sys.modules["nbb_opt.network.prepare"]  # the module; the package has a function of the same name


def without_dominance(monkeypatch: pytest.MonkeyPatch) -> None:
    """All chains are candidates, dominated or not."""
    monkeypatch.setattr(PREPARE, "find_chains", partial(find_chains, every=True))


def optimum(instance: Instance, prepared: Prepared) -> float:
    built = build(instance, prepared, read_model("joint"))
    return solve_form(standard_form(built), time_limit_s=120, gap=1e-7, threads=1).objective


def with_slower_tracks() -> Instance:
    """Tiny with a second, dearer track beside the eastern railway and four alternatives per kind."""
    instance = tiny()
    rows = instance["links"]
    track = rows.loc[rows["link"] == "RAIL_GAP_EAST"].iloc[0].to_dict()
    more = [track | {"link": f"TRACK_{i}", "charge_eur_per_t": float(i), "time_h": 2.0 + i} for i in (1, 2)]
    return replace(add_rows(instance, "links", more), meta=replace(instance.meta, alternatives=4))


def test_dropped_chains_are_never_missed_by_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = with_slower_tracks()
    without_dominance(monkeypatch)
    whole, pruned = prepare(instance, prune=False), prepare(instance, prune=True)
    assert len(pruned.chains) < len(whole.chains)
    assert optimum(instance, pruned) == pytest.approx(optimum(instance, whole), rel=1e-6)


def test_dominated_chains_are_not_missed_on_tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = with_slower_tracks()
    candidates = prepare(instance)
    without_dominance(monkeypatch)
    whole = prepare(instance, prune=False)
    assert len(candidates.chains) < len(whole.chains)
    assert optimum(instance, candidates) == pytest.approx(optimum(instance, whole), rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_pruning_only_takes_chains_away(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    without_dominance(monkeypatch)
    instance = random_world(tmp_path, seed=seed, n_nodes=12, n_flows=25, n_projects=2, alternatives=3)
    whole, pruned = prepare(instance, prune=False), prepare(instance)
    columns = ["bundle", "kind", "distance_km", "time_h", "projects"]
    kept = set(pruned.chains[columns].itertuples(index=False, name=None))
    assert kept <= set(whole.chains[columns].itertuples(index=False, name=None))
    assert set(pruned.chains["bundle"]) == set(whole.chains["bundle"])


@pytest.mark.parametrize("seed", [0, 5])
def test_dropped_chains_are_never_missed_in_a_random_world(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_dominance(monkeypatch)
    instance = random_world(tmp_path, seed=seed, n_nodes=12, n_flows=8, n_projects=2, alternatives=3)
    whole, pruned = prepare(instance, prune=False), prepare(instance)
    assert len(pruned.rows) < len(whole.rows)
    assert optimum(instance, pruned) == pytest.approx(optimum(instance, whole), rel=1e-6)
