"""Renders what a model is: `<name>.md` from the docstrings of its rules, `<name>.lp` from an instance."""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nbb_opt.errors import ModelError
from nbb_opt.instance import Instance, read_instance
from nbb_opt.model.build import Built, build, standard_form
from nbb_opt.model.data.costs import in_order
from nbb_opt.model.data.periods import Floats
from nbb_opt.model.model_file import lp_text
from nbb_opt.model.spec import read_model
from nbb_opt.shipped import shipped, shipped_names

if TYPE_CHECKING:
    from nbb_opt.network import Prepared

OPTION_WORDS = {
    ("technologies", "all"): "every truck of the instance",
    ("technologies", "today"): "trucks whose technology occurs in the table `fleet`",
    ("projects", "all"): "every project of the instance; what is decided is built",
    (
        "projects",
        "committed",
    ): "what is decided is built, what the market orders may be; no ideas",
    ("projects", "existing"): "what exists is built, nothing else",
    ("projects", "none"): "no project; chains that need one do not exist",
    ("flows", "free"): "the model chooses the chains",
    ("flows", "frozen"): "given: those of the frozen plan",
}


def render(name: str, instance: Instance) -> dict[str, str]:
    """The files `<name>.md` and `<name>.lp` of a model; the LP is that on `instance`.

    Where flows are given, the instance's `expected.toml` says which flows the frozen plan has.
    """
    from nbb_opt.network import prepare

    spec = read_model(name)
    prepared = prepare(instance, prune=False)
    flows = expected_flows(instance, prepared) if spec.flows == "frozen" else None
    if spec.cuts:
        spec = spec.with_caps(float(next(iter(_expected(instance)["emissions_t_co2e"].values()))))
    built = build(instance, prepared, spec, fixed_flows_t=flows)
    lp = lp_text(
        standard_form(built), title=f"{spec.title}: the problem on the instance {instance.meta.name}", model=spec.name
    )
    return {f"{name}.md": markdown(built), f"{name}.lp": lp}


def render_all() -> dict[str, str]:
    """The files of every freight model on `instances/tiny`, by name."""
    instance = read_instance(shipped("instances") / "tiny")
    return {name: text for model in shipped_names("models") for name, text in render(model, instance).items()}


def expected_flows(instance: Instance, prepared: Prepared) -> Floats:
    """Flows of the frozen plan (chains, periods) in t/year, from `expected.toml` by flow, main mode and year."""
    chains = prepared.chains.merge(prepared.bundles, on="bundle")
    chains = chains[chains["projects"] == ""]
    flows = np.zeros((len(prepared.chains), len(instance.periods)))
    period = {p.year: t for t, p in enumerate(instance.periods)}
    for row in _expected(instance)["tonnes"]:
        same = (chains["origin"] == row["origin"]) & (chains["destination"] == row["destination"])
        same &= (chains["commodity"] == row["commodity"]) & (chains["main_mode"] == row["mode"])
        if same.sum() != 1:
            raise ModelError(f"expected.toml: {row} fits {int(same.sum())} chains, not one")
        flows[chains.loc[same, "chain"].iloc[0], period[row["year"]]] = row["tonnes"]
    return flows


def _expected(instance: Instance) -> dict[str, Any]:
    """What `expected.toml` says of the frozen plan."""
    found: dict[str, Any] = tomllib.loads((instance.path / "expected.toml").read_text(encoding="utf-8"))["frozen"]
    return found


def markdown(built: Built) -> str:
    """The statement of a model: its components, each with the equation that is the docstring of its rule."""
    import pyomo.environ as pyo

    from nbb_opt.model.blocks import blocks

    spec, m = built.spec, built.model
    lines = [
        f"# {spec.title}",
        "",
        f"Rendered from the code by `nbb-opt models`; do not edit. Data and symbols: [README.md](README.md). "
        f"The literal problem on `instances/{built.data.instance.meta.name}`: [{spec.name}.lp]({spec.name}.lp).",
        "",
        "| option | value | meaning |",
        "|---|---|---|",
    ]
    for option in ("technologies", "projects", "flows"):
        value = getattr(spec, option)
        lines.append(f"| {option} | {value} | {OPTION_WORDS[option, value]} |")
    cuts = ", ".join(f"{share:.0%} from {year}" for year, share in spec.cuts)
    lines += ["", f"Caps: below the frozen plan's first period {cuts}."] if cuts else []
    for name, path in spec.prices.items():
        lines += ["", f"{name}: {', '.join(f'{eur:g} EUR per t CO2e from {year}' for year, eur in path)}."]
    lines += ["", f"Blocks: {', '.join(spec.blocks)}.", "", "## Objective", ""]
    lines += [
        r"$\text{cost\_eur} = \sum_t D_t \cdot \text{yearly}_t + \sum_t d_t \cdot (\text{once}_t + \text{recovered}_t) "
        r"+ d_H \cdot \text{recovered}_H$, minimised. Amounts recovered are negative.",
    ]
    rule_of = {rule.__name__: rule for block in blocks() for rule in block.rules}
    lines += _section("Decisions", [(v.local_name, v.doc) for v in m.component_objects(pyo.Var)])
    shared = [e.local_name for e in m.component_objects(pyo.Expression) if e.local_name in rule_of]
    lines += _section("What follows", [(name, rule_of[name].__doc__) for name in shared])
    named = {c.local_name for c in m.component_objects(pyo.Constraint)}
    for block in blocks():
        rows = [(rule.__name__, rule.__doc__) for rule in block.rules if rule.__name__ in named]
        if rows:
            lines += _section(f"{block.name}: {block.title}", rows, block.remarks)
    paid = in_order(m.cost_components)
    costs = [(name, f"{how}: {inspect.cleandoc(rule_of[name].__doc__ or '')}") for name, how in paid.items()]
    lines += _section("Costs", costs, "Amounts in EUR of a period: paid yearly, once at its start, or recovered.")
    changed = [(p.local_name, p.doc) for p in m.component_objects(pyo.Param)]
    lines += _section(
        "Parameters", changed, "Values that can be changed in the built model; all else is worked out once."
    )
    return "\n".join(lines) + "\n"


def _section(title: str, rows: Sequence[tuple[str, str | None]], remarks: str = "") -> list[str]:
    lines = ["", f"## {title}", "", *([remarks, ""] if remarks else []), "| | |", "|---|---|"]
    return lines + [
        f"| `{name}` | {' '.join(inspect.cleandoc(text or '').split())} |".replace("\\|", "|") for name, text in rows
    ]
