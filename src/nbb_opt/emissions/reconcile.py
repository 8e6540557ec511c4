"""The ledger, the energy drawn times its factors, and the emissions of the model are one and the same amount."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nbb_opt.emissions.ledger import FACTORS, HUB, KG, Ledger, build_ledger
from nbb_opt.errors import VerifyFailed
from nbb_opt.instance import Instance
from nbb_opt.result import Run
from nbb_opt.verify.world import join, read_world, total

RELATIVE = 1e-9
FLOOR_KG = 1e-3  # a gram a year: below it a sum of an otherwise empty group is rounding
GROUPS = (("year",), ("year", "country"), ("year", "mode"), ("year", "country", "mode", "energy_carrier"))


def reconcile(instance: Instance, tables: Mapping[str, pd.DataFrame], ledger: Ledger) -> pd.DataFrame:
    """Compare the three accounts, by period, country, mode and energy carrier.

    Columns: by, where, boundary, elements_kg (NaN where elements do not know it), ledger_kg, energy_kg, model_kg,
    relative, ok. `relative` is the widest gap over the largest of them.
    """
    ledger_rows = total(ledger.lines, ["year", "country", "mode", "energy_carrier"], *KG)
    energy = tables["energy"].pipe(
        join, read_world(instance).energy, on=["energy_carrier", "country", "year"], how="left"
    )
    energy = energy.assign(**{kg: energy["kwh"] * energy[factor] for kg, factor in FACTORS.items()})
    hubs = ledger_rows[ledger_rows["mode"] == HUB]
    columns = ["year", "country", "mode", "energy_carrier", *KG]
    drawn = pd.concat([energy[columns], hubs[columns]], ignore_index=True)
    rows = []
    for keys in GROUPS:
        names = list(keys)
        sums = [frame.groupby(names)[KG].sum() for frame in (ledger_rows, drawn, tables["emissions"])]
        of_elements = ledger.elements.groupby(names)[KG].sum() if set(keys) <= {"year", "mode"} else None
        index = sums[0].index.union(sums[1].index).union(sums[2].index)
        for kg in KG:
            parts = [part[kg].reindex(index, fill_value=0.0).to_numpy(dtype=float) for part in sums]
            elements = np.full(len(index), np.nan)
            if of_elements is not None:
                elements = of_elements[kg].reindex(index, fill_value=0.0).to_numpy(dtype=float)
            all_parts = np.vstack([*parts, np.where(np.isnan(elements), parts[0], elements)])
            gap, size = np.ptp(all_parts, axis=0), np.abs(all_parts).max(axis=0)
            relative = gap / np.maximum(size, FLOOR_KG)
            for i, key in enumerate(index):
                words = [str(word) for word in (key if isinstance(key, tuple) else (key,))]
                fine = bool(gap[i] <= max(RELATIVE * size[i], FLOOR_KG))
                rows.append(
                    (", ".join(keys), " ".join(words).strip(), kg[:3].upper(), elements[i], parts[0][i], parts[1][i],
                     parts[2][i], relative[i], fine)
                )  # fmt: skip
    return pd.DataFrame(
        rows,
        columns=["by", "where", "boundary", "elements_kg", "ledger_kg", "energy_kg", "model_kg", "relative", "ok"],
    )


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
