"""AequilibraE: one graph, its skimming per weight."""

import os

import numpy as np

from benchmarks.paths.suite import exactly, load

KIND, LIBRARY = "peer", "aequilibrae"
CLOSED = 1e12


def start(case, options):
    os.environ["AEQ_SHOW_PROGRESS"] = "FALSE"
    import pandas as pd
    from aequilibrae.paths import Graph, NetworkSkimming

    net = load(case["path"])
    joined = np.isin(net.places, net.tail) | np.isin(net.places, net.head)  # it takes no place without an arc

    def run():
        names = [f"w{m}" for m in range(len(net.weight))]
        ends = {"a_node": net.tail + 1, "b_node": net.head + 1, "direction": 1}
        columns = {"link_id": np.arange(net.tail.size) + 1} | ends
        lengths = dict(zip(names, np.where(net.weight < np.inf, net.weight, CLOSED), strict=True))
        graph = Graph()
        graph.network = pd.DataFrame(columns | lengths)
        graph.mode = "t"
        graph.prepare_graph(centroids=net.places[joined] + 1)
        graph.set_blocked_centroid_flows(False)
        out = np.full((len(names), net.places.size, net.places.size), np.inf)
        at = np.ix_(joined, joined)
        for m, name in enumerate(names):
            graph.set_graph(name)
            graph.set_skimming([name])
            skimming = NetworkSkimming(graph)
            skimming.set_cores(options.threads)
            skimming.execute()
            out[m][at] = np.array(skimming.results.skims.matrix_view).reshape(joined.sum(), joined.sum())
        out[out >= CLOSED] = np.inf
        out[:, np.arange(net.places.size), np.arange(net.places.size)] = 0.0
        return out

    return run


def digest(case, distances):
    return exactly(distances)
