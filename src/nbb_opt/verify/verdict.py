"""What the verifier says: a row for each broken rule, and the tightest one of a rule that is kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from nbb_opt.recompute import Where

RELATIVE = 1e-6
OBJECTIVE_RELATIVE = 1e-9
# the smallest amount of each unit that means anything in the business
FLOORS: dict[str, float] = {
    "t": 1e-3, "vkm": 1.0, "tkm": 1.0, "h": 0.1, "kWh": 1.0, "kg": 1.0, "EUR": 0.01, "t_co2e": 1e-3, "trips": 1e-3,
    "kW": 1e-3, "km": 1e-6, "count": 1e-9, "share": 1e-9,
    "own": 1e-9,
}  # fmt: skip
COLUMNS = ["rule", "where", "found", "limit", "slack", "ok"]
COMPARED_AT_ONCE = 262_144
Sense = Literal["<=", ">=", "=="]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a plan is accepted, and the figures recomputed from the instance and the plan.

    `checks` has columns rule, where, found, limit, slack, ok; a negative slack is a miss. `costs` and `emissions` have
    the columns of the result tables of these names. `emissions_t_co2e` is WTW t CO2e per year, by period start year.
    `bounds` says of each bound of a run whether a new solve confirmed it (see acceptance.py).
    """

    ok: bool
    checks: pd.DataFrame
    cost_eur: float
    emissions_t_co2e: dict[int, float]
    costs: pd.DataFrame
    emissions: pd.DataFrame
    bounds: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """The verdict for people."""
        said = "OK" if self.ok else "refused"
        return (f"verified: {said}, {len(self.checks)} checks, cost {self.cost_eur:,.0f} EUR", *self.bounds)

    def failures(self) -> pd.DataFrame:
        """The rows of `checks` that are not met."""
        return self.checks[~self.checks["ok"]].reset_index(drop=True)

    @property
    def record(self) -> dict[str, Any]:
        """The verdict as plain values; numbers that are not finite become None."""
        return {
            "ok": self.ok,
            "cost_eur": _plain(self.cost_eur),
            "emissions_t_co2e": {str(year): _plain(value) for year, value in self.emissions_t_co2e.items()},
            "checks": [{key: _plain(value) for key, value in row.items()} for row in self.checks.to_dict("records")],
        }

    def as_json(self) -> str:
        """The record as JSON text."""
        return json.dumps(self.record, indent=1, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    return value


@dataclass(frozen=True)
class Call:
    """What one comparison left: its broken rows, or the tightest one, and how close that came (lower is closer)."""

    rows: list[dict[str, Any]]
    closeness: float


@dataclass
class Checks:
    """Collects comparisons; `frame` gives them as a table."""

    calls: list[Call] = field(default_factory=list)
    failed: bool = False

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What all comparisons left, in their order."""
        return [row for call in self.calls for row in call.rows]

    def compare(
        self,
        rule: str,
        found: Any,
        sense: Sense,
        limit: Any,
        *,
        where: Where,
        unit: str,
        scale: Any = None,
        relative: float = RELATIVE,
    ) -> bool:
        """Compare arrays of equal length; not-a-number never passes.

        >>> checks = Checks()
        >>> checks.compare("respect_grid", [5.0, 2.0], "<=", [4.0, 9.0], where=lambda i: f"area {i}", unit="kW")
        False
        >>> checks.frame()[["where", "slack", "ok"]].values.tolist()
        [['area 0', -1.0, False]]
        """
        found, limit, scale = np.broadcast_arrays(
            np.atleast_1d(np.asarray(found, dtype=float)),
            np.atleast_1d(np.asarray(limit, dtype=float)),
            np.asarray(0.0 if scale is None else scale, dtype=float),
        )
        parts = []
        for start in range(0, found.size, COMPARED_AT_ONCE):
            part = slice(start, start + COMPARED_AT_ONCE)
            f, lim = found[part], limit[part]
            with np.errstate(invalid="ignore"):
                slack = {"<=": lim - f, ">=": f - lim, "==": -np.abs(f - lim)}[sense]
                sizes = np.maximum(np.abs(f), np.where(np.isfinite(lim), np.abs(lim), 0.0))
                sizes = np.maximum(sizes, np.abs(scale[part]))
                tolerance = np.maximum(relative * np.where(np.isfinite(sizes), sizes, 0.0), FLOORS[unit])
                fine = slack >= -tolerance
                closeness = np.where(np.isnan(slack), -np.inf, slack / tolerance)
            bad = np.flatnonzero(~fine)
            tightest = int(np.argmin(closeness))
            rows = [
                _row(rule, where(start + int(i)), f[i], lim[i], slack[i], bool(fine[i]))
                for i in (bad if bad.size else [tightest])
            ]
            parts.append(Call(rows, float(closeness[tightest])))
        return self._take(parts)

    def hold(self, rule: str, fine: Any, *, where: Where) -> bool:
        """A yes-or-no rule: every element of `fine` must be true. `found` is then the number of faults, 0 or 1."""
        good = np.atleast_1d(np.asarray(fine, dtype=bool))
        bad = np.flatnonzero(~good)
        shown = bad if bad.size else range(min(good.size, 1))
        rows = [_row(rule, where(int(i)), float(not good[i]), 0.0, -float(not good[i]), bool(good[i])) for i in shown]
        return self._take([Call(rows, 0.0)])

    def fail(self, rule: str, where: str) -> None:
        """Record one fault."""
        self._take([Call([_row(rule, where, 1.0, 0.0, -1.0, False)], -np.inf)])

    def gather(self, parts: Iterable[Checks]) -> None:
        """Take over comparisons made part by part, the same ones of every part, as if made of all parts at once."""
        for calls in zip(*(part.calls for part in parts), strict=True):
            self._take(calls)

    def _take(self, parts: Sequence[Call]) -> bool:
        """One comparison from its parts: every broken row, or the first of the tightest. True if none is broken."""
        told = [part for part in parts if part.rows]
        broken = [row for part in told for row in part.rows if not row["ok"]]
        tightest = min(told, key=lambda part: part.closeness, default=Call([], np.inf))
        self.calls.append(Call(broken or tightest.rows, tightest.closeness))
        self.failed |= bool(broken)
        return not broken

    def frame(self) -> pd.DataFrame:
        """One row per broken instance; a rule that is kept everywhere shows its tightest instance only."""
        frame = pd.DataFrame(self.rows, columns=COLUMNS)
        if frame.empty:
            return frame
        broken = frame[~frame["ok"]]
        kept = frame[frame["ok"] & ~frame["rule"].isin(broken["rule"])]
        tightest = kept.loc[kept.groupby("rule", sort=False)["slack"].idxmin()]
        return pd.concat([broken, tightest], ignore_index=True)


def _row(rule: str, where: str, found: float, limit: float, slack: float, fine: bool) -> dict[str, Any]:
    return dict(zip(COLUMNS, (rule, where, float(found), float(limit), float(slack), fine), strict=True))


def names(frame: pd.DataFrame, template: str, columns: Sequence[str]) -> Where:
    """A `where` that fills `template` from row i of `frame`, only when asked.

    >>> names(pd.DataFrame({"link": ["A-B"], "year": [2030]}), "link {} {}", ["link", "year"])(0)
    'link A-B 2030'
    """
    shown = [frame[column] for column in columns]
    return lambda i: template.format(*(column.iloc[i] for column in shown))
