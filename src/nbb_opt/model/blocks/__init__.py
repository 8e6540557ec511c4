"""The rules of the model by topic: one function per equation, its docstring is the equation.

A variable that does not exist is zero: sums run over what exists. Keys are flat, `*chain` spells a chain out.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pyomo.environ as pyo

TOPICS = (
    "flow", "sourcing", "projects", "links", "terminals", "fleet", "rebalance", "charging", "fuels", "emissions",
    "policy", "mode_shift",
)  # fmt: skip


@dataclass(frozen=True)
class Block:
    """One file of this folder: its sentence, its remarks, and its functions in order."""

    name: str
    title: str
    remarks: str
    rules: tuple[Callable[..., Any], ...]


def blocks() -> tuple[Block, ...]:
    """Every block with its rules, read from the docstrings."""
    found = []
    for name in TOPICS:
        module = import_module(f"{__name__}.{name}")
        title, _, remarks = (inspect.getdoc(module) or "").partition("\n")
        rules = tuple(f for f in vars(module).values() if inspect.isfunction(f) and f.__module__ == module.__name__)
        found.append(Block(name, title[0].lower() + title[1:].rstrip("."), " ".join(remarks.split()), rules))
    return tuple(found)


def at(variable: Any, *key: Any) -> Any:
    """A variable, zero where it does not exist."""
    if key in variable:
        return variable[key]
    return 0


def carrying(m: Any, per_t: Iterable[Any], year: int) -> Any:
    """What chains use or emit: figures (chain, amount) times what is carried."""
    return pyo.quicksum(amount * m.carried_t[*chain, year] for chain, amount in per_t)


def driving(m: Any, per_vkm: Iterable[Any], per_empty_vkm: Iterable[Any], year: int) -> Any:
    """What trucks and empty trips use: figures (key, amount) times what is driven."""
    loaded = pyo.quicksum(amount * m.driven_vkm[*lane, truck, year] for (lane, truck), amount in per_vkm)
    return loaded + pyo.quicksum(amount * m.empty_vkm[*trip, year] for trip, amount in per_empty_vkm)


def if_any(relation: Any) -> Any:
    """The relation; no row where no variable occurs on either side, and it holds."""
    return pyo.Constraint.Feasible if relation is True else relation
