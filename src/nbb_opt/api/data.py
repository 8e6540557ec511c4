"""Instances and demand: new, read, check, write, prepare, convert. Paths are folders, .zip files or workbooks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nbb_opt.errors import NbbError
from nbb_opt.instance import Instance, read_instance, write_workbook
from nbb_opt.output import check_new, check_place
from nbb_opt.shipped import cache_folder

if TYPE_CHECKING:
    from nbb_opt.cluster import Cluster
    from nbb_opt.demand.synthetic import Synthetic
    from nbb_opt.formats import Choices
    from nbb_opt.model import Forecast
    from nbb_opt.network import Prepared
    from nbb_opt.problems.handlers import Response


def read(path: Path | str, *, add_duplicates: bool = False, cluster: Cluster | None = None) -> Instance:
    """Read and check an instance. Raises InstanceError with every problem.

    `add_duplicates` adds up demand rows of one flow and year; the workers of a `cluster` sum the demand.

    >>> from nbb_opt.shipped import shipped
    >>> region = read(shipped("instances") / "tiny")
    >>> region["links"].columns.tolist()[:3]
    ['link', 'from_node', 'to_node']
    """
    from nbb_opt.problems.dispatch import FREIGHT, problem_of_instance

    if (problem := problem_of_instance(Path(path))) != FREIGHT:
        raise NbbError(f"{path}: is about {problem}, nbb.read is about {FREIGHT}; take the command nbb-opt solve")
    return read_instance(path, add_duplicates=add_duplicates, each=cluster.each if cluster is not None else None)


def check(path: Path | str) -> Response:
    """What is in an instance of any problem, if it has no fault; InstanceError with every fault if it has.

    >>> from nbb_opt.shipped import shipped
    >>> found = check(shipped("instances") / "tiny")
    >>> found.record["name"], found.record["rows"]["links"], found.lines[0]
    ('tiny', 11, 'Seven places, two periods: the optimum by hand: no problems found')
    """
    from nbb_opt.problems.dispatch import handlers, problem_of

    return handlers(problem_of(Path(path), "check")).check(Path(path))


def write(region: Instance, path: Path | str) -> Path:
    """Write an instance to a new folder, or to a workbook if the name ends in .xlsx; it reads back with its digest.

    >>> import tempfile
    >>> from nbb_opt import examples
    >>> dear = examples.tiny().with_table("links", lambda t: t.assign(note="as told"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read(write(dear, Path(folder, "case"))).digest == dear.digest
    True
    """
    from nbb_opt.formats.instance_forms import write_folder

    path = Path(path)
    check_new(path)
    if path.suffix == ".xlsx":
        return write_workbook(region, path)
    write_folder(region, path)
    return path


def new(target: Path | str, *, template: str = "haulier", title: str = "") -> Path:
    """Copy an instance that comes with the package to a new folder, or to a new workbook to fill in.

    Its title is `title`, or says of what it is a copy.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read(new(Path(folder, "mycase"), template="tiny")).meta.name
    'mycase'
    """
    from nbb_opt.instance import new_instance

    check_place(Path(target))
    return new_instance(target, source=template, title=title)


def synthesize(target: Path | str, *, flows: int = 1000, seed: int = 0, zones: int | None = None) -> Path:
    """Invent an instance of any size in a new folder; the same seed gives the same files.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read(synthesize(Path(folder, "invented"), flows=50)).meta.name
    'invented'
    """
    from nbb_opt.instance.synthetic import Shape, write_synthetic

    check_place(Path(target))
    return write_synthetic(target, Shape(flows, seed, zones))


def synthesize_od(target: Path | str, rows: Synthetic) -> Path:
    """Write a made-up OD file (Parquet) of any size, a row group at a time: few zones carry most rows (Zipf).

    >>> import tempfile
    >>> from nbb_opt.demand.synthetic import Synthetic
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     synthesize_od(Path(folder, "od.parquet"), Synthetic(100, places=5, zones=5, text=True)).name
    'od.parquet'
    """
    from nbb_opt.demand.synthetic import write_synthetic

    check_new(Path(target))
    write_synthetic(Path(target), rows)
    return Path(target)


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
    check_place(Path(new))
    return upgrade_instance(old, new)


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
    from nbb_opt.problems.handlers import Response

    check_new(Path(target)) if Path(target).is_file() else check_place(Path(target))
    if form is not None:
        return convert_problem(form, Path(source), Path(target))
    done = convert_files(Path(source), Path(target), choices=choices)
    files = [str(file) for file in done.files]
    return Response({"files": files, "lines": list(done.lines)}, (*done.lines, f"wrote {', '.join(files)}"))


def prepare(region: Instance | Path | str, *, prune: bool = True, cache: bool = True) -> Prepared:
    """Bundles and candidate chains of a region; `.log` says what was merged and dropped. `size` of it is the model's.

    `prune` leaves out chains that can never be used. `cache` keeps them in the user's cache folder.

    >>> from nbb_opt import examples
    >>> prepared = prepare(examples.tiny())
    >>> len(prepared.bundles), len(prepared.rows)
    (6, 10)
    """
    from nbb_opt.network import prepare as prepare_instance

    instance = region if isinstance(region, Instance) else read(region)
    return prepare_instance(instance, cache_dir=cache_folder() if cache else None, prune=prune)


def size(prepared: Prepared, model: str = "joint") -> Forecast:
    """How large a model of prepared chains will be: rows, columns, nonzeros, memory and time to state it.

    >>> from nbb_opt import examples
    >>> size(prepare(examples.tiny())).line()
    'size: about 80 columns, 107 rows, 368 nonzeros; about 260 MB and 0.3 s to state'
    """
    from nbb_opt.model import forecast, read_model

    return forecast(prepared.instance, prepared, read_model(model))


def render_models(*, write: bool = False) -> list[str]:
    """The statements (equations and literal LP) in `models/` that are out of date; with `write` they are rendered.

    >>> render_models()
    []
    """
    from nbb_opt.problems.dispatch import render_models as render

    return render(write=write)
