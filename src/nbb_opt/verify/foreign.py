"""Solutions of other engines: a folder of tables as models/SOLUTIONS.md describes them, completed and verified."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance
from nbb_opt.recompute.demand import FLOW, demand_of
from nbb_opt.recompute.network import read_chains, read_network
from nbb_opt.recompute.verdict import Checks, Verdict
from nbb_opt.recompute.world import World, join, read_world
from nbb_opt.result import TABLES, as_table
from nbb_opt.verify import paths
from nbb_opt.verify.foreign_tables import read_tables
from nbb_opt.verify.plan import PlanCheck, verify_plan
from nbb_opt.verify.use import UNITS

CLAIMS = "claims.json"
CLAIMABLE = ("cost_eur", "bound", "gap", "emissions_t_co2e")
AGREES = {"agree_costs": "costs", "agree_emissions": "emissions", "agree_energy": "energy", "agree_use": "use"}
Tables = dict[str, pd.DataFrame]


def verify_foreign(
    folder: Path, instance: Instance, *, blocks: Sequence[str], technologies: str, projects: str
) -> Verdict:
    """Verify the solution in `folder` with every rule of the model; what it does not claim is worked out here.

    `blocks`, `technologies` and `projects` are those of the model. Raises InstanceError naming every fault of the
    files; a plan that breaks a rule is refused in the verdict, not raised.
    """
    world = read_world(instance)
    given = read_tables(folder)
    claims = _claims(folder)
    tables = complete(world, given)
    accounts = _accounts(world, tables, blocks)
    tables |= {name: frame for name, frame in accounts.items() if name not in given}
    verdict = verify_plan(
        instance, tables, blocks=blocks, technologies=technologies, projects=projects, reported=claims
    )
    return _without_what_was_not_said(verdict, {rule for rule, name in AGREES.items() if name not in given})


def complete(world: World, given: Mapping[str, pd.DataFrame]) -> Tables:
    """Every table of `result.TABLES`, from those that a solution gives; accounts that it does not give stay empty."""
    demand = demand_of(world).table(world.years)
    flows = pd.concat([demand[FLOW], given["chains"][FLOW]]).drop_duplicates(ignore_index=True)
    bundles = flows.assign(bundle=np.arange(len(flows)))
    tables = {name: as_table(name, given.get(name)) for name in TABLES if name not in _DERIVED}
    tables["bundles"] = as_table("bundles", bundles)
    tables["demand"] = as_table("demand", demand.pipe(join, bundles, on=FLOW)[list(TABLES["demand"])])
    lanes, lane_links = _lanes(world, given["lanes"])
    tables["lanes"], tables["lane_links"] = lanes, lane_links
    chains = given["chains"].pipe(join, bundles, on=FLOW, how="left")
    tables["chain_steps"] = _steps(world, given["chain_steps"], chains, lanes)
    tables["chains"] = _chains(world, tables, chains)
    tables["chargers"] = _chargers(world, given["chargers"])
    tables["projects"] = _projects(world, given["projects"])
    tables["use"] = _public(world, given.get("public_charging"))
    return tables


_DERIVED = ("bundles", "demand", "chains", "chain_steps", "lanes", "lane_links", "chargers", "projects", "use")


def _without_what_was_not_said(verdict: Verdict, silent: set[str]) -> Verdict:
    """A refused plan has no accounts; that these do not agree is left out where the solution gave none."""
    checks = verdict.checks
    missing = checks["rule"].isin(silent) & ~checks["ok"]
    if not (~checks["ok"] & ~missing).any():
        return verdict
    return replace(verdict, checks=checks[~missing].reset_index(drop=True))


def _claims(folder: Path) -> dict[str, Any]:
    path = folder / CLAIMS
    if not path.exists():
        return {}
    try:
        claims = dict(json.loads(path.read_bytes()))
    except (ValueError, TypeError) as fault:
        raise NbbError(f"{path}: cannot be read ({fault})") from None
    if odd := sorted(set(claims) - set(CLAIMABLE)):
        raise NbbError(f"{path}: {', '.join(odd)} is unknown; it may hold {', '.join(CLAIMABLE)}")
    return claims


def _ends(world: World) -> dict[str, tuple[str, str]]:
    links = world.table("links")
    return {link: (a, b) for link, a, b in zip(links["link"], links["from_node"], links["to_node"], strict=True)}


def _along(ends: Mapping[str, tuple[str, str]], link: str, at: str) -> tuple[str, str]:
    """From and to node of a link driven from `at`; as the link itself runs where it does not start there."""
    first, last = ends.get(link, ("", ""))
    return (last, first) if at == last and at != first else (first, last)


def _lanes(world: World, given: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    links, ends = world.indexed("links"), _ends(world)
    lanes, parts = [], []
    for row in given.to_dict("records"):
        route, at = [link for link in row["links"].split(";") if link], row["from_node"]
        known = links.reindex(route)
        for step, link in enumerate(route):
            start, stop = _along(ends, link, at)
            parts.append({"lane": row["lane"], "step": step, "link": link, "from_node": start, "to_node": stop})
            at = stop
        limit = known["max_gross_t"].min()
        lanes.append(
            {
                "lane": row["lane"], "from_node": row["from_node"], "to_node": at, "cargo_type": row["cargo_type"],
                "distance_km": known["distance_km"].sum(), "time_h": known["time_h"].sum(),
                "gross_limit_t": np.inf if pd.isna(limit) else limit,
            }
        )  # fmt: skip
    return as_table("lanes", lanes), as_table("lane_links", parts)


def _steps(world: World, given: pd.DataFrame, chains: pd.DataFrame, lanes: pd.DataFrame) -> pd.DataFrame:
    ends, links = _ends(world), world.indexed("links")
    lane_ends = lanes.set_index("lane")[["from_node", "to_node"]]
    origin = chains.set_index("chain")["origin"].to_dict()
    project_of = _transfer_projects(world)
    at: dict[int, str] = {}
    rows: list[dict[str, Any]] = []
    for row in given.sort_values(["chain", "step"], kind="stable").to_dict("records"):
        chain, kind = row["chain"], row["kind"]
        here = at.get(chain, origin.get(chain, ""))
        step: dict[str, Any] = {str(k): v for k, v in row.items()} | {"from_node": here, "to_node": here, "project": ""}
        if kind == "link":
            step["from_node"], step["to_node"] = _along(ends, row["link"], here)
            if row["link"] in links.index:
                step["mode_a"], step["project"] = links.at[row["link"], "mode"], links.at[row["link"], "project"]
        elif kind == "lane":
            if row["lane"] in lane_ends.index:
                step["from_node"], step["to_node"] = lane_ends.loc[row["lane"]]
            step["mode_a"] = "road"
        else:
            step["project"] = project_of.get((here, row["mode_a"], row["mode_b"], row["terminal"]), "")
        at[chain] = step["to_node"]
        rows.append(step)
    return as_table("chain_steps", rows)


def _transfer_projects(world: World) -> dict[tuple[str, str, str, str], str]:
    """Project of every transfer, both ways round; one that needs no project comes first."""
    given = world.table("transfers")[["node", "mode_a", "mode_b", "terminal", "project"]].sort_values("project")
    found: dict[tuple[str, str, str, str], str] = {}
    for node, one, two, terminal, project in given.itertuples(index=False):
        found.setdefault((node, one, two, terminal), project)
        found.setdefault((node, two, one, terminal), project)
    return found


def _chains(world: World, tables: Tables, chains: pd.DataFrame) -> pd.DataFrame:
    """Totals and projects of the chains, from the steps as the instance describes them."""
    plain = chains.assign(kind="", main_mode="", distance_km=0.0, time_h=0.0, projects="")
    known = tables | {"chains": as_table("chains", plain[list(TABLES["chains"])])}
    network = read_network(world, known)
    described = read_chains(network, known)
    sums = paths.chain_totals(described)
    needed = paths.needed_projects(network, described).sort_values("project")
    sets = needed.groupby("chain")["project"].agg(";".join).astype("str").reindex(chains["chain"]).fillna("")
    modes = paths.main_modes(network, described)
    return as_table(
        "chains",
        chains.assign(
            kind=modes, main_mode=modes, distance_km=sums["true_km"].to_numpy(), time_h=sums["true_h"].to_numpy(),
            projects=sets.to_numpy(),
        )[list(TABLES["chains"])],
    )  # fmt: skip


def _chargers(world: World, given: pd.DataFrame) -> pd.DataFrame:
    """Chargers in service in every period, from those installed and their lifetime."""
    life = world.indexed("chargers")["lifetime_years"]
    rows = []
    for (area, charger), group in given.groupby(["charge_area", "charger"], sort=True):
        lasting = life.get(charger, np.inf)
        installed = dict(zip(group["year"], group["installed"], strict=True))
        for year in sorted({*world.years, *installed}):
            serving = sum(n for start, n in installed.items() if start <= year < start + lasting)
            if serving or year in installed:
                rows.append(
                    {"charge_area": area, "charger": charger, "year": year, "installed": installed.get(year, 0),
                     "in_service": serving}
                )  # fmt: skip
    return as_table("chargers", rows)


def _projects(world: World, given: pd.DataFrame) -> pd.DataFrame:
    """Units newly built: those in service less those in service a period before."""
    serving = {(row["project"], row["year"]): row["in_service"] for row in given.to_dict("records")}
    before = {year: world.before(year) for year in world.years}
    newly = [n - serving.get((project, before.get(year)), 0) for (project, year), n in serving.items()]
    return as_table("projects", given.assign(newly_built=newly)[list(TABLES["projects"])])


def _public(world: World, given: pd.DataFrame | None) -> pd.DataFrame:
    """What is bought at others' points, as rows of `use`."""
    if given is None:
        return as_table("use")
    offers = world.public.rename(columns={"kwh_per_year": "limit"})[["charge_area", "year", "limit"]]
    rows = given.pipe(join, offers, on=["charge_area", "year"], how="left").fillna({"limit": 0.0})
    rows = rows.rename(columns={"charge_area": "row", "kwh": "used"}).assign(kind="public_charging", unit="kWh")
    return as_table("use", rows[list(TABLES["use"])])


def _accounts(world: World, tables: Tables, blocks: Sequence[str]) -> Tables:
    """Costs, emissions, energy and use as the verifier finds them; none where the plan cannot be followed."""
    checks = Checks()
    try:
        check = PlanCheck(world, tables, set(blocks), checks)
        check.limits()
        costs, emissions = check.accounts()
    except (KeyError, IndexError, ValueError, TypeError, pd.errors.InvalidIndexError):
        return {}  # the verifier says what is wrong with the tables
    use = pd.concat([rows.assign(kind=kind, unit=UNITS[kind]) for kind, rows in check.used.items()], ignore_index=True)
    found = {
        "costs": costs[costs["amount_eur"] != 0], "emissions": emissions, "energy": check.energy,
        "use": use[use["used"] > 0],
    }  # fmt: skip
    frames = {name: frame[list(TABLES[name])] for name, frame in found.items()}
    return {name: as_table(name, frame) for name, frame in frames.items() if not frame.isna().any(axis=None)}
