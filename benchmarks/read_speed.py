"""Reading speed: CPU from file bytes to committed readings, beside decoding alone."""

from __future__ import annotations

import io
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks.contract import Better, Kind, Options, Result, Row
from inkmark.exam import Candidate, Exam, ExamFolder, Item, ItemType, Policy
from inkmark.images import open_scan
from inkmark.layouts import SheetLayout, build_layout, print_sheets
from inkmark.session import SerialExecutor, read_exam
from inkmark.simulator import (
    CLEAN_OFFICE,
    MarkStyle,
    encode_scan,
    fill_sheet,
    render_pages,
    scan,
)
from inkmark.store import ExamStore

__all__ = ["N_PAGES", "SEED", "run", "speed_exam", "speed_pages"]

N_PAGES, N_ITEMS, SEED = 40, 60, 3
BLACK_BELOW = 190
"""Threshold of the black-and-white scans; pencil is still black."""

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Form:
    """How a scanner delivers the pages."""

    label: str
    ending: str
    dpi: float = 200.0
    bilevel: bool = False
    colour: bool = False


@dataclass(frozen=True, slots=True)
class _Paper:
    """The exam and its scanned pages before they are encoded."""

    exam: Exam
    layout: SheetLayout
    pages: list[Pixels]


FORMS = (
    _Form("grey JPEG", ".jpg"),
    _Form("grey JPEG, 300 dpi", ".jpg", dpi=300.0),
    _Form("colour JPEG", ".jpg", colour=True),
    _Form("PDF with JPEG", ".pdf"),
    _Form("G4 TIFF", ".tif", bilevel=True),
    _Form("1-bit PNG", ".png", bilevel=True),
    _Form("PDF with G4", ".pdf", bilevel=True),
)


def run(options: Options) -> Result:
    """Compare reading with decoding for each form in which scans come.

    Decoding is `cv2.imdecode` to grey of the same bytes; for PDF files it is that of the
    picture inside, as JPEG or as G4 TIFF.

    Parameters
    ----------
    options : Options

    Returns
    -------
    Result
    """
    exam = speed_exam()
    layout = build_layout(exam)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="inkmark-read-speed-") as name:
        root = Path(name)
        for dpi in dict.fromkeys(form.dpi for form in FORMS):
            pages = list(speed_pages(root, exam, layout, dpi))
            for form in (form for form in FORMS if form.dpi == dpi):
                rows += _measure(root, _Paper(exam, layout, pages), form, options.repeats)
    return Result(
        "read_speed",
        tuple(rows),
        SEED,
        (
            f"A4, {N_ITEMS} items of 4 options, a 10-digit number filled in and a QR code.",
            f"{N_PAGES} pages, one worker, CPU time of the process for a page, from files to",
            "committed readings in a database that is open. Decoding is timed in the same process,",
            "whose memory is warm: in a fresh one it takes longer.",
        ),
    )


def _number(n: int) -> str:
    """Give the number of the n-th candidate."""
    return f"26{n:08d}"


def speed_exam(n_candidates: int = N_PAGES) -> Exam:
    """Give the exam whose sheets are read."""
    return Exam(
        id="SPEED",
        title="Reading speed",
        subject="Mathematics",
        grade="9",
        date=None,
        language="en",
        policy=Policy(),
        items=tuple(
            Item(str(n + 1), ItemType.SINGLE, ("A", "B", "C", "D"), ("A",), Decimal(1))
            for n in range(N_ITEMS)
        ),
        candidates=tuple(Candidate(_number(n)) for n in range(n_candidates)),
    )


def speed_pages(root: Path, exam: Exam, layout: SheetLayout, dpi: float) -> Iterator[Pixels]:
    """Give the sheets of the exam, filled by different people and scanned in an office."""
    printed = root / "blank.pdf"
    print_sheets(layout, exam, printed)
    (blank,) = render_pages(printed, dpi)
    rng = np.random.default_rng(SEED)
    for candidate in exam.candidates:
        marks = {
            (f"Q{n + 1}", 0): [(int(rng.integers(4)), MarkStyle.FILL)] for n in range(N_ITEMS)
        } | {
            ("candidate", g): [(int(digit), MarkStyle.FILL)]
            for g, digit in enumerate(candidate.number)
        }
        filled = fill_sheet(blank, layout.pages[0], marks, dpi, rng)
        yield scan(filled, dpi, CLEAN_OFFICE, rng)


def _measure(root: Path, paper: _Paper, form: _Form, repeats: int) -> Iterator[Row]:
    exam, layout = paper.exam, paper.layout
    folder = ExamFolder(root / form.label.replace(" ", "-"))
    folder.scans.mkdir(parents=True)
    for number, pixels in enumerate(paper.pages):
        image = np.where(pixels > BLACK_BELOW, 255, 0).astype(np.uint8) if form.bilevel else pixels
        path = folder.scans / f"{number:03d}{form.ending}"
        if form.colour:
            Image.fromarray(image).convert("RGB").save(path, quality=85, dpi=(form.dpi, form.dpi))
        else:
            encode_scan(image, path, form.dpi)
    pictures = [_picture(path, form) for path in sorted(folder.scans.iterdir())]

    def decode() -> None:
        for data in pictures:
            cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)

    def read(store: ExamStore) -> None:
        report = read_exam(folder, exam, layout, store, executor=SerialExecutor())
        if report.read + report.doubtful != N_PAGES:
            raise RuntimeError(f"{form.label}: {report.read} of {N_PAGES} pages were read")

    decode_ms, read_ms = [], []
    for repeat in range(max(repeats, 2) + 1):  # in turn, so that a drift meets both
        folder.database.unlink(missing_ok=True)
        with ExamStore.open(folder.database, exam.id) as store:
            store.put_exam(exam)
            times = _cpu_ms(decode), _cpu_ms(partial(read, store))
        if repeat:  # the first round warms up
            decode_ms.append(times[0])
            read_ms.append(times[1])
    ratios = [b / a for a, b in zip(decode_ms, read_ms, strict=True)]
    for label, samples, unit, kind, better in (
        ("decode", decode_ms, "ms", Kind.TIME, Better.NEITHER),
        ("read", read_ms, "ms", Kind.TIME, Better.LOWER),
        ("read / decode", ratios, "x", Kind.RATIO, Better.LOWER),
    ):
        low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
        yield Row(
            label,
            statistics.median(samples),
            unit,
            kind,
            better,
            high - low,
            len(samples),
            group=form.label,
        )


def _cpu_ms(work: Callable[[], None]) -> float:
    """CPU milliseconds a page."""
    start = time.process_time()
    work()
    return 1000 * (time.process_time() - start) / N_PAGES


def _picture(path: Path, form: _Form) -> npt.NDArray[np.uint8]:
    """The bytes that decoding starts from: the file's, or those of the picture in a PDF."""
    data = path.read_bytes()
    if form.ending == ".pdf" and not form.bilevel:
        data = data[data.index(b"\xff\xd8\xff") : data.rindex(b"\xff\xd9") + 2]
    elif form.ending == ".pdf":
        with open_scan(path) as opened, io.BytesIO() as twin:
            Image.fromarray(opened.load(0).pixels.whole() > 0).save(
                twin, "TIFF", compression="group4"
            )
            data = twin.getvalue()
    return np.frombuffer(data, np.uint8)
