"""Scores that markers wrote on sheets, in colour and in grey: right, flagged, wrong and silent.

A table of `benchmarks.handwriting`; by itself: ``python -m benchmarks._handwriting_points``.
No public data holds teachers' scores: what is measured is the simulator of
`inkmark.simulator.teacher`, with digits of people whom neither training nor tuning saw.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from inkmark.exam import Exam, Item, ItemType, Policy
from inkmark.geometry import MM_PER_INCH, Box
from inkmark.images import open_scan
from inkmark.layouts import (
    AreaField,
    PageLayout,
    Role,
    SheetLayout,
    SheetOptions,
    WritingField,
    build_layout,
    print_sheets,
)
from inkmark.marking.marker_points import settle_points
from inkmark.readings import SheetReading
from inkmark.session import read_page
from inkmark.simulator import draw_scanner, render_pages
from inkmark.simulator import teacher as marker
from inkmark.simulator.hands import Hand, Writers
from inkmark.simulator.people import write_across

__all__ = ["Score", "SheetOfPoints", "points_rows", "simulate_points"]

SEED = 1000
"""Tuning stays below."""
Image = NDArray[np.uint8]

_FULL = (2, 3, 4, 5, 6, 8, 10, 12, 14, 15, 20)
_BOXES_AN_AREA = 3
_BOX_MM = (14.0, 9.0)
_DIGIT_MM = 7.0
_INKS = (
    *(marker.InkKind.RED,) * 12,
    *(marker.InkKind.DARK_RED,) * 3,
    *(marker.InkKind.ORANGE,) * 2,
    *(marker.InkKind.PINK,) * 2,
    marker.InkKind.GREEN,
    *(marker.InkKind.BLUE,) * 2,
    marker.InkKind.BLACK,
)
_STUDENTS = (marker.InkKind.BLACK, marker.InkKind.BLUE, marker.InkKind.PENCIL)
_HALVES = (0.6, 0.3, 0.1)
_DISTURBANCES = ("none", "writing across", "over print", "struck out", "blank")
_SHARES = (0.82, 0.08, 0.07, 0.015, 0.015)
_RIGHT_SUM = 0.99


@dataclass(frozen=True, slots=True)
class Score:
    """What was written into a field and what became of it.

    Attributes
    ----------
    truth : str
        Empty where nothing counts: a blank box, a score struck out.
    ink : str
    half : str
        How a half was written; empty for whole points.
    disturbance : str
    read : str
    is_certain : bool
    """

    truth: str
    ink: str
    half: str
    disturbance: str
    read: str
    is_certain: bool

    @property
    def is_legible(self) -> bool:
        """Whether there are points that a person reads without doubt."""
        return self.disturbance not in ("struck out", "blank")

    @property
    def is_silent(self) -> bool:
        """Wrong and not flagged."""
        return self.is_certain and self.read != self.truth


@dataclass(frozen=True, slots=True)
class SheetOfPoints:
    """The printed sheet that markers write on, and its exam."""

    exam: Exam
    layout: SheetLayout
    page: Image

    @classmethod
    def print(cls, dpi: float, seed: int) -> SheetOfPoints:
        """Print a sheet with three fields for points at every answer, and a total."""
        rng = np.random.default_rng(seed)
        subjective = [
            Item(str(n), ItemType.SUBJECTIVE, (), (), Decimal(p))
            for n, p in enumerate((4, 6, 10, 12, 5, 8, 3, 15, 10, 12, 4, 6), start=1)
        ]
        exam = Exam("POINTS-1", "Points", "", "", None, "en", Policy(), tuple(subjective))
        layout = build_layout(exam, SheetOptions(columns=2))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "sheet.pdf"
            print_sheets(layout, exam, path, None, serials=["AAAA"])
            (grey,) = render_pages(path, dpi, [1], oversampling=2)
        page = layout.pages[1]
        fields = tuple(_fields(page))
        fulls = rng.choice(_FULL, len(fields) - 1)
        items = tuple(
            Item(f.item, ItemType.SUBJECTIVE, (), (), Decimal(int(full)))
            for f, full in zip(fields, fulls, strict=False)
        )
        image = np.repeat(grey[:, :, None], 3, axis=2)
        for field in fields:
            _print_field(image, field, dpi)
        page = replace(page, fields=(*page.fields, *fields))
        pages = (layout.pages[0], page)
        return cls(replace(exam, items=items), replace(layout, pages=pages), image)


def _fields(page: PageLayout) -> Iterator[WritingField]:
    w, h = _BOX_MM
    areas = [f for f in page.fields if isinstance(f, AreaField) and f.role is Role.ITEM]
    for area in areas:
        for k in range(_BOXES_AN_AREA):
            x = area.box.right - 3 - (_BOXES_AN_AREA - k) * (w + 4) + 4
            item = f"{area.item}.{k + 1}"
            digits = k == 2  # the third has a box for each digit
            box = Box(x, area.box.y + 3, _DIGIT_MM if digits else w, h)
            n, step = (2, _DIGIT_MM) if digits else (1, 0.0)
            yield WritingField(f"P{item}", box, n, step, "points", Role.POINTS, item)
    total = Box(118.0, 24.0, 20.0, h)
    yield WritingField("total", total, charset="points", role=Role.TOTAL)


def _print_field(image: Image, field: WritingField, dpi: float) -> None:
    scale = dpi / MM_PER_INCH
    for box in field.boxes():
        corners = np.rint(box.corners() * scale * 16).astype(np.int32)
        cv2.polylines(image, [corners], True, (40,) * 3, max(1, round(0.2 * scale)), cv2.LINE_AA, 4)
    _print_text(image, field.name, (field.box.x, field.box.y - 0.7), dpi)


def _print_text(image: Image, text: str, at_mm: tuple[float, float], dpi: float) -> None:
    at = (round(at_mm[0] * dpi / MM_PER_INCH), round(at_mm[1] * dpi / MM_PER_INCH))
    font, pen = cv2.FONT_HERSHEY_SIMPLEX, max(1, round(dpi / 150))
    cv2.putText(image, text, at, font, dpi / 420, (40,) * 3, pen, cv2.LINE_AA)


class _Marked:
    """A sheet while it is filled and marked."""

    def __init__(
        self, sheet: SheetOfPoints, writers: Writers, dpi: float, rng: np.random.Generator
    ) -> None:
        self.image, self.sheet, self._dpi, self._rng = sheet.page.copy(), sheet, dpi, rng
        self.ink = _INKS[int(rng.integers(len(_INKS)))]
        pen = marker.draw_marker_ink(self.ink, rng)
        digits = "mnist" if rng.random() < 0.5 else "pendigits"
        self._hand: Hand = replace(writers.hand(rng, digits=digits), ink=pen)
        others = [kind for kind in _STUDENTS if kind is not self.ink]
        self._student = marker.draw_marker_ink(others[int(rng.integers(len(others)))], rng)
        self._half = list(marker.Half)[int(rng.choice(3, p=_HALVES))]
        self.scores: dict[str, Score] = {}

    def fill(self) -> None:
        """The candidate answers, the marker marks."""
        rng, page = self._rng, self.sheet.layout.pages[1]
        for field in page.fields:
            if isinstance(field, AreaField) and field.role is Role.ITEM and rng.random() < 0.8:
                box = field.box
                self._scrawl((box.x + 3, box.y + 17), int(rng.integers(1, 4)), box.right)
        full = {item.number: int(item.points) for item in self.sheet.exam.items}
        total = Decimal(0)
        for field in page.fields:
            if isinstance(field, WritingField) and field.role is Role.POINTS:
                total += self._mark(field, _draw_points(full[field.item], rng))
            elif isinstance(field, WritingField) and field.role is Role.TOTAL:
                if rng.random() > _RIGHT_SUM:
                    total += int(rng.integers(1, 4))
                self._mark(field, total)

    def _mark(self, field: WritingField, points: Decimal) -> Decimal:
        """Write points into a field; gives those that count."""
        rng, dpi = self._rng, self._dpi
        is_total = field.role is Role.TOTAL
        disturbance = "none" if is_total else str(rng.choice(_DISTURBANCES, p=_SHARES))
        boxes = field.boxes()
        extent = Box(field.box.x, field.box.y, boxes[-1].right - field.box.x, field.box.h)
        if disturbance == "writing across":
            at = (extent.x + float(rng.uniform(-12, 4)), extent.y + float(rng.uniform(1, 6)))
            self._scrawl(at, 1, extent.right + 6)
        elif disturbance == "over print":
            _print_text(self.image, "score", (extent.x + 2.5, extent.bottom - 2), dpi)
        if field.boxes()[1:] and points % 1 and points > 10:
            points //= 1  # there is no room
        text = f"{points.normalize():f}"
        half = self._half if points % 1 else None
        truth = "" if disturbance in ("struck out", "blank") else text
        self.scores[field.name] = Score(
            truth, str(self.ink), str(half or ""), disturbance, "", is_certain=False
        )
        if disturbance == "blank":
            return Decimal(0)
        if len(boxes) > 1:
            self._write_digits(boxes, text)
        else:
            how = half or marker.Half.POINT
            inner = extent.grown(-0.4)
            self.image = marker.write_points(
                self.image, inner, text, dpi, rng, hand=self._hand, half=how
            )
        if disturbance == "struck out":
            middle = Box(extent.x + 0.2 * extent.w, extent.y, 0.6 * extent.w, extent.h)
            marker.strike_out(self.image, middle, dpi, rng, ink=self._hand.ink)
            return Decimal(0)
        return points

    def _write_digits(self, boxes: tuple[Box, ...], text: str) -> None:
        """One digit a box, to the right; ``.5`` shares the last."""
        whole, _, rest = text.partition(".")
        parts = [*whole] + ([f".{rest}"] if rest else [])
        for box, part in zip(boxes[-len(parts) :], parts, strict=True):
            self.image = marker.write_points(
                self.image, box.grown(-0.3), part, self._dpi, self._rng, hand=self._hand
            )

    def _scrawl(self, at: tuple[float, float], lines: int, right: float) -> None:
        page = self.sheet.layout.pages[1]
        empty = np.full((round(page.height_mm), round(page.width_mm)), 255, np.uint8)
        _, strokes, _ = write_across(empty, MM_PER_INCH, at, lines, self._rng)
        near = [stroke for stroke in strokes if stroke[:, 0].max() < right]
        if near:
            marker.draw_lines(self.image, near, self._dpi, self._rng, ink=self._student)


def _draw_points(full: int, rng: np.random.Generator) -> Decimal:
    points = Decimal(int(rng.integers(0, 2 * full + 1))) / 2
    return points - Decimal("0.5") if points % 1 and rng.random() < 0.6 else points


def simulate_points(
    folder: Path, *, dpi: float, grey: bool, sheets: int, seed: int = SEED, part: str = "test"
) -> list[Score]:
    """Write, scan, read and settle the points of some sheets.

    Parameters
    ----------
    folder : Path
        Of the sets of handwriting.
    dpi : float
    grey : bool
        Whether the scanner sees no colours.
    sheets : int
        Each has 21 scores and a total.
    seed : int
        Of the first sheet.
    part : {"test", "train"}
    """
    writers = Writers.of(folder, part)
    printed = SheetOfPoints.print(dpi, seed)
    scores: list[Score] = []
    for number in range(seed, seed + sheets):
        rng = np.random.default_rng(number)
        marked = _Marked(printed, writers, dpi, rng)
        marked.fill()
        scanner = marker.draw_colour_scanner(rng, grey=grey)
        image = marker.scan_in_colour(marked.image, dpi, draw_scanner(0.5, rng), scanner, rng)
        reading = _read(printed, marker.encode_colour_scan(image, dpi, scanner))
        fields = {} if reading is None else {r.field: r for r in reading.fields}
        settled = settle_points(printed.exam, printed.layout, fields, {})
        for name, score in marked.scores.items():
            points = settled.get(name)
            value = "" if points is None or points.points is None else f"{points.points:f}"
            value = value.rstrip("0").rstrip(".") if "." in value else value
            certain = points is not None and points.is_certain
            scores.append(replace(score, read=value, is_certain=certain))
    return scores


def _read(printed: SheetOfPoints, data: bytes) -> SheetReading | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scan.jpg"
        path.write_bytes(data)
        with open_scan(path) as scan:
            outcome = read_page(scan.load(0), printed.layout)
    return outcome if isinstance(outcome, SheetReading) else None


# --- the table --------------------------------------------------------------------------


def points_rows(scores: list[Score]) -> list[tuple[str, int, int, int, float]]:
    """Figures of all legible scores, by ink, by half and by disturbance.

    Returns
    -------
    list of (str, int, int, int, float)
        Name, scores, flagged, silent, and the upper end of the 95 % interval of the share
        of silent ones (Clopper and Pearson 1934).
    """
    legible = [s for s in scores if s.is_legible]
    groups = {"legible": legible}
    groups |= {
        f"ink {ink}": [s for s in legible if s.ink == ink] for ink in _each(s.ink for s in scores)
    }
    halves = _each(s.half for s in scores if s.half)
    groups |= {f"half {half}": [s for s in legible if s.half == half] for half in halves}
    groups |= {f"disturbed: {k}": [s for s in scores if s.disturbance == k] for k in _DISTURBANCES}
    rows = []
    for name, some in groups.items():
        silent = sum(s.is_silent for s in some)
        n = len(some)
        bound = float(beta.ppf(0.975, silent + 1, n - silent)) if silent < n else 1.0
        rows.append((name, n, sum(not s.is_certain for s in some), silent, bound))
    return rows


def _each(values: Iterable[str]) -> list[str]:
    return sorted(set(values))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dpi", type=float, default=200.0)
    parser.add_argument("--grey", action="store_true")
    parser.add_argument("--sheets", type=int, default=50)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--part", default="test")
    args = parser.parse_args()
    folder = Path(os.environ.get("INKMARK_DATA", "../shared/data")) / "handwriting"
    scores = simulate_points(
        folder, dpi=args.dpi, grey=args.grey, sheets=args.sheets, seed=args.seed, part=args.part
    )
    print(f"{'':28} {'scores':>6} {'flagged':>8} {'silent':>7} {'at most':>8} (per 1,000)")
    for name, n, flagged, silent, bound in points_rows(scores):
        if n:
            rate = 1000 * silent / n
            print(f"{name:28} {n:6} {flagged / n:8.2%} {rate:7.2f} {1000 * bound:8.2f}")


if __name__ == "__main__":
    main()
