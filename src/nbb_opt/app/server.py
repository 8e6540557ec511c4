"""The web server: who may talk to it, addresses, what they answer. Binds to this machine only."""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nbb_opt.app.answers import download
from nbb_opt.app.fleet_pages import serve_fleet
from nbb_opt.app.jobs import Jobs
from nbb_opt.app.languages import catalogue, translator
from nbb_opt.app.pages import language_of, render
from nbb_opt.app.region_pages import serve_region
from nbb_opt.app.service import XLSX, Service
from nbb_opt.app.store import NotFound, Refused, SavedMeanwhile, Store
from nbb_opt.arguments import checked
from nbb_opt.errors import InstanceError, NbbError
from nbb_opt.options import DEFAULT_TIME_LIMIT_S, SolveOptions

MOST_BODY_BYTES = 30 * 2**20
SAFE_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
OWN_SITE = {"none", "same-origin"}  # what browsers say of an address that was typed, and of our own page
NO_TOKEN = (
    "This address belongs to an earlier start of nbb-opt app, or was not opened by it. "
    "Open the address that the app shows where it was started."
)


@dataclass(frozen=True)
class Session:
    """The port of the app and the secret of this start."""

    port: int
    token: str

    @property
    def hosts(self) -> tuple[str, str]:
        """Values of the header Host that are ours; any other came over a foreign name (DNS rebinding)."""
        return f"127.0.0.1:{self.port}", f"localhost:{self.port}"

    @property
    def cookie(self) -> str:
        """Name of the cookie; browsers share cookies between ports."""
        return f"nbb_opt_{self.port}"

    @property
    def address(self) -> str:
        """What to open: the token is in the address once and in a cookie from then on."""
        return f"http://{self.hosts[0]}/?token={self.token}"


def new_token() -> str:
    """A secret that cannot be guessed."""
    return secrets.token_urlsafe(32)


