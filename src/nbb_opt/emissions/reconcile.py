"""From every total to the factors behind it; the ledger, the energy drawn times its factors, and the emissions of the
model are one and the same amount."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from nbb_opt.emissions.ledger import (
    BIOGENIC,
    FACTORS,
    HUB,
    KG,
    Ledger,
    biogenic_factors,
    build_ledger,
    by_shipper,
    making,
)
from nbb_opt.errors import VerifyFailed
from nbb_opt.instance import Instance, split_refs
from nbb_opt.recompute import read_world, total
from nbb_opt.result import Run


def traced_totals(instance: Instance, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The emissions of a plan by year, country, mode and energy carrier, with what they rest on.

    Columns: year, country, mode, energy_carrier, kwh, ttw_kg_per_kwh, wtt_kg_per_kwh, biogenic_kg_co2_per_kwh, ttw_kg,
    wtt_kg, biogenic_kg (CO2, outside both), factors, sources, rests_on. `factors` are ids of factors.csv joined by ";",
    blank where the row of energy.csv names none: `rests_on` says which rows of the instance the figure stands in. A
    value between two given years rests on both.
    """
    keys = ["year", "country", "mode", "energy_carrier"]
    rows = total(tables["emissions"], keys, *KG)
    drawn = total(tables["energy"], keys, "kwh")
    rows = rows.merge(drawn, on=keys, how="left")
    factors = read_world(instance).energy.rename(
        columns={"ttw_kg_co2e_per_kwh": "ttw_kg_per_kwh", "wtt_kg_co2e_per_kwh": "wtt_kg_per_kwh"}
    )
    columns = ["energy_carrier", "country", "year", "ttw_kg_per_kwh", "wtt_kg_per_kwh"]
    rows = rows.merge(factors[columns], on=columns[:3], how="left")
    rows = rows.merge(biogenic_factors(read_world(instance)), on=columns[:3], how="left")
    rows = rows.assign(**{BIOGENIC: rows["kwh"] * rows["biogenic_kg_co2_per_kwh"]})
    table = instance["energy"]
    at = table.groupby(["energy_carrier", "country"]).indices
    found = [
        _hub_basis(instance) if mode == HUB else _energy_basis(table.iloc[at.get((carrier, country), [])], year)
        for year, country, mode, carrier in rows[keys].itertuples(index=False)
    ]
    frame = pd.DataFrame(found, columns=["factors", "sources", "rests_on"], dtype="str")
    return pd.concat([rows, frame], axis=1)


def _energy_basis(given: pd.DataFrame, year: int) -> tuple[str, str, str]:
    """The factors, sources and rows that a value of one carrier and country rests on."""
    years = given["year"]
    before, after = years[years <= year].max(), years[years >= year].min()
    rows = given[(years == before) | (years == after)].sort_values("year")
    named = rows[["energy_carrier", "country", "year"]].itertuples(index=False)
    places = "; ".join(f"energy {carrier}/{country}/{each}" for carrier, country, each in named)
    return _united(rows["factors"]), _united(rows["source"]), places


def _hub_basis(instance: Instance) -> tuple[str, str, str]:
    return "", _united(instance["handling_costs"]["source"]), "handling_costs, by modes and cargo type"


def _united(cells: pd.Series) -> str:
    return ";".join(dict.fromkeys(part for cell in cells for part in split_refs(cell)))


