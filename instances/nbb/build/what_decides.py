"""What the plan owes to which assumption: ``python instances/nbb/build/what_decides.py RUN [MINUTES [solve]]``.

RUN is a verified run of ``models/cap_path.toml``. Every figure of ``ranges`` is screened at both ends of its range by
its first-order effect on the LP relaxation of RUN (change of costs and rows, priced by values and duals of the
relaxation), with the caps of RUN. The ten figures with the largest effects are then solved at both ends, all else as it
is, as RUN was, until MINUTES have passed; the end with the larger effect first. ``raw/screened.csv``, and after every
solve ``raw/tornado.csv`` and ``raw/decisions.csv``, are written; the page is made from them. With ``solve`` the
screening that was written before is taken as it is.
"""

from __future__ import annotations

import csv
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy.sparse import csc_array
from store import RAW, raw

import nbb_opt as nbb
from nbb_opt.errors import InstanceError
from nbb_opt.instance import Instance
from nbb_opt.instance.schema import MODES
from nbb_opt.model import extract
from nbb_opt.options import SolveOptions
from nbb_opt.report.kpis import FLOW, projects_built, shifts, tonnes_by_chain_kind, trucks_by_technology
from nbb_opt.result import Run
from nbb_opt.solve import Stop, Warm, solve_relaxed
from nbb_opt.studies.points import FreightWork, Stated, values_of
from nbb_opt.studies.tornado import NOT_READ, change_of

FIGURES = 10  # solved at both ends
LARGEST_SHIFTS = 5
TURNED = 0.5  # share of what it is as the figures are, below which a decision does not happen
GAP = 0.005
Decision = tuple[str, ...]  # a project, or origin, destination, commodity and mode of a shift


def figure_of(row: dict[str, object]) -> str:
    return f"{row['table']}.{row['column']}" + ("" if row["row"] == "*" else f" of {row['row']}")


def first_order_eur(base: Stated, changed: Stated, values: np.ndarray, duals: np.ndarray) -> float:
    """What the optimum of the relaxation changes by, to first order, where columns and rows are the same.

    $(c' - c) x + y ((b' - b) - (A' - A) x)$, with the side $b$ of a row at which its dual $y$ holds it.
    """
    one, other = base.form, changed.form
    shape = len(one.row_low), len(one.cost)
    if shape != (len(other.row_low), len(other.cost)):
        return float("nan")
    done = [csc_array((form.a_values, form.a_indices, form.a_indptr), shape=shape) @ values for form in (one, other)]
    held = np.flatnonzero(duals)
    side = [np.where(duals > 0, form.row_low, form.row_up)[held] for form in (one, other)]
    moved = (side[1] - side[0]) - (done[1] - done[0])[held]
    return float((other.cost - one.cost) @ values + other.cost_offset - one.cost_offset + duals[held] @ moved)


def sizes(stated: Stated, values: np.ndarray, decisions: list[Decision], before: dict[Decision, float]) -> list[float]:
    """How much of each decision there is in the last period: units built, or t by a mode more than in the reference."""
    last, kinds = stated.instance.periods[-1].year, stated.built.assembly.kinds
    found: defaultdict[Decision, float] = defaultdict(float)
    built, carried = kinds["built"], kinds["carried_t"]
    for key, units in zip(built.keys, values[built.start : built.start + len(built.keys)].tolist(), strict=True):
        if key[-1] == last:
            found[(str(key[0]),)] += units
    mode = (stated.built.data.flows.mode_class % len(MODES)).tolist()
    tonnes = values[carried.start : carried.start + len(carried.keys)].tolist()
    for key, t, m in zip(carried.keys, tonnes, mode, strict=True):
        if key[-1] == last:
            found[(*map(str, key[:3]), MODES[m])] += t
    return [found[decision] - before.get(decision, 0.0) for decision in decisions]


