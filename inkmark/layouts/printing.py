"""Printing answer sheets as vector PDF."""

from __future__ import annotations

import io
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from reportlab.pdfgen.canvas import Canvas

from inkmark.drawing import PT_PER_MM, Pen, width_mm
from inkmark.errors import LayoutError
from inkmark.exam import Candidate, Exam, Item, ItemType, printed_options
from inkmark.files import write_whole
from inkmark.fonts import BOLD, fit_text, printable_text, register_fonts, wrap_text
from inkmark.geometry import Box
from inkmark.layouts import _style as st
from inkmark.layouts._front import draw_front
from inkmark.layouts._parts import AGAIN, draw_bubbles, draw_frames, field_of, row_box
from inkmark.layouts._qr import draw_code
from inkmark.layouts._words import Words, date_text, points_text, section_number, words
from inkmark.layouts.code import SheetCode
from inkmark.layouts.fit import (
    answer_fields,
    frame_padding,
    is_letter_box,
    item_differences,
)
from inkmark.layouts.model import (
    AnswerField,
    AreaField,
    BubbleField,
    CodeField,
    PageLayout,
    Role,
    SheetLayout,
    WritingField,
)

__all__ = ["SheetPrinter", "print_sheets"]

# A name is better read small than cut.
SMALLEST_PART = 0.7


def print_sheets(
    layout: SheetLayout,
    exam: Exam,
    path: Path | str,
    candidates: Sequence[Candidate] | None = None,
    serials: Sequence[str] = ("",),
) -> None:
    """Print the sheets of an exam as vector PDF with embedded fonts.

    Equal input gives equal bytes; names and numbers stand on the pages only, not in the
    file's metadata.

    Parameters
    ----------
    layout : SheetLayout
        Built by `inkmark.layouts.build_layout` for this exam.
    exam : Exam
    path : path-like
    candidates : sequence of Candidate, optional
        One sheet each, with name, class, number and QR code. None prints blank sheets,
        whose QR codes name no candidate.
    serials : sequence of str
        Of the blank sheets, one each, all different: they alone tell which pages belong
        together, and two sheets with one number from two images of one sheet.

    Raises
    ------
    LayoutError
        Where the layout was not built for this exam, a candidate number does not fit it, or
        the sequence of candidates is empty.
    """
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pageCompression=1, invariant=1)
    canvas.setTitle(printable_text(exam.title))
    canvas.setCreator("inkmark")
    printer = SheetPrinter(canvas, layout, exam, candidates)
    for candidate in candidates or ():
        printer.draw(candidate)
    for serial in serials if candidates is None else ():
        printer.draw(None, serial)
    canvas.save()
    write_whole(path, buffer.getvalue())


class SheetPrinter:
    """Draws sheets into a PDF, where other pages may stand between them.

    Parameters
    ----------
    canvas : reportlab Canvas
        Between two pages. What all sheets have in common is put into it once.
    layout, exam, candidates
        As for `print_sheets`, with the same errors; nothing is drawn yet.
    """

    def __init__(
        self,
        canvas: Canvas,
        layout: SheetLayout,
        exam: Exam,
        candidates: Sequence[Candidate] | None,
    ) -> None:
        items = _check(layout, exam, candidates)
        register_fonts()
        self._canvas, self._layout, self._exam = canvas, layout, exam
        for index, page in enumerate(layout.pages):
            pen = _pen(canvas, page)
            canvas.beginForm(_form(index), 0, 0, *_size_pt(page))
            _Side(pen, layout, exam, items, index, named=candidates is not None).draw()
            canvas.endForm()

    def draw(self, candidate: Candidate | None, serial: str = "") -> None:
        """Draw all pages of one candidate's sheet; None for a blank one, with its serial."""
        for index, page in enumerate(self._layout.pages):
            pen = _pen(self._canvas, page)
            self._canvas.setPageSize(_size_pt(page))
            self._canvas.doForm(_form(index))
            code = SheetCode(
                self._exam.id,
                candidate.number if candidate else "",
                index,
                self._layout.version,
                serial,
            )
            _draw_copy(pen, self._layout, self._exam, candidate, code)
            self._canvas.showPage()


def _pen(canvas: Canvas, page: PageLayout) -> Pen:
    return Pen(canvas, page.width_mm, page.height_mm, ink=st.INK, smallest_part=SMALLEST_PART)


def _size_pt(page: PageLayout) -> tuple[float, float]:
    return page.width_mm * PT_PER_MM, page.height_mm * PT_PER_MM


def _form(index: int) -> str:
    return f"side{index}"


def _check(
    layout: SheetLayout, exam: Exam, candidates: Sequence[Candidate] | None
) -> dict[str, Item]:
    """The exam's items by number, once layout, exam and candidates are seen to agree."""
    differences = item_differences(layout, exam)
    if differences:
        raise LayoutError(
            f"the layout's items are not those of exam {exam.id}: {'; '.join(differences)}. {AGAIN}"
        )
    if not all(page.columns for page in layout.pages):
        raise LayoutError(f"the layout was not built by inkmark and cannot be printed. {AGAIN}")
    if candidates is not None and not candidates:
        raise LayoutError("no candidates were given. Fill in the roster or print a blank sheet.")
    digits = field_of(layout.pages[0], "candidate_written", WritingField).n_boxes
    for candidate in candidates or ():
        if len(candidate.number) > digits:
            raise LayoutError(
                f"candidate {candidate.number} has more than the {digits} digits of the layout. "
                f"{AGAIN}"
            )
    return {item.number: item for item in exam.items}


