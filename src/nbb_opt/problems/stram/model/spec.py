"""What is asked of a stram instance: reads a model of stram in `models/` strictly."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbb_opt.errors import ModelError
from nbb_opt.instance.wording import did_you_mean
from nbb_opt.problems.stram.schema import PROBLEM
from nbb_opt.shipped import shipped, shipped_names

OPTIONS: dict[str, dict[Any, str]] = {
    "years": {"all": "every year of the periods", "first": "the first year alone"},
    "scenarios": {
        "base": "the base scenario alone, known from the start",
        "all": "every scenario; first-stage decisions are the same in all of them",
    },
    "emission_cap": {False: "no cap on emissions", True: "soft cap, what is above it is paid for"},
    "first_stage_cost": {
        "worst": "what loaded and empty driving of a first-stage year cost is the largest of all scenarios",
        "mean": "what they cost is the mean of all scenarios",
    },
}
# components of the costs of a state
YEARLY = (
    "loaded_opex", "loaded_co2", "empty_opex", "empty_co2", "time", "transfer", "transfer_time", "charging", "excess",
)  # fmt: skip
ONCE = ("edges_nok", "upgrades_nok", "terminals_nok")
COMPONENTS = YEARLY + ONCE
KEYS = ("problem", "title", *OPTIONS)


@dataclass(frozen=True)
class StramSpec:
    """A model of the stram problem and its four options."""

    name: str
    title: str
    years: str
    scenarios: str
    emission_cap: bool
    first_stage_cost: str


def stram_models() -> list[str]:
    """Names of the shipped stram models, sorted."""
    return shipped_names("models", problem=PROBLEM)


def read_stram_model(model: str | Path) -> StramSpec:
    """Read a stram model by name or by path to a `.toml` file. Raises ModelError with every fault."""
    path = Path(model) if str(model).endswith(".toml") else shipped("models") / f"{model}.toml"
    known = stram_models()
    if not path.is_file() or (not str(model).endswith(".toml") and model not in known):
        hint = did_you_mean(str(model), known) or f"there are {', '.join(known)}"
        raise ModelError(f"model '{model}': is no model of stram ({hint})")
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise ModelError(f"{path.name}: is not TOML ({fault})") from fault
    return stram_spec_of(document, name=path.stem)


def stram_spec_of(document: dict[str, Any], *, name: str) -> StramSpec:
    """Check a parsed description and give the StramSpec.

    >>> stram_spec_of({"model": {"problem": "stram", "title": "t", "years": "all", "scenarios": "base",
    ...                "emission_cap": True, "first_stage_cost": "worst"}}, name="m").scenarios
    'base'
    """
    table = document.get("model")
    if not isinstance(table, dict):
        raise ModelError(f"{name}.toml: needs a table [model] with the keys {', '.join(KEYS)}")
    faults = [f"unknown key '{key}'" for key in document if key != "model"]
    faults += [f"unknown key '{key}' ({did_you_mean(key, KEYS)})" for key in table if key not in KEYS]
    faults += [f"key '{key}' is missing" for key in KEYS if key not in table]
    if table.get("problem", PROBLEM) != PROBLEM:
        faults.append(f"problem is '{table['problem']}', not '{PROBLEM}'")
    if not isinstance(table.get("title", ""), str):
        faults.append("title must be text")
    for option, words in OPTIONS.items():
        value = table.get(option)
        if option in table and not any(value is word or (isinstance(word, str) and value == word) for word in words):
            faults.append(f"{option} is {value!r}, not one of {', '.join(str(word).lower() for word in words)}")
    if faults:
        raise ModelError(f"{name}.toml: " + "; ".join(faults))
    return StramSpec(name, table["title"], *(table[option] for option in OPTIONS))
