"""rustworkx: a search per source and weight. Left out on large networks: it asks Python for the length of every arc."""

import numpy as np

from benchmarks.paths.suite import exactly, load

KIND, LIBRARY = "peer", "rustworkx"
MOST_NODES = 1000


def suits(case):
    return case.get("nodes", 0) <= MOST_NODES


def start(case, options):
    import rustworkx

    net = load(case["path"])

    def run():
        places = net.places.tolist()
        out = np.full((len(net.weight), len(places), len(places)), np.inf)
        for m, weight in enumerate(net.weight):
            open_ = weight < np.inf
            graph = rustworkx.PyDiGraph()
            graph.add_nodes_from(range(net.nodes))
            arcs = zip(net.tail[open_].tolist(), net.head[open_].tolist(), weight[open_].tolist(), strict=True)
            graph.add_edges_from(list(arcs))
            for i, source in enumerate(places):
                found = dict(rustworkx.dijkstra_shortest_path_lengths(graph, source, float))
                out[m, i] = [found.get(place, np.inf) for place in places]
                out[m, i, i] = 0.0
        return out

    return run


def digest(case, distances):
    return exactly(distances)
