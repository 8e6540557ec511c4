"""What an accounting choice is, and the tools that all of them use to change an instance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from nbb_opt.emissions.factors import Factor
from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance

ENERGY_KG = ("ttw_kg_co2e_per_kwh", "wtt_kg_co2e_per_kwh")


class NotApplicable(NbbError):  # noqa: N818 - a finding about an instance, not a fault
    """A choice that changes nothing in this instance, or for which a figure is missing."""


@dataclass(frozen=True)
class Choice:
    """A way to count: `change` gives the changed instance or raises NotApplicable; `factors` are the ids it uses."""

    name: str
    title: str
    factors: tuple[str, ...]
    change: Callable[[Instance], Instance]


def carriers_of(instance: Instance, technologies: Sequence[str]) -> set[str]:
    vehicles = instance["vehicles"]
    return set(vehicles.loc[vehicles["technology"].isin(list(technologies)), "energy_carrier"])


def with_factors(instance: Instance, used: Sequence[Factor]) -> dict[str, pd.DataFrame]:
    """The tables factors and sources with the rows of `used` added."""
    new = [factor for factor in used if factor.factor not in set(instance["factors"]["factor"])]
    rows = pd.DataFrame(
        [
            {"factor": f.factor, "subject": f"{f.subject}: {f.technology}", "value": f.value, "unit": f.unit,
             "boundary": f.boundary, "gwp_set": f.gwp_set, "region": f.region, "year": f.year, "licence": f.licence,
             "source": f"registry_{f.factor}", "note": f.note}
            for f in new
        ],
        columns=instance["factors"].columns,
    )  # fmt: skip
    sources = pd.DataFrame(
        [
            {"source": f"registry_{f.factor}", "title": f.source_title, "url": f.source_ref, "licence": f.licence,
             "year": f.year}
            for f in new
        ],
        columns=instance["sources"].columns,
    )  # fmt: skip
    both = {"factors": rows, "sources": sources}
    return {
        name: pd.concat([instance[name], more.astype(instance[name].dtypes.to_dict())], ignore_index=True)
        for name, more in both.items()
    }
