"""This package: the HTML report."""

from benchmarks.report.solved import solved

KIND, LIBRARY = "ours", "nbb-opt"


def start(case, options):
    from nbb_opt.report import write_html

    instance, run, place = solved(case)
    target = place / "report.html"

    def work():
        write_html(instance, [run], target)
        return target

    return work


def outcome(case, target):
    text = target.read_text(encoding="utf-8")
    counters = {"drawings": text.count("<svg"), "tables": text.count("<table")}
    return {"counters": counters, "figures": {"bytes": len(text.encode()), "table_rows": text.count("<tr")}}
