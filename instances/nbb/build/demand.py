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
    """Freight of a plant between its own quay and overseas: no choice of mode, so not in the model; t/year."""
    flows: dict[Flow, dict[int, float]] = {}
    for r in raw("plant_flows"):
        if r["in_model"] == "false":
            entry = flows.setdefault((r["origin"], r["destination"], r["commodity"]), dict.fromkeys(YEARS, 0.0))
            for year in YEARS:
                entry[year] += float(r[f"t{year}"])
    return flows


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


def control_totals() -> list[Row]:
    """Observed totals; what lies outside is ocean freight of their places and goods, as it is not in the model."""
    lists = ("modes", "nodes", "links", "origins", "destinations", "commodities", "source")
    rows: list[Row] = []
    for r in raw("control_totals"):
        names = {key: r[key].split() for key in lists}
        outside = [
            by_year[YEARS[0]]
            for (origin, destination, commodity), by_year in ocean_freight().items()
            if "sea" in names["modes"]
            and {origin, destination} & set(names["nodes"])
            and origin in (names["origins"] or [origin])
            and destination in (names["destinations"] or [destination])
            and commodity in (names["commodities"] or [commodity])
        ]
        row: Row = {key: refs(value) if key in lists else value for key, value in r.items()}
        row |= {"observed": float(r["observed"]), "observed_year": int(r["observed_year"]), "outside": sum(outside)}
        rows.append(row)
    return rows
