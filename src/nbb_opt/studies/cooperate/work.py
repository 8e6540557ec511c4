"""Solves one coalition: its instance, the best plan, the verifier's word, and a ledger by player."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from nbb_opt.errors import Infeasible
from nbb_opt.instance import Instance
from nbb_opt.model import Built, ModelSpec, extract, read_model, standard_form
from nbb_opt.network import Prepared
from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import Plan, Steps, reported
from nbb_opt.result import FROZEN
from nbb_opt.solve import Solution, Stop, Warm, solve_relaxed
from nbb_opt.solve.mip.exact import exact_plan
from nbb_opt.solve.stop import relative_gap
from nbb_opt.studies.cooperate.coalitions import Block, Harmonised, Players, borders, cooperating, harmonised, use_today
from nbb_opt.studies.points import Stated, per_period

WHOLE_FROM = 1e-6  # units of a project below this are none
OTHERS = "others"
Floats = np.ndarray


@dataclass
class Coalitions:
    """Solves coalitions of one study; chains are searched and the frozen plan is solved once, for all of them."""

    instance: Instance
    players: Players
    model: str
    options: SolveOptions
    _: KW_ONLY
    relax: bool = False
    rules: Sequence[Harmonised] = ()
    cache_dir: Path | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def _warm(self) -> Warm:
        return Warm(threads=self.options.threads, seed=self.options.seed)

    def _steps(self, stop: Stop) -> Steps:
        options = replace(self.options, method="monolith", statement="arrays")
        return Steps(options, stop=Stop(options.time_limit_s, asked=stop.asked))

    def _prepare(self, region: Instance) -> Prepared:
        return self._steps(Stop(float("inf"))).prepare(region, cache_dir=self.cache_dir, prune=False)

    @cached_property
    def prepared(self) -> Prepared:
        """The chains of every coalition: none is left out for another one that a border may close."""
        return self._prepare(self.instance)

    @cached_property
    def frozen(self) -> Plan:
        """Today's technologies and network: what crosses a border today."""
        return self._steps(Stop(float("inf"))).plan(self.prepared, read_model(FROZEN), label="frozen: ")

    @cached_property
    def today_t(self) -> dict[str, float]:
        """The greatest use in a year of every link in the frozen plan, t/year."""
        return use_today(self.instance, self.frozen.tables)

    @cached_property
    def spec(self) -> ModelSpec:
        """The model, with its caps in tonnes if it has some."""
        spec = read_model(self.model)
        return self._steps(Stop(float("inf"))).with_caps(self.prepared, spec) if spec.cuts else spec

    def __call__(self, asked: Mapping[str, Any], before: Mapping[str, Any] | None, stop: Stop) -> dict[str, Any]:
        """The record of a coalition; `before` is that of one within it, whose plan is possible here too."""
        coalition = frozenset(asked["coalition"])
        ruled = harmonised(self.instance, self.players, coalition, self.rules)
        region = cooperating(ruled, self.players, coalition, self.today_t)
        steps = self._steps(stop)
        prepared = self.prepared if ruled is self.instance else self._prepare(ruled)
        built = steps.build(region, prepared, self.spec)
        form = standard_form(built)
        label = f"{name_of(coalition)}: "
        if self.relax:
            found = solve_relaxed(form, warm=self._warm(), stop=steps.stop)
            if found.status == "infeasible":
                raise Infeasible(f"{label}no plan carries the freight with borders as they are used today")
            if found.values is None:
                raise steps.stop.no_plan(label)
            record: dict[str, Any] = {"cost_eur": found.objective, "bound_eur": found.objective, "status": found.status}
            values = found.values
        else:
            solution = steps.solve_form(form, label=label)
            whole = np.array(form.col_names)[form.integer]
            if before is not None:
                solution = self._no_worse(solution, form, whole, before)
            tables, values = extract(built, solution.values), solution.values
            claims = reported(solution, tables)
            verdict = steps.verify(
                region, tables, self.spec, claims, what=f"plan of {name_of(coalition)}", label=label,
                caps_t=self.spec.caps_in(period.year for period in region.periods),
            )  # fmt: skip
            use_t = use_today(region, tables)
            components = tables["costs"].groupby("component")["discounted_eur"].sum()
            record = {
                "cost_eur": solution.objective, "bound_eur": solution.bound, "status": solution.status,
                "verified": verdict.ok, "checks": len(verdict.checks),
                "components_eur": {str(name): float(eur) for name, eur in components.items()},
                "border_t": {group: use_t.get(group, 0.0) for group in borders(region, self.players)},
                "whole": {str(name): float(number) for name, number in
                          zip(whole, solution.values[form.integer], strict=True) if number},
            }  # fmt: skip
        tonnes = Stated(region, prepared, built, form, per_period(built)).tonnes()
        shares = payers(built, region, self.players)
        names = (*self.players.names, OTHERS)
        eur, ledger_t = (_shared(amount, shares, built) for amount in (form.cost * values, tonnes * values))
        eur[-1] += form.cost_offset
        return record | {
            "emissions_t_co2e": float(tonnes @ values),
            "ledger_eur": dict(zip(names, eur.tolist(), strict=True)),
            "ledger_t_co2e": dict(zip(names, ledger_t.tolist(), strict=True)),
            "projects": _projects(built, values),
        }

    def _no_worse(self, solution: Solution, form: Any, names: Any, before: Mapping[str, Any]) -> Solution:
        """The plan, or the one with the whole numbers of the coalition within it, which may be cheaper."""
        known = before["whole"]
        last = np.array([known.get(str(name), 0.0) for name in names])
        low, up = form.col_low[form.integer], form.col_up[form.integer]
        if ((last < low) | (last > up)).any():
            return solution
        other = exact_plan(form, last, self._warm())
        if other.status != "optimal" or other.values is None or other.objective >= solution.objective:
            return solution
        values = other.values.copy()
        values[form.integer] = last
        cost = float(form.cost @ values) + form.cost_offset
        return replace(solution, objective=cost, values=values, gap=relative_gap(cost, solution.bound))


