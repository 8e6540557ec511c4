"""The web app's door and its answers: who is refused, what is kept, what a calculation leaves behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra [app] is not installed")

from app_case import PLAN, TOKEN, Served, client, finished, served, tiny_case, tiny_workbook
from nbb_opt.app.guard import MOST_BODY_BYTES, SAFE_HEADERS
from nbb_opt.app.store import Refused, Store
from nbb_opt.app.work import rows_digest
from nbb_opt.instance import read_instance
from nbb_opt.result import read_run
from nbb_opt.studies.audit.faults import Judged, judge
from nbb_opt.studies.audit.plan import read_plan
from nbb_opt.studies.audit.question import Question, ask

HAULIER = Path(__file__).parents[1] / "instances" / "haulier"
TINY = HAULIER.parent / "tiny"
STATIC = Path(__file__).parents[1] / "src" / "nbb_opt" / "app" / "static"


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


# --- who may talk to the app


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
    assert app.desk.store.cases() == []


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
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*src=)|\son[a-z]+=|style=", page)


@pytest.mark.parametrize(
    "path",
    ["/static/../server.py", "/static/..%2fserver.py", "/static/%2e%2e/server.py", "/static/..%5cserver.py",
     "/static//etc/passwd", "/static/%2fetc%2fpasswd", "/static/main.js%00.txt", "/../../etc/passwd",
     "/api/cases/..", "/api/cases/%2e%2e", "/api/cases/..%2f..%2fetc", "/api/cases/a%00b", "/api/cases/A",
     "/api/cases/C:%5c", "/api/cases/con", "/api/cases/../../plans", "/api/cases/" + "a" * 300],
)  # fmt: skip
def test_paths_out_of_the_app_lead_nowhere(socketed: Served, path: str) -> None:
    head = f"Host: {socketed.door.hosts[0]}\r\nX-NBB-Token: {TOKEN}\r\nConnection: close\r\n\r\n"
    answer = raw(socketed.door.port, f"GET {path} HTTP/1.1\r\n{head}".encode())
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
        f"POST /api/upload?name=a.xlsx HTTP/1.1\r\nHost: {socketed.door.hosts[0]}\r\nX-NBB-Token: {TOKEN}\r\n"
        "Connection: close\r\n"
    )
    announced = raw(socketed.door.port, f"{head}Content-Length: {MOST_BODY_BYTES + 1}\r\n\r\n".encode())
    assert announced.startswith(b"HTTP/1.1 413 ")
    chunked = raw(socketed.door.port, f"{head}Transfer-Encoding: chunked\r\n\r\n".encode(), pieces())
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


# --- cases and plans


def test_a_hostile_workbook_is_refused_with_its_cells_and_leaves_nothing(app: Any, tmp_path: Path) -> None:
    import zipfile

    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", bytes(200 * 2**20))
    for content in (b"", b"PK rubbish", bomb.read_bytes()):
        answer = app.post("/api/upload", params={"name": "mine.xlsx"}, content=content)
        assert answer.status_code == 422
        assert answer.json()["problems"]
    large = app.post("/api/upload", params={"name": "mine.xlsx"}, content=bytes(29 * 2**20))
    assert large.status_code == 422, "what is not over the limit is read"
    assert app.post("/api/upload", params={"name": "mine.xls"}, content=b"").status_code == 409
    assert app.desk.store.cases() == []
    assert [path.name for path in (tmp_path / "cases").iterdir()] == []


def test_a_workbook_with_a_bad_cell_is_refused_naming_sheet_and_cell(app: Any, tmp_path: Path) -> None:
    from workbook_drafts import draft_of_tiny

    draft = draft_of_tiny()
    draft.sheets["fleet"][2][3] = "4,5"
    answer = app.post("/api/upload", params={"name": "x.xlsx"}, content=draft.save(tmp_path / "x.xlsx").read_bytes())
    assert answer.status_code == 422
    assert any("fleet!D3" in problem for problem in answer.json()["problems"])


def test_the_shipped_plan_of_the_haulier_is_there_to_begin_with(app: Any) -> None:
    case = app.post("/api/open", json={"shipped": "haulier"}).json()["case"]
    found = app.get(f"/api/cases/{case}").json()
    assert [plan["name"] for plan in found["plans"]] == ["Plan in plan.csv", "Today's fleet"]
    plan = app.get(f"/api/cases/{case}/plans/{found['plans'][0]['id']}").json()
    lines = (HAULIER / "plan.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert [",".join(row) for row in plan["rows"]] == lines
    assert plan["problems"] == []
    assert app.post("/api/open", json={"shipped": "haulier"}).json()["case"] == case, "opened twice is one case"
    assert app.post("/api/open", json={"shipped": "../haulier"}).status_code == 409


BAD_CELLS = [
    (4, "12,5", "decimal comma", "did you mean 12.5?"),
    (4, "-1", "is below 0", "did you mean 1?"),
    (4, "2.5", "is no whole number of trucks", "round it"),
    (4, "", "is blank", "give"),
    (4, "many", "is not a number", "digits"),
    (4, "1e99", "is above", "allowed are"),
    (2, "DISEL", "is no truck", "did you mean 'DIESEL'?"),
    (2, "TRAIN_E", "is no truck", "known"),
    (1, "Z", "is no place of a truck", ""),
    (3, "2026", "begins no period", "2025, 2030"),
    (3, "soon", "is not a whole number", ""),
    (0, "lorry", "is not one of the choices", "did you mean"),
]


@pytest.mark.parametrize(
    ("column", "text", "what", "hint"), BAD_CELLS, ids=[f"{PLAN[c]} {t!r}" for c, t, *_ in BAD_CELLS]
)
def test_a_bad_value_is_named_at_its_cell_with_a_fix_and_is_kept(
    app: Any, column: int, text: str, what: str, hint: str
) -> None:
    case, plan = tiny_case(app)
    rows = app.get(f"/api/cases/{case}/plans/{plan}").json()["rows"]
    rows[3][column] = text
    saved = app.put(f"/api/cases/{case}/plans/{plan}", json={"version": 1, "rows": rows}).json()
    assert [(found["row"], found["columns"]) for found in saved["problems"]] == [(3, [PLAN[column]])]
    assert what in saved["problems"][0]["what"]
    assert hint in saved["problems"][0]["hint"]
    assert app.get(f"/api/cases/{case}/plans/{plan}").json()["rows"][3][column] == text
    refused = app.post(f"/api/cases/{case}/plans/{plan}/job", json={"kind": "check"})
    assert refused.status_code == 409
    assert "Put 1 cell right first" in refused.json()["detail"]


def test_all_bad_cells_are_named_at_once_blank_rows_count_and_twice_the_same_is_told(app: Any) -> None:
    case, plan = tiny_case(app)
    rows = [["truck", "W", "DIESEL", "2025", "1,5", ""], [""] * 6, ["truck", "X", "NO", "1999", "-1", ""],
            ["truck", "E", "DIESEL", "2025", "1", ""], ["truck", "E", "DIESEL", "2025", "2", ""],
            ["order", "WEST>EAST:NOTHING", "DIESEL", "2025", "50", ""]]  # fmt: skip
    found = app.put(f"/api/cases/{case}/plans/{plan}", json={"version": 1, "rows": rows}).json()["problems"]
    cells = {(each["row"], name) for each in found for name in each["columns"]}
    assert {(0, "number"), (2, "place"), (2, "type"), (2, "year"), (2, "number"), (5, "place"), (5, "number")} <= cells
    double = next(each for each in found if each["row"] == 4)
    assert double["columns"] == ["what", "place", "type", "year"]
    assert "row 4" in double["what"], "rows are counted as the grid counts them"


def test_two_windows_cannot_overwrite_one_another(app: Any) -> None:
    case, plan = tiny_case(app)
    path = f"/api/cases/{case}/plans/{plan}"
    rows = app.get(path).json()["rows"]
    first = [[*rows[0][:4], "21", ""], *rows[1:]]
    assert app.put(path, json={"version": 1, "rows": first}).json()["version"] == 2
    late = app.put(path, json={"version": 1, "rows": [[*rows[0][:4], "22", ""], *rows[1:]]})
    assert late.status_code == 409
    assert late.json()["conflict"] is True
    assert app.get(path).json()["rows"] == first


def test_many_saves_at_once_let_exactly_one_of_each_version_through(app: Any) -> None:
    case, plan = tiny_case(app)
    path, answers = f"/api/cases/{case}/plans/{plan}", []

    def save(number: int) -> None:
        rows = [["truck", "W", "DIESEL", "2025", str(number), ""]]
        answers.append(app.put(path, json={"version": 1, "rows": rows}).status_code)

    threads = [threading.Thread(target=save, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [409] * 7
    assert app.get(path).json()["version"] == 2


def test_what_was_typed_outlives_a_restart_and_deleted_plans_are_kept_aside(tmp_path: Path) -> None:
    with client(tmp_path) as app:
        case, plan = tiny_case(app)
        app.put(f"/api/cases/{case}/plans/{plan}", json={"version": 1, "rows": [["tru", "", "", "", "12,", "håll"]]})
        other = app.post(f"/api/cases/{case}/plans", json={"name": "Mine", "source": plan}).json()
        assert other["name"] == "Mine 2"
        assert app.delete(f"/api/cases/{case}/plans/{other['plan']}").status_code == 200
    with client(tmp_path) as app:
        names = [each["name"] for each in app.get(f"/api/cases/{case}").json()["plans"]]
        assert names == ["Today's fleet", "Mine"]
        assert app.get(f"/api/cases/{case}/plans/{plan}").json()["rows"] == [["tru", "", "", "", "12,", "håll"]]
    assert (tmp_path / "cases" / case / "deleted" / other["plan"] / "plan.json").is_file()


@pytest.mark.parametrize(
    "rows",
    [[["a"]], [["a"] * 7], "text", [[1, 2, 3, 4, 5, 6]], [[None] * 6], [["x" * 3000, "", "", "", "", ""]],
     [[""] * 6] * 6000],
)  # fmt: skip
def test_rows_of_another_shape_are_refused(app: Any, rows: object) -> None:
    case, plan = tiny_case(app)
    answer = app.put(f"/api/cases/{case}/plans/{plan}", json={"version": 1, "rows": rows})
    assert answer.status_code in (409, 422)
    assert answer.json()["detail"]
    assert app.get(f"/api/cases/{case}/plans/{plan}").json()["version"] == 1


def test_a_plan_goes_out_as_csv_or_workbook_and_comes_back_the_same(app: Any) -> None:
    case, plan = tiny_case(app)
    path = f"/api/cases/{case}/plans/{plan}"
    rows = app.get(path).json()["rows"]
    for name in ("plan.csv", "plan.xlsx"):
        file = app.get(f"{path}/files/{name}")
        assert file.headers["content-disposition"] == f'attachment; filename="{name}"'
        back = app.post(f"/api/cases/{case}/upload", params={"name": f"../{name}"}, content=file.content).json()
        assert app.get(f"/api/cases/{case}/plans/{back['plan']}").json()["rows"] == rows
        assert ".." not in back["name"]
    bad = app.post(f"/api/cases/{case}/upload", params={"name": "p.csv"}, content=b"what,place\ntruck,W\n")
    assert bad.status_code == 422
    assert bad.json()["problems"]


def test_the_input_goes_out_as_a_workbook_with_the_same_digest(app: Any, tmp_path: Path) -> None:
    case, _ = tiny_case(app)
    path = tmp_path / "back.xlsx"
    path.write_bytes(app.get(f"/api/cases/{case}/instance.xlsx").content)
    assert read_instance(path).digest == read_instance(TINY).digest


# --- calculations


@cache
def question() -> Question:
    return ask(read_instance(TINY))


def judged(app: Any, case: str, plan: str) -> Judged:
    """A plan of tiny as the audit judges it, from its file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "plan.csv")
        file.write_bytes(app.get(f"/api/cases/{case}/plans/{plan}/files/plan.csv").content)
        return judge(question(), read_plan(file, question().instance, question().prepared.bundles))


