"""From the columns of a solved stram model to its result tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from nbb_opt.errors import ModelError
from nbb_opt.model.arrays.keys import Keys
from nbb_opt.model.data.periods import Floats, Ints
from nbb_opt.problems.stram.model.built import StramBuilt
from nbb_opt.problems.stram.model.spec import COMPONENTS, ONCE
from nbb_opt.problems.stram.run import RESULTS, as_result

SMALLEST_T = 1e-9  # smaller flows are the rounding of numbers near a million tonnes
STATE = ("scenario", "year")


def extract_stram(built: StramBuilt, values: Floats) -> dict[str, pd.DataFrame]:
    """The result tables of a plan; `values` has one entry per column of the form. Raises ModelError on lost columns."""
    if len(values) != built.stated.size:
        raise ModelError(f"{len(values)} values for {built.stated.size} columns")
    flows = {
        "path_flows": _flows(built, values, "carried_t", ("path", "product")),
        "arc_flows": _flows(built, values, "moved_t", ("edge", "from_node", "fuel", "product")),
        "empty_paths": _flows(built, values, "empty_path_t", ("path", "vehicle")),
        "empty_flows": _flows(built, values, "empty_t", ("edge", "from_node", "fuel", "vehicle")),
        "charging_rented": _flows(built, values, "rented_t", ("edge", "fuel")),
    }
    tables = {
        **flows,
        "edges_expanded": _built(built, values, "built"),
        "edges_upgraded": _built(built, values, "upgraded"),
        "terminals_expanded": _flows(built, values, "terminal_share", ("node", "mode"), amount="share"),
        "costs": _costs(built, values),
        "emissions": _emissions(built, values),
        "modes": _modes(built, flows["arc_flows"]),
    }
    return {name: as_result(name, tables[name]) for name in RESULTS}


def _rows(built: StramBuilt, values: Floats, kind: str) -> tuple[Sequence[Any], Floats]:
    keys, where = built.columns(kind)
    return keys, values[where]


def _frame(keys: Sequence[Any], names: tuple[str, ...], which: Ints | None = None) -> pd.DataFrame:
    """A table of keys, of all or of some."""
    if which is not None:
        keys = keys.take(which) if isinstance(keys, Keys) else [keys[at] for at in which.tolist()]
    return pd.DataFrame(list(keys), columns=list(names)) if len(keys) else pd.DataFrame(columns=list(names))


def _flows(
    built: StramBuilt, values: Floats, kind: str, names: tuple[str, ...], *, amount: str = "tonnes"
) -> pd.DataFrame:
    keys, found = _rows(built, values, kind)
    used = np.flatnonzero(np.abs(found) > SMALLEST_T)
    return _frame(keys, (*STATE, *names), used).assign(**{amount: found[used]})


def _built(built: StramBuilt, values: Floats, kind: str) -> pd.DataFrame:
    keys, found = _rows(built, values, kind)
    whole = np.round(found).astype(np.int64)
    used = np.flatnonzero(whole)
    return _frame(keys, (*STATE, "edge"), used).assign(built=whole[used])[["year", "edge", "built"]]


def _costs(built: StramBuilt, values: Floats) -> pd.DataFrame:
    states = _frame(built.columns("emitted_t")[0], STATE)
    periods = built.case["periods"].set_index("year")
    frames = []
    for name in COMPONENTS:
        amount = built.amounts_nok(name, values)
        factor = periods["investment_factor" if name in ONCE else "yearly_factor"].loc[states["year"]].to_numpy(float)
        frames.append(states.assign(component=name, nok=amount, discounted_nok=amount * factor))
    return pd.concat(frames, ignore_index=True)


def _emissions(built: StramBuilt, values: Floats) -> pd.DataFrame:
    keys, emitted = _rows(built, values, "emitted_t")
    above = dict(zip(*(part.tolist() if isinstance(part, np.ndarray) else list(part)
                       for part in _rows(built, values, "excess_t")), strict=True))  # fmt: skip
    frame = _frame(keys, STATE).assign(t_co2=emitted, excess_t_co2=[above.get(key, 0.0) for key in keys])
    share = built.case["periods"].set_index("year")["emission_cap_share"].loc[frame["year"]].to_numpy(float)
    cap = share * emitted[0] if built.spec.emission_cap else np.nan  # of what the first year, one state, emits
    return frame.assign(cap_t_co2=cap)


def _modes(built: StramBuilt, moved: pd.DataFrame) -> pd.DataFrame:
    """Work by mode and fuel, from the flows: the columns of it are rounded by a solver."""
    frame = _frame(built.columns("worked_tkm")[0], (*STATE, "mode", "fuel"))
    edges = built.case["edges"].set_index("edge")
    work = moved.assign(
        mode=edges["mode"].loc[moved["edge"]].to_numpy(),
        tkm=moved["tonnes"].to_numpy(float) * edges["distance_km"].loc[moved["edge"]].to_numpy(float),
    )
    by = [*STATE, "mode", "fuel"]
    done = work.groupby(by)["tkm"].sum()
    frame["tkm"] = [float(done.get(key, 0.0)) for key in frame.itertuples(index=False, name=None)]
    total = frame.groupby(list(STATE))["tkm"].transform("sum")
    return frame.assign(share=frame["tkm"] / total.where(total > 0, 1.0))
