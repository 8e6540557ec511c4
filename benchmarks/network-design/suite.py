"""Fixed-charge network design: the Canad instances C and C+ (.dow files), or any folder of .dow files or instances."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from benchmarks.harness import BenchOptions
from benchmarks.harness.plans import run_name
from benchmarks.harness.registry import BenchError
from nbb_opt.problems.network_design import read_design
from nbb_opt.problems.network_design.canad import ENDING, convert_canad

TAKES = {"gap": 1e-6, "time_limit_s": 120.0, "data": None}
ROUNDS = REPEATS = 1
DATA_VARIABLE = "NBB_OPT_CANAD"  # folder of the instances where --data names none


def cases(options: BenchOptions) -> list[dict[str, Any]]:
    """One case for every file or instance folder below the data folder; the seed is that of the solver."""
    folder = _folder(options)
    places = {path.stem: path for path in folder.rglob(f"*{ENDING}")}
    places |= {path.parent.name: path.parent for path in folder.rglob("instance.toml")}
    if not places:
        raise BenchError(f"{folder}: holds no {ENDING} file and no instance folder")
    return [{"case": name, "source": str(places[name])} for name in sorted(places)]


def _folder(options: BenchOptions) -> Path:
    named = options.data or os.environ.get(DATA_VARIABLE) or Path(__file__).parents[2].parent / "shared/data/canad"
    if not Path(named).is_dir():
        raise BenchError(f"{named}: there are no instances; name a folder of {ENDING} files: --data FOLDER")
    return Path(named)


def prepare(case: dict[str, Any], folder: Path, options: BenchOptions) -> dict[str, Any]:
    """The instance folder of a case, converted if need be; and where ours puts its plan."""
    source = Path(case["source"])
    place = source
    if source.is_file():
        place = folder / case["case"]
        if not place.exists():
            convert_canad(source, place)
    found = read_design(place)
    counters = {name: len(table) for name, table in found.tables.items()}
    run = folder / "runs" / run_name(case["case"], options.seed)
    return {**case, "path": str(place), "run": str(run), "counters": counters, "instance_digest": found.digest}
