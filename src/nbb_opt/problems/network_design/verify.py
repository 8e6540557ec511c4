"""Recomputes a network design plan from the tables of the instance and of the result alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nbb_opt.problems.network_design.instance import DesignInstance
from nbb_opt.verify.verdict import OBJECTIVE_RELATIVE, Checks, names

LEAST_T = 1e-9  # a flow not above this does not need its arc open


@dataclass(frozen=True)
class DesignVerdict:
    """Whether a plan is accepted; `checks` has columns rule, where, found, limit, slack (negative: a miss), ok."""

    ok: bool
    checks: pd.DataFrame
    cost_eur: float

    def failures(self) -> pd.DataFrame:
        return self.checks[~self.checks["ok"]].reset_index(drop=True)

    def as_record(self) -> dict[str, Any]:
        """For JSON; numbers that are not finite become null."""
        rows = self.checks.astype(object).to_dict("records")
        checks = [{key: _plain(value) for key, value in row.items()} for row in rows]
        return {"ok": self.ok, "cost_eur": _plain(self.cost_eur), "checks": checks}


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def verify_design(
    instance: DesignInstance, tables: Mapping[str, pd.DataFrame], reported: Mapping[str, Any] | None = None
) -> DesignVerdict:
    """Check `opened` and `flows` (see SCHEMA of results), and what the plan reports of itself (cost_eur, bound, gap).

    Rules: know_names, carry_nothing_negative, balance_nodes, respect_capacity, open_what_is_used; report_cost,
    report_bound, report_gap where something is reported.
    """
    checks = Checks()
    arcs = instance.tables["arcs"].set_index("arc")
    demand = instance.tables["commodities"].set_index("commodity")
    opened, flows = tables["opened"], tables["flows"]
    known = checks.hold("know_names", opened["arc"].isin(arcs.index), where=names(opened, "opened, arc {}", ["arc"]))
    where = names(flows, "flows, arc {}, commodity {}", ["arc", "commodity"])
    known &= checks.hold(
        "know_names", flows["arc"].isin(arcs.index) & flows["commodity"].isin(demand.index), where=where
    )
    if not known:
        return DesignVerdict(False, checks.frame(), float("nan"))
    tonnes = flows["carried_t"].to_numpy(dtype=float)
    checks.compare("carry_nothing_negative", tonnes, ">=", 0.0, where=where, unit="t")
    on = arcs.loc[flows["arc"]]
    _check_balance(instance, flows, on, tonnes, checks)
    used = pd.Series(tonnes, index=flows["arc"].to_numpy()).groupby(level=0).sum().reindex(arcs.index, fill_value=0.0)
    limit = arcs["capacity_t"].to_numpy(dtype=float)
    checks.compare(
        "respect_capacity", used.to_numpy(), "<=", limit, where=lambda i: f"arc {arcs.index[i]}", unit="t", scale=limit
    )
    is_open = pd.Series(arcs.index.isin(opened["arc"]), index=arcs.index)
    closed = (tonnes > LEAST_T) & ~is_open.loc[flows["arc"]].to_numpy()
    checks.hold("open_what_is_used", ~closed, where=where)
    carrying = math.fsum((tonnes * on["cost_eur_per_t"].to_numpy(dtype=float)).tolist())
    cost = carrying + math.fsum(arcs["fixed_eur"][is_open].tolist())
    if reported is not None:
        _check_report(reported, cost, checks)
    frame = checks.frame()
    return DesignVerdict(not checks.failed, frame, cost)


def _check_balance(
    instance: DesignInstance, flows: pd.DataFrame, on: pd.DataFrame, tonnes: np.ndarray, checks: Checks
) -> None:
    """What leaves a node less what arrives: the demand at the origin, its negative at the destination, else nothing."""
    demand = instance.tables["commodities"]
    parts = [
        pd.DataFrame({"commodity": flows["commodity"].to_numpy(), "node": on[end].to_numpy(), "net_t": sign * tonnes})
        for end, sign in (("from_node", 1.0), ("to_node", -1.0))
    ]
    parts += [
        pd.DataFrame({"commodity": demand["commodity"], "node": demand[end], "net_t": sign * demand["demand_t"]})
        for end, sign in (("origin", -1.0), ("destination", 1.0))
    ]
    net = pd.concat(parts, ignore_index=True).groupby(["commodity", "node"], sort=False)["net_t"].sum().reset_index()
    scale = net["commodity"].map(demand.set_index("commodity")["demand_t"]).to_numpy(dtype=float)
    where = names(net, "commodity {}, node {}", ["commodity", "node"])
    checks.compare("balance_nodes", net["net_t"], "==", 0.0, where=where, unit="t", scale=scale)


def _check_report(reported: Mapping[str, Any], cost: float, checks: Checks) -> None:
    said, bound = float(reported["cost_eur"]), float(reported["bound"])
    checks.compare(
        "report_cost", said, "==", cost, where=lambda i: "cost_eur", unit="EUR", relative=OBJECTIVE_RELATIVE
    )  # fmt: skip
    checks.compare(
        "report_bound", bound, "<=", cost, where=lambda i: "bound", unit="EUR", relative=OBJECTIVE_RELATIVE
    )  # fmt: skip
    gap = (said - bound) / said if said else 0.0
    checks.compare("report_gap", float(reported["gap"]), "==", gap, where=lambda i: "gap", unit="share")
