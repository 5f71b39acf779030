"""Statistics and reports from stored scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from inkmark import analytics
from inkmark.analytics import Analysis
from inkmark.errors import InkmarkError
from inkmark.exam import Exam, ExamFolder
from inkmark.files import file_names
from inkmark.images import open_scan
from inkmark.marking import (
    Response,
    ResponseStatus,
    ResponseTable,
    ScoreMatrix,
    ScoreRecord,
    ScoreStatus,
)
from inkmark.readings import SheetReading
from inkmark.reports import (
    Report,
    ReportOptions,
    ScannedPage,
    build_report,
    write_annotated_pages,
    write_group_report,
    write_report_json,
    write_student_reports,
    write_workbook,
)
from inkmark.reports.model import StudentTable
from inkmark.session import Progress
from inkmark.workflow.folder import OpenExam, open_exam

__all__ = ["ReportSummary", "analyse", "analyse_records", "load_records", "make_reports"]

_PICTURE_WIDTH_PX = 1000
"""Width of an annotated page's picture: about 120 dpi on A4, readable and small."""

_PICTURE_QUALITY = 60

_Job = tuple[Path, Callable[[Path], None]]
"""A file and what writes it."""


@dataclass(frozen=True, slots=True)
class ReportSummary:
    """The files that were written."""

    files: tuple[Path, ...]


def analyse(root: Path | str, options: ReportOptions | None = None) -> Report:
    """Compute every figure of a scored exam.

    Parameters
    ----------
    root : Path or str
        The exam folder.
    options : ReportOptions, optional

    Returns
    -------
    Report

    Raises
    ------
    InkmarkError
        Where the exam has not been scored yet.
    """
    with open_exam(root) as opened:
        return _report(opened, options or ReportOptions())


def make_reports(
    root: Path | str,
    options: ReportOptions | None = None,
    *,
    separate: bool = False,
    annotate: bool = True,
    progress: Progress | None = None,
) -> ReportSummary:
    """Write the reports of a scored exam into the folder's ``out``.

    Parameters
    ----------
    root : Path or str
        The exam folder.
    options : ReportOptions, optional
    separate : bool
        Write one file a student as well as one a class.
    annotate : bool
        Write the scanned pages with marks and points.
    progress : callable, optional
        Called with the number of files done and of all files.

    Returns
    -------
    ReportSummary
    """
    with open_exam(root) as opened:
        report = _report(opened, options or ReportOptions())
        jobs = _exam_jobs(opened.folder, report)
        jobs += _student_jobs(opened, report, separate=separate, annotate=annotate)
        for done, (path, write) in enumerate(jobs, start=1):
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path)
            if progress is not None:
                progress(done, len(jobs))
    return ReportSummary(tuple(path for path, _ in jobs))


def load_records(opened: OpenExam) -> list[ScoreRecord]:
    """Take the stored scores, candidates in roster order and items in printed order.

    Raises
    ------
    InkmarkError
        Where the exam has not been scored, or its items have changed since.
    """
    stored = {(s.record.candidate, s.record.item): s.record for s in opened.store.scores()}
    numbers = [item.number for item in opened.exam.items]
    people = [candidate.number for candidate in opened.exam.candidates]
    candidates = people or list(dict.fromkeys(candidate for candidate, _ in stored))
    try:
        return [stored[candidate, item] for candidate in candidates for item in numbers]
    except KeyError:
        raise InkmarkError(
            f"{opened.folder.root} has no scores for the exam as it stands now. Score it "
            f"first: inkmark score {opened.folder.root}"
        ) from None


def analyse_records(exam: Exam, records: Sequence[ScoreRecord]) -> Analysis:
    """Compute the statistics of score records in roster and item order."""
    responses = ResponseTable.from_responses(
        Response(r.candidate, r.item, r.value, _response_status(r)) for r in records
    )
    # Who is absent on some items only has points from somebody: that is not settled yet.
    n_items = len(responses.items)
    away = Counter(r.candidate for r in records if r.status is ScoreStatus.ABSENT)
    absent = np.array([away[candidate] == n_items for candidate in responses.candidates])
    return analytics.analyse(exam, ScoreMatrix.from_records(records), responses, absent=absent)


def _response_status(record: ScoreRecord) -> ResponseStatus:
    if record.status is ScoreStatus.SCORED:
        return ResponseStatus.ANSWERED if record.value else ResponseStatus.BLANK
    return ResponseStatus(str(record.status))


def _report(opened: OpenExam, options: ReportOptions) -> Report:
    records = load_records(opened)
    return build_report(opened.exam, records, analyse_records(opened.exam, records), options)


def _exam_jobs(folder: ExamFolder, report: Report) -> list[_Job]:
    jobs: list[_Job] = [
        (folder.out / "report.json", partial(write_report_json, report)),
        (folder.out / "report.xlsx", partial(write_workbook, report)),
        (folder.out / "exam.pdf", partial(write_group_report, report, report.everybody)),
    ]
    if report.head.joint:
        names = file_names(("", group.name) for group in report.schools)
        for group in report.schools:
            path = folder.out / "schools" / f"{names['', group.name]}.pdf"
            jobs.append((path, partial(write_group_report, report, group)))
    names = _class_names(report)
    for group in report.classes:
        path = folder.out / "classes" / f"{names[group.school, group.name]}.pdf"
        jobs.append((path, partial(write_group_report, report, group)))
    return jobs


def _class_names(report: Report) -> dict[tuple[str, str], str]:
    """File names of all classes: the same whatever stands in the file."""
    return file_names((student.school, student.class_name) for student in report.students)


def _student_jobs(
    opened: OpenExam, report: Report, *, separate: bool, annotate: bool
) -> Iterator[_Job]:
    """One file of student reports and one of annotated pages for each class."""
    out = opened.folder.out
    classes: dict[tuple[str, str], list[StudentTable]] = {}
    for student in report.students:
        classes.setdefault((student.school, student.class_name), []).append(student)
    pages: dict[str, list[ScannedPage]] = {}
    if annotate:
        for page in _scanned_pages(opened):
            pages.setdefault(page.candidate, []).append(page)
    names = _class_names(report)
    for one, students in classes.items():
        name = f"{names[one]}.pdf"
        yield out / "students" / name, _write_students(report, students)
        if separate:
            for student in students:
                path = out / "students" / names[one] / f"{student.candidate}.pdf"
                yield path, _write_students(report, [student])
        own = [page for student in students for page in pages.get(student.candidate, ())]
        if own:
            yield (
                out / "pages" / name,
                partial(write_annotated_pages, report, opened.layout, own),
            )


def _write_students(report: Report, students: Sequence[StudentTable]) -> Callable[[Path], None]:
    return partial(write_student_reports, report, students=students)


def _scanned_pages(opened: OpenExam) -> Iterator[ScannedPage]:
    for page in opened.store.pages():
        record = page.record
        if record.issue is None and record.reading is not None:
            yield ScannedPage(
                record.candidate, record.reading, partial(_picture, opened.folder, record.reading)
            )


def _picture(folder: ExamFolder, reading: SheetReading) -> bytes:
    with open_scan(folder.root / reading.source.path) as scan:
        pixels = scan.load(reading.source.page_index).pixels
    scale = min(1.0, _PICTURE_WIDTH_PX / min(pixels.shape))
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _PICTURE_QUALITY])
    return data.tobytes()
