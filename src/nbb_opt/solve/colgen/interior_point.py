"""Plans for many columns: relax by interior point, round up, price what that changed; then nearer, and again.

A step of the warm simplex on thousands of rows takes longer than a linear program solved by interior point, so all but
the last program of a pass are solved that way, without a basis. A pass goes as near to the optimum as its tolerance
says: the first stops early, so that there is a plan soon. Rounding up keeps most of what was decided possible; where it
does not (fewer chargers than were wanted where the grid is full), slack gets dearer and columns that do without are
priced.
"""

from __future__ import annotations

import math
from time import perf_counter

import numpy as np

from nbb_opt.model.data.periods import Floats, Ints
from nbb_opt.solve.best import BestKnown
from nbb_opt.solve.colgen.pool import Box
from nbb_opt.solve.colgen.restricted import ALL_ROUNDS, TIMES, Restricted
from nbb_opt.solve.highs import SolverResult
from nbb_opt.solve.mip.dive import WHOLE, DecidedRows, orders
from nbb_opt.solve.stop import UNKNOWN, Callback, Stop

FIRST, SHARE, NEAREST = 0.0015, 0.5, 1e-7  # tolerance of the first pass at least, or of the gap; of the last at least
RELAX = 0.35  # of the time that is left for the relaxation while there is no plan
SPARE = 1.5  # times what the last plan took is left for the next one
NEARLY = 1e-3  # of a project or charger: what interior points leave of nothing
ROUNDS, AGAIN = 12, 2  # of pricing once projects and chargers are whole; after vehicles that do not fit
REPAIRS = 6  # how often vehicles are rounded up
WORTH = 0.1  # of a tolerance: how much nearer value and bound a round must bring, or it is the last


class InteriorPoint:
    """Passes over a master by interior point; `took_s` is how long the last plan took, 0 before the first."""

    def __init__(self, master: Restricted, best: BestKnown, *, callback: Callback | None) -> None:
        self.master, self.best, self.stop, self.callback, self.label = master, best, best.stop, callback, best.label
        self.whole = np.flatnonzero(master.form.integer)
        self.took_s = 0.0
        self.iterations = 0
        self.near_optimum = master.pool, master.reduced
        self.box = Box(master.slack, usual=master.usual, prices=None if master.best is None else master.best.y)

    def tolerances(self) -> list[float]:
        """How near to its optimum each pass solves the relaxation, relative."""
        widest, nearest = max(FIRST, SHARE * self.best.gap), SHARE * self.best.gap / 4
        return [widest / 2**k for k in range(1 + math.ceil(math.log2(widest / max(nearest, NEAREST))))]

    def relax(self, tolerance: float, *, known: tuple[float, float]) -> SolverResult:
        """The relaxation, as near as `tolerance` or as long as time leaves enough for a plan."""
        master = self.master
        master.use_interior_point()
        master.free(self.whole)
        left = max(self.stop.left_s(), 1e-9)
        enough = left > self.took_s  # else the bound is all that can still get better
        share = (1 - SPARE * self.took_s / left) if self.took_s and enough else 1.0 if self.took_s else RELAX
        stop = self.stop.part(max(share, 0.0))
        usual, master.box = master.slack_eur, self.box
        master.cutoff = float(np.fmin(np.inf, known[0] * (1 - self.best.gap)))  # proves the plan good enough
        found = self._run(stop, "root", rounds=ALL_ROUNDS, tolerance=tolerance, known=known)
        master.cutoff = np.inf
        master.price_slack(usual)
        master.box, master.anchor = None, master.best
        self.near_optimum = master.pool, master.reduced
        return found

    def resume(self) -> None:
        """Go on from the columns of the last relaxation and those of the plan made since."""
        self.master.remember(*self.near_optimum)

    def plan(self, relaxed: SolverResult) -> SolverResult | None:
        """A plan with whole numbers near the relaxation, at a vertex; None if rounding up gives none."""
        master, began, usual = self.master, perf_counter(), self.master.slack_eur
        master.price_slack(TIMES * usual)
        found = self._plan(relaxed)
        master.price_slack(usual)  # slack far dearer than needed makes prices that prove nothing
        self.took_s = perf_counter() - began
        return found

    def _plan(self, relaxed: SolverResult) -> SolverResult | None:
        master, (built, vehicles) = self.master, self._groups()
        assert relaxed.row_dual is not None
        none = np.zeros(0, np.int64)
        prices, every = relaxed.row_dual, np.concatenate([none, *(self._group(order) for order in vehicles)])
        assert relaxed.values is not None
        self._round_up(built, relaxed.values, nothing=NEARLY)
        for repair in range(REPAIRS):
            master.solve_by_period(every, prices)
            found = self._priced(AGAIN if repair else ROUNDS)
            if found.values is None:
                return None
            self._round_up(vehicles, master.fitting(every, found))
            master.solve_by_period(None, None)
            found = self._vertex()
            if found.status != "infeasible" or found.values is None:
                return found if found.status == "optimal" else None
            for order in vehicles:
                master.free(self._group(order))
        return None

    def _vertex(self) -> SolverResult:
        """With all that is whole decided; slack gets dearer where that uses it, and the last basis goes on."""
        return self.master.off_slack(lambda: self._priced(0), self.stop)

    def _priced(self, rounds: int) -> SolverResult:
        """What is decided so far, priced for some rounds."""
        return self._run(self.stop, "round up", rounds=rounds, tolerance=self.best.gap / 10, known=UNKNOWN)

    def _groups(self) -> tuple[list[int], list[int]]:
        """The orders of what is decided at once (projects and chargers), and of the rest (vehicles)."""
        every = [order for order in orders(self.master.form) if (self.master.form.fix_order[self.whole] == order).any()]
        return every[:2], every[2:]

    def _group(self, order: int) -> Ints:
        form = self.master.form
        return np.flatnonzero(form.integer & (form.fix_order == order))

    def _round_up(self, some: list[int], values: Floats, *, nothing: float = WHOLE) -> None:
        """Fix some orders at whole numbers that are enough, but for `nothing` (see `Rows.rounded_up`)."""
        values = values.copy()
        for order in some:
            group = self._group(order)
            values[group] = DecidedRows.decided_by(self.master.form, order).rounded_up(group, values, nothing=nothing)
            self.master.fix(group, values[group])

    def _run(
        self, stop: Stop, phase: str, *, rounds: float, tolerance: float, known: tuple[float, float]
    ) -> SolverResult:
        master = self.master
        master.rounds, master.tolerance, master.worth = rounds, tolerance, WORTH * tolerance
        found = master.run(stop, phase=self.label + phase, callback=self.callback, known=known)
        self.iterations += found.iterations
        return found
