"""Scores that markers wrote on sheets, in colour and in grey: right, flagged, wrong and silent.

A table of `benchmarks.handwriting`; by itself: ``python -m benchmarks._handwriting_points``.
No public data holds teachers' scores: what is measured is the simulator of
`inkmark.simulator.teacher`, with digits of people whom neither training nor tuning saw.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks._bounds import upper_bound
from inkmark.exam import Exam, Item, ItemType, Policy
from inkmark.geometry import MM_PER_INCH, Box
from inkmark.images import PageImage, open_scan
from inkmark.layouts import (
    AreaField,
    Field,
    Role,
    SheetLayout,
    SheetOptions,
    WritingField,
    build_layout,
    layout_version,
    print_sheets,
)
from inkmark.marking.marker_points import settle_points
from inkmark.ocr.points import read_points
from inkmark.readings import SheetReading
from inkmark.session import read_page
from inkmark.simulator import draw_scanner, render_pages
from inkmark.simulator import teacher as marker
from inkmark.simulator.hands import Hand, Writers
from inkmark.simulator.handwriting import write_line
from inkmark.simulator.people import write_across

__all__ = ["Score", "SheetOfPoints", "points_costs", "points_rows", "simulate_points"]

SEED = 1000
"""Tuning stays below."""
Image = NDArray[np.uint8]

_FILL_INS = (2, 3, 5, 2, 4, 10, 5, 12, 3, 6, 4, 15, 8, 5, 20, 10)
_SUBJECTIVE = (4, 6, 8, 5, 3, 6)
"""Points of the items in the order of the sheet, which holds 22 scores and their total."""
_TICKED = {"18": 3, "19": 4, "20": 0}
"""Subjective items marked by ticks, and how many are expected; 0 for any number."""
_MARK_MM = (12.0, 9.0)
"""A tick has so much room."""
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
_SHARES = {
    "none": 0.82,
    "writing across": 0.08,
    "over print": 0.06,
    "struck out": 0.025,
    "blank": 0.015,
}
_NO_SCORE = ("blank", "struck out", "struck out with another")
_VERDICTS = tuple(marker.Verdict)
_VERDICT_SHARES = (0.6, 0.1, 0.3)
_ANSWERED = 0.9
_STRUCK_ON, _BELOW_MM = 0.4, 16.0
"""A stroke through a score goes on so often through that below, which is no further down."""
_CROSSED = 0.3
"""So many struck scores have a small cross over them."""
_RIGHT_SUM = 0.99
_REPEATS = 3


@dataclass(frozen=True, slots=True)
class Score:
    """What was written into a field and what became of it.

    Attributes
    ----------
    truth : str
        Empty where nothing counts: a blank box, a score struck out.
    ink : str
    how : str
        ``number``, ``half point`` and other ways to write a half, or ``ticks``.
    disturbance : str
    read : str
    is_certain : bool
    """

    truth: str
    ink: str
    how: str
    disturbance: str
    read: str
    is_certain: bool

    @property
    def is_legible(self) -> bool:
        """Whether there are points that a person reads without doubt."""
        return self.disturbance not in _NO_SCORE

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
    def print(cls, dpi: float) -> SheetOfPoints:
        """Print the sheet as ``inkmark sheets --marker-boxes`` does.

        Three items are marked by ticks, as their layout file says: they have an area for
        them in place of the box.
        """
        points = (*_FILL_INS, *_SUBJECTIVE)
        items = tuple(
            Item(str(n), ItemType.SUBJECTIVE, (), (), Decimal(p))
            if n > len(_FILL_INS)
            else Item(str(n), ItemType.FILL_IN, (), ("1",), Decimal(p))
            for n, p in enumerate(points, start=1)
        )
        exam = Exam("POINTS-1", "Points", "", "", None, "en", Policy(), items)
        layout = build_layout(exam, SheetOptions(columns=3, marker_boxes=True))
        (page,) = layout.pages
        page = replace(page, fields=tuple(_ticked(page.fields)))
        layout = replace(layout, pages=(page,), version=layout_version((page,), layout.joins))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "sheet.pdf"
            print_sheets(layout, exam, path, None, serials=["AAAA"])
            (grey,) = render_pages(path, dpi, [0], oversampling=2)
        return cls(exam, layout, np.repeat(grey[:, :, None], 3, axis=2))


def _ticked(fields: Iterable[Field]) -> Iterator[Field]:
    """The fields, some boxes for points replaced by areas for ticks."""
    kept = list(fields)
    areas = {f.item: f.box for f in kept if isinstance(f, AreaField) and f.role is Role.ITEM}
    for field in kept:
        if isinstance(field, WritingField) and field.item in _TICKED and field.item in areas:
            box = areas[field.item]
            inner = Box(box.x + 2, box.y + 8, box.w - 4, box.h - 10)
            yield AreaField(field.name, inner, Role.POINTS, field.item, _TICKED[field.item])
        else:
            yield field


def _print_text(image: Image, text: str, at_mm: tuple[float, float], dpi: float) -> None:
    at = (round(at_mm[0] * dpi / MM_PER_INCH), round(at_mm[1] * dpi / MM_PER_INCH))
    font, pen = cv2.FONT_HERSHEY_SIMPLEX, max(1, round(dpi / 150))
    cv2.putText(image, text, at, font, dpi / 420, (40,) * 3, pen, cv2.LINE_AA)


class _Marked:
    """A sheet while it is filled and marked."""

    def __init__(
        self, sheet: SheetOfPoints, writers: Writers, dpi: float, rng: np.random.Generator
    ) -> None:
        self.image, self._dpi, self._rng = sheet.page.copy(), dpi, rng
        self._fields = sheet.layout.pages[0].fields
        self._writing = [f for f in self._fields if isinstance(f, WritingField)]
        self._full = {item.number: int(item.points) for item in sheet.exam.items}
        self.ink = _INKS[int(rng.integers(len(_INKS)))]
        pen = marker.draw_marker_ink(self.ink, rng)
        digits = "mnist" if rng.random() < 0.5 else "pendigits"
        self._hand: Hand = replace(writers.hand(rng, digits=digits), ink=pen)
        others = [kind for kind in _STUDENTS if kind is not self.ink]
        student = marker.draw_marker_ink(others[int(rng.integers(len(others)))], rng)
        self._student: Hand = replace(writers.hand(rng), ink=student)
        self._half = list(marker.Half)[int(rng.choice(3, p=_HALVES))]
        self.scores: dict[str, Score] = {}

    def fill(self) -> None:
        """The candidate answers, the marker marks and adds up."""
        self._answer()
        boxes = [f for f in self._writing if f.role is Role.POINTS]
        areas = [f for f in self._fields if isinstance(f, AreaField) and f.role is Role.POINTS]
        names = [*(f.name for f in boxes), *(f.name for f in areas)]
        disturbed = {name: self._disturbance() for name in names}
        together = []
        for one, other in pairwise(boxes):
            is_below = abs(other.box.x - one.box.x) < 1 and other.box.y - one.box.y < _BELOW_MM
            if is_below and disturbed[one.name] == "struck out" and self._rng.random() < _STRUCK_ON:
                disturbed[one.name] = disturbed[other.name] = "struck out with another"
                together.append((one, other))
        total = Decimal(0)
        for box in boxes:
            total += self._mark(box, _draw_points(self._full[box.item], self._rng), disturbed)
        for area in areas:
            total += self._tick(area, disturbed[area.name])
        for one, other in together:
            x, y, w = one.box.x, one.box.y, one.box.w
            both = Box(x + 0.2 * w, y, 0.6 * w, other.box.bottom - y)
            marker.strike_out(self.image, both, self._dpi, self._rng, ink=self._hand.ink)
        if self._rng.random() > _RIGHT_SUM:
            total += int(self._rng.integers(1, 4))
        (sum_box,) = (f for f in self._writing if f.role is Role.TOTAL)
        self._mark(sum_box, total, {sum_box.name: "none"})

    def _disturbance(self) -> str:
        return str(self._rng.choice(list(_SHARES), p=list(_SHARES.values())))

    def _answer(self) -> None:
        """The candidate writes numbers into wide boxes, and free text into areas."""
        rng = self._rng
        for field in self._fields:
            if not isinstance(field, AreaField | WritingField) or field.role is not Role.ITEM:
                continue
            box = field.box
            if rng.random() > _ANSWERED:
                continue
            if isinstance(field, AreaField):
                self._scrawl((box.x + 3, box.y + 17), int(rng.integers(1, 4)), box.right)
            else:
                text = str(rng.integers(1, 1000))
                self.image = write_line(self.image, box, text, self._dpi, rng, hand=self._student)

    def _mark(self, field: WritingField, points: Decimal, disturbed: Mapping[str, str]) -> Decimal:
        """Write points into a box; gives those that count."""
        rng, dpi, box = self._rng, self._dpi, field.box
        disturbance = disturbed[field.name]
        if disturbance == "writing across":
            at = (box.x + float(rng.uniform(-12, 4)), box.y + float(rng.uniform(1, 6)))
            self._scrawl(at, 1, box.right + 6)
        elif disturbance == "over print":
            _print_text(self.image, "score", (box.x + 2.5, box.bottom - 2), dpi)
        half = self._half if points % 1 else None
        self._note(field, points, disturbance, "number" if half is None else f"half {half}")
        if disturbance == "blank":
            return Decimal(0)
        text, inner = f"{points.normalize():f}", box.grown(-0.4)
        how = half or marker.Half.POINT
        before = self.image
        self.image = marker.write_points(before, inner, text, dpi, rng, hand=self._hand, half=how)
        if disturbance == "struck out":
            if rng.random() < _CROSSED:
                digits = _changed(before, self.image, dpi)
                marker.cross_out(self.image, digits, dpi, rng, ink=self._hand.ink)
            else:
                middle = Box(box.x + 0.2 * box.w, box.y, 0.6 * box.w, box.h)
                marker.strike_out(self.image, middle, dpi, rng, ink=self._hand.ink)
        return self._again(field) if disturbance in _NO_SCORE else points

    def _tick(self, field: AreaField, disturbance: str) -> Decimal:
        """Put ticks and crosses into an area; gives the points that count."""
        rng, box = self._rng, field.box
        full = self._full[field.item]
        if disturbance == "writing across":
            self._scrawl((box.x, box.y + float(rng.uniform(1, 15))), 1, box.right)
        n = field.n_marks or int(rng.integers(1, full + 1))
        if disturbance == "blank":
            n = 0
        worth = Decimal(full) / field.n_marks if field.n_marks else Decimal(1)
        across, down = (
            int(side / room) for side, room in zip((box.w, box.h), _MARK_MM, strict=True)
        )
        ticks, drawn = Decimal(0), []
        for place in rng.choice(across * down, n, replace=False).tolist():
            verdict = _VERDICTS[int(rng.choice(3, p=_VERDICT_SHARES))]
            ticks += {marker.Verdict.RIGHT: 1, marker.Verdict.WRONG: 0}.get(verdict, Decimal("0.5"))
            row, column = divmod(place, across)
            x, y = rng.uniform(-0.5, 0.5, 2).tolist()
            at = (
                box.x + (column + 0.45) * box.w / across + x,
                box.y + (row + 0.55) * box.h / down + y,
            )
            size = float(rng.uniform(4.0, 6.2))
            marker.put_verdict(
                self.image, verdict, at, rng, size=size, dpi=self._dpi, ink=self._hand.ink
            )
            drawn.append(Box(at[0] - size / 2, at[1] - size / 2, size, size))
        if disturbance == "struck out":
            marker.strike_out(self.image, drawn[0], self._dpi, rng, ink=self._hand.ink)
        self._note(field, ticks * worth, disturbance, "ticks")
        return self._again(field) if disturbance == "struck out" else ticks * worth

    def _again(self, field: WritingField | AreaField) -> Decimal:
        """What counts in place of a score that is struck out; it is written elsewhere."""
        return _draw_points(self._full[field.item], self._rng)

    def _note(self, field: Field, points: Decimal, disturbance: str, how: str) -> None:
        truth = "" if disturbance in _NO_SCORE else f"{points.normalize():f}"
        self.scores[field.name] = Score(
            truth, str(self.ink), how, disturbance, "", is_certain=False
        )

    def _scrawl(self, at: tuple[float, float], lines: int, right: float) -> None:
        """Free writing of the candidate, as far as a margin."""
        empty = np.full(tuple(n // 8 for n in self.image.shape[:2]), 255, np.uint8)
        _, strokes, _ = write_across(empty, MM_PER_INCH, at, lines, self._rng)
        near = [stroke for stroke in strokes if stroke[:, 0].max() < right]
        if near:
            marker.draw_lines(self.image, near, self._dpi, self._rng, ink=self._student.ink)


def _changed(before: Image, after: Image, dpi: float) -> Box:
    """What of a page has changed, in mm."""
    rows, columns = (np.flatnonzero((before != after).any(axis=axes)) for axes in ((1, 2), (0, 2)))
    top, bottom, left, right = (
        float(at) * MM_PER_INCH / dpi for at in (rows[0], rows[-1], columns[0], columns[-1])
    )
    return Box(left, top, right - left, bottom - top)


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
        Each has 22 scores and a total.
    seed : int
        Of the first sheet.
    part : {"test", "train"}
    """
    printed, writers = SheetOfPoints.print(dpi), Writers.of(folder, part)
    scores: list[Score] = []
    for image, written in _scans(printed, writers, range(seed, seed + sheets), dpi=dpi, grey=grey):
        outcome = read_page(image, printed.layout)
        fields = {r.field: r for r in outcome.fields} if isinstance(outcome, SheetReading) else {}
        settled = settle_points(printed.exam, printed.layout, fields, {})
        for name, score in written.items():
            points = settled.get(name)
            value = "" if points is None or points.points is None else f"{points.points:f}"
            value = value.rstrip("0").rstrip(".") if "." in value else value
            certain = points is not None and points.is_certain
            scores.append(replace(score, read=value, is_certain=certain))
    return scores


