"""A first plan by slope scaling: the cost of opening an arc is spread over what the relaxation opens of it.

An arc opened by a tenth pays a tenth of its fixed cost in the relaxation, but all of it in a plan. So the relaxation is
solved again and again with fixed / s, where s follows what is opened: s <- (1 - PACE) s + PACE opened. Arcs used little
get dear and lose what they carry; what stays is nearly whole, and the rest is small enough for a restricted problem.
(After the capacity scaling of Katayama, Chen and Kubo, European Journal of Operational Research 2009, here by prices
instead of capacities, so that every path stays usable.)
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from nbb_opt.problems.network_design.solve.relaxation import Relaxation, Relaxed

Bools = npt.NDArray[np.bool_]
PACE = 0.1
STEPS = 40
LEAST = 1e-3  # the dearest an arc gets: a thousand times its fixed cost
LEAST_SPREAD = 0.3  # of what is opened of an arc, where a random start begins
ROUNDS = 2  # of pricing at each step
WHOLE = 1e-6
FEW = 12  # undecided arcs at which scaling ends


def scale_slopes(
    relaxation: Relaxation, root: Relaxed, *, chance: np.random.Generator | None = None
) -> Iterator[Bools]:
    """The arcs opened at each step, root included. The costs are set back at the end, also when the caller leaves.

    With `chance` the arcs begin at random slopes, so that the steps lead to another plan.
    """
    fixed = relaxation.network.fixed_eur
    opened, spread = root.opened, np.ones(len(fixed))
    try:
        if chance is not None:
            spread = chance.uniform(LEAST_SPREAD, 1.0, len(fixed))
            relaxation.charge(fixed / spread)
            opened = relaxation.relax(rounds=ROUNDS).opened
        for _ in range(STEPS):
            yield opened > WHOLE
            if np.count_nonzero((opened > WHOLE) & (opened < 1.0 - WHOLE)) <= FEW:
                return
            spread = (1.0 - PACE) * spread + PACE * opened
            relaxation.charge(fixed / np.maximum(spread, LEAST))
            opened = relaxation.relax(rounds=ROUNDS).opened
    finally:
        relaxation.charge(fixed)