def why_project(instance: Instance, run: Run, project: str, last: int) -> str:
    """What a project of the plan is used for in the last period, in words."""
    steps, flows = run.tables["chain_steps"], run.tables["flows"]
    chains = set(steps.loc[steps["project"] == project, "chain"])
    carried_t = float(flows.loc[(flows["year"] == last) & flows["chain"].isin(chains), "tonnes"].sum())
    said = [f"{carried_t / 1e3:,.0f} kt a year {on_it(instance, project)}"] if carried_t else []
    use, effects, built = run.tables["use"], instance["project_effects"], run.tables["projects"]
    use, effects = use[use["year"] == last], effects[effects["project"] == project]
    in_service = built.loc[(built["year"] == last) & (built["project"] == project), "in_service"].sum()
    fullest = []
    for row in effects.to_dict("records"):
        kind = {"links": "link", "terminals": "terminal", "charge_areas": "grid"}.get(str(row["table"]), "")
        here = use[(use["kind"] == kind) & (use["row"] == row["row"])]
        if here.empty or not np.isfinite(here["limit"].iloc[0]):
            continue
        adds = float(row["adds"]) * float(in_service) * (1e3 if kind == "grid" else 1.0)
        used, limit = float(here["used"].iloc[0]) / 1e3, float(here["limit"].iloc[0]) / 1e3
        left, place = max(limit - adds / 1e3, 0), place_name(instance, str(row["table"]), str(row["row"]))
        does = {"grid": f"chargers take {used:,.0f} MW at {place}, where the grid has {left:,.0f} MW without it",
                "terminal": f"{used:,.0f} kt a year pass {place}, which takes {left:,.0f} kt without it",
                "link": f"{used:,.0f} kt a year go {place}, which takes {left:,.0f} kt without it"}  # fmt: skip
        fullest.append((used / max(left, 1.0), does[kind]))
    said += [max(fullest)[1]] if fullest else []
    fuels = instance["fuel_substitutes"].set_index("substitute")
    for row in effects.loc[effects["table"] == "fuel_substitutes", "row"]:
        fuel = fuels.loc[row]
        said.append(f"by {fuel['mode']}, {fuel['energy_carrier']} may replace {fuel['replaces']}".replace("_", " "))
    return "; ".join(said) or "decided by others"


def on_it(instance: Instance, project: str) -> str:
    """What freight does on the links or transfers that a project opens."""
    links = instance["links"]
    mine = links[links["project"] == project]
    if (instance["transfers"]["project"] == project).any():
        return "are moved there from one gauge to the other instead of by truck over the border"
    if (mine["mode"] == "road").any():
        ends = mine["from_node"] + mine["to_node"]
        today = links[
            (links["project"] == "") & (links["mode"] == "road") & (links["from_node"] + links["to_node"]).isin(ends)
        ]
        return f"go in trucks of {mine['max_gross_t'].max():g} t instead of {today['max_gross_t'].min():g} t"
    return "go over it"


def place_name(instance: Instance, table: str, row: str) -> str:
    """A terminal, charging area or link as people call it."""
    if table != "links":
        key = {"terminals": "terminal", "charge_areas": "charge_area"}[table]
        return str(instance[table].set_index(key).loc[row, "name"])
    link = instance["links"].set_index("link").loc[row]
    names = instance["nodes"].set_index("node")["name"]
    return f"by {link['mode']} {names[link['from_node']]}-{names[link['to_node']]}"


def why_shift(instance: Instance, run: Run, shift: Decision, last: int) -> str:
    """What a flow does in the reference and in the plan, and what its new way passes that the plan builds or widens."""
    tables, key = run.tables, dict(zip(FLOW, shift[:3], strict=True))
    new, old = way(tables, key, shift[3], last), way(run.baseline, key, "", last)
    steps = tables["chain_steps"]
    steps = steps[steps["chain"].isin(new["chain"])]
    passed = set(steps["link"]) | set(steps["terminal"])
    built = set(tables["projects"]["project"])
    effects = instance["project_effects"]
    widened = set(effects.loc[effects["row"].isin(passed) & effects["project"].isin(built), "project"])
    names = dict(zip(instance["projects"]["project"], instance["projects"]["name"], strict=True))
    over = sorted(names[each] for each in widened | (set(steps["project"]) & built))
    needs = f"over {', '.join(over)}" if over else "needs nothing new"
    modes = ", ".join(dict.fromkeys(mode for each in old["kind"] for mode in each.split("-")))
    return f"by {modes} in the reference ({in_words(old)}), {in_words(new)} now; {needs}"


