"""Whose sheets are: listed with pictures, decided by a person, and never asked twice."""

from __future__ import annotations

import json
import shutil
from decimal import Decimal
from pathlib import Path

import cv2
import numpy as np
import openpyxl
import pytest
from click.testing import CliRunner
from small_exams import single_items, small_exam

from inkmark.cli import main
from inkmark.errors import FaultyFileError, InkmarkError
from inkmark.exam import Candidate, ExamFolder, Item, ItemType, save_exam
from inkmark.layouts import SheetLayout, WritingField, build_layout, print_sheets, save_layout
from inkmark.readings import IssueKind
from inkmark.simulator import MarkStyle, encode_scan, fill_sheet, render_pages
from inkmark.workflow import SheetDecision, identify, open_exam, read, score

DPI = 130.0
NUMBERS = [f"2601{number:02d}" for number in range(1, 13)]


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> ExamFolder:
    """A named sheet, one with an open digit, one of a stranger, one without a number."""
    folder = ExamFolder(tmp_path_factory.mktemp("identify") / "exam")
    folder.scans.mkdir(parents=True)
    exam = small_exam(
        single_items(4), [Candidate(number, f"Student {number[-2:]}") for number in NUMBERS]
    )
    save_exam(exam, folder.workbook)
    layout = build_layout(exam)
    save_layout(layout, folder.layout)
    printed = folder.root / "printed.pdf"
    serials = ["AAAA", "BBBB", "CCCC"]
    print_sheets(layout, exam, printed, exam.candidates[:1])
    (named,) = render_pages(printed, DPI)
    print_sheets(layout, exam, printed, None, serials)
    open_digit, stranger, blank = render_pages(printed, DPI)
    printed.unlink()
    pages = {
        "named.png": (named, ""),
        "open.png": (open_digit, "26010?"),
        "stranger.png": (stranger, "269988"),
        "without.png": (blank, ""),
    }
    for name, (page, number) in pages.items():
        filled = fill(page, layout, number)
        encode_scan(filled, folder.scans / name, DPI)
    return folder


def fill(page: np.ndarray, layout: SheetLayout, number: str) -> np.ndarray:
    marks = {(f"Q{n + 1}", 0): [(n % 4, MarkStyle.FILL)] for n in range(4)}
    for place, symbol in enumerate(number):
        digits = [3, 5] if symbol == "?" else [int(symbol)]
        marks["candidate", place] = [(digit, MarkStyle.FILL) for digit in digits]
    return fill_sheet(page, layout.pages[0], marks, DPI, np.random.default_rng(1))


@pytest.fixture
def folder(scanned: ExamFolder, tmp_path: Path) -> ExamFolder:
    """A copy of the exam, read."""
    copy = ExamFolder(tmp_path / "exam")
    shutil.copytree(scanned.root, copy.root)
    read(copy.root)
    return copy


def whose(folder: ExamFolder) -> dict[str, tuple[str, IssueKind | None]]:
    with open_exam(folder.root) as opened:
        return {
            Path(page.source.path).name: (page.candidate, page.issue)
            for page in opened.store.summaries({})
        }


def answers(folder: ExamFolder) -> dict[str, list[str]]:
    with open_exam(folder.root) as opened:
        return {
            Path(page.record.source.path).name: [f.value for f in page.record.reading.fields]
            for page in opened.store.pages()
            if page.record.reading is not None
        }


def decide(folder: ExamFolder, decisions: dict[str, str]) -> None:
    """Write decisions into the workbook as a person does, by the source beside them."""
    path = folder.out / "identities.xlsx"
    book = openpyxl.load_workbook(path)
    sheet = book["identities"]
    column = {cell.value: cell.column for cell in sheet[1]}
    for row in range(2, sheet.max_row + 1):
        name = Path(str(sheet.cell(row, column["Source"]).value)).name
        if name in decisions:
            sheet.cell(row, column["Whose sheet"]).value = decisions[name]
            sheet.cell(row, column["Note"]).value = "by the name"
    book.save(path)


def test_open_sheets_are_listed_with_guesses_and_pictures(folder: ExamFolder) -> None:
    summary = identify(folder.root)
    assert [Path(sheet.source).name for sheet in summary.sheets] == [
        "open.png",
        "stranger.png",
        "without.png",
    ]
    digit, stranger, blank = summary.sheets
    assert {number for number, _, _ in digit.guesses[:2]} == {"260103", "260105"}
    assert digit.guesses[0][1].startswith("Student 0")
    assert "269988 is not on the roster" in stranger.message
    assert stranger.guesses[0][0] == "", "most probably nobody on the roster"
    assert blank.guesses == ()
    assert summary.workbook == folder.out / "identities.xlsx"
    sheet = openpyxl.load_workbook(summary.workbook)["identities"]
    assert len(sheet._images) == 6, "a name and a number each"  # type: ignore[attr-defined]
    before = summary.workbook.read_bytes()
    identify(folder.root)
    assert summary.workbook.read_bytes() == before


