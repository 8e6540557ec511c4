"""Random files in random dialects are read right or refused; damaged ones end in our own error, never in another."""

from __future__ import annotations

import csv
import random
import shutil
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from instance_copies import TINY
from nbb_opt.errors import InstanceError
from nbb_opt.formats import Choices, Dialect, convert
from nbb_opt.instance import read_instance
from nbb_opt.instance.schema import BY_NAME
from test_networks_of_other_tools import UNITS, written

COLUMNS = ["origin", "destination", "commodity", "year", "tonnes"]
PLACES = ["Luleå", "Örnsköldsvik", "Jyväskylä", "Mo i Rana", "Kemi, port", "0180", "7", "O'Hara"]
SOME = pytest.param(60)
MANY = pytest.param(2000, marks=[pytest.mark.hard, pytest.mark.timeout(3600)])
HEAD = "<NUMBER OF ZONES> 3\n<TOTAL OD FLOW> 160.5\n<NUMBER OF LINKS> 2\n<END OF METADATA>\n"
TRIPS = HEAD + "Origin 1\n 2 : 100.0; 3 : 50.0;\nOrigin 3\n 1 : 10.5;\n"
NET = HEAD + "1 2 25900.2 6 6 0.15 4 0 0 1 ;\n2 3 234 4 4 0.15 4 0 0 1 ;\n"


def grouped(digits: str, sign: str) -> str:
    return f"{int(digits):,}".replace(",", sign) if sign and int(digits) else digits


def some_rows(dice: random.Random) -> list[tuple[str, str, str, int, str]]:
    """Rows whose tonnes are text with a decimal point; a flow is there once."""
    flows = {(*dice.sample(PLACES, 2), dice.choice(["ORE", "Öl"]), dice.choice([2025, 2030])) for _ in range(6)}
    return [
        (*flow, f"{dice.randrange(10 ** dice.randrange(1, 8))}.{dice.randrange(10**4):04d}") for flow in sorted(flows)
    ]


def in_dialect(dice: random.Random, rows: list[tuple[str, str, str, int, str]]) -> tuple[bytes, str, str]:
    """The rows as a program of some country writes them; the decimal sign, and the separator."""
    sep, encoding = dice.choice(";\t|,"), dice.choice(["utf-8", "utf-8-sig", "utf-16", "cp1252", "utf-16-le"])
    decimal = dice.choice(".,")
    thousands = dice.choice(["", " ", "\u00a0", "'", ",."[decimal == ","]])
    if encoding != "cp1252" and thousands == " ":
        thousands = dice.choice(["\u2009", "\u202f", " "])
    places = dice.randrange(5)
    lines = [sep.join(COLUMNS)]
    for *flow, tonnes in rows:
        whole, _, decimals = tonnes.partition(".")
        kept = decimals[:places] if places else ""
        cells = [*map(str, flow), grouped(whole, thousands) + (decimal + kept if kept else "")]
        lines.append(sep.join(f'"{cell}"' if sep in cell or dice.random() < 0.2 else cell for cell in cells))
    text = dice.choice(["\n", "\r\n"]).join([*lines, ""])
    return text.encode(encoding), decimal, str(places)


def values(rows: list[tuple[str, str, str, int, str]], places: int) -> list[tuple[str, str, str, int, float]]:
    def cut(tonnes: str) -> float:
        whole, _, decimals = tonnes.partition(".")
        return float(f"{whole}.{decimals[:places]}")

    return sorted((o, d, k, y, cut(t)) for o, d, k, y, t in rows)


def read_back(path: Path) -> list[tuple[str, str, str, int, float]]:
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))[1:]
    return sorted((o, d, k, int(y), float(t)) for o, d, k, y, t in rows)


def refusal(source: Path, target: Path, choices: Choices) -> str:
    """Why a file is refused, "" if it is read; any other error passes."""
    try:
        convert(source, target, choices=choices)
    except InstanceError as error:
        return str(error) or "refused without a word"
    return ""


@pytest.mark.parametrize("tries", [SOME, MANY])
def test_a_table_in_any_dialect_is_read_right_or_asks_for_the_decimal_sign(tries: int, tmp_path: Path) -> None:
    dice = random.Random(7)
    source, target = tmp_path / "a.csv", tmp_path / "b.csv"
    dialect = 0
    for _ in range(tries):
        rows = [row for row in some_rows(dice) if float(row[4].partition(".")[0]) > 0]
        if not rows:
            continue
        data, decimal, places = in_dialect(dice, rows)
        source.write_bytes(data)
        right = values(rows, int(places))
        convert(source, target, choices=Choices(dialect=Dialect(decimal=decimal)))
        assert read_back(target) == right, data
        said = refusal(source, target, Choices())
        assert "decimal=" in said or read_back(target) == right, data
        dialect += bool(said)
    assert 0 < dialect < tries * 0.6


def rewritten(dice: random.Random, folder: Path) -> str:
    """Every table of the instance in `folder` in some dialect; the decimal sign."""
    sep, encoding, decimal = dice.choice(";\t|"), dice.choice(["utf-8", "utf-16", "cp1252"]), dice.choice(".,")
    words = dice.choice([("TRUE", "FALSE"), ("True", "False"), ("ja", "nej"), ("1", "0")])
    for path in folder.glob("*.csv"):
        kinds = {column.name: column.kind for column in BY_NAME[path.stem].columns}
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        for name in frame.columns:
            if kinds[name] == "bool":
                frame[name] = frame[name].map({"true": words[0], "false": words[1]})
            elif kinds[name] in ("integer", "year") and dice.random() < 0.5:
                frame[name] = frame[name].map(lambda cell: f"{cell}{decimal}0" if cell else "")
            elif kinds[name] == "number":
                frame[name] = frame[name].str.replace(".", decimal)
        order = dice.sample(list(frame.columns), len(frame.columns))
        frame[order].to_csv(path, index=False, sep=sep, encoding=encoding)
    return decimal


