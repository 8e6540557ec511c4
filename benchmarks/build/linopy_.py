"""linopy: labelled arrays, sums by group, its own way into highspy."""

from benchmarks.build.chains import SMALL, digest_of, figures, read_back

KIND, LIBRARY = "peer", "linopy"


def start(case, options):
    import linopy
    import pandas as pd
    import xarray as xr

    def run(d):
        chain = pd.RangeIndex(len(d["bundle"]), name="chain")

        def by_chain(values, name):
            return xr.DataArray(values, coords=[chain], name=name)

        model = linopy.Model()
        x = model.add_variables(lower=0, coords=[chain], name="x")
        served = (1 * x).groupby(by_chain(d["bundle"], "bundle")).sum()
        demand = xr.DataArray(d["demand_t"], coords=[pd.RangeIndex(len(d["demand_t"]), name="bundle")])
        model.add_constraints(served == demand, name="serve")
        limit = xr.DataArray(d["limit_t"], coords=[pd.RangeIndex(len(d["limit_t"]), name="place")])
        for name, of_chain, amount in (("first", d["first"], d["uses"]), ("second", d["second"], None)):
            term = 1 * x if amount is None else x * by_chain(amount, "uses")
            used = term.groupby(by_chain(of_chain, "place")).sum()
            model.add_constraints(used <= limit.sel(place=used.indexes["place"]), name=name)
        model.add_objective((x * by_chain(d["eur"], "eur")).sum())
        return model.to_highspy()

    run(figures(SMALL, 0) | {})
    data = figures(case["columns"], case["seed"])
    return lambda: run(data)


def digest(case, highs):
    return digest_of(read_back(highs))
