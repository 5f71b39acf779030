"""The identities workbook: sheets of which it is not known whose they are, and a place to say.

The workbook goes to a person and comes back. Each row carries the image it is about, so
rows may be sorted, filtered or deleted; an empty cell decides nothing.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, PatternFill

from inkmark.errors import Fault, FaultyFileError
from inkmark.exam.tables import Table, half_width, read_workbook
from inkmark.reports._columns import find_columns
from inkmark.reports._xlsx import (
    MOST_PICTURES,
    add_picture,
    save_workbook,
    set_up_table,
    write_text,
)
from inkmark.reports.words import words

__all__ = ["NOBODY", "IdentityChoice", "IdentityRow", "load_identities", "write_identities"]

NOBODY = ("-", "nobody", "无", "无人", "名单外")
"""Any of these says that a sheet is nobody's."""

_COLUMNS = ("name picture", "number picture", "whose", "guesses", "reason", "note", "source",
            "image")  # fmt: skip
_WIDTHS = (34, 60, 16, 34, 40, 24, 28, 20)
_MOST_PX = {"name picture": (230, 90), "number picture": (410, 260)}
_LINE_HEIGHT = 15
_SHEET = "identities"
_TO_DECIDE = PatternFill("solid", fgColor="FFF6D6")


@dataclass(frozen=True, slots=True)
class IdentityRow:
    """A sheet that a person should look at.

    Attributes
    ----------
    source : str
        The scanned file and page.
    image : str
        Which image it is; it comes back with the decision.
    reason : str
        Why it is not known whose sheet it is.
    guesses : tuple of (str, str, float)
        Candidate number, name and probability, likeliest first; an empty number stands for
        nobody on the roster.
    name_picture, number_picture : bytes
        Crops as PNG; empty where there is none.
    """

    source: str
    image: str
    reason: str
    guesses: tuple[tuple[str, str, float], ...]
    name_picture: bytes
    number_picture: bytes


@dataclass(frozen=True, slots=True)
class IdentityChoice:
    """Whose sheet it is by a person.

    Attributes
    ----------
    image : str
    candidate : str
        Empty for nobody's.
    note : str
        What the person wrote beside it.
    place : str
        The cell that says so.
    """

    image: str
    candidate: str
    note: str
    place: str


def write_identities(rows: Sequence[IdentityRow], path: Path | str, language: str) -> None:
    """Write the identities workbook.

    Parameters
    ----------
    rows : sequence of IdentityRow
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
    for number, row in enumerate(rows, start=2):
        guesses = [
            f"{f'{candidate} {name}'.strip() or w['nobody']} ({_percent(p)})"
            for candidate, name, p in row.guesses
        ]
        texts = {
            "guesses": "\n".join(guesses),
            "reason": row.reason,
            "source": row.source,
            "image": row.image,
        }
        for key, text in texts.items():
            cell = write_text(sheet.cell(number, column[key]), text)
            cell.alignment = Alignment(vertical="center", wrap_text=True)
        for key in ("whose", "note"):
            cell = sheet.cell(number, column[key])
            cell.number_format, cell.fill = "@", _TO_DECIDE
            cell.alignment = Alignment(vertical="center", wrap_text=key == "note")
        heights = [_LINE_HEIGHT * max(len(guesses), 4)]
        # Two pictures a row.
        shown = number - 2 < MOST_PICTURES // 2
        pictures = {"name picture": row.name_picture, "number picture": row.number_picture}
        for key, picture in pictures.items():
            own = picture if shown else b""
            add_picture(sheet, number, column[key], own, _MOST_PX[key])
            heights.append(sheet.row_dimensions[number].height)
        sheet.row_dimensions[number].height = max(heights)
    save_workbook(book, path)


def load_identities(
    path: Path | str, candidates: Container[str] | None, images: Container[str]
) -> tuple[IdentityChoice, ...]:
    """Read the decisions out of an identities workbook.

    Parameters
    ----------
    path : Path or str
    candidates : container of str, or None
        The candidate numbers of the exam; None where anybody may come.
    images : container of str
        The images that were read.

    Returns
    -------
    tuple of IdentityChoice
        Of the rows with a decision, in their order.

    Raises
    ------
    FaultyFileError
        With every row whose decision cannot be taken at its word: a candidate that the exam
        does not have, a row that has lost its image or names one that was not read, two
        decisions about one image.
    """
    file = Path(path)
    (table,) = read_workbook(file, (_SHEET,)) or (Table(_SHEET, (), ()),)
    columns = find_columns(file, table, _COLUMNS, ("whose", "image"))
    faults: list[Fault] = []
    found: dict[str, IdentityChoice] = {}
    for row in table.rows:
        cells = {key: row[place] for key, place in columns.items() if place < len(row)}
        whose = cells.get("whose")
        if whose is None or whose.is_empty:
            continue
        spoilt = [cells[k] for k in ("whose", "note", "image") if k in cells and cells[k].fault]
        if spoilt:
            faults += [Fault(cell.place, cell.fault) for cell in spoilt]
            continue
        image = cells["image"].text if "image" in cells else ""
        text = half_width(whose.text).strip()
        candidate = "" if text.casefold() in NOBODY else text
        if not image:
            faults.append(Fault(whose.place, "the row has lost its image"))
        elif image not in images:
            message = f"no image “{image}” was read; take the row out, or read the scan first"
            faults.append(Fault(cells["image"].place, message))
        elif candidate and candidates is not None and candidate not in candidates:
            message = f"the exam has no candidate “{text}”; correct it, or write - for nobody"
            faults.append(Fault(whose.place, message))
        elif image in found and found[image].candidate != candidate:
            faults.append(Fault(whose.place, "another row says otherwise about this sheet"))
        else:
            note = cells["note"].text if "note" in cells else ""
            found.setdefault(image, IdentityChoice(image, candidate, note, whose.place))
    if faults:
        raise FaultyFileError(file, faults)
    return tuple(found.values())


def _percent(p: float) -> str:
    return f"{Decimal(str(p)) * 100:.1f} %"
