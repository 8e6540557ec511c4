"""Who the players are, and the instance in which some of them plan together and the others as today (see README.md)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from nbb_opt.errors import InstanceError, NbbError, Problem
from nbb_opt.instance import Instance
from nbb_opt.instance.read import varied
from nbb_opt.instance.what_if import NEVER
from nbb_opt.instance.wording import did_you_mean, listed
from nbb_opt.report.grid import each
from nbb_opt.result import Tables

MOST = 8  # players: 2**8 - 8 plans
BUDGET = "limit_budget_eur"
COLUMNS = ("country", "fleet_region", "charge_area", "nuts3")
DUST_T = 1e-3  # a use below this is none
Block = frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Players:
    """Players in order; of nodes, countries and charging areas whose they are; and who pays which share of a project.

    A country or an area is a player's if all its nodes that are anybody's are; what is nobody's is left out. `pays`
    follows `project_funding`; a project that no player funds there is paid by the player of its node, if there is one.
    """

    names: tuple[str, ...]
    of_node: Mapping[str, str]
    of_country: Mapping[str, str]
    of_area: Mapping[str, str]
    pays: Mapping[str, Mapping[str, float]]

    def coalitions(self) -> list[Block]:
        """Every coalition that is not empty, the smallest first."""
        sizes = range(1, len(self.names) + 1)
        return [frozenset(some) for size in sizes for some in combinations(self.names, size)]

    def bits(self, coalition: Block) -> int:
        """The place of a coalition among the values of a game."""
        return sum(1 << i for i, name in enumerate(self.names) if name in coalition)


def players_of(instance: Instance, *, by: str = "country", table: pd.DataFrame | None = None) -> Players:
    """Players by a column of `nodes`, or by a `table` with columns player and node.

    By country the players are those that fund projects or have a budget, where there are two such countries. Raises
    InstanceError for a table that does not fit, NbbError for fewer than two players or more than `MOST`.
    """
    nodes = instance["nodes"]
    if table is not None:
        of_node = _of_table(nodes, table)
    elif by not in COLUMNS:
        raise NbbError(f"by={by!r} is no such column of nodes; those are {', '.join(COLUMNS)}")
    else:
        of_node = {node: name for node, name in zip(nodes["node"], nodes[by], strict=True) if name}
        if by == "country":
            policies = instance["policies"]
            funding = {*instance["project_funding"]["country"], *policies.loc[policies["kind"] == BUDGET, "country"]}
            if len(funding & set(of_node.values())) > 1:
                of_node = {node: name for node, name in of_node.items() if name in funding}
    names = tuple(dict.fromkeys(sorted(of_node.values())))
    if not 2 <= len(names) <= MOST:
        raise NbbError(
            f"{len(names)} players ({listed(names, 12)}): a game needs two to {MOST}, since every coalition of n "
            "players is a plan of its own, 2^n in all; join some by a table with columns player and node"
        )
    of_country = _whole(nodes["country"], nodes["node"], of_node)
    projects = instance["projects"]
    site = {a: of_node[node] for a, node in zip(projects["project"], projects["node"], strict=True) if node in of_node}
    pays: dict[str, dict[str, float]] = {a: {} for a in projects["project"]}
    for row in each(instance["project_funding"]):
        if row.country in of_country and row.share > 0:
            mine = pays[row.project]
            mine[of_country[row.country]] = mine.get(of_country[row.country], 0.0) + row.share
    pays = {a: mine or ({site[a]: 1.0} if a in site else {}) for a, mine in pays.items()}
    return Players(
        names=names, of_node=of_node, of_country=of_country,
        of_area=_whole(nodes["charge_area"], nodes["node"], of_node), pays=pays,
    )  # fmt: skip


def _of_table(nodes: pd.DataFrame, table: pd.DataFrame) -> dict[str, str]:
    """Player by node of a table. Raises InstanceError with every problem."""
    if missing := [name for name in ("player", "node") if name not in table]:
        raise InstanceError([Problem("players", f"has no column {missing[0]}", "columns are player, node", "players")])
    known, found, problems = set(nodes["node"]), dict[str, str](), []
    for number, (player, node) in enumerate(zip(table["player"], table["node"], strict=True), 2):
        where = f"players, row {number}"
        if not isinstance(player, str) or not player.strip():
            problems.append(Problem(where, "has no player", "name one", "players"))
        elif node not in known:
            hint = did_you_mean(str(node), known) or "name a node of nodes"
            problems.append(Problem(where, f"{node!r} is not in nodes.node", hint, "players"))
        elif found.setdefault(node, player) != player:
            problems.append(Problem(where, f"{node!r} is {found[node]}'s already", "remove one of the two", "players"))
    if problems:
        raise InstanceError(problems)
    return found


def _whole(groups: pd.Series, nodes: pd.Series, of_node: Mapping[str, str]) -> dict[str, str]:
    """The one player of each group of nodes; groups of several players, or of none, are left out."""
    found: dict[str, set[str]] = {}
    for group, node in zip(groups, nodes, strict=True):
        if group and node in of_node:
            found.setdefault(group, set()).add(of_node[node])
    return {group: next(iter(mine)) for group, mine in found.items() if len(mine) == 1}


def use_today(instance: Instance, frozen: Tables) -> dict[str, float]:
    """The greatest use in a year of each link of the frozen plan, by what its capacity is counted on, t/year."""
    steps, links = frozen["chain_steps"], instance["links"]
    driven = steps.loc[steps["kind"] == "lane", ["chain", "lane"]].merge(
        frozen["lane_links"][["lane", "link"]], on="lane"
    )
    used = pd.concat([steps.loc[steps["kind"] == "link", ["chain", "link"]], driven[["chain", "link"]]]).astype(
        {"link": str}
    )
    group = _groups(links)
    used = used.assign(group=used["link"].map(group)).merge(frozen["flows"], on="chain")
    most = used.groupby(["group", "year"])["tonnes"].sum().groupby("group").max()
    return {str(name): float(tonnes) for name, tonnes in most.items()}


def _groups(links: pd.DataFrame) -> dict[str, str]:
    """What the capacity of each link is counted on."""
    return {link: shared or link for link, shared in zip(links["link"], links["capacity_link"], strict=True)}


def borders(instance: Instance, players: Players) -> dict[str, Block]:
    """Between whom a link runs, for each that joins nodes of different players, by what its capacity is counted on."""
    links, of_node = instance["links"], players.of_node
    found: dict[str, Block] = {}
    for row, group in zip(each(links), _groups(links).values(), strict=True):
        ends = frozenset(of_node[node] for node in (row.from_node, row.to_node) if node in of_node)
        if len(ends) > 1:
            found[group] = found.get(group, frozenset()) | ends
    return found


@dataclass(frozen=True)
class Harmonised:
    """Statements (see instance/what_if.py) that hold once all of some players plan together: harmonised rules."""

    between: Block
    changes: tuple[str, ...]


def read_players(path: Path) -> pd.DataFrame:
    """A table of players from a .csv file. Raises NbbError where it cannot be read."""
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as fault:
        raise NbbError(f"{path}: cannot be read as a table with columns player and node ({fault})") from fault


def read_rules(path: Path) -> tuple[Harmonised, ...]:
    """Rules of a .toml file: `[[rules]]` with `between` (players), `changes` (statements) and `reason`.

    Raises InstanceError with what is wrong with it.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as fault:
        raise InstanceError(
            [Problem(str(path), f"cannot be read: {fault}", "write TOML: [[rules]]", "rules")]
        ) from None
    found, problems = [], []
    if set(document) != {"rules"} or not isinstance(document["rules"], list):
        raise InstanceError([Problem(str(path), "holds something else than [[rules]]", "see the README", "rules")])
    for number, row in enumerate(document["rules"], 1):
        keys = row if isinstance(row, dict) else {}
        between, changes = (keys.get(key, []) for key in ("between", "changes"))
        texts = all(isinstance(words, list) and {*map(type, words)} == {str} for words in (between, changes))
        if not texts or set(keys) != {"between", "changes", "reason"}:
            hint = 'between = ["NO", "SE"], changes = ["links.max_gross_t[link=...] = 74"], reason = "..."'
            problems.append(Problem(f"{path.name}, rule {number}", "cannot be read", hint, "rules"))
        else:
            found.append(Harmonised(frozenset(between), tuple(changes)))
    if problems:
        raise InstanceError(problems)
    return tuple(found)


