"""What a tonne on a chain costs, emits and uses: the data of `carried_t`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from nbb_opt.errors import ModelError
from nbb_opt.instance import Instance, split_refs
from nbb_opt.instance.schema import MODES
from nbb_opt.model.data.base import BaseData
from nbb_opt.model.data.costs import EmissionEntries, ledger_of
from nbb_opt.model.data.items import ItemFigures, chain_items
from nbb_opt.model.data.periods import Floats, Ints, Names, Time, entries
from nbb_opt.model.data.sourcing import Sourcing

if TYPE_CHECKING:
    from nbb_opt.network import Prepared

FLOW_DUST = 1e-9  # a fixed flow below this share of its bundle's demand is no flow


@dataclass(frozen=True, kw_only=True)
class FlowColumns:
    """Columns of `carried_t`: chain and period of each, cost per tonne, and how often a tonne uses what.

    `mode_class` is commodity times the number of modes plus main mode; of it the rows that compare modes count `now`
    times the tonnes and `grows` times those of the period before. `usual_t` is a usual flow. Where `segments` is set,
    the columns are segments of chains (see segments.py): rows that belong to whole chains have no columns to stand on.
    `uses_*` are sparse (column, what, times); in `uses_group`, road links without a limit are left out (their use
    follows from the lanes); `fixed_t` holds the flow where flows are given, else it is empty.
    """

    chain: Ints
    t: Ints
    bundle: Ints
    demand_t: Floats
    mode_class: Ints
    now: Floats
    grows: Floats
    usual_t: float
    fixed_t: Floats
    cost_eur: dict[str, Floats]
    ledger: EmissionEntries
    uses_lane: tuple[Ints, Ints, Floats]
    uses_group: tuple[Ints, Ints, Floats]
    uses_terminal: tuple[Ints, Ints, Floats]
    needs: tuple[Ints, Ints]
    segments: bool = False


def flows_of(
    instance: Instance,
    prepared: Prepared,
    base: BaseData,
    time: Time,
    *,
    items: ItemFigures,
    earliest: dict[str, float],
    fixed_flows_t: Floats | None,
    constant_eur: Floats,
    sourcing: Sourcing,
) -> FlowColumns:
    """Choose the columns and add up the items of their chains.

    A column exists where the bundle has demand or `sourcing` may add some, every lane of the chain has a truck that may
    drive it, and every project the chain needs can be in service (`earliest` gives their years, inf for those that may
    not be built). Where flows are given, columns exist for the given flows only.
    """
    rows = prepared.rows
    bundle = rows.bundle.astype(np.int64)
    ready = ready_sets(instance, prepared, time, earliest)[rows.project_set]
    has = chain_items(prepared)
    wanted: np.ndarray = np.greater(prepared.demand_t + sourcing.more_t, 0)[bundle]
    exists: np.ndarray = wanted & ready & (has @ (~items.open).astype(float) == 0)
    if fixed_flows_t is not None:
        given = given_flows(instance, prepared, bundle, fixed_flows_t, exists)
        exists = given > 0
    served = np.zeros(prepared.demand_t.shape, bool)
    np.logical_or.at(served, bundle, exists)
    complain(prepared, time, (prepared.demand_t > 0) & ~served)
    chain, t = np.nonzero(exists)
    fixed = given[chain, t] if fixed_flows_t is not None else np.zeros(0)
    goods, (now, grows) = goods_of(instance, prepared), compared(prepared.demand_t, ~sourcing.chosen)
    demand_t, mode_class = prepared.demand_t[bundle[chain], t], mode_classes(prepared, goods)
    ledger = _ledger(items.ledger, has, chain, t)
    cost = {
        "service": (has @ items.service_eur)[chain, t],
        "handling": (has @ items.handling_eur)[chain],
        "cargo_time": (has @ items.hours * goods.hour_eur[bundle])[chain],
        "mode_constant": constant_eur[bundle, rows.main_mode][chain],
        "carbon": ledger.carbon_eur(len(chain), price_eur_per_t=base.carbon_price, base=instance.meta.carbon_base),
    }
    return FlowColumns(
        chain=chain, t=t, bundle=bundle[chain], demand_t=demand_t, mode_class=mode_class[chain],
        now=now[bundle[chain], t], grows=grows[bundle[chain], t], usual_t=float(np.median(demand_t[demand_t > 0])),
        fixed_t=fixed, cost_eur=cost, ledger=ledger, uses_lane=_uses(has, items.uses_lane, chain),
        uses_group=_uses(has, items.uses_group, chain), uses_terminal=_uses(has, items.uses_terminal, chain),
        needs=needs_of(prepared, chain),
    )  # fmt: skip


def ready_sets(instance: Instance, prepared: Prepared, time: Time, earliest: dict[str, float]) -> np.ndarray:
    """Whether all projects of a set can be in service, (sets, periods); `earliest` as in `flows_of`."""
    projects = instance["projects"]["project"].tolist()
    years = [earliest[project] for project in projects]
    since = [max((years[p] for p in one), default=-np.inf) for one in prepared.rows.project_sets]
    ready: np.ndarray = np.less_equal.outer(np.array(since, float), time.years)
    return ready


@dataclass(frozen=True)
class Goods:
    """By bundle: commodity, value of an hour of a tonne in EUR."""

    commodity: Ints
    hour_eur: Floats


def goods_of(instance: Instance, prepared: Prepared) -> Goods:
    """What each bundle carries."""
    table = instance["commodities"]
    commodity = Names(table["commodity"]).of(prepared.bundles["commodity"])
    return Goods(commodity, table["value_of_time_eur_per_t_h"].to_numpy(float)[commodity])


def mode_constants(instance: Instance, prepared: Prepared) -> Floats:
    """EUR per tonne (bundles, modes) that the table of that name counts; none for flows that are new after period 0."""
    bundles, found = prepared.bundles, np.zeros((len(prepared.bundles), len(MODES)))
    filters = {"commodities": "commodity", "origins": "origin", "destinations": "destination"}
    for _, row in instance["mode_constants"].iterrows():
        meant = prepared.demand_t[:, 0] > 0
        for of_row, of_flow in filters.items():
            if names := split_refs(row[of_row]):
                meant &= bundles[of_flow].isin(names).to_numpy()
        found[meant, MODES.index(row["mode"])] += row["eur_per_t"]
    return found


def mode_classes(prepared: Prepared, goods: Goods) -> Ints:
    """Class of every chain in the rows that compare modes: commodity and main mode as one number."""
    return goods.commodity[prepared.rows.bundle] * len(MODES) + prepared.rows.main_mode.astype(np.int64)


def compared(demand_t: Floats, given: np.ndarray | None = None) -> tuple[Floats, Floats]:
    """Of bundles and periods: 1 where there was demand one period before as well, and by how much demand will grow.

    0 where either has no demand, or demand is not `given` (bundles) but chosen.
    """
    both = (demand_t[:, 1:] > 0) & (demand_t[:, :-1] > 0)
    if given is not None:
        both &= given[:, None]
    now, grows = np.zeros(demand_t.shape), np.zeros(demand_t.shape)
    now[:, 1:] = both
    np.divide(demand_t[:, 1:], demand_t[:, :-1], out=grows[:, :-1], where=both)
    return now, grows


def given_flows(
    instance: Instance, prepared: Prepared, bundle: Ints, fixed_flows_t: Floats, exists: np.ndarray
) -> Floats:
    """Given flows (chains, periods) without dust, scaled in their last digits so that each demand is met exactly.

    Raises ModelError where they do not meet the demand, or need a chain that does not exist.
    """
    demand = prepared.demand_t
    if fixed_flows_t.shape != (len(bundle), demand.shape[1]) or not np.isfinite(fixed_flows_t).all():
        raise ModelError(f"fixed_flows_t must be finite and of shape {(len(bundle), demand.shape[1])}")
    flows = np.where(fixed_flows_t > FLOW_DUST * demand[bundle], fixed_flows_t, 0.0)
    total = np.zeros(demand.shape)
    np.add.at(total, bundle, flows)
    wrong = np.abs(total - demand) > 1e-6 * demand
    for b, t in np.argwhere(wrong)[:1].tolist():
        raise ModelError(f"given flows of bundle {b} carry {total[b, t]:.6g} t in period {t}, not {demand[b, t]:.6g} t")
    _refuse(instance, prepared, (flows > 0) & ~exists, "carries a given flow but cannot be used")
    return flows * np.divide(demand, total, out=np.zeros_like(total), where=total > 0)[bundle]


def _refuse(instance: Instance, prepared: Prepared, wrong: np.ndarray, why: str) -> None:
    for c, t in np.argwhere(wrong)[:1].tolist():
        raise ModelError(f"chain {c} {why} in {instance.periods[t].year}: {_bundle(prepared, c)}")


def _bundle(prepared: Prepared, chain: int) -> str:
    row = prepared.bundles.iloc[int(prepared.rows.bundle[chain])]
    return f"{row['commodity']} from {row['origin']} to {row['destination']}"


def complain(prepared: Prepared, time: Time, unserved: np.ndarray) -> None:
    """Raise ModelError naming flows (bundles, periods) that no chain serves."""
    if not unserved.any():
        return
    lines = []
    for b, t in np.argwhere(unserved)[:10].tolist():
        row = prepared.bundles.iloc[b]
        lines.append(f"{row['commodity']} from {row['origin']} to {row['destination']} in {time.years[t]}")
    raise ModelError(
        f"{int(unserved.sum())} flows have no usable chain (no truck may drive their lanes, or they need a project "
        "that is not allowed or not ready): " + "; ".join(lines) + ". Add a vehicle, a link or an earlier project."
    )


def _uses(has: csr_array, uses: csr_array, chain: Ints) -> tuple[Ints, Ints, Floats]:
    """Uses of items turned into uses of columns: (column, what, times), sorted."""
    times = has @ uses
    times.sort_indices()
    entry, size = entries(times.indptr, chain)
    return np.repeat(np.arange(len(chain)), size), times.indices[entry].astype(np.int64), times.data[entry]


def needs_of(prepared: Prepared, chain: Ints) -> tuple[Ints, Ints]:
    """Which of some chains needs which project: (position among them, project)."""
    sets = prepared.rows.project_sets
    size = np.array([len(one) for one in sets], np.int64)
    listed = np.array([p for one in sets for p in one], np.int64)
    entry, many = entries(np.append(0, np.cumsum(size)), prepared.rows.project_set[chain])
    return np.repeat(np.arange(len(chain)), many), listed[entry]


def _ledger(ledger: EmissionEntries, has: csr_array, chain: Ints, t: Ints) -> EmissionEntries:
    """The ledger of items added up over the items of every column's chain."""
    periods = int(t.max(initial=-1)) + 1
    start = np.searchsorted(ledger.col * periods + ledger.t, np.arange(has.shape[1] * periods + 1))
    entry, size = entries(has.indptr, chain)
    place = has.indices[entry].astype(np.int64) * periods + np.repeat(t, size)
    row, many = entries(start, place)
    times = np.repeat(has.data[entry], many)
    column = np.repeat(np.repeat(np.arange(len(chain)), size), many)
    frame = pd.DataFrame({"col": column, "t": ledger.t[row]})
    for name in ("country", "mode", "carrier", "area"):
        frame[name] = getattr(ledger, name)[row]
    for name in ("kwh", "ttw_kg", "wtt_kg"):
        frame[name] = times * getattr(ledger, name)[row]
    return ledger_of(frame)
