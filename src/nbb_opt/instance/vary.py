"""Variants of an instance that a study works out: figures may leave the ranges that are plausible for an input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from nbb_opt.instance.manifest import digest
from nbb_opt.instance.read import Instance, demand_of
from nbb_opt.instance.schema import BY_NAME
from nbb_opt.instance.tables.csv_file import csv_bytes


def varied(instance: Instance, tables: Mapping[str, pd.DataFrame], **settings: Any) -> Instance:
    """The instance with other tables (not `od`) and settings, unchecked, with the digest of such files.

    For what people edit there is `Instance.with_table`, which checks.

    >>> from nbb_opt.instance import read_instance
    >>> from nbb_opt.shipped import shipped
    >>> tiny = read_instance(shipped("instances") / "tiny")
    >>> varied(tiny, {}).digest == tiny.digest, varied(tiny, {}, carbon_base="WTW").digest == tiny.digest
    (True, False)
    """
    demand = demand_of(instance)
    meta, frames = replace(instance.meta, **settings), {**instance.tables, **tables}
    content = digest(meta, instance.periods, frames, demand)
    return replace(instance, meta=meta, tables=frames, digest=content, flows=demand)


def with_demand(instance: Instance, factor: float) -> Instance:
    """The instance with every row of its demand times a factor."""
    demand = demand_of(instance)
    demand = replace(demand, tonnes=demand.tonnes * factor)
    content = digest(instance.meta, instance.periods, instance.tables, demand)
    path = instance.od_path.with_suffix(".csv") if instance.od_path.suffix else instance.od_path
    edited = {**instance.edited, "od.csv": csv_bytes(demand.frame(), BY_NAME["od"])}
    return replace(instance, od_path=path, digest=content, flows=demand, edited=edited)
