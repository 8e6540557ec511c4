"""Where freight goes, and the rows that keep it within what links and terminals carry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from nbb_opt.model.arrays.assembly import Assembly
from nbb_opt.model.arrays.keys import Keys
from nbb_opt.model.arrays.share import added_by_projects, share_costs, share_ledger
from nbb_opt.model.arrays.sourcing import supplied_on
from nbb_opt.model.arrays.terms import Terms
from nbb_opt.model.data.base import chain_parts, flow_parts
from nbb_opt.model.data.model_data import ModelData
from nbb_opt.model.data.periods import Floats, Ints, Names

MODE_CONSTANT = "mode_constant"


def add_flow(a: Assembly, data: ModelData) -> None:
    r"""Carry every flow on its chains.

    A variable exists only where its bundle has demand or may get some, a truck may drive every lane of its chain, and
    every project the chain needs can be in service; elsewhere $x_{ct} = 0$. Where flows are given, $x_{ct}$ is bounded
    from both sides.

    Variables
        carried_t       $x_{ct} \ge 0$   tonnes per year on chain $c$   [t/year]

    Constraints
        serve_demand    $\sum_{c \in b} x_{ct} = q_{bt} + \sum_{sik \in b} (y_{sikt} - \bar y_{sikt})$   $\forall b,t$

    Contributes
        cost_eur            $\sum_c (service_{ct} + handling_c + cargo\_time_c + carbon_{ct})\, x_{ct}$
        emissions_ttw_kg    $\sum_c ttw_{cnt}\, x_{ct}$ of services and transfers in country $n$
        emissions_wtt_kg    $\sum_c wtt_{cnt}\, x_{ct}$ of services and transfers in country $n$
    """
    flows, time = data.flows, data.time
    chains = (flows.chain,) if flows.segments else chain_parts(data.prepared, data.base, flows.chain)
    column = a.add_variables(
        "carried_t", Keys(*chains, time.years[flows.t]),
        fixed=flows.fixed_t if len(flows.fixed_t) else None, typical=flows.usual_t,
    )  # fmt: skip
    if (
        not flows.segments
    ):  # what goes through a segment of chains is the sum of theirs: demand is served by whole chains
        code, row = np.unique(flows.bundle * time.size + flows.t, return_inverse=True)
        bundle, t = code // time.size, code % time.size
        terms, place = Terms(len(code)).add(row, column, 1.0), np.full(data.prepared.demand_t.size, -1, np.int64)
        place[code] = np.arange(len(code))
        supplied_on(a, data, place, terms)
        a.add_rows(
            "serve_demand", Keys(*flow_parts(data.prepared, data.base, bundle), time.years[t]), terms, sense="==",
            side=data.sourcing.fixed_t[bundle, t],
        )  # fmt: skip
    paid = {name: eur for name, eur in flows.cost_eur.items() if name != MODE_CONSTANT}
    share_costs(a, data, column=column, t=flows.t, cost_eur=paid)
    share_ledger(a, data, flows.ledger, column)


def add_mode_constants(a: Assembly, data: ModelData) -> None:
    r"""Count what speaks against a mode beside cost and time.

    Contributes
        cost_eur            $\sum_c constant_c\, x_{ct}$ of flows with demand in the first period
    """
    flows = data.flows
    column = a.start["carried_t"] + np.arange(len(flows.t))
    share_costs(a, data, column=column, t=flows.t, cost_eur={MODE_CONSTANT: flows.cost_eur[MODE_CONSTANT]})


class Started(Protocol):
    """Knows where each kind of column begins."""

    @property
    def start(self) -> Mapping[str, int]: ...


def add_capacity_rows(
    a: Assembly,
    data: ModelData,
    name: str,
    *,
    uses: tuple[Ints, Ints, Floats],
    capacity_t: Floats,
    limited: np.ndarray,
    names: Names,
    table: str,
) -> None:
    """One row per limited thing and period in which some chain may use it."""
    flows, time = data.flows, data.time
    used_by, what, times = uses
    keep = limited[what]
    used_by, what, times = used_by[keep], what[keep], times[keep]
    code, row = np.unique(what * time.size + flows.t[used_by], return_inverse=True)
    thing, t = code // time.size, code % time.size
    terms = Terms(len(code)).add(row, a.start["carried_t"] + used_by, times)
    place = {(int(i), int(s)): r for r, (i, s) in enumerate(zip(thing, t, strict=True))}
    built = columns_of_built(a, data)
    for i, s, column, amount in added_by_projects(data, built, table):
        if (i, s) in place:
            terms.add(np.array([place[i, s]]), np.array([column]), -amount)
    a.add_rows(name, Keys((names, thing), time.years[t]), terms, sense="<=", side=capacity_t[thing])


def columns_of_built(a: Started, data: ModelData) -> Ints:
    """Positions of the columns of `built`; there are none in a model without projects."""
    return a.start.get("built", 0) + np.arange(len(data.projects.project))


def add_links(a: Assembly, data: ModelData) -> None:
    r"""Keep freight within the capacity of links, both ways together.

    A group is a link with all links that name it as their `capacity_link`; $n_{cl}$ counts the links of the group that
    chain $c$ uses, road links of its lanes included. Groups without a limit have no row.

    Constraints
        respect_link_capacity   $\sum_c n_{cl} x_{ct} \le cap_l + \sum_a adds_{al} w_{at}$   $\forall l,t$
    """
    base = data.base
    uses = data.flows.uses_group
    limited = np.isfinite(base.link_capacity_t)
    add_capacity_rows(
        a, data, "respect_link_capacity", uses=uses, capacity_t=base.link_capacity_t, limited=limited,
        names=base.links, table="links",
    )  # fmt: skip


def add_terminals(a: Assembly, data: ModelData) -> None:
    r"""Keep transfers within the throughput of terminals; each transfer of a tonne counts once.

    Constraints
        respect_terminal_capacity   $\sum_c n_{ch} x_{ct} \le cap_h + \sum_a adds_{ah} w_{at}$   $\forall h,t$
    """
    table = data.instance["terminals"]
    capacity = table["capacity_t_per_year"].fillna(np.inf).to_numpy(float)
    add_capacity_rows(
        a, data, "respect_terminal_capacity", uses=data.flows.uses_terminal, capacity_t=capacity,
        limited=np.isfinite(capacity), names=Names(table["terminal"]), table="terminals",
    )  # fmt: skip
