"""Calculations of the web app: the numbers of audit and solve, cancelled, crashed, out of date."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra [app] is not installed")

from app_case import TINY, client, finished, tiny_case
from nbb_opt.app.service import rows_digest
from nbb_opt.instance import read_instance
from nbb_opt.result import read_run
from nbb_opt.studies.audit.faults import Assessment, judge
from nbb_opt.studies.audit.fleet_model import FleetModel, state_fleet_model
from nbb_opt.studies.audit.plan import read_plan


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Any]:
    with client(tmp_path) as found:
        yield found


@cache
def fleet_model() -> FleetModel:
    return state_fleet_model(read_instance(TINY))


def judged(app: Any, case: str, plan: str) -> Assessment:
    """A plan of tiny as the audit judges it, from its file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "plan.csv")
        file.write_bytes(app.get(f"/api/cases/{case}/plans/{plan}/files/plan.csv").content)
        return judge(fleet_model(), read_plan(file, fleet_model().instance, fleet_model().prepared.bundles))


def test_check_and_solve_tell_what_the_audit_and_the_run_say(app: Any, tmp_path: Path) -> None:
    case, plan = tiny_case(app)
    base = f"/api/cases/{case}/plans"
    assert app.post(f"{base}/{plan}/job", json={"kind": "check", "gap": 1e-6}).status_code == 200
    assert finished(app)["state"] == "done"
    here = judged(app, case, plan)
    result = app.get(f"{base}/{plan}").json()["result"]
    assert result["cost_eur"] == pytest.approx(here.solution.objective)
    assert [(fault["where"], fault["text"]) for fault in result["faults"]] == [(f.where, f.text) for f in here.faults]
    assert {int(y): t for y, t in result["emissions_t"].items()} == pytest.approx(
        fleet_model().emissions_t(here.solution)
    )
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
    assert job["outcome"]["sentences"][1].startswith("The smallest repair: ")
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
    result = {"rows": rows_digest(app.service.store.plan(case, plan)), "digest": read_instance(TINY).digest}
    result |= {
        "cost_eur": 1.0,
        "faults": [],
        "emissions_t": {},
        "trucks": {},
        "chargers": {},
        "made_s": 0.0,
        "verified": True,
    }
    (app.service.store.plan_folder(case, plan) / "result.json").write_text(json.dumps(result))
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
