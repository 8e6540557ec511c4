"""What chains are compared by, and which of them another chain replaces in every plan: models/README.md section 8."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nbb_opt.instance import Instance
from nbb_opt.network.candidates import Candidates, main_mode, number_legs, take
from nbb_opt.network.graph import ROAD, Graph
from nbb_opt.network.kernels.dominance import dominated
from nbb_opt.network.kernels.look_at_steps import count_uses, group_alike
from nbb_opt.network.runs import ChainClass, general_weights
from nbb_opt.network.weights import Amounts


@dataclass(frozen=True)
class LimitedUses:
    """What chains use: links (links, 2) and transfers (transfers, 2) give a capacity group or terminal with a limit,
    and a project, -1 where there is none. Of `n` things those from `first_project` on are projects."""

    links: np.ndarray
    transfers: np.ndarray
    first_project: int
    n: int


@dataclass(frozen=True)
class Measures:
    """link_sums (links, weights), transfer_sums (transfers, weights): cost by period, WTW kg by period and hours, as
    runs.general_weights orders them, first with today's trucks, then with clean ones; and the things used."""

    link_sums: np.ndarray
    transfer_sums: np.ndarray
    things: LimitedUses


def make_measures(graph: Graph, amounts: Amounts, cls: ChainClass, *, things: LimitedUses) -> Measures:
    """The measures of a class."""
    tables = [general_weights(graph, amounts, cls, clean_trucks=clean) for clean in (False, True)]
    links, transfers = (np.ascontiguousarray(np.vstack(pair).T) for pair in zip(*tables, strict=True))
    return Measures(links, transfers, things)


def limited_uses(instance: Instance, graph: Graph) -> LimitedUses:
    """The things of an instance: links of one capacity group are one thing."""
    links, terminals, transfers = instance["links"], instance["terminals"], instance["transfers"]
    row = {name: i for i, name in enumerate(links["link"])}
    group = np.array([row[c] if c else i for i, c in enumerate(links["capacity_link"])], dtype=np.int64)
    link_thing, n_links = _limited(links["capacity_t_per_year"].notna().to_numpy(), group)
    place = {name: i for i, name in enumerate(terminals["terminal"])} | {"": len(terminals)}
    limited = np.append(terminals["capacity_t_per_year"].notna().to_numpy(), False)
    at = np.array([place[name] for name in transfers["terminal"]], dtype=np.int64)
    terminal, n_terminals = _limited(limited, at)
    first = n_links + n_terminals
    return LimitedUses(
        np.column_stack([link_thing, _shifted(graph.link_project, first)]),
        np.column_stack([_shifted(terminal, n_links), _shifted(graph.transfer_project, first)]),
        first,
        first + graph.projects.size,
    )


def _limited(limited: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, int]:
    """Number of the limited thing every row belongs to, -1 if it has no limit; and how many there are."""
    number = np.where(limited, np.cumsum(limited) - 1, -1)
    return number[group], int(limited.sum())


def _shifted(number: np.ndarray, by: int) -> np.ndarray:
    return np.where(number >= 0, number + by, -1)


def not_replaced(
    instance: Instance, graph: Graph, found: Candidates, *, amounts: Amounts, cls: ChainClass
) -> np.ndarray:
    """Numbers of the chains of `found` that stay, all of them of class `cls`.

    Chain A goes if a chain B of its bundle drives the same lanes and has the same main mode, needs no project that A
    does not need, uses no capacity group or terminal with a limit more often than A, costs no more in any period
    (service, handling, charges, cargo time) and emits no more in any country and period, TTW and WTT, and takes in just
    as much energy that another fuel may replace. Of two equal ones the first stays.
    """
    group = _groups(instance, graph, found)
    others = np.flatnonzero(np.bincount(group)[group] > 1)
    compared = take(found, others)
    yearly = _amounts(instance, graph, compared, amounts=amounts, cls=cls)
    uses = _uses(instance, graph, compared)
    order = np.lexsort((others, group[others]))
    starts = np.flatnonzero(np.append(True, np.diff(group[others][order]) > 0)) if others.size else others
    gone = dominated(order, np.append(starts, others.size), yearly, uses)
    return np.setdiff1d(np.arange(group.size), others[gone], assume_unique=True)


