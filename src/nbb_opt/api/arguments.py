"""What functions of the interface are given, checked once for all of them: names, kinds, and what files are called."""

from __future__ import annotations

import difflib
import functools
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, cast

from nbb_opt.errors import NbbError
from nbb_opt.instance.read import short_texts

if TYPE_CHECKING:
    from nbb_opt.options import SolveOptions
    from nbb_opt.solve.stop import Progress, Stop

    Callback = Callable[[Progress], None]


class StudyArguments(TypedDict, total=False):
    """What every study of many solves is given besides its own parameters.

    `relax` solves LP relaxations: quick, and every cost is a lower bound. `options`, `gap` and `time_limit_s` are those
    of each solve. With `out` page and tables are written there and finished solves are not made again; Ctrl-C keeps
    them. `workers` is a number of processes, or the address of a Dask scheduler.
    """

    relax: bool
    options: SolveOptions | None
    gap: float | None
    time_limit_s: float | None
    out: Path | str | None
    progress: Callback | None
    cache: bool
    stop: Stop | None
    workers: int | str


STUDY_KINDS = {name: kind.__forward_arg__ for name, kind in StudyArguments.__annotations__.items()}
DEFAULTS = {"relax": False, "cache": True, "workers": 1}  # of StudyArguments; None of the others
SHARED = re.compile(r"Unpack\[StudyArguments\]")
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
}
CALLED = {
    "Instance": "an instance (nbb.read)", "Result": "a plan (nbb.solve, nbb.load)", "SolveOptions": "nbb.SolveOptions",
    "ConcreteModel": "a model of nbb.build", "Prepared": "what nbb.prepare gives",
    "Answer": "what a study gives",
    "DataFrame": "a table", "ProblemInstance": "that of another problem", "ProblemResult": "that of another problem",
}  # fmt: skip


class ArgumentError(NbbError, TypeError):
    """A function of the interface is given something of a wrong kind, or by a name it does not know."""


def checked(function: F) -> F:
    """The function, whose arguments are of the kinds of its annotations, or ArgumentError says which is not.

    >>> @checked
    ... def wait(seconds: float, times: int = 1) -> None: ...
    >>> wait(1, time=3)
    Traceback (most recent call last):
    nbb_opt.api.arguments.ArgumentError: wait: has no parameter 'time'; did you mean times?
    >>> wait("long")
    Traceback (most recent call last):
    nbb_opt.api.arguments.ArgumentError: wait: seconds='long' is a str; give a number
    """
    signature, name = _whole(inspect.signature(function)), function.__name__

    @functools.wraps(function)
    def call(*given: Any, **named: Any) -> Any:
        if unknown := [each for each in named if each not in signature.parameters]:
            near = difflib.get_close_matches(unknown[0], signature.parameters, 1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(signature.parameters)}"
            raise ArgumentError(f"{name}: has no parameter {unknown[0]!r}; {hint}")
        try:
            bound = signature.bind(*given, **named)
        except TypeError as fault:
            raise ArgumentError(f"{name}: {fault}; it is {name}{signature}"[:300]) from None
        for parameter, value in bound.arguments.items():
            about = signature.parameters[parameter]
            several = about.kind is inspect.Parameter.VAR_POSITIONAL
            for each in value if several else [value]:
                if parameter != "self" and not _fits(each, about.annotation):
                    wanted = " or ".join(dict.fromkeys(_called(kind) for kind in _alternatives(about.annotation)))
                    shown = f"{each!r}".splitlines()[0][:60]
                    kind = type(each).__name__
                    article = "an" if kind[0] in "aeioAEIO" else "a"
                    raise ArgumentError(f"{name}: {parameter}={shown} is {article} {kind}; give {wanted}")
        return short_texts(function)(*given, **named)

    call.__signature__ = signature  # type: ignore[attr-defined]
    function.__globals__.setdefault("__test__", {})[name] = function  # its examples are found by doctest all the same
    return cast(F, call)


def _whole(signature: inspect.Signature) -> inspect.Signature:
    """The signature with each of StudyArguments in the place of `**how`."""
    found = []
    for parameter in signature.parameters.values():
        if SHARED.fullmatch(str(parameter.annotation)):
            found += [
                inspect.Parameter(name, parameter.KEYWORD_ONLY, default=DEFAULTS.get(name), annotation=kind)
                for name, kind in STUDY_KINDS.items()
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
