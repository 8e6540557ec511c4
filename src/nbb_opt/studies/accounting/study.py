"""What an answer owes to its accounting: the same plan counted otherwise, and the plan that is best when it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from nbb_opt.emissions.ledger import FACTORS, HUB, KG, build_ledger
from nbb_opt.errors import Infeasible, NbbError, NoPlan, Stopped
from nbb_opt.instance import Instance, by_period
from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import bars_of, solve_instance
from nbb_opt.report.charts.charts import Series, stacked_rows
from nbb_opt.report.charts.svg import PALETTE
from nbb_opt.report.grid import Column, Grid, Section
from nbb_opt.report.study import Answer, whole
from nbb_opt.report.text import duration, listed, plural, short
from nbb_opt.result import Run
from nbb_opt.solve import Stop
from nbb_opt.studies.accounting.choices import AGAIN, Choice, NotApplicable
from nbb_opt.studies.units import STOPPED, Record, Study, StudyOptions, Unit

AS_STATED = "as_stated"
SHOWN_FLIPS = 5
MAIN_MODE = ["origin", "destination", "commodity", "year", "main_mode"]
FLIP = ("origin", "destination", "commodity", "year", "from_mode", "to_mode")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One choice: emissions in t CO2e by period for the same plan and for the re-optimised one, its cost in EUR.

    `flips` lists bundles whose main mode changes: origin, destination, commodity, year, from_mode, to_mode. Where
    `status` is no solver's word there is no re-optimised plan, and it says why.
    """

    choice: str
    title: str
    factors: tuple[str, ...]
    status: str
    same_plan_t: Mapping[int, float]
    cost_eur: float | None = None
    emissions_t: Mapping[int, float] = field(default_factory=dict)
    gap: float | None = None
    flips: tuple[Mapping[str, Any], ...] = ()

    @property
    def flipped_bundles(self) -> int:
        """How many bundles have another main mode in some period."""
        return len({(flip["origin"], flip["destination"], flip["commodity"]) for flip in self.flips})


@dataclass(kw_only=True)
class AccountingWork:
    """Solves the instance as each choice counts it, its bars first, as a run has them."""

    changed: Mapping[str, Instance]
    model: str
    options: SolveOptions
    cache_dir: Path | None = None

    def __call__(self, asked: Mapping[str, Any], before: Record | None, stop: Stop) -> Record:
        """Status, cost, gap, emissions and the main mode of every bundle; of what has no plan, the status says why."""
        try:
            run = solve_instance(
                self.changed[asked["choice"]], model=self.model, options=self.options, cache_dir=self.cache_dir,
                stop=Stop(self.options.time_limit_s, asked=stop.asked),
            )  # fmt: skip
        except Stopped:
            raise
        except (Infeasible, NoPlan) as finding:
            return {"status": f"no plan: {str(finding).splitlines()[0]}"}
        found = {name: run.record[name] for name in ("status", "cost_eur", "gap", "emissions_t_co2e")}
        return {**found, "main_modes": main_mode_by_bundle(run.tables).to_numpy(object).tolist()}


