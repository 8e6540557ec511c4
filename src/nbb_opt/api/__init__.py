"""The Python interface: what a notebook sees. Every command is a layer on these functions, and only prints."""

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
from nbb_opt.api.pictures import Picture, draw
from nbb_opt.api.plans import Result, build, compare, load, report, solve, verify
from nbb_opt.api.studies import audit, control_totals, fleet_plan, sensitivity, sweep

__all__ = [
    "Picture",
    "Result",
    "audit",
    "build",
    "check",
    "compare",
    "control_totals",
    "convert",
    "draw",
    "fleet_plan",
    "load",
    "manifest",
    "new",
    "prepare",
    "read",
    "render_models",
    "report",
    "sensitivity",
    "size",
    "solve",
    "sweep",
    "synthesize",
    "synthesize_od",
    "upgrade",
    "verify",
    "write",
]
