r"""Keep transfers within the throughput of terminals; each transfer of a tonne counts once."""

from __future__ import annotations

from nbb_opt.model.blocks import carrying
from nbb_opt.model.blocks.projects import added


def respect_terminal_capacity(m, terminal, year):
    r"""$\sum_c n_{ch} x_{ct} \le cap_h + \sum_a adds_{ah} w_{at} \quad \forall h,t$"""
    through = carrying(m, m.chains_through_terminal[terminal, year], year)
    return through <= m.terminal_capacity_t[terminal] + added(m, m.added_to_terminal[terminal], year)
