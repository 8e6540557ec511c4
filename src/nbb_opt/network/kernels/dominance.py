"""Which chains another replaces. Plain twins: ``tests/plain_network.py``."""

import numpy as np

from nbb_opt.compiling import kernel


@kernel
def dominated(order, first, amounts, uses):
    """Which chains another of their group replaces: (chains,) of bool.

    Group i holds chains order[first[i]]..order[first[i + 1]], rising; amounts (chains, features) and uses (chains,
    things) must not be larger in the other; of equal chains the first stays.
    """
    gone = np.zeros(order.size, dtype=np.bool_)
    for i in range(first.size - 1):
        for at in range(first[i], first[i + 1]):
            a = order[at]
            for other in range(first[i], first[i + 1]):
                if other == at:
                    continue
                b = order[other]
                no_more = True
                less = False
                for f in range(amounts.shape[1]):
                    if amounts[b, f] > amounts[a, f]:
                        no_more = False
                        break
                    if amounts[b, f] < amounts[a, f]:
                        less = True
                if no_more:
                    for f in range(uses.shape[1]):
                        if uses[b, f] > uses[a, f]:
                            no_more = False
                            break
                        if uses[b, f] < uses[a, f]:
                            less = True
                if no_more and (less or other < at):
                    gone[a] = True
                    break
    return gone
