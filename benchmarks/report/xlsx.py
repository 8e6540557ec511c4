"""This package: the workbook."""

import zipfile

from benchmarks.report.solved import solved

KIND, LIBRARY = "ours", "nbb-opt"


def start(case, options):
    from nbb_opt.emissions.ledger import build_ledger
    from nbb_opt.report import write_workbook

    instance, run, place = solved(case)
    target, ledger = place / "report.xlsx", build_ledger(instance, run.tables)

    def work():
        write_workbook(instance, [run], target, ledgers=[ledger])
        return target

    return work


def outcome(case, target):
    with zipfile.ZipFile(target) as parts:
        sheets = [parts.read(name) for name in parts.namelist() if name.startswith("xl/worksheets/sheet")]
    rows = sum(sheet.count(b"<row ") for sheet in sheets)
    return {"counters": {"sheets": len(sheets)}, "figures": {"bytes": target.stat().st_size, "rows": rows}}
