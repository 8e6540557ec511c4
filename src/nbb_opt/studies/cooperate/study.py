"""What planning together is worth: every coalition solved, its value shared out, and what the gaps leave open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nbb_opt.errors import Stopped
from nbb_opt.instance import Instance
from nbb_opt.instance.wording import listed
from nbb_opt.model import read_model
from nbb_opt.report.grid import each
from nbb_opt.report.study import Answer
from nbb_opt.studies.cooperate.coalitions import Block, Harmonised, Players, borders, straddling
from nbb_opt.studies.cooperate.game import (
    Floats,
    disjoint_pairs,
    excess,
    least_core,
    members,
    nucleolus,
    shapley,
    shapley_weights,
)
from nbb_opt.studies.cooperate.page import sections
from nbb_opt.studies.cooperate.work import OTHERS, Coalitions, name_of
from nbb_opt.studies.units import StudyOptions, Unit

SAME = 1e-9  # relative to the costs: a value below this is none
YES, NO, OPEN = "yes", "no", "undecided"


def run_cooperate(
    instance: Instance, players: Players, how: StudyOptions, *, rules: Sequence[Harmonised] = ()
) -> Answer:
    """Solve every coalition and share out what they are worth: an answer with the game that they make.

    `coalitions` has a row for each coalition: cost and proven bound, its value (the cost of everybody alone less that
    with it) and the ends between which the true one is proven to lie. `shares` has a row for each player, and one for
    others: Shapley value with its ends, nucleolus, what it gains by itself, and the side payment that leaves it with
    its share of the nucleolus. `projects`, `borders` and `components` say what drives the value. Relaxations are exact
    values of that game, and no plans. Raises Infeasible where there is no plan with borders as they are used today,
    NoPlan where the time limit of a coalition ends before it has one, Stopped where somebody asked to stop before.
    """
    options = how.options
    read_model(how.model)  # an unknown one is refused before anything is solved
    work = Coalitions(
        instance, players, how.model, options, relax=how.relax, rules=rules, cache_dir=how.cache_dir
    )  # fmt: skip
    about: dict[str, Any] = {
        "instance": instance.meta.name, "instance_digest": instance.digest, "model": how.model, "relaxed": how.relax,
        "players": list(players.names), "of_node": dict(players.of_node), "gap": options.mip_gap, "seed": options.seed,
        "time_limit_s": options.time_limit_s,
        "rules": [{"between": sorted(rule.between), "changes": list(rule.changes)} for rule in rules],
    }  # fmt: skip
    units = [Unit(name_of(frozenset()), {"coalition": []})]
    for coalition in players.coalitions():
        if len(coalition) > 1:
            within = frozenset(sorted(coalition)[:-1]) if len(coalition) > 2 else frozenset[str]()
            units.append(Unit(name_of(coalition), {"coalition": sorted(coalition)}, after=name_of(within)))
    with how.study("cooperate", about, work, solves=len(units)) as study:
        found = study.run(units)
        if study.stopped:
            raise Stopped("stopped before every coalition was solved; the same study goes on where it was")
    about.pop("of_node")
    answer = assess(instance, players, found, about, today_t=work.today_t)
    if how.out is not None:
        answer.save(how.out)
    return answer


@dataclass(frozen=True)
class Costs:
    """Cost and proven bound by coalition, and whose plan it is: a coalition may do whatever a part of it may.

    In the order of a game; the empty coalition and single players are everybody alone.
    """

    cost: Floats
    bound: Floats
    plan_of: tuple[Block, ...]

    @property
    def value(self) -> Floats:
        """What each coalition saves, EUR."""
        return self.cost[0] - self.cost

    def value_range(self) -> tuple[Floats, Floats]:
        """The ends between which the true values lie; single players are worth nothing by definition."""
        alone = np.array([bin(s).count("1") < 2 for s in range(len(self.cost))])
        low, high = np.maximum(self.bound[0] - self.cost, 0.0), self.cost[0] - self.bound
        return np.where(alone, 0.0, low), np.where(alone, 0.0, high)

    def shapley_range(self) -> tuple[Floats, Floats]:
        """The ends of each Shapley value: costs, not values, vary one by one between bound and cost."""
        n = len(self.cost).bit_length() - 1
        weight = -shapley_weights(n)
        alone = np.array([bin(s).count("1") < 2 for s in range(2**n)])
        weight[:, alone] = 0.0
        weight[:, 0] = -weight.sum(axis=1)
        up, down = np.maximum(weight, 0.0), np.minimum(weight, 0.0)
        return up @ self.bound + down @ self.cost, up @ self.cost + down @ self.bound


def costs_of(players: Players, found: Mapping[str, Mapping[str, Any]]) -> Costs:
    """Costs from the records of the coalitions; what is proven of one holds for those within it and around it."""
    n = len(players.names)
    alone = found[name_of(frozenset())]
    cost, bound = np.full(2**n, float(alone["cost_eur"])), np.full(2**n, float(alone["bound_eur"]))
    plan_of: list[Block] = [frozenset()] * 2**n
    by_bits = {players.bits(each): each for each in players.coalitions()}
    for s, coalition in by_bits.items():
        if len(coalition) > 1:
            record = found[name_of(coalition)]
            cost[s], bound[s], plan_of[s] = record["cost_eur"], record["bound_eur"], coalition
    for s in sorted(by_bits, key=lambda s: len(by_bits[s])):  # the small first
        for i in range(n):
            inner = s & ~(1 << i)
            if cost[inner] < cost[s]:
                cost[s], plan_of[s] = cost[inner], plan_of[inner]
    for s in sorted(range(2**n), key=lambda s: -bin(s).count("1")):  # the large first
        for i in range(n):
            bound[s] = max(bound[s], bound[s | 1 << i])
    single = [s for s in range(2**n) if bin(s).count("1") < 2]
    bound[single] = bound[single].max()
    return Costs(cost, np.minimum(bound, cost), tuple(plan_of))


def assess(
    instance: Instance, players: Players, found: Mapping[str, Mapping[str, Any]], about: Mapping[str, Any], *,
    today_t: Mapping[str, float],
) -> Answer:  # fmt: skip
    """The game of solved coalitions: tables, figures and sentences."""
    costs, names = costs_of(players, found), players.names
    value, (low, high) = costs.value, costs.value_range()
    none = SAME * abs(costs.cost[0])
    value = np.where(np.abs(value) < none, 0.0, value)
    record = {s: found[name_of(costs.plan_of[s])] for s in range(len(value))}
    alone, all_of = record[0], len(value) - 1
    core, floor, roof = least_core(value), least_core(_ends(low, high)).epsilon, least_core(_ends(high, low)).epsilon
    share = nucleolus(value)
    figures: dict[str, Any] = {
        "value_eur": float(value[-1]), "value_low_eur": float(low[-1]), "value_high_eur": float(high[-1]),
        "least_core_epsilon_eur": core.epsilon,
        "least_core_eur": dict(zip(names, core.allocation.tolist(), strict=True)),
        "core_is_empty": YES if floor > none else NO if roof <= none else OPEN,
        "core_is_empty_of_plans_found": YES if core.epsilon > none else NO,
        "superadditive": superadditive(value, low, high, names, none),
        "nucleolus_is_stable": _stable(share, value, low, high, none),
    }  # fmt: skip
    rows = []
    for coalition in players.coalitions():
        s = players.bits(coalition)
        mine = record[s]
        rows.append({
            "coalition": name_of(coalition), "players": len(coalition), "cost_eur": costs.cost[s],
            "bound_eur": costs.bound[s], "value_eur": value[s], "value_low_eur": low[s], "value_high_eur": high[s],
            "worth_something": YES if low[s] > none or (len(coalition) < 2 and value[s] > none) else
                               NO if high[s] <= none else OPEN,
            "emissions_t_co2e": mine["emissions_t_co2e"],
            "emissions_difference_t_co2e": mine["emissions_t_co2e"] - alone["emissions_t_co2e"],
            "projects_entering": "; ".join(sorted({*mine["projects"]} - {*alone["projects"]})),
            "projects_leaving": "; ".join(sorted({*alone["projects"]} - {*mine["projects"]})),
            "plan_of": name_of(costs.plan_of[s]), "status": mine["status"],
            "verified": bool(mine.get("verified", False)), "checks": mine.get("checks", 0),
        })  # fmt: skip
    coalitions = pd.DataFrame(rows)
    shares = _shares(instance, players, costs, value, share, alone, record[all_of])
    projects = _projects(instance, players, found)
    return Answer(
        instance=instance, name="cooperate", title="what is planning together worth?", about=about, figures=figures,
        description=f"Model {about['model']}; players {', '.join(about['players'])}.", sections=sections,
        tables={"coalitions": coalitions, "shares": shares, "projects": projects,
                "borders": _borders(instance, players, today_t, alone, record[all_of]),
                "components": _components(alone, record[all_of])},
        sentences=sentences(figures, coalitions, shares, projects, relaxed=about["relaxed"]),
        shown=[coalitions[["coalition", "value_eur", "value_low_eur", "value_high_eur", "verified"]],
               shares[["player", "shapley_eur", "nucleolus_eur", "own_gain_eur", "payment_eur"]]],
    )  # fmt: skip


def _ends(coalitions: Floats, together: Floats) -> Floats:
    """Values of coalitions from one end of their ranges, that of all together from the other."""
    found = coalitions.copy()
    found[-1] = together[-1]
    return found


def superadditive(value: Floats, low: Floats, high: Floats, names: Sequence[str], none: float) -> dict[str, Any]:
    """Pairs of coalitions that are worth more apart than together, proven or within the gaps.

    With a single player a pair cannot be: whatever a coalition may do, a larger one may do too.
    """
    inside = members(len(names))
    found: dict[str, list[list[str]]] = {YES: [], OPEN: []}
    for s, t in disjoint_pairs(len(names)):
        if min(inside[s].sum(), inside[t].sum()) > 1:
            pair = [name_of(frozenset(np.array(names)[inside[each]].tolist())) for each in (s, t)]
            if low[s] + low[t] > high[s | t] + none:
                found[YES].append(pair)
            elif high[s] + high[t] > low[s | t] + none:
                found[OPEN].append(pair)
    return {"holds": NO if found[YES] else OPEN if found[OPEN] else YES, "worth_more_apart": found[YES],
            "undecided": found[OPEN]}  # fmt: skip


def _stable(share: Floats, value: Floats, low: Floats, high: Floats, none: float) -> str:
    """Whether no coalition is better off by itself under this allocation."""
    inner = slice(1, -1)
    if (excess(low, share)[inner] > none).any():
        return NO
    return YES if (excess(high, share)[inner] <= none).all() else OPEN


def _shares(
    instance: Instance, players: Players, costs: Costs, value: Floats, share: Floats, alone: Mapping[str, Any],
    together: Mapping[str, Any],
) -> pd.DataFrame:  # fmt: skip
    from_low, from_high = costs.shapley_range()
    capex = dict(zip(instance["projects"]["project"], instance["projects"]["capex_eur"], strict=True))

    def invested(record: Mapping[str, Any], player: str) -> float:
        parts = [units * capex[a] * players.pays[a].get(player, 0.0) for a, (_, units) in record["projects"].items()]
        return float(sum(parts))

    rows = []
    by_shapley = shapley(value)
    for i, name in enumerate((*players.names, OTHERS)):
        mine = i < len(players.names)
        gain = alone["ledger_eur"][name] - together["ledger_eur"][name]
        rows.append({
            "player": name, "shapley_eur": by_shapley[i] if mine else 0.0,
            "shapley_low_eur": from_low[i] if mine else 0.0, "shapley_high_eur": from_high[i] if mine else 0.0,
            "nucleolus_eur": share[i] if mine else 0.0, "own_gain_eur": gain,
            "payment_eur": (share[i] if mine else 0.0) - gain,
            "invests_alone_eur": invested(alone, name), "invests_together_eur": invested(together, name),
            "emissions_alone_t_co2e": alone["ledger_t_co2e"][name],
            "emissions_together_t_co2e": together["ledger_t_co2e"][name],
        })  # fmt: skip
    return pd.DataFrame(rows)


def _projects(instance: Instance, players: Players, found: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Every project that some coalition builds: who pays, in which coalitions it is built, whether only jointly."""
    several, projects = set(straddling(instance, players)), instance["projects"]
    alone, together = found[name_of(frozenset())]["projects"], found["+".join(sorted(players.names))]["projects"]
    rows = []
    for row in each(projects):
        where = [name for name, record in found.items() if row.project in record["projects"]]
        if where and row.status in ("", "idea"):
            rows.append({
                "project": row.project, "name": row.name,
                "paid_by": "; ".join(f"{name} {part:.0%}" for name, part in sorted(players.pays[row.project].items())),
                "needs_several": row.project in several, "only_jointly": row.project not in alone,
                "units_alone": alone.get(row.project, [0, 0.0])[1],
                "units_together": together.get(row.project, [0, 0.0])[1],
                "year_together": int(together[row.project][0]) if row.project in together else None,
                "capex_eur_per_unit": float(row.capex_eur), "built_by": "; ".join(where),
            })  # fmt: skip
    columns = ["project", "name", "paid_by", "needs_several", "only_jointly", "units_alone", "units_together",
               "year_together", "capex_eur_per_unit", "built_by"]  # fmt: skip
    table = pd.DataFrame(rows, columns=columns)
    return table.astype({"year_together": "Int64"}).sort_values(["only_jointly", "project"], ascending=[False, True],
                                                               ignore_index=True)  # fmt: skip