class Guard:
    """Stands before the app: refuses foreign hosts and origins, requests without the token, and large bodies."""

    def __init__(self, app: ASGIApp, session: Session, most_bytes: int = MOST_BODY_BYTES) -> None:
        self.app, self.session, self.most_bytes = app, session, most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            raise RuntimeError("only http is served")
        headers = _headers(scope)
        refused = self._refusal(scope, headers)
        if refused is not None:
            await _answer(send, *refused)
        elif scope["path"] == "/" and "token" in parse_qs(scope["query_string"].decode("latin-1")):
            cookie = f"{self.session.cookie}={self.session.token}; Path=/; HttpOnly; SameSite=Strict"
            await _answer(send, 303, "", {"location": "/", "set-cookie": cookie})
        else:
            await self._pass_on(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Mapping[str, list[str]]) -> tuple[int, str] | None:
        if len(headers.get("host", [])) != 1 or headers["host"][0] not in self.session.hosts:
            return 400, "The app answers under its own address only."
        own = {f"http://{host}" for host in self.session.hosts}
        if set(headers.get("origin", [])) - own or set(headers.get("sec-fetch-site", [])) - OWN_SITE:
            return 403, "Another web page asked for this; the app answers its own page only."
        length = headers.get("content-length", ["0"])[0]
        if not (length.isascii() and length.isdigit()):
            return 400, "The length of the request is no number."
        if len(length) > 15 or int(length) > self.most_bytes:
            return 413, self._too_large()
        if not self._has_token(scope, headers):
            return 403, NO_TOKEN
        return None

    def _has_token(self, scope: Scope, headers: Mapping[str, list[str]]) -> bool:
        given = list(headers.get("x-nbb-token", []))
        if scope["path"] == "/" and scope["method"] == "GET":
            given += parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        for line in headers.get("cookie", []):
            jar: SimpleCookie = SimpleCookie()
            try:
                jar.load(line)
            except CookieError:
                continue
            given += [morsel.value for name, morsel in jar.items() if name == self.session.cookie]
        return any(secrets.compare_digest(value.encode(), self.session.token.encode()) for value in given)

    def _too_large(self) -> str:
        return f"A file may have at most {self.most_bytes // 2**20} MB here."

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Counts the body while it arrives: a length that was not announced, or not truly, does not help."""
        seen, answered = 0, False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            return {"type": "http.disconnect"} if seen > self.most_bytes else message

        async def guarded(message: Message) -> None:
            nonlocal answered
            if seen > self.most_bytes and not answered:
                return
            if message["type"] == "http.response.start":
                answered = True
                given = {name.lower() for name, _ in message["headers"]}
                more = [(k.encode(), v.encode()) for k, v in SAFE_HEADERS.items() if k.encode() not in given]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        try:
            await self.app(scope, counted, guarded)
        except Exception:
            if seen <= self.most_bytes:
                raise
        if seen > self.most_bytes and not answered:
            await _answer(send, 413, self._too_large())


def _headers(scope: Scope) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


async def _answer(send: Send, status: int, words: str, headers: Mapping[str, str] | None = None) -> None:
    body = json.dumps({"detail": words}).encode() if words else b""
    kind = {"content-type": "application/json", "content-length": str(len(body))}
    if status == 413:
        kind["connection"] = "close"
    sent = [(k.encode(), v.encode()) for k, v in {**SAFE_HEADERS, **kind, **(headers or {})}.items()]
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": body})


TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
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
    time_limit_s: float = Field(DEFAULT_TIME_LIMIT_S, ge=1.0, le=24 * 3600.0)
    gap: float | None = Field(None, ge=0.0, le=1.0)


class CancelRequest(BaseModel):
    at_once: bool = False


Name = Annotated[str, "an id; the store refuses what is no plain one"]


def make_app(service: Service, session: Session, *, most_bytes: int = MOST_BODY_BYTES) -> Guard:
    """The app behind its guard."""
    api = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    _handle_errors(api)
    _serve_files(api)
    _serve_cases(api, service)
    _serve_plans(api, service)
    _serve_jobs(api, service)
    serve_region(api, service.region)
    serve_fleet(api, service)
    return Guard(api, session, most_bytes)


@checked
def serve(work: Path, cache: Path, source: Path | None, port: int, ready: Callable[[str, Path], None]) -> None:
    """Serve until interrupted. `ready` is told the address to open and the work folder.

    Port 0 is any that is free. Raises Refused if the port or the work folder is in use, InstanceError for `source`.

    >>> import contextlib, tempfile
    >>> def ready(address: str, folder: Path) -> None:
    ...     print(address.startswith("http://127.0.0.1:"))
    ...     raise KeyboardInterrupt
    >>> with tempfile.TemporaryDirectory() as folder, contextlib.suppress(KeyboardInterrupt):
    ...     serve(Path(folder, "plans"), Path(folder, "cache"), None, 0, ready)
    True
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
        session = Session(listener.getsockname()[1], new_token())
        store = Store(work)
        try:
            service = Service(store, Jobs(store.folder), cache, source)
            try:
                config = uvicorn.Config(
                    make_app(service, session), log_level="warning", access_log=False, server_header=False,
                    lifespan="off", timeout_graceful_shutdown=3,
                )  # fmt: skip
                ready(session.address, store.folder)
                uvicorn.Server(config).run(sockets=[listener])
            finally:
                service.jobs.close()
        finally:
            store.close()


def _handle_errors(api: FastAPI) -> None:
    @api.exception_handler(NbbError)
    def handle_error(request: Request, error: NbbError) -> Response:
        if isinstance(error, InstanceError):
            found = [str(problem) for problem in error.problems]
            words = f"{len(found)} problem{'s' if len(found) != 1 else ''} found. Nothing was taken over."
            return JSONResponse({"detail": words, "problems": found[:SHOWN_PROBLEMS], "count": len(found)}, 422)
        if isinstance(error, SavedMeanwhile):
            return JSONResponse({"detail": str(error), "conflict": True, "version": error.current.version}, 409)
        status = 404 if isinstance(error, NotFound) else 409 if isinstance(error, Refused) else 400
        if request.url.path.startswith("/fleet/"):
            return render("wrong.html.j2", request, status=status, view="wrong", message=str(error))
        return JSONResponse({"detail": str(error)}, status)

    @api.exception_handler(RequestValidationError)
    def handle_bad_shape(_request: Request, error: RequestValidationError) -> JSONResponse:
        places = "; ".join(f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in error.errors()[:5])
        return JSONResponse({"detail": f"The request is not understood ({places})."}, 422)


