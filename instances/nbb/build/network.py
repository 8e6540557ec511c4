"""Links, terminals and the transfers between modes."""

from __future__ import annotations

from collections.abc import Mapping

from store import STATUS_DATE, YEARS, Row, raw, refs

MODES = ("road", "rail", "sea", "ferry")
FERRY_T_PER_YEAR = 1386000.0  # 99 000 units of 17 m (derived from lane metres and sailings) of 14 t
SEA_KMH = 26.0
SPEEDS = " (70 under wire: Oslo-Narvik, 1960 km, in 26 to 28 h, Järnvägsnyheter; less on other lines)"
REGULAR = (
    "GOT",
    "HEL",
    "STO",
    "HAN",
    "LUL",
    "HOL",
    "KOK",
    "PIE",
    "SKH",
    "OUL",
    "KEM",
    "SUN",
    "TRD",
    "MOI",
    "HAM",
    "RTM",
)


def links() -> list[Row]:
    """Every link, as far as it is or as far as the project is that brings it."""
    status = {"": "existing"} | {r["project"]: r["status"] for r in raw("projects")}
    rows = _road() + _rail() + _sea() + [_ferry()]
    return [row | {"status": status[str(row["project"])], "status_date": STATUS_DATE} for row in rows]


def _road() -> list[Row]:
    rows = []
    for r in raw("links_road"):
        km = float(r["km"])
        extra = 1.5 if r["from"] == "FAU" and r["to"] == "NAR" else 0.0
        rows.append(
            _link(
                r,
                "road",
                km / float(r["kmh"]) + extra,
                max_gross_t=float(r["gross_t"]),
                toll_eur_per_vkm=float(r["toll"]),
                note=_join(r["note"], f"{r['kmh']} km/h and {r['gross_t']} t assumed from road class and country"),
            )
        )
    for r in raw("links_road_projects"):
        rows.append(
            _link(
                r,
                "road",
                float(r["km"]) / float(r["kmh"]),
                project=r["project"],
                max_gross_t=float(r["gross_t"]),
                toll_eur_per_vkm=0.0,
                note=r["note"],
            )
        )
    return rows


def _rail() -> list[Row]:
    rows = []
    for r in raw("links_rail"):
        rows.append(
            _link(
                r,
                "rail",
                float(r["km"]) / float(r["kmh"]),
                capacity_t_per_year=float(r["capacity"]) if r["capacity"] else None,
                capacity_link=r["capacity_of"],
                gauge_mm=int(r["gauge"]),
                electrified_share=float(r["electric"]),
                axle_load_t=float(r["axle"]),
                max_gross_t=float(r["train_t"]),
                toll_eur_per_vkm=float(r["access"]),
                project=r["project"],
                note=_join(r["note"], f"{r['kmh']} km/h{SPEEDS}, train of {r['train_t']} t and access charge assumed"),
            )
        )
    return rows


def _sea() -> list[Row]:
    rows = []
    for r in raw("links_sea"):
        km = float(r["km"])
        short = r["corridor"] == "short hop"
        wait = 24.0 if r["from"] in REGULAR and r["to"] in REGULAR else 42.0
        due = 0.8 if short else 1.2
        kiel = 0.8 if r["kiel_canal"] == "true" else 0.0
        r = r | {"country": "XX", "source": "waypoints"}
        rows.append(
            _link(
                r,
                "sea",
                km / SEA_KMH + wait,
                toll_eur_per_vkm=0.0,
                charge_eur_per_t=due + kiel,
                note=_join(
                    r["note"],
                    f"26 km/h (STraM) and {wait:g} h wait for a departure (half the headway); dues of {due:g} EUR/t"
                    + (" and 0.8 EUR/t for the canal" if kiel else "")
                    + " assumed",
                ),
            )
        )
    return rows


