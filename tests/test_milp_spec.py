"""Model descriptions are read strictly."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbb_opt.errors import ModelError
from nbb_opt.model import read_model
from nbb_opt.model.spec import spec_of

GOOD = {
    "title": "t",
    "blocks": ["flow", "projects", "fleet"],
    "technologies": "all",
    "projects": "all",
    "flows": "free",
}


@pytest.mark.parametrize("name", ["joint", "shift_only", "electrify_only", "frozen"])
def test_every_shipped_model_is_read(name: str) -> None:
    spec = read_model(name)
    assert spec.name == name
    assert {"flow", "fleet"} <= set(spec.blocks)


def test_a_model_is_read_from_a_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        '[model]\ntitle = "t"\nblocks = ["fleet", "flow"]\ntechnologies = "all"\nprojects = "none"\nflows = "free"\n'
    )
    assert read_model(path).blocks == ("flow", "fleet")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"blocks": ["flow", "fleet", "rebalanse", "projects"]}, "did you mean 'rebalance'"),
        ({"technologies": "todya"}, "did you mean 'today'"),
        ({"tilte": "x"}, "did you mean 'title'"),
        ({"blocks": ["flow", "projects"]}, "'fleet' is missing"),
        ({"blocks": ["flow", "flow", "fleet", "projects"]}, "named twice"),
        ({"projects": "none"}, "contradicts the block"),
        ({"blocks": ["flow", "fleet"]}, "needs the block 'projects'"),
        ({"blocks": "flow"}, "must be a list"),
    ],
)
def test_a_fault_is_named_with_what_was_meant(change: dict, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        spec_of({"model": {**GOOD, **change}}, name="m")


def test_every_fault_is_reported_at_once() -> None:
    with pytest.raises(ModelError) as error:
        spec_of({"modle": {}, "model": {**GOOD, "flows": "freed", "tilte": ""}}, name="m")
    assert str(error.value).count("\n") == 2


def test_an_unknown_model_is_named_with_one_that_exists() -> None:
    with pytest.raises(ModelError, match="did you mean 'joint'"):
        read_model("jiont")
