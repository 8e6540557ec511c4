"""The report in a browser without a network: it opens, complains of nothing and asks for nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from nbb_opt.report import write_html
from report_case import make_instance, make_run

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
