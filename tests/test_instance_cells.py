"""A slip in one file or cell is refused with its place and the likely fix, and reported once."""

from __future__ import annotations

from pathlib import Path

import pytest

from instance_copies import Copy, copy_tiny, copy_with_every_table, problems_of
from nbb_opt.instance.schema import BY_NAME, TABLES

# rule, table, key of the row, column, what is written there, words of the fix
CELLS = [
    ("reference", "links", {"link": "ROAD_MINE_WEST"}, "from_node", "MINES", "did you mean 'MINE'?"),
    ("reference", "links", {"link": "ROAD_MINE_WEST"}, "to_node", "west", "did you mean 'WEST'?"),
    ("reference", "nodes", {"node": "GAP"}, "country", "ES", "did you mean 'SE'?"),
    ("reference", "vehicles", {"vehicle": "DIESEL"}, "energy_carrier", "diesle", "did you mean 'diesel'?"),
    ("reference", "fleet", {"vehicle": "DIESEL"}, "fleet_region", "North", "fleet_regions has W, E"),
    ("reference", "energy", {"country": "SE"}, "factors", "diesel_ttw;diesel_wwt", "did you mean 'diesel_wtt'?"),
    ("reference", "countries", {"country": "SE"}, "source", "madeup", "did you mean 'made_up'?"),
    ("reference", "od", {"origin": "EAST"}, "commodity", "WOOL", "did you mean 'WOOD'?"),
    ("reference", "od", {"origin": "PORTW"}, "destination", "PORTES", "did you mean 'PORTE'?"),
    ("choice", "links", {"link": "ROAD_MINE_WEST"}, "mode", "raod", "did you mean 'road'?"),
    ("choice", "commodities", {"commodity": "ORE"}, "modes", "road,rail", "did you mean 'road;rail'?"),
    (
        "choice",
        "policies",
        {"policy": "CAP_2025"},
        "kind",
        "cap_emission_t",
        "did you mean 'cap_emissions_t_per_year'?",
    ),
    ("list", "commodities", {"commodity": "ORE"}, "modes", "road;;rail", "did you mean 'road;rail'?"),
    ("number", "links", {"link": "ROAD_MINE_WEST"}, "distance_km", "12,5", "did you mean 12.5?"),
    ("number", "links", {"link": "ROAD_MINE_WEST"}, "distance_km", "50 km", "did you mean 50?"),
    ("number", "projects", {"project": "GRID_W"}, "capex_eur", "200 000", "did you mean 200000?"),
    ("number", "projects", {"project": "GRID_W"}, "capex_eur", "200,000", "did you mean 200000?"),
    ("number", "od", {"origin": "EAST"}, "tonnes", "20000,5", "did you mean 20000.5?"),
    ("number", "links", {"link": "ROAD_MINE_WEST"}, "distance_km", "NaN", "give the figure"),
    ("number", "links", {"link": "ROAD_MINE_WEST"}, "distance_km", "inf", "give the figure"),
    ("number", "links", {"link": "ROAD_MINE_WEST"}, "distance_km", "1e999", "allowed are 0.01 to 50000 km"),
    ("number", "links", {"link": "ROAD_MINE_WEST"}, "distance_km", "#REF!", "digits with a decimal point"),
    ("number", "links", {"link": "ROAD_MINE_WEST"}, "distance_km", "1_0", ""),
    ("number", "fleet", {"vehicle": "DIESEL"}, "vehicles", "4.0", "did you mean 4?"),
    ("number", "fleet", {"vehicle": "DIESEL"}, "vintage_year", "2020-01-01", ""),
    ("bounds", "links", {"link": "ROAD_MINE_WEST"}, "distance_km", "-50", "did you mean 50 km?"),
    ("bounds", "countries", {"country": "SE"}, "winter_share", "40", "did you mean 0.4?"),
    ("bounds", "links", {"link": "ROAD_MINE_WEST"}, "max_gross_t", "64000", "did you mean 64 t?"),
    ("bounds", "od", {"origin": "EAST"}, "tonnes", "-20000", "did you mean 20000 t/year?"),
    ("bounds", "nodes", {"node": "GAP"}, "lat", "658", "did you mean 65.8 degrees?"),
    ("plausible", "chargers", {"charger": "DEPOT100"}, "kw", "15000", "did you mean 15 kW?"),
    ("plausible", "vehicle_years", {"vehicle": "DIESEL"}, "capex_eur", "100000000", "did you mean 100000 EUR?"),
    ("plausible", "vehicles", {"vehicle": "DIESEL"}, "gross_t", "600000", "did you mean 600 t?"),
    ("plausible", "energy", {"country": "FI"}, "price_eur_per_kwh", "15", "did you mean 0.015 EUR/kWh?"),
    ("plausible", "handling_costs", {"cargo_type": "timber"}, "cost_eur_per_t", "0", "plausible: <reason>"),
    ("blank", "links", {"link": "ROAD_MINE_WEST"}, "distance_km", "", "give length in km"),
    ("blank", "nodes", {"node": "GAP"}, "name", "", "give name"),
    ("blank", "countries", {"country": "SE"}, "source", "", "give where the figures"),
    ("blank", "nodes", {"node": "GAP"}, "is_zone", "", "true or false"),
    ("bool", "nodes", {"node": "GAP"}, "is_zone", "FALSE", "did you mean false?"),
    ("bool", "links", {"link": "ROAD_MINE_WEST"}, "two_way", "1", "did you mean true?"),
    ("spaces", "links", {"link": "ROAD_MINE_WEST"}, "from_node", "MINE ", "did you mean 'MINE'?"),
    ("control", "nodes", {"node": "GAP"}, "name", "Gap\u200b", "did you mean 'Gap'?"),
    ("control", "nodes", {"node": "GAP"}, "name", "Umea\u030a", "NFC"),
    ("id", "charge_areas", {"charge_area": "CE"}, "charge_area", "=CE", "did you mean 'CE'?"),
    ("id", "charge_areas", {"charge_area": "CE"}, "charge_area", "C/E", "did you mean 'C-E'?"),
]


