"""OD matrices and networks in the formats of other tools, to and from the OD table of this one."""

from nbb_opt.formats.convert import Choices, Report, convert
from nbb_opt.formats.dialect import Dialect

__all__ = ["Choices", "Dialect", "Report", "convert"]
