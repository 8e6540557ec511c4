"""Distances between all places by every weight of a network, preparation included: the Nordic Battery Belt with all its
modes, and a made-up network."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import BenchOptions
from benchmarks.paths.network import Network, made_up, of_instance
from nbb_opt.shipped import shipped

TAKES = {"rows": 20_000}  # nodes of the made-up network
ROUNDS, REPEATS = 2, 1


def cases(options: BenchOptions) -> list[dict[str, Any]]:
    """The flagship and the made-up network."""
    return [{"case": "nbb"}, {"case": "made-up", "nodes": options.rows, "seed": options.seed}]


def prepare(case: dict[str, Any], folder: Path, options: BenchOptions) -> dict[str, Any]:
    """Write the arrays; the made-up network of 300 nodes is for warming up."""
    net = of_instance(shipped("instances") / "nbb") if case["case"] == "nbb" else made_up(case["nodes"], case["seed"])
    path, small = folder / f"paths-{case['case']}.npz", folder / "paths-small.npz"
    for target, network in ((path, net), (small, made_up(300, options.seed))):
        np.savez(target, **vars(network))
    counters = {
        "nodes": net.nodes, "arcs": net.tail.size, "metrics": len(net.weight), "sources": net.places.size,
        "distances": len(net.weight) * net.places.size**2,
    }  # fmt: skip
    return {**case, "path": str(path), "small": str(small), "counters": counters}


def load(path: str) -> Network:
    """The network of a case."""
    with np.load(path) as arrays:
        return Network(int(arrays["nodes"]), *(arrays[name] for name in Network.__annotations__ if name != "nodes"))


def exactly(distances: np.ndarray) -> str:
    """All weights are whole numbers: every order of addition gives the same sum, so distances are equal or wrong."""
    found = np.ascontiguousarray(distances, dtype=np.float64)
    return f"{found.shape} {hashlib.sha256(found.tobytes()).hexdigest()[:32]}"
