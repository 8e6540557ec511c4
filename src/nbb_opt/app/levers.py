"""The levers of a region: figures that may be set, projects, links and scenarios; and the what-if that is asked for.

What a lever changes is a statement of the one grammar of what-ifs (`instance/what_if.py`); present value, range and
source come from the tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from nbb_opt.app.store import Refused, good_name
from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance
from nbb_opt.instance.what_if import NEVER, quoted
from nbb_opt.report.basis import range_of
from nbb_opt.report.decisions import names_of
from nbb_opt.report.grid import each
from nbb_opt.report.text import MODE_WORDS, meur, number, plain, short

TIMES, SET = "*=", "="
BUILD, FORBID = "build", "forbid"
PRICES, RULES, DEMAND = "Prices", "Caps and rules", "Demand"
MOST = 60  # scenarios, links and the like in one request
RULE_WORDS = {
    "cap_emissions_t_per_year": "Cap on emissions", "cap_technology_share": "Largest share of trucks",
    "ban_purchase": "Last year of purchases",
    "require_zero_emission_share": "Least share of zero-emission trucks bought",
    "limit_budget_eur": "Public money in a period",
    "limit_mode_shift_share_per_year": "How fast a mode may grow in a year",
}  # fmt: skip
RULE_UNITS = {"limit_budget_eur": "EUR", "cap_emissions_t_per_year": "t/year"}
_FIGURE = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?")


@dataclass(frozen=True, kw_only=True)
class Lever:
    """A figure that may be multiplied, or set where `settable`, from one of `years` on if there are any.

    `label` is a phrase of the page, `of` what the tables call it. `targets` are the cells: `TABLE.COLUMN` and
    conditions. `low` and `high` are the range, as factors of what it is.
    """

    key: str
    group: str
    label: str
    of: str = ""
    unit: str
    present: str
    low: float | None
    high: float | None
    reason: str
    source: str
    targets: tuple[tuple[str, str], ...]
    years: tuple[int, ...]
    settable: bool = True

    @property
    def name(self) -> str:
        """Label and name."""
        return ": ".join(filter(None, (self.label, self.of)))

    def statements(self, how: str, value: float, year: int | None) -> list[str]:
        """What a change of it is in the grammar of what-ifs."""
        since = f"year>={year}" if year in self.years else ""
        found = []
        for column, where in self.targets:
            conditions = ", ".join(filter(None, (where, since)))
            found.append(f"{column}{f'[{conditions}]' if conditions else ''} {how} {value!r}")
        return found


@dataclass(frozen=True, kw_only=True)
class Request:
    """A what-if that was asked for: `summary` has what was moved, in words."""

    name: str
    scenarios: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    close: tuple[str, ...] = ()
    build: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    summary: tuple[str, ...] = ()

    def of(self, base: Instance) -> Instance:
        """The instance that is asked for. Raises InstanceError."""
        changed = base.scenario(*self.scenarios)
        return changed.with_changes(*self.changes, close=self.close, build=self.build, forbid=self.forbid)


def levers_of(instance: Instance) -> list[Lever]:
    """Every lever that is a figure."""
    return [*_prices(instance), *_rules(instance), *_demand(instance)]


def project_levers(instance: Instance) -> list[dict[str, Any]]:
    """The projects, with what is known of them."""
    low, high, reason = range_of(instance, "projects", "capex_eur")
    found = []
    for row in instance["projects"].to_dict("records"):
        status = plain(str(row.get("status") or ""))
        cost = meur(float(row["capex_eur"]))
        spread = f"{meur(low * row['capex_eur'])} – {meur(high * row['capex_eur'])}" if low and high else ""
        found.append({
            "key": row["project"], "name": row["name"], "cost": cost, "range": spread, "reason": reason,
            "earliest": int(row["earliest_year"]), "status": status, "source": _sources(instance, [row["source"]]),
            "possible": row["earliest_year"] < NEVER,
        })  # fmt: skip
    return found


def link_levers(instance: Instance) -> list[dict[str, str]]:
    """The links that may be closed, by mode and name."""
    nodes = names_of(instance, "nodes", "node")
    rows = [
        {
            "key": str(row.link), "mode": MODE_WORDS.get(row.mode, row.mode),
            "name": f"{nodes[row.from_node]} – {nodes[row.to_node]}", "source": _sources(instance, [row.source]),
        }
        for row in each(instance["links"])
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (row["mode"] == MODE_WORDS["road"], row["mode"], row["name"]))


def scenario_levers(instance: Instance) -> list[dict[str, str]]:
    """The scenarios that come with the instance."""
    return [
        {"key": name, "name": each.title, "reason": each.reason, "source": _sources(instance, [";".join(each.source)])}
        for name, each in instance.scenarios.items()
    ]


def read_request(instance: Instance, form: Mapping[str, Sequence[str]]) -> Request:
    """What a filled-in page asks for. Raises Refused with every field that cannot be read, in words."""
    problems, changes, summary = list[str](), list[str](), list[str]()
    for lever in levers_of(instance):
        text = _one(form, f"value:{lever.key}").strip().replace("−", "-").replace(" ", "")
        if not text:
            continue
        how = SET if _one(form, f"how:{lever.key}") == SET and lever.settable else TIMES
        if not _FIGURE.fullmatch(text):
            problems.append(f"{lever.name}: {text[:40]!r} is not a number")
            continue
        value, since = float(text.replace(",", ".")), _one(form, f"from:{lever.key}")
        year = int(since) if since.isdigit() else None
        changes += lever.statements(how, value, year)
        sign = "×" if how == TIMES else "="
        summary.append(f"{lever.name} {sign} {short(value)}" + (f" ({year}–)" if year in lever.years else ""))
    chosen = {word: dict[str, str]() for word in (BUILD, FORBID)}
    for row in project_levers(instance):
        if (what := _one(form, f"project:{row['key']}")) in chosen:
            chosen[what][row["key"]] = row["name"]
    titles = {row["key"]: row["name"] for row in scenario_levers(instance)}
    links = {row["key"]: f"{row['name']} ({row['mode'].lower()})" for row in link_levers(instance)}
    scenarios, close = (
        _listed(form, field, known, problems) for field, known in (("scenario", titles), ("close", links))
    )
    if problems:
        raise Refused("; ".join(problems))
    summary = [
        *(titles[name] for name in scenarios), *summary, *(f"{name}: built" for name in chosen[BUILD].values()),
        *(f"{name}: not built" for name in chosen[FORBID].values()), *(f"{links[name]}: closed" for name in close),
    ]  # fmt: skip
    typed = _one(form, "name").strip()
    name = good_name(typed) if typed else "; ".join(summary)[:80] or instance.meta.title[:80]
    return Request(
        name=name, scenarios=scenarios, changes=tuple(changes), close=close, build=tuple(chosen[BUILD]),
        forbid=tuple(chosen[FORBID]), summary=tuple(summary),
    )  # fmt: skip


def request_from(given: Mapping[str, Any]) -> Request:
    """A request as it was kept."""
    lists = ("scenarios", "changes", "close", "build", "forbid", "summary")
    return Request(name=str(given["name"]), **{key: tuple(map(str, given[key])) for key in lists})


def _one(form: Mapping[str, Sequence[str]], field: str) -> str:
    return (list(form.get(field, ())) or [""])[0][:200]


def _listed(
    form: Mapping[str, Sequence[str]], field: str, known: Mapping[str, str], problems: list[str]
) -> tuple[str, ...]:
    given = tuple(dict.fromkeys(form.get(field, ())))
    problems += [f"{field} {name[:40]!r} is not there" for name in given if name not in known]
    if len(given) > MOST:
        problems.append(f"{field}: {len(given)} are chosen, at most {MOST}")
    return given


def _prices(instance: Instance) -> Iterable[Lever]:
    for column, label, unit in (
        ("carbon_price_eur_per_t", "Price of CO2", "EUR/t"), ("driver_cost_eur_per_h", "Cost of a driver", "EUR/h"),
    ):  # fmt: skip
        yield _cells(instance, "country_years", column, instance["country_years"], group=PRICES, label=label, unit=unit)
    energy = instance["energy"]
    for carrier in dict.fromkeys(energy["energy_carrier"].tolist()):
        yield _cells(
            instance, "energy", "price_eur_per_kwh", energy[energy["energy_carrier"] == carrier], group=PRICES,
            label="Energy", of=plain(carrier), unit="EUR/kWh", row=carrier, key="energy_carrier",
        )  # fmt: skip


def _rules(instance: Instance) -> Iterable[Lever]:
    rules, countries = instance["policies"], names_of(instance, "countries", "country")
    for row in rules.to_dict("records"):
        kind, year = str(row["kind"]), "" if pd.isna(row["year"]) else f"{row['year']:.0f}"
        of = ", ".join(filter(None, [countries.get(row["country"], ""), row["technology"], year]))
        yield _cells(
            instance, "policies", "value", rules[rules["policy"] == row["policy"]], group=RULES,
            label=RULE_WORDS[kind], of=of, unit=RULE_UNITS.get(kind, ""), row=row["policy"], key="policy",
        )  # fmt: skip


def _cells(
    instance: Instance, table: str, column: str, rows: pd.DataFrame, *, group: str, label: str, unit: str, of: str = "",
    row: str = "", key: str = "",
) -> Lever:  # fmt: skip
    """A lever for a column of some rows: all, or those that have `row` in `key`."""
    low, high, reason = range_of(instance, table, column, row)
    return Lever(
        key=f"{table}.{row or column}", group=group, label=label, of=of, unit=unit, low=low, high=high, reason=reason,
        present=_present(rows, column), source=_sources(instance, rows["source"]),
        targets=((f"{table}.{column}", f"{key}={quoted(row)}" if key else ""),),
        years=() if key == "policy" else _years(rows),
    )  # fmt: skip


def _demand(instance: Instance) -> Iterable[Lever]:
    od = instance["od"]
    by_year = od.groupby("year")["tonnes"].sum().rename("value").reset_index()
    yield Lever(
        key="od", group=DEMAND, label="All freight", unit="t/year", low=None, high=None, reason="", source="",
        present=_present(by_year, "value"), targets=(("od.tonnes", ""),), years=_years(by_year), settable=False,
    )  # fmt: skip
    low, high, reason = range_of(instance, "sites", "amount_t_per_year")
    nodes, goods = names_of(instance, "nodes", "node"), names_of(instance, "commodities", "commodity")
    for sites, cells in _plants(instance["sites"]):
        targets, mine = list[tuple[str, str]](), pd.Series(False, index=od.index)
        for side, node in sorted({cell[:2] for cell in cells}):
            listed = sorted(commodity for s, n, commodity in cells if (s, n) == (side, node))
            rows = od[side].eq(node) & od["commodity"].isin(listed)
            moved = set(od.loc[rows & (od["tonnes"] > 0), "commodity"])
            if moved:
                names = "|".join(quoted(commodity) for commodity in listed if commodity in moved)
                targets.append(("od.tonnes", f"{side}={quoted(node)}, commodity={names}"))
                mine |= rows
        if targets:
            told = instance["sites"][instance["sites"]["site"].isin(sites)]
            place = ", ".join(dict.fromkeys(nodes[node] for _, node, _ in sorted(cells)))
            what = ", ".join(dict.fromkeys(goods[commodity] for _, _, commodity in sorted(cells)))
            totals = od[mine].groupby("year")["tonnes"].sum().rename("value").reset_index()
            yield Lever(
                key=f"plant.{'.'.join(sites)}", group=DEMAND, low=low, high=high, reason=reason, unit="t/year",
                label=f"{', '.join(dict.fromkeys(told['name']))}, {place}", of=what, years=_years(totals),
                settable=False, present=_present(totals, "value"), source=_sources(instance, told["source"]),
                targets=tuple(targets),
            )  # fmt: skip


def _plants(sites: pd.DataFrame) -> list[tuple[list[str], set[tuple[str, str, str]]]]:
    """Plants with what they send and take (side, node, goods); those of one place and goods together."""
    found: list[tuple[list[str], set[tuple[str, str, str]]]] = []
    sides = sites["direction"].map({"produces": "origin", "needs": "destination"})
    for site, rows in sites.assign(side=sides).groupby("site", sort=False):
        cells = set(rows[["side", "node", "commodity"]].itertuples(index=False, name=None))
        same = [each for each in found if each[1] & cells]
        found = [each for each in found if not each[1] & cells]
        found.append((
            [*(name for names, _ in same for name in names), str(site)], cells.union(*(others for _, others in same))
        ))  # fmt: skip
    return found


def _years(rows: pd.DataFrame) -> tuple[int, ...]:
    return tuple(sorted({int(year) for year in rows["year"].dropna().tolist()}))


def _present(rows: pd.DataFrame, column: str) -> str:
    """What cells hold, from which to which, by year where that differs."""

    def spread(values: pd.Series) -> str:
        known = values[values.notna() & (values != 0)].astype(float)
        ends = dict.fromkeys(_short(value) for value in ((known.min(), known.max()) if len(known) else (0.0,)))
        return " – ".join(ends)

    years = _years(rows)
    shown = {year: spread(rows.loc[rows["year"] == year, column]) for year in years} or {0: spread(rows[column])}
    if len(set(shown.values())) == 1:
        return next(iter(shown.values()))
    return "; ".join(f"{year}: {text}" for year, text in shown.items())


def _short(value: float) -> str:
    return number(value) if abs(value) >= 1000 else short(value)


def _sources(instance: Instance, cells: Iterable[Any]) -> str:
    """Titles of the sources that cells name."""
    titles = dict(zip(instance["sources"]["source"], instance["sources"]["title"], strict=True))
    names = dict.fromkeys(name for cell in cells for name in str(cell or "").split(";") if name)
    return "; ".join(titles.get(name, name) for name in names)


def as_pairs(form: Any) -> dict[str, list[str]]:
    """A form as sent: fields with lists of texts. Raises NbbError for anything else."""
    if not isinstance(form, dict) or not all(
        isinstance(key, str) and isinstance(value, list) and all(isinstance(each, str) for each in value)
        for key, value in form.items()
    ):
        raise NbbError("the form is not understood; reload the page")
    return form
