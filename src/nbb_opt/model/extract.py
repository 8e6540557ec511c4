"""A solved plan as the tables of `nbb_opt.result.TABLES`, and what it uses of links, terminals, chargers and grids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nbb_opt.errors import SolveError
from nbb_opt.instance.schema import MODES
from nbb_opt.model.arrays.flow import columns_of_built
from nbb_opt.model.arrays.share import added_by_projects
from nbb_opt.model.build import Built
from nbb_opt.model.data.costs import EmissionEntries, factors, in_order
from nbb_opt.model.data.lanes import LANES_AT_ONCE
from nbb_opt.model.data.periods import Floats, Ints, Names, sum_by
from nbb_opt.result import CHAINS_IN_FULL, TABLES, as_table, compact_table

MODE_NAMES = (*MODES, "transfer")
LEAST_KWH = 1e-3  # a year; less is rounding
DUST = 1e-9  # share of a column's usual size below which a value is zero
INTEGER_SLACK = 1e-5


def extract(built: Built, values: Floats, carried: Carried | None = None) -> dict[str, pd.DataFrame]:
    """Every result table of a plan; `values` holds one number per column, in the order of the standard form.

    Where columns are those of segments and resources, `carried` says what goes by which chain and truck.
    Integers are rounded. Money that comes back has a negative amount; the year of what comes back at the end is the
    horizon. Emissions of transfers have the mode `transfer` and no energy carrier. Raises SolveError if `values` are
    no plan (an integer is none, a value is negative) or the costs by component do not add up to the objective.
    """
    data, start = built.data, built.start
    x = _clean(built, values)
    prepared = data.prepared
    bundle, t = np.nonzero(prepared.demand_t > 0)
    demand = pd.DataFrame({"bundle": bundle, "year": data.time.years[t], "tonnes": prepared.demand_t[bundle, t]})
    tables = {"bundles": prepared.bundles, "demand": demand} | _activity(built, x, carried) | _stocks(built, x)
    chains, lanes = np.arange(len(prepared.rows)), np.arange(prepared.items.n_lanes)
    if len(chains) > CHAINS_IN_FULL:
        chains, lanes = tables["flows"]["chain"].to_numpy(), tables["driven"]["lane"].to_numpy()
    tables |= prepared.written(chains=chains, lanes=lanes)
    tables["costs"] = _costs(built, x)
    ledgers = [
        (data.flows.ledger, "carried_t"),
        (data.driving.ledger, "driven_vkm"),
        (data.empties.ledger, "empty_vkm"),
    ]
    s = data.sourcing
    supplied = pd.DataFrame({
        **{name: s.of_pair(name) for name in ("supplier", "site", "input")}, "year": data.time.years[s.t],
        "tonnes": _part(start, "supplied_t", x, s.t),
    })  # fmt: skip
    tables["supplied"] = supplied[supplied["tonnes"] > 0]
    done = [(ledger, x[start[name] + ledger.col]) for ledger, name in ledgers if name in start]
    tables["emissions"], tables["energy"] = _emissions(built, [*done, *_substitutes(built, x)])
    tables["use"] = use_rows(built, x)
    return {name: compact_table(name, tables[name]) for name in TABLES}


def _clean(built: Built, values: Floats) -> Floats:
    a = built.stated
    scale, integer, from_zero = a.per_column("typical"), a.per_column("whole").astype(bool), a.per_column("low") >= 0
    x = np.asarray(values, float)
    if x.shape != (a.size,) or not np.isfinite(x).all():
        raise SolveError(f"a plan is {a.size} finite numbers, these are {x.shape}")
    fraction = integer & (np.abs(x - np.rint(x)) > INTEGER_SLACK)
    off = fraction | (from_zero & (x < -1e-6 * scale))
    for j in np.flatnonzero(off)[:1].tolist():
        raise SolveError(f"{a.column_names()[j]} = {x[j]} is {'not a whole number' if fraction[j] else 'negative'}")
    x = np.where(integer, np.rint(x), x)
    return np.where(np.abs(x) <= DUST * scale, 0.0, np.where(from_zero, np.maximum(x, 0.0), x))


@dataclass(frozen=True, kw_only=True)
class Carried:
    """Flows: tonnes of a chain in a period, sorted by both; and what trucks drive: loaded vkm of a vehicle on a lane in
    a period, sorted by all three.
    """

    chain: Ints
    t: Ints
    tonnes: Floats
    lane: Ints
    vehicle: Ints
    driven_t: Ints
    vkm: Floats


def _activity(built: Built, x: Floats, carried: Carried | None) -> dict[str, pd.DataFrame]:
    data, start, years = built.data, built.start, built.data.time.years
    flows, driving, empties = data.flows, data.driving, data.empties
    region = np.array(data.base.regions.ids, object)
    truck, cargo_type = np.array(data.trucks.names.ids, object), np.array(data.base.cargo_types.ids, object)
    if carried is None:
        moved = pd.DataFrame({
            "chain": flows.chain, "year": years[flows.t], "tonnes": _part(start, "carried_t", x, flows.t),
        })  # fmt: skip
        lane, vehicle, t, vkm = driving.lane, driving.vehicle, driving.t, _part(start, "driven_vkm", x, driving.t)
    else:
        tonnes = np.where(carried.tonnes <= DUST * flows.usual_t, 0.0, carried.tonnes)
        moved = pd.DataFrame({"chain": carried.chain, "year": years[carried.t], "tonnes": tonnes})
        lane, vehicle, t = carried.lane, carried.vehicle, carried.driven_t
        vkm = np.where(carried.vkm <= DUST * flows.usual_t * driving.usual_vkm_per_t, 0.0, carried.vkm)
    driven = pd.DataFrame({"lane": lane, "vehicle": truck[vehicle], "year": years[t], "loaded_vkm": vkm})
    empty = pd.DataFrame({
        "from_region": region[empties.origin], "to_region": region[empties.destination],
        "vehicle": truck[empties.vehicle], "cargo_type": cargo_type[empties.cargo_type], "year": years[empties.t],
        "empty_vkm": _part(start, "empty_vkm", x, empties.t),
    })  # fmt: skip
    return {
        "flows": moved[moved["tonnes"] > 0],
        "driven": driven[driven["loaded_vkm"] > 0],
        "empties": empty[empty["empty_vkm"] > 0],
    }


def _part(start: Mapping[str, int], name: str, x: Floats, like: Ints) -> Floats:
    """Values of one kind of variable; none where the model lacks its block."""
    return x[start[name] : start[name] + len(like)] if name in start else np.zeros(len(like))


def _stocks(built: Built, x: Floats) -> dict[str, pd.DataFrame]:
    data, start, time = built.data, built.start, built.data.time
    s, c, p = data.stock, data.chargers, data.projects
    bought, kept = _part(start, "bought", x, s.bought_t), _part(start, "kept", x, s.kept_t)
    pair = np.concatenate([s.bought_pair, s.kept_pair])
    fleet = pd.DataFrame({
        "fleet_region": np.array(data.base.regions.ids, object)[s.region[pair]],
        "vehicle": np.array(data.trucks.names.ids, object)[s.vehicle[pair]],
        "vintage_year": np.concatenate([time.years[s.bought_t], s.kept_vintage]),
        "year": time.years[np.concatenate([s.bought_t, s.kept_t])],
        "bought": np.concatenate([bought, np.zeros(len(kept))]), "kept": np.concatenate([bought, kept]),
    })  # fmt: skip
    fleet = fleet[fleet["kept"] > 0].sort_values(["fleet_region", "vehicle", "vintage_year", "year"])

    new = _part(start, "installed", x, c.t)
    installed = np.zeros((len(data.base.areas), len(c.names), time.size))
    installed[c.area, c.kind, c.t] = new
    serving = chargers_in_service(built, installed)
    j, k, t = np.nonzero((installed > 0) | (serving > 0))
    chargers = pd.DataFrame({
        "charge_area": np.array(data.base.areas.ids, object)[j], "charger": np.array(c.names.ids, object)[k],
        "year": time.years[t], "installed": installed[j, k, t], "in_service": serving[j, k, t],
    })  # fmt: skip
    built_units = np.zeros((len(p.names), time.size))
    built_units[p.project, p.t] = _part(start, "built", x, p.t)
    newly = np.diff(built_units, axis=1, prepend=0.0)
    i, t = np.nonzero(built_units > 0)
    projects = pd.DataFrame({
        "project": np.array(p.names.ids, object)[i], "year": time.years[t],
        "newly_built": newly[i, t], "in_service": built_units[i, t],
    })  # fmt: skip
    f = data.fuels
    fuels = pd.DataFrame({
        "substitute": np.array(f.names.ids, object)[f.fuel],
        "country": np.array(data.base.countries.ids, object)[f.country],
        "year": time.years[f.t], "replaced_kwh": _part(start, "replaced_kwh", x, f.t),
    })  # fmt: skip
    fuels = fuels[fuels["replaced_kwh"] > 0]
    return {"fleet": fleet, "chargers": chargers, "projects": projects, "fuels": fuels}


def chargers_in_service(built: Built, installed: Floats) -> Floats:
    """Chargers in service (areas, kinds, periods) from those installed."""
    years, life = built.data.time.years, built.data.chargers.lifetime
    age = years[None, :] - years[:, None]  # (installed in, serving in)
    serves = (age >= 0)[None] & (age[None] < life[:, None, None])
    return np.einsum("jku,kut->jkt", installed, serves.astype(float))


def _costs(built: Built, x: Floats) -> pd.DataFrame:
    time = built.data.time
    years = [*time.years.tolist(), time.horizon_year]
    rows = []
    for component, paid in in_order(built.components).items():
        amount, factor_in = built.terms(component).amounts(x), factors(component, time, paid)
        for year, eur, factor in zip(years, amount.tolist(), factor_in.tolist(), strict=True):
            if eur != 0:
                rows.append({"component": component, "year": year, "amount_eur": eur, "discounted_eur": factor * eur})
    costs = as_table("costs", rows)
    own, total = built.extension, float(costs["discounted_eur"].sum())
    objective = built.stated.cost_at(x) if own is None else own.system.at(x)
    size = float(costs["discounted_eur"].abs().sum())
    if abs(total - objective) > 1e-9 * max(size, 1.0):
        raise SolveError(f"the costs by component add up to {total:.6f} EUR, the objective is {objective:.6f} EUR")
    return costs


def _emissions(built: Built, done: list[tuple[EmissionEntries, Floats]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    data = built.data
    frame = pd.concat([
        pd.DataFrame({
            "year": data.time.years[ledger.t], "country": np.array(data.base.countries.ids, object)[ledger.country],
            "mode": np.array(MODE_NAMES, object)[ledger.mode],
            "energy_carrier": np.array([*data.base.carriers.ids, ""], object)[ledger.carrier],
            "charge_area": np.array([*data.base.areas.ids, ""], object)[ledger.area],
            "kwh": amount * ledger.kwh, "ttw_kg": amount * ledger.ttw_kg, "wtt_kg": amount * ledger.wtt_kg,
        })[amount > 0]
        for ledger, amount in done
    ])  # fmt: skip
    key = ["year", "country", "mode", "energy_carrier"]
    energy = frame.groupby([*key, "charge_area"])["kwh"].sum().reset_index()
    emissions = frame.groupby(key)[["kwh", "ttw_kg", "wtt_kg"]].sum().reset_index()
    left = (emissions["kwh"] > LEAST_KWH) | (emissions["energy_carrier"] == "")  # all of it may have been replaced
    some = (emissions["ttw_kg"] != 0) | (emissions["wtt_kg"] != 0)
    return emissions[left & some], energy[energy["kwh"] > LEAST_KWH]


def _substitutes(built: Built, x: Floats) -> list[tuple[EmissionEntries, Floats]]:
    """What replaced energy takes out of the accounts of its own carrier, and puts into those of the other."""
    f, base = built.data.fuels, built.data.base
    replaced = _part(built.start, "replaced_kwh", x, f.t)
    found = []
    for carrier, kwh in ((f.replaces[f.fuel], -np.ones(len(f.t))), (f.carrier[f.fuel], f.kwh_per_kwh[f.fuel])):
        entries = EmissionEntries(
            col=np.arange(len(f.t)), t=f.t, country=f.country, mode=f.mode[f.fuel], carrier=carrier,
            area=np.full(len(f.t), -1), kwh=kwh, ttw_kg=kwh * base.energy_ttw[carrier, f.country, f.t],
            wtt_kg=kwh * base.energy_wtt[carrier, f.country, f.t],
        )  # fmt: skip
        found.append((entries, replaced))
    return found


def use_rows(built: Built, x: Floats) -> pd.DataFrame:
    """Rows of the table `use`; limit is infinite where there is none, and includes what projects and chargers add."""
    data, start = built.data, built.start
    base, size = data.base, data.time.size
    terminal = data.instance["terminals"]
    capacity = terminal["capacity_t_per_year"].fillna(np.inf).to_numpy(float)
    frames = [
        _tonnes(built, x, data.flows.uses_group, base.links, base.link_capacity_t, "link", "links"),
        _tonnes(built, x, data.flows.uses_terminal, Names(terminal["terminal"]), capacity, "terminal", "terminals"),
    ]
    if "installed" in start:
        c = data.chargers
        kwh = built.terms("energy_kwh").amounts(x).reshape(-1, size)
        age = data.time.years[None, :] - data.time.years[c.t][:, None]
        new, t = np.nonzero((age >= 0) & (age < c.lifetime[c.kind][:, None]))
        serving, kind = x[start["installed"] + new], c.kind[new]
        sold, power = np.zeros(kwh.shape), np.zeros(kwh.shape)
        np.add.at(sold, (c.area[new], t), serving * c.kwh_per_year[kind])
        np.add.at(power, (c.area[new], t), serving * c.kw[kind])
        grid = _with_projects(built, x, 1000.0 * base.area_grid_mw, "charge_areas", 1000.0)
        bought = _bought_from_others(built, x)
        frames.append(_frame(built, "charge_area", base.areas, kwh, sold + bought, "kWh"))
        frames.append(_frame(built, "grid", base.areas, power, grid, "kW"))
        frames.append(_frame(built, "public_charging", base.areas, bought, base.public.kwh_per_year, "kWh"))
    return pd.concat(frames, ignore_index=True)


def _bought_from_others(built: Built, x: Floats) -> Floats:
    """kWh bought at others' points, by area and period."""
    sold, here = built.data.base.public.kwh_per_year, built.data.chargers.areas
    kwh, offered = np.zeros(sold.shape), np.zeros(sold.shape, bool)
    offered[here] = sold[here] > 0
    first = built.start.get("public_kwh", 0)
    kwh[offered] = x[first : first + np.count_nonzero(offered)]
    return kwh


