"""What a row of demand must be: the one list of rules, for `check`, `prepare`, `solve` and `convert` alike.

Nothing is dropped or added up unless it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

from nbb_opt.demand import add_rows
from nbb_opt.errors import InstanceError, Problem

# what, which cell is shown, what to do
WORDS: dict[int, tuple[str, str, str]] = {
    add_rows.FAULT_ORIGIN_UNKNOWN: ("origin {!r} is not in nodes.node", "origin", "add the node or correct the name"),
    add_rows.FAULT_ORIGIN_NO_ZONE: ("origin {!r} is a node but no zone", "origin", "set is_zone in nodes.csv"),
    add_rows.FAULT_DESTINATION_UNKNOWN: (
        "destination {!r} is not in nodes.node", "destination", "add the node or correct the name",
    ),
    add_rows.FAULT_DESTINATION_NO_ZONE: (
        "destination {!r} is a node but no zone", "destination", "set is_zone in nodes.csv",
    ),
    add_rows.FAULT_COMMODITY_UNKNOWN: (
        "commodity {!r} is not in commodities.commodity", "commodity", "add the commodity or correct the name",
    ),
    add_rows.FAULT_YEAR: ("year {} is outside 1950 to 2120", "year", "correct the year"),
    add_rows.FAULT_NOT_FINITE: ("tonnes {} is no finite number", "tonnes", "give t/year, or remove the row"),
    add_rows.FAULT_NEGATIVE: ("tonnes {} is negative", "tonnes", "give t/year from origin to destination"),
    add_rows.FAULT_SAME_PLACE: (
        "origin and destination are both {!r}", "origin", "traffic within a zone uses no link: remove the row",
    ),
    add_rows.FAULT_DUPLICATE: (
        "origin {!r} stands twice with the same destination, commodity and year", "origin", "add the rows up",
    ),
    add_rows.FAULT_TOO_SMALL: (
        f"tonnes {{}} is below the smallest accepted amount, {add_rows.LEAST_T:g} t", "tonnes", "give 0 or t/year",
    ),
    add_rows.FAULT_TOO_LARGE: (
        f"tonnes {{}} is more than {add_rows.MOST_T:g} t", "tonnes", "give t/year; look at the unit",
    ),
}  # fmt: skip

NAMES = {
    "unknown-zone": (add_rows.FAULT_ORIGIN_UNKNOWN, add_rows.FAULT_DESTINATION_UNKNOWN),
    "no-zone": (add_rows.FAULT_ORIGIN_NO_ZONE, add_rows.FAULT_DESTINATION_NO_ZONE),
    "unknown-commodity": (add_rows.FAULT_COMMODITY_UNKNOWN,),
    "year": (add_rows.FAULT_YEAR,),
    "not-finite": (add_rows.FAULT_NOT_FINITE,),
    "negative": (add_rows.FAULT_NEGATIVE,),
    "within-zone": (add_rows.FAULT_SAME_PLACE,),
    "too-small": (add_rows.FAULT_TOO_SMALL,),
    "too-large": (add_rows.FAULT_TOO_LARGE,),
}


@dataclass(frozen=True)
class RowRules:
    """`drop`: kinds of faulty rows (keys of NAMES) that are left out and counted; all others refuse the file.

    `add_duplicates`: rows of one flow and year are added up, else they refuse the file. `within`: rows within a zone
    are kept.

    >>> RowRules(drop=("negative",)).dropped
    frozenset({7})
    """

    drop: tuple[str, ...] = ()
    add_duplicates: bool = False
    within: bool = False

    def __post_init__(self) -> None:
        unknown = [name for name in self.drop if name not in NAMES]
        if unknown:
            hint = "one of " + ", ".join(NAMES)
            raise InstanceError([Problem(f"rows to drop, {name!r}", "is no kind of fault", hint) for name in unknown])

    @property
    def dropped(self) -> frozenset[int]:
        return frozenset(fault for name in self.drop for fault in NAMES[name])
