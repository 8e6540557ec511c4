"""What planning together is worth: the games, who may do what in a coalition, and a region of three countries."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog
from typer.testing import CliRunner

import nbb_opt as nbb
from nbb_opt.cli.main import app
from nbb_opt.shipped import shipped
from nbb_opt.studies.cooperate.coalitions import players_of
from nbb_opt.studies.cooperate.game import excess, least_core, members, nucleolus, shapley
from nbb_opt.studies.cooperate.study import costs_of, superadditive

GAP = 1e-7
TINY = nbb.read(shipped("instances") / "tiny")
WEIGHTS = """
[[rules]]
between = ["FI", "NO"]
changes = ["links.max_gross_t[link=ROAD_EAST_PLANT] = 64"]
reason = "made up: the bridges hold"
"""


def three_countries() -> nbb.Instance:
    """Tiny with its plant in a third country, over a road for light trucks only, and cheap passing loops."""
    region = TINY
    for table in ("countries", "country_years", "energy"):
        region = region.with_table(
            table, lambda t: pd.concat([t, t[t["country"] == "FI"].assign(country="NO", name="Norway").reindex(
                columns=t.columns)], ignore_index=True))  # fmt: skip
    nodes, links = region["nodes"], region["links"]
    region = region.with_table("nodes", nodes.assign(country=nodes["country"].mask(nodes["node"] == "PLANT", "NO")))
    far = links["link"] == "ROAD_EAST_PLANT"
    region = region.with_table(
        "links", links.assign(country=links["country"].mask(far, "NO"), max_gross_t=links["max_gross_t"].mask(far, 30))
    )
    budget = {"policy": "BUDGET_NO", "kind": "limit_budget_eur", "country": "NO", "year": 2030, "value": 1e5,
              "source": "made_up"}  # fmt: skip
    region = region.with_table("policies", lambda t: pd.concat([t, pd.DataFrame([budget])], ignore_index=True))
    return region.with_changes(
        "projects.capex_eur[project=RAIL_CAP] = 100000", "policies.value[policy=CAP_2025] = 5000",
        "charge_areas.grid_mw = 3",
    )  # fmt: skip


@pytest.fixture(scope="module")
def region() -> nbb.Instance:
    return three_countries()


@pytest.fixture(scope="module")
def found(region: nbb.Instance, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("cooperate")
    (folder / "weights.toml").write_text(WEIGHTS, encoding="utf-8")
    return nbb.cooperate(
        region, rules=folder / "weights.toml", gap=GAP, out=folder / "out", cache=False
    ), folder / "out"


# --- games -----------------------------------------------------------------------------------------------------------
def in_bits(by_name: dict[str, float]) -> np.ndarray:
    """Values in the order of a game from those by letters of players a, b, c."""
    value = np.zeros(8)
    for name, worth in by_name.items():
        value[sum(1 << "abc".index(letter) for letter in name)] = worth
    return value


def test_a_game_of_three_is_shared_as_worked_out_by_hand() -> None:
    # a with b earn 60, a with c 40, b with c nothing, all 72. By hand: a adds 0, 60, 40 or 72, so that
    # a gets (60 + 40)/6 + 72/3, b 60/6 + (72 - 40)/3, c 40/6 + (72 - 60)/3.
    value = in_bits({"ab": 60, "ac": 40, "abc": 72})
    assert shapley(value) == pytest.approx([40 + 2 / 3, 20 + 2 / 3, 10 + 2 / 3], abs=1e-12)
    # Least core: c gets at least e, and a with b at least 60 + e, so that c gets at most 12 - e: e = 6, c = 6. Then
    # b against a with c (40): as a + c = 72 - b, both excesses are least where b = 72 - 40 - b, b = 16, a = 50.
    core = least_core(value)
    assert core.epsilon == pytest.approx(-6)
    assert core.allocation[2] == pytest.approx(6)
    assert nucleolus(value) == pytest.approx([50, 16, 6])
    # Majority: any two earn all; nobody can be content, and the nucleolus is equal.
    majority = in_bits({"ab": 1, "ac": 1, "bc": 1, "abc": 1})
    assert least_core(majority).epsilon == pytest.approx(1 / 3)
    assert nucleolus(majority) == pytest.approx([1 / 3] * 3)


def by_brute_force(value: np.ndarray) -> np.ndarray:
    """The nucleolus by trying of every coalition whether its excess can be less in some optimal allocation."""
    n = len(value).bit_length() - 1
    rows, fixed = members(n).astype(float), {2**n - 1: 0.0}
    while np.linalg.matrix_rank(rows[list(fixed)]) < n:
        free = [s for s in range(1, 2**n) if s not in fixed]
        limits = {"A_eq": np.column_stack([rows[list(fixed)], np.zeros(len(fixed))]),
                  "b_eq": [value[s] - e for s, e in fixed.items()], "bounds": (None, None)}  # fmt: skip
        inner = {"A_ub": np.column_stack([-rows[free], -np.ones(len(free))]), "b_ub": -value[free]}
        least = linprog(np.append(np.zeros(n), 1.0), **inner, **limits).fun
        held = {**limits, "bounds": [(None, None)] * n + [(least, least + 1e-10)]}
        for s in free:
            if value[s] - linprog(np.append(-rows[s], 0.0), **inner, **held).x[:-1] @ rows[s] > least - 1e-7:
                fixed[s] = least
    return np.linalg.lstsq(rows[list(fixed)], np.array([value[s] - e for s, e in fixed.items()]), rcond=None)[0]


@pytest.mark.parametrize("players", [3, 4, 5])
def test_nucleolus_and_core_are_those_of_brute_force_and_shapley_shares_out_all(players: int) -> None:
    dice = np.random.default_rng(players)
    for _ in range(4):
        value = np.append(0.0, 100 * dice.random(2**players - 1))
        share = nucleolus(value)
        assert share == pytest.approx(by_brute_force(value), abs=1e-5)
        assert shapley(value).sum() == pytest.approx(value[-1], abs=1e-9)
        assert excess(value, share)[1:-1].max() == pytest.approx(least_core(value).epsilon, abs=1e-7)
        inside = linprog(np.zeros(players), A_ub=-members(players)[1:-1].astype(float), b_ub=-value[1:-1],
                         A_eq=np.ones((1, players)), b_eq=[value[-1]], bounds=(None, None))  # fmt: skip
        assert (inside.status == 0) == (least_core(value).epsilon <= 1e-9)


# --- coalitions ------------------------------------------------------------------------------------------------------
def test_three_countries_save_what_each_coalition_solved_by_hand_saves(region: nbb.Instance, found) -> None:
    result, _ = found
    cost = result.coalitions.set_index("coalition")["cost_eur"]
    assert result.coalitions["verified"].all()
    assert len(cost) == 7
    today = result.borders.set_index("link")["today_t_per_year"]
    assert today["RAIL_GAP_EAST"] == pytest.approx(20000)  # full; what else there is to PLANT goes by road
    assert today["ROAD_EAST_PLANT"] == pytest.approx(48000)  # 28 kt of boxes and 20 kt of wood
    alone = [f"links.capacity_t_per_year[link={link}] = {float(np.ceil(today[link] - 1e-3))!r}" for link in today.index]
    wide = "links.max_gross_t[link=ROAD_EAST_PLANT] = 64"
    by_hand = {
        "FI+SE": region.with_changes(*(text for text in alone if "ROAD_EAST_PLANT" in text)),
        "FI+NO": region.with_changes(
            *(text for text in alone if "ROAD_EAST_PLANT" not in text), wide, forbid=["RAIL_CAP"]
        ),
        "FI+NO+SE": region.with_changes(wide),
    }
    options = nbb.SolveOptions(gap=GAP, reference=False)
    for coalition, case in by_hand.items():
        whole = nbb.solve(case, options=options, cache=False)
        assert cost[coalition] == pytest.approx(whole.cost_eur, rel=2 * GAP), coalition
    value = result.coalitions.set_index("coalition")["value_eur"]
    assert value["FI+SE"] > 1000 < value["FI+NO"]
    assert value["NO+SE"] == 0
    assert value["FI+NO+SE"] > value[["FI+SE", "FI+NO"]].max() + 1000
    assert "Passing loops West to Gap" in result.sentences[-1]


def test_shares_add_up_and_a_side_payment_leaves_everybody_with_its_share(found) -> None:
    result, _ = found
    shares, worth = result.shares, result.figures["value_eur"]
    for column in ("shapley_eur", "nucleolus_eur", "own_gain_eur"):
        assert shares[column].sum() == pytest.approx(worth, abs=1e-6), column
    assert shares["payment_eur"].sum() == pytest.approx(0, abs=1e-6)
    assert (shares["own_gain_eur"] + shares["payment_eur"]).to_numpy() == pytest.approx(shares["nucleolus_eur"])
    assert (shares["shapley_low_eur"] <= shares["shapley_eur"] + 1e-6).all()
    assert (shares["shapley_eur"] <= shares["shapley_high_eur"] + 1e-6).all()
    assert result.figures["core_is_empty"] == "no"
    assert result.figures["superadditive"]["holds"] == "yes"
    total = result.coalitions.iloc[-1]
    assert shares["emissions_together_t_co2e"].sum() == pytest.approx(total["emissions_t_co2e"])
    invested = shares.set_index("player")["invests_together_eur"] - shares.set_index("player")["invests_alone_eur"]
    assert invested[["FI", "SE"]].tolist() == pytest.approx([25000, 75000])


def test_finished_coalitions_are_kept_and_the_command_prints_what_python_gives(found, region, tmp_path: Path) -> None:
    result, out = found
    assert "Planning together is worth" in (out / "cooperate.html").read_text(encoding="utf-8")
    assert result.record["shares"][0]["player"] == "FI"
    assert len(pd.read_csv(out / "coalitions.csv")) == 7
    left = result.projects.assign(year_together=pd.array([pd.NA] * len(result.projects), dtype="Int64"))
    page = replace(result, tables={**result.tables, "projects": left}).page()  # nothing is built together
    assert page.count("–") > (out / "cooperate.html").read_text(encoding="utf-8").count("–")
    folder = nbb.write(region, tmp_path / "case")
    told = CliRunner().invoke(app, ["cooperate", str(folder), "--relax", "--json", "--out", str(tmp_path / "out")])
    assert told.exit_code == 0, told.output
    relaxed = {row["coalition"]: row["cost_eur"] for row in json.loads(told.stdout)["coalitions"]}
    assert all(relaxed[row.coalition] <= row.cost_eur + 1 for row in result.coalitions.itertuples()
               if "FI+NO" not in row.coalition)  # fmt: skip


def test_what_the_gaps_leave_open_is_said(region: nbb.Instance) -> None:
    players = players_of(region)
    names = {"each alone": (100.0, 98.0), "FI+NO": (99.0, 95.0), "FI+SE": (100.5, 90.0), "NO+SE": (100.0, 96.0),
             "FI+NO+SE": (97.0, 94.0)}  # fmt: skip
    costs = costs_of(players, {name: {"cost_eur": cost, "bound_eur": bound} for name, (cost, bound) in names.items()})
    assert costs.cost[players.bits(frozenset(["FI", "SE"]))] == 100.0  # everybody alone is a plan of two as well
    assert costs.bound[players.bits(frozenset(["FI", "SE"]))] == 94.0  # that of all together
    low, high = costs.value_range()
    assert low[-1] == 1.0
    assert high[-1] == 6.0
    from_low, from_high = costs.shapley_range()
    mean = shapley(costs.value)
    assert ((from_low <= mean) & (mean <= from_high)).all()


def test_two_coalitions_that_relieve_the_same_freight_are_named() -> None:
    value = np.zeros(16)
    value[0b0011], value[0b1100], value[0b1111] = 5.0, 4.0, 6.0  # a with b, c with d, all
    wide = superadditive(value, value - 2, value + 2, list("abcd"), 1e-9)
    assert (wide["holds"], wide["worth_more_apart"]) == ("undecided", [])
    narrow = superadditive(value, value - 0.5, value + 0.5, list("abcd"), 1e-9)
    assert (narrow["holds"], narrow["worth_more_apart"]) == ("no", [["a+b", "c+d"]])
    value[-1] = 9.0
    assert superadditive(value, value, value, list("abcd"), 1e-9)["holds"] == "yes"


def test_players_are_any_partition_and_what_does_not_fit_is_refused(region: nbb.Instance) -> None:
    two = pd.DataFrame([(p, n) for p, n in (("west", "MINE"), ("west", "WEST"), ("east", "EAST"), ("east", "PLANT"))],
                       columns=["player", "node"])  # fmt: skip
    players = players_of(region, table=two)
    assert players.names == ("east", "west")
    assert players.of_country == {"SE": "west", "FI": "east", "NO": "east"}
    assert players.pays["RAIL_CAP"] == {"west": 0.75, "east": 0.25}
    regions = nbb.cooperate(region, by="fleet_region", relax=True, cache=False)
    assert regions.about["players"] == ["E", "W"]
    with pytest.raises(nbb.InstanceError, match=r"'NOWHERE' is not in nodes\.node"):
        players_of(region, table=two.assign(node="NOWHERE"))
    with pytest.raises(nbb.NbbError, match="1 players"):
        players_of(region, table=two.assign(player="all"))
    with pytest.raises(nbb.NbbError, match="is no such column of nodes"):
        nbb.cooperate(region, by="kind")
    assert [len(some) for some in players.coalitions()] == [len(c) for r in (1, 2) for c in combinations("ab", r)]
