"""The region view without HTTP: what-ifs of a case, their runs as folders on disk, and what is shown of them.

WORK/cases/CASE/runs/RUN/request.json   what was asked, and the page as it was filled in
                         relaxed.json   the first answer, from the LP relaxation
                         search.json    how far the search was when it last told
                         ended.json     how it ended; none: it runs, or was killed
                         run/           the plan, a run folder
                         explained/, front/, front.json, studies/STUDY/
WORK/cases/CASE/plants/    tables of plants to be placed
"""

from __future__ import annotations

import io
import math
import os
import re
import secrets
import tempfile
import time
import zipfile
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from nbb_opt.api.comparison import compare
from nbb_opt.api.plans import Result, load
from nbb_opt.app.instances import InstanceCache
from nbb_opt.app.jobs import RUNNING, Jobs
from nbb_opt.app.levers import (
    as_pairs,
    levers_of,
    link_levers,
    project_levers,
    read_request,
    request_from,
    scenario_levers,
)
from nbb_opt.app.region_worker import (
    ENDED,
    EXPLAIN,
    EXPLAINED,
    FRONT,
    FRONT_FILE,
    LOCATE,
    PLAN,
    RELAXED,
    REQUEST,
    RUN,
    SEARCH,
    STUDIES,
    STUDY,
    STUDY_OF,
)
from nbb_opt.app.store import NotFound, Refused, Store, plain, read_json, write_bytes
from nbb_opt.app.task import Task
from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance
from nbb_opt.options import SolveOptions
from nbb_opt.report.decisions import from_to_grid, full_grid, names_of, project_grid
from nbb_opt.report.headline import answer
from nbb_opt.report.map.difference import draw_difference, link_difference
from nbb_opt.report.page import changes, draw_maps
from nbb_opt.report.text import MODE_WORDS
from nbb_opt.run_folder import RECORD, is_run, json_bytes
from nbb_opt.studies.pareto import curve
from nbb_opt.studies.plant import read_plant

