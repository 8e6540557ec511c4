"""From the neutral tables of STraM's Norway case (Parquet files and constants.json) to an instance folder."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nbb_opt.errors import InstanceError, NbbError, Problem
from nbb_opt.problems.stram.schema import META_FILE, PROBLEM, TABLES, TEXT_KEYS

NEEDED: dict[str, tuple[str, ...]] = {
    "nodes": ("node",),
    "modes": ("mode", "speed_kmh", "fleet_lifetime_yr", "init_min_mode_share"),
    "products": ("product", "time_value_nok_per_tonne_hour"),
    "technologies": (
        "mode", "fuel", "mature", "bass_t0", "bass_p", "bass_q", "init_max_share_pct", "phase_out_from_2034",
    ),
    "periods": ("year", "stage", "opex_discount_sum", "invest_discount", "emission_cap_pct_of_2023"),
    "scenarios": ("scenario", "probability"),
    "edges": (
        "u", "v", "mode", "route", "distance_km", "capacity_t_per_yr_both_dirs", "cap_increase_t_per_yr",
        "invest_cost_nok", "invest_lead_time_yr", "investable", "capacity_enforced", "catenary_upgrade_required",
        "upgrade_cost_nok", "upgrade_lead_time_yr", "charging_constrained_battery", "charging_constrained_hydrogen",
    ),
    "terminals": (
        "node", "mode", "capacity_t_per_yr", "cap_increase_t_per_yr", "invest_cost_nok", "invest_lead_time_yr",
        "investable", "constraint_active",
    ),
    "charging_cost": ("u", "v", "mode", "route", "fuel", "year", "nok_per_tonne_capacity_per_yr"),
    "demand_model_years": ("origin", "destination", "product", "year", "tonnes", "in_model"),
    "vehicle_types": ("mode", "product", "vehicle_type"),
    "cost_per_tkm_by_scenario": ("scenario", "mode", "fuel", "product", "year", "nok_per_tkm"),
    "cost_emission_per_tkm": ("mode", "fuel", "product", "year", "gco2_per_tkm", "co2_nok_per_tkm"),
    "empty_reference_product": ("mode", "fuel", "year", "vehicle_type", "product"),
    "transfers": ("mode_from", "mode_to", "product", "transfer_nok_per_t", "transfer_hours_total"),
    "path_legs": ("path", "leg", "from", "to", "mode", "route"),
}  # fmt: skip
CONSTANTS = {  # key of [rules] -> key of constants.json
    "empty_factor": "empty_vehicle_factor",
    "mode_growth_max_per_year": "mode_total_tkm_growth_per_yr_max",
    "mode_decline_max_per_year": "mode_total_tkm_decline_per_yr_max",
    "direction_share": "direction_capacity_share",
    "upgrade_capacity_factor": "big_m_upgrade_factor",
    "link_tolerance_t": "path_arc_link_tolerance_t",
    "balance_tolerance_t": "fleet_balance_tolerance_t",
    "first_emission_band_share": "emission_2023_band",
    "excess_nok_per_t_co2": "emission_cap_penalty_nok_per_t",
    "cvar_weight": "cvar_lambda",
    "cvar_level": "cvar_alpha",
}
PHASE_OUT_YEAR = 2034  # what the source calls phase_out_from_2034
UPGRADED_FUEL = "Catenary"
DETERMINISTIC = "BB"
TEXTS = {
    "problem": PROBLEM,
    "name": "stram-norway",
    "title": "STraM's Norway case",
    "description": "Norwegian freight between counties, 2023 to 2050; tables of STraM (commit a5ddf29) in base units",
    "licence": "MIT, (c) 2023 Steffen J. Bakker",
    "base_scenario": DETERMINISTIC,
    "road_mode": "Road",
}
assert list(TEXTS) == list(TEXT_KEYS)
Frames = dict[str, pd.DataFrame]


def convert_stram(source: Path, target: Path) -> list[str]:
    """Write the instance folder `target`; gives lines that say what was kept and what left out.

    Raises InstanceError if a file or column is missing, NbbError if the target is there already.
    """
    if target.exists():
        raise NbbError(f"{target}: is there already; choose another name for the instance")
    frames, constants = _read(source)
    made = {name: make(frames) for name, make in MAKERS.items()}
    assert set(made) == {table.name for table in TABLES}
    target.mkdir(parents=True)
    for table in TABLES:
        frame = made[table.name][[column.name for column in table.columns]]
        frame.to_csv(target / f"{table.name}.csv", index=False, lineterminator="\n")
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in TEXTS.items()]
    lines += ["", "[rules]", *(f"{key} = {float(constants[name])!r}" for key, name in CONSTANTS.items())]
    (target / META_FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")
    demand = frames["demand_model_years"]
    left = demand[demand["in_model"] == 0]
    return [
        f"{', '.join(f'{len(frame):,} {name}' for name, frame in made.items())}",
        f"left out: {len(left):,} flows the source marks as not in its model ({left['tonnes'].sum():,.0f} t)",
    ]


def _read(source: Path) -> tuple[Frames, dict[str, Any]]:
    problems: list[Problem] = []
    frames: Frames = {}
    for name, columns in NEEDED.items():
        file = source / f"{name}.parquet"
        try:
            frame = pq.read_table(file).to_pandas()
        except (OSError, pa.ArrowException) as fault:
            problems.append(Problem(str(file), f"cannot be read: {str(fault).splitlines()[0]}", "", "file"))
            continue
        for column in columns:
            if column not in frame:
                problems.append(Problem(f"{file}, column {column}", "is missing", "", "missing_column"))
        frames[name] = frame
    constants: dict[str, Any] = {}
    try:
        constants = json.loads((source / "constants.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        problems.append(Problem(str(source / "constants.json"), f"cannot be read: {fault}", "", "file"))
    else:
        for key in CONSTANTS.values():
            value = constants.get(key)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                problems.append(Problem("constants.json", f"{key} is missing or no number", "", "meta"))
    if problems:
        raise InstanceError(problems)
    return frames, constants


def _edge_names(frame: pd.DataFrame) -> list[str]:
    columns = (frame[name].tolist() for name in ("mode", "u", "v", "route"))
    return [f"{mode} {u}-{v} {route}" for mode, u, v, route in zip(*columns, strict=True)]


def _edges(frames: Frames) -> pd.DataFrame:
    edges = frames["edges"]
    for fuel in ("battery", "hydrogen"):
        charged = frames["charging_cost"]
        named = set(_edge_names(charged[charged["fuel"].str.lower() == fuel]))
        flagged = {e for e, on in zip(_edge_names(edges), edges[f"charging_constrained_{fuel}"], strict=True) if on}
        if named != flagged:
            odd = ", ".join(sorted(named ^ flagged)[:3])
            raise InstanceError(
                [Problem("charging_cost.parquet", f"does not fit edges for {fuel}: {odd}", "", "edges")]
            )
    upgraded, investable = edges["catenary_upgrade_required"] == 1, edges["investable"] == 1
    increment = edges["cap_increase_t_per_yr"]
    return pd.DataFrame(
        {
            "edge": _edge_names(edges), "node_a": edges["u"], "node_b": edges["v"], "mode": edges["mode"],
            "distance_km": edges["distance_km"], "limited": _bool(edges["capacity_enforced"]),
            "capacity_t_per_year": edges["capacity_t_per_yr_both_dirs"].where(edges["mode"] == "Rail"),
            "increment_t_per_year": increment.where(investable),
            "expansion_nok": edges["invest_cost_nok"].where(investable),
            "expansion_lead_years": edges["invest_lead_time_yr"].where(investable).astype("Int64"),
            "upgrade_fuel": upgraded.map({True: UPGRADED_FUEL, False: ""}),
            "upgrade_nok": edges["upgrade_cost_nok"].where(upgraded),
            "upgrade_lead_years": edges["upgrade_lead_time_yr"].where(upgraded).astype("Int64"),
        }
    )  # fmt: skip


def _terminals(frames: Frames) -> pd.DataFrame:
    found = frames["terminals"]
    investable = found["investable"] == 1
    return pd.DataFrame(
        {
            "node": found["node"], "mode": found["mode"], "limited": _bool(found["constraint_active"]),
            "capacity_t_per_year": found["capacity_t_per_yr"],
            "increment_t_per_year": found["cap_increase_t_per_yr"].where(investable),
            "expansion_nok": found["invest_cost_nok"].where(investable),
            "expansion_lead_years": found["invest_lead_time_yr"].where(investable).astype("Int64"),
        }
    )  # fmt: skip


def _technologies(frames: Frames) -> pd.DataFrame:
    found = frames["technologies"]
    out = found["phase_out_from_2034"] == 1
    return pd.DataFrame(
        {
            "mode": found["mode"], "fuel": found["fuel"], "first_share_max": found["init_max_share_pct"] / 100.0,
            "spread_start_year": found["bass_t0"].where(found["mature"] == 0).astype("Int64"),
            "bass_p_per_year": found["bass_p"], "bass_q_per_year": found["bass_q"],
            "phase_out_year": pd.Series(PHASE_OUT_YEAR, found.index, dtype="Int64").where(out),
        }
    )  # fmt: skip


def _technology_years(frames: Frames) -> pd.DataFrame:
    found = frames["technologies"]
    found = found[found["mature"] == 0]
    parts = []
    for year in frames["periods"]["year"].tolist():
        share = found[f"maturity_cap_pct_{year}"] / 100.0
        parts.append(pd.DataFrame({"mode": found["mode"], "fuel": found["fuel"], "year": year, "share_max": share}))
    return pd.concat(parts)


def _periods(frames: Frames) -> pd.DataFrame:
    found = frames["periods"]
    share = (found["emission_cap_pct_of_2023"] / 100.0).where(found["year"] > found["year"].min())
    return pd.DataFrame(
        {
            "year": found["year"], "stage": found["stage"], "yearly_factor": found["opex_discount_sum"],
            "investment_factor": found["invest_discount"], "emission_cap_share": share,
        }
    )  # fmt: skip


def _scenarios(frames: Frames) -> pd.DataFrame:
    found = frames["scenarios"]
    return found.assign(probability=1.0 / len(found))  # equiprobable; the source writes the share to six digits


def _legs(frames: Frames) -> pd.DataFrame:
    legs = frames["path_legs"]
    known = set(_edge_names(frames["edges"]))
    there = _edge_names(legs.rename(columns={"from": "u", "to": "v"}))
    back = _edge_names(legs.rename(columns={"to": "u", "from": "v"}))
    edge = [a if a in known else b for a, b in zip(there, back, strict=True)]
    return pd.DataFrame({"path": legs["path"], "step": legs["leg"], "edge": edge, "from_node": legs["from"]})


def _demand(frames: Frames) -> pd.DataFrame:
    found = frames["demand_model_years"]
    return found[found["in_model"] == 1].rename(columns={"tonnes": "t_per_year"})


def _charging(frames: Frames) -> pd.DataFrame:
    found = frames["charging_cost"]
    return found.assign(edge=_edge_names(found), rent_nok_per_t=found["nok_per_tonne_capacity_per_yr"])


def _bool(flags: pd.Series) -> pd.Series:
    return flags.map({0: "false", 1: "true"})


def _renamed(table: str, **names: str) -> Callable[[Frames], pd.DataFrame]:
    return lambda frames: frames[table].rename(columns=names)


MAKERS: dict[str, Callable[[Frames], pd.DataFrame]] = {
    "nodes": _renamed("nodes"),
    "modes": _renamed(
        "modes", speed_kmh="speed_km_per_h", fleet_lifetime_yr="fleet_lifetime_years",
        init_min_mode_share="first_share_min",
    ),
    "products": _renamed("products", time_value_nok_per_tonne_hour="time_value_nok_per_t_h"),
    "technologies": _technologies,
    "technology_years": _technology_years,
    "periods": _periods,
    "scenarios": _scenarios,
    "edges": _edges,
    "charging": _charging,
    "terminals": _terminals,
    "demand": _demand,
    "vehicles": _renamed("vehicle_types", vehicle_type="vehicle"),
    "unit_costs": _renamed("cost_per_tkm_by_scenario"),
    "unit_emissions": _renamed("cost_emission_per_tkm", gco2_per_tkm="g_co2_per_tkm"),
    "empty_products": _renamed("empty_reference_product", vehicle_type="vehicle"),
    "transfers": _renamed("transfers", transfer_nok_per_t="nok_per_t", transfer_hours_total="hours"),
    "path_legs": _legs,
}  # fmt: skip
