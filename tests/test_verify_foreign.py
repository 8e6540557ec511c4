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
from nbb_opt.errors import InstanceError
from nbb_opt.instance import read_instance
from nbb_opt.model import read_model
from nbb_opt.verify import Verdict
from nbb_opt.verify.foreign import OPTIONAL, REQUIRED, verify_foreign
from solved import solved

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
