"""A page that cannot be read in any way is an issue; those beside it stay what they are."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from sheets import make_folder, page_images, quiz

from inkmark.errors import ImageError, LayoutError
from inkmark.exam import Candidate, Exam, ExamFolder
from inkmark.images import open_scan
from inkmark.layouts import SheetLayout
from inkmark.readings import IssueKind, SheetIssue, SheetReading
from inkmark.session import (
    BatchReport,
    ReadOptions,
    SerialExecutor,
    WorkerPool,
    batch,
    exams,
    read_exam,
    read_page,
)
from inkmark.store import ExamStore, PageRows

N_PAGES = 9
OPTIONS = ReadOptions(workers=1, pages_per_task=4)
"""The pages are read in three tasks."""


@dataclass(frozen=True)
class Stack:
    """An exam whose sheets were scanned into one file."""

    folder: ExamFolder
    exam: Exam
    layout: SheetLayout

    @property
    def path(self) -> Path:
        return self.folder.scans / "stack.tif"

    def read(self, executor: WorkerPool | SerialExecutor | None = None) -> BatchReport:
        with ExamStore.open(self.folder.database, self.exam.id) as store:
            store.put_exam(self.exam)
            return read_exam(
                self.folder,
                self.exam,
                self.layout,
                store,
                options=OPTIONS,
                executor=executor or SerialExecutor(),
            )

    def statuses(self) -> dict[int, IssueKind | None]:
        """Page of the file -> what keeps it from use; withdrawn pages are not among them."""
        with ExamStore.open(self.folder.database, self.exam.id) as store:
            records = [page.record for page in store.pages()]
        live = [r for r in records if r.issue is not IssueKind.WITHDRAWN]
        assert len({r.source.page_index for r in live}) == len(live)
        return {r.source.page_index: r.issue for r in sorted(live, key=lambda r: r.source)}


LOCKED = partial(ImageError, "stack.tif", "is locked", "Try again.")
READ_WHOLE: dict[int, IssueKind | None] = dict.fromkeys(range(N_PAGES))


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    root = tmp_path_factory.mktemp("printed")
    candidates = tuple(Candidate(f"26{n:04d}", class_name="1") for n in range(N_PAGES))
    exam = dataclasses.replace(quiz(), candidates=candidates)
    folder = ExamFolder(root / "exam")
    made = Stack(folder, exam, make_folder(folder.root, exam))
    save(made.path, page_images(root, exam, made.layout, candidates))
    return made


@pytest.fixture
def stack(printed: Stack, tmp_path: Path) -> Stack:
    folder = ExamFolder(tmp_path / "exam")
    shutil.copytree(printed.folder.root, folder.root)
    return dataclasses.replace(printed, folder=folder)


def save(path: Path, pages: list[np.ndarray]) -> None:
    first, *others = (Image.fromarray(page) for page in pages)
    first.save(path, save_all=True, append_images=others, compression="tiff_lzw")


@pytest.fixture(params=[1, 3, 50])
def portion(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Pages written in one transaction."""
    monkeypatch.setattr(exams, "_COMMIT_PAGES", request.param)
    return int(request.param)


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkerPool]:
    monkeypatch.setattr(batch, "_FEW_BYTES", 0)
    with WorkerPool(1) as opened:
        yield opened


def die_at(
    outcome: SheetReading | SheetIssue,
    layout: SheetLayout,
    *,
    pages: tuple[int, ...],
    columns: frozenset[str],
) -> PageRows:
    assert outcome.source is not None
    if isinstance(outcome, SheetReading) and outcome.source.page_index in pages:
        os.kill(os.getpid(), signal.SIGKILL)
    return _ROWS(outcome, layout, columns=columns)


_ROWS = exams._rows


