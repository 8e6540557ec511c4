"""Where freight goes."""

from __future__ import annotations

import numpy as np

from nbb_opt.model.arrays.assembly import Assembly
from nbb_opt.model.arrays.keys import Keys
from nbb_opt.model.arrays.share import share_costs, share_ledger
from nbb_opt.model.arrays.terms import Terms
from nbb_opt.model.data.model_data import ModelData
from nbb_opt.model.data.names import chain_parts, flow_parts


def add_flow(a: Assembly, data: ModelData) -> None:
    r"""Carry every flow on its chains.

    A variable exists only where its bundle has demand, a truck may drive every lane of its chain, and every project the
    chain needs can be in service; elsewhere $x_{ct} = 0$. Where flows are given, $x_{ct}$ is bounded from both sides.

    Variables
        carried_t       $x_{ct} \ge 0$   tonnes per year on chain $c$   [t/year]

    Constraints
        serve_demand    $\sum_{c \in b} x_{ct} = q_{bt}$   $\forall b,t: q_{bt} > 0$

    Contributes
        cost_eur            $\sum_c (service_{ct} + handling_c + cargo\_time_c + carbon_{ct})\, x_{ct}$
        emissions_ttw_kg    $\sum_c ttw_{cnt}\, x_{ct}$ of services and transfers in country $n$
        emissions_wtt_kg    $\sum_c wtt_{cnt}\, x_{ct}$ of services and transfers in country $n$
    """
    flows, time = data.flows, data.time
    chains = (flows.chain,) if flows.pieces else chain_parts(data.prepared, data.world, flows.chain)
    column = a.add_variables(
        "carried_t", Keys(*chains, time.years[flows.t]),
        fixed=flows.fixed_t if len(flows.fixed_t) else None, typical=flows.usual_t,
    )  # fmt: skip
    if not flows.pieces:  # what goes through a piece of chains is the sum of theirs: demand is served by whole chains
        code, row = np.unique(flows.bundle * time.size + flows.t, return_inverse=True)
        bundle, t = code // time.size, code % time.size
        a.add_rows(
            "serve_demand", Keys(*flow_parts(data.prepared, data.world, bundle), time.years[t]),
            Terms(len(code)).add(row, column, 1.0), sense="==", side=data.prepared.demand_t[bundle, t],
        )  # fmt: skip
    share_costs(a, data, column=column, t=flows.t, cost_eur=flows.cost_eur)
    share_ledger(a, data, flows.ledger, column)
