"""Keys are unique and references lead somewhere."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pandas as pd

from nbb_opt.instance.cells import CellFaults, clashes, split_list
from nbb_opt.instance.schema import Table
from nbb_opt.instance.wording import did_you_mean, listed, nearest_first, shown

RENAME = "give it another name"


def known_names(frames: Mapping[str, pd.DataFrame], target: str) -> dict[str, None] | None:
    """Names a reference to `table.column` may hold, in file order; None if the table could not be read."""
    table, _, column = target.partition(".")
    return dict.fromkeys(frames[table][column]) if table in frames else None


def check_keys(table: Table, frame: pd.DataFrame, faults: CellFaults) -> None:
    """Two rows with one key, and names that differ only by case or by letters that look alike."""
    keys = list(zip(*(frame[name] for name in table.key), strict=True))
    first: dict[tuple[object, ...], int] = {}
    for i, key in enumerate(keys):
        if i in faults.unusable or (i in faults.rows and any(part in ("", 0) for part in key)):
            continue
        if key in first:
            what = f"has the same key as row {faults.file.row(first[key])}"
            value = "/".join(str(part) for part in key)
            faults.add(
                i, ", ".join(table.key), value, what, "remove one of the two rows or rename it", rule="duplicate_key"
            )
            continue
        first[key] = i
    for column in table.columns:
        if column.kind == "id" and column.name in table.key:
            texts = frame[column.name].tolist()
            for name, what in clashes(texts):
                faults.add(texts.index(name), column.name, name, what, RENAME, rule="case_clash")


def check_references(table: Table, frames: Mapping[str, pd.DataFrame], faults: CellFaults) -> None:
    """References to names that do not exist."""
    for column in table.columns:
        if column.kind not in ("ref", "refs"):
            continue
        names = known_names(frames, column.target)
        if names is None:
            continue
        known: dict[str, list[str]] = {}
        for i, text in enumerate(frames[table.name][column.name]):
            if text not in known:
                parts = split_list(text) if column.kind == "refs" else ([text] if text else [])
                known[text] = [part for part in parts if part not in names]
            for part in known[text]:
                faults.add(i, column.name, text, *unknown_name(part, text, names, column.target), rule="reference")


def unknown_name(part: str, text: str, names: Collection[str], target: str) -> tuple[str, str]:
    """What is wrong with a cell `text` whose name `part` is not known, and the likely fix."""
    table = target.partition(".")[0]
    hint = did_you_mean(part, names)
    if not hint:
        hint = f"{table} has {listed(nearest_first(part, names))}" if names else f"{table} has no rows"
    which = "is" if part == text else f"holds {shown(part)}, which is"
    return f"{which} not in {target}", hint + ("" if "did you mean" in hint else f"; or add it to {table}")