@pytest.mark.parametrize("deadly", [(0,), (2, 3), (5,), (8,)], ids=str)
def test_a_page_that_kills_its_readers_takes_no_other_with_it(
    stack: Stack, pool: WorkerPool, monkeypatch: pytest.MonkeyPatch, deadly: tuple[int, ...]
) -> None:
    monkeypatch.setattr(exams, "_COMMIT_PAGES", 1 + deadly[0] % 3)
    with monkeypatch.context() as patched:
        patched.setattr(exams, "_rows", partial(die_at, pages=deadly))
        report = stack.read(pool)
    lost = dict.fromkeys(deadly, IssueKind.UNREADABLE_FILE)
    assert stack.statuses() == READ_WHOLE | lost
    assert (report.read, report.unreadable) == (N_PAGES - len(deadly), len(deadly))
    assert stack.read().new == 0, "the issues of the pages are replaced"
    assert stack.statuses() == READ_WHOLE


def fails_at(call: int, error: Callable[[], Exception]) -> Callable[..., object]:
    """`open_scan` that fails when it is called for the given time."""
    calls = iter(range(100))

    def opening(*args: object, **kwargs: object) -> object:
        if next(calls) == call:
            raise error()
        return open_scan(*args, **kwargs)  # type: ignore[arg-type]

    return opening


@pytest.mark.parametrize("error", [LOCKED, MemoryError], ids=["locked", "memory"])
@pytest.mark.parametrize("span", [0, 1, 2])
@pytest.mark.usefixtures("portion")
def test_a_file_that_cannot_be_opened_for_a_while_keeps_its_pages(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, span: int, error: Callable[[], Exception]
) -> None:
    monkeypatch.setattr(batch, "open_scan", fails_at(span, error))
    stack.read()
    unread = {0: range(N_PAGES), 1: range(8, 9), 2: range(4, 8)}[span]  # the last first
    here = {n: None for n in range(N_PAGES) if n not in unread}
    assert stack.statuses() == here | {unread[0]: IssueKind.UNREADABLE_FILE}
    stack.read()
    assert stack.statuses() == READ_WHOLE


@pytest.mark.usefixtures("portion")
def test_a_file_whose_bytes_cannot_be_had_keeps_the_pages_read_before(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.read()
    with monkeypatch.context() as patched:
        patched.setattr(batch, "open_scan", fails_at(0, LOCKED))
        patched.setattr(batch, "file_sha256", refused)
        report = stack.read()
    assert (report.read, report.unreadable) == (N_PAGES, 1)
    assert stack.read().unreadable == 0
    assert stack.statuses() == READ_WHOLE


def refused(path: Path) -> str:
    raise PermissionError(path)


@pytest.mark.usefixtures("portion")
def test_a_file_that_is_replaced_while_it_is_read_is_read_when_it_is_whole(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = iter(range(100))

    def opening(path: Path, **kwargs: object) -> object:
        if next(calls) == 1:
            with Image.open(path) as image:
                save(path, [np.asarray(image.convert("L"))])
        return open_scan(path, **kwargs)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(batch, "open_scan", opening)
        report = stack.read()
    assert Counter(i.kind for i in report.issues if "replaced while" in i.message) == {
        IssueKind.UNREADABLE_FILE: 2
    }
    stack.read()
    assert stack.statuses() == {0: None}


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RecursionError(), cv2.error("size"), ValueError("x"), IndexError(9)],
    ids=lambda e: type(e).__name__,
)
def test_whatever_a_page_raises_is_an_issue_of_that_page(
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    monkeypatch.setattr(batch, "read_page", raising(error))
    report = stack.read()
    assert stack.statuses() == READ_WHOLE | {2: IssueKind.UNREADABLE_FILE}
    (issue,) = (i for i in report.issues if i.kind is IssueKind.UNREADABLE_FILE)
    assert f"could not be read: {type(error).__name__} in test_bad_pages.py" in issue.message
    assert "Traceback" in caplog.text


def test_a_configuration_that_reads_no_page_ends_the_batch(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "read_page", raising(LayoutError("no page fits.")))
    with pytest.raises(LayoutError):
        stack.read()


def raising(error: Exception) -> Callable[..., SheetReading | SheetIssue]:
    """`read_page` that fails on the third page of a file."""
    original = read_page

    def reading(image: object, *args: object, **kwargs: object) -> SheetReading | SheetIssue:
        if image.source.page_index == 2:  # type: ignore[attr-defined]
            raise error
        return original(image, *args, **kwargs)  # type: ignore[arg-type]

    return reading
