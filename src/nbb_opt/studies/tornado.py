"""A tornado: every uncertain figure of table `ranges` at its low and its high end, all else as it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from nbb_opt import __version__
from nbb_opt.errors import InstanceError, NbbError
from nbb_opt.instance import Instance
from nbb_opt.instance.schema import BY_NAME, UNUSED
from nbb_opt.instance.what_if import on_row
from nbb_opt.model import read_model
from nbb_opt.options import SolveOptions
from nbb_opt.output import check_folder, write_file
from nbb_opt.pipeline import Steps
from nbb_opt.report.charts.charts import tornado_bars
from nbb_opt.report.grid import Cell, Column, Grid, Section
from nbb_opt.report.study import render_study
from nbb_opt.solve import Progress, Stop
from nbb_opt.studies.sweep import axis_of, run_sweep
from nbb_opt.studies.sweep.store import FOLDER, Point, Store

TABLE, PAGE = "tornado.csv", "tornado.html"
BASE = "as it is"
NOT_READ = (*UNUSED, "ranges", "control_totals", "scenarios")
BARS = 20


@dataclass(frozen=True, kw_only=True)
class Effect:
    """A figure at one end of its range against the instance as it is.

    `status` is that of the solve, "not varied" where no instance has such a figure (`note` says why). `decided`: no
    better search can turn the difference of cost round. Emissions are WTW over the horizon.
    """

    figure: str
    end: str
    factor: float
    status: str
    cost_difference_eur: float | None = None
    emissions_difference_t_co2e: float | None = None
    decided: bool | None = None
    projects_entering: tuple[str, ...] = ()
    projects_leaving: tuple[str, ...] = ()
    note: str = ""


def run_tornado(
    instance: Instance,
    *,
    tables: Sequence[str] = (),
    model: str = "joint",
    options: SolveOptions | None = None,
    relax: bool = False,
    out: Path | None = None,
    cache_dir: Path | None = None,
    listen: Callable[[Progress], None] | None = None,
    say: Callable[[str], None] = lambda _line: None,
    stop: Stop | None = None,
) -> pd.DataFrame:
    """Solve the instance and each end of each range (of `tables`, all if none); the greatest effect on cost first.

    A row for each end, as `Effect`. Caps of the model itself stay those of the instance as it is. Finished solves are
    kept in `out`, beside table and page, and not made again; a request to stop keeps them. `relax` solves LP
    relaxations, which name no projects. Raises NbbError for a table without ranges.
    """
    options, stop = options or SolveOptions(), stop or Stop(float("inf"))
    rows = [row for row in instance["ranges"].to_dict("records") if row["table"] not in NOT_READ]
    known = {str(row["table"]) for row in rows}
    if missing := [name for name in tables if name not in known]:
        raise NbbError(f"table {missing[0]!r} has no ranges; those are {', '.join(sorted(known)) or 'none'}")
    if out is not None:
        check_folder(out, TABLE, FOLDER)
    about = {
        "digest": instance.digest, "model": model, "relaxed": relax, "gap": options.gap, "seed": options.seed,
        "time_limit_s": options.time_limit_s, "version": __version__,
    }  # fmt: skip
    store = Store(out, about)
    steps = Steps(replace(options, method="monolith"), stop=Stop(float("inf"), asked=stop.asked), listen=listen)
    spec = read_model(model)
    if spec.cuts:
        spec = steps.with_caps(steps.prepare(instance, cache_dir=cache_dir), spec)

    def solved(name: str, changed: Instance) -> Point:
        if (known := store.find(name)) is not None:
            return known
        (point,) = run_sweep(
            changed, axis=axis_of("demand", changed), values=[1.0], model=spec, options=options, relax=relax,
            cache_dir=cache_dir, listen=listen, stop=stop,
        ).points  # fmt: skip
        if not stop.asked.is_set():
            store.keep(name, point)
        return point

    units = [
        (row, end, float(row[f"{end}_factor"]))
        for row in rows
        for end in ("low", "high")
        if row[f"{end}_factor"] != 1 and (not tables or row["table"] in tables)
    ]
    base, effects, begun = solved(BASE, instance), [], time.perf_counter()
    if base.cost_eur is None:
        raise NbbError(f"the instance as it is has no plan ({base.status}); give more time, or look at it with solve")
    for done, (row, end, factor) in enumerate(units):
        if stop.asked.is_set():
            break
        left_s = (time.perf_counter() - begun) / done * (len(units) - done) if done else 0.0
        said = f", about {left_s / 60:.0f} min left" if done else ""
        say(f"{done + 1} of {len(units)}: {row['table']}.{row['column']} {row['row']} times {factor:g}{said}")
        effects.append(_effect(instance, row, end, factor, base, solved))
    table = _ordered(effects)
    if out is not None:
        write_file(out / TABLE, table.to_csv(index=False, lineterminator="\n"))
        write_file(out / PAGE, _page(instance, table, about))
    return table


def _effect(
    instance: Instance, row: Mapping[Hashable, Any], end: str, factor: float, base: Point,
    solved: Callable[[str, Instance], Point],
) -> Effect:  # fmt: skip
    figure = f"{row['table']}.{row['column']}" + ("" if row["row"] == "*" else f" of {row['row']}")
    statement = on_row(row["table"], row["row"], row["column"], f"*= {factor!r}")
    if row["row"] == "*" and "source" in {column.name for column in BY_NAME[row["table"]].columns}:
        statement = f"{row['table']}.{row['column']}[source=assumption] *= {factor!r}"
    try:
        point = solved(statement, instance.with_changes(statement))
    except InstanceError as fault:
        note = str(fault.problems[0])
        return Effect(figure=figure, end=end, factor=factor, status="not varied", note=note)
    if point.cost_eur is None or base.cost_eur is None:
        return Effect(figure=figure, end=end, factor=factor, status=point.status)
    low = point.cost_eur if point.bound_eur is None else point.bound_eur
    low_of_base = base.cost_eur if base.bound_eur is None else base.bound_eur
    decided = low > base.cost_eur or point.cost_eur < low_of_base
    return Effect(
        figure=figure, end=end, factor=factor, status=point.status, decided=decided,
        cost_difference_eur=point.cost_eur - base.cost_eur,
        emissions_difference_t_co2e=(point.emissions_t or 0.0) - (base.emissions_t or 0.0),
        projects_entering=tuple(sorted(set(point.built) - set(base.built))),
        projects_leaving=tuple(sorted(set(base.built) - set(point.built))),
    )  # fmt: skip


def _ordered(effects: Sequence[Effect]) -> pd.DataFrame:
    """Figures with the greatest effect on cost first, their two ends together; those not varied last."""
    table = pd.DataFrame([vars(effect) for effect in effects], columns=list(Effect.__dataclass_fields__))
    for name in ("projects_entering", "projects_leaving"):
        table[name] = table[name].map("; ".join)
    table["decided"] = table["decided"].astype("boolean")
    size = table["cost_difference_eur"].astype(float).abs().fillna(-1.0)
    most = size.groupby(table["figure"]).transform("max")
    order = pd.DataFrame({"most": -most, "figure": table["figure"], "end": table["end"].eq("high")})
    return table.loc[order.sort_values(["most", "figure", "end"]).index].reset_index(drop=True)


def _page(instance: Instance, table: pd.DataFrame, about: Mapping[str, Any]) -> str:
    varied = table[table["cost_difference_eur"].notna()]
    bars = [
        (str(figure), {str(end): float(eur) / 1e6 for end, eur in zip(ends["end"], ends["cost_difference_eur"],
                                                                       strict=True)})
        for figure, ends in varied.groupby("figure", sort=False)
    ][:BARS]  # fmt: skip
    columns = [
        Column("Figure"), Column("Times", "decimal"), Column("System cost", "meur", "MEUR"),
        Column("CO2e in all years", "kt", "kt"), Column("Proven"), Column("Projects in"), Column("Projects out"),
        Column("Remark"),
    ]  # fmt: skip
    words = {True: "yes", False: "no: inside the gaps"}
    rows: list[list[Cell]] = [
        [str(row["figure"]), float(row["factor"]), _scaled(row["cost_difference_eur"], 1e6),
         _scaled(row["emissions_difference_t_co2e"], 1e3), "" if pd.isna(row["decided"]) else words[row["decided"]],
         str(row["projects_entering"]), str(row["projects_leaving"]),
         str(row["note"]) if row["note"] else ("" if row["cost_difference_eur"] == row["cost_difference_eur"]
                                               else str(row["status"]))]
        for row in table.to_dict("records")
    ]  # fmt: skip
    lead = "No figure with a range could be varied."
    if bars:
        name, ends = bars[0]
        lead = f"{name} matters most for the cost: {min(ends.values()):+,.1f} to {max(ends.values()):+,.1f} MEUR."
    kind = "LP relaxations: lower bounds, fractions of projects" if about["relaxed"] else "verified plans"
    drawing = tornado_bars(bars, unit="MEUR", key="tornado", title="Effect on system cost") if bars else None
    text = "Each figure is set to the low and the high end of its range, all else as it is; the greatest effect first."
    return render_study(
        instance, f"{instance.meta.title}: what if a figure is wrong?", sentences=[lead],
        description=f"Model {about['model']}; {kind}.",
        sections=[Section("Tornado", text, [Grid("Effects", columns, rows, first=40)], drawing)],
    )  # fmt: skip


def _scaled(value: Any, by: float) -> float | None:
    return None if pd.isna(value) else float(value) / by