def test_check_and_solve_tell_what_the_audit_and_the_run_say(app: Any, tmp_path: Path) -> None:
    case, plan = tiny_case(app)
    base = f"/api/cases/{case}/plans"
    assert app.post(f"{base}/{plan}/job", json={"kind": "check", "gap": 1e-6}).status_code == 200
    assert finished(app)["state"] == "done"
    here = judged(app, case, plan)
    result = app.get(f"{base}/{plan}").json()["result"]
    assert result["cost_eur"] == pytest.approx(here.solution.objective)
    assert [(fault["where"], fault["text"]) for fault in result["faults"]] == [(f.where, f.text) for f in here.faults]
    assert {int(y): t for y, t in result["emissions_t"].items()} == pytest.approx(question().emissions_t(here.solution))
    assert result["trucks"]["2025"] == {"diesel": 40.0}

    app.post(f"{base}/{plan}/job", json={"kind": "solve", "gap": 1e-6})
    job = finished(app)
    best = app.get(f"{base}/{job['outcome']['plan']}").json()
    run = read_run(tmp_path / "cases" / case / "plans" / best["id"] / "run")
    assert best["result"]["cost_eur"] == run.record["cost_eur"]
    assert best["best"]["cost_eur"] == pytest.approx(run.record["cost_eur"], rel=1e-6)
    kept = run.tables["fleet"].groupby("year")["kept"].sum()
    assert {int(y): sum(t.values()) for y, t in best["result"]["trucks"].items()} == kept.to_dict()
    assert best["problems"] == []
    again = judged(app, case, best["id"])
    assert again.faults == []
    assert again.solution.objective == pytest.approx(run.record["cost_eur"], rel=1e-6), "as rows it is the best plan"
    compared = app.get(f"/api/cases/{case}/compare").json()
    assert [chart["title"] for chart in compared["charts"]] == ["Emissions by plan", "Trucks in 2030 by plan"]
    assert b"<html" in app.get(f"{base}/{best['id']}/files/report.html", params={"view": True}).content
    assert app.get(f"{base}/{plan}/files/report.html").status_code == 404


