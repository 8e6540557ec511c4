"""A model that earns without end is refused before it is solved, naming the column that pays.

Bounded is whoever has no column that pays and may grow without limit. Where there is one, a linear program over the
directions in which every row and bound still holds (the recession cone) decides: if one of them lowers the cost, a
plan could follow it for ever.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nbb_opt.errors import ModelError
from nbb_opt.solve.highs import Solver
from nbb_opt.solve.stop import UNKNOWN, Stop

if TYPE_CHECKING:
    from nbb_opt.model import StandardForm

LIMIT_S = 20.0
LEAST = 1e-9  # of the largest cost: what a direction must earn to be one
NAMED = 3
NAME = re.compile(r"(\w+)\[(.*)\]")
WORDS = {
    "bought": "buying a {1} in {0} in {2}",
    "kept": "keeping a {1} of {2} in {0} in {3}",
    "installed": "installing a {1} in {0} in {2}",
    "built": "building {0} in {1}",
    "driven_vkm": "a km of {4} between {0} and {1} in {5}",
    "empty_vkm": "an empty km of {2} from {0} to {1} in {4}",
    "carried_t": "a tonne of {2} from {0} to {1} in {4}",
}


def refuse_unbounded(form: StandardForm) -> None:
    """Raise ModelError where the cost of `form` has no lower bound, with what pays for more of itself."""
    grows, falls = np.isposinf(form.col_up), np.isneginf(form.col_low)
    if not ((grows & (form.cost < 0)) | (falls & (form.cost > 0))).any():
        return
    up, low = np.where(grows, 1.0, 0.0), np.where(falls, -1.0, 0.0)
    directions = replace(
        form, cost_offset=0.0, col_low=low, col_up=up, integer=np.zeros(len(form.cost), bool),
        row_low=_side(form.row_low), row_up=_side(form.row_up),
    )  # fmt: skip
    answer = Solver(directions, threads=1, seed=0, log=[]).run(
        Stop(LIMIT_S), phase="bounded", callback=None, known=UNKNOWN
    )
    if answer.values is None or not answer.objective < -LEAST * float(np.abs(form.cost).max()):
        return
    earned = -form.cost * answer.values
    paying = [j for j in np.argsort(-earned)[:NAMED].tolist() if earned[j] > 0]
    each = [f"  {named(form.col_names[j])}: {abs(form.cost[j]):,.10g} each" for j in paying]
    raise ModelError(
        "the model earns without end: more and more of what pays for itself is always cheaper\n"
        + "\n".join(each)
        + "\nlook at what pays there (grants, resale, residual values, costs below 0), or limit how much there may be"
    )


def _side(side: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(np.isfinite(side), 0.0, side)


def named(column: str) -> str:
    """A column in words, with its name.

    >>> named("bought[W,BATTERY,2025]")
    'buying a BATTERY in W in 2025 (bought[W,BATTERY,2025])'
    >>> named("flow[7]")
    'flow[7]'
    """
    found = NAME.fullmatch(column)
    parts = found[2].split(",") if found else []
    words = WORDS.get(found[1] if found else "", "")
    return f"{words.format(*parts)} ({column})" if words and words.count("{") <= len(parts) else column
