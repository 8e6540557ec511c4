"""This package: a contraction hierarchy whose order is found once, lengths for eight weights at a time, sweeps."""

from benchmarks.paths.suite import exactly, load

KIND, LIBRARY = "ours", "nbb-opt"


def start(case, options):
    from benchmarks.paths.hierarchy import make_hierarchy, skims

    def run(net):
        hierarchy = make_hierarchy(net.nodes, net.tail, net.head)
        return skims(hierarchy, net.weight, sources=net.places, targets=net.places, threads=options.threads)

    net = load(case["path"])
    run(load(case["small"]))
    return lambda: run(net)


def outcome(case, distances):
    from benchmarks.paths.hierarchy import make_hierarchy

    net = load(case["path"])
    hierarchy = make_hierarchy(net.nodes, net.tail, net.head)
    found = int((distances < float("inf")).sum())
    return {"counters": {"edges_of_the_hierarchy": int(hierarchy.up_to.size), "pairs_with_a_way": found}}


def digest(case, distances):
    return exactly(distances)
