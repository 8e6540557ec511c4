"""Cases and plans of the web app: what is taken in, told at its cell, kept and given back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra [app] is not installed")

from app_case import HAULIER, PLAN, TINY, client, tiny_case
from nbb_opt.app.store import Refused, Store
from nbb_opt.instance import read_instance


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Any]:
    with client(tmp_path) as found:
        yield found


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
    assert app.service.store.cases() == []
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


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"digest": 1', "null"])
def test_a_damaged_file_of_the_work_folder_is_named_and_not_used(app: Any, content: str) -> None:
    case, plan = tiny_case(app)
    folder = app.service.store.plan_folder(case, plan)
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
