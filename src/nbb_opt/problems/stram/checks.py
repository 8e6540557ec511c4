"""Comparisons of a stram plan with its rules, and the verdict: one row per rule with its worst case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

TONNES = 1e-6  # the accepted miss of a row in tonnes
RELATIVE = 1e-9  # of the largest term of a row in other units
FLOORS = {"t": TONNES, "tkm": 1e-3, "t_co2": 1e-6, "nok": 0.01, "share": 1e-9}
Frame = pd.DataFrame
STATE = ["scenario", "year"]


@dataclass(frozen=True)
class StramVerdict:
    """What was found: one row per rule with its worst case, and the figures worked out again.

    `checks` has columns rule, where, miss, allowed, ok. `cost_nok` is the objective, `tables` hold costs, emissions and
    modes as worked out here.
    """

    ok: bool
    checks: pd.DataFrame
    cost_nok: float
    tables: Mapping[str, pd.DataFrame] = field(repr=False)

    def failures(self) -> pd.DataFrame:
        """The rows of `checks` that are not met."""
        return self.checks[~self.checks["ok"]].reset_index(drop=True)


class StramChecks:
    """Collects the worst case of every rule."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def at_most(
        self, rule: str, found: pd.Series, limit: pd.Series | float, *, unit: str, scale: pd.Series | float = 0.0
    ) -> None:
        """`found <= limit` for every row; the index says where."""
        if len(found) == 0:
            return
        miss = (found - limit).to_numpy(float)
        size = np.broadcast_to(np.abs(np.asarray(scale, float)), miss.shape)
        allowed = np.full(miss.shape, FLOORS[unit]) if unit == "t" else np.maximum(FLOORS[unit], RELATIVE * size)
        self._note(rule, found.index, miss, allowed)

    def equal(
        self, rule: str, found: pd.Series, other: pd.Series | float, *, unit: str, scale: pd.Series | float = 0.0
    ) -> None:
        """`found == other` for every row."""
        if len(found):
            self.at_most(rule, (found - other).abs(), 0.0, unit=unit, scale=scale)

    def holds(self, rule: str, fine: pd.Series) -> None:
        """A yes-or-no rule for every row."""
        if len(fine):
            self._note(rule, fine.index, (~fine.to_numpy(bool)).astype(float), np.zeros(len(fine)))

    def _note(self, rule: str, index: pd.Index, miss: np.ndarray, allowed: np.ndarray) -> None:
        fine = miss <= allowed  # not-a-number never passes
        worst = int(np.argmax(np.where(np.isnan(miss), np.inf, miss - allowed)))
        for i in [*np.flatnonzero(~fine)[:20].tolist()] or [worst]:
            where = index[i] if isinstance(index[i], tuple) else (index[i],)
            words = ", ".join(str(part) for part in where if str(part))
            self.rows.append({"rule": rule, "where": words, "miss": float(miss[i]), "allowed": float(allowed[i]),
                              "ok": bool(fine[i])})  # fmt: skip

    def frame(self) -> pd.DataFrame:
        """All notes."""
        return pd.DataFrame(self.rows, columns=["rule", "where", "miss", "allowed", "ok"])


def rows_of(frame: pd.DataFrame) -> Any:
    """The rows as named tuples, whatever their types."""
    return frame.itertuples(index=False)
