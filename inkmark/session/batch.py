"""Many files, read by any executor in bounded memory."""

from __future__ import annotations

import dataclasses
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

from inkmark.errors import ImageError
from inkmark.images import find_scans, open_scan
from inkmark.layouts import SheetLayout
from inkmark.readings import IssueKind, PageSource, SheetIssue, SheetReading
from inkmark.session.pages import ReadOptions, read_page

__all__ = ["Progress", "SerialExecutor", "Task", "read_scans", "run_tasks"]

Progress = Callable[[int, int], None]
"""Called by the parent with the number of files done and the number of all files."""

P = ParamSpec("P")
T = TypeVar("T")


class SerialExecutor(Executor):
    """The twin of a pool that does each call at once, in the caller's thread."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call `fn` now; the future that comes back is done.

        An exception is raised here and not kept in the future: there is nobody else to
        look at it.
        """
        future: Future[T] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker needs to read some pages of one file.

    Attributes
    ----------
    path : Path
    name : str
        The path as it is to stand in the results.
    layout : SheetLayout
    options : ReadOptions
    exam_id : str
        Exam whose sheets are expected; empty where any may come.
    start : int
        0-based page to begin with.
    stop : int or None
        Page to end before; None for the first task of a file, which shares out the rest.
    known : frozenset of (str, int)
        (sha256, page index) of the file's pages that need not be read again.
    """

    path: Path
    name: str
    layout: SheetLayout
    options: ReadOptions
    exam_id: str = ""
    start: int = 0
    stop: int | None = None
    known: frozenset[tuple[str, int]] = frozenset()


@dataclass(frozen=True, slots=True)
class _Span:
    """Some pages of one file, as a worker read them; `rest` is what is still to read."""

    outcomes: tuple[SheetReading | SheetIssue, ...]
    rest: tuple[Task, ...]


def read_scans(
    sources: Sequence[Path | str],
    layout: SheetLayout,
    *,
    options: ReadOptions | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Iterator[SheetReading | SheetIssue]:
    """Read scans with a layout alone, without an exam.

    Parameters
    ----------
    sources : sequence of path or str
        Files, folders and globs.
    layout : SheetLayout
    options : ReadOptions, optional
    executor : concurrent.futures.Executor, optional
        Where the pages are read; by default a pool of threads.
    progress : callable, optional
        See `Progress`.

    Yields
    ------
    SheetReading or SheetIssue
        One for each page image, in the order of files and pages.

    Raises
    ------
    ImageError
        Where a source does not exist or holds no files.
    """
    options = options or ReadOptions()
    tasks = [Task(path, file_text(path), layout, options) for path in find_scans(sources)]
    for outcomes in run_tasks(tasks, options.workers, executor, progress):
        yield from outcomes


def run_tasks(
    tasks: Sequence[Task],
    workers: int,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[SheetReading | SheetIssue, ...]]:
    """Run tasks in a window, so that memory does not grow with the batch.

    Yields
    ------
    tuple of SheetReading or SheetIssue
        In the order of the tasks, whatever the number of workers.
    """
    workers = workers or processors()
    pool = executor if executor is not None else ThreadPoolExecutor(workers)
    window = 4 * workers
    waiting = iter(tasks)
    pending: deque[tuple[Future[_Span], bool]] = deque()
    done = 0
    try:
        while True:
            while len(pending) < window and (task := next(waiting, None)) is not None:
                pending.append((pool.submit(_read_span, task), True))
            if not pending:
                return
            future, last_of_file = pending.popleft()
            span = future.result()
            for number, rest in enumerate(reversed(span.rest)):
                pending.appendleft((pool.submit(_read_span, rest), number == 0))
            yield span.outcomes
            if last_of_file and not span.rest:
                done += 1
                if progress is not None:
                    progress(done, len(tasks))
    finally:
        for future, _ in pending:
            future.cancel()
        if executor is None:
            pool.shutdown()


def file_text(path: Path) -> str:
    """Give a path as text, with slashes; bytes that are no UTF-8 are written as escapes."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def processors() -> int:
    """Give the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _read_span(task: Task) -> _Span:
    """Read some pages of a file; those that are known are left out."""
    outcomes: list[SheetReading | SheetIssue] = []
    try:
        with open_scan(task.path, limits=task.options.limits) as scan:
            first = min(task.options.pages_per_task, scan.n_pages)
            for index in range(task.start, first if task.stop is None else task.stop):
                if (scan.sha256, index) in task.known:
                    continue
                source = PageSource(task.name, index, scan.sha256)
                try:
                    image = dataclasses.replace(scan.load(index), source=source)
                except ImageError as error:
                    issue = SheetIssue(IssueKind.UNREADABLE_FILE, source, _without_path(error))
                    outcomes.append(issue)
                else:
                    outcomes.append(
                        read_page(image, task.layout, task.options, exam_id=task.exam_id)
                    )
            rest = () if task.stop is not None else _rest(task, first, scan.n_pages)
    except ImageError as error:
        source = PageSource(task.name, task.start, "")
        return _Span((SheetIssue(IssueKind.UNREADABLE_FILE, source, _without_path(error)),), ())
    return _Span(tuple(outcomes), rest)


def _without_path(error: ImageError) -> str:
    """Give what is wrong with a file; its path stands in the source of the issue."""
    return str(error).removeprefix(f"{error.source}: ")


def _rest(task: Task, start: int, n_pages: int) -> tuple[Task, ...]:
    """Share out the further pages of a long file: two tasks a worker, or fewer."""
    workers = task.options.workers or processors()
    size = max(task.options.pages_per_task, -(-(n_pages - start) // (2 * workers)))
    return tuple(
        dataclasses.replace(task, start=first, stop=min(first + size, n_pages))
        for first in range(start, n_pages, size)
    )
