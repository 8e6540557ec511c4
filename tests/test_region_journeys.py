"""What strategists do in the region view, done in Chromium with every address but the app's own blocked."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

pytest.importorskip("fastapi", reason="the extra [app] is not installed")
pytest.importorskip("playwright", reason="playwright is not installed")
pytest.importorskip("axe_playwright_python", reason="axe-core is not installed")

from playwright.sync_api import Browser, Page, expect

from app_case import HAULIER, TINY, Served, served
from app_pages import CHROMIUM, WAIT_MS, chromium, nothing_serious, window
from hostile_texts import PAYLOADS
from nbb_opt.app.languages import LANGUAGES, catalogue
from nbb_opt.app.region_worker import ENDED, EXPLAINED, REQUEST, SEARCH
from nbb_opt.instance import new_instance
from nbb_opt.run_folder import json_bytes

pytestmark = [
    pytest.mark.promise(19),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome on the path"),
]
CARBON = "country_years.carbon_price_eur_per_t"
EXACT = "0.0001"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("region"), first=TINY) as found:
        yield found


@pytest.fixture(scope="module")
def runs(app: Served, browser: Browser) -> tuple[str, str]:
    """Two runs, made on the page: tiny as it is, and with levers moved, a project forbidden and a link closed."""
    found = []
    with window(browser, app, width=1280) as page:
        for moved in (False, True):
            page.goto(f"http://{app.session.hosts[0]}/region/{app.service.first}")
            page.select_option("#gap", EXACT)
            if moved:
                expect(page.locator("#moved")).to_contain_text("Nothing is changed")
                page.fill(f"[name='value:{CARBON}']", "1,5")
                page.select_option(f"[name='from:{CARBON}']", "2035")
                page.get_by_text(re.compile("^Projects")).first.click()
                page.select_option("[name='project:RAIL_MINE']", "forbid")
                page.fill("#find", "east port ferry")
                page.fill("#find", "ferry")
                page.get_by_label(re.compile("West port.*ferry")).check()
                expect(page.locator("#moved")).to_contain_text("3 levers are changed")
                page.fill("#name", "Dear carbon")
            nothing_serious(page)
            page.click("#solve")
            page.wait_for_selector("#run")
            expect(page.locator("[data-live=first]")).to_contain_text("MEUR", timeout=WAIT_MS)
            expect(page.locator("[data-live=first]")).to_contain_text("it is a limit, not a plan")
            reloaded(page, "#run[data-state=done]")
            nothing_serious(page)
            found.append(page.url.rpartition("/")[2])
    return found[0], found[1]


def at(app: Served, page: Page, path: str = "") -> None:
    page.goto(f"http://{app.session.hosts[0]}/region/{app.service.first}{path}")
    page.wait_for_selector("main[data-ready]")


def reloaded(page: Page, selector: str) -> None:
    """Wait until a page that loads itself anew has what is looked for, and its style sheets."""
    page.wait_for_selector(selector, timeout=WAIT_MS)
    page.wait_for_load_state("load")


def test_levers_a_project_and_a_link_become_a_verified_what_if(app: Served, runs: tuple[str, str]) -> None:
    assert app.service.first is not None
    kept, plan = (
        app.service.region.plan(app.service.first, runs[0]),
        app.service.region.plan(app.service.first, runs[1]),
    )
    assert kept.verified
    assert plan.verified
    assert kept.record.get("what_if") is None
    what_if = plan.record["what_if"]
    changed = {(cell["table"], cell["row"]): cell["after"] for cell in what_if["cells"]}
    assert changed["country_years", "SE/2035"] == pytest.approx(450)
    assert ("country_years", "SE/2025") not in changed
    assert changed["links", "FERRY_PORTW_PORTE"] == 0
    assert not len(plan.projects.query("project == 'RAIL_MINE'"))
    relaxed = app.service.region.summary(app.service.first, runs[1])["relaxed"]
    assert relaxed["bound_eur"] <= plan.cost_eur * (1 + 1e-9), "the relaxation is a limit from below"
    assert plan.bound_eur >= relaxed["bound_eur"] - 1.0


@pytest.mark.parametrize("width", [1280, 390])
def test_two_runs_are_compared_a_flow_is_explained_and_a_run_is_taken_away(
    app: Served, browser: Browser, runs: tuple[str, str], width: int
) -> None:
    assert app.service.first is not None
    cost = [app.service.region.plan(app.service.first, run).cost_eur / 1e6 for run in runs]
    with window(browser, app, width=width) as page:
        at(app, page)
        for run in runs:
            page.check(f"[name=run][value='{run}']")
        page.click("#compare-runs")
        reloaded(page, "#proven")
        expect(page.locator("#proven")).to_contain_text(f"+{cost[1] - cost[0]:.1f}")
        expect(page.locator("#proven .state")).to_have_text("proven")
        expect(page.locator(".difference svg.map")).to_be_visible()
        expect(page.get_by_role("region", name="What is decided differently")).to_contain_text("Railway to the mine")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        nothing_serious(page)

        at(app, page, f"/runs/{runs[0]}")
        before = page.locator("[id^=explained-]").count()
        page.get_by_role("button", name=re.compile("^Why this way.*Mine – West town, Ore")).click()
        reloaded(page, f"#explained-{before + 1}")
        expect(page.locator(f"#explained-{before + 1} tbody tr").first).to_contain_text("rail")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        nothing_serious(page)
        with page.expect_download() as waiting:
            page.click("#get-zip")
        with zipfile.ZipFile(io.BytesIO(Path(waiting.value.path()).read_bytes())) as packed:
            assert {"run/run.json", "run/report.html", "request.json"} <= set(packed.namelist())
        with page.expect_download() as waiting:
            page.click("#get-report")
        assert b"Dear carbon" not in Path(waiting.value.path()).read_bytes()
        with page.context.expect_page() as opened:
            page.get_by_role("link", name="Full report").click()
        opened.value.wait_for_load_state()
        expect(opened.value.locator("h1")).to_be_visible()
        at(app, page, f"?source={runs[1]}")
        expect(page.locator("#moved")).to_contain_text("3 levers are changed")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


NAMED = {
    "inventory": "What exists, who uses it, when it is full", "availability": "Best ways to every gateway",
    "locate": "Where to build it? works",
}  # fmt: skip


def test_studies_of_a_plan_and_a_plant_that_is_brought_along(
    app: Served, browser: Browser, runs: tuple[str, str], tmp_path: Path
) -> None:
    head = "what,commodity,partner,amount,low_factor,high_factor,source,note\n"
    rows = "start_year,,,2030,,,made_up,\nneeds,BOX,{partner},4000,,,made_up,\nproduces,BOX,WEST,3000,,,made_up,\n"
    wrong, right = tmp_path / "wrong.csv", tmp_path / "works.csv"
    wrong.write_text(head + rows.format(partner="NOWHERE"))
    right.write_text(head + rows.format(partner="PLANT"))
    with window(browser, app, width=390) as page:
        at(app, page, f"/runs/{runs[0]}")
        expect(page.locator("#locate")).to_be_disabled()
        page.set_input_files("#bring", wrong)
        expect(page.get_by_role("dialog")).to_contain_text("NOWHERE")
        page.keyboard.press("Escape")
        page.set_input_files("#bring", right)
        expect(page.locator("#plant")).to_have_value("works")
        for study, pages in (("inventory", 1), ("availability", 1), ("locate", 5)):
            page.click(f"[data-study={study}]")
            link = page.locator(f"#studies-made a[href*='/{study}']")
            expect(link).to_have_count(pages, timeout=WAIT_MS)
            page.wait_for_load_state("load")
            expect(link.first).to_have_text(NAMED[study])
            with page.context.expect_page() as opened:
                link.first.click()
            expect(opened.value.locator("h1")).to_be_visible()
            opened.value.close()
        assert link.all_inner_texts()[1:] == ["English", "Suomi", "Norsk", "Svenska"]
        nothing_serious(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_cancel_keeps_the_best_plan_and_a_front_says_that_it_is_relaxed(
    app: Served, browser: Browser, runs: tuple[str, str]
) -> None:
    with window(browser, app, width=390) as page:
        at(app, page, f"/runs/{runs[0]}")
        page.click("#front")
        reloaded(page, "#front-found svg")
        expect(page.locator("#front-found")).to_contain_text("Points of the relaxation")
        nothing_serious(page)
        case = app.service.open_shipped("haulier")
        page.goto(f"http://{app.session.hosts[0]}/region/{case}")
        page.select_option("#gap", EXACT)
        page.select_option("#time", "7200")
        page.click("#solve")
        expect(page.locator("[data-live=incumbent]")).to_contain_text("MEUR", timeout=WAIT_MS)
        page.click("#cancel")
        reloaded(page, "#run[data-state=done]")
        plan = app.service.region.plan(case, page.url.rpartition("/")[2])
        assert plan.verified
        assert plan.status in ("stopped", "optimal")


def test_a_killed_server_loses_nothing(tmp_path: Path, browser: Browser) -> None:
    command = [sys.executable, "-m", "nbb_opt", "app", str(HAULIER), "--work", str(tmp_path), "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().split()[1]
        base, _, token = address.partition("/?token=")

        def answer(path: str, body: object = None) -> dict[str, Any]:
            given = None if body is None else json.dumps(body).encode()
            headers = {"x-nbb-token": token, "content-type": "application/json"}
            with urlopen(Request(base + path, given, headers)) as found:
                return json.loads(found.read())

        case = answer("/api/start")["first"]
        fields = {"name": ["Kept"], "gap": [EXACT], "time_limit_s": ["7200"]}
        run = answer(f"/api/region/{case}/runs", {"fields": fields})["address"].rpartition("/")[2]
        until = time.monotonic() + WAIT_MS / 1e3
        while not any(incumbent for _, incumbent, _ in answer("/api/job")["job"]["history"]):
            assert time.monotonic() < until
            time.sleep(0.2)
        os.kill(server.pid, signal.SIGKILL)
    with served(tmp_path, first=HAULIER) as app:
        home = tmp_path / "cases" / case / "runs"
        (home / "0002-abcdef").mkdir()
        (home / "0002-abcdef" / REQUEST).write_bytes((home / run / REQUEST).read_bytes())
        gone = {"pid": 2**22 - 1, "phase": "search", "elapsed_s": 77.0, "incumbent": 5e6, "bound": 4e6}
        (home / "0002-abcdef" / SEARCH).write_bytes(json_bytes(gone))
        with window(browser, app) as page:
            page.goto(f"http://{app.session.hosts[0]}/region/{case}/runs/0002-abcdef")
            expect(page.locator("#interrupted")).to_contain_text("It had run for 77 s")
            expect(page.locator("#interrupted")).to_contain_text("No plan costs less than 4.0")
            until = time.monotonic() + WAIT_MS / 1e3
            while (state := app.service.region.summary(case, run)["state"]) != "done":
                assert state == "ending"
                assert time.monotonic() < until
                time.sleep(0.5)
            page.goto(f"http://{app.session.hosts[0]}/region/{case}")
            expect(page.locator(".runs")).to_contain_text("Kept")
        assert app.service.region.plan(case, run).verified


@pytest.mark.promise(17)
def test_hostile_names_in_every_text_are_shown_and_never_run(browser: Browser, tmp_path: Path) -> None:
    source = new_instance(tmp_path / "evil", source="tiny")
    for file, columns in (
        ("nodes", ("name",)), ("projects", ("name", "note")), ("sites", ("name", "status")), ("countries", ("name",)),
        ("commodities", ("name",)), ("sources", ("title",)), ("ranges", ("reason",)),
    ):  # fmt: skip
        _spoil(source / f"{file}.csv", columns)
    (source / "scenarios").mkdir()
    for i, payload in enumerate(PAYLOADS):
        (source / "scenarios" / f"s{i}.toml").write_text(
            f"title = {json.dumps(payload)}\nreason = {json.dumps(payload)}\nsource = []\n"
            'changes = ["country_years.carbon_price_eur_per_t *= 2"]\n', encoding="utf-8",
        )  # fmt: skip
    with served(tmp_path / "work", first=source) as app, window(browser, app) as page:
        assert app.service.first is not None
        home = tmp_path / "work" / "cases" / app.service.first / "runs"
        way = {"way": "w", "carried_t_per_year": 1.0, "total_eur_per_t": 1.0, "above_eur_per_t": 0.0, "time_h": 1.0,
               "co2e_wtw_kg_per_t": 1.0}  # fmt: skip
        for i, payload in enumerate(PAYLOADS, 1):
            (home / f"{i:04d}-abcdef" / EXPLAINED).mkdir(parents=True)
            folder = home / f"{i:04d}-abcdef"
            asked = {key: [payload] for key in ("scenarios", "changes", "close", "build", "forbid", "summary")}
            request = {"name": payload, **asked, "form": {"name": [payload], "scenario": [payload]}, "options": {},
                       "made_s": 0.0}  # fmt: skip
            (folder / REQUEST).write_bytes(json_bytes(request))
            (folder / ENDED).write_bytes(json_bytes({"message": payload, "problems": [payload], "kept": ""}))
            flip = {"way": payload, "cheaper_eur_per_t": 1.0, "verified": True}
            flow = {"flow": payload, "year": 2030, "price_eur_per_t": 1.0, "flips": [flip]}
            flow["ways"] = [{**way, "way": payload, "limit": payload}]
            (folder / EXPLAINED / "001.json").write_bytes(json_bytes(flow))
        for path in ("", *(f"/runs/{i:04d}-abcdef" for i in range(1, len(PAYLOADS) + 1)), "?source=0007-abcdef"):
            at(app, page, path)
            assert page.locator("img, main script, main iframe").count() == 0
            assert page.title() != "run"
        at(app, page)
        assert page.locator(".runs a").all_text_contents() == list(PAYLOADS)[::-1]
        for payload in PAYLOADS:
            page.fill("#find", "")
            page.fill(f"[name='value:{CARBON}']", payload[:20])
            page.fill("#name", payload[:80])
            page.fill("#find", payload[:80])
        page.click("#solve")
        expect(page.locator("#problems")).to_contain_text("is not a number")
        assert page.locator("img, main script, main iframe").count() == 0


def _spoil(file: Path, columns: tuple[str, ...]) -> None:
    import pandas as pd

    table, payloads = pd.read_csv(file, dtype=str, keep_default_na=False), cycle(PAYLOADS)
    for column in columns:
        table[column] = [f"{word}{next(payloads)}" for word in table[column]]
    table.to_csv(file, index=False)


def test_every_page_is_whole_in_four_languages_and_at_phone_width(
    app: Served, browser: Browser, runs: tuple[str, str]
) -> None:
    assert all(set(catalogue(language)) == set(catalogue("en")) for language in LANGUAGES)
    assert all(text.strip() for language in LANGUAGES for text in catalogue(language).values())
    with window(browser, app, width=390, height=800) as page:
        at(app, page)
        for language in LANGUAGES:
            page.select_option("#language", language)
            page.wait_for_selector(f"html[lang={language}]")
            for path in ("", f"/runs/{runs[0]}", f"/compare?run={runs[0]}&run={runs[1]}"):
                at(app, page, path)
                assert page.evaluate("document.documentElement.scrollWidth") <= 390, (language, path)
        page.emulate_media(color_scheme="dark")
        for path in ("", f"/runs/{runs[0]}", f"/compare?run={runs[0]}&run={runs[1]}"):
            at(app, page, path)
            nothing_serious(page)
