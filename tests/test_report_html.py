"""The HTML report: what it says, and that hostile names stay text."""

from __future__ import annotations

import re
import zlib
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from hostile_texts import PAYLOADS
from nbb_opt.errors import NbbError
from nbb_opt.report import write_html
from nbb_opt.report.page import render_html
from report_case import make_instance, make_run

LOADING = {"src", "srcset", "data", "poster", "background", "action", "formaction", "ping", "xlink:href", "srcdoc"}


class Page(HTMLParser):
    """Collects tags, attributes, headings and ids of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def page_text() -> str:
    instance = make_instance()
    return render_html(instance, [make_run(instance)])


@pytest.mark.promise(17, 2, 40)
def test_hostile_text_in_every_column_stays_text(seed: int) -> None:
    def spoil(word: str) -> str:
        return f"{word} {PAYLOADS[(seed + zlib.crc32(word.encode())) % len(PAYLOADS)]}"

    instance = make_instance(spoil)
    text = render_html(instance, [make_run(instance, spoil=spoil), make_run(instance, model="frozen", spoil=spoil)])
    page = Page(text)
    for tag, attributes in page.tags:
        assert tag not in {"script", "iframe", "img", "object", "embed", "link", "base", "form", "foreignobject"}
        assert not LOADING & set(attributes), (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        target = attributes.get("href")
        assert target is None or target.startswith("#") or (tag == "a" and target.startswith("https://")), (tag, target)
    assert sum(tag == "style" for tag, _ in page.tags) == 1
    assert "49" not in re.findall(r"A small north ([^<]*)<", text)[0]


def test_the_page_forbids_itself_everything_but_its_own_style(page_text: str) -> None:
    policy = next(a["content"] for tag, a in Page(page_text).tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")


def test_only_https_addresses_become_links(page_text: str) -> None:
    links = [a["href"] for tag, a in Page(page_text).tags if tag == "a" and not (a["href"] or "").startswith("#")]
    assert links == ["https://example.org/a?b=1&c=2"]
    assert "javascript:alert(1)" in page_text  # shown as text


def test_headings_come_in_order_and_ids_once(page_text: str) -> None:
    page = Page(page_text)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    targets = {(a["href"] or "")[1:] for tag, a in page.tags if tag == "a" and (a["href"] or "").startswith("#")}
    assert targets <= set(ids)


def test_every_drawing_has_a_title_and_a_description(page_text: str) -> None:
    drawings = re.findall(r"<svg .*?</svg>", page_text, re.S)
    assert len(drawings) >= 10
    for drawing in drawings:
        assert re.match(
            r'<svg [^>]*role="img"[^>]*>\s*<title id="[^"]+">[^<]+</title><desc id="[^"]+">[^<]+</desc>', drawing
        )


def test_every_table_heading_has_a_scope(page_text: str) -> None:
    assert all(a.get("scope") in {"col", "row"} for tag, a in Page(page_text).tags if tag == "th")


def test_the_answer_is_said_in_words(page_text: str) -> None:
    plain = re.sub(r"[\u202f\u00a0]", " ", page_text)
    assert (
        "Compared with the reference plan (what the market and committed decisions do without a plan), this plan costs"
        in plain
    )
    assert "battery trucks are in service" in plain
    assert "41 checks by the built-in independent verifier" in plain
    assert "more than the 3.6 % which strong modal-shift policies" in plain


def test_a_refused_plan_is_marked_at_the_top() -> None:
    instance = make_instance()
    run = make_run(instance)
    run.record["verified"] = False
    assert "has not accepted this plan" in render_html(instance, [run])


def test_several_runs_begin_with_a_comparison() -> None:
    instance = make_instance()
    text = render_html(instance, [make_run(instance), make_run(instance, model="frozen")])
    assert "Plans side by side" in text
    assert text.index("Key figures of the plans") < text.index('id="run1"')


def test_a_run_without_bars_makes_a_report() -> None:
    instance = make_instance()
    run = make_run(instance)
    run.record.pop("bars")
    alone = type(run)(run.path, run.record, run.tables, {})
    assert "This is a plan without" in render_html(instance, [alone])


def test_the_report_is_small_and_the_same_every_time(tmp_path: Path) -> None:
    instance = make_instance()
    run = make_run(instance)
    write_html(instance, [run], tmp_path / "a.html")
    write_html(instance, [run], tmp_path / "b.html")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert (tmp_path / "a.html").stat().st_size < 400_000


def test_a_run_of_another_instance_is_refused() -> None:
    instance = make_instance()
    run = make_run(instance)
    tables = {**run.tables, "bundles": run.tables["bundles"].replace("KIR", "ELSEWHERE")}
    with pytest.raises(NbbError, match="origin 'ELSEWHERE' is not in the instance small"):
        render_html(instance, [type(run)(run.path, run.record, tables, run.bars)])