def _borders(
    instance: Instance, players: Players, today_t: Mapping[str, float], alone: Mapping[str, Any],
    together: Mapping[str, Any],
) -> pd.DataFrame:  # fmt: skip
    """Links between players: greatest use in a year today, alone and together."""
    rows = [
        {"link": group, "between": name_of(ends), "today_t_per_year": today_t.get(group, 0.0),
         "alone_t_per_year": alone["border_t"][group], "together_t_per_year": together["border_t"][group]}
        for group, ends in sorted(borders(instance, players).items()) if "border_t" in together
    ]  # fmt: skip
    columns = ["link", "between", "today_t_per_year", "alone_t_per_year", "together_t_per_year"]
    return pd.DataFrame(rows, columns=columns)


def _components(alone: Mapping[str, Any], together: Mapping[str, Any]) -> pd.DataFrame:
    """Components of the cost, alone and together, the greatest difference first; none of relaxations."""
    one, other = alone.get("components_eur", {}), together.get("components_eur", {})
    rows = [(name, one.get(name, 0.0), other.get(name, 0.0)) for name in sorted({*one, *other})]
    table = pd.DataFrame(rows, columns=["component", "alone_eur", "together_eur"])
    table["difference_eur"] = table["together_eur"] - table["alone_eur"]
    return table.sort_values("difference_eur", key=lambda eur: -eur.abs(), ignore_index=True)


