"""Worker processes that outlive the loss of one of them."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection
from multiprocessing.synchronize import Event
from typing import Any, ParamSpec, TypeVar

import cv2

from inkmark.errors import InkmarkError
from inkmark.session.compiling import say_compiling, tell_of_compiling

__all__ = ["WorkerPool", "processors"]

P = ParamSpec("P")
T = TypeVar("T")

_PRELOADED = ["inkmark.session.batch"]
_TIMES_BEGUN = 2
"""A process may be lost by chance before it has begun; one that always is has a reason."""
_GRACE_S = 10.0
"""Workers end within moments of each other."""


class WorkerPool(Executor):
    """A pool of processes that is made anew when one of them is killed.

    A worker may be killed by the system for its memory, or by a fault in a library that a
    broken file meets. The calls that were lost fail with `BrokenProcessPool`, as in any pool
    of processes; the next call finds new workers.

    Parameters
    ----------
    workers : int
        How many; 0 for one a processor.
    """

    def __init__(self, workers: int = 0) -> None:
        self._workers = workers or processors()
        methods = multiprocessing.get_all_start_methods()
        # A fork of this process, which may run threads, could hang; a server that has loaded
        # nothing but the readers forks in no time.
        self._context = multiprocessing.get_context(
            "forkserver" if "forkserver" in methods else "spawn"
        )
        if "forkserver" in methods:
            self._context.set_forkserver_preload(_PRELOADED)
        self._pool = self._new(self._workers)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call `fn` in a worker."""
        try:
            return self._pool.submit(fn, *args, **kwargs)
        except BrokenProcessPool:
            self._pool.shutdown()
            self._pool = self._new(self._workers)
            return self._pool.submit(fn, *args, **kwargs)

    def alone(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `fn` in a process of its own and wait for the result.

        Raises
        ------
        BrokenProcessPool
            Where that process, too, is lost.
        InkmarkError
            Where processes are lost again and again before they have begun.
        """
        for _ in range(_TIMES_BEGUN):
            begun = self._context.Event()
            with self._new(1, begun) as pool:
                try:
                    return pool.submit(fn, *args, **kwargs).result()
                except BrokenProcessPool as exc:
                    if begun.is_set():
                        raise
                    lost = exc
        raise InkmarkError(
            "worker processes end before they have begun. Where memory is short, end other "
            "programs or read with fewer workers (--workers 1). A script that reads with workers "
            'needs its own calls under `if __name__ == "__main__":`, because each worker imports '
            "the script; or give no pool, and it reads with threads."
        ) from lost

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers."""
        _end(self._pool, wait=wait, cancel_futures=cancel_futures)

    def _new(self, workers: int, begun: Event | None = None) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            workers, mp_context=self._context, initializer=_start_worker, initargs=(begun,)
        )


def _end(pool: ProcessPoolExecutor, *, wait: bool, cancel_futures: bool) -> None:
    """End the workers of a pool, also where one is killed while they end.

    The others then wait for a lock that it held, and the pool for them: workers begin to end
    when all results are there, so whoever is left long after the first is ended from here.
    """
    processes = list((pool._processes or {}).values())  # noqa: SLF001 - nothing public names them
    pool.shutdown(wait=False, cancel_futures=cancel_futures)
    if not wait:
        return
    left, grace = [process.sentinel for process in processes], None
    while left:
        ended = connection.wait(left, grace)
        if not ended:
            for process in processes:
                process.terminate()
            break
        left, grace = [sentinel for sentinel in left if sentinel not in ended], _GRACE_S
    pool.shutdown(wait=True)


def processors() -> int:
    """Give the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _start_worker(begun: Event | None) -> None:
    cv2.setNumThreads(1)  # there is a worker for each processor
    tell_of_compiling(say_compiling)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to answer
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    if begun is not None:
        begun.set()


def _end_with(sentinel: Any) -> None:
    """End this worker when its parent is gone: nobody else would ever tell it to."""
    with contextlib.suppress(OSError):
        connection.wait([sentinel])
    os._exit(1)
