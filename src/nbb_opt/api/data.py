"""Instances and demand: new, read, check, write, prepare, convert. Paths are folders, .zip files or workbooks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbb_opt.arguments import checked, folder, named
from nbb_opt.instance import Instance, read_instance, write_workbook
from nbb_opt.output import check_new, check_place
from nbb_opt.shipped import cache_folder

if TYPE_CHECKING:
    from nbb_opt.cluster import Cluster
    from nbb_opt.demand.synthetic import Synthetic
    from nbb_opt.formats import Choices
    from nbb_opt.model import Forecast
    from nbb_opt.network import Prepared
    from nbb_opt.problems.result import ProblemInstance, Response


@checked
def read(
    path: Path | str, *, add_duplicates: bool = False, cluster: Cluster | None = None
) -> Instance | Any:  # a ProblemInstance of another problem; Any, so that users need not ask
    """Read and check an instance of any problem. Raises InstanceError with every fault.

    `add_duplicates` adds up demand rows of one flow and year; the workers of a `cluster` sum the demand; both are of
    freight. Instances of network design and national planning (`problem` says which) are for `solve`.

    >>> from nbb_opt.shipped import shipped
    >>> region = read(shipped("instances") / "tiny")
    >>> region["links"].columns.tolist()[:3]
    ['link', 'from_node', 'to_node']
    """
    from nbb_opt.problems.dispatch import FREIGHT, handlers, problem_of_instance
    from nbb_opt.problems.handlers import refuse

    if (problem := problem_of_instance(Path(path))) != FREIGHT:
        refuse(path, problem, {"add_duplicates=": add_duplicates, "cluster=": cluster is not None})
        return handlers(problem).read(Path(path))
    return read_instance(path, add_duplicates=add_duplicates, each=cluster.each if cluster is not None else None)


def freight(region: Instance | ProblemInstance | Path | str, what: str) -> Instance:
    """The region, read if it is a path. Raises NbbError if it is not of freight, which `what` is about."""
    from nbb_opt.problems.dispatch import freight_only

    found = read(region) if isinstance(region, (str, Path)) else region
    if isinstance(found, Instance):
        return found
    raise freight_only(found.path, found.problem, what)


@checked
def check(path: Path | str) -> Response:
    """What is in an instance of any problem, if it has no fault; InstanceError with every fault if it has.

    >>> from nbb_opt.shipped import shipped
    >>> found = check(shipped("instances") / "tiny")
    >>> found.record["name"], found.record["rows"]["links"], found.lines[0]
    ('tiny', 11, 'Seven places, two periods: the optimum by hand: no problems found')
    """
    from nbb_opt.problems.dispatch import handlers, problem_of

    return handlers(problem_of(Path(path), "check")).check(Path(path))


@checked
def write(region: Instance | ProblemInstance, path: Path | str) -> Path:
    """Write an instance to a new folder, or to a workbook if the name ends in .xlsx; it reads back with its digest.

    >>> import tempfile
    >>> from nbb_opt import examples
    >>> dear = examples.tiny().with_table("links", lambda t: t.assign(note="as told"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read(write(dear, Path(folder, "case"))).digest == dear.digest
    True
    """
    from nbb_opt.formats.instance_forms import write_folder

    region, path = freight(region, "write"), Path(path)
    if path.suffix.lower() == ".xlsx":
        check_new(path)
        return write_workbook(region, path)
    check_new(folder(path))
    write_folder(region, path)
    return path


@checked
def new(target: Path | str, *, template: str = "haulier", title: str = "") -> Path:
    """Copy an instance that comes with the package to a new folder, or to a new workbook to fill in.

    Its title is `title`, or says of what it is a copy.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read(new(Path(folder, "mycase"), template="tiny")).meta.name
    'mycase'
    """
    from nbb_opt.instance import new_instance

    check_place(Path(target) if Path(target).suffix.lower() == ".xlsx" else folder(target))
    return new_instance(target, source=template, title=title)


@checked
def synthesize(target: Path | str, *, flows: int = 1000, seed: int = 0, zones: int | None = None) -> Path:
    """Invent an instance of any size in a new folder; the same seed gives the same files.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read(synthesize(Path(folder, "invented"), flows=50)).meta.name
    'invented'
    """
    from nbb_opt.instance.synthetic import Shape, write_synthetic

    check_place(folder(target))
    return write_synthetic(target, Shape(flows, seed, zones))


@checked
def synthesize_od(target: Path | str, rows: Synthetic) -> Path:
    """Write a made-up OD file (Parquet) of any size, a row group at a time: few zones carry most rows (Zipf).

    >>> import tempfile
    >>> from nbb_opt.demand.synthetic import Synthetic
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     synthesize_od(Path(folder, "od.parquet"), Synthetic(100, places=5, zones=5, text=True)).name
    'od.parquet'
    """
    from nbb_opt.demand.synthetic import write_synthetic

    check_new(named(target, ".parquet", what="file of OD rows"))
    write_synthetic(Path(target), rows)
    return Path(target)


@checked
def manifest(path: Path | str) -> Path:
    """Write `datapackage.json` with the checksum of every file of an instance; from then on changed files are refused.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     manifest(new(Path(folder, "mycase"), template="tiny")).name
    'datapackage.json'
    """
    from nbb_opt.instance import write_manifest
    from nbb_opt.problems.dispatch import problem_of

    problem_of(Path(path), "manifest")
    return write_manifest(path)


@checked
def upgrade(old: Path | str, new: Path | str) -> list[str]:
    """Bring an instance of an earlier format to today's names; gives what was renamed. All else is copied.

    >>> import tempfile
    >>> from nbb_opt import examples
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     upgrade(write(examples.tiny(), Path(folder, "old")), Path(folder, "new"))
    []
    """
    from nbb_opt.instance import upgrade as upgrade_instance
    from nbb_opt.problems.dispatch import problem_of

    problem_of(Path(old), "upgrade")
    check_place(folder(new) if Path(old).is_dir() else named(new, Path(old).suffix.lower(), what="copy of it"))
    return upgrade_instance(old, new)


@checked
def convert(
    source: Path | str, target: Path | str, *, choices: Choices | None = None, form: str | None = None
) -> Response:
    """Convert OD matrices, networks and whole instances of other tools by the endings of source and target.

    `choices` are what a format leaves open, or what may be dropped or added up; the lines of the response say what was
    kept and left out. `form` is a foreign format of whole instances: "canad" or "stram".

    >>> import tempfile
    >>> from nbb_opt import examples
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     convert(examples.tiny().path / "od.csv", Path(folder, "od.parquet")).lines[:2]
    ('12 rows of od.csv read', '12 rows written')
    """
    from nbb_opt.formats import convert as convert_files
    from nbb_opt.problems.dispatch import convert as convert_problem
    from nbb_opt.problems.dispatch import problem_of
    from nbb_opt.problems.result import Response

    check_new(Path(target)) if Path(target).is_file() else check_place(Path(target))
    if form is not None:
        return convert_problem(form, Path(source), Path(target))
    problem_of(Path(source), "convert")
    done = convert_files(Path(source), Path(target), choices=choices)
    files = [str(file) for file in done.files]
    return Response({"files": files, "lines": list(done.lines)}, (*done.lines, f"wrote {', '.join(files)}"))


@checked
def prepare(region: Instance | ProblemInstance | Path | str, *, prune: bool = True, cache: bool = True) -> Prepared:
    """Bundles and candidate chains of a region; `.log` says what was merged and dropped. `size` of it is the model's.

    `prune` leaves out chains that can never be used. `cache` keeps them in the user's cache folder.

    >>> from nbb_opt import examples
    >>> prepared = prepare(examples.tiny())
    >>> len(prepared.bundles), len(prepared.rows)
    (6, 10)
    """
    from nbb_opt.network import prepare as prepare_instance

    return prepare_instance(freight(region, "prepare"), cache_dir=cache_folder() if cache else None, prune=prune)


@checked
def size(prepared: Prepared, model: str = "joint") -> Forecast:
    """How large a model of prepared chains will be: rows, columns, nonzeros, memory and time to state it.

    >>> from nbb_opt import examples
    >>> size(prepare(examples.tiny())).line()
    'size: about 80 columns, 107 rows, 368 nonzeros; about 260 MB and 0.3 s to state'
    """
    from nbb_opt.model import forecast, read_model

    return forecast(prepared.instance, prepared, read_model(model))


@checked
def render_models(*, write: bool = False) -> list[str]:
    """The statements (equations and literal LP) in `models/` that are out of date; with `write` they are rendered.

    >>> render_models()
    []
    """
    from nbb_opt.problems.dispatch import render_models as render

    return render(write=write)
