"""The student report: one or two pages a student, in one PDF with an outline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from inkmark.analytics.model import Standing
from inkmark.drawing import Pen, width_mm
from inkmark.geometry import Box
from inkmark.reports.charts import Scale, mastery_bar, outcome_mark, score_strip
from inkmark.reports.figures import NO_FIGURE, figure_text, share_text
from inkmark.reports.flow import Cell, Column, Flow, footer, paragraph
from inkmark.reports.model import Outcome, Report, StudentItem, StudentPoint, StudentTable
from inkmark.reports.pdf import ACCENT, FAINT, MARGIN_MM, PAGE_H_MM, PAGE_W_MM, PALE, SOFT, Book
from inkmark.reports.words import item_list, words

__all__ = ["write_student_reports"]

WIDTH_MM = PAGE_W_MM - 2 * MARGIN_MM
HALF_MM = (WIDTH_MM - 5.0) / 2


def write_student_reports(
    report: Report, path: Path | str, students: Sequence[StudentTable] | None = None
) -> None:
    """Write the student reports into one PDF, with an entry of its outline for each.

    Parameters
    ----------
    report : Report
    path : Path or str
        Written whole or not at all; equal reports give equal bytes.
    students : sequence of StudentTable or None
        Whose reports, in this order; everybody's by default.

    Raises
    ------
    OSError
        Where the file cannot be written.
    """
    w = words(report.head.language)
    book = Book(f"{report.head.title} {w['student report']}", report.head.language)
    for student in report.students if students is None else students:
        _student_pages(book, report, student)
    book.write(path)


def _student_pages(book: Book, report: Report, student: StudentTable) -> None:
    head, w = report.head, words(report.head.language)
    all_word = w["joint" if head.joint else "grade"]
    flow = Flow(top=24.0, bottom=PAGE_H_MM - 21.0, first_top=39.0)
    flow.add(27.0, lambda pen, y: _score_panel(pen, y, report, student))
    if student.comments:
        parts = [paragraph(c.text, WIDTH_MM, bullet=True) for c in student.comments]
        flow.heading(w["comments section"], w["comments note"])
        for height, draw in parts:
            flow.add(height, draw, gap=0.6)
        flow.skip(2.6)
    if student.standing in (Standing.COUNTED, Standing.INCOMPLETE):
        if student.points:
            classed = any(point.class_rate is not None for point in student.points)
            flow.heading(w["points section"], w["points note class" if classed else "points note"])
            _points_table(flow, report, student.points)
        flow.heading(w["items section"], lambda pen, y: _legend(pen, y, report))
        _items_table(flow, report, student.items)
    counted = w["n counted all"].format(all=all_word, n=student.grade_counted)
    if student.class_name:
        counted = w["n counted"].format(
            all=all_word, n=student.grade_counted, n_class=student.class_counted
        )
    if not head.compare:
        counted = ""
    reading = w["how to read student"]
    if head.compare:
        reading += (" " if head.language == "en" else "") + w["rates of items"]
    for number, sections in enumerate(flow.pages):
        pen = book.page(PAGE_W_MM, PAGE_H_MM)
        if number == 0:
            book.bookmark(f"{student.candidate} {student.name}".strip())
            _heading(pen, report, student)
        else:
            running = f"{student.candidate}  {student.name}"
            pen.text(MARGIN_MM, 17, running, size=9, bold=True, width=WIDTH_MM * 0.45)
            pen.text(
                PAGE_W_MM - MARGIN_MM,
                17,
                head.title,
                size=9,
                colour=SOFT,
                align="right",
                width=WIDTH_MM * 0.5,
            )
            pen.line(MARGIN_MM, 19.5, PAGE_W_MM - MARGIN_MM, 19.5, colour=FAINT)
        for y, draw in sections:
            draw(pen, y)
        footer(
            pen,
            head,
            how_to_read=reading,
            counted=counted,
            number=number,
            n_pages=len(flow.pages),
        )
        book.end_page()


def _heading(pen: Pen, report: Report, student: StudentTable) -> None:
    head, w = report.head, words(report.head.language)
    right = PAGE_W_MM - MARGIN_MM
    pen.text_block(Box(MARGIN_MM, 11.5, WIDTH_MM * 0.74, 9.0), head.title, size=15, bold=True)
    pen.text(
        right, 18.5, w["student report"], size=10, colour=SOFT, align="right", width=WIDTH_MM * 0.26
    )
    pen.line(MARGIN_MM, 21.5, right, 21.5, colour=ACCENT, width_pt=1.2)
    cells = (
        (w["name"], student.name, 0.28),
        (w["candidate"], student.candidate, 0.18),
        (w["class"], student.class_name, 0.18),
        (w["school"], student.school, 0.22),
        (w["exam date"], head.date.isoformat() if head.date else "", 0.14),
    )
    x = MARGIN_MM
    for label, value, part in cells:
        width = WIDTH_MM * part
        pen.text(x, 26.5, label, size=6.8, colour=SOFT, width=width - 2)
        pen.text_block(Box(x, 27.6, width - 2, 7.0), value or NO_FIGURE, size=10, bold=True)
        x += width


def _score_panel(pen: Pen, y: float, report: Report, student: StudentTable) -> None:
    head, w = report.head, words(report.head.language)
    pen.rect(Box(MARGIN_MM, y, WIDTH_MM, 26.0), stroke=FAINT)
    pen.rect(Box(MARGIN_MM, y, 48.0 if student.score is not None else WIDTH_MM, 26.0), fill=PALE)
    left = MARGIN_MM + 4.0
    if student.score is None:
        state = (
            w["no total"]
            if student.standing is Standing.INCOMPLETE
            else w[student.standing.name.lower()]
        )
        pen.text(left, y + 13.5, state, size=17, bold=True, width=40)
        if student.standing is Standing.INCOMPLETE:
            text = w["marked so far"].format(
                full=figure_text(student.marked_full), points=figure_text(student.marked_points)
            )
            pen.text(left, y + 20.5, text, size=8, width=41)
        else:
            text = w["of full"].format(full=figure_text(head.full)).lstrip("/ ")
            pen.text(left, y + 20.5, f"{w['full']} {text}", size=8, colour=SOFT, width=41)
        return
    score = figure_text(student.score)
    size = 28 if len(score) <= 5 else 22
    pen.text(left, y + 13.0, score, size=size, bold=True)
    beside = left + width_mm(score, size, bold=True) + 2.0
    of_full = w["of full"].format(full=figure_text(head.full))
    room = MARGIN_MM + 47.0 - beside
    pen.text(beside, y + 13.0, of_full, size=9, colour=SOFT, width=room)
    level = w[str(student.level)]
    pen.text(left, y + 18.6, f"{w['level']}  {level}", size=9, bold=True, width=41)
    pen.text(left, y + 23.4, f"{w['rate']}  {share_text(student.rate)}", size=8, width=41)
    references = []
    if student.class_mean is not None:
        references.append((w["class mean"], student.class_mean))
    if student.grade_mean is not None:
        references.append((w["joint mean" if head.joint else "grade mean"], student.grade_mean))
    if student.class_rank is not None:
        text = (
            f"{w['class rank']} {student.class_rank}   "
            f"{w['joint rank' if head.joint else 'grade rank']} {student.grade_rank}"
        )
        pen.text(PAGE_W_MM - MARGIN_MM - 3, y + 24.2, text, size=7.5, align="right")
    cuts = [
        (w["pass" if cut.name == "passing" else cut.name], cut.points)
        for cut in head.cuts
        if cut.name != "low"
    ]
    strip = Box(MARGIN_MM + 54.0, y + (4.5 if references else 7.0), WIDTH_MM - 60.0, 17.0)
    score_strip(pen, strip, Scale(head.full, student.score, references, cuts))


def _legend(pen: Pen, y: float, report: Report) -> None:
    """What the marks in the item table mean, right-aligned in its heading."""
    w = words(report.head.language)
    x = PAGE_W_MM - MARGIN_MM
    for outcome in (Outcome.PENDING, Outcome.NONE, Outcome.PART, Outcome.FULL):
        text = w[f"outcome {outcome}"]
        pen.text(x, y + 4.0, text, size=7, colour=SOFT, align="right")
        x -= width_mm(text, 7) + 2.4
        outcome_mark(pen, x, y + 3.1, outcome)
        x -= 5.0


def _points_table(flow: Flow, report: Report, points: Sequence[StudentPoint]) -> None:
    w = words(report.head.language)
    parts = 2 if len(points) > 6 else 1
    unit = (HALF_MM if parts == 2 else WIDTH_MM) / 100
    columns = (
        Column(w["knowledge"], 34 * unit),
        Column("", 36 * unit),
        Column(w["mastery"], 13 * unit, "right"),
        Column(w["points"], 17 * unit, "right"),
    )

    def bar(point: StudentPoint) -> Cell:
        def draw(pen: Pen, box: Box) -> None:
            bar_box = Box(box.x + 1, box.y, box.w - 2, box.h)
            mastery_bar(pen, bar_box, point, no_evidence=w["no evidence"])

        return draw

    rows = [
        (
            point.name,
            bar(point),
            share_text(point.mastery),
            f"{figure_text(point.points)}/{figure_text(point.full)}",
        )
        for point in points
    ]
    flow.table(columns, rows, side_by_side=parts, row_height=5.4)


def _items_table(flow: Flow, report: Report, items: Sequence[StudentItem]) -> None:
    head, w = report.head, words(report.head.language)
    parts = 2 if len(items) > 12 else 1
    short = "joint short" if head.joint else "grade short"
    rates: tuple[tuple[str, Callable[[StudentItem], str]], ...] = ()
    if head.compare:
        rates = ((w[short], lambda item: share_text(item.grade_rate, "")),)
        if any(item.class_rate is not None for item in items):
            rates = ((w["class short"], lambda item: share_text(item.class_rate, "")), *rates)
    unit = (HALF_MM if parts == 2 else WIDTH_MM) / 100
    columns = (
        Column("", 5 * unit),
        Column(w["item"], 10 * unit, bold=True),
        Column(w["knowledge"], (42 - 10.5 * len(rates)) * unit),
        Column(w["answer"], 11.5 * unit),
        Column(w["key"], 11.5 * unit),
        Column(w["points"], 12 * unit, "right"),
        Column(w["lost"], 8 * unit, "right"),
        *(Column(title, 10.5 * unit, "right") for title, _ in rates),
    )

    def mark(item: StudentItem) -> Cell:
        def draw(pen: Pen, box: Box) -> None:
            outcome_mark(pen, *box.centre, item.outcome)

        return draw

    def answer(item: StudentItem) -> str:
        return w["blank option"] if item.blank else item.answer

    rows = [
        (
            mark(item),
            item.number,
            item_list(item.knowledge, head.language),
            answer(item),
            item.key,
            f"{figure_text(item.points)}/{figure_text(item.full)}",
            figure_text(item.lost),
            *(shown(item) for _, shown in rates),
        )
        for item in items
    ]
    flow.table(columns, rows, side_by_side=parts)
