"""A model under construction as arrays: what the blocks may call, and what a solver and a plan are made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nbb_opt.model.arrays.keys import label
from nbb_opt.model.arrays.terms import Index, Terms
from nbb_opt.model.data.periods import Floats, Ints

FIX_ORDER = {"built": 0, "upgraded": 0, "installed": 1, "bought": 2, "kept": 2}


@dataclass(frozen=True)
class Columns:
    """One kind of variable: its keys, the position of the first among all columns, bounds, whether whole numbers.

    `typical` is a usual value of one, a power of two.
    """

    name: str
    keys: Index
    start: int
    low: Floats
    up: Floats
    whole: bool
    typical: float


@dataclass(frozen=True)
class Weighed:
    """A component of the objective: its amounts, one per label, and the factor with which each counts."""

    name: str
    labels: Index
    factor: Floats
    terms: Terms


class Assembly(ABC):
    """The columns in order, the rows, and the shared expressions blocks add terms to."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.kinds: dict[str, Columns] = {}
        self.size = 0
        self.shared: dict[str, Terms] = {}

    def add_variables(
        self,
        name: str,
        index_set: str,
        index: Index,
        *,
        whole: bool = False,
        fixed: Floats | None = None,
        up: npt.ArrayLike | None = None,
        typical: float = 1.0,
    ) -> Ints:
        """Declare variables from zero up; gives their positions among all columns. `typical` is a usual value."""
        count = len(index)
        low = np.broadcast_to(np.asarray(0.0 if fixed is None else fixed, float), (count,))
        high = np.broadcast_to(np.asarray(np.inf if up is None else up, float), (count,))
        power = float(2.0 ** np.round(np.log2(typical))) if typical > 0 else 1.0
        columns = Columns(name, index, self.size, low, high if fixed is None else low, whole, power)
        self.kinds[name] = columns
        self.size += count
        self._declare(columns, index_set)
        return np.arange(columns.start, self.size)

    @property
    def start(self) -> dict[str, int]:
        """Position of the first column of every kind of variable."""
        return {name: columns.start for name, columns in self.kinds.items()}

    def per_column(self, what: str) -> npt.NDArray:
        """One value per column: `low`, `up`, `whole`, `typical`, or `fix_order` (-1 where not whole)."""
        parts = []
        for columns in (kind for kind in self.kinds.values() if len(kind.keys)):
            value = np.int8(FIX_ORDER.get(columns.name, -1)) if what == "fix_order" else getattr(columns, what)
            parts.append(np.broadcast_to(np.asarray(value), (len(columns.keys),)))
        if parts and all(part.strides == (0,) and (part[:1] == parts[0][:1]).all() for part in parts):
            return np.broadcast_to(parts[0][:1], (self.size,))  # one value for all, kept once
        return np.concatenate(parts) if parts else np.zeros(0)

    def column_names(self) -> list[str]:
        """Every column's name, as Pyomo writes it."""
        return [label(columns.name, key) for columns in self.kinds.values() for key in columns.keys]

    def share(self, name: str, rows: int) -> Terms:
        """The shared expression of that name, begun if nobody has yet."""
        if name not in self.shared:
            self.shared[name] = Terms(rows)
        return self.shared[name]

    @abstractmethod
    def _declare(self, columns: Columns, index_set: str) -> None:
        """Make the variables."""

    @abstractmethod
    def add_rows(self, name: str, index: Index, terms: Terms, *, sense: str, side: Floats | float = 0.0) -> None:
        """Declare the constraint `terms <= side`, `>=` or `==` for each index.

        A row in which no variable occurs is left out if it holds, and a ModelError naming it if it does not.
        """

    @abstractmethod
    def add_expressions(self, name: str, index: Index, terms: Terms) -> None:
        """Name the rows of shared terms in the model, all of them, zeros included."""

    @abstractmethod
    def minimise(self, components: list[Weighed]) -> None:
        """Set the objective: the sum of all amounts, each times its factor."""

    @abstractmethod
    def cost_at(self, values: Floats) -> float:
        """The objective at the given values of all columns, in EUR."""
