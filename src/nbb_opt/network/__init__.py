"""From bundles to candidate chains: the network, what it costs to use, and the ways through it."""

from nbb_opt.network.distances import road_distances
from nbb_opt.network.prepare import Prepared, prepare
from nbb_opt.network.services import services

__all__ = ["Prepared", "prepare", "road_distances", "services"]
