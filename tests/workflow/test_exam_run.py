"""The whole line on a small demo exam: from scans to reports, checked against its truth."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import openpyxl
import pypdfium2
import pytest
from click.testing import CliRunner, Result

from inkmark.cli import EXIT_NEEDS_REVIEW, main
from inkmark.demo import DemoTruth, make_demo_exam
from inkmark.errors import ImageError, InkmarkError
from inkmark.exam import ExamFolder, Item, ItemType, RuleKind, ScoringRule, load_exam, save_exam
from inkmark.marking import ScoreStatus
from inkmark.readings import Flag, IssueKind
from inkmark.reports.model import Outcome, StudentTable
from inkmark.store import Decision
from inkmark.workflow import (
    RunSummary,
    analyse,
    make_reports,
    open_exam,
    practise,
    read,
    run,
    scans,
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
    _decide_everything(folder, truth)
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
    assert _student(folder, late).score is None
    for path in paths:
        (tmp_path / path.name).rename(path)
    read(folder.root)
    with pytest.raises(InkmarkError, match=EARLIER):
        analyse(folder.root)
    score(folder.root)
    assert any(item.points is not None for item in _student(folder, late).items)


def _student(folder: ExamFolder, candidate: str) -> StudentTable:
    (found,) = [s for s in analyse(folder.root).students if s.candidate == candidate]
    return found


def test_points_given_to_an_absent_candidate_stay_open_and_stop_nothing(
    copy: tuple[ExamFolder, DemoTruth],
) -> None:
    folder, truth = copy
    subjective = next(item for item in truth.exam.items if not item.type.is_objective)
    absent = min(truth.absent)
    points = folder.root / "more-points.csv"
    points.write_text(f"考号,题号,得分\n{absent},{subjective.number},1\n", "utf-8")
    score(folder.root, points=points)
    (item,) = [i for i in _student(folder, absent).items if i.number == subjective.number]
    assert item.outcome is Outcome.PENDING


def run_command(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)


def test_score_says_what_waits_and_ends_with_0_only_when_nothing_does(
    copy: tuple[ExamFolder, DemoTruth],
) -> None:
    folder, truth = copy
    _decide_everything(folder, truth)
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
    (shown,) = [i for i in _student(folder, candidate).items if i.number == number]
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
    _decide_everything(folder, truth)
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
