"""What to do with rows that cannot be used as they are. Nothing is dropped or added up unless it is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from nbb_opt.demand import kernels
from nbb_opt.errors import InstanceError, Problem

# what, which cell is shown, what to do
WORDS: dict[int, tuple[str, str, str]] = {
    kernels.FAULT_ORIGIN_UNKNOWN: ("origin {!r} is not in nodes.node", "origin", "add the node or correct the name"),
    kernels.FAULT_ORIGIN_NO_ZONE: ("origin {!r} is a node but no zone", "origin", "set is_zone in nodes.csv"),
    kernels.FAULT_DESTINATION_UNKNOWN: (
        "destination {!r} is not in nodes.node", "destination", "add the node or correct the name",
    ),
    kernels.FAULT_DESTINATION_NO_ZONE: (
        "destination {!r} is a node but no zone", "destination", "set is_zone in nodes.csv",
    ),
    kernels.FAULT_COMMODITY_UNKNOWN: (
        "commodity {!r} is not in commodities.commodity", "commodity", "add the commodity or correct the name",
    ),
    kernels.FAULT_YEAR: ("year {!r} is outside 1950 to 2120", "year", "correct the year"),
    kernels.FAULT_NOT_FINITE: ("tonnes {!r} is no finite number", "tonnes", "give t/year, or remove the row"),
    kernels.FAULT_NEGATIVE: ("tonnes {!r} is negative", "tonnes", "give t/year from origin to destination"),
    kernels.FAULT_SAME_PLACE: (
        "origin and destination are both {!r}", "origin", "traffic within a zone uses no link: remove the row",
    ),
    kernels.FAULT_DUPLICATE: (
        "origin {!r} stands twice with the same destination, commodity and year", "origin", "add the rows up",
    ),
}  # fmt: skip

NAMES = {
    "unknown-zone": (kernels.FAULT_ORIGIN_UNKNOWN, kernels.FAULT_DESTINATION_UNKNOWN),
    "no-zone": (kernels.FAULT_ORIGIN_NO_ZONE, kernels.FAULT_DESTINATION_NO_ZONE),
    "unknown-commodity": (kernels.FAULT_COMMODITY_UNKNOWN,),
    "year": (kernels.FAULT_YEAR,),
    "not-finite": (kernels.FAULT_NOT_FINITE,),
    "negative": (kernels.FAULT_NEGATIVE,),
    "within-zone": (kernels.FAULT_SAME_PLACE,),
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
