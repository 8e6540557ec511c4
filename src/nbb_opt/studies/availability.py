"""Availability: from every zone to every gateway the best way, in money, hours and emissions, today and with a plan.

A gateway is where freight leaves: a node of kind `gateway`, and a port (where a mode on land changes to sea or ferry);
in an instance with neither, a terminal. Ways are the cheapest by generalised cost, found by the search that finds the
candidate chains of the model, with the cheapest truck of today's technologies and without limits of capacity. Goods of
one cargo type are taken together: the modes of any of them, and their median value of time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance, split_refs
from nbb_opt.instance.schema import CARGO_TYPES, MODES
from nbb_opt.network.best import BestChains, best_chains
from nbb_opt.network.graph import Graph, make_graph
from nbb_opt.network.runs import ChainClass, project_states
from nbb_opt.network.weights import make_amounts
from nbb_opt.report.decisions import names_of
from nbb_opt.report.grid import Cell, Column, Grid, Section, each
from nbb_opt.report.inventory import ship_words
from nbb_opt.report.map.marked import Mark, draw_marked
from nbb_opt.report.study import Answer
from nbb_opt.report.text import listed, number, short
from nbb_opt.result import Run
from nbb_opt.studies.goods_out import goods_out

TODAY, PLAN = "today", "plan"
MOST_PAIRS = 100_000
FIGURES = ("cost_eur_per_t", "time_h", "co2e_kg_per_t", "distance_km")
LEAST_GAIN_EUR = 0.005
SCALE = ("#1a6b54", "#5fae8b", "#f0d27a", "#e08a3c", "#b3391f")


DESCRIPTION = (
    "The best way of a tonne of every cargo type from every zone to every gateway: trucks of today's technologies, "
    "no limits of capacity; cost has the carbon price in it, emissions are well to wheel."
)


def gateways(instance: Instance) -> list[str]:
    """The gateways of an instance by the rule above, in the order of its nodes."""
    nodes, transfers = instance["nodes"], instance["transfers"]
    afloat = transfers["mode_a"].isin(("sea", "ferry")) | transfers["mode_b"].isin(("sea", "ferry"))
    found = {*nodes.loc[nodes["kind"] == "gateway", "node"], *transfers.loc[afloat, "node"]}
    return [node for node in nodes["node"] if node in (found or set(transfers["node"]))]


def availability(instance: Instance, run: Run | None) -> Answer:
    """The availability of an instance; the plan is `run`, or what is decided where there is none.

    Table `pairs`: zone, gateway, cargo_type, year, state, FIGURES, modes, projects: the best way. `state` is TODAY's
    network or that of the PLAN in the year. `zones`: means over all gateways and cargo types, today in the first period
    and in the last with either network. `projects`: what each link or terminal to be built would do alone, on today's
    network in the last period. `goods_out`: how each product leaves for a gateway.

    Raises NbbError where there is no gateway, or more than MOST_PAIRS pairs of zone and gateway.
    """
    nodes, ends = instance["nodes"], gateways(instance)
    zones = nodes.loc[nodes["is_zone"].astype(bool) & (nodes["kind"] != "gateway"), "node"].tolist()
    if not ends:
        raise NbbError(f"{instance.path}: no gateway: no node of kind gateway, and no transfer to sea, ferry or rail")
    if len(zones) * len(ends) > MOST_PAIRS:
        raise NbbError(f"availability: {len(zones)} zones and {len(ends)} gateways; at most {MOST_PAIRS} pairs")
    graph = make_graph(instance)
    amounts = make_amounts(instance, graph)
    both = [(zone, end) for zone in zones for end in ends if zone != end]
    origin, destination = (np.array([graph.node_index[pair[side]] for pair in both]) for side in (0, 1))
    years = [period.year for period in instance.periods]
    states = project_states(instance, graph)
    planned = [_built(instance, graph, run, year) for year in years]
    cases = [(t, states[0]) for t in range(len(years))] + list(enumerate(planned))
    alone = [(len(years) - 1, state) for state in states[2:]]
    labels = [(year, state) for state in (TODAY, PLAN) for year in years]
    pairs, singles = [], []
    for cls in cargo_classes(instance):
        found = best_chains(
            instance, graph, amounts, cls, origin=origin, destination=destination, cases=[*cases, *alone]
        )  # fmt: skip
        cargo = CARGO_TYPES[cls.cargo_type]
        pairs += [_rows(graph, both, cargo, label, found, i) for i, label in enumerate(labels)]
        before = found.generalised_eur_per_t[len(years) - 1]
        singles += [before - found.generalised_eur_per_t[len(cases) + i] for i in range(len(alone))]
    table = pd.concat(pairs, ignore_index=True)
    tables = {
        "pairs": table, "zones": _zones(instance, table), "projects": _projects(instance, graph, singles, len(alone)),
        "goods_out": goods_out(instance, amounts, run),
    }  # fmt: skip
    figures = {"planned": "the plan" if run is not None else "what is decided", "years": [years[0], years[-1]]}
    return Answer(
        instance=instance, name="availability", title="availability", description=DESCRIPTION, figures=figures,
        tables=tables, files_only=["pairs"], sections=_sections,
        sentences=_sentences(instance, figures["planned"], years, len(ends), tables["zones"], tables["projects"]),
    )  # fmt: skip


def _sentences(
    instance: Instance, planned: Any, years: list[int], ends: int, zones: pd.DataFrame, projects: pd.DataFrame
) -> list[str]:
    first, last = years[0], years[-1]
    worst = zones.sort_values("cost_last_plan_eur_per_t", ascending=False)["name"].head(3).tolist()
    best = zones.sort_values("gain_eur_per_t", ascending=False).query("gain_eur_per_t > @LEAST_GAIN_EUR").head(3)
    gains = [f"{row.name} {short(row.gain_eur_per_t)}" for row in each(best)]
    lose = zones[zones["loses"]]["name"].tolist()
    lacking = [
        name for name in ("transfers", "handling_costs", "projects", "outside_flows", "ports") if instance[name].empty
    ]
    top = [f"{row.name}: {row.pairs_better} pairs, {short(row.mean_gain_eur_per_t)} EUR/t each"
           for row in each(projects.head(3)) if row.pairs_better]  # fmt: skip
    return [
        f"From {len(zones)} zones to {ends} gateways: a tonne costs "
        f"{short(float(zones['cost_today_eur_per_t'].mean()))} EUR in {first}, "
        f"{short(float(zones['cost_last_plan_eur_per_t'].mean()))} in {last} with {planned}, on average.",
        f"Dearest to reach: {listed(worst)}.",
        f"The network of {planned} saves most, EUR/t in {last}: {listed(gains)}." if gains else
        f"The network of {planned} saves no zone anything in {last}.",
        f"Zones where a tonne costs more in {last} with {planned} than in {first}: {len(lose)} of {len(zones)}"
        f"{f', as {listed(lose[:5])}' if lose else ''}.",
        f"Projects that would help most alone: {'; '.join(top)}." if top else "No project changes any best way.",
        *([f"Tables without rows: {listed(lacking)}."] if lacking else []),
    ]  # fmt: skip


def _sections(found: Answer) -> list[Section]:
    planned, (_, last) = found.figures["planned"], found.figures["years"]
    return [
        Section("Zones", f"Mean of the best ways to all gateways, with the network of {planned} in {last}.",
                [_zone_grid(found)], _zone_map(found)),
        Section("What projects would do", "Each alone on today's network, with what it requires.",
                [_project_grid(found)]),
        Section("Goods out", "How products leave: freight that ends at a gateway, with the port where it goes to sea. "
                "Cost and emissions are those of a tonne to the gateway, by the way that it goes.",
                [_goods_grid(found)], _goods_map(found)),
        Section("Gateways", f"Mean over all zones in {last}, with the network of {planned}.", [_gateway_grid(found)]),
    ]  # fmt: skip


def cargo_classes(instance: Instance) -> list[ChainClass]:
    """A class for each cargo type: modes of any commodity of it, the median of their values of time."""
    found = []
    for cargo, rows in instance["commodities"].groupby("cargo_type", sort=False):
        allowed = {mode for modes in rows["modes"] for mode in split_refs(modes)}
        found.append(ChainClass(
            CARGO_TYPES.index(str(cargo)), tuple(mode in allowed for mode in MODES),
            float(rows["value_of_time_eur_per_t_h"].median()), tuple(rows["commodity"]),
        ))  # fmt: skip
    return found


def _built(instance: Instance, graph: Graph, run: Run | None, year: int) -> np.ndarray:
    """Which projects are in service in a period, (projects + 1,) as in project_states."""
    if run is not None:
        rows = run.tables["projects"].query("in_service > 0")
        there = set(rows.loc[rows["year"] == year, "project"])
    else:
        rows = instance["projects"]
        there = set(rows.loc[~rows["status"].isin(("", "idea")) & (rows["earliest_year"] <= year), "project"])
    return np.array([*(project in there for project in graph.projects), True])


def _rows(
    graph: Graph, both: list[tuple[str, str]], cargo: str, label: tuple[int, str], found: BestChains, i: int
) -> pd.DataFrame:
    frame = pd.DataFrame(both, columns=["zone", "gateway"]).assign(
        cargo_type=cargo, year=label[0], state=label[1], generalised_eur_per_t=found.generalised_eur_per_t[i],
        **{name: getattr(found, name)[i] for name in FIGURES}, modes=found.modes[i],
        projects=[";".join(graph.projects[list(needed)]) for needed in found.projects[i]],
    )  # fmt: skip
    return frame[frame["cost_eur_per_t"].notna()]


def _zones(instance: Instance, pairs: pd.DataFrame) -> pd.DataFrame:
    """Means of every zone over the pairs of gateway and cargo type that it has in all three cases."""
    first, last = pairs["year"].min(), pairs["year"].max()
    key = ["zone", "gateway", "cargo_type"]
    cases = {"today": (first, TODAY), "last_today": (last, TODAY), "last_plan": (last, PLAN)}
    wide = [
        pairs[(pairs["year"] == year) & (pairs["state"] == state)].set_index(key)[list(FIGURES[:3])]
        .rename(columns=lambda name, case=case: name.replace("_", f"_{case}_", 1))
        for case, (year, state) in cases.items()
    ]  # fmt: skip
    means = pd.concat(wide, axis=1, join="inner").groupby("zone").mean().reset_index()
    nodes = instance["nodes"][["node", "name", "country"]].rename(columns={"node": "zone"})
    found = nodes.merge(means, on="zone")
    gain = found["cost_last_today_eur_per_t"] - found["cost_last_plan_eur_per_t"]
    change = found["cost_last_plan_eur_per_t"] - found["cost_today_eur_per_t"]
    return found.assign(gain_eur_per_t=gain, change_eur_per_t=change, loses=change > LEAST_GAIN_EUR)


def _projects(instance: Instance, graph: Graph, singles: list[np.ndarray], n: int) -> pd.DataFrame:
    """project, name, status, pairs_better (zone, gateway and cargo type), mean and greatest gain of those."""
    rows = []
    needed = sorted({int(p) for p in (*graph.link_project, *graph.transfer_project) if p >= 0})
    table = instance["projects"].set_index("project")
    for i in range(n):
        name = graph.projects[needed[i]]
        gain = np.concatenate(singles[i::n])
        better = gain[gain > LEAST_GAIN_EUR]
        rows.append({
            "project": name, "name": table.at[name, "name"], "status": table.at[name, "status"] or "idea",
            "pairs_better": int(better.size), "mean_gain_eur_per_t": float(better.mean()) if better.size else 0.0,
            "most_gain_eur_per_t": float(better.max(initial=0.0)), "sum_gain_eur_per_t": float(better.sum()),
        })  # fmt: skip
    columns = ["project", "name", "status", "pairs_better", "mean_gain_eur_per_t", "most_gain_eur_per_t",
               "sum_gain_eur_per_t"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns).sort_values("sum_gain_eur_per_t", ascending=False, ignore_index=True)


def _zone_grid(found: Answer) -> Grid:
    rows = found.zones.sort_values("cost_last_plan_eur_per_t", ascending=False)
    wanted = ["name", "country", "cost_today_eur_per_t", "cost_last_today_eur_per_t", "cost_last_plan_eur_per_t",
              "gain_eur_per_t", "time_today_h", "time_last_plan_h", "co2e_today_kg_per_t",
              "co2e_last_plan_kg_per_t"]  # fmt: skip
    planned, (first, last) = found.figures["planned"], found.figures["years"]
    columns = (
        Column("Zone"), Column("Country"), Column(f"{first}", "decimal", "EUR/t"),
        Column(f"{last}, today's network", "decimal", "EUR/t"), Column(f"{last}, {planned}", "decimal", "EUR/t"),
        Column("Gain of the network", "decimal", "EUR/t"), Column(f"{first}", "number", "h"),
        Column(f"{last}", "number", "h"), Column(f"{first}", "number", "kg CO2e/t"),
        Column(f"{last}", "number", "kg CO2e/t"),
    )  # fmt: skip
    return Grid("Zones, the dearest first", columns, rows[wanted].to_numpy(object).tolist(), name="Zones")


def _project_grid(found: Answer) -> Grid:
    rows: list[list[Cell]] = [
        [row.name, row.status.replace("_", " "), row.pairs_better, row.mean_gain_eur_per_t, row.most_gain_eur_per_t]
        for row in each(found.projects)
    ]
    columns = (Column("Project"), Column("Status"), Column("Pairs that gain", "count"),
               Column("Mean gain", "decimal", "EUR/t"), Column("Greatest gain", "decimal", "EUR/t"))  # fmt: skip
    note = (
        "A pair is a zone, a gateway and a cargo type; the time of the goods counts. Projects that only add capacity "
    )
    return Grid("Projects that open a way", columns, rows, note=f"{note}open none.", name="Projects")


def _goods_grid(found: Answer) -> Grid:
    nodes, goods = names_of(found.instance, "nodes", "node"), names_of(found.instance, "commodities", "commodity")
    ships = {str(node): ship_words(port) for node, port in found.instance["ports"].set_index("node").iterrows()}
    last = found.goods_out[found.goods_out["year"] == found.goods_out["year"].max()]
    rows: list[list[Cell]] = [
        [goods[row.commodity], nodes[row.origin], nodes[row.port] if row.port else "on land", nodes[row.destination],
         row.modes.replace("-", ", "), row.tonnes / 1e3, row.sea_km or None, row.cost_eur_per_t, row.time_h,
         row.co2e_kg_per_t, "chosen" if row.choice else "given", ships.get(row.port, "")]
        for row in each(last)
    ]  # fmt: skip
    columns = (
        Column("Product"), Column("From"), Column("Goes to sea at"), Column("To"), Column("Modes"),
        Column("Freight", "kt", "kt a year"), Column("At sea", "number", "km"), Column("Cost", "decimal", "EUR/t"),
        Column("Time", "number", "h"), Column("Emissions", "number", "kg CO2e/t"), Column("Mode"), Column("The port"),
    )  # fmt: skip
    note = "The road is priced with the cheapest truck of today's technologies. Of given freight nothing is counted at "
    note += (
        "quays. What a port takes is of today and no limit of the plan; ice class and draught of ships are not weighed."
    )
    caption = f"How products leave in {last['year'].max()}" if len(last) else "How products leave"
    return Grid(caption, columns, rows, first=15, note=note, name="Goods out")


def _gateway_grid(found: Answer) -> Grid:
    rows = found.pairs[(found.pairs["year"] == found.figures["years"][1]) & (found.pairs["state"] == PLAN)]
    means = rows.groupby("gateway")[list(FIGURES[:3])].mean().sort_values("cost_eur_per_t")
    names = names_of(found.instance, "nodes", "node")
    cells: list[list[Cell]] = [[names[str(node)], *values] for node, values in zip(
        means.index, means.to_numpy().tolist(), strict=True)]  # fmt: skip
    columns = (Column("Gateway"), Column("Cost", "decimal", "EUR/t"), Column("Time", "number", "h"),
               Column("Emissions", "number", "kg CO2e/t"))  # fmt: skip
    return Grid("Gateways, the nearest first", columns, cells, first=40, name="Gateways")


def _zone_map(found: Answer) -> Any:
    zones = found.zones.sort_values("cost_last_plan_eur_per_t", ascending=False)
    cost = zones["cost_last_plan_eur_per_t"]
    edges = np.quantile(cost, np.linspace(0, 1, len(SCALE) + 1))
    place = np.clip(np.searchsorted(edges[1:-1], cost, side="left"), 0, len(SCALE) - 1)
    marks = {
        row.zone: Mark(SCALE[i], 8.0, f"{row.name}: {short(row.cost_last_plan_eur_per_t)} EUR/t, "
                       f"{number(row.time_last_plan_h)} h, {number(row.co2e_last_plan_kg_per_t)} kg CO2e/t", named=True)
        for row, i in zip(each(zones), place.tolist(), strict=True)
    }  # fmt: skip
    legend = [(colour, f"{short(edges[i])} to {short(edges[i + 1])} EUR/t") for i, colour in enumerate(SCALE)]
    return draw_marked(found.instance, nodes=marks, legend=legend, key="zones", title="Map of the cost to gateways",
                       desc="Zones by the mean cost of their best ways to all gateways; red is dear.")  # fmt: skip


def _goods_map(found: Answer) -> Any:
    rows = found.goods_out[found.goods_out["year"] == found.goods_out["year"].max()]
    by_port = rows.groupby(rows["port"].where(rows["port"] != "", rows["origin"]))["tonnes"].sum()
    if by_port.empty:
        return None
    names, most = names_of(found.instance, "nodes", "node"), float(by_port.max())
    at_sea = set(rows["port"])
    marks = {
        str(node): Mark("#0b3c5d" if node in at_sea else "#d55e00", 4 + 16 * float(np.sqrt(t / most)),
                        f"{names[str(node)]}: {number(t / 1e3)} kt a year", named=True)
        for node, t in by_port.sort_values(ascending=False).items()
    }  # fmt: skip
    return draw_marked(found.instance, nodes=marks, key="goods", title="Map of where goods leave",
                       legend=[("#0b3c5d", "goes to sea here"), ("#d55e00", "leaves on land from here")],
                       desc="The area of a circle grows with the tonnes a year.")  # fmt: skip
