"""The instances that come with the package, read and checked once: nobody can edit them."""

from __future__ import annotations

from functools import cache

from nbb_opt.instance import Instance, read_instance
from nbb_opt.shipped import shipped

__all__ = ["haulier", "nbb", "tiny"]


def __dir__() -> list[str]:
    return __all__


@cache
def tiny() -> Instance:
    """Seven places, five flows, two periods: a case whose optimum is worked out by hand.

    >>> tiny().meta.name
    'tiny'
    """
    return read_instance(shipped("instances") / "tiny")


@cache
def haulier() -> Instance:
    """A haulier whose fleet is to be renewed, with a plan to audit.

    >>> len(haulier()["fleet_regions"])
    4
    """
    return read_instance(shipped("instances") / "haulier")


@cache
def nbb() -> Instance:
    """The region from Nordland over Västerbotten to Ostrobothnia.

    >>> {"NO", "SE", "FI"} <= set(nbb()["nodes"]["country"])
    True
    """
    return read_instance(shipped("instances") / "nbb")
