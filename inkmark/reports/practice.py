"""Practice to print: for each student items and an answer sheet, for the teacher the answers.

The answer sheet is one of our own, so that what the students fill in is read like an exam.
All sheets of a practice have one layout; which item stands behind a number differs from
student to student and is written down in a file beside the sheets.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from inkmark.analytics.practice import Practice, PracticePart, PracticeSet, Reason
from inkmark.bank import LABELS, BankItem, Bilingual, ItemBank
from inkmark.errors import InkmarkError
from inkmark.exam import Candidate, Exam, Item, ItemType
from inkmark.files import write_whole
from inkmark.fonts import printable_text, wrap_text
from inkmark.layouts.build import build_layout
from inkmark.layouts.format import save_layout
from inkmark.layouts.model import SheetLayout
from inkmark.layouts.printing import SheetPrinter
from inkmark.reports.flow import Column, Draw, Flow
from inkmark.reports.pdf import (
    ACCENT,
    FAINT,
    MARGIN_MM,
    MID,
    PAGE_H_MM,
    PAGE_W_MM,
    PALE,
    PT_PER_MM,
    SOFT,
    Book,
    Pen,
    width_mm,
)

__all__ = [
    "PracticeSheets",
    "practice_json",
    "practice_sheets",
    "print_practice",
    "print_practice_answers",
    "write_practice",
]

FORMAT = "inkmark-practice/1"

WIDTH_MM = PAGE_W_MM - 2 * MARGIN_MM
ID_MOST = 16

_SAID = {
    "practice": Bilingual("{title}：个性化练习", "{title}: personal practice"),
    "answers": Bilingual("答案与解析", "Answers and explanations"),
    "name": Bilingual("姓名", "Name"),
    "candidate": Bilingual("考号", "Candidate number"),
    "class": Bilingual("班级", "Class"),
    "subject": Bilingual("学科", "Subject"),
    "points": Bilingual("本次练习的知识点", "What you practise"),
    "points note": Bilingual(
        "条形表示本次考试中该知识点的掌握率", "The bar shows your mastery in the exam"
    ),
    "numbers": Bilingual("第 {first}–{last} 题", "Items {first} to {last}"),
    "number": Bilingual("第 {first} 题", "Item {first}"),
    "weak": Bilingual("重点练习", "Focus"),
    "not enough evidence": Bilingual("再练一练", "Try more"),
    "review": Bilingual("巩固复习", "Review"),
    "no rate": Bilingual("考查较少，不作判断", "Too few items to tell"),
    "how": Bilingual(
        "每题只有一个正确选项；请把答案填涂在最后的答题卡上。",
        "Each item has one right option. Fill in your answers on the answer sheet at the end.",
    ),
    "page": Bilingual("练习 第 {page} 页　共 {pages} 页", "Practice page {page} of {pages}"),
    "keys": Bilingual("每名学生的答案", "Keys by student"),
    "keys note": Bilingual(
        "字母是正确选项，后面的数字是下面解析的编号",
        "The letter is the key; the figure after it is the number of the explanation below",
    ),
    "items": Bilingual("题目与解析", "Items and explanations"),
    "key": Bilingual("答案", "Key"),
    "facility": Bilingual("预估难度 {rate}", "planned facility {rate}"),
    "teacher page": Bilingual("第 {page} 页　共 {pages} 页", "Page {page} of {pages}"),
}

# Between an operator or relation and what it stands between, a line does not break.
_TIED = re.compile(r"(?<=[=+−×÷·<>≤≥≠⊥≌≅]) | (?=[=+−×÷·<>≤≥≠⊥≌≅])")


@dataclass(frozen=True, slots=True)
class PracticeSheets:
    """The answer sheet that all students of a practice have.

    Attributes
    ----------
    exam : Exam
        The practice as an exam: its id is in every QR code, its items are numbered from 1
        and have no keys, since these differ from student to student.
    layout : SheetLayout
    """

    exam: Exam
    layout: SheetLayout


def practice_sheets(practice: Practice, exam: Exam, number: int = 1) -> PracticeSheets:
    """Lay out the answer sheet of a practice.

    Parameters
    ----------
    practice : Practice
        The longest set decides how many rows the sheet has.
    exam : Exam
        Title, language and roster are taken from it. The practice's id is the exam's with
        ``-P1`` (by `number`) after it; an id that would get too long keeps its beginning
        and gets four digits of its hash.
    number : int
        Which practice after this exam it is, from 1.

    Returns
    -------
    PracticeSheets

    Raises
    ------
    InkmarkError
        Where no student has an item.
    """
    rows = max((len(one.items) for one in practice.sets), default=0)
    if not rows:
        raise InkmarkError(
            "no student has an item to practise: either nothing is scored yet, or the bank knows "
            "none of the exam's knowledge points. Score the exam, or use a bank for its subject."
        )
    items = tuple(Item(str(n), ItemType.SINGLE, LABELS, (), Decimal(1)) for n in range(1, rows + 1))
    said = _words(exam.language)
    title = said["practice"].format(title=exam.title)
    sheet = replace(exam, id=_practice_id(exam.id, number), title=title, date=None, items=items)
    return PracticeSheets(sheet, build_layout(sheet))


def print_practice(
    sets: Sequence[PracticeSet],
    sheets: PracticeSheets,
    bank: ItemBank,
    path: Path | str,
) -> None:
    """Print practice sets into one PDF: each student's items, then the answer sheet.

    Parameters
    ----------
    sets : sequence of PracticeSet
        A class, or everybody; each candidate is on the exam's roster. A set without items
        is left out.
    sheets : PracticeSheets
    bank : ItemBank
        The bank that the items were chosen from.
    path : path-like
        Written whole or not at all; equal input gives equal bytes.

    Raises
    ------
    OSError
        Where the file cannot be written.
    """
    exam = sheets.exam
    candidates = {candidate.number: candidate for candidate in exam.candidates}
    items = {item.id: item for item in bank.items}
    printed = [(one, candidates[one.candidate]) for one in sets if one.items]
    book = Book(exam.title, exam.language)
    printer = SheetPrinter(book.canvas, sheets.layout, exam, [c for _, c in printed])
    for one, candidate in printed:
        _student_pages(book, one, candidate, exam, items)
        printer.draw(candidate)
    book.write(path)


def print_practice_answers(
    sets: Sequence[PracticeSet],
    sheets: PracticeSheets,
    bank: ItemBank,
    path: Path | str,
) -> None:
    """Print the keys of each student and an explanation of each item, for the teacher.

    Parameters
    ----------
    sets, sheets, bank, path
        As for `print_practice`.

    Raises
    ------
    OSError
        Where the file cannot be written.
    """
    exam = sheets.exam
    said = _words(exam.language)
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
    book = Book(f"{exam.title}: {said['answers']}", exam.language)
    for index, sections in enumerate(flow.pages):
        pen = book.page(PAGE_W_MM, PAGE_H_MM)
        if index == 0:
            _title(pen, exam.title, said["answers"])
        _running_foot(pen, exam.title, said["teacher page"], index, len(flow.pages))
        for y, draw in sections:
            draw(pen, y)
        book.end_page()
    book.write(path)


def practice_json(
    practice: Practice, sheets: PracticeSheets, bank: ItemBank, exam: Exam
) -> dict[str, Any]:
    """What was given to whom and what is right, format "inkmark-practice/1".

    It holds no names: candidates stand in it by number.
    """
    keys = {item.id: item.key for item in bank.items}
    return {
        "format": FORMAT,
        "practice": sheets.exam.id,
        "exam": exam.id,
        "bank": bank.id,
        "layout_version": sheets.layout.version,
        "unmatched": list(practice.unmatched),
        "sets": [_set_data(one, keys) for one in practice.sets],
    }


def write_practice(
    practice: Practice, bank: ItemBank, exam: Exam, folder: Path | str, number: int = 1
) -> tuple[Path, ...]:
    """Write everything that belongs to a practice.

    Parameters
    ----------
    practice : Practice
    bank : ItemBank
        The bank that the items were chosen from.
    exam : Exam
        Every candidate of the practice is on its roster.
    folder : path-like
        Gets ``practice.layout.json``, ``practice.json`` and, for each class,
        ``practice <class>.pdf`` and ``answers <class>.pdf``.
    number : int
        Which practice after this exam it is, from 1.

    Returns
    -------
    tuple of Path
        The files written.

    Raises
    ------
    InkmarkError
        Where no student has an item.
    OSError
        Where a file cannot be written.
    """
    target = Path(folder)
    sheets = practice_sheets(practice, exam, number)
    data = practice_json(practice, sheets, bank, exam)
    files = [target / "practice.layout.json", target / "practice.json"]
    target.mkdir(parents=True, exist_ok=True)
    save_layout(sheets.layout, files[0])
    text = json.dumps(data, ensure_ascii=False, indent=1) + "\n"
    write_whole(files[1], text.encode())
    for name, sets in _by_class(practice, exam).items():
        for noun, write in (("practice", print_practice), ("answers", print_practice_answers)):
            files.append(target / (f"{noun} {name}".strip() + ".pdf"))
            write(sets, sheets, bank, files[-1])
    return tuple(files)


# --- the student's pages --------------------------------------------------------------------


def _student_pages(
    book: Book,
    one: PracticeSet,
    candidate: Candidate,
    exam: Exam,
    items: Mapping[str, BankItem],
) -> None:
    said = _words(exam.language)
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
        pen.text_in(MARGIN_MM + 2.8, y, 52.0, 5.6, part.point, size=9.5, bold=True)
        pen.text_in(MARGIN_MM + 57.0, y, 22.0, 5.6, said[part.reason.value], size=8.5)
        x, w = MARGIN_MM + 82.0, 50.0
        if stated:
            pen.rect(x, y + 1.2, w, 3.2, fill=PALE)
            pen.rect(x, y + 1.2, w * part.rate, 3.2, fill=MID)
            pen.text_in(x + w + 2.0, y, 12.0, 5.6, f"{part.rate:.0%}", size=8.5)
        else:
            pen.rect(x, y + 1.2, w, 3.2, stroke=FAINT)
            pen.text_in(x, y + 1.2, w, 3.2, said["no rate"], size=6.5, colour=SOFT, align="centre")
        right = PAGE_W_MM - MARGIN_MM - 34.0
        pen.text_in(right, y, 34.0, 5.6, numbers, size=8.5, align="right")

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


# --- the teacher's pages --------------------------------------------------------------------


def _explained(item: BankItem, number: int, point: str, language: str) -> tuple[float, Draw]:
    said = _words(language)
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


# --- values ---------------------------------------------------------------------------------


def _words(language: str) -> Mapping[str, str]:
    return {key: text.text(language) for key, text in _SAID.items()}


def _tied(text: str) -> str:
    return _TIED.sub("\N{NO-BREAK SPACE}", printable_text(text))


def _lines(text: str, width: float, size: float) -> tuple[str, ...]:
    return wrap_text(_tied(text), width * PT_PER_MM, size)


def _practice_id(exam_id: str, number: int) -> str:
    ending = f"-P{number}"
    if len(exam_id) + len(ending) > ID_MOST:
        digest = hashlib.sha256(exam_id.encode()).hexdigest()[:4].upper()
        exam_id = exam_id[: ID_MOST - len(ending) - len(digest)] + digest
    return exam_id + ending


def _set_data(one: PracticeSet, keys: Mapping[str, str]) -> dict[str, Any]:
    reasons = [part for part in one.parts for _ in part.items]
    return {
        "candidate": one.candidate,
        "items": [
            {
                "number": str(n),
                "item": item,
                "key": keys[item],
                "point": part.point,
                "reason": part.reason.value,
                "mastery": _figure(part.rate)
                if part.reason is not Reason.NOT_ENOUGH_EVIDENCE
                else None,
                "points": _figure(part.gained),
                "full": _figure(part.possible),
                "exam_items": part.n_items,
            }
            for n, (item, part) in enumerate(zip(one.items, reasons, strict=True), 1)
        ],
        "shortfalls": [
            {
                "kind": lack.kind.value,
                "point": lack.point,
                "wanted": lack.wanted,
                "found": lack.found,
            }
            for lack in one.shortfalls
        ],
    }


def _figure(value: float) -> float:
    return round(value, 4)


def _by_class(practice: Practice, exam: Exam) -> dict[str, list[PracticeSet]]:
    """The sets by a name for files; classes of several schools have the school's before it."""
    several = len({candidate.school for candidate in exam.candidates}) > 1
    groups: dict[str, list[PracticeSet]] = {}
    candidates = {candidate.number: candidate for candidate in exam.candidates}
    for one in practice.sets:
        candidate = candidates[one.candidate]
        parts = (candidate.school if several else "", candidate.class_name)
        name = re.sub(r"[^\w（）()-]+", "_", " ".join(p for p in parts if p)).strip("_")[:80]
        groups.setdefault(name, []).append(one)
    return {name: sets for name, sets in groups.items() if any(one.items for one in sets)}
