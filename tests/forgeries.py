"""Runs of `instances/tiny` changed consistently: record, tables and accounts agree, and yet they are not true."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pandas as pd

from nbb_opt.instance import Instance
from nbb_opt.result import Run, as_table
from tiny_plan import with_accounts

Record = dict[str, Any]
Tables = dict[str, pd.DataFrame]
REFERENCE_BLOCKS = (
    "flow", "links", "terminals", "projects", "fleet", "rebalance", "charging", "policy", "mode_shift"
)  # fmt: skip
CLAIMS = ("cost_eur", "bound", "gap", "emissions_t_co2e", "status", "blocks")


@dataclass
class Forgery:
    """A run to be changed in place; `settle` makes accounts and claims agree with the decisions again."""

    instance: Instance
    record: Record
    tables: Tables
    baseline: Tables

    def settle(self) -> None:
        self.tables = with_accounts(self.instance, self.tables, "joint", self.record["blocks"])
        self.baseline = with_accounts(self.instance, self.baseline, "reference", REFERENCE_BLOCKS)
        for said, tables in ((self.record, self.tables), (self.record["bars"]["reference"], self.baseline)):
            kg = (tables["emissions"]["ttw_kg"] + tables["emissions"]["wtt_kg"]).groupby(tables["emissions"]["year"])
            cost = float(tables["costs"]["discounted_eur"].sum())
            said |= {"cost_eur": cost, "bound": cost, "gap": 0.0, "status": "optimal"}
            said["emissions_t_co2e"] = {str(year): value / 1000.0 for year, value in kg.sum().items()}


def forged(run: Run, instance: Instance, every: int = 1) -> Iterator[tuple[str, Run]]:
    """Each forgery, or every so-manieth, by name, made from an honest run of the model `joint`."""
    for name, change in islice(FORGERIES.items(), 0, None, every):
        copies = [{table: frame.copy() for table, frame in tables.items()} for tables in (run.tables, run.baseline)]
        forgery = Forgery(instance, deepcopy(run.record), *copies)
        change(forgery)
        yield name, Run(run.path, forgery.record, forgery.tables, {**run.bars, "reference": forgery.baseline})


Change = Callable[[Forgery], None]
FORGERIES: dict[str, Change] = {}


def _record(name: str, change: Callable[[Record], Any]) -> None:
    """A lie of the record alone."""
    FORGERIES[name] = lambda forgery: change(forgery.record)


def _plan(name: str, change: Change) -> None:
    """Another plan, told as if it were the answer."""

    def both(forgery: Forgery) -> None:
        change(forgery)
        forgery.settle()

    FORGERIES[name] = both


def _set(*path: str, value: Any) -> Callable[[Record], Any]:
    def change(record: Record) -> None:
        for key in path[:-1]:
            record = record[key]
        record[path[-1]] = value

    return change


def _gone(*path: str) -> Callable[[Record], Any]:
    def change(record: Record) -> None:
        for key in path[:-1]:
            record = record[key]
        del record[path[-1]]

    return change


def _one_more(record: Record, key: str) -> None:
    record[key] += 1


for _model in ("shift_only", "electrify_only", "frozen", "reference", "mine", "network_design"):
    _record(f"model renamed {_model}", _set("model", value=_model))
for _block in ("caps", "policy", "mode_shift", "projects", "rebalance", "charging", "terminals"):
    _record(f"block {_block} taken out", lambda record, block=_block: record["blocks"].remove(block))
_record("blocks: flow alone", _set("blocks", value=["flow"]))
_record("technologies of today said", _set("options", "technologies", value="today"))
_record("projects said to be none", _set("options", "projects", value="none"))
_record("flows said to be fixed", _set("options", "flows", value="frozen"))
_record("reference with projects", _set("bars", "reference", "projects", value="all"))
_record("reference with the technologies of today", _set("bars", "reference", "technologies", value="today"))
_record("reference left out", lambda r: (_gone("bars", "reference")(r), _set("options", "reference", value=False)(r)))
_record("frozen plan left out", _gone("bars", "frozen"))
_record("reference of another model", _set("bars", "reference", "model", value="shift_only"))
_record("reference without charging", _set("bars", "reference", "blocks", value=list(REFERENCE_BLOCKS[:-1])))
for _claim in CLAIMS:
    _record(f"{_claim} deleted", _gone(_claim))
    _record(f"{_claim} of the reference deleted", _gone("bars", "reference", _claim))
for _name in ("verified", "model", "options", "bars"):
    _record(f"{_name} deleted", _gone(_name))
_record("one period without emissions", _gone("emissions_t_co2e", "2030"))
_record("bound: -inf, gap: 0", _set("bound", value=float("-inf")))
_record("bound: null", _set("bound", value=None))
_record("bound: not a number", _set("bound", value=float("nan")))
_record("bound as text", _set("bound", value="18988400"))
_record("not verified", _set("verified", value=False))
_record("verified: 1", _set("verified", value=1))
_record("reference's bound: -inf, gap: 0", _set("bars", "reference", "bound", value=float("-inf")))
_record("optimal at a gap of 5 %", lambda r: r.update(bound=0.95 * r["cost_eur"], gap=0.05))
_record("proven status of its own", _set("status", value="proven"))
_record("options without a gap", _gone("options", "gap"))


for _key in ("rows", "columns", "nonzeros", "integers"):
    _record(f"{_key} one more", lambda r, key=_key: _one_more(r, key))
    _record(f"{_key} of the reference one more", lambda r, key=_key: _one_more(r["bars"]["reference"], key))
_record("fewer checks than there are", lambda r: r.update(checks=r["checks"] - 1))
for _key, _values in {
    "seconds": ("x", None, {"solve": "x"}, {"solve": -1.0}, {"solve": float("nan")}),
    "versions": (None, [], {"highspy": None}), "seed": (-1, "0", None), "threads": (2.5, True), "nodes": (-3, "x"),
    "iterations": (None, 1.5), "checks": ("41", None), "rows": (-1, "101"), "instance_source": (None, 7),
}.items():  # fmt: skip
    for _value in _values:
        _record(f"{_key}: {_value!r}", _set(_key, value=_value))
for _key, _value in {
    "gap": "x", "decision_gap": 2.0, "time_limit_s": -1.0, "method": "guess", "statement": 1, "presolve": "never",
    "prune": "no", "too_large": None, "solver": 3,
}.items():  # fmt: skip
    _record(f"options, {_key}: {_value!r}", _set("options", _key, value=_value))
    _record(f"options, {_key} deleted", _gone("options", _key))
for _path in (("praise",), ("options", "praise"), ("bars", "praise"), ("bars", "frozen", "praise")):
    _record(f"unknown key {', '.join(_path)}", _set(*_path, value="the best plan of all"))
for _key in ("seconds", "versions", "seed", "threads", "checks", "nodes"):
    _record(f"{_key} deleted", _gone(_key))


def _trucks(forgery: Forgery, tables: str, many: int, vehicle: str = "DIESEL") -> None:
    """Trucks nobody needs, bought in the first period and kept."""
    own = getattr(forgery, tables)
    extra = [
        {"fleet_region": "W", "vehicle": vehicle, "vintage_year": 2025, "year": year,
         "bought": many if year == 2025 else 0, "kept": many} for year in (2025, 2030)
    ]  # fmt: skip
    frame = pd.concat([own["fleet"], pd.DataFrame(extra)], ignore_index=True)
    keys = ["fleet_region", "vehicle", "vintage_year", "year"]
    own["fleet"] = as_table("fleet", frame.groupby(keys, as_index=False)[["bought", "kept"]].sum())


def _empty(name: str, *, reference: bool = False) -> Change:
    def change(forgery: Forgery) -> None:
        (forgery.baseline if reference else forgery.tables)[name] = as_table(name)

    return change


def _less(name: str, column: str, factor: float, *, reference: bool = False) -> Change:
    def change(forgery: Forgery) -> None:
        own = forgery.baseline if reference else forgery.tables
        own[name] = own[name].assign(**{column: own[name][column] * factor})

    return change


def _flow_alone(forgery: Forgery) -> None:
    forgery.record["blocks"] = ["flow"]
    for name in ("fleet", "chargers", "empties"):
        forgery.tables[name] = as_table(name)


def _without_return(forgery: Forgery) -> None:
    forgery.record["blocks"].remove("rebalance")
    forgery.tables["empties"] = as_table("empties")


def _as(plan: str, reference: str) -> Change:
    """One plan stands for the other."""

    def change(forgery: Forgery) -> None:
        setattr(forgery, plan, dict(getattr(forgery, reference)))

    return change


def _renamed_reference(forgery: Forgery) -> None:
    forgery.tables = dict(forgery.baseline)
    forgery.record |= {"model": "shift_only"}
    forgery.record["blocks"].remove("mode_shift")


_plan("blocks: flow alone, no fleet", _flow_alone)
_plan("no empties, no rebalance", _without_return)
for _many in (1, 5, 100):
    _plan(f"reference with {_many} useless trucks", lambda f, many=_many: _trucks(f, "baseline", many))
    _plan(f"plan with {_many} useless trucks, optimal", lambda f, many=_many: _trucks(f, "tables", many))
_plan("plan with a useless battery truck, optimal", lambda f: _trucks(f, "tables", 1, "BATTERY"))
_plan("the reference stands for the plan", _as("tables", "baseline"))
_plan("the plan stands for the reference", _as("baseline", "tables"))
_plan("another model's plan under another name", _renamed_reference)
_plan("no trucks", _empty("fleet"))
_plan("no trucks in the reference", _empty("fleet", reference=True))
_plan("no chargers", _empty("chargers"))
_plan("nothing built", _empty("projects"))
_plan("nothing driven", _empty("driven"))
_plan("no freight", _empty("flows"))
_plan("half of the freight", _less("flows", "tonnes", 0.5))
_plan("half of the freight in the reference", _less("flows", "tonnes", 0.5, reference=True))
_plan("90 % of the km", _less("driven", "loaded_vkm", 0.9))
_plan("more km than needed in the reference", _less("driven", "loaded_vkm", 1.3, reference=True))
_plan("demand of another year", _less("demand", "tonnes", 0.8))


def _honest_gap(many: int, bound: float | None = None) -> Change:
    """A wasteful reference with the true bound (or one too low to be wrong), and the wide gap that follows."""

    def change(forgery: Forgery) -> None:
        said = forgery.record["bars"]["reference"]
        true, status = dict(said), forgery.record["status"]
        own = {key: forgery.record[key] for key in ("cost_eur", "bound", "gap")}
        _trucks(forgery, "baseline", many)
        forgery.settle()
        forgery.record |= own | {"status": status}
        cost, least = said["cost_eur"], true["bound"] if bound is None else bound
        said |= {"bound": least, "gap": abs(cost - least) / cost, "status": "time_limit"}

    return change


for _many in (1, 5, 100):
    FORGERIES[f"reference with {_many} useless trucks, its gap told"] = _honest_gap(_many)
FORGERIES["reference with 5 useless trucks, bound 0"] = _honest_gap(5, 0.0)
