"""What the plan owes to which assumption: ``python instances/nbb/build/what_decides.py RUN [MINUTES [TABLE...]]``.

RUN is a verified run of ``models/cap_path.toml``. Each figure of ``ranges`` is set to the low and the high end of its
range, all else as it is, and the LP relaxation is solved with the caps of the run, until MINUTES have passed; those
that change the cost most and what turns a decision of RUN are written to ``raw/tornado.csv`` and ``raw/decisions.csv``,
from which the page is made. Figures that were tried before, and are not tried now, stay.
"""

from __future__ import annotations

import csv
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from store import RAW, raw

from nbb_opt.errors import InstanceError
from nbb_opt.instance import Instance, read_instance
from nbb_opt.instance.schema import BY_NAME, MODES
from nbb_opt.instance.what_if import on_row
from nbb_opt.model import ModelSpec, read_model, standard_form
from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import Steps
from nbb_opt.report.kpis import FLOW, projects_built, shifts, tonnes_by_chain_kind
from nbb_opt.result import Run, read_run
from nbb_opt.solve import Stop, Warm, solve_relaxed

# Figures in the order in which they are tried: what is thought to matter most comes first.
FIRST = (
    "commodities.value_of_time_eur_per_t_h", "vehicle_loads.load_factor", "vehicle_loads.empty_share", "links.time_h",
    "handling_costs.cost_eur_per_t", "country_years.carbon_price_eur_per_t", "country_years.driver_cost_eur_per_h",
    "energy.price_eur_per_kwh", "vehicles.annual_km", "vehicle_years.capex_eur", "chargers.utilisation_share",
    "charge_areas.grid_mw", "public_charging.price_add_eur_per_kwh", "vehicle_years.running_eur_per_vkm",
    "mode_constants.eur_per_t", "handling_costs.time_h", "chargers.fixed_eur_per_year", "chargers.capex_eur",
    "vehicles.range_km", "links.capacity_t_per_year", "projects.capex_eur", "vehicle_years.full_kwh_per_vkm",
    "policies.value", "battery_wear.range_loss_share", "vehicles.kerb_t", "vehicles.winter_factor",
)  # fmt: skip
LARGEST_SHIFTS = 5
TURNED = 0.5  # share of what it is as the figures are, below which a decision does not happen
Found = dict[str, float]


def relaxed(instance: Instance, spec: ModelSpec, decisions: list[tuple[str, ...]]) -> Found:
    """MEUR, kt CO2e and battery trucks in the last period, and the size of each decision, of the LP relaxation."""
    steps = Steps(SolveOptions(method="monolith", statement="arrays"))
    built = steps.build(instance, steps.prepare(instance), spec)
    found = solve_relaxed(standard_form(built), warm=Warm(threads=1, seed=1), stop=Stop(float("inf")))
    if found.values is None:
        raise InstanceError([])
    last = instance.periods[-1].year
    values = {
        name: list(zip(kind.keys, found.values[kind.start : kind.start + len(kind.keys)].tolist(), strict=True))
        for name, kind in built.assembly.kinds.items()
    }
    technology = dict(zip(instance["vehicles"]["vehicle"], instance["vehicles"]["technology"], strict=True))
    battery = sum(
        number
        for name, at in (("bought", 1), ("kept", 1))
        for key, number in values[name]
        if key[-1] == last and technology[key[at]] == "battery"
    )
    size: defaultdict[tuple[str, ...], float] = defaultdict(float)
    for key, units in values["built"]:
        if key[-1] == last:
            size[(str(key[0]),)] += units
    mode = built.data.flows.mode_class % len(MODES)
    for (key, tonnes), m in zip(values["carried_t"], mode.tolist(), strict=True):
        if key[-1] == last:
            size[(*map(str, key[:3]), MODES[m])] += tonnes
    kg = sum(
        float(built.terms(name).amounts(found.values).reshape(-1, len(instance.periods))[:, -1].sum())
        for name in ("emissions_ttw_kg", "emissions_wtt_kg")
    )
    said = {"meur": found.objective / 1e6, "kt": kg / 1e6, "battery": battery}
    return said | {"/".join(decision): size[decision] for decision in decisions}


def why_project(instance: Instance, run: Run, project: str, last: int) -> str:
    """What a project of the plan is used for in the last period, in words."""
    steps, flows = run.tables["chain_steps"], run.tables["flows"]
    chains = set(steps.loc[steps["project"] == project, "chain"])
    carried_t = float(flows.loc[(flows["year"] == last) & flows["chain"].isin(chains), "tonnes"].sum())
    said = [f"{carried_t / 1e3:,.0f} kt a year go over it"] if carried_t else []
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


def place_name(instance: Instance, table: str, row: str) -> str:
    """A terminal, charging area or link as people call it."""
    if table != "links":
        key = {"terminals": "terminal", "charge_areas": "charge_area"}[table]
        return str(instance[table].set_index(key).loc[row, "name"])
    link = instance["links"].set_index("link").loc[row]
    names = instance["nodes"].set_index("node")["name"]
    return f"by {link['mode']} {names[link['from_node']]}-{names[link['to_node']]}"