def pictures_of(workbook: Path) -> dict[str, dict[str, tuple[int, int]]]:
    """Width and height of the pictures beside each source, by the heading of their column."""
    sheet = openpyxl.load_workbook(workbook)["identities"]
    heads = [str(cell.value) for cell in sheet[1]]
    sources = {
        row: Path(str(sheet.cell(row, heads.index("Source") + 1).value)).name
        for row in range(2, sheet.max_row + 1)
    }
    found: dict[str, dict[str, tuple[int, int]]] = {name: {} for name in sources.values()}
    for picture in sheet._images:  # type: ignore[attr-defined]
        place = picture.anchor._from
        found[sources[place.row + 1]][heads[place.col]] = picture.width, picture.height
    return found


@pytest.fixture
def two_pages(tmp_path: Path) -> ExamFolder:
    """Sheets of two pages: a number that fits two candidates, and one without its first page."""
    folder = ExamFolder(tmp_path / "exam")
    folder.scans.mkdir(parents=True)
    long = (Item(str(n), ItemType.SUBJECTIVE, (), (), Decimal(12)) for n in range(5, 8))
    exam = small_exam((*single_items(4), *long), NUMBERS)
    save_exam(exam, folder.workbook)
    layout = build_layout(exam)
    assert len(layout.pages) == 2
    save_layout(layout, folder.layout)
    printed = folder.root / "printed.pdf"
    print_sheets(layout, exam, printed, None, ["AAAA", "BBBB"])
    front, back, _, lonely = render_pages(printed, DPI)
    printed.unlink()
    field = next(f for f in layout.pages[0].fields if f.name == "candidate_written")
    assert isinstance(field, WritingField)
    for digit, box in zip("26010", field.boxes(), strict=False):
        corner = round((box.x + 2) * DPI / 25.4), round((box.bottom - 1.5) * DPI / 25.4)
        cv2.putText(front, digit, corner, cv2.FONT_HERSHEY_SIMPLEX, 0.75, 0, 2, cv2.LINE_AA)
    for name, page in {"1.png": front, "2.png": back, "4.png": lonely}.items():
        encode_scan(page, folder.scans / name, DPI)
    read(folder.root)
    return folder


def test_a_sheet_is_one_row_with_the_number_as_it_was_written(two_pages: ExamFolder) -> None:
    folder = two_pages
    summary = identify(folder.root)
    assert [Path(sheet.source).name for sheet in summary.sheets] == ["1.png", "4.png"]
    assert summary.workbook is not None
    pictures = pictures_of(summary.workbook)
    assert set(pictures["1.png"]) == {"Name as written", "Number as written"}
    width, height = pictures["1.png"]["Number as written"]
    assert width > 5 * height, "the boxes, and no blank bubbles"
    width, height = pictures["4.png"]["Number as written"]
    assert width > 3 * height, "the head of a page without a number"
    decide(folder, {"1.png": "260101", "4.png": "-"})
    assert identify(folder.root).sheets == ()
    assert whose(folder) == {
        "1.png": ("260101", None),
        "2.png": ("260101", None),
        "4.png": ("", IssueKind.SET_ASIDE),
    }


def test_bubbles_that_are_marked_are_shown(folder: ExamFolder) -> None:
    identify(folder.root)
    pictures = pictures_of(folder.out / "identities.xlsx")
    width, height = pictures["open.png"]["Number as written"]
    assert height > 0.6 * width


def test_decisions_come_back_from_the_workbook_and_hold(folder: ExamFolder) -> None:
    identify(folder.root)
    read_before = answers(folder)
    decide(folder, {"open.png": "260103", "stranger.png": "-", "without.png": " 260107 "})
    summary = identify(folder.root, decided_by="office")
    assert (summary.decisions, summary.sheets, summary.workbook) == (3, (), None)
    assert not (folder.out / "identities.xlsx").exists()
    expected = {
        "named.png": ("260101", None),
        "open.png": ("260103", None),
        "stranger.png": ("", IssueKind.SET_ASIDE),
        "without.png": ("260107", None),
    }
    assert whose(folder) == expected
    assert answers(folder) == read_before
    assert read(folder.root).new == 0
    score(folder.root)
    assert whose(folder) == expected, "no step takes a decision back"
    with open_exam(folder.root) as opened:
        held = {d.candidate: d for d in opened.store.identities()}
        scored = {s.record.candidate for s in opened.store.scores() if s.record.points is not None}
    assert (held["260103"].decided_by, held["260103"].reason) == ("office", "by the name")
    assert scored == {"260101", "260103", "260107"}


