"""Command lines and files that nobody planned for: made from a seed, run one after the other, faults told as JSON.

`python tests/command_fuzz.py FOLDER SEED FIRST COUNT` runs them in a process of its own with bounds on memory and file
size; each line begins with its number, so that who started it knows which one ended the process.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

import typer

from command_line import nbb_opt
from nbb_opt.cli.main import app

ROOT = Path(__file__).resolve().parents[1]
INSTANCES = ROOT / "instances"
SLOW_S, HANGS_S = 60, 300  # of processor time; of any time, since other work may hold it up
MEMORY_BYTES, FILE_BYTES = 6_000_000_000, 200_000_000
# these serve for ever, work for long, or write into the repository
LEFT_OUT = ("app", "bench", "bench-best", "bench-page", "models")
WHOLE = ["0", "1", "2", "7", "-1", "2030", "99999999999999999999", "1e3", "nan", "", "0x10", "٣", "1_0"]
REAL = ["0", "1", "0.5", "-1", "nan", "inf", "-inf", "1e-9", "1e308", "", "1,5", "½", "0x1p3"]
PLAIN = """
x joint frozen stram network_design demand carbon_price capacity:E10 rule: energy_price:diesel 0.8,1,1.2 1,,nan
tiny haulier ../tiny ö a=b = a,b=c,= - scip highs refuse add tcp://127.0.0.1:9 not-finite boundary_ttw %s {} kt ; \\t
"""
WORDS = [*PLAIN.split(), "", "x" * 5000, "\u202e", "\udcff"]
PLACES = """
. .. missing missing/deep tiny/links.csv tiny/od.csv run/run.json /dev/null /dev/full /dev/null/x /proc/self/mem ~
out.csv out.xlsx out.html
"""
NOWHERE = [*PLACES.split(), "", "a\nb", "n" * 300, "\udcff"]
LIKELY = {
    "instance": "tiny tiny haulier design_tiny stram_tiny tiny.xlsx", "run": "run run design_run",
    "runs": "run design_run", "out": "made made.html", "model": "joint frozen model.toml",
    "plan": "haulier/plan.csv", "target": "made made.xlsx",
    "old": "tiny tiny.xlsx", "new": "made made.xlsx", "vary": "demand carbon_price", "values": "0.8,1", "points": "2 3",
    "source": "tiny run od.parquet tiny/od.csv trips.tntp x_net.tntp od.omx", "solution": "solution.sol",
    "plant": "plant.csv", "places": "WEST EAST", "exact": "0 1",
}  # fmt: skip
USUAL = {
    "solve": "--time-limit 2", "sweep": "--time-limit 2 --relax", "pareto": "--time-limit 2 --relax",
    "sensitivity": "--time-limit 2",
    "verify": "--again 0", "explain": "--time-limit 2", "tornado": "--time-limit 2 --relax --table countries",
    "cooperate": "--time-limit 2 --relax", "robust": "--time-limit 2 --relax --no-projects --rounds 1",
    "audit": "--time-limit 2 --changes 0 --no-scenarios", "report": "--again 0",
}  # fmt: skip


class Hang(BaseException):
    """A command took longer than SLOW_S or HANGS_S."""


def make_pool(folder: Path) -> list[str]:
    """Files and folders to be named on command lines: sound, spoiled and strange ones."""
    folder.mkdir(parents=True)
    for name in ("tiny", "design_tiny", "stram_tiny", "haulier"):
        shutil.copytree(INSTANCES / name, folder / name)
    nbb_opt("solve", "tiny", "--out", "run", cwd=folder, check=0)
    nbb_opt("solve", "design_tiny", "--out", "design_run", cwd=folder, check=0)
    nbb_opt("convert", "tiny", "tiny.xlsx", cwd=folder, check=0)
    nbb_opt("convert", "tiny/od.csv", "od.parquet", cwd=folder, check=0)
    nbb_opt("convert", "tiny/od.csv", "od.omx", cwd=folder)
    nbb_opt("solve", "tiny", "--write", "model.lp", cwd=folder, check=0)
    (folder / "trips.tntp").write_text(
        "<NUMBER OF ZONES> 2\n<TOTAL OD FLOW> 3\n<END OF METADATA>\nOrigin 1\n2 : 3.0;\n"
    )
    (folder / "x_net.tntp").write_text("<NUMBER OF LINKS> 1\n<END OF METADATA>\n~ a\n1 2 3 4 5 6 7 8 9 10 ;\n")
    (folder / "model.toml").write_text((ROOT / "models" / "joint.toml").read_text())
    (folder / "plant.csv").write_text(
        "what,commodity,partner,amount,low_factor,high_factor,source,note\nstart_year,,,2030,,,made_up,\n"
        "produces,BOX,WEST,3000,,,made_up,\n"
    )
    (folder / "solution.sol").write_text("built[GRID_W,2025] 1\nx nan\n")
    strange = {
        "empty": b"", "zero": b"\0" * 999, "deep": b"[" * 100_000, "open": b'{"a":' * 5000, "line": b"x," * 500_000,
        "latin": "Luleå;1,5\n".encode("latin-1"),
        "utf16": "a,b\n1,2\n".encode("utf-16"),
        "bytes": bytes(range(256)) * 40, "csv": b'a,b\n1\n1,2,3\n"x\n', "number": b"1e999999\n",
        "pk": b"PK\3\4" + b"\0" * 50, "par": b"PAR1" + b"\xff" * 50 + b"PAR1",
    }  # fmt: skip
    for name, content in strange.items():
        for ending in ("csv", "xlsx", "parquet", "omx", "tntp", "toml", "json", "zip", "sol", "dow"):
            (folder / f"{name}.{ending}").write_bytes(content)
    for ending in ("csv", "xlsx", "parquet", "toml", "html"):
        (folder / f"folder.{ending}").mkdir()
        os.symlink(f"loop.{ending}", folder / f"loop.{ending}")
    os.mkfifo(folder / "pipe.csv")
    os.mkfifo(folder / "pipe.toml")
    return [*sorted(path.name for path in folder.iterdir()), *NOWHERE]


def spoil(chance: random.Random, folder: Path) -> None:
    """Change some bytes of a file of an instance or a run, or take it away."""
    some = [
        path
        for name in ("tiny", "run", "design_run", "design_tiny", "stram_tiny")
        for path in (folder / name).rglob("*")
        if path.is_file()
    ]
    path = chance.choice(sorted(some))
    data = bytearray(path.read_bytes())
    how = chance.randrange(6)
    if how == 0:
        path.unlink()
        return
    if how == 1:
        path.unlink()
        path.mkdir()
        return
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(data) + 1)
        if how == 2:
            data[at : at + chance.randint(1, 50)] = b""
        elif how == 3:
            data[at:at] = chance.choice(
                [b"\xff", b"\0", b'"', b",,,", b"nan", b"-", b"9" * 400, b"\n", "Ω".encode(), b"{[", b"\r", b"="]
            )
        elif how == 4 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        else:
            data = data[:at]
    path.write_bytes(bytes(data))


def line_of(chance: random.Random, pool: list[str]) -> list[str]:
    """One command with arguments and options, some of them left out, twice there, or made up."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    name = chance.choice(sorted(set(commands) - set(LEFT_OUT)))
    words, options = [], []
    for parameter in commands[name].params:
        if not parameter.opts[0].startswith("-"):
            if chance.random() < (0.97 if parameter.required else 0.3):
                words += [
                    value_of(chance, parameter, pool)
                    for _ in range(chance.choice([1, 1, 2]) if parameter.nargs < 0 else 1)
                ]
        elif chance.random() < 0.12:
            flag = getattr(parameter, "is_flag", False)
            options += [parameter.opts[-1]] if flag else [parameter.opts[-1], value_of(chance, parameter, pool)]
    if chance.random() < 0.03:
        options.append(chance.choice(["--", "--no-such", "-x", "--help", "--json", "=", "--out="]))
    usual = USUAL.get(name, "").split() if chance.random() < 0.95 else []
    return [name, *words, *options, *usual]


