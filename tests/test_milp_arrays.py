"""The statement as arrays: its names, its checks, its terms, and what it does without."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyomo.core.base.component_namer import index_repr

from milp_case import tiny
from nbb_opt.errors import ModelError
from nbb_opt.model import build, extract, read_model, standard_form
from nbb_opt.model.arrays.assembly import Assembly, Weighed
from nbb_opt.model.arrays.keys import label
from nbb_opt.model.arrays.terms import Terms
from nbb_opt.network import prepare
from nbb_opt.solve import solve_form


def test_a_plan_of_the_arrays_gives_the_tables_of_the_pyomo_model() -> None:
    prepared, spec = prepare(tiny(), prune=False), read_model("joint")
    stated, arrays = build(tiny(), prepared, spec), build(tiny(), prepared, spec, route="arrays")
    solution = solve_form(standard_form(arrays), time_limit_s=60, gap=1e-7, threads=1)
    one, other = extract(stated, solution.values), extract(arrays, solution.values)
    assert one.keys() == other.keys()
    for name, table in one.items():
        pd.testing.assert_frame_equal(table, other[name], check_exact=name != "costs", rtol=1e-12)


def test_a_model_stated_as_arrays_has_no_pyomo_model() -> None:
    built = build(tiny(), prepare(tiny(), prune=False), read_model("joint"), route="arrays")
    with pytest.raises(ModelError, match="stated as arrays"):
        _ = built.model


def test_names_are_made_only_when_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Assembly) -> list[str]:
        raise AssertionError("a name was made")

    monkeypatch.setattr(Assembly, "column_names", refuse)
    monkeypatch.setattr(Assembly, "row_names", refuse)
    form = standard_form(build(tiny(), prepare(tiny(), prune=False), read_model("joint"), route="arrays"))
    assert solve_form(form, time_limit_s=60, gap=1e-4, threads=1).status == "optimal"
    with pytest.raises(AssertionError, match="a name was made"):
        form.col_names[0]


def test_rows_that_a_solver_would_misread_are_refused() -> None:
    a = Assembly("m")
    x = a.add_variables("x", [("a",), ("b",)])
    with pytest.raises(ModelError, match=r"rows\['b'\]: no variable can make 0 >= 1"):
        a.add_rows("rows", [("a",), ("b",)], Terms(2).add(x[:1] * 0, x[:1], 1.0), sense=">=", side=1.0)
    with pytest.raises(ModelError, match="its limit is inf"):
        a.add_rows("limit", [("a",)], Terms(1).add(x[:1] * 0, x[:1], 1.0), sense="<=", side=np.inf)
    with pytest.raises(ModelError, match=r"big\['a'\]: coefficient 1e\+16"):
        a.add_rows("big", [("a",)], Terms(1).add(x[:1] * 0, x[:1], 1e16), sense="<=", side=1.0)
    with pytest.raises(ModelError, match="cost: coefficient nan"):
        a.minimise([Weighed("cost", np.ones(1), Terms(1).add(x[:1] * 0, x[:1], np.nan))])


def test_terms_in_any_order_add_up_like_a_dense_matrix() -> None:
    rng = np.random.default_rng(5)
    row, column = rng.integers(0, 30, 4000), rng.integers(-1, 40, 4000)
    value = rng.integers(-3, 4, 4000).astype(float)
    found = Terms(30).add(row[:1000], column[:1000], value[:1000])
    found.merged()
    r, c, v = found.add(row[1000:], column[1000:], value[1000:]).merged()
    dense = np.zeros((30, 40))
    real = column >= 0
    np.add.at(dense, (row[real], column[real]), value[real])
    assert np.array_equal(np.stack([r, c]), np.stack(np.nonzero(dense)))
    assert np.array_equal(v, dense[r, c])


WORDS = st.text(st.sampled_from("aZ09_.,-+e '\"\\|[]:åинf"), max_size=6) | st.sampled_from(
    ["inf", "-inf", "nan", "1e5"]
)


@given(key=st.tuples(WORDS, st.integers(-5, 2040)) | st.tuples(st.floats(allow_nan=False)) | WORDS)
def test_names_are_written_as_pyomo_writes_them(key: object) -> None:
    assert label("x", key) == "x" + index_repr(key)


@given(
    places=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6), st.integers(-3, 3)), max_size=30),
    wide=st.booleans(),
)
def test_terms_are_merged_as_adding_them_one_by_one_does(places: list[tuple[int, int, int]], wide: bool) -> None:
    kind = np.int64 if wide else np.int32
    row, column, value = (np.array([place[k] for place in places]) for k in range(3))
    half = len(places) // 2
    terms = Terms(5)
    for part in (slice(None, half), slice(half, None)):
        terms.add(row[part].astype(kind), column[part].astype(kind), value[part].astype(float))
    slow: dict[tuple[int, int], float] = {}
    for r, c, v in places:
        slow[r, c] = slow.get((r, c), 0.0) + v
    expected = [(r, c, v) for (r, c), v in sorted(slow.items()) if v != 0]
    assert list(zip(*(part.tolist() for part in terms.merged()), strict=True)) == expected


def test_stating_arrays_and_solving_them_needs_no_pyomo() -> None:
    code = "import sys, nbb_opt.model, nbb_opt.solve; sys.exit('pyomo' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_rows_after_the_matrix_are_refused() -> None:
    a = Assembly("late")
    x = a.add_variables("x", [1])
    a.matrix()
    with pytest.raises(ModelError, match="the matrix is made already"):
        a.add_rows("more", [1], Terms(1).add(x * 0, x, 1.0), sense="<=", side=1.0)
