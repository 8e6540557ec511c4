"""National freight planning as STraM states it: tables of an instance, their reader, the converter, result tables.

The problem is that of S. J. Bakker et al., "STraM: A strategic network design model for national freight transport
decarbonization", Transportation Research Part E 197 (2025). Nothing here knows how it is stated or solved.
"""

from nbb_opt.problems.stram.checks import StramVerdict
from nbb_opt.problems.stram.convert import convert_stram
from nbb_opt.problems.stram.read import StramCase, read_stram
from nbb_opt.problems.stram.run import RESULTS, as_result
from nbb_opt.problems.stram.verify import verify_stram

__all__ = ["RESULTS", "StramCase", "StramVerdict", "as_result", "convert_stram", "read_stram", "verify_stram"]