def sentences(
    figures: Mapping[str, Any], coalitions: pd.DataFrame, shares: pd.DataFrame, projects: pd.DataFrame, *, relaxed: bool
) -> tuple[str, ...]:
    """What the study found, in words; what the gaps leave open is said."""
    shares = shares[shares["player"] != OTHERS]
    top = f"Planning together is worth {_meur(figures['value_eur'])}"
    if relaxed:
        top += " (linear relaxations: an estimate, no plans)"
    else:
        top += f"; proven is {_meur(figures['value_low_eur'])} to {_meur(figures['value_high_eur'])}"
    part = figures["value_eur"] / coalitions["cost_eur"].iloc[0]
    lines = [top + f", {part:.2%} of the cost of acting alone."]
    parts = ", ".join(f"{row.player} {_meur(row.shapley_eur)}" for row in each(shares))
    lines.append(f"Shapley value: {parts}.")
    empty = figures["core_is_empty"]
    if empty == OPEN:
        plans = "found has" if figures["core_is_empty_of_plans_found"] == NO else "found has not"
        lines.append(f"Whether the core is empty is undecided within the gaps; the game of the plans {plans} one.")
    else:
        lines.append("The core is empty: no division keeps every coalition." if empty == YES else
                     "The core is not empty: there are divisions that no coalition can better.")  # fmt: skip
    pays = [f"{row.player} {'receives' if row.payment_eur > 0 else 'pays'} {_meur(abs(row.payment_eur))}"
            for row in each(shares) if abs(row.payment_eur) >= 0.5e4]  # fmt: skip
    stable = {YES: "which no coalition can better", NO: "though some coalition does better by itself",
              OPEN: "which is stable for the plans found; the gaps leave that undecided"}  # fmt: skip
    if pays:
        lines.append(f"To divide by the nucleolus, {listed(pays, 99)}: {stable[figures['nucleolus_is_stable']]}.")
    joint = projects.loc[projects["only_jointly"] & (projects["units_together"] > 0), "name"]
    lines.append(
        f"Built only jointly: {listed(joint.tolist(), 99)}." if len(joint) else "No project is built only jointly."
    )
    apart = figures["superadditive"]
    if apart["worth_more_apart"]:
        pairs = listed([" and ".join(pair) for pair in apart["worth_more_apart"]], 6)
        lines.append(f"{pairs} save more apart than together: they relieve the same freight.")
    elif apart["holds"] == OPEN:
        lines.append("Whether every two coalitions gain by joining is undecided within the gaps.")
    return tuple(lines)


def _meur(eur: float) -> str:
    """In words.

    >>> _meur(1.25e6)
    '1.25 MEUR'
    """
    return f"{eur / 1e6 + 0.0:,.2f} MEUR"