def way(tables: dict, key: dict[str, str], mode: str, last: int):  # type: ignore[no-untyped-def]
    """The chains of a flow in the last period, of a main mode or all, with tonnes."""
    flows = tables["flows"].merge(tables["chains"], on="chain").merge(tables["bundles"], on="bundle")
    mine = (flows[list(key)] == list(key.values())).all(axis=1) & (flows["year"] == last) & (flows["tonnes"] > 1)
    return flows[mine & ((flows["main_mode"] == mode) if mode else True)]


def in_words(flows) -> str:  # type: ignore[no-untyped-def]
    """Mean km and hours of a tonne."""
    mean = {name: float(np.average(flows[name], weights=flows["tonnes"])) for name in ("distance_km", "time_h")}
    return f"{mean['distance_km']:,.0f} km in {mean['time_h']:,.0f} h"


class Effects:
    """What was found, kept in files after every solve."""

    def __init__(self, plan: nbb.Result) -> None:
        self.instance, self.run = plan.instance, plan.run
        self.last = self.instance.periods[-1].year
        built = projects_built(self.instance, self.run.tables).drop_duplicates("project")
        moved = shifts(self.run, by=["main_mode"])
        moved = moved[(moved["year"] == self.last) & (moved["from_main_mode"] != moved["to_main_mode"])]
        moved = moved.head(LARGEST_SHIFTS)
        self.decisions: list[Decision] = [(str(name),) for name in built["project"]]
        self.decisions += [tuple(map(str, row)) for row in moved[[*FLOW, "to_main_mode"]].itertuples(index=False)]
        self.amounts = [*map(str, built["year"]), *(f"{tonnes:.0f}" for tonnes in moved["tonnes"])]
        given = tonnes_by_chain_kind(self.run.baseline, ["main_mode"])
        names = list(given.index.names)
        self.before: dict[Decision, float] = {}
        for decision in self.decisions[len(built) :]:
            key = {**dict(zip([*FLOW, "main_mode"], decision, strict=True)), "year": self.last}
            self.before[decision] = float(given.get(tuple(key[name] for name in names), 0.0))
        trucks = plan.figures["battery_trucks"][self.last]
        kt = plan.figures["emissions_t_co2e"][self.last] / 1e3
        self.cost_eur = float(self.run.record["cost_eur"])
        gap = float(self.run.record["gap"])
        self.rows = [row("as it is", "", 1.0, self.cost_eur / 1e6, gap, kt, trucks, self.last)]
        self.turned: defaultdict[Decision, list[str]] = defaultdict(list)

    def add(self, figure: str, end: str, factor: float, stated: Stated, found: dict, left: list[float]) -> None:
        """One end of one range: `found` is its solved plan, `left` what its relaxation has of each decision."""
        values = values_of(found)
        tables = extract(stated.built, values)
        trucks = trucks_by_technology(self.instance, tables)[self.last].get("battery", 0)
        kt = float(found["emissions_t_per_year"][str(self.last)]) / 1e3
        cost = (float(found["cost_eur"]) - self.cost_eur) / 1e6
        self.rows.append(row(figure, end, factor, cost, float(found["gap"]), kt, trucks, self.last))
        now = sizes(stated, values, self.decisions, self.before)
        for decision, amount, solved, relaxed in zip(self.decisions, self.amounts, now, left, strict=True):
            whole = 1.0 if len(decision) == 1 else float(amount)
            if solved < TURNED * whole and relaxed < TURNED * whole:
                self.turned[decision].append(f"{figure} times {factor:g}")

    def write(self) -> None:
        size: defaultdict[str, float] = defaultdict(float)
        for each in self.rows[1:]:
            size[str(each["figure"])] = max(size[str(each["figure"])], abs(float(str(each["cost_meur"]))))
        rest = sorted(self.rows[1:], key=lambda e: (-size[str(e["figure"])], str(e["figure"]), e["end"] == "high"))
        write("tornado", [self.rows[0], *rest])
        write("decisions", [
            {"decision": "/".join(decision), "in_plan": amount,
             "why": why_project(self.instance, self.run, decision[0], self.last) if len(decision) == 1
             else why_shift(self.instance, self.run, decision, self.last),
             "turned_by": "; ".join(self.turned[decision])}
            for decision, amount in zip(self.decisions, self.amounts, strict=True)
        ])  # fmt: skip


