"""README.md of the instance, and the control totals as lines of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from checks import block_table, by_commodity, outside_table
from gravity import SMALLEST_SHARE, SMALLEST_T, Block, Flow
from rates import line_haul
from store import RAW, YEARS, Row, Tables, raw

Flows = Mapping[Flow, Mapping[int, float]]


def control_lines(flows: Flows, blocks: list[Block], ocean: Flows) -> list[str]:
    """What the gravity model was told and met, and observed totals beside the demand, one line each."""
    lines = [f"{len(flows)} flows"]
    for commodity, name, target, met, difference, small in block_table(blocks, YEARS[0]):
        lines.append(
            f"{commodity} {name}: target {target:.0f} kt, met {met:.1f}, off {difference:+.1f}, too small {small:.0f}"
        )
    for name, year, observed, ours, _, _ in outside_table(flows, ocean):
        lines.append(
            f"{name}: observed {observed:.0f} kt ({year}), demand 2025 {ours:.0f} kt, {ours / observed - 1:+.0%}"
        )
    return lines


def page(tables: Tables, flows: Flows, blocks: list[Block], ocean: Flows) -> str:
    """The README: the committed text with counts and tables filled in."""
    text = (RAW / "readme_text.md").read_text(encoding="utf-8")
    zones = [row for row in tables["nodes"] if row["is_zone"]]
    modes = Counter(str(row["mode"]) for row in tables["links"] if not row["project"])
    filled = {
        "nodes": str(len(tables["nodes"])),
        "zones": str(len(zones)),
        "links": ", ".join(f"{number} {mode}" for mode, number in modes.items()),
        "new_links": str(sum(1 for row in tables["links"] if row["project"])),
        "flows": str(len(flows)),
        "projects": str(len(tables["projects"])),
        "charge_areas": str(len(tables["charge_areas"])),
        "fleet_regions": str(len(tables["fleet_regions"])),
        "trucks": f"{sum(int(str(row['vehicles'])) for row in tables['fleet']):,}",
        "sources": str(len(tables["sources"])),
        "smallest": "; ".join(f"{name} {t:,.0f} t" for name, t in SMALLEST_T.items()),
        "smallest_share": f"{SMALLEST_SHARE:.0%}",
        "goods_table": _goods(flows, ocean),
        "block_table": _blocks(blocks),
        "outside_table": _outside(flows, ocean),
        "totals_table": _totals(tables["control_totals"]),
        "constants_table": _constants(tables["mode_constants"]),
        "rates_table": _rates(tables),
        "tornado_table": _tornado(),
        "tornado_range": _tornado_range(),
        "screened": _screened(),
        "decisions_table": _decisions(tables),
        "assumed": _assumed(tables),
        "source_table": _table(
            ("source", "title", "licence or terms"),
            [(_linked(r), r["title"], r["licence"]) for r in tables["sources"]],
        ),
    }  # fmt: skip
    for key, value in filled.items():
        mark = "{" + key + "}"
        if mark not in text:
            raise ValueError(f"raw/readme_text.md does not hold {mark}")
        text = text.replace(mark, value)
    return text


def _linked(row: Row) -> str:
    return f"[{row['source']}]({row['url']})" if row["url"] else str(row["source"])


def _table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def _goods(flows: Flows, ocean: Flows) -> str:
    count = Counter(commodity for _, _, commodity in flows)
    rows: list[tuple[object, ...]] = [
        (commodity, count[commodity], *(f"{by_year[year]:.2f}" for year in YEARS))
        for commodity, by_year in by_commodity(flows).items()
    ]
    inside, outside = by_commodity(flows), by_commodity(ocean)
    rows.append(("**all**", len(flows), *(f"**{sum(v[year] for v in inside.values()):.2f}**" for year in YEARS)))
    rows.append(
        ("beside: ocean freight", len(ocean), *(f"{sum(v[year] for v in outside.values()):.2f}" for year in YEARS))
    )
    return _table(("goods", "flows", *(f"Mt {year}" for year in YEARS)), rows)


def _blocks(blocks: list[Block]) -> str:
    rows: list[tuple[object, ...]] = [
        (b.commodity, b.name, f"{b.target_t / 1e3:,.0f}", f"{b.met_t / 1e3:,.1f}",
         f"{(b.met_t - b.target_t) / 1e3:+.1f}", f"{b.dropped_t / 1e3:,.0f}", b.source)
        for b in blocks
        if b.year == YEARS[0]
    ]  # fmt: skip
    small = sum(b.dropped_t for b in blocks if b.year == YEARS[0]) / 1e6
    told = sum(b.target_t for b in blocks if b.year == YEARS[0]) / 1e6
    table = _table(("goods", "from and to", "target kt", "met kt", "difference", "too small kt", "source"), rows)
    return f"{table}\n\nToo small in all: {small:.2f} of {told:.2f} Mt, moved to the larger pairs of the same block."


def _outside(flows: Flows, ocean: Flows) -> str:
    rows: list[tuple[object, ...]] = [
        (name, f"{observed:,.0f} ({year})", f"{ours:,.0f}", f"{ours / observed - 1:+.0%}", source, note)
        for name, year, observed, ours, source, note in outside_table(flows, ocean)
    ]
    return _table(("total", "observed kt", "demand 2025 kt", "difference", "source", "remark"), rows)


def _totals(totals: list[Row]) -> str:
    rows: list[tuple[object, ...]] = []
    for row in totals:
        kilo = str(row["measure"]).endswith("t_per_year")
        observed = float(str(row["observed"])) / (1e3 if kilo else 1)
        shown = f"{observed:,.0f} {'kt' if kilo else 'g/tkm'} ({row['observed_year']})"
        rows.append((row["name"], shown, row["note"], row["reason"], row["source"]))
    return _table(("total", "observed", "remark", "why a plan may lie far off", "source"), rows)


def _constants(constants: list[Row]) -> str:
    rows: list[tuple[object, ...]] = [
        (row["constant"], row["mode"], str(row["commodities"]).replace(";", ", "),
         f"{str(row['origins']).replace(';', ' ')} to {str(row['destinations']).replace(';', ' ')}", row["eur_per_t"],
         row["note"], row["source"])
        for row in constants
    ]  # fmt: skip
    return _table(("constant", "against", "goods", "flows", "EUR/t", "why", "source"), rows)


def _tornado() -> str:
    """The figures that were solved, the greatest effect on cost first, either end of their range a row."""
    base, *rows = raw("tornado")
    first = {(row["figure"], row["factor"]): row["first_order_meur"] for row in raw("screened")}
    cells: list[tuple[object, ...]] = [
        (base["figure"], "", "", f"{float(base['cost_meur']):,.0f}", f"{float(base['gap']):.2%}",
         base[f"kt_{YEARS[-1]}"], base[f"battery_trucks_{YEARS[-1]}"])
    ]  # fmt: skip
    for row in rows:
        screened, cost = float(first[row["figure"], row["factor"]]), float(row["cost_meur"])
        differs = f"{screened:+,.0f}", f"{cost:+,.0f}", f"{float(row['gap']):.2%}"
        of_all = row[f"kt_{YEARS[-1]}"], row[f"battery_trucks_{YEARS[-1]}"]
        cells.append((f"`{row['figure']}`", f"times {row['factor']}", *differs, *of_all))
    last = YEARS[-1]
    head = ("figure", "of its range", "screened, MEUR", "solved, MEUR", "gap", f"kt CO2e in {last}",
            f"battery trucks in {last}")  # fmt: skip
    return _table(head, cells)


def _tornado_range() -> str:
    """How many ranges were screened and solved, and fewest and most battery trucks in the last period."""
    base, *rows = raw("tornado")
    found = sorted((int(row[f"battery_trucks_{YEARS[-1]}"]), row["figure"], row["factor"]) for row in rows)
    (few, low, by), (many, high, times) = found[0], found[-1]
    return (
        f"{few:,} (`{low}` times {by}) and {many:,} (`{high}` times {times}), "
        f"{base[f'battery_trucks_{YEARS[-1]}']} with the figures as they are"
    )


def _screened() -> str:
    """How many figures were screened, and the largest that was not solved."""
    rows, solved = raw("screened"), {row["figure"] for row in raw("tornado")}
    figures = list(dict.fromkeys(row["figure"] for row in rows))
    left = next(row for row in rows if row["figure"] not in solved)
    most = max(abs(float(r["first_order_meur"] or 0)) for r in rows if r["figure"] == left["figure"])
    return (
        f"All {len(figures)} ranges, both ends, were screened; of those that are not below, the largest is "
        f"`{left['figure']}` with {most:,.0f} MEUR"
    )


def _decisions(tables: Tables) -> str:
    """Every project of the plan and its largest shifts, and the ends of ranges at which they do not happen."""
    names = {str(row["project"]): str(row["name"]) for row in tables["projects"]}
    status = {str(row["project"]): str(row["status"]).replace("_", " ") for row in tables["projects"]}
    names |= {str(row[key]): str(row["name"]) for table, key in (("nodes", "node"), ("commodities", "commodity"))
              for row in tables[table]}  # fmt: skip
    rows: list[tuple[object, ...]] = []
    for row in raw("decisions"):
        parts, turned = row["decision"].split("/"), row["turned_by"]
        if len(parts) == 1:
            what, how_much = f"{names[parts[0]]} ({status[parts[0]]})", f"from {row['in_plan']}"
            decided = status[parts[0]] in ("idea", "market")
        else:
            origin, destination, goods, mode = parts
            what = f"{names[goods]}, {names[origin]} to {names[destination]}, moves to {mode}"
            how_much, decided = f"{float(row['in_plan']) / 1e3:,.0f} kt in {YEARS[-1]}", True
        if not decided:
            when = "decided already"
        else:
            when = "; ".join(f"`{each}`" for each in turned.split("; ")) if turned else "none that was solved"
        rows.append((what, how_much, row["why"], when))
    return _table(("decision", "in the plan", "why", "does not happen with"), rows)


def _rates(tables: Tables) -> str:
    return _table(("vehicle, goods and place", "EUR/tkm", "g CO2e/tkm WTW", "compare"), list(line_haul(tables)))


def _assumed(tables: Tables) -> str:
    """Share of rows whose figures rest on an assumption, by table."""
    rows: list[tuple[object, ...]] = []
    for name, table in tables.items():
        named = [row for row in table if row.get("source")]
        if name == "sources" or not named:
            continue
        alone = sum(1 for row in named if row["source"] == "assumption")
        partly = sum(1 for row in named if "assumption" in str(row["source"]).split(";")) - alone
        rows.append((name, len(named), len(named) - alone - partly, partly, alone))
    return _table(("table", "rows", "from a source", "source and assumption", "assumption"), rows)
