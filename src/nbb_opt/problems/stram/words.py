"""What is told of a stram plan: costs by component and year, emissions by year, mode split. Means over scenarios."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from nbb_opt.problems.stram import StramCase

COMPONENTS = {
    "loaded_opex": "loaded opex", "loaded_co2": "CO2 fee", "empty_opex": "empty opex", "empty_co2": "empty CO2 fee",
    "time": "cargo time", "transfer": "transfers", "transfer_time": "transfer time", "charging": "charging",
    "excess": "excess emissions", "edges_nok": "edges (once)", "upgrades_nok": "upgrades (once)",
    "terminals_nok": "terminals (once)",
}  # fmt: skip


def figures_of(case: StramCase, tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Key figures by year: NOK by component, t CO2 (mean and by scenario), t above the cap, share and tkm by mode."""
    chance = dict(zip(case["scenarios"]["scenario"], case["scenarios"]["probability"], strict=True)) | {"": 1.0}

    def mean(frame: pd.DataFrame, column: str, by: list[str]) -> pd.Series:
        weighed = frame[column] * frame["scenario"].map(chance)
        return weighed.groupby([frame[name] for name in by]).sum()

    costs = mean(tables["costs"], "nok", ["year", "component"])
    emissions = tables["emissions"]
    modes = tables["modes"]
    total, excess = mean(emissions, "t_co2", ["year"]), mean(emissions, "excess_t_co2", ["year"])
    tkm = mean(modes, "tkm", ["year", "mode"])
    fuels = mean(modes, "tkm", ["year", "mode", "fuel"])
    years = [int(year) for year in total.index]
    by_scenario = emissions[emissions["scenario"] != ""]
    return {
        "component_nok": {str(y): {c: float(costs[y, c]) for c in COMPONENTS} for y in years},
        "emissions_t_co2": {str(y): float(total[y]) for y in years},
        "emissions_t_co2_by_scenario": {
            str(y): {s: float(t) for s, t in zip(rows["scenario"], rows["t_co2"], strict=True)}
            for y, rows in by_scenario.groupby("year")
        },
        "excess_t_co2": {str(y): float(excess[y]) for y in years},
        "tkm": {str(y): {m: float(v) for m, v in tkm[y].items()} for y in years},
        "mode_share": {str(y): {m: float(v / tkm[y].sum()) for m, v in tkm[y].items()} for y in years},
        "fuel_share": {
            str(y): {f"{m} {f}": float(v / tkm[y, m]) for (m, f), v in fuels[y].items() if tkm[y, m] > 0} for y in years
        },
    }


def investments_of(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """What is built, in words."""
    words = [f"{row.edge} expanded ({row.year})" for row in tables["edges_expanded"].itertuples(index=False)]
    words += [f"{row.edge} upgraded ({row.year})" for row in tables["edges_upgraded"].itertuples(index=False)]
    made = tables["terminals_expanded"]
    columns = (made[name].tolist() for name in ("scenario", "year", "node", "mode", "share"))
    for scenario, year, node, mode, share in zip(*columns, strict=True):
        if share > 1e-6:
            where = f" in {scenario}" if scenario else ""
            words.append(f"{mode} terminal {node} {share:.0%} ({year}{where})")
    return words


def figure_lines(figures: Mapping[str, Any]) -> list[str]:
    """The figures as lines of text: a table of costs in GNOK a year, emissions and mode split by year."""
    years = list(figures["component_nok"])
    lines = ["  GNOK a year            " + "".join(f"{year:>10}" for year in years)]
    for component, words in COMPONENTS.items():
        amounts = [figures["component_nok"][year][component] for year in years]
        if any(amounts):
            lines.append(f"    {words:21}" + "".join(f"{amount / 1e9:10.3f}" for amount in amounts))
    yearly = [sum(v for c, v in figures["component_nok"][y].items() if not c.endswith("_nok")) for y in years]
    lines.append(f"    {'sum of yearly':21}" + "".join(f"{amount / 1e9:10.3f}" for amount in yearly))
    lines.append("  emissions, kt CO2      " + "".join(f"{figures['emissions_t_co2'][y] / 1e3:10.1f}" for y in years))
    if any(figures["excess_t_co2"].values()):
        lines.append("    above the cap        " + "".join(f"{figures['excess_t_co2'][y] / 1e3:10.1f}" for y in years))
    spread = figures["emissions_t_co2_by_scenario"]
    for words, pick in (("lowest scenario", min), ("highest scenario", max)):
        if spread:
            cells = [f"{pick(spread[y].values()) / 1e3:10.1f}" if y in spread else f"{'':10}" for y in years]
            lines.append(f"    {words:21}" + "".join(cells))
    lines.append("  mode split, % of tkm")
    for mode in figures["mode_share"][years[0]]:
        shares = "".join(f"{figures['mode_share'][y][mode]:10.2%}" for y in years)
        lines.append(f"    {mode:21}{shares}")
    lines.append("  Gtkm                   " + "".join(f"{sum(figures['tkm'][y].values()) / 1e9:10.3f}" for y in years))
    return lines
