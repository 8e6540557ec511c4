"""What all tests share: which are slow suites, which row of the promises a test proves, and what is said at the end.

`@pytest.mark.promise(row, small, full)` says that a test proves a row of PROMISES, with `small` cases, or `full` with
--hard; the fixture `cases` is that number, an argument `seed` runs through it. A test without numbers is one case.
`--rows 13,15` runs the tests of these rows alone.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable

import pytest

HARD = "slow suites too: thousands of cases, long solves, a wheel in an empty environment (make test-hard)"
PROMISES = {
    1: "spoiled Parquet files are refused or read the same",
    2: "spoiled text files, and any command line, end in an error of ours",
    3: "bad workbooks are refused by cell, none is read in part",
    4: "bombs and paths that lead out are refused",
    5: "no number that cannot be reaches the solver",
    6: "HiGHS holds the problem that was sent, with the options asked for",
    7: "every plan is recomputed from its tables by the verifier",
    8: "spoiled plans and forged runs are refused",
    9: "two statements, two routes, brute force: one optimum",
    10: "numerically nasty instances end in verified plans",
    11: "same input, seed and options: same objective and counters",
    12: "kernels agree with plain Python and stay within bounds",
    13: "time limits and requests to stop are kept, with the best plan",
    14: "a killed writer leaves the old run or the new one",
    15: "under a memory cap: an error in a line, or a plan",
    16: "planted causes of infeasibility are named, minimal",
    17: "hostile texts are no formulas, scripts or requests",
    18: "the app answers this machine and its own page only",
    19: "journeys through app and report in a browser",
    20: "a killed worker of a cluster changes nothing",
    21: "many solves in one process need no more memory",
}


# The longest files of the quick suite, which begin first: with two workers a long one at the end leaves one idle.
LONGEST = (
    "promises", "region_journeys", "forgeries", "decompose", "api", "app_journeys", "verify_bites", "cli", "caps",
    "notebooks", "report_browser", "command_fuzz", "comparison",
)  # fmt: skip
BEGUN = pytest.StashKey[float]()
FULL_TIMEOUT_S = 3600  # of a test with all its cases, on a machine that does other work too


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--hard", action="store_true", help=HARD)
    parser.addoption("--rows", default="", help="only tests of these rows of the promises: 13,15")


def pytest_configure(config: pytest.Config) -> None:
    gc.set_threshold(50_000, 20, 50)  # many objects live long here: a tenth of the time went into looking at them
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell's job in the background ignores it; tests press it
    config.addinivalue_line("markers", "hard: a slow suite, run with --hard (make test-hard)")
    config.addinivalue_line("markers", "release: builds and installs the wheel, run with --hard (make test-release)")
    config.addinivalue_line("markers", "promise(row, small=1, full=small): proves a row of PROMISES with so many cases")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    place = {f"test_{name}": number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))
    for item in items:
        for mark in item.iter_markers("promise"):
            many = "cases" in getattr(item, "fixturenames", ())
            item.user_properties.append(("promise", (mark.args[0], _cases(mark, config) if many else 1)))
    if rows := [int(row) for row in config.getoption("--rows").split(",") if row]:
        _leave_out(config, items, lambda item: all(mark.args[0] not in rows for mark in item.iter_markers("promise")))
    if config.getoption("--hard"):
        for item in items:
            if not item.get_closest_marker("timeout"):
                item.add_marker(pytest.mark.timeout(FULL_TIMEOUT_S))
    else:
        _leave_out(config, items, lambda item: bool({"hard", "release"} & {mark.name for mark in item.iter_markers()}))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    mark = metafunc.definition.get_closest_marker("promise")
    if mark and len(mark.args) > 1 and "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(_cases(mark, metafunc.config)))


def _leave_out(config: pytest.Config, items: list[pytest.Item], which: Callable[[pytest.Item], bool]) -> None:
    out = [item for item in items if which(item)]
    config.hook.pytest_deselected(items=out)
    items[:] = [item for item in items if item not in set(out)]


def _cpu_s() -> float:
    """Processor time of this process and of the children that it has waited for."""
    return sum(os.times()[:4])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.stash[BEGUN] = _cpu_s()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    if call.when == "call":
        item.user_properties.append(("cpu_s", _cpu_s() - item.stash[BEGUN]))


def _cases(mark: pytest.Mark, config: pytest.Config) -> int:
    sizes = mark.args[1:] or (1,)
    return int(sizes[-1] if config.getoption("--hard") else sizes[0])


@pytest.fixture
def cases(request: pytest.FixtureRequest) -> int:
    """How many cases the test tries, by its promise."""
    return _cases(request.node.get_closest_marker("promise"), request.config)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The rows of PROMISES that ran, and how many tests of behaviour passed: a function counts once."""
    reports = [(how, each) for how in ("passed", "failed", "error", "skipped") for each in _of(terminalreporter, how)]
    for row, title in PROMISES.items():
        mine = [(how, value[1], each) for how, each in reports for key, value in getattr(each, "user_properties", ())
                if key == "promise" and value[0] == row]  # fmt: skip
        if not mine:
            continue
        held = sum(n for how, n, _ in mine if how == "passed")
        broken = sorted({each.nodeid for how, _, each in mine if how in ("failed", "error")})
        skipped = sorted({each.longrepr[2] for how, _, each in mine if how == "skipped"})
        said = f"BROKEN: {', '.join(broken)}" if broken else "held" if held else "not tried"
        said += f" ({'; '.join(skipped)})" if skipped else ""
        used_s = sum(dict(each.user_properties).get("cpu_s", 0.0) for _, _, each in mine)
        terminalreporter.write_line(f"{row:3} {title:<70} {held:7,} {used_s:7,.0f} CPU s  {said}")
    passed = {report.nodeid.partition("[")[0] for report in _of(terminalreporter, "passed")}
    examples = sum(not name.partition("::")[0].startswith("tests/") for name in passed)
    cases = len(_of(terminalreporter, "passed"))
    terminalreporter.write_line(
        f"{len(passed) - examples} tests of behaviour, {examples} documented examples, {cases} cases passed"
    )


def _of(terminalreporter: pytest.TerminalReporter, how: str) -> list[pytest.TestReport]:
    return terminalreporter.stats.get(how, [])
