"""Commodities and what a change of mode costs."""

from __future__ import annotations

from store import NOK_PER_EUR, Row, raw

# Diesel of machines and of collection in the town per tonne and change of mode (litres).
LITRES = {
    "dry_bulk": 0.05,
    "liquid_bulk": 0.05,
    "break_bulk": 0.4,
    "neo_bulk": 0.15,
    "timber": 0.3,
    "container": 0.4,
}
TTW_KG_PER_L = 2.79  # WTW of environmental class 3 less WTT, as in energy.py
WTT_KG_PER_L = 0.624


def commodities() -> list[Row]:
    return [dict(r) | {"value_of_time_eur_per_t_h": float(r["value_of_time_eur_per_t_h"])} for r in raw("commodities")]


def handling_costs() -> list[Row]:
    rows: list[Row] = []
    for r in raw("handling"):
        rolls_on_board = (r["mode_a"], r["mode_b"]) == ("road", "ferry")
        litres = 0.0 if rolls_on_board else LITRES[r["cargo_type"]]
        cost = float(r["cost"]) / (NOK_PER_EUR if r["currency"] == "NOK" else 1.0)
        indexed = "; not indexed from 2021" if r["currency"] == "NOK" else ""
        rows.append(
            {
                "mode_a": r["mode_a"],
                "mode_b": r["mode_b"],
                "cargo_type": r["cargo_type"],
                "cost_eur_per_t": round(cost, 2),
                "time_h": float(r["hours"]),
                "ttw_kg_co2e_per_t": round(litres * TTW_KG_PER_L, 3),
                "wtt_kg_co2e_per_t": round(litres * WTT_KG_PER_L, 3),
                "source": r["source"] if r["source"] == "assumption" else f"{r['source']};assumption",
                "note": f"{r['note']}{indexed}; {litres:g} l diesel of machines and collection per tonne assumed",
            }
        )
    return rows