def test_repair_and_improve_leaves_a_page_and_a_plan_that_works(app: Any) -> None:
    case, plan = tiny_case(app)
    base = f"/api/cases/{case}/plans"
    none = [["truck", "W", "DIESEL", "2025", "1", ""]]
    app.put(f"{base}/{plan}", json={"version": 1, "rows": none})
    app.post(f"{base}/{plan}/job", json={"kind": "audit", "gap": 1e-3})
    job = finished(app)
    assert job["state"] == "done", job
    assert "It works after changing" in job["outcome"]["sentences"][0]
    page = app.get(f"{base}/{plan}/files/audit.html", params={"view": True})
    assert "sandbox" in page.headers["content-security-policy"]
    assert "The smallest repair" in page.text
    repaired = app.get(f"{base}/{job['outcome']['repaired']['plan']}").json()
    assert repaired["name"] == "Mine, repaired"
    assert repaired["problems"] == []
    assert judged(app, case, repaired["id"]).faults == []


def test_a_result_is_out_of_date_once_a_number_changes_and_not_for_a_remark(app: Any) -> None:
    case, plan = tiny_case(app)
    path = f"/api/cases/{case}/plans/{plan}"
    rows = app.get(path).json()["rows"]
    result = {"rows": rows_digest(app.desk.store.plan(case, plan)), "digest": read_instance(TINY).digest}
    result |= {
        "cost_eur": 1.0,
        "faults": [],
        "emissions_t": {},
        "trucks": {},
        "chargers": {},
        "made_s": 0.0,
        "verified": True,
    }
    (app.desk.store.plan_folder(case, plan) / "result.json").write_text(json.dumps(result))
    remark = [[*rows[0][:5], "seen"], *rows[1:]]
    assert app.put(path, json={"version": 1, "rows": remark}).json()["result"]["stale"] is False
    number = [[*rows[0][:4], "9", ""], *rows[1:]]
    assert app.put(path, json={"version": 2, "rows": number}).json()["result"]["stale"] is True
    assert app.put(path, json={"version": 3, "rows": rows}).json()["result"]["stale"] is False