def harmonised(instance: Instance, players: Players, coalition: Block, rules: Sequence[Harmonised]) -> Instance:
    """The instance with the rules that hold between members of a coalition; the same one if there are none.

    Raises InstanceError for a rule between others than players, or one that cannot be made.
    """
    for rule in rules:
        if unknown := sorted(rule.between - {*players.names}):
            hint = did_you_mean(unknown[0], players.names) or f"players are {listed(players.names)}"
            raise InstanceError([Problem(f"rule between {unknown[0]}", "is no player", hint, "players")])
    return instance.with_changes(*(text for rule in rules if rule.between <= coalition for text in rule.changes))


def cooperating(region: Instance, players: Players, coalition: Block, today_t: Mapping[str, float]) -> Instance:
    """The instance in which a coalition plans together, and everybody else alone.

    Links between players that do not plan together carry at most what they do today (`today_t`), and no project adds to
    that; a project is built only if all that pay for it do so together; and the budgets of a coalition are one. What is
    decided already (projects that are more than an idea) stays.
    """
    closed = {group for group, ends in borders(region, players).items() if not ends <= coalition}
    links, effects, projects = region["links"], region["project_effects"], region["projects"]
    limit_t = links["link"].map({g: np.ceil(max(today_t.get(g, 0.0) - DUST_T, 0.0)) for g in closed}).astype(float)
    kept = (effects["table"] != "links") | ~effects["row"].isin(closed)
    shared = {a for a, mine in players.pays.items() if len(mine) > 1 and not set(mine) <= coalition}
    never = projects["project"].isin(shared) & projects["status"].isin(["", "idea"])
    tables = {
        "links": links.assign(capacity_t_per_year=links["capacity_t_per_year"].fillna(np.inf).where(
            ~(limit_t < links["capacity_t_per_year"].fillna(np.inf)), limit_t).replace(np.inf, np.nan)),
        "project_effects": effects[kept].reset_index(drop=True),
        "projects": projects.assign(
            earliest_year=projects["earliest_year"].mask(never, NEVER),
            required_from_year=projects["required_from_year"].mask(never),
        ),
        **_one_budget(region, players, coalition),
    }  # fmt: skip
    return varied(region, tables)


