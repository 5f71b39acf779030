"""Many files, read by any executor in bounded memory."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar

from inkmark.errors import ImageError, InkmarkError
from inkmark.files import file_sha256
from inkmark.images import ScanFile, find_scans, open_scan
from inkmark.layouts import SheetLayout, layout_text, parse_layout
from inkmark.readings import IssueKind, PageSource, SheetIssue, SheetReading
from inkmark.session.pages import ReadOptions, read_page
from inkmark.session.pool import WorkerPool, processors

__all__ = ["Job", "Progress", "SerialExecutor", "Task", "file_text", "read_scans", "run_tasks"]

_MOST_PAGES = 256
"""Pages of one task at most, unless the options say more: its results are held together."""

_FEW_BYTES = 2**23
"""Files of less than this together are read before a pool of processes has started."""

_WINDOW = 16
"""Tasks given out at once for each worker: enough while a batch of pages is committed."""

_MOST_TOGETHER = 8
"""Tasks that travel to a worker and back together: each journey takes time of the parent's."""

_ENDED = "reading it ended the program that read it. Scan it again, or save it in another format."
_REPLACED = "the file was replaced while it was read. Run inkmark read again when it is complete."

_LOG = logging.getLogger(__name__)

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


class Job(Generic[T]):
    """What all tasks of a run have in common.

    It goes to other processes with the text of the layout file in place of the layout, and
    each makes the layout of that once: there are hundreds of fields in a layout.

    Parameters
    ----------
    layout : SheetLayout
    options : ReadOptions
    exam_id : str
        Exam whose sheets are expected; empty where any may come.
    finish : callable
        Makes what is wanted of an outcome and the layout, in the worker.
    """

    def __init__(
        self,
        layout: SheetLayout,
        options: ReadOptions,
        exam_id: str,
        finish: Callable[[SheetReading | SheetIssue, SheetLayout], T],
    ) -> None:
        self.layout = layout
        self.options = options
        self.exam_id = exam_id
        self.finish = finish
        self._text = ""

    def __reduce__(self) -> tuple[Callable[..., Job[Any]], tuple[Any, ...]]:
        """Give what the job is made of again in another process."""
        self._text = self._text or layout_text(self.layout, "the layout")
        return _job, (self._text, self.options, self.exam_id, self.finish)


def _job(text: str, options: ReadOptions, exam_id: str, finish: Callable[..., Any]) -> Job[Any]:
    return Job(_layout(text), options, exam_id, finish)


@lru_cache(maxsize=2)
def _layout(text: str) -> SheetLayout:
    return parse_layout(text, "the layout")


