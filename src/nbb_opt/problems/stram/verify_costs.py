"""Costs, emissions and the objective of a stram plan, worked out from its flows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from nbb_opt.problems.stram.checks import STATE, Frame, StramChecks
from nbb_opt.problems.stram.read import StramCase
from nbb_opt.problems.stram.verify_flows import sums, with_ends

ONCE = ("edges_nok", "upgrades_nok", "terminals_nok")


def check_costs(
    case: StramCase, tables: Mapping[str, Frame], states: Frame, options: Mapping[str, Any],
    reported: Mapping[str, Any], ledger: StramChecks,
) -> tuple[float, Frame, Frame]:  # fmt: skip
    """Append the rules of emissions and what the tables say of costs; gives the objective, costs and emissions."""
    moved, back = _with_units(case, tables)
    emitted = _series(sums(moved, STATE, "co2_t") + 0.0, states) + _series(sums(back, STATE, "co2_t"), states)
    emissions = _emissions(case, tables, states, options, reported, emitted, ledger)
    parts = _components(case, tables, states, options, moved, back)
    parts["excess"] = emissions["excess_t_co2"] * case.rules.excess_nok_per_t_co2
    factors = states.set_index(STATE)
    rows = []
    for name, amount in parts.items():
        factor = factors["investment_factor" if name in ONCE else "yearly_factor"]
        table = pd.DataFrame({"component": name, "nok": amount, "discounted_nok": amount * factor})
        rows.append(table.reset_index())
    costs = pd.concat(rows, ignore_index=True)
    mine = costs.set_index([*STATE, "component"])
    said = tables["costs"].set_index([*STATE, "component"])
    same = sorted(mine.index) == sorted(said.index)
    ledger.holds("say_costs rows", pd.Series([same], ["costs"]))
    if same:
        said = said.reindex(mine.index)
        for column in ("nok", "discounted_nok"):
            ledger.equal(f"say_costs {column}", said[column], mine[column], unit="nok", scale=mine[column].abs().max())
    whole = costs.groupby(STATE)["discounted_nok"].sum()
    return _objective(case, whole, states, options), costs, emissions.reset_index()


def _series(found: pd.Series, states: Frame) -> pd.Series:
    return found.reindex(pd.MultiIndex.from_frame(states[STATE]), fill_value=0.0)


def _with_units(case: StramCase, tables: Mapping[str, Frame]) -> tuple[Frame, Frame]:
    """Loaded and empty arc flows with tkm (weighed for empties), their product, emissions and CO2 fee."""
    loaded = with_ends(case, tables["arc_flows"])
    empty = with_ends(case, tables["empty_flows"])
    empty = empty.merge(case["empty_products"], on=["mode", "fuel", "year", "vehicle"], how="left")
    found = []
    for flows, weight in ((loaded, 1.0), (empty, case.rules.empty_factor)):
        flows = flows.merge(case["unit_emissions"], on=["mode", "fuel", "product", "year"], how="left")
        work = weight * flows["tonnes"] * flows["distance_km"]
        found.append(
            flows.assign(work=work, co2_t=work * flows["g_co2_per_tkm"] * 1e-6, fee=work * flows["co2_nok_per_tkm"])
        )
    return found[0], found[1]


def _emissions(
    case: StramCase, tables: Mapping[str, Frame], states: Frame, options: Mapping[str, Any],
    reported: Mapping[str, Any], emitted: pd.Series, ledger: StramChecks,
) -> Frame:  # fmt: skip
    said = tables["emissions"].set_index(STATE).reindex(emitted.index)
    ledger.holds("say_emissions rows", pd.Series([len(tables["emissions"]) == len(states)], ["emissions"]))
    ledger.equal("say_emissions", said["t_co2"], emitted, unit="t_co2", scale=emitted)
    cap = pd.Series(np.nan, emitted.index)
    if options["years"] == "all":
        base = float(reported["first_emissions_t"])
        band = case.rules.first_emission_band_share
        first = emitted[emitted.index.get_level_values("year") == states["year"].min()]
        ledger.at_most("keep_first_high", first, (1.0 + band) * base, unit="t_co2", scale=base)
        ledger.at_most("keep_first_low", pd.Series((1.0 - band) * base, first.index), first, unit="t_co2", scale=base)
        if options["emission_cap"]:
            cap = states.set_index(STATE)["cap_share"] * first.sum()  # of the plan at hand: the one state of that year
    excess = (emitted - cap).clip(lower=0.0).fillna(0.0)
    capped = said["excess_t_co2"]
    ledger.at_most("pay_excess", excess, capped, unit="t_co2", scale=emitted)
    ledger.at_most("excess not negative", -capped, 0.0, unit="t_co2")
    given = said["cap_t_co2"]
    ledger.holds("say_cap rows", given.isna() == cap.isna())
    ledger.equal("say_cap", given.fillna(0.0), cap.fillna(0.0), unit="t_co2", scale=cap.fillna(0.0))
    ledger.holds("no excess without cap", (capped <= 1e-6) | cap.notna())
    return pd.DataFrame({"t_co2": emitted, "cap_t_co2": cap, "excess_t_co2": capped})


def _components(
    case: StramCase, tables: Mapping[str, Frame], states: Frame, options: Mapping[str, Any], moved: Frame, back: Frame
) -> dict[str, pd.Series]:
    opex = _opex(case, states, options, {"loaded_opex": moved, "empty_opex": back})
    speed = case["modes"].set_index("mode")["speed_km_per_h"]
    worth = case["products"].set_index("product")["time_value_nok_per_t_h"]
    hours = moved["work"] / moved["mode"].map(speed)
    time = moved.assign(time=hours * moved["product"].map(worth))
    transfer = _transfers(case, tables["path_flows"])
    rent = tables["charging_rented"].merge(case["charging"], on=["edge", "fuel", "year"], how="left")
    edges = case["edges"].set_index("edge")
    terminals = case["terminals"].set_index(["node", "mode"])["expansion_nok"]
    expanded, upgraded = tables["edges_expanded"], tables["edges_upgraded"]
    spent = tables["terminals_expanded"]
    each = terminals.reindex(pd.MultiIndex.from_frame(spent[["node", "mode"]])).to_numpy()
    found = {
        **opex,
        "loaded_co2": sums(moved, STATE, "fee"), "empty_co2": sums(back, STATE, "fee"),
        "time": sums(time, STATE, "time"), "transfer": sums(transfer, STATE, "nok"),
        "transfer_time": sums(transfer, STATE, "time"),
        "charging": sums(rent.assign(nok=rent["tonnes"] * rent["rent_nok_per_t"]), STATE, "nok"),
        "edges_nok": _once(expanded, expanded["edge"].map(edges["expansion_nok"])),
        "upgrades_nok": _once(upgraded, upgraded["edge"].map(edges["upgrade_nok"])),
        "terminals_nok": sums(spent.assign(nok=spent["share"] * each), STATE, "nok"),
    }  # fmt: skip
    return {name: _series(amount, states) for name, amount in found.items()}


def _once(built: Frame, cost: pd.Series) -> pd.Series:
    return sums(built.assign(scenario="", nok=built["built"] * cost.astype(float)), STATE, "nok")


def _opex(
    case: StramCase, states: Frame, options: Mapping[str, Any], flows: Mapping[str, Frame]
) -> dict[str, pd.Series]:
    """Loaded and empty opex of every state; of a shared one what the model's option says of all scenarios."""
    units = case["unit_costs"]
    several = options["scenarios"] == "all"
    chance = case["scenarios"].set_index("scenario")["probability"]
    found = {}
    for name, each in flows.items():
        if not several:
            priced = _priced(each, units[units["scenario"] == case.keys["base_scenario"]])
            found[name] = sums(priced, STATE, "opex")
            continue
        own = each[each["scenario"] != ""]
        second = _priced(own, units, by=["scenario"])
        first = {
            scenario: _series(
                sums(_priced(each[each["scenario"] == ""], units[units["scenario"] == scenario]), STATE, "opex"), states
            )
            for scenario in chance.index
        }
        table = pd.DataFrame(first)
        shared = table.max(axis=1) if options["first_stage_cost"] == "worst" else table @ chance
        found[name] = _series(sums(second, STATE, "opex"), states) + shared
    return found


