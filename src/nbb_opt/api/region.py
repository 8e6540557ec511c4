"""Studies of a region: what it has, how well its places are reached, and where a plant would be best off."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nbb_opt.api.data import freight
from nbb_opt.api.plans import LOG, Result, freight_plan, solve
from nbb_opt.api.studies import priced_steps
from nbb_opt.arguments import checked, folder, named
from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance
from nbb_opt.output import check_folder

if TYPE_CHECKING:
    from nbb_opt.problems.result import ProblemInstance
    from nbb_opt.report.study import Answer
    from nbb_opt.studies.locate_view import Sites


@checked
def inventory(
    region: Instance | ProblemInstance | Path | str,
    plan: Result | Path | str | None = None,
    *,
    out: Path | str | None = None,
) -> Answer:
    """What the region has, what uses it and when it runs full: places, ports, terminals, lines, crossings, power.

    Use by period is that of `plan` (a result or a run folder of the region), that of today its frozen plan; without a
    plan the first period alone is solved. `tables` of it are objects, full, use, countries, cross_border and people.
    With `out` page and tables are written to that folder.

    >>> from nbb_opt import examples
    >>> found = inventory(examples.tiny(), solve(examples.tiny(), gap=1e-6))
    >>> found.full[["name", "first_full_year"]].values.tolist()
    [['West town – Gauge break, rail', 2025.0], ['West harbour', 2030.0]]
    """
    from nbb_opt.report.inventory import InventoryTables
    from nbb_opt.report.inventory_view import inventory_answer
    from nbb_opt.studies.control_totals import base_year

    instance, given = _asked(region, plan, "inventory", out)
    found = inventory_answer(InventoryTables(instance, base_year(instance) if given is None else given.run))
    if out is not None:
        found.save(out)
    return found


@checked
def availability(
    region: Instance | ProblemInstance | Path | str,
    plan: Result | Path | str | None = None,
    *,
    out: Path | str | None = None,
) -> Answer:
    """The best way of a tonne from every zone to every gateway and cargo type, today and with a plan, by period.

    Gateways are nodes of kind gateway and ports, in an instance without them terminals. `plan` is a result or a run
    folder of the region; without one it is what is decided. `pairs` of it has EUR/t, hours, kg CO2e/t, km and modes;
    `zones` the means and who loses; `projects` what each would do alone; `goods_out` how products leave. With `out`
    page and tables are written to that folder. Raises NbbError where the instance has no gateway.

    >>> from nbb_opt import examples
    >>> found = availability(examples.tiny())
    >>> found.projects[["project", "pairs_better"]].values.tolist()
    [['RAIL_MINE', 4]]
    >>> best = found.pairs.query("zone == 'MINE' and gateway == 'PORTE' and cargo_type == 'container' and year == 2030")
    >>> best[["state", "modes"]].values.tolist()
    [['today', 'road-rail-road'], ['plan', 'road-rail-road']]
    """
    from nbb_opt.studies.availability import availability as found_of

    instance, given = _asked(region, plan, "availability", out)
    found = found_of(instance, None if given is None else given.run)
    if out is not None:
        found.save(out)
    return found


@checked
def locate(
    region: Instance | ProblemInstance | Path | str,
    plant: Path | str,
    plan: Result | Path | str | None = None,
    *,
    places: Sequence[str] = (),
    exact: int = 0,
    out: Path | str | None = None,
    time_limit_s: float = 3600.0,
) -> Sites:
    """Where a plant would be best off: places ranked by what its freight costs, with all else that they differ in.

    `plant` is a .csv or .xlsx file. Beside the cost there are hours, emissions, the first bottleneck and its year,
    drivers, power free for trucks and what could be built.

    The prices are those of `plan` (a result or a run folder; solved first if there is none): what a tonne more costs,
    with the projects of the plan. `places` are zones to compare, all towns, ports and plants if there are none. The
    `exact` cheapest are solved with the whole plant there, which also gives what falls on everybody else. `brief` of
    the result is a page about a place in English, Swedish, Finnish or Norwegian. With `out` page, briefs and tables are
    written to that folder. Raises InstanceError with every fault of the plant.

    >>> import tempfile
    >>> from nbb_opt import examples
    >>> table = "what,commodity,partner,amount,low_factor,high_factor,source,note\\nstart_year,,,2030,,,made_up,\\n"
    >>> table += "needs,BOX,PLANT,4000,,,made_up,\\nproduces,BOX,WEST,3000,,,made_up,\\n"
    >>> region = examples.tiny()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "works.csv").write_text(table)
    ...     found = locate(region, Path(folder, "works.csv"), solve(region, gap=1e-6), places=["EAST", "WEST"], exact=2)
    >>> found.places[["place", "eur_per_t_product", "exact_eur"]].round(2).values.tolist()
    [['WEST', 9.9, 148443.07], ['EAST', 14.89, 223386.13]]
    """
    from nbb_opt.studies.locate import locate as located
    from nbb_opt.studies.locate_view import Sites
    from nbb_opt.studies.plant import read_plant

    instance, given = _asked(region, plan, "locate", out)
    works = read_plant(named(plant, ".csv", ".xlsx", what="plant"), instance)
    if given is None:
        solved = solve(instance)
        assert isinstance(solved, Result)
        given = solved
    spec, steps = priced_steps(given, "locate", time_limit_s)
    found = Sites.of(located(instance, given.run, spec, steps, works, places=places, exact=exact, say=LOG.info))
    if out is not None:
        found.save(out)
    return found


@checked
def strategy(
    region: Instance | ProblemInstance | Path | str,
    plan: Result | Path | str,
    *,
    studies: Sequence[Path | str] = (),
    out: Path | str | None = None,
) -> Answer:
    """What to decide first: the projects of a plan in one order, by theme, with what studies say about them.

    `plan` is a result or a run folder; `studies` are folders that `robust` and `cooperate` wrote with `out`, of the
    same instance. What no study says is blank, and named. With `out` tables, a page for all together and one for each
    country are written to that folder. Raises NbbError for a folder that is no such study.

    >>> from nbb_opt import examples
    >>> found = strategy(examples.tiny(), solve(examples.tiny(), gap=1e-6))
    >>> found.measures[["rank", "project", "in_plan"]].values.tolist()[0]
    [1, 'RAIL_MINE', True]
    >>> print(found.sentences[1][:60])
    Not known here: what a project is worth, alone and in the pl
    """
    from nbb_opt.studies.strategy import save_strategy, strategy_answer

    instance, given = _asked(region, plan, "strategy", out)
    assert given is not None
    found = strategy_answer(instance, given.run, [folder(each) for each in studies])
    if out is not None:
        save_strategy(found, Path(out))
    return found


def _asked(
    region: Instance | ProblemInstance | Path | str, plan: Result | Path | str | None, what: str, out: Path | str | None
) -> tuple[Instance, Result | None]:
    """The instance and the plan, if there is one. Raises NbbError for a plan of another instance, or a folder `out`
    that holds something else."""
    if out is not None:
        check_folder(folder(out), f"{what}.html")
    instance = freight(region, what)
    if plan is None:
        return instance, None
    given = freight_plan(plan, what, instance=None if isinstance(plan, Result) else instance)
    if given.instance.digest != instance.digest:
        raise NbbError(f"{what}: the plan is of another instance than {instance.path}; give the one that was solved")
    return instance, given
