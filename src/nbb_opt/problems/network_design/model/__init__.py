"""The network design model: its description, its statement in Pyomo and the one in arrays for scale."""

from nbb_opt.problems.network_design.model.arrays import (
    DesignSpec,
    design_assembly,
    design_form,
    entries,
    read_design_model,
)

__all__ = ["DesignSpec", "design_assembly", "design_form", "entries", "read_design_model"]