@pytest.mark.parametrize(("rule", "table", "key", "column", "text", "fix"), CELLS, ids=lambda value: str(value)[:24])
def test_a_spoiled_cell_is_named_with_its_fix(
    tmp_path: Path, rule: str, table: str, key: dict[str, str], column: str, text: str, fix: str
) -> None:
    copy = copy_tiny(tmp_path / "copy")
    if table == "handling_costs":
        copy.add(
            table,
            mode_a="road",
            mode_b="rail",
            cargo_type="timber",
            **dict.fromkeys(("time_h", "ttw_kg_co2e_per_t", "wtt_kg_co2e_per_t"), "0"),
        )
    line = copy.set(table, key, **{column: text})
    found = problems_of(copy.path)
    first = next(problem for problem in found if problem.rule == rule)
    assert first.where.startswith(f"{table}.csv row {line}, column {column}")
    assert fix in str(first)
    renamed = {"id", "spaces"} if column in ("charge_area", "from_node") else set()
    assert {problem.rule for problem in found} <= {rule, "reference" if renamed else rule}


@pytest.mark.promise(5)
@pytest.mark.parametrize("text", ["NaN", "inf", "1e-10", "1e15", "-200", "1e999"])
def test_no_numeric_column_takes_a_value_that_cannot_be(tmp_path: Path, text: str) -> None:
    copy = copy_with_every_table(tmp_path / "copy")
    expected = set()
    for table in TABLES:
        for column in table.columns:
            if column.kind in ("number", "integer", "year"):
                rows = copy.rows(table.name)
                rows[0][column.name] = text
                header = list(dict.fromkeys([*copy.header(table.name), column.name]))  # it may be an optional one
                copy.write(table.name, header, rows)
                expected.add(f"{table.name}.csv row 2, column {column.name}")
    found = {problem.where.partition(", value")[0] for problem in problems_of(copy.path)}
    assert expected - found == set()


def test_an_implausible_value_is_accepted_with_its_reason(tmp_path: Path) -> None:
    copy = copy_tiny(tmp_path / "copy")
    copy.set("chargers", {"charger": "DEPOT100"}, kw="5000", note="plausible: megawatt charging for mine trucks")
    assert problems_of(copy.path) == ()
    copy.set("chargers", {"charger": "DEPOT100"}, note="plausible:")
    assert [problem.rule for problem in problems_of(copy.path)] == ["plausible"]


def _insert_line(content: bytes, line: bytes) -> bytes:
    head, _, tail = content.partition(b"\n")
    return head + b"\n" + line + b"\n" + tail


