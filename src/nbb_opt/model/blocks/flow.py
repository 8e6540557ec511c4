r"""Carry every flow on its chains.

$x_{ct}$ exists where the flow has demand in the period or suppliers may add some, a truck may drive every lane of the
chain, and every project the chain needs can be in service; elsewhere it is zero. Where flows are given, $x_{ct}$ is
bounded from both sides.
"""

from __future__ import annotations

from pyomo.environ import quicksum

from nbb_opt.model.blocks import at, carrying
from nbb_opt.model.blocks.emissions import energy_eur

SERVICES = ("rail", "sea", "ferry")


def given_flow(m, *chain_year):
    """From zero up, or what is given."""
    return m.given_t.get(chain_year, 0.0), m.given_t.get(chain_year)


def serve_demand(m, origin, destination, commodity, year):
    r"""$\sum_{c \in b} x_{ct} = q_{bt} + sourced_{bt} \quad \forall b,t$; suppliers use few $b$, for others
    $sourced_{bt}$ is 0"""
    flow_year = origin, destination, commodity, year
    carried = quicksum(m.carried_t[*c, year] for c in m.chains_of[flow_year])
    return carried == m.demand_t[flow_year] + at(m.sourced_t, *flow_year)


def service(m, year):
    r"""$\sum_c service_{ct} x_{ct} + \sum_{men} price_{ent}\, used\_kwh_{ment}$: rail, sea and ferry $m$ with their
    energy, and charges per tonne of every link"""
    return _per_t(m, m.service_eur_per_t, year) + energy_eur(m, SERVICES, year)


def handling(m, year):
    r"""$\sum_c handling_c\, x_{ct}$: transfers between modes"""
    return _per_t(m, m.handling_eur_per_t, year)


def mode_constant(m, year):
    r"""$\sum_c constant_c\, x_{ct}$: what speaks against the main mode of a chain beside cost and time; nobody pays it,
    and it is zero for flows without demand in the first period"""
    return _per_t(m, m.mode_constant_eur_per_t, year)


def cargo_time(m, year):
    r"""$\sum_c cargo\_time_c\, x_{ct}$: value of time times hours of links and transfers"""
    return _per_t(m, m.cargo_time_eur_per_t, year)


def _per_t(m, eur_per_t, year):
    return carrying(m, ((c, eur) for c in m.chains_in[year] if (eur := eur_per_t[*c, year])), year)