def _priced(flows: Frame, units: Frame, by: list[str] | None = None) -> Frame:
    keys = [*(by or []), "mode", "fuel", "product", "year"]
    found = flows.merge(units[[*keys, "nok_per_tkm"]], on=keys, how="left", validate="many_to_one")
    return found.assign(opex=found["work"] * found["nok_per_tkm"])


def _transfers(case: StramCase, flows: Frame) -> Frame:
    """Path flows with what their transfers cost and the worth of the time they take."""
    legs = case["path_legs"].sort_values(["path", "step"]).merge(case["edges"][["edge", "mode"]], on="edge", how="left")
    legs = legs.sort_values(["path", "step"]).reset_index(drop=True)
    road = case.keys["road_mode"]
    follows = legs["path"].shift(1) == legs["path"]
    came = legs["mode"].shift(1).where(follows, road)
    moves = pd.DataFrame({"path": legs["path"], "mode_from": came, "mode_to": legs["mode"]})
    last = legs.groupby("path").tail(1)
    leaving = pd.DataFrame({"path": last["path"], "mode_from": last["mode"], "mode_to": road})
    moves = pd.concat([moves, leaving])
    moves = moves[moves["mode_from"] != moves["mode_to"]]
    worth = case["products"].set_index("product")["time_value_nok_per_t_h"]
    rates = moves.merge(case["transfers"], on=["mode_from", "mode_to"], how="left")
    rates = rates.assign(worth=rates["hours"] * rates["product"].map(worth))
    each = rates.groupby(["path", "product"])[["nok_per_t", "worth"]].sum().reset_index()
    found = flows.merge(each, on=["path", "product"], how="left").fillna({"nok_per_t": 0.0, "worth": 0.0})
    return found.assign(nok=found["tonnes"] * found["nok_per_t"], time=found["tonnes"] * found["worth"])


def _objective(case: StramCase, whole: pd.Series, states: Frame, options: Mapping[str, Any]) -> float:
    """The sum, or shared states and the weighted mean and conditional value at risk of the scenarios."""
    if options["scenarios"] != "all":
        return float(whole.sum())
    shared = whole[whole.index.get_level_values("scenario") == ""].sum()
    rest = whole[whole.index.get_level_values("scenario") != ""].groupby("scenario").sum()
    if rest.empty:
        return float(shared)
    chance = case["scenarios"].set_index("scenario")["probability"].reindex(rest.index).to_numpy(float)
    costs = rest.to_numpy(float)
    level, weight = case.rules.cvar_level, case.rules.cvar_weight
    tail = min(float(u + chance @ np.maximum(costs - u, 0.0) / (1.0 - level)) for u in costs)
    return float(shared + (1.0 - weight) * float(chance @ costs) + weight * tail)
