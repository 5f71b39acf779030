"""How long each stage takes on this machine, on the built-in demo exam."""

from __future__ import annotations

import datetime as dt
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from inkmark.demo import make_demo_exam
from inkmark.exam import ExamFolder, load_exam
from inkmark.images import find_scans, open_scan
from inkmark.layouts import load_layout, print_sheets
from inkmark.machine import Machine, this_machine
from inkmark.ocr import read_codes
from inkmark.omr import read_bubbles, refine, register
from inkmark.readings import Registration
from inkmark.session import Progress
from inkmark.session.pages import page_code
from inkmark.workflow import analyse, make_reports, practise, read, score

__all__ = ["BenchResult", "StageTime", "bench_lines", "measure_stages"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StageTime:
    """CPU time of one stage, over all threads.

    Attributes
    ----------
    stage : str
    unit : str
        What one of `n` is: a page, an exam, a student.
    n : int
        How many were done.
    median_ms : float
        Median CPU milliseconds for one.
    spread_ms : float
        Interquartile range; 0 where the stage was measured once.
    """

    stage: str
    unit: str
    n: int
    median_ms: float
    spread_ms: float


@dataclass(frozen=True, slots=True)
class BenchResult:
    """Times of all stages, in the order in which an exam meets them.

    Attributes
    ----------
    machine : Machine
    date : str
        ISO 8601, UTC.
    students, seed : int
    stages : tuple of StageTime
    """

    machine: Machine
    date: str
    students: int
    seed: int
    stages: tuple[StageTime, ...]

    def to_json(self) -> dict[str, Any]:
        """Give the result as plain values."""
        values = asdict(self)
        values["machine"]["packages"] = dict(self.machine.packages)
        return values


def measure_stages(
    *, students: int = 24, seed: int = 1, progress: Progress | None = None
) -> BenchResult:
    """Measure each stage of an exam.

    The exam is made in a temporary folder. Compiled loops are warmed up before anything is
    measured. Stages of a page are measured page by page, the others as a whole.

    Parameters
    ----------
    students : int
        Size of the exam, 12 or more.
    seed : int
        Seed of the exam.
    progress : callable, optional
        Called with the number of stages done and of all.

    Returns
    -------
    BenchResult
    """
    total = 12
    stages: list[StageTime] = []

    def done(*measured: StageTime) -> None:
        stages.extend(measured)
        if progress is not None:
            progress(len(stages), total)

    with tempfile.TemporaryDirectory(prefix="inkmark-bench-") as name:
        folder = ExamFolder(Path(name) / "exam")
        elapsed = _cpu_ms(partial(make_demo_exam, folder.root, candidates=students, seed=seed))
        exam, layout = load_exam(folder.root), load_layout(folder.layout)
        n_pages = students * len(layout.pages)
        done(StageTime("simulate", "page", n_pages, elapsed / n_pages, 0.0))
        again = folder.sheets / "again.pdf"
        elapsed = _cpu_ms(partial(print_sheets, layout, exam, again, exam.candidates))
        done(StageTime("print sheets", "page", n_pages, elapsed / n_pages, 0.0))
        done(*_page_stages(folder))
        elapsed = _cpu_ms(partial(read, folder.root))
        done(StageTime("read into the database", "page", n_pages, elapsed / n_pages, 0.0))
        for stage, step in (
            ("score", score),
            ("analyse", analyse),
            ("practice sets", practise),
            ("reports", make_reports),
        ):
            elapsed = _cpu_ms(partial(step, folder.root))
            done(StageTime(stage, "student", students, elapsed / students, 0.0))
    date = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    return BenchResult(this_machine(), date, students, seed, tuple(stages))


def bench_lines(result: BenchResult) -> Iterator[str]:
    """Give the result as a table for people."""
    machine = result.machine
    yield f"{result.date}, {machine.cpu}, {machine.cores} cores, {machine.system}"
    packages = ", ".join(f"{name} {version}" for name, version in machine.packages)
    yield f"Python {machine.python}, {packages}"
    yield f"CPU time of each stage, {result.students} students, seed {result.seed}"
    yield f"{'stage':<24} {'ms':>9} {'spread':>8}  for one of"
    for stage in result.stages:
        yield (
            f"{stage.stage:<24} {stage.median_ms:>9.2f} {stage.spread_ms:>8.2f}  "
            f"{stage.n} {stage.unit}s"
        )


def _page_stages(folder: ExamFolder) -> list[StageTime]:
    """Measure the steps of reading, page by page, as a session takes them."""
    pages = load_layout(folder.layout).pages
    times: dict[str, list[float]] = {}

    def timed(name: str, step: Callable[[], T]) -> T:
        start = time.thread_time()
        result = step()
        times.setdefault(name, []).append(1000 * (time.thread_time() - start))
        return result

    for _ in range(2):  # the first round compiles and warms up
        times.clear()
        for path in find_scans([folder.scans]):
            with open_scan(path) as scan:
                for index in range(scan.n_pages):
                    pixels = timed("decode", partial(scan.load, index)).pixels
                    page = pages[0]
                    found = timed("register", partial(register, pixels, page))
                    if not isinstance(found, Registration):
                        continue
                    codes = timed("read codes", partial(read_codes, pixels, page, found))
                    code = page_code(page, codes)
                    page = pages[0 if code is None else code.page]
                    if page.anchors != pages[0].anchors:
                        again = timed("register", partial(register, pixels, page))
                        if not isinstance(again, Registration):
                            continue
                        found = again
                    refined = timed("follow outlines", partial(refine, pixels, page, found))
                    if not isinstance(refined, Registration):
                        continue
                    found = refined
                    timed("read bubbles", partial(read_bubbles, pixels, page, found))
    return [
        StageTime(name, "page", len(values), statistics.median(values), _spread(values))
        for name, values in times.items()
    ]


def _spread(values: Sequence[float]) -> float:
    low, _, high = statistics.quantiles(values, n=4)
    return high - low


def _cpu_ms(step: Callable[[], object]) -> float:
    start = time.process_time()
    step()
    return 1000 * (time.process_time() - start)
