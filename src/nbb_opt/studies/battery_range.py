"""Between how many battery trucks a plan lies: electricity on the way and the grid at the ends of their ranges."""

from __future__ import annotations

from nbb_opt.errors import InstanceError
from nbb_opt.instance import Instance
from nbb_opt.model import ModelSpec, standard_form
from nbb_opt.pipeline import Steps
from nbb_opt.solve import Warm, solve_relaxed
from nbb_opt.studies.tornado import change_of

# The end of a range at which battery trucks pay best.
BEST = {
    ("charge_areas", "grid_mw"): "high",
    ("chargers", "capex_eur"): "low",
    ("chargers", "fixed_eur_per_year"): "low",
    ("chargers", "utilisation_share"): "high",
    ("public_charging", "kwh_per_year"): "high",
    ("public_charging", "price_add_eur_per_kwh"): "low",
}
WORST = {figure: "low" if end == "high" else "high" for figure, end in BEST.items()}


def battery_range(instance: Instance, spec: ModelSpec, steps: Steps) -> dict[str, float] | None:
    """Battery trucks in the last period where all figures of `BEST` in `ranges` are at their worst, and at their best.

    Two LP relaxations under the caps of `spec`: trucks may be fractions. None where no such figure has a range, where
    an end leaves no plan, or where time is up.

    >>> import nbb_opt as nbb
    >>> from nbb_opt.model import read_model
    >>> from nbb_opt.options import SolveOptions
    >>> ends = battery_range(nbb.examples.haulier(), read_model("joint"), Steps(SolveOptions(statement="arrays")))
    >>> ends["low"] < ends["high"]
    True
    """
    rows = [row for row in instance["ranges"].to_dict("records") if (row["table"], row["column"]) in BEST]
    found = []
    for ends in (WORST, BEST):
        factors = [(row, float(row[f"{ends[row['table'], row['column']]}_factor"])) for row in rows]
        changes = [change_of(row, factor) for row, factor in factors if factor != 1]
        if not changes:
            return None
        try:
            trucks = _battery_trucks(instance.with_changes(*changes), spec, steps)
        except InstanceError:
            return None
        if trucks is None:
            return None
        found.append(trucks)
    return {"low": min(found), "high": max(found)}


def _battery_trucks(instance: Instance, spec: ModelSpec, steps: Steps) -> float | None:
    built = steps.build(instance, steps.prepare(instance), spec)
    found = solve_relaxed(standard_form(built), warm=Warm(threads=1, seed=1), stop=steps.stop)
    if found.values is None:
        return None
    battery = set(instance["vehicles"].loc[instance["vehicles"]["technology"] == "battery", "vehicle"])
    last, total = instance.periods[-1].year, 0.0
    for name in ("bought", "kept"):
        kind = built.assembly.kinds[name]
        amounts = found.values[kind.start : kind.start + len(kind.keys)].tolist()
        total += sum(n for key, n in zip(kind.keys, amounts, strict=True) if key[-1] == last and key[1] in battery)
    return total
