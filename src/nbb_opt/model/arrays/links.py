"""How much a link carries."""

from __future__ import annotations

import numpy as np

from nbb_opt.model.arrays.assembly import Assembly
from nbb_opt.model.arrays.capacity import add_capacity_rows
from nbb_opt.model.data.model_data import ModelData


def add_links(a: Assembly, data: ModelData) -> None:
    r"""Keep freight within the capacity of links, both ways together.

    A group is a link with all links that name it as their `capacity_link`; $n_{cl}$ counts the links of the group that
    chain $c$ uses, road links of its lanes included. Groups without a limit have no row.

    Constraints
        respect_link_capacity   $\sum_c n_{cl} x_{ct} \le cap_l + \sum_a adds_{al} w_{at}$   $\forall l,t$
    """
    world = data.world
    uses = data.flows.uses_group
    limited = np.isfinite(world.link_capacity_t)
    add_capacity_rows(
        a, data, "respect_link_capacity", uses=uses, capacity_t=world.link_capacity_t, limited=limited,
        names=world.links, table="links",
    )  # fmt: skip
