"""The report in a browser without a network: it opens, complains of nothing and asks for nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

import nbb_opt as nbb
from nbb_opt.report import write_html
from nbb_opt.report.charts.charts import Bar, Series, cost_curve, line_chart, stacked_bars
from nbb_opt.report.charts.svg import PALETTE
from nbb_opt.report.figures import COST_GROUPS
from report_case import make_instance, make_run

ROOT = Path(__file__).parents[1]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
)


@pytest.mark.promise(17)
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome on the path")
@pytest.mark.parametrize(
    "payload", ["", '"><img src="https://evil.example/x" onerror="document.title=1"><script>alert(1)</script>']
)
def test_the_report_opens_without_complaint_or_request(payload: str, tmp_path: Path) -> None:
    def spoil(word: str) -> str:
        return word + payload

    instance = make_instance(spoil)
    write_html(instance, [make_run(instance, spoil=spoil)], tmp_path / "report.html")
    netlog = tmp_path / "net.json"
    command = [
        str(CHROMIUM),
        *FLAGS,
        f"--user-data-dir={tmp_path / 'profile'}",
        f"--log-net-log={netlog}",
        "--enable-logging=stderr",
        "--v=0",
        "--dump-dom",
        (tmp_path / "report.html").as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "The answer" in done.stdout
    assert "CONSOLE" not in done.stderr, done.stderr
    assert not re.findall(r"https?://evil\.example[^\"]*", netlog.read_text(encoding="utf-8"))


@pytest.mark.promise(19)
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome on the path")
def test_a_phone_shows_the_report_without_scrolling_sideways(tmp_path: Path) -> None:
    instance = make_instance()
    write_html(instance, [make_run(instance)], tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    wide = re.sub(r'(<dd class="figure">)[^<]*', "\\1−29 155.2\N{NO-BREAK SPACE}MEUR", page)
    (tmp_path / "report.html").write_text(wide, encoding="utf-8")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS[1:-1]))
        view = browser.new_page(viewport={"width": 390, "height": 800})
        view.goto((tmp_path / "report.html").as_uri())
        assert view.evaluate("document.documentElement.scrollWidth") <= 390
        browser.close()


WORDS_IN_DRAWINGS = """() => [...document.querySelectorAll("svg.drawing")].flatMap(svg => {
    const frame = svg.getBoundingClientRect(), name = svg.querySelector("title").textContent;
    const all = [...svg.querySelectorAll("text")].map(text => [text.textContent, text.getBoundingClientRect()]);
    const cut = all.filter(([, box]) => box.left < frame.left - 1 || box.right > frame.right + 1
        || box.top < frame.top - 1 || box.bottom > frame.bottom + 1).map(([word]) => [name, "is cut", word]);
    const over = all.flatMap(([word, a], i) => all.slice(i + 1).filter(([, b]) => a.left + 1 < b.right
        && b.left + 1 < a.right && a.top + a.height / 5 < b.bottom - b.height / 5
        && b.top + b.height / 5 < a.bottom - a.height / 5).map(([other]) => [name, word, other]));
    return [...cut, ...over];
})"""


def _wide_charts() -> str:
    """Charts with more bars and longer figures than the plans of this test have."""
    kinds = [Series(str(i), f"Kind of cost {i}", colour) for i, colour in enumerate(PALETTE)]
    bars = [Bar(str(year), label, {kind.key: sign * 987.4 for kind in kinds[:9]})
            for year, sign in ((2025, 1), (2028, 1), (2030, 2), (2035, 1), (2040, 1), (2045, -1))
            for label in ("frozen", "reference", "plan")]  # fmt: skip
    xs = [(4818.0 + 1000 * i, 30_000.0 + 90 * i * i) for i in range(10)]
    return "".join([
        stacked_bars(bars, kinds, unit="MEUR", key="a", title="Costs", caps={"2030": 9000.0}),
        line_chart(xs, across="kt CO2e in all years", up="MEUR", key="b"),
        cost_curve([("a", 9000.0, 30.0), ("b", 5990.0, 1234.0)], across="t", up="EUR/t", key="c"),
    ])  # fmt: skip


def test_every_kind_of_cost_has_a_colour_of_its_own() -> None:
    assert len(set(PALETTE)) == len(PALETTE) > len(COST_GROUPS)


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome on the path")
def test_no_words_of_a_chart_or_map_touch_or_are_cut_at_any_width(tmp_path: Path) -> None:
    made = make_instance()
    plans = [nbb.solve(nbb.examples.tiny()), nbb.solve(nbb.read(ROOT / "instances" / "haulier"), gap=0.05)]
    pages = [plan.to_html(tmp_path / f"{i}.html") for i, plan in enumerate(plans)]
    write_html(made, [make_run(made)], tmp_path / "made.html")
    wide = tmp_path / "wide.html"
    drawn = (tmp_path / "made.html").read_text(encoding="utf-8")
    wide.write_text(re.sub(r"<main.*</main>", lambda _: f"<main>{_wide_charts()}</main>", drawn, flags=re.S), "utf-8")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS[1:-1]))
        for path in (*pages, tmp_path / "made.html", wide):
            for width in (1280, 768, 390):
                view = browser.new_page(viewport={"width": width, "height": 800})
                view.goto(Path(path).as_uri())
                assert view.evaluate("document.querySelectorAll('svg.drawing text').length") > 50
                assert view.evaluate(WORDS_IN_DRAWINGS) == [], (path, width)
                assert view.evaluate("document.documentElement.scrollWidth") <= width
        browser.close()
