"""Projects and policies."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date

from nbb_opt.errors import Problem
from nbb_opt.instance.cells import split_list
from nbb_opt.instance.rules.registry import RuleContext, rule
from nbb_opt.instance.schema import BY_NAME, EFFECT_COLUMNS
from nbb_opt.instance.wording import did_you_mean, listed, number

_SHARE_ROUNDING = 1e-6


@rule("project_funding")
def funding_shares_add_up(context: RuleContext) -> Iterator[Problem]:
    """The funding shares of a project, if given, add up to 1."""
    shares: dict[str, float] = {}
    first: dict[str, int] = {}
    for i, row in context.rows("project_funding"):
        shares[row["project"]] = shares.get(row["project"], 0.0) + row["share"]
        first.setdefault(row["project"], i)
    at_fault = {context.frames["project_funding"]["project"].iloc[i] for i in context.faults["project_funding"].rows}
    for project, share in shares.items():
        if abs(share - 1) > _SHARE_ROUNDING and project not in at_fault:
            what = f"has shares that add up to {number(round(share, 9))}"
            missing = number(round(1 - share, 9))
            hint = f"{missing} is missing" if share < 1 else "they must add up to 1"
            yield context.fault("project_funding", first[project], "project", project, what, hint)


@rule("project_effects", uses=("links", "terminals", "charge_areas"))
def effects_change_an_existing_figure(context: RuleContext) -> Iterator[Problem]:
    """A project effect names a row of its table, that table's column, and a figure that is not unlimited already."""
    for i, row in context.rows("project_effects"):
        table, column = row["table"], row["column"]
        if column != EFFECT_COLUMNS[table]:
            hint = f"did you mean {EFFECT_COLUMNS[table]!r}?"
            what = f"is not what a project changes in {table}"
            yield context.fault("project_effects", i, "column", column, what, hint)
            continue
        key = BY_NAME[table].key[0]
        rows = {other[key]: other for other in context.each(table)}
        if row["row"] not in rows:
            hint = did_you_mean(row["row"], rows) or f"name a {key} of {context.file(table)}"
            yield context.fault("project_effects", i, "row", row["row"], f"is not in {table}.{key}", hint)
            continue
        changed = rows[row["row"]]
        if math.isnan(changed[column]):
            shared = changed.get("capacity_link")
            what = f"has a blank {column}, which is unlimited already"
            hint = f"did you mean {shared!r}?" if shared else f"give it a {column}, or remove the effect"
            yield context.fault("project_effects", i, "row", row["row"], what, hint)


@rule("projects", uses=("project_effects", "links", "transfers"))
def projects_do_something(context: RuleContext) -> Iterator[Problem]:
    """Every project has an effect, or a link or transfer that exists only with it."""
    used = {row["project"] for table in ("project_effects", "links", "transfers") for row in context.each(table)}
    for i, row in context.rows("projects"):
        if row["project"] not in used:
            hint = "add a row to project_effects, or name it in the project column of a link or transfer"
            yield context.fault("projects", i, "project", row["project"], "changes nothing", hint)


@rule("projects", uses=("projects",))
def projects_do_not_require_in_a_circle(context: RuleContext) -> Iterator[Problem]:
    """A project does not require itself, directly or through others."""
    requires = {row["project"]: split_list(row["requires"]) for row in context.each("projects")}
    told: set[str] = set()
    for i, row in context.rows("projects"):
        path = _way_back(row["project"], requires)
        if path and row["project"] not in told:
            told.update(path)
            what = "requires itself" if len(path) == 2 else f"requires itself in a circle: {' -> '.join(path)}"
            yield context.fault("projects", i, "requires", row["requires"], what, "remove one of the requirements")


@rule("projects", uses=("projects",))
def projects_do_not_exclude_what_they_require(context: RuleContext) -> Iterator[Problem]:
    """A project excludes neither itself nor a project it requires, directly or through others, nor do those."""
    rows = {row["project"]: row for row in context.each("projects")}
    excludes = {(name, other) for name, row in rows.items() for other in split_list(row["excludes"])}
    for i, row in context.rows("projects"):
        if (row["project"], row["project"]) in excludes:
            yield context.fault("projects", i, "excludes", row["excludes"], "holds the project itself", "remove it")
        together = sorted({row["project"], *_needed(row["project"], rows)})
        pair = next(((a, b) for a in together for b in together if a != b and (a, b) in excludes), None)
        if pair:
            what = f"can never be built: it needs {pair[0]} and {pair[1]}, and one excludes the other"
            yield context.fault("projects", i, "requires", row["requires"], what, "correct requires or excludes")


