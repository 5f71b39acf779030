"""The workbook of answer groups: alike answers with their pictures, and a place for points.

It goes to a marker and comes back. The sheet ``groups`` has a row a group, where its points
are entered and where it may be merged into another; the sheet ``answers`` shows each answer
under its group, and an answer is put into another group by typing that group's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import cast

from openpyxl import Workbook
from openpyxl.cell.cell import Cell as SheetCell
from openpyxl.styles import Alignment, PatternFill
from openpyxl.worksheet.worksheet import Worksheet

from inkmark.errors import Fault, FaultyFileError
from inkmark.exam import Exam, Item
from inkmark.exam.columns import suggestion
from inkmark.exam.tables import Cell, Table, half_width, read_workbook
from inkmark.exam.values import number_text, parse_number
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
    "GroupRow",
    "GroupedAnswer",
    "PlacedAnswer",
    "load_answer_groups",
    "write_answer_groups",
]

_GROUPS, _ANSWERS = "groups", "answers"
_GROUP_COLUMNS = (
    "item",
    "answer group",
    "answers",
    "says",
    "proposal",
    "group points",
    "merge",
    "note",
)
_ANSWER_COLUMNS = ("item", "answer group", "picture", "read value", "confidence", "group points",
                   "proposed group", "image")  # fmt: skip
_WIDTHS = {"item": 10, "answer group": 18, "picture": 40, "read value": 18, "says": 18,
           "proposal": 20, "merge": 18, "note": 28}  # fmt: skip
_HIDDEN = ("proposed group", "image")
_TO_FILL = PatternFill("solid", fgColor="FFF6D6")
_MOST_PX = (270, 48)


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group of answers to an item.

    Attributes
    ----------
    item, name : str
        The name is unique among the groups of the item.
    text : str
        What its answers say; empty where that is not known, or nothing.
    answers : int
    proposal : str
        What the key says of the text, in words for people.
    points : Decimal or None
        The points that the group has; None where nobody gave any.
    """

    item: str
    name: str
    text: str
    answers: int
    proposal: str
    points: Decimal | None


@dataclass(frozen=True, slots=True)
class GroupedAnswer:
    """An answer in its group.

    Attributes
    ----------
    item, group : str
    text : str
        What was read.
    probability : float
        That it says what its group says.
    points : Decimal or None
        Given to this answer in its group so far.
    image : str
        Which image the picture is cut from; it comes back with the points.
    picture : bytes
        The crop as PNG; empty where there is none.
    """

    item: str
    group: str
    text: str
    probability: float
    points: Decimal | None
    image: str
    picture: bytes


@dataclass(frozen=True, slots=True)
class PlacedAnswer:
    """What a marker made of an answer.

    Attributes
    ----------
    item, group : str
        The group it is in now.
    moved : bool
        Whether the marker put it there.
    points : Decimal or None
        Points of the group; None where none were entered.
    note : str
    image : str
        The image that was looked at.
    """

    item: str
    group: str
    moved: bool
    points: Decimal | None
    note: str
    image: str


def write_answer_groups(
    groups: Sequence[GroupRow],
    answers: Sequence[GroupedAnswer],
    path: Path | str,
    language: str,
) -> None:
    """Write the workbook.

    Parameters
    ----------
    groups : sequence of GroupRow
    answers : sequence of GroupedAnswer
        In the order in which they should be looked at: group after group.
    path : path-like
        Written whole or not at all; equal rows give equal bytes.
    language : str
        ``"zh"`` or ``"en"``.
    """
    w = words(language)
    book = Workbook()
    book.remove(book.worksheets[0])
    sheet = book.create_sheet(_GROUPS)
    _set_up(sheet, _GROUP_COLUMNS, len(groups), w)
    for number, group in enumerate(groups, start=2):
        _write(sheet, number, _GROUP_COLUMNS, {
            "item": group.item,
            "answer group": group.name,
            "answers": group.answers,
            "says": group.text,
            "proposal": group.proposal,
            "group points": group.points,
        })  # fmt: skip
        for key in ("group points", "merge", "note"):
            cell = sheet.cell(number, _GROUP_COLUMNS.index(key) + 1)
            cell.fill = _TO_FILL
            cell.number_format = "General" if key == "group points" else "@"
    sheet = book.create_sheet(_ANSWERS)
    _set_up(sheet, _ANSWER_COLUMNS, len(answers), w)
    at = _ANSWER_COLUMNS.index("picture") + 1
    for number, answer in enumerate(answers, start=2):
        _write(sheet, number, _ANSWER_COLUMNS, {
            "item": answer.item,
            "answer group": answer.group,
            "read value": answer.text,
            "confidence": share(answer.probability),
            "group points": answer.points,
            "proposed group": answer.group,
            "image": answer.image,
        })  # fmt: skip
        sheet.cell(number, _ANSWER_COLUMNS.index("confidence") + 1).number_format = SHARE
        cell = sheet.cell(number, _ANSWER_COLUMNS.index("answer group") + 1)
        cell.fill, cell.number_format = _TO_FILL, "@"
        picture = answer.picture if number - 2 < MOST_PICTURES else b""
        add_picture(sheet, number, at, picture, _MOST_PX)
    save_workbook(book, path)


def _set_up(sheet: Worksheet, columns: Sequence[str], n_rows: int, w: Mapping[str, str]) -> None:
    titles = [(w[key], _WIDTHS.get(key, 12)) for key in columns]
    hidden = [place for place, key in enumerate(columns, start=1) if key in _HIDDEN]
    set_up_table(sheet, titles, n_rows, hidden=hidden)


