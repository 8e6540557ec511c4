"""From the columns of a solved stram model to its result tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from nbb_opt.errors import ModelError
from nbb_opt.model.arrays.keys import Keys
from nbb_opt.model.data.periods import Floats
from nbb_opt.problems.stram.model.arrays.build import StramBuilt
from nbb_opt.problems.stram.model.arrays.costs import COMPONENTS, ONCE
from nbb_opt.problems.stram.run import RESULTS, as_result

SMALLEST_T = 1e-9  # smaller flows are the rounding of numbers near a million tonnes


def extract_stram(built: StramBuilt, values: Floats) -> dict[str, pd.DataFrame]:
    """The result tables of a plan; `values` has one entry per column of the form. Raises ModelError on lost columns."""
    if len(values) != built.assembly.size:
        raise ModelError(f"{len(values)} values for {built.assembly.size} columns")
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
        "modes": _modes(built, values),
    }
    return {name: as_result(name, tables[name]) for name in RESULTS}


def _rows(built: StramBuilt, values: Floats, kind: str) -> tuple[Keys, Floats]:
    columns = built.assembly.kinds[kind]
    assert isinstance(columns.keys, Keys)
    return columns.keys, values[columns.start : columns.start + len(columns.keys)]


def _frame(keys: Keys, names: tuple[str, ...]) -> pd.DataFrame:
    rows = list(keys)
    return pd.DataFrame(rows, columns=list(names)) if rows else pd.DataFrame(columns=list(names))


def _flows(
    built: StramBuilt, values: Floats, kind: str, names: tuple[str, ...], *, amount: str = "tonnes"
) -> pd.DataFrame:
    keys, found = _rows(built, values, kind)
    used = np.flatnonzero(np.abs(found) > SMALLEST_T)
    return _frame(keys.take(used), ("scenario", "year", *names)).assign(**{amount: found[used]})


def _built(built: StramBuilt, values: Floats, kind: str) -> pd.DataFrame:
    keys, found = _rows(built, values, kind)
    whole = np.round(found).astype(np.int64)
    used = np.flatnonzero(whole)
    frame = _frame(keys.take(used), ("scenario", "year", "edge"))
    return frame.assign(built=whole[used])[["year", "edge", "built"]]


def _costs(built: StramBuilt, values: Floats) -> pd.DataFrame:
    states = built.data.states
    frames = []
    for name in COMPONENTS:
        amount = built.assembly.share(name, states.size).amounts(values)
        factor = states.investment_factor if name in ONCE else states.yearly_factor
        frame = _frame(states.keys(np.arange(states.size)), ("scenario", "year"))
        frames.append(frame.assign(component=name, nok=amount, discounted_nok=amount * factor))
    return pd.concat(frames, ignore_index=True)


def _emissions(built: StramBuilt, values: Floats) -> pd.DataFrame:
    states = built.data.states
    keys, emitted = _rows(built, values, "emitted_t")
    capped, excess = _rows(built, values, "excess_t")
    above = dict(zip(capped, excess.tolist(), strict=True))
    frame = _frame(keys, ("scenario", "year")).assign(t_co2=emitted)
    first = emitted[states.previous < 0].sum()  # the one state of the first year
    cap = states.cap_share * first if built.spec.emission_cap else np.full(states.size, np.nan)
    rows: list[Any] = [above.get((s, y), 0.0) for s, y in zip(frame["scenario"], frame["year"], strict=True)]
    return frame.assign(cap_t_co2=cap, excess_t_co2=rows)


def _modes(built: StramBuilt, values: Floats) -> pd.DataFrame:
    keys, _column = _rows(built, values, "worked_tkm")
    net, count = built.data.network, len(built.data.network.products)
    moved = _rows(built, values, "moved_t")[1].reshape(built.data.states.size, len(net.af_arc), count).sum(axis=2)
    worked = np.zeros((built.data.states.size, len(net.fuel_mode)))
    np.add.at(worked.T, net.af_fuel, (moved * net.km[net.af_arc]).T)  # not the column, which a solver rounds
    frame = _frame(keys, ("scenario", "year", "mode", "fuel")).assign(tkm=worked.ravel())
    total = frame.groupby(["scenario", "year"])["tkm"].transform("sum")
    return frame.assign(share=frame["tkm"] / total.where(total > 0, 1.0))