@rule("projects", uses=("projects", "meta"))
def required_projects_can_be_built(context: RuleContext) -> Iterator[Problem]:
    """What must be in service from a year on can be by then, with all that it needs; and some period starts then."""
    rows = {row["project"]: row for row in context.each("projects")}
    last = max(period.year for period in context.periods)
    for i, row in context.rows("projects"):
        year = row["required_from_year"]
        if math.isnan(year):
            continue
        late = [name for name in sorted({row["project"], *_needed(row["project"], rows)})
                if name in rows and rows[name]["earliest_year"] > year]  # fmt: skip
        if late:
            what = f"is before {late[0]} can be in service ({rows[late[0]]['earliest_year']})"
            yield context.fault("projects", i, "required_from_year", int(year), what, "give a later year")
        elif year > last:
            what = f"is after the last period begins ({last})"
            yield context.fault("projects", i, "required_from_year", int(year), what, "give an earlier year")


def _needed(project: str, rows: dict[str, dict[str, str]]) -> set[str]:
    needed: set[str] = set()
    ahead = [project]
    while ahead:
        for other in split_list(rows[ahead.pop()]["requires"]):
            if other not in needed:
                needed.add(other)
                ahead.append(other)
    return needed


def _way_back(start: str, requires: dict[str, list[str]]) -> list[str]:
    """A chain of requirements from a project back to itself; empty if there is none."""
    came_from: dict[str, str] = {}
    ahead = [start]
    while ahead:
        name = ahead.pop()
        for other in requires[name]:
            if other == start:
                path = [start, name] if name != start else [start]
                while path[-1] != start:
                    path.append(came_from[path[-1]])
                return path[::-1] if len(path) > 1 else [start, start]
            if other not in came_from:
                came_from[other] = name
                ahead.append(other)
    return []


@rule("projects", uses=("projects",))
def committed_projects_need_no_decision(context: RuleContext) -> Iterator[Problem]:
    """A project that is decided has one unit and a date, requires only what is and excludes nothing that is."""
    idea = {row["project"] for row in context.each("projects") if row["status"] in ("", "idea", "market")}
    for i, row in context.rows("projects"):
        if row["project"] in idea:
            continue
        said = f"is {row['status'].replace('_', ' ')}"
        if row["max_units"] != 1:
            yield context.fault(
                "projects", i, "max_units", row["max_units"], f"are more units than one, and the project {said}",
                "give 1, and a project of its own to what is still to be decided",
            )  # fmt: skip
        if not row["status_date"]:
            yield context.fault("projects", i, "status_date", None, f"is blank, and the project {said}", "give the day")
        for column, odd in (
            ("requires", idea),
            ("excludes", {row["project"] for row in context.each("projects")} - idea),
        ):
            for other in sorted(odd & set(split_list(row[column]))):
                whether = "not decided" if column == "requires" else "decided"
                what = f"{column} {other}, which is {whether}, and the project {said}"
                yield context.fault("projects", i, column, row[column], what, "correct one of the two statuses")


@rule("links", uses=("projects",))
def links_have_the_status_of_their_project(context: RuleContext) -> Iterator[Problem]:
    """A link without a project exists; one with a project is as far as that is."""
    projects = {row["project"]: row["status"] or "idea" for row in context.each("projects")}
    for i, row in context.rows("links"):
        true = projects.get(row["project"], "existing")
        if row["status"] not in ("", true):
            whose = f"its project {row['project']} is" if row["project"] else "no project brings it, so that it is"
            hint = "name the project that brings it" if not row["project"] else "correct one of the two"
            yield context.fault("links", i, "status", row["status"], f"{whose} {true}", hint)


def _is_day(text: str) -> bool:
    try:
        return len(text) == len("2026-01-01") and date.fromisoformat(text) is not None
    except ValueError:
        return False


