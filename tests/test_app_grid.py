"""The grid of the app as a spreadsheet is used: ranges, fill down, the clipboard, names for codes, undo, 2,000 rows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra [app] is not installed")
pytest.importorskip("playwright", reason="playwright is not installed")
pytest.importorskip("axe_playwright_python", reason="axe-core is not installed")

from playwright.sync_api import Browser, Page, expect

from app_case import HAULIER, WEST_TO_EAST, Served, served, tiny_workbook
from app_pages import (
    CHROMIUM,
    cell,
    chromium,
    ended,
    go,
    new_plan,
    nothing_serious,
    paste,
    saved,
    stored,
    texts,
    window,
)
from nbb_opt.app.languages import LANGUAGES, translator
from nbb_opt.app.store import MOST_ROWS
from nbb_opt.studies.audit.said import in_words

pytestmark = [
    pytest.mark.promise(19),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome on the path"),
]
MANY = 2000
QUICK_S = 2.0  # for a change among 2,000 rows to be shown, on a machine that does other things too


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("grid"), first=HAULIER) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_range_is_chosen_filled_down_copied_emptied_and_undone_after_a_reload_by_keyboard(
    app: Served, browser: Browser, width: int
) -> None:
    case, plan = new_plan(app, f"Range {width}")
    with window(browser, app, width=width) as page:
        go(page, case, "plan", plan)
        cell(page, 0, 4).focus()
        press(page, "Shift+ArrowDown", "Shift+ArrowDown", "Shift+ArrowRight")
        expect(page.locator("td[aria-selected=true]")).to_have_count(6)
        nothing_serious(page)
        press(page, "Control+d")
        wanted = [list(row) for row in WEST_TO_EAST]
        for row in wanted[1:3]:
            row[4:] = wanted[0][4:]
        assert texts(page) == wanted
        copied = page.evaluate(
            """() => {
                 const clipboardData = new DataTransfer();
                 document.activeElement.dispatchEvent(new ClipboardEvent("copy", { clipboardData, bubbles: true }));
                 return clipboardData.getData("text/plain");
               }"""
        )
        assert copied == "\n".join("\t".join(row[4:]) for row in wanted[:3])
        press(page, "Delete")
        assert [row[4:] for row in texts(page)[:3]] == [["", ""]] * 3
        saved(page)
        expect(page.locator("#undo")).to_have_text("Undo (2)")
        expect(page.locator("#undo")).to_have_attribute("title", "2 steps left; the last 500 are kept")
        page.reload()
        page.wait_for_selector("main[data-ready=plan]")
        page.click("#undo")
        assert texts(page) == wanted
        page.click("#undo")
        assert texts(page) == [list(row) for row in WEST_TO_EAST]
        expect(page.locator("#undo")).to_have_text("Undo (0)")
        page.click("#redo")
        assert texts(page) == wanted
        saved(page)
        assert stored(app, case, plan)["rows"] == wanted


def test_cells_are_pasted_by_their_header_and_names_become_codes(app: Served, browser: Browser) -> None:
    case = app.service.first
    assert case is not None
    _, plan = new_plan(app, "Pasted", case, ())
    with window(browser, app) as page:
        go(page, case, "plan", plan)
        table = 'How many\tWhere\tRemark\tWhat\tFrom year\tWhich\tColour\n7\tUmeå depot\t"two\nlines"'
        table += "\ttruck\t2026\tDiesel truck 74 t\tred"
        paste(page, "td[data-row='0'][data-col='0']", table)
        assert texts(page) == [["truck", "UMEA", "DIESEL", "2026", "7", "two lines"]]
        expect(page.locator("td[aria-invalid=true]")).to_have_count(0)
        cell(page, 0, 1).click()
        page.keyboard.type("storuman DEPOT")
        press(page, "Enter")
        assert texts(page)[0][1] == "STOR"
        for language in LANGUAGES:
            page.select_option("#language", language)
            page.wait_for_selector(f"html[lang={language}]")
            page.wait_for_selector("main[data-ready=plan]")
            words = translator(language)
            paste(
                page, "td[data-row='0'][data-col='0']", f"{words('Which')}\t{words('How many')}\nHVO\t{len(language)}3"
            )
            assert texts(page) == [["truck", "STOR", "HVO", "2026", "23", "two lines"]]
        page.select_option("#language", "en")


def test_two_thousand_rows_are_edited_without_a_wait_and_the_limit_is_the_limit(app: Served, browser: Browser) -> None:
    rows = [("truck", "W", "DIESEL", "2025", "1", f"row {n}") for n in range(MANY)]
    case, plan = new_plan(app, "Many", rows=())
    with window(browser, app) as page:
        go(page, case, "plan", plan)
        began = time.monotonic()
        paste(page, "td[data-row='0'][data-col='0']", "\n".join("\t".join(row) for row in rows))
        expect(cell(page, MANY - 1, 5)).to_have_text(f"row {MANY - 1}")
        times = {"paste": time.monotonic() - began}
        saved(page)
        page.reload()
        page.wait_for_selector("main[data-ready=plan]")
        times["open"] = time.monotonic() - began - times["paste"]
        cell(page, 1000, 5).click()
        began = time.monotonic()
        page.keyboard.type("seen")
        press(page, "Enter")
        expect(cell(page, 1000, 5)).to_have_text("seen")
        press(page, "ArrowDown")
        times["edit"] = time.monotonic() - began
        began = time.monotonic()
        page.click("#undo")
        expect(cell(page, 1000, 5)).to_have_text("row 1000")
        times["undo"] = time.monotonic() - began
        print({name: round(seconds, 2) for name, seconds in times.items()})
        assert times["edit"] < QUICK_S
        assert times["undo"] < QUICK_S
        more = "\n".join("\t".join(row) for row in rows * 2)
        paste(page, f"td[data-row='{MANY}'][data-col='0']", more)
        expect(page.locator("#live")).to_contain_text(f"{3 * MANY} rows are more than the {MOST_ROWS}")
        assert page.locator("tbody tr").count() == MANY + 1


def test_an_upload_is_listed_with_its_file_and_time_and_can_be_deleted(
    app: Served, browser: Browser, tmp_path: Path
) -> None:
    book = tiny_workbook(tmp_path).rename(tmp_path / "my <i>company.xlsx")
    with window(browser, app) as page:
        page.click(".brand")
        page.wait_for_selector("main[data-ready=start]")
        page.set_input_files("#workbook", book)
        page.wait_for_selector("main[data-ready=plan]")
        page.click(".brand")
        page.wait_for_selector("main[data-ready=start]")
        line = page.locator(".cases li", has_text=book.name)
        expect(line).to_contain_text(time.strftime("%Y-%m-%d"))
        line.get_by_role("button").click()
        page.click("[data-answer=yes]")
        expect(page.locator(".cases li", has_text=book.name)).to_have_count(0)
        assert list((app.work / "deleted").glob("*/upload.xlsx"))


def test_faults_are_said_in_the_language_that_was_chosen(app: Served, browser: Browser) -> None:
    case, plan = new_plan(app, "Faults")
    with window(browser, app) as page:
        go(page, case, "plan", plan)
        page.select_option("#language", "sv")
        page.wait_for_selector("html[lang=sv]")
        page.wait_for_selector("main[data-ready=plan]")
        page.click("#check")
        ended(page)
        faults = app.service.plan(case, plan)["result"]["faults"]
        assert faults
        for fault in faults:
            swedish = in_words(fault["said"], translator("sv"))
            assert swedish != fault["text"]
            expect(page.locator("#faults")).to_contain_text(swedish)
        nothing_serious(page)
