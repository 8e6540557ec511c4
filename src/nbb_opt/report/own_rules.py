"""Rules and costs of the user's own in the report: named as such, with value, slack and who vouches for them."""

from __future__ import annotations

from typing import Any

from nbb_opt.report.grid import Cell, Column, Grid
from nbb_opt.report.text import plural
from nbb_opt.result import Run

BINDS = 1e-6  # relative slack below which a rule binds
WHO = {True: "recomputed from the tables", False: "as the run says: holds what the tables do not show"}


def own_rules(run: Run) -> list[dict[str, Any]]:
    """The rules of the user's own, as the record has them."""
    return list((run.record.get("extension") or {}).get("rules", []))


def own_costs(run: Run) -> list[dict[str, Any]]:
    """The costs of the user's own, as the record has them."""
    return list((run.record.get("extension") or {}).get("costs", []))


def own_grids(run: Run) -> tuple[Grid, Grid]:
    """Tables of rules and of costs of the user's own; without rows where nothing was added to the model."""
    source = (run.record.get("extension") or {}).get("source", "")
    rules: list[list[Cell]] = [
        [each["name"], each["doc"], each["value"], each["at_least"], each["at_most"], each["slack"],
         "yes" if _binds(each) else "no", WHO[bool(each["recomputed"])]]
        for each in own_rules(run)
    ]  # fmt: skip
    costs: list[list[Cell]] = [
        [each["name"], each["doc"], each["eur"] / 1e6, WHO[bool(each["recomputed"])]] for each in own_costs(run)
    ]
    of_rules = (
        Column("Rule"), Column("What it says"), Column("Value in the plan", "number"), Column("At least", "number"),
        Column("At most", "number"), Column("Slack", "number"), Column("Binds"), Column("Checked"),
    )  # fmt: skip
    of_costs = (Column("Cost"), Column("Paid"), Column("Net present value", "meur", "MEUR"), Column("Checked"))
    note = (
        f"Added by {source}, in units of their own; not part of the instance. Variables are on the left, constants on "
        "the right. They bind this plan only: frozen plan and reference are what they are without them. "
        "The bound is the word of the solver: verify does not solve a model with rules of your own again."
    )
    minimised = "Minimised together with the system cost, and not part of it. The reference does not pay them."
    return (
        Grid("Rules of your own", of_rules, rules, note=note, name="Own rules"),
        Grid("Costs of your own", of_costs, costs, note=minimised, name="Own costs"),
    )


def own_lines(run: Run) -> list[str]:
    """What the closing lines of a solve say of them; none where nothing was added."""
    rules, costs = own_rules(run), own_costs(run)
    lines = []
    if rules:
        binding = sorted((each for each in rules if _binds(each)), key=lambda each: str(each["name"]))
        named = ", ".join(str(each["name"]) for each in binding[:5]) + (", ..." if len(binding) > 5 else "")
        what = f"{len(binding)} binding: {named}" if binding else "none binds"
        lines.append(f"  your own      {plural(len(rules), 'rule', 'rules')}, {what} (not in the reference)")
    if costs:
        amounts = ", ".join(f"{each['name']} {each['eur'] / 1e6:,.1f}" for each in costs)
        lines.append(f"  your own      costs, beside those above: {amounts} MEUR net present value")
    return lines


def _binds(rule: dict[str, Any]) -> bool:
    return bool(rule["slack"] <= BINDS * max(abs(rule["value"]), 1.0))
