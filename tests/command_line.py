"""The command line within the process of the tests: a child would import everything anew, a second a call."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from nbb_opt.cli.main import main


@dataclass(frozen=True)
class Done:
    """Exit code and what was printed."""

    returncode: int
    stdout: str
    stderr: str


def nbb_opt(*words: object, cwd: Path | None = None, check: int | None = None) -> Done:
    """Run `nbb-opt WORDS` in `cwd`; with `check` that exit code is demanded. A fault of ours fails the test."""
    out, err = io.StringIO(), io.StringIO()
    arguments, before, term = sys.argv, Path.cwd(), signal.getsignal(signal.SIGTERM)
    hook = sys.unraisablehook
    disabled = logging.root.manager.disable
    sys.argv = ["nbb-opt", *map(str, words)]
    os.chdir(cwd or before)
    code: int | str | None = 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as end:
        code = end.code
    finally:
        sys.argv, sys.unraisablehook = arguments, hook
        os.chdir(before)
        signal.signal(signal.SIGTERM, term)
        logging.disable(disabled)
    done = Done(code if isinstance(code, int) else 0 if code is None else 1, out.getvalue(), err.getvalue())
    assert done.returncode != 70, f"a fault of ours: {done.stderr}"
    assert check is None or done.returncode == check, done.stdout + done.stderr
    return done
