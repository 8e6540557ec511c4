"""Why no plan exists, in the words of the business: the smallest set of rules that conflict, and how far each is off.

Every rule that a planner may loosen gets a slack column (the elastic model). At the least slack in all, the rules with
a price hold a conflict; those without which it stays are left out one by one (deletion filter), so that no rule of what
remains is superfluous. Each is then loosened alone: by so much it would have to give way for the others to hold.
Where fractions of vehicles, chargers and projects would do, the same is done with whole numbers.

Chinneck, J. W. (2008): Feasibility and Infeasibility in Optimization, chapters 6 and 7.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nbb_opt.solve.highs import Solver, SolverResult
from nbb_opt.solve.scaling import power_of_two
from nbb_opt.solve.stop import UNKNOWN, Stop

if TYPE_CHECKING:
    from nbb_opt.model import StandardForm

Ints = npt.NDArray[np.int64]
LIMIT_S = 20.0
PRICED = 1e-7
MOST_CONFLICTS = 3
NAME = re.compile(r"(\w+)\[(.*)\]")
# family of rows -> what it is called (the parts of its name filled in), unit of a row, what to loosen
RULES: dict[str, tuple[str, str, str]] = {
    "cap_emissions": ("emission cap {0} in {1} (policies or model)", "kg CO2e", "too low"),
    "cap_technology": ("cap on the share of a technology {0} in {1} (policies)", "vkm", "too low"),
    "cap_emissions_over_horizon": ("cap on emissions over the horizon", "kg CO2e", "too low"),
    "ban_purchase": ("ban on purchases {0} in {1} (policies)", "vehicles", "would have to be allowed"),
    "require_zero_emission": ("least share of zero-emission trucks {0} in {1} (policies)", "vehicles", "too high"),
    "spend_within_budget": ("budget {0} in {1} (policies)", "EUR", "too low"),
    "respect_driver_hours": ("driver hours of {0} in {1} (country_years)", "h", "too few"),
    "limit_mode_shift": ("limit on mode shift {0} for {1} by {2} in {3} (policies)", "t", "too tight"),
    "respect_grid": ("grid connection of {0} in {1} (charge_areas)", "kW", "too small"),
    "respect_link_capacity": ("capacity of link {0} in {1} (links)", "t", "too low"),
    "respect_terminal_capacity": ("capacity of terminal {0} in {1} (terminals)", "t", "too low"),
    "respect_fuel_supply": ("supply of {0} in {1} (fuel_substitutes)", "kWh", "too little"),
    "fit_opening_hours": ("opening hours (opening_hours): {0}", "h", "too few"),
    "exclude_project": ("projects that exclude each other: {0} (projects)", "units", "over"),
    "require_project": ("a project that another requires: {0} (projects)", "units", "missing"),
}
# what the network and the trucks decide, loosened only where loosening every rule is not enough
MEANS: dict[str, tuple[str, str, str]] = {
    "return_empties": ("the way back of {1} for {2} from region {0} in {3} (links)", "trips", "without a way back"),
    "serve_demand": (
        "demand for {2} from {0} to {1} in {3} (od)", "t", "that no chain of links, terminals and trucks can carry",
    ),
}  # fmt: skip
OWN = "own"  # rows that a user added, whatever their names
WHOLE = ("vehicles", "units")
LARGER = {"kg CO2e": "t CO2e", "kW": "MW", "kWh": "MWh"}


@dataclass(frozen=True)
class ConflictingRule:
    """A rule of a conflict: its row, and by how much it would have to give way alone (NaN: alone it is not enough)."""

    row: str
    short: float
    own: bool = False  # a rule that the user added to the model

    def __str__(self) -> str:
        if self.own:
            said = f"your own rule {self.row}"
            return said if np.isnan(self.short) else f"{said}: {self.short:,.6g} short, in its own unit"
        family, parts = _parts(self.row)
        words, unit, what = {**RULES, **MEANS}[family]
        shown = words.format(*parts) if words.count("{") > 1 else words.format(", ".join(parts))
        if np.isnan(self.short):
            return shown
        amount = self.short
        if unit in WHOLE:
            amount = float(np.ceil(amount - PRICED))
        if amount >= 1000.0 and unit in LARGER:
            amount, unit = amount / 1000.0, LARGER[unit]
        return f"{shown}: {amount:,.0f} {unit} {what}" if amount >= 1000.0 else f"{shown}: {amount:.3g} {unit} {what}"


@dataclass(frozen=True)
class Conflict:
    """Rules that cannot hold together; `minimal` if each of them is needed for that (time was enough to show it)."""

    rules: tuple[ConflictingRule, ...]
    whole: bool
    minimal: bool


def _parts(row: str) -> tuple[str, list[str]]:
    found = NAME.fullmatch(row)
    return (found[1], found[2].split(",")) if found else (row, [])


def explain(form: StandardForm, *, stop: Stop | None = None, own: Sequence[str] = ()) -> str:
    """The conflicts of an infeasible problem as text for people, "" if none could be shown in time.

    `own` names rows that a user added to the model.
    """
    found = conflicts(form, stop=stop, own=own)
    lines = []
    for conflict in found:
        whole = " with whole vehicles, chargers and projects" if conflict.whole else ""
        if len(conflict.rules) == 1:
            lines.append(f"This cannot be kept{whole}:")
        else:
            need = "" if conflict.minimal else ", some perhaps needlessly named (time was over)"
            lines.append(f"These cannot all be kept{whole}; loosening one of them by what is said is enough{need}:")
        lines += [f"  {rule}" for rule in conflict.rules]
    return "\n".join(lines)


def conflicts(form: StandardForm, *, stop: Stop | None = None, own: Sequence[str] = ()) -> list[Conflict]:
    """Up to MOST_CONFLICTS conflicts, each found with the rules of those before set free."""
    elastic = _Elastic(form, stop or Stop(LIMIT_S), frozenset(own))
    nothing = np.zeros(0, np.int64)
    rules, means, demand = elastic.of((*RULES, OWN)), elastic.of(MEANS), elastic.of(("serve_demand",))
    ways_back = np.setdiff1d(means, demand)
    for whole in (False, True):
        elastic.whole(whole)
        if elastic.possible(np.concatenate([rules, means])) is not False:
            continue  # with fractions all can be kept, or time is over
        for candidates, hard in ((rules, means), (ways_back, demand), (demand, nothing)):
            if elastic.possible(hard) is True:
                return _among(elastic, candidates, hard, whole)
    return []


def _among(elastic: _Elastic, candidates: Ints, hard: Ints, whole: bool) -> list[Conflict]:
    """Conflicts among `candidates` where the rows `hard` hold and all others are free."""
    found: list[Conflict] = []
    left = candidates
    while len(found) < MOST_CONFLICTS and elastic.possible(np.concatenate([hard, left])) is False:
        kept, minimal = elastic.smallest(left, hard)
        if not len(kept):
            break
        named = []
        for row in kept.tolist():
            short = elastic.short(row, np.concatenate([hard, candidates]))
            if np.isnan(short):  # there are other conflicts
                short = elastic.short(row, np.concatenate([hard, kept]))
            named.append(ConflictingRule(elastic.names[row], short, elastic.names[row] in elastic.own))
        found.append(Conflict(tuple(named), whole, minimal))
        left = np.setdiff1d(left, kept)
    return found


class _Elastic:
    """The problem with a slack column on every row of some families; rows that are not kept are free."""

    def __init__(self, form: StandardForm, stop: Stop, own: frozenset[str]) -> None:
        self.names, self.stop, self.own = form.row_names, stop, own
        soft = [i for i in range(len(form.row_names)) if self._family(i) in {*RULES, *MEANS, OWN}]
        self.rows: Ints = np.array(soft, np.int64)
        sides = [(r, +1.0) for r in soft if np.isfinite(form.row_low[r])]
        sides += [(r, -1.0) for r in soft if np.isfinite(form.row_up[r])]
        self.owner: Ints = np.array([r for r, _ in sides], np.int64)
        self.columns: Ints = np.arange(len(sides), dtype=np.int64) + len(form.cost)
        scale = power_of_two(np.maximum(1.0, np.array([_size(form, r) for r in self.owner])))
        self.cost = 1.0 / scale
        many = len(sides)
        self.form = replace(
            form,
            cost=np.concatenate([np.zeros(len(form.cost)), self.cost]),
            cost_offset=0.0,
            a_indptr=np.concatenate([form.a_indptr, form.a_indptr[-1] + np.arange(1, many + 1)]),
            a_indices=np.concatenate([form.a_indices, self.owner]),
            a_values=np.concatenate([form.a_values, np.array([sign for _, sign in sides])]),
            col_low=np.concatenate([form.col_low, np.zeros(many)]),
            col_up=np.concatenate([form.col_up, np.full(many, np.inf)]),
            integer=np.concatenate([form.integer, np.zeros(many, bool)]),
            col_names=[*form.col_names, *(f"slack[{form.row_names[r]}]" for r in self.owner)],
            col_unit_scale=np.concatenate([form.col_unit_scale, scale]),
            fix_order=np.concatenate([form.fix_order, np.full(many, -1, np.int8)]),
        )
        self.whole(False)

    def whole(self, whole: bool) -> None:
        """Whether vehicles, chargers and projects are whole from now on."""
        self.solver = Solver(self.form, threads=1, seed=0, log=[])
        if not whole:
            self.solver.relax()

    def _family(self, row: int) -> str:
        return OWN if self.names[row] in self.own else _parts(self.names[row])[0]

    def of(self, families: Collection[str]) -> Ints:
        return np.array([r for r in self.rows if self._family(r) in families], np.int64)

    def _run(self, kept: Ints) -> SolverResult:
        """Least slack with these rows kept and the others free."""
        free = ~np.isin(self.owner, kept)
        self.solver.bound(self.columns, np.zeros(len(free)), np.where(free, np.inf, 0.0))
        return self.solver.run(self.stop, phase="why infeasible", callback=None, known=UNKNOWN)

    def possible(self, kept: Ints) -> bool | None:
        """Whether these rows can be kept together; None if time is over before that is known."""
        if self.stop.now():
            return None
        status = self._run(kept).status
        if status in ("infeasible", "infeasible_or_unbounded"):
            return False
        return True if status == "optimal" else None

    def short(self, row: int, kept: Ints) -> float:
        """By how much one row has to give way while the others of `kept` hold; NaN if that alone is not enough."""
        answer = self._run(np.setdiff1d(kept, [row]))
        if answer.status != "optimal" or answer.values is None:
            return float("nan")
        return float(answer.values[self.columns[self.owner == row]].sum())

    def smallest(self, rules: Ints, hard: Ints) -> tuple[Ints, bool]:
        """A smallest conflict among `rules`; whether it was shown to be one before time was over."""
        kept = rules
        if self.solver.relaxed:
            kept = self._priced(rules, hard)
        for family in dict.fromkeys(self._family(r) for r in kept.tolist()):  # whole families first
            rest = np.array([r for r in kept if self._family(r) != family], np.int64)
            if len(rest) < len(kept) and len(rest) and self.possible(np.concatenate([hard, rest])) is False:
                kept = rest
        for row in kept.tolist():
            rest = np.setdiff1d(kept, [row])
            can = self.possible(np.concatenate([hard, rest]))
            if can is None:
                return kept, False
            if not can:
                kept = rest
        return kept, True

    def _priced(self, rules: Ints, hard: Ints) -> Ints:
        """The rules with a price at the least slack: they hold a conflict (Farkas)."""
        answer = self._run(hard)
        if answer.status != "optimal" or answer.row_dual is None:
            return rules
        priced = rules[np.abs(answer.row_dual[rules]) * self._scale(rules) > PRICED]
        return priced if len(priced) and self.possible(np.concatenate([hard, priced])) is False else rules

    def _scale(self, rows: Ints) -> npt.NDArray[np.float64]:
        return np.array([_size(self.form, row) for row in rows])


def _size(form: StandardForm, row: int) -> float:
    """How large the sides of a row are."""
    sides = [abs(side) for side in (form.row_low[row], form.row_up[row]) if np.isfinite(side)]
    return max([1.0, *sides])
