"""The scans of an exam into its database."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from inkmark.exam import Exam, ExamFolder
from inkmark.images import find_scans
from inkmark.layouts import BubbleField, PageLayout, Role, SheetLayout
from inkmark.readings import FieldReading, Flag, IssueKind, SheetIssue, SheetReading
from inkmark.session.batch import Progress, Task, file_text, run_tasks
from inkmark.session.pages import ReadOptions, page_code
from inkmark.store import ExamStore, Facts, PageRecord, StoredPage

__all__ = ["BatchReport", "batch_report", "identify", "open_fields", "read_exam"]

_COMMIT_PAGES = 100
"""Pages written in one transaction."""

_COUNTED_AS = {
    None: "read",
    IssueKind.DOUBTFUL: "doubtful",
    IssueKind.UNIDENTIFIED: "unidentified",
    IssueKind.UNKNOWN_CANDIDATE: "unidentified",
    IssueKind.DUPLICATE_IMAGE: "duplicate",
    IssueKind.DUPLICATE_PAGE: "duplicate",
    IssueKind.OTHER_EXAM: "foreign",
    IssueKind.OTHER_VERSION: "foreign",
    IssueKind.UNREADABLE_FILE: "unreadable",
    IssueKind.UNREGISTERED: "unreadable",
}


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What became of the images given, and which pages are missing.

    ``received = read + doubtful + unidentified + duplicate + foreign + unreadable`` and
    ``expected = read + doubtful + missing``.

    Attributes
    ----------
    expected : int
        Pages that the roster and the layout call for; 0 without a roster. The empty back of
        a sheet counts only where it was scanned.
    received : int
        Page images given. A file that cannot be opened counts as one.
    read : int
        Pages in use on which nothing is in doubt.
    doubtful : int
        Pages in use with at least one field that a person has to look at.
    unidentified : int
        Pages whose candidate or page number is not known.
    duplicate : int
        Further images of pages that are there already.
    foreign : int
        Pages of another exam or another print of the sheet.
    unreadable : int
        Files and pages that cannot be decoded or do not show a sheet.
    missing : int
        Pages expected and not in use.
    new : int
        Page images that this run added.
    issues : tuple of SheetIssue
        Everything a person has to settle.
    """

    expected: int
    received: int
    read: int
    doubtful: int
    unidentified: int
    duplicate: int
    foreign: int
    unreadable: int
    missing: int
    new: int
    issues: tuple[SheetIssue, ...]


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
    tasks = [
        Task(path, name, layout, options, exam.id, known=frozenset(known.get(name, frozenset())))
        for path, name in names.items()
    ]
    new = 0
    batch: list[PageRecord] = []
    for outcomes in run_tasks(tasks, options.workers, executor, progress):
        batch += [identify(outcome, layout) for outcome in outcomes]
        if len(batch) >= _COMMIT_PAGES:
            new += store.add_pages(batch)
            batch = []
    new += store.add_pages(batch)
    roster = frozenset(candidate.number for candidate in exam.candidates)
    store.settle(
        Facts(
            layout.version,
            frozenset(n for n, page in enumerate(layout.pages) if _number_fields(page)),
            roster or None,
            "" if sources else f"{folder.scans.name}/",
            frozenset() if sources else frozenset(names.values()),
        )
    )
    return batch_report(exam, layout, store, new)


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


def batch_report(exam: Exam, layout: SheetLayout, store: ExamStore, new: int = 0) -> BatchReport:
    """Count what the database holds and list what a person has to settle."""
    counts: Counter[str] = Counter()
    issues: list[SheetIssue] = []
    in_use: set[tuple[str, int]] = set()
    absent: set[str] = set()
    for stored in store.pages():
        record = stored.record
        issue = _issue_of(stored, layout)
        if record.issue is IssueKind.WITHDRAWN:
            continue
        counts[_COUNTED_AS[None if issue is None else issue.kind]] += 1
        if issue is not None:
            issues.append(issue)
        if record.issue is None and record.reading is not None:
            in_use.add((record.candidate, record.page_number))
            if _is_absent(layout, record.reading):
                absent.add(record.candidate)
    expected = [
        (candidate.number, number)
        for candidate in exam.candidates
        for number, page in enumerate(layout.pages)
        if (candidate.number not in absent and not page.is_empty)
        or (candidate.number, number) in in_use
    ]
    missing = [page for page in expected if page not in in_use]
    issues += [
        SheetIssue(
            IssueKind.MISSING_PAGE,
            None,
            f"page {number + 1} of candidate {candidate} was not received. Scan it, or mark "
            "the candidate absent.",
            candidate,
            number,
        )
        for candidate, number in missing
    ]
    names = ("read", "doubtful", "unidentified", "duplicate", "foreign", "unreadable")
    return BatchReport(
        expected=len(expected),
        received=counts.total(),
        missing=len(missing),
        new=new,
        issues=tuple(issues),
        **{name: counts[name] for name in names},
    )


def open_fields(page: StoredPage, layout: SheetLayout) -> tuple[FieldReading, ...]:
    """Give the fields of a page in use that a person has to decide before it is scored.

    They are items and absent marks that are flagged and were not decided on this image.

    Parameters
    ----------
    page : StoredPage
    layout : SheetLayout

    Returns
    -------
    tuple of FieldReading
        Empty for a page that is not in use.
    """
    record = page.record
    if record.issue is not None or record.reading is None:
        return ()
    names = {
        f.name
        for f in layout.pages[record.page_number].fields
        if isinstance(f, BubbleField) and f.role in (Role.ITEM, Role.ABSENT)
    }
    return tuple(
        reading
        for reading in record.reading.fields
        if reading.flag is not Flag.OK
        and reading.field in names
        and reading.field not in page.decided
    )


def _issue_of(stored: StoredPage, layout: SheetLayout) -> SheetIssue | None:
    record = stored.record
    if record.issue is not None:
        return SheetIssue(
            record.issue, record.source, record.message, record.candidate, record.page_number
        )
    waiting = open_fields(stored, layout)
    if not waiting:
        return None
    noun = "field needs" if len(waiting) == 1 else "fields need"
    return SheetIssue(
        IssueKind.DOUBTFUL,
        record.source,
        f"{len(waiting)} {noun} a look: {', '.join(r.field for r in waiting)}. Run inkmark "
        "score, decide them in out/review.xlsx and run inkmark score again.",
        record.candidate,
        record.page_number,
    )


def _is_absent(layout: SheetLayout, reading: SheetReading) -> bool:
    names = {
        f.name
        for f in layout.pages[reading.page_number].fields
        if isinstance(f, BubbleField) and f.role is Role.ABSENT
    }
    return any(r.field in names and r.value and r.flag is Flag.OK for r in reading.fields)


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
