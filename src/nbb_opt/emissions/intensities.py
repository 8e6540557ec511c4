"""Intensities per tonne-km: the distance each was built on, the step to network km, the user's beside the ledger's."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import pandas as pd

from nbb_opt.emissions.factors import Factor, Registry
from nbb_opt.emissions.ledger import HUB, Ledger
from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance
from nbb_opt.recompute import total

# From an intensity per actual km to activity on the shortest feasible distance; ferries count as sea.
ADJUSTMENTS = {"road": 1.05, "sea": 1.15, "ferry": 1.15, "rail": 1.0}


@dataclass(frozen=True)
class Intensity:
    """kg CO2e per tonne-km, with the distance it was built on: SFD, GCD, actual, planned or none (not stated)."""

    kg_per_tkm: float
    basis: str


def on_network(intensity: Intensity, mode: str, *, gcd_share: float) -> Intensity:
    """The intensity for activity on the network (SFD); its basis is then that one, so a second call changes nothing.

    `gcd_share` is the great-circle distance over that of the network, of the same activity. Raises NbbError where no
    step is known: the user has to settle it.

    >>> once = on_network(Intensity(0.1, "GCD"), "ferry", gcd_share=0.9)
    >>> round(once.kg_per_tkm, 6), on_network(once, "ferry", gcd_share=0.9) == once
    (0.09, True)
    """
    if intensity.basis == "SFD":
        return intensity
    if intensity.basis == "GCD":
        return Intensity(intensity.kg_per_tkm * gcd_share, "SFD")
    if intensity.basis == "actual" and mode in ADJUSTMENTS:
        return Intensity(intensity.kg_per_tkm * ADJUSTMENTS[mode], "SFD")
    raise NbbError(
        f"{mode}: an intensity on {intensity.basis} km cannot be used for activity on the network; state the distance "
        "it was built on (SFD, GCD or actual), or convert it yourself"
    )


PER_TKM = "g_co2e_per_tkm"
COUNTED = {"TTW": ["ttw_kg"], "WTT": ["wtt_kg"], "WTW": ["ttw_kg", "wtt_kg"]}


def own_intensities(instance: Instance, ledger: Ledger, own: Registry) -> pd.DataFrame:
    """Columns factor, vehicle, year, boundary, given_g_per_tkm, basis, network_g_per_tkm, ledger_g_per_tkm,
    activity_tkm, own_kg, ledger_kg; a row per factor and period in which its vehicle carries something.

    The figure is converted once, from its basis to the km of the network. Raises NbbError with every row that cannot
    be used: another unit or boundary, no vehicle of the instance, empty trips left out or not stated.
    """
    vehicles = instance["vehicles"].set_index("vehicle")["mode"]
    problems = [f"{own.path}: factor {f.factor!r}: {fault}" for f in own if (fault := _fault(f, list(vehicles.index)))]
    if problems:
        raise NbbError("\n".join(problems))
    moves = ledger.elements[ledger.elements["mode"] != HUB]
    moves = moves.assign(
        gcd_tkm=moves["mass_t"] * moves["gcd_km"],
        vehicle=moves["category"].map(ledger.categories.set_index("category")["vehicle"]),
    )
    sums = total(moves, ["vehicle", "year"], "activity_tkm", "gcd_tkm", "ttw_kg", "wtt_kg")
    rows = []
    for factor in own:
        for use in sums[(sums["vehicle"] == factor.technology) & (sums["activity_tkm"] > 0)].to_dict("records"):
            tkm, kg = use["activity_tkm"], sum(use[name] for name in COUNTED[factor.boundary])
            given = Intensity(factor.value / 1000.0, factor.distance_basis)
            mine = on_network(given, vehicles[factor.technology], gcd_share=use["gcd_tkm"] / tkm)
            rows.append(
                (factor.factor, factor.technology, use["year"], factor.boundary, factor.value, factor.distance_basis,
                 1000.0 * mine.kg_per_tkm, 1000.0 * kg / tkm, tkm, mine.kg_per_tkm * tkm, kg)
            )  # fmt: skip
    columns = ["factor", "vehicle", "year", "boundary", "given_g_per_tkm", "basis", "network_g_per_tkm",
               "ledger_g_per_tkm", "activity_tkm", "own_kg", "ledger_kg"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _fault(factor: Factor, vehicles: list[str]) -> str:
    if factor.unit != PER_TKM:
        return f"is in {factor.unit}, not in {PER_TKM}"
    if factor.boundary not in COUNTED:
        return f"has the boundary {factor.boundary}, not {', '.join(COUNTED)}"
    if factor.technology not in vehicles:
        near = difflib.get_close_matches(factor.technology, vehicles, n=5, cutoff=0.0)
        return f"its technology {factor.technology!r} is no vehicle of the instance; nearest: {', '.join(near)}"
    if factor.includes_empty != "yes":
        return f"includes_empty is {factor.includes_empty}: give a figure with the empty trips in it"
    return ""