FILES = [
    (
        "column",
        "links.csv",
        lambda c: c.replace(b"distance_km", b"distance_miles", 1),
        "row 1",
        "did you mean 'distance_km'?",
    ),
    ("missing_column", "links.csv", lambda c: c.replace(b"distance_km", b"two_way", 1), "row 1", "add it: length"),
    ("separator", "od.csv", lambda c: c.replace(b",", b";"), "row 1", "nbb-opt convert"),
    ("separator", "nodes.csv", lambda c: c.replace(b",", b"\t"), "row 1", "tabs"),
    ("ragged", "nodes.csv", lambda c: _insert_line(c, b"A,B"), "row 2", "has 2 cells, the header has 13"),
    ("ragged", "od.csv", lambda c: _insert_line(c, b"EAST,PLANT,BOX,2025,12,5"), "row 2", "decimals with a point"),
    ("ragged", "od.csv", lambda c: _insert_line(c, b""), "row 2", "delete it"),
    ("line_break", "nodes.csv", lambda c: c.replace(b"Gauge break", b'"Gauge\nbreak"', 1), "row 5", "on one line"),
    ("csv", "nodes.csv", lambda c: c.replace(b"Gauge", b'"Gauge', 1), "row", "unclosed quotation mark"),
    (
        "utf8",
        "nodes.csv",
        lambda c: c.replace(b"Gauge", "Gäuge".encode("latin-1"), 1),
        "row 5",
        "save the file as UTF-8",
    ),
    ("utf8", "od.csv", lambda c: c.replace(b"FISH", b"F\xffSH", 1), "row", "save the file as UTF-8"),
    ("empty", "nodes.csv", lambda c: b"", "nodes.csv", "give at least the header"),
    ("empty", "od.csv", lambda c: b"", "od.csv", "give at least the header"),
    ("od_has_rows", "od.csv", lambda c: c.partition(b"\n")[0] + b"\n", "od.csv", "give at least one flow"),
    ("toml", "instance.toml", lambda c: c.replace(b'"WTW"', b"WTW", 1), "instance.toml row 8", "quotation marks"),
    (
        "meta_key",
        "instance.toml",
        lambda c: c.replace(b"discount_rate", b"discount", 1),
        "key discount",
        "'discount_rate'",
    ),
    (
        "meta_key",
        "instance.toml",
        lambda c: c.replace(b"licence", b"license", 1),
        "key licen",
        "did you mean 'licence'?",
    ),
    (
        "meta_key",
        "instance.toml",
        lambda c: c.replace(b"alternatives", b"alternativs", 1),
        "key chains.",
        "'alternatives'",
    ),
    (
        "meta",
        "instance.toml",
        lambda c: c.replace(b"discount_rate = 0.0", b"discount_rate = 4", 1),
        "discount_rate",
        "0.04",
    ),
    ("meta", "instance.toml", lambda c: c.replace(b'"WTW"', b'"WTT"', 1), "key boundary", "did you mean 'WTW'?"),
    ("meta", "instance.toml", lambda c: c.replace(b'"mass"', b'"masses"', 1), "key ferry_allocation", "'mass'"),
    (
        "meta",
        "instance.toml",
        lambda c: c.replace(b"price_year = 2025", b'price_year = "2025"', 1),
        "price_year",
        "2025?",
    ),
    ("meta", "instance.toml", lambda c: c.replace(b'"tiny"', b'"Tiny One"', 1), "key name", "did you mean 'tiny-one'?"),
    (
        "periods",
        "instance.toml",
        lambda c: c.replace(b"year = 2030", b"year = 2031", 1),
        "entry 2",
        "did you mean 2030?",
    ),
]


META = [
    (b"price_year = 2025", b"price_year = 0x" + b"f" * 9999, "very large"),
    (b"discount_rate = 0.0", b"discount_rate = 0x" + b"f" * 9999, "share per year"),
    (b"discount_rate = 0.0", b"discount_rate = nan", "share per year"),
    (b'"mass"', b"0x" + b"f" * 9999, "one of mass"),
    (b"price_year = 2025", b"price_year = " + b"9" * 9999, "is not TOML"),
    (b'"CC0-1.0"', b'"CC0\\u0000"', "control"),
    (b'"CC0-1.0"', b"2025-01-01", "quotation marks"),
    (b"alternatives = 2", b"alternatives = true", "is not a whole number"),
    (b"[chains]", b"[[chains]]", "is not a table"),
    (b"[[periods]]", b"[periods]", ""),
]


@pytest.mark.parametrize(("text", "spoiled", "words"), META)
def test_a_nasty_value_in_the_meta_file_is_refused(tmp_path: Path, text: bytes, spoiled: bytes, words: str) -> None:
    copy = copy_tiny(tmp_path / "copy")
    copy.edit("instance.toml", lambda content: content.replace(text, spoiled, 1))
    found = problems_of(copy.path)
    assert any(words in str(problem) and problem.where.startswith("instance.toml") for problem in found), found


@pytest.mark.parametrize(("rule", "file", "change", "place", "fix"), FILES)
def test_a_spoiled_file_is_named_with_its_fix(
    tmp_path: Path, rule: str, file: str, change, place: str, fix: str
) -> None:
    copy = copy_tiny(tmp_path / "copy")
    copy.edit(file, change)
    found = [problem for problem in problems_of(copy.path) if problem.rule == rule]
    assert found
    assert found[0].where.startswith(file)
    assert any(place in problem.where and fix in str(problem) for problem in found), [str(p) for p in found]


