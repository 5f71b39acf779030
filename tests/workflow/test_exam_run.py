"""The whole line on a small demo exam: from scans to reports, checked against its truth."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import openpyxl
import pypdfium2
import pytest
from exam_steps import student_of

from inkmark.demo import DemoTruth, make_demo_exam
from inkmark.errors import InkmarkError
from inkmark.exam import ExamFolder, Item, RuleKind, ScoringRule, load_exam, save_exam
from inkmark.readings import Flag, IssueKind
from inkmark.workflow import (
    RunSummary,
    analyse,
    make_reports,
    open_exam,
    practise,
    read,
    score,
)


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


EARLIER = "Score it again: inkmark score"


def _change_first_item(folder: ExamFolder, truth: DemoTruth, **changes: object) -> None:
    first, *others = truth.exam.items
    save_exam(replace(truth.exam, items=(replace(first, **changes), *others)), folder.workbook)


@pytest.mark.parametrize(
    "change",
    [
        lambda item: {"key": (next(o for o in item.options if o not in item.key),)},
        lambda item: {"points": item.points + 1},
        lambda _: {"rule": ScoringRule(RuleKind.VOID)},
    ],
    ids=["key", "points", "rule"],
)
@pytest.mark.parametrize("step", [analyse, make_reports, practise])
def test_no_step_reports_scores_that_the_workbook_contradicts(
    copy: tuple[ExamFolder, DemoTruth],
    step: Callable[[Path], object],
    change: Callable[[Item], dict[str, object]],
) -> None:
    folder, truth = copy
    before = (folder.out / "report.json").read_bytes()
    _change_first_item(folder, truth, **change(truth.exam.items[0]))
    with pytest.raises(InkmarkError, match=EARLIER):
        step(folder.root)
    assert (folder.out / "report.json").read_bytes() == before
    score(folder.root)
    step(folder.root)


def test_a_late_sheet_is_not_reported_before_it_is_scored(
    copy: tuple[ExamFolder, DemoTruth], tmp_path: Path
) -> None:
    folder, truth = copy
    late = next(c.number for c in truth.exam.candidates if c.number not in truth.absent)
    with open_exam(folder.root) as opened:
        paths = [
            folder.root / page.record.source.path
            for page in opened.store.pages()
            if page.record.candidate == late
        ]
    for path in paths:
        path.rename(tmp_path / path.name)
    read(folder.root)
    with pytest.raises(InkmarkError, match=EARLIER):
        analyse(folder.root)
    score(folder.root)
    assert student_of(folder, late).score is None
    for path in paths:
        (tmp_path / path.name).rename(path)
    read(folder.root)
    with pytest.raises(InkmarkError, match=EARLIER):
        analyse(folder.root)
    score(folder.root)
    assert any(item.points is not None for item in student_of(folder, late).items)


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
    parts = (folder.out / name for name in ("classes", "students", "pages", "practice/1"))
    for part in (folder.sheets, *parts, folder.out / "practice" / "1" / "answers"):
        assert {path.stem for path in part.glob("*.pdf")} == classes
    assert all(path.is_file() for path in (*summary.files.files, *summary.practice.files))
    assert summary.practice.students == len(truth.exam.candidates) - len(truth.absent)


def test_a_renamed_class_leaves_no_files_behind(copy: tuple[ExamFolder, DemoTruth]) -> None:
    folder, truth = copy
    old = min(candidate.class_name for candidate in truth.exam.candidates)
    people = tuple(
        replace(c, class_name="8X" if c.class_name == old else c.class_name)
        for c in truth.exam.candidates
    )
    save_exam(replace(truth.exam, candidates=people), folder.workbook)
    make_reports(folder.root)
    for part in ("classes", "students", "pages"):
        names = {path.stem for path in (folder.out / part).iterdir()}
        assert names == {candidate.class_name for candidate in people}


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


def test_a_printed_practice_stays_as_it_is(copy: tuple[ExamFolder, DemoTruth]) -> None:
    folder, truth = copy
    parent = folder.out / "practice"
    printed = {path: path.read_bytes() for path in parent.rglob("*") if path.is_file()}
    again = practise(folder.root)
    assert again.practice == f"{truth.exam.id}-P1"
    assert {path for path in parent.rglob("*") if path.is_file()} == set(printed)
    other = practise(folder.root, items=5)
    assert other.practice == f"{truth.exam.id}-P2"
    assert {path.relative_to(parent).parts[0] for path in other.files} == {"2"}
    data = json.loads((parent / "2" / "practice.json").read_text())
    assert data["practice"] == other.practice
    assert max(len(one["items"]) for one in data["sets"]) == 5
    assert practise(folder.root, items=5).files == other.files
    items = tuple(
        replace(item, key=tuple(o for o in item.options if o not in item.key)[:1])
        if item.type.value == "single"
        else item
        for item in truth.exam.items
    )
    save_exam(replace(truth.exam, items=items), folder.workbook)
    score(folder.root)
    assert practise(folder.root).practice == f"{truth.exam.id}-P3"
    assert all(path.read_bytes() == content for path, content in printed.items())


def test_a_practice_without_its_keys_is_not_written_over(
    copy: tuple[ExamFolder, DemoTruth],
) -> None:
    folder, truth = copy
    first = folder.out / "practice" / "1"
    (first / "practice.json").unlink()
    before = {path: path.read_bytes() for path in first.rglob("*.pdf")}
    assert practise(folder.root).practice == f"{truth.exam.id}-P2"
    assert {path: path.read_bytes() for path in first.rglob("*.pdf")} == before
