"""The options that several commands share, each with one name, one meaning and one default; and options in messages.

A function of a command names its options as the Python interface names its parameters (`no_x` stands for x=False), so
that a message of the interface can be said with options.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from nbb_opt.options import DEFAULT_AGAIN_S, DEFAULT_GAP, DEFAULT_THREADS, DEFAULT_TIME_LIMIT_S, Presolve, Statement
from nbb_opt.renames import new_names

__all__ = [
    "DEFAULT_AGAIN_S",
    "DEFAULT_GAP",
    "DEFAULT_THREADS",
    "DEFAULT_TIME_LIMIT_S",
    "AsJson",
    "Builds",
    "Closes",
    "ExtendBy",
    "Forbids",
    "Gap",
    "HighsPresolve",
    "InstancePath",
    "Scenarios",
    "Seed",
    "Sets",
    "StatedIn",
    "Threads",
    "TimeLimit",
    "Workers",
    "in_options",
    "in_what_if",
    "of_today",
    "pairs",
]
ExtendBy = Annotated[
    Path | None,
    typer.Option(help="Rules and costs of your own: a file with a function extend(model, data); models/EXTENDING.md."),
]
InstancePath = Annotated[
    Path, typer.Argument(help="Instance: a folder, a .zip or a workbook (.xlsx).", metavar="INSTANCE")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]
TimeLimit = Annotated[
    float, typer.Option("--time-limit", min=0.0, help="Seconds for the whole solve (for each point of a sweep).")
]
Gap = Annotated[float, typer.Option(min=0.0, max=1.0, help="Relative MIP gap tolerance: |cost - bound| over cost.")]
Threads = Annotated[int, typer.Option(min=1, max=256, help="Threads of the solver.")]
Seed = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Random seed of the solver.")]
StatedIn = Annotated[
    Statement, typer.Option(help="Build from the pyomo model, or from the arrays for scale; auto: by the size.")
]
Workers = Annotated[
    str, typer.Option(help="Solves side by side: a number of processes, or the address of a Dask scheduler.")
]
HighsPresolve = Annotated[Presolve, typer.Option(help="Presolve of HiGHS.")]
Scenarios = Annotated[
    list[str] | None,
    typer.Option("--scenario", help="A named scenario of the instance, or a .toml file; may be given several times."),
]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="CHANGE",
        help="Change cells, as in 'country_years.carbon_price_eur_per_t[year>=2030]=200' or 'od.tonnes *= 1.2'.",
    ),
]
Closes = Annotated[list[str] | None, typer.Option("--close", metavar="LINK", help="This link carries nothing.")]
Builds = Annotated[
    list[str] | None, typer.Option("--build", metavar="PROJECT", help="This project is built as soon as it can be.")
]
Forbids = Annotated[list[str] | None, typer.Option("--forbid", metavar="PROJECT", help="This project is never built.")]


def of_today(model: str | None) -> str | None:
    """The name of a model as it is called now, said on stderr: commands in people's scripts outlive names."""
    new = new_names("model").get(model or "")
    if new:
        typer.echo(f"--model: {model} is now called {new}", err=True)
    return new or model


def in_options(text: str, command: Any) -> str:
    """A message of the Python interface with the options of a command (of typer) for the parameters that it names.

    A parameter is written as name= or as name=value, a value of several words as a Python literal.

    >>> from typer.main import get_command
    >>> from nbb_opt.cli.main import app
    >>> convert = get_command(app).commands["convert"]
    >>> in_options("no year: give year=; or sep=';', columns={'old': 'new', 'other': ''}", convert)
    "no year: give --year; or --sep ';', --columns old=new --columns other="
    >>> in_options("give another year=. All else stays, also year=2030.", convert)
    'give another --year. All else stays, also --year 2030.'
    """
    option_of = {
        parameter.name: max(parameter.opts, key=len)
        for parameter in command.params
        if parameter.opts[0].startswith("-")
    }

    def option(found: re.Match[str]) -> str:
        name, value = found["name"], found["value"] or ""
        if f"no_{name}" in option_of and value == "False":
            return option_of[f"no_{name}"]
        if name not in option_of:
            return found[0]
        return " ".join(f"{option_of[name]} {word}".strip() for word in _words(value))

    return _PARAMETER.sub(option, text)


_PARAMETER = re.compile(
    r"""(?<![\w./\[-])(?P<name>[a-z]\w*)=(?!\S*/)(?P<value>'[^']*'|\{[^}]*\}|\([^)]*\)|[^\s,;:)]*[^\s,;:).])?"""
)  # not in a path, as year=2030/part.parquet


def _words(value: str) -> list[str]:
    """What follows the option, once for each time that it is given."""
    if value in ("", "True"):
        return [""]
    try:
        given = ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return [value]
    if isinstance(given, dict):
        return [f"{key}={word}" for key, word in given.items()]
    return [shlex.quote(str(word)) for word in (given if isinstance(given, tuple) else (given,))]


def pairs(given: Sequence[str], option: str, *, joined: bool = False) -> Mapping[str, str]:
    """What an option gives as name=value; with `joined` several of them by commas."""
    words = [word.partition("=") for text in given for word in (text.split(",") if joined else [text])]
    if wrong := [word[0] for word in words if not word[1] or not word[0].strip()]:
        raise typer.BadParameter(f"{', '.join(wrong)}: write name=value", param_hint=option)
    if len({name for name, _, _ in words}) < len(words):
        raise typer.BadParameter("a name is given twice", param_hint=option)
    return {name.strip(): value.strip() for name, _, value in words}


def in_what_if(
    instance: Path,
    scenarios: list[str] | None,
    sets: list[str] | None,
    close: list[str] | None,
    build: list[str] | None,
    forbid: list[str] | None,
) -> Any:
    """The instance (an Instance) as these options change it; None if none is given."""
    from nbb_opt.api.data import freight

    if not any((scenarios, sets, close, build, forbid)):
        return None
    return (
        freight(instance, "a what-if")
        .scenario(*(scenarios or ()))
        .with_changes(*(sets or ()), close=close or (), build=build or (), forbid=forbid or ())
    )
