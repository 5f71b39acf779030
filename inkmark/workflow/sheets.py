"""A new exam folder, and its sheets to print."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from inkmark.errors import LayoutError
from inkmark.exam import Candidate, ExamFolder, load_exam, write_template
from inkmark.files import file_names
from inkmark.layouts import SheetOptions, build_layout, load_layout, print_sheets, save_layout

__all__ = ["PrintSummary", "create_exam", "print_exam"]


_SERIAL_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class PrintSummary:
    """What was printed.

    Attributes
    ----------
    layout : Path
    version : str
        Sheet version, as in the QR codes.
    n_pages : int
        Pages of a candidate's sheet.
    files : tuple of Path
        PDF files, one for each class or one blank sheet.
    """

    layout: Path
    version: str
    n_pages: int
    files: tuple[Path, ...]


def create_exam(root: Path | str, *, language: str = "zh") -> ExamFolder:
    """Make an exam folder with a workbook to fill in.

    Parameters
    ----------
    root : Path or str
        Made where it does not exist.
    language : {"zh", "en"}

    Raises
    ------
    InkmarkError
        Where there is a workbook already.
    """
    folder = ExamFolder(Path(root))
    folder.scans.mkdir(parents=True, exist_ok=True)
    write_template(folder.workbook, language=language)
    return folder


def print_exam(
    root: Path | str,
    options: SheetOptions | None = None,
    *,
    blank: int = 0,
    rebuild: bool = False,
) -> PrintSummary:
    """Lay out the sheets of an exam and print them.

    Parameters
    ----------
    root : Path or str
        The exam folder.
    options : SheetOptions, optional
    blank : int
        Print so many sheets without a name instead of one a candidate. Those of several
        pages bear serial numbers, which hold their pages together: they must not be copied.
    rebuild : bool
        Replace a layout that differs. Sheets printed with the old one can then no longer
        be read with the folder's layout.

    Returns
    -------
    PrintSummary

    Raises
    ------
    FaultyFileError
        Where the workbook has faults.
    LayoutError
        Where the exam does not fit the paper, another layout is in use, or there is neither
        a roster nor a number of blank sheets.
    """
    folder = ExamFolder(Path(root))
    exam = load_exam(folder.root)
    layout = build_layout(exam, options)
    if folder.layout.exists() and not rebuild:
        in_use = load_layout(folder.layout)
        if in_use.version != layout.version:
            raise LayoutError(
                f"the sheets would change: layout {in_use.version} is in use, this would be "
                f"{layout.version}. If no sheet of {in_use.version} has been handed out, run "
                "inkmark sheets again with --rebuild; else undo the change of the items or "
                "of the paper."
            )
    save_layout(layout, folder.layout)
    folder.sheets.mkdir(exist_ok=True)
    files = []
    if blank:
        serials = [_serial() if len(layout.pages) > 1 else "" for _ in range(blank)]
        files.append(folder.sheets / "blank.pdf")
        print_sheets(layout, exam, files[0], serials=serials)
    elif not exam.candidates:
        raise LayoutError(
            "the exam has no roster. Fill in the roster, or print blank sheets: --blank 40"
        )
    else:
        classes: dict[tuple[str, str], list[Candidate]] = {}
        for candidate in exam.candidates:
            classes.setdefault((candidate.school, candidate.class_name), []).append(candidate)
        names = file_names(classes)
        for one, people in classes.items():
            files.append(folder.sheets / f"{names[one]}.pdf")
            print_sheets(layout, exam, files[-1], people)
    return PrintSummary(folder.layout, layout.version, len(layout.pages), tuple(files))


def _serial() -> str:
    """Give a serial number that no other printed sheet has: 50 random bits."""
    return "".join(secrets.choice(_SERIAL_LETTERS) for _ in range(10))
