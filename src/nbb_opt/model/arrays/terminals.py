"""How much a terminal handles."""

from __future__ import annotations

import numpy as np

from nbb_opt.model.arrays.assembly import Assembly
from nbb_opt.model.arrays.capacity import add_capacity_rows
from nbb_opt.model.data.model_data import ModelData
from nbb_opt.model.data.periods import Names


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