def row(
    figure: str, end: str, factor: float, meur: float, gap: float, kt: float, trucks: int, last: int
) -> dict[str, object]:
    return {"figure": figure, "end": end, "factor": f"{factor:g}", "cost_meur": f"{meur:.1f}", "gap": f"{gap:.4f}",
            f"kt_{last}": f"{kt:.1f}", f"battery_trucks_{last}": f"{trucks:.0f}"}  # fmt: skip


def screen(work: FreightWork) -> list[dict[str, object]]:
    """First-order effect of both ends of every range, the largest first; where columns come or go, the relaxation."""
    region, base, forever = work.instance, work.base, Stop(float("inf"))
    found = solve_relaxed(base.form, warm=Warm(threads=1, seed=0), stop=forever)
    assert found.values is not None
    assert found.row_dual is not None
    screened: list[dict[str, object]] = []
    for each, end in ((each, end) for each in ranges(region) for end in ("low", "high")):
        factor = float(each[f"{end}_factor"])
        effect, note = float("nan"), "no range on this side"
        if factor != 1:
            try:
                changed = work.stated(region.with_changes(change_of(each, factor)), base.prepared)
                effect, note = first_order_eur(base, changed, found.values, found.row_dual), ""
                if np.isnan(effect):
                    again = solve_relaxed(changed.form, warm=Warm(threads=1, seed=0), stop=forever)
                    effect, note = again.objective - found.objective, f"relaxation {again.status}"
            except InstanceError as fault:
                note = str(fault.problems[0])
        meur = "" if np.isnan(effect) else f"{effect / 1e6:.1f}"
        said = {"figure": figure_of(each), "end": end, "factor": f"{factor:g}"}
        screened.append({**said, "first_order_meur": meur, "note": note})
        print(screened[-1], flush=True)
    size: defaultdict[str, float] = defaultdict(float)
    for one in screened:
        size[str(one["figure"])] = max(size[str(one["figure"])], abs(float(str(one["first_order_meur"] or 0))))
    return sorted(screened, key=lambda one: (-size[str(one["figure"])], str(one["figure"]), one["end"] == "high"))


def ranges(region: Instance) -> list[dict]:
    return [each for each in region["ranges"].to_dict("records") if each["table"] not in NOT_READ]


def main() -> None:
    plan, minutes = nbb.load(Path(sys.argv[1])), float((sys.argv[2:] or ["1e9"])[0])
    begun, region = time.monotonic(), plan.instance
    options = SolveOptions(gap=GAP, time_limit_s=1200, threads=1, reference=False)
    work = FreightWork(instance=region, model="cap_path", options=options)
    screened: list[dict] = raw("screened") if sys.argv[3:] == ["solve"] else screen(work)
    write("screened", screened)
    most = list(dict.fromkeys(str(one["figure"]) for one in screened))[:FIGURES]
    effect = {(one["figure"], one["end"]): abs(float(one["first_order_meur"] or 0)) for one in screened}
    first = {figure: max(("low", "high"), key=lambda end: effect[figure, end]) for figure in most}
    order = [(figure, first[figure]) for figure in most]
    order += [(figure, "low" if end == "high" else "high") for figure, end in order]
    effects, forever = Effects(plan), Stop(float("inf"))
    effects.write()
    of_figure = {figure_of(each): each for each in ranges(region)}
    for figure, end in order:
        factor = float(of_figure[figure][f"{end}_factor"])
        if time.monotonic() - begun > 60 * minutes or not effect[figure, end]:
            continue
        stated = work.stated(region.with_changes(change_of(of_figure[figure], factor)))
        relaxed = solve_relaxed(stated.form, warm=Warm(threads=1, seed=0), stop=forever)
        columns = np.arange(len(stated.form.cost))
        solved = work.solved(stated, stated.form, None, forever, what=f"{figure} times {factor:g}", keep=columns)
        print(figure, factor, solved["status"], relaxed.status, flush=True)
        if relaxed.values is None or "values" not in solved:
            continue
        left = sizes(stated, relaxed.values, effects.decisions, effects.before)
        effects.add(figure, end, factor, stated, dict(solved), left)
        effects.write()


def write(name: str, rows: list[dict[str, object]]) -> None:
    with (RAW / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
