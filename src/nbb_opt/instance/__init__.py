"""What the world is: reading, checking and describing an instance."""

from nbb_opt.instance.meta import Meta, Period
from nbb_opt.instance.read import Instance, by_period, open_od, read_instance, split_refs

__all__ = ["Instance", "Meta", "Period", "by_period", "open_od", "read_instance", "split_refs"]
