"""The web server: addresses, what they answer, and how errors are told. Binds to this machine only."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from nbb_opt.app.guard import MOST_BODY_BYTES, Door, Guard, new_token
from nbb_opt.app.jobs import Jobs
from nbb_opt.app.store import Conflict, NotThere, Refused, Store
from nbb_opt.app.work import XLSX, Desk
from nbb_opt.errors import InstanceError, NbbError

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
REPORT_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
SHOWN_PROBLEMS = 200


class OpenRequest(BaseModel):
    shipped: str = Field(max_length=60)


class NewPlan(BaseModel):
    name: str = Field(max_length=200)
    source: str = Field("today", max_length=60)
    rows: list[list[str]] | None = None


class SavedPlan(BaseModel):
    version: int
    rows: list[list[str]] | None = None
    name: str | None = Field(None, max_length=200)


class JobRequest(BaseModel):
    kind: str = Field(max_length=10)
    time_limit_s: float = Field(60.0, ge=1.0, le=24 * 3600.0)
    gap: float = Field(1e-3, ge=0.0, le=1.0)


class CancelRequest(BaseModel):
    at_once: bool = False


Name = Annotated[str, "an id; the store refuses what is no plain one"]


def make_app(desk: Desk, door: Door, *, most_bytes: int = MOST_BODY_BYTES) -> Guard:
    """The app behind its guard."""
    api = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    _tell_errors(api)
    _serve_files(api)
    _serve_cases(api, desk)
    _serve_plans(api, desk)
    _serve_jobs(api, desk)
    return Guard(api, door, most_bytes)


def serve(work: Path, cache: Path, source: Path | None, port: int, ready: Callable[[str, Path], None]) -> None:
    """Serve until interrupted. `ready` is told the address to open and the work folder.

    Port 0 is any that is free. Raises Refused if the port or the work folder is in use, InstanceError for `source`.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen(128)
        except OSError as error:
            raise Refused(
                f"port {port} is in use ({error.strerror}); give another, or none for any free one"
            ) from error
        door = Door(listener.getsockname()[1], new_token())
        store = Store(work)
        try:
            desk = Desk(store, Jobs(store.folder), cache, source)
            try:
                config = uvicorn.Config(
                    make_app(desk, door), log_level="warning", access_log=False, server_header=False, lifespan="off",
                    timeout_graceful_shutdown=3,
                )  # fmt: skip
                ready(door.address, store.folder)
                uvicorn.Server(config).run(sockets=[listener])
            finally:
                desk.jobs.close()
        finally:
            store.close()


def _tell_errors(api: FastAPI) -> None:
    @api.exception_handler(NbbError)
    def tell(_request: Request, error: NbbError) -> JSONResponse:
        if isinstance(error, InstanceError):
            found = [str(problem) for problem in error.problems]
            words = f"{len(found)} problem{'s' if len(found) != 1 else ''} found. Nothing was taken over."
            return JSONResponse({"detail": words, "problems": found[:SHOWN_PROBLEMS], "count": len(found)}, 422)
        if isinstance(error, Conflict):
            return JSONResponse({"detail": str(error), "conflict": True, "version": error.current.version}, 409)
        status = 404 if isinstance(error, NotThere) else 409 if isinstance(error, Refused) else 400
        return JSONResponse({"detail": str(error)}, status)

    @api.exception_handler(RequestValidationError)
    def tell_shape(_request: Request, error: RequestValidationError) -> JSONResponse:
        places = "; ".join(f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in error.errors()[:5])
        return JSONResponse({"detail": f"The request is not understood ({places})."}, 422)


def _serve_files(api: FastAPI) -> None:
    folder = files("nbb_opt.app") / "static"
    held = {each.name: each.read_bytes() for each in folder.iterdir() if Path(each.name).suffix in TYPES}

    @api.get("/")
    def page() -> Response:
        return Response(held["index.html"], media_type=TYPES[".html"])

    @api.get("/static/{name}")
    def static(name: str) -> Response:
        if name not in held:
            raise NotThere("There is no such file.")
        return Response(held[name], media_type=TYPES[Path(name).suffix])


