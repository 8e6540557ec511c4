"""Why a flow goes the way it goes: every candidate way with its cost split, its limit, and what would flip it.

The whole numbers of the plan (projects, chargers, trucks) are fixed, and the linear program that is left is solved. A
tonne on a way costs what its column pays and what it takes of every row at the price of that row, the dual: of
capacity that is full, of rules that bind, of trucks on its lanes (pricing out). A way that is used costs the price of
the flow, the dual of its demand. One that is not used is made to carry a little, since prices of what nobody uses mean
nothing; its reduced cost then is the smallest change of its price that brings it in while the whole numbers stay. That
is verified by solving again with 1 % more and 1 % less.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.sparse import csc_array, csr_array

from nbb_opt.errors import NbbError, SolveError
from nbb_opt.instance import Instance
from nbb_opt.instance.wording import did_you_mean, listed, shown
from nbb_opt.model import Built, ModelSpec, StandardForm, standard_form
from nbb_opt.model.data.costs import EmissionEntries
from nbb_opt.model.data.periods import Floats
from nbb_opt.network import Prepared
from nbb_opt.pipeline import Steps
from nbb_opt.report.charts.charts import Series, stacked_rows
from nbb_opt.report.charts.svg import PALETTE
from nbb_opt.report.grid import Column, Grid, Section
from nbb_opt.report.study import Answer, whole
from nbb_opt.report.text import MODE_WORDS
from nbb_opt.result import Run
from nbb_opt.solve import Warm, solve_relaxed

SPLIT = (
    "line_haul", "handling", "time", "empties", "carbon", "trucks", "mode_constant", "scarcity",
)  # fmt: skip
OF_COST = {
    "service": "line_haul", "road_energy": "line_haul", "road_running": "line_haul", "drivers": "line_haul",
    "handling": "handling", "cargo_time": "time", "carbon": "carbon", "mode_constant": "mode_constant",
    "added_carbon_price": "carbon", "emission_weight": "carbon",
}  # fmt: skip
OF_ROW = {"return_empties": "empties", "cover_km": "trucks", "cover_hours": "trucks", "fit_opening_hours": "trucks",
          "deliver_energy": "line_haul", "deliver_on_the_way": "line_haul"}  # fmt: skip
NOT_BUILT = "not built"
LIMITS = {
    "respect_link_capacity": "link {0} is full", "respect_terminal_capacity": "terminal {0} is full",
    "use_only_built": f"{{3}} is {NOT_BUILT}", "limit_mode_shift": "rule {0}: the mode grows no faster",
    "cap_emissions": "rule {0}: the cap on emissions", "respect_driver_hours": "drivers of {0} are short",
}  # fmt: skip
# what a way that is not used is made to carry, to see what it costs
LEAST_T, SHARE_OF_DEMAND = 1.0, 1e-3
CARRIED_T, FREE_EUR_PER_T = 1e-3, 1e-6
BEYOND = 0.01
MOST_FLIPS = 3
MOST_DRAWN = 12
CONFIRMED = {True: "solved again: 1 % more flips it, 1 % less does not", False: "not confirmed by solving again"}


@dataclass(frozen=True, kw_only=True)
class Explained(Answer):
    """The candidates of a flow in a period, the cheapest first, and the price of the flow in EUR/t.

    Table `ways` has a row for each: what it carries, its cost in EUR/t by SPLIT, what that is above the price of the
    flow (below 0: what it would save if the project it needs were built), emissions, hours, and the limit that stops
    it. `trucks` is what the trucks of the plan are worth there: 0 where some stand idle. `flips` are price changes
    tried by solving again.
    """

    flow: str
    year: int
    price_eur_per_t: float

    @classmethod
    def of(
        cls, instance: Instance, flow: str, year: int, price: float, ways: pd.DataFrame, flips: pd.DataFrame
    ) -> Self:
        """The answer; `price` is in EUR/t."""
        shown = ways.drop(columns="chain").rename(columns=lambda name: name.removesuffix("_eur_per_t"))
        shown = shown.drop(columns=[name for name in SPLIT if (shown[name].abs() < FREE_EUR_PER_T).all()])
        used = ways.groupby("main_mode")["carried_t_per_year"].sum().loc[lambda carried: carried > CARRIED_T]
        by = [f"{tonnes:,.0f} t a year by {_mode(mode)}" for mode, tonnes in used.items()] or ["nothing is carried"]
        return cls(
            instance=instance, name="explain", title=f"why {flow}, {year}", flow=flow, year=year, price_eur_per_t=price,
            description="Whole numbers are those of the plan; costs are EUR per tonne at the prices (duals) of the "
            "linear program that is left.",
            sentences=[
                f"{flow}, {year}: {listed(by)}. A tonne more costs {price:,.2f} EUR.",
                *(f"{'Another way by' if mode in used else 'By'} {_mode(mode)} ({way}) is taken where it is {eur:,.2f} "
                  f"EUR/t cheaper ({CONFIRMED[verified]})."
                  for way, mode, eur, verified in flips.drop(columns="carried_then_t_per_year").to_numpy().tolist()),
            ],
            shown=["", "every way, EUR/t:", whole(shown, index=False, float_format="{:,.2f}".format)],
            figures={"flow": flow, "year": year, "price_eur_per_t": price}, sections=lambda _answer: [_section(shown)],
            tables={"ways": ways, "flips": flips},
        )  # fmt: skip


def _mode(mode: object) -> str:
    return MODE_WORDS.get(str(mode), str(mode)).lower()


def _section(ways: pd.DataFrame) -> Section:
    columns = [
        Column(str(name).replace("_", " ").capitalize(), "text" if ways[name].dtype == "str" else "decimal")
        for name in ways
    ]
    rows = [[None if cell != cell else cell for cell in row] for row in ways.to_numpy(object).tolist()]
    text = "Costs in EUR per tonne; above: more than the price of the flow, or less: what it would save."
    series = [
        Series(name, name.replace("_", " ").capitalize(), colour)
        for name, colour in zip(SPLIT, PALETTE, strict=False) if name in ways
    ]  # fmt: skip
    bars = [
        (str(row["way"]), {layer.key: float(row[layer.key]) for layer in series})
        for row in ways.head(MOST_DRAWN).to_dict("records") if row["total"] == row["total"]
    ]  # fmt: skip
    drawing = stacked_rows(bars, series, unit="EUR/t", key="explain", title="What a tonne costs on each way")
    return Section("Every way", text, [Grid("Ways, the cheapest first", columns, rows)], drawing if bars else None)


def explain_flow(
    instance: Instance,
    run: Run,
    spec: ModelSpec,
    steps: Steps,
    prepared: Prepared,
    *,
    origin: str,
    destination: str,
    commodity: str,
    year: int | None = None,
    say: Callable[[str], None] = lambda _line: None,
) -> Explained:
    """Explain one flow of a plan; `prepared` is not pruned. `year` is a period, the last with demand if not given.

    Raises NbbError for a flow or a year that is not there, SolveError where the linear program cannot be solved.
    """
    bundle, t = _flow(prepared, instance, origin, destination, commodity, year)
    built = steps.build(instance, prepared, spec)
    form = with_whole_numbers(built, standard_form(built), run)
    warm = Warm(threads=steps.options.threads, seed=steps.options.seed)
    say(f"linear program with the whole numbers of the plan: {len(form.cost):,} columns, {len(form.row_low):,} rows")
    found = solved(form, warm, steps)
    if found is None:
        raise SolveError("the plan's whole numbers leave no linear program with a solution; is it a plan of this data?")
    flows, start = built.data.flows, built.start["carried_t"]
    columns = (start + np.flatnonzero((flows.bundle == bundle) & (flows.t == t))).tolist()
    pricing, factor = Pricing(built, form, *found), float(built.data.time.yearly_factor[t])
    some_t = max(LEAST_T, SHARE_OF_DEMAND * float(prepared.demand_t[bundle, t]))
    rows = []
    for column in columns:
        way = pricing.way(column, factor)
        if way["carried_t_per_year"] <= CARRIED_T and not way["limit"].endswith(NOT_BUILT):
            forced = solved(_at_least(form, column, some_t), warm, steps)
            if forced is None:
                way |= {"above_eur_per_t": np.nan, "limit": "trucks, chargers or capacity of the plan do not allow it"}
            else:
                way = pricing.at(*forced).way(column, factor) | {"carried_t_per_year": way["carried_t_per_year"]}
        rows.append({"column": column, **way})
    table = pd.DataFrame(rows).sort_values(["above_eur_per_t", "total_eur_per_t"], ignore_index=True)
    table.insert(1, "way", _ways(prepared, table["chain"].tolist()))
    unused = table[(table["carried_t_per_year"] <= CARRIED_T) & (table["above_eur_per_t"] > FREE_EUR_PER_T)]
    flips = []
    best = unused[~unused["limit"].str.endswith(NOT_BUILT)].drop_duplicates("main_mode").head(MOST_FLIPS)
    for name, mode, column, eur in best[["way", "main_mode", "column", "above_eur_per_t"]].itertuples(index=False):
        say(f"solving again: {name}")
        tried = [solved(_cheaper(form, column, (1 + off) * eur * factor), warm, steps) for off in (BEYOND, -BEYOND)]
        taken = [0.0 if each is None else float(each[0][column]) for each in tried]
        flips.append({"way": name, "main_mode": mode, "cheaper_eur_per_t": eur,
                      "verified": taken[0] > CARRIED_T >= taken[1], "carried_then_t_per_year": taken[0]})  # fmt: skip
    names = {name: dict(zip(instance[name][key], instance[name]["name"], strict=True))
             for name, key in (("nodes", "node"), ("commodities", "commodity"))}  # fmt: skip
    title = f"{names['nodes'][origin]} – {names['nodes'][destination]}, {names['commodities'][commodity]}"
    return Explained.of(
        instance, title, int(built.data.time.years[t]), pricing.price(bundle, t) / factor,
        table.drop(columns=["column"]),
        pd.DataFrame(flips, columns=["way", "main_mode", "cheaper_eur_per_t", "verified", "carried_then_t_per_year"]),
    )  # fmt: skip


def with_whole_numbers(
    built: Built, form: StandardForm, run: Run, *, only: Sequence[str] = ("built", "installed", "bought", "kept")
) -> StandardForm:
    """The form as a linear program in which projects, chargers and trucks are those of a plan, or `only` some."""
    tables = run.tables
    fleet, chargers, projects = tables["fleet"], tables["chargers"], tables["projects"]
    own = fleet[fleet["bought"] > 0]
    values: dict[str, dict[tuple[Any, ...], float]] = {
        "built": _keyed(projects, ["project", "year"], "in_service"),
        "installed": _keyed(chargers, ["charge_area", "charger", "year"], "installed"),
        "bought": _keyed(own, ["fleet_region", "vehicle", "year"], "bought"),
        "kept": _keyed(fleet, ["fleet_region", "vehicle", "vintage_year", "year"], "kept"),
    }
    low, up = form.col_low.copy(), form.col_up.copy()
    for name, known in values.items():
        if name not in built.start or name not in only:
            continue
        kind = built.assembly.kinds[name]
        fixed = np.array([known.get(tuple(key), 0.0) for key in kind.keys])
        low[kind.start : kind.start + len(fixed)] = up[kind.start : kind.start + len(fixed)] = fixed
    return replace(form, col_low=low, col_up=up, integer=np.zeros(len(form.integer), bool))


def _keyed(frame: pd.DataFrame, key: Sequence[str], value: str) -> dict[tuple[Any, ...], float]:
    rows = zip(*(frame[name].tolist() for name in key), strict=True)
    return dict(zip(rows, frame[value].astype(float).tolist(), strict=True))


def solved(form: StandardForm, warm: Warm, steps: Steps) -> tuple[Floats, Floats] | None:
    """Values of columns and duals of rows; None where there is no solution."""
    with steps.timed("explain"):
        found = solve_relaxed(form, warm=warm, stop=steps.stop)
    if found.status == "infeasible":
        return None
    if found.values is None or found.row_dual is None:
        raise SolveError(f"the linear program with the plan's whole numbers ended as {found.status}; give more time")
    return found.values, found.row_dual


def _at_least(form: StandardForm, column: int, tonnes: float) -> StandardForm:
    low = form.col_low.copy()
    low[column] = tonnes
    return replace(form, col_low=low)


def _cheaper(form: StandardForm, column: int, eur: float) -> StandardForm:
    cost = form.cost.copy()
    cost[column] -= eur
    return replace(form, cost=cost)


class Pricing:
    """What columns cost at the duals of a solved linear program."""

    def __init__(self, built: Built, form: StandardForm, values: Floats, dual: Floats) -> None:
        self.built, self.form, self.values, self.dual = built, form, values, dual
        shape = (len(form.row_low), len(form.cost))
        self.by_row = csr_array(csc_array((form.a_values, form.a_indices, form.a_indptr), shape=shape))
        self.family = np.empty(shape[0], object)
        self.key: dict[int, tuple[Any, ...]] = {}
        for name, rows in built.assembly.families().items():
            for key, row in rows:
                self.family[row], self.key[row] = name, key

    def at(self, values: Floats, dual: Floats) -> Pricing:
        """The same model at another solution."""
        other = copy.copy(self)
        other.values, other.dual = values, dual
        return other

    def price(self, bundle: int, t: int) -> float:
        """Dual of the demand of a flow, discounted EUR/t."""
        flows = self.built.data.flows
        column = self.built.start["carried_t"] + int(np.flatnonzero((flows.bundle == bundle) & (flows.t == t))[0])
        return float(next(self.dual[row] for row, _ in self._rows(column) if self.family[row] == "serve_demand"))

    def way(self, column: int, factor: float) -> dict[str, Any]:
        """The row of the table for one column of `carried_t`."""
        data = self.built.data
        flows, at = data.flows, column - self.built.start["carried_t"]
        above, waits = float(self.form.cost[column]) / factor, False
        split: dict[str, float] = dict.fromkeys(SPLIT, 0.0)
        for name, each_t in flows.cost_eur.items():
            split[OF_COST[name]] += float(each_t[at])
        kg, driver_h, price = _emitted(flows.ledger, at), 0.0, 0.0
        limits = []
        for row, value in self._rows(column):
            name, eur = self.family[row], -value * float(self.dual[row]) / factor
            above += eur
            if name == "serve_demand":
                price = -eur
            elif name == "cover_work":
                more_kg, more_h = self._road(row, -value, split, factor)
                kg, driver_h = kg + more_kg, driver_h + more_h
            elif name == "use_only_built" and not self._is_built(row):  # its price is anything that keeps the way out
                above, waits = above - eur, True
                limits.append(LIMITS[name].format(*self.key[row]))
            else:
                split["scarcity"] += eur
                if eur > FREE_EUR_PER_T:
                    limits.append(LIMITS.get(name, name.replace("_", " ") + " {0}").format(*self.key[row]))
        if waits:
            above = sum(split.values()) - price
        else:  # where several trucks share a lane, what the cheapest does not explain is scarcity
            split["scarcity"] += price + above - sum(split.values())
        total = sum(split.values())
        chain = int(flows.chain[at])
        rows = data.prepared.written(chains=np.array([chain]), lanes=np.zeros(0, np.int64))["chains"]
        carried = max(float(self.values[column]), 0.0) + 0.0  # no -0
        return {
            "chain": chain, "main_mode": str(rows["main_mode"].iloc[0]), "carried_t_per_year": carried,
            **{f"{name}_eur_per_t": eur for name, eur in split.items()}, "total_eur_per_t": total,
            "above_eur_per_t": above if abs(above) > FREE_EUR_PER_T else 0.0, "co2e_wtw_kg_per_t": kg,
            "driver_h_per_t": driver_h, "time_h": float(rows["time_h"].iloc[0]),
            "distance_km": float(rows["distance_km"].iloc[0]),
            "limit": "; ".join(dict.fromkeys(limits)),
        }  # fmt: skip

    def _road(self, row: int, km: float, split: dict[str, float], factor: float) -> tuple[float, float]:
        """Add the price of `km` tonne-km on a lane: that of the truck that does it for least; kg CO2e, driver hours.

        Not the dual of the lane: on a lane without freight that may be anything below what a truck costs.
        """
        data, start = self.built.data, self.built.start["driven_vkm"]
        driving = data.driving
        trucks = [c - start for c in self._columns(row) if start <= c < start + len(driving.lane)]
        used = [truck for truck in trucks if self.values[start + truck] > 0]
        parts = {truck: self._truck(truck, row, factor) for truck in used or trucks}
        truck = min(parts, key=lambda c: sum(parts[c].values()) / float(driving.load_t[c]))
        per = km / float(driving.load_t[truck])  # vkm for a tonne
        for name, eur in parts[truck].items():
            split[name] += per * eur
        return per * _emitted(driving.ledger, truck), per * float(driving.hours_per_vkm[truck])

    def _truck(self, truck: int, lane_row: int, factor: float) -> dict[str, float]:
        """EUR of a loaded vkm by SPLIT, at the prices of all rows but that of the lane."""
        split: dict[str, float] = {}
        for name, eur in self.built.data.driving.cost_eur.items():
            split[OF_COST[name]] = split.get(OF_COST[name], 0.0) + float(eur[truck])
        for row, value in self._rows(self.built.start["driven_vkm"] + truck):
            if row != lane_row:
                name = OF_ROW.get(self.family[row], "scarcity")
                split[name] = split.get(name, 0.0) - value * float(self.dual[row]) / factor
        return split

    def _rows(self, column: int) -> list[tuple[int, float]]:
        part = slice(self.form.a_indptr[column], self.form.a_indptr[column + 1])
        return list(zip(self.form.a_indices[part].tolist(), self.form.a_values[part].tolist(), strict=True))

    def _columns(self, row: int) -> list[int]:
        return self.by_row.indices[self.by_row.indptr[row] : self.by_row.indptr[row + 1]].tolist()

    def _is_built(self, row: int) -> bool:
        start, size = self.built.start["built"], len(self.built.data.projects.project)
        return any(self.values[c] > 0 for c in self._columns(row) if start <= c < start + size)


def _emitted(ledger: EmissionEntries, column: int) -> float:
    """Kg CO2e WTW of a unit of a column."""
    mine = ledger.col == column
    return float((ledger.ttw_kg[mine] + ledger.wtt_kg[mine]).sum())


def _flow(
    prepared: Prepared, instance: Instance, origin: str, destination: str, commodity: str, year: int | None
) -> tuple[int, int]:
    bundles, years = prepared.bundles, [period.year for period in instance.periods]
    given = {"origin": origin, "destination": destination, "commodity": commodity}
    rows = bundles
    for column, word in given.items():
        known = list(dict.fromkeys(rows[column].tolist()))
        if word not in known:
            hint = did_you_mean(word, known) or f"there are {listed(sorted(known), 20)}"
            raise NbbError(f"{column} {shown(word)}: no flow has it, with what was given before it ({hint})")
        rows = rows[rows[column] == word]
    bundle = int(rows["bundle"].iloc[0])
    demanded = [y for y, tonnes in zip(years, prepared.demand_t[bundle].tolist(), strict=True) if tonnes > 0]
    if year is not None and year not in demanded:
        raise NbbError(f"year={year}: the flow has demand in {', '.join(map(str, demanded))}")
    return bundle, years.index(demanded[-1] if year is None else year)


def _ways(prepared: Prepared, chains: Sequence[int]) -> list[str]:
    """Modes and terminals of chains in turn."""
    found = []
    for chain in chains:
        steps = prepared.written(chains=np.array([chain]), lanes=np.zeros(0, np.int64))["chain_steps"]
        words: list[str] = []
        for row in steps.sort_values("step").to_dict("records"):
            word = str(row["terminal"]) or ("road" if row["kind"] == "lane" else str(row["mode_a"]))
            if word and (not words or words[-1] != word):
                words.append(word)
        found.append(" > ".join(words))
    return found
