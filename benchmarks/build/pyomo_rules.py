"""The model in Pyomo as its documentation shows, by rules; with templatized rules or scalar ones."""

from benchmarks.build.chains import CAPACITIES, SMALL, WAYS, digest_of, figures, read_back


def model_of(d, *, templatized):
    import pyomo.core.base.constraint as of_constraint
    import pyomo.core.base.objective as of_objective
    import pyomo.environ as pyo

    of_constraint.TEMPLATIZE_CONSTRAINTS = of_objective.TEMPLATIZE_OBJECTIVES = templatized
    columns, bundles = len(d["bundle"]), len(d["demand_t"])
    uses, eur = dict(enumerate(d["uses"].tolist())), dict(enumerate(d["eur"].tolist()))
    demand, limit = dict(enumerate(d["demand_t"].tolist())), dict(enumerate(d["limit_t"].tolist()))
    of_bundle = {b: [c for c in range(b * WAYS, b * WAYS + WAYS) if c < columns] for b in range(bundles)}
    first, second = ({j: [] for j in range(CAPACITIES)} for _ in range(2))
    for c, (i, j) in enumerate(zip(d["first"].tolist(), d["second"].tolist(), strict=True)):
        first[i].append(c)
        second[j].append(c)
    m = pyo.ConcreteModel()
    m.C, m.B, m.J = (pyo.RangeSet(0, size - 1) for size in (columns, bundles, CAPACITIES))
    m.x = pyo.Var(m.C, domain=pyo.NonNegativeReals)
    if templatized:
        m.OF = pyo.Set(m.B, initialize=of_bundle, dimen=1)
        m.FIRST, m.SECOND = (pyo.Set(m.J, initialize=each, dimen=1) for each in (first, second))
        m.uses, m.eur = pyo.Param(m.C, initialize=uses), pyo.Param(m.C, initialize=eur)
        m.demand, m.limit = pyo.Param(m.B, initialize=demand), pyo.Param(m.J, initialize=limit)
        m.serve = pyo.Constraint(m.B, rule=lambda m, b: sum(m.x[c] for c in m.OF[b]) == m.demand[b])
        m.respect = pyo.Constraint(
            m.J,
            rule=lambda m, j: (
                sum(m.uses[c] * m.x[c] for c in m.FIRST[j]) + sum(m.x[c] for c in m.SECOND[j]) <= m.limit[j]
            ),
        )
        m.cost = pyo.Objective(rule=lambda m: sum(m.eur[c] * m.x[c] for c in m.C))
        return m
    m.serve = pyo.Constraint(m.B, rule=lambda m, b: sum(m.x[c] for c in of_bundle[b]) == demand[b])
    m.respect = pyo.Constraint(
        m.J,
        rule=lambda m, j: sum(uses[c] * m.x[c] for c in first[j]) + sum(m.x[c] for c in second[j]) <= limit[j],
    )
    m.cost = pyo.Objective(expr=sum(eur[c] * m.x[c] for c in range(columns)))
    return m


def compiled(m):
    """Pyomo's standard form, passed to highspy."""
    import highspy
    import numpy as np
    from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

    form = LinearStandardFormCompiler().write(m, mixed_form=True)
    matrix, kind = form.A.tocsc(), np.array([row.bound_type for row in form.rows])
    rhs, columns = np.asarray(form.rhs, float), len(form.columns)
    bounds = np.array([variable.bounds for variable in form.columns], object)
    low, up = (
        np.array([edge if b is None else b for b in bounds[:, k]], float) for k, edge in ((0, -np.inf), (1, np.inf))
    )
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.passModel(
        columns, len(rhs), matrix.nnz, int(highspy.MatrixFormat.kColwise), int(highspy.ObjSense.kMinimize),
        float(form.c_offset[0]), np.asarray(form.c.todense(), float).ravel(), low, up,
        np.where(kind <= 0, rhs, -np.inf), np.where(kind >= 0, rhs, np.inf), matrix.indptr.astype(np.int32),
        matrix.indices.astype(np.int32), matrix.data.astype(float), np.zeros(columns, np.int32),
    )  # fmt: skip
    return highs


def starting(case, *, templatized, hand_over):
    def run(d):
        return hand_over(model_of(d, templatized=templatized))

    run(figures(SMALL, 0))
    data = figures(case["columns"], case["seed"])
    return lambda: run(data)


def digest(case, highs):
    return digest_of(read_back(highs))
