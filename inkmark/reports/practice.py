"""Practice to print: for each student items and an answer sheet, for the teacher the answers.

The answer sheet is one of our own, so that what the students fill in is read like an exam.
All sheets of a practice have one layout; which item stands behind a number differs from
student to student and is written down in a file beside the sheets.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from inkmark.analytics.practice import Practice, PracticeSet, Reason
from inkmark.bank import LABELS, ItemBank
from inkmark.errors import InkmarkError
from inkmark.exam import Candidate, Exam, Item, ItemType
from inkmark.files import file_names, write_whole
from inkmark.layouts.build import build_layout
from inkmark.layouts.format import save_layout
from inkmark.layouts.model import SheetLayout
from inkmark.layouts.printing import SheetPrinter
from inkmark.reports.pdf import Book
from inkmark.reports.practice_pages import draw_answer_pages, draw_student_pages
from inkmark.reports.words import practice_words

__all__ = [
    "PracticeSheets",
    "practice_bytes",
    "practice_json",
    "practice_sheets",
    "print_practice",
    "print_practice_answers",
    "write_practice",
]

FORMAT = "inkmark-practice/1"

ID_MOST = 16


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
        Title, language and roster are taken from it; without a roster, the candidates of the
        practice are known by their numbers. The practice's id is the exam's with
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
    title = practice_words(exam.language)["practice"].format(title=exam.title)
    sheet = replace(
        exam,
        id=_practice_id(exam.id, number),
        title=title,
        date=None,
        items=items,
        candidates=exam.candidates or tuple(Candidate(one.candidate) for one in practice.sets),
    )
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
        A class, or everybody. A set without items is left out.
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
        draw_student_pages(book, one, candidate, exam, items)
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
    book = Book(f"{exam.title}: {practice_words(exam.language)['answers']}", exam.language)
    draw_answer_pages(book, sets, exam, bank)
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


def practice_bytes(practice: Practice, sheets: PracticeSheets, bank: ItemBank, exam: Exam) -> bytes:
    """`practice_json` as it stands in the file: equal for equal sets on equal sheets."""
    data = practice_json(practice, sheets, bank, exam)
    return (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode()


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
        Every candidate of the practice is on its roster, where it has one.
    folder : path-like
        Gets ``practice.layout.json``, ``practice.json`` and, for each class,
        ``<class>.pdf`` and ``answers/<class>.pdf``.
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
    files = [target / "practice.layout.json", target / "practice.json"]
    target.mkdir(parents=True, exist_ok=True)
    save_layout(sheets.layout, files[0])
    write_whole(files[1], practice_bytes(practice, sheets, bank, exam))
    for name, sets in _by_class(practice, sheets.exam).items():
        files += [target / f"{name}.pdf", target / "answers" / f"{name}.pdf"]
        print_practice(sets, sheets, bank, files[-2])
        print_practice_answers(sets, sheets, bank, files[-1])
    return tuple(files)


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
                "points": _figure(max(0.0, part.gained)),  # as in the rate
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
    """The sets of each class that has any items, by the name of its files."""
    classes = {c.number: (c.school, c.class_name) for c in exam.candidates}
    names = file_names(classes.values())
    groups: dict[str, list[PracticeSet]] = {}
    for one in practice.sets:
        groups.setdefault(names[classes[one.candidate]], []).append(one)
    return {name: sets for name, sets in groups.items() if any(one.items for one in sets)}