def accounting_study(
    instance: Instance, run: Run, choices: Sequence[Choice], how: StudyOptions
) -> tuple[Study, list[Row]]:
    """The study and its rows: the run itself, then one per choice. Raises nothing for a choice that has no plan.

    Flips are against the plan of the choice `solved_again` once that is solved, which is as good as the others, and
    against the run before: two plans within the gap of the solver may differ by chance. What somebody stopped has no
    row.
    """
    if "extension" in run.record:
        raise NbbError("sensitivity: the run has rules of your own, which are not solved again here; give one without")
    changed, left_out = dict[str, Instance](), dict[str, Row]()
    for choice in choices:
        try:
            changed[choice.name] = choice.change(instance)
        except NotApplicable as finding:
            left_out[choice.name] = _without_plan(choice, f"left out: {finding}")
    model, options = run.record["model"], how.options
    about = {
        "instance": instance.meta.name, "instance_digest": instance.digest, "model": model, **asdict(options),
        "plan": {name: run.record[name] for name in ("cost_eur", "emissions_t_co2e")},
    }  # fmt: skip
    units = [
        Unit(choice.title, {"choice": choice.name, "instance_digest": changed[choice.name].digest})
        for choice in choices if choice.name in changed
    ]  # fmt: skip
    work = AccountingWork(changed=changed, model=model, options=options, cache_dir=how.cache_dir)
    took_s, bars = sum(run.record.get("seconds", {}).values()), bars_of(model, reference=options.reference)
    how.say(
        f"{plural(len(units), 'way', 'ways')} to count, each solved as the run was, with "
        f"{plural(len(bars), 'bar', 'bars')} ({listed(list(bars))}): about {duration(took_s)} each, "
        f"{duration(took_s * len(units))} in all"
    )  # fmt: skip
    with how.study("sensitivity", about, work, solves=len(units)) as study:
        found = study.run(units)
    own = {int(year): float(value) for year, value in run.record["emissions_t_co2e"].items()}
    rows = [
        Row(
            choice=AS_STATED, title="as the instance states", factors=(), status=run.record["status"], same_plan_t=own,
            cost_eur=run.record["cost_eur"], emissions_t=own, gap=run.record["gap"],
        )
    ]  # fmt: skip
    reference = main_mode_by_bundle(run.tables)
    for choice in choices:
        if choice.name in left_out:
            rows.append(left_out[choice.name])
        elif choice.title in found:
            row, modes = _row(choice, instance, changed[choice.name], run, found[choice.title], reference)
            rows.append(row)
            if choice.name == AGAIN and modes is not None:
                reference = modes
    return study, rows


def _without_plan(choice: Choice, why: str, same_plan_t: Mapping[int, float] | None = None) -> Row:
    return Row(
        choice=choice.name, title=choice.title, factors=choice.factors, status=why, same_plan_t=same_plan_t or {}
    )


def _row(
    choice: Choice, instance: Instance, changed: Instance, run: Run, record: Record, reference: pd.DataFrame
) -> tuple[Row, pd.DataFrame | None]:
    """The row of a choice and the main modes of its plan, None if it has none."""
    if changed.meta.grid_method != instance.meta.grid_method:
        choice = replace(choice, title=f"{choice.title} ({changed.meta.grid_method})")
    row = _without_plan(choice, record["status"], same_plan_t(instance, changed, run.tables))
    if "cost_eur" not in record:
        return row, None
    modes = pd.DataFrame(record["main_modes"], columns=MAIN_MODE)
    return replace(
        row, cost_eur=record["cost_eur"], gap=record["gap"], flips=mode_flips(reference, modes),
        emissions_t={int(year): float(value) for year, value in record["emissions_t_co2e"].items()},
    ), modes  # fmt: skip


def same_plan_t(instance: Instance, changed: Instance, tables: Mapping[str, pd.DataFrame]) -> dict[int, float]:
    """WTW t CO2e by period of a plan of `instance`, its energy and handling counted with the figures of `changed`."""
    columns = ["vehicle", "mode", "energy_carrier"]
    pairs = instance["vehicles"][columns].merge(changed["vehicles"][columns[::2]], on="vehicle", suffixes=("", "_new"))
    pairs = pairs[["mode", "energy_carrier", "energy_carrier_new"]].drop_duplicates()
    energy = tables["energy"].merge(pairs, on=["mode", "energy_carrier"], validate="many_to_one")
    energy = energy.assign(energy_carrier=energy["energy_carrier_new"])
    values = by_period(changed, "energy")[["energy_carrier", "country", "year", *FACTORS.values()]]
    energy = energy.merge(values, on=["energy_carrier", "country", "year"], validate="many_to_one")
    drawn = energy["kwh"] * energy[list(FACTORS.values())].sum(axis=1)
    hubs = build_ledger(changed, tables).lines.query("mode == @HUB", local_dict={"HUB": HUB})
    kg = drawn.groupby(energy["year"]).sum().add(hubs[KG].sum(axis=1).groupby(hubs["year"]).sum(), fill_value=0.0)
    return {period.year: float(kg.get(period.year, 0.0)) / 1000.0 for period in instance.periods}