def _tonnes(
    built: Built, x: Floats, uses: tuple[Ints, Ints, Floats], names: Names, capacity_t: Floats, kind: str, table: str
) -> pd.DataFrame:
    column, what, times = uses
    used = np.zeros((len(names), built.data.time.size))
    np.add.at(used, (what, built.data.flows.t[column]), times * x[built.start["carried_t"] + column])
    if kind == "link":
        used += _on_free_roads(built, x)
    return _frame(built, kind, names, used, _with_projects(built, x, capacity_t, table, 1.0), "t")


def _on_free_roads(built: Built, x: Floats) -> Floats:
    """Tonnes (capacity groups, periods) that lanes bring to road links without a limit."""
    data, size = built.data, built.data.time.size
    column, lane, times = data.flows.uses_lane
    on_lane = np.zeros((data.prepared.items.n_lanes, size))
    np.add.at(on_lane, (lane, data.flows.t[column]), times * x[built.start["carried_t"] + column])
    items, used = data.prepared.items, np.zeros((len(data.base.links), size))
    for low in range(0, len(on_lane), LANES_AT_ONCE):
        some = on_lane[low : low + LANES_AT_ONCE]
        start = items.link_start[low : low + len(some) + 1]
        group = data.base.link_group[items.link[start[0] : start[-1]]]
        by = np.repeat(np.arange(len(some)), np.diff(start))
        for t in range(size):
            used[:, t] += sum_by(group, some[by, t], size=len(used))
    used[np.isfinite(data.base.link_capacity_t)] = 0.0
    return used


def _with_projects(built: Built, x: Floats, limit: Floats, table: str, per_unit: float) -> Floats:
    total = np.repeat(limit[:, None], built.data.time.size, axis=1)
    columns = columns_of_built(built, built.data)
    for row, t, column, amount in added_by_projects(built.data, columns, table):
        total[row, t] += per_unit * amount * x[column]
    return total


def _frame(built: Built, kind: str, names: Names, used: Floats, limit: Floats, unit: str) -> pd.DataFrame:
    row, t = np.nonzero(used > 0)
    return pd.DataFrame({
        "kind": kind, "row": np.array(names.ids, object)[row], "year": built.data.time.years[t],
        "used": used[row, t], "limit": limit[row, t], "unit": unit,
    })  # fmt: skip
