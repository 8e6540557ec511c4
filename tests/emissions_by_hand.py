"""kg TTW and WTT of a run by year and country: kWh times factors, tonnes handled times theirs; from CSV files alone."""

import numpy as np
import pandas as pd


def interpolated(frame, keys, values, years):
    rows = []
    for key, part in frame.sort_values("year").groupby(keys):
        for year in years:
            rows.append([*key, year, *(np.interp(year, part["year"], part[value]) for value in values)])
    return pd.DataFrame(rows, columns=[*keys, "year", *values])


def emissions_by_hand(folder, tables, years):
    read = {name: pd.read_csv(folder / f"{name}.csv") for name in ("energy", "handling_costs", "nodes", "commodities")}
    factors = ["ttw_kg_co2e_per_kwh", "wtt_kg_co2e_per_kwh"]
    energy = interpolated(read["energy"], ["energy_carrier", "country"], factors, years)
    drawn = tables["energy"].merge(energy, on=["energy_carrier", "country", "year"])
    drawn = drawn.assign(ttw_kg=drawn["kwh"] * drawn[factors[0]], wtt_kg=drawn["kwh"] * drawn[factors[1]])
    goods = tables["chains"].merge(tables["bundles"]).merge(read["commodities"][["commodity", "cargo_type"]])
    moved = (
        tables["chain_steps"].query("kind == 'transfer'").merge(tables["flows"]).merge(goods[["chain", "cargo_type"]])
    )
    turned = read["handling_costs"].rename(columns={"mode_a": "mode_b", "mode_b": "mode_a"})
    costs = pd.concat([read["handling_costs"], turned]).drop_duplicates(["mode_a", "mode_b", "cargo_type"])
    moved = moved.merge(costs, on=["mode_a", "mode_b", "cargo_type"])
    moved = moved.merge(read["nodes"][["node", "country"]], left_on="from_node", right_on="node")
    for kind in ("ttw", "wtt"):
        moved[f"{kind}_kg"] = moved["tonnes"] * moved[f"{kind}_kg_co2e_per_t"]
    columns = ["year", "country", "ttw_kg", "wtt_kg"]
    return pd.concat([drawn[columns], moved[columns]]).groupby(["year", "country"]).sum()