def _write(
    sheet: Worksheet,
    number: int,
    columns: Sequence[str],
    values: Mapping[str, str | int | Decimal | None],
) -> None:
    for place, key in enumerate(columns, start=1):
        value, cell = values.get(key), _cell(sheet, number, place)
        if isinstance(value, str):
            write_text(cell, value)
        elif value is not None:
            cell.value = int(value) if value == int(value) else float(value)
        cell.alignment = Alignment(vertical="center")


def _cell(sheet: Worksheet, row: int, column: int) -> SheetCell:
    """A cell of a sheet without merged cells."""
    return cast("SheetCell", sheet.cell(row, column))


def load_answer_groups(path: Path | str, exam: Exam) -> tuple[PlacedAnswer, ...]:
    """Read what a marker made of the groups.

    Parameters
    ----------
    path : path-like
    exam : Exam

    Returns
    -------
    tuple of PlacedAnswer
        Of every row of the answers, in their order.

    Raises
    ------
    FaultyFileError
        With every fault: an item that is not there, points outside of what the
        item gives, a group that is merged into itself, into one that is merged or into none.
    """
    file = Path(path)
    tables = {table.name: table for table in read_workbook(file, (_GROUPS, _ANSWERS))}
    faults: list[Fault] = []
    items = {item.number: item for item in exam.items}
    groups = _groups(file, tables.get(_GROUPS), items, faults)
    answers = _answers(file, tables.get(_ANSWERS), items, faults)
    if faults:
        raise FaultyFileError(file, faults)
    placed = []
    for answer in answers:
        group = groups.get((answer.item, answer.group), _Group())
        name = group.merge or answer.group
        own = groups.get((answer.item, name), _Group())
        moved = answer.moved or bool(group.merge)
        note = own.note or group.note
        placed.append(PlacedAnswer(answer.item, name, moved, own.points, note, answer.image))
    return tuple(placed)


@dataclass(frozen=True, slots=True)
class _Group:
    """What was entered for a group."""

    points: Decimal | None = None
    merge: str = ""
    note: str = ""


def _groups(
    path: Path, table: Table | None, items: Mapping[str, Item], faults: list[Fault]
) -> dict[tuple[str, str], _Group]:
    found: dict[tuple[str, str], _Group] = {}
    merges: dict[tuple[str, str], Cell] = {}
    for cells in _rows(path, table, _GROUPS, ("item", "answer group", "group points"), faults):
        item = _item(cells["item"], items, faults)
        if item is None:
            continue
        place = item.number, cells["answer group"].text
        points = _points(cells["group points"], item, faults)
        merge, note = (cells[key].text if key in cells else "" for key in ("merge", "note"))
        if place in found:
            faults.append(
                Fault(cells["answer group"].place, "this group has another row; keep one")
            )
        found[place] = _Group(points, merge.strip(), note)
        if merge.strip():
            merges[place] = cells["merge"]
    for (number, name), cell in merges.items():
        into = found[number, name].merge
        target = found.get((number, into))
        if target is None:
            names = [group for own, group in found if own == number]
            faults.append(
                Fault(cell.place, f"item {number} has no group “{into}”{suggestion(into, names)}")
            )
        elif into == name or target.merge:
            faults.append(
                Fault(cell.place, f"“{into}” is merged itself; name the group that stays")
            )
    return found


@dataclass(frozen=True, slots=True)
class _Answer:
    """A row of the answers."""

    item: str
    group: str
    moved: bool
    image: str


def _answers(
    path: Path,
    table: Table | None,
    items: Mapping[str, Item],
    faults: list[Fault],
) -> list[_Answer]:
    found: dict[tuple[str, str], _Answer] = {}
    needed = ("item", "answer group", "proposed group", "image")
    for cells in _rows(path, table, _ANSWERS, needed, faults):
        item = _item(cells["item"], items, faults)
        group, image = cells["answer group"].text.strip(), cells["image"].text
        if not group:
            faults.append(Fault(cells["answer group"].place, "the answer has no group; name one"))
        elif item is not None:
            moved = group != cells["proposed group"].text
            answer = _Answer(item.number, group, moved, image)
            if found.setdefault((item.number, image), answer) != answer:
                faults.append(
                    Fault(cells["answer group"].place, "this answer has two rows; keep one")
                )
    return list(found.values())


def _rows(
    path: Path, table: Table | None, name: str, needed: Sequence[str], faults: list[Fault]
) -> list[dict[str, Cell]]:
    if table is None:
        raise FaultyFileError(path, [Fault(name, "there is no such sheet; do not rename sheets")])
    keys = dict.fromkeys((*_GROUP_COLUMNS, *_ANSWER_COLUMNS))
    columns = find_columns(path, table, keys, needed)
    found = []
    for row in table.rows:
        cells = {key: row[place] for key, place in columns.items() if place < len(row)}
        broken = [cell for cell in cells.values() if cell.fault]
        faults += [Fault(cell.place, cell.fault) for cell in broken]
        if not broken and all(key in cells for key in needed):
            found.append(cells)
    return found


def _item(cell: Cell, items: Mapping[str, Item], faults: list[Fault]) -> Item | None:
    item = items.get(half_width(cell.text))
    if item is None:
        known = suggestion(cell.text, items)
        faults.append(Fault(cell.place, f"the exam has no item “{cell.text}”{known}"))
    return item


def _points(cell: Cell, item: Item, faults: list[Fault]) -> Decimal | None:
    if cell.is_empty:
        return None
    points = parse_number(cell.text.removesuffix("分"))
    if points is None or not 0 <= points <= item.points or points != round(points, 2):
        most = number_text(item.points)
        message = f"“{cell.text}” is no number of points from 0 to {most} with two decimals at most"
        faults.append(Fault(cell.place, message))
        return None
    return points
