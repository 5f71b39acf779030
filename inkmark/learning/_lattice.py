"""Shapes of one size that stand at regular steps: the blocks of bubbles of a page.

Each shape is tied to its next neighbours across and down. A tie that is longer than those
beside it leads from one block to the next and is cut; what then hangs together is a block.
Rows and columns are counted along the ties, so a block may be skewed, curled or seen at an
angle.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from inkmark.learning._shapes import FloatArray, Shapes

__all__ = ["Block", "find_blocks"]

_REACH = 11.0
"""A neighbour is no further than this many widths (heights)."""
_LONGER = 1.28
"""A tie that is so much longer than the one beside it leads to another block."""
_ALIKE = 0.16
"""Steps of tied shapes differ by no more than this share."""
_NEAREST = 1.03
"""Bubbles leave paper between them; the cells of a table do not."""
_MAX_OFF = 0.3
_APART = 1.15
"""Columns that are so much further apart than those beside them belong to two blocks."""


@dataclass(frozen=True, slots=True)
class Block:
    """A lattice of bubbles of one size.

    Attributes
    ----------
    at : (rows, columns, 2) float64
        Centre of each cell in px of the flat page, seen or fitted.
    seen : (rows, columns) bool
        Where a shape was found.
    solid : (rows, columns) bool
        Where that shape is filled.
    size : (2,) float64
        Width and height of a bubble in px.
    """

    at: FloatArray
    seen: NDArray[np.bool_]
    solid: NDArray[np.bool_]
    size: FloatArray

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.seen.shape[0], self.seen.shape[1]

    @property
    def steps(self) -> FloatArray:
        """Steps across and down in px: (2,); NaN where there is one column or row."""
        across = np.diff(self.at[:, :, 0], axis=1)
        down = np.diff(self.at[:, :, 1], axis=0)
        return np.array([np.median(d) if d.size else np.nan for d in (across, down)])

    @property
    def box(self) -> FloatArray:
        """Left, top, right, bottom in px: (4,)."""
        flat = self.at.reshape(-1, 2)
        low, high = flat.min(axis=0) - self.size / 2, flat.max(axis=0) + self.size / 2
        return np.concatenate([low, high])

    def fitted(self) -> FloatArray:
        """Every cell where the smooth surface through the seen ones puts it."""
        rows, columns = self.shape
        r, c = np.mgrid[:rows, :columns]
        return fit_surface(r[self.seen], c[self.seen], self.at[self.seen])(r, c)

    def split(self) -> list[Block]:
        """The block cut where two columns stand further apart than those beside them."""
        gaps = np.median(np.diff(self.at[:, :, 0], axis=1), axis=0)
        if len(gaps) < 2:
            return [self]
        beside = np.fmax(np.r_[np.nan, gaps[:-1]], np.r_[gaps[1:], np.nan])
        cuts = np.flatnonzero(gaps > _APART * beside) + 1
        edges = [0, *cuts.tolist(), len(gaps) + 1]
        return [
            self.with_seen(
                self.at[:, a:b].copy(), self.seen[:, a:b].copy(), self.solid[:, a:b].copy()
            )
            for a, b in pairwise(edges)
        ]

    def with_seen(self, at: FloatArray, seen: NDArray[np.bool_], solid: NDArray[np.bool_]) -> Block:
        """The block with other cells."""
        return replace(self, at=at, seen=seen, solid=solid)


class fit_surface:  # noqa: N801 - called like a function
    """Position as a smooth function of row and column, fitted to the cells that were seen."""

    def __init__(self, row: NDArray[np.int64], column: NDArray[np.int64], at: FloatArray) -> None:
        self.bent = (len(np.unique(row)) >= 5, len(np.unique(column)) >= 5)
        self.tilted = len(np.unique(row)) >= 2 and len(np.unique(column)) >= 2
        design = self._design(row, column)
        good = np.ones(len(at), dtype=bool)
        for _ in range(3):
            self.weights = np.linalg.lstsq(design[good], at[good], rcond=None)[0]
            off = np.hypot(*(design @ self.weights - at).T)
            good = off <= max(3.0 * float(np.median(off)), 1.0)

    def _design(self, row: NDArray[np.int64], column: NDArray[np.int64]) -> FloatArray:
        r, c = row.astype(float), column.astype(float)
        terms = [np.ones_like(r), r, c]
        if self.tilted:
            terms.append(r * c)
        if self.bent[0]:
            terms.append(r * r)
        if self.bent[1]:
            terms.append(c * c)
        return np.stack(terms, axis=-1)

    def __call__(self, row: NDArray[np.int64], column: NDArray[np.int64]) -> FloatArray:
        return np.asarray(self._design(row, column) @ self.weights)


def find_blocks(shapes: Shapes) -> list[Block]:
    """Blocks of shapes of about one size; shapes that stand alone are in none.

    Parameters
    ----------
    shapes : Shapes

    Returns
    -------
    list of Block
        Of two cells at least, largest first.
    """
    if len(shapes.centre) < 2:
        return []
    size = np.median(shapes.size[~shapes.solid] if (~shapes.solid).any() else shapes.size, axis=0)
    right, down = _neighbours(shapes.centre, size, 0), _neighbours(shapes.centre, size, 1)
    right, down = (
        _cut_long(shapes.centre, right, down, 0),
        _cut_long(shapes.centre, down, right, 1),
    )
    right, down = (
        _cut_unlike(shapes.centre, right, down, 1),
        _cut_unlike(shapes.centre, down, right, 0),
    )
    blocks = [
        block for part in _parts(right, down) if (block := _block(shapes, part, size)) is not None
    ]
    return sorted(blocks, key=lambda b: -int(b.seen.sum()))


def _neighbours(centre: FloatArray, size: FloatArray, axis: int) -> NDArray[np.int64]:
    """Next shape along an axis where each is the other's next, else -1: (n,)."""
    along = centre[None, :, axis] - centre[:, None, axis]
    aside = np.abs(centre[None, :, 1 - axis] - centre[:, None, 1 - axis])
    reach = _REACH * max(size[axis], 0.6 * size[1 - axis])
    straight = aside <= 0.4 * size[1 - axis] + 0.03 * np.abs(along)
    far = np.where((along >= 0.7 * size[axis]) & (along <= reach) & straight, along + aside, np.inf)
    ahead = np.where(np.isfinite(far.min(axis=1)), far.argmin(axis=1), -1)
    back = np.where(np.isfinite(far.min(axis=0)), far.argmin(axis=0), -1)
    mutual = (ahead >= 0) & (back[ahead] == np.arange(len(centre)))
    ahead = np.where(mutual, ahead, -1)
    # Cells of a table share their borders.
    length = np.where(ahead >= 0, along[np.arange(len(centre)), ahead], np.inf)
    return np.asarray(np.where(length >= _NEAREST * size[axis], ahead, -1), dtype=np.int64)


