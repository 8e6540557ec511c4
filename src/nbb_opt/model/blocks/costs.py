r"""Add up what is paid, by component and year; money that comes back is negative."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from nbb_opt.arguments import checked
from nbb_opt.errors import ModelError


@checked
def add_cost(
    m: Any, name: str, amount_eur: Callable[[Any, int], Any], *, paid: Literal["yearly", "once", "recovered"]
) -> None:
    r"""Count a component of the costs: `amount_eur(m, year)` gives EUR as an expression of the model.

    `paid` is "yearly" (in each year of the period, at $D_t$), "once" (at the start of the period, at $d_t$) or
    "recovered" (once, and at the horizon at $d_H$; an amount below zero is recovered value). Raises ModelError for
    another word, a name that is blank or taken, or a function that gives nothing.

    >>> import nbb_opt as nbb
    >>> m = nbb.build(nbb.examples.tiny())
    >>> def eur(m, year):
    ...     return 100.0 * sum(m.bought[region, truck, year] for region, truck in m.purchases_in[year])
    >>> add_cost(m, "registration", eur, paid="once")
    >>> [cost["name"] for cost in nbb.solve(m).record["extension"]["costs"]]
    ['registration']
    """
    if paid not in ("yearly", "once", "recovered"):
        raise ModelError(f"cost component '{name}': paid is {paid!r}, not one of yearly, once, recovered")
    if not name.strip():
        raise ModelError(f"cost component {name!r}: give it a name in words")
    if name in m.cost_components:
        raise ModelError(f"cost component '{name}' is there already; choose another name")
    factor = m.paid_yearly if paid == "yearly" else m.paid_once
    m.cost_components[name] = paid
    for year in [*m.years, m.horizon] if paid == "recovered" else m.years:
        amount = amount_eur(m, year)
        if amount is None:
            raise ModelError(f"cost component '{name}': its function gives nothing in {year}; return an amount in EUR")
        m.amount_eur[name, year] = amount
        m.cost_eur.set_value(m.cost_eur.expr + factor[year] * m.amount_eur[name, year])