@dataclass(frozen=True, slots=True)
class Task:
    """Some pages of one file to read.

    Attributes
    ----------
    path : Path
    name : str
        The path as it is to stand in the results.
    start : int
        0-based page to begin with.
    stop : int or None
        Page to end before; None for the first task of a file, which shares out the rest.
    known : frozenset of (str, int)
        (sha256, page index) of the file's pages that need not be read again.
    sha256 : str
        Hash of the file that was shared out; empty for the first task of a file.
    """

    path: Path
    name: str
    start: int = 0
    stop: int | None = None
    known: frozenset[tuple[str, int]] = frozenset()
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class _Span(Generic[T]):
    """Some pages of one file, as a worker read them; `rest` is what is still to read."""

    outcomes: tuple[T, ...]
    rest: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why a file could not be opened or a page not be read."""

    message: str


@dataclass(slots=True)
class _Pending(Generic[T]):
    """A task that was given to a worker; `is_last` where it is the last of its file.

    The future is that of all tasks that travel together, of which this is the one at `place`.
    """

    task: Task
    future: Future[tuple[_Span[T], ...]]
    place: int = 0
    is_last: bool = True


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
    job = Job(layout, options, "", _as_it_is)
    tasks = [Task(path, file_text(path)) for path in find_scans(sources)]
    for outcomes in run_tasks(job, tasks, executor, progress):
        yield from outcomes


def _as_it_is(
    outcome: SheetReading | SheetIssue, _layout: SheetLayout
) -> SheetReading | SheetIssue:
    return outcome


def run_tasks(
    job: Job[T],
    tasks: Sequence[Task],
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[T, ...]]:
    """Run tasks in a window, so that memory does not grow with the batch.

    A task whose worker is lost is done again in a process of its own (`WorkerPool`); where
    that is lost, too, its pages are read in ever smaller portions, until the page that no
    reader survives is an issue and the others are read.

    Yields
    ------
    tuple of what `job.finish` gives
        In the order of the tasks, whatever the number of workers.
    """
    workers = job.options.workers or processors()
    pool = _pool(executor, workers, tasks)
    waiting = deque(tasks)
    pending: deque[_Pending[T]] = deque()
    window, done = 1, 0  # the first task alone: where kernels have to be compiled, it does it
    try:
        while True:
            while waiting and len(pending) < window:
                # Fewer towards the end, so that no worker waits long for another.
                together = min(window, _MOST_TOGETHER, -(-len(waiting) // (4 * workers)))
                some = tuple(waiting.popleft() for _ in range(together))
                future = pool.submit(_read_spans, job, some)
                pending += [_Pending(task, future, place) for place, task in enumerate(some)]
            if not pending:
                return
            first = pending.popleft()
            try:
                span = first.future.result()[first.place]
            except BrokenProcessPool:
                if not isinstance(pool, WorkerPool):
                    raise
                span = _read_alone(pool, job, first.task)
                _give_out_again(pool, job, pending)
            for number, rest in enumerate(reversed(span.rest)):
                future = pool.submit(_read_spans, job, (rest,))
                pending.appendleft(_Pending(rest, future, is_last=number == 0))
            window = _WINDOW * workers
            yield span.outcomes
            if first.is_last and not span.rest:
                done += 1
                if progress is not None:
                    progress(done, len(tasks))
    finally:
        for entry in pending:
            entry.future.cancel()
        if executor is None:
            pool.shutdown()


def _pool(executor: Executor | None, workers: int, tasks: Sequence[Task]) -> Executor:
    """Choose where to read: processes are not worth their start for a few pages."""
    if executor is None:
        return SerialExecutor() if workers == 1 else ThreadPoolExecutor(workers)
    if isinstance(executor, WorkerPool):
        sizes = (task.path.stat().st_size for task in tasks if task.path.is_file())
        if all(total < _FEW_BYTES for total in accumulate(sizes)):
            return SerialExecutor()
    return executor


def _give_out_again(pool: WorkerPool, job: Job[T], pending: Iterable[_Pending[T]]) -> None:
    """Submit anew what was lost together with a worker."""
    for entry in pending:
        if entry.future.done() and entry.future.exception() is not None:
            entry.future, entry.place = pool.submit(_read_spans, job, (entry.task,)), 0


def _read_alone(pool: WorkerPool, job: Job[T], task: Task) -> _Span[T]:
    """Do a lost task again, in halves where it is lost again; a lost page is an issue."""
    with contextlib.suppress(BrokenProcessPool):
        return pool.alone(_read_span, job, task)
    stop = task.stop
    rest: tuple[Task, ...] = ()
    if stop is None:
        try:
            task, stop, rest = pool.alone(_measure, job, task)
        except BrokenProcessPool:
            return _Span((_issue(job, _source(task), _ENDED),), ())
    if stop - task.start <= 1:
        return _Span((_issue(job, _source(task), _ENDED),), rest)
    middle = (task.start + stop) // 2
    halves = (
        _read_alone(pool, job, dataclasses.replace(task, stop=middle)),
        _read_alone(pool, job, dataclasses.replace(task, start=middle, stop=stop)),
    )
    return _Span(tuple(outcome for half in halves for outcome in half.outcomes), rest)


def _measure(job: Job[T], task: Task) -> tuple[Task, int, tuple[Task, ...]]:
    """Give the first task of a file with its hash, where it ends, and what is left to others."""
    scan = _attempt(open_scan, task.path, limits=job.options.limits)
    if isinstance(scan, _Failure):
        return task, task.start + 1, ()
    with scan:
        stop, rest = _shared_out(task, scan, job.options)
        return dataclasses.replace(task, sha256=scan.sha256), stop, rest


def file_text(path: Path) -> str:
    """Give a path as text, with slashes; bytes that are no UTF-8 are written as escapes."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def _read_spans(job: Job[T], tasks: Iterable[Task]) -> tuple[_Span[T], ...]:
    return tuple(_read_span(job, task) for task in tasks)


