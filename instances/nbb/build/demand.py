"""Demand: flows of plants and ports row by row, the gravity model for the rest, and the plants of the region."""

from __future__ import annotations

from gravity import Block, Flow, gravity_flows
from store import STATUS_DATE, YEARS, Row, raw, refs


def demand(links: list[Row]) -> tuple[dict[Flow, dict[int, float]], list[Block]]:
    """All flows in t/year by (origin, destination, commodity) and year, and the control totals of the gravity model."""
    flows, blocks = gravity_flows(links)
    for r in raw("plant_flows"):
        if r["in_model"] == "false":
            continue
        key = (r["origin"], r["destination"], r["commodity"])
        entry = flows.setdefault(key, dict.fromkeys(YEARS, 0.0))
        for year in YEARS:
            entry[year] += float(r[f"t{year}"])
    return dict(sorted(flows.items())), blocks


def ocean_freight() -> dict[Flow, dict[int, float]]:
    """Freight of a plant between its own quay and overseas, t/year: no choice of mode, so in `outside_flows`."""
    flows: dict[Flow, dict[int, float]] = {}
    for r in raw("plant_flows"):
        if r["in_model"] == "false":
            entry = flows.setdefault((r["origin"], r["destination"], r["commodity"]), dict.fromkeys(YEARS, 0.0))
            for year in YEARS:
                entry[year] += float(r[f"t{year}"])
    return flows


def outside_flows(links: list[Row]) -> list[Row]:
    """Rows of that table: each over the sea link between its ends, plants of one flow together."""
    ends = {frozenset((row["from_node"], row["to_node"])): row["link"] for row in links if row["mode"] == "sea"}
    plants = [r for r in raw("plant_flows") if r["in_model"] == "false"]
    rows: list[Row] = []
    for (origin, destination, commodity), by_year in sorted(ocean_freight().items()):
        mine = [
            r for r in plants if (r["origin"], r["destination"], r["commodity"]) == (origin, destination, commodity)
        ]
        names = dict.fromkeys(name for r in mine for name in r["source"].split())
        flow: Row = {
            "origin": origin, "destination": destination, "commodity": commodity,
            "link": ends[frozenset((origin, destination))], "source": ";".join(names),
            "note": "; ".join(f"{r['site']}: {r['note']}" for r in mine),
        }  # fmt: skip
        rows += [flow | {"year": year, "tonnes": tonnes} for year, tonnes in by_year.items()]
    return rows


def od_rows(flows: dict[Flow, dict[int, float]]) -> list[tuple[str, str, str, int, float]]:
    """Rows of od.parquet; a flow of zero in a year has a row, so that years in between are clear."""
    return [(*key, year, tonnes) for key, by_year in flows.items() for year, tonnes in by_year.items()]


def sites() -> list[Row]:
    rows: list[Row] = []
    for r in raw("sites"):
        for year in YEARS:
            rows.append(
                {
                    "site": r["site"],
                    "name": r["name"],
                    "node": r["node"],
                    "commodity": r["commodity"],
                    "direction": r["direction"],
                    "year": year,
                    "amount_t_per_year": float(r[f"t{year}"]),
                    "status": r["status"],
                    "status_date": STATUS_DATE,
                    "source": refs(r["source"]),
                    "note": r["note"] or f"status: {r['status']}",
                }
            )
    return rows


def recipes() -> list[Row]:
    return [dict(r) | {"t_per_t": float(r["t_per_t"]), "source": refs(r["source"])} for r in raw("recipes")]


def suppliers() -> list[Row]:
    """Who sells what recipes need; prices are equal within and outside the region, so that freight decides."""
    figures = ("price_eur_per_t", "upstream_kg_co2e_per_t")
    return [
        dict(r) | {name: float(r[name]) for name in figures} | {"source": refs(r["source"])} for r in raw("suppliers")
    ]


def supply_contracts(flows: dict[Flow, dict[int, float]]) -> list[Row]:
    """What the demand holds of them: no more than the flow from supplier to plant."""
    start = {(r["supplier"], r["input"]): r["node"] for r in raw("suppliers")}
    goods = {(r["site"], r["input"]): r["commodity"] for r in raw("recipes")}
    end = {r["site"]: r["node"] for r in raw("sites")}
    rows: list[Row] = []
    for r in raw("supply_contracts"):
        flow = flows[start[r["supplier"], r["input"]], end[r["site"]], goods[r["site"], r["input"]]]
        same: Row = {key: value for key, value in r.items() if not key.startswith("t2")} | {"source": refs(r["source"])}
        held = {year: min(float(r[f"t{year}"]), flow[year]) for year in YEARS}
        rows += [same | {"year": year, "amount_t_per_year": tonnes} for year, tonnes in held.items()]
    return rows


def control_totals() -> list[Row]:
    """Observed totals; ocean freight is in the instance, so that nothing of them lies outside."""
    lists = ("modes", "nodes", "links", "origins", "destinations", "commodities", "source")
    rows: list[Row] = []
    for r in raw("control_totals"):
        row: Row = {key: refs(value) if key in lists else value for key, value in r.items()}
        row |= {"observed": float(r["observed"]), "observed_year": int(r["observed_year"]), "outside": 0.0}
        rows.append(row)
    return rows
