"""What all tests share: which are slow suites, and how many tests of behaviour there are."""

from __future__ import annotations

import pytest

HARD = "slow suites too: thousands of cases, long solves, a wheel in an empty environment (make test-hard)"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--hard", action="store_true", help=HARD)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "hard: a slow suite, run with --hard (make test-hard)")
    config.addinivalue_line("markers", "release: builds and installs the wheel, run with --hard (make test-release)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--hard"):
        return
    slow = [item for item in items if item.get_closest_marker("hard") or item.get_closest_marker("release")]
    config.hook.pytest_deselected(items=slow)
    items[:] = [item for item in items if item not in set(slow)]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests of behaviour passed: a function counts once, however many cases it was given."""
    passed = {report.nodeid.partition("[")[0] for report in terminalreporter.stats.get("passed", ())}
    examples = sum(not name.partition("::")[0].startswith("tests/") for name in passed)
    cases = len(terminalreporter.stats.get("passed", ()))
    terminalreporter.write_line(
        f"{len(passed) - examples} tests of behaviour, {examples} documented examples, {cases} cases passed"
    )