def factors_used(instance: Instance, plans: Sequence[Mapping[str, pd.DataFrame]]) -> pd.DataFrame:
    """Every factor behind the plans (their result tables), with its source.

    Columns factor, subject, value, unit, boundary, gwp_set, region, year, licence, source, used_for.

    A carrier whose row names no factor, biogenic CO2, each row of handling_costs that was used, and the making of a
    truck that is bought stand with an id such as `energy ...` or `handling ...` and their own figures.
    """
    traced = pd.concat([traced_totals(instance, tables) for tables in plans], ignore_index=True)
    energy = traced[traced["mode"] != HUB]
    rows: list[dict[str, object]] = []
    table = instance["factors"].set_index("factor")
    uses: dict[str, dict[str, None]] = {}
    for carrier, country, factors in energy[["energy_carrier", "country", "factors"]].itertuples(index=False):
        for factor in split_refs(factors):
            uses.setdefault(factor, {})[f"{carrier} {country}"] = None
    for factor in sorted(uses):
        row = table.loc[factor]
        names = ("subject", "value", "unit", "boundary", "gwp_set", "region", "year", "licence", "source")
        rows.append({"factor": factor, **{name: row[name] for name in names}, "used_for": ", ".join(uses[factor])})
    bare = energy[energy["factors"] == ""].drop_duplicates(["energy_carrier", "country", "year"])
    for own in bare.sort_values(["energy_carrier", "country", "year"]).to_dict("records"):
        carrier, country, year = own["energy_carrier"], own["country"], own["year"]
        for boundary in ("TTW", "WTT"):
            rows.append(
                {"factor": f"energy {carrier}/{country}/{year}", "subject": "no factor named",
                 "value": own[f"{boundary.lower()}_kg_per_kwh"], "unit": "kg_co2e_per_kwh", "boundary": boundary,
                 "gwp_set": "", "region": country, "year": str(year), "licence": "", "source": own["sources"],
                 "used_for": carrier}
            )  # fmt: skip
    rows += _biogenic_used(energy)
    for own in _cargo_type_used(instance, plans).to_dict("records"):
        for boundary in ("TTW", "WTT"):
            rows.append(
                {"factor": f"handling {own['mode_a']}/{own['mode_b']}/{own['cargo_type']}", "subject": "handling",
                 "value": own[f"{boundary.lower()}_kg_co2e_per_t"], "unit": "kg_co2e_per_t", "boundary": boundary,
                 "gwp_set": "", "region": "", "year": "", "licence": "", "source": own["source"], "used_for": "hubs"}
            )  # fmt: skip
    rows += _making_used(instance, plans)
    columns = ["factor", "subject", "value", "unit", "boundary", "gwp_set", "region", "year", "licence", "source"]
    return pd.DataFrame(rows, columns=[*columns, "used_for"])


def _biogenic_used(energy: pd.DataFrame) -> list[dict[str, object]]:
    """Biogenic CO2 by carrier and figure."""
    column = "biogenic_kg_co2_per_kwh"
    found = energy[energy[column] > 0].drop_duplicates(["energy_carrier", "country", "year"])
    return [
        {"factor": f"biogenic {carrier}", "subject": "CO2 outside the totals", "value": value, "unit": "kg_co2_per_kwh",
         "boundary": "biogenic", "gwp_set": "", "region": ";".join(sorted(set(rows["country"]))),
         "year": ";".join(str(year) for year in sorted(set(rows["year"]))), "licence": "", "source": source,
         "used_for": carrier}
        for (carrier, value, source), rows in found.groupby(["energy_carrier", column, "sources"])
    ]  # fmt: skip


def _making_used(instance: Instance, plans: Sequence[Mapping[str, pd.DataFrame]]) -> list[dict[str, object]]:
    world = read_world(instance)
    found = pd.concat([making(world, tables) for tables in plans], ignore_index=True).dropna(subset="kg_each")
    return [
        {"factor": f"making {row['vehicle']}/{row['part']}", "subject": "making, apart from the totals",
         "value": row["kg_each"], "unit": "kg_co2e", "boundary": "making", "gwp_set": "", "region": "", "year": "",
         "licence": "", "source": row["source"], "used_for": row["vehicle"]}
        for row in found.drop_duplicates(["vehicle", "part"]).to_dict("records")
    ]  # fmt: skip


def _cargo_type_used(instance: Instance, plans: Sequence[Mapping[str, pd.DataFrame]]) -> pd.DataFrame:
    keys = ["mode_a", "mode_b", "cargo_type"]
    parts = []
    for tables in plans:
        steps = tables["chain_steps"]
        steps = steps[(steps["kind"] == "transfer") & steps["chain"].isin(tables["flows"]["chain"])]
        goods = tables["chains"][["chain", "bundle"]].merge(tables["bundles"][["bundle", "commodity"]], on="bundle")
        goods = goods.merge(instance["commodities"][["commodity", "cargo_type"]], on="commodity")
        parts.append(steps[["chain", "mode_a", "mode_b"]].merge(goods[["chain", "cargo_type"]], on="chain")[keys])
    given = instance["handling_costs"].set_index(keys)
    rows = [
        key if key in given.index else (key[1], key[0], key[2])
        for key in pd.concat(parts, ignore_index=True).drop_duplicates().itertuples(index=False, name=None)
    ]
    return given.loc[sorted(set(rows))].reset_index()


