"""RoutingKit: customizable contraction hierarchy, built once, customised and asked for a matrix per weight."""

import numpy as np

from benchmarks.paths.suite import exactly, load

KIND, LIBRARY = "peer", "pyroutingkit"


def start(case, options):
    from pyroutingkit import INF_WEIGHT, CCHMetric, CCHTopology

    net = load(case["path"])
    threads = options.threads if net.nodes > 5000 else 1  # starting threads for a small network costs it 100 times more

    def run():
        topology = CCHTopology()
        topology.build(net.tail.astype(np.uint32), net.head.astype(np.uint32), net.lat.astype(np.float32),
                       net.lon.astype(np.float32), net.nodes)  # fmt: skip
        metric = CCHMetric(topology)
        places = net.places.astype(np.uint32)
        out = np.empty((len(net.weight), places.size, places.size))
        for m, weight in enumerate(net.weight):
            metric.customize(np.where(weight < np.inf, weight, INF_WEIGHT).astype(np.uint32), threads)
            out[m] = metric.distances_many_to_many(places, places)
        out[out >= INF_WEIGHT] = np.inf
        return out

    return run


def digest(case, distances):
    return exactly(distances)
