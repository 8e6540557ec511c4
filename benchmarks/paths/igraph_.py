"""igraph: one graph, one Dijkstra from all sources per weight."""

import numpy as np

from benchmarks.paths.suite import exactly, load

KIND, LIBRARY = "peer", "igraph"


def start(case, options):
    import igraph

    net = load(case["path"])

    def run():
        graph = igraph.Graph(n=net.nodes, edges=np.column_stack([net.tail, net.head]), directed=True)
        places = net.places.tolist()
        return np.array([
            graph.distances(source=places, target=places, weights=weight.tolist(), algorithm="dijkstra")
            for weight in net.weight
        ])  # fmt: skip

    return run


def digest(case, distances):
    return exactly(distances)
