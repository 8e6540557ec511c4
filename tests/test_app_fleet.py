"""What a haulier does in the app without an instance, in Chromium with every address but the app's own blocked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

pytest.importorskip("fastapi", reason="the extra [app] is not installed")
pytest.importorskip("playwright", reason="playwright is not installed")
pytest.importorskip("axe_playwright_python", reason="axe-core is not installed")

from playwright.sync_api import Browser, Page, expect

from app_case import Served, served
from app_pages import CHROMIUM, WAIT_MS, chromium, nothing_serious, tab_to, window
from hostile_texts import PAYLOADS
from nbb_opt import truck_cost
from nbb_opt.app.languages import LANGUAGES, translator
from nbb_opt.report.text import number

pytestmark = [
    pytest.mark.promise(19),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome on the path"),
]
PAGES = ("/fleet/cost",)


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
