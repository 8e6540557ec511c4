"""The mathematics of a Pyomo model as its modules and rules write it, one topic a module.

A module is a topic: its docstring says what it is about, `declare(m)` adds its components, and a constraint or an
expression has the name of its rule, whose docstring is the equation. What a variable means is its `doc`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from nbb_opt.errors import ModelError
from nbb_opt.model.model_file import lp_text
from nbb_opt.model.pyomo_form import compile_model

SECTIONS = ("Variables", "Constraints", "Contributes")
SECTION_OF = dict(zip(("Var", "Constraint", "Expression"), SECTIONS, strict=True))


@dataclass(frozen=True)
class Topic:
    """The mathematics of one block function: its sentence, its remarks, and (name, text) rows by section."""

    block: str
    title: str
    remarks: str
    rows: dict[str, tuple[tuple[str, str], ...]]


def topics_of(m: Any, modules: Sequence[ModuleType]) -> list[Topic]:
    """Declares every module on the begun model `m`; gives the topics with the components that exist there.

    Raises ModelError for a component that does not say what it is.
    """
    found: list[Topic] = []
    for module in modules:
        known = {component.local_name for component in m.component_objects(descend_into=False)}
        module.declare(m)
        rows: dict[str, list[tuple[str, str]]] = {section: [] for section in SECTIONS}
        for component in m.component_objects(descend_into=False):
            name, section = component.local_name, SECTION_OF.get(component.ctype.__name__)
            if section is not None and name not in known and len(component):
                text = component.doc if section == "Variables" else getattr(module, name).__doc__
                if not text:
                    raise ModelError(f"{module.__name__}: {name} does not say what it is")
                rows[section].append((name, " ".join(text.split())))
        title, _, remarks = (module.__doc__ or "").strip().partition("\n")
        name = module.__name__.rpartition(".")[2]
        found.append(Topic(name, title, " ".join(remarks.split()), {key: tuple(value) for key, value in rows.items()}))
    return found


def statement_files(
    m: Any, modules: Sequence[ModuleType], *, title: str, instance: str, see: str, note: str = "",
    options: Sequence[tuple[str, object, str]],
) -> dict[str, str]:  # fmt: skip
    """The files `<name>.md` and `<name>.lp` of the begun model `m` on a shipped instance.

    `see` says where data and rules are described, `note` what is assumed in the literal problem; `options` are those of
    the model: name, value, meaning. Declares the modules on `m`.
    """
    topics = topics_of(m, modules)
    lines = [
        f"# {title}", "",
        f"Rendered from the code by `nbb-opt models`; do not edit. {see} The literal problem on "
        f"`instances/{instance}`: [{m.name}.lp]({m.name}.lp){note}.",
        "", "| option | value | meaning |", "|---|---|---|",
        *(f"| {name} | {str(value).lower()} | {meaning} |" for name, value, meaning in options),
        *(line for topic in topics for line in topic_lines(topic)),
    ]  # fmt: skip
    lp = lp_text(compile_model(m), title=f"{title}: the problem on the instance {instance}", model=m.name)
    return {f"{m.name}.md": "\n".join(lines) + "\n", f"{m.name}.lp": lp}


def topic_lines(topic: Topic) -> list[str]:
    """A topic as lines of Markdown."""
    lines = ["", f"## {topic.block}: {topic.title[0].lower()}{topic.title[1:].rstrip('.')}", ""]
    if topic.remarks:
        lines += [topic.remarks, ""]
    lines += ["| | | |", "|---|---|---|"]
    for section in SECTIONS:
        for name, text in topic.rows[section]:
            lines.append(f"| {section.lower()} | `{name}` | {_cell(text)} |")
    return lines


def _cell(text: str) -> str:
    return re.sub(r"\s{2,}", ", ", text).replace("|", r"\|")
