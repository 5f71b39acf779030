"""Cells of workbooks and CSV files as the text a person sees, with their places.

The files come from outside: sizes are checked before anything is unpacked, formulas are
never computed, and what cannot be taken at its word becomes a fault with its place.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from inkmark.errors import Fault, FaultyFileError

__all__ = [
    "MAX_COLUMNS",
    "MAX_ROWS",
    "Cell",
    "Row",
    "Table",
    "fold",
    "half_width",
    "read_csv",
    "read_workbook",
]

MAX_ROWS = 200_000
"""Rows read from one sheet or CSV file; more is a fault."""
MAX_COLUMNS = 256
"""Columns read from one sheet or CSV file; more is a fault."""

_MAX_FILE_BYTES = 64 << 20
_MAX_UNPACKED_BYTES = 256 << 20
_MAX_PARTS = 5_000
_EXCEL_ROWS = 1_048_576
_EXCEL_DIGITS = 15

T = TypeVar("T")

# openpyxl lets whatever its parts raise on a damaged file come through.
_DAMAGED = (
    InvalidFileException,
    ParseError,
    zipfile.BadZipFile,
    zlib.error,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
_NO_STORED_VALUE = (
    "a formula without a stored value; open the workbook in Excel and save it, or type the value"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Attributes
    ----------
    place : str
        ``items!C7``; in a CSV file ``roster.csv line 12, column 3``.
    text : str
        What the cell shows, without surrounding blanks; empty for an empty cell.
    date : datetime.date or None
        For a cell that holds a date; `text` is then its ISO form.
    fault : str
        Why the cell cannot be taken at its word; empty for a sound cell.
    """

    place: str
    text: str = ""
    date: dt.date | None = None
    fault: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in the cell."""
        return not self.text and not self.fault


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a sheet or CSV file that hold anything.

    Attributes
    ----------
    name : str
        Title of the sheet, or name of the CSV file.
    header : tuple of Cell
        The first row that holds anything; empty in an empty table.
    rows : tuple of tuple of Cell
        The rows below it, each as long as the widest row.
    """

    name: str
    header: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a row by the names of their columns, and where faults go."""

    cells: Mapping[str, Cell]
    faults: list[Fault]

    def fault(self, name: str, message: str) -> None:
        """Note a fault of a cell."""
        self.faults.append(Fault(self.cells[name].place, message))

    def read(self, name: str, parse: Callable[[str], T], default: T, needed: str = "") -> T:
        """Parse a cell; note a fault where it cannot be, or is empty though `needed`.

        `needed` says what is missing and what would be right; where it is empty, the cell
        may be empty as well and gives the default. `parse` raises ValueError with what is
        wrong.
        """
        cell = self.cells.get(name)
        if cell is None:
            return default
        if cell.fault or (needed and cell.is_empty):
            self.fault(name, cell.fault or needed)
        elif cell.date is not None:
            self.fault(name, "Excel made a date of it; format the cell as text and type it again")
        elif cell.text:
            try:
                return parse(cell.text)
            except ValueError as error:
                self.fault(name, str(error))
        return default


def read_workbook(path: Path, wanted: Iterable[str] | None = None) -> tuple[Table, ...]:
    """Read the sheets of an Excel workbook (.xlsx).

    Parameters
    ----------
    path : Path
    wanted : iterable of str, optional
        Titles of the sheets to read, compared without case and blanks; all by default.

    Returns
    -------
    tuple of Table
        In the order of the workbook. Cells with a formula have the value that Excel
        stored last, or a fault where none is stored.

    Raises
    ------
    FaultyFileError
        Where the file is missing, no workbook, or larger than any exam.
    """
    content = _read_bytes(path)
    _check_archive(path, content)
    titles = None if wanted is None else {fold(title) for title in wanted}
    formulas: dict[tuple[str, int], set[int]] = {}
    try:
        tables = _read_sheets(path, content, titles, formulas, stored_values=False)
        if formulas:
            tables = _read_sheets(path, content, titles, formulas, stored_values=True)
    except _DAMAGED as error:
        raise _faulty(
            path,
            f"this is no sound Excel workbook ({type(error).__name__}); open it in Excel and "
            "save it as .xlsx again",
        ) from error
    return tables


def read_csv(path: Path) -> Table:
    """Read a CSV file: UTF-8 with or without BOM, or GB18030; comma, semicolon or tab.

    Raises
    ------
    FaultyFileError
        Where the file is missing, too large, or no text in one of these encodings.
    """
    text = _decode(path, _read_bytes(path))
    first_line = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(",;\t", key=first_line.count)

    def place(line: int, column: int) -> str:
        return f"{path.name} line {line}, column {column + 1}"

    rows: list[tuple[int, list[Cell]]] = []
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    try:
        for values in reader:
            if len(rows) > MAX_ROWS or len(values) > MAX_COLUMNS:
                raise _faulty(path, f"more than {MAX_ROWS} rows or {MAX_COLUMNS} columns")
            line = reader.line_num
            rows.append(
                (line, [_text_cell(place(line, i), value) for i, value in enumerate(values)])
            )
    except csv.Error as error:
        raise FaultyFileError(
            path, [Fault(f"line {reader.line_num}", f"{error}; save the table as CSV again")]
        ) from error
    return _table(path.name, rows, place)


def fold(text: str) -> str:
    """A name without what people vary: case, blanks, full-width forms, ``_`` and ``-``."""
    return re.sub(r"[\s_\-*]+", "", half_width(text)).casefold()


def half_width(text: str) -> str:
    """Full-width ASCII forms and the ideographic blank as plain ASCII; the rest as it is."""
    return text.translate(_HALF_WIDTH)


_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xA0: 0x20}


def _faulty(path: Path, message: str) -> FaultyFileError:
    return FaultyFileError(path, [Fault(path.name, message)])


def _read_bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise _faulty(path, f"larger than {_MAX_FILE_BYTES >> 20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise _faulty(path, f"cannot be opened: {error.strerror or error}") from error


def _decode(path: Path, data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _faulty(path, "neither UTF-8 nor GB18030 text; save it as “CSV UTF-8”")


def _check_archive(path: Path, content: bytes) -> None:
    """Refuse what is no zip archive or would unpack to more than any exam needs.

    The declared sizes can be trusted as limits: zipfile never unpacks more of a part than
    its declared size.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise _faulty(
            path,
            "this is no .xlsx workbook; an old .xls file or one with a password must be saved "
            "as .xlsx without a password",
        ) from error
    if len(parts) > _MAX_PARTS or sum(part.file_size for part in parts) > _MAX_UNPACKED_BYTES:
        raise _faulty(path, f"unpacks to more than {_MAX_UNPACKED_BYTES >> 20} MiB")


