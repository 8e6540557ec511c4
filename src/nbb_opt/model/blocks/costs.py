r"""Add up what is paid, by component and year; money that comes back is negative."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PAID = ("yearly", "once", "recovered")


def add_cost(m: Any, name: str, amount_eur: Callable[[Any, int], Any], *, paid: str) -> None:
    r"""Count a component of the costs: `amount_eur(m, year)` gives EUR as an expression of the model.

    `paid` is "yearly" (in each year of the period, at $D_t$), "once" (at the start of the period, at $d_t$) or
    "recovered" (once, and at the horizon at $d_H$; an amount below zero is recovered value).
    """
    if paid not in PAID:
        raise ValueError(f"cost component '{name}': paid is {paid!r}, not one of {', '.join(PAID)}")
    factor = m.paid_yearly if paid == "yearly" else m.paid_once
    m.cost_components[name] = paid
    for year in [*m.years, m.horizon] if paid == "recovered" else m.years:
        m.amount_eur[name, year] = amount_eur(m, year)
        m.cost_eur.set_value(m.cost_eur.expr + factor[year] * m.amount_eur[name, year])