def _lengths(centre: FloatArray, ahead: NDArray[np.int64], axis: int) -> FloatArray:
    length = np.full(len(centre), np.nan)
    tied = ahead >= 0
    length[tied] = np.abs(centre[ahead[tied], axis] - centre[tied, axis])
    return length


def _before(ahead: NDArray[np.int64]) -> NDArray[np.int64]:
    before = np.full(len(ahead), -1, dtype=np.int64)
    tied = np.flatnonzero(ahead >= 0)
    before[ahead[tied]] = tied
    return before


def _cut_long(
    centre: FloatArray, ahead: NDArray[np.int64], other: NDArray[np.int64], axis: int
) -> NDArray[np.int64]:
    """Without the ties that are longer than one of those before, behind and beside them."""
    length = _lengths(centre, ahead, axis)
    beside = [length[np.maximum(ties, 0)] for ties in (_before(ahead), ahead)]
    for ties, values in zip((_before(ahead), ahead), beside, strict=True):
        values[ties < 0] = np.nan
    beside += [
        np.where(ties >= 0, length[np.maximum(ties, 0)], np.nan) for ties in (_before(other), other)
    ]
    shortest = np.fmin.reduce(beside)
    return np.where(length > _LONGER * shortest, -1, ahead)


def _cut_unlike(
    centre: FloatArray, ahead: NDArray[np.int64], other: NDArray[np.int64], axis: int
) -> NDArray[np.int64]:
    """Without the ties between shapes whose own ties along the other axis are unlike."""
    length = _lengths(centre, other, axis)
    before = _before(other)
    own = np.fmin(length, np.where(before >= 0, length[before], np.nan))
    unlike = (ahead >= 0) & (np.abs(np.log(own[ahead] / own)) > _ALIKE)
    return np.where(unlike, -1, ahead)


def _parts(right: NDArray[np.int64], down: NDArray[np.int64]) -> list[dict[int, tuple[int, int]]]:
    """What hangs together: the row and column of each shape, counted along the ties."""
    left, up = _before(right), _before(down)
    place: dict[int, tuple[int, int]] = {}
    parts = []
    for start in range(len(right)):
        if start in place:
            continue
        place[start] = (0, 0)
        part = {start: (0, 0)}
        queue = deque([start])
        while queue:
            k = queue.popleft()
            row, column = part[k]
            for ties, step in (
                (right, (0, 1)),
                (left, (0, -1)),
                (down, (1, 0)),
                (up, (-1, 0)),
            ):
                other = int(ties[k])
                if other >= 0 and other not in place:
                    place[other] = part[other] = (row + step[0], column + step[1])
                    queue.append(other)
        if len(part) > 1:
            parts.append(part)
    return parts


def _block(shapes: Shapes, part: dict[int, tuple[int, int]], size: FloatArray) -> Block | None:
    members = np.array(list(part))
    cells = np.array(list(part.values()))
    cells -= cells.min(axis=0)
    surface = fit_surface(cells[:, 0], cells[:, 1], shapes.centre[members])
    off = np.abs(surface(cells[:, 0], cells[:, 1]) - shapes.centre[members]) / size
    good = off.max(axis=1) < _MAX_OFF
    if good.sum() < 2:
        return None
    members, cells = members[good], cells[good] - cells[good].min(axis=0)
    rows, columns = cells.max(axis=0) + 1
    if rows * columns > 4 * len(members) + 8:
        return None
    at = np.full((rows, columns, 2), np.nan)
    seen = np.zeros((rows, columns), dtype=bool)
    solid = np.zeros((rows, columns), dtype=bool)
    for member, (row, column) in zip(members, cells, strict=True):
        if seen[row, column] and shapes.solid[member]:
            continue
        at[row, column] = shapes.centre[member]
        seen[row, column], solid[row, column] = True, shapes.solid[member]
    own = shapes.size[members[~shapes.solid[members]]]
    block = Block(at, seen, solid, np.median(own, axis=0) if len(own) else size)
    fitted = block.fitted()
    return block.with_seen(np.where(seen[..., None], at, fitted), seen, solid)
