"""Road operation categories: what every kind of truck on every lane carried and drew, its empty trips included."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nbb_opt.errors import NbbError
from nbb_opt.recompute.lanes import Lanes
from nbb_opt.recompute.world import World, join, total

LEAST_T = 1e-3  # a flow below is rounding: it may stand on a lane that no truck drives
KEYS = ["year", "vehicle", "cargo_type", "region"]


@dataclass(frozen=True)
class Road:
    """`work`: lane, year, vehicle, cargo_type, region, share (of the lane's tonnes), loaded_vkm, empty_vkm.

    `lines`: lane, year, vehicle, country, energy_carrier, kwh; loaded and empty vkm together.
    """

    work: pd.DataFrame
    lines: pd.DataFrame


def road_use(world: World, driven: pd.DataFrame, empties: pd.DataFrame, lanes: Lanes, carried: pd.DataFrame) -> Road:
    """The energy of trucks by lane and vehicle.

    `driven` and `empties` are those of the verifier; `carried` has lane, year, tonnes. The tonnes of a lane are shared
    over its vehicles by the work they do (load times loaded vkm). The empty vkm within a region belong to the lane.
    Those between regions, and trucks on lanes without freight, are shared over the lanes of the same vehicle, cargo
    type, region of departure and year by loaded tkm; if there are none, over all lanes of the vehicle in that year.
    Raises NbbError if freight has no truck, or energy no freight at all.
    """
    lines = _lane_energy(world, driven, lanes)
    work = driven[["lane", "year", "vehicle", "cargo_type", "region", "loaded_vkm"]].assign(
        work_tkm=driven["loaded_vkm"] * driven["load_t"], empty_vkm=driven["loaded_vkm"] * driven["kappa"]
    )
    work = work.pipe(join, carried, on=["lane", "year"], how="left").fillna({"tonnes": 0.0})
    work = work.assign(share=work["work_tkm"] / work.groupby(["lane", "year"])["work_tkm"].transform("sum"))
    work = work.assign(tkm=work["tonnes"] * work["share"] * work["lane"].map(lanes.facts["km"]))
    _check_freight(carried, work)
    used = work["tkm"] > 0
    idle = lines.pipe(join, work.loc[~used, ["lane", "year", "vehicle", "cargo_type", "region"]])
    idle_vkm = work.loc[~used, [*KEYS, "loaded_vkm", "empty_vkm"]]
    idle_vkm = idle_vkm.assign(empty_vkm=idle_vkm["loaded_vkm"] + idle_vkm["empty_vkm"])
    trip_lines = empties.assign(kwh=empties["empty_vkm"] * empties["kwh_per_vkm"], region=empties["from_region"])
    trip_vkm = trip_lines[[*KEYS, "empty_vkm"]]
    work = work[used].reset_index(drop=True)
    columns = [*KEYS, "country", "energy_carrier", "kwh"]
    shared = _shared(pd.concat([trip_lines[columns], idle[columns]], ignore_index=True), work, "kwh")
    vkm = _shared(pd.concat([trip_vkm, idle_vkm[trip_vkm.columns]], ignore_index=True), work, "empty_vkm")
    keys = ["lane", "year", "vehicle", "country", "energy_carrier"]
    own = lines.pipe(join, work[["lane", "year", "vehicle"]])
    lines = total(pd.concat([own[[*keys, "kwh"]], shared[[*keys, "kwh"]]], ignore_index=True), keys, "kwh")
    added = total(vkm, ["lane", "year", "vehicle"], "empty_vkm").rename(columns={"empty_vkm": "added_vkm"})
    work = work.pipe(join, added, on=["lane", "year", "vehicle"], how="left").fillna({"added_vkm": 0.0})
    work = work.assign(empty_vkm=work["empty_vkm"] + work["added_vkm"]).drop(columns=["added_vkm", "work_tkm"])
    return Road(work, lines)


def _lane_energy(world: World, driven: pd.DataFrame, lanes: Lanes) -> pd.DataFrame:
    """Columns lane, year, vehicle, country, energy_carrier, kwh: loaded and local empty vkm."""
    keys = ["lane", "year", "vehicle", "country", "energy_carrier"]
    rows = driven.assign(kwh=driven["loaded_vkm"] * driven["kwh_per_vkm"])
    rows = rows[["lane", "year", "vehicle", "energy_carrier", "kwh", "charged", "home_area"]]
    country_of = world.indexed("charge_areas")["country"]
    tank = rows[rows["charged"] == "not"].pipe(join, lanes.countries, on="lane")
    home = rows[rows["charged"] == "home"].assign(share=1.0)
    home = home.assign(country=home["home_area"].map(country_of))
    way = rows[rows["charged"] == "way"].pipe(join, lanes.areas, on="lane")
    way = way.assign(country=way["charge_area"].map(country_of))
    parts = pd.concat([part[[*keys, "kwh", "share"]] for part in (tank, home, way)], ignore_index=True)
    return total(parts.assign(kwh=parts["kwh"] * parts["share"]), keys, "kwh")


def _shared(rows: pd.DataFrame, work: pd.DataFrame, amount: str) -> pd.DataFrame:
    """`rows` (year, vehicle, cargo_type, region, ..., amount) with a lane each, shared by loaded tkm."""
    rows = rows.assign(row=np.arange(len(rows)))
    near = rows.pipe(join, work[[*KEYS, "lane", "tkm"]], on=KEYS)
    rest = rows[~rows["row"].isin(near["row"])]
    wide = rest.pipe(join, work[["year", "vehicle", "lane", "tkm"]], on=["year", "vehicle"])
    lost = rest[~rest["row"].isin(wide["row"])]
    if len(lost) and (lost[amount].abs() > 0).any():
        first = lost.iloc[0]
        raise NbbError(
            f"vehicle {first['vehicle']!r} from {first['region']!r} in {first['year']}: drives without any freight in "
            "that year, so its emissions belong to no chain; verify the run"
        )
    found = pd.concat([near, wide], ignore_index=True)
    weight = found["tkm"] / found.groupby("row")["tkm"].transform("sum")
    return found.assign(**{amount: found[amount] * weight})


def _check_freight(carried: pd.DataFrame, work: pd.DataFrame) -> None:
    both = carried.pipe(join, work[["lane", "year"]].drop_duplicates(), how="left", indicator="found")
    lost = both[(both["found"].astype(str) == "left_only") & (both["tonnes"] > LEAST_T)]
    if len(lost):
        first = lost.iloc[0]
        raise NbbError(
            f"lane {first['lane']} in {first['year']}: carries {first['tonnes']:g} t but no truck drives it; "
            "verify the run"
        )
