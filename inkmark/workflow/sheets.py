"""A new exam folder, and its sheets to print."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from inkmark.errors import LayoutError
from inkmark.exam import Candidate, Exam, ExamFolder, load_exam, write_template
from inkmark.files import file_names
from inkmark.layouts import (
    AnswerForm,
    BoxFrame,
    BubbleShape,
    FullBox,
    NumberForm,
    SheetLayout,
    SheetOptions,
    build_layout,
    form_differences,
    item_differences,
    load_layout,
    print_sheets,
    save_layout,
    sheet_options,
)

__all__ = ["PrintSummary", "create_exam", "print_exam"]


_SERIAL_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

_MADE_BY_US = b"/Creator (inkmark)"
"""In every PDF file that `print_sheets` writes."""


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
    removed : tuple of Path
        PDF files of the layout before, which must not be printed any more.
    """

    layout: Path
    version: str
    n_pages: int
    files: tuple[Path, ...]
    removed: tuple[Path, ...]


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
    *,
    paper: str | None = None,
    sides: int | None = None,
    columns: int | None = None,
    bubble_style: BubbleShape | None = None,
    full_box: FullBox | None = None,
    number: NumberForm | None = None,
    answers: AnswerForm | None = None,
    frame: BoxFrame | None = None,
    marker_boxes: bool | None = None,
    blank: int = 0,
    rebuild: bool = False,
) -> PrintSummary:
    """Print the sheets of an exam, which are laid out first where they are not yet.

    A layout that is there is used as it is, as long as it fits the items, the roster and what
    is asked for here.

    Parameters
    ----------
    root : Path or str
        The exam folder.
    paper, sides, columns, bubble_style, full_box, number, answers, frame, marker_boxes : optional
        See `inkmark.layouts.SheetOptions`, which has the defaults of new layouts. What is not
        given stays as it is in the layout that is there.
    blank : int
        Print so many sheets without a name instead of one a candidate. They bear serial
        numbers, which hold the pages of a sheet together and tell two sheets from two images
        of one: they must not be copied. A single sheet of one page bears none, for copying.
    rebuild : bool
        Build the layout again. Where it comes out different, sheets printed before can no
        longer be read with the folder's layout, and their PDF files in the folder's ``sheets``
        are removed; files that inkmark did not write stay.

    Returns
    -------
    PrintSummary

    Raises
    ------
    FaultyFileError
        Where the workbook has faults.
    LayoutError
        Where the exam does not fit the paper or the layout that is there, or there is neither
        a roster nor a number of blank sheets.
    """
    folder = ExamFolder(Path(root))
    exam = load_exam(folder.root)
    if not blank and not exam.candidates:
        raise LayoutError(
            "the exam has no roster. Fill in the roster, or print blank sheets: --blank 40"
        )
    asked = {
        "paper": paper,
        "sides": sides,
        "columns": columns,
        "bubble_style": bubble_style,
        "full_box": full_box,
        "number": number,
        "answers": answers,
        "frame": frame,
        "marker_boxes": marker_boxes,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    in_use = _layout_in_use(folder, rebuild=rebuild)
    layout = in_use
    if layout is None or rebuild:
        layout = build_layout(exam, _options(in_use, given))
    else:
        _check_fit(layout, exam, _options(layout, given))
    removed: tuple[Path, ...] = ()
    if in_use is None or layout.version != in_use.version:
        removed = _remove_sheets(folder)
        save_layout(layout, folder.layout)
    folder.sheets.mkdir(exist_ok=True)
    files = []
    if blank:
        is_master = blank == 1 and len(layout.pages) == 1
        serials = [""] if is_master else [_serial() for _ in range(blank)]
        files.append(folder.sheets / "blank.pdf")
        print_sheets(layout, exam, files[0], serials=serials)
    else:
        classes: dict[tuple[str, str], list[Candidate]] = {}
        for candidate in exam.candidates:
            classes.setdefault((candidate.school, candidate.class_name), []).append(candidate)
        names = file_names(classes)
        for one, people in classes.items():
            files.append(folder.sheets / f"{names[one]}.pdf")
            print_sheets(layout, exam, files[-1], people)
    return PrintSummary(folder.layout, layout.version, len(layout.pages), tuple(files), removed)


def _layout_in_use(folder: ExamFolder, *, rebuild: bool) -> SheetLayout | None:
    if not folder.layout.exists():
        return None
    try:
        return load_layout(folder.layout)
    except LayoutError:
        if rebuild:
            return None  # nobody needs to read what is to be replaced
        raise


def _options(in_use: SheetLayout | None, given: dict[str, Any]) -> SheetOptions:
    """What is given, and else the form of the layout in use."""
    options = (sheet_options(in_use) if in_use is not None else None) or SheetOptions()
    if given.get("paper", options.paper) != options.paper:
        options = replace(options, columns=None)  # the columns were for the other paper
    return replace(options, **given)


def _check_fit(layout: SheetLayout, exam: Exam, options: SheetOptions) -> None:
    differences = (*form_differences(layout, exam, options), *item_differences(layout, exam))
    if differences:
        raise LayoutError(
            f"layout {layout.version} is in use and does not fit: {'; '.join(differences)}. "
            "To print more sheets of it, undo that in exam.xlsx or in the command. If none of "
            "its sheets has been handed out, run inkmark sheets again with --rebuild, which "
            "makes a new layout and removes the PDF files of this one."
        )


def _remove_sheets(folder: ExamFolder) -> tuple[Path, ...]:
    """Remove the PDF files that were printed by another layout."""
    ours = tuple(
        path
        for path in sorted(folder.sheets.glob("*.pdf"))
        if path.is_file() and _MADE_BY_US in path.read_bytes()
    )
    for path in ours:
        path.unlink()
    return ours


def _serial() -> str:
    """Give a serial number that no other printed sheet has: 50 random bits."""
    return "".join(secrets.choice(_SERIAL_LETTERS) for _ in range(10))
