"""What people do in the web app, done in Debian's Chromium with every address but the app's own blocked."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra [app] is not installed")
pytest.importorskip("playwright", reason="playwright is not installed")
pytest.importorskip("axe_playwright_python", reason="axe-core is not installed")

from playwright.sync_api import Browser, expect

from app_case import WEST_TO_EAST, Served, served, tiny_workbook
from app_pages import (
    CHROMIUM,
    WAIT_MS,
    cell,
    chromium,
    ended,
    go,
    new_plan,
    nothing_serious,
    saved,
    stored,
    tab_to,
    texts,
    type_in,
    watched,
    window,
)
from hostile_texts import PAYLOADS
from nbb_opt.result import read_run
from workbook_drafts import draft_of_tiny

pytestmark = [
    pytest.mark.promise(19),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome on the path"),
]
HAULIER = Path(__file__).parents[1] / "instances" / "haulier"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("work"), first=HAULIER) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@dataclass
class Solved:
    """A plan of tiny that was checked and cannot work, the best plan found, and what was to be seen meanwhile."""

    case: str
    plan: str
    best: str
    live: list[str]
    cost: float


@pytest.fixture(scope="module")
def solved(app: Served, browser: Browser) -> Solved:
    case, plan = new_plan(app, "Twenty each")
    with window(browser, app) as page:
        go(page, case, "plan", plan)
        expect(page.locator("#verdict")).to_have_text("Not checked yet")
        page.click("#check")
        page.wait_for_selector("#job[data-state=running]")
        nothing_serious(page)
        expect(page.locator("#solve")).to_be_disabled()
        ended(page)
        expect(page.locator("#distance")).to_have_count(0)  # a plan that cannot work is compared with none
        page.locator("details.settings summary").click()
        page.select_option("#gap", "0")
        page.click("#solve")
        page.wait_for_selector("#job[data-kind=solve][data-state=running]")
        live = []
        while page.locator("#job").get_attribute("data-state") == "running":
            live.append(page.locator("#job").inner_text())
            page.wait_for_timeout(100)
        ended(page)
        page.click("#show-best")
        page.wait_for_selector("#file-report-html")
        best = page.url.rpartition("/")[2]
        cost = float(page.locator("#cost").get_attribute("data-value") or "nan")
    return Solved(case, plan, best, live, cost)


def test_open_shows_the_plan_of_the_instance_given_at_the_start(app: Served, browser: Browser) -> None:
    with window(browser, app) as page:
        page.wait_for_selector("main[data-ready=plan]")
        assert app.service.first is not None
        assert f"#/case/{app.service.first}/plan" in page.url
        with (HAULIER / "plan.csv").open(encoding="utf-8", newline="") as file:
            assert texts(page) == list(csv.reader(file))[1:]
        expect(page.locator("#case-title")).to_have_text("A haulage company in Västerbotten")
        expect(cell(page, 0, 1)).to_contain_text("Umeå depot")
        expect(page.locator("#check")).to_be_enabled()
        nothing_serious(page)
        page.click(".brand")
        page.wait_for_selector("main[data-ready=start]")
        nothing_serious(page)


def test_five_cells_are_edited_undone_and_done_again(app: Served, browser: Browser) -> None:
    case, plan = new_plan(app, "Five cells")
    changes = [(0, 4, "17"), (1, 4, "3"), (2, 2, "BATTERY"), (3, 5, "sold in 2029"), (5, 0, "charger")]
    with window(browser, app) as page:
        go(page, case, "plan", plan)
        for row, column, text in changes:
            type_in(page, row, column, text)
        saved(page)
        wanted = [list(row) for row in WEST_TO_EAST] + [[""] * 6]
        for row, column, text in changes:
            wanted[row][column] = text
        assert texts(page) == wanted
        expect(page.locator("#saved")).to_contain_text("Saved")
        assert stored(app, case, plan)["rows"] == wanted
        for _ in range(2):
            cell(page, 0, 0).press("Control+z")
        assert texts(page) == [[*row] for row in wanted[:3]] + [list(WEST_TO_EAST[3]), list(WEST_TO_EAST[4])]
        page.click("#redo")
        assert texts(page) == wanted[:5]
        saved(page)
        assert stored(app, case, plan)["rows"] == wanted[:5]


def test_a_bad_value_is_told_at_its_cell_and_put_right_with_one_press(app: Served, browser: Browser) -> None:
    case, plan = new_plan(app, "Bad values")
    with window(browser, app) as page:
        go(page, case, "plan", plan)
        for row, column, text in ((0, 4, "12,5"), (1, 2, "BATERY"), (2, 4, "-3"), (3, 4, "2.5"), (4, 3, "2031")):
            type_in(page, row, column, text)
        expect(page.locator("td[aria-invalid=true]")).to_have_count(5)
        expect(cell(page, 0, 4).locator(".fault")).to_have_text("is not a number: decimal comma; did you mean 12.5?")
        expect(cell(page, 1, 2).locator(".fault")).to_contain_text("is no truck; did you mean 'BATTERY'?")
        expect(cell(page, 2, 4).locator(".fault")).to_contain_text("is below 0")
        expect(cell(page, 3, 4).locator(".fault")).to_contain_text("is no whole number of trucks")
        expect(cell(page, 4, 3).locator(".fault")).to_contain_text("begins no period")
        expect(page.locator("#check")).to_be_disabled()
        expect(page.locator("#count")).to_contain_text("5 cells need to be put right")
        nothing_serious(page)
        cell(page, 1, 2).click()
        page.click("#fix")
        expect(cell(page, 1, 2)).to_contain_text("BATTERY")
        expect(page.locator("td[aria-invalid=true]")).to_have_count(4)
        for row, column, text in ((0, 4, "12"), (2, 4, "3"), (3, 4, "2"), (4, 3, "2030")):
            type_in(page, row, column, text)
        expect(page.locator("td[aria-invalid=true]")).to_have_count(0)
        expect(page.locator("#check")).to_be_enabled()


def test_solve_shows_progress_and_ends_with_the_numbers_of_the_run(
    app: Served, browser: Browser, solved: Solved
) -> None:
    run = read_run(app.work / "cases" / solved.case / "plans" / solved.best / "run")
    assert run.record["verified"] is True
    assert solved.cost == run.record["cost_eur"]
    assert any("Looking for the best plan" in words for words in solved.live)
    assert len({words.split("\n")[0] for words in solved.live}) >= 3, "the phases were to be seen"
    with window(browser, app) as page:
        go(page, solved.case, "plan", solved.best)
        kept = run.tables["fleet"].groupby(["fleet_region", "vehicle", "year"])["kept"].sum()
        shown = {(p, v, int(y)): float(n) for what, p, v, y, n, _ in texts(page) if what == "truck" and float(n)}
        assert shown == {key: float(n) for key, n in kept.items() if n}
        expect(page.locator("#verdict")).to_have_text("It can work")
        expect(page.locator("#distance")).to_have_text("none: no better plan is known")
        expect(page.locator("#cost")).to_have_text(re.compile(f"{run.record['cost_eur'] / 1e6:.2f}"))
        nothing_serious(page)


def test_cancel_keeps_the_best_plan_found_so_far(app: Served, browser: Browser) -> None:
    assert app.service.first is not None
    with window(browser, app) as page:
        go(page, app.service.first)
        page.locator("details.settings summary").click()
        page.select_option("#gap", "0")
        page.select_option("#time-limit", "1800")
        page.click("#solve")
        page.wait_for_selector("#job[data-kind=solve][data-state=running]")
        expect(page.locator("#progress")).to_contain_text(re.compile("Plan found so far[0-9]"), timeout=WAIT_MS)
        page.click("#cancel")
        expect(page.locator("#end-now")).to_be_visible()
        ended(page)
        expect(page.locator("#ended")).to_contain_text("Stopped; the best plan found so far is kept.")
        page.click("#show-best")
        page.wait_for_selector("#file-report-html")
        best = page.url.rpartition("/")[2]
        run = read_run(app.work / "cases" / app.service.first / "plans" / best / "run")
        assert run.record["verified"] is True
        assert run.record["gap"] > 0
        assert float(page.locator("#cost").get_attribute("data-value") or "nan") == run.record["cost_eur"]


def test_plans_stand_side_by_side_with_the_numbers_of_their_results(
    app: Served, browser: Browser, solved: Solved
) -> None:
    with window(browser, app) as page:
        go(page, solved.case, "compare")
        for plan in (solved.plan, solved.best):
            result = json.loads((app.work / "cases" / solved.case / "plans" / plan / "result.json").read_text())

            def shown(row: str, plan: str = plan) -> float:
                found = page.locator(f"#compare tr[data-row='{row}'] td[data-plan='{plan}']")
                return float(found.get_attribute("data-value") or "nan")

            assert shown("cost") == result["cost_eur"]
            assert shown("verdict") == len(result["faults"])
            for year in ("2025", "2030"):
                assert shown(f"emissions-{year}") == result["emissions_t"][year]
                assert shown(f"diesel-{year}") == result["trucks"][year].get("diesel", 0)
        expect(page.locator("#compare .least")).to_have_count(0)  # one of the two cannot work
        expect(page.locator("figure svg")).to_have_count(2)
        nothing_serious(page)


def test_map_and_charts_show_the_run(app: Served, browser: Browser, solved: Solved) -> None:
    run = read_run(app.work / "cases" / solved.case / "plans" / solved.best / "run")
    with window(browser, app) as page:
        go(page, solved.case, "pictures", solved.best)
        expect(page.locator("#map svg.map")).to_be_visible()
        titles = page.locator(".charts figcaption").all_inner_texts()
        assert {"Transport work by mode", "Emissions by mode", "Trucks in service by technology"} <= set(titles)
        page.get_by_text("The numbers: Trucks in service by technology").click()
        rows = page.get_by_role("region", name="Trucks in service by technology").locator("tbody tr").all_inner_texts()
        kept = run.tables["fleet"].groupby("year")["kept"].sum()
        totals = {int(row.split("\t")[0]): int(row.split("\t")[-1]) for row in rows if "\tPlan\t" in row}
        assert totals == kept.to_dict()
        nothing_serious(page)


def test_upload_refuses_a_bad_cell_by_name_and_takes_the_workbook_once_it_is_right(
    app: Served, browser: Browser, tmp_path: Path
) -> None:
    draft = draft_of_tiny()
    draft.sheets["fleet"][2][3] = "4,5"
    bad, good = draft.save(tmp_path / "bad.xlsx"), tiny_workbook(tmp_path)
    before = len(app.service.store.cases())
    with window(browser, app) as page:
        page.click(".brand")
        page.wait_for_selector("main[data-ready=start]")
        page.set_input_files("#workbook", bad)
        expect(page.locator("#upload-result [role=alert]")).to_contain_text("fleet!D3")
        nothing_serious(page)
        assert len(app.service.store.cases()) == before
        page.set_input_files("#workbook", good)
        page.wait_for_selector("main[data-ready=plan]")
        assert len(app.service.store.cases()) == before + 1
        with (HAULIER.parent / "tiny" / "fleet.csv").open(encoding="utf-8", newline="") as file:
            today = sum(float(row["vehicles"]) for row in csv.DictReader(file))
        rows = texts(page)
        assert sum(float(row[4]) for row in rows if row[3] == "2025") == today
        loaded = tmp_path / "from_excel.csv"
        loaded.write_text("what,place,type,year,number,note\ntruck,E,DIESEL,2025,9,\n", encoding="utf-8")
        page.set_input_files("#plan-file", loaded)
        expect(page.locator("#plan-choice option:checked")).to_have_text("from_excel")
        assert texts(page) == [["truck", "E", "DIESEL", "2025", "9", ""]]


def test_downloads_are_the_plan_the_input_and_the_report(app: Served, browser: Browser, solved: Solved) -> None:
    with window(browser, app) as page:
        go(page, solved.case, "plan", solved.best)

        def download(press: Callable[[], None]) -> bytes:
            with page.expect_download() as waiting:
                press()
            return Path(waiting.value.path()).read_bytes()

        page.get_by_text("Download", exact=True).click()
        plan = download(page.get_by_text("This plan, CSV").click)
        assert list(csv.reader(io.StringIO(plan.decode())))[1:] == texts(page)
        assert download(page.get_by_text("This plan, Excel").click).startswith(b"PK")
        assert download(page.get_by_text("All input, Excel").click).startswith(b"PK")
        run = app.work / "cases" / solved.case / "plans" / solved.best / "run"
        assert download(page.locator("#file-report-html").click) == (run / "report.html").read_bytes()
        assert download(page.locator("#file-report-xlsx").click) == (run / "report.xlsx").read_bytes()
        with page.context.expect_page() as waiting:
            page.get_by_role("link", name="Report", exact=True).click()
        waiting.value.wait_for_load_state()
        expect(waiting.value.locator("h1")).to_be_visible()


def test_everything_is_done_with_the_keyboard_alone(app: Served, browser: Browser) -> None:
    case, plan = new_plan(app, "Keys")
    with window(browser, app) as page:
        go(page, case, "plan", plan)
        tab_to(page, "td[data-row='0'][data-col='0']")
        for key in ("ArrowRight",) * 4 + ("ArrowDown",):
            page.keyboard.press(key)
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid", "focus is to be seen"
        page.keyboard.press("Enter")
        page.keyboard.type("7")
        page.keyboard.press("Escape")
        page.keyboard.press("F2")
        page.keyboard.press("End")
        page.keyboard.type("5")
        page.keyboard.press("Enter")
        page.keyboard.type("11")
        page.keyboard.press("Tab")
        page.keyboard.type("east, new")
        page.keyboard.press("Tab")
        assert page.evaluate("[document.activeElement.dataset.row, document.activeElement.dataset.col]") == ["3", "0"]
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Delete")
        wanted = [list(row) for row in WEST_TO_EAST]
        wanted[1][4], wanted[2][4], wanted[2][5] = "05", "11", "east, new"
        assert texts(page) == wanted
        saved(page)
        page.keyboard.press("Control+End")
        for word in ("truck", "E", "BATTERY", "2030", "2"):
            page.keyboard.press("Home") if word == "truck" else None
            page.keyboard.type(word)
            page.keyboard.press("Tab")
        saved(page)
        expect(page.locator("#check")).to_be_enabled()
        page.keyboard.press("Escape")
        assert page.evaluate("document.activeElement.id") == "check", "Escape leads out of the grid"
        assert texts(page)[5] == ["truck", "E", "BATTERY", "2030", "2", ""]
        tab_to(page, "#rename")
        page.keyboard.press("Enter")
        page.keyboard.type("By keys")
        nothing_serious(page)
        page.keyboard.press("Enter")
        expect(page.locator("#plan-choice option:checked")).to_have_text("By keys")
        tab_to(page, "nav a[href*=compare]")
        page.keyboard.press("Enter")
        page.wait_for_selector("main[data-ready=compare]")


def test_at_phone_width_nothing_is_cut_off_and_cells_can_be_edited(
    app: Served, browser: Browser, solved: Solved
) -> None:
    case, plan = new_plan(app, "On the phone")
    with window(browser, app, width=360, height=740) as page:
        for view, which in (("plan", solved.best), ("compare", ""), ("pictures", solved.best), ("plan", plan)):
            go(page, case, view, which)
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, view
            nothing_serious(page)
        for column in (1, 2, 3, 4):
            box = cell(page, 0, column).bounding_box()
            assert box is not None
            assert 0 <= box["x"] <= box["x"] + box["width"] <= 360, "all but the remark is in sight"
        type_in(page, 0, 4, "8")
        saved(page)
        assert stored(app, case, plan)["rows"][0][4] == "8"
        page.click(".brand")
        page.wait_for_selector("main[data-ready=start]")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        nothing_serious(page)


def test_reload_and_restart_keep_the_work_right_or_wrong(browser: Browser, tmp_path: Path) -> None:
    with served(tmp_path) as app:
        case, plan = new_plan(app, "Kept")
        port = app.session.port
        with window(browser, app) as page:
            go(page, case, "plan", plan)
            type_in(page, 0, 4, "12,")
            cell(page, 1, 4).click()
            page.keyboard.type("6")
            page.reload()
            page.wait_for_selector("main[data-ready=plan]")
            expect(page.locator("#plan-choice option:checked")).to_have_text("Kept")
            assert [row[4] for row in texts(page)[:2]] == ["12,", "6"], "what stood half typed in the cell is kept too"
            expect(page.locator("td[aria-invalid=true]")).to_have_count(1)
    with served(tmp_path, port=port) as app, window(browser, app) as page:
        go(page, case, "plan", plan)
        assert [row[4] for row in texts(page)[:2]] == ["12,", "6"]


def test_two_windows_ask_whose_change_holds_and_lose_neither(app: Served, browser: Browser) -> None:
    case, plan = new_plan(app, "Shared")
    with window(browser, app) as one, watched(one.context, app) as two:
        go(one, case, "plan", plan)
        two.goto(one.url)
        two.wait_for_selector("main[data-ready=plan]")
        type_in(one, 0, 4, "31")
        saved(one)
        type_in(two, 0, 4, "32")
        expect(two.locator("#dialog")).to_contain_text("changed in another window")
        nothing_serious(two)
        two.keyboard.press("Escape")
        expect(two.locator("#dialog")).to_be_visible()
        two.click("[data-answer=mine]")
        saved(two)
        expect(two.locator("#dialog")).not_to_be_visible()
        names = {each.name: each for each in app.service.store.plans(case)}
        assert names["Shared"].rows[0][4] == "32"
        assert names["Shared, other window"].rows[0][4] == "31"
        type_in(one, 1, 4, "5")
        one.click("[data-answer=theirs]")
        expect(cell(one, 0, 4)).to_contain_text("32")
        assert {each.name: each for each in app.service.store.plans(case)}["Shared, this window"].rows[1][4] == "5"


@pytest.mark.promise(17)
def test_hostile_names_and_cells_are_shown_and_never_run(app: Served, browser: Browser, tmp_path: Path) -> None:
    draft = draft_of_tiny()
    for sheet, column in (("fleet_regions", 1), ("vehicles", 1), ("nodes", 1)):
        for row, payload in zip(draft.sheets[sheet][2:], cycle(PAYLOADS), strict=False):
            row[column] = f"{row[column]}{payload}"
    case = app.service.upload_instance(draft.save(tmp_path / "evil.xlsx").read_bytes(), "evil.xlsx")
    rows = [*([payload] * 6 for payload in PAYLOADS), ["truck", "W", "DIESEL", "2025", "4", PAYLOADS[1]]]
    app.service.case(case)
    plan = app.service.new_plan(case, PAYLOADS[11], "empty", rows).id
    with window(browser, app) as page:
        for view in ("plan", "compare", "pictures"):
            go(page, case, view, plan)
            assert page.locator("img, main script").count() == 0
            assert page.title() != "run"
        go(page, case, "plan", plan)
        assert texts(page) == rows