def value_of(chance: random.Random, parameter: Any, pool: list[str]) -> str:
    """A word for an argument or the value of an option, mostly of its kind."""
    kind = str(parameter.type_descriptor.annotation)
    if parameter.name in LIKELY and chance.random() < 0.75:
        return chance.choice(LIKELY[parameter.name].split())
    if chance.random() < 0.04:
        return chance.choice([*WHOLE, *REAL, *WORDS, *pool])
    if choices := re.findall(r"'([^']*)'", kind) if "Literal" in kind else []:
        return chance.choice([*choices, "none of these"])
    if "Path" in kind:
        return chance.choice(pool)
    return chance.choice(REAL if "float" in kind else WHOLE if "int" in kind else WORDS)


def run(folder: Path, seed: int, first: int, count: int) -> None:
    """Run lines `first` to `first + count`; a line of JSON before each, and one after it if it went wrong."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def too_long(_number: int, _frame: FrameType | None) -> None:
        raise Hang

    signal.signal(signal.SIGALRM, too_long)
    signal.signal(signal.SIGPROF, too_long)
    sound = folder / "sound"
    pool = make_pool(sound) if not sound.exists() else json.loads((folder / "pool.json").read_text())
    (folder / "pool.json").write_text(json.dumps(pool))
    for number in range(first, first + count):
        chance = random.Random(seed * 1_000_003 + number)
        work = folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        copy_pool(sound, work)
        if spoiled := chance.random() < 0.4:
            spoil(chance, work)
        words = line_of(chance, pool)
        line: dict[str, Any] = {"number": number, "words": words, "spoiled": spoiled}
        print(json.dumps(line), flush=True)
        started, fault = time.process_time(), ""
        signal.alarm(HANGS_S)
        signal.setitimer(signal.ITIMER_PROF, SLOW_S)
        try:
            done = nbb_opt(*words, cwd=work)
            line["code"] = done.returncode
            if "Traceback" in done.stdout + done.stderr or (
                done.returncode and not (done.stdout + done.stderr).strip()
            ):
                fault = f"exit {done.returncode}: {done.stdout}{done.stderr}"
        except Hang:
            fault = "took too long"
        except BaseException as raised:  # an assertion of the helper: exit 70
            fault = f"{type(raised).__name__}: {raised}"
        signal.alarm(0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        line["cpu_s"] = round(time.process_time() - started, 1)
        if fault or line["cpu_s"] > SLOW_S:
            line["fault"] = fault[-1500:] or "took too long"
        print(json.dumps(line), flush=True)


def copy_pool(sound: Path, work: Path) -> None:
    """A fresh pool; folders are copied, files of the pool linked as they are."""
    work.mkdir()
    for path in sorted(sound.iterdir()):
        if path.is_dir() and not path.is_symlink():
            shutil.copytree(path, work / path.name)
        elif path.is_fifo():
            os.mkfifo(work / path.name)
        elif path.is_symlink():
            os.symlink(os.readlink(path), work / path.name)
        else:
            shutil.copy(path, work / path.name)


if __name__ == "__main__":
    where, *numbers = sys.argv[1:]
    os.environ["NBB_OPT_CACHE"] = str(Path(where, "cache"))
    run(Path(where), *map(int, numbers))
