"""What the tables of `benchmarks.handwriting` share: the sample, sheets, people and counting."""

from __future__ import annotations

import functools
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks._bounds import upper_bound
from benchmarks.contract import Better, Kind, Row, Unavailable
from inkmark.exam import Exam, Item
from inkmark.exam.example import example_exam
from inkmark.images import open_scan
from inkmark.layouts import BoxFrame, SheetLayout, SheetOptions, build_layout, print_sheets
from inkmark.readings import FieldReading, Flag, SheetIssue
from inkmark.session import read_page
from inkmark.simulator import (
    Hand,
    Level,
    SimulatedPage,
    Slip,
    Writers,
    draw_condition,
    encode_scan,
    render_pages,
    simulate,
)

__all__ = [
    "LEVELS",
    "Capture",
    "Figures",
    "Outcomes",
    "Sample",
    "Sheet",
    "in_processes",
    "writers",
]

LEVELS = (Level.CLEAN, Level.ORDINARY)
_OVERSAMPLING = 2

_In = TypeVar("_In")
_Out = TypeVar("_Out")


@dataclass(frozen=True, slots=True)
class Sample:
    """How much is measured, and from what.

    Attributes
    ----------
    data_dir : Path or None
        Folder of the reference data.
    size : float
        Times the usual number of pages.
    seed : int
        Seeds below 1000 are for those who make the readers.
    workers : int
    dpis : tuple of float
    """

    data_dir: Path | None
    size: float = 1.0
    seed: int = 1000
    workers: int = 1
    dpis: tuple[float, ...] = (200.0,)

    @property
    def specimens(self) -> Path:
        """Folder of the sets of handwriting.

        Raises
        ------
        Unavailable
        """
        if self.data_dir is None or not (self.data_dir / "handwriting").is_dir():
            raise Unavailable("no handwriting in the reference data; set INKMARK_DATA")
        return self.data_dir / "handwriting"

    def times(self, n: int) -> int:
        """So many for a usual number."""
        return max(1, round(n * self.size))


@dataclass(frozen=True, slots=True)
class Figures:
    """What a table says.

    Attributes
    ----------
    rows : tuple of Row
    notes : tuple of str
    cases : tuple of str
        Single readings that were wrong or refused, for whoever looks into them.
    """

    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Capture:
    """How a page is printed and scanned: frames, resolution and level of the scanner."""

    frame: BoxFrame
    dpi: float
    level: Level

    def __str__(self) -> str:
        return f"{self.frame} {self.dpi:.0f} dpi, level {self.level.value}"


