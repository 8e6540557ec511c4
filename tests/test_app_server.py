"""The web app's door: who is refused, what a request may be, what an answer forbids."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra [app] is not installed")

from app_case import STATIC, TEMPLATES, TOKEN, Served, client, served, tiny_case, tiny_workbook
from nbb_opt.app.languages import catalogue
from nbb_opt.app.server import MOST_BODY_BYTES, SAFE_HEADERS

pytestmark = pytest.mark.promise(18)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Any]:
    with client(tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def socketed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("work")) as found:
        yield found


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return tiny_workbook(tmp_path_factory.mktemp("book")).read_bytes()


def small(tmp_path: Path) -> Any:
    return client(tmp_path, most_bytes=1000)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8765", "127.0.0.1", "127.0.0.1:1", "localhost", "localhost:80", "[::1]:8765",
     "127.0.0.1:8765.evil.example", "127.1:8765", ""],
)  # fmt: skip
def test_a_foreign_host_is_refused_even_with_the_token(app: Any, host: str) -> None:
    for path in ("/", "/api/start", "/static/main.js", f"/?token={TOKEN}"):
        assert app.get(path, headers={"host": host}).status_code == 400


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "https://127.0.0.1:8765", "http://127.0.0.1:8766", "http://127.0.0.1", "null", "file://",
     "http://localhost:8765.evil.example"],
)  # fmt: skip
def test_a_foreign_origin_is_refused_even_with_the_token(app: Any, origin: str) -> None:
    assert app.get("/api/start", headers={"origin": origin}).status_code == 403
    assert app.post("/api/open", json={"shipped": "tiny"}, headers={"origin": origin}).status_code == 403
    assert app.service.store.cases() == []


def test_a_request_from_another_site_is_refused_and_the_own_page_is_not(app: Any) -> None:
    for site in ("cross-site", "same-site"):  # the latter is another port of this machine
        assert app.get("/api/start", headers={"sec-fetch-site": site}).status_code == 403
    own = {"origin": "http://localhost:8765", "host": "localhost:8765", "sec-fetch-site": "same-origin"}
    assert app.get("/api/start", headers=own).status_code == 200


@pytest.mark.parametrize("token", ["", "x", TOKEN[:-1], TOKEN + "x", "ü", TOKEN.upper()])
def test_without_the_right_token_nothing_is_answered(app: Any, token: str) -> None:
    headers = {"x-nbb-token": token.encode()} if token else {}
    asked = (
        "GET /; GET /api/start; GET /static/main.js; POST /api/open; POST /api/job/cancel; DELETE /api/cases/a/plans/b"
    )
    for method, path in (pair.split(" ") for pair in asked.split("; ")):
        bare = app.build_request(method, path, headers=headers)
        if not token:
            del bare.headers["x-nbb-token"]
        answer = app.send(bare)
        assert answer.status_code == 403
        assert "address" in answer.json()["detail"]


def test_the_opened_address_leaves_a_strict_cookie_that_scripts_cannot_read_and_no_token_in_the_address(
    app: Any,
) -> None:
    del app.headers["x-nbb-token"]
    answer = app.get(f"/?token={TOKEN}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(re.split("; ", answer.headers["set-cookie"]))
    assert "8765" in answer.headers["set-cookie"].partition("=")[0], "browsers share cookies between ports"
    assert app.get("/").status_code == 200
    assert app.get("/api/start?token=" + TOKEN, headers={"cookie": "a=b"}).status_code == 403


def test_every_answer_forbids_foreign_and_inline_scripts(app: Any) -> None:
    for path in ("/", "/static/main.js", "/api/start", "/nothing", "/api/cases/none"):
        answer = app.get(path)
        for name, value in SAFE_HEADERS.items():
            assert answer.headers[name] == value, path
    assert "unsafe" not in SAFE_HEADERS["content-security-policy"]


def test_pages_ask_nothing_of_other_machines_and_hold_no_inline_script() -> None:
    for file in STATIC.iterdir():
        text = file.read_text(encoding="utf-8")
        assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text), file.name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text), (
            file
        )
        assert len(text.splitlines()) <= 300, f"{file.name}: split it"
    for file in TEMPLATES.iterdir():
        assert not re.search(r"<script(?![^>]*src=)|\son[a-z]+=|style=", file.read_text(encoding="utf-8")), file.name


def test_every_phrase_of_pages_and_scripts_is_in_the_catalogue() -> None:
    for file in (*STATIC.glob("*.js"), *TEMPLATES.iterdir()):
        used = {words for _, words in re.findall(r"\b_\(\s*([\"'])((?:(?!\1).)+)\1", file.read_text(encoding="utf-8"))}
        assert used <= set(catalogue("en")), (file.name, used - set(catalogue("en")))


@pytest.mark.parametrize(
    "path",
    ["/static/../server.py", "/static/..%2fserver.py", "/static/%2e%2e/server.py", "/static/..%5cserver.py",
     "/static//etc/passwd", "/static/%2fetc%2fpasswd", "/static/main.js%00.txt", "/../../etc/passwd",
     "/api/cases/..", "/api/cases/%2e%2e", "/api/cases/..%2f..%2fetc", "/api/cases/a%00b", "/api/cases/A",
     "/api/cases/C:%5c", "/api/cases/con", "/api/cases/../../plans", "/api/cases/" + "a" * 300],
)  # fmt: skip
def test_paths_out_of_the_app_lead_nowhere(socketed: Served, path: str) -> None:
    head = f"Host: {socketed.session.hosts[0]}\r\nX-NBB-Token: {TOKEN}\r\nConnection: close\r\n\r\n"
    answer = raw(socketed.session.port, f"GET {path} HTTP/1.1\r\n{head}".encode())
    assert re.match(rb"HTTP/1.1 40[04] ", answer), answer[:200]
    assert b"import" not in answer
    assert b"root:" not in answer


@pytest.mark.parametrize("name", ["../../../etc/passwd", "..%2fplan.json", "plan.json", "run/run.json", "result.json"])
def test_only_files_with_a_fixed_name_can_be_downloaded(app: Any, name: str) -> None:
    case, plan = tiny_case(app)
    assert app.get(f"/api/cases/{case}/plans/{plan}/files/{name}").status_code in (404, 405)
    assert app.get(f"/api/cases/{case}/plans/..%2f..%2f/files/plan.csv").status_code == 404


@pytest.mark.parametrize(
    "name", ["../../evil.xlsx", "/etc/cron.d/evil.xlsx", "C:\\evil.xlsx", "a/b\\..\\evil.xlsx", "con.xlsx"]
)
def test_the_name_of_an_upload_never_becomes_a_path(app: Any, tmp_path: Path, book: bytes, name: str) -> None:
    answer = app.post("/api/upload", params={"name": name}, content=book)
    assert answer.status_code == 200
    held = [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.xlsx")]
    assert held == [f"cases/{answer.json()['case']}/upload.xlsx"]
    assert not list(tmp_path.parent.glob("evil*"))


def raw(port: int, request: bytes, more: Iterable[bytes] = ()) -> bytes:
    """The answer to a request as written, with as much of its body sent as the other side takes."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall(request)
        try:
            for piece in more:
                line.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
        found = b""
        try:
            while piece := line.recv(65536):
                found += piece
        except ConnectionResetError:
            pass
        return found


