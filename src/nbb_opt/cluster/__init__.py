"""Work on a Dask cluster (extra [cluster]): parts of an OD file summed, chains of some bundles priced."""

from nbb_opt.cluster.dask import Cluster, connect

__all__ = ["Cluster", "connect"]
