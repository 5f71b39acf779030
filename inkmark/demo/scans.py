"""The demo's scans: sheets filled, scanned and written as files, each on its own seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.files import write_whole
from inkmark.layouts import PageLayout, WritingField
from inkmark.simulator import (
    Bilevel,
    MarkStyle,
    Slip,
    Writers,
    draw_scanner,
    draw_writer,
    encode_scan,
    fill_sheet,
    render_pages,
    scan,
    write_field,
    write_line,
)
from inkmark.simulator.teacher import (
    Half,
    InkKind,
    draw_colour_scanner,
    draw_marker_ink,
    encode_colour_scan,
    scan_in_colour,
    write_points,
)

Pixels = NDArray[np.uint8]

__all__ = ["DemoScan", "FileJob", "HandJob", "PageJob", "write_scan_file"]


@dataclass(frozen=True, slots=True)
class DemoScan:
    """One page image of the demo.

    Attributes
    ----------
    path : str
        Relative to the exam folder.
    page_index : int
        0-based page of the file.
    candidate : str
        Whose sheet it is, whatever number is on it.
    page_number : int
        0-based page of the sheet.
    orientation_deg : int
        Clockwise turn of the page in the image.
    """

    path: str
    page_index: int
    candidate: str
    page_number: int
    orientation_deg: int


@dataclass(frozen=True, slots=True)
class HandJob:
    """What is written on a page by hand, which is then scanned in colour.

    Attributes
    ----------
    specimens : Path
        Folder with the handwriting of people; see `Writers.of`.
    texts : tuple of (str, str, slips)
        Fields with what the candidate writes into them.
    points : tuple of (str, str)
        Fields with the points that the marker writes into them.
    marker_seed : tuple of int
    ink : InkKind
        Of the marker.
    copy : int
        Counts the scans of this page before this one.
    """

    specimens: Path
    texts: tuple[tuple[str, str, tuple[tuple[int, Slip], ...]], ...]
    points: tuple[tuple[str, str], ...]
    marker_seed: tuple[int, ...]
    ink: InkKind
    copy: int = 0


@dataclass(frozen=True, slots=True)
class PageJob:
    """A page to fill and scan.

    Attributes
    ----------
    sheets : Path
        The printed sheets, PDF.
    sheet_index : int
        0-based page of it.
    page : PageLayout
    marks : mapping of (field, group) to marks
    written : tuple of str
        Areas with handwriting in them.
    writer_seed, page_seed : tuple of int
        The hand is a candidate's, the rest is the page's.
    orientation_deg : int
    hand : HandJob or None
    """

    sheets: Path
    sheet_index: int
    page: PageLayout
    marks: Mapping[tuple[str, int], tuple[tuple[int, MarkStyle], ...]]
    written: tuple[str, ...]
    writer_seed: tuple[int, ...]
    page_seed: tuple[int, ...]
    orientation_deg: int
    hand: HandJob | None = None


@dataclass(frozen=True, slots=True)
class FileJob:
    """A scan file to write; `is_bilevel` asks for black and white.

    A page with handwriting is a JPEG file of its own.
    """

    path: Path
    pages: tuple[PageJob, ...]
    is_bilevel: bool = False


def write_scan_file(job: FileJob, dpi: float) -> Path:
    """Simulate the pages of one file and write it.

    Parameters
    ----------
    job : FileJob
    dpi : float
        Resolution of the scanner.

    Returns
    -------
    Path
        The file written.
    """
    first = job.pages[0]
    if first.hand is not None:
        write_whole(job.path, _scanned_in_colour(first, first.hand, dpi))
        return job.path
    pages = [_scanned(page, dpi, is_bilevel=job.is_bilevel) for page in job.pages]
    encode_scan(pages, job.path, dpi)
    return job.path


def _filled(job: PageJob, dpi: float, rng: np.random.Generator) -> Pixels:
    """The page with the candidate's marks."""
    (pixels,) = render_pages(job.sheets, dpi, [job.sheet_index])
    writer = draw_writer(np.random.default_rng(job.writer_seed))
    writer = replace(writer, darkness=max(writer.darkness, 0.66))  # 2B, as the sheet asks
    return fill_sheet(pixels, job.page, job.marks, dpi, rng, writer=writer, written=job.written)


def _scanned(job: PageJob, dpi: float, *, is_bilevel: bool) -> Pixels:
    rng = np.random.default_rng(job.page_seed)
    filled = _filled(job, dpi, rng)
    model = draw_scanner(float(rng.uniform(0.15, 0.5)), rng)
    model = replace(model, orientation_deg=job.orientation_deg)
    if is_bilevel:
        model = replace(model, bilevel=Bilevel.THRESHOLD, threshold=160, noise=2.0)
    return scan(filled, dpi, model, rng)


def _scanned_in_colour(job: PageJob, hand: HandJob, dpi: float) -> bytes:
    """The file of a page that the candidate and the marker wrote on."""
    rng = np.random.default_rng(job.page_seed)
    page = np.asarray(cv2.cvtColor(_filled(job, dpi, rng), cv2.COLOR_GRAY2BGR), np.uint8)
    fields = {field.name: field for field in job.page.fields}
    writers = _writers(hand.specimens)
    own = writers.hand(np.random.default_rng((*job.writer_seed, 1)))
    for name, text, slips in hand.texts:
        field = fields[name]
        if isinstance(field, WritingField):
            page = write_field(page, field, text, dpi, rng, hand=own, slips=dict(slips))
        else:
            page = write_line(page, field.box, text, dpi, rng, hand=own)
    habits = np.random.default_rng(hand.marker_seed)
    marker = replace(writers.hand(habits), ink=draw_marker_ink(hand.ink, habits))
    half = tuple(Half)[int(habits.integers(len(Half)))]
    for name, text in hand.points:
        page = write_points(page, fields[name].box, text, dpi, rng, hand=marker, half=half)
    again = np.random.default_rng((*job.page_seed, hand.copy))
    model = draw_scanner(float(again.uniform(0.15, 0.5)), again)
    model = replace(model, orientation_deg=job.orientation_deg)
    colour = draw_colour_scanner(again)
    return encode_colour_scan(scan_in_colour(page, dpi, model, colour, again), dpi, colour)


@lru_cache(maxsize=1)
def _writers(specimens: Path) -> Writers:
    # Nobody who taught the readers is among them.
    return Writers.of(specimens, "test")