def _groups(instance: Instance, graph: Graph, found: Candidates) -> np.ndarray:
    """Chains of equal bundle, main mode and lanes (how often each) share a number; `found` is sorted by bundle."""
    lane = number_legs(graph, found, np.zeros(found.bundle.size, dtype=np.int64))[0]
    starts = np.flatnonzero(lane >= 0)
    lane[starts[graph.arc_layer[found.code[starts]] != ROAD]] = -1
    group = np.empty(found.bundle.size, dtype=np.int64)
    group_alike(found.bundle, main_mode(instance, graph, found), found.first, lane, group)
    return group


def _amounts(instance: Instance, graph: Graph, found: Candidates, *, amounts: Amounts, cls: ChainClass) -> np.ndarray:
    """(chains, features): EUR per tonne, TTW and WTT kg per tonne by country, for every period; lanes left out.

    Energy per tonne by country that other fuels may replace is there twice, once with a minus: it must be equal.
    """
    countries = {name: i for i, name in enumerate(instance["countries"]["country"])}
    link_country = np.array([countries[c] for c in instance["links"]["country"]], dtype=np.int64)
    node_country = np.array([countries[c] for c in instance["nodes"]["country"]], dtype=np.int64)
    transfer_country = node_country[graph.transfer_node]

    n_chains, n_periods, n_countries = found.bundle.size, len(instance.periods), len(countries)
    code, chain = found.code, found.chain
    arc = code >= 0
    link_step = np.flatnonzero(arc)
    link_step = link_step[graph.arc_layer[code[link_step]] != ROAD]
    link = graph.arc_link[code[link_step]]
    transfer = -1 - code[~arc]
    owner = np.concatenate([chain[link_step], chain[~arc]])
    country = np.concatenate([link_country[link], transfer_country[transfer]])
    h, value = cls.cargo_type, cls.value_of_time_eur_per_t_h
    hours = np.concatenate([amounts.link_time[link], amounts.transfer_time[h, transfer]])

    columns = []
    place = owner * n_countries + country
    for t in range(n_periods):
        cost = np.concatenate([amounts.link_cost[h, t, link], amounts.transfer_cost[h, transfer]])
        columns.append(np.bincount(owner, weights=cost + value * hours, minlength=n_chains)[:, None])
        for on_link, on_transfer in (
            (amounts.link_ttw, amounts.transfer_ttw),
            (amounts.link_wtt, amounts.transfer_wtt),
        ):
            kg = np.concatenate([on_link[h, t, link], on_transfer[h, transfer]])
            by_country = np.bincount(place, weights=kg, minlength=n_chains * n_countries)
            columns.append(by_country.reshape(n_chains, n_countries))
        for kwh in amounts.link_replaceable[:, h, t]:
            there = np.bincount(place[: len(link)], weights=kwh[link], minlength=n_chains * n_countries)
            columns += [there.reshape(n_chains, n_countries), -there.reshape(n_chains, n_countries)]
    return np.ascontiguousarray(np.hstack(columns))


def _uses(instance: Instance, graph: Graph, found: Candidates) -> np.ndarray:
    """(chains, things): how often a chain uses every limited capacity group and terminal, and needs every project."""
    things = limited_uses(instance, graph)
    uses = np.zeros((found.bundle.size, things.n), dtype=np.int16)
    for link_thing, transfer_thing in zip(things.links.T, things.transfers.T, strict=True):
        count_uses(found.code, found.first, graph.arc_link, link_thing, transfer_thing, uses)
    uses[:, things.first_project :] = np.minimum(uses[:, things.first_project :], 1)
    return uses
