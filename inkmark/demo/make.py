"""Making the demo's exam folder."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from inkmark.demo.answers import answer_items, draw_abilities, mark_subjective
from inkmark.demo.handwriting import (
    SHEETS_BY_HAND,
    check_specimens,
    hand_job,
    number_marks,
    write_truth,
)
from inkmark.demo.paper import invent_exam
from inkmark.demo.scans import DemoScan, FileJob, PageJob, write_scan_file
from inkmark.demo.truth import DemoTruth
from inkmark.errors import InkmarkError
from inkmark.exam import Exam, ExamFolder, save_exam
from inkmark.exam.columns import ROSTER_COLUMNS
from inkmark.files import write_whole
from inkmark.layouts import (
    AreaField,
    BubbleField,
    PageLayout,
    Role,
    SheetLayout,
    build_layout,
    print_sheets,
    save_layout,
)
from inkmark.session import processors
from inkmark.simulator import MarkStyle
from inkmark.workflow import print_exam

__all__ = ["make_demo_exam"]

_FEWEST = 12  # candidates with whom each kind of page still occurs


def make_demo_exam(
    root: Path | str,
    *,
    seed: int = 1,
    language: str = "zh",
    candidates: int = 120,
    dpi: float = 200.0,
    handwriting: Path | str | None = None,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> DemoTruth:
    """Make an exam folder with everything up to the scans, as if an exam had been held.

    Three classes, 40 items, two pages a candidate. Most scans are grey JPEG files; the
    third class has one PDF file of many pages and black-and-white TIFF files. A few
    candidates are absent, a few pages are upside down, a few answers are doubtful. The
    points of subjective items are in ``points.csv``, the truth is in ``truth.json``.

    With handwriting the sheets name nobody: candidates write their numbers, letters and
    fill-in answers into boxes, markers their points in red, and all scans are in colour.

    Parameters
    ----------
    root : path-like
        The folder to make; there must be no exam in it.
    seed : int
        Equal seeds give equal folders, whatever the executor.
    language : {"zh", "en"}
    candidates : int
        At least 12.
    dpi : float
        Resolution of the scans.
    handwriting : path-like, optional
        Folder with people's handwriting; see `inkmark.simulator.Writers`.
    executor : concurrent.futures.Executor, optional
        Where pages are simulated; by default threads, one a processor.
    progress : callable, optional
        Called with the number of scan files done and of all.

    Raises
    ------
    InkmarkError
        Where the folder holds an exam already, too few candidates are asked for, or there
        is no handwriting in its folder.
    """
    folder = ExamFolder(Path(root))
    if folder.workbook.exists():
        raise InkmarkError(f"{folder.root} holds an exam already. Name another folder.")
    if candidates < _FEWEST:
        raise InkmarkError(f"{candidates} candidates are too few. Ask for {_FEWEST} or more.")
    rng = np.random.default_rng([seed, 0])
    if handwriting is None:
        truth, jobs = _print_names(folder, language, candidates, rng, seed=seed)
    else:
        specimens = Path(handwriting).resolve()
        check_specimens(specimens)
        truth, jobs = _print_blanks(folder, language, candidates, rng, specimens, seed=seed)
    truth.save(folder.root / "truth.json")
    _simulate(jobs, dpi, executor, progress)
    return truth


def _print_names(
    folder: ExamFolder, language: str, candidates: int, rng: np.random.Generator, *, seed: int
) -> tuple[DemoTruth, list[FileJob]]:
    """Sheets that say whose they are."""
    exam = invent_exam(language, candidates, rng)
    layout = build_layout(exam)
    files = _plan_files(exam, len(layout.pages), rng)
    truth = _invent_truth(exam, files, rng)
    folder.scans.mkdir(parents=True, exist_ok=True)
    save_exam(exam, folder.workbook)
    printed = print_exam(folder.root)
    write_whole(folder.root / "points.csv", _points_csv(truth))
    return truth, list(_jobs(folder.root, truth, files, layout, printed.files, seed=seed))


def _print_blanks(
    folder: ExamFolder,
    language: str,
    candidates: int,
    rng: np.random.Generator,
    specimens: Path,
    *,
    seed: int,
) -> tuple[DemoTruth, list[FileJob]]:
    """Sheets on which everything is written by hand."""
    exam = invent_exam(language, candidates, rng, by_hand=True)
    layout = build_layout(exam, SHEETS_BY_HAND)
    truth = write_truth(exam, layout, rng)
    for path in (folder.scans, folder.sheets):
        path.mkdir(parents=True, exist_ok=True)
    save_exam(exam, folder.workbook)
    save_layout(layout, folder.layout)
    # `print_exam` would draw other serial numbers each time.
    serials = [f"{rng.integers(10**10):010d}" for _ in truth.numbers]
    sheets = folder.sheets / "blank.pdf"
    print_sheets(layout, exam, sheets, serials=serials)
    place = {number: i for i, number in enumerate(truth.numbers)}
    before: Counter[tuple[str, int]] = Counter()
    jobs = []
    for scan in truth.scans:
        page = layout.pages[scan.page_number]
        copy = before[scan.candidate, scan.page_number]
        before[scan.candidate, scan.page_number] += 1
        index = place[scan.candidate] * len(layout.pages) + scan.page_number
        job = _page_job(truth, scan, page, sheets, index, seed=seed)
        hand = hand_job(page, scan, truth, specimens, copy=copy, seed=seed)
        jobs.append(FileJob(folder.root / scan.path, (replace(job, hand=hand),)))
    return truth, jobs


@dataclass(frozen=True, slots=True)
class _PlannedFile:
    """A scan file: path in the exam folder, and its pages (candidate number, page)."""

    path: str
    pages: tuple[tuple[str, int], ...]
    is_bilevel: bool = False


def _plan_files(exam: Exam, n_pages: int, rng: np.random.Generator) -> list[_PlannedFile]:
    """Which page goes into which file; inside a class in the order of a shuffled pile."""
    files: list[_PlannedFile] = []
    classes = list(dict.fromkeys(candidate.class_name for candidate in exam.candidates))
    for group, name in enumerate(classes, start=1):
        numbers = [c.number for c in exam.candidates if c.class_name == name]
        sheets = [[(n, page) for page in range(n_pages)] for n in rng.permutation(numbers).tolist()]
        folder = f"scans/class-{group}"
        if group == len(classes):
            third = len(sheets) // 3
            feeder, fax, sheets = sheets[:third], sheets[third : 2 * third], sheets[2 * third :]
            files.append(
                _PlannedFile(
                    f"{folder}/feeder.pdf", tuple(page for sheet in feeder for page in sheet)
                )
            )
            files += [
                _PlannedFile(f"{folder}/fax-{i:02d}.tif", tuple(sheet), is_bilevel=True)
                for i, sheet in enumerate(fax, start=1)
            ]
        files += [
            _PlannedFile(f"{folder}/scan-{i:03d}.jpg", (page,))
            for i, page in enumerate((page for sheet in sheets for page in sheet), start=1)
        ]
    return files


def _invent_truth(exam: Exam, files: list[_PlannedFile], rng: np.random.Generator) -> DemoTruth:
    numbers = [candidate.number for candidate in exam.candidates]
    special = rng.permutation(numbers).tolist()

    def take(share: float, fewest: int, barred: frozenset[str] = frozenset()) -> frozenset[str]:
        """Some candidates who were not taken before."""
        taken = [n for n in special if n not in barred][: max(fewest, round(share * len(numbers)))]
        special[:] = [n for n in special if n not in taken]
        return frozenset(taken)

    absent, upside_down = take(0.025, 1), take(0.035, 1)
    # In black and white nobody sees a light mark: whoever is scanned so fills as asked.
    bilevel = frozenset(number for file in files if file.is_bilevel for number, _ in file.pages)
    hesitant = take(0.07, 4, bilevel)
    abilities = draw_abilities(exam, rng)
    answers = answer_items(exam, abilities, hesitant, bilevel, rng)
    points = {
        (number, item.number): mark_subjective(item, number, abilities, rng)
        for number in numbers
        for item in exam.items
        if not item.type.is_objective
    }
    scans = tuple(
        DemoScan(file.path, i, number, page, 180 if number in upside_down else 0)
        for file in files
        for i, (number, page) in enumerate(file.pages)
    )
    return DemoTruth(
        exam,
        absent,
        {key: answer for key, answer in answers.items() if key[0] not in absent},
        {key: given for key, given in points.items() if key[0] not in absent},
        scans,
    )


def _jobs(
    root: Path,
    truth: DemoTruth,
    files: list[_PlannedFile],
    layout: SheetLayout,
    printed: tuple[Path, ...],
    *,
    seed: int,
) -> Iterator[FileJob]:
    scans = iter(truth.scans)
    sheets = dict(_printed_sheets(truth.exam, printed))
    for file in files:
        jobs = []
        for _ in file.pages:
            scan = next(scans)
            sheet, place = sheets[scan.candidate]
            jobs.append(
                _page_job(
                    truth,
                    scan,
                    layout.pages[scan.page_number],
                    sheet,
                    place * len(layout.pages) + scan.page_number,
                    seed=seed,
                )
            )
        yield FileJob(root / file.path, tuple(jobs), file.is_bilevel)


def _page_job(
    truth: DemoTruth, scan: DemoScan, page: PageLayout, sheets: Path, index: int, *, seed: int
) -> PageJob:
    person = int(scan.candidate)
    return PageJob(
        sheets=sheets,
        sheet_index=index,
        page=page,
        marks=_marks(page, scan.candidate, truth),
        written=_written(page, scan.candidate, truth),
        writer_seed=(seed, 1, person),
        page_seed=(seed, 2, person, scan.page_number),
        orientation_deg=scan.orientation_deg,
    )


def _printed_sheets(
    exam: Exam, printed: tuple[Path, ...]
) -> Iterator[tuple[str, tuple[Path, int]]]:
    """By candidate number the printed file, one for each class, and the sheet in it."""
    classes = dict.fromkeys(candidate.class_name for candidate in exam.candidates)
    for name, path in zip(classes, printed, strict=True):
        people = (candidate for candidate in exam.candidates if candidate.class_name == name)
        for place, candidate in enumerate(people):
            yield candidate.number, (path, place)


def _marks(
    page: PageLayout, candidate: str, truth: DemoTruth
) -> dict[tuple[str, int], tuple[tuple[int, MarkStyle], ...]]:
    marks: dict[tuple[str, int], tuple[tuple[int, MarkStyle], ...]] = {}
    for field in page.fields:
        if not isinstance(field, BubbleField):
            continue
        if field.role is Role.ABSENT and candidate in truth.absent:
            marks[field.name, 0] = ((0, MarkStyle.FILL),)
        elif field.role is Role.ITEM and (candidate, field.item) in truth.answers:
            marks[field.name, 0] = truth.answers[candidate, field.item].marks
    if candidate in truth.numbers:
        marks |= number_marks(page, truth.numbers[candidate])
    return marks


def _written(page: PageLayout, candidate: str, truth: DemoTruth) -> tuple[str, ...]:
    """The areas with an answer: those that earned points."""
    return tuple(
        field.name
        for field in page.fields
        if isinstance(field, AreaField) and truth.points.get((candidate, field.item))
    )


def _points_csv(truth: DemoTruth) -> bytes:
    """Points of subjective items, a row a candidate, as a marker's table."""
    items = [item.number for item in truth.exam.items if not item.type.is_objective]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([ROSTER_COLUMNS[0].title[truth.exam.language], *items])
    for candidate in truth.exam.candidates:
        if candidate.number not in truth.absent:
            given = [truth.points[candidate.number, item] for item in items]
            writer.writerow([candidate.number, *given])
    return text.getvalue().encode("utf-8-sig")


def _simulate(
    files: Sequence[FileJob],
    dpi: float,
    executor: Executor | None,
    progress: Callable[[int, int], None] | None,
) -> None:
    for path in {job.path.parent for job in files}:
        path.mkdir(exist_ok=True)
    pool = executor or ThreadPoolExecutor(processors())
    try:
        n_files = len(files)
        results = pool.map(write_scan_file, files, [dpi] * n_files)
        for done, _ in enumerate(results, start=1):
            if progress is not None:
                progress(done, n_files)
    finally:
        if executor is None:
            pool.shutdown()
