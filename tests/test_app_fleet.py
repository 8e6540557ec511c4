"""What a haulier does in the app without an instance, in Chromium with every address but the app's own blocked."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

pytest.importorskip("fastapi", reason="the extra [app] is not installed")
pytest.importorskip("playwright", reason="playwright is not installed")
pytest.importorskip("axe_playwright_python", reason="axe-core is not installed")

from playwright.sync_api import Browser, Page, expect

from app_case import HAULIER, WEST_TO_EAST, Served, served
from app_pages import CHROMIUM, WAIT_MS, chromium, new_plan, nothing_serious, paste, tab_to, window
from hostile_texts import PAYLOADS
from nbb_opt import truck_cost
from nbb_opt.app.languages import LANGUAGES, translator
from nbb_opt.report.text import number
from nbb_opt.result import read_run

pytestmark = [
    pytest.mark.promise(19),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome on the path"),
]
PAGES = ("/fleet/cost", "/fleet/new", "/fleet/trips")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("fleet")) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def at(app: Served, page: Page, path: str) -> None:
    page.goto(f"http://{app.session.hosts[0]}{path}", timeout=WAIT_MS)
    page.wait_for_selector("main[data-ready]")


def first(page: Page) -> str:
    return page.locator("#first").inner_text()


@pytest.mark.parametrize("width", [1280, 390])
def test_three_doors_and_a_cost_that_follows_the_sliders_by_keyboard_alone(
    app: Served, browser: Browser, width: int
) -> None:
    with window(browser, app, width=width) as page:
        expect(page.locator(".door h2")).to_have_text(["I plan a region", "I run trucks", "I do research"])
        nothing_serious(page)
        tab_to(page, "a[href='/fleet/cost']")
        page.keyboard.press("Enter")
        page.wait_for_selector("main[data-ready=cost]", timeout=WAIT_MS)
        nothing_serious(page)
        said = truck_cost("Boden", "Luleå").trucks.iloc[0]
        assert first(page) == (
            f"{said['vehicle']} costs least: {number(said['eur_per_t'], 2)} EUR a tonne, "
            f"{number(said['eur_per_km'], 3)} EUR a km."
        )
        tab_to(page, "#diesel")
        page.keyboard.press("End")
        page.wait_for_url(re.compile("diesel=3"))
        assert "electricity" not in page.url  # what was not moved is left to the tables
        dear = truck_cost("Boden", "Luleå", diesel_eur_per_l=3.0)
        expect(page.locator("#first")).to_contain_text(f"{dear.trucks['vehicle'].iloc[0]} costs least")
        row = dear.break_even.set_index("vehicle").loc["BAT400"]
        expect(page.locator("#evens")).to_contain_text(
            f"its energy costs {number(row['its_energy_eur_per_kwh'], 3)} EUR/kWh"
        )
        page.reload()
        assert page.locator("#diesel").input_value() == "3"
        tab_to(page, "#back")
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "diesel" not in url)


def test_a_lane_that_is_not_known_is_told_with_what_to_do(app: Served, browser: Browser) -> None:
    with window(browser, app) as page:
        at(app, page, "/fleet/cost")
        page.fill("#destination", "Vännäs")
        page.keyboard.press("Enter")
        expect(page.locator("#wrong")).to_contain_text("'Vännäs' is no known place (give the km)", timeout=WAIT_MS)
        page.wait_for_selector("main[data-ready]")
        page.fill("#km", "30,5")
        page.keyboard.press("Tab")
        page.wait_for_selector("#first", timeout=WAIT_MS)
        at(app, page, "/fleet/cost?km=far&against=CART")
        expect(page.locator("#wrong")).to_contain_text("km: 'far' is not a number")
        at(app, page, "/fleet/cost?against=CART")
        expect(page.locator("#wrong")).to_contain_text("'CART' cannot drive this lane; compare with one of")
        nothing_serious(page)


def test_hostile_words_are_shown_and_never_run(app: Served, browser: Browser) -> None:
    with window(browser, app) as page:
        at(app, page, "/fleet/cost")
        for payload in PAYLOADS[:6]:
            at(app, page, "/fleet/cost?" + urlencode({"origin": payload, "km": 9, "against": payload}))
            assert page.locator("img, main script, main iframe").count() == 0


def test_every_page_is_whole_in_four_languages_in_the_dark_and_at_phone_width(app: Served, browser: Browser) -> None:
    with window(browser, app, width=390, height=800) as page:
        page.emulate_media(color_scheme="dark")
        for language in LANGUAGES:
            page.select_option("#language", language)
            page.wait_for_selector(f"html[lang={language}]")
            for path in ("/#/", *PAGES):
                at(app, page, path)
                assert page.evaluate("document.documentElement.scrollWidth") <= 390, (language, path)
                nothing_serious(page)
            at(app, page, "/#/")
            expect(page.locator("#trucks h2")).to_have_text(translator(language)("I run trucks"))


LANES = (
    ("Luleå", "Boden", "general", 5), ("Luleå", "Piteå (Haraholmen)", "general", 5), ("Boden", "Luleå", "sawn", 5),
    ("Skellefteå", "Umeå", "general", 3), ("Umeå", "Skellefteå", "general", 3), ("Luleå", "Boden", "timber", 4),
    ("Luleå", "Skellefteå", "general", 2), ("Skellefteå", "Luleå", "general", 2), ("Boden", "Luleå", "timber", 4),
    ("Skellefteå", "Piteå (Haraholmen)", "sawn", 3), ("Piteå (Haraholmen)", "Luleå", "general", 3),
    ("Umeå", "Luleå", "general", 1),
)  # fmt: skip


@pytest.mark.parametrize("width", [1280, 390])
def test_a_strangers_small_fleet_is_an_audited_plan_after_at_most_25_inputs(
    app: Served, browser: Browser, width: int
) -> None:
    """2 depots, 6 trucks, 12 lanes, by keyboard; each cell typed, each link or button pressed, and the paste count."""
    inputs, began = 0, time.monotonic()
    with window(browser, app, width=width) as page:
        tab_to(page, "a[href='/fleet/new']")
        page.keyboard.press("Enter")
        inputs += 1
        page.wait_for_selector("main[data-ready=new]")
        nothing_serious(page)
        tab_to(page, "#depot td")
        for word in ("Luleå", "Skellefteå"):
            page.keyboard.type(word)
            page.keyboard.press("Enter")
            inputs += 1
        tab_to(page, "#truck td")
        for row in (("Luleå", "diesel", "4"), ("Skellefteå", "diesel", "2")):
            for word in row:
                page.keyboard.type(word)
                page.keyboard.press("Tab")
                inputs += 1
            page.keyboard.press("Tab")
        tab_to(page, "#lane td")
        header = "From\tTo\tGoods\tHow much\n"
        paste(page, "#lane td[tabindex='0']", header + "\n".join("\t".join(map(str, lane)) for lane in LANES))
        inputs += 1
        expect(page.locator("#count")).to_have_text("2 depots, 2 rows of trucks, 12 lanes")
        assert page.locator("#lane tbody tr").count() == 13
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        nothing_serious(page)
        tab_to(page, "#make", most=120)
        page.keyboard.press("Enter")
        inputs += 1
        expect(page.locator("#to-plan")).to_be_focused(timeout=WAIT_MS)  # what was assumed is told first
        page.keyboard.press("Enter")
        inputs += 1
        page.wait_for_selector("#verdict", timeout=WAIT_MS)
        expect(page.locator("#job")).to_have_attribute("data-state", "done", timeout=WAIT_MS)
        expect(page.locator("#verdict")).to_contain_text(re.compile("It can work|Cannot work"))
        expect(page.locator("#case-title")).to_have_text("My fleet")
        nothing_serious(page)
    print(f"{inputs} inputs, {time.monotonic() - began:.0f} s")
    assert inputs <= 25
    assert time.monotonic() - began < 600


def test_a_form_at_fault_is_told_at_its_cells_and_keeps_what_was_typed(app: Served, browser: Browser) -> None:
    with window(browser, app) as page:
        at(app, page, "/fleet/new")
        paste(page, "#depot td >> nth=0", f"{PAYLOADS[0]}\t500\nLuleå\tmuch")
        paste(page, "#truck td >> nth=0", "Lulea\tdiesel\t1")
        paste(page, "#lane td >> nth=0", f"Luleå\tBoden\tgeneral\t5\n{PAYLOADS[1]}\tNowhere\tgold\t")
        page.click("#make")
        expect(page.locator("#wrong")).to_contain_text("fleet.csv")
        assert page.locator("td[aria-invalid=true]").count() >= 1
        nothing_serious(page)
        page.reload()
        page.wait_for_selector("main[data-ready=new]")
        expect(page.locator("#count")).to_have_text("2 depots, 1 rows of trucks, 2 lanes")
        page.locator("#lane td >> nth=0").press("Control+z")
        expect(page.locator("#count")).to_have_text("2 depots, 1 rows of trucks, 0 lanes")
        assert page.locator("img, main script, main iframe").count() == 0


def test_trips_become_lanes_with_what_was_left_out_and_then_a_form(
    app: Served, browser: Browser, tmp_path: Path
) -> None:
    rows = ["Fordon;Start;Slut;Km;Från;Till"]
    for day in range(2, 7):
        rows += [f"ABC123;2026-03-0{day} 06:00;2026-03-0{day} 07:00;36,5;Luleå;Boden",
                 f"ABC123;2026-03-0{day} 08:00;2026-03-0{day} 09:00;36,5;Boden;Luleå"]  # fmt: skip
    rows.append(f"{PAYLOADS[0].replace(';', ' ')};2026-03-02 06:00;2026-03-02 05:00;9000;Luleå;Boden")
    export = tmp_path / "färdskrivare <b>mars.csv"
    export.write_text("\n".join(rows), encoding="utf-8")
    with window(browser, app) as page:
        at(app, page, "/fleet/trips")
        page.set_input_files("#trips", export)
        page.wait_for_selector("#said")
        expect(page.locator("h1")).to_have_text(export.name)
        expect(page.locator("#said")).to_contain_text("10 trips of 1 vehicles")
        expect(page.locator("#said")).to_contain_text("1 rows are left out")
        assert page.locator("main img, main script, main iframe").count() == 0
        nothing_serious(page)
        page.click("#to-form")
        page.wait_for_selector("main[data-ready=new]")
        expect(page.locator("#count")).to_contain_text("1 depots, 1 rows of trucks")
        at(app, page, "/fleet/trips")
        expect(page.locator("#before")).to_contain_text(export.name)
        expect(page.locator("#before")).to_contain_text(re.compile(r"20\d\d-\d\d-\d\d \d\d:\d\d"))
        nothing_serious(page)
        page.click("#before [data-delete]")
        page.click("[data-answer=yes]")
        expect(page.locator("#before")).to_have_count(0)
        assert list((app.work / "deleted").glob("trips*/trips.json"))
        page.wait_for_selector("main[data-ready=trips]")
        export.write_text("not trips at all", encoding="utf-8")
        page.set_input_files("#trips", export)
        expect(page.locator("#wrong")).to_contain_text("has no")


def test_money_over_time_and_charging_by_the_hour_stand_beside_a_plan(app: Served, browser: Browser) -> None:
    case, plan = new_plan(app, "Money <img src=x>")
    rows = [("truck", "W", "DIESEL", "2025", "21", ""), *WEST_TO_EAST[1:]]
    with window(browser, app, width=390) as page:
        at(app, page, f"/fleet/{case}/{plan}/money")
        page.fill("#loan_rate", "five")
        page.click("#calculate")
        expect(page.locator("#wrong")).to_contain_text("“five” is not a number")
        page.fill("#loan_rate", "5,5")
        page.click("#calculate")
        page.wait_for_selector("#said", timeout=WAIT_MS)
        expect(page.locator("#loan_rate")).to_have_value("5.5")
        expect(page.locator("#said")).to_contain_text("5.5 %")
        nothing_serious(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.locator("main img").count() == 0
        app.service.store.save_plan(case, plan, version=1, rows=[list(row) for row in rows])
        page.reload()
        page.wait_for_selector("#stale")
        at(app, page, f"/fleet/{case}/{plan}/day")
        page.click("#calculate")
        expect(page.locator("#wrong")).to_contain_text("shifts", timeout=WAIT_MS)
        gone = page.request.get(f"http://{app.session.hosts[0]}/fleet/{case}/none/day")
        assert (gone.status, "not there any more" in gone.text(), "<h1>" in gone.text()) == (404, True, True)
        haulier = app.service.open_shipped("haulier")
        own = app.service.case(haulier)["plans"][0]["id"]
        at(app, page, f"/#/case/{haulier}/plan")
        page.click(f"a[href='/fleet/{haulier}/{own}/day']")
        page.wait_for_selector("main[data-ready=day]")
        page.click("#calculate")
        page.wait_for_selector("#said", timeout=WAIT_MS)
        nothing_serious(page)


KILLS = int(os.environ.get("NBB_OPT_KILLS", "3"))  # of the server in a solve


def test_a_server_killed_at_random_moments_of_a_solve_loses_no_plan(tmp_path: Path, browser: Browser) -> None:
    """Every second time after a first plan was found, which then is kept."""
    moments, outcomes = random.Random(23), []
    command = [sys.executable, "-m", "nbb_opt", "app", str(HAULIER), "--work", str(tmp_path), "--no-browser"]
    for turn in range(KILLS):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            base, _, token = server.stdout.readline().split()[1].partition("/?token=")

            def answer(path: str, body: object = None, base: str = base, token: str = token) -> dict[str, Any]:
                given = None if body is None else json.dumps(body).encode()
                headers = {"x-nbb-token": token, "content-type": "application/json"}
                with urlopen(Request(base + path, given, headers)) as found:
                    return json.loads(found.read())

            case = answer("/api/start")["first"]
            plans = answer(f"/api/cases/{case}")["plans"]
            rows = [answer(f"/api/cases/{case}/plans/{plan['id']}")["rows"] for plan in plans]
            wanted = {"kind": "solve", "gap": 0.0, "time_limit_s": 60.0}
            answer(f"/api/cases/{case}/plans/{plans[0]['id']}/job", wanted)
            until = time.monotonic() + WAIT_MS / 1e3
            while turn % 2 and not any(incumbent for _, incumbent, _ in answer("/api/job")["job"]["history"]):
                assert time.monotonic() < until
                time.sleep(0.2)
            time.sleep(moments.uniform(0.0, 5.0))
            os.kill(server.pid, signal.SIGKILL)
        with served(tmp_path, first=HAULIER) as app:
            with window(browser, app) as page:
                page.wait_for_selector("#job[data-state]")
                said = page.locator("#job").inner_text()
                job = app.service.jobs
                until = time.monotonic() + WAIT_MS / 1e3
                while job.job is not None and job.job.state == "running":
                    assert time.monotonic() < until
                    time.sleep(0.2)
                assert job.job is not None
                outcomes.append(job.job.state)
                assert job.job.state == "done" or not turn % 2
                page.reload()
                page.wait_for_selector(f"#job[data-state={job.job.state}]")
                said += page.locator("#job").inner_text()
            kept = app.service.case(case)["plans"]
            assert [plan["id"] for plan in kept][: len(plans)] == [plan["id"] for plan in plans]
            assert [app.service.plan(case, plan["id"])["rows"] for plan in plans] == [
                tuple(map(tuple, each)) for each in rows
            ]
            if job.job.state == "done":
                assert "Show “Best plan" in said
                assert len(kept) == len(plans) + 1
                home = tmp_path / "cases" / case / "plans" / job.job.outcome["plan"] / "run"
                assert read_run(home).record["verified"] is True
            else:
                assert "The app was ended while this was calculated, and nothing of it was kept" in said
            assert not list(tmp_path.glob(".job-*"))
    print(outcomes)
