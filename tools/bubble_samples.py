"""Simulated bubbles of known truth, for `tools.calibrate_bubbles`.

Sheets are printed, filled by simulated people in all styles, now and then covered in part,
and scanned by simulated scanners and phones.
"""

from __future__ import annotations

import functools
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from decimal import Decimal
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.exam import Exam, Item, ItemType
from inkmark.exam.example import example_exam
from inkmark.geometry import MM_PER_INCH
from inkmark.images import Pixels
from inkmark.layouts import (
    BubbleField,
    BubbleShape,
    PageLayout,
    Role,
    SheetOptions,
    build_layout,
    print_sheets,
)
from inkmark.omr import refine, register
from inkmark.omr._levels import N_INPUTS
from inkmark.omr._states import State
from inkmark.omr.bubbles import bubble_evidence
from inkmark.readings import Registration
from inkmark.simulator import (
    Level,
    MarkStyle,
    draw_condition,
    draw_writer,
    fill_sheet,
    render_pages,
    simulate,
)

__all__ = ["COVERED", "SEED", "STATES", "Sample", "by_group", "observe"]

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
Layers = tuple[Float32Array, Float32Array, Float32Array]
IntArray = NDArray[np.int64]
SEED = 3
"""No page of a benchmark is drawn from it."""
PAGES = {Level.CLEAN: 0.15, Level.ORDINARY: 0.4, Level.BAD: 0.3, Level.PHONE: 0.15}
"""Shares of the pages."""
_ABSENT_SHARE, _PEN_SHARE, _COVERED_SHARE = 0.15, 0.3, 0.3
"""Shares of the sheets with the absent mark made, filled with a pen, with something on them."""
COVERED = "covered"
"""Style of a bubble that something lies upon."""
_ODD_SHARES = (0.0, 0.15, 0.3)
"""Shares of the groups with marks that people do not agree on, of which a page has one."""
_MAX_OFF_MM = 0.6
_MISPLACED_MM = 0.04
"""Standard deviation of a further error of registration, along x and y."""

STATES = {
    MarkStyle.FILL: State.FULL,
    MarkStyle.SPILL: State.FULL,
    MarkStyle.HASTY: State.FULL,
    MarkStyle.LIGHT: State.FULL,
    MarkStyle.TICK: State.STROKE,
    MarkStyle.CROSS: State.STROKE,
    MarkStyle.LINE: State.STROKE,
    MarkStyle.DOT: State.UNSURE,
    MarkStyle.CIRCLE: State.UNSURE,
    MarkStyle.FAINT: State.UNSURE,
    MarkStyle.HALF: State.UNSURE,
    MarkStyle.SMUDGED: State.UNSURE,
    MarkStyle.OUTSIDE: State.UNSURE,
    MarkStyle.CANCELLED: State.UNSURE,
    MarkStyle.ERASED: State.BLANK,
    MarkStyle.STRAY: State.BLANK,
}
"""What a careful person says of each style; `UNSURE` where persons differ."""
NORMAL = (MarkStyle.FILL, MarkStyle.HASTY, MarkStyle.SPILL, MarkStyle.LIGHT)
STROKES = (MarkStyle.TICK, MarkStyle.CROSS)
ODD = tuple(style for style, state in STATES.items() if state is State.UNSURE)
BESIDE = (MarkStyle.ERASED, MarkStyle.STRAY, MarkStyle.SMUDGED, MarkStyle.CANCELLED)
"""What may be on another bubble of a group that has a mark."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Bubbles of simulated pages.

    Attributes
    ----------
    evidence : (n, N_INPUTS) float32
    style : (n,) str
        How each is marked; empty where it is not.
    group : (n,) int64
        Ascending over all pages.
    page : (n,) int64
    """

    evidence: Float32Array
    style: NDArray[np.str_]
    group: IntArray
    page: IntArray

    def part(self, use: NDArray[np.bool_]) -> Sample:
        """The bubbles of some pages."""
        return Sample(self.evidence[use], self.style[use], self.group[use], self.page[use])

    @property
    def state(self) -> IntArray:
        """The true states, (n,)."""
        states = {style.value: state.value for style, state in STATES.items()}
        states |= {"": State.BLANK, COVERED: State.UNSURE}
        return np.array([states[style] for style in self.style.tolist()])


SHEETS = (
    SheetOptions(),
    SheetOptions(bubble_mm=(4.0, 3.0)),
    SheetOptions(bubble_mm=(3.0, 3.0)),
    SheetOptions(bubble_mm=(4.5, 4.5), candidate_digits=10),
    SheetOptions(bubble_mm=(7.0, 7.0)),
    SheetOptions(bubble_style=BubbleShape.RECTANGLE, candidate_digits=10),
    SheetOptions(bubble_style=BubbleShape.RECTANGLE, bubble_mm=(4.0, 3.0)),
    SheetOptions(bubble_style=BubbleShape.RECTANGLE, bubble_mm=(7.0, 3.5)),
)


