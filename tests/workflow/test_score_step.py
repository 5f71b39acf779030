"""Scores and what waits for a person, on a small demo exam."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from decimal import Decimal

import cv2
import openpyxl
import pypdfium2
import pytest
from exam_steps import decide_everything, run_command, student_of

from inkmark.cli import EXIT_NEEDS_REVIEW
from inkmark.demo import DemoTruth
from inkmark.errors import ImageError
from inkmark.exam import ExamFolder, ItemType, RuleKind, ScoringRule, save_exam
from inkmark.marking import ScoreStatus
from inkmark.readings import Flag
from inkmark.reports.model import Outcome
from inkmark.workflow import (
    make_reports,
    open_exam,
    read,
    scans,
    score,
)


def test_a_changed_key_rescores_without_the_scans(copy: tuple[ExamFolder, DemoTruth]) -> None:
    folder, truth = copy
    shutil.rmtree(folder.scans)
    folder.out.joinpath("review.xlsx").unlink()
    first = truth.exam.items[0]
    other = next(option for option in first.options if option not in first.key)
    changed = replace(first, key=(other,))
    void = replace(truth.exam.items[1], rule=ScoringRule(RuleKind.VOID))
    save_exam(replace(truth.exam, items=(changed, void, *truth.exam.items[2:])), folder.workbook)
    decide_everything(folder, truth)
    assert score(folder.root).lost_scans == ()
    with open_exam(folder.root) as opened:
        scores = {(s.record.candidate, s.record.item): s.record for s in opened.store.scores()}
    for candidate in truth.exam.candidates:
        if candidate.number in truth.absent:
            continue
        answer = truth.answers[candidate.number, first.number]
        expected = first.points if answer.value == other else Decimal(0)
        assert scores[candidate.number, first.number].points == expected
        assert scores[candidate.number, void.number].points == void.points


def test_points_given_to_an_absent_candidate_stay_open_and_stop_nothing(
    copy: tuple[ExamFolder, DemoTruth],
) -> None:
    folder, truth = copy
    subjective = next(item for item in truth.exam.items if not item.type.is_objective)
    absent = min(truth.absent)
    points = folder.root / "more-points.csv"
    points.write_text(f"考号,题号,得分\n{absent},{subjective.number},1\n", "utf-8")
    score(folder.root, points=points)
    (item,) = [i for i in student_of(folder, absent).items if i.number == subjective.number]
    assert item.outcome is Outcome.PENDING


def test_score_says_what_waits_and_ends_with_0_only_when_nothing_does(
    copy: tuple[ExamFolder, DemoTruth],
) -> None:
    folder, truth = copy
    decide_everything(folder, truth)
    settled = run_command("score", folder.root)
    assert settled.exit_code == 0, settled.stdout
    table = next(folder.root.glob("points.*"))
    subjective = [item.number for item in truth.exam.items if not item.type.is_objective]
    absent = min(truth.absent)
    more = folder.root / "more-points.csv"
    more.write_text(f"考号,题号,得分\n{absent},{subjective[0]},1\n", "utf-8")
    waiting = run_command("score", folder.root, "--points", more)
    assert waiting.exit_code == EXIT_NEEDS_REVIEW
    assert f"{len(subjective)} items wait for points from people: " in waiting.stdout
    assert ", ".join(subjective) in waiting.stdout
    assert f"1 candidate ({absent}), with points but marked absent" in waiting.stdout
    present = next(c.number for c in truth.exam.candidates if c.number not in truth.absent)
    with open_exam(folder.root) as opened:
        (first, *_) = [
            folder.root / page.record.source.path
            for page in opened.store.pages()
            if page.record.candidate == present
        ]
    shutil.copy(first, folder.scans / "again.jpg")
    again = run_command("read", folder.root)
    assert "duplicate image: the same image as scans/again.jpg" in again.stdout
    assert again.exit_code == 0, "nothing needs to be done about the very same image"
    (folder.scans / "again.jpg").unlink()
    first.unlink()
    read(folder.root)
    incomplete = run_command("score", folder.root, "--points", table, "--json")
    assert json.loads(run_command("score", folder.root, "--points", more, "--json").stdout)[
        "without_pages"
    ] == [present], "a page with nothing but written answers is received, too"
    assert incomplete.exit_code == EXIT_NEEDS_REVIEW
    answer = json.loads(incomplete.stdout)
    assert answer["without_pages"] == [present]
    assert (answer["pending"], answer["points_waited_for"]) == (0, [])
    lines = run_command("score", folder.root, "--points", table).stdout
    assert f"1 candidate ({present}), with missing pages" in lines


def test_a_confirmed_double_mark_is_scored_as_a_wrong_answer(
    copy: tuple[ExamFolder, DemoTruth],
) -> None:
    folder, truth = copy
    items = {item.number: item for item in truth.exam.items}
    (candidate, number), *_ = [
        place
        for place, answer in truth.answers.items()
        if answer.flag is not Flag.OK and items[place[1]].type is ItemType.SINGLE
    ]
    item = items[number]
    negative = replace(item, rule=ScoringRule(RuleKind.NEGATIVE, Decimal("0.5")))
    save_exam(
        replace(truth.exam, items=tuple(negative if i == item else i for i in truth.exam.items)),
        folder.workbook,
    )
    path = folder.out / "review.xlsx"
    book = openpyxl.load_workbook(path)
    sheet = book.active
    assert sheet is not None
    header = {cell.value: cell.column for cell in sheet[1]}
    for row in range(2, sheet.max_row + 1):
        place = sheet.cell(row, header["考号"]).value, sheet.cell(row, header["题号"]).value
        if place == (candidate, number):
            sheet.cell(row, header["判定"]).value = "BA"
    book.save(path)
    score(folder.root)
    (shown,) = [i for i in student_of(folder, candidate).items if i.number == number]
    assert (shown.answer, shown.points) == ("AB", Decimal("-0.50"))


def test_a_lost_scan_costs_pictures_and_nothing_else(copy: tuple[ExamFolder, DemoTruth]) -> None:
    folder, truth = copy
    before = score(folder.root)
    assert before.lost_scans == ()
    doubtful = sorted({c for (c, _), a in truth.answers.items() if a.flag is not Flag.OK})
    with open_exam(folder.root) as opened:
        path_of = {
            page.record.candidate: page.record.source.path
            for page in opened.store.pages()
            if page.record.page_number == 0
        }
    gone, other = path_of[doubtful[0]], path_of[doubtful[1]]
    (folder.root / gone).unlink()
    shutil.copy(folder.root / path_of[doubtful[2]], folder.root / other)
    after = score(folder.root)
    assert replace(after, lost_scans=()) == before
    assert set(after.lost_scans) == {gone, other}
    sheet = openpyxl.load_workbook(folder.out / "review.xlsx").active
    assert sheet is not None
    header = {cell.value: cell.column for cell in sheet[1]}
    lost_rows = {
        row
        for row in range(2, sheet.max_row + 1)
        if sheet.cell(row, header["来源"]).value in (gone, other)
    }
    assert lost_rows
    for row in range(2, sheet.max_row + 1):
        assert ("没有图像" in sheet.cell(row, header["原因"]).value) == (row in lost_rows)
    assert len(sheet._images) == after.to_review - len(lost_rows)
    files = make_reports(folder.root)
    assert set(files.lost_scans) == {gone, other}
    text = ""
    for path in (folder.out / "pages").glob("*.pdf"):
        pdf = pypdfium2.PdfDocument(path)
        text += "".join(page.get_textpage().get_text_range() for page in pdf)
        pdf.close()
    assert text.count("没有图像") == 2
    for name in (gone, other):
        assert name in "".join(text.split())


def test_a_lost_scan_is_listed_at_the_end_and_asks_for_a_person(
    copy: tuple[ExamFolder, DemoTruth],
) -> None:
    folder, truth = copy
    decide_everything(folder, truth)
    score(folder.root)

    assert run_command("report", folder.root).exit_code == 0
    lost = min(folder.scans.rglob("*.jpg"))
    lost.unlink()
    result = run_command("report", folder.root)
    assert result.exit_code == EXIT_NEEDS_REVIEW
    name = lost.relative_to(folder.root).as_posix()
    assert result.stdout.splitlines()[-1].startswith(f"{name}: lost scan")
    as_json = run_command("report", folder.root, "--json")
    assert json.loads(as_json.stdout)["lost_scans"] == [name]
    assert run_command("report", folder.root, "--no-pages").exit_code == 0


def test_a_scan_that_cannot_be_opened_is_no_lost_one(
    copy: tuple[ExamFolder, DemoTruth], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = copy

    def refuse(*_: object, **__: object) -> None:
        raise ImageError("a.jpg", "it cannot be decoded", "Scan it again.")

    monkeypatch.setattr(scans, "open_scan", refuse)
    with pytest.raises(ImageError, match="cannot be decoded"):
        score(folder.root)


def test_decisions_in_the_review_workbook_settle_doubts(
    copy: tuple[ExamFolder, DemoTruth],
) -> None:
    folder, truth = copy
    path = folder.out / "review.xlsx"
    book = openpyxl.load_workbook(path)
    sheet = book.active
    assert sheet is not None
    header = {cell.value: cell.column for cell in sheet[1]}
    waiting = sheet.max_row - 1
    assert waiting == sum(1 for answer in truth.answers.values() if answer.flag is not Flag.OK)
    assert len(sheet._images) == waiting, "each row shows its crop"
    first = (
        str(sheet.cell(2, header["考号"]).value),
        str(sheet.cell(2, header["题号"]).value),
    )
    sheet.cell(2, header["判定"]).value = "A"
    book.save(path)
    summary = score(folder.root, decided_by="invigilator")
    assert (summary.decisions, summary.to_review, summary.pending) == (1, waiting - 1, waiting - 1)
    with open_exam(folder.root) as opened:
        (stored,) = [
            s for s in opened.store.scores() if (s.record.candidate, s.record.item) == first
        ]
    assert stored.record.status is ScoreStatus.SCORED
    assert stored.record.value == "A"
    assert stored.decision is not None
    assert stored.decision.decided_by == "invigilator"
    assert score(folder.root).decisions == 0, "taken in once"


def test_a_decision_on_a_picture_that_is_not_in_use_any_more_is_not_taken_in(
    copy: tuple[ExamFolder, DemoTruth],
) -> None:
    folder, _ = copy
    path = folder.out / "review.xlsx"
    book = openpyxl.load_workbook(path)
    sheet = book.active
    assert sheet is not None
    header = {cell.value: cell.column for cell in sheet[1]}
    row = next(
        number
        for number in range(2, sheet.max_row + 1)
        if str(sheet.cell(number, header["来源"]).value).endswith(".jpg")
    )
    sheet.cell(row, header["判定"]).value = "A"
    book.save(path)
    candidate = str(sheet.cell(row, header["考号"]).value)
    scan = folder.root / str(sheet.cell(row, header["来源"]).value)
    pixels = cv2.imread(str(scan), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    cv2.imwrite(str(scan), pixels, [cv2.IMWRITE_JPEG_QUALITY, 93])  # scanned once more
    assert read(folder.root).new == 1
    summary = score(folder.root)
    assert (summary.decisions, summary.outdated) == (0, (candidate,))
    assert not summary.is_settled
    with open_exam(folder.root) as opened:
        assert opened.store.decisions() == []
    again = openpyxl.load_workbook(path).active
    assert again is not None
    assert again.max_row == sheet.max_row, "the field is asked about again"
    assert again.cell(row, header["判定"]).value is None
