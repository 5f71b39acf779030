"""The whole line on a small demo exam: from scans to reports, checked against its truth."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import openpyxl
import pypdfium2
import pytest

from inkmark.demo import DemoTruth, make_demo_exam
from inkmark.errors import InkmarkError
from inkmark.exam import ExamFolder, RuleKind, ScoringRule, load_exam, save_exam
from inkmark.marking import ScoreStatus
from inkmark.readings import Flag, IssueKind
from inkmark.store import Decision
from inkmark.workflow import (
    RunSummary,
    analyse,
    make_reports,
    open_exam,
    practise,
    read,
    run,
    score,
)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[ExamFolder, DemoTruth, RunSummary]:
    root = tmp_path_factory.mktemp("demo") / "exam"
    truth = make_demo_exam(root, candidates=24, seed=7)
    return ExamFolder(root), truth, run(root)


@pytest.fixture
def copy(
    demo: tuple[ExamFolder, DemoTruth, RunSummary], tmp_path: Path
) -> tuple[ExamFolder, DemoTruth]:
    folder, truth, _ = demo
    shutil.copytree(folder.root, tmp_path / "exam")
    return ExamFolder(tmp_path / "exam"), truth


def test_every_normal_mark_is_right_and_every_doubtful_one_is_flagged(
    demo: tuple[ExamFolder, DemoTruth, RunSummary],
) -> None:
    folder, truth, _ = demo
    with open_exam(folder.root) as opened:
        readings = {
            (r.candidate, r.reading.field): r.reading for r in opened.store.readings_in_use()
        }
    doubtful = 0
    for (candidate, item), answer in truth.answers.items():
        reading = readings[candidate, f"Q{item}"]
        if answer.flag is Flag.OK:
            assert (reading.value, reading.flag) == (answer.value, Flag.OK), (candidate, item)
        else:
            doubtful += 1
            assert reading.flag is not Flag.OK, (candidate, item)
    assert doubtful >= 3
    assert truth.absent
    for candidate in truth.absent:
        assert readings[candidate, "absent"].value == "absent"


def test_the_batch_adds_up_and_names_the_doubtful_pages(
    demo: tuple[ExamFolder, DemoTruth, RunSummary],
) -> None:
    _, truth, summary = demo
    batch = summary.read
    assert batch.received == len(truth.scans) == batch.read + batch.doubtful
    assert {issue.kind for issue in batch.issues} == {IssueKind.DOUBTFUL}
    doubtful = {c for (c, _), answer in truth.answers.items() if answer.flag is not Flag.OK}
    assert {issue.candidate for issue in batch.issues} == doubtful


def test_totals_are_those_of_the_truth(demo: tuple[ExamFolder, DemoTruth, RunSummary]) -> None:
    _, truth, summary = demo
    keys = {item.number: item for item in truth.exam.items}
    n_counted = 0
    for student in summary.report.students:
        if student.score is None:
            continue
        n_counted += 1
        expected = Decimal(0)
        for number, item in keys.items():
            if (student.candidate, number) in truth.points:
                expected += truth.points[student.candidate, number]
                continue
            value = set(truth.answers[student.candidate, number].value)
            key = set(item.key_value)
            if value == key:
                expected += item.points
            elif item.rule.kind is RuleKind.HALF and value and value < key:
                expected += item.points / 2
        assert student.score == expected, student.candidate
    assert n_counted == summary.report.everybody.counted > 12


def test_every_score_leads_to_its_page_and_crop(
    demo: tuple[ExamFolder, DemoTruth, RunSummary],
) -> None:
    folder, truth, _ = demo
    objective = {item.number for item in truth.exam.items if item.type.is_objective}
    with open_exam(folder.root) as opened:
        scores = opened.store.scores()
    assert len(scores) == len(truth.exam.items) * len(truth.exam.candidates)
    for stored in scores:
        if stored.record.item in objective:
            assert stored.source is not None
            assert (folder.root / stored.source.path).is_file()
            assert stored.box_px is not None
            assert stored.box_px.w > 0


def test_a_changed_key_rescores_without_the_scans(copy: tuple[ExamFolder, DemoTruth]) -> None:
    folder, truth = copy
    shutil.rmtree(folder.scans)
    folder.out.joinpath("review.xlsx").unlink()
    first = truth.exam.items[0]
    other = next(option for option in first.options if option not in first.key)
    changed = replace(first, key=(other,))
    void = replace(truth.exam.items[1], rule=ScoringRule(RuleKind.VOID))
    save_exam(replace(truth.exam, items=(changed, void, *truth.exam.items[2:])), folder.workbook)
    with pytest.raises(InkmarkError, match="scans"):
        score(folder.root)  # a doubtful field has to be cut out of its scan
    _decide_everything(folder, truth)
    score(folder.root)
    with open_exam(folder.root) as opened:
        scores = {(s.record.candidate, s.record.item): s.record for s in opened.store.scores()}
    for candidate in truth.exam.candidates:
        if candidate.number in truth.absent:
            continue
        answer = truth.answers[candidate.number, first.number]
        expected = first.points if answer.value == other else Decimal(0)
        assert scores[candidate.number, first.number].points == expected
        assert scores[candidate.number, void.number].points == void.points


def _decide_everything(folder: ExamFolder, truth: DemoTruth) -> None:
    """Write decisions straight into the database, as the truth has them."""
    at = dt.datetime(2026, 11, 21)  # noqa: DTZ001 - the store keeps UTC without a zone
    with open_exam(folder.root) as opened:
        opened.store.add_decisions(
            Decision(candidate, f"Q{item}", answer.value[:1], "office", at)
            for (candidate, item), answer in truth.answers.items()
            if answer.flag is not Flag.OK
        )


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


def test_steps_can_be_run_again_and_change_nothing(copy: tuple[ExamFolder, DemoTruth]) -> None:
    folder, _ = copy
    before = (folder.out / "report.json").read_bytes()
    assert read(folder.root).new == 0
    score(folder.root)
    practise(folder.root)
    make_reports(folder.root, annotate=False)
    assert (folder.out / "report.json").read_bytes() == before


def test_the_same_figures_stand_in_every_file(
    demo: tuple[ExamFolder, DemoTruth, RunSummary],
) -> None:
    folder, _, summary = demo
    everybody = summary.report.everybody
    data = json.loads((folder.out / "report.json").read_text())
    assert Decimal(str(data["everybody"]["mean"])) == everybody.mean
    pdf = pypdfium2.PdfDocument(folder.out / "exam.pdf")
    text = pdf[0].get_textpage().get_text_range()
    pdf.close()
    assert f"{everybody.mean:.2f}" in text
    book = openpyxl.load_workbook(folder.out / "report.xlsx")
    values = {str(cell.value) for row in book.worksheets[0].iter_rows() for cell in row}
    assert str(everybody.mean) in values or str(float(str(everybody.mean))) in values


def test_files_for_people_are_there_for_each_class(
    demo: tuple[ExamFolder, DemoTruth, RunSummary],
) -> None:
    folder, truth, summary = demo
    classes = {candidate.class_name for candidate in truth.exam.candidates}
    parts = (folder.out / name for name in ("classes", "students", "pages", "practice"))
    for part in (folder.sheets, *parts, folder.out / "practice" / "answers"):
        assert {path.stem for path in part.glob("*.pdf")} == classes
    assert all(path.is_file() for path in (*summary.files.files, *summary.practice.files))
    assert summary.practice.students == len(truth.exam.candidates) - len(truth.absent)


def test_steps_out_of_order_say_what_to_do_first(tmp_path: Path) -> None:
    folder = ExamFolder(tmp_path / "exam")
    make_demo_exam(folder.root, candidates=12, dpi=100)
    with pytest.raises(InkmarkError, match="inkmark score"):
        analyse(folder.root)
    folder.layout.unlink()
    with pytest.raises(InkmarkError, match="inkmark sheets"):
        read(folder.root)


def test_the_exam_as_saved_is_the_exam_as_made(
    demo: tuple[ExamFolder, DemoTruth, RunSummary],
) -> None:
    folder, truth, _ = demo
    assert load_exam(folder.root) == truth.exam
