"""Parts of an OD file summed on the workers of a Dask cluster (extra [cluster])."""

from nbb_opt.cluster.dask import Cluster, connect

__all__ = ["Cluster", "connect"]