def _serve_cases(api: FastAPI, desk: Desk) -> None:
    @api.get("/api/start")
    def start() -> dict[str, Any]:
        return desk.start()

    @api.post("/api/open")
    def open_shipped(wanted: OpenRequest) -> dict[str, str]:
        return {"case": desk.open_shipped(wanted.shipped)}

    @api.post("/api/upload")
    async def upload(request: Request, name: str) -> dict[str, str]:
        content = await request.body()
        return {"case": await _in_thread(lambda: desk.upload_instance(content, name))}

    @api.get("/api/cases/{case}")
    def case_of(case: Name) -> dict[str, Any]:
        return desk.case(case)

    @api.get("/api/cases/{case}/compare")
    def compare(case: Name) -> dict[str, Any]:
        return desk.compare(case)

    @api.get("/api/cases/{case}/instance.xlsx")
    def workbook(case: Name) -> Response:
        return _download(desk.workbook(case), XLSX, "instance.xlsx")


def _serve_plans(api: FastAPI, desk: Desk) -> None:
    @api.post("/api/cases/{case}/plans")
    def new_plan(case: Name, wanted: NewPlan) -> dict[str, Any]:
        stored = desk.new_plan(case, wanted.name, wanted.source, wanted.rows)
        return {"plan": stored.id, "name": stored.name}

    @api.post("/api/cases/{case}/upload")
    async def upload_plan(case: Name, request: Request, name: str) -> dict[str, Any]:
        content = await request.body()
        stored = await _in_thread(lambda: desk.upload_plan(case, content, name))
        return {"plan": stored.id, "name": stored.name}

    @api.get("/api/cases/{case}/plans/{plan}")
    def plan_of(case: Name, plan: Name) -> dict[str, Any]:
        return desk.plan(case, plan)

    @api.put("/api/cases/{case}/plans/{plan}")
    def save(case: Name, plan: Name, given: SavedPlan) -> dict[str, Any]:
        return desk.save(case, plan, given.version, given.rows, given.name)

    @api.delete("/api/cases/{case}/plans/{plan}")
    def delete(case: Name, plan: Name) -> dict[str, bool]:
        desk.delete(case, plan)
        return {"deleted": True}

    @api.get("/api/cases/{case}/plans/{plan}/pictures")
    def pictures(case: Name, plan: Name) -> dict[str, Any]:
        return desk.pictures(case, plan)

    @api.get("/api/cases/{case}/plans/{plan}/files/{name}")
    def file(case: Name, plan: Name, name: str, view: bool = False) -> Response:
        content, kind = desk.file(case, plan, name)
        if view and name.endswith(".html"):
            return Response(content, media_type=kind, headers={"content-security-policy": REPORT_POLICY})
        return _download(content, kind, name)


def _serve_jobs(api: FastAPI, desk: Desk) -> None:
    @api.post("/api/cases/{case}/plans/{plan}/job")
    def start_job(case: Name, plan: Name, wanted: JobRequest) -> dict[str, Any]:
        return desk.start_job(case, plan, wanted.kind, wanted.time_limit_s, wanted.gap)

    @api.get("/api/job")
    def job() -> dict[str, Any]:
        return desk.job()

    @api.post("/api/job/cancel")
    def cancel(wanted: CancelRequest) -> dict[str, Any]:
        desk.jobs.cancel(at_once=wanted.at_once)
        return desk.job()


def _download(content: bytes, kind: str, name: str) -> Response:
    safe = re.sub(r"[^a-z0-9.]", "-", name)
    headers = {"content-disposition": f'attachment; filename="{safe}"', "content-security-policy": REPORT_POLICY}
    return Response(content, media_type=kind, headers=headers)


async def _in_thread(work: Callable[[], Any]) -> Any:
    from starlette.concurrency import run_in_threadpool

    return await run_in_threadpool(work)
