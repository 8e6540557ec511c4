"""What to do with rows that cannot be used as they are. Nothing is dropped or added up unless it is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from nbb_opt.demand import flow_table
from nbb_opt.errors import InstanceError, Problem

# what, which cell is shown, what to do
WORDS: dict[int, tuple[str, str, str]] = {
    flow_table.FAULT_ORIGIN_UNKNOWN: ("origin {!r} is not in nodes.node", "origin", "add the node or correct the name"),
    flow_table.FAULT_ORIGIN_NO_ZONE: ("origin {!r} is a node but no zone", "origin", "set is_zone in nodes.csv"),
    flow_table.FAULT_DESTINATION_UNKNOWN: (
        "destination {!r} is not in nodes.node", "destination", "add the node or correct the name",
    ),
    flow_table.FAULT_DESTINATION_NO_ZONE: (
        "destination {!r} is a node but no zone", "destination", "set is_zone in nodes.csv",
    ),
    flow_table.FAULT_COMMODITY_UNKNOWN: (
        "commodity {!r} is not in commodities.commodity", "commodity", "add the commodity or correct the name",
    ),
    flow_table.FAULT_YEAR: ("year {!r} is outside 1950 to 2120", "year", "correct the year"),
    flow_table.FAULT_NOT_FINITE: ("tonnes {!r} is no finite number", "tonnes", "give t/year, or remove the row"),
    flow_table.FAULT_NEGATIVE: ("tonnes {!r} is negative", "tonnes", "give t/year from origin to destination"),
    flow_table.FAULT_SAME_PLACE: (
        "origin and destination are both {!r}", "origin", "traffic within a zone uses no link: remove the row",
    ),
    flow_table.FAULT_DUPLICATE: (
        "origin {!r} stands twice with the same destination, commodity and year", "origin", "add the rows up",
    ),
}  # fmt: skip

NAMES = {
    "unknown-zone": (flow_table.FAULT_ORIGIN_UNKNOWN, flow_table.FAULT_DESTINATION_UNKNOWN),
    "no-zone": (flow_table.FAULT_ORIGIN_NO_ZONE, flow_table.FAULT_DESTINATION_NO_ZONE),
    "unknown-commodity": (flow_table.FAULT_COMMODITY_UNKNOWN,),
    "year": (flow_table.FAULT_YEAR,),
    "not-finite": (flow_table.FAULT_NOT_FINITE,),
    "negative": (flow_table.FAULT_NEGATIVE,),
    "within-zone": (flow_table.FAULT_SAME_PLACE,),
}


@dataclass(frozen=True)
class Rules:
    """`drop`: kinds of faulty rows (keys of NAMES) that are left out and counted; all others refuse the file.

    `add_duplicates`: rows of one flow and year are added up, else they refuse the file. `within`: rows within a zone
    are kept.

    >>> Rules(drop=("negative",)).dropped
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
