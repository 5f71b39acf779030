"""Commands print what people and machines need, and end with their exit codes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import openpyxl
import pytest
from click.testing import CliRunner, Result

from inkmark.cli import EXIT_NEEDS_REVIEW, main
from inkmark.errors import FaultyFileError, LayoutError


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)


@pytest.fixture
def exam(tmp_path: Path) -> Path:
    root = tmp_path / "midterm"
    assert invoke("new", root, "--language", "en").exit_code == 0
    assert invoke("sheets", root).exit_code == 0
    return root


def test_new_makes_a_folder_that_prints(exam: Path) -> None:
    assert (exam / "exam.xlsx").is_file()
    assert (exam / "scans").is_dir()
    sheet, *_ = (exam / "sheets").iterdir()
    assert sheet.read_bytes().startswith(b"%PDF")


def test_new_does_not_touch_an_exam_that_is_there(exam: Path) -> None:
    before = (exam / "exam.xlsx").read_bytes()
    result = invoke("new", exam)
    assert result.exit_code == 1
    assert "Error:" in result.stderr
    assert (exam / "exam.xlsx").read_bytes() == before


def test_all_faults_of_a_workbook_are_listed_with_their_cells(exam: Path) -> None:
    book = openpyxl.load_workbook(exam / "exam.xlsx")
    items = book["items"]
    header = {cell.value: cell.column_letter for cell in items[1]}
    items[f"{header['key']}2"].value = "Z"
    items[f"{header['points']}3"].value = "many"
    book.save(exam / "exam.xlsx")
    result = invoke("sheets", exam)
    assert result.exit_code == FaultyFileError.exit_code
    assert f"items!{header['key']}2" in result.stderr
    assert f"items!{header['points']}3" in result.stderr


def test_an_error_is_json_where_json_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = invoke("analyse", tmp_path / "empty", "--json")
    answer = json.loads(result.stdout)
    assert answer["exit_code"] == result.exit_code != 0
    assert answer["error"]


def test_sheets_in_use_are_not_replaced_by_others(exam: Path) -> None:
    result = invoke("sheets", exam, "--bubbles", "rectangle", "--paper", "A3")
    assert result.exit_code == LayoutError.exit_code
    assert "--rebuild" in result.stderr
    assert invoke("sheets", exam, "--paper", "A3", "--rebuild").exit_code == 0


def test_blank_sheets(exam: Path) -> None:
    result = invoke("sheets", exam, "--blank", 3, "--json")
    (path,) = json.loads(result.stdout)["files"]
    assert Path(path).name == "blank.pdf"


def test_reading_an_empty_folder_names_what_is_missing(exam: Path) -> None:
    cv2.imwrite(str(exam / "scans" / "white.png"), np.full((1200, 900), 255, np.uint8))
    result = invoke("read", exam, "--json")
    assert result.exit_code == EXIT_NEEDS_REVIEW
    answer = json.loads(result.stdout)
    assert (answer["received"], answer["unreadable"]) == (1, 1)
    assert answer["missing"] == answer["expected"] > 0
    kinds = {issue["kind"] for issue in answer["issues"]}
    assert kinds == {"unregistered", "missing page"}
    for_people = invoke("read", exam)
    assert "white.png: unregistered" in for_people.stdout


def test_reading_without_an_exam_writes_a_table(exam: Path, tmp_path: Path) -> None:
    sheet, *_ = (exam / "sheets").iterdir()
    (exam / "scans" / "bad.jpg").write_bytes(b"no image")
    out = tmp_path / "readings.csv"
    arguments = ("read", sheet, exam / "scans", "--layout", exam / "layout.json", "--out", out)
    result = invoke(*arguments)
    assert result.exit_code == EXIT_NEEDS_REVIEW
    assert "bad.jpg" in result.stderr
    with out.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["source", "page", "field", "value", "confidence", "flag"]
    assert {row["source"] for row in rows} == {str(sheet)}
    pages = {row["page"] for row in rows}
    assert pages == {str(n + 1) for n in range(len(pages))}
    assert all(row["value"] == "" for row in rows if row["field"].startswith("Q"))
    assert not list(tmp_path.glob(".*.part")), "nothing half written is left"


def test_reading_to_standard_output_is_a_table_and_nothing_else(exam: Path) -> None:
    sheet, *_ = (exam / "sheets").iterdir()
    result = invoke("read", sheet, "--layout", exam / "layout.json")
    lines = result.stdout.splitlines()
    assert lines[0] == "source,page,field,value,confidence,flag"
    assert all(line.count(",") >= 5 for line in lines)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("read", "nowhere"), "no exam folder"),
        (("read", "x.jpg", "--out", "y.csv"), "--layout"),
        (("sheets", "nowhere"), "does not exist"),
        (("unheard-of",), "No such command"),
    ],
)
def test_wrong_usage_says_what_would_be_right(arguments: tuple[str, ...], words: str) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr


def test_every_command_has_help_with_an_example() -> None:
    def check(command: object, path: tuple[str, ...]) -> None:
        commands = getattr(command, "commands", None)
        if commands:
            for name, child in commands.items():
                check(child, (*path, name))
            return
        result = invoke(*path, "--help")
        assert result.exit_code == 0
        assert "Example" in result.stdout, path
        assert f"inkmark {' '.join(path)}" in result.stdout, path

    check(main, ())