def _read_span(job: Job[T], task: Task) -> _Span[T]:
    """Read some pages of a file; those that are known are left out."""
    scan = _attempt(open_scan, task.path, limits=job.options.limits)
    if isinstance(scan, _Failure):
        return _Span((_issue(job, _source(task), scan.message),), ())
    with scan:
        if task.sha256 not in ("", scan.sha256):
            return _Span((_issue(job, _source(task), _REPLACED),), ())
        stop = task.stop
        rest: tuple[Task, ...] = ()
        if stop is None:
            stop, rest = _shared_out(task, scan, job.options)
        outcomes = []
        for index in range(task.start, stop):
            if (scan.sha256, index) in task.known:
                continue
            source = PageSource(task.name, index, scan.sha256)
            outcome = _attempt(_read_one, job, scan, source)
            if isinstance(outcome, _Failure):
                outcome = _issue(job, source, outcome.message)
            outcomes.append(outcome)
    return _Span(tuple(outcomes), rest)


def _read_one(job: Job[T], scan: ScanFile, source: PageSource) -> T:
    image = dataclasses.replace(scan.load(source.page_index), source=source)
    return job.finish(read_page(image, job.layout, job.options, exam_id=job.exam_id), job.layout)


def _attempt(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | _Failure:
    """Open a file or read a page; whatever is wrong with it is no matter of the others."""
    try:
        return call(*args, **kwargs)
    except ImageError as error:
        # The path stands in the source of the issue.
        return _Failure(str(error).removeprefix(f"{error.source}: "))
    except InkmarkError:
        raise  # a configuration that no page can be read with
    except Exception as error:  # noqa: BLE001 - a hostile page may raise anything in a library
        _LOG.error("a page could not be read", exc_info=error)
        last = traceback.extract_tb(error.__traceback__)[-1]
        return _Failure(
            f"the page could not be read: {type(error).__name__} in {Path(last.filename).name} "
            f"line {last.lineno}. Scan it again, or save it in another format."
        )


def _issue(job: Job[T], source: PageSource, message: str) -> T:
    return job.finish(SheetIssue(IssueKind.UNREADABLE_FILE, source, message), job.layout)


def _source(task: Task) -> PageSource:
    """Give where a task begins, with the file's hash where its bytes can be had."""
    sha256 = task.sha256
    if not sha256:
        with contextlib.suppress(OSError):
            sha256 = file_sha256(task.path)
    return PageSource(task.name, task.start, sha256)


def _shared_out(task: Task, scan: ScanFile, options: ReadOptions) -> tuple[int, tuple[Task, ...]]:
    """Say where the first task of a file ends, and share out the further pages.

    There are two tasks a worker, or tasks of the most pages.
    """
    first = min(options.pages_per_task, scan.n_pages)
    workers = options.workers or processors()
    share = min(-(-(scan.n_pages - first) // (2 * workers)), _MOST_PAGES)
    size = max(options.pages_per_task, share)
    return first, tuple(
        dataclasses.replace(
            task, start=start, stop=min(start + size, scan.n_pages), sha256=scan.sha256
        )
        for start in range(first, scan.n_pages, size)
    )
