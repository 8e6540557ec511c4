"""Made-up OD files of any size for trials and benchmarks: few places and commodities carry most rows (Zipf)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.output import appearing

ROW_GROUP_ROWS = 1_000_000
EXPONENT = 1.05
TONNE_PARTS = 1024  # tonnes are multiples of 1/1024 t: their sums are exact in any order


@dataclass(frozen=True)
class Synthetic:
    """`rows` between `places` that belong to `zones`, of `classes` that belong to `commodities`, in one year each.

    The same fields give the same file. `in_order`: sorted by origin and destination. `text`: names instead of numbers.
    """

    rows: int
    _: KW_ONLY
    places: int = 5000
    zones: int = 500
    classes: int = 50
    commodities: int = 10
    years: tuple[int, ...] = (2030,)
    seed: int = 1
    in_order: bool = False
    text: bool = False

    def __post_init__(self) -> None:
        least = {"rows": 1, "zones": 2, "commodities": 1, "places": self.zones, "classes": self.commodities}
        problems = [
            Problem(name, f"is {getattr(self, name)}", f"give at least {low}")
            for name, low in least.items()
            if getattr(self, name) < low
        ]
        if self.classes > 30_000 or self.places > 2**31 - 1:
            problems.append(Problem("classes or places", "are too many", "at most 30,000 classes and 2^31 - 1 places"))
        if not self.years or min(self.years) < 1950 or max(self.years) > 2120:
            problems.append(Problem("years", f"are {self.years}", "give years from 1950 to 2120"))
        if problems:
            raise InstanceError(problems)

    def place_names(self) -> list[str]:
        return [f"P{i:0{len(str(self.places - 1))}d}" for i in range(self.places)]

    def class_names(self) -> list[str]:
        return [f"C{i:0{len(str(self.classes - 1))}d}" for i in range(self.classes)]

    def zone_of_place(self) -> np.ndarray:
        return _spread(self.places, self.zones, self.seed + 1)

    def commodity_of_class(self) -> np.ndarray:
        return _spread(self.classes, self.commodities, self.seed + 2)


def write_synthetic(path: Path, spec: Synthetic) -> None:
    """Write the rows as Parquet with page checksums, a row group at a time."""
    text = pa.dictionary(pa.int32(), pa.string())
    kinds = [text, text, text] if spec.text else [pa.int32(), pa.int32(), pa.int16()]
    schema = pa.schema(
        [
            *zip(("origin", "destination", "commodity"), kinds, strict=True),
            ("year", pa.int16()),
            ("tonnes", pa.float64()),
        ]
    )
    places, classes = pa.array(spec.place_names()), pa.array(spec.class_names())
    with appearing(path) as work, pq.ParquetWriter(
        work, schema, compression="zstd", write_page_checksum=True,
        use_dictionary=["origin", "destination", "commodity", "year"],
    ) as writer:  # fmt: skip
        for origin, destination, commodity, year, tonnes in _groups(spec):
            ids: list[pa.Array | np.ndarray] = [origin, destination, commodity]
            if spec.text:
                ids = [
                    pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), words)
                    for codes, words in zip(ids, (places, places, classes), strict=True)
                ]
            columns = [pa.array(cells, kind) for cells, kind in zip([*ids, year, tonnes], schema.types, strict=True)]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema), row_group_size=ROW_GROUP_ROWS)


def _groups(spec: Synthetic) -> Iterator[tuple[np.ndarray, ...]]:
    rng = np.random.default_rng(spec.seed)
    place_share, class_share = _zipf(spec.places), _zipf(spec.classes)
    place_at = np.random.default_rng(spec.seed + 3).permutation(spec.places)
    pairs = _pairs_in_order(spec, rng, place_share, place_at) if spec.in_order else None
    for start in range(0, spec.rows, ROW_GROUP_ROWS):
        n = min(ROW_GROUP_ROWS, spec.rows - start)
        if pairs is None:
            origin = place_at[_draw(rng, place_share, n)]
            destination = place_at[_draw(rng, place_share, n)]
        else:
            origin, destination = next(pairs)
        commodity = _draw(rng, class_share, n)
        if spec.in_order:
            order = np.lexsort((commodity, destination, origin))
            origin, destination, commodity = origin[order], destination[order], commodity[order]
        year = np.asarray(spec.years)[rng.integers(0, len(spec.years), n)]
        tonnes = (np.floor(rng.lognormal(2.0, 1.5, n) * TONNE_PARTS) + 1) / TONNE_PARTS
        yield origin, destination, commodity, year, tonnes


def _pairs_in_order(
    spec: Synthetic, rng: np.random.Generator, share: np.ndarray, place_at: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Row groups of places, sorted by origin and destination; how often each stands is drawn beforehand."""
    own = np.random.default_rng(rng.integers(2**63))
    share_of_place = np.empty(spec.places)
    share_of_place[place_at] = np.diff(share, prepend=0.0)
    per_origin = own.multinomial(spec.rows, share_of_place)
    origins: list[np.ndarray] = []
    destinations: list[np.ndarray] = []
    held = 0
    for origin, many in enumerate(per_origin.tolist()):
        destination = np.repeat(np.arange(spec.places), own.multinomial(many, share_of_place))
        origins.append(np.full(many, origin))
        destinations.append(destination)
        held += many
        if held >= ROW_GROUP_ROWS or origin == spec.places - 1:
            all_o, all_d = np.concatenate(origins), np.concatenate(destinations)
            whole = held if origin == spec.places - 1 else held - held % ROW_GROUP_ROWS
            for start in range(0, whole, ROW_GROUP_ROWS):
                end = min(start + ROW_GROUP_ROWS, whole)
                yield all_o[start:end], all_d[start:end]
            origins, destinations, held = [all_o[whole:]], [all_d[whole:]], held - whole


def _zipf(n: int) -> np.ndarray:
    """Cumulated shares of n ranks."""
    weight = 1.0 / np.arange(1, n + 1) ** EXPONENT
    total = np.cumsum(weight / weight.sum())
    total[-1] = 1.0
    return total


def _draw(rng: np.random.Generator, share: np.ndarray, n: int) -> np.ndarray:
    return np.searchsorted(share, rng.random(n), side="right")


def _spread(many: int, few: int, seed: int) -> np.ndarray:
    """A member of `few` for each of `many`; every one of the few is used."""
    rng = np.random.default_rng(seed)
    return rng.permutation(np.concatenate([np.arange(few), rng.integers(0, few, many - few)]))
