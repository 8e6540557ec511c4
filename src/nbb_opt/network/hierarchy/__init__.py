"""Many distances for many weights: the network is arranged once, weights are put on it afterwards."""

from nbb_opt.network.hierarchy.skims import Hierarchy, make_hierarchy, skims

__all__ = ["Hierarchy", "make_hierarchy", "skims"]