def _read_sheets(
    path: Path,
    content: bytes,
    titles: set[str] | None,
    formulas: dict[tuple[str, int], set[int]],
    *,
    stored_values: bool,
) -> tuple[Table, ...]:
    """Read the sheets: once to note the formulas by sheet and row, once for their values."""
    tables = []
    with warnings.catch_warnings():
        # openpyxl warns of styles and extensions that it does not keep; only values count here.
        warnings.simplefilter("ignore")
        workbook = openpyxl.load_workbook(
            io.BytesIO(content), read_only=True, data_only=stored_values, keep_links=False
        )
        with closing(workbook):
            for sheet in workbook.worksheets:
                if titles is None or fold(sheet.title) in titles:
                    sheet.reset_dimensions()
                    tables.append(_read_sheet(path, sheet, formulas))
    return tuple(tables)


def _read_sheet(path: Path, sheet: Any, formulas: dict[tuple[str, int], set[int]]) -> Table:
    title: str = sheet.title

    def place(row: int, column: int) -> str:
        return f"{title}!{get_column_letter(column + 1)}{row}"

    rows: list[tuple[int, list[Cell]]] = []
    n_cells = 0
    for number, raw in enumerate(sheet.iter_rows(), start=1):
        # Rows reach as far as their last cell, which may be empty and far to the right.
        n_cells += len(raw)
        if number > _EXCEL_ROWS or n_cells > MAX_ROWS * MAX_COLUMNS:
            raise _faulty(path, f"sheet {title} has more rows or cells than any exam")
        filled = {index for index, cell in enumerate(raw) if cell.value is not None}
        without_value = formulas.get((title, number), set()) - filled
        if not filled and not without_value:
            continue
        if number > MAX_ROWS:
            raise _faulty(path, f"sheet {title} has more than {MAX_ROWS} rows")
        last = max(filled | without_value)
        if last >= MAX_COLUMNS:
            raise FaultyFileError(
                path,
                [
                    Fault(
                        place(number, last),
                        f"stands beyond the {MAX_COLUMNS} columns that are read; move it beside "
                        "the other columns, or empty the cell",
                    )
                ],
            )
        computed = {index for index in filled if raw[index].data_type == "f"}
        if computed:
            formulas[title, number] = computed
        cells = [_excel_cell(place(number, i), raw[i]) for i in range(last + 1)]
        for index in without_value:
            cells[index] = Cell(place(number, index), fault=_NO_STORED_VALUE)
        rows.append((number, cells))
    return _table(title, rows, place)


