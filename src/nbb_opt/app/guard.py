"""Who may talk to the app: this machine, through the address that was opened at this start, a little at a time."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
class Door:
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

    def __init__(self, app: ASGIApp, door: Door, most_bytes: int = MOST_BODY_BYTES) -> None:
        self.app, self.door, self.most_bytes = app, door, most_bytes

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
            cookie = f"{self.door.cookie}={self.door.token}; Path=/; HttpOnly; SameSite=Strict"
            await _answer(send, 303, "", {"location": "/", "set-cookie": cookie})
        else:
            await self._pass_on(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Mapping[str, list[str]]) -> tuple[int, str] | None:
        if len(headers.get("host", [])) != 1 or headers["host"][0] not in self.door.hosts:
            return 400, "The app answers under its own address only."
        own = {f"http://{host}" for host in self.door.hosts}
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
            given += [morsel.value for name, morsel in jar.items() if name == self.door.cookie]
        return any(secrets.compare_digest(value.encode(), self.door.token.encode()) for value in given)

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
