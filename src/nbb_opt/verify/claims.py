"""What a run claims of itself: nothing is left out, it fits the model of its name, and the figures agree."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nbb_opt.errors import VerifyFailed
from nbb_opt.shipped import shipped, shipped_names
from nbb_opt.verify.verdict import FLOORS, OBJECTIVE_RELATIVE, Checks

# component of the costs -> key of [emissions] in the file of a model
PRICES = {"added_carbon_price": "added_carbon_price_eur_per_t", "emission_weight": "weight_eur_per_t"}
BARS = FROZEN, REFERENCE = ("frozen", "reference")


@dataclass(frozen=True, kw_only=True)
class ModelRules:
    """Blocks and options of a model, as its .toml says them."""

    name: str
    blocks: tuple[str, ...]
    technologies: str
    projects: str
    flows: str
    cuts: tuple[tuple[int, float], ...] = ()  # from a year on, share below the first period of the frozen plan
    prices: Mapping[str, tuple[tuple[int, float], ...]] = field(default_factory=dict)  # on emissions, EUR per t


def rules_of(name: Any, file: Path | None = None) -> ModelRules:
    """The rules of the shipped model `name`, or of `file` where the model is one of the user's own.

    Raises VerifyFailed if there is no such model, or the file is of another one.

    >>> rules_of("frozen").technologies
    'today'
    """
    known = shipped_names("models")
    if file is None and name not in known:
        raise VerifyFailed(
            f"the run says it solved the model {name!r}, which is none of {', '.join(known)}; if it is one of your "
            "own, give its file: model='FILE.toml'"
        )
    if file is not None and file.stem != name:
        raise VerifyFailed(f"{file}: the run says it solved the model {name!r}, not {file.stem!r}")
    path = file or shipped("models") / f"{name}.toml"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        table, cut, priced = document["model"], document.get("caps", {}).get("cut", {}), document.get("emissions", {})
        technologies, projects, flows = (str(table[key]) for key in ("technologies", "projects", "flows"))
        of_component = {name: priced[key] for name, key in PRICES.items() if key in priced}
        cuts, *paths = (
            tuple(sorted((int(year), float(figure)) for year, figure in path.items()))
            for path in (cut, *of_component.values())
        )
        prices = dict(zip(of_component, paths, strict=True))
        return ModelRules(
            name=path.stem, blocks=tuple(table["blocks"]), technologies=technologies, projects=projects, flows=flows,
            cuts=cuts, prices=prices,
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise VerifyFailed(f"{path}: is no model ({fault})") from None


CLAIMS = ("cost_eur", "bound", "gap", "emissions_t_co2e", "status", "blocks", "technologies", "projects")
STATUSES = ("optimal", "time_limit", "stopped", "not_proven")
NEGLIGIBLE = 1e-9


def mapping(value: Any) -> Mapping[str, Any]:
    """A part of a record as it should be; empty where it is something else."""
    return value if isinstance(value, Mapping) else {}


def number(value: Any) -> float:
    """A claimed figure; not a number (which agrees with nothing) where it is something else."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else float("nan")


def check_claims(said: Mapping[str, Any], rules: ModelRules, gap_asked: Any, checks: Checks) -> None:
    """`claim_everything`, `keep_model`, `agree_status`: one plan's part of the record against the model of its name.

    `gap_asked` is the relative gap at which the solver could stop: what is called optimal is proven to that.
    """
    missing = [key for key in CLAIMS if key not in said]
    checks.hold("claim_everything", [key not in missing for key in CLAIMS], where=lambda i: f"{CLAIMS[i]} of the plan")
    blocks = said.get("blocks")
    fits = isinstance(blocks, list) and all(isinstance(block, str) for block in blocks)
    checks.hold(
        "keep_model", fits and sorted(blocks or []) == sorted(rules.blocks),
        where=lambda _: f"blocks: models/{rules.name}.toml has {', '.join(rules.blocks)}",
    )  # fmt: skip
    true = (("technologies", rules.technologies), ("projects", rules.projects))
    checks.hold(
        "keep_model", [said.get(key) == value for key, value in true],
        where=lambda i: f"{true[i][0]}: the model says {true[i][1]!r}",
    )  # fmt: skip
    status = said.get("status")
    checks.hold("agree_status", status in STATUSES, where=lambda _: f"status: is none of {', '.join(STATUSES)}")
    if status == "optimal":
        checks.compare(
            "agree_status", number(said.get("gap")), "<=", number(gap_asked), unit="share",
            where=lambda _: "status optimal: the gap is wider than the one asked for",
        )  # fmt: skip


