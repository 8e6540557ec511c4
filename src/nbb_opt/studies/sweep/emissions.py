"""Emissions over the horizon as one row of the model: what a front of cost against emissions bounds or minimises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import csc_array, csr_array, vstack

from nbb_opt.model import Built, StandardForm
from nbb_opt.model.arrays.terms import Terms
from nbb_opt.model.data.periods import Floats, sum_by

SHARED = ("emissions_ttw_kg", "emissions_wtt_kg")


def per_period(built: Built) -> Terms:
    """WTW t CO2e per year, one row per period."""
    size = built.data.time.size
    terms = Terms(size)
    for name in SHARED:
        place, column, kg = built.terms(name).merged()
        terms.add(place % size, column, kg / 1000.0)
    return terms


def over_horizon(built: Built) -> Floats:
    """WTW t CO2e over the whole horizon that a unit of each column brings: yearly tonnes times years of its period."""
    period, column, tonnes = per_period(built).merged()
    return sum_by(column, tonnes * built.data.time.lengths[period], size=built.stated.size)


def capped(form: StandardForm, tonnes: Floats, cap_t: float) -> StandardForm:
    """The form with one more row, the last: emissions over the horizon at most `cap_t`, in t CO2e."""
    shape = (len(form.row_low), len(form.cost))
    matrix = csc_array((form.a_values, form.a_indices, form.a_indptr), shape=shape)
    more = csc_array(vstack([matrix, csr_array(tonnes[None, :])]))
    more.sort_indices()
    return replace(
        form, a_indptr=more.indptr, a_indices=more.indices, a_values=more.data,
        row_low=np.append(form.row_low, -np.inf), row_up=np.append(form.row_up, cap_t),
        row_names=[*form.row_names, "cap_emissions_over_horizon"],
    )  # fmt: skip


def with_cap(form: StandardForm, cap_t: float) -> StandardForm:
    """A form of `capped` with another cap."""
    up = form.row_up.copy()
    up[-1] = cap_t
    return replace(form, row_up=up)
