"""How fast fuels and modes may change: Bass diffusion, renewal of fleets, growth and decline of modes."""

from __future__ import annotations

import numpy as np

from nbb_opt.model.arrays.assembly import Assembly
from nbb_opt.model.arrays.terms import Terms
from nbb_opt.model.data.periods import Ints
from nbb_opt.problems.stram.model.arrays.data import StramData
from nbb_opt.problems.stram.model.arrays.states import grid, repeat

TYPICAL_TKM = 2.0**28


def add_technology(a: Assembly, data: StramData) -> None:
    """Columns and rows of the topic `technology` of models/stram.md."""
    net, states = data.network, data.states
    size, fuels, count = states.size, len(net.fuel_mode), len(net.products)
    n, f = grid(size, fuels)
    keys = states.keys(n, (net.modes, net.fuel_mode[f]), (net.fuels, net.fuel_name[f]))
    worked = a.add_variables("worked_tkm", keys, typical=TYPICAL_TKM)
    af, p = grid(len(net.af_arc), count)
    terms = Terms(size * fuels).add(np.arange(size * fuels), worked, -1.0)
    repeat(terms, size, row=net.af_fuel[af], rows=fuels, column=af * count + p, columns=len(net.af_arc) * count,
           start=a.start["moved_t"], value=net.km[net.af_arc[af]])  # fmt: skip
    a.add_rows("count_tkm", keys, terms, sense="==")
    _shares(a, data, worked.reshape(size, fuels))
    _pace(a, data, worked.reshape(size, fuels))


class _Rows:
    """Rows over tonne-km columns, collected one after the other."""

    def __init__(self) -> None:
        self.parts: list[list[tuple[Ints, float]]] = []
        self.state: list[int] = []
        self.thing: list[int] = []

    def add(self, state: int, thing: int, *parts: tuple[Ints, float]) -> None:
        self.parts.append(list(parts))
        self.state.append(state)
        self.thing.append(thing)

    def terms(self) -> Terms:
        found = Terms(len(self.parts))
        for row, parts in enumerate(self.parts):
            for columns, value in parts:
                found.add(np.full(len(columns), row), columns, value)
        return found

    def where(self) -> tuple[Ints, Ints]:
        return np.array(self.state, np.int64), np.array(self.thing, np.int64)


def _shares(a: Assembly, data: StramData, q: Ints) -> None:
    net, states, tech = data.network, data.states, data.case["technologies"]
    ceiling, years = _ceilings(data), data.case["periods"]["year"].to_numpy()
    start = tech["spread_start_year"].to_numpy(float)
    p, share = tech["bass_p_per_year"].to_numpy(float), tech["first_share_max"].to_numpy(float)
    maturity, first, begin, least = _Rows(), _Rows(), _Rows(), _Rows()
    smallest = data.case["modes"]["first_share_min"].to_numpy(float)
    for n in range(states.size):
        for f in range(q.shape[1]):
            same = q[n, net.fuel_mode == net.fuel_mode[f]]
            spreads = not np.isnan(start[f])
            if spreads:
                maturity.add(n, f, (q[n, [f]], 1.0), (same, -ceiling[states.period[n], f]))
            if states.previous[n] < 0:
                first.add(n, f, (q[n, [f]], 1.0), (same, -share[f]))
                if spreads:
                    since = max(float(years[0]) - start[f], 0.0)
                    begin.add(n, f, (q[n, [f]], 1.0), (same, -since * p[f]))
        if states.previous[n] < 0:
            for m in range(len(net.modes)):
                least.add(n, m, (q[n, net.fuel_mode == m], 1.0), (q[n], -smallest[m]))
    for name, rows in (("limit_maturity", maturity), ("limit_first_share", first), ("start_spreading", begin)):
        state, fuel = rows.where()
        keys = states.keys(state, (net.modes, net.fuel_mode[fuel]), (net.fuels, net.fuel_name[fuel]))
        a.add_rows(name, keys, rows.terms(), sense="<=")
    state, mode = least.where()
    a.add_rows("keep_first_mode", states.keys(state, (net.modes, mode)), least.terms(), sense=">=")


