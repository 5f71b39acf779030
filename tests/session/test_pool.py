"""A batch survives the loss of a worker process, and of more than one."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
from sheets import make_folder, page_images, quiz, save

from inkmark.errors import InkmarkError
from inkmark.exam import ExamFolder
from inkmark.layouts import SheetLayout, layout_text
from inkmark.readings import IssueKind, SheetIssue, SheetReading
from inkmark.session import ReadOptions, SerialExecutor, WorkerPool, batch
from inkmark.session import pool as pool_module

Outcome = SheetReading | SheetIssue

N_COPIES = 3
"""Copies of the three pages: more files than are given out at first."""


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkerPool]:
    monkeypatch.setattr(batch, "_FEW_BYTES", 0)  # a small batch is worth a pool
    with WorkerPool(2) as opened:
        yield opened


@pytest.fixture
def scans(tmp_path: Path) -> tuple[SheetLayout, list[Path]]:
    exam = quiz()
    folder = ExamFolder(tmp_path / "exam")
    layout = make_folder(folder.root, exam)
    pages = page_images(tmp_path, exam, layout, exam.candidates)
    paths = [folder.scans / f"{number:02d}.png" for number in range(N_COPIES * len(pages))]
    for number, path in enumerate(paths):
        save(pages[number % len(pages)], path)
    return layout, paths


def die(
    outcome: Outcome, _layout: SheetLayout, *, of: tuple[str, ...], once: Path | None
) -> Outcome:
    """Kill the process that has read one of some files; with `once`, a first time only."""
    assert outcome.source is not None
    name = Path(outcome.source.path).name
    mark = None if once is None else once / f"{name}.died"
    if isinstance(outcome, SheetReading) and name in of and (mark is None or not mark.exists()):
        if mark is not None:
            mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return outcome


def read(
    layout: SheetLayout,
    paths: list[Path],
    executor: WorkerPool | SerialExecutor,
    *,
    deadly: tuple[str, ...] = (),
    once: Path | None = None,
) -> list[Outcome]:
    finish = partial(die, of=deadly, once=once)
    job = batch.Job(layout, ReadOptions(workers=2), "SMALL", finish)
    tasks = [batch.Task(path, path.name) for path in paths]
    return [one for span in batch.run_tasks(job, tasks, executor) for one in span]


def test_a_page_whose_worker_is_killed_is_read_again(
    scans: tuple[SheetLayout, list[Path]], pool: WorkerPool, tmp_path: Path
) -> None:
    layout, paths = scans
    expected = read(layout, paths, SerialExecutor())
    assert all(isinstance(outcome, SheetReading) for outcome in expected)
    deadly = ("00.png", "06.png")
    assert read(layout, paths, pool, deadly=deadly, once=tmp_path) == expected
    assert {path.stem for path in tmp_path.glob("*.died")} == set(deadly)
    assert read(layout, paths, pool) == expected, "the pool goes on"


def test_a_file_that_kills_every_reader_is_an_issue_and_the_others_are_read(
    scans: tuple[SheetLayout, list[Path]], pool: WorkerPool
) -> None:
    layout, paths = scans
    outcomes = read(layout, paths, pool, deadly=("03.png",))
    expected = read(layout, paths, SerialExecutor())
    assert [*outcomes[:3], *outcomes[4:]] == [*expected[:3], *expected[4:]]
    issue = outcomes[3]
    assert isinstance(issue, SheetIssue)
    assert issue.kind is IssueKind.UNREADABLE_FILE
    assert issue.source is not None
    assert issue.source.path == "03.png"
    assert "ended the program that read it" in issue.message


def test_a_script_that_no_worker_can_import_is_told_so(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from inkmark.session import WorkerPool\nprint(WorkerPool(1).alone(len, 'ab'))\n", "utf-8"
    )
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    assert "InkmarkError: worker processes end before they have begun." in done.stderr
    assert '`if __name__ == "__main__":`' in done.stderr


def die_at_start(mark: Path, times: int, begun: Event) -> None:
    """Begin as a worker that is killed before it has begun, so many times."""
    starts = len(mark.read_text("utf-8")) if mark.exists() else 0
    if starts < times:
        mark.write_text("x" * (starts + 1), "utf-8")
        os.kill(os.getpid(), signal.SIGKILL)
    begun.set()


@pytest.mark.parametrize("times", [1, 9])
def test_a_process_that_is_lost_before_it_has_begun_is_begun_once_more(
    times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "starts"
    monkeypatch.setattr(pool_module, "_start_worker", partial(die_at_start, mark, times))
    with WorkerPool(1) as opened:
        if times == 1:
            assert opened.alone(len, "ab") == 2
        else:
            with pytest.raises(InkmarkError, match="memory is short"):
                opened.alone(len, "ab")
    assert mark.read_text("utf-8") == "x" * min(times, 2)


def test_the_layout_of_a_job_is_made_once_in_a_worker(
    scans: tuple[SheetLayout, list[Path]],
) -> None:
    layout, _ = scans
    job = batch.Job(layout, ReadOptions(workers=3), "SMALL", str)
    first, second = copy.copy(job), copy.copy(job)  # by what would be pickled
    assert (first.options, first.exam_id, first.finish) == (job.options, "SMALL", str)
    assert first.layout == layout
    assert first.layout is not layout
    assert second.layout is first.layout
    assert len(pickle.dumps(job)) < 2 * len(layout_text(layout, ""))


def test_workers_that_wait_for_one_that_was_killed_are_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool_module, "_GRACE_S", 0.2)
    context = multiprocessing.get_context("spawn")
    done, stuck = (
        context.Process(target=time.sleep, args=(0,)),
        context.Process(target=time.sleep, args=(600,)),
    )
    for process in (done, stuck):
        process.start()
    told: list[bool] = []

    class Pool:
        _processes = {1: done, 2: stuck}  # noqa: RUF012 - as in the library

        def shutdown(self, wait: bool, *, cancel_futures: bool = False) -> None:  # noqa: ARG002 - as in the library
            told.append(wait)
            if wait:
                stuck.join()

    pool_module._end(Pool(), wait=True, cancel_futures=False)  # type: ignore[arg-type]
    assert told == [False, True]
    assert (done.exitcode, stuck.exitcode) == (0, -signal.SIGTERM)


def test_a_pool_is_shut_down_at_once_where_nobody_waits() -> None:
    pool = WorkerPool(2)
    future = pool.submit(abs, -3)
    pool.shutdown(wait=False)
    assert future.result() == 3
    pool.shutdown()
