"""All coefficients of a model, worked out before any variable exists (models/README.md sections 1 to 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nbb_opt.errors import ModelError
from nbb_opt.instance import Instance
from nbb_opt.model.data.assets import Chargers, Policy, Projects, chargers_of, earliest_years, policies_of, projects_of
from nbb_opt.model.data.base import BaseData, base_data
from nbb_opt.model.data.driving import Driving, Empties, driving_of, empties_of
from nbb_opt.model.data.flows import FlowColumns, flows_of, mode_constants
from nbb_opt.model.data.fuels import Fuels, fuels_of
from nbb_opt.model.data.items import ItemFigures, item_figures
from nbb_opt.model.data.lanes import Lanes, lanes_of
from nbb_opt.model.data.periods import Floats, Time, time_of
from nbb_opt.model.data.sourcing import Sourcing, sourcing_of
from nbb_opt.model.data.stock import Stock, stock_of
from nbb_opt.model.data.trucks import Trucks, trucks_of
from nbb_opt.model.spec import ModelSpec

if TYPE_CHECKING:
    from nbb_opt.model.data.hauls import Hauls
    from nbb_opt.model.data.segments import ChainSegments
    from nbb_opt.network import Prepared


@dataclass(frozen=True, kw_only=True)
class ModelData:
    """Everything the blocks read; arrays, names and tuples only.

    Where `flows` are columns of segments and `driving` of resources, `chains` and `hauls` say what adds them up (see
    segments.py and hauls.py).
    """

    instance: Instance
    prepared: Prepared
    time: Time
    base: BaseData
    trucks: Trucks
    lanes: Lanes
    items: ItemFigures
    sourcing: Sourcing
    flows: FlowColumns
    driving: Driving
    empties: Empties
    stock: Stock
    chargers: Chargers
    projects: Projects
    fuels: Fuels
    policies: tuple[Policy, ...]
    emission_eur_per_t: dict[str, dict[int, float]]  # what the model puts on emissions, by component and period
    chains: ChainSegments | None
    hauls: Hauls | None


def model_data(
    instance: Instance,
    prepared: Prepared,
    spec: ModelSpec,
    *,
    fixed_flows_t: Floats | None = None,
    segments: bool = False,
) -> ModelData:
    """Coefficients for `spec`; `fixed_flows_t` (chains, periods) where the model's flows are given.

    With `segments`, flows are columns of segments of chains, and driving of resources.
    """
    from nbb_opt.network import road_distances, services

    time, base = time_of(instance), base_data(instance)
    trucks = trucks_of(instance, base, time, technologies=spec.technologies)
    lanes = lanes_of(base, prepared.items, trucks)
    items = item_figures(instance, prepared, base, time, lanes=lanes, services=services(instance))
    earliest = earliest_years(instance, spec.projects)
    counted = mode_constants(instance, prepared)
    asked: dict[str, Any] = {
        "items": items, "earliest": earliest, "fixed_flows_t": fixed_flows_t,
        "constant_eur": counted if "mode_constants" in spec.blocks else np.zeros(counted.shape),
    }  # fmt: skip
    chains, hauls = None, None
    sourcing = sourcing_of(instance, prepared, time, allowed="sourcing" in spec.blocks)
    if segments:
        if len(sourcing.pairs):
            raise ModelError(
                f"model '{spec.name}': column generation has no statement of the block 'sourcing' for plants with "
                "recipes; take method='monolith', or leave the block or the recipes out"
            )
        from nbb_opt.model.data.hauls import hauls_of
        from nbb_opt.model.data.segments import segments_of

        flows, chains = segments_of(instance, prepared, base, time, **asked)
        driving, hauls = hauls_of(instance, base, trucks, lanes, lanes_used(flows, lanes, time))
    else:
        flows = flows_of(instance, prepared, base, time, sourcing=sourcing, **asked)
        sourcing = sourcing.carried(flows.bundle, flows.t)
        driving = driving_of(instance, base, trucks, lanes, lanes_used(flows, lanes, time))
    distances = road_distances(instance)
    if "rebalance" not in spec.blocks:
        distances = distances.iloc[:0]
    empties = empties_of(instance, base, trucks, driving, distances)
    areas = np.unique(np.concatenate([driving.ledger.area, empties.ledger.area]))
    ruled = {"caps", "policy", "mode_shift"} & set(spec.blocks)
    return ModelData(
        instance=instance, prepared=prepared, time=time, base=base, trucks=trucks, lanes=lanes, items=items,
        sourcing=sourcing, flows=flows, driving=driving, empties=empties,
        stock=stock_of(instance, base, time, trucks, driving, empties),
        chargers=chargers_of(instance, time, areas[areas >= 0]),
        projects=projects_of(instance, base, time, earliest),
        fuels=fuels_of(instance, base, time, allowed="fuels" in spec.blocks),
        policies=policies_of(instance, base, time, spec.caps_t) if ruled else (),
        emission_eur_per_t=spec.prices_in(time.years.tolist()), chains=chains, hauls=hauls,
    )  # fmt: skip


def lanes_used(flows: FlowColumns, lanes: Lanes, time: Time) -> npt.NDArray[np.bool_]:
    """Which lanes some chain may use, by period: (lanes, periods)."""
    in_use = np.zeros((len(lanes.distance_km), time.size), bool)
    column, lane, _ = flows.uses_lane
    in_use[lane, flows.t[column]] = True
    return in_use
