"""The components of the objective: which are paid each year, which once, which come back."""

from __future__ import annotations

import numpy as np

from nbb_opt.model.data.periods import Floats, Time

YEARLY = (
    "service", "road_energy", "road_running", "drivers", "handling", "cargo_time", "carbon",
    "public_charging", "fleet_fixed", "charger_fixed", "project_fixed",
)  # fmt: skip
ONCE = ("fleet_purchase", "charger_purchase", "project_purchase")
BACK = ("fleet_grant", "fleet_resale", "charger_residual", "project_residual")
ALL = YEARLY + ONCE + BACK


def factors(component: str, time: Time) -> Floats:
    """Discount factor of the component in each period and, last, at the horizon (periods + 1)."""
    per_period = time.yearly_factor if component in YEARLY else time.once_factor
    at_horizon = 0.0 if component in YEARLY else time.horizon_factor
    return np.append(per_period, at_horizon)


def shared_name(component: str) -> str:
    """Name under which the blocks share the terms of a component; one row per period and one for the horizon."""
    return f"amount_eur {component}"
