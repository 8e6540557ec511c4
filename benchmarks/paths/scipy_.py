"""scipy: one sparse matrix and one Dijkstra from all sources per weight."""

import numpy as np

from benchmarks.paths.suite import exactly, load

KIND, LIBRARY = "peer", "scipy"


def start(case, options):
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    net = load(case["path"])

    def run():
        out = np.empty((len(net.weight), net.places.size, net.places.size))
        for m, weight in enumerate(net.weight):
            open_ = weight < np.inf
            matrix = csr_array((weight[open_], (net.tail[open_], net.head[open_])), shape=(net.nodes, net.nodes))
            out[m] = dijkstra(matrix, indices=net.places)[:, net.places]
        return out

    return run


def digest(case, distances):
    return exactly(distances)
