"""Hilly links: how much more energy they take than level ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nbb_opt.instance.read import Instance


def energy_factors(instance: Instance) -> npt.NDArray[np.float64]:
    """Energy use over that on the level, by link in file order (links,); 1 where `gradients` has no row."""
    table = instance["gradients"]
    factor = dict(zip(table["link"].tolist(), table["energy_factor"].tolist(), strict=True))
    return np.array([factor.get(link, 1.0) for link in instance["links"]["link"].tolist()], np.float64)
