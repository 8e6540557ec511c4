"""Where a plant would be best off: places ranked by the cost of its freight, with hours, emissions and bottlenecks.

Quick: a tonne a year of every flow of the plant is added at every place, and the linear program with the projects of
the plan is solved once, trucks and chargers in fractions; the dual of a flow's demand is what a tonne more costs there,
scarcity of full links and terminals in it. Exact: that program is solved with the whole plant at a place; the cost of
the place is what the whole region pays more, and what of that is not the plant's own transport falls on others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from nbb_opt.errors import NbbError, SolveError
from nbb_opt.instance import Instance
from nbb_opt.instance.wording import did_you_mean, listed
from nbb_opt.model import Built, ModelSpec, StandardForm, standard_form
from nbb_opt.model.data.periods import Floats
from nbb_opt.network import Prepared
from nbb_opt.pipeline import Steps
from nbb_opt.report.grid import amounts
from nbb_opt.report.inventory import DRIVER_H_PER_YEAR, InventoryTables, owners, projects_of
from nbb_opt.result import Run
from nbb_opt.solve import Warm
from nbb_opt.studies.explain import Pricing, solved, with_whole_numbers
from nbb_opt.studies.plant import MAKES, NEEDS, Plant

PLACE_KINDS = ("town", "port", "plant")
NOMINAL_T = 1.0
KEY = ["origin", "destination", "commodity"]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Located:
    """`places`: a row for each, the cheapest first; `flows`: a row for each place and flow of the plant.

    Figures are of the first period in which the plant runs, in places also `npv_eur` over all periods; `exact_eur` and
    `others_eur` (net present value) where the place was solved, blank elsewhere.
    """

    instance: Instance
    plant: Plant
    year: int
    places: pd.DataFrame
    flows: pd.DataFrame


class _Region:
    """The plan's region with a tonne of every flow of the plant at every place, stated and solved once."""

    def __init__(
        self, instance: Instance, run: Run, spec: ModelSpec, steps: Steps, plant: Plant, places: Sequence[str]
    ) -> None:
        self.plant, self.steps, self.run, self.spec = plant, steps, run, spec
        self.years = [p.year for p in instance.periods if p.year >= plant.start_year] or [instance.periods[-1].year]
        self.wanted = flows_at(plant, places)
        rows = self.wanted.assign(tonnes=NOMINAL_T)[[*KEY, "tonnes"]].drop_duplicates(KEY)
        more = pd.concat([rows.assign(year=year) for year in self.years])

        def with_more(od: pd.DataFrame) -> pd.DataFrame:
            both = pd.concat([od, more.assign(**({"shipper": ""} if "shipper" in od.columns else {}))])
            years = sorted({*od["year"], *self.years})
            key = [name for name in both.columns if name not in ("tonnes", "year")]
            zero = both[key].drop_duplicates().merge(pd.DataFrame({"year": years}), how="cross").assign(tonnes=0.0)
            new = zero.merge(od[key].drop_duplicates(), on=key, how="left", indicator=True)
            new = new[new["_merge"] == "left_only"].drop(columns="_merge")  # demand is linear between its years
            whole = pd.concat([both, new]).groupby([*key, "year"])["tonnes"].sum().reset_index()
            return pd.DataFrame(whole[list(od.columns)])

        self.instance = instance.with_table("od", with_more)
        self.prepared = steps.prepare(self.instance)
        at = {tuple(row): i for i, row in enumerate(self.prepared.bundles[KEY].to_numpy().tolist())}
        self.wanted["bundle"] = [at[tuple(row)] for row in self.wanted[KEY].to_numpy().tolist()]
        periods = [p.year for p in instance.periods]
        self.t = [periods.index(year) for year in self.years]
        self.warm = Warm(threads=steps.options.threads, seed=steps.options.seed)
        self.base, self.base_eur = self._solve(self.prepared)

    def _solve(self, prepared: Prepared) -> tuple[Pricing, float]:
        built: Built = self.steps.build(self.instance, prepared, self.spec)
        form: StandardForm = with_whole_numbers(built, standard_form(built), self.run, only=("built",))
        found = solved(form, self.warm, self.steps)
        if found is None:
            raise SolveError(
                "with the projects of the plan there is no way to serve all demand; is it a plan of this data?"
            )
        values, dual = found
        return Pricing(built, form, values, dual), float(form.cost @ values) + form.cost_offset

    def prices(self, pricing: Pricing, rows: pd.DataFrame) -> Floats:
        """Discounted EUR/t of flows (rows, periods of the plant)."""
        return np.array([[pricing.price(int(bundle), t) for t in self.t] for bundle in rows["bundle"]])

    def columns(self, pricing: Pricing, bundle: int, t: int) -> list[int]:
        """Columns of a flow in a period that carry something, most first."""
        flows, start = pricing.built.data.flows, pricing.built.start["carried_t"]
        mine = np.flatnonzero((flows.bundle == bundle) & (flows.t == t)) + start
        carried = pricing.values[mine]
        return [int(mine[i]) for i in np.argsort(-carried) if carried[i] > 1e-6]

    def exact(self, place: str) -> tuple[float, float]:
        """Net present EUR that the region pays more for the whole plant at a place, and the plant's own part of it."""
        rows = self.wanted[self.wanted["place"] == place]
        demand = self.prepared.demand_t.copy()
        for bundle, tonnes in zip(rows["bundle"], rows["tonnes"], strict=True):
            demand[bundle, self.t] += tonnes
        pricing, eur = self._solve(replace(self.prepared, demand_t=demand))
        factor = pricing.built.data.time.yearly_factor
        own = 0.0
        for bundle, tonnes in rows.groupby("bundle")["tonnes"].sum().items():
            for t in self.t:
                ways = [pricing.way(column, float(factor[t])) for column in self.columns(pricing, int(str(bundle)), t)]
                carried = sum(way["carried_t_per_year"] for way in ways)
                direct = sum(
                    way["carried_t_per_year"] * (way["total_eur_per_t"] - way["scarcity_eur_per_t"]) for way in ways
                )
                own += float(factor[t]) * float(tonnes) * direct / carried
        return eur - self.base_eur, own


