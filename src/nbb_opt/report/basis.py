"""What the figures rest on: method, assumptions, ranges, sources, and how the plan was computed."""

from __future__ import annotations

from typing import Any

from nbb_opt.instance import Instance, split_refs
from nbb_opt.instance.schema import BY_NAME
from nbb_opt.report.map.grid import Column, Grid
from nbb_opt.report.rows import each
from nbb_opt.report.text import cut, number, percent
from nbb_opt.result import Run

ASSUMPTION = "assumption"
BOUNDARY_WORDS = {"WTW": "well to wheel: operation (TTW) and provision of energy (WTT), ISO 14083 terms"}
FERRY_WORDS = {
    "mass": "by mass of goods and passengers",
    "lane_metre": "by lane metres",
    "area": "by deck area",
    "freight_only": "all to freight",
    "user_share": "by share of users",
}
NOTE_LENGTH = 220


def method(instance: Instance) -> list[tuple[str, str]]:
    """State how costs and emissions are counted."""
    meta = instance.meta
    periods = ", ".join(f"{p.year} ({p.years} years)" for p in instance.periods)
    return [
        ("Boundary of emissions", BOUNDARY_WORDS.get(meta.boundary, meta.boundary)),
        ("Global warming potentials", meta.gwp_set),
        ("Grid electricity", meta.grid_method),
        ("Ferries", f"emissions {FERRY_WORDS.get(meta.ferry_allocation, meta.ferry_allocation)}"),
        ("Carbon price paid on", f"{meta.carbon_base} emissions"),
        ("Prices", f"EUR of {meta.price_year}, without value added tax"),
        ("Discount rate", f"{percent(meta.discount_rate)} a year, real"),
        ("Periods", periods),
        (
            "Ways considered",
            f"{meta.alternatives} per kind of chain, at most {meta.max_main_legs} rail, sea or ferry legs",
        ),
        (
            "System cost",
            "transport services, trucks, energy, drivers, tolls, handling, time of the goods, carbon price, chargers "
            "and projects; what is left of trucks, chargers and projects at the end is counted back",
        ),
        (
            "Doing nothing",
            "today's kinds of trucks and today's network, no projects, no rules; every flow on its cheapest way. It is "
            "solved and checked like the plan",
        ),
        ("Main mode", "the mode with most km of a chain; a flow counts as moved when its main mode is another one"),
        ("Licence of the data", meta.licence),
    ]


def computed(run: Run) -> list[tuple[str, str]]:
    """State model, options, versions and sizes of a run."""
    record = run.record
    sizes = [
        f"{number(record[k])} {k}" for k in ("rows", "columns", "integers", "nonzeros") if record.get(k) is not None
    ]
    facts = [
        ("Model", f"{record.get('model', '')}: {', '.join(record.get('blocks', []))}"),
        ("Status", str(record.get("status", ""))),
        ("Size", ", ".join(sizes)),
        ("Seed, threads", f"{record.get('seed', '')}, {record.get('threads', '')}"),
        ("Options", _pairs(record.get("options", {}))),
        ("Seconds", _pairs(record.get("seconds", {}))),
        ("Versions", _pairs(record.get("versions", {}))),
        ("Digest of the instance", str(record.get("instance_digest", ""))),
    ]
    return [(name, value) for name, value in facts if value]


def _pairs(mapping: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in mapping.items())


def assumption_counts(instance: Instance) -> Grid:
    """Count, by table, the rows that rest on our own reasoning."""
    rows: list[list[Any]] = []
    for name in BY_NAME:
        if name in ("od", "sources") or "source" not in instance[name].columns:
            continue
        source = instance[name]["source"]
        marked = int(source.map(lambda cell: ASSUMPTION in split_refs(cell)).sum()) if len(source) else 0
        if marked:
            rows.append([name.replace("_", " "), len(source), marked, marked / len(source)])
    columns = (
        Column("Table"),
        Column("Rows", "count"),
        Column("Rest on assumptions", "count"),
        Column("Share", "percent", "%"),
    )
    return Grid("Rows that rest on assumptions, wholly or in part", columns, rows, first=40, name="Assumption counts")


def assumption_rows(instance: Instance) -> Grid:
    """List the different assumptions: where, how many rows, and the reasoning given."""
    rows: list[list[Any]] = []
    for name, table in BY_NAME.items():
        if name in ("od", "sources") or "source" not in instance[name].columns:
            continue
        frame = instance[name]
        marked = frame[frame["source"].map(lambda cell: ASSUMPTION in split_refs(cell)).astype(bool)]
        for note, group in marked.groupby("note", sort=False):
            first = group.iloc[0]
            key = "/".join(str(first[column]) for column in table.key)
            more = f" and {number(len(group) - 1)} more" if len(group) > 1 else ""
            rows.append(
                [name.replace("_", " "), cut(key, 60) + more, cut(str(note), NOTE_LENGTH) or "no reasoning given"]
            )
    columns = (Column("Table"), Column("Row"), Column("Reasoning"))
    return Grid("Assumptions", columns, rows, name="Assumptions")


def range_grid(instance: Instance) -> Grid:
    """List how far uncertain figures may be off."""
    rows = []
    for row in each(instance["ranges"]):
        which = "every assumption" if row.row == "*" else row.row
        rows.append([row.table.replace("_", " "), which, row.column, row.low_factor, row.high_factor, row.reason])
    columns = (
        Column("Table"),
        Column("Row"),
        Column("Figure"),
        Column("Low, times", "decimal"),
        Column("High, times", "decimal"),
        Column("Reason"),
    )
    return Grid("Ranges of uncertain figures", columns, rows, name="Ranges")


def source_rows(instance: Instance) -> list[dict[str, str]]:
    """List the sources; `link` is set only for https addresses without blanks or quotes."""
    rows = []
    for row in each(instance["sources"]):
        url = str(row.url)
        safe = url.lower().startswith("https://") and not any(c.isspace() or c in "\"'<>`" for c in url)
        rows.append(
            {
                "source": row.source,
                "title": row.title,
                "licence": row.licence,
                "year": row.year,
                "url": url,
                "link": url if safe else "",
            }
        )
    return rows