def why_shift(instance: Instance, run: Run, shift: tuple[str, ...], last: int) -> str:
    """What the new way of a flow passes that the plan builds or widens."""
    tables, key = run.tables, dict(zip(FLOW, shift[:3], strict=True))
    flows = tables["flows"].merge(tables["chains"], on="chain").merge(tables["bundles"], on="bundle")
    mine = (flows[list(key)] == list(key.values())).all(axis=1) & (flows["year"] == last)
    steps = tables["chain_steps"]
    steps = steps[steps["chain"].isin(flows.loc[mine & (flows["main_mode"] == shift[3]), "chain"])]
    passed = set(steps["link"]) | set(steps["terminal"])
    built = set(tables["projects"]["project"])
    effects = instance["project_effects"]
    widened = set(effects.loc[effects["row"].isin(passed) & effects["project"].isin(built), "project"])
    names = dict(zip(instance["projects"]["project"], instance["projects"]["name"], strict=True))
    found = sorted(names[each] for each in widened | (set(steps["project"]) & built))
    return (
        "over " + ", ".join(found)
        if found
        else "needs nothing new: with the plan's trucks, fuels and prices it is the cheapest way"
    )


def main() -> None:
    run, minutes = read_run(Path(sys.argv[1])), float((sys.argv[2:] or ["1e9"])[0])
    instance = read_instance(Path(__file__).resolve().parent.parent)
    last = instance.periods[-1].year
    spec = read_model("cap_path").with_caps(run.frozen_t(instance.periods[0].year))
    built = projects_built(instance, run.tables).drop_duplicates("project")
    moved = shifts(run, by=["main_mode"])
    moved = moved[(moved["year"] == last) & (moved["from_main_mode"] != moved["to_main_mode"])].head(LARGEST_SHIFTS)
    decisions: list[tuple[str, ...]] = [(str(name),) for name in built["project"]]
    decisions += [tuple(map(str, row)) for row in moved[[*FLOW, "to_main_mode"]].itertuples(index=False)]
    before = tonnes_by_chain_kind(run.baseline, ["main_mode"])
    begun = time.monotonic()

    def tried(changed: Instance) -> Found:
        """As `relaxed`, a shift being what goes by its new mode more than in the reference."""
        found = relaxed(changed, spec, decisions)
        for decision in decisions:
            if len(decision) > 1:
                key = {**dict(zip([*FLOW, "main_mode"], decision, strict=True)), "year": last}
                found["/".join(decision)] -= float(before.get(tuple(key[name] for name in before.index.names), 0.0))
        return found

    base = tried(instance)
    effects: list[dict[str, object]] = []
    turned: defaultdict[str, list[str]] = defaultdict(list)
    order = {name: place for place, name in enumerate(FIRST)}
    rows = sorted(
        (row for row in instance["ranges"].to_dict("records") if not sys.argv[3:] or row["table"] in sys.argv[3:]),
        key=lambda row: (row["row"] != "*", order.get(f"{row['table']}.{row['column']}", len(order))),
    )
    for row in rows:
        for end in ("low", "high"):
            factor = float(row[f"{end}_factor"])
            if factor == 1 or time.monotonic() - begun > 60 * minutes:
                continue
            figure = f"{row['table']}.{row['column']}" + ("" if row["row"] == "*" else f" of {row['row']}")
            statement = on_row(row["table"], row["row"], row["column"], f"*= {factor!r}")
            if row["row"] == "*" and "source" in {column.name for column in BY_NAME[row["table"]].columns}:
                statement = f"{row['table']}.{row['column']}[source=assumption] *= {factor!r}"
            try:
                found = tried(instance.with_changes(statement))
            except InstanceError as fault:
                print(f"{figure} times {factor:g}: not varied: {fault}", flush=True)
                continue
            change = {key: found[key] - base[key] for key in ("meur", "kt", "battery")}
            print(f"{figure} times {factor:g}: {change}", flush=True)
            effects.append({"figure": figure, "end": end, "factor": f"{factor:g}",
                            "cost_meur": f"{change['meur']:.1f}", f"kt_{last}": f"{change['kt']:.1f}",
                            f"battery_trucks_{last}": f"{found['battery']:.0f}"})  # fmt: skip
            for decision in ("/".join(each) for each in decisions):
                if base[decision] > 0 and found[decision] < TURNED * base[decision]:
                    turned[decision].append(f"{figure} times {factor:g}")
    base_row = {"figure": "as it is", "end": "", "factor": "1", "cost_meur": f"{base['meur']:.1f}",
                f"kt_{last}": f"{base['kt']:.1f}", f"battery_trucks_{last}": f"{base['battery']:.0f}"}  # fmt: skip
    tried_now = {str(e["figure"]) for e in effects}
    if (RAW / "tornado.csv").exists():
        effects += [dict(row) for row in raw("tornado")[1:] if row["figure"] not in tried_now]
        for row in raw("decisions"):
            kept = [
                each for each in filter(None, row["turned_by"].split("; ")) if each.split(" times ")[0] not in tried_now
            ]
            turned[row["decision"]] += kept
    most = {str(e["figure"]): 0.0 for e in effects}
    for e in effects:
        most[str(e["figure"])] = max(most[str(e["figure"])], abs(float(str(e["cost_meur"]))))
    effects.sort(key=lambda e: (-most[str(e["figure"])], str(e["figure"]), str(e["end"]) == "high"))
    write("tornado", [base_row, *effects])
    write("decisions", [
        {"decision": "/".join(decision), "in_plan": amount, "relaxed": f"{base['/'.join(decision)]:.6g}",
         "why": why_project(instance, run, decision[0], last) if len(decision) == 1 else
         why_shift(instance, run, decision, last), "turned_by": "; ".join(turned["/".join(decision)])}
        for decision, amount in zip(
            decisions,
            [*(f"{year}" for year in built["year"]), *(f"{tonnes:.0f}" for tonnes in moved["tonnes"])], strict=True,
        )
    ])  # fmt: skip


def write(name: str, rows: list[dict[str, object]]) -> None:
    with (RAW / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    main()
