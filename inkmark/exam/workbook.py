"""Reading the exam workbook: every fault is named with its cell, all at once."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from inkmark.errors import Fault, FaultyFileError
from inkmark.exam.columns import (
    EXAM_SHEET,
    ITEMS_SHEET,
    LANGUAGES,
    POLICY_SETTINGS,
    ROSTER_SHEET,
    SETTING_TITLES,
    SETTINGS,
    YES_NO,
    Heading,
    suggestion,
)
from inkmark.exam.folder import ExamFolder
from inkmark.exam.items import parse_candidates, parse_items
from inkmark.exam.model import Candidate, Exam, Policy
from inkmark.exam.tables import Cell, Row, Table, fold, half_width, read_csv, read_workbook
from inkmark.exam.values import one_line, parse_number

__all__ = ["load_exam"]

_SHEETS = (EXAM_SHEET, ITEMS_SHEET, ROSTER_SHEET)


def load_exam(path: Path | str) -> Exam:
    """Read an exam from its folder or its workbook.

    Parameters
    ----------
    path : Path or str
        The exam folder, or the ``.xlsx`` in it. A ``roster.csv`` beside the workbook is the
        roster of an exam whose roster sheet is empty or missing.

    Returns
    -------
    Exam

    Raises
    ------
    FaultyFileError
        With every fault of the workbook and the roster and its cell.
    """
    path = Path(path)
    workbook = ExamFolder(path).workbook if path.is_dir() else path
    if not workbook.is_file():
        raise FaultyFileError(
            workbook, [Fault(str(workbook), "there is no such file; make one with: inkmark new")]
        )
    titles = [name for sheet in _SHEETS for name in sheet.names]
    faults: list[Fault] = []
    sheets = _find_sheets(read_workbook(workbook, titles), faults)
    exam = _read_settings(sheets.get(EXAM_SHEET.name), faults)
    items = (
        parse_items(sheets[ITEMS_SHEET.name], exam.language, faults)
        if ITEMS_SHEET.name in sheets
        else ()
    )
    candidates = _read_roster(
        sheets.get(ROSTER_SHEET.name), ExamFolder(workbook.parent).roster, faults
    )
    if faults:
        raise FaultyFileError(workbook, faults)
    return replace(exam, items=items, candidates=candidates)


def _find_sheets(tables: Sequence[Table], faults: list[Fault]) -> dict[str, Table]:
    sheets: dict[str, Table] = {}
    for heading in _SHEETS:
        names = {fold(name) for name in heading.names}
        found = [table for table in tables if fold(table.name) in names]
        if found:
            sheets[heading.name] = found[0]
        elif heading.required:
            faults.append(
                Fault("workbook", f"sheet “{heading.title.en}” ({heading.title.zh}) is missing")
            )
        faults.extend(
            Fault(table.name, f"the workbook has sheet “{found[0].name}” for this too; keep one")
            for table in found[1:]
        )
    return sheets


def _read_roster(sheet: Table | None, csv_path: Path, faults: list[Fault]) -> tuple[Candidate, ...]:
    in_sheet = sheet is not None and bool(sheet.rows)
    if not csv_path.is_file():
        return parse_candidates(sheet, faults) if sheet is not None and in_sheet else ()
    if sheet is not None and in_sheet:
        faults.append(
            Fault(
                sheet.name,
                f"candidates are here and in {csv_path.name}; empty this sheet or remove the file",
            )
        )
        return ()
    return parse_candidates(read_csv(csv_path), faults)


def _read_settings(table: Table | None, faults: list[Fault]) -> Exam:
    """The exam of the exam sheet, without items: a setting a row, name before value."""
    if table is None:
        return Exam("", "", "", "", None, "zh", Policy(), ())
    row = Row(_settings_cells(table, faults), faults)
    needed = {
        heading.name: f"no {heading.title.en} ({heading.title.zh})"
        for heading in SETTINGS
        if heading.required
    }
    faults.extend(
        Fault(table.name, f"{message}; add the setting")
        for name, message in needed.items()
        if name not in row.cells
    )
    return Exam(
        row.read("id", _exam_id, "", needed["id"]),
        row.read("title", one_line, "", needed["title"]),
        row.read("subject", one_line, ""),
        row.read("grade", one_line, ""),
        _read_date(row),
        row.read("language", _language, "zh", needed["language"]),
        _read_policy(row, table.name),
        (),
    )


def _read_policy(row: Row, place: str) -> Policy:
    defaults = Policy()
    before = len(row.faults)
    policy = Policy(
        **{
            heading.name: row.read(
                heading.name,
                _POLICY_PARSERS.get(heading.name, _share),
                getattr(defaults, heading.name),
            )
            for heading in POLICY_SETTINGS
        }
    )
    falls = not policy.low <= policy.passing <= policy.good <= policy.excellent
    if falls and len(row.faults) == before:
        row.faults.append(Fault(place, "low, pass, good, excellent must rise in this order"))
    return policy


def _settings_cells(table: Table, faults: list[Fault]) -> dict[str, Cell]:
    """The value cells by the names of their settings."""
    headings = (*SETTINGS, *POLICY_SETTINGS)
    known = {fold(name): heading for heading in headings for name in heading.names}
    first = fold(table.header[0].text) if table.header else ""
    has_titles = first in {fold(SETTING_TITLES[0].zh), fold(SETTING_TITLES[0].en)}
    rows = table.rows if has_titles or not table.header else (table.header, *table.rows)
    cells: dict[str, Cell] = {}
    for cells_of_row in rows:
        label = cells_of_row[0]
        if label.is_empty:
            continue
        heading: Heading | None = known.get(fold(label.text))
        if label.fault or heading is None:
            titles = [title for heading in headings for title in heading.names[:2]]
            faults.append(
                Fault(
                    label.place,
                    label.fault
                    or f"unknown setting “{label.text}”{suggestion(label.text, titles)}; "
                    "correct or remove it",
                )
            )
        elif heading.name in cells:
            faults.append(Fault(label.place, f"setting “{label.text}” is there twice; keep one"))
        else:
            cells[heading.name] = cells_of_row[1] if len(cells_of_row) > 1 else Cell(label.place)
    return cells


def _read_date(row: Row) -> dt.date | None:
    cell = row.cells.get("date")
    if cell is not None and cell.date is not None:
        return cell.date
    return row.read("date", _date, None)


def _date(text: str) -> dt.date | None:
    match = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", half_width(text).strip())
    if match:
        try:
            return dt.date(*map(int, match.groups()))
        except ValueError:
            pass  # no such day: said below in our own words
    raise ValueError(f"“{text}” is no date; write for instance 2026-06-18")


def _exam_id(text: str) -> str:
    exam_id = half_width(text).upper()
    if not re.fullmatch(r"[A-Z0-9-]{4,16}", exam_id):
        raise ValueError(f"“{text}” is no exam id; use 4 to 16 of A-Z, 0-9 and -")
    return exam_id


def _language(text: str) -> str:
    if fold(text) not in LANGUAGES:
        raise ValueError(f"“{text}” is no language of sheets; write zh or en")
    return LANGUAGES[fold(text)]


def _share(text: str) -> Decimal:
    share = parse_number(text)
    if share is None or not 0 < share <= 1:
        raise ValueError(f"“{text}” is no share of the full mark; write for instance 0.85 or 85%")
    return share


def _yes_no(text: str) -> bool:
    if fold(text) not in YES_NO:
        raise ValueError(f"“{text}” is neither yes nor no (是, 否)")
    return YES_NO[fold(text)]


def _number(least: Decimal) -> Callable[[str], Decimal]:
    def parse(text: str) -> Decimal:
        value = parse_number(text)
        if value is None or value < least:
            raise ValueError(f"“{text}” is no number from {least} up")
        return value

    return parse


def _count(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,2}", half_width(text)):
        raise ValueError(f"“{text}” is no whole number from 1 to 999")
    return int(half_width(text))


_POLICY_PARSERS: Mapping[str, Callable[[str], object]] = {
    "absent_as_zero": _yes_no,
    "band_width": _number(Decimal("0.5")),
    "mastery_points_floor": _number(Decimal(0)),
    "mastery_items_floor": _count,
    "practice_items": _count,
}
