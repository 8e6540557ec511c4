"""The model as arrays, for scale: written from models/README.md, compared with the Pyomo model entry by entry."""

from nbb_opt.errors import ModelError
from nbb_opt.model.arrays.assembly import Assembly, Weighed
from nbb_opt.model.arrays.charging import add_charging
from nbb_opt.model.arrays.fleet import add_driving, add_fleet, add_rebalance
from nbb_opt.model.arrays.flow import add_flow, add_links, add_mode_constants, add_terminals
from nbb_opt.model.arrays.fuels import add_fuels
from nbb_opt.model.arrays.policy import add_caps, add_mode_shift, add_policy
from nbb_opt.model.arrays.projects import add_projects
from nbb_opt.model.arrays.share import share_emission_prices
from nbb_opt.model.arrays.sourcing import add_sourcing
from nbb_opt.model.data.costs import ALL, factors, shared_name
from nbb_opt.model.data.model_data import ModelData
from nbb_opt.model.spec import ModelSpec

# block and what states it, in building order
BUILD = (
    ("sourcing", add_sourcing),
    ("flow", add_flow),
    ("mode_constants", add_mode_constants),
    ("projects", add_projects),
    ("links", add_links),
    ("terminals", add_terminals),
    ("fleet", add_driving),
    ("rebalance", add_rebalance),
    ("fleet", add_fleet),
    ("charging", add_charging),
    ("fuels", add_fuels),
    ("caps", add_caps),
    ("policy", add_policy),
    ("mode_shift", add_mode_shift),
)


def state_arrays(data: ModelData, spec: ModelSpec) -> Assembly:
    """The model as arrays. Raises ModelError for a block that has no statement as arrays."""
    stated = {block for block, _ in BUILD}
    for block in spec.blocks:
        if block not in stated:
            raise ModelError(
                f"model '{spec.name}': the block '{block}' is stated in Pyomo only, and this size or method needs "
                "arrays; take method='monolith' and statement='pyomo', or leave the block out"
            )
    a = Assembly(spec.name)
    for block, add in BUILD:
        if block in spec.blocks:
            add(a, data)
    share_emission_prices(a, data)
    years = [*data.time.years.tolist(), data.time.horizon_year]
    a.minimise([Weighed(each, factors(each, data.time), a.share(shared_name(each), len(years))) for each in ALL])
    return a


__all__ = ["BUILD", "state_arrays"]