def points_costs(folder: Path, *, dpi: float, sheets: int, seed: int) -> dict[str, list[float]]:
    """Processor time of reading points on pages in colour, in ms, each the least of some runs.

    Decoding colours is part of it; registration is not.

    Returns
    -------
    dict of str to list of float
        By what is read, a page each.
    """
    printed, writers = SheetOfPoints.print(dpi), Writers.of(folder, "test")
    (page,) = printed.layout.pages
    boxes = tuple(f for f in page.fields if isinstance(f, WritingField))
    areas = tuple(f for f in page.fields if isinstance(f, AreaField))
    parts: dict[str, tuple[Field, ...]] = {"20 score boxes": boxes, "3 areas of ticks": areas}
    found: dict[str, list[float]] = {part: [] for part in parts}
    for image, _ in _scans(printed, writers, range(seed, seed + sheets), dpi=dpi, grey=False):
        outcome = read_page(image, printed.layout)
        if not isinstance(outcome, SheetReading):
            continue
        for part, fields in parts.items():
            times = []
            for _ in range(_REPEATS):
                start = time.process_time()
                read_points(image, replace(page, fields=fields), outcome.registration)
                times.append(1000 * (time.process_time() - start))
            found[part].append(min(times))
    return found


def _scans(
    printed: SheetOfPoints, writers: Writers, seeds: Iterable[int], *, dpi: float, grey: bool
) -> Iterator[tuple[PageImage, dict[str, Score]]]:
    """Sheets that were filled, marked and scanned, open as files, with what was written."""
    for seed in seeds:
        rng = np.random.default_rng(seed)
        marked = _Marked(printed, writers, dpi, rng)
        marked.fill()
        scanner = marker.draw_colour_scanner(rng, grey=grey)
        image = marker.scan_in_colour(marked.image, dpi, draw_scanner(0.5, rng), scanner, rng)
        with tempfile.TemporaryDirectory() as scans:
            path = Path(scans) / "scan.jpg"
            path.write_bytes(marker.encode_colour_scan(image, dpi, scanner))
            with open_scan(path) as scan:
                yield scan.load(0), marked.scores


# --- the table --------------------------------------------------------------------------


def points_rows(scores: list[Score]) -> list[tuple[str, int, int, int, float]]:
    """Figures of all legible scores, by ink, by half and by disturbance.

    Returns
    -------
    list of (str, int, int, int, float)
        Name, scores, flagged, silent, and the bound of the share of silent ones.
    """
    legible = [s for s in scores if s.is_legible]
    numbers = [s for s in legible if s.how != "ticks"]
    groups = {"all legible": legible, "numbers": numbers}
    groups |= {how: [s for s in legible if s.how == how] for how in _each(s.how for s in legible)}
    groups |= {
        f"numbers, ink {ink}": [s for s in numbers if s.ink == ink]
        for ink in _each(s.ink for s in numbers)
    }
    for kind in _each(s.disturbance for s in scores):
        groups[kind] = [s for s in scores if s.disturbance == kind and s.how != "ticks"]
        groups[f"ticks, {kind}"] = [s for s in scores if s.disturbance == kind and s.how == "ticks"]
    rows = []
    for name, some in groups.items():
        silent = sum(s.is_silent for s in some)
        n = len(some)
        n_flagged = sum(not s.is_certain for s in some)
        rows.append((name, n, n_flagged, silent, upper_bound(silent, n)))
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