def locate(
    instance: Instance, run: Run, spec: ModelSpec, steps: Steps, plant: Plant, *, places: Sequence[str] = (),
    exact: int = 0, say: Say = lambda _line: None,
) -> Located:  # fmt: skip
    """Rank places for a plant; the `exact` cheapest are solved too. Raises NbbError for places that are no zones."""
    chosen = candidates(instance, places)
    say(f"{len(chosen)} places, {len(plant.flows)} flows: one linear program with the projects of the plan")
    region = _Region(instance, run, spec, steps, plant, chosen)
    flows = _flow_rows(instance, region)
    table = _place_rows(instance, run, region, flows, chosen).sort_values(["npv_eur", "place"], ignore_index=True)
    found = {}
    for place in table["place"].head(exact):
        say(f"solving with the plant at {place}")
        found[place] = region.exact(place)
    table["exact_eur"] = [found.get(place, (math.nan,))[0] for place in table["place"]]
    table["others_eur"] = [
        found[place][0] - found[place][1] if place in found else math.nan for place in table["place"]
    ]
    return Located(instance, plant, region.years[0], table, flows)


def candidates(instance: Instance, places: Sequence[str]) -> list[str]:
    """The places to compare: those given, or every zone that is a town, a port or a plant."""
    nodes = instance["nodes"]
    zones = nodes.loc[nodes["is_zone"].astype(bool)]
    for place in places:
        if place not in zones["node"].tolist():
            hint = did_you_mean(place, zones["node"].tolist()) or f"zones are {listed(zones['node'].tolist(), 30)}"
            raise NbbError(f"places={place}: not a zone of the instance ({hint})")
    found = list(places) or zones.loc[zones["kind"].isin(PLACE_KINDS), "node"].tolist()
    if not found:
        raise NbbError(f"{instance.path}: no zone is a town, a port or a plant; name the places")
    return found


def flows_at(plant: Plant, places: Sequence[str]) -> pd.DataFrame:
    """place, row (of the plant), origin, destination, commodity, tonnes; none where the partner is at the place."""
    rows = []
    for place in places:
        for i, flow in plant.flows.iterrows():
            ends = (flow["partner"], place) if flow["what"] == NEEDS else (place, flow["partner"])
            if ends[0] != ends[1]:
                rows.append((place, i, *ends, flow["commodity"], float(flow["amount"])))
    return pd.DataFrame(rows, columns=["place", "row", *KEY, "tonnes"])


def _flow_rows(instance: Instance, region: _Region) -> pd.DataFrame:
    """What every flow costs, takes and emits at every place in the first period of the plant, and how it goes."""
    pricing, t = region.base, region.t[0]
    factor = pricing.built.data.time.yearly_factor
    rows = region.wanted.reset_index(drop=True)
    prices = region.prices(pricing, rows)
    known: dict[int, dict[str, Any]] = {}
    for bundle in rows["bundle"].unique().tolist():
        known[bundle] = pricing.way(region.columns(pricing, bundle, t)[0], float(factor[t]))
    way = pd.DataFrame([known[bundle] for bundle in rows["bundle"]])
    wanted = ["chain", "main_mode", "co2e_wtw_kg_per_t", "driver_h_per_t", "time_h", "distance_km"]
    return pd.concat([rows, way[wanted]], axis=1).assign(
        npv_eur_per_t=prices.sum(axis=1), eur_per_t=prices[:, 0] / float(factor[t])
    )


