"""Machine facts, JSON form and comparison of benchmark results."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.contract import Better, Kind, Result, Row
from inkmark.machine import this_machine

__all__ = [
    "Comparison",
    "Facts",
    "Record",
    "compare",
    "facts_of_this_machine",
    "load_record",
    "save_record",
]

FORMAT = "inkmark-benchmark/1"
REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Facts:
    """Where and when figures were measured.

    Attributes
    ----------
    cpu : str
    cores : int
        Cores that this process may use.
    system, python : str
    packages : tuple of (str, str)
        Name and version.
    commit : str
        The git commit, followed by ``+changes`` where tracked files differ from it; empty
        outside a repository.
    date : str
        ISO 8601, UTC.
    """

    cpu: str
    cores: int
    system: str
    python: str
    packages: tuple[tuple[str, str], ...]
    commit: str
    date: str

    def same_machine(self, other: Facts) -> bool:
        """Whether timings of the two may be compared."""
        return (self.cpu, self.cores) == (other.cpu, other.cores)


@dataclass(frozen=True, slots=True)
class Record:
    """Results of one run of the runner, with the facts."""

    facts: Facts
    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One row against the same row of an earlier run.

    Attributes
    ----------
    benchmark, label : str
    verdict : str
        ``"ok"``, ``"better"``, ``"worse"``, ``"gone"``, ``"new"``, ``"for information"`` or
        ``"other machine"``.
    ratio : float or None
        New over old value; None where there is no old or no new value, or the old is 0.
    """

    benchmark: str
    label: str
    verdict: str
    ratio: float | None = None

    @property
    def is_regression(self) -> bool:
        """Whether the run fails by it."""
        return self.verdict in ("worse", "gone")


def facts_of_this_machine() -> Facts:
    """Gather the facts.

    Returns
    -------
    Facts
    """
    return Facts(
        **asdict(this_machine()),
        commit=_commit(),
        date=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    )


def save_record(record: Record, path: Path) -> None:
    """Write a record as JSON; a file that is there is replaced as a whole.

    Parameters
    ----------
    record : Record
    path : Path
    """
    document = {"format": FORMAT, **asdict(record)}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def load_record(path: Path) -> Record:
    """Read a record.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Record

    Raises
    ------
    ValueError
        Where the file is not a record of this format.
    """
    try:
        document: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if (found := document["format"]) == FORMAT:
            packages = tuple((name, version) for name, version in document["facts"]["packages"])
            facts = Facts(**{**document["facts"], "packages": packages})
            return Record(facts, tuple(_result(entry) for entry in document["results"]))
        fault = f"its format is {found!r}"
    except (KeyError, TypeError, ValueError) as error:
        fault = repr(error)
    raise ValueError(
        f"{path} is no benchmark record of format {FORMAT} ({fault}); "
        f"write one with: python -m benchmarks NAME --json {path}"
    )


def compare(new: Record, old: Record, max_ratio: float) -> tuple[Comparison, ...]:
    """Compare the results of `new` with those of the same name in `old`.

    Rows that improve downwards are worse when they grow by more than `max_ratio`, rows
    that improve upwards when they shrink by more than it; counts and accuracies repeat
    exactly and are judged by their own tolerance instead. Benchmarks that only one of the
    two holds are left out.

    Parameters
    ----------
    new, old : Record
    max_ratio : float
        At least 1.

    Returns
    -------
    tuple of Comparison
        In the order of `new`, rows that are gone after the others of their benchmark.
    """
    before = {result.name: result for result in old.results}
    same_machine = new.facts.same_machine(old.facts)
    return tuple(
        comparison
        for result in new.results
        if result.name in before
        for comparison in _compare_rows(result, before[result.name], max_ratio, same_machine)
    )


def _compare_rows(
    new: Result, old: Result, max_ratio: float, same_machine: bool
) -> Sequence[Comparison]:
    before = {row.name: row for row in old.rows}
    found = []
    for row in new.rows:
        base = before.pop(row.name, None)
        if base is None:
            found.append(Comparison(new.name, row.name, "new"))
            continue
        ratio = row.value / base.value if base.value else None
        if row.better is Better.NEITHER:
            verdict = "for information"
        elif row.kind is Kind.TIME and not same_machine:
            verdict = "other machine"
        else:
            verdict = _verdict(row, base.value, max_ratio)
        found.append(Comparison(new.name, row.name, verdict, ratio))
    found += [Comparison(new.name, label, "gone") for label in before]
    return found


def _verdict(row: Row, base: float, max_ratio: float) -> str:
    sign = 1.0 if row.better is Better.LOWER else -1.0
    change = sign * (row.value - base)
    if row.kind in (Kind.COUNT, Kind.ACCURACY):
        allowed = row.tolerance
    elif row.better is Better.LOWER:
        allowed = base * (max_ratio - 1)
    else:
        allowed = base * (1 - 1 / max_ratio)
    if change > allowed:
        return "worse"
    return "better" if -change > allowed else "ok"


def _result(entry: dict[str, Any]) -> Result:
    rows = tuple(
        Row(**{**row, "kind": Kind(row["kind"]), "better": Better(row["better"])})
        for row in entry["rows"]
    )
    return Result(entry["name"], rows, entry["seed"], tuple(entry["notes"]))


def _commit() -> str:
    git = ["git", "-C", str(REPOSITORY), "-c", "safe.directory=*"]
    describe = ["describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+changes"]
    try:
        found = subprocess.run([*git, *describe], capture_output=True, text=True, check=False)  # noqa: S603 - fixed arguments
    except FileNotFoundError:
        return ""
    return found.stdout.strip()
