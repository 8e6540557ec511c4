"""Commodities and what a change of mode costs."""

from __future__ import annotations

from store import NOK_PER_EUR, Row

ALL = "road;rail;sea;ferry"
# commodity, name, NST 2007, handling, EUR per tonne and hour, modes, source, note
COMMODITIES = (
    ("iron_ore", "Iron ore and pellets", "03.1", "dry_bulk", 0.03, "road;rail;sea", "assumption", "STraM has 0.139 for all dry bulk; ore runs in a steady chain, so only capital cost: 100 EUR/t at 3 % a year and stock"),
    ("ore_concentrate", "Other ores and concentrates", "03", "dry_bulk", 0.1391, "road;rail;sea", "stram", ""),
    ("minerals", "Minerals, lime, coke and alumina", "03.3-03.5;09", "dry_bulk", 0.1391, "road;rail;sea", "stram", ""),
    ("scrap", "Scrap metal", "14.2", "dry_bulk", 0.1391, "road;rail;sea", "stram", ""),
    ("timber", "Round timber and chips", "01.5", "timber", 0.08, "road;rail", "assumption", "below STraM's dry bulk (0.139): half its value per tonne"),
    ("sawn_wood", "Sawn wood", "06.1", "neo_bulk", 0.5024, "road;rail;sea", "stram", "break bulk, slow"),
    ("pulp_paper", "Pulp, paper and board", "06.2", "neo_bulk", 0.5024, "road;rail;sea", "stram", "break bulk, slow"),
    ("steel", "Steel and other metals", "10", "neo_bulk", 0.2, ALL, "assumption", "as liquid bulk of STraM (0.19): slabs and coils run in a steady chain; break bulk slow (0.50) is for mixed goods"),
    ("chemicals", "Oil products and chemicals", "07;08", "liquid_bulk", 0.1905, "road;rail;sea", "stram", ""),
    ("battery_chemicals", "Battery chemicals and materials", "08", "container", 0.7031, ALL, "stram", "container, slow; big bags in containers"),
    ("battery_cells", "Battery cells", "11", "container", 3.0789, ALL, "stram", "break bulk, fast: dear goods of about 20 EUR/kg"),
    ("food_fish", "Food and fish", "04;01", "container", 1.891, "road;rail;ferry", "stram", "mean of container slow (0.70) and break bulk fast (3.08): frozen, dry and fresh goods together"),
    ("general_cargo", "General cargo", "11-19", "container", 0.7031, "road;rail;ferry", "stram", "container, slow; within and between the Nordic countries"),
    ("overseas_cargo", "Containers and trailers overseas", "11-19", "container", 0.7031, "road;rail;sea", "stram", "container, slow; to and from the continent"),
)  # fmt: skip

