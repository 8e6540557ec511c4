"""What functions of the interface are given, checked once for all of them: names, kinds, and what files are called."""

from __future__ import annotations

import difflib
import functools
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any, TypeVar, cast

from nbb_opt.errors import NbbError

SHARED = re.compile(r"Unpack\[(\w+)\]")
F = TypeVar("F", bound=Callable[..., Any])
# word of an annotation -> what is such a thing, and how an error calls it; other words are names of classes
KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "None": (lambda given: given is None, "None"),
    "Path": (lambda given: isinstance(given, (str, Path)), "a path"),
    "str": (lambda given: isinstance(given, str), "a text"),
    "bool": (lambda given: isinstance(given, bool), "True or False"),
    "int": (lambda given: isinstance(given, Integral) and not isinstance(given, bool), "a whole number"),
    "float": (lambda given: isinstance(given, Real) and not isinstance(given, bool), "a number"),
    "Sequence": (lambda given: isinstance(given, Sequence) and not isinstance(given, (str, bytes)), "a list"),
    "Mapping": (lambda given: isinstance(given, Mapping), "a dict"),
    "Callback": (callable, "a function"),
    "Callable": (callable, "a function"),
    "Any": (lambda _given: True, "anything"),
    **dict.fromkeys(("Literal", "Method", "Presolve", "Statement"), (lambda given: isinstance(given, str), "a text")),
}
CALLED = {
    "Instance": "an instance (nbb.read)", "Result": "a plan (nbb.solve, nbb.load)", "SolveOptions": "nbb.SolveOptions",
    "ConcreteModel": "a model of nbb.build", "Prepared": "what nbb.prepare gives",
    "Answer": "what a study gives",
    "DataFrame": "a table", "ProblemInstance": "that of another problem", "ProblemResult": "that of another problem",
}  # fmt: skip


class ArgumentError(NbbError, TypeError):
    """A function of the interface is given something of a wrong kind, or by a name it does not know."""


def short_texts(function: F) -> F:
    """The function, within which pandas stores texts as Python does.

    Ids are short and looked up often: tables of Python texts are joined a third faster than those of Arrow's.
    """

    @functools.wraps(function)
    def call(*given: Any, **named: Any) -> Any:
        import pandas as pd

        with pd.option_context("mode.string_storage", "python"):
            return function(*given, **named)

    return cast(F, call)


def checked(function: F) -> F:
    """The function, whose arguments are of the kinds of its annotations, or ArgumentError says which is not.

    Of a class it is what its objects are made of.

    >>> @checked
    ... def wait(seconds: float, times: int = 1) -> None: ...
    >>> wait(1, time=3)
    Traceback (most recent call last):
    nbb_opt.arguments.ArgumentError: wait: has no parameter 'time'; did you mean times?
    >>> wait("long")
    Traceback (most recent call last):
    nbb_opt.arguments.ArgumentError: wait: seconds='long' is a str; give a number
    >>> wait()
    Traceback (most recent call last):
    nbb_opt.arguments.ArgumentError: wait: seconds is missing; give a number
    """
    if isinstance(function, type):
        function.__init__ = _checked(function.__init__, function.__name__)  # type: ignore[misc]
        return function
    call = _checked(function, function.__name__)
    # its examples are found by doctest all the same
    function.__globals__.setdefault("__test__", {})[function.__name__] = function
    return cast(F, short_texts(call))


