"""The model through the assemblies that the blocks of nbb_opt write to, and what HiGHS then holds without scaling."""

import numpy as np

from benchmarks.build.chains import CAPACITIES, digest_of, read_back

YEAR = 2030


def state(a, d):
    """State the model in an assembly; the calls are those of a block."""
    from nbb_opt.model.arrays.assembly import Weighed
    from nbb_opt.model.arrays.keys import Keys
    from nbb_opt.model.arrays.terms import Terms

    columns, bundles = len(d["bundle"]), len(d["demand_t"])
    x = a.add_variables("carried_t", Keys(np.arange(columns), np.full(columns, YEAR)), typical=256.0)
    served = Terms(bundles).add(d["bundle"], x, 1.0)
    a.add_rows("serve_demand", Keys(np.arange(bundles)), served, sense="==", side=d["demand_t"])
    used = Terms(CAPACITIES).add(d["first"], x, d["uses"]).add(d["second"], x, 1.0)
    a.add_rows("respect_capacity", Keys(np.arange(CAPACITIES)), used, sense="<=", side=d["limit_t"])
    paid = Terms(1).add(np.zeros(columns, np.int32), x, d["eur"])
    a.minimise([Weighed("service", np.ones(1), paid)])
    return a


def hand_over(assembly):
    """The standard form, handed to HiGHS as `nbb-opt solve` does."""
    from nbb_opt.model import Built, standard_form
    from nbb_opt.solve.highs import Solver

    return Solver(standard_form(Built(None, None, assembly)), threads=1, seed=0, log=[])


def digest(case, solver):
    cost, low, up, start, index, value, row_low, row_up = read_back(solver.highs)
    scale = solver.scaling
    column, of_value = scale.column, np.repeat(scale.column, np.diff(start)) * scale.row[index]
    return digest_of(
        (cost / column / scale.objective, low * column, up * column, start, index, value / of_value,
         row_low / scale.row, row_up / scale.row)
    )  # fmt: skip
