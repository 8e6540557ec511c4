"""Intensities of the user's own: converted once, set beside the ledger, refused where they cannot be compared."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from milp_case import solve, tiny
from nbb_opt.emissions.factors import Factor, Registry, factor_by_id, read_factors
from nbb_opt.emissions.intensities import own_intensities
from nbb_opt.emissions.ledger import HUB, Ledger, build_ledger
from nbb_opt.errors import NbbError
from nbb_opt.report.basis import own_grid


@cache
def ledger() -> Ledger:
    return build_ledger(tiny(), solve(tiny()).tables)


def own(**changes) -> Registry:
    base = factor_by_id(read_factors(), "ferry-roro-avg-wtw-defra-2025")
    mine: Factor = replace(
        base, **{"factor": "line", "technology": "FERRY", "value": 50.0, "includes_empty": "yes", **changes}
    )
    return Registry(Path("mine.csv"), {mine.factor: mine})


def ferry():
    moves = ledger().elements[ledger().elements["mode"] == "ferry"]
    assert len(moves)
    return moves


@pytest.mark.parametrize("basis", ["SFD", "GCD", "actual"])
def test_a_figure_is_converted_to_network_km_exactly_once(basis):
    found = own_intensities(tiny(), ledger(), own(distance_basis=basis)).set_index("year")
    for year, moves in ferry().groupby("year"):
        km = {"SFD": moves["sfd_km"], "GCD": moves["gcd_km"], "actual": moves["sfd_km"] * 1.15}[basis]
        assert found["own_kg"][year] == pytest.approx((moves["mass_t"] * km).sum() * 0.05, rel=1e-12)
        assert found["given_g_per_tkm"][year] == 50.0


def test_the_figure_of_the_ledger_stands_beside_and_stays():
    found = own_intensities(tiny(), ledger(), own(distance_basis="SFD"))
    kg = ferry()[["ttw_kg", "wtt_kg"]].sum(axis=1).groupby(ferry()["year"]).sum()
    assert found.set_index("year")["ledger_kg"].to_dict() == pytest.approx(kg.to_dict(), rel=1e-12)
    ttw = own_intensities(tiny(), ledger(), own(distance_basis="SFD", boundary="TTW"))["ledger_kg"].sum()
    assert ttw == pytest.approx(ferry()["ttw_kg"].sum(), rel=1e-12)
    assert len(own_grid(tiny(), ledger(), own(distance_basis="SFD")).rows) == len(found)
    assert HUB not in set(found["vehicle"])
    for name in ("network", "ledger"):
        kg = found["own_kg" if name == "network" else "ledger_kg"]
        assert found[f"{name}_g_per_tkm"].tolist() == pytest.approx((1000.0 * kg / found["activity_tkm"]).tolist())


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"distance_basis": "none"}, "state the distance"),
        ({"unit": "g_co2e_per_kwh"}, "not in g_co2e_per_tkm"),
        ({"boundary": "energy"}, "boundary energy"),
        ({"technology": "FERY"}, "no vehicle of the instance; nearest: FERRY"),
        ({"includes_empty": "no"}, "with the empty trips in it"),
        ({"includes_empty": "unknown"}, "includes_empty is unknown"),
    ],
)
def test_a_figure_that_cannot_be_compared_is_refused(changes, says):
    with pytest.raises(NbbError, match=says):
        own_intensities(tiny(), ledger(), own(**{"distance_basis": "SFD", **changes}))
