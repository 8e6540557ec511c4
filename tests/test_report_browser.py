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


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome on the path")
def test_no_words_of_a_chart_or_map_touch_or_are_cut_at_any_width(tmp_path: Path) -> None:
    made = make_instance()
    plans = [nbb.solve(nbb.examples.tiny()), nbb.solve(nbb.read(ROOT / "instances" / "haulier"), gap=0.05)]
    pages = [plan.to_html(tmp_path / f"{i}.html") for i, plan in enumerate(plans)]
    write_html(made, [make_run(made)], tmp_path / "made.html")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS[1:-1]))
        for path in (*pages, tmp_path / "made.html"):
            for width in (1280, 768, 390):
                view = browser.new_page(viewport={"width": width, "height": 800})
                view.goto(Path(path).as_uri())
                assert view.evaluate("document.querySelectorAll('svg.drawing text').length") > 50
                assert view.evaluate(WORDS_IN_DRAWINGS) == [], (path, width)
                assert view.evaluate("document.documentElement.scrollWidth") <= width
        browser.close()
