"""What a model consists of: reads `models/<name>.toml` strictly and refuses combinations that make no sense."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nbb_opt.errors import ModelError
from nbb_opt.renames import is_now
from nbb_opt.shipped import shipped, shipped_names

# block -> blocks it cannot do without; the order is the order in which they are built
REQUIRES: dict[str, tuple[str, ...]] = {
    "flow": ("fleet",),  # without trucks the road would be free
    "sourcing": ("flow",),
    "projects": ("flow",),
    "links": ("flow",),
    "terminals": ("flow",),
    "fleet": ("flow",),
    "rebalance": ("fleet",),
    "charging": ("fleet",),
    "fuels": ("flow", "fleet"),
    "caps": ("flow", "fleet"),
    "policy": ("flow", "fleet"),
    "mode_shift": ("flow",),
    "mode_constants": ("flow",),
}
OPTIONS: dict[str, tuple[str, ...]] = {
    "technologies": ("all", "today"),
    "projects": ("all", "committed", "existing", "none"),
    "flows": ("free", "frozen"),
}
KEYS = ("title", "blocks", *OPTIONS)
# path of a model by year -> its table and key, highest figure, and what to write
PATHS: dict[str, tuple[str, str, float, str]] = {
    "cuts": ("caps", "cut", 1.0, "the share of emissions cut, as 2030 = 0.2"),
    "added_carbon_price": ("emissions", "added_carbon_price_eur_per_t", 1e5, "EUR per t, as 2030 = 100"),
    "emission_weight": ("emissions", "weight_eur_per_t", 1e5, "EUR per t, as 2030 = 100"),
}
YearPath = tuple[tuple[int, float], ...]


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """A model: its blocks in building order, its three options, and what it makes of emissions by year.

    `cuts` are shares by which all countries together emit less, WTW, than the frozen plan does in the first period;
    `caps_t` is what they come to, in t CO2e a year, once that plan is known. `added_carbon_price` is paid on top of the
    carbon price of the tables, `emission_weight` counts every t WTW in the objective and nobody pays it, EUR/t CO2e.
    """

    name: str
    title: str
    blocks: tuple[str, ...]
    technologies: str = "all"
    projects: str = "all"
    flows: str = "free"
    cuts: YearPath = ()
    caps_t: YearPath = ()
    added_carbon_price: YearPath = ()
    emission_weight: YearPath = ()

    def with_caps(self, base_t: float) -> ModelSpec:
        """The model with its caps in tonnes; `base_t` is what the frozen plan emits a year in the first period.

        >>> ModelSpec(name="m", title="t", blocks=("caps",), cuts=((2030, 0.2),)).with_caps(1000.0).caps_t
        ((2030, 800.0),)
        """
        return replace(self, caps_t=tuple((year, base_t * (1 - share)) for year, share in self.cuts))

    def caps_in(self, years: Iterable[int]) -> dict[str, float]:
        """The cap in each period that has one, by its first year."""
        return {str(year): cap_t for year, cap_t in _held(self.caps_t, years).items()}

    @property
    def prices(self) -> Mapping[str, YearPath]:
        """Components of the objective that the model puts on emissions, EUR/t CO2e from a year on."""
        both = {"added_carbon_price": self.added_carbon_price, "emission_weight": self.emission_weight}
        return {name: path for name, path in both.items() if path}

    def prices_in(self, years: Iterable[int]) -> dict[str, dict[int, float]]:
        """The prices in each period, 0 where one has not begun.

        >>> ModelSpec(name="m", title="t", blocks=(), emission_weight=((2030, 50.0),)).prices_in([2025, 2030, 2035])
        {'emission_weight': {2025: 0.0, 2030: 50.0, 2035: 50.0}}
        """
        years = list(years)
        return {name: dict.fromkeys(years, 0.0) | _held(path, years) for name, path in self.prices.items()}


def _held(path: YearPath, years: Iterable[int]) -> dict[int, float]:
    """What holds in each year, from its own on until the next."""
    held = {year: [figure for since, figure in path if since <= year] for year in years}
    return {year: figures[-1] for year, figures in held.items() if figures}


def read_model(model: str | Path) -> ModelSpec:
    """Read a model by name (a file of the shipped folder `models`) or by path to a `.toml` file.

    Raises ModelError with every fault of the file: unknown keys, blocks or words, blocks missing for others.
    """
    path = Path(model) if str(model).endswith(".toml") else shipped("models") / f"{model}.toml"
    if not path.is_file():
        now = is_now("model", str(model))
        said = f"; it {now}" if now else _did_you_mean(str(model), shipped_names("models"))
        raise ModelError(f"model '{model}': there is no file {path.name}{said}")
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise ModelError(f"{path.name}: is not TOML ({fault}); write it in UTF-8 as models/joint.toml is") from fault
    return spec_of(document, name=path.stem)


def spec_of(document: dict[str, Any], *, name: str) -> ModelSpec:
    """Check a parsed model description and give the ModelSpec.

    >>> spec_of({"model": {"title": "t", "blocks": ["fleet", "flow"], "technologies": "all",
    ...          "projects": "none", "flows": "free"}}, name="m").blocks
    ('flow', 'fleet')
    """
    known = ("model", *dict.fromkeys(table for table, *_ in PATHS.values()))
    faults = [f"unknown key '{key}'{_did_you_mean(key, known)}" for key in document if key not in known]
    table = document.get("model")
    if not isinstance(table, dict):
        raise ModelError(f"{name}.toml: needs a table [model] with the keys {', '.join(KEYS)}")
    faults += [f"unknown key '{key}'{_did_you_mean(key, KEYS)}" for key in table if key not in KEYS]
    faults += [f"key '{key}' is missing" for key in KEYS if key not in table]
    title = table.get("title", "")
    if not isinstance(title, str):
        faults.append("title must be text")
    faults += _option_faults(table)
    blocks = table.get("blocks", [])
    if not isinstance(blocks, list) or not all(isinstance(block, str) for block in blocks):
        faults.append("blocks must be a list of names")
        blocks = []
    else:
        faults += _block_faults(blocks)
    if table.get("projects") == "none" and "projects" in blocks:
        faults.append("projects = \"none\" contradicts the block 'projects'; leave one out")
    if table.get("projects") in ("all", "committed", "existing") and blocks and "projects" not in blocks:
        said = f"projects = \"{table['projects']}\" needs the block 'projects'"
        faults.append(f'{said}; add it or write projects = "none"')
    if table.get("flows") == "frozen" and "sourcing" in blocks:
        faults.append("flows = \"frozen\" contradicts the block 'sourcing'; leave one out")
    paths = _paths(document, faults)
    if "caps" in document and "caps" not in blocks:
        faults.append("[caps] needs the block 'caps'; add it")
    if faults:
        raise ModelError("\n".join(f"{name}.toml: {fault}" for fault in faults))
    ordered = tuple(block for block in REQUIRES if block in blocks)
    options: dict[str, Any] = {key: table[key] for key in OPTIONS}
    return ModelSpec(name=name, title=title, blocks=ordered, **options | paths)


def _paths(document: dict[str, Any], faults: list[str]) -> dict[str, YearPath]:
    """Figures by year, as `[caps] cut = { 2030 = 0.2, ... }`, by the name of their path; faults are added."""
    found: dict[str, YearPath] = {}
    for table in dict.fromkeys(table for table, *_ in PATHS.values()):
        keys = {key: (name, high, hint) for name, (of, key, high, hint) in PATHS.items() if of == table}
        given = document.get(table, {})
        if not isinstance(given, dict):
            faults.append(f"[{table}] must be a table")
            continue
        faults += [f"unknown key '{key}' of [{table}]{_did_you_mean(key, keys)}" for key in given if key not in keys]
        if table in document and not set(given) & set(keys):
            faults += [f"[{table}]: write a year and {hint}, for {key}" for key, (_, _, hint) in keys.items()][:1]
        for key, (name, high, hint) in keys.items():
            if key in given:
                found[name] = _path(f"[{table}] {key}", given[key], high, hint, faults)
    return found


def _path(where: str, given: Any, high: float, hint: str, faults: list[str]) -> YearPath:
    found = []
    for year, figure in given.items() if isinstance(given, dict) and given else [(where.split()[-1], given)]:
        fine = isinstance(figure, (int, float)) and not isinstance(figure, bool) and 0 <= figure <= high
        if not (re.fullmatch("(19|2[01])[0-9][0-9]", str(year)) and fine):
            faults.append(f"{where}: {year} = {figure!r}; write a year and {hint}")
        else:
            found.append((int(year), float(figure)))
    return tuple(sorted(found))


def _option_faults(table: dict[str, Any]) -> list[str]:
    faults = []
    for key, words in OPTIONS.items():
        if key in table and table[key] not in words:
            now = is_now("choice", str(table[key]), f"model.{key}")
            said = f"{key} = {table[key]!r} {now or 'is not one of ' + ', '.join(words)}"
            faults.append(said + ("" if now else _did_you_mean(str(table[key]), words)))
    return faults


def _block_faults(blocks: list[str]) -> list[str]:
    faults = [
        f"block '{b}' {is_now('block', b) or 'is unknown' + _did_you_mean(b, REQUIRES)}"
        for b in blocks
        if b not in REQUIRES
    ]
    faults += [f"block '{b}' is named twice" for b in sorted({b for b in blocks if blocks.count(b) > 1})]
    faults += [f"block '{b}' is missing; every model needs it" for b in ("flow", "fleet") if b not in blocks]
    for block in blocks:
        for needed in REQUIRES.get(block, ()):
            if needed not in blocks and needed not in ("flow", "fleet"):
                faults.append(f"block '{block}' needs the block '{needed}'; add it")
    return faults


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean '{close[0]}'?)" if close else f" (known: {', '.join(known)})"
