"""Plans behind a result: run folders `<case>-<seed>` that a suite wrote, verified again from their tables."""

from __future__ import annotations

from pathlib import Path

from benchmarks.harness.registry import BenchError
from nbb_opt.errors import NbbError
from nbb_opt.run_folder import RECORD, read_record

SAME = 1e-9  # relative distance of two figures that should be one


def run_name(case: str, seed: int) -> str:
    """The name of the run folder of a case.

    >>> run_name("c37", 2)
    'c37-2'
    """
    return f"{case}-{seed}"


def check_plan(path: Path, *, objective: float, instance_digest: str) -> None:
    """Verify the plan in a run folder again and that it is the one of a result.

    Raises BenchError if there is none, the verifier refuses it, or it costs something else or is of other data.
    """
    from nbb_opt.problems.dispatch import handlers, problem_of
    from nbb_opt.problems.handlers import VerifyRequest

    if not (path / RECORD).is_file():
        raise BenchError(f"there is no run folder {path}")
    try:
        handlers(problem_of(path, "verify")).verify(VerifyRequest(run=path, again_s=0.0))
    except NbbError as fault:
        raise BenchError(f"{path}: {str(fault).splitlines()[0]}") from None
    record = read_record((path / RECORD).read_bytes(), path)
    cost = next(float(record[name]) for name in ("cost_eur", "cost_nok") if name in record)
    if abs(cost - objective) > SAME * max(abs(objective), 1e-12):
        raise BenchError(f"{path}: the plan there costs {cost:,.6f}")
    if record["instance_digest"] != instance_digest:
        raise BenchError(f"{path}: the plan there is of other data")
