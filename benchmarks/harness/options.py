"""What a benchmark run may be told: one object, passed to the suite and to every subject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class BenchOptions:
    """The options of one run.

    `seed` and `threads` always have a value. Of the others a suite has those that its `TAKES` names, with the values
    there as defaults; the rest stay None and cannot be given.

    `rows` and `sizes` say how large, in the unit of the suite; `time_limit_s` in seconds for one solve; `gap` is the
    proven relative gap to stop at; `data` is where data that the suite cannot write itself are found.
    """

    seed: int = 1
    threads: int = 2
    rows: int | None = None
    sizes: tuple[int, ...] | None = None
    time_limit_s: float | None = None
    gap: float | None = None
    data: Path | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values; options that the suite does not take are left out.

        >>> BenchOptions(seed=3, sizes=(10, 20)).as_json()
        {'seed': 3, 'threads': 2, 'sizes': [10, 20]}
        """
        found = {name: value for name, value in asdict(self).items() if value is not None}
        found |= {"sizes": list(self.sizes)} if self.sizes is not None else {}
        return found | ({"data": str(self.data)} if self.data is not None else {})

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> BenchOptions:
        """The options that `as_json` wrote.

        >>> BenchOptions.from_json({"seed": 3, "threads": 1, "sizes": [10]}).sizes
        (10,)
        """
        found = dict(record)
        if "sizes" in found:
            found["sizes"] = tuple(found["sizes"])
        if "data" in found:
            found["data"] = Path(found["data"])
        return cls(**found)


CHOOSABLE = tuple(field.name for field in fields(BenchOptions) if field.name not in {"seed", "threads"})