def _column_of(field: AnswerField, page: PageLayout) -> int:
    x, y = field.box.centre
    for index, column in enumerate(page.columns):
        if column.x <= x <= column.right and column.y <= y <= column.bottom:
            return index
    raise LayoutError(f"field {field.name!r} stands outside the columns of its page. {AGAIN}")


class _Side:
    """What every copy of one side has in common."""

    def __init__(
        self,
        pen: Pen,
        layout: SheetLayout,
        exam: Exam,
        items: dict[str, Item],
        index: int,
        *,
        named: bool,
    ) -> None:
        self.pen = pen
        self.layout = layout
        self.page = layout.pages[index]
        self.exam = exam
        self.items = items
        self.index = index
        self.named = named
        self.words: Words = words(exam.language)
        self.runs = st.sections(exam)
        self.answers = {f.item: f for p in layout.pages for f in answer_fields(p)}

    def draw(self) -> None:
        anchors = self.page.anchors
        for box in (*anchors.squares, *anchors.timing, anchors.key_mark):
            if box is not None:
                self.pen.rect(box, fill=0.0)
        self._head()
        self._footer()
        if self.index == 0:
            draw_front(self.pen, self.layout, self.words, named=self.named)
        self._sections()
        for field in self.page.fields:
            if isinstance(field, WritingField) and field.role is Role.POINTS:
                self._points(field)

    # --- head and foot

    def _head(self) -> None:
        pen, exam, said = self.pen, self.exam, self.words
        code = field_of(self.page, "page", CodeField).box
        middle = self.page.width_mm / 2
        half = code.x - 5.0 - middle
        if self.index == 0:
            title = printable_text(exam.title) or said.sheet
            lines = wrap_text(title, 2 * half * PT_PER_MM, 15.0, BOLD)
            if len(lines) == 1:
                pen.text(middle, 25.5, title, size=16.0, bold=True, align="centre", width=2 * half)
            else:
                second = ("" if exam.language == "zh" else " ").join(lines[1:])
                _, size = fit_text(second, 2 * half * PT_PER_MM, 13.5, BOLD)
                for line, baseline in ((lines[0], 22.0), (second, 28.0)):
                    pen.text(
                        middle, baseline, line, size=size, bold=True, align="centre", width=2 * half
                    )
            parts = [exam.subject, exam.grade, said.sheet]
            if exam.date is not None:
                parts.append(date_text(exam.date, exam.language))
            text = said.separator.join(p for p in parts if p)
            pen.text(middle, 34.5, text, size=10.5, align="centre", width=2 * half)
        else:
            left = st.CONTENT_MARGIN
            room = code.x - 5.0 - left
            title = said.separator.join(p for p in (exam.title, exam.subject) if p)
            pen.text(left, 24.0, title, size=11.0, bold=True, width=room)
            pen.line(left, 38.0, code.x - 5.0, 38.0, colour=st.RULE, width_pt=st.HAIRLINE_PT)

    def _footer(self) -> None:
        text = self.words.page.format(page=self.index + 1, pages=len(self.layout.pages))
        baseline = self.page.height_mm - st.CONTENT_MARGIN
        self.pen.text(
            self.page.width_mm / 2, baseline, text, size=8.0, colour=st.OUTLINE, align="centre"
        )

    # --- items

    def _sections(self) -> None:
        numbers = {item.number: index for index, run in enumerate(self.runs) for item in run}
        pieces: dict[tuple[int, int], list[AnswerField]] = {}
        for field in answer_fields(self.page):
            column = _column_of(field, self.page)
            pieces.setdefault((column, numbers[field.item]), []).append(field)
        for (column, section), fields in pieces.items():
            self._piece(self.page.columns[column], section, fields)
        if not pieces and self.index:
            self.pen.text(
                self.page.width_mm / 2,
                st.BODY_TOP + 20.0,
                self.words.empty_page,
                size=11.0,
                colour=st.OUTLINE,
                align="centre",
            )

    def _piece(self, column: Box, section: int, fields: Sequence[AnswerField]) -> None:
        """The part of a section that stands in one column."""
        run = self.runs[section]
        kind = run[0].type
        top = min(f.box.y for f in fields)
        bottom = max(f.box.bottom for f in fields)
        pad = frame_padding(fields[0])
        if kind is not ItemType.SUBJECTIVE:
            frame = Box(column.x, top - pad, column.w, bottom - top + 2 * pad)
            self.pen.rect(frame, stroke=st.INK, width_pt=st.FRAME_LINE_PT, radius=1.2)
        if fields[0].item == run[0].number:
            self._heading(column, top - pad, section, run)
        for field in fields:
            self._item(field)

    def _heading(self, column: Box, bottom: float, section: int, run: Sequence[Item]) -> None:
        pen, said = self.pen, self.words
        baseline = bottom - 2.2
        number = section_number(section, self.exam.language)
        title = said.section.format(number=number, type=said.types[run[0].type])
        room = 0.65 * column.w
        used = pen.text(column.x, baseline, title, size=10.5, bold=True, width=room) + 2.5
        total = points_text(sum((item.points for item in run), Decimal(0)))
        notes = [said.points_total.format(total=total)]
        if len(run) > 1 and len({item.points for item in run}) == 1:
            each = points_text(run[0].points)
            notes.append(said.points_each.format(each=each, total=total))
        notes += [notes[-1] + said.separator + how for how in self._how(run)]
        # The most that fits; narrow columns have room for the total only.
        room = column.w - used
        fitting = [note for note in notes if width_mm(note, 8.5) <= room]
        note = fitting[-1] if fitting else notes[0]
        pen.text(column.x + used, baseline, note, size=8.5, width=room)

    def _how(self, run: Sequence[Item]) -> list[str]:
        """How a section is answered, in case there is room to say it."""
        said = self.words
        if run[0].type is ItemType.SUBJECTIVE:
            return [said.frames]
        field = self.answers[run[0].number]
        if not is_letter_box(field):
            numbers = (self.answers[item.number] for item in run)
            is_number = any(isinstance(f, WritingField) and f.charset == "number" for f in numbers)
            return [said.numbers] if is_number else []
        if run[0].type is ItemType.TRUE_FALSE and len(run[0].options) == 2:
            true, false = run[0].options
            return [said.letters_of_truth.format(true=true, false=false)]
        return [said.letters]

    def _points(self, field: WritingField) -> None:
        """The box for the points of an item."""
        draw_frames(self.pen, field)
        x, y = field.box.x - 1.0, field.box.centre[1]
        if isinstance(self.answers[field.item], AreaField):
            self.pen.label(x, y - 1.6, self.words.points, size=8.0, align="right")
            note = self.words.marker
            self.pen.label(x, y + 1.6, note, size=5.5, colour=st.OUTLINE, align="right")
        else:
            room = st.POINTS_LABEL - 1.5
            self.pen.label(x, y, self.words.points, size=6.5, align="right", width=room)

    def _item(self, field: AnswerField) -> None:
        pen = self.pen
        item = self.items[field.item]
        label = st.item_label(item.number)
        if isinstance(field, AreaField):
            pen.rect(field.box, stroke=st.INK, width_pt=st.FRAME_LINE_PT)
            used = pen.text(field.box.x + 2.5, field.box.y + 5.5, label, size=10.0, bold=True)
            points = self.words.points_item.format(points=points_text(item.points))
            pen.text(field.box.x + 2.5 + used + 1.0, field.box.y + 5.5, points, size=9.0)
            return
        pen.label(
            field.box.x - st.LABEL_GAP,
            _first_middle(field),
            label,
            size=st.LABEL_SIZE_PT,
            align="right",
        )
        if isinstance(field, BubbleField):
            draw_bubbles(self.pen, field, printed_options(item, self.exam.language))
        else:
            draw_frames(self.pen, field)


