"""What a planner shows: one closed HTML report, one workbook, the key figures."""

from nbb_opt.report.kpis import key_figures
from nbb_opt.report.page import write_html
from nbb_opt.report.workbook import write_workbook

__all__ = ["key_figures", "write_html", "write_workbook"]
