"""The fixed-charge multicommodity capacitated network design problem: its instances, results and verifier."""

from nbb_opt.problems.network_design.instance import DesignInstance, DesignNetwork, read_design
from nbb_opt.problems.network_design.run import read_design_run, run_files
from nbb_opt.problems.network_design.verify import verify_design

__all__ = [
    "DesignInstance", "DesignNetwork", "read_design", "read_design_run", "run_files", "verify_design",
]  # fmt: skip
