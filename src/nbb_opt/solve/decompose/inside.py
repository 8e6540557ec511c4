"""Plans for many columns: relax from inside, round everything up, price what that changed; then nearer, and again.

A step of the warm simplex on thousands of rows takes longer than a linear program solved from inside, so all but the
last program of a pass are solved that way, without a basis. A pass goes as near to the optimum as its tolerance says:
the first stops early, so that there is a plan soon. Rounding up keeps most of what was decided possible; where it does
not (fewer chargers than were wanted where the grid is full), slack gets dearer and columns that do without are priced.
"""

from __future__ import annotations

from time import perf_counter

import numpy as np

from nbb_opt.solve.decompose.restricted import ALL_ROUNDS, Restricted
from nbb_opt.solve.highs import Answer
from nbb_opt.solve.progress import Listener, Stop
from nbb_opt.solve.rounding import Rows, groups, orders

FIRST, SHARES = 0.02, (1 / 2, 1 / 4, 1 / 8)  # tolerance of the first pass, and of the others as shares of the gap
RELAX = 0.5  # of the time that is left for the relaxation while there is no plan
SPARE = 1.5  # times what the last plan took is left for the next one
NEARLY = 1e-3  # of a unit: what interior points leave of nothing
REPAIRS = 3


class Inside:
    """Passes over a master from inside; `took_s` is how long the last plan took, 0 before the first."""

    def __init__(self, master: Restricted, *, gap: float, stop: Stop, listen: Listener | None, label: str) -> None:
        self.master, self.gap, self.stop, self.listen, self.label = master, gap, stop, listen, label
        self.whole = np.flatnonzero(master.form.integer)
        self.took_s = 0.0
        self.iterations = 0

    def tolerances(self) -> list[float]:
        """How near to its optimum each pass solves the relaxation, relative."""
        return [FIRST] * (self.gap * SHARES[0] < FIRST) + [share * self.gap for share in SHARES]

    def relax(self, tolerance: float, *, known: tuple[float, float]) -> Answer:
        """The relaxation, as near as `tolerance` or as long as time leaves enough for a plan."""
        master = self.master
        master.inside()
        master.free(self.whole)
        left = max(self.stop.left_s(), 1e-9)
        enough = left > self.took_s  # else the bound is all that can still get better
        share = (1 - SPARE * self.took_s / left) if self.took_s and enough else 1.0 if self.took_s else RELAX
        return self._run(self.stop.part(max(share, 0.0)), "root", rounds=ALL_ROUNDS, tolerance=tolerance, known=known)

    def plan(self, relaxed: Answer) -> Answer | None:
        """A plan with whole numbers near the relaxation, at a vertex; None if rounding up gives none."""
        master, began = self.master, perf_counter()
        for number, (group, order) in enumerate(zip(groups(master.form), orders(master.form), strict=True)):
            if not len(group):
                continue
            assert relaxed.values is not None
            rows = Rows.decided_by(master.form, order)
            master.fix(group, rows.rounded_up(group, relaxed.values, nothing=NEARLY))
            rounds = 1 if number == 1 else 0  # chargers may have to be fewer than wanted
            found = self._run(self.stop, "round up", rounds=rounds, tolerance=self.gap / 10, known=_NOTHING)
            if found.values is None:
                return None
            relaxed = found
        exact = self._exact()
        self.took_s = perf_counter() - began
        return exact

    def _exact(self) -> Answer | None:
        """The optimum at a vertex, with whole numbers as they are; columns are priced while it would live on slack."""
        master = self.master
        for _ in range(REPAIRS):
            master.settle()
            found = self._run(self.stop, "round up", rounds=0, tolerance=self.gap / 10, known=_NOTHING)
            if found.status == "optimal":
                return found
            master.inside()
            if found.status != "infeasible" or found.values is None:
                return None
            master.dearer_where_short(found.values)
            self._run(self.stop, "round up", rounds=1, tolerance=self.gap / 10, known=_NOTHING)
        return None

    def _run(self, stop: Stop, phase: str, *, rounds: float, tolerance: float, known: tuple[float, float]) -> Answer:
        master = self.master
        master.rounds, master.tolerance = rounds, tolerance
        found = master.run(stop, phase=self.label + phase, listen=self.listen, known=known)
        self.iterations += found.iterations
        return found


_NOTHING = (float("nan"), -np.inf)