def _draw_copy(
    pen: Pen, layout: SheetLayout, exam: Exam, candidate: Candidate | None, code: SheetCode
) -> None:
    """What differs from copy to copy: code, name, class and number."""
    page = layout.pages[code.page]
    code_box = field_of(page, "page", CodeField).box
    draw_code(pen, code_box, code.encode())
    said = words(exam.language)
    if code.page > 0:
        room = code_box.x - 5.0 - st.CONTENT_MARGIN
        if candidate is None:
            blank = "_" * 20
            text = f"{said.name} {blank}{said.separator}{said.number} {blank}"
            text += f"{said.separator}{code.serial}" if code.serial else ""
        else:
            parts = (candidate.name, candidate.class_name, candidate.number)
            text = said.separator.join(p for p in parts if p)
        pen.text(st.CONTENT_MARGIN, 33.0, text, size=10.0, width=room)
        return
    if candidate is None:
        return
    name = field_of(page, "name", AreaField).box
    written = field_of(page, "candidate_written", WritingField)
    # The class comes first: where there is no room for all, the end of the school is cut.
    group = said.separator.join(p for p in (candidate.class_name, candidate.school) if p)
    for row, text in enumerate((candidate.name, group)):
        box = row_box(name, row)
        pen.text_block(Box(box.x + 2.5, box.y, box.w - 5.0, box.h), text, size=12.0)
    for i, digit in enumerate(candidate.number):
        pen.label(*_nth(written, i).centre, digit, size=12.0, align="centre")


def _nth(field: WritingField, index: int) -> Box:
    box = field.box
    return Box(box.x + index * field.step, box.y, box.w, box.h)


def _first_middle(field: BubbleField | WritingField) -> float:
    return field.origin[1] if isinstance(field, BubbleField) else field.box.centre[1]
