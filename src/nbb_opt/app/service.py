"""What the app does with cases, plans and results, without a word of HTTP."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
import time
import tomllib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nbb_opt.app import worker
from nbb_opt.app.fleet import Rows, TripFiles, fleet_of_form
from nbb_opt.app.instances import InstanceCache, Opened, choices, open_shipped, open_source, problems_of, ready
from nbb_opt.app.jobs import Busy, Jobs
from nbb_opt.app.pictures import comparison_charts, day_charts
from nbb_opt.app.region import Region
from nbb_opt.app.store import (
    NotFound,
    Refused,
    Store,
    StoredPlan,
    good_name,
    new_id,
    read_json,
    shown_name,
    write_bytes,
)
from nbb_opt.app.task import Task
from nbb_opt.instance.meta import FILE as META_FILE
from nbb_opt.instance.workbook.write import write_workbook
from nbb_opt.options import SolveOptions
from nbb_opt.run_folder import json_bytes
from nbb_opt.shipped import shipped, shipped_names
from nbb_opt.studies.audit.plan import cells_of, read_cells, read_plan_table, template, write_plan

UPLOAD = "workbook.xlsx"
FLEETS = "fleets"  # instances made of a form
MAP_FILE, RESULT_FILE, BEST_FILE = "pictures.json", "result.json", "best.json"
BEST_NAMES = ("digest", "cost_eur", "bound_eur", "gap")
RESULT_NAMES = ("digest", "rows", "cost_eur", "emissions_t", "faults", "trucks", "chargers", "verified", "made_s")
# name in the address -> file in the folder of the plan, type of content
PLAN_FILES = {
    "report.html": ("run/report.html", "text/html; charset=utf-8"),
    "report.xlsx": ("run/report.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "audit.html": ("audit/audit.html", "text/html; charset=utf-8"),
}
XLSX = PLAN_FILES["report.xlsx"][1]


class Service:
    """The work folder, the instances that are open and the calculation that runs."""

    def __init__(self, store: Store, jobs: Jobs, cache: Path, first: Path | None = None) -> None:
        self.store, self.jobs, self.cache = store, jobs, cache
        self.instances = InstanceCache()
        self.region = Region(store, jobs, self.instances, cache)
        self.trips = TripFiles(store)
        self.first = open_source(store, self.instances, first).id if first is not None else None
        jobs.adopt(lambda job: lambda done, folder: self._keep(job.case, None, job.kind, done, folder))

    def close(self) -> None:
        self.jobs.close()
        self.store.close()

    def start(self) -> dict[str, Any]:
        """What the first page offers."""
        titles = []
        for name in shipped_names("instances"):
            keys = tomllib.loads((shipped("instances") / name / META_FILE).read_text(encoding="utf-8-sig"))
            titles.append({"name": name, "title": keys["title"], "description": keys["description"]})
        cases = [
            {
                "id": case.id,
                "title": case.title,
                "opened_s": case.opened_s,
                "home": self.home(case.id),
                "file": case.file,
            }
            for case in self.store.cases()
        ]
        first = None if self.first is None else self.home(self.first)
        return {"first": self.first, "home": first, "cases": cases, "shipped": titles, "folder": str(self.store.folder)}

    def home(self, case: str) -> str:
        """Where a case is shown: fleet plans where the instance comes with one, is a workbook or made of a form; else
        the region."""
        source = Path(self.store.case(case).source)
        fleet = source.is_file() or (source / "plan.csv").is_file() or source.parent == self.store.folder / FLEETS
        return f"/#/case/{case}/plan" if fleet else f"/region/{case}"

    def open_shipped(self, name: str) -> str:
        return open_shipped(self.store, self.instances, name).id

    def upload_instance(self, content: bytes, name: str) -> str:
        """A case for an uploaded workbook, all of it or nothing. Raises InstanceError with every cell at fault."""
        if not name.lower().endswith(".xlsx"):
            raise Refused("Give an Excel workbook (.xlsx). In Excel: File, Save as, Excel workbook.")
        with tempfile.TemporaryDirectory(dir=self.store.folder, prefix=".upload-") as folder:
            path = Path(folder, UPLOAD)
            path.write_bytes(content)
            title = self.instances.open(path).instance.meta.title
        return self.store.add_case(title, Path(UPLOAD), upload=content, file=shown_name(name)).id

    def upload_plan(self, case: str, content: bytes, name: str) -> StoredPlan:
        """A plan from a .csv file or from a workbook's sheet `plan`. Raises InstanceError with every cell at fault."""
        self.store.case_folder(case)
        ending = Path(name).suffix.lower()
        if ending not in (".csv", ".xlsx"):
            raise Refused("Give a plan as .csv, or as an Excel workbook (.xlsx) with a sheet named plan.")
        with tempfile.TemporaryDirectory(dir=self.store.folder, prefix=".upload-") as folder:
            path = Path(folder, f"plan{ending}")
            path.write_bytes(content)
            table, _ = read_plan_table(path)
        shown = Path(shown_name(name)).stem.strip()[:60]
        return self.store.add_plan(case, shown or "Uploaded plan", cells_of(table))

    def case(self, case: str) -> dict[str, Any]:
        """A case with its choices and plans."""
        found, opened = ready(self.store, self.instances, self.store.case(case))
        meta = opened.instance.meta
        return {
            "id": found.id, "title": meta.title, "description": meta.description, "price_year": meta.price_year,
            "choices": choices(opened), "plans": [self._summary(case, opened, plan) for plan in self.store.plans(case)],
            "best": self.best(case, opened), "file_name": meta.name,
        }  # fmt: skip

    def plan(self, case: str, plan: str) -> dict[str, Any]:
        """A plan with the problems at its cells, its result and its files."""
        opened = self._opened(case)
        stored = self.store.plan(case, plan)
        return self.shown(case, opened, stored)

    def shown(self, case: str, opened: Opened, stored: StoredPlan) -> dict[str, Any]:
        folder = self.store.plan_folder(case, stored.id)
        files = [name for name, (path, _) in PLAN_FILES.items() if (folder / path).is_file()]
        return {
            **asdict(stored), "problems": [asdict(problem) for problem in problems_of(opened, stored)],
            "result": self._result(case, opened, stored), "best": self.best(case, opened), "files": files,
            "pictures": (folder / MAP_FILE).is_file(),
        }  # fmt: skip

    def save(self, case: str, plan: str, version: int, rows: object, name: str | None) -> dict[str, Any]:
        """Save a plan. Raises Conflict."""
        stored = self.store.save_plan(case, plan, version=version, rows=rows, name=name)
        return self.shown(case, self._opened(case), stored)

    def new_plan(self, case: str, name: str, source: str, rows: object = None) -> StoredPlan:
        """A plan made from today's fleet (`today`), from nothing (`empty`), from given rows, or from another plan."""
        if rows is None and source == "today":
            rows = cells_of(template(self._opened(case).instance))
        elif rows is None:
            rows = () if source == "empty" else self.store.plan(case, source).rows
        return self.store.add_plan(case, good_name(name), rows)

    def delete(self, case: str, plan: str) -> None:
        if self.jobs.busy(case, plan):
            raise Refused("A calculation about this plan is running. Cancel it first.")
        self.store.delete_plan(case, plan)

    def compare(self, case: str) -> dict[str, Any]:
        """All plans side by side, with charts of those that were checked."""
        opened = self._opened(case)
        instance = opened.instance
        plans = [self._summary(case, opened, plan) for plan in self.store.plans(case)]
        used = instance["vehicles"].loc[instance["vehicles"]["mode"] == "road", "technology"]
        technologies = list(dict.fromkeys(used))
        results = [
            {**plan["result"], "id": plan["id"], "name": plan["name"], "place": place}
            for place, plan in enumerate(plans, start=1)
            if plan["result"]
        ]
        years = [period.year for period in instance.periods]
        charts = comparison_charts(results, years, technologies)
        return {
            "plans": plans, "best": self.best(case, opened), "years": years, "technologies": technologies,
            "charts": charts,
        }  # fmt: skip

    def pictures(self, case: str, plan: str, words: Callable[[str], str] = str) -> dict[str, Any]:
        path = self.store.plan_folder(case, plan) / MAP_FILE
        if not path.is_file():
            raise NotFound("There is no map yet. Check the plan first.")
        found = read_json(path)
        return {**found, "charts": [*found["charts"], *day_charts(found.get("days", []), words)]}

    def file(self, case: str, plan: str, name: str) -> tuple[bytes, str]:
        """A file to download and its type: the plan as .csv or .xlsx, or a page or workbook of a result."""
        folder = self.store.plan_folder(case, plan)
        if name in PLAN_FILES:
            path, kind = PLAN_FILES[name]
            if not (folder / path).is_file():
                raise NotFound("This file is not there yet. Make it first: find the best plan, or audit the plan.")
            return (folder / path).read_bytes(), kind
        if name not in ("plan.csv", "plan.xlsx"):
            raise NotFound("There is no such file.")
        opened, stored = self._opened(case), self.store.plan(case, plan)
        table, problems = read_cells(stored.rows, opened.instance, opened.orders)
        if table is None:
            raise Refused(f"The plan has {len(problems)} cells to put right first; they are marked in the grid.")
        with tempfile.TemporaryDirectory(dir=self.store.folder, prefix=".file-") as work:
            target = Path(work, name)
            write_plan(table, target)
            return target.read_bytes(), XLSX if name.endswith(".xlsx") else "text/csv; charset=utf-8"

    def workbook(self, case: str) -> bytes:
        """The instance as a workbook."""
        with tempfile.TemporaryDirectory(dir=self.store.folder, prefix=".file-") as work:
            return write_workbook(self._opened(case).instance, Path(work, "instance.xlsx")).read_bytes()

    def start_job(
        self, case: str, plan: str, kind: str, options: SolveOptions, asked: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Check a plan, audit it in full, seek the best plan, or make a study of it. Raises Busy."""
        if kind not in (worker.CHECK, worker.SOLVE, worker.AUDIT, *worker.STUDY_FILES):
            raise Refused("There is no such calculation.")
        opened, stored = self._opened(case), self.store.plan(case, plan)
        problems = problems_of(opened, stored) if kind != worker.SOLVE else []
        if problems:
            many = f"{len(problems)} cells" if len(problems) > 1 else "1 cell"
            raise Refused(f"Put {many} right first; they are marked in the grid.")
        rows, source = [list(row) for row in stored.rows], self.store.case(case).source
        task = Task(
            kind=kind, source=source, rows=rows, folder="", cache=str(self.cache), options=options.changed(),
            best=self.best(case, opened), asked=asked,
        )  # fmt: skip

        def finish(done: dict[str, Any], folder: Path) -> dict[str, Any]:
            return self._keep(case, stored, kind, done, folder)

        self.jobs.start(task, case=case, plan=plan, finish=finish)
        return self.job()

    def job(self) -> dict[str, Any]:
        """The calculation that runs or ran last."""
        return {"job": asdict(self.jobs.job) if self.jobs.job is not None else None}

    def study(self, case: str, plan: str, kind: str) -> dict[str, Any]:
        """A plan with what a study of it found, if it was made; `stale` if the plan was changed since."""
        if kind not in worker.STUDY_FILES:
            raise NotFound("There is no such page.")
        opened, stored = self._opened(case), self.store.plan(case, plan)
        path = self.store.plan_folder(case, plan) / worker.STUDY_FILES[kind]
        found = read_json(path, "sections", "sentences", "asked", "rows", "made_s") if path.is_file() else None
        vehicles = opened.instance["vehicles"]
        return {
            "case": case, "plan": plan, "kind": kind, "name": stored.name, "title": opened.instance.meta.title,
            "found": found, "stale": found is not None and found["rows"] != rows_digest(stored),
            "trucks": vehicles.loc[vehicles["mode"] == "road", "vehicle"].tolist(),
        }  # fmt: skip

    def new_fleet(self, title: str, rows: Rows) -> dict[str, Any]:
        """A case made of a form, a check of today's fleet begun; what was assumed. Raises InstanceError."""
        title, home = good_name(title), self.store.folder / FLEETS
        home.mkdir(exist_ok=True)
        folder = home / new_id(title)
        notes = fleet_of_form(rows, folder, title)
        case = self.store.add_case(title, folder)
        ready(self.store, self.instances, case)
        plan = self.store.plans(case.id)[0].id
        with contextlib.suppress(Busy):
            self.start_job(case.id, plan, worker.CHECK, SolveOptions(gap=1e-3, time_limit_s=60.0))
        return {"address": f"/#/case/{case.id}/plan/{plan}", "notes": notes}

    def delete_case(self, case: str) -> None:
        if self.jobs.job is not None and self.jobs.busy(case, self.jobs.job.plan):
            raise Refused("A calculation about this case is running. Cancel it first.")
        self.store.delete_case(case)

    def best(self, case: str, opened: Opened) -> dict[str, Any] | None:
        """What is known of the best plan of the instance as it is now."""
        path = self.store.case_folder(case) / BEST_FILE
        known = read_json(path, *BEST_NAMES) if path.is_file() else None
        return known if known is not None and known["digest"] == opened.instance.digest else None

    def _keep(
        self, case: str, stored: StoredPlan | None, kind: str, done: dict[str, Any], folder: Path
    ) -> dict[str, Any]:
        """Take over what a calculation found: of the plan that it began with, or the best plan that it made."""
        with self.store.lock:
            self._keep_best(case, done["best"])
            if stored is None or kind == worker.SOLVE:
                stored = self.store.add_plan(case, "Best plan", done["rows"], origin="best")
            home = self.store.plan_folder(case, stored.id)
            for name in ("run", "audit", MAP_FILE):
                if (folder / name).exists():
                    shutil.rmtree(home / name, ignore_errors=True)
                    (folder / name).replace(home / name)
            if kind in worker.STUDY_FILES:
                name = worker.STUDY_FILES[kind]
                made = {"rows": rows_digest(stored), "made_s": time.time()}
                write_bytes(home / name, json_bytes(read_json(folder / name) | made))
            if "result" in done:
                result = {**done["result"], "rows": rows_digest(stored), "made_s": time.time()}
                write_bytes(home / RESULT_FILE, json_bytes(result))
            outcome: dict[str, Any] = {"plan": stored.id, "name": stored.name}
            if done.get("repaired"):
                mended = self.store.add_plan(case, f"{stored.name[:60]}, repaired", done["repaired"])
                outcome["repaired"] = {"plan": mended.id, "name": mended.name}
            return outcome | {"sentences": done.get("sentences", []), "cancelled": done.get("cancelled", False)}

    def _keep_best(self, case: str, best: dict[str, Any] | None) -> None:
        path = self.store.case_folder(case) / BEST_FILE
        if best is None:
            return
        known = read_json(path, *BEST_NAMES) if path.is_file() else None
        if known is not None and known["digest"] == best["digest"]:
            cost, bound = min(known["cost_eur"], best["cost_eur"]), max(known["bound_eur"], best["bound_eur"])
            best = worker.best_known(best["digest"], cost, bound, max(0.0, (cost - bound) / max(abs(cost), 1e-9)))
        write_bytes(path, json_bytes(best))

    def _opened(self, case: str) -> Opened:
        return ready(self.store, self.instances, self.store.case(case))[1]

    def _result(self, case: str, opened: Opened, stored: StoredPlan) -> dict[str, Any] | None:
        path = self.store.plan_folder(case, stored.id) / RESULT_FILE
        if not path.is_file():
            return None
        result = read_json(path, *RESULT_NAMES)
        stale = result["rows"] != rows_digest(stored) or result["digest"] != opened.instance.digest
        return {**result, "stale": stale}

    def _summary(self, case: str, opened: Opened, stored: StoredPlan) -> dict[str, Any]:
        return {
            "id": stored.id, "name": stored.name, "version": stored.version, "origin": stored.origin,
            "changed_s": stored.changed_s, "problems": len(problems_of(opened, stored)),
            "result": self._result(case, opened, stored),
        }  # fmt: skip


def rows_digest(stored: StoredPlan) -> str:
    """What a result belongs to: the rows of a plan but for blank ones and remarks, however it came to them."""
    said = [row[:-1] for row in stored.rows if any(row[:-1])]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def user_work_folder(base: str | None, home: Path) -> Path:
    """Where plans are kept if nobody says otherwise: in the user's folder for data of programs."""
    return (Path(base) if base else home / ".local" / "share") / "nbb-opt" / "app"
