"""The strategy: projects in one order, with what studies say, and what no study says by name."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import nbb_opt as nbb
from nbb_opt.errors import NbbError
from nbb_opt.result import Run
from nbb_opt.studies.strategy import country_pages
from solved import solved


def study(folder: Path, **columns: list[object]) -> Path:
    folder.mkdir()
    pd.DataFrame(columns).to_parquet(folder / "projects.parquet", index=False)
    return folder


@pytest.fixture(scope="module")
def plan() -> nbb.Result:
    run: Run = solved()
    return nbb.Result(run, nbb.examples.tiny(), {})


def test_what_is_right_in_every_future_comes_first_and_what_is_missing_is_named(
    plan: nbb.Result, tmp_path: Path
) -> None:
    region = nbb.examples.tiny()
    bare = nbb.strategy(region, plan)
    assert bare.measures["project"].iloc[0] == "RAIL_MINE"
    assert bare.measures["value_in_plan_eur"].isna().all()
    assert "Worth alone" not in bare.page()  # no column of dashes for a study that was not given
    assert "robust" in bare.sentences[1]
    assert "cooperate" in bare.sentences[1]
    robust = study(
        tmp_path / "robust", project=["GRID_W", "RAIL_MINE"], value_alone_eur=[1e6, 2e6], value_in_plan_eur=[3e6, 5e6],
        share_of_futures=[1.0, 0.5], no_regret=["yes", "no"],
    )  # fmt: skip
    together = study(tmp_path / "coop", project=["RAIL_MINE"], only_jointly=[True])
    found = nbb.strategy(region, plan, studies=[robust, together], out=tmp_path / "out")
    assert found.measures["project"].tolist()[:2] == ["GRID_W", "RAIL_MINE"]
    rail = found.measures.set_index("project").loc["RAIL_MINE"]
    assert (rail["year"], rail["theme"], rail["only_jointly"]) == (2030, "infrastructure", True)
    assert not any("Not known" in sentence for sentence in found.sentences)
    assert "Worth alone" in found.page()
    pages = sorted(path.name for path in (tmp_path / "out").glob("*.html"))
    assert pages == ["strategy.html", *(f"strategy_{country}.html" for country in sorted(country_pages(found)))]
    for country, page in country_pages(found).items():
        assert all(country in paid for paid in page.tables["measures"]["paid_by"])
        assert "RAIL_MINE" not in page.page() or "Mine" in page.page()


def test_a_folder_of_something_else_is_refused(plan: nbb.Result, tmp_path: Path) -> None:
    region = nbb.examples.tiny()
    with pytest.raises(NbbError, match="holds no table of projects"):
        nbb.strategy(region, plan, studies=[tmp_path])
    other = study(tmp_path / "other", project=["BRIDGE"], only_jointly=[True])
    with pytest.raises(NbbError, match="is of another instance, which has the project BRIDGE"):
        nbb.strategy(region, plan, studies=[other])
