"""A fleet plan as a haulier writes it, one row for each number, and as it is typed: each fault at its cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from nbb_opt.errors import InstanceError, Problem
from nbb_opt.instance import Instance
from nbb_opt.instance.cells import CellFaults
from nbb_opt.instance.read import check_keys, frame_of, parsed
from nbb_opt.instance.schema import Column, Table
from nbb_opt.instance.tables.one_table import read_typed_table
from nbb_opt.instance.wording import TableFile, did_you_mean, listed
from nbb_opt.instance.workbook.write import write_sheet
from nbb_opt.output import write_file

TRUCK, CHARGER, PROJECT, ORDER = "truck", "charger", "project", "order"
PLAN = Table(
    "plan",
    "a number that the plan sets, from a period on",
    ("what", "place", "type", "year"),
    (
        Column("what", "choice", "what is planned", options=(TRUCK, CHARGER, PROJECT, ORDER)),
        Column(
            "place", "text", "fleet region of a truck, charging area of a charger, FROM>TO:COMMODITY of an order",
            blank="a project has none",
        ),
        Column("type", "text", "vehicle, charger or project; for an order the vehicle that drives it"),
        Column("year", "year", "first year of the period from which it holds", "year", low=1950, high=2120),
        Column(
            "number", "number", "trucks, chargers, units in service; for an order the share the vehicle drives", low=0,
            high=1e6,
        ),
        Column("note", "text", "a remark", blank="nothing to add"),
    ),
)  # fmt: skip


_TYPED = replace(  # a row without a number is one truck
    PLAN, columns=tuple(replace(c, blank="one") if c.name == "number" else c for c in PLAN.columns)
)


@dataclass(frozen=True)
class FleetPlan:
    """What a plan sets, one row per thing and period: columns place, type, t (period), number.

    A truck, charger or project the plan does not name is planned with zero. `orders` has origin, destination,
    commodity, vehicle, t, share; an order the plan does not name may be driven by any truck of the plan.
    """

    trucks: pd.DataFrame
    chargers: pd.DataFrame
    projects: pd.DataFrame
    orders: pd.DataFrame


def read_plan(
    path: Path, instance: Instance, bundles: pd.DataFrame, *, note: Callable[[str], None] = lambda line: None
) -> FleetPlan:
    """A plan from a CSV file, or from the sheet `plan` of a workbook; `bundles` are the orders of the instance.

    Raises InstanceError with every problem: unknown names, years that begin no period, fractions of trucks, shares of
    an order above one, orders that nobody placed.
    """
    table, file = read_plan_table(path, note)
    problems = list(name_problems(file, table, instance, order_names(bundles)))
    if problems:
        raise InstanceError(problems)
    return plan_of(table, instance)


def read_plan_table(path: Path, note: Callable[[str], None] = lambda line: None) -> tuple[pd.DataFrame, TableFile]:
    """The rows of a plan as people type them (`read_typed_table`), and the file, which names the place of a cell.

    Rows of one truck or charger each, without a number or with 1, are added up; other rows that set one number twice
    are problems. Names and years are not looked up. Raises InstanceError with every problem.
    """
    table, file = read_typed_table(path, _TYPED, note)
    key = list(PLAN.key)
    of_one = table["number"].fillna(1.0).eq(1.0) & table["what"].isin([TRUCK, CHARGER])
    several = table.duplicated(key, keep=False) & ~of_one.groupby([table[name] for name in key]).transform("all")
    if twice := table.index[several & table.duplicated(key)].tolist():
        what = "sets a number that another row sets"
        hint = "keep one of the rows; rows of one truck each have the number 1 or none"
        raise InstanceError([Problem(file.place(i, ", ".join(key)), what, hint, "plan") for i in twice])
    number = table["number"].fillna(1.0).groupby([table[name] for name in key]).transform("sum")
    return table.assign(number=number)[~table.duplicated(key)], file


def plan_of(table: pd.DataFrame, instance: Instance) -> FleetPlan:
    """The plan of a checked table."""
    parts = {what: _over_time(table[table["what"] == what], instance) for what in (TRUCK, CHARGER, PROJECT, ORDER)}
    orders = parts[ORDER]
    ends = orders["place"].str.extract(r"^(?P<origin>[^>]*)>(?P<destination>.*):(?P<commodity>[^:]*)$").astype("str")
    orders = orders.rename(columns={"type": "vehicle", "number": "share"}).drop(columns=["place"])
    return FleetPlan(parts[TRUCK], parts[CHARGER], parts[PROJECT], pd.concat([orders, ends], axis=1))


def _over_time(rows: pd.DataFrame, instance: Instance) -> pd.DataFrame:
    """Each number in the period of its row and in later ones, until another row says something else."""
    found = []
    for (place, kind), group in rows.groupby(["place", "type"], sort=True):
        said = dict(zip(group["year"].tolist(), group["number"].tolist(), strict=True))
        number = 0.0
        for t, period in enumerate(instance.periods):
            number = said.get(period.year, number)
            if number:
                found.append((str(place), str(kind), t, float(number)))
    frame = pd.DataFrame(found, columns=["place", "type", "t", "number"])
    return frame.astype({"place": "str", "type": "str", "t": "int64", "number": "float64"})


def changed(plan: FleetPlan, rows: pd.DataFrame, years: list[int]) -> FleetPlan:
    """The plan with other numbers in single periods; `rows` has what, place, type, year, repaired."""
    parts = {TRUCK: plan.trucks, CHARGER: plan.chargers, PROJECT: plan.projects}
    orders = plan.orders
    names = orders["origin"] + ">" + orders["destination"] + ":" + orders["commodity"]
    for row in rows.to_dict("records"):
        t, number = years.index(row["year"]), float(row["repaired"])
        if row["what"] == ORDER:
            same = (names == row["place"]) & (orders["vehicle"] == row["type"]) & (orders["t"] == t)
            orders = orders.assign(share=orders["share"].mask(same, number))
            continue
        frame = parts[row["what"]]
        same = (frame["place"] == row["place"]) & (frame["type"] == row["type"]) & (frame["t"] == t)
        new = pd.DataFrame([(row["place"], row["type"], t, number)], columns=frame.columns)
        parts[row["what"]] = pd.concat([frame[~same], new.astype(frame.dtypes)], ignore_index=True)
    return FleetPlan(parts[TRUCK], parts[CHARGER], parts[PROJECT], orders)


def template(instance: Instance) -> pd.DataFrame:
    """A plan to begin with: today's trucks as long as they live, no chargers, no projects."""
    fleet = instance["fleet"].merge(instance["vehicles"][["vehicle", "lifetime_years"]], on="vehicle", how="left")
    rows = []
    for (region, vehicle), group in fleet.groupby(["fleet_region", "vehicle"], sort=True):
        for period in instance.periods:
            alive = group["vintage_year"] + group["lifetime_years"] > period.year
            rows.append((TRUCK, region, vehicle, period.year, float(group.loc[alive, "vehicles"].sum()), ""))
    return pd.DataFrame(rows, columns=[column.name for column in PLAN.columns])


