"""What the model reads, under business names: plain mappings made once from the arrays of ModelData.

Keys are flat tuples of names and years, everywhere: `service_eur[origin, destination, commodity, n, year]`, or
`service_eur[*chain, year]` where `chain` is one of `chains_in[year]`. A figure has one number a key; members list what
a sum runs over, those with a coefficient as (..., coefficient).
"""

from __future__ import annotations

from types import SimpleNamespace

from nbb_opt.model.data.model_data import ModelData
from nbb_opt.model.figures.assets import charging_figures, fuel_figures, policy_figures, project_figures
from nbb_opt.model.figures.driving import driving_figures, trip_figures, truck_figures
from nbb_opt.model.figures.flows import emission_figures, flow_figures
from nbb_opt.model.figures.names import Figure, Named
from nbb_opt.model.figures.sourcing import sourcing_figures


def figures(data: ModelData) -> SimpleNamespace:
    """All of them. Raises ModelError for a figure that is infinite where it cannot be."""
    time = data.time
    named = Named(data)
    years = named.years
    return SimpleNamespace(
        years=years,
        previous=dict(zip([*years[1:], time.horizon_year], years, strict=True)),
        length=dict(zip(years, time.lengths.tolist(), strict=True)),
        horizon=time.horizon_year,
        paid_once=Figure("paid_once", [*years, time.horizon_year], [*time.once_factor, time.horizon_factor]),
        paid_yearly=Figure("paid_yearly", years, time.yearly_factor),
        countries=data.base.countries.ids,
        regions=data.base.regions.ids,
        trucks=data.trucks.names.ids,
        usual_t=data.flows.usual_t,
        usual_vkm=data.flows.usual_t * data.driving.usual_vkm_per_t if named.lanes else 1.0,
        **flow_figures(data, named),
        **sourcing_figures(data, named),
        **driving_figures(data, named),
        **trip_figures(data, named),
        **truck_figures(data, named),
        **project_figures(data, named),
        **charging_figures(data, named),
        **fuel_figures(data, named),
        **emission_figures(data, named),
        **policy_figures(data, named),
    )


__all__ = ["figures"]