def _table(
    name: str, rows: list[tuple[int, list[Cell]]], place: Callable[[int, int], str]
) -> Table:
    """Leave out empty rows, make the others as wide as the widest, split off the header."""
    filled = [(number, cells) for number, cells in rows if any(not c.is_empty for c in cells)]
    width = max(
        (i + 1 for _, cells in filled for i, cell in enumerate(cells) if not cell.is_empty),
        default=0,
    )
    table = tuple(
        (*cells[:width], *(Cell(place(number, i)) for i in range(len(cells), width)))
        for number, cells in filled
    )
    return Table(name, table[0] if table else (), table[1:])


def _text_cell(place: str, value: str) -> Cell:
    text = value.strip()
    if _CONTROL.search(text):
        return Cell(place, fault="holds control characters; type the cell again")
    return Cell(place, text)


def _excel_cell(place: str, cell: Any) -> Cell:
    value = cell.value
    if value is None:
        return Cell(place)
    if cell.data_type == "f":
        return Cell(place, fault=_NO_STORED_VALUE)  # the second reading finds the value
    if cell.data_type == "e":
        return Cell(place, fault=f"holds the error {value}; type the value")
    return _value_cell(place, value, cell.number_format)


def _value_cell(place: str, value: object, number_format: str | None) -> Cell:
    if isinstance(value, str):
        return _text_cell(place, value)
    if isinstance(value, bool):
        return Cell(place, "TRUE" if value else "FALSE")
    if isinstance(value, dt.datetime):
        return Cell(place, value.date().isoformat(), date=value.date())
    if isinstance(value, int | float):
        return _number_cell(place, value, number_format or "General")
    # A bare time of day or a duration: Excel's guess at something like 1:2.
    return Cell(place, fault=f"Excel made the time {value} of it; format the cell as text first")


def _number_cell(place: str, value: float, number_format: str) -> Cell:
    """A number as Excel shows it: at most 15 digits, zeros in front by a format like 0000."""
    if abs(value) >= 10**_EXCEL_DIGITS:
        return Cell(
            place,
            fault="a number of more than 15 digits, of which Excel keeps 15; format the cell as "
            "text and type it again",
        )
    text = format(Decimal(format(value, f".{_EXCEL_DIGITS}g")), "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if re.fullmatch("0+", number_format):
        text = text.zfill(len(number_format))
    return Cell(place, "0" if text == "-0" else text)
