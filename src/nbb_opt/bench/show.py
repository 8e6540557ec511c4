"""A result as text: one line for every subject of every case."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
# heading -> the cell of a subject; a column without any cell is left out
COLUMNS: dict[str, Callable[[Row], str | None]] = {
    "s": lambda row: _number(row.get("seconds"), "{:.3f}"),
    "peak MB": lambda row: _number(row.get("peak_mb"), "{:.0f}"),
    "over idle": lambda row: _number(row.get("over_idle_mb"), "{:.0f}"),
    "x limit": lambda row: _number(row.get("ratio_to_limit"), "{:.2f}"),
    "(cpu)": lambda row: _number(row.get("cpu_ratio_to_limit"), "{:.2f}"),
    "faster than best peer": lambda row: _number(row.get("times_faster_than_best_peer"), "{:.2f}"),
    "status": lambda row: row["status"] if row["status"] != "done" else None,
    "objective": lambda row: _number(row.get("objective"), "{:,.2f}"),
    "bound": lambda row: _number(row.get("bound"), "{:,.2f}"),
    "gap %": lambda row: _number(row.get("gap"), "{:.4f}", 100.0),
    "to best known %": lambda row: _number(row.get("gap_to_best_known"), "{:.4f}", 100.0),
    "primal integral s": lambda row: _number(row.get("primal_integral_s"), "{:.2f}"),
    "verified": lambda row: {True: "yes", False: "NO"}.get(row["verified"]) if "verified" in row else None,
}


def table_of(record: Mapping[str, Any]) -> str:
    """The result as a table, then per case what was counted and whose results are equal."""
    heads = ["case", "seed", "subject"]
    rows = [(entry, name, row) for entry in record["cases"] for name, row in entry["subjects"].items()]
    cells = [[entry["case"], str(entry["seed"]), name] for entry, name, _row in rows]
    for head, cell in COLUMNS.items():
        column = [cell(row) for _entry, _name, row in rows]
        if any(column):
            heads.append(head)
            for line, text in zip(cells, column, strict=True):
                line.append(text or "")
    lines = [f"{record['suite']} (protocol {record['protocol']})", *aligned([heads, *cells])]
    for entry in record["cases"]:
        counted = _counted(entry)
        same = f"the results of {', '.join(entry['agree'])} are equal: {entry['digest']}" if entry["agree"] else ""
        lines += [f"{entry['case']} seed {entry['seed']}: " + "; ".join(part for part in (counted, same) if part)]
    return "\n".join(lines)


def aligned(rows: Sequence[Sequence[str]], texts: int = 3) -> list[str]:
    """Columns of equal width; the first `texts` to the left, the rest to the right.

    >>> aligned([["a", "n"], ["long", "12"]], texts=1)
    ['a      n', 'long  12']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            text.ljust(width) if i < texts else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def _counted(entry: Mapping[str, Any]) -> str:
    counters = dict(entry.get("counters", {}))
    parts = [", ".join(f"{name} {value:,}" for name, value in counters.items())] if counters else []
    for name, row in entry["subjects"].items():
        own = {key: value for key, value in row.get("counters", {}).items() if counters.get(key) != value}
        if own:
            parts.append(f"{name}: " + ", ".join(f"{key} {value:,}" for key, value in own.items()))
    return "; ".join(parts)


def _number(value: float | None, form: str, times: float = 1.0) -> str | None:
    return None if value is None else form.format(value * times)
