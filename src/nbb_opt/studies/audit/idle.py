"""Trucks and chargers of a plan that its work does not need, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array

from nbb_opt.solve import Solution
from nbb_opt.studies.audit.fleet_model import FleetModel, Key
from nbb_opt.studies.audit.ownership import charger_eur_per_year, truck_eur_per_year
from nbb_opt.studies.audit.plan import CHARGER, TRUCK

CLOSE = 1e-6  # a number may miss a whole one by this


@dataclass(frozen=True)
class Idle:
    """So many trucks or chargers of a `type` at a place that could be left out; `eur_per_year` is for all of them."""

    what: str
    place: str
    type: str
    year: int
    number: int
    eur_per_year: float

    @property
    def text(self) -> str:
        """What is idle and what it costs, in words."""
        many = "" if self.number == 1 else "s"
        return f"{self.number} {self.type} {self.what}{many} without work: {self.eur_per_year:,.0f} EUR a year"


def idle(fleet_model: FleetModel, solution: Solution) -> list[Idle]:
    """Whole trucks and chargers that the operation of a plan leaves over, whatever it is that they bring.

    They could go while all else works as it does; of the chargers of a place the dearest first, since one that goes
    leaves less energy to spare for the next.
    """
    form, data, years = fleet_model.form, fleet_model.built.data, fleet_model.built.data.time.years
    matrix = csc_array((form.a_values, form.a_indices, form.a_indptr), shape=(len(form.row_low), len(form.cost)))
    spare = form.row_up - matrix @ solution.values[: len(form.cost)]

    def over(columns: list[int], units: float) -> int:
        return int(min(round(float(solution.values[columns].sum())), np.floor(units + CLOSE)))

    units: dict[Key, float] = {}
    for truck, row, each in fleet_model.truck_rows():
        units[truck] = min(units.get(truck, np.inf), spare[row] / each)
    owning, trucks, base = truck_eur_per_year(fleet_model), data.trucks.names, data.base
    found = []
    for (place, kind, t), columns in fleet_model.trucks.items():
        number = over(columns, units.get((place, kind, t), np.inf))
        country = int(base.region_country[base.regions.of([place])[0]])
        eur = float(owning[int(trucks.of([kind])[0]), country, t])
        found.append(Idle(TRUCK, place, kind, int(years[t]), number, number * eur))
    chargers = data.chargers
    yearly = dict(zip(chargers.names.ids, charger_eur_per_year(fleet_model).tolist(), strict=True))
    kwh = dict(zip(chargers.names.ids, chargers.kwh_per_year.tolist(), strict=True))
    for (area, kind, t), rows in sorted(fleet_model.charger_rows().items(), key=lambda item: -yearly[item[0][1]]):
        number = over(fleet_model.chargers[area, kind, t], min(spare[rows].tolist(), default=np.inf) / kwh[kind])
        spare[rows] -= max(number, 0) * kwh[kind]
        found.append(Idle(CHARGER, area, kind, int(years[t]), number, number * yearly[kind]))
    return sorted(
        (each for each in found if each.number > 0), key=lambda each: (each.year, each.what != TRUCK, each.place)
    )
