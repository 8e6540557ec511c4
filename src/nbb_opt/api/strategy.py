"""Strategy: what planning together is worth."""

from __future__ import annotations

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
