"""Large origin-destination files: read row group by row group, summed to flows with memory that rows do not grow."""

from nbb_opt.demand.od.aggregate import PART_ROWS, Sums, aggregate, parts_of, sum_part
from nbb_opt.demand.od.rules import Rules
from nbb_opt.demand.od.source import Source, open_source
from nbb_opt.demand.od.target import Target

__all__ = ["PART_ROWS", "Rules", "Source", "Sums", "Target", "aggregate", "open_source", "parts_of", "sum_part"]
