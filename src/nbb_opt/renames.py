"""What was renamed, once: old names are refused by their new ones, and `nbb-opt upgrade` rewrites an old instance."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

Kind = Literal["table", "column", "choice", "block", "model", "command", "option"]
HOW = "rename it, or let nbb-opt upgrade OLD NEW do it"


@dataclass(frozen=True)
class Rename:
    """A name that changed.

    `within` is the table of a column, `table.column` of a choice (`model.key` in a model), the command of an option;
    tables and columns by their names of today.
    """

    kind: Kind
    within: str
    old: str
    new: str


RENAMES: tuple[Rename, ...] = (
    Rename("table", "", "supports", "subsidies"),
    Rename("table", "", "futures", "scenarios"),
    *(
        Rename("column", table, "handling", "cargo_type")
        for table in ("commodities", "handling_costs", "vehicle_loads", "lanes", "empties")
    ),
    Rename("column", "subsidies", "support", "subsidy"),
    Rename("column", "scenarios", "future", "scenario"),
    Rename("choice", "policies.kind", "keep_mode_share_per_year", "limit_mode_shift_share_per_year"),
    *(Rename("choice", f"{table}.table", "supports", "subsidies") for table in ("ranges", "scenarios")),
    Rename("block", "", "inertia", "mode_shift"),
    Rename("model", "", "do_nothing", "frozen"),
    Rename("choice", "model.flows", "do_nothing", "frozen"),
    Rename("command", "", "seal", "manifest"),
    Rename("option", "solve", "--too-large", "--ignore-memory-forecast"),
    Rename("option", "sweep", "--front", "nbb-opt pareto --points"),
    Rename("option", "audit", "--no-futures", "--no-scenarios"),
    Rename("option", "audit", "--each", "--step-time-limit"),
)


def new_names(kind: Kind, within: str = "") -> dict[str, str]:
    """Old name -> new name.

    >>> new_names("column", "subsidies")
    {'support': 'subsidy'}
    """
    return {each.old: each.new for each in RENAMES if each.kind == kind and each.within == within}


def new_choice(old: str, options: Collection[str]) -> str:
    """The one of `options` that was called `old`, or ""."""
    return next((each.new for each in RENAMES if each.kind == "choice" and each.old == old and each.new in options), "")


def is_now(kind: Kind, name: str, within: str = "") -> str:
    """What to say about an old name, or "".

    >>> is_now("table", "futures"), is_now("table", "links")
    ('is now called scenarios', '')
    """
    new = new_names(kind, within).get(name)
    return f"is now called {new}" if new else ""
