"""What runs in the process of its own: check a plan, find the best plan, audit a plan in full.

It talks in JSON over a pipe and writes files only into the folder it was given; the app takes them over when all is
well. A cancel asks the solver to stop; if the app itself is gone, so is the worker.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pandas as pd

from nbb_opt.app import region_worker
from nbb_opt.app.answers import as_plain
from nbb_opt.app.pictures import as_run, pictures_of
from nbb_opt.app.store import write_bytes
from nbb_opt.app.task import Send, Task
from nbb_opt.errors import InstanceError, NbbError, NoPlan
from nbb_opt.instance import Instance, read_instance
from nbb_opt.network.bundles import read_demand
from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import Steps, solve_instance
from nbb_opt.result import emissions_t
from nbb_opt.run_folder import json_bytes
from nbb_opt.solve import Progress, Stop
from nbb_opt.solve.stop import relative_gap
from nbb_opt.studies.audit.audit import audit
from nbb_opt.studies.audit.charging_day import PLAIN
from nbb_opt.studies.audit.charging_help import areas_by_the_hour, hour_faults
from nbb_opt.studies.audit.charging_view import check_days, day_figures, plan_by_the_hour
from nbb_opt.studies.audit.faults import Fault, judge
from nbb_opt.studies.audit.fleet_model import state_fleet_model
from nbb_opt.studies.audit.idle import idle
from nbb_opt.studies.audit.money import Finance
from nbb_opt.studies.audit.money_study import money_over_time
from nbb_opt.studies.audit.plan import (
    FleetPlan,
    cells_of,
    order_names,
    plan_in_service,
    plan_of,
    read_cells,
    write_plan,
)

CHECK, SOLVE, AUDIT, MONEY, DAY = "check", "solve", "audit", "money", "day"
KINDS = (CHECK, SOLVE, AUDIT, MONEY, DAY)
WRITING = (region_worker.RUN, SOLVE)  # these write the best plan that they have, whatever becomes of the app
DONE = "done.json"  # what was found, in the folder of the calculation
STUDY_FILES = {MONEY: "money.json", DAY: "day.json"}  # in the folder of the plan
CHANGES = 5  # that "repair and improve" looks for
ASIDE = ("frozen: ", "reference: ")  # begin the phases of plans that are solved for comparison only


def run(connection: Connection, task: dict[str, Any]) -> None:
    """Entry of the process: do the task, then send `done` or `error`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the app, which ends this process
    stop = Stop(SolveOptions(**task["options"]).time_limit_s)
    keeps = task["kind"] in WRITING
    if keeps:
        signal.signal(signal.SIGTERM, lambda *_given: stop.asked.set())
    lock = threading.Lock()

    def send(message: dict[str, Any]) -> None:
        with lock, contextlib.suppress(OSError) if keeps else contextlib.nullcontext():
            connection.send_bytes(json_bytes(message))

    def watch() -> None:
        try:
            while True:
                connection.recv_bytes()
                stop.asked.set()
        except (EOFError, OSError):
            stop.asked.set()
            if not keeps:
                os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    try:
        if task["kind"] in region_worker.WORK:
            send({"done": region_worker.WORK[task["kind"]](Task(**task), stop, _callback(send), send)})
            return
        work = {CHECK: check, SOLVE: solve, AUDIT: full_audit, MONEY: study, DAY: study}[task["kind"]]
        found = work(Task(**task), stop, send)
        if keeps:
            write_bytes(Path(task["folder"], DONE), json_bytes(found))
        send({"done": found})
    except InstanceError as error:
        send({"error": "The instance or the plan has problems.", "problems": [str(each) for each in error.problems]})
    except NbbError as error:
        send({"error": _in_words(error, stop), "problems": []})
    except MemoryError:
        send({"error": "The memory of this machine did not suffice.", "problems": []})


def _in_words(error: NbbError, stop: Stop) -> str:
    if isinstance(error, NoPlan):
        when = "It was cancelled" if stop.asked.is_set() else "The time ran out"
        return f"{when} before any plan was found. Nothing was changed; give it more time and try again."
    return str(error)


