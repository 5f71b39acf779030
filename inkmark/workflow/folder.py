"""An exam folder, opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from inkmark.errors import LayoutError
from inkmark.exam import Exam, ExamFolder, load_exam
from inkmark.layouts import SheetLayout, load_layout
from inkmark.store import ExamStore

__all__ = ["OpenExam", "open_exam"]


@dataclass(frozen=True, slots=True)
class OpenExam:
    """What an exam folder holds.

    Attributes
    ----------
    folder : ExamFolder
    exam : Exam
        As the workbook says now.
    layout : SheetLayout
    store : ExamStore
    """

    folder: ExamFolder
    exam: Exam
    layout: SheetLayout
    store: ExamStore


@contextmanager
def open_exam(root: Path | str) -> Iterator[OpenExam]:
    """Open an exam folder for reading, scoring or reporting.

    Parameters
    ----------
    root : Path or str

    Raises
    ------
    FaultyFileError
        Where the workbook has faults.
    LayoutError
        Where the sheets have not been laid out yet.
    StoreError
        Where the database cannot be used.
    """
    folder = ExamFolder(Path(root))
    exam = load_exam(folder.root)
    if not folder.layout.is_file():
        raise LayoutError(
            f"{folder.root} has no layout.json yet. Print the sheets first: inkmark sheets "
            f"{folder.root}"
        )
    layout = load_layout(folder.layout)
    with ExamStore.open(folder.database, exam.id) as store:
        store.put_exam(exam)
        store.retire_other_layouts(layout.version)
        yield OpenExam(folder, exam, layout, store)