PLANTS = "plants"
# study -> what its button and its first page are called, a phrase of the catalogue
STUDY_WORDS = {
    "inventory": "What exists, who uses it, when it is full", "availability": "Best ways to every gateway",
    "strategy": "What to decide first, by country", LOCATE: "Where to build it?",
}  # fmt: skip
FLOWS_SHOWN = 400
DECISIONS_SHOWN = 60
KEPT_OPEN = 8
STILL_ENDING_S = 600.0  # a solver without its app has ended by then
# name in the address -> file in the folder of the run, type of content
RUN_FILES = {
    "report.html": ("report.html", "text/html; charset=utf-8"),
    "report.xlsx": ("report.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}
ZIP = "application/zip"
REQUEST_NAMES = ("name", "scenarios", "changes", "close", "build", "forbid", "summary", "form", "options", "made_s")


class Region:
    """The what-ifs of the cases of a work folder."""

    def __init__(self, store: Store, jobs: Jobs, instances: InstanceCache, cache: Path) -> None:
        self.store, self.jobs, self.instances, self.cache = store, jobs, instances, cache
        self._plans: OrderedDict[tuple[str, int], Result] = OrderedDict()

    def instance(self, case: str) -> Instance:
        """The instance of a case as it is."""
        return self.instances.open(Path(self.store.case(case).source)).instance

    def levers(self, case: str, source: str = "") -> dict[str, Any]:
        """What the page of levers shows; filled in as it was for the run `source`."""
        instance = self.instance(case)
        form = self._request(case, source)["form"] if source else {}
        return {
            "meta": instance.meta, "levers": levers_of(instance), "projects": project_levers(instance),
            "links": link_levers(instance), "scenarios": scenario_levers(instance), "form": form,
            "runs": self.runs(case),
        }  # fmt: skip

    def runs(self, case: str) -> list[dict[str, Any]]:
        """Every run of a case, the newest first."""
        folders = sorted((self.store.case_folder(case) / "runs").glob("*/request.json"), reverse=True)
        return [self.summary(case, file.parent.name) for file in folders]

    def summary(self, case: str, run: str) -> dict[str, Any]:
        """A run with its state: running, done, bar (stopped before there was a plan), ending, failed or interrupted."""
        folder, request = self._folder(case, run), self._request(case, run)
        found: dict[str, Any] = {"id": run, **{key: request[key] for key in ("name", "summary", "made_s", "options")}}
        found["relaxed"] = _known(folder / RELAXED)
        found["search"], found["ended"] = _known(folder / SEARCH), _known(folder / ENDED)
        found["plan"] = read_json(folder / PLAN / RECORD) if is_run(folder / PLAN) else None
        return {**found, "state": self._state(case, run, found, folder)}

    def _state(self, case: str, run: str, found: Mapping[str, Any], folder: Path) -> str:
        if self.jobs.busy(case, run) and self.jobs.job is not None and self.jobs.job.kind == RUN:
            return RUNNING
        if found["plan"] is not None:
            return "bar" if found["plan"]["model"] in ("reference", "frozen") else "done"
        if found["ended"] is not None:
            return "failed"
        search = found["search"]
        recent = search is not None and time.time() - (folder / SEARCH).stat().st_mtime < STILL_ENDING_S
        return "ending" if recent and _alive(int(search["pid"])) else "interrupted"

    def start(self, case: str, form: object) -> str:
        """Solve what a filled-in page asks for. Raises Busy, InstanceError, Refused; nothing is kept of it then."""
        instance, given = self.instance(case), as_pairs(form)
        request = read_request(instance, given)
        request.of(instance)  # every problem of it before anything is kept
        options = {"gap": _number(given, "gap", 0.005), "time_limit_s": _number(given, "time_limit_s", 300.0)}
        return self._begin(case, {**asdict(request), "form": given, "options": options})

    def again(self, case: str, run: str) -> str:
        """The same what-if once more, as a run of its own."""
        return self._begin(case, self._request(case, run))

    def _begin(self, case: str, request: Mapping[str, Any]) -> str:
        options = SolveOptions(**request["options"])
        with self.store.lock:
            self.jobs.refuse_if_busy()
            home = self.store.case_folder(case) / "runs"
            numbers = [int(path.name.partition("-")[0]) for path in home.glob("[0-9]*")]
            run = f"{max(numbers, default=0) + 1:04d}-{secrets.token_hex(3)}"
            (home / run).mkdir(parents=True)
            write_bytes(home / run / REQUEST, json_bytes({**request, "made_s": time.time()}))
            self._start(case, run, RUN, options)
        return run

    def explain(self, case: str, run: str, flow: Mapping[str, Any]) -> None:
        """Begin to explain a flow of a run. Raises Busy."""
        if not is_run(self._folder(case, run) / PLAN):
            raise Refused("There is no plan yet.")
        self._start(case, run, EXPLAIN, SolveOptions(), dict(flow))

    def front(self, case: str, run: str) -> None:
        """Begin to look for what each tonne less costs under the assumptions of a run. Raises Busy."""
        self._start(case, run, FRONT, SolveOptions(**self._request(case, run)["options"]))

    def study(self, case: str, run: str, name: str, plant: str) -> None:
        """Begin a study of the plan of a run; `plant` is one of `plants`, for where to build it. Raises Busy."""
        if not is_run(self._folder(case, run) / PLAN):
            raise Refused("There is no plan yet.")
        if name not in (*STUDY_OF, LOCATE):
            raise NotFound("There is no such study.")
        known = self.plants(case)
        if name == LOCATE and plant not in known:
            raise Refused("Choose a plant, or bring a table of one.")
        self._start(case, run, STUDY, SolveOptions(), {"name": name, "plant": str(known.get(plant, ""))})

    def plants(self, case: str) -> dict[str, Path]:
        """The tables of plants by name: those of the instance and those that were brought."""
        source, own = Path(self.store.case(case).source), self.store.case_folder(case) / PLANTS
        shipped = sorted(source.glob("plant_*.csv")) if source.is_dir() else []
        return {path.stem.removeprefix("plant_"): path for path in (*shipped, *sorted(own.glob("*.csv")))}

    def bring_plant(self, case: str, name: str, text: str) -> None:
        """Keep a table of a plant. Raises InstanceError with every fault of it; nothing is kept then."""
        instance, own = self.instance(case), self.store.case_folder(case) / PLANTS
        own.mkdir(exist_ok=True)
        stem = re.sub(r"[^\w-]", "_", Path(name).stem)[:60] or "plant"
        with tempfile.TemporaryDirectory(dir=own) as aside:
            file = Path(aside) / f"{stem}.csv"
            file.write_text(text, encoding="utf-8")
            read_plant(file, instance)
        write_bytes(own / f"{stem}.csv", text.encode())

    def page(self, case: str, run: str, study: str, name: str) -> bytes:
        """A page of a study."""
        folder = self._folder(case, run)
        if name not in _studies(folder).get(study, ()):
            raise NotFound("There is no such page.")
        return (folder / STUDIES / study / name).read_bytes()

    def _start(
        self, case: str, run: str, kind: str, options: SolveOptions, asked: dict[str, Any] | None = None
    ) -> None:
        task = Task(
            kind=kind, source=self.store.case(case).source, rows=[], folder=str(self._folder(case, run)),
            cache=str(self.cache), options=options.changed(), asked=asked,
        )  # fmt: skip
        self.jobs.start(task, case=case, plan=run, finish=lambda done, _folder: done)

    def delete(self, case: str, run: str) -> None:
        """Take a run out of the list; its folder is kept under `deleted`."""
        if self.jobs.busy(case, run):
            raise Refused("A calculation about this run goes on. Cancel it first.")
        folder = self._folder(case, run)
        bin_ = self.store.case_folder(case) / "deleted"
        bin_.mkdir(exist_ok=True)
        folder.rename(bin_ / f"run-{run}")

    def plan(self, case: str, run: str) -> Result:
        """The plan of a run. Raises NotFound."""
        folder = self._folder(case, run) / PLAN
        if not is_run(folder):
            raise NotFound("This run has no plan.")
        key = (str(folder), (folder / RECORD).stat().st_mtime_ns)
        with self.store.lock:
            if key not in self._plans:
                found = load(folder, instance=self.instance(case))
                assert isinstance(found, Result)
                self._plans[key] = found
            self._plans.move_to_end(key)
            while len(self._plans) > KEPT_OPEN:
                self._plans.popitem(last=False)
            return self._plans[key]

    def run(self, case: str, run: str) -> dict[str, Any]:
        """What the page of a run shows."""
        found: dict[str, Any] = {"run": self.summary(case, run), "plan": None, "changed": ""}
        folder = self._folder(case, run)
        found["explained"] = [_explained(read_json(file)) for file in sorted((folder / EXPLAINED).glob("*.json"))][::-1]
        found |= {"front": self._front(folder), "plants": list(self.plants(case)), "studies": _studies(folder),
                  "study_words": STUDY_WORDS, "countries": {}}  # fmt: skip
        if found["run"]["plan"] is None:
            return found
        try:
            plan = self.plan(case, run)
            instance, bar = plan.instance, plan.run.against
        except NbbError as changed:
            return found | {"changed": str(changed)}
        found["countries"] = names_of(instance, "countries", "country")
        title, _by_year = changes(instance, plan.run)
        beside = [plan, plan.reference if bar == "reference" else plan.frozen] if bar else [plan]
        return found | {
            "plan": plan, "meta": instance.meta, "sentences": answer(instance, plan.run, plan.figures),
            "figures": compare(*beside), "maps": draw_maps(instance, plan.run, "plan"), "change_title": title,
            "projects": project_grid(instance, plan.run), "full": full_grid(instance, plan.run),
            "flows": _flows(plan), "from_to": from_to_grid(instance, plan.run), "built": plan.figures["projects_built"],
        }  # fmt: skip

    def _front(self, folder: Path) -> dict[str, Any] | None:
        known = _known(folder / FRONT_FILE)
        if known is None:
            return None
        table = pd.DataFrame(known["rows"])
        drawn = curve(table, None) if table["cost_eur"].notna().any() else None
        rows = [row for row in known["rows"] if row["cost_eur"] is not None]
        return {**known, "rows": rows, "drawing": drawn}

    def compare(self, case: str, runs: Sequence[str]) -> dict[str, Any]:
        """Runs side by side with the first of them: figures, what is proven, inputs, decisions and maps."""
        if not 2 <= len(runs) <= 4:
            raise Refused("Choose two to four runs.")
        plans, names = [self.plan(case, run) for run in runs], [self._request(case, run)["name"] for run in runs]
        found = compare(*plans, names=[f"{i} {name}" for i, name in enumerate(names, 1)])
        instance, year = plans[0].instance, plans[0].instance.periods[-1].year
        maps, differs = [], found.decisions
        for i, plan in enumerate(plans[1:], 1):
            change = link_difference(plans[0].run.tables, plan.run.tables, year)
            known = change[change.index.isin(instance["links"]["link"])]
            maps.append((found.names[i], draw_difference(instance, known, year=year, key=f"d{i}")))
        return {
            "found": found, "maps": maps, "year": year, "ids": list(runs), "meta": instance.meta,
            "summaries": [self._request(case, run)["summary"] for run in runs],
            "decisions": differs.head(DECISIONS_SHOWN).to_dict("records"), "more": len(differs) - DECISIONS_SHOWN,
        }  # fmt: skip

    def file(self, case: str, run: str, name: str) -> tuple[bytes, str]:
        """A file to take away: report, workbook, or the whole run as one file."""
        folder = self._folder(case, run) / PLAN
        if not is_run(folder):
            raise NotFound("This run has no plan.")
        if name in RUN_FILES:
            file, kind = RUN_FILES[name]
            return (folder / file).read_bytes(), kind
        if name != "run.zip":
            raise NotFound("There is no such file.")
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    archive.write(path, f"run/{path.relative_to(folder).as_posix()}")
            archive.write(folder.parent / REQUEST, REQUEST)
        return packed.getvalue(), ZIP

    def _folder(self, case: str, run: str) -> Path:
        folder = self.store.case_folder(case) / "runs" / plain(run)
        if not (folder / REQUEST).is_file():
            raise NotFound("This run is not there any more; it may have been deleted in another window.")
        return folder

    def _request(self, case: str, run: str) -> dict[str, Any]:
        found = read_json(self._folder(case, run) / REQUEST, *REQUEST_NAMES)
        request_from(found)
        return found


def _known(file: Path) -> dict[str, Any] | None:
    return read_json(file) if file.is_file() else None


def _studies(folder: Path) -> dict[str, list[str]]:
    """The studies of a run with the names of their pages, the first page first."""
    return {
        home.name: sorted((page.name for page in home.glob("*.html")), key=lambda name: (len(name), name))
        for home in sorted((folder / STUDIES).glob("*")) if home.is_dir()
    }  # fmt: skip


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _number(form: Mapping[str, Sequence[str]], field: str, otherwise: float) -> float:
    try:
        value = float((form.get(field) or [""])[0])
    except ValueError:
        return otherwise
    return value if math.isfinite(value) and value >= 0 else otherwise


def _flows(plan: Result) -> list[dict[str, Any]]:
    """The flows of the last period, the greatest first, each way of one a row of its own."""
    instance, year = plan.instance, plan.instance.periods[-1].year
    nodes, goods = names_of(instance, "nodes", "node"), names_of(instance, "commodities", "commodity")
    rows = plan.flows[plan.flows["year"] == year].sort_values("flow_t_per_year", ascending=False).head(FLOWS_SHOWN)
    return [
        {
            "origin": row["origin"], "destination": row["destination"], "commodity": row["commodity"], "year": year,
            "from": nodes[row["origin"]], "to": nodes[row["destination"]], "goods": goods[row["commodity"]],
            "tonnes": row["flow_t_per_year"], "modes": [MODE_WORDS.get(m, m).lower() for m in row["modes"].split(", ")],
        }
        for row in rows.to_dict("records")
    ]  # fmt: skip


def _explained(record: dict[str, Any]) -> dict[str, Any]:
    """A flow as it was explained, with the parts of the cost that any of its ways has."""
    parts = [name for name in record["ways"][0] if name.endswith("_eur_per_t")] if record["ways"] else []
    used = [name for name in parts if any(abs(way[name] or 0) > 1e-6 for way in record["ways"])]
    shown = [name for name in used if name not in ("total_eur_per_t", "above_eur_per_t")]
    return {**record, "parts": shown}
