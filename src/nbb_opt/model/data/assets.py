"""Chargers, projects and rules as arrays: the data of `installed`, `built` and of the block `policy`."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from nbb_opt.errors import ModelError
from nbb_opt.instance import Instance, split_refs
from nbb_opt.instance.schema import STATUSES
from nbb_opt.model.data.base import BaseData
from nbb_opt.model.data.periods import Floats, Ints, Names, Time

HOURS_PER_YEAR = 8760.0
IDEA = ("", "idea")
OPEN = (*IDEA, "market")  # not decided yet
CAP_OF_MODEL = "model_from_"  # begins the name of a cap of the model itself
ROW_OF_CAP_OF_MODEL = re.compile(rf"cap_emissions\W+{CAP_OF_MODEL}[0-9]+\W+([0-9]+)\W*")  # its year, in both statements
# what a model may build, by its option `projects`
MAY_BUILD = {
    "none": (), "existing": ("existing",), "committed": ("existing", "under_construction", "committed", "market"),
    "all": STATUSES,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Chargers:
    """Charger types (K), areas where energy can be drawn, and columns of `installed` (area, charger, period)."""

    names: Names
    kw: Floats
    capex_eur: Floats
    fixed_eur_per_year: Floats
    lifetime: Ints
    kwh_per_year: Floats
    areas: Ints
    area: Ints
    kind: Ints
    t: Ints


@dataclass(frozen=True, kw_only=True)
class Projects:
    """Projects (A) and the columns of `built` (project, period), from `least` up: what is decided is built.

    `adds` are (project, table, row, amount).
    """

    names: Names
    capex_eur: Floats
    fixed_eur_per_year: Floats
    lifetime: Ints
    max_units: Ints
    requires: tuple[tuple[int, int], ...]
    excludes: tuple[tuple[int, int], ...]
    adds: tuple[tuple[int, str, int, float], ...]
    funding: Floats
    ideas: np.ndarray  # paid from budgets
    project: Ints
    t: Ints
    least: Ints


@dataclass(frozen=True)
class Policy:
    """One rule; country -1 means all together, years (periods) it holds in."""

    name: str
    kind: str
    country: int
    technology: str
    periods: tuple[int, ...]
    value: float


def chargers_of(instance: Instance, time: Time, areas: Ints) -> Chargers:
    """Charger types in the areas where trucks can draw energy."""
    table = instance["chargers"]
    kw, life = table["kw"].to_numpy(float), table["lifetime_years"].to_numpy(np.int64)
    ready = table["available_from"].to_numpy(np.int64)[:, None] <= time.years[None, :]
    area, kind, t = np.nonzero(np.broadcast_to(ready, (len(areas), *ready.shape)))
    return Chargers(
        names=Names(table["charger"]), kw=kw, capex_eur=table["capex_eur"].to_numpy(float),
        fixed_eur_per_year=table["fixed_eur_per_year"].to_numpy(float), lifetime=life,
        kwh_per_year=HOURS_PER_YEAR * kw * table["utilisation_share"].to_numpy(float), areas=areas, area=areas[area],
        kind=kind, t=t,
    )  # fmt: skip


def earliest_years(instance: Instance, which: str) -> dict[str, float]:
    """First year of every project in a model with the option `projects` = `which`; inf where it may not be built."""
    table = instance["projects"]
    status = ["idea" if word in IDEA else word for word in table["status"].tolist()]
    years = zip(table["project"].tolist(), status, table["earliest_year"].tolist(), strict=True)
    return {name: float(year) if word in MAY_BUILD[which] else np.inf for name, word, year in years}


def projects_of(instance: Instance, base: BaseData, time: Time, earliest_years: dict[str, float]) -> Projects:
    """Projects with what they add; those that may not be built have no columns."""
    table, effects, funding = instance["projects"], instance["project_effects"], instance["project_funding"]
    names, terminals = Names(table["project"]), Names(instance["terminals"]["terminal"])
    rows = {"links": base.links, "terminals": terminals, "charge_areas": base.areas,
            "fuel_substitutes": Names(instance["fuel_substitutes"]["substitute"])}  # fmt: skip
    adds = []
    for project, where, key, amount in zip(
        *(effects[c].tolist() for c in ("project", "table", "row", "adds")), strict=True
    ):
        row = int(rows[where].of([key])[0])
        if row < 0:
            raise ModelError(f"project_effects.csv, project '{project}': {where} has no row '{key}'")
        if where == "links" and base.link_group[row] != row:
            raise ModelError(
                f"project_effects.csv, project '{project}': link '{key}' uses the capacity of "
                f"'{base.links[base.link_group[row]]}'; let the project add to that link"
            )
        adds.append((int(names.of([project])[0]), str(where), row, float(amount)))
    share = np.zeros((len(names), len(base.countries)))
    share[names.of(funding["project"]), base.countries.of(funding["country"])] = funding["share"].to_numpy(float)
    pairs = {
        column: [
            (a, int(b)) for a, cell in enumerate(table[column].tolist()) for b in names.of(split_refs(cell)).tolist()
        ]
        for column in ("requires", "excludes")
    }
    earliest = np.array([earliest_years[name] for name in table["project"].tolist()], float)
    decided, required = ~table["status"].isin(OPEN).to_numpy(), table["required_from_year"].to_numpy(float)
    project, t = np.nonzero(earliest[:, None] <= time.years[None, :])
    return Projects(
        names=names, capex_eur=table["capex_eur"].to_numpy(float),
        fixed_eur_per_year=table["fixed_eur_per_year"].to_numpy(float),
        lifetime=table["lifetime_years"].to_numpy(np.int64), max_units=table["max_units"].to_numpy(np.int64),
        requires=tuple(pairs["requires"]),
        excludes=tuple(sorted({(min(a, b), max(a, b)) for a, b in pairs["excludes"]})), adds=tuple(adds), funding=share,
        ideas=table["status"].isin(IDEA).to_numpy(),
        project=project, t=t, least=(decided[project] | (required[project] <= time.years[t])).astype(np.int64),
    )  # fmt: skip


def policies_of(
    instance: Instance, base: BaseData, time: Time, caps_t: tuple[tuple[int, float], ...] = ()
) -> tuple[Policy, ...]:
    """Rules with the periods they hold in: that which contains the year; from that year on for a ban.

    `caps_t` are caps of the model itself: each holds from its year until that of the next.
    """
    found = []
    if caps_t and caps_t[0][0] > time.years[-1]:
        raise ModelError(f"[caps] cut: begins in {caps_t[0][0]}, the last period of the instance in {time.years[-1]}")
    for i, (since, cap_t) in enumerate(caps_t):
        until = caps_t[i + 1][0] if i + 1 < len(caps_t) else np.inf
        periods = tuple(np.flatnonzero((time.years >= since) & (time.years < until)).tolist())
        found.append(Policy(f"{CAP_OF_MODEL}{since}", "cap_emissions_t_per_year", -1, "", periods, cap_t))
    for row in instance["policies"].to_dict("records"):
        kind, value, year = str(row["kind"]), float(row["value"]), float(row["year"])
        where = f"policies.csv, policy '{row['policy']}'"
        if kind in ("ban_purchase", "cap_technology_share") and not row["technology"]:
            raise ModelError(f"{where}: {kind} needs a technology; fill it in")
        if kind == "limit_mode_shift_share_per_year" and row["country"]:
            raise ModelError(f"{where}: {kind} holds for all countries together; leave country blank")
        if kind != "ban_purchase" and np.isnan(value):
            raise ModelError(f"{where}: {kind} needs a value; fill it in")
        if np.isnan(year):
            holds = np.ones(time.size, bool)
        elif kind == "ban_purchase":
            holds = time.years >= year
        else:
            holds = (time.years <= year) & (year < time.years + time.lengths)
        country = int(base.countries.of([row["country"]])[0])
        periods = tuple(np.flatnonzero(holds).tolist())
        found.append(Policy(str(row["policy"]), kind, country, str(row["technology"]), periods, value))
    return tuple(found)
