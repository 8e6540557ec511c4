"""Single changes that close the distance between a plan that works and the best plan, in the best order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nbb_opt.errors import NoPlan
from nbb_opt.solve import Solution
from nbb_opt.studies.audit.form_edit import FormEdit
from nbb_opt.studies.audit.plan import TRUCK
from nbb_opt.studies.audit.question import Key, Question
from nbb_opt.studies.audit.repair import numbers_in

GAP = 3e-4
WORTH_EUR = 1.0  # a change that saves less is no change


@dataclass(frozen=True)
class Change:
    """One change: the numbers it sets free (keys of trucks; none: chargers and projects only) and what it brings, EUR.

    `alone_eur` is saved by this change alone, `together_eur` by it and all before it, `closed_share` is the share of
    the distance to the best plan that is then closed. `text` says what becomes of the numbers.
    """

    keys: tuple[Key, ...]
    text: str
    alone_eur: float
    together_eur: float
    closed_share: float
    emissions_t_per_year: Mapping[int, float]


def improve(
    question: Question,
    start: Solution,
    best: Solution,
    *,
    most: int = 8,
    time_limit_s: float = 20.0,
    say: Callable[[str], None] = lambda line: None,
) -> list[Change]:
    """Order single changes by what each adds, always taking the one that saves most on top of those before it.

    Candidates are swaps of one kind of truck for another (or for none) at one depot from one period on in which the
    best plan differs from `start`, and the chargers and projects that suit the trucks. Every value is that of a
    re-optimised plan with all other numbers held, chargers and projects following the trucks.
    """
    numbers, goal = numbers_in(question, start), numbers_in(question, best)
    gap_eur = start.objective - best.objective
    candidates: list[tuple[Key, ...]] = [(), *_swaps(numbers[TRUCK], goal[TRUCK])]
    done: list[Change] = []
    free: set[Key] = set()
    last = start
    alone: dict[tuple[Key, ...], float] = {}
    while candidates and len(done) < most and gap_eur > WORTH_EUR:
        tried = {}
        for keys in candidates:
            found = _with_free(question, numbers, free | set(keys), time_limit_s)
            if found is not None:
                tried[keys] = found
            if not done:
                alone[keys] = start.objective - (found.objective if found is not None else start.objective)
        winner = min(tried, key=lambda keys: (tried[keys].objective, keys), default=None)
        if winner is None or last.objective - tried[winner].objective < WORTH_EUR:
            break
        free |= set(winner)
        text = _in_words(question, last, tried[winner])
        last = tried[winner]
        saved = start.objective - last.objective
        done.append(Change(winner, text, alone[winner], saved, saved / gap_eur, question.emissions_t(last)))
        say(f"change {len(done)}: {text}: {saved:,.0f} EUR together, {saved / gap_eur:.0%} of the distance")
        candidates.remove(winner)
    return done


def _swaps(numbers: Mapping[Key, int], goal: Mapping[Key, int]) -> list[tuple[Key, ...]]:
    """Pairs of trucks at one depot and period, one of which the best plan has fewer of and the other more."""
    found: list[tuple[Key, ...]] = []
    for place in sorted({(region, t) for region, _, t in numbers}):
        mine = [key for key in sorted(numbers) if (key[0], key[2]) == place]
        fewer = [key for key in mine if goal[key] < numbers[key]]
        more = [key for key in mine if goal[key] > numbers[key]]
        found += [(out, into) for out in fewer for into in more]
        found += [(key,) for key in fewer + more]
    return found


def _with_free(
    question: Question, numbers: Mapping[str, Mapping[Key, int]], free: set[Key], time_limit_s: float
) -> Solution | None:
    """The best plan with every truck number held but the free ones; None if none was found in time."""
    edit = FormEdit(question.form)
    for key, columns in question.trucks.items():
        if key not in free:
            value = float(numbers[TRUCK][key])
            edit.row(f"hold{list(key)}", columns, [1.0] * len(columns), low=value, up=value)
    try:
        return question.solve(edit, time_limit_s=time_limit_s, gap=GAP)
    except NoPlan:
        return None


def _in_words(question: Question, before: Solution, after: Solution) -> str:
    """What became of the numbers, as `Umeå depot 2030: 6 BAT400 become 2, 6 DIESEL become 10`."""
    one, two = numbers_in(question, before), numbers_in(question, after)
    years = [period.year for period in question.instance.periods]
    names = dict(
        zip(question.instance["fleet_regions"]["fleet_region"], question.instance["fleet_regions"]["name"], strict=True)
    )
    names |= dict(
        zip(question.instance["charge_areas"]["charge_area"], question.instance["charge_areas"]["name"], strict=True)
    )
    groups: dict[tuple[str, int], list[str]] = {}
    for what, numbers in two.items():
        for key, number in sorted(numbers.items()):
            if number != one[what][key]:
                words = f"{one[what][key]} {key[1]} become {number}"
                groups.setdefault((names.get(key[0], key[0] or "projects"), years[key[2]]), []).append(words)
    return "; ".join(f"{place} {year}: {', '.join(words)}" for (place, year), words in groups.items()) or "other routes"
