"""The pages of a practice: each student's items, and the teacher's answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from inkmark.analytics.practice import PracticePart, PracticeSet, Reason
from inkmark.bank import LABELS, BankItem, ItemBank
from inkmark.drawing import PT_PER_MM, Pen, width_mm
from inkmark.exam import Candidate, Exam
from inkmark.fonts import printable_text, wrap_text
from inkmark.geometry import Box
from inkmark.reports.flow import Column, Draw, Flow
from inkmark.reports.pdf import (
    ACCENT,
    FAINT,
    MARGIN_MM,
    MID,
    PAGE_H_MM,
    PAGE_W_MM,
    PALE,
    SOFT,
    Book,
)
from inkmark.reports.words import practice_words

__all__ = ["draw_answer_pages", "draw_student_pages"]

WIDTH_MM = PAGE_W_MM - 2 * MARGIN_MM

# Between an operator or relation and what it stands between, a line does not break.
_TIED = re.compile(r"(?<=[=+−×÷·<>≤≥≠⊥≌≅]) | (?=[=+−×÷·<>≤≥≠⊥≌≅])")


def draw_student_pages(
    book: Book,
    one: PracticeSet,
    candidate: Candidate,
    exam: Exam,
    items: Mapping[str, BankItem],
) -> None:
    """Draw what a student practises and why, and the items.

    Parameters
    ----------
    book : Book
    one : PracticeSet
        With items.
    candidate : Candidate
        Whose set it is.
    exam : Exam
        The practice as an exam.
    items : mapping of str to BankItem
        Items by id.
    """
    said = practice_words(exam.language)
    flow = Flow(top=25.0, bottom=PAGE_H_MM - 18.0, first_top=39.0)
    flow.heading(said["points"], said["points note"])
    first = 1
    for part in one.parts:
        flow.add(5.6, _point_line(part, first, said), gap=0.4)
        first += len(part.items)
    flow.skip(4.0)
    number = 0
    for part in one.parts:
        sections = []
        for item in part.items:
            number += 1
            sections.append(_item(items[item], number, exam.language))
        flow.heading(part.point, follow=sections[0][0] + 2.0)
        for height, draw in sections:
            flow.add(height, draw, gap=5.0)
    for index, placed in enumerate(flow.pages):
        pen = book.page(PAGE_W_MM, PAGE_H_MM)
        if index == 0:
            book.bookmark(f"{candidate.number} {candidate.name}".strip())
            _title(pen, exam.title, "")
            _who(pen, candidate, exam, said)
        else:
            running = f"{candidate.name}  {candidate.number}".strip()
            right = PAGE_W_MM - MARGIN_MM
            pen.text(MARGIN_MM, 17, running, size=9, bold=True, width=WIDTH_MM * 0.45)
            pen.text(
                right, 17, exam.title, size=9, colour=SOFT, align="right", width=WIDTH_MM * 0.5
            )
            pen.line(MARGIN_MM, 19.5, right, 19.5, colour=FAINT)
        _running_foot(pen, said["how"], said["page"], index, len(flow.pages))
        for y, draw in placed:
            draw(pen, y)
        book.end_page()


def draw_answer_pages(book: Book, sets: Sequence[PracticeSet], exam: Exam, bank: ItemBank) -> None:
    """Draw the keys of each student, and each item given with its key and explanation.

    Parameters
    ----------
    book : Book
    sets : sequence of PracticeSet
    exam : Exam
        The practice as an exam, with everybody who has a set on its roster.
    bank : ItemBank
        The bank that the items were chosen from.
    """
    said = practice_words(exam.language)
    names = {candidate.number: candidate.name for candidate in exam.candidates}
    given = {item for one in sets for item in one.items}
    order = [item for item in bank.items if item.id in given]
    numbers = {item.id: n for n, item in enumerate(order, 1)}
    items = {item.id: item for item in order}
    flow = Flow(top=22.0, bottom=PAGE_H_MM - 18.0, first_top=28.0)
    flow.heading(said["keys"], said["keys note"])
    n_rows = len(exam.items)
    cell = min(14.0, (WIDTH_MM - 52.0) / n_rows)
    flow.table(
        [
            Column(said["candidate"], 26.0),
            Column(said["name"], 26.0),
            *(Column(str(n), cell, "centre") for n in range(1, n_rows + 1)),
        ],
        [
            [
                one.candidate,
                names[one.candidate],
                *(f"{items[item].key} {numbers[item]}" for item in one.items),
                *("" for _ in range(n_rows - len(one.items))),
            ]
            for one in sets
            if one.items
        ],
    )
    flow.heading(said["items"])
    point_names = {point.id: point.name.text(exam.language) for point in bank.points}
    for item in order:
        flow.add(*_explained(item, numbers[item.id], point_names[item.knowledge], exam.language))
    for index, sections in enumerate(flow.pages):
        pen = book.page(PAGE_W_MM, PAGE_H_MM)
        if index == 0:
            _title(pen, exam.title, said["answers"])
        _running_foot(pen, exam.title, said["teacher page"], index, len(flow.pages))
        for y, draw in sections:
            draw(pen, y)
        book.end_page()


def _title(pen: Pen, title: str, note: str) -> None:
    right = PAGE_W_MM - MARGIN_MM
    room = WIDTH_MM * (0.74 if note else 1.0)
    pen.text(MARGIN_MM, 18.5, title, size=15, bold=True, width=room)
    if note:
        pen.text(right, 18.5, note, size=10, colour=SOFT, align="right", width=WIDTH_MM * 0.24)
    pen.line(MARGIN_MM, 21.5, right, 21.5, colour=ACCENT, width_pt=1.2)


def _who(pen: Pen, candidate: Candidate, exam: Exam, said: Mapping[str, str]) -> None:
    cells = (
        (said["name"], candidate.name, 0.28),
        (said["candidate"], candidate.number, 0.24),
        (said["class"], candidate.class_name, 0.24),
        (said["subject"], exam.subject, 0.24),
    )
    x = MARGIN_MM
    for label, value, part in cells:
        width = WIDTH_MM * part
        pen.text(x, 26.5, label, size=6.8, colour=SOFT, width=width - 2)
        pen.text(x, 32.0, value or "–", size=10, bold=True, width=width - 2)
        x += width


def _running_foot(pen: Pen, note: str, page: str, index: int, n_pages: int) -> None:
    right, y = PAGE_W_MM - MARGIN_MM, PAGE_H_MM - 14.0
    pen.line(MARGIN_MM, y, right, y, colour=FAINT)
    pen.text(MARGIN_MM, y + 4.2, note, size=7.5, colour=SOFT, width=WIDTH_MM - 42)
    text = page.format(page=index + 1, pages=n_pages)
    pen.text(right, y + 4.2, text, size=7.5, align="right")


def _point_line(part: PracticePart, first: int, said: Mapping[str, str]) -> Draw:
    """Name, why it is practised, mastery as a bar and in per cent, and the item numbers."""
    last = first + len(part.items) - 1
    numbers = said["number" if first == last else "numbers"].format(first=first, last=last)
    stated = part.reason is not Reason.NOT_ENOUGH_EVIDENCE

    def draw(pen: Pen, y: float) -> None:
        pen.text_in(Box(MARGIN_MM + 2.8, y, 52.0, 5.6), part.point, size=9.5, bold=True)
        pen.text_in(Box(MARGIN_MM + 57.0, y, 22.0, 5.6), said[part.reason.value], size=8.5)
        x, w = MARGIN_MM + 82.0, 50.0
        if stated:
            pen.rect(Box(x, y + 1.2, w, 3.2), fill=PALE)
            pen.rect(Box(x, y + 1.2, w * part.rate, 3.2), fill=MID)
            pen.text_in(Box(x + w + 2.0, y, 12.0, 5.6), f"{part.rate:.0%}", size=8.5)
        else:
            pen.rect(Box(x, y + 1.2, w, 3.2), stroke=FAINT)
            pen.text_in(
                Box(x, y + 1.2, w, 3.2), said["no rate"], size=6.5, colour=SOFT, align="centre"
            )
        right = PAGE_W_MM - MARGIN_MM - 34.0
        pen.text_in(Box(right, y, 34.0, 5.6), numbers, size=8.5, align="right")

    return draw


def _item(item: BankItem, number: int, language: str) -> tuple[float, Draw]:
    """An item with its options in one row, two rows of two, or one below the other."""
    size, leading = 10.5, 6.0
    left, width = MARGIN_MM + 9.0, WIDTH_MM - 9.0
    stem = _lines(item.stem.text(language), width, size)
    options = [option.text(language) for option in item.options]
    widest = max(width_mm(_tied(option), size) for option in options) + 10.0
    across = next((n for n in (4, 2) if widest <= width / n), 1)
    step = width / across
    broken = [_lines(option, step - 7.0, size) for option in options]
    rows = [broken[k : k + across] for k in range(0, len(broken), across)]
    depths = [max(map(len, row)) for row in rows]
    height = leading * (len(stem) + sum(depths)) + 0.8

    def draw(pen: Pen, y: float) -> None:
        pen.text(MARGIN_MM + 7.0, y + 4.4, f"{number}.", size=size, bold=True, align="right")
        for k, line in enumerate(stem):
            pen.text(left, y + 4.4 + k * leading, line, size=size)
        top = y + len(stem) * leading + 0.8
        for index, row in enumerate(rows):
            for column, lines in enumerate(row):
                x = left + column * step
                label = LABELS[index * across + column]
                pen.text(x, top + 4.4, f"{label}.", size=size)
                for k, line in enumerate(lines):
                    pen.text(x + 6.0, top + 4.4 + k * leading, line, size=size)
            top += depths[index] * leading

    return height, draw


def _explained(item: BankItem, number: int, point: str, language: str) -> tuple[float, Draw]:
    said = practice_words(language)
    size, leading = 8.5, 4.6
    left, width = MARGIN_MM + 9.0, WIDTH_MM - 9.0
    facility = said["facility"].format(rate=f"{item.difficulty:.2f}")
    about = f"{point}  ·  {facility}  ·  {item.id}"
    right = item.options[LABELS.index(item.key)].text(language)
    lines = [
        *((line, False) for line in _lines(item.stem.text(language), width, size)),
        *((line, True) for line in _lines(f"{said['key']} {item.key}.  {right}", width, size)),
        *((line, False) for line in _lines(item.explanation.text(language), width, size)),
    ]

    def draw(pen: Pen, y: float) -> None:
        pen.text(MARGIN_MM + 7.0, y + 3.6, str(number), size=size, bold=True, align="right")
        pen.text(left, y + 3.6, about, size=6.8, colour=SOFT, width=width)
        for k, (line, bold) in enumerate(lines, 1):
            pen.text(left, y + 3.6 + k * leading, line, size=size, bold=bold, width=width)

    return leading * (len(lines) + 1), draw


def _tied(text: str) -> str:
    return _TIED.sub("\N{NO-BREAK SPACE}", printable_text(text))


def _lines(text: str, width: float, size: float) -> tuple[str, ...]:
    return wrap_text(_tied(text), width * PT_PER_MM, size)
