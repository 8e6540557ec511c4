"""The demand of an instance is read batch by batch: what is said and summed does not depend on how it is cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from instance_copies import Copy, copy_tiny, problems_of
from nbb_opt.cli.main import app
from nbb_opt.errors import InstanceError
from nbb_opt.formats import Choices, convert
from nbb_opt.instance import read_instance
from nbb_opt.network.bundles import read_demand

KEY = ["origin", "destination", "commodity", "year"]


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Copy:
    monkeypatch.setattr("nbb_opt.instance.tables.csv_file.BLOCK_BYTES", 80)
    return copy_tiny(tmp_path / "copy")


def rows_of(copy: Copy) -> pd.DataFrame:
    return pd.read_csv(copy.path / "od.csv", dtype=dict.fromkeys(KEY[:3], "str"))


def as_parquet(copy: Copy, rows: pd.DataFrame) -> Path:
    (copy.path / "od.csv").unlink(missing_ok=True)
    table = pa.Table.from_pandas(rows, preserve_index=False)
    pq.write_table(table, copy.path / "od.parquet", row_group_size=4, write_page_checksum=True)
    return copy.path


@pytest.mark.parametrize("parquet", [False, True])
def test_every_repeated_row_is_counted_and_the_first_are_named_with_the_row_before(copy: Copy, parquet: bool) -> None:
    rows = rows_of(copy)
    many = pd.concat([rows, *[rows.sample(frac=1, random_state=seed) for seed in range(40)]], ignore_index=True)
    if parquet:
        as_parquet(copy, many)
    else:
        many.to_csv(copy.path / "od.csv", index=False)
    again = many.duplicated(KEY)
    found = problems_of(copy.path)
    assert len(found) == 51
    assert f"{int(again.sum()) - 50} more faults of the kind" in str(found[-1])
    lead = 1 if parquet else 2
    for problem, i in zip(found[:50], np.flatnonzero(again)[:50].tolist(), strict=True):
        same = (many.loc[: i - 1, KEY] == many.loc[i, KEY]).all(axis=1)
        assert f"row {i + lead}, " in str(problem)
        assert f"has the same key as row {int(np.flatnonzero(same)[-1]) + lead}" in str(problem)


@pytest.mark.parametrize("parquet", [False, True])
def test_rows_added_up_are_the_instance_of_their_sums(copy: Copy, tmp_path: Path, parquet: bool) -> None:
    whole = read_instance(copy.path)
    expected = read_demand(whole).demand_t
    rows = rows_of(copy)
    pieces = pd.concat([rows.assign(tonnes=rows["tonnes"] / 4)] * 4, ignore_index=True).sample(frac=1, random_state=1)
    if parquet:
        as_parquet(copy, pieces)
    else:
        pieces.to_csv(copy.path / "od.csv", index=False)
    with pytest.raises(InstanceError, match="has the same key as row"):
        read_instance(copy.path)
    summed = read_instance(copy.path, add_duplicates=True)
    assert summed.digest == whole.digest
    np.testing.assert_array_equal(read_demand(summed).demand_t, expected)
    assert f"{3 * len(rows)} rows added to an earlier row" in read_demand(summed).log[1]
    done = CliRunner().invoke(app, ["prepare", str(copy.path), "--no-cache", "--add-duplicates"])
    assert f"{3 * len(rows)} rows added to an earlier row of the same flow and year, as asked" in done.output
    assert CliRunner().invoke(app, ["prepare", str(copy.path), "--no-cache"]).exit_code == 1
    name = "od.parquet" if parquet else "od.csv"
    convert(copy.path / name, tmp_path / "sums.csv", choices=Choices(duplicates="add", instance=copy.path))
    (copy.path / name).unlink()
    (tmp_path / "sums.csv").rename(copy.path / "od.csv")
    assert read_instance(copy.path).digest == whole.digest


def test_faults_are_named_in_every_batch(copy: Copy) -> None:
    rows = pd.concat([rows_of(copy)] * 3, ignore_index=True).assign(year=2025)
    rows["year"] = np.arange(len(rows)) + 1960
    bad = {4: "GAP", len(rows) - 2: "GAP", 7: None, 9: "NOWHERE"}
    for i, node in bad.items():
        rows.loc[i, "destination"] = node
    said = "\n".join(map(str, problems_of(as_parquet(copy, rows))))
    assert "row 8, column destination: is blank" in said
    assert "row 10, column destination, value 'NOWHERE'" in said
    rows.loc[[7, 9], "destination"] = rows.loc[0, "destination"]
    rows.loc[[7, 9], "origin"] = rows.loc[0, "origin"]
    said = "\n".join(map(str, problems_of(as_parquet(copy, rows))))
    assert "od.parquet row 5, column destination, value 'GAP': is not a zone" in said
    assert f"od.parquet row {len(rows) - 1}, column destination, value 'GAP': is not a zone" in said
