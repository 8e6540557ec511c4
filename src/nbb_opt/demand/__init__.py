"""The one reader of demand: rows of origin, destination, commodity and year are checked and summed in one pass."""

from nbb_opt.demand.aggregate import PART_ROWS, Each, Sums, aggregate, find_rows, parts_of, sum_part
from nbb_opt.demand.flows import Flows
from nbb_opt.demand.rules import RowRules
from nbb_opt.demand.source import Source, open_source
from nbb_opt.demand.target import Target

__all__ = [
    "PART_ROWS",
    "Each",
    "Flows",
    "RowRules",
    "Source",
    "Sums",
    "Target",
    "aggregate",
    "find_rows",
    "open_source",
    "parts_of",
    "sum_part",
]