def _touch(copy: Copy, name: str) -> None:
    (copy.path / name).write_text("x\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("link.csv", "did you mean 'links.csv'?"),
        ("od.csv.bak", "did you mean 'od.csv'?"),
        ("Instance.toml", "instance.toml"),
    ],
)
def test_an_unknown_file_is_refused(tmp_path: Path, name: str, fix: str) -> None:
    copy = copy_tiny(tmp_path / "copy")
    _touch(copy, name)
    [problem] = problems_of(copy.path)
    assert problem.where == name
    assert fix in problem.hint


def test_a_missing_table_is_named_with_the_file_that_may_be_it(tmp_path: Path) -> None:
    copy = copy_tiny(tmp_path / "copy")
    (copy.path / "links.csv").rename(copy.path / "Links.csv")
    found = problems_of(copy.path)
    assert any(p.where == "links.csv" and "is missing" in p.what and "rename 'Links.csv'" in p.hint for p in found)


def test_a_missing_meta_file_is_named(tmp_path: Path) -> None:
    copy = copy_tiny(tmp_path / "copy")
    (copy.path / "instance.toml").unlink()
    assert [problem.where for problem in problems_of(copy.path)] == ["instance.toml"]


def test_a_table_in_both_forms_is_refused(tmp_path: Path) -> None:
    copy = copy_tiny(tmp_path / "copy")
    content = (copy.path / "terminals.csv").read_bytes()
    copy.as_parquet("terminals")
    (copy.path / "terminals.csv").write_bytes(content)
    [problem] = problems_of(copy.path)
    assert (problem.where, problem.rule) == ("terminals.parquet", "two_files")


def test_a_duplicate_key_names_both_rows(tmp_path: Path) -> None:
    copy = copy_tiny(tmp_path / "copy")
    line = copy.add("countries", country="SE", name="Sweden again", winter_share="0.1")
    [problem] = problems_of(copy.path)
    assert problem.where == f"countries.csv row {line}, column country, value 'SE'"
    assert f"row {copy.line('countries', country='SE')}" in problem.what


@pytest.mark.parametrize(
    ("table", "name", "how"),
    [("countries", "Se", "upper and lower case"), ("countries", "\u0405\u0395", "letters that look alike"),
     ("energy", "Diesel", "upper and lower case")],
)  # fmt: skip
def test_names_that_look_alike_are_refused_whatever_the_key(table: str, name: str, how: str, tmp_path: Path) -> None:
    copy = copy_tiny(tmp_path / "copy")
    copy.add(table, **{BY_NAME[table].key[0]: name})
    assert [how in problem.what for problem in problems_of(copy.path) if problem.rule == "case_clash"] == [True]


def test_every_fault_is_reported_at_once(tmp_path: Path) -> None:
    copy = copy_tiny(tmp_path / "copy")
    copy.set("links", {"link": "ROAD_MINE_WEST"}, from_node="MINES", distance_km="12,5")
    copy.set("vehicles", {"vehicle": "SHIP"}, kerb_t="20000")
    copy.set("od", {"origin": "EAST"}, tonnes="many")
    _touch(copy, "rods.csv")
    copy.edit("instance.toml", lambda content: content.replace(b'"mass"', b'"weight"', 1))
    rules = sorted(problem.rule for problem in problems_of(copy.path))
    assert rules == ["file", "meta", "number", "number", "reference", "vehicles_weigh_less_empty_than_full"]


def test_many_faults_of_one_kind_are_counted_not_listed(tmp_path: Path) -> None:
    copy = copy_tiny(tmp_path / "copy")
    header = copy.header("od")
    row = {"origin": "EAST", "destination": "PLANT", "commodity": "WOOD", "year": "2025", "tonnes": "x"}
    copy.write("od", header, [row] * 1000)
    found = problems_of(copy.path)
    assert len(found) == 51
    assert "950 more faults" in found[-1].what


def test_a_byte_order_mark_and_windows_line_ends_are_accepted(tmp_path: Path) -> None:
    copy = copy_tiny(tmp_path / "copy")
    for name in ("nodes.csv", "od.csv"):
        copy.edit(name, lambda content: b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n"))
    assert problems_of(copy.path) == ()


def test_a_path_that_is_no_instance_is_refused(tmp_path: Path) -> None:
    copy = copy_tiny(tmp_path / "north")
    [problem] = problems_of(tmp_path / "nort")
    assert "did you mean 'north'?" in problem.hint
    [problem] = problems_of(copy.path / "links.csv")
    assert "neither a folder nor a .zip" in problem.what
