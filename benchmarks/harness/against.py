"""One result against an earlier one: what gates, what is only shown, and what cannot be compared, said in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.harness.registry import BenchError

EFFORT = ("nodes", "iterations")  # depend on roundings of the processor and on when a search was stopped
MEMORY_WORSE = 0.10
MEMORY_FLOOR_MB = 8.0  # less is noise of the allocator over idle: solve-haulier took 34 to 42 MB in five runs
EXACT = 1e-9  # of the objective, where nothing but the code may have changed
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Finding:
    """One figure compared. `verdict`: "worse" (gates), "better", "note"."""

    verdict: str
    case: str
    subject: str
    what: str
    before: Any
    now: Any
    why: str = ""


@dataclass
class Comparison:
    """What was found, and what could not be compared (`words`)."""

    words: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    seconds: list[tuple[str, str, float, float, float]] = field(default_factory=list)

    @property
    def worse(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.verdict == "worse"]


@dataclass(frozen=True)
class _Ground:
    """What the two results have in common."""

    search: bool  # same processor and libraries: equal searches take equal steps
    memory: bool  # same kind of machine and libraries: memory can be compared
    gap: float


def compare(now: Record, before: Record, *, part: bool = False) -> Comparison:
    """Compare a result with an earlier one of the same suite and protocol.

    Counters, results, objectives, proven gaps, verification and memory of our own subjects gate; seconds never do.
    With `part` only some cases were run on purpose, and those left out are named without being a fault.
    Raises BenchError if the results are of different suites or protocols.
    """
    for name in ("format", "suite", "protocol"):
        if now.get(name) != before.get(name):
            raise BenchError(
                f"the results cannot be compared: {name} {before.get(name)!r} before, {now.get(name)!r} now; "
                "take a new result to compare with (--keep)"
            )
    result = Comparison()
    ground = _ground(now, before, result)
    old = {(entry["case"], entry["seed"]): entry for entry in before["cases"]}
    new = {(entry["case"], entry["seed"]): entry for entry in now["cases"]}
    for case, seed in sorted(set(old) - set(new)):
        verdict = "note" if part else "worse"
        why = "left out this time" if part else "was measured before and is missing now"
        result.findings.append(Finding(verdict, f"{case} seed {seed}", "", "case", "there", "missing", why))
    for case, seed in sorted(set(new) - set(old)):
        why = "was not measured before"
        result.findings.append(Finding("note", f"{case} seed {seed}", "", "case", "missing", "there", why))
    for key in (key for key in new if key in old):
        _Entry(new[key], old[key], ground, now, result).compare(part=part)
    return result


def _ground(now: Record, before: Record, result: Comparison) -> _Ground:
    here, there = now["machine"], before["machine"]
    differ = [name for name in sorted({*here, *there}) if here.get(name) != there.get(name)]
    packages = [
        name for name in sorted({*now["versions"], *before["versions"]})
        if name != "nbb-opt" and now["versions"].get(name) != before["versions"].get(name)
    ]  # fmt: skip
    same_python = _minor(here.get("python")) == _minor(there.get("python"))
    search = not packages and here.get("processor") == there.get("processor")
    memory = not packages and same_python and not set(differ) - {"processor", "python"}
    for name in differ:
        result.words.append(f"another machine: {name} {there.get(name)!r} before, {here.get(name)!r} now")
    for name in packages:
        result.words.append(
            f"another version: {name} {before['versions'].get(name)} before, {now['versions'].get(name)} now"
        )
    for name in sorted({*now["options"], *before["options"]}):
        if now["options"].get(name) != before["options"].get(name):
            result.words.append(
                f"another option: {name} {before['options'].get(name)} before, {now['options'].get(name)} now"
            )
    if not search:
        result.words.append(f"so {' and '.join(EFFORT)} are shown and do not gate; objectives gate within the gap")
    if not memory:
        result.words.append("so memory is shown and does not gate")
    gaps = [float(record["options"].get("gap") or 0.0) for record in (now, before)]
    return _Ground(search, memory, max(gaps))


def _minor(version: Any) -> list[str]:
    return str(version).split(".")[:2]


class _Entry:
    def __init__(self, new: Record, old: Record, ground: _Ground, record: Record, result: Comparison) -> None:
        self.new, self.old, self.ground, self.record, self.result = new, old, ground, record, result
        self.case = f"{new['case']} seed {new['seed']}"

    def add(self, verdict: str, subject: str, what: str, before: Any, now: Any, why: str = "") -> None:
        self.result.findings.append(Finding(verdict, self.case, subject, what, before, now, why))

    def compare(self, *, part: bool) -> None:
        """The data and what is counted of them, then every subject."""
        if self.new.get("threads") != self.old.get("threads"):
            self.add("note", "", "threads", self.old.get("threads"), self.new.get("threads"), "memory does not gate")
        self.data("", self.old, self.new)
        self.counters("", self.old, self.new, effort=True)
        if self.old.get("digest") and self.new.get("digest"):
            self.exact("", "result", self.old["digest"], self.new["digest"])
        for name, row in self.new["subjects"].items():
            before = self.old["subjects"].get(name)
            if before is None:
                self.add("note", name, "subject", "missing", "there", "was not measured before")
            else:
                self.subject(name, row, before)
        for name in sorted(set(self.old["subjects"]) - set(self.new["subjects"])):
            ours = self.old["subjects"][name]["kind"] == "ours" and not part
            why = "is not installed" if name in self.record["absent"] else "was measured before and is missing now"
            self.add("worse" if ours else "note", name, "subject", "there", "missing", why)

    def data(self, subject: str, old: Record, new: Record) -> None:
        """Other data are named; whether they make a difference, counters and objectives say."""
        before, now = old.get("instance_digest"), new.get("instance_digest")
        if before != now:
            self.add("note", subject, "data", _short(before), _short(now), "other data; counters and objectives gate")

    def exact(self, subject: str, what: str, before: Any, now: Any, why: str = "must be equal") -> None:
        if before != now:
            self.add("worse", subject, what, before, now, why)

    def counters(self, subject: str, old: Record, new: Record, *, effort: bool) -> None:
        before, now = old.get("counters", {}), new.get("counters", {})
        for name in [*before, *(name for name in now if name not in before)]:
            one, two = before.get(name), now.get(name)
            if one == two:
                continue
            if name in EFFORT and not effort:
                why = "shown only: " + ("stopped by a limit" if self.ground.search else "another machine or version")
                self.add("note", subject, name, one, two, why)
            else:
                self.add("worse", subject, name, one, two, "must be equal")

    def subject(self, name: str, new: Record, old: Record) -> None:
        """One subject; only our own gate."""
        if new["status"] == "failed" or old["status"] == "failed":
            gates = new["kind"] == "ours" and new["status"] == "failed"
            if new["status"] != old["status"]:
                self.add("worse" if gates else "note", name, "status", old["status"], new["status"])
            return
        self.time(name, new, old)
        if new["kind"] != "ours":
            return
        proven = new["status"] in ("optimal", "done") and old["status"] in ("optimal", "done")
        self.data(name, old, new)
        self.counters(name, old, new, effort=self.ground.search and proven)
        if old.get("model_digest") != new.get("model_digest"):
            why = "other numbers in the model; sizes and objectives gate"
            self.add("note", name, "model", _short(old.get("model_digest")), _short(new.get("model_digest")), why)
        if old.get("verified") and not new.get("verified"):
            self.add("worse", name, "verified", old.get("verified"), new.get("verified"))
        self.objective(name, new, old, proven=proven)
        self.memory(name, new, old)

    def objective(self, name: str, new: Record, old: Record, *, proven: bool) -> None:
        one, two = old.get("objective"), new.get("objective")
        if one is None:
            return
        if two is None:
            self.add("worse", name, "objective", one, two, "no solution was found")
            return
        scale = max(abs(one), abs(two), 1e-12)
        within = max(old.get("gap") or 0.0, new.get("gap") or 0.0, self.ground.gap)
        allowed = EXACT if self.ground.search and proven else within + EXACT
        reach = "exactly" if allowed == EXACT else f"within {within:.2%}"
        if two - one > allowed * scale:
            self.add("worse", name, "objective", one, two, f"gates {reach}")
        elif one - two > EXACT * scale:
            self.add("better", name, "objective", one, two)
        if old.get("bound") is not None and old["bound"] - two > 1e-6 * scale:
            self.add("worse", name, "objective", one, two, f"below the bound proven before, {old['bound']:,.6g}")
        gap, limit = new.get("gap"), self.ground.gap
        if gap is not None and old.get("gap") is not None and gap > max(limit, old["gap"]) + EXACT:
            why = f"proven gap; asked for {limit:g}" if proven else "shown only: stopped by a limit"
            self.add("worse" if proven else "note", name, "gap", old["gap"], gap, why)
        if not proven and new["status"] != old["status"]:
            self.add("note", name, "status", old["status"], new["status"], "depends on the time limit and the load")

    def memory(self, name: str, new: Record, old: Record) -> None:
        """Peak memory and peak over idle; +10 % gates where the machine, the versions and the threads are the same."""
        same = self.ground.memory and new.get("memory_by") == old.get("memory_by")
        gates = same and self.new.get("threads") == self.old.get("threads")
        for what, floor_mb in (("peak_mb", 0.0), ("over_idle_mb", MEMORY_FLOOR_MB)):
            one, two = old.get(what), new.get(what)
            if one is None or two is None:
                continue
            if two > one * (1.0 + MEMORY_WORSE) + floor_mb:
                self.add("worse" if gates else "note", name, what, one, two, f"{two / max(one, 1e-9) - 1.0:+.0%}")

    def time(self, name: str, new: Record, old: Record) -> None:
        """Ratio of the medians, and the least and largest ratio of single runs."""
        one, two = old["all_seconds"], new["all_seconds"]
        ratio = new["seconds"] / max(old["seconds"], 1e-9)
        least, most = min(two) / max(max(one), 1e-9), max(two) / max(min(one), 1e-9)
        self.result.seconds.append((self.case, name, ratio, least, most))


def _short(digest: Any) -> str:
    return str(digest)[:12] if digest else "none"
