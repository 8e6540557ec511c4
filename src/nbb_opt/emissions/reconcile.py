"""The ledger, the energy drawn times its factors, and the emissions of the model are one and the same amount."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nbb_opt.emissions.ledger import BIOGENIC, FACTORS, HUB, KG, Ledger, biogenic_factors, build_ledger, by_shipper
from nbb_opt.errors import VerifyFailed
from nbb_opt.instance import Instance
from nbb_opt.recompute.world import join, read_world
from nbb_opt.result import Run

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
    parts = []
    for keys in GROUPS:
        for kind, word in KINDS.items():
            sums = {
                name: frame.groupby(list(keys))[kind].sum()
                for name, frame in accounts.items()
                if {*keys, kind} <= set(frame.columns)
            }
            both = pd.DataFrame(sums).fillna(0.0).reindex(columns=list(ACCOUNTS))
            values = both.to_numpy(dtype=float)
            gap, size = np.nanmax(values, axis=1) - np.nanmin(values, axis=1), np.nanmax(np.abs(values), axis=1)
            places = both.index.to_frame().astype(str).agg(" ".join, axis=1).str.strip()
            found = both.add_suffix("_kg").assign(
                by=", ".join(keys), where=places.to_numpy(), boundary=word, relative=gap / np.maximum(size, FLOOR_KG),
                ok=gap <= np.maximum(RELATIVE * size, FLOOR_KG),
            )  # fmt: skip
            parts.append(found.reset_index(drop=True))
    columns = ["by", "where", "boundary", *(f"{name}_kg" for name in ACCOUNTS), "relative", "ok"]
    return pd.concat(parts, ignore_index=True)[columns]


def _accounts(instance: Instance, tables: Mapping[str, pd.DataFrame], ledger: Ledger) -> dict[str, pd.DataFrame]:
    """Amounts in kg by account, each with the keys it knows."""
    world = read_world(instance)
    keys = ["energy_carrier", "country", "year"]
    energy = tables["energy"].pipe(join, world.energy, on=keys, how="left")
    energy = energy.pipe(join, biogenic_factors(world), on=keys, how="left")
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
    """The ledgers of a run and of its do-nothing plan add up. Raises VerifyFailed if one does not."""
    for tables in (run.tables, run.baseline):
        check_ledger(instance, tables, build_ledger(instance, tables))