def _pace(a: Assembly, data: StramData, q: Ints) -> None:
    net, states, tech, rules = data.network, data.states, data.case["technologies"], data.rules
    later = np.flatnonzero(states.previous >= 0)
    fuels = len(net.fuel_mode)
    n, f = (part.ravel() for part in np.meshgrid(later, np.arange(fuels), indexing="ij"))
    keys = states.keys(n, (net.modes, net.fuel_mode[f]), (net.fuels, net.fuel_name[f]))
    dropped = a.add_variables("dropped_tkm", keys, typical=TYPICAL_TKM).reshape(-1, fuels)
    start = tech["spread_start_year"].to_numpy(float)
    p, imitation = tech["bass_p_per_year"].to_numpy(float), tech["bass_q_per_year"].to_numpy(float)
    life = data.case["modes"]["fleet_lifetime_years"].to_numpy(float)
    drop, spread, decline, growth, renew = _Rows(), _Rows(), _Rows(), _Rows(), _Rows()
    for at, n_ in enumerate(later.tolist()):
        before = int(states.previous[n_])
        year, last = int(states.year[n_]), int(states.year[before])
        for f_ in range(fuels):
            drop.add(n_, f_, (dropped[at, [f_]], 1.0), (q[n_, [f_]], 1.0), (q[before, [f_]], -1.0))
            if not np.isnan(start[f_]):
                steps = sum(1 for y in range(last + 1, year + 1) if y >= start[f_])
                gain = (1.0 + imitation[f_]) ** steps
                same = q[before, net.fuel_mode == net.fuel_mode[f_]]
                spread.add(n_, f_, (q[n_, [f_]], 1.0), (q[before, [f_]], -gain),
                           (same, -p[f_] * (gain - 1.0) / imitation[f_]))  # fmt: skip
        for m in range(len(net.modes)):
            mine = net.fuel_mode == m
            now, then = q[n_, mine], q[before, mine]
            decline.add(n_, m, (now, 1.0), (then, -((1.0 - rules.mode_decline_max_per_year) ** (year - last))))
            growth.add(n_, m, (now, 1.0), (then, -((1.0 + rules.mode_growth_max_per_year) ** (year - last))))
            renew.add(n_, m, (dropped[at, mine], 1.0), (then, -(year - last) / life[m]))
    for name, rows, sense in (("limit_spreading", spread, "<="), ("count_drop", drop, ">=")):
        state, fuel = rows.where()
        keys = states.keys(state, (net.modes, net.fuel_mode[fuel]), (net.fuels, net.fuel_name[fuel]))
        a.add_rows(name, keys, rows.terms(), sense=sense)
    for name, rows, sense in (
        ("slow_decline", decline, ">="),
        ("slow_growth", growth, "<="),
        ("renew_fleet", renew, "<="),
    ):
        state, mode = rows.where()
        a.add_rows(name, states.keys(state, (net.modes, mode)), rows.terms(), sense=sense)


def _ceilings(data: StramData) -> np.ndarray:
    """Largest shares (T, F); one where a fuel is mature."""
    net, table = data.network, data.case["technology_years"]
    years = data.case["periods"]["year"].to_numpy()
    found = np.ones((len(years), len(net.fuel_mode)))
    fuels = {(m, f): k for k, (m, f) in enumerate(zip(net.fuel_mode.tolist(), net.fuel_name.tolist(), strict=True))}
    modes, names = net.modes.of(table["mode"]), net.fuels.of(table["fuel"])
    which = [fuels[pair] for pair in zip(modes.tolist(), names.tolist(), strict=True)]
    found[np.searchsorted(years, table["year"].to_numpy()), which] = table["share_max"].to_numpy(float)
    return found