def name_of(coalition: Block) -> str:
    """How a coalition is called.

    >>> name_of(frozenset(["SE", "NO"])), name_of(frozenset())
    ('NO+SE', 'each alone')
    """
    return "+".join(sorted(coalition)) or "each alone"


def payers(built: Built, instance: Instance, players: Players) -> csr_array:
    """Whose each column of a model is, in shares: (columns, players and, last, others).

    Freight is half that of the place where it starts and half that of the one where it ends, all of one where the
    other is nobody's; trucks and their trips are those of the region where they are based; chargers of their area;
    replaced fuel of its country (see `_shared`); projects of those that pay.
    """
    place = {name: i for i, name in enumerate(players.names)}
    hub = dict(zip(instance["fleet_regions"]["fleet_region"], instance["fleet_regions"]["hub_node"], strict=True))
    home = dict(zip(instance["nodes"]["node"], instance["nodes"]["fleet_region"], strict=True))

    def based(region: str) -> list[str]:
        return _known(players.of_node, hub.get(region, ""))

    owner: dict[str, Callable[[tuple[Any, ...]], list[str]]] = {
        "carried_t": lambda key: _known(players.of_node, key[0]) + _known(players.of_node, key[1]),
        "driven_vkm": lambda key: based(home[key[0]]),
        "empty_vkm": lambda key: based(key[0]),
        "bought": lambda key: based(key[0]),
        "kept": lambda key: based(key[0]),
        "installed": lambda key: _known(players.of_area, key[0]),
        "public_kwh": lambda key: _known(players.of_area, key[0]),
        "replaced_kwh": lambda key: _known(players.of_country, key[1]),
    }
    entries: list[tuple[float, int, int]] = []  # share, column, player
    for kind, columns in built.assembly.kinds.items():
        for at, key in enumerate(columns.keys, columns.start):
            whose = owner[kind](key) if kind != "built" else []
            mine = players.pays[key[0]] if kind == "built" else {n: whose.count(n) / len(whose) for n in whose}
            entries += [(part, at, place[name]) for name, part in mine.items()]
            if (left := 1.0 - sum(mine.values())) > WHOLE_FROM:
                entries.append((left, at, len(place)))
    share, row, column = (np.array(part) for part in zip(*entries, strict=True))
    return csr_array((share, (row, column)), shape=(built.stated.size, len(place) + 1))


def _shared(amount: Floats, shares: csr_array, built: Built) -> Floats:
    """Amounts by player and, last, others; of fuel replaced in nobody's country each bears a part as of the freight."""
    found = np.asarray(amount @ shares)
    part = {name: slice(kind.start, kind.start + len(kind.keys)) for name, kind in built.assembly.kinds.items()}
    if "replaced_kwh" in part:
        fuel, freight = part["replaced_kwh"], part["carried_t"]
        loose, borne = float((amount[fuel] @ shares[fuel])[-1]), np.asarray(amount[freight] @ shares[freight])
        if loose and borne.sum():
            found[-1] -= loose
            found += loose * borne / borne.sum()
    return found


def _known(owner: Mapping[str, str], name: str) -> list[str]:
    return [owner[name]] if name in owner else []


def _projects(built: Built, values: Floats) -> dict[str, list[float]]:
    """First year and units in service at the end of every project that is built."""
    found: dict[str, list[float]] = {}
    columns = built.assembly.kinds.get("built")
    for at, (project, year) in enumerate(columns.keys, columns.start) if columns is not None else ():
        units = float(values[at])
        if units > WHOLE_FROM:
            found[project] = [found.get(project, [float(year)])[0], units]
    return found
