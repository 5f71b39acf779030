"""Commands print what people and machines need, and end with their exit codes."""

from __future__ import annotations

import csv
import errno
import json
import os
import pwd
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import click
import cv2
import numpy as np
import openpyxl
import pytest
from click.testing import CliRunner, Result
from PIL import UnidentifiedImageError

from inkmark import workflow
from inkmark.cli import EXIT_NEEDS_REVIEW, main
from inkmark.errors import FaultyFileError, FileAccessError, LayoutError
from inkmark.exam import load_exam
from inkmark.layouts import BubbleField, CodeField, load_layout, save_layout
from inkmark.readings import Flag
from inkmark.simulator import render_pages
from inkmark.workflow.reading import _named


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


def test_new_without_a_name_leaves_the_current_folder_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert invoke("new", "").exit_code == 2
    assert list(tmp_path.iterdir()) == []


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


def test_what_the_system_refuses_is_a_message_and_no_traceback(exam: Path) -> None:
    files = set((exam / "sheets").iterdir())
    sheet = min(files)
    sheet.unlink()
    sheet.mkdir()
    result = invoke("sheets", exam, "--json")
    assert result.exit_code == FileAccessError.exit_code
    assert str(sheet) in result.stderr
    assert "move it away" in result.stderr
    answer = json.loads(result.stdout)
    assert answer == {"error": result.stderr[len("Error: ") : -1], "exit_code": result.exit_code}
    assert set((exam / "sheets").iterdir()) == files, "nothing half written is left"


def test_a_demo_that_was_stopped_is_not_to_be_run_again_into_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("inkmark.demo.make_demo_exam", stop)
    result = invoke("demo", tmp_path / "demo")
    assert result.exit_code == 130
    assert f"{tmp_path / 'demo'} holds a part of the demo: delete it" in result.stderr


def test_print_is_not_looked_for_in_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert invoke("text", tmp_path / "paper.pdf").exit_code == 2
    assert invoke("text", tmp_path / "*.pdf").exit_code == 5, "no file matches"


