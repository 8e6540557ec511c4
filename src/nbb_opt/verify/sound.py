"""Are the result tables what they should be before anything is computed from them: columns, keys, names, numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from nbb_opt.recompute import Where, World, in_blocks
from nbb_opt.result import TABLES
from nbb_opt.verify.verdict import Checks

KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "bundles": (("bundle",), ("origin", "destination", "commodity")),
    "demand": (("bundle", "year"),),
    "supplied": (("supplier", "site", "input", "year"),),
    "flows": (("chain", "year"),),
    "chains": (("chain",),),
    "chain_steps": (("chain", "step"),),
    "lanes": (("lane",),),
    "lane_links": (("lane", "step"),),
    "driven": (("lane", "vehicle", "year"),),
    "empties": (("from_region", "to_region", "vehicle", "cargo_type", "year"),),
    "fleet": (),  # trucks owned before and bought in the first year may be of one vintage
    "chargers": (("charge_area", "charger", "year"),),
    "projects": (("project", "year"),),
    "fuels": (("substitute", "country", "year"),),
    "costs": (("component", "year"),),
    "emissions": (("year", "country", "mode", "energy_carrier"),),
    "energy": (("year", "mode", "energy_carrier", "country", "charge_area"),),
    "use": (("kind", "row", "year"),),
}
# column -> table.column that must hold it; "" is allowed where the schema lets it be blank
INSTANCE_NAMES = {
    ("bundles", "origin"): ("nodes", "node"),
    ("bundles", "destination"): ("nodes", "node"),
    ("bundles", "commodity"): ("commodities", "commodity"),
    ("supplied", "supplier"): ("suppliers", "supplier"),
    ("supplied", "site"): ("recipes", "site"),
    ("supplied", "input"): ("recipes", "input"),
    ("chain_steps", "link"): ("links", "link"),
    ("chain_steps", "from_node"): ("nodes", "node"),
    ("chain_steps", "to_node"): ("nodes", "node"),
    ("lane_links", "link"): ("links", "link"),
    ("lane_links", "from_node"): ("nodes", "node"),
    ("lane_links", "to_node"): ("nodes", "node"),
    ("driven", "vehicle"): ("vehicles", "vehicle"),
    ("empties", "from_region"): ("fleet_regions", "fleet_region"),
    ("empties", "to_region"): ("fleet_regions", "fleet_region"),
    ("empties", "vehicle"): ("vehicles", "vehicle"),
    ("fleet", "fleet_region"): ("fleet_regions", "fleet_region"),
    ("fleet", "vehicle"): ("vehicles", "vehicle"),
    ("chargers", "charge_area"): ("charge_areas", "charge_area"),
    ("chargers", "charger"): ("chargers", "charger"),
    ("projects", "project"): ("projects", "project"),
    ("fuels", "substitute"): ("fuel_substitutes", "substitute"),
    ("fuels", "country"): ("countries", "country"),
}
PLAN_NAMES = {
    ("demand", "bundle"): "bundles",
    ("chains", "bundle"): "bundles",
    ("flows", "chain"): "chains",
    ("chain_steps", "chain"): "chains",
    ("lane_links", "lane"): "lanes",
    ("driven", "lane"): "lanes",
}
WHOLE = {
    "fleet": ("bought", "kept"),
    "chargers": ("installed", "in_service"),
    "projects": ("newly_built", "in_service"),
}
MAY_BE_INFINITE = {("lanes", "gross_limit_t"), ("use", "limit")}
MAY_BE_NEGATIVE = {("costs", "amount_eur"), ("costs", "discounted_eur")}
# amounts below these are round-off of the solver, not business
SIGN_FLOORS = {"tonnes": 1e-3, "loaded_vkm": 1.0, "empty_vkm": 1.0}


def check_tables(world: World, tables: Mapping[str, pd.DataFrame], checks: Checks) -> bool:
    """`keep_tables_sound`, `be_whole`, `be_positive`. False if the rest cannot be computed."""
    before = len(checks.rows)
    sound = True
    for name, dtypes in TABLES.items():
        frame = tables.get(name)
        if frame is None or list(frame.columns) != list(dtypes):
            checks.fail("keep_tables_sound", f"table {name}: missing, or other columns than {', '.join(dtypes)}")
            sound = False
            continue
        sound &= _columns(name, frame, checks)
    if not sound:
        return False
    _names(world, tables, checks)
    _amounts(world, tables, checks)
    broken = [row for row in checks.rows[before:] if not row["ok"] and row["rule"] == "keep_tables_sound"]
    return not broken


def _columns(name: str, frame: pd.DataFrame, checks: Checks) -> bool:
    fine = True
    for column, dtype in TABLES[name].items():
        values = frame[column]
        if dtype == "str":
            good = _are_words(values) and not values.isna().any()
        else:
            good = pd.api.types.is_numeric_dtype(values) and not values.isna().any()
            whole = pd.api.types.is_integer_dtype(values)
            if good and not whole and (name, column) not in MAY_BE_INFINITE:
                good = bool(np.isfinite(values.to_numpy(dtype=float)).all())
            if good and not whole and dtype == "int64" and column not in WHOLE.get(name, ()):
                good = bool((values.to_numpy(dtype=float) % 1 == 0).all())
        if not good:
            checks.fail("keep_tables_sound", f"table {name}, column {column}: a value is missing or no {dtype}")
            fine = False
    for key in KEYS[name]:
        numbered = pd.api.types.is_numeric_dtype(frame[key[0]])
        parts = (block[name] for block in in_blocks({name: frame}, key[0], [name])) if numbered else [frame]
        repeated = (rows.loc[rows.duplicated(list(key)), list(key)] for rows in parts)
        row = next((rows.iloc[0] for rows in repeated if len(rows)), None)
        if row is not None:
            checks.fail("keep_tables_sound", f"table {name}: {' / '.join(map(str, row))} stands twice")
            fine = False
    return fine


def _are_words(values: pd.Series) -> bool:
    kind = values.cat.categories.dtype if isinstance(values.dtype, pd.CategoricalDtype) else values.dtype
    return kind == "str" or all(isinstance(value, str) for value in values.unique())


def _names(world: World, tables: Mapping[str, pd.DataFrame], checks: Checks) -> None:
    for (name, column), (table, key) in INSTANCE_NAMES.items():
        values = tables[name][column]
        if (name, column) == ("chain_steps", "link"):
            values = values[tables[name]["kind"] == "link"]
        if (name, column) in {("chain_steps", "from_node"), ("chain_steps", "to_node")}:
            values = values[tables[name]["kind"] != "lane"]
        _report(checks, f"table {name}, column {column}", _others(values, world.table(table)[key]), f"{table}.{key}")
    for (name, column), other in PLAN_NAMES.items():
        unknown = _others(tables[name][column], tables[other][column])
        _report(checks, f"table {name}, column {column}", unknown, f"the plan's {other}")
    steps = tables["chain_steps"]
    lanes = steps.loc[steps["kind"] == "lane", "lane"]
    _report(checks, "table chain_steps, column lane", _others(lanes, tables["lanes"]["lane"]), "lanes")
    kinds = _others(steps["kind"], ["lane", "link", "transfer"])
    _report(checks, "table chain_steps, column kind", kinds, "the kinds")
    for name, dtypes in TABLES.items():
        if "year" in dtypes:
            allowed = [*world.years, world.horizon] if name == "costs" else list(world.years)
            _report(checks, f"table {name}, column year", _others(tables[name]["year"], allowed), "the periods")


def _others(values: pd.Series, known: pd.Series | list[Any]) -> list[Any]:
    """The values that are not known, each once, in their order."""
    found = pd.Series(values.unique())
    unknown = found[~found.isin(known)]
    return list((unknown.astype("int64") if pd.api.types.is_integer_dtype(unknown) else unknown).to_numpy())


def _report(checks: Checks, where: str, unknown: list[Any], what: str) -> None:
    for value in unknown[:20]:
        checks.fail("keep_tables_sound", f"{where}: {value!r} is not in {what}")
    if not len(unknown):
        checks.hold("keep_tables_sound", [True], where=lambda _: where)


def _amounts(world: World, tables: Mapping[str, pd.DataFrame], checks: Checks) -> None:
    for name, dtypes in TABLES.items():
        for column, dtype in dtypes.items():
            if dtype == "str" or (name, column) in MAY_BE_NEGATIVE or column in {"year", "vintage_year", "lane"}:
                continue
            values = tables[name][column].to_numpy()
            low = -SIGN_FLOORS.get(column, 0.0)
            checks.hold("be_positive", values >= low, where=_row_of(name, column))
            if column in WHOLE.get(name, ()):
                checks.hold("be_whole", values % 1 == 0, where=_row_of(name, column))


def _row_of(name: str, column: str) -> Where:
    return lambda i: f"table {name}, row {i + 1}, column {column}"