def listed(part: Mapping[str, Any], key: str) -> list[Any]:
    """A list in a part of a record; empty where it is something else."""
    found = part.get(key)
    return found if isinstance(found, list) else []


def own_cost_eur(extension: Mapping[str, Any]) -> float:
    """What costs of the user's own amount to, by the word of the record."""
    return float(sum(number(mapping(cost).get("eur")) for cost in listed(extension, "costs")))


def claim_faults(record: Mapping[str, Any], cost: str, bound: str) -> list[str]:
    """What is wrong with the claims of another problem's record, `cost` and `bound` being the names of its figures.

    >>> claim_faults({"cost": 100.0, "bound": float("-inf"), "gap": 0.0, "status": "optimal", "verified": True,
    ...               "options": {"gap": 0.01}}, "cost", "bound")
    ['gap: is inf, not 0.0']
    """
    figures = {key: number(record.get(key)) for key in (cost, bound, "gap")}
    faults = [f"{key}: is no number" for key, value in figures.items() if np.isnan(value)]
    gap_asked = number(mapping(record.get("options")).get("gap"))
    true_gap = abs(figures[cost] - figures[bound]) / max(abs(figures[cost]), NEGLIGIBLE)
    if not faults and true_gap != figures["gap"] and not abs(true_gap - figures["gap"]) <= 1e-9:
        faults.append(f"gap: is {true_gap}, not {figures['gap']}")
    if record.get("status") not in STATUSES:
        faults.append(f"status: is none of {', '.join(STATUSES)}")
    if record.get("status") == "optimal" and not figures["gap"] <= gap_asked + FLOORS["share"]:
        faults.append("status optimal: the gap is wider than the one asked for")
    if record.get("verified") is not True:
        faults.append("verified: the run does not say that it was verified when it was written")
    return faults


def check_reported(
    reported: Mapping[str, Any],
    costs: pd.DataFrame,
    cost_eur: float,
    emissions_t: Mapping[int, float],
    checks: Checks,
) -> None:
    """`agree_cost_eur`, `agree_emissions_t_co2e`, `agree_bound`, `agree_gap` for what `reported` holds.

    A bound above the cost is false; that no plan costs less is the word of the solver. The gap follows from both. Under
    rules of the user's own (`extension`) bound and gap are those of the objective, which has the user's costs too.
    """
    scale = float(costs["discounted_eur"].abs().sum())
    if "cost_eur" in reported:
        checks.compare(
            "agree_cost_eur", number(reported["cost_eur"]), "==", cost_eur, where=lambda _: "reported cost_eur",
            unit="EUR", scale=scale, relative=OBJECTIVE_RELATIVE,
        )  # fmt: skip
    if "emissions_t_co2e" in reported:
        said = {str(year): number(value) for year, value in mapping(reported["emissions_t_co2e"]).items()}
        true = {str(year): value for year, value in emissions_t.items()}
        years = sorted({*said, *true})
        checks.compare(
            "agree_emissions_t_co2e", [said.get(year, np.nan) for year in years], "==",
            [true.get(year, np.nan) for year in years], where=lambda i: f"reported emissions {years[i]}", unit="t_co2e",
        )  # fmt: skip
    bound, objective = number(reported.get("bound", -np.inf)), cost_eur
    if "extension" in reported:
        extension = mapping(reported["extension"])
        objective += own_cost_eur(extension)
        scale += abs(objective - cost_eur)
        checks.compare(
            "agree_cost_eur", number(extension.get("objective_eur")), "==", objective, unit="EUR", scale=scale,
            relative=OBJECTIVE_RELATIVE, where=lambda _: "reported objective_eur: cost_eur and costs of the user's own",
        )  # fmt: skip
    if "bound" in reported:
        checks.compare("agree_bound", objective, ">=", bound, where=lambda _: "reported bound", unit="EUR", scale=scale)
    if "gap" in reported:
        size = max(abs(objective), NEGLIGIBLE)
        gap, true_gap = number(reported["gap"]), abs(objective - bound) / size
        room = 1e-6 * true_gap + 2 * OBJECTIVE_RELATIVE * scale / size
        apart = 0.0 if gap == true_gap else abs(gap - true_gap)
        checks.compare("agree_gap", apart, "<=", room, where=lambda _: "reported gap", unit="share")
