"""The report of `tiny`: every number on the page follows from EXPECTED.md, and three charts are drawn to scale."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import report_by_hand as hand
from nbb_opt.instance import Instance, read_instance
from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import solve_instance
from nbb_opt.report import figures, headline, page
from nbb_opt.report.charts import charts
from nbb_opt.result import Run
from report_by_hand import HORIZON, PLANS, TINY, YEARS, M

NUMBER = re.compile(r"[−+]?\d(?:[\d\u202f]*\d)?(?:\.\d+)?")  # narrow spaces between thousands
FIRST, LAST = YEARS
MODES = {"road": "Road", "rail": "Rail", "sea": "Sea", "ferry": "Ferry"}
EMITTERS = MODES | {"transfer": "Terminals"}
GROUPS = {
    "Rail, sea and ferry services": ("service",),
    "Drivers": ("drivers",),
    "Truck energy": ("road_energy",),
    "Truck running and tolls": ("road_running",),
    "Trucks (bought, kept, sold)": ("fleet_fixed", "fleet_purchase", "fleet_resale"),
    "Handling at terminals": ("handling",),
    "Time of the goods": ("cargo_time",),
    "Carbon price": ("carbon",),
    "Chargers and projects": (
        "charger_fixed", "charger_purchase", "charger_residual",
        "project_fixed", "project_purchase", "project_residual",
    ),
}  # fmt: skip
COMPONENTS = {
    "service": "Rail, sea and ferry services", "drivers": "Drivers", "road_energy": "Truck energy",
    "road_running": "Truck running and tolls", "handling": "Handling at terminals", "cargo_time": "Time of the goods",
    "carbon": "Carbon price", "fleet_fixed": "Trucks, yearly", "fleet_purchase": "Trucks, purchase",
    "fleet_resale": "Trucks, resale", "charger_fixed": "Chargers, yearly", "charger_purchase": "Chargers, purchase",
    "charger_residual": "Chargers, residual value", "project_fixed": "Projects, yearly",
    "project_purchase": "Projects, purchase", "project_residual": "Projects, residual value",
}  # fmt: skip
Rows = list[list[Any]]


class Element:
    """A tag with its attributes and what is in it."""

    def __init__(self, tag: str, attributes: dict[str, str | None]) -> None:
        self.tag, self.attributes = tag, attributes
        self.inside: list[Element | str] = []

    def all(self, tag: str) -> Iterator[Element]:
        for part in self.inside:
            if isinstance(part, Element):
                if part.tag == tag:
                    yield part
                yield from part.all(tag)

    def text(self, *, without: Sequence[str] = ()) -> str:
        parts = (p if isinstance(p, str) else p.text(without=without) for p in self.inside
                 if isinstance(p, str) or p.tag not in without)  # fmt: skip
        return " ".join(part for part in parts if part.strip())

    def __getitem__(self, name: str) -> float:
        return float(self.attributes[name] or "nan")


class Page(HTMLParser):
    """The elements of a page as a tree."""

    EMPTY = frozenset({"meta", "br", "use", "path", "line", "circle", "link", "img", "hr", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.root = Element("page", {})
        self.open = [self.root]
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        self.open[-1].inside.append(element)
        if tag not in self.EMPTY:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].inside.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in [each.tag for each in self.open[1:]]:
            while self.open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        self.open[-1].inside.append(data.replace("\u00a0", " "))


def value(shown: str) -> tuple[Fraction, Fraction]:
    """The number in a text and half a unit of its last digit, which it may be off."""
    plain = shown.translate({0x202F: None, 0x2B: None, 0x2212: "-"})
    decimals = len(plain.partition(".")[2])
    return Fraction(plain), Fraction(501, 1000) / 10**decimals


def is_shown(shown: str, exact: Any) -> bool:
    number, off = value(shown)
    return abs(number - Fraction(exact)) <= off


def numbers(text: str) -> list[str]:
    return NUMBER.findall(text)


def changed(year: int) -> Fraction:
    return hand.EMITTED_T["joint", year] / hand.EMITTED_T["reference", year] - 1


def stacks(figure: Callable[[str, int], dict[str, Any]], names: dict[str, str], years: Sequence[int] = YEARS) -> Rows:
    """Rows of the table behind stacked bars: year, plan, a figure for each name, their sum."""
    found = []
    for year in years:
        for label, plan in PLANS.items():
            parts = figure(plan, year)
            found.append([year, label, *(parts.get(name, 0) for name in names), sum(parts.values())])
    return found


def grouped(plan: str, year: int) -> dict[str, Fraction]:
    components = hand.costs(plan, year)
    return {
        name: sum((components.get(c, Fraction(0)) for c in group), Fraction(0)) / M for name, group in GROUPS.items()
    }


def differences() -> list[tuple[str, Fraction]]:
    plan, nothing = hand.all_costs("joint"), hand.all_costs("reference")
    rows = [(COMPONENTS[name], (plan[name] - nothing[name]) / M) for name in COMPONENTS]
    rows = sorted((row for row in rows if row[1]), key=lambda row: row[1])
    return [*rows, ("Total", sum((eur for _, eur in rows), Fraction(0)))]


def cost_parts(plan: str) -> list[Fraction]:
    """MEUR in cash, as time of the goods, as carbon payments, and what is left at the horizon."""
    left = sum(hand.costs(plan, HORIZON).values(), Fraction(0)) / M
    whole = hand.all_costs(plan)
    time, carbon = whole["cargo_time"] / M, whole["carbon"] / M
    return [hand.WHOLE_EUR[plan][-1] / M - left - time - carbon, time, carbon, left]


def tables_by_hand() -> dict[str, Rows]:
    """Every table between the answer and how it was computed, by its caption."""
    trucks = {"DIESEL": "Diesel", "BATTERY": "Battery"}
    names = {"W": "West", "E": "East", "CW": "West depot", "CE": "East depot"}
    emitted = {(plan, year): hand.EMITTED_T[plan, year] / 1000 for plan in PLANS.values() for year in YEARS}
    saved_kg = hand.effect_of_modes_kg(LAST)
    boxes = {row["year"]: row["tonnes"] for row in hand.EXPECTED["joint"]["tonnes"]
             if (row["commodity"], row["mode"]) == ("BOX", "rail")}  # fmt: skip
    harbour = sum(r["tonnes"] for r in hand.rows("joint", "tonnes", LAST) if r["mode"] in ("sea", "ferry"))
    prices = {(v, y): hand.at("vehicle_years", "capex_eur", y, vehicle=v) / M for v in trucks for y in YEARS}
    charger = {n: hand.at("chargers", n, charger="DEPOT100") for n in ("kw", "capex_eur")}
    rail_capex = hand.at("projects", "capex_eur", project="RAIL_MINE")
    charging = [[area, year, kwh / M, power, grid, power / grid * 100]
                for area in ("East depot", "West depot") for year in YEARS if area in hand.charging(year)
                for kwh, power, grid in [hand.charging(year)[area]]]  # fmt: skip
    cut_kt = emitted["reference", LAST] - emitted["joint", LAST]
    return {
        f"From which mode to which in {LAST}, and what saves CO2e": [
            ["Road", "Rail", hand.shifted_t(LAST) / 1000, saved_kg / M], ["Same mode", "another way", "–", "0"],
            ["Cleaner trucks, ships, trains and fuels", "", "–", cut_kt - saved_kg / M],
            ["Total", "", hand.shifted_t(LAST) / 1000, cut_kt],
        ],
        "The plan beside what it is compared with": [
            [plan, hand.WHOLE_EUR[plan][-1] / M, *cost_parts(plan),
             *(hand.EMITTED_T[plan, year] / 1000 for year in YEARS), hand.trucks(plan, LAST)["BATTERY"]]
            for plan in ("frozen", "reference", "joint")
        ],
        "Key figures by period": [
            [f"{year}–{year + 4}", emitted["reference", year], emitted["joint", year], changed(year) * 100,
             hand.shifted_t(year) / 1000, hand.trucks("joint", year)["BATTERY"],
             sum(hand.trucks("joint", year).values()),
             len(hand.rows("joint", "projects", year))]
            for year in YEARS
        ],
        f"What the change of mode saves in {LAST}": [["Mine", "West town", "Ore", saved_kg / 1000, 100]],
        "Transport work by mode": stacks(lambda p, y: {m: v / 10**9 for m, v in hand.tkm(p, y).items()}, MODES),
        "Emissions by mode, well to wheel": stacks(
            lambda p, y: {m: v / M for m, v in hand.emitted_kg(p, y).items()}, EMITTERS
        ),
        "Trucks in service by technology": stacks(hand.trucks, trucks),
        "Cost by component, present value": stacks(grouped, {name: name for name in GROUPS}, (*YEARS, HORIZON)),
        "Cost against the reference plan, present value": [list(row) for row in differences()],
        f"CO2e in {LAST} against the reference plan": [
            ["Road, diesel", None], ["Road, electricity", None], ["Rail, electricity", None], ["Terminals", None],
            ["Rail, diesel", None], ["Total", -cut_kt],
        ],
        "Charging by area": charging,
        "Projects built": [[1, "Railway to the mine", "new link", "Mine", LAST, 1, rail_capex / M, "SE 100 %"]],
        f"Largest changes of mode in {LAST}": [
            ["Mine", "West town", "Ore", "Road", "Rail", hand.shifted_t(LAST) / 1000]
        ],
        "Trucks bought": [
            [year, names[row["fleet_region"]], "Battery truck", trucks[row["vehicle"]], row["vehicles"],
             row["vehicles"] * prices[row["vehicle"], year]]
            for year in YEARS for row in hand.bought("joint", year)
        ],
        "Chargers installed": [
            [row["year"], names[row["charge_area"]], "Depot charger", row["installed"],
             row["installed"] * charger["kw"] / 1000, row["installed"] * charger["capex_eur"] / M]
            for row in sorted(hand.EXPECTED["joint"]["chargers"], key=lambda row: (row["year"], row["charge_area"]))
        ],
        f"Ports in {LAST}": [[port, harbour / 1000, 0, harbour / 1000] for port in ("East port", "West port")],
        "Capacities in full use (more than 98 %)": [
            ["link", "West town – Gauge break, rail", ", ".join(map(str, YEARS)), boxes[LAST], 20_000, "t", 100],
            ["terminal", "West harbour", str(LAST), harbour, 32_000, "t", 100],
        ],
        "Rules the plan keeps": [
            ["BUDGET_SE", None, "SE", "–", LAST, 2_500_000, rail_capex, "no"],
            ["CAP_2025", None, "all together", "–", FIRST, 822, hand.EMITTED_T["joint", FIRST], "no"],
            ["FEW_BATTERIES", None, "all together", "Battery", LAST, Fraction(9, 10), hand.share_of_battery_km(LAST),
             "no"],
            ["SLOW_SHIFT", None, "all together", "–", "every period", Fraction(1, 4), "–", "kept"],
            *(["driver hours", None, "FI", "–", year, 50_000, "–", "kept"] for year in YEARS),
        ],
    }  # fmt: skip


@pytest.fixture(scope="module")
def solved() -> tuple[Instance, Run]:
    instance = read_instance(TINY)
    return instance, solve_instance(instance, options=SolveOptions(gap=1e-9))


def answer_of(solved: tuple[Instance, Run]) -> Element:
    """The section of the page about the plan, without the facts of how it was computed."""
    instance, run = solved
    (main,) = Page(page.render_html(instance, [run])).root.all("main")
    section = next(main.all("section"))
    end = next(i for i, part in enumerate(section.inside)
               if isinstance(part, Element) and part.tag == "h3"
               and part.text().startswith("How this plan"))  # fmt: skip
    section.inside = section.inside[:end]
    return section


@pytest.fixture(scope="module")
def answer(solved: tuple[Instance, Run]) -> Element:
    return answer_of(solved)


def check_tables(answer: Element) -> None:
    found = {next(table.all("caption")).text(): table for table in answer.all("table")}
    expected = tables_by_hand()
    assert list(found) == list(expected)
    for caption, rows in expected.items():
        shown = [[cell.text() for cell in row.inside if isinstance(cell, Element)] for row in found[caption].all("tr")][
            1:
        ]
        assert len(shown) == len(rows), caption
        for cells, exact in zip(shown, rows, strict=True):
            assert len(cells) == len(exact), (caption, cells)
            for cell, wanted in zip(cells, exact, strict=True):
                same = wanted is None or (cell == wanted if isinstance(wanted, str) else is_shown(cell, wanted))
                assert same, (caption, cells, f"{cell} is not {wanted if isinstance(wanted, str) else float(wanted)}")


def check_words(answer: Element) -> None:
    """Lead, tiles, proof, plausibility, map: every number in them, in order, and whether it is more or less."""
    saved = (hand.WHOLE_EUR["reference"][-1] - hand.WHOLE_EUR["joint"][-1]) / M
    cost, nothing = hand.WHOLE_EUR["joint"][-1] / M, hand.WHOLE_EUR["reference"][-1] / M
    battery, all_trucks = hand.trucks("joint", LAST)["BATTERY"], sum(hand.trucks("joint", LAST).values())
    less = -changed(LAST) * 100
    money = [sum(eur for name, eur in hand.all_costs("joint").items() if name == f"{what}_purchase") / M
             for what in ("project", "charger", "fleet")]  # fmt: skip
    now, before = hand.EMITTED_T["joint", LAST] / 1000, hand.EMITTED_T["reference", LAST] / 1000
    short, lead = (
        next(part for part in answer.all("ul") if part.attributes.get("class") == name).text()
        for name in ("lead", "facts")
    )
    assert re.search(r"costs \S+ MEUR less from .* and emits \S+ % less CO2e in 2030", lead), lead
    frozen = hand.WHOLE_EUR["frozen"][-1] / M
    alone = 100 - 100 * hand.EMITTED_T["reference", LAST] / hand.EMITTED_T["frozen", LAST]
    parts = {plan: cost_parts(plan) for plan in ("reference", "joint")}
    more = [parts["joint"][i] - parts["reference"][i] for i in range(4)]
    today = 100 - 100 * hand.EMITTED_T["joint", LAST] / hand.EMITTED_T["frozen", FIRST]
    assert re.search(r"In cash that is \S+ MEUR more than .* all counted, \S+ MEUR less", short), short
    follows(
        short.replace("CO2e", ""),
        [1, money[0], battery, all_trucks, LAST, more[0], FIRST, HORIZON, saved, less, LAST, today, FIRST, None, 0,
         None],
    )  # fmt: skip
    follows(
        lead.replace("CO2e", ""),
        [saved, FIRST, HORIZON, saved / nothing * 100, less, LAST, frozen - nothing, alone, LAST, 60, battery, *money,
         1, *more, *parts["joint"]],
    )  # fmt: skip
    tiles = [tile for tile in answer.all("div") if tile.attributes.get("class") == "tile"]
    figures_by_hand: list[list[Any]] = [
        [-saved, -saved / nothing * 100, nothing], [LAST, -less, now, before], [hand.shifted_t(LAST) / 1000, LAST],
        [battery, all_trucks, LAST], [sum(money), *money], [None],
    ]  # fmt: skip
    for tile, wanted in zip(tiles, figures_by_hand, strict=True):
        follows(tile.text().replace("CO2e", ""), wanted)
    proof, *rest = [p.text() for p in answer.all("p") if p.attributes.get("class") == "quiet"]
    follows(proof, [cost, cost, 0, 0, 0, 0, 0, None])  # the last is the time it took
    effect = hand.effect_of_modes_kg(LAST) / hand.EMITTED_T["reference", LAST] / 10
    remark = next(tag for tag in answer.all("div") if tag.attributes.get("class") == "remark").text()
    published = [Fraction(36, 10), 2020, 12, 3, 894]  # of the study that is named there
    follows(remark.replace("CO2e", ""), [effect, LAST, *published, 100])
    carried = sum(row["tonnes"] for row in hand.rows("joint", "tonnes", LAST)) / 1000
    for drawing in answer.all("svg"):
        if "map" in (drawing.attributes.get("class") or "").split():
            check_map(drawing, carried)
    built = next(answer.all("ol")).text()
    follows(built, [1, LAST, money[0]])
    helps = " ".join(text for text in rest if "chargers" not in text).replace("CO2e", "")
    assert set(numbers(helps)) <= {"0", "1", str(HORIZON)}, helps  # the discount rate, a project, the horizon


def follows(text: str, exact: Sequence[Any]) -> None:
    """The numbers of a text are these, in this order; None stands for one that EXPECTED.md does not know."""
    shown = numbers(text)
    assert len(shown) == len(exact), (text, shown)
    for number, wanted in zip(shown, exact, strict=True):
        assert wanted is None or is_shown(number, wanted), (text, number, float(wanted))


def check_map(drawing: Element, carried_kt: Fraction) -> None:
    text = drawing.text()
    if (year := re.search(r"Map of the difference\D* (\d{4})", text)) is not None:
        shifted_kt = hand.shifted_t(int(year[1])) / 1000
        shown = re.findall(r"Mine – West town, (Rail|Road): ([\d.]+) kt a year (more|less)", text)
        assert [(mode, way) for mode, _, way in shown] == ([("Rail", "more"), ("Road", "less")] if shifted_kt else [])
        assert all(is_shown(kt, shifted_kt) for _, kt, _ in shown), text
        return
    power = {f"C{area[0]}": mw for area, (_, mw, _) in hand.charging(LAST).items()}
    for code, shown_mw in re.findall(r"(C[WE]): ([\d.]+) MW", text):
        assert is_shown(shown_mw, power.pop(code)), text
    assert not power
    (said,) = re.findall(r"([\d.]+) kt a year drawn", text)
    assert is_shown(said, carried_kt)


def chart(answer: Element, title: str) -> Element:
    return next(svg for svg in answer.all("svg") if next(svg.all("title")).text() == title)


def scale_of(drawing: Element) -> tuple[float, float]:
    """y of zero and px per unit, from the grid lines and the numbers beside them."""
    lines = [
        line for line in drawing.all("line") if line["y1"] == line["y2"] and "stroke-dasharray" not in line.attributes
    ]
    ys = sorted({line["y1"] for line in lines}, reverse=True)
    words = {
        round(text["y"] - 4, 1): text.text()
        for text in drawing.all("text")
        if text.attributes.get("text-anchor") == "end" and "font-weight" not in text.attributes
    }
    ticks = [(y, float(value(words[round(y, 1)])[0])) for y in ys if round(y, 1) in words]
    (low_y, low), (high_y, high) = ticks[0], ticks[-1]
    slope = (low_y - high_y) / (high - low)
    for y, tick in ticks:
        assert abs(low_y - slope * (tick - low) - y) < 0.2
    return low_y + slope * low, slope


def check_stacks(
    answer: Element, title: str, rows: Rows, names: Sequence[str]
) -> dict[tuple[int, str], tuple[float, float]]:
    """Layers stand on each other from zero, as high as their figures; gives the ends of every bar along x."""
    drawing = chart(answer, title)
    zero, slope = scale_of(drawing)
    layers = {next(r.all("title")).text(): r for r in drawing.all("rect") if list(r.all("title"))}
    ends = {}
    for year, label, *parts in rows:
        up = down = zero
        for name, exact in zip(names, parts[:-1], strict=True):
            if not exact:
                continue
            said = f"{year} {label.lower()}, {name}: "
            (key,) = [each for each in layers if each.startswith(said)]
            rect = layers.pop(key)
            assert is_shown(key.removeprefix(said), exact), (key, float(exact))
            assert abs(rect["height"] - abs(float(exact)) * slope) < 0.2, (key, rect["height"])
            bottom = rect["y"] + rect["height"] if exact > 0 else rect["y"]
            assert abs(bottom - (up if exact > 0 else down)) < 0.3, key
            up, down = (rect["y"], down) if exact > 0 else (up, rect["y"] + rect["height"])
            ends[year, label] = (rect["x"], rect["x"] + rect["width"])
    assert not layers
    allowed = [part for row in rows for part in (row[0], *row[2:])]
    shares = [part / row[-1] * 100 for row in rows for part in row[2:] if row[-1]]
    middles = [text.text() for text in drawing.all("text") if text.attributes.get("text-anchor") == "middle"]
    for number in (number for text in middles if not text.startswith("cap ") for number in numbers(text)):
        assert any(is_shown(number, each) for each in (*allowed, *shares)), (title, number)
    totals = numbers(next(drawing.all("desc")).text().replace("CO2e", ""))
    for number, exact in zip(totals, [part for row in rows for part in (row[0], row[-1])], strict=True):
        assert is_shown(number, exact), (title, number, float(exact))
    return ends


def check_charts(answer: Element) -> None:
    tables = tables_by_hand()
    check_stacks(answer, "Transport work by mode", tables["Transport work by mode"], list(MODES.values()))
    trucks = tables["Trucks in service by technology"]
    check_stacks(answer, "Trucks in service by technology", trucks, ["Diesel", "Battery"])
    check_stacks(answer, "Cost by component", tables["Cost by component, present value"], list(GROUPS))
    emissions = tables["Emissions by mode, well to wheel"]
    ends = check_stacks(answer, "Emissions by mode", emissions, list(EMITTERS.values()))
    drawing = chart(answer, "Emissions by mode")
    zero, slope = scale_of(drawing)
    (cap,) = [line for line in drawing.all("line") if "stroke-dasharray" in line.attributes]
    assert abs(cap["y1"] - (zero - 0.822 * slope)) < 0.2
    assert cap["y1"] == cap["y2"]
    assert cap["x1"] <= ends[FIRST, "Reference"][0]
    assert ends[FIRST, "Plan"][1] <= cap["x2"] <= ends[LAST, "Reference"][0]
    (said,) = [text.text() for text in drawing.all("text") if text.text().startswith("cap ")]
    assert is_shown(said.removeprefix("cap "), Fraction(822, 1000))
    check_waterfall(chart(answer, "Cost against the reference plan by component"))
    check_limits(chart(answer, f"Truck charging by area in {LAST}"))


def check_waterfall(drawing: Element) -> None:
    """Steps to the left save, steps to the right cost, each from the end of the one before; lengths are as figures."""
    rows = differences()
    (zero,) = [line["x1"] for line in drawing.all("line") if line["x1"] == line["x2"] and line["y1"] == 8]
    rects = list(drawing.all("rect"))
    px = rects[0]["width"] / abs(float(rows[0][1]))
    texts = [text.text() for text in drawing.all("text")]
    at = zero
    for (name, exact), rect, label, shown in zip(rows, rects, texts[::2], texts[1::2], strict=False):
        assert label == name
        assert is_shown(shown, exact), (name, shown)
        at = zero if name == "Total" else at
        end = at + float(exact) * px
        assert abs(rect["x"] - min(at, end)) < 0.3, (name, "is in the wrong place")
        assert abs(rect["x"] + rect["width"] - max(at, end)) < 0.3, name
        at = end
    said = numbers(next(drawing.all("desc")).text())
    assert all(is_shown(number, exact) for number, (_, exact) in zip(said, rows, strict=True)), said


def check_limits(drawing: Element) -> None:
    """The bar of the chargers is to that of the grid as their MW."""
    rects, texts = list(drawing.all("rect")), [text.text() for text in drawing.all("text")]
    for i, (area, (kwh, power, grid)) in enumerate(sorted(hand.charging(LAST).items())):
        limit, used = rects[2 * i], rects[2 * i + 1]
        assert texts[2 * i] == area
        follows(texts[2 * i + 1], [power, grid, kwh / M])
        assert limit["x"] == used["x"]
        assert abs(used["width"] / limit["width"] - float(power / grid)) < 0.01


CHECKS = (check_tables, check_words, check_charts)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_every_number_on_the_page_follows_from_the_derivation_on_paper(check: Any, answer: Element) -> None:
    check(answer)


# what is wrong, the function, what it says, what it says then, the modules that use it
PLANTED = {
    "less and more are swapped": (
        headline, "sentences", "'less' if less >= 0 else 'more'", "'more' if less >= 0 else 'less'", (page,)),
    "the headline is of the first period": (
        headline, "sentences", "instance.periods[0], instance.periods[-1]", "instance.periods[0], instance.periods[0]",
        (page,)),
    "kilotonnes are ten times too many": (
        headline, "kt", "tonnes / 1e3", "tonnes / 1e2", (headline,)),
    "the cap is drawn at half its height": (
        charts, "stacked_bars", "slope * caps[group]", "slope * caps[group] / 2", (figures,)),
    "bars are on the wrong side": (
        charts, "waterfall", "names + reserve + (value - low) * across", "names + reserve + (high - value) * across",
        (figures,)),
}  # fmt: skip


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_noticed(fault: str, solved: tuple[Instance, Run], monkeypatch: pytest.MonkeyPatch) -> None:
    module, name, old, new, users = PLANTED[fault]
    wrong = rewritten(getattr(module, name), old, new)
    for user in users:
        monkeypatch.setattr(user, name, wrong)
    spoiled = answer_of(solved)
    noticed = []
    for check in CHECKS:
        try:
            check(spoiled)
        except AssertionError:
            noticed.append(check.__name__)
    assert noticed, fault


def rewritten(function: Callable[..., Any], old: str, new: str) -> Callable[..., Any]:
    """The function with one expression of its source replaced."""
    source = inspect.getsource(function)
    assert source.count(old) == 1, (function.__name__, old)
    module = inspect.getmodule(function)
    assert isinstance(module, ModuleType)
    space = dict(vars(module))
    exec(
        compile("from __future__ import annotations\n" + source.replace(old, new), str(Path(module.__name__)), "exec"),
        space,
    )
    return space[function.__name__]
