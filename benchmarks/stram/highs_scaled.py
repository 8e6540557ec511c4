"""Plain HiGHS by somebody who knows it: the same problem in our units (powers of two), without presolve."""

from benchmarks import plain_highs
from benchmarks.stram.stated import stated

KIND, LIBRARY = "peer", "highspy"


def start(case, options):
    from dataclasses import replace

    from nbb_opt.solve.scaling import choose_scaling, scaled_values

    form = stated(case, options)
    matrix = {"indptr": form.a_indptr, "indices": form.a_indices, "values": form.a_values}
    scale = choose_scaling(cost=form.cost, **matrix, rows=len(form.row_low), column_unit=form.col_unit_scale)
    scaled = replace(
        form, cost=form.cost * scale.column * scale.objective, cost_offset=form.cost_offset * scale.objective,
        a_values=scaled_values(scale, **matrix), row_low=form.row_low * scale.row, row_up=form.row_up * scale.row,
        col_low=form.col_low / scale.column, col_up=form.col_up / scale.column,
    )  # fmt: skip
    work = plain_highs.minimise(scaled, options, presolve="off")
    return lambda: (work(), scale.objective)


def outcome(case, result):
    highs, factor = result
    found = plain_highs.outcome(case, highs)
    return found | {name: None if found[name] is None else found[name] / factor for name in ("objective", "bound")}
