"""Practice sets from stored scores."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from inkmark.analytics.practice import Practice, ShortfallKind, select_practice
from inkmark.bank import ItemBank, load_bank
from inkmark.exam import Exam
from inkmark.reports.practice import practice_bytes, practice_sheets, write_practice
from inkmark.workflow.folder import open_exam
from inkmark.workflow.reporting import analyse_records
from inkmark.workflow.scoring import load_records

__all__ = ["PracticeSummary", "practise"]


@dataclass(frozen=True, slots=True)
class PracticeSummary:
    """What was printed.

    Attributes
    ----------
    practice : str
        Id of the practice, as in the QR codes of its sheets; empty without files.
    files : tuple of Path
        For each class the sets and their answers, beside the layout and the keys.
    students : int
        Students who got a set.
    notes : tuple of str
        What the sets lack, for people.
    """

    practice: str
    files: tuple[Path, ...]
    students: int
    notes: tuple[str, ...]


def practise(
    root: Path | str, *, items: int | None = None, bank: Path | str | None = None
) -> PracticeSummary:
    """Choose and print a practice set for each student of a scored exam.

    A practice that was printed stays as it is. Where the sets or the sheets differ from those
    of the last one, they are a further practice with its own number, id and folder.

    Parameters
    ----------
    root : Path or str
        The exam folder.
    items : int, optional
        Items a set; by default what the exam's policy says.
    bank : Path or str, optional
        Item bank to draw from; by default the built-in one.

    Returns
    -------
    PracticeSummary
        Without files where no student has an item; the notes say why.

    Raises
    ------
    InkmarkError
        Where the exam has not been scored yet.
    FaultyFileError
        Where the bank has faults.
    """
    item_bank = load_bank(bank)
    with open_exam(root) as opened:
        exam = opened.exam
        policy = exam.policy if items is None else replace(exam.policy, practice_items=items)
        mastery = analyse_records(exam, load_records(opened)).mastery
        practice = select_practice(mastery, item_bank, policy, exam_id=exam.id)
        files: tuple[Path, ...] = ()
        name = ""
        students = sum(1 for one in practice.sets if one.items)
        if students:
            parent = opened.folder.out / "practice"
            number = _number(parent, practice, item_bank, exam)
            name = practice_sheets(practice, exam, number).exam.id
            files = write_practice(practice, item_bank, exam, parent / str(number), number)
    return PracticeSummary(name, files, students, _notes(practice))


def _number(parent: Path, practice: Practice, bank: ItemBank, exam: Exam) -> int:
    """Give a practice the number of the last one where it is the same, else the next."""
    names = (path.name for path in parent.glob("*"))
    last = max((int(name) for name in names if re.fullmatch("[1-9][0-9]{0,5}", name)), default=0)
    if last:
        content = practice_bytes(practice, practice_sheets(practice, exam, last), bank, exam)
        path = parent / str(last) / "practice.json"
        if path.is_file() and path.read_bytes() == content:
            return last
    return last + 1


def _notes(practice: Practice) -> tuple[str, ...]:
    notes = []
    if practice.unmatched:
        notes.append(
            f"the item bank does not know {len(practice.unmatched)} knowledge points of the "
            f"exam: {', '.join(practice.unmatched)}. Name them as the bank does, or give a bank "
            "for the subject with --bank."
        )
    lacks = Counter(lack.kind for one in practice.sets for lack in one.shortfalls)
    if n := lacks[ShortfallKind.NO_SCORES]:
        notes.append(f"students without scores, and so without a set: {n}.")
    if n := lacks[ShortfallKind.SET_TOO_SHORT]:
        notes.append(f"sets shorter than asked for: {n}.")
    return tuple(notes)
