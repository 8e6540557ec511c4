"""What the world is: reading, checking and describing an instance."""

from nbb_opt.instance.describe import describe
from nbb_opt.instance.meta import Meta, Period
from nbb_opt.instance.read import (
    Instance,
    by_period,
    demand_of,
    open_od,
    read_instance,
    read_places_and_goods,
    split_refs,
    write_manifest,
)
from nbb_opt.instance.supplies import supplies_of
from nbb_opt.instance.template import new_instance
from nbb_opt.instance.upgrade import upgrade
from nbb_opt.instance.workbook.write import write_workbook

__all__ = [
    "Instance",
    "Meta",
    "Period",
    "by_period",
    "demand_of",
    "describe",
    "new_instance",
    "open_od",
    "read_instance",
    "read_places_and_goods",
    "split_refs",
    "supplies_of",
    "upgrade",
    "write_manifest",
    "write_workbook",
]