class _Printer:
    """Printed pages of all kinds of sheets, each made once."""

    def __init__(self) -> None:
        self._pixels: dict[tuple[int, float], NDArray[np.uint8]] = {}
        self._exams = [self._exam(language, n) for language, n in (("en", 40), ("zh", 50))]
        self._layouts = [
            build_layout(self._exams[k % 2], options) for k, options in enumerate(SHEETS)
        ]

    @staticmethod
    def _exam(language: str, n: int) -> Exam:
        items = tuple(
            Item(
                str(k + 1),
                ItemType.MULTIPLE if k >= n - 8 else ItemType.SINGLE,
                tuple("ABCDE"[: 5 if k % 9 == 0 else 4]),
                ("A",) if k < n - 8 else ("AB",),
                Decimal(1),
            )
            for k in range(n)
        )
        return replace(example_exam(language), items=items)

    def page(self, sheet: int) -> PageLayout:
        """The layout of a sheet's first page."""
        return self._layouts[sheet].pages[0]

    def pixels(self, sheet: int, dpi: float) -> NDArray[np.uint8]:
        """That page as printed."""
        if (sheet, dpi) not in self._pixels:
            layout = self._layouts[sheet]
            serials = ("1",) if len(layout.pages) > 1 else ("",)
            with tempfile.TemporaryDirectory(prefix="inkmark-calibrate-") as name:
                path = Path(name) / "sheet.pdf"
                print_sheets(layout, self._exams[sheet % 2], path, serials=serials)
                (self._pixels[sheet, dpi],) = render_pages(path, dpi, [0])
        return self._pixels[sheet, dpi]


def _draw_marks(
    page: PageLayout, rng: np.random.Generator
) -> dict[tuple[str, int], list[tuple[int, MarkStyle]]]:
    """Marks of one person: most in one manner, some in another, some odd, some blank."""
    manners = (*NORMAL, MarkStyle.FILL, MarkStyle.FILL, *STROKES)
    habit = manners[int(rng.integers(len(manners)))]
    odd_share, blank_share = rng.choice(_ODD_SHARES), rng.choice([0.02, 0.1, 0.8])
    marks: dict[tuple[str, int], list[tuple[int, MarkStyle]]] = {}
    for field in page.fields:
        if not isinstance(field, BubbleField):
            continue
        if field.role is Role.ABSENT:
            if rng.random() < _ABSENT_SHARE:
                marks[field.name, 0] = [(0, habit)]
            continue
        for group in range(field.n_groups):
            kind = rng.random()
            if kind < blank_share:
                continue
            order = rng.permutation(len(field.options)).tolist()
            style = habit if rng.random() < 0.9 else manners[int(rng.integers(len(manners)))]
            group_marks = [(order[0], style)]
            if field.role is Role.ITEM and rng.random() < odd_share:
                odd = ODD[int(rng.integers(len(ODD)))]
                group_marks = [(order[0], odd)]
                if odd in BESIDE and rng.random() < 0.6:
                    group_marks.append((order[1], style))
            elif field.multiple:
                group_marks += [(k, style) for k in order[1 : int(rng.integers(1, 4))]]
            elif field.role is Role.ITEM and rng.random() < odd_share / 2:
                group_marks.append((order[1], BESIDE[int(rng.integers(len(BESIDE)))]))
                group_marks = group_marks[int(rng.integers(2)) :]
            if rng.random() < 0.01:  # a whole row of one kind
                style = (MarkStyle.FAINT, MarkStyle.LIGHT, MarkStyle.FILL)[int(rng.integers(3))]
                group_marks = [(k, style) for k in order]
            marks[field.name, group] = group_marks
    return marks


def _true_styles(
    page: PageLayout, marks: dict[tuple[str, int], list[tuple[int, MarkStyle]]]
) -> tuple[NDArray[np.str_], IntArray]:
    styles: list[str] = []
    groups: list[int] = []
    n_groups = 0
    for field in page.fields:
        if not isinstance(field, BubbleField):
            continue
        for group in range(field.n_groups):
            row = [""] * len(field.options)
            for option, style in marks.get((field.name, group), []):
                row[option] = style.value
            styles += row
            groups += [n_groups] * len(row)
            n_groups += 1
    return np.array(styles), np.array(groups)


