"""Reading at scale: pages a second by workers, peak memory by pages, and the first page."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks._many_pages import NumberedSheet, numbered_sheets
from benchmarks.contract import Better, Kind, Options, Result, Row, Unavailable, sampled
from benchmarks.read_speed import SEED, speed_exam, speed_pages
from inkmark.exam import Exam, ExamFolder, save_exam
from inkmark.layouts import SheetLayout, build_layout, save_layout
from inkmark.session import SerialExecutor, WorkerPool, read_exam
from inkmark.simulator import encode_scan
from inkmark.store import ExamStore

__all__ = ["run"]

Pixels = npt.NDArray[np.uint8]

DPI = 200.0
N_SHARED = 400
"""Pages of the batch that workers share: as many as a grade has."""
BATCHES = (100, 1000)
MANY = "INKMARK_BENCH_PAGES"
"""Environment variable: a further number of pages whose memory is measured, such as 20000."""
N_SHEETS = 4
"""Sheets whose answers differ, among the many pages."""
READ = (0, 10)
"""Exit codes of a command that did its work."""


def run(options: Options) -> Result:
    """Measure in one run what one worker and two do, and fresh processes for memory and start.

    Parameters
    ----------
    options : Options

    Returns
    -------
    Result
    """
    if sys.platform == "win32":
        raise Unavailable("peak memory is taken by os.wait4; run it on Linux or macOS")
    exam = speed_exam()
    layout = build_layout(exam)
    with tempfile.TemporaryDirectory(prefix="inkmark-read-scale-") as name:
        root = Path(name)
        (page,) = islice(speed_pages(root, exam, layout, DPI), 1)
        sheets = list(numbered_sheets(exam, layout, DPI, n_sheets=N_SHEETS, seed=SEED))
        rows = [
            *_workers(root / "workers", layout, sheets, options),
            *_first_page(_folder(root / "first", exam, layout, [page]), options),
        ]
        many = int(os.environ.get(MANY, "0"))
        rows += [
            _memory(root / f"{n_pages}", layout, sheets, n_pages)
            for n_pages in (*BATCHES, *([many] if many else []))
        ]
    return Result(
        "read_scale",
        tuple(rows),
        SEED,
        (
            f"Grey JPEG, A4, {DPI:.0f} dpi, each page that of another candidate of the roster.",
            f"Workers: wall-clock time for a batch of {N_SHARED} pages, in turn within one run,",
            "from files to committed readings, with an open database and workers at hand;",
            "one worker is the process itself, two are processes, for comparison also threads.",
            f"Memory: peak of `inkmark read --workers 1`; {MANY}=20000 measures that many, too.",
            "First page: `inkmark read` of one page with compiled readers, from start to end.",
        ),
    )


def _folder(root: Path, exam: Exam, layout: SheetLayout, pages: Iterable[Pixels]) -> ExamFolder:
    folder = ExamFolder(root)
    folder.scans.mkdir(parents=True)
    save_exam(exam, folder.workbook)
    save_layout(layout, folder.layout)
    for number, page in enumerate(pages):
        encode_scan(page, folder.scans / f"{number:05d}.jpg", DPI)
    return folder


def _workers(
    root: Path, layout: SheetLayout, sheets: Sequence[NumberedSheet], options: Options
) -> Iterator[Row]:
    exam, folder = _many(root, layout, sheets, N_SHARED)

    def pages_per_s(executor: Executor) -> float:
        folder.database.unlink(missing_ok=True)
        with ExamStore.open(folder.database, exam.id) as store:
            store.put_exam(exam)
            start = time.perf_counter()
            report = read_exam(folder, exam, layout, store, executor=executor)
            speed = N_SHARED / (time.perf_counter() - start)
        if report.read + report.doubtful != N_SHARED:
            raise RuntimeError(f"{report.read} of {N_SHARED} pages were read")
        return speed

    with WorkerPool(2) as processes, ThreadPoolExecutor(2) as threads:
        executors = {
            "1 worker": SerialExecutor(),
            "2 workers": processes,
            "2 threads": threads,
        }
        samples: dict[str, list[float]] = {label: [] for label in executors}
        for repeat in range(max(options.repeats, 2) + 1):
            for label, executor in executors.items():
                speed = pages_per_s(executor)
                if repeat:  # the first round warms up
                    samples[label].append(speed)
    for label, speeds in samples.items():
        yield sampled(label, speeds, "pages/s", Kind.TIME, Better.HIGHER)
    for label in ("2 workers", "2 threads"):
        ratios = [b / a for a, b in zip(samples["1 worker"], samples[label], strict=True)]
        yield sampled(f"{label} / 1 worker", ratios, "x", Kind.RATIO, Better.HIGHER)


def _first_page(folder: ExamFolder, options: Options) -> Iterator[Row]:
    wall, cpu = [], []
    for repeat in range(max(options.repeats, 2) + 1):
        folder.database.unlink(missing_ok=True)
        start = time.perf_counter()
        _, cpu_s = _command(folder)
        if repeat:
            wall.append(time.perf_counter() - start)
            cpu.append(cpu_s)
    yield sampled("first page", wall, "s", Kind.TIME)
    yield sampled("first page, CPU", cpu, "s", Kind.TIME)


def _memory(root: Path, layout: SheetLayout, sheets: Sequence[NumberedSheet], n_pages: int) -> Row:
    exam, folder = _many(root, layout, sheets, n_pages)
    peak, _ = _command(folder)
    with ExamStore.open(folder.database, exam.id) as store:
        n_read = sum(page.issue is None for page in store.summaries({}))
    shutil.rmtree(root)
    if n_read != n_pages:
        raise RuntimeError(f"{n_read} of {n_pages} candidates have a page in use")
    mib = peak / (2**20 if sys.platform == "darwin" else 2**10)
    return Row(f"peak memory, {n_pages} pages", mib, "MiB", Kind.MEMORY)


def _many(
    root: Path, layout: SheetLayout, sheets: Sequence[NumberedSheet], n_pages: int
) -> tuple[Exam, ExamFolder]:
    exam = speed_exam(n_pages)
    pages = (
        sheets[n % len(sheets)].page(candidate.number)
        for n, candidate in enumerate(exam.candidates)
    )
    return exam, _folder(root, exam, layout, pages)


def _command(folder: ExamFolder) -> tuple[int, float]:
    """Read in a fresh process; give its peak memory as the system counts it, and its CPU time."""
    command = [sys.executable, "-m", "inkmark", "read", str(folder.root), "--workers", "1"]
    # By a small process between: a new process begins with the peak of the one it comes from.
    launched = [sys.executable, "-c", _LAUNCH, *command]
    done = subprocess.run(launched, check=True, capture_output=True, text=True)  # noqa: S603
    code, peak, cpu_s = done.stdout.split()
    if int(code) not in READ:
        raise RuntimeError(f"inkmark read ended with {code}: {done.stderr}")
    return int(peak), float(cpu_s)


_LAUNCH = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
process.returncode = os.waitstatus_to_exitcode(status)
print(process.returncode, usage.ru_maxrss, usage.ru_utime + usage.ru_stime)
"""
