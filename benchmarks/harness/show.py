"""A result as text, one line for every subject of every case; and a comparison with an earlier one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import log
from statistics import fmean, linear_regression
from typing import Any

from benchmarks.harness.against import Comparison

Row = Mapping[str, Any]
SHORTEST_S = 0.1  # what took less says nothing of how it grows
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
    "decision gap %": lambda row: _number(row.get("figures", {}).get("decision_gap"), "{:.2f}", 100.0),
    "to best known %": lambda row: _number(row.get("gap_to_best_known"), "{:.4f}", 100.0),
    "primal integral s": lambda row: _number(row.get("primal_integral_s"), "{:.2f}"),
    "verified": lambda row: {True: "yes", False: "NO"}.get(row["verified"]) if "verified" in row else None,
}


def table_of(record: Mapping[str, Any]) -> str:
    """The result as a table, then per case what was counted and whose results are equal."""
    lines = [f"{record['suite']} (protocol {record['protocol']})", *aligned(cells_of(record))]
    for entry in record["cases"]:
        counted = _counted(entry)
        same = f"the results of {', '.join(entry['agree'])} are equal: {entry['digest']}" if entry["agree"] else ""
        lines += [f"{entry['case']} seed {entry['seed']}: " + "; ".join(part for part in (counted, same) if part)]
        lines += aligned(series, texts=2) if (series := series_of(entry)) else []
    return "\n".join([*lines, *(aligned(growth, texts=2) if (growth := growth_of(record)) else [])])


def markdown_of(record: Mapping[str, Any]) -> list[str]:
    """The result for a page or a comment: machine, versions, options, table."""
    heads, *rows = cells_of(record)
    machine, versions = record["machine"], record["versions"]
    options = ", ".join(f"{name} {value}" for name, value in record["options"].items())
    about = f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}"
    return [
        f"Protocol {record['protocol']}; {about}.",
        "Versions: " + ", ".join(f"{name} {number}" for name, number in versions.items()) + ".",
        f"Options: {options}; {record['rounds']} rounds of {record['repeats']} runs.",
        "",
        "| " + " | ".join(heads) + " |",
        "|" + "|".join(["---"] * 3 + ["---:"] * (len(heads) - 3)) + "|",
        *("| " + " | ".join(row) + " |" for row in rows),
        *(line for entry in record["cases"]
          for line in _markdown(series_of(entry), f"{entry['case']}, seed {entry['seed']}:")),
        *_markdown(growth_of(record), "Seconds of each phase by size, and the exponent they grow with:"),
    ]  # fmt: skip


def _markdown(table: list[list[str]], title: str) -> list[str]:
    if not table:
        return []
    heads, *rows = table
    return [
        "",
        title,
        "",
        "| " + " | ".join(heads) + " |",
        "|---|---|" + "---:|" * (len(heads) - 2),
        *("| " + " | ".join(row) + " |" for row in rows),
    ]


def series_of(entry: Mapping[str, Any]) -> list[list[str]]:
    """Figures of a case that are given by year (or by another key): headings, then a row per subject and figure.

    >>> series_of({"subjects": {"ours": {"figures": {"rows": 3, "kt": {"2030": 1.5, "2040": 1000.0}}}}})
    [['subject', 'figure', '2030', '2040'], ['ours', 'kt', '1.5', '1,000']]
    """
    found = [
        (subject, name, by)
        for subject, row in entry["subjects"].items()
        for name, by in row.get("figures", {}).items()
        if isinstance(by, Mapping)
    ]
    keys = list(dict.fromkeys(key for _subject, _name, by in found for key in by))
    rows = [[subject, name, *(_cell(by[key]) if key in by else "" for key in keys)] for subject, name, by in found]
    return [["subject", "figure", *keys], *rows] if rows else []


def growth_of(record: Mapping[str, Any]) -> list[list[str]]:
    """Seconds of each phase by size, where cases have a size: headings, then a row per subject and phase.

    `exponent` is the slope of log seconds over log size (least squares) of sizes where the phase took a tenth of a
    second or more: 1 is linear. Blank where fewer than two did.

    >>> cases = [{"size": n, "subjects": {"ours": {"phases": {"solve": n * n / 1000}}}} for n in (10, 100)]
    >>> growth_of({"cases": cases})
    [['subject', 'phase', '10', '100', 'exponent'], ['ours', 'solve', '0.10', '10.00', '2.00']]
    """
    sized = [entry for entry in record["cases"] if entry.get("size")]
    found: dict[tuple[str, str], dict[int, float]] = {}
    for entry in sized:
        for name, row in entry["subjects"].items():
            whole = {"all": row.get("seconds"), "all, of the processor": row.get("cpu_seconds")}
            for phase, seconds in {**row.get("phases", {}), **whole}.items():
                if seconds is not None:
                    found.setdefault((name, phase), {})[entry["size"]] = seconds
    sizes = sorted({entry["size"] for entry in sized})
    rows = []
    for (name, phase), by in found.items():
        points = [(log(size), log(seconds)) for size, seconds in by.items() if seconds >= SHORTEST_S]
        exponent = f"{linear_regression(*zip(*points, strict=True)).slope:.2f}" if len(points) > 1 else ""
        rows.append([name, phase, *(f"{by[size]:.2f}" if size in by else "" for size in sizes), exponent])
    return [["subject", "phase", *(f"{size:,}" for size in sizes), "exponent"], *rows] if len(sizes) > 1 else []


def cells_of(record: Mapping[str, Any]) -> list[list[str]]:
    """Headings, then one row per subject; columns without any figure are left out.

    >>> row = {"status": "done", "gap": 0.01, "figures": {"decision_gap": 0.25}}
    >>> cells_of({"cases": [{"case": "small", "seed": 1, "subjects": {"ours": row}}]})
    [['case', 'seed', 'subject', 'gap %', 'decision gap %'], ['small', '1', 'ours', '1.0000', '25.00']]
    """
    heads = ["case", "seed", "subject"]
    rows = [
        (entry["case"], str(entry["seed"]), name, row)
        for entry in record["cases"]
        for name, row in entry["subjects"].items()
    ]
    rows += [(f"mean of {count}", "", name, row) for name, count, row in means_of(record)]
    cells = [[case, seed, name] for case, seed, name, _row in rows]
    for head, cell in COLUMNS.items():
        column = [cell(row) for _case, _seed, _name, row in rows]
        if any(column):
            heads.append(head)
            for line, text in zip(cells, column, strict=True):
                line.append(text or "")
    return [heads, *cells]


def means_of(record: Mapping[str, Any]) -> list[tuple[str, int, Row]]:
    """Mean gap, and mean gap to the best known, of every subject that found something in several cases: its name, in
    how many, and the means (the second only if each of these cases has a best known objective).

    >>> cases = [{"subjects": {"ours": {"gap": gap, "gap_to_best_known": gap / 2}}} for gap in (0.0, 0.02)]
    >>> means_of({"cases": cases})
    [('ours', 2, {'status': 'done', 'gap': 0.01, 'gap_to_best_known': 0.005})]
    """
    found: dict[str, list[Row]] = {}
    for entry in record["cases"]:
        for name, row in entry["subjects"].items():
            if row.get("gap") is not None:
                found.setdefault(name, []).append(row)
    means: list[tuple[str, int, Row]] = []
    for name, rows in found.items():
        if len(rows) > 1:
            related = [row["gap_to_best_known"] for row in rows if row.get("gap_to_best_known") is not None]
            mean = {"status": "done", "gap": fmean(row["gap"] for row in rows)}
            more = {"gap_to_best_known": fmean(related)} if len(related) == len(rows) else {}
            means.append((name, len(rows), mean | more))
    return means


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


def comparison_lines(comparison: Comparison, *, name: str) -> list[str]:
    """The comparison as text: words, then a table of findings, worst first, then the seconds."""
    found = sorted(comparison.findings, key=lambda finding: ("worse", "better", "note").index(finding.verdict))
    lines = [f"compared with {name}", *comparison.words]
    if found:
        heads: Sequence[str] = ("", "case", "subject", "what", "before", "now", "why")
        cells = [
            (each.verdict.upper() if each.verdict == "worse" else each.verdict, each.case, each.subject, each.what,
             _cell(each.before), _cell(each.now), each.why)
            for each in found
        ]  # fmt: skip
        lines += aligned([heads, *cells], texts=len(heads))
    rows = [(case, subject, f"{r:.2f}", f"{a:.2f} to {b:.2f}") for case, subject, r, a, b in comparison.seconds]
    if rows:
        lines += ["seconds now / before (never gate)"]
        lines += aligned([("case", "subject", "ratio", "runs"), *rows], texts=2)
    worse = len(comparison.worse)
    lines.append(f"{worse} figure{'s' if worse != 1 else ''} got worse" if worse else "nothing got worse")
    return lines


def _number(value: float | None, form: str, times: float = 1.0) -> str | None:
    return None if value is None else form.format(value * times)


def _cell(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.2f}"
    return str(value)[:16]
