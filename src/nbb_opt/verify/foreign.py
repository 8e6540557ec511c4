"""Solutions of other engines: a folder of tables as models/SOLUTIONS.md describes them, checked and verified."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nbb_opt.errors import InstanceError, NbbError, Problem
from nbb_opt.instance import Instance
from nbb_opt.recompute import FLOW, World, demand_of, read_chains, read_network, read_world
from nbb_opt.renames import is_now
from nbb_opt.result import TABLES, as_table
from nbb_opt.verify import paths
from nbb_opt.verify.accounts import Prices
from nbb_opt.verify.limits import UNITS
from nbb_opt.verify.plan import PlanCheck, verify_plan
from nbb_opt.verify.verdict import Checks, Verdict

# table -> column -> dtype; the text in models/SOLUTIONS.md says the same
REQUIRED: dict[str, dict[str, str]] = {
    "chains": {"chain": "int64", "origin": "str", "destination": "str", "commodity": "str"},
    "chain_steps": {
        "chain": "int64", "step": "int64", "kind": "str", "lane": "int64", "link": "str", "mode_a": "str",
        "mode_b": "str", "terminal": "str",
    },
    "lanes": {"lane": "int64", "cargo_type": "str", "from_node": "str", "links": "str"},
    "flows": TABLES["flows"],
    "driven": TABLES["driven"],
    "empties": TABLES["empties"],
    "fleet": TABLES["fleet"],
    "chargers": {"charge_area": "str", "charger": "str", "year": "int64", "installed": "int64"},
    "projects": {"project": "str", "year": "int64", "in_service": "int64"},
}  # fmt: skip
OPTIONAL: dict[str, dict[str, str]] = {
    "public_charging": {"charge_area": "str", "year": "int64", "kwh": "float64"},
    "supplied": TABLES["supplied"],
    "fuels": TABLES["fuels"],
    "costs": TABLES["costs"],
    "emissions": TABLES["emissions"],
    "energy": TABLES["energy"],
}
KEYS = {"chains": ["chain"], "lanes": ["lane"], "chargers": ["charge_area", "charger", "year"]}
KEYS |= {"projects": ["project", "year"], "chain_steps": ["chain", "step"]}
OTHER_FILES = ("claims.json", "README.md")


def is_foreign(folder: Path) -> bool:
    """True for a folder that holds the tables of a solution and is no run folder."""
    return folder.is_dir() and not (folder / "manifest.json").exists() and any(_files(folder, "flows"))


def read_tables(folder: Path) -> dict[str, pd.DataFrame]:
    """The tables that there are, with the dtypes above. Raises InstanceError with every fault of every file."""
    if not folder.is_dir():
        raise InstanceError([Problem(str(folder), "is no folder of tables", "see models/SOLUTIONS.md")])
    problems: list[Problem] = []
    tables: dict[str, pd.DataFrame] = {}
    for name, columns in {**REQUIRED, **OPTIONAL}.items():
        files = _files(folder, name)
        if len(files) > 1:
            problems.append(Problem(f"{folder}/{name}", "is there as .csv and as .parquet", "keep one"))
        elif files:
            tables[name] = _read(files[0], columns, problems)
        elif name in REQUIRED:
            hint = f"a table with the columns {', '.join(columns)}; without rows if there is nothing to say"
            problems.append(Problem(f"{folder}/{name}.csv", "is missing", hint))
    known = {f"{name}.{end}" for name in {**REQUIRED, **OPTIONAL} for end in ("csv", "parquet")}
    for path in sorted(folder.iterdir()):
        if path.name not in known and path.name not in OTHER_FILES:
            problems.append(Problem(str(path), "is no table of a solution", "take it out; see models/SOLUTIONS.md"))
    for name, key in KEYS.items():
        if name in tables and not problems and tables[name].duplicated(key).any():
            row = tables[name].loc[tables[name].duplicated(key), key].iloc[0]
            problems.append(Problem(f"{folder}/{name}", f"{' / '.join(map(str, row))} stands twice"))
    if problems:
        raise InstanceError(problems)
    return tables


def _files(folder: Path, name: str) -> list[Path]:
    return [path for end in ("csv", "parquet") if (path := folder / f"{name}.{end}").is_file()]


def _read(path: Path, columns: dict[str, str], problems: list[Problem]) -> pd.DataFrame:
    try:
        if path.suffix == ".csv":
            frame = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8")
        else:
            frame = pq.read_table(path, page_checksum_verification=True).to_pandas()
    except (OSError, ValueError, pa.ArrowException) as fault:
        problems.append(Problem(str(path), f"cannot be read ({str(fault).strip()})"))
        return pd.DataFrame(columns=list(columns))
    if renamed := [name for name in map(str, frame.columns) if is_now("column", name, path.stem)]:
        problems += [
            Problem(f"{path}, column {name}", is_now("column", name, path.stem), "rename it") for name in renamed
        ]
        return pd.DataFrame(columns=list(columns))
    if set(frame.columns) != set(columns):
        odd = ", ".join(sorted(set(map(str, frame.columns)) ^ set(columns)))
        problems.append(Problem(str(path), f"missing or unknown columns: {odd}", f"it has {', '.join(columns)}"))
        return pd.DataFrame(columns=list(columns))
    for column, dtype in columns.items():
        frame[column] = _values(path, frame[column], dtype, problems)
    return frame[list(columns)]


def _values(path: Path, values: pd.Series, dtype: str, problems: list[Problem]) -> pd.Series:
    if dtype == "str":
        return values.fillna("").astype("str")
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    bad = ~numbers.abs().lt(float("inf"))
    what = "is no number"
    if dtype == "int64" and not bad.any():
        bad = numbers % 1 != 0
        what = "is no whole number (be_whole)"
    for i in bad.to_numpy().nonzero()[0][:20]:
        problems.append(Problem(f"{path} row {i + 2}, {values.name} {values.iloc[i]!r}", what))
    numbers = numbers.where(~bad, 0.0)
    return numbers.astype("int64") if dtype == "int64" else numbers


CLAIMS = "claims.json"
CLAIMABLE = ("cost_eur", "bound", "gap", "emissions_t_co2e")
AGREES = {"agree_costs": "costs", "agree_emissions": "emissions", "agree_energy": "energy", "agree_use": "use"}
Tables = dict[str, pd.DataFrame]


def verify_foreign(
    folder: Path,
    instance: Instance,
    *,
    blocks: Sequence[str],
    technologies: str,
    projects: str,
    prices: Prices | None = None,
    caps_t: Mapping[str, float] | None = None,
) -> Verdict:
    """Verify the solution in `folder` with every rule of the model; what it does not claim is worked out here.

    `blocks`, `technologies`, `projects`, `prices` and `caps_t` are those of the model, as in `verify_plan`. Raises
    InstanceError naming every fault of the files; a plan that breaks a rule is refused in the verdict, not raised.
    """
    world = read_world(instance)
    given = read_tables(folder)
    claims = _claims(folder)
    tables = complete(world, given)
    accounts = _accounts(world, tables, blocks, prices or {})
    tables |= {name: frame for name, frame in accounts.items() if name not in given}
    verdict = verify_plan(
        instance, tables, blocks=blocks, technologies=technologies, projects=projects, reported=claims, prices=prices,
        caps_t=caps_t,
    )  # fmt: skip
    return _without_what_was_not_said(verdict, {rule for rule, name in AGREES.items() if name not in given})


def complete(world: World, given: Mapping[str, pd.DataFrame]) -> Tables:
    """Every table of `result.TABLES`, from those that a solution gives; accounts that it does not give stay empty."""
    demand = demand_of(world).table(world.years)
    flows = pd.concat([demand[FLOW], given["chains"][FLOW]]).drop_duplicates(ignore_index=True)
    bundles = flows.assign(bundle=np.arange(len(flows)))
    tables = {name: as_table(name, given.get(name)) for name in TABLES if name not in _DERIVED}
    tables["bundles"] = as_table("bundles", bundles)
    tables["demand"] = as_table("demand", demand.merge(bundles, on=FLOW)[list(TABLES["demand"])])
    lanes, lane_links = _lanes(world, given["lanes"])
    tables["lanes"], tables["lane_links"] = lanes, lane_links
    chains = given["chains"].merge(bundles, on=FLOW, how="left")
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
    rows = given.merge(offers, on=["charge_area", "year"], how="left").fillna({"limit": 0.0})
    rows = rows.rename(columns={"charge_area": "row", "kwh": "used"}).assign(kind="public_charging", unit="kWh")
    return as_table("use", rows[list(TABLES["use"])])


def _accounts(world: World, tables: Tables, blocks: Sequence[str], prices: Prices) -> Tables:
    """Costs, emissions, energy and use as the verifier finds them; none where the plan cannot be followed."""
    checks = Checks()
    try:
        check = PlanCheck(world, tables, set(blocks), checks)
        check.limits()
        costs, emissions = check.accounts(prices)
    except (KeyError, IndexError, ValueError, TypeError, pd.errors.InvalidIndexError):
        return {}  # the verifier says what is wrong with the tables
    use = pd.concat([rows.assign(kind=kind, unit=UNITS[kind]) for kind, rows in check.used.items()], ignore_index=True)
    found = {
        "costs": costs[costs["amount_eur"] != 0], "emissions": emissions, "energy": check.energy,
        "use": use[use["used"] > 0],
    }  # fmt: skip
    frames = {name: frame[list(TABLES[name])] for name, frame in found.items()}
    return {name: as_table(name, frame) for name, frame in frames.items() if not frame.isna().any(axis=None)}