def test_bodies_over_30_mb_are_refused_with_and_without_an_announced_length(socketed: Served) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(31):
            yield b"100000\r\n" + bytes(2**20) + b"\r\n"
        yield b"0\r\n\r\n"

    head = (
        f"POST /api/upload?name=a.xlsx HTTP/1.1\r\nHost: {socketed.session.hosts[0]}\r\nX-NBB-Token: {TOKEN}\r\n"
        "Connection: close\r\n"
    )
    announced = raw(socketed.session.port, f"{head}Content-Length: {MOST_BODY_BYTES + 1}\r\n\r\n".encode())
    assert announced.startswith(b"HTTP/1.1 413 ")
    chunked = raw(socketed.session.port, f"{head}Transfer-Encoding: chunked\r\n\r\n".encode(), pieces())
    assert chunked.startswith(b"HTTP/1.1 413 "), chunked[:300]
    assert b"at most 30 MB" in chunked
    assert [path.name for path in socketed.work.rglob("*") if path.is_file()] == [".lock"]


def test_a_body_over_the_limit_is_refused_on_every_address(tmp_path: Path) -> None:
    with small(tmp_path) as app:
        long = {"shipped": "t" * 2000}
        for path in ("/api/open", "/api/upload?name=a.xlsx", "/api/cases/a/plans", "/api/job/cancel", "/nothing"):
            assert app.post(path, json=long).status_code == 413
        answer = app.post("/api/open", content=(piece for piece in [b'{"shipped": "', b"t" * 2000, b'"}']))
        assert answer.status_code == 413
        assert app.post("/api/open", json={"shipped": "tiny"}).status_code == 200


def test_the_app_listens_on_this_machine_only(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "nbb_opt", "app", "--no-browser", "--work", str(tmp_path / "work")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        port = int(re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?token=[\w-]{40,}", address).group(1))  # type: ignore[union-attr]
        try:
            listening = [
                line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if " 0A " in line
            ]
            assert f"0100007F:{port:04X}" in listening
            assert f"00000000:{port:04X}" not in listening
            again = subprocess.run(command, capture_output=True, text=True, timeout=60)
            assert again.returncode == 1
            assert "another nbb-opt app works in this folder" in again.stderr
        finally:
            process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=30)
    assert "Traceback" not in errors, errors
    assert "plans are kept" in out
