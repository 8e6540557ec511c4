"""Investments that may be made, what they add, and who pays."""

from __future__ import annotations

from store import STATUS_DATE, Row, nok, raw, refs, sek

COLUMN = {"links": "capacity_t_per_year", "terminals": "capacity_t_per_year", "charge_areas": "grid_mw",
          "fuel_substitutes": "kwh_per_year"}  # fmt: skip


def _eur(r: dict[str, str]) -> float:
    amount = float(r["capex_meur"])
    return {"SEK": sek, "NOK": nok, "EUR": lambda m: m * 1e6}[r["currency"]](amount)


def projects() -> list[Row]:
    rows: list[Row] = []
    for r in raw("projects"):
        capex = _eur(r)
        quoted = "" if r["currency"] == "EUR" else f"; {r['capex_meur']} million {r['currency']}"
        rows.append(
            {
                "project": r["project"],
                "name": r["name"],
                "kind": r["kind"],
                "capex_eur": capex,
                "fixed_eur_per_year": round(capex * float(r["fixed_share"]), -2),
                "earliest_year": int(r["earliest"]),
                "lifetime_years": int(r["life"]),
                "max_units": int(r["max_units"]),
                "requires": r["requires"],
                "excludes": r["excludes"],
                "node": r["node"],
                "status": r["status"],
                "status_date": STATUS_DATE,
                "source": refs(r["source"]) + ("" if "assumption" in r["source"] else ";assumption"),
                "note": f"{r['note'] or 'cost assumed'}{quoted}; upkeep {float(r['fixed_share']):.1%} a year assumed",
            }
        )
    return rows


def project_effects() -> list[Row]:
    rows: list[Row] = []
    for r in raw("projects"):
        for effect in filter(None, r["effects"].split(";")):
            table, row, adds = effect.split()
            rows.append(
                {
                    "project": r["project"],
                    "table": table,
                    "row": row,
                    "column": COLUMN[table],
                    "adds": float(adds),
                    "source": refs(r["source"]),
                    "note": r["note"] or "capacity assumed",
                }
            )
    return rows


def project_funding() -> list[Row]:
    rows: list[Row] = []
    for r in raw("projects"):
        for part in r["funding"].split(";"):
            country, share = part.split()
            rows.append(
                {
                    "project": r["project"],
                    "country": country,
                    "share": float(share),
                    "source": "assumption",
                    "note": "the country it lies in pays; shared by those it joins",
                }
            )
    return rows
