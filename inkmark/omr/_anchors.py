"""The printed anchors of a page as arrays, made once for a page layout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkmark.errors import LayoutError
from inkmark.geometry import Box
from inkmark.layouts import PageLayout
from inkmark.omr._cache import once_for_each
from inkmark.omr._transform import FloatArray

__all__ = ["AnchorPlan", "anchor_plan"]

IntArray = NDArray[np.int64]

_SQUARE_MARGIN = 0.35
"""How far a corner square may be off its first place, in sides; less than the gap beside it."""
_KEY_MARGIN = 0.4
"""The same of the key mark, in its thickness."""
_MAX_TIMING_MARGIN_MM = 2.5
"""How far a timing mark may be shifted against the one before it."""


@dataclass(frozen=True, slots=True)
class AnchorPlan:
    """The anchors of a page: four corner squares, the key mark, the timing marks.

    Attributes
    ----------
    page : PageLayout
    squares : (4, 3) float64
        Centre x, y and side in mm.
    boxes : (n, 5) float64
        All anchors: centre x, y, half width, half height and search margin in mm.
    rails : (6,) int64
        Where the key mark and the timing marks of the left, upper, right and lower side
        begin in `boxes`, and where the last end. Each side's are in order along it.
    sides : (2, k) int64
        Anchors of the two opposite sides that have most timing marks, with the corner
        squares at their ends, in order; filled up with -1.
    along : int
        0 where these sides run across the sheet, 1 where they run down.
    knots : (m,) float64
        Positions of their anchors along them, in mm.
    n_timing : int
    """

    page: PageLayout
    squares: FloatArray
    boxes: FloatArray
    rails: IntArray
    sides: IntArray
    along: int
    knots: FloatArray
    n_timing: int

    @property
    def n_anchors(self) -> int:
        """Corner squares and timing marks."""
        return 4 + self.n_timing

    @property
    def side_mm(self) -> float:
        """Mean side of a corner square."""
        return float(self.squares[:, 2].mean())


@once_for_each
def anchor_plan(page: PageLayout) -> AnchorPlan:
    """The anchors of a page.

    Parameters
    ----------
    page : PageLayout

    Raises
    ------
    LayoutError
        Where the page does not have four corner squares.
    """
    squares, key = page.anchors.squares, page.anchors.key_mark
    if len(squares) != 4:
        raise LayoutError(
            f"A page with square anchors has {len(squares)} corner squares. "
            "Give four, top left, top right, bottom right and bottom left."
        )
    rows = [_row(box, _SQUARE_MARGIN * min(box.w, box.h)) for box in squares]
    rows += [_row(key, _KEY_MARGIN * min(key.w, key.h))] if key else []
    rails = [4, len(rows)]
    for marks in _sides(page):
        margin = _margin(marks)
        rows += [_row(box, margin) for box in marks]
        rails.append(len(rows))
    boxes = np.array(rows)
    along = int(
        rails[2] - rails[1] + rails[4] - rails[3] >= rails[3] - rails[2] + rails[5] - rails[4]
    )
    # Squares: top left, top right, bottom right, bottom left; sides: left, upper, right, lower.
    ends = ((0, 3), (1, 2)) if along else ((0, 1), (3, 2))
    chains = []
    for (head, tail), rail in zip(ends, ((1, 3) if along else (2, 4)), strict=True):
        chains.append([head, *range(rails[rail], rails[rail + 1]), tail])
    sides = np.full((2, max(map(len, chains))), -1, dtype=np.int64)
    for side, chain in zip(sides, chains, strict=True):
        side[: len(chain)] = chain
    return AnchorPlan(
        page=page,
        squares=np.array([(*box.centre, (box.w + box.h) / 2) for box in squares]),
        boxes=boxes,
        rails=np.array(rails, dtype=np.int64),
        sides=sides,
        along=along,
        knots=np.unique(np.round(boxes[sides[sides >= 0], along], 6)),
        n_timing=len(page.anchors.timing),
    )


def _row(box: Box, margin: float) -> tuple[float, ...]:
    return (*box.centre, box.w / 2, box.h / 2, margin)


def _sides(page: PageLayout) -> list[list[Box]]:
    """Timing marks of the left, upper, right and lower side, in order along each."""
    sides: list[list[Box]] = [[], [], [], []]
    for box in page.anchors.timing:
        x, y = box.centre
        sides[int(np.argmin([x, y, page.width_mm - x, page.height_mm - y]))].append(box)
    for k, side in enumerate(sides):
        side.sort(key=lambda box: box.centre[1 - k % 2])
    return sides


def _margin(side: list[Box]) -> float:
    """How far the marks of a side may be off: most of the gap from one to the next."""
    if not side:
        return 0.0
    sizes = np.array([(box.w, box.h) for box in side])
    if len(side) == 1:
        return float(0.5 * sizes.min())
    steps = np.abs(np.diff([box.centre for box in side], axis=0))
    along = int(steps.sum(axis=0).argmax())
    gap = float((steps[:, along] - sizes[:-1, along] / 2 - sizes[1:, along] / 2).min())
    return float(np.clip(0.8 * gap, 0.3, _MAX_TIMING_MARGIN_MM))
