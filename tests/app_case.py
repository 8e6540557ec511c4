"""The web app for tests: over a real socket in a thread, or called directly, with a work folder of its own."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from fastapi.testclient import TestClient

from nbb_opt.app import worker
from nbb_opt.app.jobs import Jobs
from nbb_opt.app.server import MOST_BODY_BYTES, Session, make_app
from nbb_opt.app.service import Service
from nbb_opt.app.store import Store
from nbb_opt.instance import new_instance

HAULIER = Path(__file__).parents[1] / "instances" / "haulier"
TINY = HAULIER.parent / "tiny"
STATIC = Path(__file__).parents[1] / "src" / "nbb_opt" / "app" / "static"
TEMPLATES = STATIC.with_name("templates")
TOKEN = "a-token-of-the-tests-0123456789"
PLAN = ("what", "place", "type", "year", "number", "note")
WEST_TO_EAST = (
    ("truck", "W", "DIESEL", "2025", "20", "as today"),
    ("truck", "W", "BATTERY", "2025", "0", ""),
    ("truck", "E", "DIESEL", "2025", "20", ""),
    ("truck", "W", "DIESEL", "2030", "20", ""),
    ("truck", "E", "DIESEL", "2030", "20", ""),
)


@dataclass
class Served:
    """A running app: its session, its service and its work folder."""

    session: Session
    service: Service
    work: Path

    @property
    def address(self) -> str:
        return self.session.address


@contextmanager
def service(work: Path, *, first: Path | None = None, target: Callable[..., None] = worker.run) -> Iterator[Service]:
    store = Store(work)
    made = Service(store, Jobs(store.folder, target), work / "cache", first)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def served(work: Path, *, first: Path | None = None, port: int = 0) -> Iterator[Served]:
    """The app behind a real socket, as the command serves it."""
    with service(work, first=first) as made, socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        session = Session(listener.getsockname()[1], TOKEN)
        config = uvicorn.Config(
            make_app(made, session), log_level="warning", lifespan="off", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: server.run(sockets=[listener]), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield Served(session, made, work)
        finally:
            server.should_exit = True
            thread.join(10)


@contextmanager
def client(work: Path, *, target: Callable[..., None] = worker.run, most_bytes: int = MOST_BODY_BYTES) -> Iterator[Any]:
    """A client that has the token; its `service` is the app's."""
    with service(work, target=target) as made:
        session = Session(8765, TOKEN)
        found = TestClient(
            make_app(made, session, most_bytes=most_bytes), base_url="http://127.0.0.1:8765",
            headers={"x-nbb-token": TOKEN}, follow_redirects=False,
        )  # fmt: skip
        found.service = made  # type: ignore[attr-defined]
        yield found


def tiny_case(app: Any) -> tuple[str, str]:
    """The case of tiny, and a plan in it."""
    case = app.post("/api/open", json={"shipped": "tiny"}).json()["case"]
    app.get(f"/api/cases/{case}")
    plan = app.post(f"/api/cases/{case}/plans", json={"name": "Mine", "rows": [list(r) for r in WEST_TO_EAST]}).json()
    return case, plan["plan"]


def finished(app: Any, seconds: float = 120.0) -> dict[str, Any]:
    """The job once it has ended."""
    until = time.monotonic() + seconds
    while (job := app.get("/api/job").json()["job"])["state"] == "running":
        assert time.monotonic() < until, job
        time.sleep(0.1)
    return job


def tiny_workbook(folder: Path) -> Path:
    """Tiny as a workbook."""
    return new_instance(folder / "tiny.xlsx", source="tiny")
