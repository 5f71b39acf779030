"""Points from people: both forms, both languages, every fault with its place."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from inkmark.errors import FaultyFileError
from inkmark.exam.example import example_exam
from inkmark.marking import load_points

EXAM = example_exam("zh")
"""Item 4 is fill-in (4 points), item 5 subjective (10 points); candidates 070101 to 04."""
EXPECTED = {
    ("070101", "4"): Decimal(4),
    ("070101", "5"): Decimal("7.5"),
    ("070102", "5"): Decimal(0),
}


def csv_file(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "points.csv"
    path.write_bytes(text.encode(encoding))
    return path


def xlsx_file(tmp_path: Path, *rows: list[object]) -> Path:
    workbook = Workbook()
    workbook.worksheets[0].title = "points"
    for row in rows:
        workbook.worksheets[0].append(row)
    workbook.save(tmp_path / "points.xlsx")
    return tmp_path / "points.xlsx"


def faults_of(path: Path) -> dict[str, str]:
    with pytest.raises(FaultyFileError) as caught:
        load_points(path, EXAM)
    return {fault.place: fault.message for fault in caught.value.faults}


def test_wide_csv_with_what_else_people_keep_in_it(tmp_path):
    text = "考号,姓名,班级,第4题,5,总分\n070101,安然,七（1）班,4,7.5,11.5\n070102,白露,,,0,0\n"
    for encoding in ("utf-8", "utf-8-sig", "gb18030"):
        assert load_points(csv_file(tmp_path, text, encoding), EXAM) == EXPECTED


def test_long_csv(tmp_path):
    text = "candidate number,item,points\n070101,4,4\n070101,Q5,7.50\n070102,5,0\n070103,5,\n"
    assert load_points(csv_file(tmp_path, text), EXAM) == EXPECTED


def test_long_csv_with_chinese_headers(tmp_path):
    text = "得分;题号;准考证号\n4分;4;070101\n7.5;5;070101\n0;第5题;070102\n"
    assert load_points(csv_file(tmp_path, text), EXAM) == EXPECTED


def test_wide_workbook_with_numbers(tmp_path):
    path = xlsx_file(
        tmp_path,
        ["candidate number", "Q4", 5],
        ["070101", 4, 7.5],
        ["070102", None, 0.0],
    )
    assert load_points(path, EXAM) == EXPECTED


def test_long_workbook_on_several_sheets(tmp_path):
    path = xlsx_file(tmp_path, ["item", "candidate", "score"], [4, "070101", 4], [5, "070101", 7.5])
    workbook = load_workbook(path)
    sheet = workbook.create_sheet("second marker")
    for row in (["考号", "5"], ["070102", 0]):
        sheet.append(row)
    workbook.create_sheet("empty")
    workbook.save(path)
    assert load_points(path, EXAM) == EXPECTED


def test_every_fault_of_a_wide_table_at_once(tmp_path):
    path = xlsx_file(
        tmp_path,
        ["candidate number", "4", "5", "6", "1"],
        ["070101", -1, 10.5, 1, 1],
        ["070102", "four", 2.125, None, None],
        ["070109", 1, 1, None, None],
        [70103, 1, 1, None, None],
        ["070101", 2, "=1+1", None, None],
        [None, 2, None, None, None],
    )
    faults = faults_of(path)
    assert "no item “6”" in faults["points!D1"]
    assert "item 1 is scored by its key" in faults["points!E1"]
    assert "outside 0 to 4" in faults["points!B2"]
    assert "outside 0 to 10" in faults["points!C2"]
    assert "“four” is no number" in faults["points!B3"]
    assert "more than two decimals" in faults["points!C3"]
    assert "no candidate “070109”" in faults["points!A4"]
    assert "leading zeros were lost" in faults["points!A5"]
    assert "formula without a stored value" in faults["points!C6"]
    assert "no candidate" in faults["points!A7"]
    assert len(faults) == 10


def test_points_given_twice_name_both_places(tmp_path):
    text = "candidate,item,points\n070101,5,3\n070101,5,3\n"
    assert (
        "line 2, column 3 too" in faults_of(csv_file(tmp_path, text))["points.csv line 3, column 3"]
    )


def test_faults_of_a_long_table(tmp_path):
    text = "candidate,item,points\n070101,4,50%\n070101,essay,1\n1,5,1\n"
    faults = faults_of(csv_file(tmp_path, text))
    assert "no number" in faults["points.csv line 2, column 3"]
    assert "no item “essay”" in faults["points.csv line 3, column 2"]
    assert "no candidate “1”" in faults["points.csv line 4, column 1"]


def test_no_column_of_candidates(tmp_path):
    text = "name,5\nAnn,3\n"
    assert "column “candidate number” (考号) is missing" in "".join(
        faults_of(csv_file(tmp_path, text)).values()
    )


def test_an_empty_file_is_a_fault(tmp_path):
    assert "nothing in it" in faults_of(csv_file(tmp_path, "\n\n"))["points.csv"]


def test_a_missing_file_is_a_fault(tmp_path):
    assert "cannot be opened" in faults_of(tmp_path / "none.csv")["none.csv"]
