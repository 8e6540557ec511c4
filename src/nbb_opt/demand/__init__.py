"""From origin-destination rows to bundles: flows of one commodity between two zones, in every period.

`read_demand` is imported when it is asked for: summing rows (`demand.od`) needs no pandas, which takes 50 MB.
"""

from typing import TYPE_CHECKING, Any

from nbb_opt.demand.od.aggregate import Each

if TYPE_CHECKING:
    from nbb_opt.demand.bundle import Demand, read_demand

__all__ = ["Demand", "Each", "read_demand"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from nbb_opt.demand import bundle

    return getattr(bundle, name)
