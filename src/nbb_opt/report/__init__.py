"""What a planner shows: one closed HTML report, one workbook, the key figures."""

from nbb_opt.report.kpis import key_figures
from nbb_opt.report.page import html_bytes, write_html
from nbb_opt.report.workbook import workbook_bytes, write_workbook

__all__ = ["html_bytes", "key_figures", "workbook_bytes", "write_html", "write_workbook"]
