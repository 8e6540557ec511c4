"""The components of the objective: which are paid each year, which once, which come back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nbb_opt.model.data.periods import Floats, Time

YEARLY = (
    "service", "road_energy", "road_running", "drivers", "handling", "cargo_time", "carbon",
    "public_charging", "fleet_fixed", "charger_fixed", "project_fixed",
)  # fmt: skip
ONCE = ("fleet_purchase", "charger_purchase", "project_purchase")
BACK = ("fleet_grant", "fleet_resale", "charger_residual", "project_residual")
ALL = YEARLY + ONCE + BACK
PAID = dict.fromkeys(YEARLY, "yearly") | dict.fromkeys(ONCE, "once") | dict.fromkeys(BACK, "recovered")


def factors(component: str, time: Time, paid: str = "") -> Floats:
    """Discount factor of the component in each period and, last, at the horizon (periods + 1); `paid` as in `PAID`."""
    yearly = (paid or PAID[component]) == "yearly"
    return np.append(time.yearly_factor if yearly else time.once_factor, 0.0 if yearly else time.horizon_factor)


def shared_name(component: str) -> str:
    """Name under which the blocks share the terms of a component; one row per period and one for the horizon."""
    return f"amount_eur {component}"


def in_order(components: Mapping[str, str]) -> dict[str, str]:
    """Components with how they are paid, those of the project first, in its order.

    >>> in_order({"tyres": "yearly", "fleet_grant": "recovered", "service": "yearly"})
    {'service': 'yearly', 'fleet_grant': 'recovered', 'tyres': 'yearly'}
    """
    return {name: components[name] for name in [*ALL, *components] if name in components}
