"""The size of a model is known before it is built; what will not fit is refused with advice."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from milp_case import TINY, tiny
from nbb_opt.errors import ModelError
from nbb_opt.instance import Instance, read_instance
from nbb_opt.instance.synthetic import Shape, write_synthetic
from nbb_opt.model import Forecast, build, forecast, method, read_model, refuse_too_large, standard_form
from nbb_opt.network import prepare
from nbb_opt.options import SolveOptions
from nbb_opt.pipeline import solve_instance


@cache
def case(name: str) -> Instance:
    return tiny() if name == "tiny" else read_instance(Path(TINY).parent / name)


@pytest.mark.parametrize("model", ["joint", "frozen", "shift_only"])
@pytest.mark.parametrize("name", ["tiny", "haulier", "synthetic"])
def test_a_model_is_as_large_as_its_forecast_within_a_fifth(
    name: str, model: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    instance = case(name) if name != "synthetic" else invented(tmp_path_factory.getbasetemp() / "invented")
    prepared, spec = prepare(instance), read_model(model)
    expected = forecast(instance, prepared, spec)
    form = standard_form(build(instance, prepared, spec, route="arrays"))
    assert expected.columns == len(form.cost)
    assert 0.8 * len(form.row_low) <= expected.rows <= 1.2 * len(form.row_low)
    assert 0.8 * len(form.a_values) <= expected.nonzeros <= 1.2 * len(form.a_values)


def invented(folder: Path) -> Instance:
    """An instance of 100 flows, written once."""
    if not folder.exists():
        write_synthetic(folder, Shape(100, 3, None))
    return read_instance(folder)


def test_what_will_not_fit_is_refused_with_advice_and_may_be_tried_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(method, "memory_mb", lambda: 100)
    with pytest.raises(ModelError, match=r"will not fit: .* has 100 MB\. .*alternatives.*too_large=True"):
        solve_instance(tiny())
    assert solve_instance(tiny(), options=SolveOptions(too_large=True)).record["verified"]


def test_nothing_is_refused_where_memory_is_unknown_or_enough() -> None:
    expected = Forecast(rows=1, columns=1, nonzeros=1, memory_mb=500, seconds=0.1)
    for available in (None, 500):
        refuse_too_large(expected, available_mb=available)
