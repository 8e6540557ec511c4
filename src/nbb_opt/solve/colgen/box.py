"""Prices kept near the best known: slack costs what holds the price of every row in a box around it.

A linear program over few columns gives prices far from those that prove much, and what is found at them is of no use.
Slack of a row that costs w more than its best price so far (and brings w less on the other side) lets its price move by
w at most (boxstep, after Marsten, Hogan and Blankenship, 1975; as slack, du Merle et al., 1999). At the optimum none is
used, so nothing is lost. A box grows where prices go on in the same direction, and shrinks where they turn back (as the
steps of RPROP do, after Riedmiller and Braun, 1993).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nbb_opt.solve.colgen.pool import Slack

Floats = npt.NDArray[np.float64]
WIDTH, FLOOR = 0.1, 0.1  # of the best price and, to that, of what usually does a unit
MORE, LESS = 1.5, 0.5  # times as wide


class Box:
    """Boxes around the prices of rows; `usual` EUR for a unit of each.

    >>> slack = Slack(np.array([0, 1]), np.array([0, 0]), np.array([1.0, -1.0]))
    >>> box = Box(slack, usual=np.array([10.0]), prices=np.array([20.0]))
    >>> box.cost(np.array([20.0]))  # a price between 17.9 and 22.1
    array([ 22.1, -17.9])
    >>> for price in 22.1, 24.2:
    ...     box.learn(np.array([price]), held=np.array([True]), moved=True)
    >>> box.cost(np.array([24.2]))  # twice in the same direction: wider
    array([ 27.35, -21.05])
    """

    def __init__(self, slack: Slack, *, usual: Floats, prices: Floats | None) -> None:
        self.slack = slack
        self.center = np.zeros(len(usual)) if prices is None else prices
        self.width = usual if prices is None else WIDTH * (np.abs(prices) + FLOOR * usual)
        self.way = np.zeros(len(usual))

    def cost(self, center: Floats) -> Floats:
        """What slack costs while the best prices are `center`."""
        self.center = center
        return np.asarray(self.slack.sign * center[self.slack.row] + self.width[self.slack.row])

    def learn(self, prices: Floats, *, held: npt.NDArray[np.bool_], moved: bool) -> None:
        """Take in the prices found, which of them slack held, and whether the best prices were others before."""
        way = np.where(held, np.sign(prices - self.center), 0.0)
        if moved:
            turn = way * self.way
            self.width = self.width * np.where(turn > 0, MORE, np.where(turn < 0, LESS, 1.0))
        self.way = way