def plan_in_service(instance: Instance, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """A plan with the trucks, chargers and projects in service in result tables; orders are left to the trucks."""
    numbers = {
        TRUCK: tables["fleet"].groupby(["fleet_region", "vehicle", "year"])["kept"].sum(),
        CHARGER: tables["chargers"].groupby(["charge_area", "charger", "year"])["in_service"].sum(),
        PROJECT: tables["projects"].assign(place="").groupby(["place", "project", "year"])["in_service"].sum(),
    }
    rows = []
    for what, said in numbers.items():
        for place, kind in sorted({(place, kind) for place, kind, _ in said.index.tolist()}):
            for period in instance.periods:
                number = float(said.get((place, kind, period.year), 0.0))
                rows.append((what, place, kind, period.year, number, ""))
    return pd.DataFrame(rows, columns=[column.name for column in PLAN.columns])


def number_text(number: float) -> str:
    """A number as it stands in a plan.

    >>> number_text(13.0), number_text(0.5)
    ('13', '0.5')
    """
    return str(int(number)) if number == int(number) else repr(float(number))


def write_plan(table: pd.DataFrame, path: Path) -> None:
    """Write a plan as .csv, or as a workbook with the sheet `plan` to fill in. Raises InstanceError for other names."""
    if path.suffix == ".xlsx":
        write_sheet(table, PLAN, path)
    elif path.suffix == ".csv":
        write_file(path, table.assign(number=table["number"].map(number_text)).to_csv(index=False))
    else:
        raise InstanceError([Problem(str(path), "is neither .csv nor .xlsx", "name the plan so", "plan")])


def types_and_places(instance: Instance, orders: list[str]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """What may stand in the columns type and place, by what is planned; `orders` are names as of `order_names`."""
    ids = {name: instance[table][column].tolist() for name, (table, column) in _NAMES.items()}
    trucks = instance["vehicles"].loc[instance["vehicles"]["mode"] == "road", "vehicle"].tolist()
    types = {TRUCK: trucks, ORDER: trucks, CHARGER: ids["charger"], PROJECT: ids["project"]}
    return types, {TRUCK: ids["region"], CHARGER: ids["area"], PROJECT: [""], ORDER: orders}


def name_problems(file: TableFile, table: pd.DataFrame, instance: Instance, orders: list[str]) -> Iterator[Problem]:
    """Names, years and numbers that the instance does not allow; rows are named by the index of the table."""

    def at(index: int, column: str, value: object, what: str, hint: str) -> Problem:
        return Problem(file.place(index, column, value), what, hint, "plan")

    types, places = types_and_places(instance, orders)
    years = [period.year for period in instance.periods]
    for i, row in zip(table.index.tolist(), table.to_dict("records"), strict=True):
        what, place, kind = row["what"], row["place"], row["type"]
        if place not in places[what]:
            hint = did_you_mean(place, places[what]) or f"known: {listed(places[what])}"
            if what == PROJECT:
                hint = "leave it blank"
            yield at(i, "place", place, f"is no place of a {what}", hint)
        if kind not in types[what]:
            hint = did_you_mean(kind, types[what]) or f"known: {listed(types[what])}"
            yield at(i, "type", kind, f"is no {'truck' if what == ORDER else what}", hint)
        if row["year"] not in years:
            hint = f"periods begin in {listed(map(str, years))}; give the year from which it holds"
            yield at(i, "year", row["year"], "begins no period", hint)
        if what == ORDER and row["number"] > 1:
            hint = f"did you mean {row['number'] / 100:g}?" if row["number"] <= 100 else "give a share of the order"
            yield at(i, "number", row["number"], "is a share above 1", hint)
        if what != ORDER and row["number"] != np.floor(row["number"]):
            yield at(i, "number", row["number"], f"is no whole number of {what}s", "round it")
    shares = _over_time(table[table["what"] == ORDER], instance)
    for row in shares.groupby(["place", "t"])["number"].sum().reset_index().to_dict("records"):
        if row["number"] > 1 + 1e-9:
            what = f"has shares that add up to {row['number']:g} from {years[row['t']]} on"
            yield Problem(f"{file.file}, order {row['place']}", what, "shares of an order add up to 1 at most", "plan")


_NAMES = {
    "charger": ("chargers", "charger"),
    "project": ("projects", "project"),
    "region": ("fleet_regions", "fleet_region"),
    "area": ("charge_areas", "charge_area"),
}


def order_names(bundles: pd.DataFrame) -> list[str]:
    """ORIGIN>DESTINATION:COMMODITY of every flow, in the order of the bundles."""
    return (bundles["origin"] + ">" + bundles["destination"] + ":" + bundles["commodity"]).tolist()


COLUMNS = tuple(column.name for column in PLAN.columns)
Row = Sequence[str]


@dataclass(frozen=True)
class CellProblem:
    """What is wrong in the cells of one row (counted from 0); `row` is None if it is about the plan as a whole."""

    row: int | None
    columns: tuple[str, ...]
    what: str
    hint: str


class _Place(str):
    """A place in words that also knows its row and columns."""

    row: int
    columns: tuple[str, ...]


class _Typed(TableFile):
    def place(self, index: int, column: str = "", value: object = None) -> str:
        found = _Place(super().place(index, column, value))
        found.row, found.columns = int(index), tuple(name.strip() for name in column.split(",") if name)
        return found


def read_cells(
    rows: Sequence[Row], instance: Instance, orders: list[str]
) -> tuple[pd.DataFrame | None, list[CellProblem]]:
    """The plan in `rows` (texts in the order of COLUMNS), and every problem; no plan if there is a problem.

    Rows without any text are passed over. `orders` are the names of the orders (`order_names`).
    """
    problems: list[Problem] = []
    blank = {i for i, row in enumerate(rows) if not any(row)}
    faults = CellFaults(_Typed("plan", "plan", 1), problems, unusable=blank)
    values = parsed({name: [row[n] for row in rows] for n, name in enumerate(COLUMNS)}, PLAN, faults)
    assert values is not None
    frame = frame_of(PLAN, values)
    check_keys(PLAN, frame, faults)
    frame = frame.drop(index=sorted(blank))
    problems += name_problems(faults.file, frame[frame["what"].isin(PLAN.columns[0].options)], instance, orders)
    found: list[CellProblem] = []
    told: set[tuple[int, str]] = set()
    for problem in problems:
        where = problem.where
        if not isinstance(where, _Place):
            found.append(CellProblem(None, (), f"{where}: {problem.what}", problem.hint))
        elif not told & {(where.row, name) for name in where.columns}:  # of a cell the first fault is told
            told |= {(where.row, name) for name in where.columns}
            what = problem.what.replace("has the same key as", "says the same what, place, type and year as")
            found.append(CellProblem(where.row, where.columns, what, problem.hint))
    return (None if found else frame.reset_index(drop=True)), found


def cells_of(table: pd.DataFrame) -> list[list[str]]:
    """The texts of a plan, whole numbers without a point.

    >>> cells_of(pd.DataFrame([("truck", "U", "DIESEL", 2026, 3.0, "")], columns=list(COLUMNS)))
    [['truck', 'U', 'DIESEL', '2026', '3', '']]
    """
    return [
        [number_text(cell) if isinstance(cell, float) else str(cell) for cell in row]
        for row in table[list(COLUMNS)].itertuples(index=False)
    ]
