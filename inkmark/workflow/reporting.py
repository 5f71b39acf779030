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
from inkmark.exam import Exam, ExamFolder
from inkmark.files import file_names
from inkmark.marking import (
    Response,
    ResponseStatus,
    ResponseTable,
    ScoreMatrix,
    ScoreRecord,
    ScoreStatus,
)
from inkmark.readings import PageSource
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
from inkmark.workflow.outputs import settle_outputs
from inkmark.workflow.scans import load_stored_page
from inkmark.workflow.scoring import load_records

__all__ = ["ReportSummary", "analyse", "analyse_records", "make_reports"]

_PICTURE_WIDTH_PX = 1000
"""Width of an annotated page's picture: about 120 dpi on A4, readable and small."""

_PICTURE_QUALITY = 60

_Job = tuple[Path, Callable[[Path], None]]
"""A file and what writes it."""


@dataclass(frozen=True, slots=True)
class ReportSummary:
    """What was written.

    Attributes
    ----------
    files : tuple of Path
    lost_scans : tuple of str
        Scans that are gone or are other files now; their annotated pages have no picture.
    """

    files: tuple[Path, ...]
    lost_scans: tuple[str, ...]


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

    PDF files that the last reports wrote and these do not are removed.

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
        pages = _AnnotatedPages(opened, report) if annotate else None
        jobs = _exam_jobs(opened.folder, report)
        jobs += _student_jobs(opened.folder, report, pages, separate=separate)
        for done, (path, write) in enumerate(jobs, start=1):
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path)
            if progress is not None:
                progress(done, len(jobs))
    files = tuple(path for path, _ in jobs)
    settle_outputs(opened.folder.out, files)
    return ReportSummary(files, () if pages is None else tuple(pages.lost_scans))


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
    folder: ExamFolder, report: Report, pages: _AnnotatedPages | None, *, separate: bool
) -> Iterator[_Job]:
    """One file of student reports and one of annotated pages for each class."""
    classes: dict[tuple[str, str], list[StudentTable]] = {}
    for student in report.students:
        classes.setdefault((student.school, student.class_name), []).append(student)
    names = _class_names(report)
    for one, students in classes.items():
        name = f"{names[one]}.pdf"
        yield folder.out / "students" / name, _write_students(report, students)
        if separate:
            for student in students:
                path = folder.out / "students" / names[one] / f"{student.candidate}.pdf"
                yield path, _write_students(report, [student])
        if pages is not None and (own := pages.of(students)):
            yield folder.out / "pages" / name, partial(pages.write, own)


def _write_students(report: Report, students: Sequence[StudentTable]) -> Callable[[Path], None]:
    return partial(write_student_reports, report, students=students)


class _AnnotatedPages:
    """The pages in use, to be written with marks; notes the scans that are not there."""

    def __init__(self, opened: OpenExam, report: Report) -> None:
        self.lost_scans: dict[str, None] = {}
        self._folder, self._layout, self._report = opened.folder, opened.layout, report
        self._pages: dict[str, list[ScannedPage]] = {}
        for page in opened.store.pages():
            record = page.record
            if record.issue is None and record.reading is not None:
                scanned = ScannedPage(
                    record.candidate, record.reading, partial(self._picture, record.reading.source)
                )
                self._pages.setdefault(record.candidate, []).append(scanned)

    def of(self, students: Sequence[StudentTable]) -> list[ScannedPage]:
        return [page for student in students for page in self._pages.get(student.candidate, ())]

    def write(self, pages: Sequence[ScannedPage], path: Path) -> None:
        write_annotated_pages(self._report, self._layout, pages, path)

    def _picture(self, source: PageSource) -> bytes | None:
        pixels = load_stored_page(self._folder, source, colour=True)
        if pixels is None:
            self.lost_scans[source.path] = None
            return None
        scale = min(1.0, _PICTURE_WIDTH_PX / min(pixels.shape[:2]))
        small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        if not np.ptp(small, axis=2).any():  # a page without colours takes less room in grey
            small = small[..., 0]
        _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _PICTURE_QUALITY])
        return data.tobytes()
