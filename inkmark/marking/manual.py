"""Points of subjective and fill-in items, as people enter them in a table.

Two forms are understood, in CSV and Excel files, with Chinese or English headers: *wide*, a
row a candidate and a column an item, and *long*, a row a score with the columns candidate
number, item and points. An empty cell means not marked yet.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from inkmark.errors import Fault, FaultyFileError
from inkmark.exam import Exam, Item
from inkmark.exam.columns import (
    ITEM_COLUMNS,
    ROSTER_COLUMNS,
    Heading,
    TextPair,
    find_columns,
    suggestion,
)
from inkmark.exam.tables import Cell, Table, fold, half_width, read_csv, read_workbook
from inkmark.exam.values import number_text, parse_number

__all__ = ["load_points"]

_CANDIDATE, *_ABOUT_CANDIDATE = ROSTER_COLUMNS
_LONG_COLUMNS = (
    _CANDIDATE,
    replace(ITEM_COLUMNS[0], name="item"),
    Heading("points", TextPair("得分", "points"), required=True, also=("分数", "score", "mark")),
)
_WITHOUT_WORDS = re.compile("(?:第|题|question|item|q)?(.+?)(?:小?题)?")
_TOTAL = Heading("total", TextPair("总分", "total"), also=("合计", "sum"))


def load_points(path: Path | str, exam: Exam) -> dict[tuple[str, str], Decimal]:
    """Read the points that people gave.

    Parameters
    ----------
    path : Path or str
        ``.csv`` or ``.xlsx``; every sheet of a workbook that holds anything is read.
    exam : Exam

    Returns
    -------
    dict of (candidate, item) to Decimal

    Raises
    ------
    FaultyFileError
        With every fault and its cell: unknown candidates and items, items that are scored by
        their key, points that are no number, outside 0 to the full mark or of more than two
        decimals, and points given twice.
    """
    path = Path(path)
    tables = read_workbook(path) if path.suffix.lower() == ".xlsx" else (read_csv(path),)
    entries = _Entries(exam)
    filled = [table for table in tables if table.header]
    if not filled:
        entries.faults.append(Fault(path.name, "nothing in it; enter candidate numbers and points"))
    for table in filled:
        names = {fold(cell.text) for cell in table.header}
        if all(names & {fold(name) for name in column.names} for column in _LONG_COLUMNS[1:]):
            _read_long(table, entries)
        else:
            _read_wide(table, entries)
    if entries.faults:
        raise FaultyFileError(path, entries.faults)
    return entries.points


@dataclass(slots=True)
class _Entries:
    """The points found so far, where they stand, and what is wrong."""

    exam: Exam
    points: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    places: dict[tuple[str, str], str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    items: dict[str, Item] = field(init=False)
    candidates: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.items = {_item_name(item.number): item for item in self.exam.items}
        self.candidates = frozenset(candidate.number for candidate in self.exam.candidates)

    def find_item(self, cell: Cell) -> Item | None:
        """The item a cell names; a fault where there is none, or none that people mark."""
        name = _item_name(cell.text)
        item = self.items.get(name) or self.items.get(_bare(name))
        if cell.fault or item is None:
            known = [item.number for item in self.exam.items]
            self.faults.append(
                Fault(
                    cell.place,
                    cell.fault
                    or f"the exam has no item “{cell.text}”{suggestion(cell.text, known)}",
                )
            )
            return None
        if item.type.is_objective:
            self.faults.append(
                Fault(cell.place, f"item {item.number} is scored by its key; remove it here")
            )
            return None
        return item

    def find_candidate(self, cell: Cell) -> str | None:
        """The candidate a cell names; a fault where there is none."""
        number = half_width(cell.text)
        if not cell.fault and (number in self.candidates or (number and not self.candidates)):
            return number
        length = len(next(iter(self.candidates), ""))
        zeros = number and number.zfill(length) in self.candidates
        self.faults.append(
            Fault(
                cell.place,
                cell.fault
                or (f"there is no candidate “{number}” on the roster" if number else "no candidate")
                + ("; leading zeros were lost: format the column as text" if zeros else ""),
            )
        )
        return None

    def add(self, candidate: str, item: Item, cell: Cell) -> None:
        """Take the points of a cell; an empty one means not marked yet."""
        if cell.is_empty:
            return
        points = parse_number(cell.text.removesuffix("分"))
        key = candidate, item.number
        message = ""
        if cell.fault:
            message = cell.fault
        elif points is None or cell.text.endswith(("%", "％")):
            message = f"“{cell.text}” is no number of points"
        elif not 0 <= points <= item.points:
            message = f"{cell.text} is outside 0 to {number_text(item.points)}"
        elif points != round(points, 2):
            message = f"{cell.text} has more than two decimals"
        elif key in self.points:
            message = (
                f"candidate {candidate} has points for item {item.number} at {self.places[key]} "
                "too; keep one"
            )
        if message or points is None:
            self.faults.append(Fault(cell.place, message))
        else:
            self.points[key] = points
            self.places[key] = cell.place


def _read_long(table: Table, entries: _Entries) -> None:
    columns, _ = find_columns(table, _LONG_COLUMNS, entries.faults)
    if len(columns) < len(_LONG_COLUMNS):
        return
    for row in table.rows:
        candidate = entries.find_candidate(row[columns["number"]])
        item = entries.find_item(row[columns["item"]])
        if candidate is not None and item is not None:
            entries.add(candidate, item, row[columns["points"]])


def _read_wide(table: Table, entries: _Entries) -> None:
    columns, others = find_columns(table, (_CANDIDATE, *_ABOUT_CANDIDATE, _TOTAL), entries.faults)
    further = {fold(name) for c in entries.exam.candidates for name, _ in c.identifiers}
    items: dict[int, Item] = {}
    for cell, index in others:
        if fold(cell.text) in further and _item_name(cell.text) not in entries.items:
            continue
        item = entries.find_item(cell)
        if item is not None:
            items[index] = item
    if "number" not in columns:
        return
    for row in table.rows:
        candidate = entries.find_candidate(row[columns["number"]])
        if candidate is not None:
            for index, item in items.items():
                entries.add(candidate, item, row[index])


def _bare(name: str) -> str:
    """An item's number without what headers put around it: ``第17题``, ``Q17``."""
    match = _WITHOUT_WORDS.fullmatch(name)
    return match[1] if match else name


def _item_name(text: str) -> str:
    return "".join(half_width(text).split()).casefold()