def _callback(send: Send) -> Callable[[Progress], None]:
    def callback(progress: Progress) -> None:
        numbers = {name: getattr(progress, name) for name in ("incumbent", "bound", "gap", "decision_gap")}
        known = {name: value if math.isfinite(value) else None for name, value in numbers.items()}
        send({"phase": progress.phase, "elapsed_s": progress.elapsed_s, **known})

    return callback


def check(task: Task, stop: Stop, send: Send) -> dict[str, Any]:
    """Faults, cost and emissions of the plan, and its distance to the best plan, which is sought if none is known."""
    callback = _callback(send)
    callback(Progress("read", stop.elapsed_s()))
    instance = read_instance(task.source)
    plan, rows = _plan(task, instance)
    steps = Steps(SolveOptions(**task.options), stop=stop, callback=callback)
    fleet_model = state_fleet_model(instance, steps=steps, cache_dir=Path(task.cache))
    callback(Progress("judge", stop.elapsed_s()))
    judged = judge(fleet_model, plan)
    in_a_year = not judged.faults
    tables = fleet_model.verified(judged.solution, "plan") if in_a_year else fleet_model.tables(judged.solution)
    days = []
    if in_a_year and not instance["shifts"].empty:
        days = areas_by_the_hour(fleet_model, judged.solution)
        check_days(fleet_model, judged.solution, days)
    every = judged.faults or hour_faults(fleet_model, days, PLAIN)
    works, faults = not every, [fault_as_json(fault, rows) for fault in every]
    found = figures(instance, plan, judged.solution.objective, tables, faults, verified=works)
    found["idle"] = [asdict(each) | {"text": each.text} for each in idle(fleet_model, judged.solution)]
    send({"faults": len(faults), "cost_eur": judged.solution.objective})
    pictures = pictures_of(instance, as_run(judged.solution.objective, fleet_model.spec.blocks, tables, in_a_year))
    pictures["days"] = [day_figures(here) for here in days]
    write_bytes(Path(task.folder, "pictures.json"), json_bytes(pictures))
    best = task.best if task.best is not None and task.best["digest"] == instance.digest else None
    if best is None:
        try:
            solution = steps.solve_form(fleet_model.form, label="best: ")
            fleet_model.verified(solution, "best plan")
            best = best_known(instance.digest, solution.objective, solution.bound, solution.gap)
        except NoPlan:
            best = None  # the faults and the cost of the plan stand; its distance is told as not known
    cost_eur = judged.solution.objective
    if works and best is not None and cost_eur < best["cost_eur"]:
        best = best_known(instance.digest, cost_eur, best["bound_eur"], relative_gap(cost_eur, best["bound_eur"]))
    return {"result": found, "best": best}


def solve(task: Task, stop: Stop, send: Send) -> dict[str, Any]:
    """The best plan: a complete run folder `run`, and the plan as rows."""
    instance = read_instance(task.source)
    folder = Path(task.folder, "run")
    done = solve_instance(
        instance, out=folder, options=SolveOptions(**task.options), cache_dir=Path(task.cache),
        callback=_callback(send), stop=stop,
    )  # fmt: skip
    table = plan_in_service(instance, done.tables)
    plan = plan_of(table, instance)
    found = figures(instance, plan, float(done.record["cost_eur"]), done.tables, [], verified=done.record["verified"])
    write_bytes(Path(task.folder, "pictures.json"), json_bytes(pictures_of(instance, done)))
    best = best_known(instance.digest, done.record["cost_eur"], done.record["bound"], done.record["gap"])
    return {"result": found, "best": best, "rows": cells_of(table), "cancelled": stop.asked.is_set()}


def full_audit(task: Task, stop: Stop, send: Send) -> dict[str, Any]:
    """Repair, changes in order, break-even prices and scenarios: a folder `audit` with the page and its tables."""
    callback = _callback(send)
    instance = read_instance(task.source)
    _, rows = _plan(task, instance)
    file = Path(task.folder, "plan.csv")
    write_plan(rows, file)
    options = SolveOptions(**task.options)
    found = audit(
        instance, file, options=options, each_s=max(options.time_limit_s / 4, 1.0), changes=CHANGES,
        cache_dir=Path(task.cache), say=lambda line: callback(Progress(f"audit: {line}", stop.elapsed_s())),
    )  # fmt: skip
    found.save(Path(task.folder, "audit"))
    best = best_known(instance.digest, found.best.objective, found.best.bound, found.best.gap)
    repaired = cells_of(found.repaired_plan) if len(found.faults) else None
    return {"best": best, "repaired": repaired, "sentences": list(found.sentences)}


