"""The demand file is opened once to check and sum it, and once by the verifier: no more in a whole solve."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import nbb_opt as nbb
from instance_copies import copy_tiny
from nbb_opt.instance import write_manifest

WATCHED = """
import json, sys
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
from pathlib import Path
from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import solve_instance
limits = SolveOptions(time_limit_s=120.0)
region = Path(sys.argv[1])
if sys.argv[3:]:
    from nbb_opt.instance import read_instance
    region = read_instance(region).with_changes(*sys.argv[3:])
run = solve_instance(region, out=Path(sys.argv[2]), model="frozen", options=limits)
names = [Path(path).name for path in opened]
print(json.dumps([sum(name.startswith("od.") or name == "case.xlsx" for name in names), run.record["verified"]]))
"""


@pytest.mark.parametrize("changes", [(), ("country_years.carbon_price_eur_per_t *= 2", "links.time_h *= 1.1")])
@pytest.mark.parametrize("form", ["csv", "parquet", "checksummed parquet of shippers", "workbook"])
def test_a_solve_opens_the_demand_file_at_most_twice(tmp_path: Path, form: str, changes: tuple[str, ...]) -> None:
    copy = copy_tiny(tmp_path / "case")
    case = copy.path
    if form == "workbook":
        case = tmp_path / "case.xlsx"
        nbb.convert(copy.path, case)
    elif form != "csv":
        rows = pd.read_csv(copy.path / "od.csv").assign(shipper="Mill")
        rows = rows if "shippers" in form else rows.drop(columns="shipper")
        table = pa.Table.from_pandas(rows, preserve_index=False)
        pq.write_table(table, copy.path / "od.parquet", write_page_checksum=True)
        (copy.path / "od.csv").unlink()
    if "checksummed" in form:
        write_manifest(copy.path)
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(case), str(tmp_path / "run"), *changes],
        env=os.environ, capture_output=True, text=True, timeout=500, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    opened = 3 if changes and form == "workbook" else 2  # its other tables are read anew, from the same file
    assert done.stdout.splitlines()[-1] == f"[{opened}, true]"
