"""The review workbook: doubtful readings with their pictures, and a place to decide.

The workbook goes to a person and comes back. Each row carries the candidate and the field
it is about, so rows may be sorted, filtered or deleted; an empty decision decides nothing.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation

from inkmark.errors import Fault, FaultyFileError
from inkmark.exam import canonical_value
from inkmark.exam.columns import suggestion
from inkmark.exam.tables import Cell, Table, half_width, read_workbook
from inkmark.exam.values import BLANK_WORDS, number_text, one_line, parse_number
from inkmark.layouts import (
    CHARSETS,
    AnswerField,
    AreaField,
    BubbleField,
    CodeField,
    Role,
    SheetLayout,
)
from inkmark.reports._columns import find_columns
from inkmark.reports._xlsx import (
    MOST_PICTURES,
    SHARE,
    add_picture,
    save_workbook,
    set_up_table,
    write_text,
)
from inkmark.reports.figures import share
from inkmark.reports.words import words

__all__ = [
    "BLANK",
    "ReviewDecision",
    "ReviewRow",
    "load_review",
    "review_fields",
    "review_options",
    "write_review",
]

BLANK = "-"
"""Decides that a field is blank, as the words of `BLANK_WORDS` do."""

_COLUMNS = ("candidate", "name", "item", "picture", "decision", "choices", "read value",
            "confidence", "reason", "note", "source", "field", "image")  # fmt: skip
_WIDTHS = (14, 14, 10, 40, 14, 14, 12, 10, 34, 24, 28, 12, 20)
_MOST_PX = (270, 88)
_SHEET = "review"
_TO_DECIDE = PatternFill("solid", fgColor="FFF6D6")


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A reading that a person should look at.

    Attributes
    ----------
    candidate, name : str
    field : str
        Name of the field in the layout.
    item : str
        The item it answers; empty for another field.
    value : str
        What the reader saw.
    confidence : float
        0 to 1.
    reason : str
        Why somebody should look, in words for people.
    source : str
        The scanned file and page.
    image : str
        Which image the picture is cut from; it comes back with the decision.
    options : tuple of str
        Option labels that a decision may name.
    multiple : bool
        Whether the item allows several options. A decision may name several in any case: it
        says what is on the paper.
    picture : bytes
        The crop as PNG or JPEG; empty where there is none.
    """

    candidate: str
    name: str
    field: str
    item: str
    value: str
    confidence: float
    reason: str
    source: str
    image: str
    options: tuple[str, ...]
    multiple: bool
    picture: bytes


@dataclass(frozen=True, slots=True)
class ReviewDecision:
    """What a person decided about a field.

    Attributes
    ----------
    candidate, field : str
    value : str
        In the form of `FieldReading.value`; empty for blank.
    note : str
        What the person wrote beside it.
    image : str
        The image that was looked at; empty where the row does not say.
    """

    candidate: str
    field: str
    value: str
    note: str
    image: str = ""


def write_review(rows: Sequence[ReviewRow], path: Path | str, language: str) -> None:
    """Write the review workbook.

    Parameters
    ----------
    rows : sequence of ReviewRow
        In the order in which they should be looked at.
    path : Path or str
        Written whole or not at all; equal rows give equal bytes.
    language : str
        ``"zh"`` or ``"en"``.

    Raises
    ------
    OSError
        Where the file cannot be written.
    """
    w = words(language)
    book = Workbook()
    book.remove(book.worksheets[0])
    sheet = book.create_sheet(_SHEET)
    titles = [(w[key], width) for key, width in zip(_COLUMNS, _WIDTHS, strict=True)]
    set_up_table(sheet, titles, len(rows), hidden=[len(_COLUMNS)])
    column = {key: place for place, key in enumerate(_COLUMNS, start=1)}
    checks: dict[tuple[str, ...], DataValidation] = {}
    for number, row in enumerate(rows, start=2):
        texts = {
            "candidate": row.candidate,
            "name": row.name,
            "item": row.item or row.field,
            "choices": _choices(row),
            "read value": row.value or w["blank option"],
            "reason": row.reason,
            "source": row.source,
            "field": row.field,
            "image": row.image,
        }
        for key, text in texts.items():
            cell = write_text(sheet.cell(number, column[key]), text)
            cell.alignment = Alignment(vertical="center", wrap_text=key in ("reason", "source"))
        confidence = sheet.cell(number, column["confidence"], share(row.confidence))
        confidence.number_format = SHARE
        confidence.alignment = Alignment(vertical="center")
        for key in ("decision", "note"):
            cell = sheet.cell(number, column[key])
            cell.number_format, cell.fill = "@", _TO_DECIDE
            cell.alignment = Alignment(vertical="center", wrap_text=key == "note")
        listed = f'"{",".join((*row.options, BLANK))}"'
        # Excel takes a list of at most 255 characters.
        if row.options and not row.multiple and len(listed) <= 255:
            if row.options not in checks:
                checks[row.options] = DataValidation("list", formula1=listed, allow_blank=True)
                checks[row.options].error = w["decide single"]
                # A warning only: several marks on the paper may be confirmed as they are.
                checks[row.options].errorStyle = "warning"
                checks[row.options].showErrorMessage = True
                sheet.add_data_validation(checks[row.options])
            checks[row.options].add(sheet.cell(number, column["decision"]).coordinate)
        picture = row.picture if number - 2 < MOST_PICTURES else b""
        add_picture(sheet, number, column["picture"], picture, _MOST_PX)
    save_workbook(book, path)