def _checked(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    signature = _whole(function)
    known = {each: about for each, about in signature.parameters.items() if each != "self"}

    @functools.wraps(function)
    def call(*given: Any, **named: Any) -> Any:
        if unknown := [each for each in named if each not in known]:
            near = difflib.get_close_matches(unknown[0], known, 1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(known) or 'none'}"
            raise ArgumentError(f"{name}: has no parameter {unknown[0]!r}; {hint}")
        try:
            bound = signature.bind_partial(*given, **named)
        except TypeError as fault:
            raise ArgumentError(f"{name}: {fault}; give by name what is not among {', '.join(known)}") from None
        if missing := [each for each, about in known.items() if each not in bound.arguments and _needed(about)]:
            wanted = "; ".join(f"{each} is missing; give {_wanted(known[each])}" for each in missing)
            raise ArgumentError(f"{name}: {wanted}")
        for parameter, value in bound.arguments.items():
            if (about := known.get(parameter)) is None:
                continue
            for each in value if about.kind is about.VAR_POSITIONAL else [value]:
                if not _fits(each, about.annotation):
                    shown, kind = f"{each!r}".splitlines()[0][:60], type(each).__name__
                    article = "an" if kind[0] in "aeioAEIO" else "a"
                    raise ArgumentError(f"{name}: {parameter}={shown} is {article} {kind}; give {_wanted(about)}")
        return function(*given, **named)

    call.__signature__ = signature  # type: ignore[attr-defined]
    return call


def _needed(about: inspect.Parameter) -> bool:
    return about.default is about.empty and about.kind not in (about.VAR_POSITIONAL, about.VAR_KEYWORD)


def _wanted(about: inspect.Parameter) -> str:
    return " or ".join(dict.fromkeys(_called(kind) for kind in _alternatives(about.annotation)))


def _whole(function: Callable[..., Any]) -> inspect.Signature:
    """The signature with each parameter of a TypedDict in the place of `**how`, by default as DEFAULTS of it."""
    signature, found = inspect.signature(function), []
    for parameter in signature.parameters.values():
        if shared := SHARED.fullmatch(str(parameter.annotation)):
            kinds, defaults = (function.__globals__[each] for each in (shared[1], "DEFAULTS"))
            found += [
                inspect.Parameter(
                    name, parameter.KEYWORD_ONLY, default=defaults.get(name), annotation=kind.__forward_arg__
                )
                for name, kind in kinds.__annotations__.items()
            ]
        else:
            found.append(parameter)
    return signature.replace(parameters=found)


def _alternatives(annotation: str) -> list[str]:
    """The sides of a union.

    >>> _alternatives("Result | Sequence[Path | str] | None")
    ['Result', 'Sequence[Path | str]', 'None']
    """
    return [each.strip() for each in re.split(r"\|(?![^\[]*\])", annotation)]


def _fits(given: Any, annotation: str) -> bool:
    return any(_is_a(given, kind) for kind in _alternatives(annotation))


def _is_a(given: Any, kind: str) -> bool:
    outer, _, inner = kind.partition("[")
    if outer not in KINDS:
        word = outer.rpartition(".")[2]
        return any(each.__name__ == word for each in type(given).__mro__) or (
            word == "ProblemInstance" and hasattr(given, "problem")
        )
    good = KINDS[outer][0](given)
    return good and (outer != "Sequence" or all(_fits(each, inner.removesuffix("]")) for each in given))


def _called(kind: str) -> str:
    outer, _, inner = kind.partition("[")
    outer = outer.rpartition(".")[2]
    if outer == "Sequence":
        return f"a list, each {' or '.join(_called(each) for each in _alternatives(inner.removesuffix(']')))}"
    if outer == "Literal":
        return inner.removesuffix("]").replace('"', "'")
    return KINDS[outer][1] if outer in KINDS else CALLED.get(outer, outer)


def named(path: Path | str, *endings: str, what: str = "file") -> Path:
    """The path, if it has one of the endings. Raises NbbError with those that it may have.

    >>> named("report.pdf", ".html", what="page")
    Traceback (most recent call last):
    nbb_opt.errors.NbbError: report.pdf: cannot be a page by its name; end it in .html
    """
    path = Path(path)
    if path.suffix.lower() not in endings:
        raise NbbError(f"{path}: cannot be a {what} by its name; end it in {' or '.join(endings)}")
    return path


FILES = re.compile(r"\.(csv|gz|html?|json|ods|parquet|pdf|svg|toml|txt|xlsx?|zip)")


def folder(path: Path | str) -> Path:
    """The path, if it is not named as a file would be.

    >>> folder("runs/nbb.xlsx")
    Traceback (most recent call last):
    nbb_opt.errors.NbbError: runs/nbb.xlsx: a folder is written, which is named as a file; leave out .xlsx
    """
    path = Path(path)
    if FILES.fullmatch(path.suffix.lower()) and not path.is_dir():
        raise NbbError(f"{path}: a folder is written, which is named as a file; leave out {path.suffix}")
    return path
