"""Rules about tonne-km: ceilings, diffusion year by year, renewal of fleets, growth and decline of modes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nbb_opt.problems.stram.checks import STATE, Frame, Ledger, rows_of
from nbb_opt.problems.stram.read import StramCase
from nbb_opt.problems.stram.verify_flows import with_ends

Key = tuple[str, int]


def check_pace(case: StramCase, tables: Mapping[str, Frame], states: Frame, ledger: Ledger) -> Frame:
    """Append the rules of shares and pace; gives the table `modes` as worked out from arc flows."""
    modes = worked(case, tables, states)
    said = tables["modes"].set_index([*STATE, "mode", "fuel"])
    mine = modes.set_index([*STATE, "mode", "fuel"])
    ledger.holds("say_modes rows", pd.Series([sorted(said.index) == sorted(mine.index)], ["modes"]))
    if sorted(said.index) == sorted(mine.index):
        said = said.reindex(mine.index)
        ledger.equal("say_tkm", said["tkm"], mine["tkm"], unit="tkm", scale=mine["tkm"])
        ledger.equal("say_share", said["share"], mine["share"], unit="share", scale=1.0)
    tkm = mine["tkm"]
    total = modes.groupby([*STATE, "mode"])["tkm"].sum()
    found = modes.merge(total.rename("mode_tkm").reset_index(), on=[*STATE, "mode"])
    found = found.merge(case["technologies"], on=["mode", "fuel"], how="left")
    found = found.merge(case["technology_years"], on=["mode", "fuel", "year"], how="left")
    at = found.set_index([*STATE, "mode", "fuel"])
    spreads = at["spread_start_year"].notna()
    one = at[spreads]
    ledger.at_most("limit_maturity", one["tkm"], one["share_max"] * one["mode_tkm"], unit="tkm", scale=one["mode_tkm"])
    first = at[at.index.get_level_values("year") == states["year"].min()]
    ledger.at_most(
        "limit_first_share", first["tkm"], first["first_share_max"] * first["mode_tkm"], unit="tkm",
        scale=first["mode_tkm"],
    )  # fmt: skip
    begun = first[first["spread_start_year"].notna()]
    since = np.maximum(begun.index.get_level_values("year") - begun["spread_start_year"], 0.0)
    ledger.at_most(
        "start_spreading", begun["tkm"], since * begun["bass_p_per_year"] * begun["mode_tkm"], unit="tkm",
        scale=begun["mode_tkm"],
    )  # fmt: skip
    _first_modes(case, total, states, ledger)
    before = {
        (row.scenario, row.year): (row.scenario_before, row.year_before)
        for row in rows_of(states) if row.year_before
    }  # fmt: skip
    _spreading(case, tkm, total, before, ledger)
    _modes(case, tkm, total, before, ledger)
    return modes


def worked(case: StramCase, tables: Mapping[str, Frame], states: Frame) -> Frame:
    """Loaded tonne-km by state, mode and fuel, and the share in all tonne-km of the state."""
    flows = with_ends(case, tables["arc_flows"])
    tkm = (flows["tonnes"] * flows["distance_km"]).groupby([flows[name] for name in (*STATE, "mode", "fuel")]).sum()
    every = states[STATE].merge(case["technologies"][["mode", "fuel"]], how="cross")
    found = every.assign(tkm=tkm.reindex(pd.MultiIndex.from_frame(every), fill_value=0.0).to_numpy())
    whole = found.groupby(STATE)["tkm"].transform("sum")
    return found.assign(share=found["tkm"] / whole.where(whole > 0, 1.0))


def _first_modes(case: StramCase, total: pd.Series, states: Frame, ledger: Ledger) -> None:
    year = states["year"].min()
    first = total[total.index.get_level_values("year") == year]
    least = case["modes"].set_index("mode")["first_share_min"]
    smallest = first.index.get_level_values("mode").map(least.to_dict()).to_numpy() * first.sum()
    ledger.at_most("keep_first_mode", pd.Series(smallest, first.index), first, unit="tkm", scale=first.sum())


def _spreading(case: StramCase, tkm: pd.Series, total: pd.Series, before: Mapping[Key, Key], ledger: Ledger) -> None:
    """Step by step: what a fuel may reach in a year is what it had, and its growth once diffusion has begun."""
    rows = {}
    for tech in rows_of(case["technologies"].dropna(subset=["spread_start_year"])):
        for (scenario, year), last in before.items():
            reached, mode_tkm = tkm[(*last, tech.mode, tech.fuel)], total[(*last, tech.mode)]
            for y in range(last[1] + 1, year + 1):
                if y >= tech.spread_start_year:
                    reached += tech.bass_p_per_year * mode_tkm + tech.bass_q_per_year * reached
            key = (scenario, year, tech.mode, tech.fuel)
            rows[key] = (tkm[key], reached, mode_tkm)
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=["found", "limit", "scale"])
    ledger.at_most("limit_spreading", frame["found"], frame["limit"], unit="tkm", scale=frame["scale"])


def _modes(case: StramCase, tkm: pd.Series, total: pd.Series, before: Mapping[Key, Key], ledger: Ledger) -> None:
    rules, life = case.rules, case["modes"].set_index("mode")["fleet_lifetime_years"]
    rows = {}
    for (scenario, year), last in before.items():
        years = year - last[1]
        for mode in case["modes"]["mode"].tolist():
            then, now = total[(*last, mode)], total[(scenario, year, mode)]
            fuels = case["technologies"].loc[case["technologies"]["mode"] == mode, "fuel"].tolist()
            dropped = sum(max(tkm[(*last, mode, f)] - tkm[(scenario, year, mode, f)], 0.0) for f in fuels)
            rows[scenario, year, mode] = (
                now, then, then * (1.0 - rules.mode_decline_max_per_year) ** years,
                then * (1.0 + rules.mode_growth_max_per_year) ** years, dropped, then * years / life[mode],
            )  # fmt: skip
    columns = ["now", "then", "least", "most", "dropped", "renewed"]
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    ledger.at_most("slow_decline", frame["least"], frame["now"], unit="tkm", scale=frame["then"])
    ledger.at_most("slow_growth", frame["now"], frame["most"], unit="tkm", scale=frame["then"])
    ledger.at_most("renew_fleet", frame["dropped"], frame["renewed"], unit="tkm", scale=frame["then"])