def mode_flips(before: pd.DataFrame, after: pd.DataFrame) -> tuple[Mapping[str, Any], ...]:
    """Bundles and periods whose main mode (see `main_mode_by_bundle`) is another in `after`."""
    key = MAIN_MODE[:-1]
    both = before.merge(after, on=key, suffixes=("_before", "_after"))
    both = both[both["main_mode_before"] != both["main_mode_after"]].sort_values(key)
    names = {"main_mode_before": "from_mode", "main_mode_after": "to_mode"}
    return tuple(
        {str(name): value for name, value in row.items()} for row in both.rename(columns=names).to_dict("records")
    )


def main_mode_by_bundle(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Columns origin, destination, commodity, year, main_mode: the mode that carries most tonnes; ties by name."""
    rows = tables["flows"].merge(tables["chains"][["chain", "bundle", "main_mode"]], on="chain")
    sums = rows.groupby(["bundle", "year", "main_mode"], as_index=False)["tonnes"].sum()
    sums = sums.assign(tonnes=sums["tonnes"].round(3)).sort_values(["tonnes", "main_mode"], ascending=[False, True])
    best = sums.drop_duplicates(["bundle", "year"]).merge(tables["bundles"], on="bundle")
    return best[MAIN_MODE]


def sensitivity_answer(instance: Instance, rows: Sequence[Row], study: Study | None = None) -> Answer:
    """What an answer owes to its accounting: the first row is the plan as stated, then one for each choice.

    Tables: `sensitivity` (emissions in t CO2e over all years), `by_period` (t CO2e per year) and `flips`. Flips of
    `solved_again` show what is chance; those of the rows below it are against its plan.
    """
    lengths = {period.year: period.years for period in instance.periods}

    def over_all(tonnes: Mapping[int, float]) -> float | None:
        return sum(value * lengths[year] for year, value in tonnes.items()) if tonnes else None

    table = pd.DataFrame(
        {
            "choice": row.choice, "title": row.title, "status": row.status, "factors": ";".join(row.factors),
            "same_plan_t_co2e": over_all(row.same_plan_t), "cost_eur": row.cost_eur,
            "emissions_t_co2e": over_all(row.emissions_t), "gap": row.gap, "flipped_bundles": row.flipped_bundles,
        }
        for row in rows
    )  # fmt: skip
    by_period = [
        {"choice": row.choice, "year": year, "same_plan_t_co2e": t, "emissions_t_co2e": row.emissions_t.get(year)}
        for row in rows for year, t in row.same_plan_t.items()
    ]  # fmt: skip
    flips = [{"choice": row.choice, **flip} for row in rows for flip in row.flips]
    same_kt = table["same_plan_t_co2e"].dropna() / 1e3
    flipped = [row.title for row in rows if row.flips and row.choice != AGAIN and not may_be_chance(row, rows[0])]
    shown = pd.DataFrame({
        "same plan kt": table["same_plan_t_co2e"] / 1e3, "cost MEUR": table["cost_eur"] / 1e6,
        "kt": table["emissions_t_co2e"] / 1e3, "flips": table["flipped_bundles"].where(table["cost_eur"].notna()),
        "how it ended": table["status"],
    }).set_axis(table["title"].rename(None))  # fmt: skip
    sentences = [
        f"The same plan emits {short(same_kt.min())} to {short(same_kt.max())} kt CO2e over all years, counted in "
        f"{plural(len(same_kt), 'way', 'ways')}.",
        f"Freight changes its main mode where emissions are counted by: {listed(flipped)}." if flipped
        else "No way of counting is shown to change the main mode of any freight.",
    ]  # fmt: skip
    return Answer(
        instance=instance, name="sensitivity", title="sensitivity to emission accounting",
        about={} if study is None else study.ended, records={} if study is None else dict(study.records),
        description="The same plan counted in other ways, and the plan that is best when it is; a flip is freight of "
        "one origin, destination and commodity whose main mode becomes another.",
        sentences=[STOPPED] if study is not None and study.stopped else sentences,
        shown=["", whole(shown, line_width=None, float_format="{:,.2f}".format, na_rep="-"), *_flip_lines(rows)],
        tables={"sensitivity": table, "by_period": pd.DataFrame(by_period),
                "flips": pd.DataFrame(flips, columns=["choice", *FLIP])},
        sections=_sections,
    )  # fmt: skip


def _flip_lines(rows: Sequence[Row]) -> list[str]:
    """The first flips of each choice."""
    lines = []
    for row in rows:
        if row.flips:
            chance = " (may be chance: cost differs by less than the gap)" if may_be_chance(row, rows[0]) else ""
            lines += ["", f"main mode flips, {row.title}{chance}:"]
            lines += [
                f"  {flip['origin']} to {flip['destination']}, {flip['commodity']}, {flip['year']}: "
                f"{flip['from_mode']} to {flip['to_mode']}"
                for flip in row.flips[:SHOWN_FLIPS]
            ]
            more = len(row.flips) - SHOWN_FLIPS
            lines += [f"  and {more} more in its record"] if more > 0 else []
    return lines


def _sections(found: Answer) -> list[Section]:
    columns = [
        Column("Choice"), Column("Same plan", "kt", "kt CO2e"), Column("Best plan", "meur", "MEUR"),
        Column("Best plan", "kt", "kt CO2e"), Column("Flips", "count"), Column("How it ended"),
    ]  # fmt: skip
    figures = ["title", "same_plan_t_co2e", "cost_eur", "emissions_t_co2e", "flipped_bundles", "status"]
    scaled = found.table[figures].assign(
        same_plan_t_co2e=found.table["same_plan_t_co2e"] / 1e3, cost_eur=found.table["cost_eur"] / 1e6,
        emissions_t_co2e=found.table["emissions_t_co2e"] / 1e3,
    )  # fmt: skip
    scaled["status"] = scaled["status"].str.split(";").str[0]  # what to do about it is in the table
    rows = scaled.astype(object).where(scaled.notna(), None).to_numpy().tolist()
    flips = [
        Column(str(name).replace("_", " ").capitalize(), "year" if name == "year" else "text") for name in found.flips
    ]
    counted = found.table.dropna(subset="same_plan_t_co2e")
    bars = [(title, {"kt": kt / 1e3}) for title, kt in zip(counted["title"], counted["same_plan_t_co2e"], strict=True)]
    drawing = stacked_rows(
        bars, [Series("kt", "the same plan", PALETTE[0])], unit="kt CO2e over all years", key="counted",
        title="Emissions of the same plan, counted in each way",
    )  # fmt: skip
    text = "Emissions of the same plan over all years, counted in each way."
    return [
        Section("Ways to count", text, [Grid("Choices", columns, rows, first=40)], drawing),
        Section("What changes its main mode", "" if len(found.flips) else "Nothing.",
                [Grid("Flips", flips, found.flips.to_numpy(object).tolist())] if len(found.flips) else []),
    ]  # fmt: skip


def may_be_chance(row: Row, stated: Row) -> bool:
    """Whether the plan of a row could as well be the stated one: their costs differ by no more than what is not proven.

    A choice that is not paid for (a grid factor where carbon is priced on the exhaust) leaves the cost as it is; which
    of the plans within the gap is found is then up to the solver.
    """
    if row.cost_eur is None or row.gap is None or stated.cost_eur is None:
        return False
    return abs(row.cost_eur - stated.cost_eur) <= max(row.gap, stated.gap or 0.0) * abs(stated.cost_eur)