def test_faulty_decisions_are_refused_all_at_once(folder: ExamFolder) -> None:
    identify(folder.root)
    decide(folder, {"open.png": "260199", "without.png": "260107"})
    with pytest.raises(FaultyFileError, match="no candidate “260199”"):
        identify(folder.root)
    assert whose(folder)["without.png"][0] == "", "none is taken in"
    with pytest.raises(InkmarkError, match="does not exist"):
        identify(folder.root, identities=folder.root / "other.xlsx")


def test_a_candidate_is_not_given_two_sheets(folder: ExamFolder) -> None:
    identify(folder.root)
    decide(folder, {"open.png": "260103", "without.png": "260103", "stranger.png": "-"})
    with pytest.raises(FaultyFileError) as caught:
        identify(folder.root)
    cells = [(fault.place, fault.message) for fault in caught.value.faults]
    assert [place for place, _ in cells] == ["identities!C2", "identities!C4"]
    assert "identities!C4" in cells[0][1]
    assert "identities!C2" in cells[1][1]
    with open_exam(folder.root) as opened:
        assert opened.store.identities() == [], "none is taken in"
    decide(folder, {"open.png": "260103", "without.png": ""})
    identify(folder.root)
    decide(folder, {"without.png": "260103"})
    with pytest.raises(
        FaultyFileError, match=r"identities!C2: scans/open\.png is candidate 260103"
    ):
        identify(folder.root)
    decide(folder, {"without.png": ""})
    second = SheetDecision("scans/without.png", "260103")
    with pytest.raises(InkmarkError, match=r"scans/open\.png is candidate 260103's .*--undecided"):
        identify(folder.root, decision=second)
    identify(folder.root, decision=SheetDecision("scans/open.png", ""))
    identify(folder.root, decision=second)
    found = whose(folder)
    assert found["without.png"] == ("260103", None)
    assert found["open.png"] == ("", IssueKind.SET_ASIDE)


def test_a_single_sheet_is_decided_and_left_open_again(folder: ExamFolder) -> None:
    sheet = "scans/named.png"
    identify(folder.root, decision=SheetDecision(sheet, "260112", "sat at her place"))
    assert whose(folder)["named.png"] == ("260112", None)
    identify(folder.root, decision=SheetDecision(sheet, ""))
    assert whose(folder)["named.png"] == ("", IssueKind.SET_ASIDE)
    identify(folder.root, decision=SheetDecision(sheet, None))
    assert whose(folder)["named.png"] == ("260101", None)
    with pytest.raises(InkmarkError, match="no candidate 1"):
        identify(folder.root, decision=SheetDecision(sheet, "1"))
    with pytest.raises(InkmarkError, match=r"no page scans/none\.png was read"):
        identify(folder.root, decision=SheetDecision("scans/none.png", "260112"))


def test_a_lost_scan_is_named(folder: ExamFolder) -> None:
    (folder.scans / "open.png").unlink()
    summary = identify(folder.root)
    assert summary.lost_scans == ("scans/open.png",)
    assert len(summary.sheets) == 3


def test_before_anything_is_read_nothing_is_known(scanned: ExamFolder, tmp_path: Path) -> None:
    shutil.copytree(scanned.root, tmp_path / "exam")
    told = CliRunner().invoke(main, ["identify", str(tmp_path / "exam")]).output
    assert told == "No sheet has been read yet. Read the scans first, with inkmark read.\n"


def test_the_command_prints_and_asks_for_a_person(folder: ExamFolder) -> None:
    run = CliRunner().invoke
    listed = run(main, ["identify", str(folder.root)])
    assert listed.exit_code == 10
    assert "nobody on the roster" in listed.output
    assert "3 sheets wait for a decision" in listed.output
    for name in ("open", "stranger", "without"):
        done = run(
            main,
            ["identify", str(folder.root), "--sheet", f"scans/{name}.png", "--nobody", "--json"],
        )
    assert done.exit_code == 0
    assert json.loads(done.stdout)["decisions"] == 1
    for wrong in (["--nobody"], ["--sheet", "x"], ["--sheet", "x", "--nobody", "--is", "1"]):
        assert run(main, ["identify", str(folder.root), *wrong]).exit_code == 2