def _cover(
    pixels: NDArray[np.uint8], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Lay one to three pieces of something even on a page; says which pixels they cover."""
    height, width = pixels.shape
    under, covered = np.zeros((height, width), dtype=np.uint8), pixels.copy()
    for _ in range(int(rng.integers(1, 4))):
        (x, y), (w, h) = rng.uniform(0, 1, 2) * (width, height), rng.uniform(0.02, 0.25, 2) * width
        corners = cv2.boxPoints(((x, y), (w, h), float(rng.normal(0, 8))))
        piece = np.zeros_like(under)
        cv2.fillConvexPoly(piece, np.rint(corners).astype(np.int32), 1)
        at = np.nonzero(piece)
        grey = rng.normal(rng.uniform(20, 245), rng.uniform(0, 6), len(at[0]))
        covered[at] = np.clip(grey, 0, 255)
        under |= piece
    return covered, under == 1


def _lies_under(covered: NDArray[np.bool_], centres_px: FloatArray, reach: float) -> IntArray:
    """Which centres (n, 2) have something covered within a reach in px."""
    height, width = covered.shape
    near = cv2.blur(covered.astype(np.float32), (2 * round(reach) + 1, 2 * round(reach) + 1))
    x, y = np.clip(np.rint(centres_px), 0, (width - 1, height - 1)).astype(np.int64).T
    return np.flatnonzero(near[y, x] > 0)


def _displaced(registration: Registration, dx: float, dy: float) -> Registration:
    move = np.array([[1.0, 0.0, dx], [0.0, 1.0, dy], [0.0, 0.0, 1.0]])
    homography = np.reshape(registration.homography, (3, 3)) @ move
    return replace(registration, homography=tuple(homography.ravel().tolist()))


def observe(n_pages: int, workers: int) -> Sample:
    """Evidence and truth of the bubbles of so many pages."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        parts = list(pool.map(_observe_page, range(n_pages), chunksize=20))
    groups, n_groups = [], 0
    for _, _, group, _ in parts:
        groups.append(n_groups + group)
        n_groups += int(group.max(initial=-1)) + 1
    evidence, styles, _, pages = (np.concatenate(x) for x in zip(*parts, strict=True))
    return Sample(evidence, styles, np.concatenate(groups), pages)


@functools.cache
def _printer() -> _Printer:
    return _Printer()


def _observe_page(number: int) -> tuple[Float32Array, NDArray[np.str_], IntArray, IntArray]:
    """Evidence, styles, groups and the page's number for bubbles that are where they seem."""
    rng = np.random.default_rng((SEED, number))
    level = list(PAGES)[int(rng.choice(len(PAGES), p=list(PAGES.values())))]
    condition = draw_condition(level, rng)
    sheet = int(rng.integers(len(SHEETS)))
    page, printed = _printer().page(sheet), _printer().pixels(sheet, condition.dpi)
    marks = _draw_marks(page, rng)
    other_side = None
    if condition.sheet.show_through:
        other_side = fill_sheet(printed, page, _draw_marks(page, rng), condition.dpi, rng)
    writer = draw_writer(rng, pen_share=_PEN_SHARE)
    scanned = simulate(printed, page, marks, condition, rng, writer=writer, other_side=other_side)
    style, group = _true_styles(page, marks)
    fields = [field for field in page.fields if isinstance(field, BubbleField)]
    centres = np.concatenate([field.centres() for field in fields])
    pixels, true_px = scanned.pixels, scanned.pose.to_px(centres)
    if rng.random() < _COVERED_SHARE:
        pixels, covered = _cover(pixels, rng)
        reach_mm = max(max(field.bubble_w, field.bubble_h) for field in fields) / 2
        style = style.astype("U12")
        style[_lies_under(covered, true_px, reach_mm * condition.dpi / MM_PER_INCH)] = COVERED
    image = Pixels.of(pixels)
    registration = register(image, page)
    found = np.full((1, N_INPUTS), np.nan, dtype=np.float32)
    off_mm = np.full(len(style), np.inf)
    if isinstance(registration, Registration):
        registration = refine(image, page, registration)
    if isinstance(registration, Registration):
        px_per_mm = np.sqrt(abs(np.linalg.det(np.reshape(registration.homography, (3, 3))[:2, :2])))
        off_mm = np.hypot(*(registration.to_px(centres) - true_px).T) / px_per_mm
        moved = _displaced(registration, *rng.normal(0, _MISPLACED_MM, 2))
        found = bubble_evidence(image, page, moved)
    # What registration got wrong, and what lies under other writing, says nothing about marks.
    names = np.concatenate([[field.name] * len(field.centres()) for field in fields])
    lost = (off_mm > _MAX_OFF_MM) | np.isin(names, list(scanned.damaged))
    lost |= np.isnan(found[:, 0])
    whole = ~np.isin(group, group[lost])
    if not whole.any():
        return found[:0], style[:0], group[:0], group[:0]
    return found[whole], style[whole], group[whole], np.full(int(whole.sum()), number)


def by_group(
    values: NDArray[Any], group: IntArray, combine: np.ufunc
) -> tuple[NDArray[Any], IntArray]:
    """Values of groups from those of their bubbles, and the groups' sizes."""
    _, first, size = np.unique(group, return_index=True, return_counts=True)
    return combine.reduceat(values, first), size
