"""Accept or refuse a stram plan from the instance and the result tables alone.

Written from the statement of the problem (models/stram_README.md), not from the builder: every rule is worked out again
from the tables by name, diffusion year by year as the source states it. A flow may miss a limit by 1e-6 tonnes whatever
its size, tonne-km, emissions and money by one part in 1e9 of the row's largest term besides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from nbb_opt.problems.stram.checks import STATE, Frame, StramChecks, StramVerdict, rows_of
from nbb_opt.problems.stram.read import StramCase
from nbb_opt.problems.stram.verify_costs import check_costs
from nbb_opt.problems.stram.verify_flows import check_flows, check_pace


def verify_stram(
    case: StramCase, tables: Mapping[str, pd.DataFrame], *, options: Mapping[str, Any], reported: Mapping[str, Any]
) -> StramVerdict:
    """Check the tables of a plan against the instance.

    `options` are those of the model (years, scenarios, emission_cap, first_stage_cost), `reported` says `cost_nok`,
    `bound_nok` and, for several years, `first_emissions_t`, the emissions of the first year planned alone.
    """
    ledger = StramChecks()
    states = expected_states(case, options)
    if not _sound(case, tables, states, ledger):
        return StramVerdict(False, ledger.frame(), float("nan"), {})
    check_flows(case, tables, states, ledger)
    modes = check_pace(case, tables, states, ledger)
    cost, costs, emissions = check_costs(case, tables, states, options, reported, ledger)
    ledger.equal("say_cost", pd.Series({"plan": cost}), reported["cost_nok"], unit="nok", scale=cost)
    ledger.at_most("say_bound", pd.Series({"plan": float(reported["bound_nok"])}), cost, unit="nok", scale=cost)
    frame = ledger.frame()
    return StramVerdict(bool(frame["ok"].all()), frame, cost,
                        {"costs": costs, "emissions": emissions, "modes": modes})  # fmt: skip


def expected_states(case: StramCase, options: Mapping[str, Any]) -> pd.DataFrame:
    """One row per state: scenario ("" if shared), year, the year before (0 if none) and its scenario, factors."""
    periods = case["periods"] if options["years"] == "all" else case["periods"].iloc[:1]
    several = options["scenarios"] == "all"
    rows = []
    before: dict[str, tuple[str, int]] = {}
    names = case["scenarios"]["scenario"].tolist() if several else [""]
    chance = dict(zip(case["scenarios"]["scenario"], case["scenarios"]["probability"], strict=True))
    for period in rows_of(periods):
        shared = period.stage == 1 or not several
        for name in [""] if shared else names:
            previous = before.get(names[0] if shared else name, ("", 0))
            rows.append((name, period.year, *previous, period.stage, period.yearly_factor, period.investment_factor,
                         period.emission_cap_share, chance.get(name, 1.0)))  # fmt: skip
        for name in names:
            before[name] = ("" if shared else name, period.year)
    columns = ["scenario", "year", "scenario_before", "year_before", "stage", "yearly_factor", "investment_factor",
               "cap_share", "chance"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _sound(case: StramCase, tables: Mapping[str, Frame], states: Frame, ledger: StramChecks) -> bool:
    """Rows name what exists, once, in states of the model, with finite amounts that are not negative."""
    known = set(zip(states["scenario"], states["year"], strict=True))
    keys = {
        "path_flows": ["path", "product"], "arc_flows": ["edge", "from_node", "fuel", "product"],
        "empty_paths": ["path", "vehicle"], "empty_flows": ["edge", "from_node", "fuel", "vehicle"],
        "charging_rented": ["edge", "fuel"], "terminals_expanded": ["node", "mode"],
    }  # fmt: skip
    ends = case["edges"].set_index("edge")
    for name, columns in keys.items():
        table = tables[name]
        amount = "share" if name == "terminals_expanded" else "tonnes"
        indexed = table.set_index([*STATE, *columns])[amount]
        ledger.holds(f"once {name}", pd.Series(~indexed.index.duplicated(), indexed.index))
        ledger.holds(f"finite {name}", pd.Series(np.isfinite(indexed.to_numpy()), indexed.index))
        ledger.at_most(f"not negative {name}", -indexed, 0.0, unit="t")
        inside = pd.Series(
            [pair in known for pair in zip(table["scenario"], table["year"], strict=True)], indexed.index, dtype=bool
        )
        ledger.holds(f"known state {name}", inside)
    for name in ("arc_flows", "empty_flows", "charging_rented", "edges_expanded", "edges_upgraded"):
        ledger.holds(
            f"known edge {name}", pd.Series(tables[name]["edge"].isin(ends.index).to_numpy(), tables[name]["edge"])
        )
    for name, column, of in (
        ("path_flows", "product", "products"), ("arc_flows", "product", "products"),
        ("terminals_expanded", "node", "nodes"), ("terminals_expanded", "mode", "modes"),
    ):  # fmt: skip
        fine = tables[name][column].isin(case[of].iloc[:, 0])
        ledger.holds(f"known {column} {name}", pd.Series(fine.to_numpy(), tables[name][column]))
    for name in ("path_flows", "empty_paths"):
        fine = tables[name]["path"].isin(case["path_legs"]["path"])
        ledger.holds(f"known path {name}", pd.Series(fine.to_numpy(), tables[name]["path"]))
    if not ledger.frame()["ok"].all():
        return False
    fuels = set(zip(case["technologies"]["mode"], case["technologies"]["fuel"], strict=True))
    vehicles = set(zip(case["vehicles"]["mode"], case["vehicles"]["vehicle"], strict=True))
    for name in ("arc_flows", "empty_flows"):
        table = tables[name]
        mode = ends.loc[table["edge"], "mode"].to_numpy()
        inside_mode = [pair in fuels for pair in zip(mode, table["fuel"], strict=True)]
        ledger.holds(f"fuel of the mode {name}", pd.Series(inside_mode, table["edge"], dtype=bool))
        start = table["from_node"].to_numpy()
        at_end = (ends.loc[table["edge"], "node_a"].to_numpy() == start) | (
            ends.loc[table["edge"], "node_b"].to_numpy() == start
        )
        ledger.holds(f"end of the edge {name}", pd.Series(at_end, table["edge"], dtype=bool))
        if name == "empty_flows":
            of_mode = [pair in vehicles for pair in zip(mode, table["vehicle"], strict=True)]
            ledger.holds("vehicle of the mode", pd.Series(of_mode, table["edge"], dtype=bool))
    return bool(ledger.frame()["ok"].all())
