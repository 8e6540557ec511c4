"""NetworKit: one graph and one search between some sources and some targets (SPSP) per weight."""

import numpy as np

from benchmarks.paths.suite import exactly, load

KIND, LIBRARY = "peer", "networkit"


def start(case, options):
    import networkit

    networkit.setNumberOfThreads(options.threads)
    net = load(case["path"])

    def run():
        places = net.places.tolist()
        out = np.empty((len(net.weight), len(places), len(places)))
        for m, weight in enumerate(net.weight):
            open_ = weight < np.inf
            entries = (weight[open_], (net.tail[open_], net.head[open_]))
            graph = networkit.GraphFromCoo(entries, n=net.nodes, weighted=True, directed=True)
            search = networkit.distance.SPSP(graph, places, places)
            search.run()
            out[m] = search.getDistances()
        out[out > 1e300] = np.inf
        return out

    return run


def digest(case, distances):
    return exactly(distances)
