"""Writing the exam workbook: a template to fill, or an exam as it is."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from inkmark.errors import InkmarkError
from inkmark.exam.columns import (
    EXAM_SHEET,
    ITEM_COLUMNS,
    ITEM_TYPE_NAMES,
    ITEMS_SHEET,
    LEVELS,
    POLICY_SETTINGS,
    ROSTER_COLUMNS,
    ROSTER_SHEET,
    SETTING_TITLES,
    SETTINGS,
    YES_NO_NAMES,
    Heading,
    TextPair,
)
from inkmark.exam.example import example_exam
from inkmark.exam.items import equal_weights
from inkmark.exam.model import Candidate, Exam, Item, RuleKind
from inkmark.exam.rules import format_rule
from inkmark.exam.values import number_text
from inkmark.files import write_whole

__all__ = ["save_exam", "set_up_page", "write_template"]

_TEXT_FORMAT = "@"
_NUMBER_SETTINGS = ("band_width", "mastery_points_floor", "mastery_items_floor", "practice_items")
_SHARE_SETTINGS = ("excellent", "good", "passing", "low")
_NUMBER_COLUMNS = ("points", "difficulty")
_VALIDATED_ROWS = 2_000

_HEADER_FONT = Font(name="Calibri", bold=True, color="FFFFFF")
_LABEL_FONT = Font(name="Calibri", bold=True)
_NOTE_FONT = Font(name="Calibri", color="7F7F7F")
_REQUIRED_FILL = PatternFill("solid", fgColor="1F4E79")
_OPTIONAL_FILL = PatternFill("solid", fgColor="7094B8")
_INPUT_FILL = PatternFill("solid", fgColor="FFF9E5")
_LINE = Border(bottom=Side(style="thin", color="D9D9D9"))
_MIDDLE = Alignment(vertical="center", wrap_text=True)
_LEFT = Alignment(vertical="center")
_CENTRE = Alignment(horizontal="center", vertical="center", wrap_text=True)


def write_template(path: Path | str, *, language: str = "zh", examples: bool = True) -> str:
    """Write an exam workbook for a person to fill in Excel.

    Parameters
    ----------
    path : Path or str
        Where to write; there must be no such file yet.
    language : {"zh", "en"}
        Language of the workbook and, until changed in it, of sheets and reports.
    examples : bool
        Whether items and roster hold example rows to overwrite.

    Returns
    -------
    str
        The id given to the exam.

    Raises
    ------
    InkmarkError
        Where the file exists.
    """
    path = Path(path)
    if path.exists():
        raise InkmarkError(f"{path} exists already. Fill it in, or name another file.")
    exam = example_exam(language)
    save_exam(exam if examples else replace(exam, items=(), candidates=()), path)
    return exam.id


def save_exam(exam: Exam, path: Path | str) -> None:
    """Write an exam as a workbook in its language; `load_exam` reads the same exam back.

    Text is always written as text: nothing in it is ever computed by a spreadsheet program.
    An existing file is replaced, at once and only by a complete one.
    """
    path = Path(path)
    workbook = Workbook()
    workbook.properties.creator = "inkmark"
    workbook.remove(workbook.worksheets[0])
    language = exam.language
    _write_settings(workbook.create_sheet(EXAM_SHEET.title[language]), exam)
    items = workbook.create_sheet(ITEMS_SHEET.title[language])
    _write_table(items, ITEM_COLUMNS, language, (_item_row(item, language) for item in exam.items))
    _add_choice(items, "type", [pair[language] for pair in ITEM_TYPE_NAMES.values()], language)
    _add_choice(items, "level", [pair[language] for pair in LEVELS], language)
    roster = workbook.create_sheet(ROSTER_SHEET.title[language])
    further = tuple(dict.fromkeys(name for c in exam.candidates for name, _ in c.identifiers))
    _write_table(
        roster,
        (*ROSTER_COLUMNS, *(_further_column(name) for name in further)),
        language,
        (_candidate_row(candidate, further) for candidate in exam.candidates),
    )
    _save(workbook, path)


def _save(workbook: Workbook, path: Path) -> None:
    content = io.BytesIO()
    workbook.save(content)
    try:
        write_whole(path, content.getvalue())
    except PermissionError as error:
        raise InkmarkError(f"{path} cannot be written. Close it in Excel and try again.") from error


def _put(sheet: Worksheet, row: int, column: int, value: object) -> Cell:
    """Write one value; text stays text whatever it starts with."""
    cell = sheet.cell(row, column)
    assert isinstance(cell, Cell)  # noqa: S101  # only merged cells are of another class
    if isinstance(value, str):
        if value:
            cell.value = value
            cell.data_type = "s"
            cell.quotePrefix = value[0] in "=+-@"
        cell.number_format = _TEXT_FORMAT
    else:
        cell.value = value  # type: ignore[assignment]  # numbers and dates
    return cell


def _write_settings(sheet: Worksheet, exam: Exam) -> None:
    language = exam.language
    for column, (pair, width) in enumerate(zip(SETTING_TITLES, (20, 36, 64), strict=True), start=1):
        _style_header(_put(sheet, 1, column, pair[language]), _REQUIRED_FILL)
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.row_dimensions[1].height = 24
    for row, heading in enumerate((*SETTINGS, *POLICY_SETTINGS), start=2):
        label = _put(sheet, row, 1, heading.title[language])
        label.font = _LABEL_FONT
        value = _put(sheet, row, 2, _setting_value(exam, heading))
        if heading.name in _SHARE_SETTINGS:
            value.number_format = "0%" if _is_percent(value.value) else "0.00%"
        elif heading.name == "date":
            value.number_format = "yyyy-mm-dd"
        value.fill = _INPUT_FILL
        value.alignment = Alignment(horizontal="left", vertical="center", wrap_text=True)
        note = _put(sheet, row, 3, heading.note[language])
        note.font = _NOTE_FONT
        label.alignment = note.alignment = _MIDDLE
        label.border = value.border = note.border = _LINE
        sheet.row_dimensions[row].height = 21
        if heading.name == "language":
            _restrict(sheet, value.coordinate, ["zh", "en"], language)
        elif heading.name == "absent_as_zero":
            _restrict(
                sheet,
                value.coordinate,
                [pair[language] for pair in YES_NO_NAMES.values()],
                language,
            )
    set_up_page(sheet, "A2")


def _setting_value(exam: Exam, heading: Heading) -> object:
    if heading in POLICY_SETTINGS:
        value = getattr(exam.policy, heading.name)
        return YES_NO_NAMES[value][exam.language] if isinstance(value, bool) else value
    return getattr(exam, heading.name)


def _is_percent(value: object) -> bool:
    return isinstance(value, Decimal) and value == round(value, 2)


def _write_table(
    sheet: Worksheet, headings: Sequence[Heading], language: str, rows: Iterable[Sequence[object]]
) -> None:
    for column, heading in enumerate(headings, start=1):
        cell = _put(sheet, 1, column, heading.title[language])
        _style_header(cell, _REQUIRED_FILL if heading.required else _OPTIONAL_FILL)
        if heading.note[language]:
            comment = Comment(heading.note[language], "inkmark", height=90, width=260)
            cell.comment = comment
        dimension = sheet.column_dimensions[get_column_letter(column)]
        dimension.width = heading.width
        if heading.name not in _NUMBER_COLUMNS:
            # What is typed below stays as typed: 1/2 becomes no date, 007 keeps its zeros.
            dimension.number_format = _TEXT_FORMAT
    for number, values in enumerate(rows, start=2):
        for column, value in enumerate(values, start=1):
            cell = _put(sheet, number, column, value)
            cell.border = _LINE
            cell.alignment = _LEFT if isinstance(value, str) else _CENTRE
    sheet.row_dimensions[1].height = 30
    sheet.sheet_format.defaultRowHeight = 18
    sheet.sheet_format.customHeight = True
    set_up_page(sheet, "B2")


def set_up_page(sheet: Any, below_header: str) -> None:
    """Keep the header in view, and print all columns on the width of a sheet of paper.

    Parameters
    ----------
    sheet : Worksheet or WriteOnlyWorksheet
        Their stubs do not share what is set here.
    below_header : str
        Upper left cell of what moves.
    """
    sheet.freeze_panes = below_header
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9  # A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = "1:1"


def _style_header(cell: Cell, fill: PatternFill) -> None:
    cell.font, cell.fill, cell.alignment = _HEADER_FONT, fill, _CENTRE


def _further_column(name: str) -> Heading:
    return Heading("", TextPair(name, name), width=14)


def _add_choice(sheet: Worksheet, name: str, choices: Sequence[str], language: str) -> None:
    column = next(i for i, heading in enumerate(ITEM_COLUMNS, start=1) if heading.name == name)
    letter = get_column_letter(column)
    _restrict(sheet, f"{letter}2:{letter}{_VALIDATED_ROWS}", choices, language)


def _restrict(sheet: Worksheet, cells: str, choices: Sequence[str], language: str) -> None:
    """Offer a drop-down list; other words are questioned, not refused."""
    validation = DataValidation("list", f'"{",".join(choices)}"', allow_blank=True)
    validation.errorStyle = "warning"
    validation.errorTitle = "inkmark"
    validation.error = ("列表中的词：" if language == "zh" else "Words of the list: ") + ", ".join(
        choices
    )
    validation.showErrorMessage = True
    sheet.add_data_validation(validation)
    validation.add(cells)


def _item_row(item: Item, language: str) -> tuple[object, ...]:
    plain = not any(len(option) > 1 or option.isdigit() for option in item.options)
    key = item.key_value if item.type.is_objective else " | ".join(item.key)
    names = [name for name, _ in item.knowledge]
    weights = tuple(weight for _, weight in item.knowledge)
    if weights == equal_weights(len(weights)):
        knowledge = "; ".join(names)
    else:
        knowledge = "; ".join(f"{name}:{number_text(weight)}" for name, weight in item.knowledge)
    return (
        item.number,
        ITEM_TYPE_NAMES[item.type][language],
        ("" if plain else ",").join(item.options),
        key,
        item.points,
        "" if item.rule.kind is RuleKind.EXACT else format_rule(item.rule, language),
        knowledge,
        item.level,
        item.difficulty,
    )


def _candidate_row(candidate: Candidate, further: Sequence[str]) -> tuple[object, ...]:
    identifiers = dict(candidate.identifiers)
    return (
        candidate.number,
        candidate.name,
        candidate.class_name,
        candidate.school,
        *(identifiers.get(name, "") for name in further),
    )