def _ferry() -> Row:
    return {
        "link": "HOL-VSK-FERRY",
        "from_node": "HOL",
        "to_node": "VSK",
        "two_way": True,
        "mode": "ferry",
        "country": "XX",
        "distance_km": 100.0,
        "time_h": 6.5,
        "capacity_t_per_year": FERRY_T_PER_YEAR,
        "toll_eur_per_vkm": 0.0,
        "charge_eur_per_t": 25.0,
        "project": "",
        "corridor": "Kvarken",
        "source": "balticpress;schifffahrt_technik;assumption",
        "note": "3.5 h crossing and half the headway of 23 sailings a week; fare of 25 EUR/t (350 EUR a unit of 14 t) "
        "without energy, assumed: no tariff found; capacity 99 000 units of 14 t, of which 21 250 were used in 2024",
    }


def _join(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _link(r: dict[str, str], mode: str, hours: float, **more: str | float | int | None) -> Row:
    name = f"{r['from']}-{r['to']}-{mode.upper()}"
    if more.get("project"):
        name += f"-{more['project']}"
    row: Row = {
        "link": name,
        "from_node": r["from"],
        "to_node": r["to"],
        "two_way": True,
        "mode": mode,
        "country": r["country"],
        "distance_km": float(r["km"]),
        "time_h": round(hours, 2),
        "toll_eur_per_vkm": 0.0,
        "charge_eur_per_t": 0.0,
        "project": "",
        "corridor": r["corridor"],
        "source": _sources(r["source"]),
    }
    return row | dict(more)


def _sources(text: str) -> str:
    names = text.split()
    return refs(text) if "assumption" in names else refs(text + " assumption")


def terminals(ocean_freight: Mapping[tuple[str, str, str], Mapping[int, float]]) -> list[Row]:
    """Terminals; a port has the capacity that its own ocean freight, outside the model, leaves in its largest year."""
    rows: list[Row] = []
    for r in raw("terminals"):
        taken = 0.0
        if "road-sea" in r["pairs"].split():
            here = [t for (a, b, _), t in ocean_freight.items() if r["node"] in (a, b)]
            taken = max((sum(t[year] for t in here) for year in YEARS), default=0.0)
        less = f"less {taken / 1e6:.2f} Mt ocean freight outside the model" if taken else ""
        rows.append(
            {
                "terminal": r["terminal"],
                "name": r["name"],
                "node": r["node"],
                "capacity_t_per_year": float(r["capacity"]) - taken,
                "source": refs(r["source"]),
                "note": _join(r["note"], less),
            }
        )
    return rows


def ports() -> list[Row]:
    """Which ships ports take today, and how long ice lies before them."""
    figures = ("draught_m", "largest_ship_dwt", "ice_months")
    return [
        {"node": r["node"]}
        | {name: float(r[name]) if r[name] else None for name in figures}
        | {"source": refs(r["source"]), "note": r["note"]}
        for r in raw("ports")
    ]


def transfers() -> list[Row]:
    """Every pair of modes of a node that meet there; its terminal if that has a limit."""
    limited = {(r["node"], pair): r["terminal"] for r in raw("terminals") for pair in r["pairs"].split()}
    rows: list[Row] = []
    for r in raw("nodes"):
        present = [mode for mode in MODES if mode in r["modes"].split()]
        if r["kind"] in ("border", "junction"):
            continue
        for i, a in enumerate(present):
            for b in present[i + 1 :]:
                if (a, b) == ("sea", "ferry"):
                    continue
                if r["node"] == "PAJ" and b == "rail":
                    project = "KAUNIS_RAIL"
                else:
                    project = ""
                rows.append(
                    {
                        "node": r["node"],
                        "mode_a": a,
                        "mode_b": b,
                        "terminal": limited.get((r["node"], f"{a}-{b}"), ""),
                        "project": project,
                        "source": "general_knowledge",
                        "note": "the terminal, port or siding exists" if not project else "only with the new line",
                    }
                )
    rows.append(
        {
            "node": "TOR",
            "mode_a": "rail",
            "mode_b": "rail",
            "terminal": "",
            "project": "GAUGE_TERMINAL",
            "source": "railfreight",
            "note": "no regular freight across the gauge break before 2025",
        }
    )
    return rows
