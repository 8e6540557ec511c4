"""The fixed-charge multicommodity capacitated network design problem: its instances, results and verifier."""

from nbb_opt.problems.network_design.instance import DesignInstance, DesignNetwork, read_design
from nbb_opt.problems.network_design.run import DesignRun, read_design_run, write_design_run
from nbb_opt.problems.network_design.verify import verify_design

__all__ = [
    "DesignInstance", "DesignNetwork", "DesignRun", "read_design", "read_design_run", "verify_design",
    "write_design_run",
]  # fmt: skip
