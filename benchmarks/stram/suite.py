"""Freight planning as STraM states it, its Norway case: one scenario, with an emission cap, nine scenarios with it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from benchmarks.harness import BenchOptions
from benchmarks.harness.registry import BenchError
from nbb_opt.problems.stram import convert_stram, read_stram
from nbb_opt.problems.stram.schema import META_FILE

TAKES = {"gap": 1e-4, "time_limit_s": 120.0, "data": None}
ROUNDS = REPEATS = 1
MODELS = ("stram", "stram_cap", "stram_stochastic")
DATA_VARIABLE = "NBB_OPT_STRAM_DATA"  # folder of the source's tables, or an instance folder, where --data names none


def cases(options: BenchOptions) -> list[dict[str, Any]]:
    """One case for every model; the seed is that of the solver."""
    source = _source(options)
    return [{"case": model, "model": model, "source": str(source)} for model in MODELS]


def _source(options: BenchOptions) -> Path:
    named = options.data or os.environ.get(DATA_VARIABLE) or Path(__file__).parents[2].parent / "shared/data/stram"
    source = Path(named)
    if not (source / META_FILE).is_file() and not (source / "constants.json").is_file():
        raise BenchError(
            f"{source}: holds neither the tables of STraM's Norway case (Parquet files and constants.json) nor an "
            f"instance folder; name one: --data FOLDER or ${DATA_VARIABLE}"
        )
    return source


def prepare(case: dict[str, Any], folder: Path, options: BenchOptions) -> dict[str, Any]:
    """The instance folder, converted if need be, once for all cases."""
    source = Path(case["source"])
    place = source if (source / META_FILE).is_file() else folder / "norway"
    if not place.exists():
        convert_stram(source, place)
    found = read_stram(place)
    counters = {name: len(table) for name, table in found.tables.items()}
    return {**case, "path": str(place), "counters": counters, "instance_digest": found.digest}
