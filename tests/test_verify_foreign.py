"""Solutions of other engines: a plan by plain highspy is accepted, spoiled ones are refused with the rule named."""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from command_line import Done, nbb_opt
from milp_case import vary
from nbb_opt.errors import InstanceError, NbbError
from nbb_opt.instance import read_instance
from nbb_opt.model import read_model
from nbb_opt.recompute import read_world
from nbb_opt.verify import Verdict
from nbb_opt.verify.foreign import OPTIONAL, REQUIRED, complete, is_foreign, read_tables, verify_foreign
from nbb_opt.verify.foreign import _claims as read_claims
from solved import solved
from tiny_plan import tiny, whole

ROOT = Path(__file__).parents[1]
TINY = ROOT / "instances" / "tiny"


@pytest.fixture(scope="module")
def solution(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables that plain highspy leaves."""
    folder = tmp_path_factory.mktemp("foreign") / "solution"
    script = ROOT / "tests" / "plain_highspy_on_tiny.py"
    subprocess.run([sys.executable, str(script), str(ROOT / "models" / "joint.lp"), str(folder)], check=True)
    return folder


def verdict_on(folder: Path, model: str = "joint") -> Verdict:
    spec = read_model(model)
    return verify_foreign(
        folder, read_instance(TINY), blocks=spec.blocks, technologies=spec.technologies, projects=spec.projects
    )


def cli(*words: object) -> Done:
    return nbb_opt("verify", *words)


def test_a_plan_by_plain_highspy_is_accepted(solution: Path) -> None:
    done = cli(solution, "--instance", TINY, "--model", "joint")
    assert done.returncode == 0, done.stderr
    assert re.search(r"verified: OK, \d+ checks, cost 18,988,400 EUR", done.stdout)
    assert json.loads(cli(solution, "--instance", TINY, "--json").stdout)["ok"] is True
    assert "--instance" in cli(solution).stderr
    assert "run folder" in cli(solution, "--instance", TINY, "--model", "electrify_only").stderr


def spoil(solution: Path, folder: Path, table: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Path:
    shutil.copytree(solution, folder)
    frame = pd.read_csv(folder / f"{table}.csv", keep_default_na=False)
    change(frame).to_csv(folder / f"{table}.csv", index=False)
    return folder


def scaled(column: str, factor: float, row: int = 0) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda frame: frame.assign(**{column: frame[column].where(frame.index != row, frame[column] * factor)})


def without(row: int) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda frame: frame.drop(index=row)


def renamed(column: str, old: object, new: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda frame: frame.assign(**{column: frame[column].replace(old, new)})


@pytest.mark.parametrize(
    ("table", "change", "rule"),
    [
        ("flows", scaled("tonnes", 0.9), "serve_demand"),
        ("driven", scaled("loaded_vkm", 0.5), "cover_work"),
        ("empties", scaled("empty_vkm", 0.5), "return_empties"),
        ("fleet", lambda frame: frame[frame["bought"] == 0], "balance_stock"),
        ("fleet", scaled("kept", 3), "balance_stock"),
        ("chargers", without(0), "deliver_energy"),
        ("chargers", scaled("installed", 9), "respect_grid"),
        ("projects", without(0), "use_only_built"),
        ("lanes", renamed("links", "ROAD_MINE_WEST", "RAIL_MINE_WEST"), "follow_roads"),
        ("lanes", renamed("from_node", "MINE", "EAST"), "follow_a_path"),
        ("lanes", renamed("links", "ROAD_MINE_WEST", "ROAD_NOWHERE"), "keep_tables_sound"),
        ("chain_steps", renamed("terminal", "YARD_E", "YARD_W"), "follow_a_path"),
        ("chain_steps", renamed("mode_a", "road", "sea"), "follow_a_path"),
        ("chains", renamed("commodity", "ORE", "WOOD"), "serve_demand"),
        ("flows", renamed("chain", 0, 77), "keep_tables_sound"),
    ],
)
def test_a_spoiled_plan_is_refused_with_the_rule_named(
    table: str, change: Callable[[pd.DataFrame], pd.DataFrame], rule: str, solution: Path, tmp_path: Path
) -> None:
    verdict = verdict_on(spoil(solution, tmp_path / "spoiled", table, change))
    assert not verdict.ok
    assert rule in set(verdict.failures()["rule"])


def test_a_false_claim_is_refused(solution: Path, tmp_path: Path) -> None:
    folder = tmp_path / "claims"
    shutil.copytree(solution, folder)
    claims = {"cost_eur": 18988400.0, "bound": 18988400.0, "gap": 0.0}
    (folder / "claims.json").write_text(json.dumps(claims))
    assert verdict_on(folder).ok
    (folder / "claims.json").write_text(json.dumps({**claims, "cost_eur": 18000000.0}))
    assert "agree_cost_eur" in set(verdict_on(folder).failures()["rule"])
    done = cli(folder, "--instance", TINY)
    assert done.returncode == 5
    assert "agree_cost_eur" in done.stderr
    costs = pd.DataFrame(columns=list(OPTIONAL["costs"]))
    (folder / "claims.json").unlink()
    costs.to_csv(folder / "costs.csv", index=False)
    assert not verdict_on(folder).ok


def test_faults_of_the_files_are_named_all_at_once(solution: Path, tmp_path: Path) -> None:
    folder = spoil(
        solution, tmp_path / "faults", "flows", lambda frame: frame.astype({"tonnes": "str"}).replace("40000.0", "many")
    )
    (folder / "lanes.csv").unlink()
    (folder / "notes.txt").write_text("x")
    spoiled = pd.read_csv(folder / "fleet.csv").astype({"bought": "float64"})
    spoiled.loc[0, "bought"] = 0.5
    spoiled.drop(columns="kept").to_csv(folder / "projects.csv", index=False)
    spoiled.to_csv(folder / "fleet.csv", index=False)
    with pytest.raises(InstanceError) as raised:
        verdict_on(folder)
    said = str(raised.value)
    for what in ("lanes.csv: is missing", "tonnes 'many'", "notes.txt", "be_whole", "unknown columns"):
        assert what in said


def test_our_own_plan_written_in_the_format_is_accepted_as_parquet(tmp_path: Path) -> None:
    run = solved()
    tables = dict(run.tables)
    route = tables["lane_links"].sort_values(["lane", "step"]).groupby("lane")["link"].agg(";".join)
    chains = tables["chains"][["chain", "bundle"]].merge(tables["bundles"], on="bundle")
    tables |= {
        "lanes": tables["lanes"].assign(links=route.reindex(tables["lanes"]["lane"]).to_numpy()),
        "chains": chains,
    }
    for name, columns in REQUIRED.items():
        tables[name][list(columns)].to_parquet(tmp_path / f"{name}.parquet")
    for name in ("costs", "emissions", "energy"):
        tables[name].to_parquet(tmp_path / f"{name}.parquet")
    verdict = verdict_on(tmp_path)
    assert verdict.ok, verdict.failures()
    assert verdict.cost_eur == pytest.approx(run.record["cost_eur"])


def test_the_page_on_solutions_names_every_table_and_column() -> None:
    page = (ROOT / "models" / "SOLUTIONS.md").read_text(encoding="utf-8")
    for name, columns in REQUIRED.items():
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
        assert re.findall(r"`(\w+)`", row.split("|")[2]) == list(columns)
    for name in OPTIONAL:
        assert f"`{name}`" in page


def test_a_flipped_bit_in_a_parquet_table_is_noticed(solution: Path, tmp_path: Path) -> None:
    shutil.copytree(solution, tmp_path / "solution")
    path = tmp_path / "solution" / "flows.parquet"
    flows = pd.read_csv(path.with_suffix(".csv"), keep_default_na=False)
    path.with_suffix(".csv").unlink()
    table = pa.Table.from_pandas(flows, preserve_index=False)
    plain = {"compression": "none", "use_dictionary": False, "write_statistics": False}
    pq.write_table(table, path, write_page_checksum=True, **plain)
    assert verdict_on(path.parent).ok
    content = path.read_bytes()
    at = content.index(struct.pack("<d", float(flows["tonnes"].max())))
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])  # a tonnage is another one now
    with pytest.raises(InstanceError, match=r"flows\.parquet.*cannot be read"):
        verdict_on(path.parent)


def on_paper() -> dict[str, pd.DataFrame]:
    """The plan on paper as another engine would give it."""
    tables = dict(whole())
    route = tables["lane_links"].sort_values(["lane", "step"]).groupby("lane")["link"].agg(";".join)
    tables["lanes"] = tables["lanes"].assign(links=route.reindex(tables["lanes"]["lane"]).to_numpy())
    tables["chains"] = tables["chains"].merge(tables["bundles"], on="bundle")
    return {name: tables[name][list(columns)] for name, columns in REQUIRED.items()}


def completed(**changed: list[dict[str, object]]) -> dict[str, pd.DataFrame]:
    given = on_paper() | {name: pd.DataFrame(rows) for name, rows in changed.items()}
    return complete(read_world(tiny()), given)


def rows(frame: pd.DataFrame, *columns: str) -> list[list[object]]:
    return sorted(frame[list(columns)].to_numpy().tolist())


def test_what_a_solution_leaves_out_is_worked_out_from_the_instance() -> None:
    found, true = completed(), whole()
    for name in ("chain_steps", "lanes", "lane_links", "flows", "driven", "empties", "fleet", "chargers", "projects"):
        assert rows(found[name], *true[name].columns) == rows(true[name], *true[name].columns), name
    flow = ("origin", "destination", "commodity")  # bundles are numbered otherwise
    for name, columns in (
        ("demand", ("year", "tonnes")), ("chains", ("chain", "main_mode", "distance_km", "time_h", "projects")),
    ):  # fmt: skip
        own, other = (rows(each[name].merge(each["bundles"], on="bundle"), *flow, *columns) for each in (found, true))
        assert own == other, name
    assert all(found[name].empty for name in ("costs", "emissions", "energy", "use"))


def test_chargers_serve_from_their_year_to_the_end_of_their_life_and_projects_are_built_once() -> None:
    point = {"charge_area": "CW", "charger": "DEPOT100"}
    unit = {"project": "GRID_W"}
    found = completed(
        chargers=[point | {"year": 2025, "installed": 3}, point | {"year": 2030, "installed": 2},
                  point | {"charge_area": "CE", "year": 2030, "installed": 1},
                  point | {"charger": "OTHER", "year": 2025, "installed": 4}],
        projects=[unit | {"year": 2025, "in_service": 1}, unit | {"year": 2030, "in_service": 3},
                  {"project": "RAIL_MINE", "year": 2030, "in_service": 1}],
        public_charging=[{"charge_area": "CW", "year": 2025, "kwh": 7.0}],
    )  # fmt: skip
    assert rows(found["chargers"], "charge_area", "charger", "year", "installed", "in_service") == [
        ["CE", "DEPOT100", 2030, 1, 1], ["CW", "DEPOT100", 2025, 3, 3], ["CW", "DEPOT100", 2030, 2, 5],
        ["CW", "OTHER", 2025, 4, 4], ["CW", "OTHER", 2030, 0, 4],
    ]  # fmt: skip
    assert rows(found["projects"], "project", "year", "newly_built", "in_service") == [
        ["GRID_W", 2025, 1, 1], ["GRID_W", 2030, 2, 3], ["RAIL_MINE", 2030, 1, 1],
    ]  # fmt: skip
    assert found["use"].to_dict("records") == [
        {"kind": "public_charging", "row": "CW", "year": 2025, "used": 7.0, "limit": 0.0, "unit": "kWh"}
    ]


def test_a_charger_is_gone_after_its_life() -> None:
    short = read_world(vary(tiny(), "chargers", "charger", "DEPOT100", lifetime_years=5))
    bought = pd.DataFrame([{"charge_area": "CW", "charger": "DEPOT100", "year": 2025, "installed": 3}])
    found = complete(short, on_paper() | {"chargers": bought})["chargers"]
    assert rows(found, "year", "installed", "in_service") == [[2025, 3, 3]]


def test_links_are_driven_from_where_the_way_is_and_unknown_ones_lead_nowhere() -> None:
    found = completed(
        lanes=[
            {"lane": 0, "cargo_type": "dry_bulk", "from_node": "WEST", "links": "ROAD_MINE_WEST"},
            {"lane": 1, "cargo_type": "dry_bulk", "from_node": "EAST", "links": "ROAD_GAP_EAST;ROAD_WEST_GAP"},
            {"lane": 2, "cargo_type": "dry_bulk", "from_node": "PLANT", "links": "ROAD_MINE_WEST;NOWHERE"},
            {"lane": 3, "cargo_type": "dry_bulk", "from_node": "WEST", "links": "SEA_PORTE_PORTW;"},
        ]
    )
    assert rows(found["lane_links"], "lane", "step", "link", "from_node", "to_node") == [
        [0, 0, "ROAD_MINE_WEST", "WEST", "MINE"], [1, 0, "ROAD_GAP_EAST", "EAST", "GAP"],
        [1, 1, "ROAD_WEST_GAP", "GAP", "WEST"], [2, 0, "ROAD_MINE_WEST", "MINE", "WEST"], [2, 1, "NOWHERE", "", ""],
        [3, 0, "SEA_PORTE_PORTW", "PORTE", "PORTW"],
    ]  # fmt: skip
    columns = ("lane", "from_node", "to_node", "distance_km", "time_h", "gross_limit_t")
    assert rows(found["lanes"], *columns) == [
        [0, "WEST", "MINE", 50.0, 1.0, 64.0], [1, "EAST", "WEST", 200.0, 4.0, 64.0],
        [2, "PLANT", "", 50.0, 1.0, 64.0], [3, "WEST", "PORTW", 100.0, 10.0, float("inf")],
    ]  # fmt: skip


def test_a_solution_without_accounts_is_judged_by_its_plan_alone(tmp_path: Path) -> None:
    for name, frame in on_paper().items():
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    verdict = verdict_on(tmp_path)
    assert verdict.ok
    assert verdict.cost_eur == pytest.approx(18_988_400.0)
    flows = on_paper()["flows"]
    flows.assign(tonnes=0.5 * flows["tonnes"]).to_csv(tmp_path / "flows.csv", index=False)
    assert not any(rule.startswith("agree_") for rule in verdict_on(tmp_path).failures()["rule"])
    pd.DataFrame(columns=list(OPTIONAL["costs"])).to_csv(tmp_path / "costs.csv", index=False)
    assert {rule for rule in verdict_on(tmp_path).failures()["rule"] if rule.startswith("agree_")} == {"agree_costs"}


@pytest.mark.parametrize(
    ("column", "cells", "said"),
    [
        ("tonnes", ["1", "x", ""], ["row 3, tonnes 'x': is no number", "row 4, tonnes '': is no number"]),
        ("tonnes", ["inf", "1", "1"], ["row 2, tonnes 'inf': is no number"]),
        ("chain", ["0.5", "1", "2"], ["row 2, chain '0.5': is no whole number (be_whole)"]),
        ("chain", ["0.5", "x", "2"], ["row 3, chain 'x': is no number"]),
        ("chain", ["1.0", "2", "3"], []),
    ],
)
def test_a_cell_that_is_no_number_is_named_by_its_row(
    column: str, cells: list[str], said: list[str], tmp_path: Path
) -> None:
    for name, frame in on_paper().items():
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    three = on_paper()["flows"].head(3).astype("str").assign(**{column: cells})
    three.to_csv(tmp_path / "flows.csv", index=False)
    faults = []
    try:
        read_tables(tmp_path)
    except InstanceError as refused:
        faults = [f"{fault.where}: {fault.what}" for fault in refused.problems]
    assert faults == [f"{tmp_path / 'flows.csv'} {each}" for each in said]


def test_what_a_folder_must_and_may_hold(tmp_path: Path) -> None:
    folder = tmp_path / "solution"
    with pytest.raises(InstanceError, match="is no folder of tables"):
        read_tables(folder)
    folder.mkdir()
    assert not is_foreign(folder)
    for name, frame in on_paper().items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    assert is_foreign(folder)
    assert not is_foreign(folder / "flows.csv")
    (folder / "manifest.json").write_text("{}")
    assert not is_foreign(folder)
    (folder / "manifest.json").unlink()
    (folder / "README.md").write_text("mine")
    (folder / "claims.json").write_text("{}")
    assert set(read_tables(folder)) == set(REQUIRED)
    on_paper()["flows"].to_parquet(folder / "flows.parquet")
    for change, said in (
        (lambda: None, "is there as .csv and as .parquet"),
        (lambda: (folder / "flows.parquet").unlink() or (folder / "flows.csv").unlink(), "flows.csv: is missing"),
        (lambda: (folder / "claims.json").write_text('{"seed": 1}'), "seed is unknown"),
        (lambda: (folder / "claims.json").write_text("[1]"), "claims.json: cannot be read"),
    ):
        change()
        with pytest.raises(NbbError, match=said):
            read_tables(folder) if "claims" not in said and "seed" not in said else read_claims(folder)
    twice = on_paper()["lanes"]
    on_paper()["flows"].to_csv(folder / "flows.csv", index=False)
    pd.concat([twice, twice.tail(1)]).to_csv(folder / "lanes.csv", index=False)
    with pytest.raises(InstanceError, match=f"lanes: {twice['lane'].iloc[-1]} stands twice"):
        read_tables(folder)