def crash(connection: Any, order: dict[str, Any]) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def sleep(connection: Any, order: dict[str, Any]) -> None:
    connection.send_bytes(json.dumps({"phase": "x", "elapsed_s": 0.0, "incumbent": None, "bound": None}).encode())
    time.sleep(60)


def test_a_crash_is_told_in_words_and_leaves_the_plan_and_no_files(tmp_path: Path) -> None:
    with client(tmp_path, target=crash) as app:
        case, plan = tiny_case(app)
        app.post(f"/api/cases/{case}/plans/{plan}/job", json={"kind": "check"})
        job = finished(app)
        assert job["state"] == "failed"
        assert "ended unexpectedly" in job["message"]
        assert "SIGKILL" in job["message"]
        assert app.get(f"/api/cases/{case}/plans/{plan}").json()["result"] is None
        assert not list(tmp_path.glob(".job-*"))


def test_one_calculation_at_a_time_and_a_hard_stop_ends_it(tmp_path: Path) -> None:
    with client(tmp_path, target=sleep) as app:
        case, plan = tiny_case(app)
        path = f"/api/cases/{case}/plans/{plan}"
        app.post(f"{path}/job", json={"kind": "check"})
        busy = app.post(f"{path}/job", json={"kind": "solve"})
        assert busy.status_code == 409
        assert "Another calculation is running" in busy.json()["detail"]
        assert app.delete(path).status_code == 409
        app.post("/api/job/cancel", json={"at_once": True})
        job = finished(app, 20)
        assert (job["state"], job["cancelled"]) == ("failed", True)
        assert job["message"].startswith("Stopped.")
        assert app.post(f"{path}/job", json={"kind": "dance"}).status_code == 409


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"digest": 1', "null"])
def test_a_damaged_file_of_the_work_folder_is_named_and_not_used(app: Any, content: str) -> None:
    case, plan = tiny_case(app)
    folder = app.desk.store.plan_folder(case, plan)
    for file in (folder / "result.json", folder.parents[1] / "best.json", folder / "plan.json"):
        before = file.read_text() if file.is_file() else None
        file.write_text(content)
        answer = app.get(f"/api/cases/{case}")
        assert answer.status_code == 400
        assert file.name in answer.json()["detail"]
        assert "move it away" in answer.json()["detail"]
        file.unlink() if before is None else file.write_text(before)
    assert app.get(f"/api/cases/{case}").status_code == 200


def test_two_apps_never_share_a_work_folder(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(Refused, match="another nbb-opt app"):
        Store(tmp_path)
    store.close()
    Store(tmp_path).close()
