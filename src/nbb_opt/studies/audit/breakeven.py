"""At which price two trucks cost the same on a depot's work."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nbb_opt.solve import Solution
from nbb_opt.studies.audit.question import Question


def break_even(question: Question, solution: Solution, costs: pd.DataFrame) -> pd.DataFrame:
    """For each depot, period and pair of technologies: the price of one thing at which both cost the same per tonne-km.

    The work is that of the plan on lanes both may drive, weighted by tonne-km; `costs` as from `lane_costs`. Columns
    fleet_region, year, vehicle, other, work_share (of the depot's tonne-km), cost_eur_per_tkm, other_eur_per_tkm, and
    the break-even prices energy_eur_per_kwh (of the vehicle), other_energy_eur_per_kwh, carbon_eur_per_t, purchase_eur
    (of the vehicle); NaN where no price of zero or more does it. The other is the plan's most used truck of another
    energy carrier.
    """
    data, start = question.built.data, question.built.start
    d, trucks, world = data.driving, data.trucks, data.world
    z = solution.values[start["driven_vkm"] : start["driven_vkm"] + len(d.lane)]
    per_tkm = _per_tkm(question, costs).assign(done=z * d.load_t)
    work = per_tkm.groupby(["lane", "t"])["done"].sum()
    per_tkm = per_tkm.assign(work=work.reindex(pd.MultiIndex.from_frame(per_tkm[["lane", "t"]])).to_numpy())
    rows = []
    for place, here in per_tkm.groupby(["region", "t"]):
        region, t = (int(str(part)) for part in place)
        total = float(here["done"].sum())
        if total <= 0:
            continue
        used = here.groupby("v")["done"].sum().sort_values(ascending=False)
        main = int(used.index[0])
        for v in sorted(set(here["v"]) - {main}):
            if trucks.carrier[v] == trucks.carrier[main]:
                continue
            both = here[here["v"] == v].merge(here[here["v"] == main], on="lane", suffixes=("", "_other"))
            both = both[both["work"] > 0]
            if both.empty:
                continue
            weight = both["work"].to_numpy() / float(both["work"].sum())
            mean = {name: float(weight @ both[name].to_numpy()) for name in both.columns if name not in ("lane",)}
            row = _prices(mean)
            rows.append({
                "fleet_region": world.regions[region], "year": int(data.time.years[t]),
                "vehicle": trucks.names[v], "other": trucks.names[main],
                "work_share": float(both["work"].sum()) / total, "cost_eur_per_tkm": mean["cost"],
                "other_eur_per_tkm": mean["cost_other"], **row,
            })  # fmt: skip
    return pd.DataFrame(rows)


def _per_tkm(question: Question, costs: pd.DataFrame) -> pd.DataFrame:
    """Cost, energy, carbon and capital per tonne-km of every lane, truck and period."""
    data = question.built.data
    d, world, trucks = data.driving, data.world, data.trucks
    load = d.load_t
    energy = costs["road_energy"].to_numpy() / load
    kwh = costs["kwh_per_vkm"].to_numpy() / load
    base = question.instance.meta.carbon_base
    taxed = d.ledger.ttw_kg + (d.ledger.wtt_kg if base == "WTW" else 0.0)
    kg = np.bincount(d.ledger.col, taxed, minlength=len(load)) / load
    capital = costs["recovery"].to_numpy() / costs["vkm_a_year"].to_numpy() / load
    return pd.DataFrame({
        "lane": d.lane, "region": d.region, "v": d.vehicle, "t": d.t,
        "cost": costs["tco_eur_per_vkm"].to_numpy() / load, "energy": energy, "kwh": kwh,
        "carbon": costs["carbon"].to_numpy() / load, "kg": kg, "capital_share": capital,
        "capex": trucks.capex_eur[d.vehicle, d.t],
        "carbon_price": world.carbon_price[world.region_country[d.region], d.t],
    })  # fmt: skip


def _prices(mean: dict[str, float]) -> dict[str, float]:
    """Each price changed alone until both cost the same; every cost is linear in every price."""
    apart = mean["cost"] - mean["cost_other"]

    def at_least_zero(value: float) -> float:
        return value if np.isfinite(value) and value >= 0 else float("nan")

    def solved(now: float, slope: float) -> float:
        return at_least_zero(now - apart / slope) if slope else float("nan")

    return {
        "energy_eur_per_kwh": solved(mean["energy"] / mean["kwh"], mean["kwh"]),
        "other_energy_eur_per_kwh": solved(mean["energy_other"] / mean["kwh_other"], -mean["kwh_other"]),
        "carbon_eur_per_t": solved(mean["carbon_price"], (mean["kg"] - mean["kg_other"]) / 1000),
        "purchase_eur": solved(mean["capex"], mean["capital_share"]),
    }
