"""Sweeps: a front of 20 points and 50 right-hand sides; each point from the last one, or from nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

TAKES = {"sizes": (300,), "data": Path("instances/nbb")}
ROUNDS = REPEATS = 1
POINTS, SIDES = 20, 50


def cases(options: Any) -> list[dict[str, Any]]:
    """The instance in `--data`, and invented ones with `--sizes` flows."""
    places = [(Path(options.data).name, str(options.data), 0)]
    places += [(f"synthetic-{size}", "", size) for size in options.sizes]
    return [
        {"case": f"{name} {kind}", "instance": path, "bundles": size, "kind": kind, "seed": options.seed}
        for name, path, size in places
        for kind in ("front-20", "demand-50")
    ]


def prepare(case: dict[str, Any], folder: Path, options: Any) -> dict[str, Any]:
    """Invents the instance if it must be; prepares chains once, for all subjects."""
    from nbb_opt.instance import read_instance
    from nbb_opt.instance.synthetic import Shape, write_synthetic
    from nbb_opt.network import prepare as prepare_chains

    path = Path(case["instance"])
    if case["bundles"]:
        path = folder / f"synthetic-{case['bundles']}-{case['seed']}"
        if not path.exists():
            write_synthetic(path, Shape(case["bundles"], case["seed"], None))
    instance = read_instance(path)
    prepare_chains(instance, cache_dir=folder / "chains")
    return {**case, "instance": str(path), "chains": str(folder / "chains"), "instance_digest": instance.digest}