def _serve_files(api: FastAPI) -> None:
    folder = files("nbb_opt.app") / "static"
    held = {each.name: each.read_bytes() for each in folder.iterdir() if Path(each.name).suffix in TYPES}

    @api.get("/")
    def page(request: Request) -> Response:
        return render("index.html.j2", request)

    @api.get("/static/texts.js")
    def texts(request: Request) -> Response:
        phrases = json.dumps(catalogue(language_of(request)), ensure_ascii=False)
        return Response(f"export default {phrases};\n".encode(), media_type=TYPES[".js"])

    @api.get("/static/{name}")
    def static(name: str) -> Response:
        if name not in held:
            raise NotFound("There is no such file.")
        return Response(held[name], media_type=TYPES[Path(name).suffix])


def _serve_cases(api: FastAPI, service: Service) -> None:
    @api.get("/api/start")
    def start() -> dict[str, Any]:
        return service.start()

    @api.post("/api/open")
    def open_shipped(wanted: OpenRequest) -> dict[str, str]:
        case = service.open_shipped(wanted.shipped)
        return {"case": case, "home": service.home(case)}

    @api.post("/api/upload")
    async def upload(request: Request, name: str) -> dict[str, str]:
        content = await request.body()
        return {"case": await _in_thread(lambda: service.upload_instance(content, name))}

    @api.get("/api/cases/{case}")
    def case_of(case: Name) -> dict[str, Any]:
        return service.case(case)

    @api.get("/api/cases/{case}/compare")
    def compare(case: Name) -> dict[str, Any]:
        return service.compare(case)

    @api.get("/api/cases/{case}/instance.xlsx")
    def workbook(case: Name) -> Response:
        return download(service.workbook(case), XLSX, "instance.xlsx")


def _serve_plans(api: FastAPI, service: Service) -> None:
    @api.post("/api/cases/{case}/plans")
    def new_plan(case: Name, wanted: NewPlan) -> dict[str, Any]:
        stored = service.new_plan(case, wanted.name, wanted.source, wanted.rows)
        return {"plan": stored.id, "name": stored.name}

    @api.post("/api/cases/{case}/upload")
    async def upload_plan(case: Name, request: Request, name: str) -> dict[str, Any]:
        content = await request.body()
        stored = await _in_thread(lambda: service.upload_plan(case, content, name))
        return {"plan": stored.id, "name": stored.name}

    @api.get("/api/cases/{case}/plans/{plan}")
    def plan_of(case: Name, plan: Name) -> dict[str, Any]:
        return service.plan(case, plan)

    @api.put("/api/cases/{case}/plans/{plan}")
    def save(case: Name, plan: Name, given: SavedPlan) -> dict[str, Any]:
        return service.save(case, plan, given.version, given.rows, given.name)

    @api.delete("/api/cases/{case}/plans/{plan}")
    def delete(case: Name, plan: Name) -> dict[str, bool]:
        service.delete(case, plan)
        return {"deleted": True}

    @api.get("/api/cases/{case}/plans/{plan}/pictures")
    def pictures(case: Name, plan: Name, request: Request) -> dict[str, Any]:
        return service.pictures(case, plan, translator(language_of(request)))

    @api.get("/api/cases/{case}/plans/{plan}/files/{name}")
    def file(case: Name, plan: Name, name: str, view: bool = False) -> Response:
        content, kind = service.file(case, plan, name)
        return download(content, kind, name, view=view)


def _serve_jobs(api: FastAPI, service: Service) -> None:
    @api.post("/api/cases/{case}/plans/{plan}/job")
    def start_job(case: Name, plan: Name, wanted: JobRequest) -> dict[str, Any]:
        options = SolveOptions(gap=wanted.gap, time_limit_s=wanted.time_limit_s)
        return service.start_job(case, plan, wanted.kind, options)

    @api.get("/api/job")
    def job() -> dict[str, Any]:
        return service.job()

    @api.post("/api/job/cancel")
    def cancel(wanted: CancelRequest) -> dict[str, Any]:
        service.jobs.cancel(at_once=wanted.at_once)
        return service.job()


async def _in_thread(work: Callable[[], Any]) -> Any:
    from starlette.concurrency import run_in_threadpool

    return await run_in_threadpool(work)