def _one_budget(instance: Instance, players: Players, coalition: Block) -> dict[str, pd.DataFrame]:
    """Tables with the budgets of each coalition's countries as one: the first of them pays, out of the sum of all."""
    policies, funding = instance["policies"], instance["project_funding"]
    blocks = [coalition, *(frozenset([name]) for name in players.names if name not in coalition)]
    for block in blocks:
        countries = sorted(country for country, player in players.of_country.items() if player in block)
        mine = (policies["kind"] == BUDGET) & policies["country"].isin(countries)
        if len(countries) < 2 or not mine.any():
            continue
        rows = []
        for year in (period.year for period in instance.periods):
            now = policies[mine & (policies["year"].isna() | (policies["year"] == year))]
            least = now.groupby("country")["value"].min()
            if len(least) == len(countries):  # else one of them has no limit
                rows.append({"policy": f"budget_{'_'.join(countries)}_{year}", "kind": BUDGET, "country": countries[0],
                             "technology": "", "year": float(year), "value": float(least.sum())})  # fmt: skip
        last = policies[mine].iloc[0].to_dict()
        pooled = pd.DataFrame([{**last, **row} for row in rows], columns=policies.columns)
        policies = pd.concat([policies[~mine], pooled.astype(policies.dtypes)] if rows else [policies[~mine]])
        policies = policies.sort_values("policy", ignore_index=True)
        paid = funding.assign(country=funding["country"].where(~funding["country"].isin(countries), countries[0]))
        same = {name: "first" for name in paid.columns if name not in ("project", "country", "share")}
        funding = paid.groupby(["project", "country"], as_index=False).agg({"share": "sum", **same})[list(paid.columns)]
    return {"policies": policies, "project_funding": funding.astype(instance["project_funding"].dtypes)}


def straddling(instance: Instance, players: Players) -> list[str]:
    """Projects on which several players have to agree: they pay together, or it opens a link between them."""
    ends = borders(instance, players)
    effects, links = instance["project_effects"], instance["links"]
    opens = {
        *effects.loc[(effects["table"] == "links") & effects["row"].isin(ends), "project"],
        *links.loc[links["link"].map(_groups(links)).isin(ends) & (links["project"] != ""), "project"],
    }
    return sorted(opens | {a for a, mine in players.pays.items() if len(mine) > 1})
