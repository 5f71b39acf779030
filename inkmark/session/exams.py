"""The scans of an exam into its database."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from pathlib import Path

from inkmark.exam import Exam, ExamFolder
from inkmark.files import real_paths
from inkmark.images import find_scans
from inkmark.layouts import PageLayout, Role, SheetLayout
from inkmark.marking import identify_sheets, number_evidence
from inkmark.readings import IssueKind, SheetIssue, SheetReading
from inkmark.session.balance import BatchReport, batch_report
from inkmark.session.batch import Job, Progress, Task, file_text, run_tasks
from inkmark.session.pages import ReadOptions, page_code
from inkmark.store import ExamStore, Facts, PageRecord, PageRows, describe, page_rows

__all__ = ["facts_of", "identify", "read_exam"]

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
    paths = find_scans(sources or [folder.scans])
    names = _names(paths, folder)
    known = store.known_pages(layout.version)
    facts = facts_of(exam, layout)
    columns = frozenset(column for own in facts.numbers.values() for column in own.values())
    job = Job(layout, options, exam.id, partial(_rows, columns=columns))
    tasks = [
        Task(path, name, known=frozenset(known.get(name, frozenset())))
        for path, name in zip(paths, names, strict=True)
    ]
    if not sources:
        files = frozenset(names)
        facts = replace(facts, folder=f"{folder.scans.name}/", files=files)
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


def _rows(
    outcome: SheetReading | SheetIssue, layout: SheetLayout, columns: Collection[str]
) -> PageRows:
    return page_rows(identify(outcome, layout, columns))


def facts_of(exam: Exam, layout: SheetLayout) -> Facts:
    """Give what the pages of an exam are settled by."""
    columns = {name for candidate in exam.candidates for name, _ in candidate.identifiers}
    numbers = {n: _number_fields(page, columns) for n, page in enumerate(layout.pages)}
    return Facts(
        layout.version,
        {n: own for n, own in numbers.items() if own},
        {candidate.number: candidate for candidate in exam.candidates} or None,
    )


def identify(
    outcome: SheetReading | SheetIssue, layout: SheetLayout, columns: Collection[str] = ()
) -> PageRecord:
    """Note whose page it is by the page alone: its code, and the number read beyond doubt.

    Nothing is guessed: where the numbers on a page contradict each other, or none is sure,
    the page is unidentified until it is settled with all others (see `ExamStore.settle`).

    Parameters
    ----------
    outcome : SheetReading or SheetIssue
    layout : SheetLayout
    columns : collection of str
        Further columns of the roster. A field with the name of one holds what is in it.

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
            named=outcome.candidate,
        )
    page = layout.pages[outcome.page_number]
    code = page_code(page, outcome.codes)
    named = "" if code is None else code.candidate
    evidence = number_evidence(_number_fields(page, columns), outcome.fields, outcome.codes, named)
    (found,) = identify_sheets([evidence], ())
    return PageRecord(
        outcome.source,
        None if found.candidate else IssueKind.UNIDENTIFIED,
        "" if found.candidate else describe(found.doubt, evidence),
        found.candidate,
        outcome.page_number,
        outcome,
        "" if code is None else code.serial,
        layout.version,
        named,
    )


def _number_fields(page: PageLayout, columns: Collection[str]) -> dict[str, str]:
    """Fields that say who the candidate is, and the column of the roster each is in.

    It is empty for the candidate number.
    """
    return {
        f.name: f.name if f.name in columns else "" for f in page.fields if f.role is Role.CANDIDATE
    }


def _names(paths: Sequence[Path], folder: ExamFolder) -> list[str]:
    """Give paths as the database keeps them: relative where they lie in the exam folder.

    The scans may be a link to a folder elsewhere; their names begin with it all the same.
    """
    scans, root = (os.path.join(base, "") for base in real_paths([folder.scans, folder.root]))  # noqa: PTH118 - real_paths gives text
    names = []
    for real in real_paths(paths):
        for start, prefix in ((scans, f"{folder.scans.name}/"), (root, "")):
            if real.startswith(start):
                names.append(prefix + file_text(Path(real[len(start) :])))
                break
        else:
            names.append(file_text(Path(real)))
    return names