@pytest.mark.parametrize("tries", [pytest.param(4), pytest.param(60, marks=MANY.marks)])
def test_an_instance_in_any_dialect_keeps_its_digest_or_asks_for_the_decimal_sign(tries: int, tmp_path: Path) -> None:
    dice = random.Random(5)
    digest = read_instance(TINY).digest
    for i in range(tries):
        folder, target = tmp_path / f"a{i}", tmp_path / f"b{i}"
        shutil.copytree(TINY, folder)
        decimal = rewritten(dice, folder)
        said = refusal(folder, target, Choices())
        assert "decimal=" in said or read_instance(target).digest == digest, said
        shutil.rmtree(target, ignore_errors=True)
        convert(folder, target, choices=Choices(dialect=Dialect(decimal=decimal)))
        assert read_instance(target).digest == digest
        shutil.rmtree(folder)
        shutil.rmtree(target)


def mutated(dice: random.Random, data: bytes) -> bytes:
    place = dice.randrange(len(data))
    match dice.randrange(6):
        case 0:
            return data[:place] + bytes([dice.randrange(256)]) + data[place + 1 :]
        case 1:
            return data[:place]
        case 2:
            return data[:place] + dice.randbytes(3) + data[place:]
        case 3:
            return data[:place] + data[place + dice.randrange(1, 30) :]
        case 4:
            return data[:place] + bytes(8) + data[place + 8 :]
        case _:
            return data.replace(
                dice.choice([b",", b";", b" ", b"0", b"1", b"\n"]), dice.choice([b"", b"\t", b"9999999", b'"'])
            )


def sources(folder: Path) -> dict[str, tuple[bytes, Choices, str]]:
    """A sound file of every kind, the options it is read with, and the ending of what it becomes."""
    frame = pd.DataFrame([("A", "B", "ORE", 2025, 1.5), ("B", "A", "Öl", 2030, 2.5)], columns=COLUMNS)
    frame.to_parquet(folder / "a.parquet")
    with pd.ExcelWriter(folder / "a.xlsx", engine="xlsxwriter") as book:
        frame.to_excel(book, sheet_name="od", index=False)
    with h5py.File(folder / "a.omx", "w") as file:
        file.attrs["OMX_VERSION"], file.attrs["SHAPE"] = np.bytes_("0.2"), np.array([2, 2])
        file["data/grain"] = np.array([[0.0, 5.0], [7.0, 0.0]])
        file["lookup/taz"] = np.array([101, 205])
    year, net = Choices(year=2030), Choices(km_per_length=1.0, h_per_time=1.0)
    german = frame.to_csv(index=False, sep=";", decimal=",").encode("cp1252")
    found = {
        "a.csv": (german, Choices(), ".csv"), "b.csv": (german.decode("cp1252").encode("utf-16"), Choices(), ".csv"),
        "c_trips.tntp": (TRIPS.encode(), year, ".csv"), "d_net.tntp": (NET.encode(), net, ".csv"),
    }  # fmt: skip
    for name, choices in (("a.parquet", Choices()), ("a.xlsx", Choices()), ("a.omx", year)):
        found[name] = ((folder / name).read_bytes(), choices, ".csv")
    return found


def parts_mutated(dice: random.Random, data: bytes, folder: Path) -> bytes:
    """A workbook with one of its parts mutated and packed again."""
    (folder / "whole.zip").write_bytes(data)
    with zipfile.ZipFile(folder / "whole.zip") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    victim = dice.choice(list(parts))
    with zipfile.ZipFile(folder / "whole.zip", "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, mutated(dice, part) if name == victim else part)
    return (folder / "whole.zip").read_bytes()


@pytest.mark.parametrize("tries", [SOME, MANY])
def test_a_damaged_file_is_read_or_refused_in_our_words(tries: int, tmp_path: Path) -> None:
    dice = random.Random(11)
    sound = sources(tmp_path)
    refused = 0
    for i in range(tries):
        name = list(sound)[i % len(sound)]
        data, choices, ending = sound[name]
        whole = name != "a.xlsx" or dice.random() < 0.3
        spoilt = mutated(dice, data) if whole else parts_mutated(dice, data, tmp_path)
        (tmp_path / name).write_bytes(spoilt)
        refused += bool(refusal(tmp_path / name, tmp_path / f"out{ending}", choices))
    assert refused > tries // 4


@pytest.mark.parametrize("tries", [pytest.param(40), pytest.param(1000, marks=MANY.marks)])
def test_a_damaged_network_is_read_or_refused_in_our_words(tries: int, tmp_path: Path) -> None:
    dice = random.Random(1)
    source = written(tmp_path / "osm")
    sound = {name: (source / name).read_bytes() for name in ("node.csv", "link.csv")}
    refused = 0
    for _ in range(tries):
        for name, data in sound.items():
            (source / name).write_bytes(data)
        name = dice.choice(list(sound))
        (source / name).write_bytes(mutated(dice, sound[name]))
        shutil.rmtree(tmp_path / "region", ignore_errors=True)
        refused += bool(refusal(source, tmp_path / "region", UNITS))
    assert refused > tries // 4
