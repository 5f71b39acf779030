"""A batch with everything that can go wrong: nothing is lost and nothing is guessed."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sheets import DPI, NUMBERS, make_folder, mark, page_images, quiz, save

from inkmark.exam import Exam, ExamFolder
from inkmark.layouts import SheetLayout, SheetOptions
from inkmark.readings import Flag, IssueKind, SheetReading
from inkmark.session import BatchReport, ReadOptions, SerialExecutor, read_exam, read_scans
from inkmark.store import ExamStore

ANSWERS = {"Q1": "A", "Q2": "B", "Q3": "C", "Q4": "", "Q5": "D", "Q6": "A"}


class Office:
    """An exam folder with its printed pages, ready to be scanned."""

    def __init__(self, root: Path) -> None:
        self.folder = ExamFolder(root / "exam")
        self.exam: Exam = quiz()
        self.layout: SheetLayout = make_folder(self.folder.root, self.exam)
        self.named = page_images(root, self.exam, self.layout, self.exam.candidates)
        (self.blank,) = page_images(root, self.exam, self.layout, None)
        self.root = root

    def scan(self, name: str, pixels: np.ndarray) -> None:
        save(pixels, self.folder.scans / name)

    def scan_all(self) -> None:
        for number, page in zip(NUMBERS, self.named, strict=True):
            self.scan(f"{number}.png", mark(page, self.layout, ANSWERS))

    def read(self, **arguments: object) -> BatchReport:
        with ExamStore.open(self.folder.database, self.exam.id) as store:
            store.put_exam(self.exam)
            return read_exam(self.folder, self.exam, self.layout, store, **arguments)  # type: ignore[arg-type]

    def values(self) -> dict[tuple[str, str], str]:
        with ExamStore.open(self.folder.database, self.exam.id) as store:
            return {
                (r.candidate, r.reading.field): r.reading.value for r in store.readings_in_use()
            }

    def flags(self) -> dict[tuple[str, str], Flag]:
        with ExamStore.open(self.folder.database, self.exam.id) as store:
            return {(r.candidate, r.reading.field): r.reading.flag for r in store.readings_in_use()}


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def kinds(report: BatchReport) -> dict[str, IssueKind]:
    return {Path(i.source.path).name: i.kind for i in report.issues if i.source is not None}


def check_sums(report: BatchReport) -> None:
    assert report.received == (
        report.read
        + report.doubtful
        + report.unidentified
        + report.duplicate
        + report.foreign
        + report.unreadable
    )
    assert report.expected == report.read + report.doubtful + report.missing


def test_a_clean_batch_has_no_issues(office: Office) -> None:
    office.scan_all()
    report = office.read()
    check_sums(report)
    assert report.issues == ()
    assert (report.expected, report.received, report.read, report.new) == (3, 3, 3, 3)
    values = office.values()
    for number in NUMBERS:
        assert {f: values[number, f] for f in ANSWERS} == ANSWERS


def test_everything_that_can_go_wrong_is_named_and_nothing_stops(office: Office) -> None:
    layout = office.layout
    first, second, _ = (mark(page, layout, ANSWERS) for page in office.named)
    office.scan("1.png", first)
    office.scan("1-again.png", first)
    office.scan("1-second-sheet.png", mark(office.named[0], layout, ANSWERS | {"Q1": "B"}))
    office.scan("2-upside-down.png", np.rot90(second, 2))
    office.scan("by-bubbles-unknown.png", mark(office.blank, layout, {"candidate": "999999"}))
    office.scan("no-number.png", office.blank)
    office.scan("two-digits-open.png", mark(office.blank, layout, {"candidate": "2601"}))
    office.scan("white.png", np.full_like(first, 255))
    office.scan("black.png", np.zeros_like(first))
    (office.folder.scans / "empty.jpg").write_bytes(b"")
    (office.folder.scans / "letter.jpg").write_text("Dear office, the scans will follow.")
    whole = (office.folder.scans / "1.png").read_bytes()
    (office.folder.scans / "torn.png").write_bytes(whole[: len(whole) // 2])
    other = quiz("OTHER")
    office.scan("other-exam.png", page_images(office.root, other, layout, other.candidates)[0])
    longer = quiz(n_items=9)
    new_layout = make_folder(office.root / "longer", longer)
    reprinted = page_images(office.root, longer, new_layout, longer.candidates)[0]
    office.scan("other-print.png", reprinted)

    report = office.read()
    check_sums(report)
    assert kinds(report) == {
        "1-again.png": IssueKind.DUPLICATE_PAGE,
        "1-second-sheet.png": IssueKind.DOUBTFUL,  # the first sheet contradicts it
        "1.png": IssueKind.DUPLICATE_IMAGE,
        "by-bubbles-unknown.png": IssueKind.UNKNOWN_CANDIDATE,
        "no-number.png": IssueKind.UNIDENTIFIED,
        "two-digits-open.png": IssueKind.UNIDENTIFIED,
        "white.png": IssueKind.UNREGISTERED,
        "black.png": IssueKind.UNREGISTERED,
        "empty.jpg": IssueKind.UNREADABLE_FILE,
        "letter.jpg": IssueKind.UNREADABLE_FILE,
        "torn.png": IssueKind.UNREADABLE_FILE,
        "other-exam.png": IssueKind.OTHER_EXAM,
        "other-print.png": IssueKind.OTHER_VERSION,
    }
    (missing,) = [i for i in report.issues if i.kind is IssueKind.MISSING_PAGE]
    assert missing.candidate == NUMBERS[2]
    counts = (
        report.read + report.doubtful,
        report.duplicate,
        report.unidentified,
        report.foreign,
        report.unreadable,
    )
    assert counts == (2, 2, 3, 2, 5)
    assert office.values()[NUMBERS[1], "Q3"] == "C"
    for issue in report.issues:
        assert issue.message.endswith("."), issue


def test_reading_again_changes_nothing(office: Office) -> None:
    office.scan_all()
    (office.folder.scans / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    first = office.read()
    values = office.values()
    second = office.read()
    assert (first.new, second.new) == (4, 0)
    assert (second.received, second.issues) == (first.received, first.issues)
    assert office.values() == values


def test_a_file_replaced_under_its_name_is_read_anew(office: Office) -> None:
    office.scan_all()
    office.read()
    corrected = mark(office.named[0], office.layout, ANSWERS | {"Q1": "C"})
    office.scan(f"{NUMBERS[0]}.png", corrected)
    report = office.read()
    check_sums(report)
    assert (report.received, report.new, report.issues) == (3, 1, ())
    assert office.values()[NUMBERS[0], "Q1"] == "C"
    office.scan(f"{NUMBERS[0]}.png", np.full_like(corrected, 255))
    report = office.read()
    check_sums(report)
    assert report.received == 3
    assert (NUMBERS[0], "Q1") not in office.values(), "what is gone is not in use"


def test_scans_are_read_again_with_the_layout_they_were_printed_with(office: Office) -> None:
    office.scan_all()
    printed = office.layout
    other_exam = quiz(n_items=9)
    office.layout = make_folder(office.root / "other", other_exam)
    assert set(kinds(office.read()).values()) == {IssueKind.OTHER_VERSION}
    office.layout = printed
    report = office.read()
    assert (report.read, report.issues) == (3, ())


def test_a_smaller_layout_leaves_no_old_page_in_use(tmp_path: Path) -> None:
    exam = quiz(n_items=150)
    folder = ExamFolder(tmp_path / "exam")
    layout = make_folder(folder.root, exam, SheetOptions(sides=2))
    pages = page_images(tmp_path, exam, layout, exam.candidates)
    for number, page in enumerate(pages):
        save(page, folder.scans / f"{number}.png")
    smaller = quiz(n_items=6)
    new_layout = make_folder(tmp_path / "smaller", smaller)
    with ExamStore.open(folder.database, exam.id) as store:
        store.put_exam(exam)
        read_exam(folder, exam, layout, store)
        report = read_exam(folder, smaller, new_layout, store)
        assert list(store.readings_in_use()) == []
    check_sums(report)
    assert report.foreign == report.received == len(pages)


def test_a_file_that_was_mended_is_read(office: Office) -> None:
    office.scan_all()
    path = office.folder.scans / f"{NUMBERS[0]}.png"
    whole = path.read_bytes()
    path.write_bytes(whole[:5000])
    assert office.read().unreadable == 1
    path.write_bytes(whole)
    report = office.read()
    assert report.issues == ()
    assert report.read == 3


def test_a_change_of_the_roster_takes_pages_in_and_out(office: Office) -> None:
    everybody = office.exam.candidates
    office.scan_all()
    office.exam = dataclasses.replace(office.exam, candidates=everybody[:2])
    report = office.read()
    assert [i.kind for i in report.issues] == [IssueKind.UNKNOWN_CANDIDATE]
    office.exam = dataclasses.replace(office.exam, candidates=everybody)
    report = office.read()
    assert (report.new, report.read, report.issues) == (0, 3, ())
    office.exam = dataclasses.replace(office.exam, candidates=everybody[1:])
    report = office.read()
    assert [i.candidate for i in report.issues] == [everybody[0].number]


def test_taking_the_wrong_sheet_out_settles_a_duplicate(office: Office) -> None:
    office.scan_all()
    wrong = mark(office.named[0], office.layout, ANSWERS | {"Q1": "B"})
    office.scan("0-wrong.png", wrong)
    report = office.read()
    issue = next(i for i in report.issues if i.kind is IssueKind.DUPLICATE_PAGE)
    assert "The two differ in Q1" in issue.message
    assert {i.kind for i in report.issues} == {IssueKind.DUPLICATE_PAGE, IssueKind.DOUBTFUL}
    assert office.flags()[NUMBERS[0], "Q1"] is Flag.CONTESTED, "which of the two is right?"
    (office.folder.scans / "0-wrong.png").unlink()
    report = office.read()
    assert report.issues == ()
    assert office.values()[NUMBERS[0], "Q1"] == "A"
    assert office.flags()[NUMBERS[0], "Q1"] is Flag.OK


def test_the_number_in_the_bubbles_identifies_a_blank_sheet(office: Office) -> None:
    office.scan("x.png", mark(office.blank, office.layout, ANSWERS | {"candidate": NUMBERS[2]}))
    office.read()
    assert office.values()[NUMBERS[2], "Q2"] == "B"


def test_a_code_and_bubbles_that_disagree_identify_nobody(office: Office) -> None:
    office.scan("x.png", mark(office.named[0], office.layout, {"candidate": NUMBERS[1]}))
    report = office.read()
    assert kinds(report) == {"x.png": IssueKind.UNIDENTIFIED}
    assert office.values() == {}


def test_an_absent_candidate_misses_no_further_page(tmp_path: Path) -> None:
    exam = quiz(n_items=150)
    folder = ExamFolder(tmp_path / "exam")
    layout = make_folder(folder.root, exam, SheetOptions(sides=2))
    assert len(layout.pages) == 2
    pages = page_images(tmp_path, exam, layout, exam.candidates)
    save(mark(pages[0], layout, {"absent": "absent"}), folder.scans / "a.png")
    for number in range(2, 6):
        save(pages[number], folder.scans / f"{number}.png")
    with ExamStore.open(folder.database, exam.id) as store:
        store.put_exam(exam)
        report = read_exam(folder, exam, layout, store)
    check_sums(report)
    assert report.issues == ()
    assert (report.expected, report.read) == (5, 5)


def test_the_empty_back_of_a_sheet_need_not_be_scanned(tmp_path: Path) -> None:
    exam = quiz()
    folder = ExamFolder(tmp_path / "exam")
    layout = make_folder(folder.root, exam, SheetOptions(sides=2))
    assert [page.is_empty for page in layout.pages] == [False, True]
    pages = page_images(tmp_path, exam, layout, exam.candidates)
    for number in range(0, 6, 2):
        save(pages[number], folder.scans / f"{number}.png")
    with ExamStore.open(folder.database, exam.id) as store:
        store.put_exam(exam)
        fronts = read_exam(folder, exam, layout, store)
        save(pages[1], folder.scans / "1.png")
        with_a_back = read_exam(folder, exam, layout, store)
    for report, n_pages in ((fronts, 3), (with_a_back, 4)):
        check_sums(report)
        assert report.issues == ()
        assert (report.expected, report.read) == (n_pages, n_pages)


def test_the_sides_of_blank_sheets_find_each_other_by_their_serial(tmp_path: Path) -> None:
    exam = quiz(n_items=150)
    folder = ExamFolder(tmp_path / "exam")
    layout = make_folder(folder.root, exam, SheetOptions(sides=2))
    pages = page_images(tmp_path, exam, layout, None, serials=["AAAA", "BBBB"])
    assert len(pages) == 4
    last = layout.pages[1].fields
    name = next(f.name for f in last if f.name.startswith("Q"))
    save(mark(pages[3], layout, {name: "C"}, page=1), folder.scans / "1.png")
    save(mark(pages[1], layout, {name: "B"}, page=1), folder.scans / "2.png")
    save(mark(pages[0], layout, {"candidate": NUMBERS[0]}), folder.scans / "3.png")

    def read() -> tuple[BatchReport, dict[str, str]]:
        with ExamStore.open(folder.database, exam.id) as store:
            store.put_exam(exam)
            report = read_exam(folder, exam, layout, store)
            values = {
                r.candidate: r.reading.value
                for r in store.readings_in_use()
                if r.reading.field == name
            }
        return report, values

    report, values = read()
    check_sums(report)
    assert values == {NUMBERS[0]: "B"}
    assert kinds(report) == {"1.png": IssueKind.UNIDENTIFIED}
    save(mark(pages[2], layout, {"candidate": NUMBERS[1]}), folder.scans / "4.png")
    report, values = read()
    assert values == {NUMBERS[0]: "B", NUMBERS[1]: "C"}
    assert kinds(report) == {}
    save(mark(pages[0], layout, {"candidate": NUMBERS[2]}), folder.scans / "5.png")
    report, values = read()
    assert values == {NUMBERS[1]: "C"}, "a copied sheet: the back could be either's"
    assert kinds(report) == {"2.png": IssueKind.UNIDENTIFIED}
    (folder.scans / "5.png").unlink()
    assert read()[1] == {NUMBERS[0]: "B", NUMBERS[1]: "C"}


@pytest.fixture(params=["serial", "threads", "processes"])
def executor(request: pytest.FixtureRequest) -> Iterator[object]:
    if request.param == "serial":
        yield SerialExecutor()
    elif request.param == "threads":
        with ThreadPoolExecutor(3) as pool:
            yield pool
    else:
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            yield pool


def test_any_executor_gives_the_same_readings_in_the_same_order(
    office: Office, executor: ThreadPoolExecutor
) -> None:
    office.scan_all()
    options = ReadOptions(pages_per_task=1)
    expected = list(read_scans([office.folder.scans], office.layout, executor=SerialExecutor()))
    seen: list[tuple[int, int]] = []
    outcomes = read_scans(
        [office.folder.scans],
        office.layout,
        options=options,
        executor=executor,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert list(outcomes) == expected
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_the_pages_of_a_long_file_are_shared_out_in_order(office: Office, tmp_path: Path) -> None:
    pages = [Image.fromarray(mark(p, office.layout, ANSWERS)) for p in office.named * 3]
    path = tmp_path / "stack.tiff"
    pages[0].save(
        path, save_all=True, append_images=pages[1:], compression="tiff_lzw", dpi=(DPI, DPI)
    )
    outcomes = list(read_scans([path], office.layout, options=ReadOptions(pages_per_task=2)))
    assert [o.source.page_index for o in outcomes if o.source is not None] == list(range(9))
    assert all(isinstance(outcome, SheetReading) for outcome in outcomes)
    for outcome in outcomes:
        values = {f.field: f.value for f in outcome.fields if f.field.startswith("Q")}  # type: ignore[union-attr]
        assert values == ANSWERS
        assert all(f.flag is Flag.OK for f in outcome.fields)  # type: ignore[union-attr]


def test_odd_file_names_do_not_stop_a_batch(office: Office) -> None:
    office.scan_all()
    scans = os.fsencode(office.folder.scans)
    first = office.folder.scans / f"{NUMBERS[0]}.png"
    first.rename(os.fsdecode(scans + b"/\xb5\xda1\xd2\xb3.png"))  # GBK, as unzipped on Linux
    (office.folder.scans / "loop.jpg").symlink_to("loop.jpg")
    report = office.read()
    check_sums(report)
    assert report.read == 3
    assert kinds(report) == {"loop.jpg": IssueKind.UNREADABLE_FILE}
    assert office.read().new == 0


def test_scans_may_lie_behind_a_link(office: Office) -> None:
    office.scan_all()
    elsewhere = office.root / "nas"
    office.folder.scans.rename(elsewhere)
    office.folder.scans.symlink_to(elsewhere)
    assert office.read().read == 3
    (elsewhere / f"{NUMBERS[0]}.png").unlink()
    report = office.read()
    assert (report.received, report.missing) == (2, 1)


def test_a_copied_folder_reads_the_same(office: Office, tmp_path: Path) -> None:
    office.scan_all()
    office.read()
    shutil.copytree(office.folder.root, tmp_path / "copy")
    original, office.folder = office.folder, ExamFolder(tmp_path / "copy")
    report = office.read()
    assert report.new == 0, "paths in the database are relative to the folder"
    assert original.root != office.folder.root
