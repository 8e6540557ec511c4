"""A page of the web app as a person uses it: windows that are watched, the grid, the address of a view."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, expect, sync_playwright

from app_case import WEST_TO_EAST, Served

WAIT_MS = 120_000
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser that reaches this machine only."""
    with sync_playwright() as player:
        flags = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
        found = player.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield found
        found.close()


@dataclass
class Seen:
    """What a browser window asked for beyond the app, and what it complained of."""

    foreign: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@contextmanager
def window(browser: Browser, app: Served, *, width: int = 1366, height: int = 900) -> Iterator[Page]:
    """A window at the address that the app shows; it may ask for nothing else and complain of nothing."""
    context = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
    with watched(context, app) as page:
        page.goto(app.address)
        page.wait_for_selector("main[data-ready]")
        assert "token" not in page.url
        yield page
    context.close()


@contextmanager
def watched(context: BrowserContext, app: Served) -> Iterator[Page]:
    seen = Seen()
    own = f"http://{app.session.hosts[0]}/"

    def gate(route: Route, request: Request) -> None:
        if request.url.startswith((own, "data:", "blob:")):
            route.continue_()
        else:
            seen.foreign.append(request.url)
            route.abort()

    context.route("**/*", gate)
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on("console", lambda message: seen.complaints.append(message.text) if message.type == "error" else None)
    yield page
    assert seen.foreign == []
    expected = re.compile(r"status of (409|422)")  # conflicts and refused workbooks, which journeys provoke
    assert [words for words in seen.complaints if not expected.search(words)] == []


def nothing_serious(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    serious = [
        f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found if each["impact"] in ("serious", "critical")
    ]
    assert serious == []


def go(page: Page, case: str, view: str = "plan", plan: str = "") -> None:
    """Open a view by its address."""
    page.evaluate("document.getElementById('main').removeAttribute('data-ready')")
    target = f"#/case/{case}/{view}" + (f"/{plan}" if plan else "")
    if page.url.endswith(target):
        page.reload()
    else:
        page.evaluate("target => { window.location.hash = target }", target)
    page.wait_for_selector(f"main[data-ready={view}]")


def cell(page: Page, row: int, column: int) -> Any:
    return page.locator(f"td[data-row='{row}'][data-col='{column}']")


def type_in(page: Page, row: int, column: int, text: str) -> None:
    cell(page, row, column).click()
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def paste(page: Page, place: str, text: str) -> None:
    """Paste a text at a cell, as a person does after copying it elsewhere."""
    page.locator(place).evaluate(
        """(cell, text) => {
             cell.focus();
             const clipboardData = new DataTransfer();
             clipboardData.setData("text/plain", text);
             cell.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
           }""",
        text,
    )


def texts(page: Page) -> list[list[str]]:
    """The grid as it is shown, without the row to add to."""
    rows = page.locator("tbody tr[aria-rowindex]:not(.fresh)")
    return rows.evaluate_all(
        "rows => rows.map(r => [...r.querySelectorAll('td')].map(c => c.querySelector('.code').textContent))"
    )


def stored(app: Served, case: str, plan: str) -> dict[str, Any]:
    return json.loads((app.work / "cases" / case / "plans" / plan / "plan.json").read_text(encoding="utf-8"))


def saved(page: Page) -> None:
    expect(page.locator("#saved")).to_contain_text("Saved")


def new_plan(app: Served, name: str, case: str | None = None, rows: Any = WEST_TO_EAST) -> tuple[str, str]:
    """A plan of tiny, or of another case, made without the page."""
    case = case or app.service.open_shipped("tiny")
    app.service.case(case)
    return case, app.service.new_plan(case, name, "empty", [list(row) for row in rows]).id


def ended(page: Page, state: str = "done") -> None:
    page.wait_for_selector(f"#job[data-state={state}]", timeout=WAIT_MS)


def tab_to(page: Page, wanted: str, most: int = 60) -> None:
    for _ in range(most):
        if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{wanted} is not reached with Tab")
