"""What all workbooks share: safe text, one look, and bytes that depend on content only."""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from collections.abc import Collection, Sequence
from decimal import Decimal
from pathlib import Path
from typing import cast

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell, WriteOnlyCell
from openpyxl.drawing.image import Image as Picture
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet
from openpyxl.worksheet.worksheet import Worksheet

from inkmark.exam.template import set_up_page
from inkmark.files import write_whole

__all__ = [
    "INDEX",
    "MEAN",
    "MOST_PICTURES",
    "SHARE",
    "Formatted",
    "Value",
    "add_picture",
    "add_sheet",
    "save_workbook",
    "set_up_table",
    "style_header",
    "write_text",
]

MEAN = "0.00"
INDEX = "0.00"
SHARE = "0.0%"

MOST_PICTURES = 4000
"""Pictures in one workbook; later rows have none, which keeps the file readable."""

Value = str | int | Decimal | None
Formatted = tuple[Value, str]
"""A value and its number format."""

_HEADER_FONT = Font(bold=True, color="FFFFFF")
_HEADER_FILL = PatternFill("solid", fgColor="1B2A41")
_HEADER_ALIGNMENT = Alignment(vertical="center", wrap_text=True)
_WIDEST = 44
_MOMENT = (1980, 1, 1, 0, 0, 0)
_SAVED_AT = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms:)")


def write_text(cell: Cell, text: str) -> Cell:
    """Put text into a cell so that it is never computed, whatever it begins with."""
    cell.value = ILLEGAL_CHARACTERS_RE.sub(" ", text)
    if text.startswith(("=", "+", "-", "@", "\t", "\r")):
        cell.data_type = "s"
        # Stays text even where somebody edits the cell.
        cell.quotePrefix = True
    return cell


def style_header(cell: Cell) -> Cell:
    """Make a cell look like a column heading."""
    cell.font, cell.fill, cell.alignment = _HEADER_FONT, _HEADER_FILL, _HEADER_ALIGNMENT
    return cell


def add_picture(
    sheet: Worksheet, row: int, column: int, picture: bytes, most_px: tuple[int, int]
) -> None:
    """Lay a picture over a cell, made smaller where it is too large, and make its row fit.

    Parameters
    ----------
    sheet : Worksheet
    row, column : int
        From 1.
    picture : bytes
        PNG or JPEG; empty for a row without one.
    most_px : (int, int)
        Width and height.
    """
    height = 20
    if picture:
        drawn = Picture(io.BytesIO(picture))
        scale = min(most_px[0] / drawn.width, most_px[1] / drawn.height, 1.0)
        drawn.width = max(1, round(drawn.width * scale))
        drawn.height = max(1, round(drawn.height * scale))
        sheet.add_image(drawn, f"{get_column_letter(column)}{row}")
        height = max(height, round(drawn.height * 0.75) + 4)
    sheet.row_dimensions[row].height = height


def add_sheet(
    book: Workbook,
    title: str,
    header: Sequence[str],
    rows: Sequence[Sequence[Value | Formatted]],
    *,
    frozen_columns: int = 1,
) -> None:
    """Add a sheet with a header row that stays in view and filters.

    Parameters
    ----------
    book : Workbook
        Opened for writing only.
    title : str
    header : sequence of str
    rows : sequence of sequence of value or (value, number format)
    frozen_columns : int
        Columns on the left that stay in view.
    """
    sheet = book.create_sheet(title)
    widths = [_width(text) + 2.5 for text in header]
    for row in rows:
        for place, value in enumerate(row):
            shown = value[0] if isinstance(value, tuple) else value
            if shown is not None:
                widths[place] = max(widths[place], _width(str(shown)) + 1.5)
    for place, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = min(width, _WIDEST)
    set_up_page(sheet, f"{get_column_letter(frozen_columns + 1)}2")
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(header))}{len(rows) + 1}"
    sheet.append([style_header(write_text(WriteOnlyCell(sheet), text)) for text in header])
    for row in rows:
        sheet.append([_cell(sheet, value) for value in row])


def set_up_table(
    sheet: Worksheet,
    titles: Sequence[tuple[str, float]],
    n_rows: int,
    *,
    hidden: Collection[int] = (),
) -> None:
    """Write the headings of a table for people to fill in, which stay in view and filter.

    Parameters
    ----------
    sheet : Worksheet
    titles : sequence of (str, float)
        Heading and width of each column.
    n_rows : int
        Rows below the headings.
    hidden : collection of int
        Columns that are not shown, from 1.
    """
    for place, (title, width) in enumerate(titles, start=1):
        style_header(write_text(cast("Cell", sheet.cell(1, place)), title))
        sheet.column_dimensions[get_column_letter(place)].width = width
        sheet.column_dimensions[get_column_letter(place)].hidden = place in hidden
    set_up_page(sheet, "A2")
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(titles))}{n_rows + 1}"


def save_workbook(book: Workbook, path: Path | str) -> None:
    """Write a workbook, whole or not at all; equal contents give equal bytes.

    openpyxl stamps the moment of saving into the file; it is taken out again.
    """
    fresh, stable = io.BytesIO(), io.BytesIO()
    book.save(fresh)
    with (
        zipfile.ZipFile(fresh) as source,
        zipfile.ZipFile(stable, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename == "docProps/core.xml":
                content = _SAVED_AT.sub(rb"\g<1>1980-01-01T00:00:00Z\g<3>", content)
            target.writestr(zipfile.ZipInfo(entry.filename, _MOMENT), content, zipfile.ZIP_DEFLATED)
    write_whole(path, stable.getvalue())


def _cell(sheet: WriteOnlyWorksheet, value: Value | Formatted) -> Cell | float | None:
    value, number_format = value if isinstance(value, tuple) else (value, "")
    if isinstance(value, str):
        return write_text(WriteOnlyCell(sheet), value)
    if value is None:
        return None
    # The nearest float of so few digits is shown and stored with just these digits.
    number = int(value) if value == int(value) else float(value)
    if not number_format:
        return number
    cell = WriteOnlyCell(sheet, number)
    cell.number_format = number_format
    return cell


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