class Outcomes:
    """Counts of what was read right, flagged, or wrong and not flagged, by line of a table."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {}

    def add(self, line: str, outcome: str, n: int = 1) -> None:
        """Count ``right``, ``flagged``, ``silent``, or anything else beside."""
        self._counts.setdefault(line, Counter())[outcome] += n

    def merge(self, other: Outcomes) -> None:
        """Take in the counts of another run."""
        for line, counts in other._counts.items():
            self._counts.setdefault(line, Counter()).update(counts)

    def get(self, line: str, outcome: str) -> int:
        """A count."""
        return self._counts.get(line, Counter())[outcome]

    def rows(self, table: str, shares: Mapping[str, str] = {}) -> tuple[Row, ...]:
        """The table's rows.

        Parameters
        ----------
        table : str
        shares : mapping of str to str
            Further columns, percentages of the whole, by their outcomes.
        """
        found = []
        for line, counts in self._counts.items():
            n = sum(counts[key] for key in ("right", "flagged", "silent"))
            silent = counts["silent"]
            figures: dict[str, tuple[float, str, Better]] = {
                "n": (n, "", Better.NEITHER),
                "right %": (100 * counts["right"] / n, "%", Better.HIGHER),
                "flagged %": (100 * counts["flagged"] / n, "%", Better.LOWER),
                "silent": (silent, "", Better.LOWER),
                "silent below %": (100 * upper_bound(silent, n), "%", Better.LOWER),
            }
            for label, outcome in shares.items():
                figures[label] = (100 * counts[outcome] / n, "%", Better.HIGHER)
            for label, (value, unit, better) in figures.items():
                kind = Kind.COUNT if unit == "" else Kind.ACCURACY
                group = f"{table}: {line}"
                found.append(Row(label, value, unit, kind, better, group=group))
        return tuple(found)


def outcome_of(reading: FieldReading | None, text: str) -> str:
    """``right``, ``flagged`` or ``silent``; a field that was not read at all is flagged."""
    if reading is None or reading.flag is not Flag.OK:
        return "flagged"
    return "right" if reading.value == text else "silent"


@functools.cache
def writers(folder: Path) -> Writers:
    """The people that figures are stated for; read once in each process."""
    return Writers.of(folder, "test")


@dataclass(frozen=True)
class Sheet:
    """A sheet of some items that is printed once in each process and written on again and again.

    Attributes
    ----------
    items : tuple of Item
    options : SheetOptions
    """

    items: tuple[Item, ...]
    options: SheetOptions
    _printed: dict[float, NDArray[np.uint8]] = field(
        default_factory=dict, compare=False, repr=False
    )

    @functools.cached_property
    def exam(self) -> Exam:
        """The exam of the items."""
        return replace(example_exam("en"), items=self.items, candidates=())

    @functools.cached_property
    def layout(self) -> SheetLayout:
        """The sheet's layout; it has one page."""
        layout = build_layout(self.exam, self.options)
        if len(layout.pages) != 1:
            raise ValueError("a sheet of the benchmark has one page")
        return layout

    def printed(self, dpi: float) -> NDArray[np.uint8]:
        """The blank sheet in pixels, (H, W)."""
        if dpi not in self._printed:
            with tempfile.TemporaryDirectory(prefix="inkmark-handwriting-") as folder:
                path = Path(folder) / "sheet.pdf"
                print_sheets(self.layout, self.exam, path)
                (page,) = render_pages(path, dpi, [0], oversampling=_OVERSAMPLING)
            self._printed[dpi] = page
        return self._printed[dpi]

    def filled(
        self,
        capture: Capture,
        texts: Mapping[str, str],
        rng: np.random.Generator,
        *,
        hand: Hand,
        slips: Mapping[str, Mapping[int, Slip]] = {},
    ) -> SimulatedPage:
        """One sheet as a person fills it and the scanner sees it."""
        condition = replace(draw_condition(capture.level, rng), dpi=capture.dpi)
        return simulate(
            self.printed(capture.dpi),
            self.layout.pages[0],
            {},
            condition,
            rng,
            texts=texts,
            slips=slips,
            hand=hand,
        )

    def read(self, image: SimulatedPage, dpi: float) -> dict[str, FieldReading]:
        """The sheet's readings by field, from the file that a scanner writes.

        A page that is refused as a whole has none.
        """
        with tempfile.TemporaryDirectory(prefix="inkmark-handwriting-") as folder:
            path = Path(folder) / "page.png"
            encode_scan(image.pixels, path, dpi)
            with open_scan(path) as opened:
                reading = read_page(opened.load(0), self.layout)
        if isinstance(reading, SheetIssue):
            return {}
        return {seen.field: seen for seen in reading.fields}


class _Work(Protocol[_In, _Out]):  # type: ignore[misc]
    def __call__(self, job: _In, /) -> _Out: ...


def in_processes(work: _Work[_In, _Out], jobs: Sequence[_In], workers: int) -> Iterable[_Out]:
    """The results of some jobs in their order, whatever the number of processes."""
    if workers <= 1 or len(jobs) <= 1:
        return map(work, jobs)
    with ProcessPoolExecutor(min(workers, len(jobs)), get_context("spawn")) as pool:
        return list(pool.map(work, jobs))
