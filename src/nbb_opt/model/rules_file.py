"""A file with rules of a user's own, `extend(model, data)`, run once on the built model; a fault has file and line."""

from __future__ import annotations

import ast
import hashlib
import inspect
import io
import logging
import re
import runpy
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbb_opt.errors import ModelError
from nbb_opt.model.build import Built
from nbb_opt.model.figures.names import meant
from nbb_opt.model.snapshot import Snapshot

LOG = logging.getLogger("nbb_opt")
SHAPE = "extend(model, data)"


@dataclass(frozen=True)
class RulesFile:
    """A file that was read: its name, its digest, and what its function is."""

    name: str
    sha256: str
    text: str
    extend: Callable[[Any, Any], Any]

    def added_to(self, built: Built) -> Built:
        """The model with the rules of the file; `data` is the instance.

        Raises ModelError with file and line where the file raises, adds nothing, or adds what cannot be solved.
        """
        before = Snapshot(built)
        _run(self.name, lambda: self.extend(built.model, built.data.instance), model=built.model)
        try:
            with _errors_once():
                extended = before.extended(source=self.name, sha256=self.sha256)
        except ModelError as fault:
            raise ModelError(f"{self._where(str(fault))}: {fault}") from None
        if extended.extension is None:
            line = self.extend.__code__.co_firstlineno
            raise ModelError(
                f"{self.name} line {line}: {SHAPE} adds no rule and no cost; add a pyo.Constraint to model, or a cost "
                "with nbb_opt.add_cost"
            )
        return extended

    def _where(self, fault: str) -> str:
        """The file, and the line where what the fault names was made."""
        for node in ast.walk(ast.parse(self.text)):
            named = (
                [t.attr for t in node.targets if isinstance(t, ast.Attribute)] if isinstance(node, ast.Assign) else []
            )
            if isinstance(node, ast.Call):
                named = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            if any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", fault) for name in named if name):
                return f"{self.name} line {getattr(node, 'lineno', 0)}"
        return self.name


def read_rules(path: Path) -> RulesFile:
    """Run the file and find its function. Raises ModelError with file and line, never what the file raised."""
    try:
        content = path.read_bytes()
        text = content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise ModelError(f"{path}: cannot be read ({fault}); give a Python file with a function {SHAPE}") from None
    namespace: dict[str, Any] = {}
    _run(str(path), lambda: namespace.update(runpy.run_path(str(path), run_name=path.stem)))
    extend = namespace.get("extend")
    if not inspect.isfunction(extend):
        raise ModelError(f"{path}: has no function {SHAPE}; write one that adds your rules to the model")
    if list(inspect.signature(extend).parameters) != ["model", "data"]:
        line = extend.__code__.co_firstlineno
        raise ModelError(f"{path} line {line}: extend{inspect.signature(extend)} must be {SHAPE}")
    if inspect.isgeneratorfunction(extend) or inspect.iscoroutinefunction(extend):
        line = extend.__code__.co_firstlineno
        raise ModelError(f"{path} line {line}: {SHAPE} must be a plain function, without yield or async; it never runs")
    return RulesFile(str(path), hashlib.sha256(content).hexdigest(), text, extend)


@contextmanager
def _errors_once() -> Iterator[None]:
    """Within, Pyomo prints no error: it raises it too, and ours says it with file and line. Warnings stay."""
    handlers = logging.getLogger("pyomo").handlers

    def below_error(record: logging.LogRecord) -> bool:
        if record.levelno >= logging.ERROR:
            LOG.debug("Pyomo: %s", record.getMessage())
            return False
        return True

    for handler in handlers:
        handler.addFilter(below_error)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(below_error)


def _run(name: str, step: Callable[[], Any], *, model: Any = None) -> None:
    """Run a step of the file; what it raises becomes one line that says where."""
    said_by_it = io.StringIO()
    try:
        with redirect_stdout(said_by_it), _errors_once():  # what --json prints is the answer alone
            step()
    except SyntaxError as fault:
        where = name if fault.lineno is None else f"{name} line {fault.lineno}"
        raise ModelError(f"{where}: {fault.msg}") from None
    except (Exception, SystemExit) as fault:
        lines = [frame.lineno for frame in traceback.extract_tb(fault.__traceback__) if frame.filename == name]
        where = f"{name} line {lines[-1]}" if lines else name
        said = " ".join(str(fault).split())
        said += "" if model is None else _near(model, said)
        raise ModelError(
            f"{where}: {said if isinstance(fault, ModelError) else f'{type(fault).__name__}: {said}'}"
        ) from None
    finally:
        for line in said_by_it.getvalue().splitlines():
            LOG.warning("%s: %s", name, line)


def _near(model: Any, said: str) -> str:
    """What the model has that is like a key or a component that it has not, as Pyomo says of it."""
    if found := re.search(r"Index '(.*)' is not valid for indexed component '(.+?)'", said):
        part = model.find_component(found[2])
        return "" if part is None else meant(found[1], list(part))
    if found := re.search(r"'ConcreteModel' object has no attribute '(\w+)'", said):
        return meant(found[1], [*model.component_map(), *vars(model)])
    return ""
