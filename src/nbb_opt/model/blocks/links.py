r"""Keep freight within the capacity of links, both ways together.

A group is a link with all links that name it as their `capacity_link`; $n_{cl}$ counts the links of the group that
chain $c$ uses, road links of its lanes included. Groups without a limit have no row.
"""

from __future__ import annotations

from nbb_opt.model.blocks import carrying
from nbb_opt.model.blocks.projects import added


def respect_link_capacity(m, link, year):
    r"""$\sum_c n_{cl} x_{ct} \le cap_l + \sum_a adds_{al} w_{at} \quad \forall l,t$"""
    through = carrying(m, m.chains_through_link[link, year], year)
    return through <= m.link_capacity_t[link] + added(m, m.added_to_link[link], year)