def review_fields(layout: SheetLayout) -> dict[str, AnswerField]:
    """Give the fields that a person may decide: items, absent marks, and markers' points."""
    found: dict[str, AnswerField] = {}
    for field in layout.fields():
        if isinstance(field, CodeField):
            continue
        of_candidate = field.role in (Role.ITEM, Role.ABSENT) and not isinstance(field, AreaField)
        if of_candidate or field.role.is_of_marker:
            found[field.name] = field
    return found


def review_options(field: AnswerField) -> tuple[str, ...]:
    """Give the labels that a decision about a field may name; none where it may be any text."""
    if isinstance(field, BubbleField):
        return field.options
    if isinstance(field, AreaField):
        return ()
    return () if field.is_line or field.charset in CHARSETS else tuple(field.charset)


def load_review(
    path: Path | str, layout: SheetLayout, candidates: Container[str]
) -> tuple[ReviewDecision, ...]:
    """Read the decisions out of a review workbook.

    Parameters
    ----------
    path : Path or str
    layout : SheetLayout
        Says which fields may be decided, and which options they have.
    candidates : container of str
        The candidate numbers of the exam.

    Returns
    -------
    tuple of ReviewDecision
        Of the rows with a decision, in their order.

    Raises
    ------
    FaultyFileError
        With every row whose decision cannot be taken at its word: a candidate or a field
        that the exam does not have, an option that the field does not have, two decisions
        about one field.
    """
    file = Path(path)
    (table,) = read_workbook(file, (_SHEET,)) or (Table(_SHEET, (), ()),)
    columns = find_columns(file, table, _COLUMNS, ("candidate", "field", "decision"))
    fields = review_fields(layout)
    faults: list[Fault] = []
    found: dict[tuple[str, str], ReviewDecision] = {}
    for row in table.rows:
        cells = {key: row[place] for key, place in columns.items() if place < len(row)}
        decision = cells.get("decision")
        if decision is None or decision.is_empty:
            continue
        try:
            decided = _decide(cells, decision, fields, candidates)
        except _FaultyError as error:
            faults.append(error.fault)
            continue
        earlier = found.setdefault((decided.candidate, decided.field), decided)
        if earlier.value != decided.value:
            message = "another row decides differently about this field; keep one of them"
            faults.append(Fault(decision.place, message))
    if faults:
        raise FaultyFileError(file, faults)
    return tuple(found.values())


def _points(text: str) -> str:
    number = parse_number(text)
    if number is None or number < 0:
        raise ValueError(f"“{text}” is no number of points; enter one such as 7 or 7.5")
    return number_text(number)


class _FaultyError(Exception):
    """A row that cannot be taken at its word; never leaves this module."""

    def __init__(self, cell: Cell, message: str) -> None:
        super().__init__(message)
        self.fault = Fault(cell.place, message)


def _choices(row: ReviewRow) -> str:
    """Options as they are shown: ``A / B``, or ``A + B`` where the item allows several."""
    return (" + " if row.multiple else " / ").join(row.options)


def _decide(
    cells: Mapping[str, Cell],
    decision: Cell,
    fields: Mapping[str, AnswerField],
    candidates: Container[str],
) -> ReviewDecision:
    for cell in cells.values():
        if cell.fault:
            raise _FaultyError(cell, cell.fault)
    candidate, name = cells["candidate"].text, cells["field"].text
    if not candidate or not name:
        raise _FaultyError(decision, "the row has lost its candidate or its field")
    if candidate not in candidates:
        message = f"the exam has no candidate “{candidate}”; delete the row or correct the number"
        raise _FaultyError(cells["candidate"], message)
    field = fields.get(name)
    if field is None:
        message = f"the sheets have no field “{name}” to decide{suggestion(name, fields)}"
        raise _FaultyError(cells["field"], message)
    text = half_width(decision.text).strip()
    options = review_options(field)
    try:
        if text == BLANK or text.casefold() in BLANK_WORDS.values():
            value = ""
        elif field.role.is_of_marker:
            value = _points(text)
        elif decision.date is not None:
            message = "Excel made a date of it; format the cell as text and type it again"
            raise _FaultyError(decision, message)
        else:
            value = canonical_value(text, options) if options else one_line(decision.text)
    except ValueError as error:
        raise _FaultyError(decision, str(error)) from error
    note = cells["note"].text if "note" in cells else ""
    image = cells["image"].text if "image" in cells else ""
    return ReviewDecision(candidate, name, value, note, image)
