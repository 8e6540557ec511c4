"""Which way a model is solved, whole or by column generation, and which statement of it that takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from nbb_opt.errors import ModelError
from nbb_opt.model.build import LARGEST_IN_PYOMO, statement_for
from nbb_opt.model.forecast import Forecast, memory_mb, refuse_too_large
from nbb_opt.options import Method, SolveOptions

# From about here the linear relaxation alone takes HiGHS half a minute, and column generation is done sooner.
LARGE_NONZEROS = 1_500_000


def chosen_options(
    options: SolveOptions, expected: Forecast, say: Callable[[str], None], *, own: str, stated: bool, cluster: bool
) -> SolveOptions:
    """The options with method and statement decided, for a model of this size; `say` hears why.

    `own` says where rules of the user's own come from; they need the Pyomo model, which may be `stated` already. Raises
    ModelError for options that do not go together, or if the model will not fit.
    """
    if own:
        options = in_pyomo(options, 0 if stated else expected.nonzeros, own)
    if options.solver is not None and options.method == "decompose":
        raise ModelError(f"{options.solver} solves a model whole; leave out method='decompose' or solver=")
    if options.solver is not None and options.decision_gap is not None:
        raise ModelError(f"{options.solver} stops at gap=; leave out decision_gap= or solver=")
    method = "monolith" if options.solver is not None else chosen_method(options.method, expected.nonzeros)
    say(expected.line())
    if not options.too_large:
        refuse_too_large(expected, available_mb=memory_mb(), segments=method == "decompose")
    size = f"since the forecast is {'' if method == 'decompose' else 'not '}more than {LARGE_NONZEROS} nonzeros"
    say(f"method: {method}, {size if options.method == 'auto' else 'as asked'}")
    if method == "decompose" and options.presolve != "choose":
        raise ModelError("presolve is an option of the monolith; take method='monolith' with it, or leave it out")
    if method != "decompose" and cluster:
        raise ModelError(
            "a cluster helps column generation only, and this model is solved whole; leave it out, or take "
            "method='decompose'"
        )
    if method == "decompose" and options.statement == "pyomo":
        raise ModelError(
            "column generation works on the arrays; take method='monolith' with statement='pyomo', or leave it out"
        )
    statement = statement_for(expected.nonzeros, "arrays" if method == "decompose" else options.statement)
    say(f"statement: {statement}")
    return replace(options, method=method, statement=statement)


def chosen_method(method: Method, nonzeros: int) -> Method:
    """What `auto` means for a model with so many nonzeros: column generation above `LARGE_NONZEROS`.

    >>> chosen_method("auto", 10_000), chosen_method("auto", 10_000_000), chosen_method("monolith", 10_000_000)
    ('monolith', 'decompose', 'monolith')
    """
    if method != "auto":
        return method
    return "decompose" if nonzeros > LARGE_NONZEROS else "monolith"


def in_pyomo(options: SolveOptions, nonzeros: int, own: str) -> SolveOptions:
    """The options for rules of the user's own, which come from `own`. Raises ModelError where they cannot be kept."""
    if options.method == "decompose":
        raise ModelError(f"{own}: column generation knows no rules of your own; leave out method='decompose'")
    if options.statement == "arrays":
        raise ModelError(f"{own}: rules of your own are stated in Pyomo, not in arrays; leave out statement='arrays'")
    if statement_for(nonzeros, options.statement) == "arrays":
        raise ModelError(
            f"{own}: rules of your own are stated in Pyomo, and a model of {nonzeros:,} nonzeros needs the arrays "
            f"(more than {LARGEST_IN_PYOMO:,}); take a smaller instance, or statement='pyomo' and patience"
        )
    return replace(options, method="monolith", statement="pyomo")