@rule("projects", "links", "sites")
def dates_of_a_status_are_days(context: RuleContext) -> Iterator[Problem]:
    """A status_date is a day written YYYY-MM-DD."""
    for table in ("projects", "links", "sites"):
        for i, row in context.rows(table):
            day = row["status_date"]
            if day and not _is_day(day):
                yield context.fault(table, i, "status_date", day, "is not a day", "write it as 2026-11-30")


_ABOUT_TECHNOLOGY = ("cap_technology_share", "ban_purchase")
_SHARES = ("cap_technology_share", "require_zero_emission_share", "limit_mode_shift_share_per_year")


@rule("policies")
def policies_have_the_value_of_their_kind(context: RuleContext) -> Iterator[Problem]:
    """A policy has a value, but for a ban, which has none."""
    for i, row in context.rows("policies"):
        blank = math.isnan(row["value"])
        if row["kind"] == "ban_purchase" and not blank:
            yield context.fault("policies", i, "value", row["value"], "is given for a ban", "leave it blank")
        elif row["kind"] != "ban_purchase" and blank:
            what = f"is blank for {row['kind']}"
            yield context.fault("policies", i, "value", None, what, "the last part of the kind is its unit")


@rule("policies")
def policies_about_shares_are_shares(context: RuleContext) -> Iterator[Problem]:
    """A share is between 0 and 1."""
    for i, row in context.rows("policies"):
        if row["kind"] in _SHARES and row["value"] > 1:
            hint = f"did you mean {number(row['value'] / 100)}?" if row["value"] <= 100 else "give a share"
            yield context.fault("policies", i, "value", row["value"], "is a share above 1", hint)


@rule("policies", uses=("vehicles",))
def policies_name_a_truck_technology(context: RuleContext) -> Iterator[Problem]:
    """cap_technology_share and ban_purchase name a technology of some truck; other policies name none."""
    trucks = sorted({row["technology"] for row in context.each("vehicles") if row["mode"] == "road"})
    for i, row in context.rows("policies"):
        technology = row["technology"]
        if row["kind"] not in _ABOUT_TECHNOLOGY:
            if technology:
                what = f"is given for {row['kind']}"
                yield context.fault("policies", i, "technology", technology, what, "leave it blank")
        elif not technology:
            what = f"is blank for {row['kind']}"
            yield context.fault("policies", i, "technology", None, what, f"one of {listed(trucks)}")
        elif technology not in trucks:
            yield context.fault("policies", i, "technology", technology, "is of no truck", f"one of {listed(trucks)}")


@rule("policies", uses=("meta",))
def policies_begin_with_a_period(context: RuleContext) -> Iterator[Problem]:
    """The year of a policy is the start year of a period; for a ban any year."""
    starts = [period.year for period in context.periods]
    for i, row in context.rows("policies"):
        year = row["year"]
        if row["kind"] == "ban_purchase" or math.isnan(year) or year in starts:
            continue
        nearest = min(starts, key=lambda start: abs(start - year))
        hint = f"did you mean {nearest}? Periods start in {listed(map(str, starts))}"
        yield context.fault("policies", i, "year", year, "is not the start year of a period", hint)


@rule("policies")
def mode_shares_are_kept_everywhere(context: RuleContext) -> Iterator[Problem]:
    """limit_mode_shift_share_per_year names no country: it holds for flows, which cross borders."""
    for i, row in context.rows("policies"):
        if row["kind"] == "limit_mode_shift_share_per_year" and row["country"]:
            what = "is given for limit_mode_shift_share_per_year"
            yield context.fault("policies", i, "country", row["country"], what, "leave it blank")


@rule("policies")
def policies_are_said_once(context: RuleContext) -> Iterator[Problem]:
    """No two policies have the same kind, country, technology and year."""
    seen: dict[tuple[object, ...], int] = {}
    for i, row in context.rows("policies"):
        year = None if math.isnan(row["year"]) else row["year"]
        first = seen.setdefault((row["kind"], row["country"], row["technology"], year), i)
        if first != i:
            what = f"says the same kind of thing as row {context.faults['policies'].file.row(first)}"
            yield context.fault("policies", i, "policy", row["policy"], what, "remove one of the two")
