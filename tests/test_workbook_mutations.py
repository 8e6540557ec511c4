"""A workbook whose bytes were changed is refused or reads as it says; nothing crashes."""

from __future__ import annotations

import random
import zipfile
from pathlib import Path

import pytest

from instance_copies import TINY
from nbb_opt.errors import InstanceError
from nbb_opt.instance import read_instance
from workbook_drafts import draft_of_tiny


def changed(data: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(data))
    kind = dice.choice(("flip", "cut", "insert", "repeat", "digit"))
    if kind == "flip":
        return data[:place] + bytes([data[place] ^ (1 << dice.randrange(8))]) + data[place + 1 :]
    if kind == "cut":
        return data[:place] + data[place + dice.randrange(1, 40) :]
    if kind == "insert":
        return data[:place] + dice.randbytes(3) + data[place:]
    if kind == "repeat":
        return data[:place] + data[max(0, place - 60) : place] + data[place:]
    return data[:place] + str(dice.randrange(10)).encode() + data[place + 1 :]


def digest_of(path: Path) -> str | None:
    """Digest of what is read; None if it is refused."""
    try:
        return read_instance(path).digest
    except InstanceError:
        return None


@pytest.mark.promise(3, 20, 500)
def test_a_mutated_file_is_refused_or_reads_the_same(cases: int, tmp_path: Path) -> None:
    dice = random.Random(1)
    sound = draft_of_tiny().save(tmp_path / "sound.xlsx").read_bytes()
    digest = read_instance(TINY).digest
    path = tmp_path / "mutated.xlsx"
    refused = 0
    for _ in range(cases):
        path.write_bytes(changed(sound, dice))
        found = digest_of(path)
        assert found in (None, digest)
        refused += found is None
    assert refused > cases // 3


@pytest.mark.promise(3, 20, 500)
def test_a_workbook_with_mutated_parts_never_crashes(cases: int, tmp_path: Path) -> None:
    dice = random.Random(2)
    sound = draft_of_tiny().save(tmp_path / "sound.xlsx")
    with zipfile.ZipFile(sound) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    read = [name for name in parts if name.startswith(("xl/work", "xl/sh", "xl/st", "_rels", "xl/_rels"))]
    path = tmp_path / "mutated.xlsx"
    refused = 0
    for _ in range(cases):
        victim = dice.choice(read)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in parts.items():
                archive.writestr(name, changed(data, dice) if name == victim else data)
        refused += digest_of(path) is None
    assert refused > cases // 3
