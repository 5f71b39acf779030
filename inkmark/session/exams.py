"""The scans of an exam into its database."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path

from inkmark.exam import Exam, ExamFolder
from inkmark.images import find_scans
from inkmark.layouts import BubbleField, PageLayout, Role, SheetLayout
from inkmark.readings import IssueKind, SheetIssue, SheetReading
from inkmark.session.balance import BatchReport, batch_report
from inkmark.session.batch import Job, Progress, Task, file_text, run_tasks
from inkmark.session.pages import ReadOptions, page_code
from inkmark.store import ExamStore, Facts, PageRecord, PageRows, page_rows

__all__ = ["identify", "read_exam"]

_COMMIT_PAGES = 50
"""Pages written in one transaction."""


def read_exam(
    folder: ExamFolder,
    exam: Exam,
    layout: SheetLayout,
    store: ExamStore,
    *,
    sources: Sequence[Path | str] = (),
    options: ReadOptions | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> BatchReport:
    """Read the scans of an exam that are not in its database yet.

    Parameters
    ----------
    folder : ExamFolder
    exam : Exam
    layout : SheetLayout
    store : ExamStore
        It knows the exam (`ExamStore.put_exam`).
    sources : sequence of path or str
        Files, folders and globs; by default the exam's `scans` folder. Then pages whose
        file was taken out of that folder are taken out of use as well.
    options, executor, progress
        As in `read_scans`.

    Returns
    -------
    BatchReport
        On everything the database holds, not on this run alone.
    """
    options = options or ReadOptions()
    names = {path: _name(path, folder) for path in find_scans(sources or [folder.scans])}
    known = store.known_pages(layout.version)
    job = Job(layout, options, exam.id, _rows)
    tasks = [
        Task(path, name, known=frozenset(known.get(name, frozenset())))
        for path, name in names.items()
    ]
    roster = frozenset(candidate.number for candidate in exam.candidates)
    facts = Facts(
        layout.version,
        frozenset(n for n, page in enumerate(layout.pages) if _number_fields(page)),
        roster or None,
        "" if sources else f"{folder.scans.name}/",
        frozenset() if sources else frozenset(names.values()),
    )
    new = 0
    batch: list[PageRows] = []
    for pages in run_tasks(job, tasks, executor, progress):
        batch += pages
        if len(batch) >= _COMMIT_PAGES:
            new += store.add_pages(batch, facts)
            batch = []
    new += store.add_pages(batch, facts)
    store.settle(facts)
    return batch_report(exam, layout, store, new)


def _rows(outcome: SheetReading | SheetIssue, layout: SheetLayout) -> PageRows:
    return page_rows(identify(outcome, layout))


def identify(outcome: SheetReading | SheetIssue, layout: SheetLayout) -> PageRecord:
    """Find out whose page it is, from its code and its candidate number grid.

    The code and every digit of the grid that could be read have to agree. Nothing is
    guessed: where they do not, or where neither names a candidate, the page is
    unidentified.

    Parameters
    ----------
    outcome : SheetReading or SheetIssue
    layout : SheetLayout

    Returns
    -------
    PageRecord
    """
    if isinstance(outcome, SheetIssue):
        if outcome.source is None:
            raise ValueError("an issue without a page image is nobody's page")
        return PageRecord(
            outcome.source,
            outcome.kind,
            outcome.message,
            outcome.candidate,
            outcome.page_number,
            None,
            layout_version=layout.version,
        )
    page = layout.pages[outcome.page_number]
    code = page_code(page, outcome.codes)
    coded = "" if code is None else code.candidate
    written = _written_number(page, outcome)
    candidate, issue, message = "", None, ""  # the roster is looked up when pages are settled
    if coded and written and not _agree(coded, written):
        issue = IssueKind.UNIDENTIFIED
        message = (
            f"the code says candidate {coded}, the bubbles say {written}. Find out whose "
            "sheet it is, correct the bubbles on paper and scan it again."
        )
    elif coded or (written and "?" not in written):
        candidate = coded or written
    else:
        issue = IssueKind.UNIDENTIFIED
        shown = f"is read as {written}" if written else "is blank"
        message = (
            f"the candidate number {shown} and there is no readable code that names the "
            "candidate. Complete the number on the sheet and scan it again."
        )
    return PageRecord(
        outcome.source,
        issue,
        message,
        candidate,
        outcome.page_number,
        outcome,
        "" if code is None else code.serial,
        layout.version,
    )


def _written_number(page: PageLayout, reading: SheetReading) -> str:
    names = _number_fields(page)
    values = [r.value for r in reading.fields if r.field in names]
    number = values[0] if values else ""
    return number if number.strip("?") else ""


def _number_fields(page: PageLayout) -> set[str]:
    return {f.name for f in page.fields if isinstance(f, BubbleField) and f.role is Role.CANDIDATE}


def _agree(coded: str, written: str) -> bool:
    return len(coded) == len(written) and all(
        b in ("?", a) for a, b in zip(coded, written, strict=True)
    )


def _name(path: Path, folder: ExamFolder) -> str:
    """Give the path as the database keeps it: relative where it lies in the exam folder.

    The scans may be a link to a folder elsewhere; their names begin with it all the same.
    """
    real = os.path.realpath(path)
    for base, prefix in ((folder.scans, f"{folder.scans.name}/"), (folder.root, "")):
        start = os.path.join(os.path.realpath(base), "")  # noqa: PTH118 - realpath never raises
        if real.startswith(start):
            return prefix + file_text(Path(real[len(start) :]))
    return file_text(Path(real))