@pytest.mark.parametrize(
    ("raised", "exit_code", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), FileAccessError.exit_code, "free some"),
        (PermissionError(errno.EACCES, "Permission denied", "a.xlsx"), 8, "a.xlsx: Permission"),
        (KeyboardInterrupt(), 130, "stopped"),
    ],
)
def test_a_full_disk_a_locked_file_and_ctrl_c(
    exam: Path,
    monkeypatch: pytest.MonkeyPatch,
    raised: BaseException,
    exit_code: int,
    words: str,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr(workflow, "print_exam", refuse)
    result = invoke("sheets", exam, "--json")
    assert result.exit_code == exit_code
    assert words in result.stderr
    assert json.loads(result.stdout)["exit_code"] == exit_code


def test_an_error_of_the_code_is_not_hidden(exam: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise UnidentifiedImageError("no image")  # an OSError that the system did not raise

    monkeypatch.setattr(workflow, "print_exam", refuse)
    with pytest.raises(UnidentifiedImageError):
        invoke("sheets", exam)


def test_a_reader_that_goes_away_is_no_error(exam: Path) -> None:
    sheet, *_ = (exam / "sheets").iterdir()
    code = "from inkmark.cli import main; main()"
    command = [sys.executable, "-c", code, "read", str(sheet), "--layout", exam / "layout.json"]
    reader, writer = os.pipe()
    os.close(reader)  # it has gone away before anything is written
    try:
        done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writer)
    assert done.stderr == b""


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
    assert not list(tmp_path.glob(".*")), "nothing half written is left"
    (line,) = [line for line in result.stderr.splitlines() if "bad.jpg" in line]
    assert line.count("bad.jpg") == 1, "the path is said once"
    (line,) = [line for line in invoke("read", exam).stdout.splitlines() if "bad.jpg" in line]
    assert line.startswith("scans/bad.jpg: unreadable file: ")
    assert line.count("bad.jpg") == 1, "the path is said once, also from outside the exam"
    (issue,) = json.loads(invoke(*arguments, "--json").stdout)["issues"]
    assert (issue["kind"], issue["page"]) == ("unreadable file", 1)
    assert issue["source"].endswith("bad.jpg")


def test_the_table_names_the_candidate_that_the_sheet_was_printed_for(
    exam: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [candidate.number for candidate in load_exam(exam).candidates]
    (exam / "scans" / "@1.pdf").write_bytes(min((exam / "sheets").iterdir()).read_bytes())
    monkeypatch.chdir(exam / "scans")
    result = invoke("read", "@1.pdf", "--layout", exam / "layout.json")
    rows = list(csv.DictReader(result.stdout.splitlines()))
    found = {row["value"]: row for row in rows if row["field"] == "candidate"}
    assert found
    assert set(found) <= set(numbers)
    assert all((row["confidence"], row["flag"]) == ("1.0000", "") for row in found.values())
    assert {row["source"] for row in rows} == {"'@1.pdf"}


def test_a_grid_that_contradicts_the_code_is_doubtful() -> None:
    for grid, told in [
        ("", ("1234", 1.0, Flag.OK)),
        ("1?34", ("1234", 1.0, Flag.OK)),
        ("1235", ("1235", 0.9, Flag.DOUBTFUL)),
    ]:
        assert _named(("candidate", grid, 0.9, Flag.OK), "1234")[1:] == told
    assert _named(("candidate", "12?4", 0.9, Flag.SEVERAL), "")[1:] == ("12?4", 0.9, Flag.SEVERAL)


@pytest.mark.parametrize("name", ["scans/white.png", "layout.json"])
def test_reading_does_not_write_over_what_it_reads(exam: Path, name: str) -> None:
    cv2.imwrite(str(exam / "scans" / "white.png"), np.full((1200, 900), 255, np.uint8))
    before = (exam / name).read_bytes()
    result = invoke("read", exam / "scans", "--layout", exam / "layout.json", "--out", exam / name)
    assert result.exit_code == 1
    assert "one of the files to read" in result.stderr
    assert (exam / name).read_bytes() == before


def test_a_code_that_cannot_be_read_keeps_its_row(exam: Path, tmp_path: Path) -> None:
    sheet, *_ = (exam / "sheets").iterdir()
    layout = load_layout(exam / "layout.json")
    (place,) = [f.box for f in layout.pages[0].fields if f.name == "page"]
    (pixels,) = list(render_pages(sheet, 150))[:1]
    px_per_mm = 150 / 25.4
    rows = slice(int(place.y * px_per_mm), int(place.bottom * px_per_mm) + 1)
    columns = slice(int(place.x * px_per_mm), int(place.right * px_per_mm) + 1)
    clean, blotted = tmp_path / "clean.png", tmp_path / "blotted.png"
    cv2.imwrite(str(clean), pixels)
    pixels = pixels.copy()
    pixels[rows, columns] = 255
    cv2.imwrite(str(blotted), pixels)
    one_page = replace(layout, pages=layout.pages[:1])
    save_layout(one_page, tmp_path / "layout.json")
    found = {}
    for path in (clean, blotted):
        result = invoke("read", path, "--layout", tmp_path / "layout.json")
        found[path] = {row["field"]: row for row in csv.DictReader(result.stdout.splitlines())}
        expected = [f.name for f in one_page.fields() if isinstance(f, BubbleField | CodeField)]
        others = [name for name in found[path] if not name.startswith(("W", "candidate_written"))]
        assert others == [*expected, *(join.name for join in one_page.joins)]
    assert found[clean]["page"]["value"].startswith("IM1:")
    row = found[blotted]["page"]
    assert (row["value"], row["confidence"], row["flag"]) == ("", "0.0000", "unreadable")
    assert result.exit_code == EXIT_NEEDS_REVIEW


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
        (("read", "x.jpg", "--layout", __file__, "--json"), "--out"),
        (("sheets", "nowhere"), "does not exist"),
        (("unheard-of",), "No such command"),
        (("new", ""), "name of the folder is empty"),
    ],
)
def test_wrong_usage_says_what_would_be_right(arguments: tuple[str, ...], words: str) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [("sheets", "nowhere"), ("read", "nowhere"), ("unheard-of",), ("--unheard-of",)],
)
def test_wrong_usage_is_json_where_json_is_asked_for(arguments: tuple[str, ...]) -> None:
    result = invoke(*arguments, "--json")
    answer = json.loads(result.stdout)
    assert answer["exit_code"] == result.exit_code == 2
    assert answer["error"] in result.stderr


def test_control_characters_in_names_do_not_reach_the_terminal(exam: Path) -> None:
    (exam / "scans" / "a\n\x1b[31m\u202eb.jpg").write_bytes(b"no image")
    for result in (
        invoke("read", exam),
        invoke("read", exam / "scans", "--layout", exam / "layout.json"),
        invoke("sheets", "a\n\x1b[31m\u202eb.jpg"),
    ):
        assert "\x1b" not in result.output
        assert "\u202e" not in result.output
        assert r"\x1b[31m\u202eb.jpg" in result.output
    lines = invoke("read", exam).stdout.splitlines()
    (line,) = [line for line in lines if "b.jpg" in line]
    assert line.startswith(r"scans/a\n\x1b[31m\u202eb.jpg: unreadable file: ")


@pytest.mark.parametrize("as_json", [False, True])
def test_a_terminal_without_the_letters_gets_escapes(tmp_path: Path, as_json: bool) -> None:
    command = [sys.executable, "-m", "inkmark", "new", "期中😀", *(["--json"] * as_json)]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    if as_json:
        assert json.loads(done.stdout)["folder"] == "期中😀"
    else:
        assert r"\u671f\u4e2d\U0001f600" in done.stdout


def test_decisions_are_those_of_the_account_without_environment_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    (by,) = [p for p in main.commands["score"].params if p.name == "decided_by"]
    context = click.Context(main.commands["score"])
    assert by.get_default(context) == pwd.getpwuid(os.getuid()).pw_name

    def unknown() -> str:
        raise KeyError("no such account")

    monkeypatch.setattr("getpass.getuser", unknown)
    assert by.get_default(context) == ""


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