# mode_a, mode_b, handling: NOK per tonne (2021), hours, source, note
_G = "gronland_2022"
_LIFT = "350 NOK per lift over 14 t"
_HALF = "a truck has to be loaded too, so only the extra handling counts"
_DRAY = "collection or delivery within the town 45 NOK/t"
HANDLING_NOK = (
    ("road", "rail", "dry_bulk", 9.06, 6, _G, f"half of 18.11 NOK: {_HALF}"),
    ("road", "rail", "liquid_bulk", 22.5, 8, _G, f"half of 44.9 NOK: {_HALF}"),
    ("road", "rail", "break_bulk", 110, 8, "assumption", f"terminal part 70 NOK (the transcribed 779 NOK has stuffing in); {_DRAY}"),
    ("road", "rail", "neo_bulk", 52.7, 6, _G, f"half of 105.37 NOK: {_HALF}"),
    ("road", "rail", "timber", 44, 6, _G, "8 NOK/t and 339 NOK per shipment of 30 t; from forest to siding 25 NOK/t"),
    ("road", "rail", "container", 75, 11, "assumption", f"{_LIFT} and the gate 30 NOK (the transcribed 462 NOK has stuffing in); {_DRAY}; 8 h of STraM and a daily departure"),
    ("road", "sea", "dry_bulk", 15.5, 12, _G, f"half of 30.96 NOK: {_HALF}"),
    ("road", "sea", "liquid_bulk", 22.5, 12, "assumption", "as liquid bulk by rail"),
    ("road", "sea", "break_bulk", 94, 12, _G, "terminal part; the transcribed 533 NOK has stuffing in"),
    ("road", "sea", "neo_bulk", 76, 12, _G, "ro-ro terminal"),
    ("road", "sea", "timber", 24, 12, "assumption", "dry bulk and half more"),
    ("road", "sea", "container", 85, 12, "assumption", f"two lifts ({_LIFT}) and port dues on goods 60 NOK; collection in the town 25 NOK"),
    ("rail", "sea", "dry_bulk", 20.92, 12, _G, "loading and terminal"),
    ("rail", "sea", "liquid_bulk", 36, 12, "assumption", "between dry bulk by sea (31 NOK) and liquid bulk by rail (45 NOK)"),
    ("rail", "sea", "break_bulk", 94, 12, _G, "terminal part"),
    ("rail", "sea", "neo_bulk", 80, 12, "assumption", "ro-ro terminal (76 NOK) and wagon handling"),
    ("rail", "sea", "timber", 34, 12, "assumption", "dry bulk by sea plus 10 %"),
    ("rail", "sea", "container", 60, 12, "assumption", "two lifts and port dues on goods"),
)  # fmt: skip
# Ferry: the trailer rolls on board; rail goods are put on trailers in the port.
HANDLING_EUR = tuple(
    [("road", "ferry", h, 1.0, 1.0, "check-in and roll on; nothing is lifted") for h in
     ("dry_bulk", "liquid_bulk", "break_bulk", "neo_bulk", "timber", "container")]
    + [("rail", "ferry", h, c, 8.0, "one lift in the port") for h, c in
       (("dry_bulk", 3.0), ("liquid_bulk", 5.0), ("break_bulk", 5.0), ("neo_bulk", 4.5), ("timber", 2.5), ("container", 3.0))]
    + [("rail", "rail", h, c, 12.0, "gauge break in a terminal made for it: 20 NOK/t bulk, 60 NOK/t unit loads and half a day; no tariff found") for h, c in
       (("dry_bulk", 1.72), ("liquid_bulk", 2.2), ("break_bulk", 5.17), ("neo_bulk", 4.0), ("timber", 2.2), ("container", 5.17))]
)  # fmt: skip
# Diesel of machines and of collection in the town per tonne and change of mode (litres); one litre is about 2.79 kg TTW and 0.62 kg WTT.
LITRES = {"dry_bulk": 0.05, "liquid_bulk": 0.05, "break_bulk": 0.4, "neo_bulk": 0.15, "timber": 0.3, "container": 0.4}


def commodities() -> list[Row]:
    keys = ("commodity", "name", "nst2007", "handling", "value_of_time_eur_per_t_h", "modes", "source", "note")
    return [dict(zip(keys, row, strict=True)) for row in COMMODITIES]


def handling_costs() -> list[Row]:
    rows = [_row(a, b, h, cost / NOK_PER_EUR, hours, source, note) for a, b, h, cost, hours, source, note in HANDLING_NOK]
    rows += [_row(a, b, h, cost, hours, "assumption", note) for a, b, h, cost, hours, note in HANDLING_EUR]
    return rows


def _row(a: str, b: str, handling: str, cost: float, hours: float, source: str, note: str) -> Row:
    litres = 0.0 if b == "ferry" and a == "road" else LITRES[handling]
    return {
        "mode_a": a,
        "mode_b": b,
        "handling": handling,
        "cost_eur_per_t": round(cost, 2),
        "time_h": float(hours),
        "ttw_kg_co2e_per_t": round(litres * 2.79, 3),
        "wtt_kg_co2e_per_t": round(litres * 0.624, 3),
        "source": source if source == "assumption" else f"{source};assumption",
        "note": f"{note}; not indexed from 2021; {litres:g} l diesel of machines and collection per tonne assumed",
    }
