"""What the process of its own does for the region view: solve a what-if, explain a flow, draw a front, make a study.

A solve writes into the folder of its run, never over what is there: the relaxation as soon as it is known, how far the
search is, and the plan as a run folder. If the app is gone it stops, and still writes the best plan that it has.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nbb_opt.api.plans import Result, load
from nbb_opt.api.region import availability, inventory, locate, strategy
from nbb_opt.api.studies import explain, pareto
from nbb_opt.app.levers import request_from
from nbb_opt.app.store import write_bytes
from nbb_opt.app.task import Send, Task
from nbb_opt.errors import NbbError, NoPlan
from nbb_opt.instance import Instance, read_instance
from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import solve_instance
from nbb_opt.report.study import Answer
from nbb_opt.run_folder import is_run, json_bytes
from nbb_opt.solve import Progress, Stop
from nbb_opt.studies.points import FreightWork, values_of

RUN, EXPLAIN, FRONT, STUDY = "run", "explain", "front", "study"
REQUEST, RELAXED, SEARCH, ENDED, PLAN = "request.json", "relaxed.json", "search.json", "ended.json", "run"
EXPLAINED, FRONT_FILE, STUDIES = "explained", "front.json", "studies"
EVERY_S = 1.0  # how far the search is
FRONT_POINTS = 8
MODEL = "joint"
LEAST_SHARE = 0.01  # of a project, to be named in the first answer
Callback = Callable[[Progress], None]


def solve_request(task: Task, stop: Stop, callback: Callback, send: Send) -> dict[str, Any]:
    """A first answer from the LP relaxation, then the proven plan with its bars, in the folder of the run."""
    home, options = Path(task.folder), SolveOptions(**task.options)
    told = _Search(home, callback)
    try:
        told(Progress("read", stop.elapsed_s()))
        instance = _asked(home, task.source)
        told(Progress("relaxation", stop.elapsed_s()))
        first = relaxation(instance, options, Path(task.cache), stop)
        if first is not None:
            write_bytes(home / RELAXED, json_bytes(first))
            send({"relaxed": first})
        done = solve_instance(
            instance, out=home / PLAN, model=MODEL, options=options, cache_dir=Path(task.cache), callback=told,
            stop=stop,
        )  # fmt: skip
    except NbbError as error:
        kept = "reference" if is_run(home / PLAN) else ""
        problems = [str(each) for each in getattr(error, "problems", ())]
        note = {"message": str(error), "problems": problems, "cancelled": stop.asked.is_set(), "kept": kept}
        write_bytes(home / ENDED, json_bytes(note))
        if kept and isinstance(error, NoPlan):
            return {"status": "bar"}
        raise
    note = {"message": "", "problems": [], "cancelled": stop.asked.is_set(), "kept": PLAN}
    write_bytes(home / ENDED, json_bytes(note))
    return {"status": done.record["status"]}


def relaxation(instance: Instance, options: SolveOptions, cache: Path, stop: Stop) -> dict[str, Any] | None:
    """Bound, emissions and projects of the LP relaxation: no plan, but no plan costs less. None if it was stopped."""
    work = FreightWork(instance=instance, model=MODEL, options=options, relax=True, cache_dir=cache)
    if work.spec.cuts:
        return None  # its caps are known once the frozen plan is
    stated = work.base
    projects = stated.built.data.projects
    columns = stated.built.start["built"] + np.arange(len(projects.project))
    found = work.solved(stated, stated.form, None, stop, what="relaxation", keep=columns)
    if "cost_eur" not in found:
        return None
    most = np.zeros(len(projects.capex_eur))
    np.maximum.at(most, projects.project, values_of(found) / projects.max_units[projects.project])
    names = instance["projects"]["name"].tolist()
    built = sorted(((float(share), name) for share, name in zip(most, names, strict=True)), reverse=True)
    return {
        "bound_eur": found["cost_eur"], "emissions_t": found["emissions_t_per_year"], "seconds": stop.elapsed_s(),
        "projects": [[name, min(share, 1.0)] for share, name in built if share >= LEAST_SHARE],
    }  # fmt: skip


def _plan(task: Task) -> Result:
    plan = load(Path(task.folder) / PLAN, instance=read_instance(task.source))
    assert isinstance(plan, Result)
    return plan


def explain_flow(task: Task, stop: Stop, callback: Callback, send: Send) -> dict[str, Any]:
    """Why a flow of a run goes the way it goes, kept beside the run."""
    home, flow = Path(task.folder), task.asked or {}
    callback(Progress("explain", stop.elapsed_s()))
    found = explain(_plan(task), **flow)
    (home / EXPLAINED).mkdir(exist_ok=True)
    number = len(list((home / EXPLAINED).glob("*.json"))) + 1
    write_bytes(home / EXPLAINED / f"{number:03d}.json", json_bytes({**found.record, "asked": flow}))
    return {"explained": number}


def draw_front(task: Task, stop: Stop, callback: Callback, send: Send) -> dict[str, Any]:
    """What each tonne less costs under the assumptions of a run, by LP relaxations, kept beside the run."""
    home, instance = Path(task.folder), _asked(Path(task.folder), task.source)
    found = pareto(
        instance, points=FRONT_POINTS, relax=True, out=home / FRONT, progress=callback, stop=stop,
        options=SolveOptions(**task.options),
    )  # fmt: skip
    rows = json.loads(found.table.to_json(orient="records"))
    note = {"answer": " ".join(found.sentences), "rows": rows, "status": found.about["status"]}
    write_bytes(home / FRONT_FILE, json_bytes(note))
    return {"points": len(rows)}


def make_study(task: Task, stop: Stop, callback: Callback, send: Send) -> dict[str, Any]:
    """The pages of a study of the plan of a run, kept beside the run; a plant's are in a folder of its own."""
    asked = task.asked or {}
    name, plant = asked["name"], asked["plant"]
    callback(Progress("study", stop.elapsed_s()))
    plan, home = _plan(task), Path(task.folder) / STUDIES
    home.mkdir(exist_ok=True)
    if name == LOCATE:
        locate(plan.instance, plant, plan, out=home / f"{LOCATE}-{Path(plant).stem}")
    else:
        STUDY_OF[name](plan.instance, plan, out=home / name)
    return {"study": name}


LOCATE = "locate"
STUDY_OF: dict[str, Callable[..., Answer]] = {
    "inventory": inventory,
    "availability": availability,
    "strategy": strategy,
}
WORK = {RUN: solve_request, EXPLAIN: explain_flow, FRONT: draw_front, STUDY: make_study}


def _asked(home: Path, source: str) -> Instance:
    return request_from(json.loads((home / REQUEST).read_bytes())).of(read_instance(source))


class _Search:
    """Passes on how far the search is, and writes it down, so that it is known whatever ends this process."""

    def __init__(self, home: Path, callback: Callback) -> None:
        self.home, self.callback, self.written = home, callback, -EVERY_S
        self.best: dict[str, float] = {}

    def __call__(self, progress: Progress) -> None:
        self.callback(progress)
        now = time.monotonic()
        if now - self.written < EVERY_S:
            return
        self.written = now
        aside = progress.phase.startswith(("frozen: ", "reference: "))
        known = {} if aside else {"incumbent": progress.incumbent, "bound": progress.bound}
        self.best |= {name: value for name, value in known.items() if abs(value) < float("inf")}
        note = {"pid": os.getpid(), "phase": progress.phase, "elapsed_s": progress.elapsed_s, **self.best}
        write_bytes(self.home / SEARCH, json_bytes(note))