RELATIVE = 1e-9
FLOOR_KG = 1e-3  # a gram a year: below it a sum of an otherwise empty group is rounding
GROUPS = (
    ("year",), ("year", "country"), ("year", "mode"), ("year", "country", "mode", "energy_carrier"),
    ("year", "category"), ("year", "shipper"), ("year", "shipper", "mode"),
)  # fmt: skip
ACCOUNTS = ("elements", "shippers", "ledger", "energy", "model")
KINDS = {"ttw_kg": "TTW", "wtt_kg": "WTT", BIOGENIC: "biogenic CO2"}


def reconcile(instance: Instance, tables: Mapping[str, pd.DataFrame], ledger: Ledger) -> pd.DataFrame:
    """Compare the accounts by period, country, mode, energy carrier, category and shipper.

    Columns: by, where, boundary, elements_kg, shippers_kg (the split of the ledger), ledger_kg, energy_kg, model_kg
    (NaN where an account does not know the group), relative, ok. `relative` is the widest gap over the largest of them.
    """
    accounts = _accounts(instance, tables, ledger)
    parts, figures = [], []
    for keys in GROUPS:
        sums = {
            name: frame.groupby(list(keys))[[kind for kind in KINDS if kind in frame.columns]].sum()
            for name, frame in accounts.items()
            if set(keys) <= set(frame.columns)
        }
        both = pd.concat(sums, axis=1).fillna(0.0)
        places = [" ".join(map(str, key if isinstance(key, tuple) else (key,))).strip() for key in both.index]
        for kind, word in KINDS.items():
            figures.append(both.reindex(columns=[(name, kind) for name in ACCOUNTS]).to_numpy(dtype=float))
            parts += [(", ".join(keys), place, word) for place in places]
    values = np.concatenate(figures)
    gap, size = np.nanmax(values, axis=1) - np.nanmin(values, axis=1), np.nanmax(np.abs(values), axis=1)
    return pd.DataFrame(parts, columns=["by", "where", "boundary"], dtype="str").assign(
        **{f"{name}_kg": values[:, column] for column, name in enumerate(ACCOUNTS)},
        relative=gap / np.maximum(size, FLOOR_KG), ok=gap <= np.maximum(RELATIVE * size, FLOOR_KG),
    )  # fmt: skip


def _accounts(instance: Instance, tables: Mapping[str, pd.DataFrame], ledger: Ledger) -> dict[str, pd.DataFrame]:
    """Amounts in kg by account, each with the keys it knows."""
    world = read_world(instance)
    keys = ["energy_carrier", "country", "year"]
    energy = tables["energy"].merge(world.energy, on=keys, how="left")
    energy = energy.merge(biogenic_factors(world), on=keys, how="left")
    energy = energy.assign(**{kg: energy["kwh"] * energy[factor] for kg, factor in FACTORS.items()})
    energy = energy.assign(**{BIOGENIC: energy["kwh"] * energy["biogenic_kg_co2_per_kwh"]})
    columns = ["year", "country", "mode", "energy_carrier", *KG, BIOGENIC]
    hubs = ledger.lines[ledger.lines["mode"] == HUB]
    return {
        "elements": ledger.elements,
        "shippers": by_shipper(ledger),
        "ledger": ledger.lines,
        "energy": pd.concat([energy[columns], hubs[columns]], ignore_index=True),
        "model": tables["emissions"],
    }


def check_ledger(instance: Instance, tables: Mapping[str, pd.DataFrame], ledger: Ledger) -> pd.DataFrame:
    """The comparison, if all of it agrees. Raises VerifyFailed with the groups that do not."""
    found = reconcile(instance, tables, ledger)
    wrong = found[~found["ok"]]
    if len(wrong):
        raise VerifyFailed(
            "the ledger of emissions does not add up to the emissions of the plan; verify the run:\n"
            + wrong.head(20).to_string(index=False)
        )
    return found


def check_run(instance: Instance, run: Run) -> None:
    """The ledgers of a run and of its bars add up. Raises VerifyFailed if one does not."""
    for tables in (run.tables, *run.bars.values()):
        check_ledger(instance, tables, build_ledger(instance, tables))
