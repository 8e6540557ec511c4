"""Plans modal shift and fleet electrification of regional freight.

>>> import nbb_opt as nbb
>>> region = nbb.examples.tiny()
>>> plan = nbb.solve(region, gap=1e-3, time_limit_s=120)
>>> plan.status, round(plan.cost_eur), plan.projects["project"].unique().tolist()
('optimal', 18988400, ['RAIL_MINE'])

The names of `__all__` are imported when they are first used: `import nbb_opt` itself loads nothing.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from nbb_opt import examples
    from nbb_opt.api.comparison import Comparison, compare
    from nbb_opt.api.data import (
        check,
        convert,
        manifest,
        new,
        prepare,
        read,
        render_models,
        size,
        synthesize,
        synthesize_od,
        upgrade,
        write,
    )
    from nbb_opt.api.fleet import charging_day, fleet_money, fleet_sheet, fleet_trips, new_fleet, truck_cost
    from nbb_opt.api.pictures import Picture, draw
    from nbb_opt.api.plans import Result, build, load, report, solve, verify
    from nbb_opt.api.region import availability, inventory, locate, strategy
    from nbb_opt.api.studies import (
        abate,
        audit,
        control_totals,
        cooperate,
        explain,
        fleet_plan,
        pareto,
        robust,
        sensitivity,
        sweep,
        tornado,
    )
    from nbb_opt.app.server import serve
    from nbb_opt.cli.doctor import doctor
    from nbb_opt.errors import Infeasible, InstanceError, ModelError, NbbError, NoPlan, SolveError, VerifyFailed
    from nbb_opt.instance import Instance
    from nbb_opt.instance.read_only import ReadOnlyError
    from nbb_opt.model.blocks.costs import add_cost
    from nbb_opt.options import SolveOptions
    from nbb_opt.problems.result import ProblemInstance, ProblemResult

# module -> its names; imported when first used
_NAMES = {
    "nbb_opt.api.comparison": ("Comparison", "compare"),
    "nbb_opt.api.data": (
        "check", "convert", "manifest", "new", "prepare", "read", "render_models", "size", "synthesize",
        "synthesize_od", "upgrade", "write",
    ),
    "nbb_opt.api.fleet": ("charging_day", "fleet_money", "fleet_sheet", "fleet_trips", "new_fleet", "truck_cost"),
    "nbb_opt.api.pictures": ("Picture", "draw"),
    "nbb_opt.api.plans": ("Result", "build", "load", "report", "solve", "verify"),
    "nbb_opt.api.region": ("availability", "inventory", "locate", "strategy"),
    "nbb_opt.api.studies": (
        "abate", "audit", "control_totals", "cooperate", "explain", "fleet_plan", "pareto", "robust",
        "sensitivity", "sweep", "tornado",
    ),
    "nbb_opt.app.server": ("serve",),
    "nbb_opt.cli.doctor": ("doctor",),
    "nbb_opt.errors": ("Infeasible", "InstanceError", "ModelError", "NbbError", "NoPlan", "SolveError", "VerifyFailed"),
    "nbb_opt.instance": ("Instance",),
    "nbb_opt.instance.read_only": ("ReadOnlyError",),
    "nbb_opt.model.blocks.costs": ("add_cost",),
    "nbb_opt.options": ("SolveOptions",),
    "nbb_opt.problems.result": ("ProblemInstance", "ProblemResult"),
}  # fmt: skip
_HOME = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [
    "Comparison",
    "Infeasible",
    "Instance",
    "InstanceError",
    "ModelError",
    "NbbError",
    "NoPlan",
    "Picture",
    "ProblemInstance",
    "ProblemResult",
    "ReadOnlyError",
    "Result",
    "SolveError",
    "SolveOptions",
    "VerifyFailed",
    "abate",
    "add_cost",
    "audit",
    "availability",
    "build",
    "charging_day",
    "check",
    "compare",
    "control_totals",
    "convert",
    "cooperate",
    "doctor",
    "draw",
    "examples",
    "explain",
    "fleet_money",
    "fleet_plan",
    "fleet_sheet",
    "fleet_trips",
    "inventory",
    "load",
    "locate",
    "manifest",
    "new",
    "new_fleet",
    "pareto",
    "prepare",
    "read",
    "render_models",
    "report",
    "robust",
    "sensitivity",
    "serve",
    "size",
    "solve",
    "strategy",
    "sweep",
    "synthesize",
    "synthesize_od",
    "tornado",
    "truck_cost",
    "upgrade",
    "verify",
    "write",
]


class _Face(ModuleType):
    """This module, whose functions `solve` and `verify` are not replaced by the packages of these names."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (isinstance(value, ModuleType) and name in __all__ and name != "examples"):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Face


def __getattr__(name: str) -> Any:
    if name == "examples":
        return importlib.import_module("nbb_opt.examples")
    if name not in __all__:
        raise AttributeError(f"module 'nbb_opt' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