def _place_rows(
    instance: Instance, run: Run, region: _Region, flows: pd.DataFrame, places: Sequence[str]
) -> pd.DataFrame:
    plant, product_t = region.plant, region.plant.product_t
    nodes = instance["nodes"].set_index("node")
    stock = InventoryTables(instance, run)
    use = stock.use[stock.use["year"] >= region.years[0]]
    names = stock.objects.set_index("object")["name"]
    ideas = projects_of(instance)
    area = use[(use["kind"] == "charge_area") & (use["year"] == region.years[0])].set_index("object")
    free = dict(amounts(area["limit"] - area["used"]))
    at_wheel = instance["occupations"].query("work == 'driver_h_per_year'")["occupation"]
    staff = stock.staff[(stock.staff["year"] == region.years[0]) & stock.staff["occupation"].isin(at_wheel)]
    spare = dict(amounts((staff["people"] - staff["needed"]).groupby(staff["fleet_region"]).sum(min_count=1)))
    limited = use[np.isfinite(use["limit"]) & use["kind"].isin(("line", "crossing", "port", "terminal"))]
    at_chain = _passed(instance, region.prepared, flows["chain"].unique())
    rows = []
    for place in places:
        mine = flows[flows["place"] == place]
        tonnes = mine["tonnes"]
        home = str(nodes.at[place, "charge_area"])
        inputs = plant.flows[plant.flows["what"] == NEEDS]
        near = inputs["partner"].map(nodes["kind"]) != "gateway"
        first = _first_bottleneck(limited, at_chain, mine)
        mend = [project.name for project in ideas.get(first[0], [])] if first else []
        sides = {side: mine[mine["row"].map(plant.flows["what"]) == side] for side in (NEEDS, MAKES)}
        rows.append({
            "place": place, "name": nodes.at[place, "name"], "country": nodes.at[place, "country"],
            "eur_per_t_product": float((tonnes * mine["eur_per_t"]).sum()) / product_t,
            **{f"{word}_eur_per_t_product": float((part["tonnes"] * part["eur_per_t"]).sum()) / product_t
               for word, part in (("inputs", sides[NEEDS]), ("outputs", sides[MAKES]))},
            "npv_eur": float((tonnes * mine["npv_eur_per_t"]).sum()),
            "time_in_h": _mean(sides[NEEDS], "time_h"), "time_out_h": _mean(sides[MAKES], "time_h"),
            "co2e_kg_per_t_product": float((tonnes * mine["co2e_wtw_kg_per_t"]).sum()) / product_t,
            "region_share": float(inputs["amount"][near].sum() / inputs["amount"].sum()) if len(inputs) else math.nan,
            "free_mw": free.get(home, math.nan),
            "drivers": float((tonnes * mine["driver_h_per_t"]).sum()) / DRIVER_H_PER_YEAR,
            "free_drivers": spare.get(nodes.at[place, "fleet_region"], math.nan),
            "first_bottleneck": str(names[first[0]]) if first else "", "full_year": first[1] if first else math.nan,
            "could_be_built": "; ".join(mend),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _mean(rows: pd.DataFrame, figure: str) -> float:
    return float(np.average(rows[figure], weights=rows["tonnes"])) if len(rows) else 0.0


def _passed(instance: Instance, prepared: Prepared, chains: np.ndarray) -> dict[int, list[str]]:
    """The objects with a capacity that each chain uses: owners of links, terminals."""
    tables, own = prepared.written(chains=chains, lanes=np.zeros(0, np.int64)), owners(instance)
    steps = tables["chain_steps"].astype(dict.fromkeys(("link", "terminal", "kind"), "str"))
    on_road = steps[steps["kind"] == "lane"][["chain", "lane"]].merge(tables["lane_links"][["lane", "link"]], on="lane")
    parts = [
        steps.loc[steps["link"] != "", ["chain", "link"]].set_axis(["chain", "object"], axis=1),
        on_road[["chain", "link"]].set_axis(["chain", "object"], axis=1).astype({"object": "str"}),
    ]
    rows = pd.concat([part.assign(object=part["object"].map(own)) for part in parts])
    ends = steps.loc[steps["terminal"] != "", ["chain", "terminal"]].set_axis(["chain", "object"], axis=1)
    found = pd.concat([rows, ends]).groupby("chain")["object"].agg(list)
    return dict(zip(found.index.tolist(), found.tolist(), strict=True))


def _first_bottleneck(
    limited: pd.DataFrame, passed: dict[int, list[str]], mine: pd.DataFrame
) -> tuple[str, int] | None:  # fmt: skip
    """The object that has no room for the plant first, and the year."""
    more: dict[str, float] = {}
    for chain, tonnes in zip(mine["chain"], mine["tonnes"], strict=True):
        for name in passed.get(chain, []):
            more[name] = more.get(name, 0.0) + float(tonnes)
    added = limited["object"].map(more)
    short = limited[added.notna() & (limited["used"] + added.fillna(0.0) > limited["limit"] * (1 + 1e-9))]
    if short.empty:
        return None
    worst = short.assign(over=(short["used"] + added[short.index]) / short["limit"].clip(lower=1.0))
    first = worst.sort_values(["year", "over"], ascending=[True, False]).iloc[0]
    return str(first["object"]), int(first["year"])