def study(task: Task, stop: Stop, send: Send) -> dict[str, Any]:
    """Money over time, or charging by the hour, of the plan: a file of what the page shows."""
    callback, asked = _callback(send), task.asked or {}
    instance, file = read_instance(task.source), Path(task.folder, "plan.csv")
    write_plan(_plan(task, instance)[1], file)

    def say(line: str) -> None:
        callback(Progress(f"audit: {line}", stop.elapsed_s()))

    if task.kind == MONEY:
        found = money_over_time(
            instance, file, finance=Finance(**asked["finance"]), against=asked["against"],
            options=SolveOptions(**task.options), cache_dir=Path(task.cache), say=say,
        )  # fmt: skip
    else:
        found = plan_by_the_hour(instance, file, cache_dir=Path(task.cache), say=say)
    write_bytes(Path(task.folder, STUDY_FILES[task.kind]), json_bytes(as_plain(found) | {"asked": asked}))
    return {"best": None, "sentences": []}


def _plan(task: Task, instance: Instance) -> tuple[FleetPlan, pd.DataFrame]:
    table, problems = read_cells(task.rows, instance, order_names(read_demand(instance).bundles))
    if table is None:
        raise NbbError(f"The plan has {len(problems)} cells to put right first; they are marked in the grid.")
    return plan_of(table, instance), table


def best_known(digest: str, cost_eur: float, bound_eur: float, gap: float) -> dict[str, Any]:
    """What is known of the best plan of an instance."""
    return {"digest": digest, "cost_eur": float(cost_eur), "bound_eur": float(bound_eur), "gap": float(gap)}


def figures(
    instance: Instance, plan: FleetPlan, cost_eur: float, tables: dict[str, pd.DataFrame] | Any,
    faults: list[dict[str, Any]], *, verified: bool,
) -> dict[str, Any]:  # fmt: skip
    """What is shown of a plan: cost, emissions, faults, trucks by technology and chargers by year."""
    years = [period.year for period in instance.periods]
    technology = dict(zip(instance["vehicles"]["vehicle"], instance["vehicles"]["technology"], strict=True))
    trucks: dict[str, dict[str, float]] = {str(year): {} for year in years}
    for row in plan.trucks.to_dict("records"):
        kinds = trucks[str(years[row["t"]])]
        kinds[technology[row["type"]]] = kinds.get(technology[row["type"]], 0.0) + row["number"]
    chargers = {
        str(year): float(plan.chargers.loc[plan.chargers["t"] == t, "number"].sum()) for t, year in enumerate(years)
    }
    return {
        "digest": instance.digest, "cost_eur": float(cost_eur), "faults": faults,
        "emissions_t": {str(year): float(tonnes) for year, tonnes in emissions_t(tables).items()},
        "trucks": trucks, "chargers": chargers, "verified": bool(verified),
    }  # fmt: skip


def fault_as_json(fault: Fault, rows: pd.DataFrame) -> dict[str, Any]:
    """A fault and the indices of the rows of the plan it is about: those of its place that hold in its year."""
    words = fault.where.removeprefix("order ").split(" ")
    place = fault.where.removeprefix("order ").split(", ")[0] if fault.where.startswith("order ") else None
    mine = rows["place"].eq(place) if place is not None else rows["place"].isin(words) & rows["place"].ne("")
    if place is None and rows.loc[mine, "type"].isin(words).any():
        mine &= rows["type"].isin(words)
    there = rows[mine & rows["year"].le(fault.year)]
    last = there.groupby(["place", "type"])["year"].transform("max")
    return {**asdict(fault), "said": fault.text.record, "rows": there.index[there["year"].eq(last)].tolist()}
