"""Strategy: what planning together is worth, and which plan holds in every future."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from nbb_opt.api.arguments import checked, folder, named
from nbb_opt.api.data import freight
from nbb_opt.api.plans import LOG, with_changes
from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance
from nbb_opt.options import SolveOptions
from nbb_opt.shipped import cache_folder

if TYPE_CHECKING:
    from nbb_opt.problems.result import ProblemInstance
    from nbb_opt.solve.stop import Stop
    from nbb_opt.studies.cooperate.study import Cooperation
    from nbb_opt.studies.robust.study import Robust


@checked
def cooperate(
    region: Instance | ProblemInstance | Path | str,
    *,
    by: str = "country",
    players: pd.DataFrame | Path | str | None = None,
    rules: Path | str | None = None,
    relax: bool = False,
    model: str = "joint",
    options: SolveOptions | None = None,
    gap: float | None = None,
    time_limit_s: float | None = None,
    workers: int | str = 1,
    out: Path | str | None = None,
    cache: bool = True,
    stop: Stop | None = None,
) -> Cooperation:
    """What planning together is worth, and how to share it: every coalition of players solved and verified.

    Players are the values of a column of `nodes` (`by`: country, fleet_region, charge_area or nuts3), or those of a
    table (or .csv file) `players` with columns player and node. `rules` is a .toml file with what is harmonised between
    players that plan together. `relax` solves linear relaxations: exact values of that game, but no plans. The time
    limit is for each coalition. With `out` tables and page are written there, and finished coalitions are not solved
    again. What a coalition may do is in src/nbb_opt/studies/cooperate/README.md. Printed, it is its findings in lines.

    >>> from nbb_opt import examples
    >>> found = cooperate(examples.tiny(), gap=1e-6)
    >>> found.coalitions["coalition"].tolist(), bool(found.coalitions["verified"].all())
    (['FI', 'SE', 'FI+SE'], True)
    """
    from nbb_opt.errors import Stopped
    from nbb_opt.studies.cooperate.coalitions import players_of, read_rules
    from nbb_opt.studies.cooperate.page import write_cooperation
    from nbb_opt.studies.cooperate.study import run_cooperate

    instance = freight(region, "cooperate")
    table = (
        read_players(named(players, ".csv", what="table of players")) if isinstance(players, (str, Path)) else players
    )
    found = run_cooperate(
        instance, players_of(instance, by=by, table=table), model=model, relax=relax, workers=workers, say=LOG.info,
        options=with_changes(options, gap=gap, time_limit_s=time_limit_s), stop=stop,
        rules=() if rules is None else read_rules(Path(rules)), out=None if out is None else folder(out),
        cache_dir=cache_folder() if cache else None,
    )  # fmt: skip
    if found is not None and out is not None:
        write_cooperation(instance, found, folder(out))
    if found is None:
        raise Stopped("stopped before every coalition was solved; the same call with out= goes on where it was")
    return found


def read_players(path: Path) -> pd.DataFrame:
    """A table of players from a .csv file. Raises NbbError where it cannot be read."""
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as fault:
        raise NbbError(f"{path}: cannot be read as a table with columns player and node ({fault})") from fault


@checked
def robust(
    region: Instance | ProblemInstance | Path | str,
    *,
    futures: Sequence[str] = (),
    first_periods: int = 1,
    risk: float = 0.5,
    tail: float = 0.2,
    method: str = "auto",
    rounds: int = 10,
    near: float = 1e-3,
    projects: bool = True,
    relax: bool = False,
    model: str = "joint",
    options: SolveOptions | None = None,
    gap: float | None = None,
    time_limit_s: float | None = None,
    workers: int | str = 1,
    out: Path | str | None = None,
    cache: bool = True,
    stop: Stop | None = None,
) -> Robust:
    """Which plan holds in every future: regret, two-stage plans, what knowing the future is worth, no-regret projects.

    `futures` are scenarios of the region or .toml files, each perhaps with `=WEIGHT`, and `base` is the region as it
    is; all of them, equally likely, if none is named. Decisions of the first `first_periods` periods (projects, trucks,
    chargers) are the same in all, later ones are made knowing the future. `risk` is the weight of the dearest share
    `tail` of futures in the cautious plan. `method` is "extensive" (all futures in one model), "decompose" (one by one,
    at most `rounds` of prices that draw them together), or "auto" by the size. `projects` also makes the table of what
    each is worth, and finds those in every plan within `near` of the best. `relax` solves LP relaxations. The time
    limit is for each solve. With `out` tables and page are written there, and finished solves are not made again.
    What is computed: src/nbb_opt/studies/robust/README.md.

    >>> from nbb_opt import examples
    >>> region = examples.haulier()
    >>> found = robust(region, futures=["base", "hard winters=0.5"], relax=True, projects=False)
    >>> bool(found.figures["value_of_perfect_information_eur"] >= 0), found.plans["plan"].tolist()[:2]
    (True, ['best of mean of the futures', 'best of base'])
    """
    from nbb_opt.errors import Stopped
    from nbb_opt.studies.robust.futures import futures_of
    from nbb_opt.studies.robust.page import write_robust
    from nbb_opt.studies.robust.study import METHODS, Question, run_robust

    instance = freight(region, "robust")
    wrong = [
        f"{name}={value!r}: {what}"
        for name, value, good, what in (
            ("first_periods", first_periods, 1 <= first_periods < len(instance.periods),
             f"give 1 to {len(instance.periods) - 1}: the last period knows its future"),
            ("risk", risk, 0 <= risk <= 1, "give a share, 0 to 1"),
            ("tail", tail, 0 < tail <= 1, "give a share above 0, at most 1"),
            ("method", method, method in METHODS, f"is one of {', '.join(METHODS)}"),
            ("rounds", rounds, rounds >= 0, "give 0 or more"),
            ("near", near, near >= 0, "give 0 or more"),
        )
        if not good
    ]  # fmt: skip
    if wrong:
        raise NbbError(f"robust: {'; '.join(wrong)}")
    named_futures, weight = futures_of(instance, futures)
    question = Question(
        first_periods=first_periods, risk=risk, tail=tail, method=method, rounds=rounds, near=near, projects=projects
    )
    found = run_robust(
        instance, named_futures, weight, question=question, model=model, relax=relax, workers=workers, say=LOG.info,
        options=with_changes(options, gap=gap, time_limit_s=time_limit_s), stop=stop,
        out=None if out is None else folder(out), cache_dir=cache_folder() if cache else None,
    )  # fmt: skip
    if found is None:
        raise Stopped("stopped before every solve was made; the same call with out= goes on where it was")
    if out is not None:
        write_robust(instance, found, folder(out))
    return found
