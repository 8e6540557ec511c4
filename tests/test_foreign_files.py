"""Files as other programs write them: read right, with what was assumed in lines, or refused."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
import xlsxwriter
from typer.testing import CliRunner

from instance_copies import TINY
from nbb_opt.cli.main import app
from nbb_opt.errors import InstanceError
from nbb_opt.formats import Choices, Dialect, convert
from nbb_opt.formats.dialect import Notes, decimal_sign, plain_cells
from nbb_opt.instance import read_instance
from nbb_opt.instance.schema import BY_NAME

COLUMNS = ["origin", "destination", "commodity", "year", "tonnes"]
ROWS = [("Luleå", "Oulu", "ORE", 2025, 1000.5), ("Oulu", "Luleå", "ORE", 2025, 0.125)]


def read_back(path: Path) -> list[tuple[object, ...]]:
    return list(pd.read_csv(path).itertuples(index=False, name=None))


def converted(tmp_path: Path, text: str, encoding: str = "utf-8", **dialect: object) -> tuple[list, str]:
    """The rows that a CSV file of this text becomes, and what was said."""
    (tmp_path / "a.csv").write_bytes(text.encode(encoding))
    report = convert(tmp_path / "a.csv", tmp_path / "b.csv", choices=Choices(dialect=Dialect(**dialect)))
    return read_back(tmp_path / "b.csv"), "\n".join(report.lines)


SEMICOLONS = "origin;destination;commodity;year;tonnes\nLuleå;Oulu;ORE;2025;1 000,5\nOulu;Luleå;ORE;2025;0,125\n"


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("utf-8", "decimal comma, for example 1 000,5 is 1000.5"),
        ("utf-8-sig", "columns are separated by semicolons"),
        ("cp1252", "text is read as Windows-1252 (cp1252), for example Luleå"),
        ("utf-16", "text is read as UTF-16"),
        ("utf-16-le", "text is read as UTF-16"),
    ],
)
def test_a_csv_of_a_european_spreadsheet_is_read_and_each_assumption_is_one_line(
    tmp_path: Path, encoding: str, words: str
) -> None:
    rows, said = converted(tmp_path, SEMICOLONS, encoding)
    assert rows == ROWS
    assert words in said
    assert "spaces between thousands, for example '1 000,5' is 1000.5" in said
    assert len(said.splitlines()) == 5 + (not encoding.startswith("utf-8")), said


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("line", ["sep=;\n", '"sep=;"\r\n', "SEP=; \n"])
def test_a_first_line_of_excel_says_the_separator_and_is_no_row(tmp_path: Path, encoding: str, line: str) -> None:
    rows, said = converted(tmp_path, line + SEMICOLONS, encoding)
    assert rows == ROWS
    assert "the first line says the separator: ';'" in said
    with pytest.raises(InstanceError, match="row 3: tonnes much"):
        converted(tmp_path, line + SEMICOLONS.replace("1 000,5", "much"), encoding)


@pytest.mark.parametrize("name", ["Luleå", "Östersund", "Västerås", "Jönköping", "Tromsø", "Hämeenlinna"])
@pytest.mark.parametrize("encoding", ["mac_roman", "cp850", "utf-32"])
def test_text_of_an_old_mac_or_of_dos_is_not_read_as_other_letters(tmp_path: Path, name: str, encoding: str) -> None:
    text = SEMICOLONS.replace("Luleå", name)
    with pytest.raises(InstanceError, match=r"save it as UTF-8"):
        converted(tmp_path, text, encoding)
    assert converted(tmp_path, text, "cp1252")[0][0][0] == name


def test_rare_letters_beside_usual_ones_are_windows_1252(tmp_path: Path) -> None:
    text = SEMICOLONS.replace("Oulu", "Kárášjohka – “Žižek” Šibenik")
    assert converted(tmp_path, text, "cp1252")[0][0][1] == "Kárášjohka – “Žižek” Šibenik"


@pytest.mark.parametrize("sep", [";", "\t", "|", ","])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_separators_are_seen_or_said(tmp_path: Path, sep: str, ending: str) -> None:
    text = SEMICOLONS.replace("1 000,5", "1000.5").replace("0,125", "0.25").replace(";", sep).replace("\n", ending)
    expected = [ROWS[0], (*ROWS[1][:4], 0.25)]
    assert converted(tmp_path, text)[0] == expected
    assert converted(tmp_path, text.replace(sep, "^"), sep="^")[0] == expected


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1 000", 1000), ("1\u00a0234\u00a0567,5", 1234567.5), ("1\u20090000", None), ("1\u2009000", 1000),
        ("1\u202f000,25", 1000.25), ("1'000,5", 1000.5), ("1.234,5", 1234.5), ("1.234.567", 1234567), ("+12,5", 12.5),
        (",5", 0.5), ("5,", 5), ("1,5e3", 1500), ("1 00,5", None), ("01.234,5", None), ("1.23,5", None),
        ("12,5 t", None), ("1,2,3", None), ("0.125", None), ("\u221212,5", None), ("nan", None), ("1 234.567,5", None),
    ],
)  # fmt: skip
def test_a_number_with_decimal_comma_is_read_right_or_refused(tmp_path: Path, cell: str, value: float | None) -> None:
    text = SEMICOLONS.replace("1 000,5", cell)
    if value is None:
        with pytest.raises(InstanceError):
            converted(tmp_path, text)
    else:
        assert converted(tmp_path, text)[0][0][4] == value


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (("1.234", "2"), "1.234 may be 1234 or 1.234"),
        (("1,234", "2"), "1,234 may be 1234 or 1.234"),
        (("1.234", "2,5"), "1.234 may be 1234 or 1.234"),
        (("12.5", "2,5"), r"decimal commas \(2,5\) and decimal points \(12.5\)"),
    ],
)
def test_a_cell_that_may_mean_two_numbers_asks_for_the_decimal_sign(
    tmp_path: Path, cells: tuple[str, str], words: str
) -> None:
    text = SEMICOLONS.replace("1 000,5", cells[0]).replace("0,125", cells[1])
    with pytest.raises(InstanceError, match=rf"a\.csv.*{words} .*decimal="):
        converted(tmp_path, text)


def test_the_decimal_sign_that_is_given_decides(tmp_path: Path) -> None:
    text = SEMICOLONS.replace("1 000,5", "1.234").replace("0,125", "2,345")
    assert [row[4] for row in converted(tmp_path, text, decimal=",")[0]] == [1234, 2.345]
    assert [row[4] for row in converted(tmp_path, text, decimal=".")[0]] == [1.234, 2345]
    points = text.replace("2,345", "2.345")  # every cell is a number of our tables too, but another one
    assert [row[4] for row in converted(tmp_path, points, decimal=",")[0]] == [1234, 2345]
    with pytest.raises(InstanceError, match=r"column tonnes, record 1: '12\.5' would be read as another number"):
        converted(tmp_path, SEMICOLONS.replace("1 000,5", "12.5"), decimal=",")
    with pytest.raises(InstanceError, match="is no decimal sign"):
        Dialect(decimal="'")


def test_numbers_in_a_column_of_text_do_not_speak_for_a_decimal_sign(tmp_path: Path) -> None:
    text = SEMICOLONS.replace("Luleå", "1,5").replace("1 000,5", "12.5").replace("0,125", "0.25")
    assert [row[4] for row in converted(tmp_path, text)[0]] == [12.5, 0.25]


def test_a_number_that_would_be_another_one_is_named_by_its_record_in_any_batch() -> None:
    batches = [pa.RecordBatch.from_pydict({"tonnes": cells}) for cells in (["1,5", "2,5"], ["3,5", "12.5"])]
    with pytest.raises(InstanceError, match=r"a\.csv, column tonnes, record 4: '12\.5' would be read"):
        list(plain_cells(batches, BY_NAME["od"], ",", Notes("a.csv")))


def test_a_plain_file_keeps_its_points_and_thousands_in_quotes_need_a_sign(tmp_path: Path) -> None:
    plain = "origin,destination,commodity,year,tonnes\nA,B,ORE,2025.0,1.234\n"
    rows, said = converted(tmp_path, plain)
    assert rows == [("A", "B", "ORE", 2025, 1.234)]
    assert "a.csv, column year: whole numbers are written with decimals, for example 2025.0 is 2025" in said
    with pytest.raises(InstanceError, match=r"1,234 may be 1234 or 1\.234"):
        converted(tmp_path, plain.replace("1.234", '"1,234"'))
    rows, said = converted(tmp_path, plain.replace("1.234", '"1,234.5"'))
    assert rows[0][4] == 1234.5
    assert "commas between thousands, for example '1,234.5' is 1234.5" in said
    with pytest.raises(InstanceError, match=r"decimal commas \(2,5\) and decimal points \(2025\.0\)"):
        converted(tmp_path, plain + 'B,A,ORE,2025,"2,5"\n')
    with pytest.raises(InstanceError, match=r"year 2025\.5"):
        converted(tmp_path, plain.replace("2025.0", "2025.5"))


def test_columns_get_other_names_and_are_left_out_only_when_asked(tmp_path: Path) -> None:
    text = "from,to,commodity,year,Menge,remark\nA,B,ORE,2025,2.5,x\n"
    with pytest.raises(InstanceError, match=r"columns={'old': 'new', 'other': ''}"):
        converted(tmp_path, text)
    (tmp_path / "a.csv").write_text(text)
    columns = "from=origin,to=destination,Menge=tonnes"
    args = ["convert", str(tmp_path / "a.csv"), str(tmp_path / "b.csv"), "--columns", columns, "--columns", "remark="]
    done = CliRunner().invoke(app, [*args, "--unit", "kt"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert read_back(tmp_path / "b.csv") == [("A", "B", "ORE", 2025, 2500.0)]
    assert "tonnes are given in kt, as asked" in done.output
    with pytest.raises(InstanceError, match="has no column form"):
        converted(tmp_path, text, columns={"form": "origin"})
    assert CliRunner().invoke(app, ["convert", "a.csv", "b.csv", "--columns", "from"]).exit_code == 2


@pytest.mark.parametrize(
    ("unit", "cell", "tonnes"),
    [("kt", "1.005", 1005.0), ("Mt", "0.0000023", 2.3), ("kg", "2e6", 2000.0), ("t", "7", 7.0), ("kt", "4.35", 4350.0)],
)
def test_units_of_tonnes_are_exact_to_the_last_digit(tmp_path: Path, unit: str, cell: str, tonnes: float) -> None:
    text = f"origin,destination,commodity,year,tonnes\nA,B,ORE,2025,{cell}\n"
    assert converted(tmp_path, text, unit=unit)[0][0][4] == tonnes


def test_a_strict_workbook_is_refused_with_what_to_save_it_as(tmp_path: Path) -> None:
    usual = sheet_of(tmp_path / "usual.xlsx", [list(COLUMNS), ["A", "B", "ORE", 2025, 1.5]])
    with zipfile.ZipFile(usual) as old, zipfile.ZipFile(tmp_path / "strict.xlsx", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"schemas.openxmlformats.org", b"purl.oclc.org/ooxml")
                         .replace(b"/ooxml/spreadsheetml/2006", b"/ooxml/spreadsheetml"))  # fmt: skip
    with pytest.raises(InstanceError, match=r"Strict Open XML.*save it as 'Excel Workbook"):
        convert(tmp_path / "strict.xlsx", tmp_path / "b.csv", choices=Choices())


def sheet_of(path: Path, rows: list[list[object]], name: str = "Blad1") -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet(name)
        for i, row in enumerate(rows):
            sheet.write_row(i, 0, row)
    return path


def test_a_plain_list_in_a_workbook_needs_no_row_of_units(tmp_path: Path) -> None:
    rows = [[*COLUMNS], ["Luleå", "Oulu", "ORE", 2025, 1000.5], ["Oulu", "Luleå", "ORE", 2025, "0,125"]]
    report = convert(sheet_of(tmp_path / "a.xlsx", rows), tmp_path / "b.csv")
    assert read_back(tmp_path / "b.csv") == ROWS
    said = "\n".join(report.lines)
    assert "its only sheet 'Blad1' is read as od" in said
    assert "it has no row of units: taken are tonnes in t/year" in said
    rows[2][4] = "0,125"
    rows[1][4] = 1.234  # a number is what it is, whatever text beside it means
    convert(sheet_of(tmp_path / "a.xlsx", rows), tmp_path / "b.csv")
    assert [row[4] for row in read_back(tmp_path / "b.csv")] == [1.234, 0.125]
    rows[1][4] = "1,234"
    rows[2][4] = 2
    with pytest.raises(InstanceError, match=r"1,234 may be 1234 or 1\.234"):
        convert(sheet_of(tmp_path / "a.xlsx", rows), tmp_path / "b.csv")
    rows[1][4] = "ten"
    with pytest.raises(InstanceError, match="row 2: tonnes"):
        convert(sheet_of(tmp_path / "a.xlsx", rows), tmp_path / "b.csv")


def tiny_in_dialect(folder: Path) -> Path:
    """Tiny, its tables written by a spreadsheet of a country with decimal commas."""
    shutil.copytree(TINY, folder)
    for path in folder.glob("*.csv"):
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        for column in table.columns:
            kinds = table[column].str.fullmatch(r"-?[0-9]+(\.[0-9]+)?|true|false|")
            if kinds.all() and column not in ("nuts3", "note"):
                table[column] = table[column].str.upper().str.replace(".", ",")
        table.to_csv(path, index=False, sep=";", encoding="cp1252")
    links = folder / "links.csv"
    links.write_bytes(links.read_bytes().replace(b";1435;", b";1435,0;"))
    return folder


def test_an_instance_in_a_dialect_is_read_with_its_digest_and_check_names_the_command(tmp_path: Path) -> None:
    source, target = tiny_in_dialect(tmp_path / "mine"), tmp_path / "tidy"
    done = CliRunner().invoke(app, ["check", str(source)])
    said = f"{done.output}{done.exception}"
    assert done.exit_code == 1
    assert "columns are separated by semicolons" in said
    assert f"nbb-opt convert {source} {source}-tidy" in said
    done = CliRunner().invoke(app, ["convert", str(source), str(target)])
    assert done.exit_code == 0, done.output
    assert "links.csv, column two_way: TRUE is true" in done.output
    assert read_instance(target).digest == read_instance(TINY).digest


def test_one_table_is_converted_by_its_name(tmp_path: Path) -> None:
    source = tiny_in_dialect(tmp_path / "mine")
    report = convert(source / "links.csv", tmp_path / "links.csv")
    assert any("links.csv, column two_way: TRUE is true" in line for line in report.lines)
    back = pd.read_csv(tmp_path / "links.csv").sort_values("link", ignore_index=True)
    shipped = pd.read_csv(TINY / "links.csv").sort_values("link", ignore_index=True)
    pd.testing.assert_frame_equal(back, shipped)
    text = (source / "links.csv").read_text("cp1252").replace(";road;", ";raod;")
    (source / "links.csv").write_text(text, "cp1252")
    with pytest.raises(InstanceError, match=r"links\.csv row \d+, column mode, value 'raod': is not one of"):
        convert(source / "links.csv", tmp_path / "again.csv")
    assert not (tmp_path / "again.csv").exists()


def test_a_workbook_of_lists_becomes_an_instance(tmp_path: Path) -> None:
    book = tmp_path / "tiny.xlsx"
    convert(TINY, book)
    sheets = pd.read_excel(book, sheet_name=None, header=None, dtype=object)
    with xlsxwriter.Workbook(str(tmp_path / "lists.xlsx"), {"nan_inf_to_errors": True}) as made:
        for name, table in sheets.items():
            sheet = made.add_worksheet(name)
            rows = table.astype(object).where(table.notna(), None).to_numpy().tolist()
            for i, row in enumerate([rows[0], *rows[2:]] if name != "README" else rows):
                for j, cell in enumerate(row):
                    if cell is not None:
                        sheet.write(i, j, str(cell) if name == "od" and j == 4 else cell)
    with pytest.raises(InstanceError, match="is not the row of units"):
        read_instance(tmp_path / "lists.xlsx")
    report = convert(tmp_path / "lists.xlsx", tmp_path / "case")
    assert any(line.startswith("links: it has no row of units: taken are") for line in report.lines)
    assert read_instance(tmp_path / "case").digest == read_instance(TINY).digest


def batch_of(column: str, *cells: str) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(cells, pa.string())], names=[column])


@pytest.mark.parametrize(
    ("cells", "plain", "sign"),
    [
        (["12,5"], False, ","), (["12.5"], False, "."), (["1.234,5", "1.234"], False, ","),
        (["1,234.5", "1,234"], False, "."), (["1.234,5", "1,234"], False, ","), ([], False, "."),
        (["5", ""], False, "."),
        (["1.234"], True, "."), (["1.234", "12,5"], True, ""), (["1,234"], False, ""), (["1,234"], True, ""),
        (["12,5", "12.5"], False, ""), (["12,5", "1.234"], False, ""), (["1.234.567", "1.234"], False, ","),
    ],
)  # fmt: skip
def test_the_decimal_sign_is_what_some_cell_shows_and_none_contradicts(
    cells: list[str], plain: bool, sign: str
) -> None:
    batches = [batch_of("tonnes", *cells), batch_of("commodity", "1,5", "2.5")]
    try:
        found = decimal_sign(lambda: batches, BY_NAME["od"], "a.csv", Dialect(), plain=plain)
    except InstanceError:
        found = ""
    assert found == sign


SIGNS = "spaces around numbers, plus and long minus signs are rewritten"


@pytest.mark.parametrize(
    ("column", "sign", "cell", "text", "said"),
    [
        ("tonnes", ".", "5", "5", []),
        ("tonnes", ",", "12,5", "12.5", ["decimal comma, for example 12,5 is 12.5"]),
        ("tonnes", ",", "12", "12", []),
        ("tonnes", ".", "1 000", "1000", ["spaces between thousands, for example '1 000' is 1000"]),
        ("tonnes", ".", "1'000", "1000", ['apostrophes between thousands, for example "1\'000" is 1000']),
        ("tonnes", ".", "1,000.5", "1000.5", ["commas between thousands, for example '1,000.5' is 1000.5"]),
        ("tonnes", ",", "1.000", "1000", ["points between thousands, for example '1.000' is 1000"]),
        ("tonnes", ".", "+5", "5", [f"{SIGNS}, for example '+5' is 5"]),
        ("tonnes", ".", " 5", "5", [f"{SIGNS}, for example ' 5' is 5"]),
        ("tonnes", ".", "\u22125", "-5", [f"{SIGNS}, for example '\u22125' is -5"]),
        ("tonnes", ".", "1e-3", "1e-3", []),
        ("tonnes", ",", "1,5e-3", "0.0015", ["decimal comma, for example 1,5e-3 is 0.0015"]),
        ("tonnes", ",", "1,5e3", "1.5e3", ["decimal comma, for example 1,5e3 is 1.5e3"]),
        ("tonnes", ".", "x", "x", []),
        ("tonnes", ".", " ", " ", []),
        ("year", ".", "2025.0", "2025", ["whole numbers are written with decimals, for example 2025.0 is 2025"]),
        ("year", ".", "2025.", "2025", []),
        ("year", ".", "2025.5", "2025.5", []),
        ("commodity", ".", " ORE", "ORE", ["spaces around text are left out, for example ' ORE'"]),
    ],
)
def test_a_cell_is_rewritten_and_what_was_assumed_is_said(
    column: str, sign: str, cell: str, text: str, said: list[str]
) -> None:
    notes = Notes("a.csv")
    (found,) = plain_cells([batch_of(column, cell)], BY_NAME["od"], sign, notes)
    assert found.column(0).to_pylist() == [text]
    assert [line.partition(": ")[2] for line in notes.said()] == said
