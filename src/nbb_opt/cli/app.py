"""The command that opens the local web app. Registered by the command line."""

from __future__ import annotations

import contextlib
import importlib.util
import os
from pathlib import Path
from typing import Annotated

import typer

from nbb_opt.errors import NbbError
from nbb_opt.shipped import cache_folder

NEEDED = ("fastapi", "uvicorn")


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("app", epilog="Example: nbb-opt app instances/nbb; nbb-opt app mine.xlsx --work plans")(serve_app)


def serve_app(
    instance: Annotated[
        Path | None, typer.Argument(help="Instance to open: a folder, a .zip or a workbook.", metavar="INSTANCE")
    ] = None,
    work: Annotated[
        Path | None, typer.Option(help="Folder that keeps plans and results [default: in the user's data folder].")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine; 0: any that is free.")] = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = False,
) -> None:
    """Plan a region, or check fleet plans, in a browser on this machine; nothing leaves it. Ctrl-C ends it."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise NbbError(f"the app needs {' and '.join(missing)}: pip install 'nbb-opt[app]'")
    from nbb_opt.app.server import serve
    from nbb_opt.app.service import user_work_folder
    from nbb_opt.problems.dispatch import problem_of

    if instance is not None:
        problem_of(instance, "app")
    folder = work or user_work_folder(os.environ.get("XDG_DATA_HOME"), Path.home())

    def ready(address: str, kept: Path) -> None:
        print(f"Open {address}\nPlans are kept in {kept}. Ctrl-C here ends the app.", flush=True)
        if not no_browser:
            import webbrowser

            webbrowser.open(address)

    with contextlib.suppress(KeyboardInterrupt):
        serve(folder, cache_folder(), instance, port, ready)
    print("The app has ended; plans are kept.")
